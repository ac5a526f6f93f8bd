import assert from 'node:assert/strict';
import test from 'node:test';
import { address, gradientOrigin, valueOrigin } from '../../static/js/model/cells.js';
import { indexOf } from '../../static/js/model/focus.js';
import { graph } from '../../static/js/model/graph.js';
import { replay } from '../../static/js/model/reduce.js';
import { WINDOW } from './sample.js';

const structure = graph(WINDOW);
const scene = { graph: structure, state: replay(WINDOW, 14), window: { index: 0, events: WINDOW, closed: true } };
const OPS = { mul: { elementwise: true } };
const card = (key) => structure.cards.get(key);

test('a product was made from one cell of each factor', () => {
  const { terms, total, how } = valueOrigin(scene, card('o4'), [1], OPS);
  assert.equal(how, 'row');
  assert.deepEqual(terms.map((term) => term.product), [3, 2]);
  assert.equal(total, 6);
});

test('a mean is the sum of all cells, each divided by their number', () => {
  const { terms, how } = valueOrigin(scene, card('o6'), [], OPS);
  assert.equal(how, 'sum');
  assert.deepEqual(terms.map((term) => term.product), [1, 3]);
});

test('a leaf was given', () => assert.equal(valueOrigin(scene, card('t1'), [], OPS).how, 'leaf'));

test('a gradient’s addends are upstream times local, and they add up to it', () => {
  const { terms, total } = gradientOrigin(scene, card('t1'), [], OPS);
  assert.deepEqual(terms.map((term) => term.factors), [[0.5, 1], [0.5, 3]]);
  assert.equal(terms.reduce((sum, term) => sum + term.product, 0), total);
  assert.deepEqual(terms.map((term) => term.sources[0].cell), ['g0.0', 'g0.1']);
});

test('an address leads back to its index', () => {
  for (const [index, shape] of [[[], []], [[2], [5]], [[1, 3], [4, 5]], [[1, 2, 3], [2, 3, 4]]]) {
    assert.deepEqual(indexOf(address('v', index, shape).slice(1), shape), index);
  }
});

test('of many addends the largest come first, and all of them add up', () => {
  const array = (shape, data) => ({ shape, dtype: 'float32', data });
  const given = Array.from({ length: 20 }, (_, i) => ((i * 7) % 20) - 10);
  const events = [
    { kind: 'leaf', seq: 1, tensor: 4, value: array([], [2]), role: 'parameter', requires_grad: true, name: 'w' },
    { kind: 'forward', seq: 2, op: 'expand_to', inputs: [{ name: 'input', tensor: 4 }], outputs: [{ tensor: 2, value: array([20], Array(20).fill(2)), requires_grad: true }], node: 3, params: { size: [20] } },
    { kind: 'seed', seq: 3, root: 2, grad: array([20], given), node: 3 },
    { kind: 'ready', seq: 4, node: 3, grad: array([20], given), tensor: 2 },
    { kind: 'contribute', seq: 5, node: 3, index: 0, result: array([], [-10]), tensor: 4 },
  ];
  const whole = { graph: graph(events), state: replay(events), window: { index: 0, events, closed: true } };
  const { terms, total } = gradientOrigin(whole, whole.graph.cards.get('t4'), [], {});
  assert.equal(terms.length, 20);
  assert.equal(terms[0].product, -10);
  assert.ok(terms.every((term, i) => !i || Math.abs(term.product) <= Math.abs(terms[i - 1].product)));
  assert.equal(terms.reduce((sum, term) => sum + term.product, 0), total);
});
