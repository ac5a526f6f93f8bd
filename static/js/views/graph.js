/**
 * The computation graph: cards, edges and module frames of the step, as far as the cursor has come; what is still to come
 * is drawn as a ghost in its place. Draws from (moment, ui).
 *
 * @import {View, Context} from './index.js'
 * @import {Folded} from '../model/fold.js'
 * @import {Graph} from '../model/graph.js'
 * @import {Box, Layout} from '../layout/layout.js'
 * @import {Moment} from '../store/session.js'
 * @import {Translate} from '../i18n/i18n.js'
 */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Button } from '../components/button.js';
import { Card } from '../components/card.js';
import { Chips, Edge, Strands, summed } from '../components/edge.js';
import { Finder } from '../components/finder.js';
import { html } from '../components/html.js';
import { Icon } from '../components/icon.js';
import { Minimap } from '../components/minimap.js';
import { Viewport } from '../components/viewport.js';
import { layout } from '../layout/layout.js';
import { measure } from '../layout/metrics.js';
import { about, focus } from '../model/about.js';
import { decode } from '../model/arrays.js';
import { addends } from '../model/focus.js';
import { fold } from '../model/fold.js';
import { scale } from '../model/scale.js';
import { booksOf } from './ledger.js';
import { Outline } from './outline.js';
import { Plan } from './plan.js';

const MANY = 160; // cards: more are drawn on a canvas, those in sight as elements once the view rests
const FEW = 60; // cards: these are elements from any distance
const FAR = 0.2; // scale from which nothing on a card can be read
const NEAR = 0.34; // scale at which numbers are worth drawing
const AROUND = 0.35; // of the window, beyond its edges
const REST = 110; // ms without a move
const SPOKEN = 40; // cards of a large graph that are told in words, before and after the current one

/** @type {View} */
export const graphView = { id: 'graph', place: 'centre', title: 'graph.title', draw: (context) => html`<${Canvas} ...${context} />` };

