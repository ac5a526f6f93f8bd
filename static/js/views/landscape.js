/**
 * The loss over two numbers of the program, around where training is: the path so far, the step to come. Over one
 * number when there is only one. The forward graph of the step at the cursor is evaluated on the server's sandbox.
 *
 * @import {Context, View} from './index.js'
 * @import {Element, Range} from '../model/landscape.js'
 * @import {Answer} from '../store/probe.js'
 * @import {Tell} from '../i18n/hints.js'
 */
import { contours } from 'd3-contour';
import { useEffect } from 'preact/hooks';
import { html } from '../components/html.js';
import { Plane, places } from '../components/plane.js';
import { number } from '../model/arrays.js';
import { short } from '../model/format.js';
import { elements, favourites, range, reading, thresholds, valueAt } from '../model/landscape.js';

const POINTS = { surface: 33, line: 61 };
const FINE = 700; // steps of the path that are drawn

/** @type {View} */
export const landscapeView = {
  id: 'landscape', place: 'right', title: 'landscape.title',
  when: ({ moment }) => moment.trace.steps.length > 1 && elements(moment.trace.steps).length > 0 && moment.trace.steps.some((step) => step.loss != null),
  aside: ({ moment, ui, t }) => {
    const pair = chosen(moment, ui);
    const names = pair.map((each) => each.name).join(', ');
    return names.length < 18 ? html`<span class="note mono">${t('landscape.of', { names })}</span>` : null;
  },
  draw: (context) => html`<${Landscape} ...${context} />`,
};

/** @param {Context['moment']} moment @param {Context['ui']} ui @returns {Element[]} */
function chosen({ trace }, ui) {
  const list = elements(trace.steps);
  const asked = ui.axes.value.map((said) => list.find((each) => `${each.of}.${each.at}` === said)).filter((each) => each !== undefined);
  const pair = asked.length ? asked : favourites(trace.steps, list);
  return list.length > 1 && pair.length < 2 ? [...pair, ...list.filter((each) => !pair.includes(each))].slice(0, 2) : pair;
}

/** @param {Context} context */
function Landscape({ app, moment, ui, t }) {
  const { trace, step, window } = moment;
  const pair = chosen(moment, ui);
  const now = pair.map((element) => reading(window, element));
  const ranges = pair.map((element, i) => range(trace.steps, element, now[i]?.value ?? NaN));
  const root = window?.events.find((event) => event.kind === 'seed');
  const run = trace.id;
  const ready = run && root && now.every((each) => each !== null) && !app.session.busy;
  const question = ready ? ask(step, root.root, now, pair, ranges) : null;
  const key = JSON.stringify(question);
  useEffect(() => {
    if (question && !app.player.playing.value) app.landscape.ask(run, question);
  }, [run, key, app.player.playing.value]);
  const answer = app.landscape.answer.value;
  const mine = answer && question && JSON.stringify({ ...answer.question, step: 0 }) === JSON.stringify({ ...question, step: 0 }) ? answer : null;
  const Draw = pair.length > 1 ? Surface : Line;
  return html`<${Draw} answer=${mine} pair=${pair} ranges=${ranges} now=${now.map((each) => each?.value ?? NaN)} moment=${moment} t=${t} />
    ${elements(trace.steps).length > 2 ? html`<${Axes} list=${elements(trace.steps)} pair=${pair} ui=${ui} t=${t} />` : null}
    <${Progress} answer=${answer} stop=${() => app.landscape.cancel()} t=${t} tell=${app.tell.value} />`;
}

/** @param {number} step @param {number} root @param {({tensor: number} | null)[]} now @param {Element[]} pair @param {Range[]} ranges @returns {import('../store/probe.js').Question} */
function ask(step, root, now, pair, ranges) {
  const side = (/** @type {number} */ i) => ({ tensor: now[i]?.tensor ?? 0, index: pair[i].at, ...ranges[i] });
  const common = { step, root, kind: /** @type {const} */ ('surface'), x: side(0) };
  return pair.length > 1 ? { ...common, y: side(1), points: POINTS.surface } : { ...common, points: POINTS.line };
}

