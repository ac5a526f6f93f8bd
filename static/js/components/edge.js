/**
 * One edge of the graph: forward with the shape that goes along, backward with what comes back, and while a broadcast is
 * being undone the strands that are summed. Draws from its arguments.
 *
 * @import {Edge as Structure} from '../model/graph.js'
 * @import {Sent} from '../model/reduce.js'
 * @import {Box, Point} from '../layout/layout.js'
 * @import {Translate} from '../i18n/i18n.js'
 */
import { decode } from '../model/arrays.js';
import { cell, shape } from '../model/format.js';
import { heading, label, offset, path, trim } from '../layout/route.js';
import { html } from './html.js';

const HEAD = 'M0 0L-7.5 -3.8 -5.6 0 -7.5 3.8Z';

/** @typedef {{edge: Structure, points: Point[], side: boolean, lift: number, reached: boolean, sent: Sent | undefined, active: boolean, near: boolean, selected: boolean, wide: boolean, t: Translate}} EdgeProps */

/** The lines. @param {EdgeProps} props */
export function Edge({ edge, points, side, lift, reached, sent, active, near, selected, wide }) {
  const apart = spread(edge, side, wide, lift);
  const forth = offset(points, -apart.forth);
  const kind = `efwd${edge.broadcast ? ' dashed' : ''}${reached ? '' : ' ghost'}${near || selected ? ' near' : ''}`;
  return html`<g class="edge" data-edge=${edge.id}>
    <path d=${path(points)} class="grip" />
    <path d=${path(trim(forth, 2))} class=${kind} />${head(forth, reached ? 'afwd' : 'afwd ghost')}
    ${sent && !(active && summed(sent) && side) ? back(points, apart.back, active) : null}</g>`;
}

/** How far the two directions lie apart: side by side, so that each can be followed. @param {Structure} edge @param {boolean} side @param {boolean} wide @param {number} lift */
function spread(edge, side, wide, lift) {
  if (!edge.grads) return { forth: 0, back: 0 };
  if (side) return { forth: lift, back: 12 };
  return wide ? { forth: 33, back: 33 } : { forth: 5, back: 5 };
}

/** @param {Point[]} points @param {number} apart @param {boolean} active */
function back(points, apart, active) {
  const line = offset(points, apart).reverse();
  return html`<path d=${path(trim(line, 2))} class=${active ? 'ebwd now' : 'ebwd'} />${head(line, 'abwd')}`;
}

/** @param {Point[]} points @param {string} kind */
function head(points, kind) {
  const { x, y } = points[points.length - 1];
  return html`<path d=${HEAD} transform=${`translate(${x},${y}) rotate(${heading(points)})`} class=${kind} />`;
}

/** @param {Sent} sent */
export const summed = (sent) => sent.axes.length > 0 && sent.product !== null;

/** The chips, drawn after the cards so that nothing hides them. @param {EdgeProps & {crowded: boolean, tabs: Box[]}} props  tabs: names of frames, which no chip covers */
export function Chips({ edge, points, side, lift, reached, sent, active, wide, t, crowded, tabs }) {
  const apart = spread(edge, side, wide, lift);
  const at = label(offset(points, -apart.forth));
  const text = edge.broadcast ? t('edge.broadcast', { from: shape(edge.broadcast.source), to: shape(edge.broadcast.target) }) : shape(edge.shape);
  const half = width(text) / 2;
  const room = !crowded || edge.broadcast || side;
  const x = at.vertical ? at.x + half + 8 : at.x;
  const y = below(tabs, x, at.y, half);
  return html`
    ${reached && room ? chip(x, y, text, edge.broadcast ? 'bc' : '') : null}
    ${sent && sent.axes.length && !(active && side && sent.product) ? chip(...beside(points, apart.back, t(...axes(sent, edge))), 'bw') : null}`;
}

/** @param {Point[]} points @param {number} apart @param {string} text @returns {[number, number, string]} */
function beside(points, apart, text) {
  const at = label(offset(points, apart));
  return [at.vertical ? at.x + width(text) / 2 + 8 : at.x, at.y, text];
}

/** @param {Box[]} tabs  from above to below @param {number} x @param {number} y @param {number} half */
function below(tabs, x, y, half) {
  for (const tab of tabs) if (x + half > tab.x && x - half < tab.x + tab.w && Math.abs(y - tab.y - tab.h / 2) < tab.h / 2 + 8) y = tab.y + tab.h + 10;
  return y;
}

