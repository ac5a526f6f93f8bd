/**
 * The computation graph: cards, edges and module frames of the step, as far as the cursor has come; what is still to come
 * is drawn as a ghost in its place. Draws from (moment, ui).
 *
 * @import {Arr} from '../types.js'
 * @import {View, Context} from './index.js'
 * @import {Graph} from '../model/graph.js'
 * @import {Layout} from '../layout/layout.js'
 * @import {Moment} from '../store/session.js'
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../components/button.js';
import { Card } from '../components/card.js';
import { Chips, Edge, Strands, summed } from '../components/edge.js';
import { Viewport } from '../components/viewport.js';
import { html } from '../components/html.js';
import { Icon } from '../components/icon.js';
import { layout } from '../layout/layout.js';
import { measure } from '../layout/metrics.js';
import { decode } from '../model/arrays.js';
import { addends, mark, narrowed, positions } from '../model/focus.js';
import { about, focus } from '../model/about.js';
import { scale } from '../model/scale.js';

/** @type {View} */
export const graphView = { id: 'graph', place: 'centre', title: 'graph.title', draw: (context) => html`<${Canvas} ...${context} />` };

/** @param {Context} context */
function Canvas({ app, moment, ui, t, act }) {
  const layouts = useSignal(/** @type {Layout | null} */ (null));
  const placed = layouts.value;
  const viewport = useRef(/** @type {Viewport | null} */ (null));
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const { graph: structure, window } = moment;
  // while a step is still streaming in, its layout waits for a quiet moment
  useEffect(() => {
    if (!structure || !structure.cards.size) return void (layouts.value = null);
    let here = true;
    const wait = setTimeout(() => layout(structure, `${app.config.static}vendor/elk-worker.js`).then((answer) => here && (layouts.value = answer)), window?.closed || !app.session.busy ? 0 : 120);
    return () => {
      here = false;
      clearTimeout(wait);
    };
  }, [structure?.hash]);
  useEffect(() => {
    if (!box.current) return;
    const view = (viewport.current = new Viewport(box.current));
    return () => view.close();
  }, []);
  useEffect(() => {
    if (placed) viewport.current?.show(placed);
  }, [placed]);
  const fitting = structure && placed?.hash === structure.hash ? placed : null;
  const subject = about(moment);
  useEffect(() => {
    const active = fitting && subject.cards[0] ? fitting.boxes.get(subject.cards[0]) : null;
    if (active) viewport.current?.reveal(active);
  }, [fitting, subject.cards[0]]);

  /** @param {MouseEvent} event */
  const pick = (event) => {
    if (viewport.current?.dragged) return;
    const target = /** @type {Element} */ (event.target);
    const card = target.closest('[data-key]')?.getAttribute('data-key');
    const edge = target.closest('[data-edge]')?.getAttribute('data-edge');
    const cell = target.closest('[data-cell]')?.getAttribute('data-cell');
    if (card && cell) act('cell', [card, cell]);
    else act('select', card ?? edge ?? '');
  };
  return html`<section class="canvas" ref=${box} aria-label=${t('graph.title')} onClick=${pick}>
    <div class="ctools" role="toolbar" aria-label=${t('graph.tools')}>
      <${Button} label=${t('graph.zoom-in')} icon="plus" onClick=${() => viewport.current?.zoom(1.3)} />
      <${Button} label=${t('graph.zoom-out')} icon="minus" onClick=${() => viewport.current?.zoom(1 / 1.3)} />
      <${Button} label=${t('graph.fit')} icon="maximize" onClick=${() => viewport.current?.fit()} />
    </div>
    <div class="world" data-world>${fitting && structure ? html`<${Picture} moment=${moment} ui=${ui} t=${t} structure=${structure} placed=${fitting} subject=${subject} />` : null}</div>
    ${fitting ? html`<${Legend} t=${t} />` : html`<${Blank} app=${app} moment=${moment} t=${t} act=${act} waiting=${!!structure?.cards.size} />`}
  </section>`;
}

/** @param {{moment: Moment, ui: Context['ui'], t: Context['t'], structure: Graph, placed: Layout, subject: ReturnType<typeof about>}} props */
function Picture({ moment, ui, t, structure, placed, subject }) {
  const { state } = moment;
  if (!state) return null;
  const { cards, edges, groups } = structure;
  const each = ui.scale.value === 'each';
  const magnitudes = scale(moment.window?.events ?? [], each);
  const selected = ui.select.value;
  const lit = focus(moment, selected, ui.cell.value);
  const root = cards.get(structure.byTensor.get(state.root ?? subject.root ?? -1) ?? '')?.label ?? 'L';
  const crowded = cards.size > 60;
  const drawn = edges.flatMap((edge) => {
    const route = placed.routes.get(edge.id);
    const [from, to] = [cards.get(edge.from), cards.get(edge.to)];
    if (!route || !from || !to) return [];
    const op = state.ops[to.tensor];
    const active = subject.edge === edge.id;
    const wide = route.points.length === 2 && !crowded && alone(edge, edges);
    return [{ edge, points: route.points, side: route.side, lift: route.lift, reached: !!op || to.role === 'failed', sent: op?.sent.find((sent) => sent.index === edge.index), active, wide,
      near: selected === edge.from || selected === edge.to, selected: selected === edge.id, t, crowded }];
  });
  const strands = drawn.find((each) => each.active && each.side && each.sent && summed(each.sent));
  return html`<svg class="graph" width=${placed.w} height=${placed.h} viewBox=${`0 0 ${placed.w} ${placed.h}`} role="tree" aria-label=${t('graph.title')}>
    <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line y2="6" class="hl" /></pattern>
      <pattern id="hatch-nan" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="nanbg" /><line y2="6" class="nanline" /></pattern></defs>
    ${[...placed.groups].map(([path, area]) => frame(path, area, groups.get(path)?.type ?? '', count(structure, path), t))}
    ${drawn.map((props) => html`<${Edge} key=${props.edge.id} ...${props} />`)}
    ${strands ? unroll(strands, moment, structure, placed, lit.index, t) : null}
    ${[...cards.values()].map((card, i) => {
      const area = placed.boxes.get(card.key);
      if (!area) return null;
      const tensor = state.tensors[card.tensor];
      const op = card.kind === 'op' ? state.ops[card.tensor] : undefined;
      return html`<${Card} key=${card.key} card=${card} box=${area} tensor=${card.kind === 'op' && !op ? undefined : tensor} op=${op} scale=${magnitudes} root=${root}
        active=${subject.cards.includes(card.key) ? subject.tone : ''} selected=${selected === card.key} near=${false} marks=${lit.marks.get(card.key)}
        pending=${card.kind === 'leaf' && subject.arriving?.key === card.key ? subject.arriving.result : null} note="" t=${t} tabbable=${selected ? selected === card.key : i === 0} />`;
    })}
    ${drawn.map((props) => html`<${Chips} key=${props.edge.id} ...${props} />`)}</svg>`;
}

