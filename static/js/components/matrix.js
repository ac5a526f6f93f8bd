/** A tensor as a table with headers that stay in sight; a part of it when it is large. Draws from its arguments. */
import { useSignal } from '@preact/signals';
import { decode, flat } from '../model/arrays.js';
import { cell, exact } from '../model/format.js';
import { level } from './heat.js';
import { html } from './html.js';

const ROWS = 40;
const COLS = 24;

/**
 * @param {{array: import('../types.js').Arr, most: number, label: string, chosen: number[] | null, more: (rows: number, cols: number) => string, slice: string, onPick: (index: number[]) => void}} props
 *   chosen  index of the cell to outline;  slice  what to call the leading axes
 */
export function Matrix({ array, most, label, chosen, more, slice, onPick }) {
  const { values, shape, dtype } = decode(array);
  const whole = !/float/.test(dtype);
  const lead = shape.slice(0, -2);
  const at = useSignal(/** @type {number[]} */ ([]));
  const from = useSignal([0, 0]);
  const leading = lead.map((size, axis) => Math.min(chosen && at.value[axis] === undefined ? chosen[axis] ?? 0 : at.value[axis] ?? 0, size - 1));
  const [rows, cols] = shape.length === 0 ? [1, 1] : shape.length === 1 ? [1, shape[0]] : shape.slice(-2);
  const [r0, c0] = from.value.map((start, axis) => Math.max(0, Math.min(start, (axis ? cols : rows) - 1)));
  const index = (/** @type {number} */ r, /** @type {number} */ c) => (shape.length === 0 ? [] : shape.length === 1 ? [c] : [...leading, r, c]);
  const shownRows = Array.from({ length: Math.min(ROWS, rows - r0) }, (_, i) => r0 + i);
  const shownCols = Array.from({ length: Math.min(COLS, cols - c0) }, (_, i) => c0 + i);
  const page = (/** @type {number} */ axis, /** @type {number} */ by) => (from.value = from.value.map((start, i) => (i === axis ? Math.max(0, start + by) : start)));
  return html`<div class="matrix">
    ${lead.length ? html`<div class="slices">${slice}${lead.map((size, axis) => html`<label>[<input type="number" min="0" max=${size - 1} value=${leading[axis]} aria-label=${`${slice} ${axis}`} onInput=${(/** @type {any} */ event) => (at.value = leading.map((old, i) => (i === axis ? Math.max(0, Math.min(size - 1, Number(event.target.value) || 0)) : old)))} />]</label>`)}<span class="mut">/ ${lead.join(' × ')}</span></div>` : null}
    <div class="scroll" tabindex="0" role="region" aria-label=${label}><table aria-label=${label}>${shape.length ? html`<thead><tr><td></td>${shownCols.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>` : null}
      <tbody>${shownRows.map((r) => html`<tr>${shape.length ? html`<th scope="row">${shape.length > 1 ? r : ''}</th>` : null}${shownCols.map((c) => {
        const where = index(r, c);
        const value = values[flat(shape, where)];
        if (value === undefined) return html`<td class="missing">·</td>`;
        const picked = chosen && chosen.length === where.length && chosen.every((i, axis) => i === where[axis]);
        return html`<td class=${`${level(value, most)} ${picked ? 'picked' : ''}`} title=${`[${where}] = ${exact(value, dtype)}`} onClick=${() => onPick(where)}>${shape.length ? cell(value, whole) : exact(value, dtype)}</td>`;
      })}</tr>`)}</tbody></table></div>
    ${rows > ROWS || cols > COLS ? html`<div class="pages">${more(rows, cols)}
      ${rows > ROWS ? html`<button type="button" class="link" disabled=${r0 === 0} onClick=${() => page(0, -ROWS)}>↑</button><button type="button" class="link" disabled=${r0 + ROWS >= rows} onClick=${() => page(0, ROWS)}>↓</button>` : null}
      ${cols > COLS ? html`<button type="button" class="link" disabled=${c0 === 0} onClick=${() => page(1, -COLS)}>←</button><button type="button" class="link" disabled=${c0 + COLS >= cols} onClick=${() => page(1, COLS)}>→</button>` : null}</div>` : null}</div>`;
}
