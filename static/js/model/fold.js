/**
 * Groups of a graph shown as one card: modules, and in large graphs runs of operations of one line, so that never more
 * cards are on the screen than can be laid out and read. A folded group shows its result's value and gradient. Pure.
 *
 * @import {Card, Edge, Graph, Group} from './graph.js'
 * @typedef {{graph: Graph, owner: Map<string, string>, folded: Set<string>, large: boolean}} Folded
 *   owner  hidden card -> the card that stands for it
 */

export const LARGE = 300; // cards; elk and the page stay quick below
const RUN = 60; // operations in one run of a line
const RUNS = 150; // runs side by side

/** @type {WeakMap<Graph, {key: string, answer: Folded}>} */
const kept = new WeakMap();

/** @param {Graph} graph @param {readonly string[]} fold @param {readonly string[]} unfold  only in large graphs, where groups start folded @returns {Folded} */
export function fold(graph, fold, unfold) {
  const key = `${fold}|${unfold}`;
  let found = kept.get(graph);
  if (found?.key !== key) kept.set(graph, (found = { key, answer: work(graph, new Set(fold), new Set(unfold)) }));
  return found.answer;
}

/** @param {Graph} graph @param {Set<string>} closed @param {Set<string>} opened @returns {Folded} */
function work(graph, closed, opened) {
  if (opened.has(ASIDE)) return modules(graph, closed, opened);
  const { graph: lean, owner: before } = differentiated(graph);
  const answer = modules(lean, closed, opened);
  if (!before.size) return answer;
  const owner = new Map(answer.owner);
  for (const [key, by] of before) owner.set(key, answer.owner.get(by) ?? by);
  return { ...answer, owner };
}

/** In the place of a path: everything, in a large graph. */
export const ALL = '~all';
/** In the place of a path: the operations that no gradient passes. */
export const ASIDE = '~aside';
const FEW = 2; // such operations that do not get in the way

/**
 * What only prepares data, or measures accuracy, is left out: of it stay the tensors that the differentiated part reads.
 * @param {Graph} graph @returns {{graph: Graph, owner: Map<string, string>}}  owner: left out -> what stays of it
 */
function differentiated(graph) {
  const { cards, edges } = graph;
  /** @type {Map<string, string>} */ const owner = new Map();
  const first = (/** @type {string} */ key) => cards.get(key)?.first ?? key; // indices of a differentiated max(dim) stay with it
  const plain = (/** @type {string} */ key) => cards.get(key)?.kind === 'op' && !cards.get(first(key))?.grads && cards.get(key)?.role !== 'failed';
  const side = [...cards.keys()].filter(plain);
  if (side.length === [...cards.values()].filter((card) => card.kind === 'op').length) return { graph, owner };
  const read = new Set(edges.filter((edge) => !plain(edge.to)).map((edge) => edge.from));
  const useful = new Set(read); // leads to something differentiated; edges run with time
  for (const edge of [...edges].reverse()) if (useful.has(edge.to)) useful.add(edge.from).add(first(edge.from));
  const prepares = side.filter((key) => useful.has(key));
  const gone = new Set(side.filter((key) => !useful.has(first(key)) || (prepares.length > FEW && !read.has(key))));
  if (!gone.size) return { graph, owner };
  for (const card of cards.values()) {
    const readers = edges.filter((edge) => edge.from === card.key);
    if (card.kind === 'leaf' && !card.grads && readers.length && readers.every((edge) => plain(edge.to))) gone.add(card.key);
  }
  /** @param {string} key @returns {string} */
  const stays = (key) => {
    const seen = new Set([key]);
    for (const at of seen) {
      if (!gone.has(at)) return at;
      for (const edge of edges) if (edge.from === at) seen.add(edge.to);
    }
    return '';
  };
  for (const key of gone) owner.set(key, stays(key));
  const lost = new Set(edges.filter((edge) => gone.has(edge.from)).map((edge) => edge.to));
  const kept = new Map([...cards].filter(([key]) => !gone.has(key)).map(([key, card]) => [key, plain(key) && lost.has(key) ? { ...card, role: 'prepared' } : card]));
  const drawn = edges.filter((edge) => !gone.has(edge.from) && !gone.has(edge.to));
  return { graph: { ...graph, cards: kept, edges: drawn, hash: `${graph.hash}-` }, owner };
}

/** @param {Graph} graph @param {Set<string>} closed @param {Set<string>} opened @returns {Folded} */
function modules(graph, closed, opened) {
  const large = graph.cards.size > LARGE;
  if ((!large && !closed.size) || (large && opened.has(ALL))) return { graph, owner: new Map(), folded: new Set(), large };
  const { cards, groups } = large ? runs(graph) : graph;
  const folded = new Set([...groups.keys()].filter((path) => (large ? !opened.has(path) : closed.has(path))));
  /** The outermost folded group around. @param {string} path */
  const outermost = (path) => {
    let found = '';
    for (let at = path; at; at = groups.get(at)?.parent ?? '') if (folded.has(at)) found = at;
    return found;
  };
  /** @type {Map<string, string>} */ const owner = new Map();
  /** @type {Map<string, Card[]>} */ const members = new Map();
  for (const card of cards.values()) {
    const path = card.kind === 'op' ? outermost(card.scope) : '';
    if (!path) continue;
    owner.set(card.key, `g:${path}`);
    members.set(path, [...(members.get(path) ?? []), card]);
  }
  swallow(graph, cards, owner, members, large);
  return { graph: draw(graph, cards, groups, owner, members), owner, folded, large };
}

