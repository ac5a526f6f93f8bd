/**
 * Broadcasting under the lens: shapes aligned, the rule per axis, the small operand stretched into ghost cells; backwards,
 * what is summed to undo it, with numbers. And when shapes do not fit: which axis, and the ways out.
 *
 * @import {Arr, Broadcast} from '../types.js'
 * @import {Sent} from '../model/reduce.js'
 * @import {Context, View} from './index.js'
 * @typedef {{shapes: number[][], names: string[], stretched: {name: string, value: Arr | null, broadcast: Broadcast, sent: Sent | null}[], failed: boolean}} Subject
 */
import { html } from '../components/html.js';
import { level } from '../components/heat.js';
import { decode, flat, magnitude, unbroadcast } from '../model/arrays.js';
import { align, fixes } from '../model/broadcast.js';
import { cell, shape } from '../model/format.js';

const MOST = 8; // rows and columns of ghosts that can be read

/** @type {View} */
export const lensView = { id: 'lens', place: 'right', title: 'lens.title', when: (context) => subject(context) !== null, draw: (context) => html`<${Lens} ...${context} />` };

/** The broadcast in question: of the selected op or edge, of a parameter where it is read, or the one that failed. @param {Context} context @returns {Subject | null} */
function subject({ moment, ui }) {
  const { graph, state, event } = moment;
  if (!graph || !state) return null;
  if (event?.kind === 'fail') {
    const tensors = (event.tensors ?? []).flatMap((id) => state.tensors[id] ?? []);
    const shapes = tensors.map((tensor) => tensor.shape);
    if (tensors.length !== 2 || !/must match the size of tensor/.test(event.message)) return null;
    return { shapes, names: tensors.map((tensor, i) => tensor.name || 'ab'[i]), stretched: [], failed: true };
  }
  const selected = ui.select.value.split(':')[0];
  const reader = graph.edges.find((edge) => edge.from === selected && edge.broadcast)?.to ?? '';
  const card = graph.cards.get(graph.cards.get(selected)?.kind === 'leaf' ? reader : selected);
  if (!card?.inputs.some((input) => input.broadcast)) return null;
  const only = ui.select.value.includes(':') ? Number(ui.select.value.split(':')[1]) : card.key === selected ? -1 : card.inputs.findIndex((input) => input.tensor === graph.cards.get(selected)?.tensor);
  const op = state.ops[card.by];
  const operands = card.inputs.filter((input) => input.tensor !== null);
  return {
    names: operands.map((input) => graph.cards.get(graph.byTensor.get(input.tensor ?? -1) ?? '')?.label ?? input.name),
    shapes: operands.map((input) => input.broadcast?.source ?? state.tensors[input.tensor ?? -1]?.shape ?? card.shape), failed: false,
    stretched: card.inputs.flatMap((input, index) => {
      if (!input.broadcast || (only >= 0 && only !== index && card.inputs[only]?.broadcast)) return [];
      return [{ name: graph.cards.get(graph.byTensor.get(input.tensor ?? -1) ?? '')?.label ?? input.name, value: state.tensors[input.tensor ?? -1]?.value ?? null, broadcast: input.broadcast, sent: op?.sent.find((sent) => sent.index === index && sent.product) ?? null }];
    }),
  };
}

/** @param {Context} context */
function Lens(context) {
  const { t } = context;
  const seen = subject(context);
  if (!seen) return null;
  const { axes, result, clash } = align(seen.shapes);
  return html`<table class="align"><thead><tr><td></td>${axes.map((_, axis) => html`<th scope="col">${t('lens.axis', { axis })}</th>`)}</tr></thead><tbody>
      ${seen.shapes.map((_, i) => html`<tr><th scope="row">${seen.names[i]}</th>${axes.map((axis) => html`<td class=${axis.rule === 'clash' ? 'clash' : axis.stretched.includes(i) ? 'stretched' : ''}>${axis.sizes[i] ?? html`<span class="mut">·</span>`}</td>`)}</tr>`)}
      <tr class="rules"><th scope="row">${t('lens.rule')}</th>${axes.map((axis) => html`<td>${t(`lens.${axis.rule}`)}</td>`)}</tr>
      <tr class="result"><th scope="row">=</th>${axes.map((axis) => html`<td class=${axis.rule === 'clash' ? 'clash' : ''}>${axis.result ?? '✕'}</td>`)}</tr></tbody></table>
    ${seen.failed && !result ? html`<${WaysOut} seen=${seen} axis=${clash} size=${axes[clash]?.sizes ?? []} t=${t} />` : null}
    ${seen.stretched.map((each) => html`<${Stretched} ...${each} t=${t} />`)}`;
}

