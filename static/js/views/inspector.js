/** The selected tensor whole: all its numbers, what is known of them, where one of them comes from, its way over the steps. */

/**
 * @import {Arr} from '../types.js'
 * @import {Card} from '../model/graph.js'
 * @import {Origin} from '../model/cells.js'
 * @import {Context, View} from './index.js'
 */
import { Chart } from '../components/chart.js';
import { html } from '../components/html.js';
import { Matrix } from '../components/matrix.js';
import { Rich } from '../components/rich.js';
import { decode, magnitude, number } from '../model/arrays.js';
import { address, FEW, gradientOrigin, valueOrigin } from '../model/cells.js';
import { indexOf } from '../model/focus.js';
import { integer, shape, short, signed } from '../model/format.js';
import { histogram, summary } from '../model/statistics.js';
import { blocks } from '../store/blocks.js';

/** @param {Context} context @returns {Card | undefined} */
const chosen = ({ moment, ui }) => moment.graph?.cards.get(ui.select.value);

/** @type {View} */
export const inspectorView = {
  id: 'inspector', place: 'right', title: 'inspector.title', when: (context) => chosen(context) !== undefined && context.moment.state !== null,
  aside: ({ t, act }) => html`<button type="button" class="note link" onClick=${() => act('deselect')}>${t('inspector.close')}</button>`,
  draw: (context) => html`<${Inspector} ...${context} />`,
};

/** @param {Context} context */
function Inspector(context) {
  const { app, moment, ui, t, act } = context;
  const card = chosen(context);
  const tensor = card && moment.state?.tensors[card.tensor];
  if (!card || !moment.graph || !moment.state) return null;
  const kind = ui.cell.value.startsWith('g') ? 'g' : 'v';
  const index = ui.cell.value ? indexOf(ui.cell.value.slice(1), card.shape) : null;
  const gradient = card.kind === 'leaf' ? tensor?.grad : tensor?.flow;
  const array = kind === 'g' ? gradient : tensor?.value;
  const origin = index && tensor ? (kind === 'g' ? gradientOrigin : valueOrigin)(moment, card, index, app.ops.value) : null;
  const show = (/** @type {'v' | 'g'} */ which) => act('cell', [card.key, index ? address(which, index, card.shape) : `${which}0.0`]);
  return html`<div class="inspect">
    <p class="what"><b class="mono">${card.label}</b>${card.expr ? html`<span class="mono mut"> = ${card.expr}</span>` : null}</p>
    <p class="facts"><span class="mono">${shape(card.shape)}</span><span>${card.dtype}</span>${card.op?.grad_fn ? html`<span class="mono">${card.op.grad_fn}</span>` : html`<span>${t(`role.${card.role}`)}</span>`}
      ${card.line ? html`<span>${t('output.line', { line: card.line })}</span>` : null}${tensor?.stale ? html`<span class="warn">${t('inspector.stale')}</span>` : null}</p>
    ${card.grads ? html`<div class="pair" role="tablist">${/** @type {const} */ (['v', 'g']).map((which) => html`<button type="button" role="tab" aria-selected=${kind === which} class=${which} onClick=${() => show(which)}>${t(which === 'v' ? 'card.value' : 'inspector.gradient')}</button>`)}</div>` : null}
    ${array ? html`<${Whole} context=${context} card=${card} array=${array} kind=${kind} index=${index} />` : html`<p class="mut">${t(!tensor ? 'inspector.later' : 'inspector.none')}</p>`}
    ${index && array && !origin && !decode(array).whole && (kind === 'g' || card.kind === 'op') ? html`<p class="mut small">${t('origin.large')}</p>` : null}
    ${origin && index ? html`<${From} origin=${origin} name=${`${card.label}${index.length ? `[${index}]` : ''}`} kind=${kind} t=${t} act=${act} />` : null}
    ${array && decode(array).count > 1 ? html`<${Numbers} array=${array} t=${t} language=${app.language.value} />` : null}
    <${Neighbours} card=${card} moment=${moment} t=${t} act=${act} />
    <${History} card=${card} context=${context} kind=${kind} index=${index} /></div>`;
}

