/**
 * What the current event is about: the cards and the edge to light up, and the cells that belong together. Pure.
 *
 * @import {Arr} from '../types.js'
 * @import {Graph} from './graph.js'
 * @import {Moment} from '../store/session.js'
 * @import {Ops, Source} from './cells.js'
 * @import {Mark} from './focus.js'
 * @typedef {{cards: string[], edge: string, tone: '' | 'forward' | 'backward' | 'update' | 'fail', root: number | null, arriving: {key: string, result: Arr} | null}} Subject
 */
import { decode } from './arrays.js';
import { gradientOrigin, valueOrigin } from './cells.js';
import { indexOf, mark, narrowed, stretched } from './focus.js';

/** @param {Moment} moment @returns {Subject} */
export function about({ event, graph, state, stops }) {
  const seed = stops.find((stop) => stop.event.kind === 'seed')?.event;
  /** @type {Subject} */
  const subject = { cards: [], edge: '', tone: '', root: state?.root ?? (seed?.kind === 'seed' ? seed.root : null), arriving: null };
  if (!event || !graph || !state) return subject;
  const keys = (/** @type {number[]} */ tensors) => tensors.flatMap((tensor) => graph.byTensor.get(tensor) ?? []);
  switch (event.kind) {
    case 'forward': return { ...subject, cards: [...new Set(keys(event.outputs.map((output) => output.tensor)))], tone: 'forward' };
    case 'seed': return { ...subject, cards: keys([event.root]), tone: 'backward' };
    case 'ready': return { ...subject, cards: outputs(graph, graph.byNode.get(event.node)), tone: 'backward' };
    case 'contribute': {
      const from = graph.byNode.get(event.node);
      const edge = graph.edges.find((each) => each.to === from && each.index === event.index);
      const leaf = edge && graph.cards.get(edge.from)?.kind === 'leaf' ? edge.from : '';
      const arriving = leaf && event.to == null ? { key: leaf, result: event.result } : null;
      return { ...subject, cards: [from ?? '', leaf].filter(Boolean), edge: edge?.id ?? '', tone: 'backward', arriving };
    }
    case 'accumulate': return { ...subject, cards: keys([event.tensor]), tone: 'backward' };
    case 'update': return { ...subject, cards: keys([event.tensor]), tone: 'update' };
    case 'zero': return { ...subject, cards: keys(event.tensors), tone: 'update' };
    case 'fail': return { ...subject, cards: [...(graph.cards.has('fail') ? ['fail'] : []), ...keys(event.tensors ?? [])], tone: 'fail' };
    default: return subject;
  }
}

/** The cards of an op's differentiable outputs. @param {Graph} graph @param {string | undefined} key  of the first */
function outputs(graph, key) {
  const card = graph.cards.get(key ?? '');
  if (!card || !key) return [];
  return [key, ...(card.op?.outputs ?? []).slice(1).flatMap((output) => (output.requires_grad ? graph.byTensor.get(output.tensor) ?? [] : []))];
}

/**
 * The cell in question and everything it was made from, to be outlined: on the card that receives it, and on the cards
 * that make it. Without a choice of the reader, the first cell of a sum that undoes a broadcast.
 * @param {Moment} moment @param {string} selected @param {string} cell @param {Ops} [ops]  of the catalogue: to outline what made the chosen cell
 * @returns {{index: number[] | null, marks: Map<string, {v?: Mark, g?: Mark}>}}
 */
export function focus(moment, selected, cell, ops) {
  const { event, graph, state } = moment;
  /** @type {Map<string, {v?: Mark, g?: Mark}>} */ const marks = new Map();
  const chosen = graph?.cards.get(selected);
  const subject = { index: /** @type {number[] | null} */ (null), marks };
  if (!graph || !state) return subject;
  if (event?.kind === 'contribute') {
    const key = graph.byNode.get(event.node);
    const op = key === undefined ? undefined : graph.cards.get(key);
    const edge = graph.edges.find((each) => each.to === key && each.index === event.index);
    const sent = op && state.ops[op.by]?.sent.find((each) => each.index === event.index);
    if (!op || !edge || !sent || !key) return subject;
    const target = sent.result.shape;
    const wanted = chosen?.key === edge.from && cell ? indexOf(cell.slice(1), target) : null;
    if (!wanted && !(sent.axes.length && sent.product)) return subject;
    const index = wanted ?? target.map(() => 0);
    const cells = decode(sent.product ?? sent.result).shape;
    const ranges = stretched(index, target, cells);
    subject.index = index;
    const whole = cells.join() === op.shape.join();
    if (whole) marks.set(key, { g: mark(ranges, cells) });
    const exact = /** @type {[number, number][]} */ (index.map((i) => [i, i]));
    if (target.length) marks.set(edge.from, { v: mark(exact, target), g: mark(exact, target) });
    if (!whole) return subject;
    for (const other of graph.edges) {
      if (other.to !== key || other.index === event.index || !sent.local || other.from === edge.from) continue;
      const shape = other.shape;
      if (shape.length) marks.set(other.from, { v: mark(narrowed(ranges, shape), shape) });
    }
    return subject;
  }
  if (chosen && cell) {
    const index = indexOf(cell.slice(1), chosen.shape);
    const here = mark(/** @type {[number, number][]} */ (index.map((i) => [i, i])), chosen.shape);
    subject.index = index;
    const kind = cell.startsWith('g') ? 'g' : 'v';
    const found = ops ? (kind === 'g' ? gradientOrigin : valueOrigin)(moment, chosen, index, ops) : null;
    if (found && !found.rest) mark_(marks, found.terms.flatMap((term) => term.sources), kind);
    marks.set(chosen.key, { ...marks.get(chosen.key), [kind]: here });
  }
  return subject;
}

/** Outlines the cells of each card that fill a rectangle of its table; a scattered set is only listed. @param {Map<string, {v?: Mark, g?: Mark}>} marks @param {Source[]} sources @param {'v' | 'g'} kind */
function mark_(marks, sources, kind) {
  /** @type {Map<string, Set<string>>} */ const cells = new Map();
  for (const { key, cell: at } of sources) if (key && at) (cells.get(key) ?? cells.set(key, new Set()).get(key))?.add(at.slice(1));
  for (const [key, set] of cells) {
    const places = [...set].map((at) => at.split('.').map(Number));
    const [rows, cols] = [0, 1].map((axis) => /** @type {[number, number]} */ ([Math.min(...places.map((at) => at[axis])), Math.max(...places.map((at) => at[axis]))]));
    if ((rows[1] - rows[0] + 1) * (cols[1] - cols[0] + 1) === set.size) marks.set(key, { [kind]: { rows, cols } });
  }
}
