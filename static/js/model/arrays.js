/**
 * Reads the trace's arrays: plain numbers, base64, or a preview with statistics. Knows no drawing.
 *
 * @import {Arr, Num} from '../types.js'
 * @typedef {{shape: number[], dtype: string, values: ArrayLike<number>, count: number, whole: boolean}} Values
 */

const READERS = {
  float64: Float64Array, float32: Float32Array, int64: BigInt64Array, int32: Int32Array, int16: Int16Array,
  int8: Int8Array, uint8: Uint8Array, bool: Uint8Array,
};

/** @type {WeakMap<Arr, Values>} */
const decoded = new WeakMap();

/** @param {Num} value  NaN and infinities travel as words, booleans as true and false */
export const number = (value) => (typeof value === 'string' ? Number(value) : +value);

/** @param {readonly number[]} shape */
export const count = (shape) => shape.reduce((product, size) => product * size, 1);

/** @param {Arr} array @returns {Values} `values` are the first ones only when `whole` is false */
export function decode(array) {
  let values = decoded.get(array);
  if (!values) decoded.set(array, (values = read(array)));
  return values;
}

/** @param {Arr} array @returns {Values} */
function read(array) {
  const { shape, dtype } = array;
  const size = count(shape);
  if (array.data) return { shape, dtype, values: array.data.map(number), count: size, whole: true };
  if (array.b64) return { shape, dtype, values: bytes(array.b64, dtype), count: size, whole: true };
  return { shape, dtype, values: (array.preview ?? []).map(number), count: size, whole: size === 0 };
}

/** @param {string} b64 @param {string} dtype @returns {ArrayLike<number>} */
function bytes(b64, dtype) {
  const text = atob(b64);
  const raw = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) raw[i] = text.charCodeAt(i);
  if (dtype === 'float16' || dtype === 'bfloat16') return halves(raw.buffer, dtype === 'bfloat16');
  const Reader = READERS[/** @type {keyof typeof READERS} */ (dtype)] ?? Float32Array;
  const values = new Reader(raw.buffer);
  return values instanceof BigInt64Array ? Array.from(values, Number) : values;
}

/** @param {ArrayBuffer} buffer @param {boolean} brain  bfloat16 is the upper half of a float32 */
function halves(buffer, brain) {
  return Array.from(new Uint16Array(buffer), (bits) => {
    if (brain) return new Float32Array(new Uint32Array([bits << 16]).buffer)[0];
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  });
}

/** The one number of a one-element array, NaN otherwise. @param {Arr | null | undefined} array */
export function scalar(array) {
  if (!array) return NaN;
  const { values, count: size } = decode(array);
  return size === 1 ? values[0] : NaN;
}

/** Euclidean norm, also when only statistics travelled; NaN without a value. @param {Arr | null | undefined} array */
export function norm(array) {
  if (!array) return NaN;
  if (array.stats) return array.stats.nan || array.stats.inf ? NaN : number(array.stats.norm);
  const { values } = decode(array);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum);
}

/** Largest finite magnitude, also when only statistics travelled. @param {Arr | null | undefined} array */
export function magnitude(array) {
  if (!array) return 0;
  if (array.stats) return Math.max(Math.abs(number(array.stats.min)), Math.abs(number(array.stats.max))) || 0;
  const { values } = decode(array);
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (size > most && size !== Infinity) most = size;
  }
  return most;
}

/** Row-major position of an index. @param {readonly number[]} shape @param {readonly number[]} index */
export const flat = (shape, index) => shape.reduce((at, size, axis) => at * size + index[axis], 0);

/** Index of a row-major position. @param {readonly number[]} shape @param {number} position @returns {number[]} */
export function unflat(shape, position) {
  const index = Array(shape.length).fill(0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = position % shape[axis];
    position = Math.floor(position / shape[axis]);
  }
  return index;
}

/**
 * Where a cell of the stretched shape comes from in the small one.
 * @param {readonly number[]} index @param {readonly number[]} source
 */
export function unbroadcast(index, source) {
  const skip = index.length - source.length;
  return source.map((size, axis) => (size === 1 ? 0 : index[axis + skip]));
}
