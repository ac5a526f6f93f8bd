/**
 * Where the number in one cell comes from. A value: the cells that made it, see origins.js. A gradient: its addends, one
 * per way back to it, each what arrives at a cell of the consumer times what that cell owes to this one. From the trace
 * alone; where the ways are not known one by one, what came back along the edge stands as one addend.
 *
 * @import {Arr, Event} from '../types.js'
 * @import {Moment} from '../store/session.js'
 * @import {Card, Edge} from './graph.js'
 * @import {Op, Sent} from './reduce.js'
 * @import {Call, Cell} from './origins.js'
 * @typedef {{key: string, label: string, cell: string, index: number[], value: number}} Source  `cell` addresses it for `act('cell', …)`; '' where none can be named
 * @typedef {{factors: number[], product: number, sources: Source[], via: string}} Term
 * @typedef {{terms: Term[], total: number, rest: number, how: import('./origins.js').How | 'gradient' | 'leaf' | 'unknown', op: string}} Origin
 *   rest  how many more terms there are than listed
 * @typedef {Record<string, {elementwise?: boolean} | undefined>} Ops  of the catalogue, by name
 * @typedef {Pick<Moment, 'graph' | 'state' | 'window'>} Scene
 */
import { count, decode, flat, unflat } from './arrays.js';
import { addends, positions } from './focus.js';
import { origin, readers } from './origins.js';

const MOST = 64; // terms listed
export const FEW = 12; // terms that are read at a glance, in their order
const WORK = 300_000; // parts that are looked through for the ways back to one cell

/** The address of a cell: which map, and row and column of the tensor's table. @param {'v' | 'g'} kind @param {readonly number[]} index @param {readonly number[]} shape */
export function address(kind, index, shape) {
  if (!shape.length) return `${kind}0.0`;
  const cols = shape[shape.length - 1] || 1;
  const at = flat(shape, index);
  return `${kind}${Math.floor(at / cols)}.${at % cols}`;
}

/** @type {WeakMap<readonly Event[], {size: number, values: Map<number, {at: number, value: Arr}[]>}>} */
const histories = new WeakMap();

/** The value a tensor had when the event at `position` happened: an update changes it in place. @param {readonly Event[]} events @param {number} tensor @param {number} position @returns {Arr | null} */
function valueAt(events, tensor, position) {
  let known = histories.get(events);
  if (known?.size !== events.length) histories.set(events, (known = { size: events.length, values: history(events) }));
  return known.values.get(tensor)?.findLast(({ at }) => at <= position)?.value ?? null;
}

/** @param {readonly Event[]} events @returns {Map<number, {at: number, value: Arr}[]>} */
function history(events) {
  /** @type {Map<number, {at: number, value: Arr}[]>} */ const values = new Map();
  const told = (/** @type {number} */ tensor, /** @type {number} */ at, /** @type {Arr} */ value) => void (values.get(tensor) ?? values.set(tensor, []).get(tensor))?.push({ at, value });
  events.forEach((event, at) => {
    if (event.kind === 'leaf') told(event.tensor, at, event.value);
    else if (event.kind === 'forward') for (const output of event.outputs) told(output.tensor, at, output.value);
    else if (event.kind === 'update') told(event.tensor, at, event.after);
  });
  return values;
}

/** @param {Arr | null} array @param {readonly number[]} index @returns {number | undefined}  undefined when it did not travel */
function read(array, index) {
  if (!array) return undefined;
  const { values, shape } = decode(array);
  return values[flat(shape, index)];
}

/** The op of a card as its rule asks about it. @param {Scene} scene @param {Card} card @returns {Call | null} */
function call({ window, state }, card) {
  const event = card.op;
  if (!event || !window || !state) return null;
  const given = event.inputs.map((input) => (input.tensor == null ? null : valueAt(window.events, input.tensor, card.at)));
  return {
    op: event.op, params: event.params ?? {}, names: event.inputs.map((input) => input.name), shapes: given.map((array) => array?.shape ?? null),
    out: event.outputs[0].value.shape, outs: event.outputs.map((output) => output.value.shape), nth: Math.max(0, event.outputs.findIndex((output) => output.tensor === card.tensor)),
    at: (input, index) => read(given[input], index), made: (output, index) => read(event.outputs[output]?.value ?? null, index),
  };
}

/** @param {Scene} scene @param {Card} card @param {number[]} index @param {Ops} ops @returns {Origin | null} */
export function valueOrigin(scene, card, index, ops) {
  const { graph, state } = scene;
  const tensor = state?.tensors[card.tensor];
  const total = tensor && read(tensor.value, index);
  if (!graph || !state || total === undefined) return null;
  const asked = call(scene, card);
  /** @type {Origin} */ const none = { terms: [], total, rest: 0, how: card.kind === 'leaf' ? 'leaf' : 'unknown', op: card.op?.op ?? '' };
  const made = asked && origin(index, { ...asked, out: asked.outs[asked.nth] }, ops[asked.op]?.elementwise ?? false);
  if (!made || card.kind === 'leaf') return none;
  /** @param {Cell} cell @returns {Source | null} */
  const source = ({ input, index: at }) => {
    const value = asked?.at(input, at);
    const from = graph.cards.get(graph.edges.find((edge) => edge.id === `${card.first}:${input}`)?.from ?? '');
    const shape = asked?.shapes[input];
    return value === undefined || !shape ? null : { key: from?.key ?? '', label: from?.label ?? asked?.names[input] ?? '', cell: address('v', at, shape), index: at, value };
  };
  const terms = [];
  for (let k = 0; k < Math.min(made.count, MOST); k++) {
    const { cells, scale = 1, value } = made.part(k);
    const sources = cells.map(source);
    const known = sources.filter((each) => each !== null);
    if (known.length < cells.length) return none; // the numbers did not travel
    const factors = [...(value ? value(known.map((each) => each.value)) : known.map((each) => each.value)), ...(scale === 1 ? [] : [scale])];
    terms.push({ factors, product: factors.reduce((a, b) => a * b, 1), sources: known, via: '' });
  }
  return { terms, total, rest: made.count - terms.length, how: made.how, op: card.op?.op ?? '' };
}

