import assert from 'node:assert/strict';
import test from 'node:test';
import { graph } from '../../static/js/model/graph.js';
import { ledger, notices } from '../../static/js/model/ledger.js';
import { WINDOW } from './sample.js';

const array = (shape, ...data) => ({ shape, dtype: 'float32', data });
const told = (events) => notices(events, graph(events)).map((notice) => notice.key);
const changed = (kind, change) => WINDOW.map((event) => (event.kind === kind ? { ...event, ...change } : event));

test('the life of a .grad in a step: nothing, added, read, cleared', () => {
  assert.deepEqual(ledger(WINDOW).get(1).map((entry) => entry.kind), ['start', 'add', 'read', 'zero']);
});

test('an ordinary step is left in peace', () => assert.deepEqual(told(WINDOW), []));

test('a gradient on top of an old one is noticed', () => {
  assert.deepEqual(told(changed('accumulate', { before: array([], 3), after: array([], 5) })), ['notice.piled']);
});

test('adding to zeros is no pile', () => assert.deepEqual(told(changed('accumulate', { before: array([], 0) })), []));

test('a gradient of exactly zero, a huge and a tiny one are noticed', () => {
  assert.deepEqual(told(changed('accumulate', { delta: array([], 0) })), ['notice.nothing']);
  assert.deepEqual(told(changed('accumulate', { delta: array([], 1e6) })), ['notice.exploding']);
  assert.deepEqual(told(changed('accumulate', { delta: array([], 1e-9) })), ['notice.vanishing']);
});

test('only the first NaN is named', () => {
  const events = WINDOW.map((event) => (event.kind === 'forward' && event.node ? { ...event, outputs: event.outputs.map((output) => ({ ...output, value: { ...output.value, data: output.value.data.map(() => 'NaN') } })) } : event));
  assert.deepEqual(told(events), ['notice.wild']);
});

test('a unit through which no sample passes anything back is dead', () => {
  const events = WINDOW.map((event) => (event.kind === 'contribute' && event.local ? { ...event, local: array([2, 2], 1, 0, 2, 0) } : event));
  const [notice] = notices(events, graph(events));
  assert.equal(notice.key, 'notice.dead-units');
  assert.equal(notice.words.units, '1');
});
