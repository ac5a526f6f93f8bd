/**
 * The graph as boxes and lines on a canvas, when it has more cards than the page can hold as elements or is seen from far
 * away. Says what is where and in which colours; components/paint.js draws it.
 *
 * @import {Folded} from '../model/fold.js'
 * @import {Layout} from '../layout/layout.js'
 * @import {Mark, Palette, Scene} from '../components/paint.js'
 * @import {Viewport} from '../components/viewport.js'
 * @import {Context} from './index.js'
 */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { strongest } from '../components/card.js';
import { level } from '../components/heat.js';
import { html } from '../components/html.js';
import { drawing, hit, paint, palette } from '../components/paint.js';
import { measure } from '../layout/metrics.js';
import { decode, magnitude } from '../model/arrays.js';
import { scale } from '../model/scale.js';

const QUICK = 10; // ms that a painting may take in every frame
const PATIENCE = 12; // times as long as it takes, until a slow one is painted anew on the way
const REST = 70; // ms after the last move

/** The whole graph as a drawing, while it is on a canvas. @type {{current: (() => {svg: string, w: number, h: number}) | null}} */
export const picture = { current: null };

/** @typedef {{context: Context, shown: Folded, placed: Layout, subject: ReturnType<typeof import('../model/about.js').about>, visible: (key: string) => string, viewport: Viewport, above: Set<string>}} PlanProps */

/** @param {PlanProps} props  above: keys of the cards that are drawn as elements */
export function Plan({ context, shown, placed, subject, visible, viewport, above }) {
  const { app, moment, ui, t, act } = context;
  const board = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const hover = useRef('');
  const dark = app.dark.value;
  const lines = useMemo(() => bounded(shown, placed), [shown, placed]);
  const scene = useMemo(() => sceneOf({ context, shown, placed, subject, visible, above }, lines), [moment, shown, placed, above, ui.select.value, ui.scale.value]);
  const colours = useRef(/** @type {Palette | null} */ (null));
  const latest = useRef(scene);
  latest.current = scene;
  const asked = useRef(0);
  const last = useRef({ camera: { x: 0, y: 0, k: 1 }, cost: 0, at: 0, late: 0 });
  const draw = () => {
    asked.current = 0;
    clearTimeout(last.current.late);
    const canvas = board.current;
    const pen = canvas?.getContext('2d');
    if (!canvas || !pen) return;
    const size = { w: canvas.clientWidth, h: canvas.clientHeight, dpr: Math.min(2, devicePixelRatio || 1) };
    const [w, h] = [Math.round(size.w * size.dpr), Math.round(size.h * size.dpr)];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    colours.current ??= palette(canvas);
    const { x, y, k } = viewport.camera();
    const start = performance.now();
    paint(pen, latest.current, { x, y, k }, size, colours.current, hover.current);
    const end = performance.now();
    last.current = { camera: { x, y, k }, cost: end - start, at: end, late: 0 };
    canvas.style.transform = '';
  };
  const soon = () => void (asked.current ||= requestAnimationFrame(draw));
  /** A picture that is painted quickly follows the hand; another is moved as it is, and painted anew now and then. */
  const follow = () => {
    const { camera, cost, at } = last.current;
    if (cost < QUICK || performance.now() - at > cost * PATIENCE) return soon();
    const { x, y, k } = viewport.camera();
    const by = k / camera.k;
    if (board.current) board.current.style.transform = `translate(${x - camera.x * by}px,${y - camera.y * by}px) scale(${by})`;
    clearTimeout(last.current.late);
    last.current.late = setTimeout(soon, REST);
  };
  useEffect(soon, [scene]);
  useEffect(() => {
    picture.current = () => {
      const size = { w: Math.ceil(placed.w), h: Math.ceil(placed.h) };
      return { svg: drawing(latest.current, size, palette(viewport.box)), ...size };
    };
    return () => void (picture.current = null);
  }, [placed]);
  useEffect(() => {
    colours.current = null;
    soon();
  }, [dark]);
  useEffect(() => {
    const leave = viewport.watch(follow);
    const observer = new ResizeObserver(soon);
    if (board.current) observer.observe(board.current);
    return () => {
      leave();
      observer.disconnect();
      cancelAnimationFrame(asked.current);
      clearTimeout(last.current.late);
      asked.current = 0;
    };
  }, [viewport]);
  /** @param {MouseEvent} event */
  const under = (event) => {
    const { x, y, k } = viewport.camera();
    const box = viewport.box.getBoundingClientRect();
    return hit(latest.current, (event.clientX - box.left - x) / k, (event.clientY - box.top - y) / k, 2 / k);
  };
  /** @param {PointerEvent} event */
  const over = (event) => {
    const found = under(event);
    if ((found?.key ?? '') === hover.current) return;
    hover.current = found?.key ?? '';
    /** @type {HTMLElement} */ (event.currentTarget).title = found?.name ?? '';
    /** @type {HTMLElement} */ (event.currentTarget).style.cursor = found ? 'pointer' : '';
    soon();
  };
  /** @param {MouseEvent} event */
  const pick = (event) => {
    event.stopPropagation();
    if (viewport.dragged) return;
    const found = under(event)?.key ?? '';
    if (found.startsWith('g:') && event.detail > 1) act('fold', found.slice(2));
    else act('select', found.startsWith('g:') ? moment.graph?.byTensor.get(shown.graph.cards.get(found)?.tensor ?? -1) ?? '' : found);
  };
  const chosen = ui.select.value ? visible(ui.select.value.split(':')[0]) : subject.cards.map(visible)[0] ?? '';
  return html`<canvas ref=${board} class="plan" tabindex="0" role="img" data-at=${chosen} aria-label=${t('graph.plan', { n: shown.graph.cards.size })} onClick=${pick} onPointerMove=${over}></canvas>`;
}

