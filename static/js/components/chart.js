/**
 * Lines over the training steps, with the cursor; what lies after the cursor is faint. A click or drag seeks. Thousands of
 * steps are drawn as the least and the greatest value of each pixel column. Draws from its arguments.
 *
 * @typedef {{name: string, values: ArrayLike<number>, kind?: string}} Series
 */
import { short } from '../model/format.js';
import { html } from './html.js';

const LEFT = 42;
const TOP = 8;
const FOOT = 18;
const STYLES = 6; // that panels.css tells apart by colour and by dashes

/**
 * @param {{series: Series[], cursor: number, log?: boolean, width?: number, height?: number, label: string, named?: boolean, area?: boolean, value?: boolean,
 *   total?: number, onSeek: (step: number) => void}} props
 *   named  series are named at their right end;  area  below the line is filled;  value  the number at the cursor is written
 */
export function Chart({ series, cursor, log = false, width = 292, height = 132, label, named = false, area = false, value = false, total, onSeek }) {
  const n = Math.max(total ?? 0, ...series.map((each) => each.values.length));
  const right = width - (named ? Math.min(76, Math.max(34, ...series.map((each) => each.name.length * 6.6 + 12))) : 8);
  const bottom = height - FOOT;
  const scale = axis(series, log);
  const x = (/** @type {number} */ i) => (n > 1 ? LEFT + ((right - LEFT) * i) / (n - 1) : (LEFT + right) / 2);
  const y = (/** @type {number} */ v) => bottom - (bottom - TOP) * scale.place(v);
  const ends = named ? tidy(series.map((each) => y(last(each.values))), TOP + 4, bottom) : [];
  /** @param {PointerEvent} event */
  const seek = (event) => {
    if (event.type === 'pointermove' && !(event.buttons & 1)) return;
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * width;
    onSeek(Math.max(0, Math.min(n - 1, Math.round(((at - LEFT) / (right - LEFT)) * (n - 1)))));
  };
  const cx = x(Math.min(cursor, n - 1));
  return html`<svg class="chart" viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${label} onPointerDown=${seek} onPointerMove=${seek}>
    ${scale.ticks.map((tick) => html`<line x1=${LEFT} x2=${right} y1=${y(tick)} y2=${y(tick)} class=${`grid ${tick === 0 ? 'zero' : ''}`} /><text x=${LEFT - 6} y=${y(tick) + 3} class="tick" text-anchor="end">${tickText(tick)}</text>`)}
    ${steps(n).map((tick) => html`<text x=${x(tick)} y=${height - 4} class="tick" text-anchor=${tick && tick === n - 1 ? 'end' : 'middle'}>${tick}</text>`)}
    ${series.map((each, s) => {
      const future = line(each.values, cursor, each.values.length - 1, x, y, right - LEFT);
      const past = line(each.values, 0, Math.min(cursor, each.values.length - 1), x, y, right - LEFT);
      const kind = each.kind ?? `s${s % STYLES}`;
      return html`<path d=${future} class=${`ln fut ${kind}`} />${area && past ? html`<path d=${`${past}L${cx} ${bottom}L${LEFT} ${bottom}Z`} class="area" />` : null}<path d=${past} class=${`ln ${kind}`} />
        ${named ? html`<text x=${right + 6} y=${ends[s] + 3.5} class=${`ser ${kind}`}>${each.name.length > 10 ? `${each.name.slice(0, 9)}…` : each.name}</text>` : null}`;
    })}
    ${n ? html`<line x1=${cx} x2=${cx} y1=${TOP} y2=${bottom} class="cursor" />` : null}
    ${series.map((each, s) => {
      const v = each.values[Math.min(cursor, each.values.length - 1)];
      if (!Number.isFinite(v)) return null;
      return html`<circle cx=${cx} cy=${y(v)} r=${s ? 2.6 : 4} class=${`pt ${s ? each.kind ?? `s${s % STYLES}` : ''}`} />${value && !s ? html`<text x=${cx + (cx > right - 70 ? -10 : 10)} y=${Math.max(TOP + 8, y(v) - 4)} text-anchor=${cx > right - 70 ? 'end' : 'start'} class="val">${short(v)}</text>` : null}`;
    })}</svg>`;
}

/** @param {ArrayLike<number>} values */
function last(values) {
  for (let i = values.length - 1; i >= 0; i--) if (Number.isFinite(values[i])) return values[i];
  return 0;
}