/** Where training was before each step, and after the last. @param {Context['moment']} moment @param {Element[]} pair @returns {number[][]} */
function path({ trace }, pair) {
  const first = pair.map((element) => reading(trace.windows.get(0) ?? null, element)?.value ?? NaN);
  const stride = Math.max(1, Math.floor(trace.steps.length / FINE));
  const rest = trace.steps.filter((_, i) => i % stride === 0 || i === trace.steps.length - 1).map((each) => [each.index + 1, ...pair.map((element) => valueAt(each, element))]);
  return [[0, ...first], ...rest].filter((point) => point.every(Number.isFinite));
}

/** @typedef {{answer: Answer | null, pair: Element[], ranges: Range[], now: number[], moment: Context['moment'], t: Context['t']}} Drawn */

/** @param {Drawn} props */
function Surface({ answer, pair, ranges: [xs, ys], now, moment, t }) {
  const at = places(xs, ys);
  const trail = path(moment, pair);
  const d = (/** @type {number[][]} */ points) => points.map(([, x, y], i) => `${i ? 'L' : 'M'}${at.x(x).toFixed(1)} ${at.y(y).toFixed(1)}`).join('');
  const past = [...trail.filter(([step]) => step <= moment.step)];
  const future = trail.filter(([step]) => step >= moment.step);
  const next = pair.map((element) => valueAt(moment.brief, element));
  const here = now.every(Number.isFinite) ? now : past.at(-1)?.slice(1);
  const label = t('landscape.label', { names: pair.map((each) => each.name).join(', ') });
  return html`<${Plane} at=${at} xs=${xs} ys=${ys} id="landscape" name=${{ x: pair[0].name, y: pair[1].name }} label=${label} over=${here && next.every(Number.isFinite) ? html`<${Arrow} from=${[at.x(here[0]), at.y(here[1])]} to=${[at.x(next[0]), at.y(next[1])]} />` : null}>
    <${Contours} answer=${answer} at=${at} />
    <path d=${d(future)} class="traj fut" /><path d=${d(past)} class="traj" />
    ${past.length <= 40 ? past.map(([, x, y]) => html`<circle cx=${at.x(x)} cy=${at.y(y)} r="2" class="tp" />`) : null}
    ${here ? html`<circle cx=${at.x(here[0])} cy=${at.y(here[1])} r="4.5" class="pt" />` : null}<//>`;
}

/** @param {{answer: Answer | null, at: import('../components/plane.js').Places}} props */
function Contours({ answer, at }) {
  if (!answer || answer.rows.length < answer.total || answer.total < 2) return null;
  const n = answer.question.points;
  const values = answer.rows.flatMap((row) => row.values.map(number)).map((value) => (Number.isFinite(value) ? value : 1e300));
  const levels = thresholds(values.map((value) => (value === 1e300 ? NaN : value)));
  const x = (/** @type {number} */ column) => at.left + (at.width * (column - 0.5)) / (n - 1);
  const y = (/** @type {number} */ row) => at.top + at.height * (1 - (row - 0.5) / (n - 1));
  const ring = (/** @type {number[][]} */ points) => `M${points.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join('L')}Z`;
  return contours().size([n, n]).thresholds(levels)(values).map((shape) => html`<path class="level" d=${shape.coordinates.flat().map(ring).join('')} />`);
}

