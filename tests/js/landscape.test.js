import assert from 'node:assert/strict';
import test from 'node:test';
import { elements, favourites, range, reading, thresholds } from '../../static/js/model/landscape.js';
import { ticks } from '../../static/js/components/plane.js';

const array = (...data) => ({ shape: [data.length], dtype: 'float32', data });
const steps = [0, 1, 2].map((index) => ({ kind: 'step', index, params: { w: array(1 + index, 5, 0.5 * index), b: { shape: [], dtype: 'float32', data: [3] } } }));

test('every single number of every parameter can be an axis', () => {
  assert.deepEqual(elements(steps).map((each) => `${each.of}.${each.at}`), ['w.0', 'w.1', 'w.2', 'b.0']);
});

test('the axes to begin with are the two that training moved most, in the order of the program', () => {
  assert.deepEqual(favourites(steps, elements(steps)).map((each) => `${each.of}.${each.at}`), ['w.0', 'w.2']);
});

test('the range holds the whole path and the present value with room around them', () => {
  const [w0] = elements(steps);
  const { low, high } = range(steps, w0, 4);
  assert.ok(low < 1 && high > 4, `${low} ${high}`);
  assert.deepEqual(range(steps, w0, 4), range(steps, w0, 3.9999), 'a little later it asks the same question');
});

test('a parameter that never moves has a range around it', () => {
  const { low, high } = range(steps, { of: 'b', at: 0, name: 'b' }, 3);
  assert.ok(low < 3 && high > 3);
});

test('the value read in the step is the leaf’s, before the update', () => {
  const events = [{ kind: 'leaf', seq: 0, tensor: 4, name: 'w', requires_grad: true, value: array(7, 8, 9) }];
  assert.deepEqual(reading({ index: 0, events, closed: true }, { of: 'w', at: 1, name: 'w₁' }), { tensor: 4, value: 8 });
  assert.equal(reading(null, { of: 'w', at: 1, name: 'w₁' }), null);
});

test('levels lie denser in the valley and ignore what is not finite', () => {
  const levels = thresholds([0, 1, 4, 9, 16, 25, NaN, Infinity], 5);
  assert.equal(levels.length, 5);
  const gaps = levels.slice(1).map((level, i) => level - levels[i]);
  assert.ok(gaps.every((gap, i) => i === 0 || gap > gaps[i - 1]));
  assert.deepEqual(thresholds([NaN]), []);
});

test('ticks are round and lie within', () => {
  assert.deepEqual(ticks({ low: -1.2, high: 1.7 }), [-1, 0, 1]);
  assert.deepEqual(ticks({ low: 0.13, high: 0.31 }), [0.15, 0.2, 0.25, 0.3]);
});
