/**
 * The picture's structure: cards and edges of one whole step, from its events. The same for every moment of the step
 * and, as ids repeat, for every step of the same shape. Knows no coordinates and no values.
 *
 * @import {Broadcast, Event, Fail, Forward, Leaf, Output} from '../types.js'
 * @import {OpInput} from './reduce.js'
 * @typedef {{key: string, kind: 'leaf' | 'op', tensor: number, at: number, shape: number[], dtype: string, name: string,
 *   label: string, expr: string, sign: string, role: string, grads: boolean, scope: string, line: number,
 *   op: Forward | null, inputs: OpInput[], first: string, by: number}} Card
 *   at     position in the window of the event that makes it appear
 *   label  what to call it: its name in the program, else v₁ v₂ … dealt here
 *   grads  it takes part in the backward pass
 *   first  key of the card that the edges into the op lead to: its own, but for the further outputs of an op with several
 *   by     what State knows its op by
 * @typedef {{id: string, from: string, to: string, tensor: number, index: number, shape: number[], broadcast: Broadcast | null, grads: boolean}} Edge
 * @typedef {{path: string, type: string, parent: string}} Group
 * @typedef {{cards: Map<string, Card>, edges: Edge[], groups: Map<string, Group>, byTensor: Map<number, string>, byNode: Map<number, string>, hash: string}} Graph
 */
import { short, subscript } from './format.js';
import { number } from './arrays.js';
import { expression, sign } from './symbols.js';

const MANY = 8; // outputs that all get a card

/** @param {readonly Event[]} events  of one window @returns {Graph} */
export function graph(events) {
  const builder = new Builder(events);
  events.forEach((event, at) => {
    if (event.kind === 'leaf') builder.leaf(event, at);
    else if (event.kind === 'enter') builder.enter(event.scope, event.type);
    else if (event.kind === 'forward') builder.forward(event, at);
    else if (event.kind === 'fail' && event.op) builder.fail(event, at);
  });
  return builder.finish();
}

class Builder {
  /** @type {Map<string, Card>} */ cards = new Map();
  /** @type {Edge[]} */ edges = [];
  /** @type {Map<string, Group>} */ groups = new Map();
  /** @type {Map<number, string>} tensor -> the card that shows it now */ byTensor = new Map();
  /** @type {Map<number, string>} */ byNode = new Map();
  /** @type {Map<number, string>} */ names = new Map();
  /** @type {Map<number, string>} wrapped Python numbers, written into expressions */ constants = new Map();
  fresh = 0;
  seeded = Infinity;
  updated = -1;

  /** @param {readonly Event[]} events */
  constructor(events) {
    events.forEach((event, at) => {
      if (event.kind === 'bind') this.names.set(event.tensor, event.name);
      else if (event.kind === 'seed') this.seeded = Math.min(this.seeded, at);
      else if (event.kind === 'update') this.updated = at;
    });
  }

  /** @param {Leaf} event @param {number} at */
  leaf(event, at) {
    const { tensor, value, role = 'input', requires_grad: grads = false } = event;
    const name = this.names.get(tensor) || event.name || '';
    if (role === 'constant' && value.shape.length === 0 && value.data) {
      this.constants.set(tensor, short(number(value.data[0])));
      return;
    }
    const key = `t${tensor}`;
    this.byTensor.set(tensor, key);
    this.cards.set(key, {
      key, kind: 'leaf', tensor, at, shape: value.shape, dtype: value.dtype, name, label: name || role, expr: '', sign: '',
      role, grads, scope: '', line: event.at?.[0] ?? 0, op: null, inputs: [], first: key, by: tensor,
    });
  }

  /** @param {string} path @param {string} type */
  enter(path, type) {
    if (!this.groups.has(path)) this.groups.set(path, { path, type, parent: '' });
  }

  /** @param {Forward} event @param {number} at */
  forward(event, at) {
    if (!event.outputs.length) return;
    if (event.node == null && at > this.seeded && at < this.updated) return; // arithmetic of an update by hand
    const [{ tensor, value }] = event.outputs;
    let key = `o${tensor}`;
    while (this.cards.has(key)) key += '′';
    const inputs = event.inputs.map((input) => ({
      name: input.name, tensor: input.tensor ?? null, const: input.const ?? null, broadcast: input.broadcast ?? null,
    }));
    const operands = inputs.map((input) => this.operand(input));
    const name = this.names.get(tensor) ?? '';
    inputs.forEach((input, index) => {
      const from = input.tensor === null ? undefined : this.byTensor.get(input.tensor);
      const source = from === undefined ? undefined : this.cards.get(from);
      if (!source || input.tensor === null) return;
      const shape = input.broadcast?.source ?? this.shapes.get(input.tensor) ?? source.shape;
      const grads = event.node != null && this.differentiable.has(input.tensor);
      this.edges.push({ id: `${key}:${index}`, from: source.key, to: key, tensor: input.tensor, index, shape, broadcast: input.broadcast, grads });
    });
    this.byTensor.set(tensor, key);
    for (const output of event.outputs) {
      this.shapes.set(output.tensor, output.value.shape);
      if (output.requires_grad) this.differentiable.add(output.tensor);
    }
    if (event.node != null) this.byNode.set(event.node, key);
    /** @type {Card} */
    const card = {
      key, kind: 'op', tensor, at, shape: value.shape, dtype: value.dtype, name, label: name || `v${subscript(++this.fresh)}`,
      expr: expression(event.op, operands.filter((text) => text !== ''), inputs), sign: sign(event.op, inputs), role: 'result',
      grads: event.node != null, scope: event.scope ?? '', line: event.at?.[0] ?? 0, op: event, inputs, first: key, by: tensor,
    };
    this.cards.set(key, card);
    if (event.outputs.length === 1) return;
    event.outputs.slice(1).forEach((output, i) => this.further(card, output, i + 1));
    card.expr += picks(card) ? '.values' : '[0]';
  }