/** @param {Context} context */
function Canvas(context) {
  const { app, moment, ui, t, act } = context;
  const layouts = useSignal(/** @type {Layout | null} */ (null));
  const placed = layouts.value;
  const viewport = useSignal(/** @type {Viewport | null} */ (null));
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = moment.graph ? fold(moment.graph, ui.fold.value, ui.unfold.value) : null;
  const structure = shown?.graph ?? null;
  const quiet = moment.window?.closed || !app.session.busy;
  // while a step is still streaming in, its layout waits for a quiet moment
  useEffect(() => {
    if (!structure || !structure.cards.size) return void (layouts.value = null);
    let here = true;
    const wait = setTimeout(() => layout(structure, `${app.config.static}vendor/elk-worker.js`).then((answer) => here && (layouts.value = answer)), quiet ? 0 : 120);
    return () => {
      here = false;
      clearTimeout(wait);
    };
  }, [structure?.hash]);
  useEffect(() => {
    if (!box.current) return;
    const view = (viewport.value = new Viewport(box.current));
    return () => view.close();
  }, []);
  useEffect(() => {
    if (placed) viewport.value?.show(placed);
  }, [placed, viewport.value]);
  const fitting = structure && placed?.hash === structure.hash ? placed : null;
  const sight = useSignal(/** @type {{box: Box, k: number} | null} */ (null));
  useEffect(() => {
    const view = viewport.value;
    if (!view) return;
    let rest = 0;
    const look = () => (sight.value = { box: view.sight(), k: view.camera().k });
    look();
    const leave = view.watch(() => {
      clearTimeout(rest);
      rest = setTimeout(look, REST);
    });
    return () => {
      leave();
      clearTimeout(rest);
    };
  }, [viewport.value]);
  const crowd = fitting && shown && (fitting.boxes.size > MANY || (fitting.boxes.size > FEW && (sight.value?.k ?? 1) < FAR));
  const above = useMemo(() => (crowd && sight.value ? inSight(fitting, sight.value) : NOTHING), [crowd, fitting, sight.value]);
  if (viewport.value) viewport.value.still = !!crowd;
  const subject = about(moment);
  const visible = (/** @type {string} */ key) => shown?.owner.get(key) ?? key;
  const active = subject.cards.map(visible);
  const target = ui.select.value ? visible(ui.select.value.split(':')[0]) : '';
  useEffect(() => {
    const areas = active.flatMap((key) => fitting?.boxes.get(key) ?? []);
    if (areas.length) viewport.value?.reveal(areas[0], areas[1]);
  }, [fitting, active.join()]);
  useEffect(() => {
    const area = fitting?.boxes.get(target);
    if (area) viewport.value?.reveal(area);
  }, [target]);

  // while the events of another step are on their way, or its layout is, the last picture stays, faint
  const last = useRef(/** @type {any} */ (null));
  if (fitting && shown && moment.state) last.current = { context, shown, placed: fitting, subject, visible, only: crowd ? above : null };
  const stale = !fitting && structure?.cards.size !== 0 && last.current?.context.moment.trace === moment.trace ? last.current : null;

  /** @param {MouseEvent} event */
  const pick = (event) => {
    if (viewport.value?.dragged) return;
    const at = (/** @type {string} */ name) => /** @type {Element} */ (event.target).closest(`[data-${name}]`)?.getAttribute(`data-${name}`);
    const [path, card, edge, cell] = [at('fold'), at('key'), at('edge'), at('cell')];
    if (path) act('fold', path);
    else if (card?.startsWith('g:')) act(event.detail > 1 ? 'fold' : 'select', event.detail > 1 ? card.slice(2) : moment.graph?.byTensor.get(structure?.cards.get(card)?.tensor ?? -1));
    else if (card && cell) act('cell', [card, cell]);
    else act('select', card ?? edge ?? '');
  };
  return html`<section class="canvas" ref=${box} aria-label=${t('graph.title')} onClick=${pick} onKeyDown=${(/** @type {KeyboardEvent} */ event) => walk(event, structure, act)}>
    <div class="ctools" role="toolbar" aria-label=${t('graph.tools')}>
      <${Button} label=${t('graph.zoom-in')} icon="plus" onClick=${() => viewport.value?.zoom(1.3)} />
      <${Button} label=${t('graph.zoom-out')} icon="minus" onClick=${() => viewport.value?.zoom(1 / 1.3)} />
      <${Button} label=${t('graph.fit')} icon="maximize" onClick=${() => viewport.value?.fit()} />
      <${Button} label=${t('action.search')} keys="/" icon="search" onClick=${() => act('search')} />
    </div>
    ${app.searching.value && moment.graph ? html`<${Finder} graph=${moment.graph} label=${t('graph.find')} none=${t('graph.none-found')} onClose=${() => (app.searching.value = false)} onChoose=${(/** @type {string} */ key) => {
      app.searching.value = false;
      act('select', key);
    }} />` : null}
    ${crowd && viewport.value ? html`<${Plan} context=${context} shown=${shown} placed=${fitting} subject=${subject} visible=${visible} viewport=${viewport.value} above=${above} />` : null}
    <div class=${stale ? 'world stale' : 'world'} data-world>${fitting && shown ? html`<${Picture} context=${context} shown=${shown} placed=${fitting} subject=${subject} visible=${visible} only=${crowd ? above : null} />` : stale ? html`<${Picture} ...${stale} />` : null}</div>
    ${fitting ? html`<${Legend} t=${t} />` : html`<${Blank} app=${app} moment=${moment} t=${t} act=${act} waiting=${!!structure?.cards.size} />`}
    ${fitting && viewport.value ? html`<${Minimap} placed=${fitting} viewport=${viewport.value} active=${active} label=${t('graph.minimap')} />` : null}
    ${structure && fitting ? html`<${Outline} graph=${crowd ? around(structure, target || active[0]) : structure} moment=${moment} t=${t} act=${act} />` : null}
  </section>`;
}

/** @type {Set<string>} */
const NOTHING = new Set();

/** Cards in the window and a little around it, when they are few and near enough to be read. @param {Layout} placed @param {{box: Box, k: number}} sight @returns {Set<string>} */
function inSight(placed, { box, k }) {
  if (k < NEAR) return NOTHING;
  const [dx, dy] = [box.w * AROUND, box.h * AROUND];
  const found = new Set();
  for (const [key, { x, y, w, h }] of placed.boxes) if (x < box.x + box.w + dx && x + w > box.x - dx && y < box.y + box.h + dy && y + h > box.y - dy) found.add(key);
  return found.size > MANY ? NOTHING : found;
}

/** The part of a large graph that is told in words: what comes before and after a card. @param {Graph} graph @param {string | undefined} key @returns {Graph} */
function around(graph, key) {
  const order = [...graph.cards];
  const at = Math.max(0, order.findIndex(([each]) => each === key));
  return { ...graph, cards: new Map(order.slice(Math.max(0, at - SPOKEN), at + SPOKEN)) };
}