/** Lines with the rectangle that each stays in, worked out once per layout. @param {Folded} shown @param {Layout} placed */
function bounded(shown, placed) {
  return shown.graph.edges.flatMap((edge) => {
    const points = placed.routes.get(edge.id)?.points;
    if (!points) return [];
    const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
    return [{ edge, points, bounds: /** @type {[number, number, number, number]} */ ([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]) }];
  });
}

/** @param {Omit<PlanProps, 'viewport'>} props @param {ReturnType<typeof bounded>} lines @returns {Scene} */
function sceneOf({ context: { moment, ui }, shown, placed, subject, visible, above }, lines) {
  const { state } = moment;
  const { cards, groups } = shown.graph;
  const most = scale(moment.window?.events ?? [], ui.scale.value === 'each');
  const active = new Set(subject.cards.map(visible));
  const selected = ui.select.value ? visible(ui.select.value.split(':')[0]) : '';
  /** @type {Mark[]} */ const marks = [];
  for (const card of cards.values()) {
    const box = placed.boxes.get(card.key);
    if (!box) continue;
    const { grid, value, grad } = measure(card);
    const op = card.kind === 'op' ? state?.ops[card.by] : undefined;
    const tensor = card.kind === 'op' && !op ? undefined : state?.tensors[card.tensor];
    const gradient = card.kind === 'leaf' ? tensor?.grad : tensor?.flow;
    marks.push({
      key: card.key, box, name: card.sign && card.sign !== '⊞' ? `${card.sign} ${card.label}` : card.label, kind: card.role === 'failed' ? 'failed' : card.kind === 'op' ? 'op' : card.grads ? 'param' : 'leaf',
      reached: !!tensor || card.role === 'failed', tone: active.has(card.key) ? subject.tone || 'forward' : '',
      value: tensor ? hue(tensor.value, strongest(tensor.value, most.values, most.each)) : '', grad: gradient ? hue(gradient, strongest(gradient, most.grads, most.each)) : '',
      places: { value: { ...value, w: grid.w, h: grid.h }, grad: grad && { ...grad, w: grid.w, h: grid.h } },
    });
  }
  const near = new Set(lines.flatMap(({ edge }) => (edge.from === selected ? edge.to : edge.to === selected ? edge.from : [])));
  return {
    marks, selected, near, shown: above,
    frames: [...placed.groups].map(([path, box]) => ({ box, name: `${groups.get(path)?.type ?? ''} ${path.startsWith('~') ? '' : path}`.trim() })),
    lines: lines.map(({ edge, points, bounds }) => {
      const op = state?.ops[cards.get(edge.to)?.by ?? -1];
      return { points, bounds, reached: !!op, sent: !!op?.sent.some((sent) => sent.index === edge.index), now: subject.edge === edge.id, ends: /** @type {[string, string]} */ ([edge.from, edge.to]) };
    }),
  };
}

/** @type {WeakMap<import('../types.js').Arr, {most: number, name: string}>} */
const hues = new WeakMap();

/** The colour of a whole tensor: that of its strongest value, as an average would hide the cell that explodes. @param {import('../types.js').Arr} array @param {number} most @returns {string} */
function hue(array, most) {
  let found = hues.get(array);
  if (found?.most === most) return found.name;
  const { values } = decode(array);
  const size = magnitude(array);
  let value = values.length ? values[0] : 0;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i]) || Math.abs(values[i]) === size) value = values[i];
  hues.set(array, (found = { most, name: level(value, most).replace('hm', 'h-').replace('hnan', 'red') }));
  return found.name;
}
