/**
 * Weights before and after: w ← w − lr·g. Cell by cell while they are few or one parameter is in question, else one line per
 * parameter; and of one cell all that the rule read. What comes next while it has not happened yet.
 *
 * @import {Update} from '../types.js'
 * @import {Context, View} from './index.js'
 * @typedef {{name: string, now: number, change: number, after: number, tensor: number, index: number[] | null, signed: boolean, done: boolean, current: boolean}} Line
 */
import { html } from '../components/html.js';
import { termAt } from '../explain/update.js';
import { decode, flat, unflat } from '../model/arrays.js';
import { address } from '../model/cells.js';
import { indexOf } from '../model/focus.js';
import { column, short, signed, subscript } from '../model/format.js';

const FEW = 8; // cells of all parameters together that are shown one by one
const MOST = 24; // lines
const PLACE = /(\[[\d,]*\]|[₀-₉]+)$/; // of an element: what tells the lines of one parameter apart is never cut off

/** @type {View} */
export const updateView = {
  id: 'upd', place: 'right', title: 'update.title', when: ({ moment }) => changes(moment).length > 0,
  aside: ({ moment }) => html`<span class="note mono">${rule(changes(moment)[0])}</span>`, draw: (context) => html`<${Card} ...${context} />`,
};

/** All updates of the step, also those to come. @param {Context['moment']} moment @returns {Update[]} */
const changes = ({ window }) => /** @type {Update[]} */ ((window?.events ?? []).filter((event) => event.kind === 'update'));

/** @param {Update | undefined} change */
function rule(change) {
  const lr = change?.terms?.lr;
  if (typeof lr !== 'number') return change?.optimizer ?? '';
  const plain = !change?.optimizer || (change.optimizer === 'SGD' && !change.terms?.momentum_buffer);
  return plain ? `w ← w − ${short(lr)}·w.grad` : `${change?.optimizer} · lr ${short(lr)}`;
}

/** @param {Context} context */
function Card({ moment, ui, t, act }) {
  const { event, stops, index, graph } = moment;
  const list = changes(moment);
  const done = new Set(stops.slice(0, index + 1).flatMap((stop) => (stop.event.kind === 'update' ? [stop.event] : [])));
  const chosen = graph?.cards.get(ui.select.value)?.tensor;
  const subject = list.find((change) => change.tensor === chosen) ?? (event?.kind === 'update' ? event : undefined);
  const few = list.reduce((n, change) => n + decode(change.before).count, 0) <= FEW;
  const lines = list.filter((change) => few || !subject || change === subject).flatMap((change) => spread(change, moment, few || change === subject)
    .map((line) => ({ ...line, done: done.has(change), current: event === change })));
  const most = Math.max(...lines.map((line) => Math.abs(line.change)).filter(Number.isFinite), 1e-30);
  const write = column(lines.flatMap((line) => [line.now, line.after]));
  const upcoming = list.some((change) => !done.has(change));
  const cell = subject && ui.cell.value && chosen === subject.tensor ? indexOf(ui.cell.value.slice(1), subject.before.shape) : subject?.before.shape.map(() => 0);
  const key = (/** @type {number} */ tensor) => graph?.byTensor.get(tensor) ?? '';
  return html`<p class="sub"><span class="phase update">${t(upcoming ? (done.size ? 'update.running' : 'update.next') : 'update.done')}</span>${few || subject ? null : html`<span class="mut">${t('update.norms')}</span>`}
      ${!few && subject && chosen !== undefined ? html`<button type="button" class="link small" onClick=${() => act('deselect')}>${t('update.all')}</button>` : null}</p>
    <table><thead><tr><th scope="col"><span class="sr">${t('update.parameter')}</span></th><td>${t('update.before')}</td><td class="bar">${t('update.change')}</td><td>${t('update.after')}</td></tr></thead>
    <tbody>${lines.slice(0, MOST).map((line) => html`<tr class=${`${line.current ? 'hot' : ''} ${line.done ? '' : 'later'}`} onClick=${() => (line.index ? act('cell', [key(line.tensor), address('v', line.index, shapeOf(list, line.tensor))]) : act('select', key(line.tensor)))}>
      <th scope="row" title=${line.name}><span>${line.name.replace(PLACE, '')}</span>${PLACE.exec(line.name)?.[0] ?? ''}</th><td>${write(line.now)}</td>
      <td class="bar">${bar(line, most)}<span class=${line.signed ? (line.change < 0 ? 'neg' : 'pos') : ''}>${line.signed ? signed(line.change, 3) : short(line.change, 3)}</span></td>
      <td class="new">${write(line.after)}</td></tr>`)}</tbody></table>
    ${lines.length > MOST ? html`<p class="mut small">${t('update.more', { n: (subject ? decode(subject.before).count : lines.length) - MOST })}</p>` : null}
    ${subject && cell ? html`<${Microscope} change=${subject} index=${cell} name=${graph?.cards.get(key(subject.tensor))?.label ?? ''} t=${t} />` : null}`;
}

