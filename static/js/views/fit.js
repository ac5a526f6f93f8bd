/**
 * What the program fits, at the step of the cursor: points and curve for one input column, points and decision boundary
 * for two. Only when the step has such data.
 *
 * @import {Context, View} from './index.js'
 * @import {Curve, Plane as Boundary} from '../model/fit.js'
 * @import {Answer} from '../store/probe.js'
 */
import { contours } from 'd3-contour';
import { useEffect } from 'preact/hooks';
import { html } from '../components/html.js';
import { Plane, places } from '../components/plane.js';
import { number } from '../model/arrays.js';
import { curve, plane } from '../model/fit.js';
import { Progress } from './landscape.js';

const POINTS = 41;
const DOTS = 400; // drawn of a large data set

/** @typedef {{curve: Curve | null, plane: Boundary | null}} Found */

/** @type {WeakMap<object, {size: number, found: Found}>} */
const known = new WeakMap();

/** @param {Context['moment']} moment @returns {Found} */
function data({ window }) {
  if (!window) return { curve: null, plane: null };
  const { events } = window;
  let entry = known.get(events);
  if (entry?.size !== events.length) {
    const flat = plane(events);
    known.set(events, (entry = { size: events.length, found: { plane: flat, curve: flat ? null : curve(events) } }));
  }
  return entry.found;
}

/** @type {View} */
export const fitView = {
  id: 'fit', place: 'right', title: 'fit.title', when: ({ moment }) => Object.values(data(moment)).some(Boolean),
  aside: ({ moment, t }) => html`<span class="note">${t(data(moment).plane ? 'fit.boundary' : 'fit.curve')}</span>`,
  draw: (context) => {
    const found = data(context.moment);
    return found.plane ? html`<${Field} ...${context} flat=${found.plane} />` : found.curve ? html`<${Line} fitted=${found.curve} t=${context.t} />` : null;
  },
};

/** @param {ArrayLike<number>[]} lists */
function around(...lists) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      if (!Number.isFinite(list[i])) continue;
      low = Math.min(low, list[i]);
      high = Math.max(high, list[i]);
    }
  }
  if (!Number.isFinite(low + high)) return { low: -1, high: 1 };
  const pad = (high - low || 1) * 0.08;
  return { low: low - pad, high: high + pad };
}

/** @param {{fitted: Curve, t: Context['t']}} props */
function Line({ fitted: { x, target, prediction }, t }) {
  const xs = around(x);
  const ys = around(target, limited(prediction, target));
  const at = places(xs, ys, { height: 160 });
  const order = Array.from({ length: x.length }, (_, i) => i).sort((a, b) => x[a] - x[b]);
  const every = Math.max(1, Math.floor(x.length / DOTS));
  const d = order.filter((_, i) => i % every === 0 || i === order.length - 1).filter((i) => Number.isFinite(prediction[i]))
    .map((i, first) => `${first ? 'L' : 'M'}${at.x(x[i]).toFixed(1)} ${at.y(prediction[i]).toFixed(1)}`).join('');
  return html`<${Plane} at=${at} xs=${xs} ys=${ys} id="fit" label=${t('fit.label', { n: x.length })}>
    ${order.filter((_, i) => i % every === 0).map((i) => html`<circle cx=${at.x(x[i])} cy=${at.y(target[i])} r=${x.length > 60 ? 1.3 : 2.6} class="datum" />`)}
    <path d=${d} class="fitted" /><//>
    <p class="key small mut"><i class="dot-key" /> ${t('fit.data')} <i class="line-key" /> ${t('fit.prediction')}</p>`;
}

/** Early predictions lie far outside; they must not flatten the data. @param {ArrayLike<number>} prediction @param {ArrayLike<number>} target */
function limited(prediction, target) {
  const { low, high } = around(target);
  const room = (high - low) * 1.5;
  return Array.from(prediction, (value) => Math.max(low - room, Math.min(high + room, value)));
}

/** @param {Context & {flat: Boundary}} props */
function Field({ app, moment, t, flat }) {
  const xs = around(flat.x);
  const ys = around(flat.y);
  const { trace, step } = moment;
  const round = (/** @type {{low: number, high: number}} */ range) => ({ low: Number(range.low.toPrecision(5)), high: Number(range.high.toPrecision(5)) });
  const question = { step, root: flat.root, kind: /** @type {const} */ ('field'), x: { tensor: flat.tensor, index: 0, ...round(xs) }, y: { tensor: flat.tensor, index: 1, ...round(ys) }, points: POINTS };
  const key = JSON.stringify(question);
  const idle = !app.session.busy && !app.player.playing.value;
  useEffect(() => {
    if (trace.id && idle) app.field.ask(trace.id, question);
  }, [trace.id, key, idle]);
  const answer = app.field.answer.value;
  const fits = answer && answer.question.root === flat.root && answer.question.x.low === question.x.low;
  const at = places(xs, ys);
  const every = Math.max(1, Math.floor(flat.x.length / DOTS));
  const dots = Array.from({ length: Math.ceil(flat.x.length / every) }, (_, i) => i * every);
  return html`<${Plane} at=${at} xs=${xs} ys=${ys} id="fit" label=${t('fit.boundary-label', { n: flat.x.length })}>
      ${fits ? html`<${Regions} answer=${answer} flat=${flat} at=${at} />` : null}
      ${dots.map((i) => html`<${Dot} x=${at.x(flat.x[i])} y=${at.y(flat.y[i])} of=${flat.target[i]} />`)}<//>
    <${Progress} answer=${answer} stop=${() => app.field.cancel()} t=${t} tell=${app.tell.value} />`;
}

/** Class by shape as well as by colour. @param {{x: number, y: number, of: number}} props */
function Dot({ x, y, of }) {
  if (of <= 0) return html`<circle cx=${x} cy=${y} r="3" class="class c0" />`;
  if (of === 1) return html`<rect x=${x - 2.7} y=${y - 2.7} width="5.4" height="5.4" class="class c1" />`;
  return html`<path d=${`M${x} ${y - 3.6}l3.4 6h-6.8Z`} class=${`class c${of}`} />`;
}

/** @param {{answer: Answer, flat: Boundary, at: import('../components/plane.js').Places}} props */
function Regions({ answer, flat, at }) {
  const { rows, total, question } = answer;
  if (rows.length < total) return null;
  const n = question.points;
  const x = (/** @type {number} */ column) => at.left + (at.width * (column - 0.5)) / (n - 1);
  const y = (/** @type {number} */ row) => at.top + at.height * (1 - (row - 0.5) / (n - 1));
  const ring = (/** @type {number[][]} */ points) => `M${points.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join('L')}Z`;
  const area = (/** @type {number[]} */ lead, /** @type {string} */ kind) => {
    const [shape] = contours().size([n, n]).thresholds([0])(lead);
    return html`<path class=${`region ${kind}`} d=${shape.coordinates.flat().map(ring).join('')} />`;
  };
  const values = rows.flatMap((row) => row.values.map(number));
  const per = values.length / (n * n);
  if (per === 1) {
    const lead = values.map((value) => value - flat.middle);
    return [area(lead.map((value) => -value), 'c0'), area(lead, 'c1')];
  }
  return Array.from({ length: per }, (_, k) => area(Array.from({ length: n * n }, (__, i) => {
    const scores = values.slice(i * per, (i + 1) * per);
    return scores[k] - Math.max(...scores.filter((___, other) => other !== k));
  }), `c${k}`));
}
