/** The graph in words, for those who cannot see it: a list in order of time, each entry a way to its card. */

/**
 * @import {Graph, Card} from '../model/graph.js'
 * @import {Context} from './index.js'
 */
import { html } from '../components/html.js';
import { decode } from '../model/arrays.js';
import { shape, short } from '../model/format.js';
import { called } from '../model/symbols.js';

const SPOKEN = 6; // numbers read out

/** @param {{graph: Graph, moment: Context['moment'], t: Context['t'], act: Context['act']}} props */
export function Outline({ graph, moment, t, act }) {
  const { state } = moment;
  if (!state) return null;
  const stop = (/** @type {Event} */ event) => event.stopPropagation();
  return html`<nav class="outline" aria-label=${t('outline.title')} onClick=${stop}><ol>${[...graph.cards.values()].map((card) => {
    const there = card.kind === 'op' ? state.ops[card.by] : state.tensors[card.tensor];
    return html`<li><button type="button" tabindex="-1" onClick=${() => act('select', card.key)}>${there ? words(card, graph, state, t) : t('outline.later', { name: card.label, shape: shape(card.shape) })}</button></li>`;
  })}</ol></nav>`;
}

/** @param {Card} card @param {Graph} graph @param {import('../model/reduce.js').State} state @param {Context['t']} t */
function words(card, graph, state, t) {
  const tensor = state.tensors[card.tensor];
  if (!tensor) return card.label;
  const from = graph.edges.filter((edge) => edge.to === card.first).map((edge) => graph.cards.get(edge.from)?.label).join(', ');
  const gradient = card.kind === 'leaf' ? tensor.grad : tensor.flow;
  const parts = [t(from ? 'outline.made' : 'outline.leaf', { name: card.label, from, op: card.op ? called(card.op.op) : '', shape: shape(card.shape) }), `${t('card.value')} ${numbers(tensor.value)}`];
  if (card.grads) parts.push(`${t('inspector.gradient')} ${gradient ? numbers(gradient) : 'None'}`);
  return parts.join('; ');
}

/** @param {import('../types.js').Arr} array */
function numbers(array) {
  const { values, count } = decode(array);
  return `${Array.from(values).slice(0, SPOKEN).map((value) => short(value)).join(', ')}${count > SPOKEN ? ' …' : ''}`;
}
