/**
 * How large a card is and where its heat maps sit, from shapes and names alone: values never move anything.
 *
 * @import {Card} from '../model/graph.js'
 * @typedef {{rows: number, cols: number, cw: number, ch: number, w: number, h: number, text: boolean, big: boolean, whole: boolean}} Grid
 *   rows, cols  drawn; fewer than the tensor has when it is not `whole`
 *   text        numbers fit into the cells
 * @typedef {{w: number, h: number, grid: Grid, value: {x: number, y: number}, grad: {x: number, y: number} | null, title: number}} Metrics
 *   title       characters that fit
 */
import { count } from '../model/arrays.js';

const PAD = 11;
const TOP = 45;
const MONO = 7.8; // px, one character of a card's name
const MOST_COLS = 32;
const MOST_ROWS = 24;

/** @param {readonly number[]} shape  any rank as a table: leading axes are folded into the rows @returns {[number, number]} */
export function table(shape) {
  if (shape.length === 0) return [1, 1];
  const cols = shape[shape.length - 1];
  return [cols ? count(shape) / cols : 0, cols];
}

/** @param {readonly number[]} shape @param {number} [room]  width to fill when there is one row @returns {Grid} */
export function grid(shape, room = 94) {
  const [rows, cols] = table(shape);
  if (rows * cols <= 1) return box(1, 1, room - 2, 21, { text: true, big: true, whole: true });
  if (rows === 1 && cols <= 5 && room > 94) return box(1, cols, Math.max(30, Math.floor((room - cols - 1) / cols)), 19, { text: true, big: true, whole: true });
  if (cols <= 8 && rows <= 10) return box(rows, cols, cols === 1 ? 56 : cols === 2 ? 45 : 30, rows === 1 ? 19 : 14, { text: true, big: false, whole: true });
  const [r, c] = [Math.min(rows, MOST_ROWS), Math.min(cols, MOST_COLS)];
  const cw = Math.max(3, Math.min(c <= 6 ? 45 : 14, Math.floor((c <= 13 ? 94 : 125) / c) - 1));
  const ch = r === 1 ? 19 : Math.max(3, Math.min(14, Math.floor(96 / r) - 1));
  return box(r, c, cw, ch, { text: false, big: false, whole: r === rows && c === cols });
}

/** @param {number} rows @param {number} cols @param {number} cw @param {number} ch @param {{text: boolean, big: boolean, whole: boolean}} rest @returns {Grid} */
function box(rows, cols, cw, ch, rest) {
  return { rows, cols, cw, ch, w: cols * (cw + 1) + 1, h: rows * (ch + 1) + 1, ...rest };
}

/** @type {Map<string, Metrics>} */
const known = new Map();

/** @param {Card} card @returns {Metrics} */
export function measure(card) {
  const id = `${card.kind}${card.grads}${card.shape}|${card.label}|${card.expr}|${card.sign}`;
  let metrics = known.get(id);
  if (!metrics) known.set(id, (metrics = work(card)));
  return metrics;
}

/** @param {Card} card @returns {Metrics} */
function work(card) {
  const leaf = card.kind === 'leaf';
  const [rows, cols] = table(card.shape);
  const strip = leaf && card.grads && rows === 1 && cols > 1;
  const cells = grid(card.shape, strip ? 169 : leaf && card.grads ? 81 : 94);
  const beside = card.grads && !strip && cells.w <= 165;
  const inner = beside ? cells.w * 2 + 17 : cells.w;
  const badge = leaf || !card.sign ? 0 : badgeWidth(card.sign) + 8;
  const text = titleLength(card) * MONO + badge + shapeLength(card.shape) * 6.4 + (card.grads ? 40 : 24) + PAD + 2;
  const least = leaf ? (card.grads ? 190 : 116) : card.grads ? 226 : 150;
  const w = Math.max(least, inner + 2 * PAD, Math.min(text, Math.max(300, inner + 2 * PAD)));
  const y = cells.rows * cells.cols === 1 ? TOP + 1 : TOP;
  const left = card.grads ? PAD : (w - cells.w) / 2;
  const grad = !card.grads ? null : beside ? { x: PAD + cells.w + 17, y } : { x: PAD, y: y + cells.h + 18 };
  const bottom = grad ? grad.y + cells.h : y + cells.h;
  const title = Math.floor((w - badge - PAD - shapeLength(card.shape) * 6.4 - (card.grads ? 40 : 24)) / MONO);
  return { w: Math.ceil(w), h: Math.ceil(bottom + 9), grid: cells, value: { x: left, y }, grad, title };
}

/** @param {Card} card */
const titleLength = (card) => (card.expr ? card.label.length + 3 + card.expr.length : card.label.length);

/** @param {readonly number[]} shape */
const shapeLength = (shape) => shape.join(', ').length + 2 + (shape.length === 1 ? 1 : 0);

/** The round badge grows into a pill for words. @param {string} sign */
export const badgeWidth = (sign) => (sign.length <= 2 ? 19 : sign.length * 6.5 + 14);
