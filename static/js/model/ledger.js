/**
 * The life of every .grad in a step: what each backward call added, when it was cleared, what an update read. And what is
 * worth a word: gradients that pile up, the gradient of a tensor that keeps none, units that died, numbers that vanish or
 * explode, the first NaN. Pure.
 *
 * @import {Arr, Event, Step} from '../types.js'
 * @import {Graph} from './graph.js'
 * @typedef {{at: number, kind: 'start' | 'add' | 'zero' | 'read', backward: number, delta: Arr | null, after: Arr | null, to?: string, optimizer?: string, line: number}} Entry
 * @typedef {{at: number, key: string, words: Record<string, string | number>, card: string, step?: number}} Notice
 *   key   of the sentence
 *   card  where it shows
 *   step  where it began, when that was an earlier one
 */
import { decode, magnitude } from './arrays.js';

/** @param {readonly Event[]} events  of one window @returns {Map<number, Entry[]>} by tensor */
export function ledger(events) {
  /** @type {Map<number, Entry[]>} */ const books = new Map();
  let backward = 0;
  const book = (/** @type {number} */ tensor) => books.get(tensor) ?? (books.set(tensor, []).get(tensor) ?? []);
  events.forEach((event, at) => {
    const line = event.at?.[0] ?? 0;
    if (event.kind === 'leaf' && event.requires_grad) book(event.tensor).push({ at, kind: 'start', backward: 0, delta: null, after: event.grad ?? null, line });
    else if (event.kind === 'seed') backward += 1;
    else if (event.kind === 'accumulate') book(event.tensor).push({ at, kind: 'add', backward, delta: event.delta, after: event.after, line });
    else if (event.kind === 'zero') for (const tensor of event.tensors) book(tensor).push({ at, kind: 'zero', backward, delta: null, after: null, to: event.to, line });
    else if (event.kind === 'update') book(event.tensor).push({ at, kind: 'read', backward, delta: null, after: typeof event.terms?.grad === 'object' ? event.terms.grad : null, optimizer: event.optimizer ?? '', line });
  });
  return books;
}

const VANISHING = 1e-7;
const EXPLODING = 1e4;

const NAMES = 4; // written out in one sentence
const NON_LEAF = /UserWarning: The \.grad attribute of a Tensor that is not a leaf/; // torch's own warning
const DELIBERATE = /^(masked_fill|filled|fill|constant_pad|where)/; // an infinity put there by the program, as masks do

/** @param {readonly Event[]} events  of one window @param {Graph} graph @param {{source?: string, steps?: readonly Step[]}} [run]  steps: briefs of the whole run @returns {Notice[]} */
export function notices(events, graph, { source = '', steps = [] } = {}) {
  /** @type {Notice[]} */ const found = [];
  const once = new Set();
  /** @param {Notice} notice */
  const note = (notice) => {
    const id = `${notice.key} ${notice.card}`;
    if (!once.has(id)) found.push(notice);
    once.add(id);
  };
  const label = (/** @type {string} */ key) => graph.cards.get(key)?.label ?? '';
  let seeds = 0;
  const index = events.findLast((event) => event.kind === 'step')?.index ?? Infinity;
  events.forEach((event, at) => {
    if (event.kind === 'seed') seeds += 1;
    if (event.kind === 'print' && event.stream === 'stderr' && NON_LEAF.test(event.text)) {
      const name = expression(source, event.at).replace(/\.grad$/, '');
      note({ at, key: 'notice.non-leaf', words: { name: name || '·' }, card: [...graph.cards.values()].findLast((card) => card.kind === 'op' && card.name === name)?.key ?? '' });
    }
    if (event.kind === 'leaf' && (event.requires_grad ? wild(event.value) : holdsNaN(event.value))) {
      const card = graph.byTensor.get(event.tensor) ?? '';
      if (!graph.cards.has(card)) return; // what an update reads
      const began = steps.find((step) => step.index < index && ill(step));
      once.add(`wild ${card}`);
      if (began) note({ at, key: 'notice.wild-before', words: { name: label(card), step: began.index }, card, step: began.index });
      else note({ at, key: 'notice.wild-given', words: { name: label(card) }, card });
    }
    if (event.kind === 'accumulate' && event.before && magnitude(event.before) > 0) {
      const card = graph.byTensor.get(event.tensor) ?? '';
      note({ at, key: seeds > 1 ? 'notice.second' : 'notice.piled', words: { name: label(card) }, card });
    }
    if (event.kind === 'accumulate') {
      const card = graph.byTensor.get(event.tensor) ?? '';
      const size = magnitude(event.delta);
      if (size > EXPLODING) note({ at, key: 'notice.exploding', words: { name: label(card), size: size.toExponential(1) }, card });
      else if (size > 0 && size < VANISHING) note({ at, key: 'notice.vanishing', words: { name: label(card), size: size.toExponential(1) }, card });
      else if (size === 0 && !wild(event.delta)) note({ at, key: 'notice.nothing', words: { name: label(card) }, card });
    }
    if (event.kind === 'contribute' && event.local) {
      const card = graph.byNode.get(event.node) ?? '';
      const factors = graph.cards.get(card)?.inputs.filter((input) => input.tensor !== null).length ?? 0;
      if (factors > 1) return; // a product with 0, a state that begins as zeros: nothing has died
      const units = deadUnits(event.local);
      if (dead(event.local)) note({ at, key: 'notice.dead', words: { name: label(card) }, card });
      else if (units.length) note({ at, key: 'notice.dead-units', words: { name: label(card), n: units.length, units: units.slice(0, 8).join(', ') }, card });
    }
    if (event.kind === 'forward' && event.outputs.some((output) => wild(output.value))) {
      const inputs = event.inputs.flatMap((input) => (input.tensor == null ? [] : graph.cards.get(graph.byTensor.get(input.tensor) ?? '')?.key ?? []));
      const card = graph.byTensor.get(event.outputs[0].tensor) ?? '';
      if (!graph.cards.has(card)) return;
      if (!inputs.some((key) => once.has(`wild ${key}`)) && !DELIBERATE.test(event.op)) note({ at, key: 'notice.wild', words: { name: label(card) }, card });
      once.add(`wild ${card}`);
    }
    if (event.kind === 'ready' && wild(event.grad) && ![...once].some((id) => id.startsWith('wild'))) {
      once.add('wild grad');
      const card = graph.byNode.get(event.node) ?? '';
      note({ at, key: 'notice.wild-grad', words: { name: label(card) }, card });
    }
  });
  return found;
}

