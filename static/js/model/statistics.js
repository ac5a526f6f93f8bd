/** What can be said of many numbers at once. */

/** @import {Arr} from '../types.js' */
import { decode, number } from './arrays.js';

const BINS = 24;

/** @typedef {{min: number, max: number, mean: number, std: number, norm: number, zeros: number, nan: number, inf: number, count: number}} Summary */

/** The trace's own statistics where only a part travelled, else counted here. @param {Arr} array @returns {Summary} */
export function summary(array) {
  const { values, count } = decode(array);
  if (array.stats) {
    const { min, max, mean, std, norm, zeros = 0, nan = 0, inf = 0 } = array.stats;
    return { min: number(min), max: number(max), mean: number(mean), std: number(std), norm: number(norm), zeros, nan, inf, count };
  }
  let [min, max, sum, squares, zeros, nan, inf, n] = [Infinity, -Infinity, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) inf++;
    else {
      if (value < min) min = value;
      if (value > max) max = value;
      if (value === 0) zeros++;
      sum += value;
      squares += value * value;
      n++;
    }
  }
  const mean = n ? sum / n : NaN;
  let spread = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) spread += (values[i] - mean) ** 2;
  return { min: n ? min : NaN, max: n ? max : NaN, mean, std: n > 1 ? Math.sqrt(spread / (n - 1)) : NaN, norm: Math.sqrt(squares), zeros, nan, inf, count };
}

/** Counts in bins of equal width between the least and the greatest. @param {Arr} array @returns {{bins: number[], from: number, to: number}} */
export function histogram(array) {
  const { values, whole } = decode(array);
  let [from, to] = [Infinity, -Infinity];
  if (!whole) return { bins: [], from, to }; // a few first values say nothing of the others
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    from = Math.min(from, values[i]);
    to = Math.max(to, values[i]);
  }
  const bins = Array(BINS).fill(0);
  if (!(to > from)) return { bins: Number.isFinite(from) ? [values.length] : [], from, to };
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) bins[Math.min(BINS - 1, Math.floor(((values[i] - from) / (to - from)) * BINS))]++;
  return { bins, from, to };
}