/** @param {ArrayLike<number>} values @param {number} from @param {number} to @param {(i: number) => number} x @param {(v: number) => number} y @param {number} pixels */
function line(values, from, to, x, y, pixels) {
  const per = Math.max(1, Math.floor((to - from) / (pixels * 1.5)));
  let d = '';
  let pen = 'M';
  const put = (/** @type {number} */ i) => {
    const v = values[i];
    if (!Number.isFinite(v)) return void (pen = 'M');
    d += `${pen}${x(i).toFixed(1)} ${y(v).toFixed(1)}`;
    pen = 'L';
  };
  for (let i = from; i <= to; i += per) {
    if (per === 1) {
      put(i);
      continue;
    }
    const end = Math.min(to, i + per - 1);
    let [low, high] = [i, i];
    for (let j = i; j <= end; j++) {
      if (values[j] < values[low]) low = j;
      if (values[j] > values[high]) high = j;
    }
    put(Math.min(low, high));
    if (low !== high) put(Math.max(low, high));
  }
  return d;
}

/** @param {Series[]} series @param {boolean} log @returns {{place: (value: number) => number, ticks: number[]}}  place: 0 at the foot, 1 at the top */
function axis(series, log) {
  let [low, high, least] = [Infinity, -Infinity, Infinity];
  for (const { values } of series) {
    for (let i = 0; i < values.length; i++) {
      const v = values[i];
      if (!Number.isFinite(v)) continue;
      if (v < low) low = v;
      if (v > high) high = v;
      if (v > 0 && v < least) least = v;
    }
  }
  if (low > high) [low, high] = [0, 1];
  if (log && high > 0 && least < Infinity) {
    const [a, b] = [Math.log10(Math.max(least, high * 1e-60)), Math.log10(high)];
    const span = Math.max(b - a, 0.3);
    const place = (/** @type {number} */ v) => Math.max(0, Math.min(1, (Math.log10(Math.max(v, 1e-300)) - a) / span)) * 0.94 + 0.03;
    const every = Math.max(1, Math.ceil(span / 4));
    const ticks = [];
    for (let e = Math.ceil(a); e <= Math.floor(b); e += every) ticks.push(10 ** e);
    return { place, ticks: ticks.length < 2 ? within(10 ** a, 10 ** b) : ticks };
  }
  if (low === high) [low, high] = [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
  const unit = 10 ** Math.floor(Math.log10((high - low) / 3));
  const every = [1, 2, 5, 10].map((k) => k * unit).find((size) => (high - low) / size <= 4) ?? 10 * unit;
  const ticks = [];
  for (let k = Math.ceil(low / every); k * every <= high + every * 1e-9; k++) ticks.push(Number((k * every).toPrecision(6)));
  return { place: (v) => ((v - low) / (high - low)) * 0.94 + 0.03, ticks };
}

/** Ticks of a logarithmic axis over less than two decades: 1, 2, 5 or what divides it. @param {number} low @param {number} high @returns {number[]} */
function within(low, high) {
  const unit = 10 ** Math.floor(Math.log10(low));
  for (const steps of [[1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]]) {
    const found = [1, 10, 100].flatMap((power) => steps.map((k) => Number((k * power * unit).toPrecision(6)))).filter((v) => v >= low && v <= high);
    if (found.length > 1) return found;
  }
  return [low, high].map((v) => Number(v.toPrecision(2)));
}

/** @param {number} value */
const tickText = (value) => (value !== 0 && (Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3) ? short(value, 2) : short(value, 3));

/** Round numbers of steps, first and last always. @param {number} n @returns {number[]} */
function steps(n) {
  if (n < 2) return n ? [0] : [];
  const unit = 10 ** Math.floor(Math.log10(n / 2));
  const every = [1, 2, 5, 10].map((k) => k * unit).find((size) => n / size <= 4) ?? 10 * unit;
  const found = [];
  for (let k = 0; k < n - 1 - every * 0.45; k += every) found.push(Math.round(k));
  return [...new Set([...found, n - 1])];
}

/** Names at the right end do not overlap. @param {number[]} wanted @param {number} top @param {number} bottom */
function tidy(wanted, top, bottom) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const placed = [...wanted];
  let least = top;
  for (const i of order) least = (placed[i] = Math.max(least, placed[i])) + 12.5;
  let most = bottom;
  for (const i of order.reverse()) most = (placed[i] = Math.min(most, placed[i])) - 12.5;
  return placed;
}
