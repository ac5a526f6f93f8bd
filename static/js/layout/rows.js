/**
 * Turns a graph into what elk lays out: an op and the leaves only it needs stand in one row, the leaves at its right, so
 * that a parameter's gradient flows sideways and the computation runs straight down. Pure.
 *
 * @import {Card, Edge, Graph} from '../model/graph.js'
 * @typedef {{card: Card, further: Card[], side: Card[], group: string}} Row
 *   further  outputs of the op besides the first
 */
import { measure } from './metrics.js';

const GAP = 110; // between an op and a leaf at its side; room for a shape
const GAP_BROADCAST = 208; // room for the strands that are summed
const STACK = 14;
export const JOINT = 14; // between the outputs of one op

/** @param {Graph} graph @returns {{rows: Map<string, Row>, owner: Map<string, string>}}  owner: side leaf -> key of its row */
export function rows(graph) {
  const { cards, edges } = graph;
  /** @type {Map<string, Edge[]>} */ const into = new Map();
  /** @type {Map<string, Edge[]>} */ const out = new Map();
  for (const edge of edges) {
    (into.get(edge.to) ?? into.set(edge.to, []).get(edge.to))?.push(edge);
    (out.get(edge.from) ?? out.set(edge.from, []).get(edge.from))?.push(edge);
  }
  /** @type {Map<string, Row>} */ const found = new Map();
  /** @type {Map<string, string>} */ const owner = new Map();
  for (const card of cards.values()) {
    if (card.kind !== 'op' || (card.first !== card.key && cards.has(card.first))) continue;
    const row = { card, further: /** @type {Card[]} */ ([]), side: (card.op?.outputs.length ?? 0) > 1 ? [] : side(card, into, cards, owner), group: card.scope };
    for (const leaf of row.side) owner.set(leaf.key, card.key);
    found.set(card.key, row);
  }
  for (const card of cards.values()) {
    if (found.has(card.key) || card.kind !== 'op') continue;
    found.get(card.first)?.further.push(card);
    owner.set(card.key, card.first);
  }
  for (const card of cards.values()) {
    if (card.kind === 'leaf' && !owner.has(card.key)) found.set(card.key, { card, further: [], side: [], group: home(card, out.get(card.key) ?? [], graph) });
  }
  return { rows: found, owner };
}

/** Leaves that stand beside the op: all but the one that is its main stream. @param {Card} card @param {Map<string, Edge[]>} into @param {Map<string, Card>} cards @param {Map<string, string>} owner */
function side(card, into, cards, owner) {
  const sources = (into.get(card.key) ?? []).map((edge) => /** @type {Card} */ (cards.get(edge.from)));
  const leaves = [...new Set(sources.filter((source) => source.kind === 'leaf' && !owner.has(source.key)))];
  // a weight that is only turned round is not what flows through a layer
  const turned = (/** @type {Card} */ source) => (into.get(source.key) ?? []).every((edge) => cards.get(edge.from)?.kind === 'leaf' && cards.get(edge.from)?.grads) && source.op?.inputs.length === 1;
  if (sources.some((source) => source.kind === 'op' && !turned(source))) return leaves;
  const main = leaves.find((leaf) => !leaf.grads) ?? leaves[0];
  return leaves.filter((leaf) => leaf !== main);
}

/** Data stands outside of all modules, a parameter in the module it belongs to. @param {Card} card @param {Edge[]} out @param {Graph} graph */
function home(card, out, { cards, groups }) {
  if (!card.grads) return '';
  let found = '';
  for (const path of groups.keys()) if (card.name.startsWith(`${path}.`) && path.length > found.length) found = path;
  return found || (out.length === 1 ? cards.get(out[0].to)?.scope ?? '' : '');
}

/** Places inside one row, relative to its corner. @param {Row} row @param {Edge[]} edges */
export function arrange(row, edges) {
  const main = measure(row.card);
  const wide = row.side.some((leaf) => edges.some((edge) => edge.from === leaf.key && edge.to === row.card.key && edge.broadcast));
  const gap = wide ? GAP_BROADCAST : GAP;
  const sizes = row.side.map(measure);
  const tall = sizes.reduce((sum, size) => sum + size.h, 0) + STACK * Math.max(0, sizes.length - 1);
  const outputs = row.further.map(measure);
  const body = outputs.reduce((sum, size) => sum + JOINT + size.w, main.w);
  const high = outputs.reduce((most, size) => Math.max(most, size.h), main.h);
  const h = Math.max(high, tall);
  const widest = sizes.reduce((most, size) => Math.max(most, size.w), 0);
  /** @type {Map<string, {x: number, y: number, w: number, h: number}>} */ const places = new Map();
  places.set(row.card.key, { x: 0, y: (h - high) / 2, w: main.w, h: main.h });
  let x = main.w;
  row.further.forEach((card, i) => {
    places.set(card.key, { x: x + JOINT, y: (h - high) / 2, w: outputs[i].w, h: outputs[i].h });
    x += JOINT + outputs[i].w;
  });
  let y = (h - tall) / 2;
  row.side.forEach((leaf, i) => {
    places.set(leaf.key, { x: body + gap + (widest - sizes[i].w) / 2, y, w: sizes[i].w, h: sizes[i].h });
    y += sizes[i].h + STACK;
  });
  return { w: sizes.length ? body + gap + widest : body, h, places };
}