/** All numbers: those of a large tensor as they come into sight. @param {{context: Context, card: Card, array: Arr, kind: 'v' | 'g', index: number[] | null}} props */
function Whole({ context: { app, moment, t, act }, card, array, kind, index }) {
  const { trace, step, window, stop } = moment;
  const numbers = blocks(array, async (slice, signal) => {
    const last = stop?.until ?? (window?.events.length ?? 0) - 1;
    const begins = window?.events[0]?.kind === 'begin' ? 1 : 0; // the service counts a step's events without it
    return app.client.tensor(trace.id, card.tensor, { step, at: last - begins, of: kind === 'g' ? 'grad' : 'value', slice }, { signal });
  });
  const { problem, loading } = numbers;
  const { count, whole, dtype } = decode(array);
  return html`<${Matrix} key=${`${card.key}${kind}`} numbers=${numbers} dtype=${dtype} most=${magnitude(array)} label=${`${card.label} ${kind === 'g' ? t('inspector.gradient') : t('card.value')}`} chosen=${index} slice=${t('inspector.slice')}
      onPick=${(/** @type {number[]} */ at) => act('cell', [card.key, address(kind, at, card.shape)])} />
    ${whole ? null : html`<p class="mut small blocks" role="status">${problem.value ? html`<span class="warn">${t('inspector.unavailable', { why: app.tell.value(problem.value.message) })}</span> <button type="button" class="link" onClick=${() => numbers.again()}>${t('frame.again')}</button>`
      : loading.value ? html`<span class="spinner small"></span>${t('inspector.loading')}` : t('inspector.preview', { n: integer(count, app.language.value) })}</p>`}`;
}

/** @param {{origin: Origin, name: string, kind: 'v' | 'g', t: Context['t'], act: Context['act']}} props */
function From({ origin, name, kind, t, act }) {
  const { terms, total, rest, how, op } = origin;
  if (!terms.length) return html`<p class="mut small"><${Rich} text=${t(kind === 'g' ? 'origin.nothing' : `origin.${how}`, { name, op })} /></p>`;
  const adds = how === 'sum' || how === 'gradient';
  const title = how === 'pick' && terms.length > 1 ? 'origin.ties' : { gradient: 'origin.addends', sum: 'origin.sum', pick: 'origin.pick' }[/** @type {string} */ (how)] ?? 'origin.made-of';
  return html`<div class="origin"><h3>${t(title, { name })}</h3>
    <ol>${terms.slice(0, FEW).map((term) => html`<li>
      <span class="mono">${term.factors.length > 1 ? html`${term.factors.map((factor) => html`<span class=${factor < 0 ? 'neg' : 'pos'}>(${short(factor)})</span>`)}` : html`<span class=${term.product < 0 ? 'neg' : 'pos'}>${adds ? signed(term.product) : short(term.product)}</span>`}</span>
      ${term.sources.map((source) => html`<button type="button" class="link mono" onClick=${() => act('cell', [source.key, source.cell])}>${kind === 'g' ? '∂' : ''}${source.label}${source.index.length ? `[${source.index}]` : ''}</button>`)}
      ${term.factors.length > 1 ? html`<span class=${`mono sum ${term.product < 0 ? 'neg' : 'pos'}`}>${signed(term.product)}</span>` : null}</li>`)}</ol>
    ${terms.length > FEW || rest ? html`<p class="mut small">${t(how === 'gradient' ? 'origin.smaller' : 'origin.more', { n: terms.length - Math.min(terms.length, FEW) + rest })}</p>` : null}
    <p class="total mono">= <b class=${total < 0 ? 'neg' : 'pos'}>${short(total, 6)}</b></p></div>`;
}

