/**
 * The graph on a canvas, for more cards than the page can hold as elements, or so far away that nothing in them could be
 * read: boxes coloured by sign, lines, names when there is room. Draws what is in sight and nothing else. Knows no trace.
 *
 * @import {Box, Layout, Point} from '../layout/layout.js'
 * @typedef {{key: string, box: Box, name: string, kind: 'leaf' | 'param' | 'op' | 'failed', reached: boolean, tone: string, value: string, grad: string,
 *   places: {value: Box, grad: Box | null}}} Mark
 *   value, grad  names of their colours, '' for none; tone: '' or what the current event does to it
 * @typedef {{points: Point[], bounds: [number, number, number, number], reached: boolean, sent: boolean, now: boolean, ends: [string, string]}} Line
 * @typedef {{marks: Mark[], lines: Line[], frames: {box: Box, name: string}[], selected: string, near: Set<string>, shown: Set<string>}} Scene
 *   shown  keys of cards that stand above the canvas as elements
 * @typedef {{x: number, y: number, k: number}} Camera
 * @typedef {Record<string, string>} Palette
 */

const BARE = 16; // px wide on the screen: below, a box is one colour
const NAMED = 42; // px wide on the screen: from here a name is legible
const LETTER = 0.61; // of the type size, one letter's width

/** Colours that a palette holds, besides the levels of the heat map. */
export const NAMES = ['bg', 'paper', 'card', 'line', 'line2', 'ink', 'mut', 'forward', 'slate', 'violet', 'violet-line', 'teal', 'red', 'slate-soft'];

/** The variables of css/tokens.css as they are now. @param {HTMLElement} host @returns {Palette} */
export function palette(host) {
  const probe = host.appendChild(document.createElement('i'));
  /** @type {Palette} */ const found = {};
  const levels = Array.from({ length: 25 }, (_, i) => `h${i - 12}`);
  for (const name of [...NAMES, ...levels]) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  found.font = getComputedStyle(host).getPropertyValue('--mono');
  probe.remove();
  return found;
}

/** @param {CanvasRenderingContext2D} pen @param {Scene} scene @param {Camera} camera @param {{w: number, h: number, dpr: number}} size @param {Palette} colour @param {string} hover */
export function paint(pen, scene, camera, { w, h, dpr }, colour, hover) {
  const { x, y, k } = camera;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, w * dpr, h * dpr);
  pen.setTransform(dpr * k, 0, 0, dpr * k, dpr * x, dpr * y);
  const sight = [-x / k, -y / k, (w - x) / k, (h - y) / k];
  const seen = (/** @type {Box} */ box) => box.x < sight[2] && box.x + box.w > sight[0] && box.y < sight[3] && box.y + box.h > sight[1];
  const pixel = 1 / k;
  frames(pen, scene.frames.filter(({ box }) => seen(box)), pixel, colour);
  lines(pen, scene, sight, pixel, colour);
  for (const mark of scene.marks) {
    if (!seen(mark.box) || scene.shown.has(mark.key)) continue;
    if (mark.box.w * k < BARE) dot(pen, mark, colour);
    else card(pen, mark, k, colour);
  }
  for (const mark of scene.marks) {
    const chosen = mark.key === scene.selected;
    const stroke = chosen ? colour.ink : mark.tone ? tone(mark, colour) : mark.key === hover ? colour.mut : scene.near.has(mark.key) ? colour.slate : '';
    if (!stroke || scene.shown.has(mark.key) || !seen(mark.box)) continue;
    // what matters now is never smaller than can be seen
    const grow = Math.max(0, 5 * pixel - mark.box.w / 2) + (chosen || mark.tone ? 2 * pixel : 0);
    pen.lineWidth = (chosen || mark.tone ? 2.5 : 1.5) * pixel;
    pen.strokeStyle = stroke;
    pen.strokeRect(mark.box.x - grow, mark.box.y - grow, mark.box.w + 2 * grow, mark.box.h + 2 * grow);
  }
}