/** Along the edges by keyboard: up to what a card was made from, down to what reads it. @param {KeyboardEvent} event @param {Graph | null} structure @param {Context['act']} act */
function walk(event, structure, act) {
  const on = /** @type {Element} */ (event.target);
  const key = on.closest?.('[data-key]')?.getAttribute('data-key') ?? on.getAttribute?.('data-at');
  if (!key || !structure) return;
  const order = [...structure.cards.keys()];
  const ways = /** @type {Record<string, (() => string | undefined) | undefined>} */ ({
    ArrowUp: () => structure.edges.find((edge) => edge.to === structure.cards.get(key)?.first)?.from, ArrowDown: () => structure.edges.find((edge) => edge.from === key)?.to,
    PageUp: () => order[order.indexOf(key) - 1], PageDown: () => order[order.indexOf(key) + 1], Enter: () => key, ' ': () => key,
  });
  const next = ways[event.key]?.();
  if (!next) return;
  event.preventDefault();
  event.stopPropagation();
  act('select', next);
  if (on instanceof HTMLCanvasElement) return;
  const root = /** @type {Element} */ (event.currentTarget);
  requestAnimationFrame(() => {
    const card = root.querySelector(`[data-key="${next}"] .focus`);
    if (card instanceof SVGElement) card.focus({ preventScroll: true });
  });
}

