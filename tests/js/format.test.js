import assert from 'node:assert/strict';
import test from 'node:test';
import { cell, column, exact, fit, shape, short, signed, subscript } from '../../static/js/model/format.js';

test('shapes read as Python writes them', () => {
  assert.deepEqual([[], [3], [4, 3]].map(shape), ['()', '(3,)', '(4, 3)']);
});

test('a cell has at most five characters', () => {
  for (const value of [0, 1, -1, 0.1234, -0.001, 12.345, -99.96, 123.4, -9999, 123456, -1e-7, 1e30, -1e-30, Infinity, -Infinity, NaN]) {
    assert.ok(cell(value).length <= 6, `${value}: ${cell(value)}`);
  }
  assert.equal(cell(-0.15), '−0.15');
  assert.equal(cell(2), '2.00');
  assert.equal(cell(7, true), '7');
});

test('a number that is not zero is never written as zero', () => {
  for (const value of [1e-9, -1e-30, 0.004]) assert.doesNotMatch(cell(value), /^−?0(\.0+)?$/);
});

test('float32 prints as the shortest text that reads back', () => {
  assert.equal(exact(Math.fround(0.1)), '0.1');
  assert.equal(exact(Math.fround(3.4711075)), '3.4711075');
  assert.equal(exact(0.1 + 0.2, 'float64'), '0.30000000000000004');
});

test('short numbers keep four digits and drop empty ones', () => {
  assert.deepEqual([short(0.000001), short(3.14159265), short(-250), short(1234567.8)], ['1e−6', '3.142', '−250', '1.23e6']);
  assert.equal(signed(0.5), '+0.5');
});

test('what fits is as exact as the room allows', () => {
  assert.equal(fit(Math.fround(6.0226417), 10), '6.0226417');
  assert.ok(fit(Math.fround(-0.012345678), 7).length <= 7);
});

test('a column has one number of decimals', () => {
  const write = column([0.557, -0.231, 0.68]);
  assert.deepEqual([0.557, -0.231, 0.68].map(write), ['0.557', '−0.231', '0.680']);
});

test('subscripts', () => assert.equal(subscript(12), '₁₂'));