/** @param {CanvasRenderingContext2D} pen @param {Scene['frames']} list @param {number} pixel @param {Palette} colour */
function frames(pen, list, pixel, colour) {
  pen.lineWidth = Math.max(1, pixel);
  for (const { box, name } of list) {
    pen.fillStyle = colour.paper;
    pen.strokeStyle = colour.line2;
    pen.beginPath();
    pen.roundRect(box.x, box.y, box.w, box.h, 16);
    pen.fill();
    pen.stroke();
    const type = Math.max(12, 11 * pixel);
    if (name.length * type * LETTER < box.w && type < box.h / 2) text(pen, name, box.x + 12, box.y - 0.3 * type, type, box.w, colour.mut, colour);
  }
}

/** Three strokes for all lines: each alone would cost more than the picture. @param {CanvasRenderingContext2D} pen @param {Scene} scene @param {number[]} sight @param {number} pixel @param {Palette} colour */
function lines(pen, { lines: all, selected, shown }, sight, pixel, colour) {
  const [forward, back, now] = [new Path2D(), new Path2D(), new Path2D()];
  const rough = pixel > 8; // corners are smaller than a pixel
  for (const { points, bounds, reached, sent, now: current, ends } of all) {
    if (bounds[0] > sight[2] || bounds[2] < sight[0] || bounds[1] > sight[3] || bounds[3] < sight[1]) continue;
    if (shown.has(ends[0]) || shown.has(ends[1])) continue; // drawn with their cards
    const path = current || ends.includes(selected) ? now : sent ? back : forward;
    if (!reached && path === forward && rough) continue;
    path.moveTo(points[0].x, points[0].y);
    for (let i = rough ? points.length - 1 : 1; i < points.length; i++) path.lineTo(points[i].x, points[i].y);
  }
  pen.globalAlpha = rough ? 0.4 : 1; // thousands of lines must not hide the boxes
  pen.lineWidth = Math.max(1.6, 0.7 * pixel);
  pen.strokeStyle = colour.forward;
  pen.stroke(forward);
  pen.strokeStyle = colour['violet-line'];
  pen.stroke(back);
  pen.globalAlpha = 1;
  pen.lineWidth = Math.max(2.4, 2 * pixel);
  pen.strokeStyle = colour.violet;
  pen.stroke(now);
}

/** A card as one colour: its gradient's when there is one, that is what one looks for. @param {CanvasRenderingContext2D} pen @param {Mark} mark @param {Palette} colour */
function dot(pen, { box, kind, reached, value, grad }, colour) {
  pen.globalAlpha = reached ? 1 : 0.45;
  pen.fillStyle = kind === 'failed' ? colour.red : colour[(reached && (grad || value)) || 'line2'] ?? colour.line2;
  pen.fillRect(box.x, box.y, box.w, box.h);
  pen.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} pen @param {Mark} mark @param {number} k @param {Palette} colour */
function card(pen, mark, k, colour) {
  const { box, kind, reached, value, grad, places } = mark;
  pen.globalAlpha = reached ? 1 : 0.5;
  pen.fillStyle = colour[kind === 'leaf' ? 'paper' : 'card'];
  pen.strokeStyle = colour[kind === 'failed' ? 'red' : 'line2'];
  pen.lineWidth = Math.max(1, 1 / k);
  pen.beginPath();
  if (box.w * k > 60) pen.roundRect(box.x, box.y, box.w, box.h, 10);
  else pen.rect(box.x, box.y, box.w, box.h);
  pen.fill();
  pen.stroke();
  if (kind === 'param') {
    pen.fillStyle = colour.slate;
    pen.fillRect(box.x, box.y, box.w, Math.max(2.5, 1.5 / k));
  }
  for (const [at, name] of /** @type {[Box | null, string][]} */ ([[places.value, value], [places.grad, grad]])) {
    if (!at || !reached) continue;
    pen.fillStyle = name ? colour[name] ?? colour.red : colour['slate-soft'];
    pen.fillRect(box.x + at.x, box.y + at.y, at.w, at.h);
  }
  const type = Math.max(13, Math.min(30, 10 / k));
  if (box.w * k >= NAMED) text(pen, mark.name, box.x + 10, box.y + 8 + type * 0.8, type, box.w - 20, colour.ink, colour);
  pen.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} pen @param {string} words @param {number} x @param {number} y @param {number} type @param {number} room @param {string} ink @param {Palette} colour */