/** @param {{context: Context, shown: Folded, placed: Layout, subject: ReturnType<typeof about>, visible: (key: string) => string, only: Set<string> | null}} props  only: cards to draw, null for all */
function Picture({ context, shown, placed, subject, visible, only }) {
  const { app, moment, ui, t } = context;
  const { state } = moment;
  if (!state || !moment.graph) return null;
  const { cards, edges, groups } = shown.graph;
  const magnitudes = scale(moment.window?.events ?? [], ui.scale.value === 'each');
  const selected = ui.select.value.includes(':') ? ui.select.value : visible(ui.select.value);
  const lit = focus(moment, ui.select.value, ui.cell.value, app.ops.value);
  const root = moment.graph.cards.get(moment.graph.byTensor.get(state.root ?? subject.root ?? -1) ?? '')?.label ?? 'L';
  const crowded = cards.size > 60;
  const active = new Set(subject.cards.map(visible));
  const kin = new Set(edges.flatMap((edge) => (edge.from === selected ? edge.to : edge.to === selected ? edge.from : [])));
  const now = moment.stop?.until ?? -1;
  const warned = new Map((booksOf(moment)?.notes ?? []).filter((note) => note.at <= now).map((note) => [visible(note.card), t(note.key, note.words).replaceAll(/\*\*|`/g, '')]));
  const tabs = [...placed.groups].map(([path, area]) => ({ x: area.x + 14, y: area.y - 11, w: tab(path, groups.get(path)?.type ?? '', count(shown.graph, path), t).w, h: 22 })).sort((a, b) => a.y - b.y);
  const drawn = edges.flatMap((edge) => {
    if (only && !only.has(edge.from) && !only.has(edge.to)) return [];
    const route = placed.routes.get(edge.id);
    const to = cards.get(edge.to);
    if (!route || !to) return [];
    const op = state.ops[Number(edge.id.slice(1).split(':')[0].replaceAll('′', ''))];
    const wide = route.points.length === 2 && !crowded && Math.abs(route.points[0].y - route.points[1].y) < 60 && edges.every((other) => other === edge || (other.from !== edge.from && other.to !== edge.to) || placed.routes.get(other.id)?.side);
    return [{ edge, points: route.points, side: route.side, lift: route.lift, reached: !!op || to.role === 'failed', sent: op?.sent.find((sent) => sent.index === edge.index), active: subject.edge === edge.id, wide,
      near: selected === edge.from || selected === edge.to, selected: selected === edge.id, t, crowded, tabs }];
  });
  const strands = drawn.find((each) => each.active && each.side && each.sent && summed(each.sent));
  return html`<svg class="graph" width=${placed.w} height=${placed.h} viewBox=${`0 0 ${placed.w} ${placed.h}`} role="tree" aria-label=${t('graph.title')}>
    <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line y2="6" class="hl" /></pattern>
      <pattern id="hatch-nan" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="nanbg" /><line y2="6" class="nanline" /></pattern></defs>
    ${only ? null : [...placed.groups].map(([path, { x, y, w, h }]) => html`<g class="group" key=${path}><rect x=${x} y=${y} width=${w} height=${h} rx="16" /></g>`)}
    ${drawn.map((props) => html`<${Edge} key=${props.edge.id} ...${props} />`)}
    ${only && !only.size ? null : [...placed.groups].map(([path, area]) => handle(path, area, groups.get(path)?.type ?? '', count(shown.graph, path), t))}
    ${strands ? unroll(strands, moment, shown.graph, placed, lit.index, t) : null}
    ${[...cards.values()].map((card, i) => {
      const area = placed.boxes.get(card.key);
      if (!area || (only && !only.has(card.key))) return null;
      const op = card.kind === 'op' ? state.ops[card.by] : undefined;
      return html`<${Card} key=${card.key} card=${card} box=${area} tensor=${card.kind === 'op' && !op ? undefined : state.tensors[card.tensor]} op=${op} scale=${magnitudes} root=${root}
        active=${active.has(card.key) ? subject.tone : ''} selected=${selected === card.key} near=${kin.has(card.key)} marks=${lit.marks.get(card.key)}
        pending=${subject.arriving?.key === card.key ? subject.arriving.result : null} note=${warned.get(card.key) ?? ''} t=${t} tabbable=${cards.has(selected) ? selected === card.key : i === 0} />`;
    })}
    ${drawn.map((props) => html`<${Chips} key=${props.edge.id} ...${props} />`)}</svg>`;
}

/** @param {any} props @param {Moment} moment @param {Graph} structure @param {Layout} placed @param {number[] | null} index @param {Translate} t */
function unroll({ edge, sent, lift }, moment, structure, placed, index, t) {
  const [from, to] = [placed.boxes.get(edge.to), placed.boxes.get(edge.from)];
  const card = structure.cards.get(edge.to);
  const op = card ? moment.state?.ops[card.by] : undefined;
  const parts = addends(sent, index ?? edge.shape.map(() => 0), op?.grad ?? null);
  if (!from || !to || !card || !parts) return null;
  const { grid, grad } = measure(card);
  const { shape } = decode(sent.product);
  const last = parts.ranges.at(-1);
  const byRow = grad && grid.whole && shape.length === 2 && parts.addends.length === grid.rows && last?.[0] === last?.[1];
  const rows = byRow ? parts.addends.map((_, i) => from.y + grad.y + i * (grid.ch + 1) + grid.ch / 2 + 0.5) : [];
  return html`<${Strands} edge=${edge} sent=${sent} from=${from} to=${to} addends=${parts.addends} rows=${rows} lift=${lift} t=${t} />`;
}

/** The name of a group on its upper edge, above the lines that cross it. @param {string} path @param {Box} area @param {string} type @param {number} n @param {Translate} t */
function handle(path, area, type, n, t) {
  const { name, text, w } = tab(path, type, n, t);
  return html`<g class="group" key=${`=${path}`}><g class="handle" transform=${`translate(${area.x + 14},${area.y})`} data-fold=${path}><title>${t('action.fold')}</title><rect class="tab" y="-11" width=${w} height="22" rx="11" /><path d="M11 -2.4l3.6 4 3.6-4" class="chev" />
    <text x="25" y="3.8" class="gt">${type}<tspan class="gs" dx="7">${name}</tspan><tspan class="gs" dx=${name ? 8 : 0}>${text}</tspan></text></g></g>`;
}

/** @param {string} path @param {string} type @param {number} n @param {Translate} t */
function tab(path, type, n, t) {
  const name = path.startsWith('~') ? '' : path;
  const text = t('graph.nodes', { n });
  const wide = [...text].filter((letter) => letter > '⺀').length * 4.4;
  return { name, text, w: 34 + (type.length + name.length) * 6.6 + text.length * 5.9 + wide + (name ? 14 : 6) };
}

/** @param {Graph} structure @param {string} path */
const count = ({ cards }, path) => [...cards.values()].filter((card) => card.kind === 'op' && card.role !== 'further' && (card.scope === path || card.scope.startsWith(`${path}.`))).length;

/** @param {{t: Translate}} props */
const Legend = ({ t }) => html`<div class="legend"><div><span>−</span><i class="rampbar"></i><span>+</span></div>
  <div class="lk"><svg width="26" height="10" aria-hidden="true"><path d="M1 5H25" class="efwd" /></svg>${t('legend.forward')}</div>
  <div class="lk"><svg width="26" height="10" aria-hidden="true"><path d="M1 5H25" class="efwd dashed" /></svg>${t('legend.broadcast')}</div>
  <div class="lk"><svg width="26" height="10" aria-hidden="true"><path d="M1 5H25" class="ebwd" /></svg>${t('legend.gradient')}</div></div>`;

/** Nothing to draw: says why, and what to do. @param {{app: Context['app'], moment: Moment, t: Translate, act: Context['act'], waiting: boolean}} props */
function Blank({ app, moment, t, act, waiting }) {
  const phase = app.session.phase.value;
  if (waiting || phase === 'starting' || app.session.fetching.value !== null) return html`<div class="blankslate" role="status"><span class="spinner"></span><p>${t(app.session.fetching.value !== null ? 'graph.fetching' : waiting ? 'graph.placing' : 'graph.starting', { step: moment.step })}</p></div>`;
  if (phase === 'problem') return html`<div class="blankslate"><${Icon} name="circle-alert" size=${28} /><p>${t('graph.problem')}</p></div>`;
  if (phase === 'empty') return html`<div class="blankslate"><h2>${t('empty.title')}</h2><p>${t('empty.text')}</p>
    <button type="button" class="pri big" onClick=${() => act('run')}><${Icon} name="play" />${t('action.run')}</button></div>`;
  return html`<div class="blankslate"><p>${t(moment.trace.fail ? 'graph.failed-before' : 'graph.no-tensors')}</p></div>`;
}
