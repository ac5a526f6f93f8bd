/**
 * Numbers of a tensor wherever one looks. Those that travelled with the trace are at hand; of a tensor too large for it
 * the blocks that are looked at are fetched, one after the other, and kept as long as its array is. Draws nothing.
 *
 * @import {Arr} from '../types.js'
 * @typedef {(slice: string, signal: AbortSignal) => Promise<Arr | null>} Load  slice as NumPy writes it
 */
import { signal } from '@preact/signals';
import { decode, flat } from '../model/arrays.js';

const MOST = 65_536; // values of one block: as many as the service gives at a time
const WIDE = 512; // columns of a block
const REST = 120; // ms: scrolling past asks for nothing

/** @type {WeakMap<Arr, Blocks>} */
const known = new WeakMap();

/** @param {Arr} array @param {Load} load @returns {Blocks} */
export function blocks(array, load) {
  let found = known.get(array);
  if (!found) known.set(array, (found = new Blocks(array, load)));
  return found;
}

export class Blocks {
  /** Grows when numbers arrive. */
  version = signal(0);
  loading = signal(false);
  /** Why the cells looked at cannot be had. */
  problem = signal(/** @type {Error | null} */ (null));
  /** @type {Map<string, ArrayLike<number>>} first cell of a block -> its values */ #held = new Map();
  /** @type {string[]} slices looked at that are not here */ #wanted = [];
  /** @type {AbortController | null} */ #control = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #rest;

  /** @param {Arr} array @param {Load} load */
  constructor(array, load) {
    this.load = load;
    const { shape, whole, values } = decode(array);
    this.shape = shape;
    this.whole = whole;
    this.values = values;
    this.width = Math.min(shape[shape.length - 1] ?? 1, shape.length > 1 ? WIDE : MOST);
    this.height = shape.length > 1 ? Math.max(1, Math.floor(MOST / this.width)) : 1;
  }

  /** @param {readonly number[]} index @returns {number | undefined}  undefined while it is not here */
  at(index) {
    if (this.whole) return this.values[flat(this.shape, index)];
    const start = this.#start(index);
    const [rows, cols] = [this.shape[this.shape.length - 2] ?? 1, this.shape[this.shape.length - 1]];
    const [r, c] = this.shape.length > 1 ? index.slice(-2) : [0, index[0]];
    const [r0, c0] = this.shape.length > 1 ? start.slice(-2) : [0, start[0]];
    const width = Math.min(this.width, cols - c0);
    return r < rows ? this.#held.get(start.join())?.[(r - r0) * width + (c - c0)] : undefined;
  }

  /** The cells between two corners are looked at. @param {readonly number[]} first @param {readonly number[]} last */
  look(first, last) {
    if (this.whole) return;
    clearTimeout(this.#rest);
    this.#wanted = this.#slices(this.#start(first), last);
    if (this.#wanted.length) this.#rest = setTimeout(() => void this.#fetch(), REST);
    else this.loading.value = false;
  }

  again() {
    this.problem.value = null;
    void this.#fetch();
  }

  async #fetch() {
    if (this.#control || this.problem.peek()) return;
    const control = (this.#control = new AbortController());
    this.loading.value = true;
    try {
      for (let slice = this.#wanted[0]; slice; slice = this.#wanted[0]) {
        const array = await this.load(slice, control.signal);
        if (!array) throw new Error('');
        this.#held.set(slice.split(',').map((range) => range.split(':')[0]).join(), decode(array).values);
        this.#wanted = this.#wanted.filter((each) => each !== slice);
        this.version.value += 1;
      }
    } catch (error) {
      this.problem.value = /** @type {Error} */ (error);
    } finally {
      this.#control = null;
      this.loading.value = false;
    }
  }

  /** First cell of the block around a cell. @param {readonly number[]} index */
  #start(index) {
    const last = index.length - 1;
    return index.map((i, axis) => (axis === last ? i - (i % this.width) : axis === last - 1 ? i - (i % this.height) : i));
  }

  /** The blocks between that are not here, as slices. @param {readonly number[]} start @param {readonly number[]} end */
  #slices(start, end) {
    const lead = start.slice(0, -2).map((i) => `${i}:${i + 1}`);
    const [r0, c0] = start.length > 1 ? start.slice(-2) : [0, start[0]];
    const [r1, c1] = end.length > 1 ? end.slice(-2) : [0, end[0]];
    const [rows, cols] = this.shape.length > 1 ? this.shape.slice(-2) : [1, this.shape[0]];
    const found = [];
    for (let r = r0; r <= r1; r += this.height) {
      for (let c = c0; c <= c1; c += this.width) {
        if (this.#held.has([...start.slice(0, -2), ...(start.length > 1 ? [r] : []), c].join())) continue;
        const across = `${c}:${Math.min(cols, c + this.width)}`;
        found.push([...lead, ...(start.length > 1 ? [`${r}:${Math.min(rows, r + this.height)}`] : []), across].join());
      }
    }
    return found;
  }
}
