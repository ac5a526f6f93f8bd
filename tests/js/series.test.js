import assert from 'node:assert/strict';
import test from 'node:test';
import { Series } from '../../static/js/model/series.js';

const filled = (...values) => {
  const series = new Series('w');
  values.forEach((value) => series.push(value));
  return series.values;
};

test('steps that do not tell lie on the line between those that do', () => {
  assert.deepEqual(filled(1, undefined, undefined, 4), [1, 2, 3, 4]);
});

test('after the last told step its number stays', () => {
  assert.deepEqual(filled(1, 2, undefined, undefined), [1, 2, 2, 2]);
});

test('no number is no zero', () => {
  assert.deepEqual(filled(undefined, 1, NaN, 2), [NaN, 1, NaN, 2]);
});