/** What was summed on the way back, as a key and its words. @param {Sent} sent @param {Structure} edge @returns {[string, Record<string, string | number>]} */
export function axes(sent, edge) {
  const whole = sent.axes.length === edge.broadcast?.target.length;
  return whole ? ['edge.sum-all', {}] : ['edge.sum-axes', { n: sent.axes.length, axes: sent.axes.join(', ') }];
}

/** @param {string} text */
const width = (text) => [...text].reduce((sum, letter) => sum + (letter > '⺀' ? 10 : 6.05), 0) + 13;

/** @param {number} x @param {number} y @param {string} text @param {string} kind */
function chip(x, y, text, kind) {
  const w = width(text);
  return html`<g class=${`chip ${kind}`} transform=${`translate(${x},${y})`}><rect x=${-w / 2} y="-8.5" width=${w} height="17" rx="8.5" /><text y="3.4">${text}</text></g>`;
}

const MOST_STRANDS = 6;

/**
 * The addends of one cell of the target, drawn from the rows they come from into a Σ.
 * @param {{edge: Structure, sent: Sent, from: Box, to: Box, addends: number[], rows: number[], lift: number, t: Translate}} props
 *   from  the op's card, to the leaf's; rows: y of each addend in the op's gradient map; lift: of the line forward, whose chip stays free
 */
export function Strands({ edge, sent, from, to, addends, rows, lift, t }) {
  const room = Math.max(2, Math.min(MOST_STRANDS, Math.floor((from.h / 2 + lift - 18) / 15)));
  const shown = addends.length <= room || rows.length === addends.length ? addends : addends.slice(0, room - 1);
  const most = Math.max(...addends.map(Math.abs), 1e-30);
  const total = addends.reduce((sum, value) => sum + value, 0);
  const [x1, x2] = [from.x + from.w + 2, to.x - 5];
  const middle = (from.y + from.h / 2 + to.y + to.h / 2) / 2;
  const n = shown.length + (shown.length < addends.length ? 1 : 0);
  const top = middle - lift + 18;
  const pitch = Math.min(17, (from.y + from.h - 4 - top) / Math.max(1, n - 1));
  const centred = Math.max(top, middle + 6 - ((n - 1) / 2) * pitch);
  const y = (/** @type {number} */ i) => (rows.length === addends.length && shown.length === addends.length ? rows[i] : centred + i * pitch);
  const [sx, sy] = [x2 - 41, to.y + to.h / 2 > middle - 40 && to.y + to.h / 2 < middle + 40 ? to.y + to.h * 0.66 : middle];
  const lines = shown.map((value, i) => {
    const end = sy + (i - (n - 1) / 2) * 3.6;
    const d = `M${x1} ${y(i)}H${x1 + 50}C${x1 + 92} ${y(i)} ${sx - 58} ${end} ${sx - 12} ${end}`;
    const w = 1.6 + 6 * Math.sqrt(Math.abs(value) / most);
    return html`<path d=${d} class=${`strand ${tone(value)}`} stroke-width=${w} /><path d=${d} class="flow" stroke-width="1.2" />`;
  });
  const labels = shown.map((value, i) => html`<g class="contrib" transform=${`translate(${x1 + 27},${y(i)})`}><rect x="-21" y="-6.7" width="42" height="13.4" rx="6.7" /><text y="3.3" class=${tone(value)}>${cell(value)}</text></g>`);
  const more = addends.length - shown.length;
  const text = t('edge.sum-over', { n: sent.axes.length, axes: sent.axes.join(', ') });
  return html`<g class="strands">${lines}${labels}
    ${more > 0 ? html`<g class="contrib more" transform=${`translate(${x1 + 27},${y(n - 1)})`}><rect x="-21" y="-6.7" width="42" height="13.4" rx="6.7" /><text y="3.3">+${more}</text></g>` : null}
    <path d=${`M${sx + 14} ${sy}H${x2 - 4}`} class=${`sumline ${tone(total)}`} /><path d="M0 0L-9 -4.6 -6.8 0 -9 4.6Z" transform=${`translate(${x2},${sy})`} class=${`sumhead ${tone(total)}`} />
    <g class="sum" transform=${`translate(${sx},${sy})`}><circle r="14" /><text y="5.2">Σ</text></g>
    <g class="tag" transform=${`translate(${(x1 + x2) / 2 + 14},${Math.max(sy + 37, (n ? y(n - 1) : sy) + 15)})`}><text text-anchor="middle"><tspan class="tm">${shape(decode(/** @type {any} */ (sent.product)).shape)} → ${shape(edge.shape)}</tspan><tspan x="0" dy="13">${text}</tspan></text></g></g>`;
}

/** @param {number} value */
const tone = (value) => (value < 0 ? 'neg' : 'pos');
