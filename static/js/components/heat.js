/**
 * A tensor as a heat map in SVG: sign and size by colour, and as numbers where they fit. Draws from its arguments.
 *
 * @import {Arr} from '../types.js'
 * @import {Grid} from '../layout/metrics.js'
 */
import { decode, number } from '../model/arrays.js';
import { cell, fit, short } from '../model/format.js';
import { table } from '../layout/metrics.js';
import { html } from './html.js';

const LEVELS = 12;

/** Colour class of a value. The root spreads small values apart: they are what backprop is about. @param {number} value @param {number} most */
export function level(value, most) {
  if (Number.isNaN(value)) return 'hnan';
  if (value === 0 || !most) return 'h0';
  const n = Math.max(1, Math.min(LEVELS, Math.round(LEVELS * Math.sqrt(Math.min(1, Math.abs(value) / most)))));
  return value < 0 ? `hm${n}` : `h${n}`;
}

/**
 * Rows and columns of the tensor that a drawn cell stands for; a block of them when the map is smaller than the tensor.
 * @param {Grid} grid @param {number[]} shape @param {number} row @param {number} col @returns {[number, number, number, number]} from row, to row, from column, to column
 */
export function block(grid, shape, row, col) {
  const [rows, cols] = table(shape);
  const at = (/** @type {number} */ i, /** @type {number} */ drawn, /** @type {number} */ all) => Math.floor((i * all) / drawn);
  return [at(row, grid.rows, rows), at(row + 1, grid.rows, rows), at(col, grid.cols, cols), at(col + 1, grid.cols, cols)];
}

/** Cells are addressed by their place in the tensor's table. @param {'v' | 'g'} kind @param {[number, number, number, number]} block */
const address = (kind, [row, , col]) => `${kind}${row}.${col}`;

/** The block's value of largest magnitude: an average would hide the cell that explodes. @param {ArrayLike<number>} values @param {number} cols @param {[number, number, number, number]} block @returns {number} */
function strongest(values, cols, [r0, r1, c0, c1]) {
  let best = NaN;
  for (let r = r0; r < r1; r++) {
    for (let c = c0; c < c1; c++) {
      const value = values[r * cols + c];
      if (value === undefined) continue;
      if (Number.isNaN(value)) return NaN;
      if (Number.isNaN(best) || Math.abs(value) > Math.abs(best)) best = value;
    }
  }
  return best;
}

/** @typedef {{rows?: [number, number], cols?: [number, number]}} Mark  part of the tensor's table to outline, bounds included */

/**
 * @param {{array: Arr, grid: Grid, x: number, y: number, most: number, mark?: Mark | null, pick?: string, kind: 'v' | 'g'}} props
 *   most  magnitude of the strongest colour
 *   kind  which map of the card, for the cells' addresses
 */
export function Heat({ array, grid, x, y, most, mark, kind }) {
  const { values, shape, count, dtype, whole: here } = decode(array);
  if (!here && array.stats) return html`<${Vast} stats=${array.stats} grid=${grid} x=${x} y=${y} />`;
  const whole = !/float/.test(dtype);
  if (!count) return html`<text class="lab" x=${x} y=${y + 14}>[ ]</text>`;
  const [, cols] = table(shape);
  const cells = [];
  const room = Math.max(5, Math.floor(grid.cw / (grid.big ? 7.4 : 6.2)));
  for (let r = 0; r < grid.rows; r++) {
    for (let c = 0; c < grid.cols; c++) {
      const value = grid.whole ? values[r * cols + c] ?? NaN : strongest(values, cols, block(grid, shape, r, c));
      const [cx, cy] = [0.5 + c * (grid.cw + 1), 0.5 + r * (grid.ch + 1)];
      const known = grid.whole ? r * cols + c < values.length : !Number.isNaN(value) || block(grid, shape, r, c)[0] * cols < values.length;
      cells.push(html`<rect x=${cx} y=${cy} width=${grid.cw} height=${grid.ch} rx=${grid.cw > 8 ? 2 : 1} class=${known ? level(value, most) : 'hnone'} data-cell=${address(kind, block(grid, shape, r, c))} />`);
      if (grid.text) cells.push(html`<text x=${cx + grid.cw / 2} y=${cy + grid.ch / 2 + (grid.big ? 4.2 : 3.4)} class=${grid.big ? 'num big' : 'num'}>${grid.big || grid.cw > 40 ? fit(value, room) : cell(value, whole)}</text>`);
    }
  }
  return html`<g class="heat" transform=${`translate(${x},${y})`}>
    <rect x="-.5" y="-.5" width=${grid.w} height=${grid.h} rx="3.5" class="heatbg" />${cells}${mark ? outline(grid, shape, mark) : null}</g>`;
}

/** The drawn cells that show the marked part; all of them need no outline. @param {Grid} grid @param {number[]} shape @param {Mark} mark */
function outline(grid, shape, mark) {
  const [height, width] = table(shape);
  const drawn = (/** @type {number} */ at, /** @type {number} */ cells, /** @type {number} */ all) => (cells === all ? at : Math.floor((at * cells) / all));
  const rows = (mark.rows ?? [0, height - 1]).map((at) => drawn(at, grid.rows, height));
  const cols = (mark.cols ?? [0, width - 1]).map((at) => drawn(at, grid.cols, width));
  if (rows[1] - rows[0] + 1 >= grid.rows && cols[1] - cols[0] + 1 >= grid.cols && grid.rows * grid.cols > 1) return null;
  const [w, h] = [grid.cw + 1, grid.ch + 1];
  return html`<rect class="pick" rx="3.5" x=${cols[0] * w - 0.75} y=${rows[0] * h - 0.75} width=${(cols[1] - cols[0] + 1) * w + 0.5} height=${(rows[1] - rows[0] + 1) * h + 0.5} />`;
}

/** Too large to travel: what is known of all its numbers, never a colour for those that are not here. @param {{stats: import('../types.js').Stats, grid: Grid, x: number, y: number}} props */
function Vast({ stats, grid, x, y }) {
  const { min, max, mean, std, nan, inf } = stats;
  const lost = (nan ?? 0) + (inf ?? 0);
  const lines = [`${short(number(min), 3)} … ${short(number(max), 3)}`, `μ ${short(number(mean), 3)}`, `σ ${short(number(std), 3)}`, ...(lost ? [`nan, inf: ${lost}`] : [])];
  const middle = grid.h / 2 - (lines.length - 1) * 7;
  return html`<g class="heat" transform=${`translate(${x},${y})`}><rect x="-.5" y="-.5" width=${grid.w} height=${grid.h} rx="3.5" class="heatbg" />
    ${lines.map((line, i) => html`<text x=${grid.w / 2} y=${middle + 14 * i + 3.5} class=${i === 3 ? 'num refused' : 'num'}>${line}</text>`)}</g>`;
}

/** No gradient: said, never drawn as zero. @param {{grid: Grid, x: number, y: number, text: string}} props */
export const Nothing = ({ grid, x, y, text }) => html`<g class="nothing" transform=${`translate(${x},${y})`}>
  <rect x="-.5" y="-.5" width=${grid.w} height=${grid.h} rx="3.5" class="heatbg hatch" />
  <text x=${grid.w / 2 - 0.5} y=${grid.h / 2 + 3.2} class="none">${text}</text></g>`;
