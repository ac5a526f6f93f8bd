/**
 * A tensor as a table with headers that stay in sight. Of a large one only the cells in sight are in the page, and those
 * that did not travel with the trace are asked for as they come into sight. Draws from its arguments.
 *
 * @import {Blocks} from '../store/blocks.js'
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { cell, exact } from '../model/format.js';
import { level } from './heat.js';
import { html } from './html.js';

const ROWS = 40; // as many are in the page whole
const COLS = 24;
const LINE = 10; // numbers in a row of a long vector
const CELL = { w: 55, h: 20, head: 44, top: 18 }; // px, the gap included; as `.matrix .vast` in panels.css
const MORE = 4; // rows and columns beyond the edge, so that scrolling does not show it
const HIGHEST = 8_000_000; // px: browsers draw no higher box

/**
 * @param {{numbers: Blocks, dtype: string, most: number, label: string, chosen: number[] | null, slice: string, onPick: (index: number[]) => void}} props
 *   chosen  index of the cell to outline;  slice  what to call the leading axes
 */
export function Matrix({ numbers, dtype, most, label, chosen, slice, onPick }) {
  void numbers.version.value;
  const { shape } = numbers;
  const whole = !/float/.test(dtype);
  const lead = shape.slice(0, -2);
  const at = useSignal(/** @type {number[]} */ ([]));
  const leading = lead.map((size, axis) => Math.min(chosen && at.value[axis] === undefined ? chosen[axis] ?? 0 : at.value[axis] ?? 0, size - 1));
  const folded = shape.length === 1 && shape[0] > COLS;
  const [rows, cols] = shape.length === 0 ? [1, 1] : folded ? [Math.ceil(shape[0] / LINE), LINE] : shape.length === 1 ? [1, shape[0]] : shape.slice(-2);
  const index = (/** @type {number} */ r, /** @type {number} */ c) => (shape.length === 0 ? [] : folded ? [r * LINE + c] : shape.length === 1 ? [c] : [...leading, r, c]);
  const place = chosen && chosen.length === shape.length && leading.every((i, axis) => i === chosen[axis]) ? (folded ? [Math.floor(chosen[0] / LINE), chosen[0] % LINE] : shape.length === 1 ? [0, chosen[0]] : chosen.slice(-2)) : null;
  const draw = (/** @type {number} */ r, /** @type {number} */ c) => {
    const where = index(r, c);
    if (folded && where[0] >= shape[0]) return html`<td class="none"></td>`;
    const value = numbers.at(where);
    if (value === undefined) return html`<td class="missing">·</td>`;
    const picked = chosen && chosen.length === where.length && chosen.every((i, axis) => i === where[axis]);
    return html`<td class=${`${level(value, most)} ${picked ? 'picked' : ''}`} title=${`[${where}] = ${exact(value, dtype)}`} onClick=${() => onPick(where)}>${shape.length ? cell(value, whole) : exact(value, dtype)}</td>`;
  };
  const side = (/** @type {number} */ r) => (folded ? r * LINE : shape.length > 1 ? r : '');
  const given = { rows, cols, index, draw, side, label, bare: !shape.length, numbers, place, key: leading.join() };
  return html`<div class="matrix">
    ${lead.length ? html`<div class="slices">${slice}${lead.map((size, axis) => html`<label>[<input type="number" min="0" max=${size - 1} value=${leading[axis]} aria-label=${`${slice} ${axis}`} onInput=${(/** @type {any} */ event) => (at.value = leading.map((old, i) => (i === axis ? Math.max(0, Math.min(size - 1, Number(event.target.value) || 0)) : old)))} />]</label>`)}<span class="mut">/ ${lead.join(' × ')}</span></div>` : null}
    ${rows > ROWS || cols > COLS ? html`<${Sheet} ...${given} />` : html`<${Table} ...${given} />`}</div>`;
}

/** @typedef {{rows: number, cols: number, index: (r: number, c: number) => number[], draw: (r: number, c: number) => any, side: (r: number) => number | string, label: string, bare: boolean, numbers: Blocks, place: number[] | null, key: string}} Given */

/** All of it. @param {Given} props */
function Table({ rows, cols, index, draw, side, label, bare, numbers }) {
  const last = index(rows - 1, cols - 1);
  useEffect(() => numbers.look(index(0, 0), last), [numbers, last.join()]);
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${label}><table aria-label=${label}>${bare ? null : html`<thead><tr><td></td>${range(0, cols).map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>`}
    <tbody>${range(0, rows).map((r) => html`<tr>${bare ? null : html`<th scope="row">${side(r)}</th>`}${range(0, cols).map((c) => draw(r, c))}</tr>`)}</tbody></table></div>`;
}

/** What is in sight of it. @param {Given} props */
function Sheet({ rows, cols, index, draw, side, label, numbers, place, key }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const corner = useSignal([0, 0]);
  const room = useSignal([260, 300]);
  const scale = Math.max(1, (rows * CELL.h) / HIGHEST); // beyond, a pixel of scrolling is more than a pixel
  const [r0, c0] = corner.value;
  const [r1, c1] = [Math.min(rows, r0 + Math.ceil(room.value[0] / CELL.h) + MORE), Math.min(cols, c0 + Math.ceil(room.value[1] / CELL.w) + MORE)];
  const scrolled = () => {
    const area = box.current;
    if (!area) return;
    const next = [Math.max(0, Math.min(rows - 1, Math.floor((area.scrollTop * scale) / CELL.h) - 1)), Math.max(0, Math.min(cols - 1, Math.floor(area.scrollLeft / CELL.w) - 1))];
    if (next.join() !== corner.value.join()) corner.value = next;
    const size = [area.clientHeight || 260, area.clientWidth || 300];
    if (size.join() !== room.value.join()) room.value = size;
  };
  useEffect(scrolled, [rows, cols]);
  const first = index(r0, c0);
  const last = index(r1 - 1, c1 - 1).map((i, axis) => Math.min(i, numbers.shape[axis] - 1));
  useEffect(() => numbers.look(first, last), [numbers, first.join(), last.join()]);
  useEffect(() => {
    const area = box.current;
    if (!place || !area) return;
    const [top, left] = [(place[0] * CELL.h) / scale, place[1] * CELL.w];
    if (top < area.scrollTop || top > area.scrollTop + area.clientHeight - 2 * CELL.h) area.scrollTop = Math.max(0, top - area.clientHeight / 2);
    if (left < area.scrollLeft || left > area.scrollLeft + area.clientWidth - CELL.head - CELL.w) area.scrollLeft = Math.max(0, left - area.clientWidth / 2);
  }, [place?.join(), key]);
  return html`<div class="scroll vast" ref=${box} onScroll=${scrolled} tabindex="0" role="region" aria-label=${label}>
    <div style=${{ width: `${CELL.head + cols * CELL.w}px`, height: `${CELL.top + (rows * CELL.h) / scale}px` }}>
      <table aria-label=${label} aria-rowcount=${rows} aria-colcount=${cols} style=${{ top: `${(r0 * CELL.h) / scale}px`, left: `${c0 * CELL.w}px` }}>
        <thead><tr><td></td>${range(c0, c1).map((c) => html`<th scope="col" key=${c}>${c}</th>`)}</tr></thead>
        <tbody>${range(r0, r1).map((r) => html`<tr key=${r} aria-rowindex=${r + 1}><th scope="row">${side(r)}</th>${range(c0, c1).map((c) => draw(r, c))}</tr>`)}</tbody></table></div></div>`;
}

/** @param {number} from @param {number} to */
const range = (from, to) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