  /** A further output of the op: a card beside the first. @param {Card} first @param {Output} output @param {number} n  which one, from 1 */
  further(first, { tensor, value, requires_grad: grads = false }, n) {
    const key = `o${tensor}`;
    if (this.cards.has(key)) return;
    this.byTensor.set(tensor, key);
    const name = this.names.get(tensor) ?? '';
    const part = picks(first) ? '.indices' : `[${n}]`;
    this.cards.set(key, { ...first, key, tensor, shape: value.shape, dtype: value.dtype, name, label: name || `${first.label}${part}`, expr: name ? `${first.expr}${part}` : '', sign: '', role: 'further', grads: first.grads && grads });
  }

  /** The op that refused its inputs is drawn as well: it is what one looks for. @param {Fail} event @param {number} at */
  fail(event, at) {
    const inputs = (event.tensors ?? []).map((tensor, i) => ({ name: String(i), tensor, const: null, broadcast: null }));
    const names = inputs.map((input) => this.operand(input));
    inputs.forEach(({ tensor }, index) => {
      const source = this.cards.get(this.byTensor.get(tensor) ?? '');
      if (source) this.edges.push({ id: `fail:${index}`, from: source.key, to: 'fail', tensor, index, shape: this.shapes.get(tensor) ?? source.shape, broadcast: null, grads: false });
    });
    this.cards.set('fail', { key: 'fail', kind: 'op', tensor: -1, at, shape: [], dtype: '', name: '', label: expression(event.op ?? '', names, inputs), expr: '', sign: sign(event.op ?? '', inputs),
      role: 'failed', grads: false, scope: '', line: event.at?.[0] ?? 0, op: null, inputs, first: 'fail', by: -1 });
  }

  /** @type {Map<number, number[]>} */ shapes = new Map();
  /** @type {Set<number>} */ differentiable = new Set();

  /** @param {OpInput} input @returns {string} */
  operand(input) {
    if (input.tensor === null) {
      if (input.const === null) return '';
      return typeof input.const === 'number' ? short(input.const) : String(input.const);
    }
    const key = this.byTensor.get(input.tensor);
    const card = key === undefined ? undefined : this.cards.get(key);
    if (card?.kind === 'leaf' && card.grads) this.differentiable.add(input.tensor);
    return card ? bare(card.label) : this.constants.get(input.tensor) ?? '?';
  }

  /** @returns {Graph} */
  finish() {
    const { cards, edges, groups, byTensor, byNode } = this;
    const used = new Set(edges.map((edge) => edge.from));
    const busy = edges.length > 0;
    for (const [key, card] of cards) {
      // w.grad as read by an update, or what an earlier step left behind: not part of this graph
      if (card.kind === 'leaf' && !used.has(key) && (busy || card.role === 'buffer' || card.role === 'earlier') && card.role !== 'parameter') cards.delete(key);
    }
    for (const [key, card] of cards) {
      // of a hundred outputs those that have a name or are read
      if (card.role === 'further' && (card.op?.outputs.length ?? 0) > MANY && !card.name && !used.has(key)) cards.delete(key);
    }
    shorten([...cards.values()].filter((card) => card.kind === 'leaf'));
    for (const group of groups.values()) group.parent = enclosing(groups, group.path);
    for (const card of cards.values()) {
      if (card.scope && !groups.has(card.scope)) card.scope = enclosing(groups, card.scope);
    }
    return { cards, edges, groups, byTensor, byNode, hash: hash(cards, edges) };
  }
}

/** Does the op say besides its values where it found them, as `max(dim)`, `sort`, `topk` do? @param {Card} card */
export const picks = ({ op, dtype }) => op !== null && op.outputs.length === 2 && op.outputs[1].value.dtype === 'int64' && dtype !== 'int64';

/** net.0.weight becomes weight, or 0.weight where another weight is about. @param {Card[]} leaves */
function shorten(leaves) {
  const tails = (/** @type {string} */ name, /** @type {number} */ n) => name.split('.').slice(-n).join('.');
  for (const card of leaves) {
    if (!/^\w+(\.\w+)+$/.test(card.name)) continue;
    const n = [1, 2, 3].find((each) => leaves.every((other) => other === card || tails(other.name, each) !== tails(card.name, each))) ?? 9;
    card.label = tails(card.name, n);
  }
}

/** The last part of a dotted name. @param {string} name */
export const bare = (name) => (/^[\w.]+$/.test(name) ? name.slice(name.lastIndexOf('.') + 1) : name);

/** @param {Map<string, Group>} groups @param {string} path  the nearest module around it that was entered, '' if none */
function enclosing(groups, path) {
  do path = path.slice(0, Math.max(0, path.lastIndexOf('.')));
  while (path && !groups.has(path));
  return path;
}

/** Equal for graphs that are drawn alike. @param {Map<string, Card>} cards @param {Edge[]} edges */
function hash(cards, edges) {
  let text = '';
  for (const card of [...cards.values()].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    text += `${card.key}|${card.shape}|${card.label}|${card.expr}|${card.scope}|${card.grads};`;
  }
  for (const edge of edges) text += `${edge.from}>${edge.id};`;
  let code = 5381;
  for (let i = 0; i < text.length; i++) code = (Math.imul(code, 33) ^ text.charCodeAt(i)) >>> 0;
  return `${cards.size}.${edges.length}.${code.toString(36)}`;
}