function text(pen, words, x, y, type, room, ink, colour) {
  const most = Math.floor(room / (type * LETTER));
  if (most < 1) return;
  pen.font = `600 ${type}px ${colour.font}`;
  pen.fillStyle = ink;
  pen.fillText(words.length <= most ? words : `${words.slice(0, Math.max(1, most - 1))}…`, x, y);
}

/** @param {Mark} mark @param {Palette} colour */
const tone = ({ tone: kind }, colour) => (kind === 'fail' ? colour.red : kind === 'update' ? colour.teal : kind === 'forward' ? colour.slate : colour.violet);

/** All of it as a drawing, for saving. @param {Scene} scene @param {{w: number, h: number}} size @param {Palette} colour @returns {string} */
export function drawing({ marks, lines: all, frames: around }, { w, h }, colour) {
  const tidy = (/** @type {string} */ words) => words.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const rect = (/** @type {Box} */ box, /** @type {string} */ rest) => `<rect x="${box.x}" y="${box.y}" width="${box.w}" height="${box.h}" ${rest}/>`;
  const path = (/** @type {Line[]} */ some) => some.map(({ points }) => points.map((point, i) => `${i ? 'L' : 'M'}${point.x} ${point.y}`).join('')).join('');
  const told = (/** @type {string} */ words, /** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ ink) => `<text x="${x}" y="${y}" fill="${ink}">${tidy(words)}</text>`;
  const cards = marks.map(({ box, kind, reached, value, grad, places, name }) => {
    const cells = reached ? [[places.value, value], [places.grad, grad]].map(([at, level]) => (at ? rect({ .../** @type {Box} */ (at), x: box.x + /** @type {Box} */ (at).x, y: box.y + /** @type {Box} */ (at).y }, `fill="${colour[/** @type {string} */ (level)] ?? colour['slate-soft']}"`) : '')).join('') : '';
    const most = Math.floor((box.w - 20) / (13 * LETTER));
    return `<g${reached ? '' : ' opacity=".5"'}>${rect(box, `rx="10" fill="${colour.card}" stroke="${kind === 'failed' ? colour.red : colour.line2}"`)}${cells}${told(name.length <= most ? name : `${name.slice(0, most - 1)}…`, box.x + 10, box.y + 20, colour.ink)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" font-family="${tidy(colour.font).replaceAll('"', "'")}" font-size="13" font-weight="600">${rect({ x: 0, y: 0, w, h }, `fill="${colour.bg}"`)}
${around.map(({ box, name }) => rect(box, `rx="16" fill="${colour.paper}" stroke="${colour.line2}"`) + told(name, box.x + 12, box.y - 4, colour.mut)).join('')}
<path d="${path(all.filter(({ sent }) => !sent))}" fill="none" stroke="${colour.forward}" stroke-width="1.6"/><path d="${path(all.filter(({ sent }) => sent))}" fill="none" stroke="${colour['violet-line']}" stroke-width="1.8"/>
${cards.join('\n')}</svg>`;
}

/** The card at a place of the graph, the last one drawn there; small ones are met a little beside as well. @param {Scene} scene @param {number} x @param {number} y @param {number} slack @returns {Mark | null} */
export function hit({ marks }, x, y, slack) {
  for (let i = marks.length - 1; i >= 0; i--) {
    const { box } = marks[i];
    if (x >= box.x - slack && x <= box.x + box.w + slack && y >= box.y - slack && y <= box.y + box.h + slack) return marks[i];
  }
  return null;
}