/** The only way between its two cards, so that both directions have room side by side. @param {Graph['edges'][number]} edge @param {Graph['edges']} edges */
const alone = (edge, edges) => edges.every((other) => other === edge || (other.from !== edge.from && (other.to !== edge.to || true)));

/** @param {any} props @param {Moment} moment @param {Graph} structure @param {Layout} placed @param {number[] | null} index @param {Context['t']} t */
function unroll({ edge, sent }, moment, structure, placed, index, t) {
  const [from, to] = [placed.boxes.get(edge.to), placed.boxes.get(edge.from)];
  const card = structure.cards.get(edge.to);
  const op = card ? moment.state?.ops[card.tensor] : undefined;
  const parts = addends(sent, index ?? edge.shape.map(() => 0), op?.grad ?? null);
  if (!from || !to || !card || !parts) return null;
  const { grid, grad } = measure(card);
  const shape = decode(sent.product).shape;
  const byRow = grad && grid.whole && parts.addends.length === grid.rows && (parts.ranges.at(-1)?.[0] === parts.ranges.at(-1)?.[1] || grid.cols === 1);
  const rows = byRow ? positions(parts.ranges, shape).map((_, i) => from.y + grad.y + i * (grid.ch + 1) + grid.ch / 2 + 0.5) : [];
  return html`<${Strands} edge=${edge} sent=${sent} from=${from} to=${to} addends=${parts.addends} rows=${rows} t=${t} />`;
}

/** @param {string} path @param {import('../layout/layout.js').Box} area @param {string} type @param {number} n @param {Context['t']} t */
function frame(path, area, type, n, t) {
  const name = `${path}`;
  const text = t('graph.nodes', { n });
  const w = 40 + (type.length + name.length) * 7.1 + text.length * 6.2 + 14;
  return html`<g class="group" key=${path}><rect x=${area.x} y=${area.y} width=${area.w} height=${area.h} rx="16" />
    <g transform=${`translate(${area.x + 14},${area.y})`}><rect class="tab" y="-11" width=${w} height="22" rx="11" /><path d="M11 -2.4l3.6 4 3.6-4" class="chev" />
    <text x="25" y="3.8" class="gt">${type}<tspan class="gs" dx="7">${name}</tspan><tspan class="gs" dx="9">${text}</tspan></text></g></g>`;
}

/** @param {Graph} structure @param {string} path */
const count = ({ cards }, path) => [...cards.values()].filter((card) => card.kind === 'op' && (card.scope === path || card.scope.startsWith(`${path}.`))).length;

/** @param {{t: Context['t']}} props */
const Legend = ({ t }) => html`<div class="legend"><div><span>−</span><i class="rampbar"></i><span>+</span></div>
  <div class="lk"><svg width="26" height="10" aria-hidden="true"><path d="M1 5H25" class="efwd" /></svg>${t('legend.forward')}</div>
  <div class="lk"><svg width="26" height="10" aria-hidden="true"><path d="M1 5H25" class="efwd dashed" /></svg>${t('legend.broadcast')}</div>
  <div class="lk"><svg width="26" height="10" aria-hidden="true"><path d="M1 5H25" class="ebwd" /></svg>${t('legend.gradient')}</div></div>`;

/** Nothing to draw: says why, and what to do. @param {{app: Context['app'], moment: Moment, t: Context['t'], act: Context['act'], waiting: boolean}} props */
function Blank({ app, moment, t, act, waiting }) {
  const phase = app.session.phase.value;
  if (waiting || phase === 'starting' || app.session.fetching.value !== null) return html`<div class="blankslate" role="status"><span class="spinner"></span><p>${t(app.session.fetching.value !== null ? 'graph.fetching' : waiting ? 'graph.placing' : 'graph.starting', { step: moment.step })}</p></div>`;
  if (phase === 'problem') return html`<div class="blankslate"><${Icon} name="circle-alert" size=${28} /><p>${t('graph.problem')}</p></div>`;
  if (phase === 'empty') return html`<div class="blankslate"><h2>${t('empty.title')}</h2><p>${t('empty.text')}</p>
    <button type="button" class="pri big" onClick=${() => act('run')}><${Icon} name="play" />${t('action.run')}</button></div>`;
  return html`<div class="blankslate"><p>${t(moment.trace.fail ? 'graph.failed-before' : 'graph.no-tensors')}</p></div>`;
}

/** @typedef {Arr} _Arr */
