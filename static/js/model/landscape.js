/**
 * Which two numbers of a program its loss is drawn over, where training went, and how far around to look. Pure.
 *
 * @import {Step} from '../types.js'
 * @import {Window} from './trace.js'
 * @typedef {{name: string, of: string, at: number}} Element  one number of a parameter
 * @typedef {{low: number, high: number}} Range
 */
import { decode, unflat } from './arrays.js';
import { subscript } from './format.js';
import { shortest } from './names.js';

const MOST = 48; // elements offered

/** All single numbers among the parameters. @param {readonly Step[]} steps @returns {Element[]} */
export function elements(steps) {
  /** @type {Element[]} */ const found = [];
  const names = shortest(Object.keys(steps[0]?.params ?? {}));
  for (const [of, array] of Object.entries(steps[0]?.params ?? {})) {
    const { count, values, shape } = decode(array);
    for (let at = 0; at < Math.min(count, values.length) && found.length < MOST; at++) {
      found.push({ of, at, name: (names.get(of) ?? of) + (count > 1 ? (shape.length === 1 ? subscript(at) : `[${unflat(shape, at)}]`) : '') });
    }
  }
  return found;
}

/** The pair to begin with: the two that training moved most. @param {readonly Step[]} steps @param {readonly Element[]} list @returns {Element[]} */
export function favourites(steps, list) {
  const moved = list.map((element) => {
    const { low, high } = extent(steps, element);
    return { element, moved: high - low };
  });
  const two = moved.sort((a, b) => b.moved - a.moved).slice(0, 2).map(({ element }) => element);
  return two.sort((a, b) => list.indexOf(a) - list.indexOf(b));
}

/** @param {Step | undefined} step @param {Element} element */
export function valueAt(step, { of, at }) {
  const array = step?.params?.[of];
  return array ? decode(array).values[at] ?? NaN : NaN;
}

/** Its value as the step's forward pass read it. @param {Window | null} window @param {Element} element @returns {{tensor: number, value: number} | null} */
export function reading(window, { of, at }) {
  for (const event of window?.events ?? []) {
    if (event.kind === 'leaf' && event.name === of && event.requires_grad) {
      return { tensor: event.tensor, value: decode(event.value).values[at] };
    }
  }
  return null;
}

/** @param {readonly Step[]} steps @param {Element} element @returns {Range} */
function extent(steps, element) {
  let [low, high] = [Infinity, -Infinity];
  for (const step of steps) {
    const value = valueAt(step, element);
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high };
}

/**
 * How far to look: all of the path and as much again around it, rounded so that the same run asks the same question.
 * @param {readonly Step[]} steps @param {Element} element @param {number} now  the value read in the step @returns {Range}
 */
export function range(steps, element, now) {
  let { low, high } = extent(steps, element);
  if (Number.isFinite(now)) [low, high] = [Math.min(low, now), Math.max(high, now)];
  if (!Number.isFinite(low + high)) return { low: -1, high: 1 };
  const middle = (low + high) / 2;
  const half = Math.max((high - low) * 0.7, Math.abs(middle) * 0.15, 1e-3);
  const unit = 10 ** Math.floor(Math.log10(half)) / 5;
  return { low: tidy(Math.floor((middle - half) / unit) * unit), high: tidy(Math.ceil((middle + half) / unit) * unit) };
}

/** @param {number} value */
const tidy = (value) => Number(value.toPrecision(8));

/** Levels for contours: even in the root of the height above the least, so that the valley has lines too. @param {readonly number[]} values @param {number} [levels] */
export function thresholds(values, levels = 11) {
  const finite = values.filter(Number.isFinite);
  if (!finite.length) return [];
  const sorted = finite.toSorted((a, b) => a - b);
  const low = sorted[0];
  const high = sorted[Math.floor((sorted.length - 1) * 0.96)]; // a cliff in a corner would flatten all else
  return Array.from({ length: levels }, (_, i) => low + (high - low) * ((i + 0.35) / levels) ** 2);
}
