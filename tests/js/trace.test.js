import assert from 'node:assert/strict';
import test from 'node:test';
import { Trace } from '../../static/js/model/trace.js';
import { BEGIN, TRACE, WINDOW } from './sample.js';

const fed = (events) => {
  const trace = new Trace();
  for (const event of events) trace.push(event);
  return trace;
};

test('steps are counted, windows kept where they were recorded', () => {
  const trace = fed(TRACE);
  assert.equal(trace.steps.length, 2);
  assert.deepEqual([...trace.windows.keys()], [0]);
  assert.equal(trace.windows.get(0).events.at(-1).kind, 'step');
  assert.equal(trace.length, 2);
});

test('a step can be looked at while it is being recorded', () => {
  const trace = fed([BEGIN, ...WINDOW.slice(0, 5)]);
  assert.equal(trace.length, 1);
  assert.equal(trace.windows.get(0).closed, false);
});

test('a failure with nothing before it belongs to the step that just ended', () => {
  const trace = fed([BEGIN, ...WINDOW, { kind: 'fail', seq: 21, type: 'RuntimeError', message: 'no' }]);
  assert.equal(trace.windows.get(0).events.at(-1).kind, 'fail');
  assert.equal(trace.length, 1);
});

test('prints are kept with the step they were made in', () => {
  assert.deepEqual(fed(TRACE).said.map(({ step, event }) => [step, event.text]), [[0, '4.0\n']]);
});

test('a step asked for later gets its events', () => {
  const trace = fed(TRACE);
  trace.add(1, [BEGIN, ...WINDOW, { kind: 'end', seq: 30, status: 'ok' }]);
  assert.equal(trace.windows.get(1).events.length, WINDOW.length);
});
