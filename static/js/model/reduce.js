/**
 * State(t): a fold over events, twin of engine/trace/replay.py (its docstring documents the JSON form and every
 * transition; tests/js hold the two together). Knows no page and never looks ahead.
 *
 * @import {Arr, At, Broadcast, Event, Num, Saved, Fail, Step, End} from '../types.js'
 * @typedef {{node: number, index: number, result: Arr}} Incoming
 * @typedef {{id: number, name: string, role: string, shape: number[], dtype: string, value: Arr, requires_grad: boolean,
 *   op: number | null, grad: Arr | null, flow: Arr | null, incoming: Incoming[], updates: number, stale: boolean}} Tensor
 * @typedef {{name: string, tensor: number | null, const: Num | string | null, broadcast: Broadcast | null}} OpInput
 * @typedef {{index: number, tensor: number | null, to: number | null, local: Arr | null, product: Arr | null,
 *   axes: number[], result: Arr}} Sent
 * @typedef {{id: number, op: string, node: number | null, grad_fn: string | null, inputs: OpInput[], outputs: number[],
 *   params: Record<string, any>, scope: string, saved: Saved[], view_of: number | null, inplace: boolean, at: At | null,
 *   via: number[], status: 'plain' | 'idle' | 'ready' | 'done', freed: boolean, grad: Arr | null, sent: Sent[]}} Op
 * @typedef {{path: string, type: string, open: boolean, ops: number[], tensor: number | null}} Scope
 * @typedef {{tensor: number, before: Arr, after: Arr, optimizer: string | null, terms: Record<string, Num | Arr>, at: At | null}} Change
 * @typedef {{seq: number, kind: string, step: number, closed: boolean,
 *   phase: 'start' | 'forward' | 'backward' | 'update' | 'failed' | 'ended', at: At | null, via: number[],
 *   tensors: Record<string, Tensor>, ops: Record<string, Op>, nodes: Record<string, number>, order: number[],
 *   scopes: Record<string, Scope>, stack: string[], lines: Record<string, number>, root: number | null,
 *   updates: Change[], output: {text: string, stream: string}[], figures: {format: string, data: string}[],
 *   notes: {text: string, topic: string}[], steps: number, brief: Omit<Step, 'seq' | 'at' | 'via'> | null,
 *   fail: Omit<Fail, 'seq'> | null, end: Omit<End, 'seq' | 'at' | 'via'> | null}} State
 */

import { count } from './arrays.js';

const INLINE_LIMIT = 1024; // values; the same as in events.py

/** State(0), before any event. @returns {State} */
export const start = () => ({
  seq: -1, kind: '', step: 0, closed: false, phase: 'start', at: null, via: [],
  tensors: {}, ops: {}, nodes: {}, order: [], scopes: {}, stack: [], lines: {}, root: null, updates: [],
  output: [], figures: [], notes: [], steps: 0, brief: null, fail: null, end: null,
});

const ERA = Symbol('era'); // between which two savings an object was made: in that time it may be changed in place
let eras = 0;

/** A state that shares its tensors, ops and scopes with this one, but nothing that tells which there are. @param {State} state @returns {State} */
const fork = (state) => ({
  ...state, tensors: { ...state.tensors }, ops: { ...state.ops }, nodes: { ...state.nodes }, scopes: { ...state.scopes }, lines: { ...state.lines },
  order: [...state.order], stack: [...state.stack], updates: [...state.updates], output: [...state.output], figures: [...state.figures], notes: [...state.notes],
});

/** @typedef {{state: State, detail: number[]}} Mark  a moment to come back to */

/**
 * Folds events into its state. What a saved state shares with it is replaced before it is changed, so that saving costs
 * one pointer per tensor and op, and coming back as much.
 */
export class Replay {
  state = start();
  /** @type {number[]} the steps that `begin` asked for */
  detail = [];
  /** Kind of the event before. */
  before = '';
  #era = ++eras;

  /** What it takes to come back to this moment. @returns {Mark} */
  save() {
    this.#era = ++eras;
    return { state: fork(this.state), detail: this.detail };
  }

  /** @param {Mark} mark @returns {Replay} at the moment of the saving */
  static from({ state, detail }) {
    const replay = new Replay();
    replay.state = fork(state);
    replay.detail = detail;
    return replay;
  }

  /** A tensor, op or scope that was made just now. @template {object} T @param {T} made @returns {T} */
  made(made) {
    /** @type {any} */ (made)[ERA] = this.#era;
    return made;
  }

