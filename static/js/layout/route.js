/** Lines through given corners, as SVG paths. Pure geometry. */

/** @import {Point} from './layout.js' */

/** Moved sideways by d, seen in the direction of travel: vertical pieces along x, horizontal ones along y. @param {Point[]} points @param {number} d @returns {Point[]} */
export function offset(points, d) {
  return points.map((point, i) => {
    const before = points[i - 1];
    const after = points[i + 1];
    let { x, y } = point;
    for (const [a, b] of [[before, point], [point, after]]) {
      if (!a || !b) continue;
      if (Math.abs(a.x - b.x) < 0.5) x = point.x + d;
      else if (Math.abs(a.y - b.y) < 0.5) y = point.y + (b.x > a.x ? -d : d);
    }
    return { x, y };
  });
}

/** With rounded corners. @param {Point[]} points @param {number} [radius] */
export function path(points, radius = 8) {
  let d = `M${round(points[0].x)} ${round(points[0].y)}`;
  for (let i = 1; i < points.length; i++) {
    const [a, b, c] = [points[i - 1], points[i], points[i + 1]];
    if (!c) {
      d += `L${round(b.x)} ${round(b.y)}`;
      break;
    }
    const r = Math.min(radius, distance(a, b) / 2, distance(b, c) / 2);
    const p = toward(b, a, r);
    const q = toward(b, c, r);
    d += `L${round(p.x)} ${round(p.y)}Q${round(b.x)} ${round(b.y)} ${round(q.x)} ${round(q.y)}`;
  }
  return d;
}

/** Shortened at its end by `by`, so that an arrow head fits. @param {Point[]} points @param {number} by @returns {Point[]} */
export function trim(points, by) {
  const last = points.length - 1;
  return [...points.slice(0, last), toward(points[last], points[last - 1], by)];
}

/** Degrees in which the line arrives. @param {Point[]} points */
export function heading(points) {
  const [a, b] = points.slice(-2);
  return (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI;
}

/** Where a label sits best: the middle of the longest piece. @param {Point[]} points @returns {Point & {vertical: boolean}} */
export function label(points) {
  let best = 0;
  for (let i = 1; i + 1 < points.length; i++) if (distance(points[i], points[i + 1]) > distance(points[best], points[best + 1])) best = i;
  const [a, b] = [points[best], points[best + 1]];
  const vertical = Math.abs(a.x - b.x) < Math.abs(a.y - b.y);
  // a long way down passes other cards: there is room right after its start
  if (vertical && Math.abs(a.y - b.y) > 70) return { x: a.x, y: a.y + Math.sign(b.y - a.y) * 15, vertical };
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, vertical };
}

/** @param {Point} a @param {Point} b */
const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

/** @param {Point} from @param {Point} to @param {number} by @returns {Point} */
function toward(from, to, by) {
  const length = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * by) / length, y: from.y + ((to.y - from.y) * by) / length };
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
