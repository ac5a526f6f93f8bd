import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { Trace } from '../../static/js/model/trace.js';
import { REST, Steps } from '../../static/js/store/steps.js';

/** A server that answers when told, a trace of which no step is recorded, and a reader who moves. */
function scene({ events = 10, fails = () => false } = {}) {
  mock.timers.enable({ apis: ['setTimeout'] });
  const trace = new Trace();
  trace.id = 'r';
  for (let index = 0; index < 40; index++) trace.push({ kind: 'step', seq: index, index });
  const asked = [];
  const client = {
    step: (id, step, { signal }) => new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
      asked.push({ step, signal, answer: () => (fails(step) ? reject(new Error('busy')) : resolve(Array(events).fill({ kind: 'leaf' }))) });
    }),
  };
  const told = { waiting: [], failed: [] };
  const steps = new Steps(client, (of, step, got) => of.add(step, got));
  let last = 0;
  const stand = (step) => {
    const way = step < last ? -1 : 1;
    last = step;
    steps.stand(trace, step, { missing: !trace.windows.has(step), near: [step + way, step - way].filter((each) => trace.step(each) && !trace.windows.has(each)), waiting: (is) => told.waiting.push(is), failed: (error) => told.failed.push(error.message) });
  };
  const rest = async (ms) => {
    mock.timers.tick(ms);
    for (let i = 0; i < 8; i++) await null;
  };
  const answer = async (step) => {
    asked.findLast((each) => each.step === step).answer();
    await rest(0);
  };
  return { trace, asked, told, stand, rest, answer, order: () => asked.map((each) => each.step) };
}

test.afterEach(() => mock.timers.reset());

test('a scrub over many steps asks only for the one it rests on', async () => {
  const { stand, rest, order } = scene();
  for (const step of [3, 4, 5, 6]) {
    stand(step);
    await rest(REST.here - 1);
  }
  await rest(REST.here);
  assert.deepEqual(order(), [6]);
});

test('while the reader rests, the neighbours are fetched one after the other, the next one on the way first', async () => {
  const { trace, stand, rest, answer, order } = scene();
  stand(7);
  await rest(REST.here);
  await answer(7);
  stand(7);
  await rest(REST.near);
  assert.deepEqual(order(), [7, 8]);
  await answer(8);
  assert.deepEqual(order(), [7, 8, 6]);
  await answer(6);
  assert.ok([6, 7, 8].every((step) => trace.windows.has(step)));
});

test('who goes back gets the step before first', async () => {
  const { trace, stand, rest, order } = scene();
  for (const step of [7, 6]) trace.add(step, []);
  stand(7);
  stand(6);
  await rest(REST.near);
  assert.deepEqual(order(), [5]);
});

test('a neighbour on its way is not asked for again when the reader goes there', async () => {
  const { trace, told, stand, rest, answer, order } = scene();
  trace.add(7, []);
  stand(7);
  await rest(REST.near);
  stand(8);
  await rest(REST.here);
  assert.deepEqual(order(), [8]);
  assert.deepEqual(told.waiting, [true]);
  await answer(8);
  assert.ok(trace.windows.has(8));
  assert.deepEqual(told.waiting, [true, false]);
});

test('what the reader moved away from is given up', async () => {
  const { trace, told, asked, stand, rest, order } = scene();
  trace.add(7, []);
  stand(7);
  await rest(REST.near);
  stand(20);
  assert.equal(asked[0].signal.aborted, true);
  await rest(REST.here);
  assert.deepEqual(order(), [8, 20]);
  assert.deepEqual(told.failed, []);
});

test('a refusal to look ahead disturbs nobody, and is not asked for again and again', async () => {
  const { trace, told, stand, rest, answer, order } = scene({ fails: (step) => step === 8 });
  for (const step of [6, 7, 9]) trace.add(step, []);
  stand(7);
  await rest(REST.near);
  await answer(8);
  stand(9);
  await rest(REST.near);
  assert.deepEqual(order(), [8]);
  assert.deepEqual(told.failed, []);
  stand(8);
  await rest(REST.here);
  await answer(8);
  assert.deepEqual(told.failed, ['busy']); // now somebody waits
});

test('what is held is bounded: the steps used longest ago go', async () => {
  const { trace, stand, rest, answer } = scene({ events: 50_000 });
  for (const step of [1, 10, 20, 30, 39, 2]) {
    stand(step);
    await rest(REST.here);
    await answer(step);
  }
  assert.deepEqual([...trace.windows.keys()], [20, 30, 39, 2]);
});
