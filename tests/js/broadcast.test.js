import assert from 'node:assert/strict';
import test from 'node:test';
import { align, fixes } from '../../static/js/model/broadcast.js';

test('shapes are aligned at the right, a missing axis is new', () => {
  const { axes, result } = align([[4, 3], [3]]);
  assert.deepEqual(result, [4, 3]);
  assert.deepEqual(axes.map((axis) => axis.rule), ['new', 'equal']);
  assert.deepEqual(axes[0].stretched, [1]);
});

test('ones are stretched, on both sides at once', () => {
  const { axes, result } = align([[3], [3, 1]]);
  assert.deepEqual(result, [3, 3]);
  assert.deepEqual(axes.map((axis) => axis.stretched), [[0], [1]]);
});

test('a clash names the rightmost failing axis, as torch does', () => {
  assert.equal(align([[3], [4]]).clash, 0);
  assert.equal(align([[2, 3], [4, 5]]).clash, 1);
  assert.equal(align([[3], [4]]).result, null);
});

test('an empty axis stretches nothing but ones', () => assert.deepEqual(align([[0, 3], [1, 3]]).result, [0, 3]));

test('the ways out give the shapes that torch gives', () => {
  const found = fixes([3], [4]);
  assert.deepEqual(found.map(({ call, which, result }) => [call, which, result]), [['unsqueeze(1)', 0, [3, 4]], ['unsqueeze(1)', 1, [4, 3]]]);
  assert.ok(fixes([2, 3], [3, 2]).some((fix) => fix.call === 'T'));
});