/** The same sentence about several tensors, said once: of the one where it is worst. @param {readonly Notice[]} found @returns {Notice[]} */
export function gathered(found) {
  /** @type {Map<string, Notice[]>} */ const alike = new Map();
  for (const notice of found) alike.set(notice.key, [...(alike.get(notice.key) ?? []), notice]);
  return [...alike.values()].map((same) => {
    const names = same.map(({ words }) => String(words.name));
    const name = `${names.slice(0, NAMES).join(', ')}${names.length > NAMES ? `, +${names.length - NAMES}` : ''}`;
    const sizes = same.map(({ words }) => Number(words.size));
    const worst = sizes.indexOf(same[0].key === 'notice.vanishing' ? Math.min(...sizes) : Math.max(...sizes));
    return { ...same[0], words: { ...same[Math.max(0, worst)].words, name } };
  });
}

/** What stands at a place of the program. @param {string} source @param {import('../types.js').At | null | undefined} at */
function expression(source, at) {
  if (!at || at[0] !== at[2]) return '';
  return source.split('\n')[at[0] - 1]?.slice(at[1], at[3]) ?? '';
}

/** Did something of it end in NaN or infinity? @param {Step} step */
function ill({ loss, params, grads }) {
  if (loss != null && !Number.isFinite(Number(loss))) return true;
  return [...Object.values(params ?? {}), ...Object.values(grads ?? {})].some((array) => array && wild(array));
}

/** @param {Arr} array */
function holdsNaN(array) {
  if (array.stats) return (array.stats.nan ?? 0) > 0;
  return Array.prototype.some.call(decode(array).values, Number.isNaN);
}

/** Holds NaN or infinity. @param {Arr} array */
function wild(array) {
  if (array.stats) return (array.stats.nan ?? 0) + (array.stats.inf ?? 0) > 0;
  const { values } = decode(array);
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return true;
  return false;
}

/** Columns through which no sample of the batch gets anything back. @param {Arr} local */
function deadUnits(local) {
  const { values, whole, shape } = decode(local);
  if (!whole || shape.length !== 2 || shape[0] < 2) return [];
  const [rows, cols] = shape;
  return Array.from({ length: cols }, (_, c) => c).filter((c) => {
    for (let r = 0; r < rows; r++) if (values[r * cols + c] !== 0) return false;
    return true;
  });
}

/** Lets nothing through. @param {Arr} local */
function dead(local) {
  const { values, whole, count } = decode(local);
  return whole && count > 0 && Array.prototype.every.call(values, (value) => value === 0);
}
