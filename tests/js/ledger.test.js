import assert from 'node:assert/strict';
import test from 'node:test';
import { graph } from '../../static/js/model/graph.js';
import { gathered, ledger, notices } from '../../static/js/model/ledger.js';
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

/** x of two samples goes through a relu whose local derivatives are given. */
const relu = (...local) => [
  { kind: 'leaf', seq: 1, tensor: 4, value: array([2, 2], 1, -1, 2, -2), role: 'parameter', requires_grad: true, name: 'x' },
  { kind: 'forward', seq: 2, op: 'relu', inputs: [{ name: 'input', tensor: 4 }], outputs: [{ tensor: 2, value: array([2, 2], 1, 0, 2, 0), requires_grad: true }], node: 3 },
  { kind: 'bind', seq: 3, tensor: 2, name: 'h' },
  { kind: 'contribute', seq: 4, node: 3, index: 0, result: array([2, 2], 1, 0, 1, 0), tensor: 4, local: array([2, 2], ...local) },
];

test('a unit through which no sample passes anything back is dead', () => {
  const events = relu(1, 0, 2, 0);
  const [notice] = notices(events, graph(events));
  assert.deepEqual([notice.key, notice.words.units, notice.words.name], ['notice.dead-units', '1', 'h']);
  assert.deepEqual(told(relu(0, 0, 0, 0)), ['notice.dead']);
  assert.deepEqual(told(relu(1, 0, 0, 1)), []);
});

test('a product with zeros has not died', () => {
  const events = WINDOW.map((event) => (event.kind === 'contribute' && event.local ? { ...event, local: array([2], 0, 0) } : event));
  assert.deepEqual(told(events), []);
});

test('a second backward in one step is told as such', () => {
  const again = [...WINDOW.slice(0, 14), ...WINDOW.slice(6, 12), { ...WINDOW[12], before: array([], 2), after: array([], 4) }];
  assert.deepEqual(told(again), ['notice.second']);
});

test('reading .grad of a tensor that is no leaf is explained where torch warns of it', () => {
  const source = 'x = 1\nw = 2\ny = x * w\nL = y.mean()\nL.backward()\nprint(y.grad)\n';
  const warning = { kind: 'print', stream: 'stderr', at: [6, 6, 6, 12], text: '<program>:6: UserWarning: The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its …\n' };
  const events = [...WINDOW, warning];
  const [notice] = notices(events, graph(events), { source });
  assert.deepEqual([notice.key, notice.words.name, notice.card, notice.at], ['notice.non-leaf', 'y', 'o4', events.length - 1]);
  assert.deepEqual(told([...WINDOW, { ...warning, text: 'UserWarning: something else' }]), []);
});

test('a NaN that came in an earlier step is not called the first, but leads there', () => {
  const events = WINDOW.map((event) => (event.tensor === 1 && event.kind === 'leaf' ? { ...event, value: array([], 'NaN') } : event.kind === 'forward' && event.node ? { ...event, outputs: event.outputs.map((output) => ({ ...output, value: array(output.value.shape, ...output.value.data.map(() => 'NaN')) })) } : event.kind === 'step' ? { ...event, index: 9 } : event));
  const steps = [{ kind: 'step', index: 6, loss: 3 }, { kind: 'step', index: 7, loss: 8, params: { w: array([], 'Infinity') } }, { kind: 'step', index: 8, loss: 'NaN' }];
  const found = notices(events, graph(events), { steps });
  assert.deepEqual(found.map(({ key, step }) => [key, step]), [['notice.wild-before', 7]]);
  assert.deepEqual(notices(events, graph(events)).map(({ key }) => key), ['notice.wild-given']);
});

test('an infinity that a mask puts there is no accident', () => {
  const events = WINDOW.map((event) => (event.kind === 'forward' && event.op === 'mul' && event.node ? { ...event, op: 'masked_fill_number', outputs: [{ ...event.outputs[0], value: array([2], '-Infinity', 6) }] } : event));
  assert.deepEqual(told(events), []);
});

test('one sentence for all tensors it is true of, with the worst size', () => {
  const of = (name, size) => ({ at: 3, key: 'notice.exploding', words: { name, size }, card: name });
  const [said, ...more] = gathered([of('a', '1.0e+5'), of('b', '3.0e+9'), of('c', '2.0e+5'), of('d', '1.0e+5'), of('e', '1.0e+5'), of('f', '1.0e+5')]);
  assert.deepEqual([said.words, more.length], [{ name: 'a, b, c, d, +2', size: '3.0e+9' }, 0]);
});