  /** @template {object} T @param {Record<string, T>} table @param {number | string} key @param {(each: T) => T} copy @returns {T | undefined} */
  #change(table, key, copy) {
    const each = table[key];
    return each === undefined || /** @type {any} */ (each)[ERA] === this.#era ? each : (table[key] = this.made(copy(each)));
  }

  /** The tensor, to be changed. @param {number | null | undefined} id @returns {Tensor | undefined} */
  tensor(id) {
    return id == null ? undefined : this.#change(this.state.tensors, id, (each) => ({ ...each, incoming: [...each.incoming] }));
  }

  /** The op whose node this is, to be changed. @param {number} node @returns {Op | undefined} */
  op(node) {
    return this.opAt(this.state.nodes[node]);
  }

  /** @param {number | string} key @returns {Op | undefined} */
  opAt(key) {
    return this.#change(this.state.ops, key, (each) => ({ ...each, sent: [...each.sent] }));
  }

  /** @param {string} path @returns {Scope | undefined} */
  scope(path) {
    return this.#change(this.state.scopes, path, (each) => ({ ...each, ops: [...each.ops] }));
  }

  /** Takes one event into the state, which is changed in place. @param {Event} event */
  fold(event) {
    const { state } = this;
    if (state.closed && event.kind !== 'fail' && event.kind !== 'end') this.reopen();
    this.before = state.kind;
    state.seq = event.seq ?? -1;
    state.kind = event.kind;
    if (event.at) {
      state.at = event.at;
      state.via = event.via ?? [];
    }
    if (event.kind === 'begin') {
      this.detail = [...(event.detail ?? [])].sort((a, b) => a - b);
      state.step = this.detail[0] ?? 0;
    } else {
      const transition = /** @type {(state: State, event: any, replay: Replay) => void} */ (on[event.kind]);
      transition?.(state, event, this);
    }
    return state;
  }

  /** The event after a window's last one: everything of the window goes. */
  reopen() {
    const { state, detail } = this;
    const done = state.step;
    Object.assign(state, {
      tensors: {}, ops: {}, nodes: {}, order: [], scopes: {}, stack: [], lines: {}, root: null, updates: [],
      phase: 'start', closed: false, step: detail.find((k) => k > done) ?? done + 1,
    });
  }
}

/** @param {Iterable<Event>} events @param {number} [t]  after the first t events, all by default */
export function replay(events, t = Infinity) {
  const fold = new Replay();
  let n = 0;
  for (const event of events) {
    if (n++ >= t) break;
    fold.fold(event);
  }
  return fold.state;
}

/** Without the keys that only place an event in its trace. @param {any} event @param {string[]} keys */
const without = (event, ...keys) => Object.fromEntries(Object.entries(event).filter(([key]) => !keys.includes(key)));

/** The event's line produced this tensor: its value stands beside the line. @param {State} state @param {Event} event @param {number | null | undefined} tensor */
function seen(state, event, tensor) {
  if (tensor != null && event.at) state.lines[event.at[0]] = tensor;
}

/** @param {State} state */
function forwards(state) {
  if (state.phase === 'start') state.phase = 'forward';
}

/** @param {number} id @param {string} name @param {string} role @param {Arr} value @param {boolean} [requires_grad] @param {Arr | null} [grad] @returns {Tensor} */
const tensor = (id, name, role, value, requires_grad = false, grad = null) => ({
  id, name, role, shape: value.shape, dtype: value.dtype, value, requires_grad, op: null, grad, flow: null,
  incoming: [], updates: 0, stale: false,
});

/** @param {number[]} shape @param {string} dtype @returns {Arr} */
function zeros(shape, dtype) {
  const size = count(shape);
  if (size <= INLINE_LIMIT) return { shape, dtype, data: Array(size).fill(0) };
  return { shape, dtype, preview: [0], stats: { min: 0, max: 0, mean: 0, std: 0, norm: 0, zeros: size } };
}

/** The gradient of a node with several outputs is theirs in a row: to each its piece. @param {Arr} grad @param {Op} op @param {Replay} replay */
function share({ data, dtype }, op, replay) {
  let at = 0;
  for (const id of op.outputs) {
    const output = replay.tensor(id);
    if (!output?.requires_grad) continue;
    const size = count(output.shape);
    if (data && at + size <= data.length) output.flow = { shape: output.shape, dtype, data: data.slice(at, at + size) };
    at += size;
  }
}

/**
 * One transition per kind; `tsc` fails when a kind is missing.
 * @type {{[K in Exclude<Event['kind'], 'begin'>]: (state: State, event: Extract<Event, {kind: K}>, replay: Replay) => void}}
 */
