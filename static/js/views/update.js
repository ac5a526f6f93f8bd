/** Weights before and after: w ← w − lr·g, cell by cell. What comes next while it has not happened yet. */

/**
 * @import {Update} from '../types.js'
 * @import {Context, View} from './index.js'
 * @typedef {{name: string, now: number, change: number, after: number, tensor: number, position: number}} Line
 */
import { html } from '../components/html.js';
import { termAt } from '../explain/update.js';
import { decode } from '../model/arrays.js';
import { column, short, signed, subscript } from '../model/format.js';

const MOST = 24; // lines

/** @type {View} */
export const updateView = {
  id: 'upd', place: 'right', title: 'update.title', when: ({ moment }) => changes(moment).length > 0,
  aside: ({ moment, t }) => html`<span class="note mono">${rule(changes(moment)[0], t)}</span>`, draw: (context) => html`<${Card} ...${context} />`,
};

/** All updates of the step, also those to come. @param {Context['moment']} moment @returns {Update[]} */
const changes = ({ window }) => /** @type {Update[]} */ ((window?.events ?? []).filter((event) => event.kind === 'update'));

/** @param {Update | undefined} change @param {Context['t']} t */
function rule(change, t) {
  const lr = change?.terms?.lr;
  if (typeof lr !== 'number') return change?.optimizer ?? '';
  const plain = !change?.optimizer || (change.optimizer === 'SGD' && !change.terms?.momentum_buffer);
  return plain ? `w ← w − ${short(lr)}·w.grad` : `${change?.optimizer} · lr ${short(lr)}`;
}

/** @param {Context} context */
function Card({ moment, t, act }) {
  const { event, stops, index } = moment;
  const list = changes(moment);
  const done = new Set(stops.slice(0, index + 1).flatMap((stop) => (stop.event.kind === 'update' ? [stop.event] : [])));
  const lines = list.flatMap((change) => spread(change, moment).map((line) => ({ ...line, done: done.has(change), now_: event === change })));
  const most = Math.max(...lines.map((line) => Math.abs(line.change)).filter(Number.isFinite), 1e-30);
  const write = column(lines.flatMap((line) => [line.now, line.after]));
  const upcoming = lines.some((line) => !line.done);
  return html`<p class="sub"><span class="phase update">${t(upcoming ? (done.size ? 'update.running' : 'update.next') : 'update.done')}</span>${list[0]?.optimizer ? html`<span class="mut">${list[0].optimizer}</span>` : null}</p>
    <table><thead><tr><th scope="col"><span class="sr">${t('update.parameter')}</span></th><td>${t('update.before')}</td><td class="bar">${t('update.change')}</td><td>${t('update.after')}</td></tr></thead>
    <tbody>${lines.slice(0, MOST).map((line) => html`<tr class=${`${line.now_ ? 'hot' : ''} ${line.done ? '' : 'later'}`} onClick=${() => act('select', moment.graph?.byTensor.get(line.tensor) ?? '')}>
      <th scope="row" title=${line.name}>${line.name}</th><td>${write(line.now)}</td>
      <td class="bar"><svg width="84" height="14" viewBox="-42 0 84 14" aria-hidden="true"><line x1="0" x2="0" y1="0" y2="14" class="zero" /><rect x=${line.change < 0 ? (-40 * Math.abs(line.change)) / most : 0} y="3" width=${(40 * Math.abs(line.change)) / most || 0} height="8" rx="2" class=${line.change < 0 ? 'neg' : 'pos'} /></svg><span class=${line.change < 0 ? 'neg' : 'pos'}>${signed(line.change, 3)}</span></td>
      <td class="new">${write(line.after)}</td></tr>`)}</tbody></table>
    ${lines.length > MOST ? html`<p class="mut small">${t('update.more', { n: lines.length - MOST })}</p>` : null}
`;
}

/** @param {Update} change @param {Context['moment']} moment @returns {Line[]} */
function spread(change, { graph }) {
  const name = graph?.cards.get(graph.byTensor.get(change.tensor) ?? '')?.label ?? `#${change.tensor}`;
  const [before, after] = [decode(change.before), decode(change.after)];
  const many = before.count > 1;
  return Array.from({ length: Math.min(before.values.length, MOST + 1) }, (_, i) => ({
    name: many ? `${name}${before.shape.length === 1 ? subscript(i) : `[${place(i, before.shape)}]`}` : name,
    now: before.values[i], after: after.values[i], change: step(change, i, before.values[i], after.values[i]), tensor: change.tensor, position: i,
  }));
}

/** The step as the rule makes it; the difference of two rounded weights would show rounding. @param {Update} change @param {number} at @param {number} before @param {number} after */
function step(change, at, before, after) {
  const [lr, grad] = [termAt(change.terms?.lr, at), termAt(change.terms?.grad, at)];
  const exact = lr !== undefined && grad !== undefined ? -lr * grad : NaN;
  return Math.abs(before + exact - after) <= 1e-6 * Math.max(1, Math.abs(after)) ? exact : after - before;
}

/** @param {number} position @param {number[]} shape */
function place(position, shape) {
  const index = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(position % shape[axis]);
    position = Math.floor(position / shape[axis]);
  }
  return index.join(',');
}