/** The loss over one number is a curve, the gradient its slope. @param {Drawn} props */
function Line({ answer, pair, ranges: [xs], now, moment, t }) {
  const row = answer?.rows[0];
  const points = row ? row.x.map((x, i) => [number(x), number(row.values[i])]).filter((point) => point.every(Number.isFinite)) : [];
  const heights = [...points.map(([, y]) => y), number(moment.brief?.loss ?? 'NaN')].filter(Number.isFinite);
  const most = Math.max(...heights, 0);
  const least = Math.min(...heights, most);
  const pad = (most - least || 1) * 0.08;
  const ys = { low: least - pad, high: most + pad };
  const at = places(xs, ys, { height: 150 });
  const loss = number(moment.brief?.loss ?? 'NaN');
  const next = valueAt(moment.brief, pair[0]);
  const grad = moment.brief?.grads?.[pair[0].of];
  const slope = grad ? number(grad.data?.[pair[0].at] ?? 'NaN') : NaN;
  const there = height(points, next);
  const tangent = (/** @type {number} */ x) => loss + slope * (x - now[0]);
  return html`<${Plane} at=${at} xs=${xs} ys=${ys} id="landscape" name=${{ x: pair[0].name, y: t('landscape.loss') }} label=${t('landscape.label', { names: pair[0].name })}
      over=${Number.isFinite(now[0] + loss + there) ? html`<${Arrow} from=${[at.x(now[0]), at.y(loss)]} to=${[at.x(next), at.y(there)]} />` : null}>
    <path d=${points.map(([x, y], i) => `${i ? 'L' : 'M'}${at.x(x).toFixed(1)} ${at.y(y).toFixed(1)}`).join('')} class="ln" />
    ${Number.isFinite(at.y(tangent(xs.low)) + at.y(tangent(xs.high))) ? html`<line x1=${at.x(xs.low)} y1=${at.y(tangent(xs.low))} x2=${at.x(xs.high)} y2=${at.y(tangent(xs.high))} class="slope" />` : null}
    ${Number.isFinite(at.x(now[0]) + at.y(loss)) ? html`<circle cx=${at.x(now[0])} cy=${at.y(loss)} r="4.5" class="pt" />` : null}<//>
    ${Number.isFinite(slope) ? html`<p class="small mut">${t('landscape.slope', { name: pair[0].name, slope: short(slope), value: short(now[0]) })}</p>` : null}`;
}

/** @param {number[][]} points @param {number} x */
function height(points, x) {
  const after = points.findIndex(([at]) => at >= x);
  if (after < 1) return NaN;
  const [[x0, y0], [x1, y1]] = [points[after - 1], points[after]];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

/** The step to come, long enough to be seen. @param {{from: number[], to: number[]}} props */
function Arrow({ from: [x0, y0], to: [x1, y1] }) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 0.7) return null;
  const stretch = Math.max(1, 16 / length);
  const [dx, dy] = [(x1 - x0) * stretch, (y1 - y0) * stretch];
  const size = Math.hypot(dx, dy);
  const [ux, uy] = [dx / size, dy / size];
  const [hx, hy] = [x0 + dx, y0 + dy];
  const head = `M${hx} ${hy}L${hx - 7 * ux + 3.6 * uy} ${hy - 7 * uy - 3.6 * ux}L${hx - 7 * ux - 3.6 * uy} ${hy - 7 * uy + 3.6 * ux}Z`;
  return html`<g class="gvec"><line x1=${x0} y1=${y0} x2=${hx - 5 * ux} y2=${hy - 5 * uy} /><path d=${head} /></g>`;
}

/** @param {{list: Element[], pair: Element[], ui: Context['ui'], t: Context['t']}} props */
function Axes({ list, pair, ui, t }) {
  const key = (/** @type {Element} */ each) => `${each.of}.${each.at}`;
  const pick = (/** @type {number} */ side) => (/** @type {any} */ event) => {
    const next = pair.map(key);
    const other = next.indexOf(event.currentTarget.value);
    if (other >= 0) next[other] = next[side];
    next[side] = event.currentTarget.value;
    ui.axes.value = next;
  };
  return html`<div class="axes">${pair.map((element, side) => html`<label>${side ? '↑' : '→'} <span class="sr">${t('landscape.axis')}</span>
    <select value=${key(element)} onChange=${pick(side)}>${list.map((each) => html`<option value=${key(each)}>${each.name}</option>`)}</select></label>`)}</div>`;
}

/** @param {{answer: Answer | null, stop: () => void, t: Context['t'], tell: Tell}} props */
export function Progress({ answer, stop, t, tell }) {
  if (answer?.busy) {
    return html`<p class="asking"><progress max=${answer.total} value=${answer.rows.length} aria-label=${t('landscape.busy')}></progress><button type="button" class="link" onClick=${stop}>${t('landscape.cancel')}</button></p>`;
  }
  return answer?.refusal.length ? html`<p class="small mut" role="status">${answer.refusal.map(tell).join(' · ')}</p>` : null;
}