/** @param {Update[]} list @param {number} tensor */
const shapeOf = (list, tensor) => list.find((change) => change.tensor === tensor)?.before.shape ?? [];

/** @param {Line} line @param {number} most */
const bar = (line, most) => html`<svg width="60" height="14" viewBox="-42 0 84 14" preserveAspectRatio="none" aria-hidden="true"><line x1="0" x2="0" y1="0" y2="14" class="zero" /><rect x=${line.change < 0 ? (-40 * Math.abs(line.change)) / most : 0} y="3" width=${(40 * Math.abs(line.change)) / most || 0} height="8" rx="2" class=${line.signed ? (line.change < 0 ? 'neg' : 'pos') : 'plain'} /></svg>`;

/** Everything the rule read of one cell. @param {{change: Update, index: number[], name: string, t: Context['t']}} props */
function Microscope({ change, index, name, t }) {
  const at = flat(change.before.shape, index);
  const [before, after] = [decode(change.before).values[at], decode(change.after).values[at]];
  const terms = Object.entries(change.terms ?? {}).flatMap(([term, value]) => {
    const number = termAt(value, at);
    return number === undefined || Number.isNaN(number) ? [] : [{ term, number, each: typeof value === 'object' }];
  });
  if (before === undefined || !terms.length) return null;
  return html`<h3>${t('update.cell', { name: `${name}${index.length ? `[${index}]` : ''}` })}</h3>
    <dl class="terms"><div><dt>${t('update.before')}</dt><dd>${short(before, 6)}</dd></div>
      ${terms.map(({ term, number, each }) => html`<div><dt class="mono">${term}</dt><dd class=${each ? (number < 0 ? 'neg' : 'pos') : ''}>${short(number, 6)}</dd></div>`)}
      <div class="sum"><dt>${t('update.change')}</dt><dd class=${after < before ? 'neg' : 'pos'}>${signed(step(change, at, before, after), 6)}</dd></div>
      <div><dt>${t('update.after')}</dt><dd><b>${short(after, 6)}</b></dd></div></dl>`;
}

/** @param {Update} change @param {Context['moment']} moment @param {boolean} cells  one line per cell, else their norms @returns {Line[]} */
function spread(change, { graph }, cells) {
  const name = graph?.cards.get(graph.byTensor.get(change.tensor) ?? '')?.label ?? `#${change.tensor}`;
  const [before, after] = [decode(change.before), decode(change.after)];
  const rest = { tensor: change.tensor, done: false, current: false };
  if (!cells) return [{ ...rest, name, now: norm(before.values), after: norm(after.values), change: norm(Array.from(before.values, (value, i) => after.values[i] - value)), index: null, signed: before.count === 1 }];
  const many = before.count > 1;
  return Array.from({ length: Math.min(before.values.length, MOST + 1) }, (_, i) => {
    const index = unflat(before.shape, i);
    return { ...rest, name: many ? (before.shape.length === 1 ? `${name}${subscript(i)}` : `${name}[${index}]`) : name, now: before.values[i], after: after.values[i], change: step(change, i, before.values[i], after.values[i]), index: many ? index : null, signed: true };
  });
}

/** @param {ArrayLike<number>} values */
function norm(values) {
  if (values.length === 1) return values[0];
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] ** 2;
  return Math.sqrt(squares);
}

/** The step as the rule makes it; the difference of two rounded weights would show rounding. @param {Update} change @param {number} at @param {number} before @param {number} after */
function step(change, at, before, after) {
  const [lr, grad] = [termAt(change.terms?.lr, at), termAt(change.terms?.grad, at)];
  const exact = lr !== undefined && grad !== undefined ? -lr * grad : NaN;
  return Math.abs(before + exact - after) <= 1e-6 * Math.max(1, Math.abs(after)) ? exact : after - before;
}
