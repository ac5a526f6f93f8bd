/** A square of coordinates with ticks on two sides; what stands in it places itself. Draws from its arguments. */

/**
 * @import {Range} from '../model/landscape.js'
 * @typedef {{x: (value: number) => number, y: (value: number) => number, left: number, top: number, width: number, height: number}} Places
 */
import { short } from '../model/format.js';
import { html } from './html.js';

const EDGE = { left: 34, right: 8, top: 8, foot: 18 };

/** @param {Range} xs @param {Range} ys @param {{width?: number, height?: number}} [size] @returns {Places} */
export function places(xs, ys, { width = 292, height = 190 } = {}) {
  const inner = { left: EDGE.left, top: EDGE.top, width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.foot };
  return {
    ...inner,
    x: (value) => inner.left + (inner.width * (value - xs.low)) / (xs.high - xs.low),
    y: (value) => inner.top + inner.height * (1 - (value - ys.low) / (ys.high - ys.low)),
  };
}

/** @param {{at: Places, xs: Range, ys: Range, name?: {x: string, y: string}, label: string, id: string, children?: any, over?: any}} props  over  is not cut off at the edge */
export function Plane({ at, xs, ys, name, label, id, children, over }) {
  const bottom = at.top + at.height;
  return html`<svg class="plane" viewBox=${`0 0 ${at.left + at.width + EDGE.right} ${bottom + EDGE.foot}`} role="img" aria-label=${label}>
    <clipPath id=${`${id}-cut`}><rect x=${at.left} y=${at.top} width=${at.width} height=${at.height} rx="6" /></clipPath>
    <rect x=${at.left} y=${at.top} width=${at.width} height=${at.height} rx="6" class="ground" />
    <g clip-path=${`url(#${id}-cut)`}>${children}</g>
    ${ticks(xs).map((tick) => html`<text x=${at.x(tick)} y=${bottom + 13} class="tick" text-anchor="middle">${short(tick, 3)}</text>`)}
    ${ticks(ys).map((tick) => html`<text x=${at.left - 5} y=${at.y(tick) + 3.5} class="tick" text-anchor="end">${short(tick, 3)}</text>`)}
    ${name ? html`<text x=${at.left + at.width - 6} y=${bottom - 6} class="tick named" text-anchor="end">${name.x} →</text><text x=${at.left + 6} y=${at.top + 13} class="tick named">↑ ${name.y}</text>` : null}
    ${over}</svg>`;
}

/** Three or four round numbers within. @param {Range} range */
export function ticks({ low, high }) {
  const rough = (high - low) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 2.5, 5, 10].map((by) => by * power).find((each) => each >= rough * 0.8) ?? rough;
  const found = [];
  for (let i = Math.ceil(low / unit); i * unit <= high + 1e-9 * unit; i++) found.push(Number((i * unit).toPrecision(8)));
  return found;
}