/** All that has come back to this cell in the last backward pass. @param {Scene} scene @param {Card} card @param {number[]} index @param {Ops} ops @returns {Origin | null} */
export function gradientOrigin(scene, card, index, ops) {
  const { graph, state } = scene;
  const tensor = state?.tensors[card.tensor];
  if (!graph || !state || !tensor) return null;
  const total = tensor.flow ? read(tensor.flow, index) : undefined;
  /** @type {Term[]} */ const terms = [];
  for (const edge of graph.edges) {
    if (edge.tensor !== card.tensor) continue;
    const consumer = graph.cards.get(edge.to);
    const op = consumer && state.ops[consumer.by];
    const sent = op?.sent.find((each) => each.index === edge.index);
    if (!consumer || !op || !sent) continue;
    const ways = ops[op.op]?.elementwise ?? sent.local !== null ? stretched(consumer, op, sent, edge, index) : back(scene, consumer, op, sent, edge, index);
    terms.push(...(ways ?? whole(consumer, sent, edge, index)));
  }
  const sum = terms.reduce((all, term) => all + term.product, 0);
  if (terms.length > FEW) terms.sort((a, b) => Math.abs(b.product) - Math.abs(a.product)); // of many, those that matter
  return { terms: terms.slice(0, MOST), total: total ?? sum, rest: Math.max(0, terms.length - MOST), how: 'gradient', op: '' };
}

/** Cell by cell: what arrives, times the local derivative, for every copy that broadcasting made. @param {Card} consumer @param {Op} op @param {Sent} sent @param {Edge} edge @param {number[]} index @returns {Term[] | null} */
function stretched(consumer, op, sent, edge, index) {
  const parts = addends(sent, index, op.grad);
  if (!parts) return null;
  const cells = (sent.product ?? sent.result).shape;
  const at = positions(parts.ranges, cells);
  const known = parts.upstream.length && parts.local.length;
  return parts.addends.map((product, i) => {
    const place = unflat(cells, at[i]);
    return { product, factors: known ? [parts.upstream[i], parts.local[i]] : [], via: edge.id, sources: [{ key: consumer.key, label: consumer.label, cell: address('g', place, cells), index: place, value: parts.upstream[i] ?? NaN }] };
  });
}

/** The cells of the consumer that read this one, each with what it owes to it; null unless they add up to what was sent. @param {Scene} scene @param {Card} consumer @param {Op} op @param {Sent} sent @param {Edge} edge @param {number[]} index @returns {Term[] | null} */
function back(scene, consumer, op, sent, edge, index) {
  const asked = call(scene, consumer);
  const wanted = read(sent.result, index);
  if (!asked || !scene.graph || wanted === undefined) return null;
  const own = index.join();
  /** @type {Term[]} */ const terms = [];
  let work = 0;
  for (const [nth, out] of asked.outs.entries()) {
    const tensor = op.outputs[nth];
    const flow = asked.outs.length > 1 ? scene.state?.tensors[tensor]?.flow ?? null : op.grad;
    if (!flow) continue;
    const card = scene.graph.cards.get(nth ? `o${tensor}` : consumer.key);
    const ranges = readers(edge.index, index, { ...asked, out }) ?? out.map((size) => /** @type {[number, number]} */ ([0, size - 1]));
    for (const place of positions(ranges, out)) {
      const at = unflat(out, place);
      const made = origin(at, { ...asked, out, nth }, false);
      if (!made || (made.how !== 'sum' && made.how !== 'pick')) {
        if (made?.how === 'constant') continue;
        return null;
      }
      for (let k = 0; k < made.count; k++) {
        if (++work > WORK) return null;
        const { cells, scale = 1, value } = made.part(k);
        const mine = cells.findIndex((cell) => cell.input === edge.index && cell.index.join() === own);
        if (mine < 0) continue;
        const others = cells.filter((_, i) => i !== mine).map((cell) => asked.at(cell.input, cell.index));
        const arrives = read(flow, at);
        if (value || arrives === undefined || others.includes(undefined)) return null;
        const owed = others.reduce((/** @type {number} */ all, each) => all * Number(each), made.how === 'pick' ? scale / made.count : scale);
        terms.push({ product: arrives * owed, factors: owed === 1 ? [] : [arrives, owed], via: edge.id, sources: [{ key: card?.key ?? '', label: card?.label ?? '', cell: address('g', at, out), index: at, value: arrives }] });
      }
    }
  }
  const sum = terms.reduce((all, term) => all + term.product, 0);
  const size = terms.reduce((most, term) => Math.max(most, Math.abs(term.product)), Math.abs(wanted));
  return terms.length && Math.abs(sum - wanted) <= 1e-4 * size + 1e-12 ? terms : null;
}

/** What came back along the edge, as one addend. @param {Card} consumer @param {Sent} sent @param {Edge} edge @param {number[]} index @returns {Term[]} */
function whole(consumer, sent, edge, index) {
  const product = read(sent.result, index);
  return product === undefined ? [] : [{ product, factors: [], via: edge.id, sources: [{ key: consumer.key, label: consumer.label, cell: '', index: [], value: NaN }] }];
}
