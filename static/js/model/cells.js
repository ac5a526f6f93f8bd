/**
 * Where the number in one cell comes from. A value: the input cells that made it. A gradient: its addends, one per way back
 * to it, upstream times local where the trace has both. From the trace alone.
 *
 * @import {Card, Edge, Graph} from './graph.js'
 * @import {State} from './reduce.js'
 * @typedef {{key: string, label: string, cell: string, index: number[], value: number}} Source  `cell` addresses it for `act('cell', …)`
 * @typedef {{text: string, factors: number[], product: number, sources: Source[], via: string}} Term
 * @typedef {{terms: Term[], total: number, rest: number, how: 'product' | 'sum' | 'elementwise' | 'gradient' | 'leaf' | 'whole'}} Origin
 *   rest  how many more terms there are than listed
 */
import { count, decode, flat, unbroadcast, unflat } from './arrays.js';
import { addends, positions } from './focus.js';

const MOST = 64; // terms listed

/** The address of a cell: which map, and row and column of the tensor's table. @param {'v' | 'g'} kind @param {readonly number[]} index @param {readonly number[]} shape */
export function address(kind, index, shape) {
  if (!shape.length) return `${kind}0.0`;
  const cols = shape[shape.length - 1] || 1;
  const at = flat(shape, index);
  return `${kind}${Math.floor(at / cols)}.${at % cols}`;
}

/** @param {Graph} graph @param {State} state @param {Card} card @param {number[]} index @returns {Origin | null} */
export function valueOrigin(graph, state, card, index) {
  const tensor = state.tensors[card.tensor];
  const total = tensor ? decode(tensor.value).values[flat(card.shape, index)] : undefined;
  if (total === undefined) return null;
  if (card.kind === 'leaf' || !card.op) return { terms: [], total, rest: 0, how: 'leaf' };
  const inputs = card.inputs.map((input, at) => {
    const source = graph.edges.find((edge) => edge.id === `${card.first}:${at}`);
    const own = input.tensor === null ? null : state.tensors[input.tensor];
    return { input, own, edge: source, card: source && graph.cards.get(source.from) };
  });
  const [a, b] = inputs;
  /** @param {typeof a} of @param {number[]} at @returns {Source | null} */
  const pick = (of, at) => {
    if (!of?.own) return null;
    const { values, shape } = decode(of.own.value);
    const value = values[flat(shape, at)];
    return value === undefined ? null : { key: of.card?.key ?? '', label: of.card?.label ?? of.input.name, cell: address('v', at, shape), index: at, value };
  };
  if (['matmul', 'mm', 'addmm'].includes(card.op.op)) {
    const [left, right] = card.op.op === 'addmm' ? [inputs[1], inputs[2]] : [a, b];
    if (left?.own?.shape.length === 2 && right?.own?.shape.length === 2) {
      const n = left.own.shape[1];
      const terms = Array.from({ length: Math.min(n, MOST) }, (_, k) => times([pick(left, [index[0], k]), pick(right, [k, index[1]])])).filter((term) => term !== null);
      if (card.op.op === 'addmm') terms.unshift(...[times([pick(a, a.own ? unbroadcast(index, a.own.shape) : [])])].filter((term) => term !== null));
      return { terms, total, rest: Math.max(0, n - MOST), how: 'product' };
    }
  }
  if (['sum', 'mean'].includes(card.op.op) && a?.own && card.shape.length === 0) {
    const n = count(a.own.shape);
    const terms = Array.from({ length: Math.min(n, MOST) }, (_, k) => times([pick(a, unflat(a.own?.shape ?? [], k))])).filter((term) => term !== null);
    return { terms, total, rest: Math.max(0, n - terms.length), how: 'sum' };
  }
  if (inputs.every(({ own }) => !own || fits(own.shape, card.shape))) {
    const sources = inputs.flatMap((of) => pick(of, of.own ? unbroadcast(index, of.own.shape) : []) ?? []);
    return { terms: sources.map((source) => ({ text: '', factors: [source.value], product: source.value, sources: [source], via: '' })), total, rest: 0, how: 'elementwise' };
  }
  return { terms: [], total, rest: 0, how: 'whole' };
}

/** Could this shape have been stretched to that one? @param {number[]} from @param {number[]} to */
function fits(from, to) {
  const skip = to.length - from.length;
  return skip >= 0 && from.every((size, axis) => size === 1 || size === to[axis + skip]);
}

/** @param {(Source | null)[]} sources @returns {Term | null} */
function times(sources) {
  const found = sources.filter((source) => source !== null);
  if (found.length !== sources.length) return null;
  const factors = found.map((source) => source.value);
  return { text: '', factors, product: factors.reduce((a, b) => a * b, 1), sources: found, via: '' };
}

/** All that has come back to this cell in the last backward pass. @param {Graph} graph @param {State} state @param {Card} card @param {number[]} index @returns {Origin | null} */
export function gradientOrigin(graph, state, card, index) {
  const tensor = state.tensors[card.tensor];
  if (!tensor) return null;
  const total = tensor.flow ? decode(tensor.flow).values[flat(card.shape, index)] : NaN;
  /** @type {Term[]} */ const terms = [];
  let rest = 0;
  for (const edge of graph.edges) {
    if (edge.tensor !== card.tensor) continue;
    const consumer = graph.cards.get(edge.to);
    const op = consumer && state.ops[consumer.by];
    const sent = op?.sent.find((each) => each.index === edge.index);
    if (!consumer || !sent) continue;
    const parts = addends(sent, index, op?.grad ?? null);
    if (!parts) continue;
    const cells = decode(sent.product ?? sent.result).shape;
    const at = positions(parts.ranges, cells);
    const whole = cells.join() === consumer.shape.join();
    parts.addends.slice(0, MOST).forEach((product, i) => {
      const place = unflat(cells, at[i]);
      const known = parts.upstream.length && parts.local.length;
      terms.push({ text: consumer.label, product, factors: known ? [parts.upstream[i], parts.local[i]] : [], via: edge.id,
        sources: whole ? [{ key: consumer.key, label: consumer.label, cell: address('g', place, cells), index: place, value: parts.upstream[i] ?? NaN }] : [{ key: consumer.key, label: consumer.label, cell: '', index: [], value: NaN }] });
    });
    rest += Math.max(0, parts.addends.length - MOST);
  }
  return { terms, total: Number.isNaN(total) ? terms.reduce((sum, term) => sum + term.product, 0) : total, rest, how: 'gradient' };
}
