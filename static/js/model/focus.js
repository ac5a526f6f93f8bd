/**
 * Which cells belong together at an event: the cell of a target, the cells it was made from, the addends of its gradient.
 * From shapes and the trace's arrays; for elementwise ops with broadcasting, and whole tensors for the others.
 *
 * @import {Arr, Broadcast} from '../types.js'
 * @import {Card, Edge, Graph} from './graph.js'
 * @import {Op, Sent, State} from './reduce.js'
 * @typedef {{rows?: [number, number], cols?: [number, number]}} Mark
 */
import { count, decode, flat, unflat } from './arrays.js';

/** Ranges per axis of the stretched shape that read the cell `index` of the small one. @param {readonly number[]} index @param {readonly number[]} source @param {readonly number[]} target @returns {[number, number][]} */
export function stretched(index, source, target) {
  const skip = target.length - source.length;
  return target.map((size, axis) => {
    const own = axis - skip;
    return own < 0 || (source[own] === 1 && size > 1) ? [0, size - 1] : [index[own], index[own]];
  });
}

/** The same cells, seen in an operand that may itself have been stretched. @param {readonly [number, number][]} ranges @param {readonly number[]} shape @returns {[number, number][]} */
export function narrowed(ranges, shape) {
  const skip = ranges.length - shape.length;
  return shape.map((size, axis) => (size === 1 ? [0, 0] : ranges[axis + skip]));
}

/** Ranges per axis as rows and columns of the drawn table. @param {readonly [number, number][]} ranges @param {readonly number[]} shape @returns {Mark} */
export function mark(ranges, shape) {
  if (!shape.length) return {};
  const last = ranges[ranges.length - 1];
  const lead = ranges.slice(0, -1);
  const from = lead.reduce((at, [low], axis) => at * shape[axis] + low, 0);
  const to = lead.reduce((at, [, high], axis) => at * shape[axis] + high, 0);
  return { rows: [from, to], cols: last };
}

/** All positions inside the ranges, row-major. @param {readonly [number, number][]} ranges @param {readonly number[]} shape @returns {number[]} */
export function positions(ranges, shape) {
  let found = [0];
  ranges.forEach(([low, high], axis) => {
    const next = [];
    for (const at of found) for (let i = low; i <= high; i++) next.push(at * shape[axis] + i);
    found = next;
  });
  return found;
}

/**
 * One contribution seen at one cell of its target.
 * @param {Sent} sent @param {readonly number[]} index  of the cell in the target
 * @returns {{addends: number[], upstream: number[], local: number[], ranges: [number, number][], total: number} | null}  null when the numbers did not travel
 */
export function addends(sent, index, /** @type {Arr | null} */ upstream) {
  const product = decode(sent.product ?? sent.result);
  const result = decode(sent.result);
  if (!product.whole || !result.whole) return null;
  const ranges = stretched(index, result.shape, product.shape);
  const at = positions(ranges, product.shape);
  const pick = (/** @type {Arr | null} */ array) => {
    if (!array) return [];
    const { values, whole, shape } = decode(array);
    return whole && count(shape) === count(product.shape) ? at.map((i) => values[i]) : [];
  };
  return { addends: at.map((i) => product.values[i]), upstream: pick(upstream), local: pick(sent.local), ranges, total: result.values[flat(result.shape, index)] };
}

/** Index `1.0` of a drawn cell as an index of the tensor. @param {string} text @param {readonly number[]} shape @returns {number[]} */
export function indexOf(text, shape) {
  const [row, col] = text.split('.').map(Number);
  if (!shape.length) return [];
  const cols = shape[shape.length - 1];
  return unflat(shape, Math.min(count(shape) - 1, (row || 0) * cols + (col || 0)));
}
