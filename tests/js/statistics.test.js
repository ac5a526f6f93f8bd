import assert from 'node:assert/strict';
import test from 'node:test';
import { histogram, summary } from '../../static/js/model/statistics.js';

const array = (...data) => ({ shape: [data.length], dtype: 'float32', data });

test('statistics leave out what is not finite and count it', () => {
  const { min, max, mean, std, norm, zeros, nan, inf } = summary(array(0, 3, 4, 'NaN', 'Infinity'));
  assert.deepEqual([min, max, norm, zeros, nan, inf], [0, 4, 5, 1, 1, 1]);
  assert.ok(Math.abs(mean - 7 / 3) < 1e-12 && Math.abs(std - Math.sqrt(13 / 3)) < 1e-12);
});

test('the trace’s own statistics win where only a part travelled', () => {
  assert.equal(summary({ shape: [9999], dtype: 'float32', preview: [1], stats: { min: -2, max: 7, mean: 0, std: 1, norm: 10 } }).max, 7);
});

test('a histogram counts every finite value once', () => {
  const { bins, from, to } = histogram(array(1, 2, 2, 3, 'NaN'));
  assert.equal(bins.reduce((a, b) => a + b), 4);
  assert.deepEqual([from, to], [1, 3]);
});
