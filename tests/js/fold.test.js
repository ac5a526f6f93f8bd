import assert from 'node:assert/strict';
import test from 'node:test';
import { fold, LARGE } from '../../static/js/model/fold.js';
import { graph } from '../../static/js/model/graph.js';

const value = { shape: [], dtype: 'float32', data: [1] };
const leaf = (tensor, name, requires_grad = false) => ({ kind: 'leaf', tensor, value, name, requires_grad, role: requires_grad ? 'parameter' : 'input' });
const mul = (a, b, out, scope = '', line = 1) => ({ kind: 'forward', op: 'mul', at: [line, 0, line, 5], inputs: [{ name: 'input', tensor: a }, { name: 'other', tensor: b }], outputs: [{ tensor: out, value, requires_grad: true }], node: out + 10000, scope });
const MODULE = [leaf(1, 'x'), leaf(2, 'net.0.weight', true), { kind: 'enter', scope: 'net', type: 'Sequential' }, { kind: 'enter', scope: 'net.0', type: 'Linear' }, mul(1, 2, 3, 'net.0'), mul(3, 2, 4, 'net.0'), { kind: 'exit', scope: 'net.0', type: 'Linear' }, { kind: 'exit', scope: 'net', type: 'Sequential' }, mul(4, 4, 5)];

test('a folded module is one card that shows its result', () => {
  const { graph: shown, owner } = fold(graph(MODULE), ['net.0'], []);
  assert.deepEqual([...shown.cards.keys()], ['t1', 'g:net.0', 'o5']);
  assert.equal(shown.cards.get('g:net.0').tensor, 4);
  assert.equal(owner.get('o3'), 'g:net.0');
});

test('parameters that only the module reads go with it', () => {
  assert.equal(fold(graph(MODULE), ['net.0'], []).owner.get('t2'), 'g:net.0');
});

test('folding the outer module hides the inner one', () => {
  const { graph: shown } = fold(graph(MODULE), ['net', 'net.0'], []);
  assert.deepEqual([...shown.cards.keys()], ['t1', 'g:net', 'o5']);
  assert.equal(shown.groups.size, 0);
});

test('nothing folded, nothing changed', () => {
  const whole = graph(MODULE);
  assert.equal(fold(whole, [], []).graph, whole);
});

test('a large graph opens in runs of lines, and no run is both before and after another', () => {
  const events = [leaf(1, 'x', true)];
  for (let i = 0; i < 5000; i++) events.push(mul(i + 1, 1, i + 2, '', 1 + (i % 7)));
  const { graph: shown } = fold(graph(events), [], []);
  assert.ok(shown.cards.size <= LARGE, String(shown.cards.size));
  const order = [...shown.cards.keys()];
  for (const edge of shown.edges) assert.ok(order.indexOf(edge.from) < order.indexOf(edge.to));
});

test('what prepares the data is left out, what the differentiated part reads of it stays', () => {
  const plain = (a, out) => ({ ...mul(a, a, out), node: undefined, outputs: [{ tensor: out, value }] });
  const events = [leaf(1, 'raw'), plain(1, 2), plain(2, 3), plain(3, 4), leaf(5, 'w', true), mul(4, 5, 6)];
  const { graph: shown, owner } = fold(graph(events), [], []);
  assert.deepEqual([...shown.cards.keys()], ['o4', 't5', 'o6']);
  assert.equal(owner.get('o2'), 'o4');
  assert.equal(owner.get('t1'), 'o4');
  assert.equal(fold(graph(events), [], ['~aside']).graph.cards.size, 6);
});
