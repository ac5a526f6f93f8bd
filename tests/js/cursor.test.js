import assert from 'node:assert/strict';
import test from 'node:test';
import { replay } from '../../static/js/model/reduce.js';
import { Cursor } from '../../static/js/timeline/cursor.js';
import { WINDOW } from './sample.js';

const plain = (value) => JSON.parse(JSON.stringify(value));

test('going back gives the same state as never having gone on', () => {
  const cursor = new Cursor();
  const window = { index: 0, events: WINDOW, closed: true };
  for (const t of [3, 12, 5, 20, 0, 13, 12]) {
    const expected = replay(WINDOW, t);
    assert.deepEqual(plain(cursor.seek(window, t)), plain(expected), `t = ${t}`);
  }
});

/** A step of many rounds: modules, in-place changes, shared leaves, two backward passes, gradients cleared, updates. */
function long(rounds) {
  const value = { shape: [], dtype: 'float32', data: [1] };
  const weight = 4 * rounds * 10;
  const events = [{ kind: 'leaf', tensor: weight, value, role: 'parameter', requires_grad: true, name: 'w' }];
  for (let i = 0; i < rounds; i++) {
    const [made, next] = [4 * (3 * i) + 2, 4 * (3 * i + 1) + 2];
    const before = i ? made - 8 : weight;
    events.push({ kind: 'enter', scope: `net.${i % 7}`, type: 'Linear' });
    events.push({ kind: 'forward', op: 'mul', at: [i % 9, 0, i % 9, 1], inputs: [{ name: 'input', tensor: before }, { name: 'other', tensor: weight }], outputs: [{ tensor: made, value, requires_grad: true }], node: made + 1, scope: `net.${i % 7}` });
    if (i % 5 === 0) events.push({ kind: 'bind', tensor: made, name: `v${i}` });
    events.push({ kind: 'forward', op: 'add_', inputs: [{ name: 'input', tensor: made }], outputs: [{ tensor: next, value, requires_grad: true }], node: next + 1, inplace: i % 3 === 0 });
    events.push({ kind: 'exit', scope: `net.${i % 7}`, type: 'Linear', tensor: next });
    if (i % 50 === 49) events.push({ kind: 'print', text: `${i}\n` });
  }
  for (const pass of [1, 2]) {
    events.push({ kind: 'seed', root: 4 * (3 * (rounds - 1) + 1) + 2, grad: value });
    for (let i = rounds - 1; i >= 0; i--) {
      const node = 4 * (3 * i) + 3;
      events.push({ kind: 'ready', node, grad: value, tensor: node - 1 });
      events.push({ kind: 'contribute', node, index: 0, result: value, tensor: i ? node - 9 : weight, to: i ? node - 8 : null });
      events.push({ kind: 'contribute', node, index: 1, result: value, tensor: weight });
      if (pass === 2) events.push({ kind: 'release', nodes: [node] });
    }
    events.push({ kind: 'accumulate', tensor: weight, delta: value, after: value });
    if (pass === 1) events.push({ kind: 'zero', tensors: [weight], to: 'zero' });
  }
  events.push({ kind: 'update', tensor: weight, before: value, after: value, terms: { lr: 0.1 } });
  return events.map((event, seq) => ({ ...event, seq }));
}

const numbers = (seed) => () => (seed = (seed * 48271) % 2147483647) / 2147483647;

test('any moment reached from a saved one is the moment folded from the start', () => {
  const [events, other] = [long(560), long(300)];
  const cursor = new Cursor();
  const random = numbers(7);
  for (let i = 0; i < 40; i++) {
    const chosen = i % 6 === 5 ? other : events;
    const t = Math.floor(random() * (chosen.length + 1));
    const got = JSON.stringify(cursor.seek({ index: 0, events: chosen, closed: true }, t));
    assert.equal(got, JSON.stringify(replay(chosen, t)), `t = ${t} of ${chosen.length}`);
  }
});

test('a window that grows is folded on, and what was saved of it stays true', () => {
  const all = long(560);
  const events = all.slice(0, 900);
  const window = { index: 0, events, closed: false };
  const cursor = new Cursor();
  cursor.seek(window, 900);
  events.push(...all.slice(900));
  for (const t of [all.length, 950, 2100, 30]) assert.equal(JSON.stringify(cursor.seek(window, t)), JSON.stringify(replay(all, t)), `t = ${t}`);
});

test('going back folds at most what lies between two saved moments, however long the window', () => {
  const value = { shape: [], dtype: 'float32', data: [1] };
  const events = Array.from({ length: 90_000 }, (_, i) => ({ kind: 'leaf', seq: i, tensor: i % 50, value }));
  const window = { index: 0, events, closed: true };
  const cursor = new Cursor();
  cursor.seek(window, events.length);
  let folded = 0;
  const read = events.map((event) => new Proxy(event, { get: (of, name) => (name === 'seq' && folded++, of[name]) }));
  events.splice(0, events.length, ...read);
  for (const t of [89_000, 70_123, 3, 45_678, 45_677]) {
    folded = 0;
    cursor.seek(window, t);
    assert.ok(folded <= 4096, `${folded} events for t = ${t}`);
  }
});

test('state at the end of the backward pass', () => {
  const state = replay(WINDOW, 14);
  assert.equal(state.phase, 'backward');
  assert.deepEqual(state.tensors[1].grad.data, [2]);
  assert.deepEqual(state.tensors[4].flow.data, [0.5, 0.5]);
  assert.equal(state.ops[4].freed, true);
  assert.equal(state.ops[4].sent[0].axes[0], 0);
});

test('zeroing to None leaves None, not zero', () => {
  assert.equal(replay(WINDOW, 18).tensors[1].grad, null);
});