/** @param {{array: Arr, t: Context['t'], language: string}} props */
function Numbers({ array, t, language }) {
  const stats = summary(array);
  const { bins, from, to } = histogram(array);
  const most = Math.max(...bins, 1);
  const rows = /** @type {[string, string][]} */ ([['min', short(stats.min)], ['max', short(stats.max)], ['mean', short(stats.mean)], ['std', short(stats.std)], ['norm', short(stats.norm)], ['zeros', integer(stats.zeros, language)]]);
  if (stats.nan) rows.push(['nan', integer(stats.nan, language)]);
  if (stats.inf) rows.push(['inf', integer(stats.inf, language)]);
  return html`<dl class="stats">${rows.map(([name, value]) => html`<div class=${name === 'nan' || name === 'inf' ? 'warn' : ''}><dt>${t(`stats.${name}`)}</dt><dd class="mono">${value}</dd></div>`)}</dl>
    ${bins.length > 1 ? html`<svg class="histogram" viewBox="0 0 292 46" role="img" aria-label=${t('stats.histogram')}>${bins.map((n, i) => {
      const middle = from + ((i + 0.5) / bins.length) * (to - from);
      return html`<rect x=${1 + (i * 290) / bins.length} y=${32 - (30 * n) / most} width=${290 / bins.length - 1} height=${(30 * n) / most} class=${middle < 0 ? 'neg' : 'pos'} />`;
    })}<text x="1" y="44" class="tick">${short(from, 3)}</text><text x="291" y="44" class="tick" text-anchor="end">${short(to, 3)}</text></svg>` : null}`;
}

/** @param {{card: Card, moment: Context['moment'], t: Context['t'], act: Context['act']}} props */
function Neighbours({ card, moment, t, act }) {
  const { graph } = moment;
  if (!graph) return null;
  const from = graph.edges.filter((edge) => edge.to === card.first).map((edge) => edge.from);
  const to = graph.edges.filter((edge) => edge.from === card.key).map((edge) => edge.to);
  const row = (/** @type {string} */ key, /** @type {string[]} */ cards) => cards.length ? html`<p class="kin"><span class="mut">${t(key)}</span>${[...new Set(cards)].map((each) => html`<button type="button" class="pill mono" onClick=${() => act('select', each)}>${graph.cards.get(each)?.label}</button>`)}</p>` : null;
  return html`${row('inspector.from', from)}${row('inspector.to', to)}`;
}

/** @param {{card: Card, context: Context, kind: 'v' | 'g', index: number[] | null}} props */
function History({ card, context: { moment, t, act }, kind, index }) {
  const { steps } = moment.trace;
  const name = card.name || card.label;
  if (card.kind !== 'leaf' || steps.length < 2 || !steps.some((step) => step.params?.[name])) return null;
  const at = index && card.shape.length ? index.reduce((sum, i, axis) => sum * card.shape[axis] + i, 0) : 0;
  const at_ = (/** @type {Arr | null | undefined} */ array) => (array ? decode(array).values[at] : undefined);
  // of a large parameter a step tells the first values and the norm
  const one = (index !== null || card.shape.length === 0) && steps.some((step) => at_((kind === 'g' ? step.grads : step.params)?.[name]) !== undefined);
  const values = steps.map((step) => {
    const array = (kind === 'g' ? step.grads : step.params)?.[name];
    if (!array) return NaN;
    const known = decode(array);
    if (one) return known.values[at] ?? NaN;
    return array.stats ? number(array.stats.norm) : Math.hypot(...Array.from(known.values));
  });
  return html`<h3>${t('inspector.history')} <span class="mut">${one ? `${name}${index?.length ? `[${index}]` : ''}` : `‖${name}‖`}</span></h3>
    <${Chart} series=${[{ name, values, kind: 'main' }]} cursor=${moment.step} height=${92} value label=${t('inspector.history')} onSeek=${(/** @type {number} */ step) => act('step', step)} />`;
}
