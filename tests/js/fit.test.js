import assert from 'node:assert/strict';
import test from 'node:test';
import { curve, plane } from '../../static/js/model/fit.js';

const array = (shape, data, dtype = 'float32') => ({ shape, dtype, data });
const leaf = (tensor, shape, data, dtype) => ({ kind: 'leaf', seq: 0, tensor, value: array(shape, data, dtype) });
const forward = (op, inputs, tensor, shape, data) => ({ kind: 'forward', seq: 0, op, inputs: inputs.map((each, i) => ({ name: 'ab'[i], tensor: each })), outputs: [{ tensor, value: array(shape, data), requires_grad: true }] });
const parameter = { kind: 'leaf', seq: 0, tensor: 4, requires_grad: true, value: array([], [2]) };

test('a curve: the input that leads to the prediction, the target it meets', () => {
  const events = [leaf(1, [3], [1, 2, 3]), leaf(5, [3], [2, 4, 7]), parameter, forward('mul', [1, 4], 6, [3], [2, 4, 6]), forward('sub', [6, 5], 10, [3], [0, 0, -1])];
  assert.deepEqual(curve(events), { x: [1, 2, 3], target: [2, 4, 7], prediction: [2, 4, 6] });
  assert.equal(plane(events), null);
});

test('target minus prediction is a curve as well', () => {
  const events = [leaf(1, [3], [1, 2, 3]), leaf(5, [3], [2, 4, 7]), parameter, forward('mul', [1, 4], 6, [3], [2, 4, 6]), forward('sub', [5, 6], 10, [3], [0, 0, 1])];
  assert.deepEqual(curve(events)?.prediction, [2, 4, 6]);
});

test('one sample at a time is no data set', () => {
  const events = [leaf(1, [1], [1]), leaf(5, [1], [2]), parameter, forward('mul', [1, 4], 6, [1], [2]), forward('sub', [6, 5], 10, [1], [0])];
  assert.equal(curve(events), null);
});

test('a plane: two columns and two classes', () => {
  const events = [leaf(1, [3, 2], [0, 1, 2, 3, 4, 5]), leaf(5, [3, 1], [0, 1, 1]), parameter, forward('mm', [1, 4], 6, [3, 1], [0.1, 0.6, 0.7]), forward('binary_cross_entropy', [6, 5], 10, [], [0.4])];
  assert.deepEqual(plane(events), { tensor: 1, root: 6, x: [0, 2, 4], y: [1, 3, 5], target: [0, 1, 1], classes: 2, middle: 0.5 });
});

test('a plane: several classes by negative log-likelihood', () => {
  const events = [leaf(1, [3, 2], [0, 1, 2, 3, 4, 5]), leaf(5, [3], [0, 2, 1], 'int64'), parameter, forward('log_softmax', [4], 6, [3, 3], Array(9).fill(-1)), forward('nll_loss', [6, 5], 10, [], [1])];
  const without = plane(events);
  assert.equal(without, null, 'the input does not lead to the prediction');
  events[3] = forward('mm', [1, 4], 6, [3, 3], Array(9).fill(-1));
  assert.equal(plane(events)?.classes, 3);
});

test('data made in the program is taken where it meets a parameter, powers of it are not', () => {
  const plain = (op, inputs, tensor, shape, data) => { const event = forward(op, inputs, tensor, shape, data); event.outputs[0].requires_grad = false; return event; };
  const events = [
    leaf(1, [3], [9, 9, 9]), plain('mul', [1], 2, [3], [1, 2, 3]), plain('pow', [2], 3, [3], [1, 8, 27]), leaf(5, [3], [2, 4, 7]), parameter,
    forward('mul', [3, 4], 6, [3], [2, 16, 54]), forward('mul', [2, 4], 7, [3], [2, 4, 6]), forward('add', [6, 7], 8, [3], [4, 20, 60]), forward('sub', [8, 5], 10, [3], [0, 0, 0]),
  ];
  assert.deepEqual(curve(events)?.x, [1, 2, 3]);
});
