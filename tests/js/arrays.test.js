import assert from 'node:assert/strict';
import test from 'node:test';
import { decode, flat, magnitude, number, scalar, unbroadcast, unflat } from '../../static/js/model/arrays.js';

test('NaN and infinities travel as words', () => {
  assert.deepEqual([...decode({ shape: [3], dtype: 'float32', data: ['NaN', 'Infinity', '-Infinity'] }).values], [NaN, Infinity, -Infinity]);
  assert.equal(number(true), 1);
});

test('base64 is little-endian in the tensor’s type', () => {
  const b64 = Buffer.from(new Float32Array([1.5, -2, 0.1]).buffer).toString('base64');
  const { values, whole } = decode({ shape: [3], dtype: 'float32', b64 });
  assert.deepEqual([...Array.from(values)], [1.5, -2, Math.fround(0.1)]);
  assert.ok(whole);
});

test('int64 becomes plain numbers', () => {
  const b64 = Buffer.from(new BigInt64Array([3n, -7n]).buffer).toString('base64');
  assert.deepEqual(Array.from(decode({ shape: [2], dtype: 'int64', b64 }).values), [3, -7]);
});

test('float16 is decoded, subnormals and infinity included', () => {
  const b64 = Buffer.from(new Uint16Array([0x3c00, 0xc000, 0x0001, 0x7c00]).buffer).toString('base64');
  assert.deepEqual(Array.from(decode({ shape: [4], dtype: 'float16', b64 }).values), [1, -2, 2 ** -24, Infinity]);
});

test('bfloat16 is the upper half of a float32', () => {
  const b64 = Buffer.from(new Uint16Array([0x3f80, 0xc040]).buffer).toString('base64');
  assert.deepEqual(Array.from(decode({ shape: [2], dtype: 'bfloat16', b64 }).values), [1, -3]);
});

test('a preview is not the whole, and its statistics give the magnitude', () => {
  const array = { shape: [100000], dtype: 'float32', preview: [1], stats: { min: -9, max: 4, mean: 0, std: 1, norm: 1 } };
  assert.equal(decode(array).whole, false);
  assert.equal(magnitude(array), 9);
});

test('magnitude leaves out what is not finite', () => {
  assert.equal(magnitude({ shape: [3], dtype: 'float32', data: ['Infinity', -4, 'NaN'] }), 4);
});

test('a scalar is the one value, else NaN', () => {
  assert.equal(scalar({ shape: [], dtype: 'float32', data: [2] }), 2);
  assert.ok(Number.isNaN(scalar({ shape: [2], dtype: 'float32', data: [1, 2] })));
});

test('positions and indices are inverse to each other', () => {
  for (let position = 0; position < 24; position++) assert.equal(flat([2, 3, 4], unflat([2, 3, 4], position)), position);
});

test('a stretched cell comes from the cell that numpy repeats', () => {
  assert.deepEqual(unbroadcast([3, 2], [3]), [2]);
  assert.deepEqual(unbroadcast([3, 2], [4, 1]), [3, 0]);
  assert.deepEqual(unbroadcast([3, 2], []), []);
});
