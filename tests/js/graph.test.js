import assert from 'node:assert/strict';
import test from 'node:test';
import { arrange, rows } from '../../static/js/layout/rows.js';
import { measure } from '../../static/js/layout/metrics.js';
import { fold } from '../../static/js/model/fold.js';
import { graph } from '../../static/js/model/graph.js';
import { replay } from '../../static/js/model/reduce.js';
import { WINDOW } from './sample.js';

test('cards are leaves and results, not the arithmetic of the update', () => {
  assert.deepEqual([...graph(WINDOW).cards.values()].map((card) => card.label), ['x', 'w', 'y', 'L']);
});

test('an expression stands on the card of its result', () => {
  assert.deepEqual([...graph(WINDOW).cards.values()].map((card) => card.expr), ['', '', 'x·w', 'mean(y)']);
});

test('only edges that will carry a gradient are marked so', () => {
  assert.deepEqual(graph(WINDOW).edges.map((edge) => [edge.id, edge.grads]), [['o4:0', false], ['o4:1', true], ['o6:0', true]]);
});

test('two windows of the same shape have one structure', () => {
  const later = WINDOW.map((event) => (event.kind === 'leaf' ? { ...event, role: event.role === 'parameter' ? 'parameter' : 'earlier', value: { ...event.value, data: event.value.data.map((v) => v * 7) } } : event));
  assert.equal(graph(later).hash, graph(WINDOW).hash);
});

test('nothing is left of a graph whose inputs never appeared', () => {
  assert.equal(graph(WINDOW.slice(2)).edges.some((edge) => edge.to === 'o4'), false);
});

test('a parameter stands beside the operation that reads it, data above', () => {
  const structure = graph(WINDOW);
  const { rows: found, owner } = rows(structure);
  assert.equal(owner.get('t1'), 'o4');
  assert.ok(found.has('t3'));
  const { places } = arrange(found.get('o4'), structure.edges);
  assert.ok(places.get('t1').x > places.get('o4').w);
});

test('a card’s size follows from its shape, never from its values', () => {
  const [a] = graph(WINDOW).cards.values();
  assert.deepEqual(measure(a), measure({ ...a, at: 99 }));
});

/** v, i = x.max(1); a, b = x.split(2, 1); L = (v * b).sum() with its backward. x = [[1, 4, 2, 3], [8, 5, 7, 6]]. */
const at = (line) => [line, 0, line, 9];
const array = (shape, ...data) => ({ shape, dtype: 'float32', data });
const SEVERAL = [
  { kind: 'leaf', seq: 1, at: at(1), tensor: 4, value: array([2, 4], 1, 4, 2, 3, 8, 5, 7, 6), role: 'parameter', requires_grad: true, name: 'x' },
  { kind: 'forward', seq: 2, at: at(2), op: 'max_dim', inputs: [{ name: 'input', tensor: 4 }], outputs: [{ tensor: 2, value: array([2], 4, 8), requires_grad: true }, { tensor: 6, value: { ...array([2], 1, 0), dtype: 'int64' }, index: 1 }], node: 3, params: { dim: 1, keepdim: false } },
  { kind: 'bind', seq: 3, tensor: 2, name: 'v' }, { kind: 'bind', seq: 4, tensor: 6, name: 'i' },
  { kind: 'forward', seq: 5, at: at(3), op: 'split', inputs: [{ name: 'input', tensor: 4 }], outputs: [{ tensor: 10, value: array([2, 2], 1, 4, 8, 5), requires_grad: true }, { tensor: 14, value: array([2, 2], 2, 3, 7, 6), requires_grad: true, index: 1 }], node: 11, params: { dim: 1, split_size: 2 } },
  { kind: 'bind', seq: 6, tensor: 14, name: 'b' },
  { kind: 'forward', seq: 7, at: at(4), op: 'mul', inputs: [{ name: 'input', tensor: 2, broadcast: { source: [2], target: [2, 2], axes: [0] } }, { name: 'other', tensor: 14 }], outputs: [{ tensor: 18, value: array([2, 2], 8, 24, 28, 48), requires_grad: true }], node: 19 },
  { kind: 'seed', seq: 8, at: at(5), root: 18, grad: array([2, 2], 1, 1, 1, 1), node: 19 },
  { kind: 'ready', seq: 9, at: at(5), node: 11, grad: array([8], 0, 0, 0, 0, 4, 8, 4, 8) },
];

test('an op with several outputs has a card for each, and who reads one is linked to that one', () => {
  const { cards, edges, byTensor } = graph(SEVERAL);
  assert.deepEqual([...cards.values()].map((card) => [card.label, card.expr, card.shape]), [['x', '', [2, 4]], ['v', 'max(x).values', [2]], ['i', 'max(x).indices', [2]], ['v₁', 'split(x)[0]', [2, 2]], ['b', 'split(x)[1]', [2, 2]], ['v₂', 'v·b', [2, 2]]]);
  assert.deepEqual(edges.map((edge) => [edge.from, edge.to]), [['t4', 'o2'], ['t4', 'o10'], ['o2', 'o18'], ['o14', 'o18']]);
  assert.equal(byTensor.get(10), 'o10');
  assert.deepEqual([cards.get('o6').grads, cards.get('o14').grads], [false, true]);
});

test('outputs stand side by side in the row of their op, and go in and out of a folded module with it', () => {
  const structure = graph(SEVERAL);
  const { rows: found, owner } = rows(structure);
  assert.equal(found.has('o14'), false);
  assert.equal(owner.get('o14'), 'o10');
  const { places, w } = arrange(found.get('o10'), structure.edges);
  const [a, b] = [places.get('o10'), places.get('o14')];
  assert.ok(b.x > a.x + a.w && b.y === a.y && w >= b.x + b.w);
});

test('indices that nobody reads stay beside their values, though no gradient passes them', () => {
  assert.deepEqual([...fold(graph(SEVERAL), [], []).graph.cards.keys()], ['t4', 'o2', 'o6', 'o10', 'o14', 'o18']);
});

test('the gradient of a node with several outputs is handed out to them piece by piece', () => {
  const state = replay(SEVERAL);
  assert.deepEqual(state.tensors[10].flow, array([2, 2], 0, 0, 0, 0));
  assert.deepEqual(state.tensors[14].flow, array([2, 2], 4, 8, 4, 8));
  assert.equal(state.tensors[4].flow, null);
});

test('of many outputs those are shown that have a name or are read', () => {
  const outputs = Array.from({ length: 40 }, (_, i) => ({ tensor: 100 + 4 * i + 2, value: array([], i), requires_grad: true, index: i }));
  const events = [SEVERAL[0], { ...SEVERAL[4], op: 'unbind', outputs }, { kind: 'bind', seq: 6, tensor: outputs[7].tensor, name: 'h' }];
  assert.deepEqual([...graph(events).cards.values()].map((card) => card.label), ['x', 'v₁', 'h']);
});