/** @param {{seen: Subject, axis: number, size: (number | null)[], t: Context['t']}} props */
function WaysOut({ seen, axis, size, t }) {
  const ways = fixes(seen.shapes[0], seen.shapes[1]);
  return html`<p class="say">${t('lens.why', { axis, a: size[0] ?? '·', b: size[1] ?? '·' })}</p>
    ${ways.length ? html`<h3>${t('lens.ways')}</h3><ul class="ways">${ways.map((way) => html`<li><code>${seen.names[way.which]}.${way.call}</code><span class="mono mut">${shape(way.shape)}</span><span class="mono">→ <b>${shape(way.result)}</b></span></li>`)}</ul>` : html`<p class="mut small">${t('lens.no-way')}</p>`}`;
}

/** @param {Subject['stretched'][number] & {t: Context['t']}} props */
function Stretched({ name, value, broadcast, sent, t }) {
  const { source, target } = broadcast;
  const [rows, cols] = target.length === 1 ? [1, target[0]] : target.length === 2 ? target : [0, 0];
  const small = rows > 0 && rows <= MOST && cols <= MOST;
  const index = (/** @type {number} */ r, /** @type {number} */ c) => (target.length === 1 ? [c] : [r, c]);
  const first = (/** @type {number[]} */ at) => broadcast.axes.every((axis) => at[axis] === 0);
  return html`<h3><b class="mono">${name}</b> ${shape(source)} → ${shape(target)}</h3>
    ${small && value ? html`<table class="ghosts" aria-label=${t('lens.stretched', { name })}><tbody>${range(rows).map((r) => html`<tr>${range(cols).map((c) => {
      const at = index(r, c);
      const number = decode(value).values[flat(source, unbroadcast(at, source))];
      return html`<td class=${`${level(number, magnitude(value))} ${first(at) ? '' : 'ghost'}`}>${cell(number)}</td>`;
    })}</tr>`)}</tbody></table>` : html`<p class="mut small">${t('lens.large', { n: broadcast.axes.reduce((n, axis) => n * target[axis], 1) })}</p>`}
    ${sent && sent.product ? html`<h3 class="back">${t('lens.back', { n: sent.axes.length, axes: sent.axes.join(', ') })}</h3>${small ? html`<${Summed} sent=${sent} rows=${rows} cols=${cols} t=${t} />` : null}` : null}`;
}

/** The product with what its columns or rows add up to. @param {{sent: Sent, rows: number, cols: number, t: Context['t']}} props */
function Summed({ sent, rows, cols, t }) {
  const product = decode(/** @type {Arr} */ (sent.product));
  const result = decode(sent.result);
  if (!product.whole || !result.whole || product.shape.length > 2) return null;
  const most = magnitude(sent.product);
  const total = magnitude(sent.result);
  const down = sent.axes.includes(product.shape.length - 2) && product.shape.length === 2;
  const across = sent.axes.includes(product.shape.length - 1);
  const sums = (/** @type {number} */ i) => result.values[Math.min(i, result.values.length - 1)];
  return html`<table class="ghosts" aria-label=${t('lens.summed')}><tbody>${range(rows).map((r) => html`<tr>${range(cols).map((c) => {
      const number = product.values[r * cols + c];
      return html`<td class=${level(number, most)}>${cell(number)}</td>`;
    })}${across && !down ? html`<td class="sigma">Σ</td><td class=${level(sums(r), total)}><b>${cell(sums(r))}</b></td>` : null}</tr>`)}
    ${down && !across ? html`<tr class="sigma">${range(cols).map(() => html`<td>Σ</td>`)}</tr><tr>${range(cols).map((c) => html`<td class=${level(sums(c), total)}><b>${cell(sums(c))}</b></td>`)}</tr>` : null}
    ${down && across ? html`<tr class="sigma"><td colspan=${cols}>Σ</td></tr><tr><td colspan=${cols} class=${level(sums(0), total)}><b>${cell(sums(0))}</b></td></tr>` : null}</tbody></table>`;
}

/** @param {number} n */
const range = (n) => Array.from({ length: n }, (_, i) => i);