/** Leaves that only a folded group reads go with it; in large graphs also those that several read. @param {Graph} graph @param {Map<string, Card>} cards @param {Map<string, string>} owner @param {Map<string, Card[]>} members @param {boolean} large */
function swallow(graph, cards, owner, members, large) {
  /** @type {Map<string, Set<string>>} */ const readers = new Map();
  for (const edge of graph.edges) {
    if (cards.get(edge.from)?.kind !== 'leaf') continue;
    const set = readers.get(edge.from) ?? new Set();
    readers.set(edge.from, set.add(owner.get(edge.to) ?? edge.to));
  }
  for (const [leaf, by] of readers) {
    const card = cards.get(leaf);
    const [only] = by;
    const hidden = large ? [...by].every((key) => key.startsWith('g:')) : by.size === 1 && only.startsWith('g:');
    if (!hidden || !card || (!card.grads && !large)) continue;
    owner.set(leaf, only);
    members.get(only.slice(2))?.push(card);
  }
}

/** @param {Graph} graph @param {Map<string, Card>} cards @param {Map<string, Group>} groups @param {Map<string, string>} owner @param {Map<string, Card[]>} members @returns {Graph} */
function draw(graph, cards, groups, owner, members) {
  /** @type {Map<string, Card>} */ const shown = new Map();
  for (const card of cards.values()) if (!owner.has(card.key)) shown.set(card.key, card);
  for (const [path, inside] of members) {
    const group = /** @type {Group} */ (groups.get(path));
    const ops = inside.filter((card) => card.kind === 'op' && card.role !== 'further');
    const result = ops[ops.length - 1];
    shown.set(`g:${path}`, { ...result, key: `g:${path}`, expr: `${group.type} ${path.startsWith('~') ? '' : path} · ${ops.length}`, sign: '⊞', scope: outside(groups, path, members), inputs: [], role: 'group' });
  }
  const sorted = new Map([...shown].sort(([, a], [, b]) => a.at - b.at));
  const seen = new Set();
  const edges = graph.edges.flatMap((edge) => {
    if (owner.has(edge.from) && cards.get(edge.from)?.kind === 'leaf') return []; // a parameter inside a group has no way out of it
    const from = owner.get(edge.from) ?? edge.from;
    const to = owner.get(edge.to) ?? edge.to;
    const pair = from.startsWith('g:') && to.startsWith('g:') ? `${from}>${to}` : `${from}>${to}>${edge.tensor}`;
    if (from === to || (seen.has(pair) && (from.startsWith('g:') || to.startsWith('g:')))) return [];
    seen.add(pair);
    return [from === edge.from && to === edge.to ? edge : { ...edge, from, to }];
  });
  const drawn = new Map([...groups].filter(([path]) => !members.has(path) && !insideOf(groups, path, members)));
  return { ...graph, cards: sorted, edges, groups: drawn, hash: `${graph.hash}/${[...members.keys()].map((path) => path).join()}/${[...drawn.keys()].join()}` };
}

/** The nearest group around that is drawn as a frame. @param {Map<string, Group>} groups @param {string} path @param {Map<string, Card[]>} members */
function outside(groups, path, members) {
  let at = groups.get(path)?.parent ?? '';
  while (at && members.has(at)) at = groups.get(at)?.parent ?? '';
  return at;
}

/** @param {Map<string, Group>} groups @param {string} path @param {Map<string, Card[]>} members */
function insideOf(groups, path, members) {
  for (let at = groups.get(path)?.parent ?? ''; at; at = groups.get(at)?.parent ?? '') if (members.has(at)) return true;
  return false;
}

/**
 * Operations outside of modules, in runs of the same line. Runs are pieces of time, so that no group can be both before
 * and after another.
 * @param {Graph} graph @returns {{cards: Map<string, Card>, groups: Map<string, Group>}}
 */
function runs(graph) {
  const groups = new Map(graph.groups);
  const cards = new Map(graph.cards);
  const loose = [...cards.values()].filter((card) => card.kind === 'op' && !card.scope && card.role !== 'failed').sort((a, b) => a.at - b.at);
  const outer = (/** @type {Card} */ card) => card.op?.via?.at(-1) ?? card.line;
  /** @type {Card[][]} */ const pieces = [];
  for (const card of loose) {
    const piece = pieces[pieces.length - 1];
    if (piece && outer(piece[0]) === outer(card) && piece.length < RUN) piece.push(card);
    else pieces.push([card]);
  }
  const together = Math.ceil(pieces.length / RUNS);
  for (let i = 0; i < pieces.length; i += together) {
    const piece = pieces.slice(i, i + together).flat();
    if (piece.length < 2) continue;
    const path = `~${i}`;
    const [first, last] = [outer(piece[0]), outer(piece[piece.length - 1])];
    groups.set(path, { path, type: first === last ? `line ${first}` : `lines ${Math.min(first, last)}–${Math.max(first, last)}`, parent: '' });
    for (const card of piece) cards.set(card.key, { ...card, scope: path });
  }
  return { cards, groups };
}