const on = {
  leaf(state, event, replay) {
    const { tensor: id, name = '', role = 'input', value, requires_grad, grad } = event;
    state.tensors[id] = replay.made(tensor(id, name, role, value, requires_grad, grad));
    forwards(state);
    seen(state, event, id);
  },
  bind(state, event, replay) {
    const named = replay.tensor(event.tensor);
    if (!named) return;
    named.name = event.name;
    seen(state, event, event.tensor);
  },
  enter(state, event, replay) {
    const scope = replay.scope(event.scope) ?? (state.scopes[event.scope] = replay.made({ path: event.scope, type: event.type, open: true, ops: [], tensor: null }));
    scope.open = true;
    scope.type = event.type;
    state.stack.push(event.scope);
    forwards(state);
  },
  exit(state, event, replay) {
    const scope = replay.scope(event.scope);
    if (scope) {
      scope.open = false;
      scope.tensor = event.tensor ?? null;
    }
    const depth = state.stack.indexOf(event.scope);
    if (depth >= 0) state.stack.length = depth;
    seen(state, event, event.tensor);
  },
  forward(state, event, replay) {
    if (!event.outputs.length) return;
    const key = event.outputs[0].tensor;
    const node = event.node ?? null;
    const inputs = event.inputs.map((input) => ({
      name: input.name, tensor: input.tensor ?? null, const: input.const ?? null, broadcast: input.broadcast ?? null,
    }));
    state.ops[key] = replay.made({
      id: key, op: event.op, node, grad_fn: event.grad_fn ?? null, inputs, outputs: event.outputs.map((o) => o.tensor),
      params: event.params ?? {}, scope: event.scope ?? '', saved: event.saved ?? [], view_of: event.view_of ?? null,
      inplace: event.inplace ?? false, at: event.at ?? null, via: event.via ?? [],
      status: node === null ? 'plain' : 'idle', freed: false, grad: null, sent: [],
    });
    state.order.push(key);
    if (node !== null) state.nodes[node] = key;
    let name = '';
    const first = inputs[0]?.tensor ?? null;
    const old = event.inplace && first !== key ? replay.tensor(first) : undefined;
    if (old) {
      old.stale = true;
      name = old.name;
    }
    for (const output of event.outputs) {
      const made = replay.made(tensor(output.tensor, name, 'result', output.value, output.requires_grad));
      made.op = key;
      state.tensors[output.tensor] = made;
    }
    for (let path = event.scope ?? ''; path; path = path.slice(0, Math.max(0, path.lastIndexOf('.')))) {
      replay.scope(path)?.ops.push(key);
    }
    seen(state, event, key);
    if (node !== null || (state.phase !== 'backward' && state.phase !== 'update')) state.phase = 'forward';
  },
  seed(state, event, replay) {
    state.phase = 'backward';
    state.root = event.root;
    if (replay.before !== 'seed') { // several roots of one pass are seeded one after the other
      for (const each of Object.values(state.tensors)) {
        if (each.flow || each.incoming.length) Object.assign(replay.tensor(each.id) ?? {}, { flow: null, incoming: [] });
      }
      for (const each of Object.values(state.ops)) {
        if (each.status !== 'plain' && each.status !== 'idle') Object.assign(replay.opAt(each.id) ?? {}, { grad: null, sent: [], status: 'idle' });
      }
    }
    const root = replay.tensor(event.root);
    if (root) root.flow = event.grad;
  },
  ready(state, event, replay) {
    state.phase = 'backward';
    const op = replay.op(event.node);
    if (op) {
      op.status = 'ready';
      op.grad = event.grad;
    }
    const output = replay.tensor(event.tensor);
    if (output) output.flow = event.grad;
    else if (op && op.outputs.length > 1) share(event.grad, op, replay);
  },
  contribute(state, event, replay) {
    const op = replay.op(event.node);
    if (op) {
      op.status = 'done';
      op.sent.push({
        index: event.index, tensor: event.tensor ?? null, to: event.to ?? null, local: event.local ?? null,
        product: event.product ?? null, axes: event.axes ?? [], result: event.result,
      });
    }
    replay.tensor(event.tensor)?.incoming.push({ node: event.node, index: event.index, result: event.result });
  },
  accumulate(state, event, replay) {
    const leaf = replay.tensor(event.tensor);
    if (!leaf) return;
    leaf.grad = event.after;
    leaf.flow = event.delta;
  },
  release(state, event, replay) {
    for (const node of event.nodes) {
      const op = replay.op(node);
      if (!op) continue;
      op.freed = true;
      op.status = 'done';
    }
  },
  zero(state, event, replay) {
    for (const id of event.tensors) {
      const leaf = replay.tensor(id);
      if (leaf) leaf.grad = event.to === 'none' ? null : zeros(leaf.shape, leaf.dtype);
    }
    if (state.phase !== 'start') state.phase = 'update';
  },
  update(state, event, replay) {
    const parameter = replay.tensor(event.tensor);
    if (parameter) {
      parameter.value = event.after;
      parameter.updates += 1;
      seen(state, event, event.tensor);
    }
    const { tensor: id, before, after, optimizer = null, terms = {}, at = null } = event;
    state.updates.push({ tensor: id, before, after, optimizer, terms, at });
    state.phase = 'update';
  },
  print(state, event) {
    state.output.push({ text: event.text, stream: event.stream ?? 'stdout' });
  },
  figure(state, event) {
    state.figures.push({ format: event.format, data: event.data });
  },
  probe() {}, // an answer about another moment changes nothing of this one
  note(state, event) {
    state.notes.push({ text: event.text, topic: event.topic ?? '' });
  },
  step(state, event) {
    state.steps += 1;
    state.brief = /** @type {any} */ (without(event, 'seq', 'at', 'via'));
    state.step = event.index;
    state.closed = true;
  },
  fail(state, event) {
    state.fail = /** @type {any} */ (without(event, 'seq'));
    state.phase = 'failed';
  },
  end(state, event) {
    state.end = /** @type {any} */ (without(event, 'seq', 'at', 'via'));
    if (state.phase !== 'failed') state.phase = 'ended';
  },
};
