import assert from 'node:assert/strict';
import test from 'node:test';
import { arrange, rows } from '../../static/js/layout/rows.js';
import { measure } from '../../static/js/layout/metrics.js';
import { graph } from '../../static/js/model/graph.js';
import { WINDOW } from './sample.js';

test('cards are leaves and results, not the arithmetic of the update', () => {
  assert.deepEqual([...graph(WINDOW).cards.values()].map((card) => card.label), ['x', 'w', 'y', 'L']);
});

test('an expression stands on the card of its result', () => {
  assert.deepEqual([...graph(WINDOW).cards.values()].map((card) => card.expr), ['', '', 'x·w', 'mean(y)']);
});

test('only edges that will carry a gradient are marked so', () => {
  assert.deepEqual(graph(WINDOW).edges.map((edge) => [edge.id, edge.grads]), [['o4:0', false], ['o4:1', true], ['o6:0', true]]);
});

test('two windows of the same shape have one structure', () => {
  const later = WINDOW.map((event) => (event.kind === 'leaf' ? { ...event, role: event.role === 'parameter' ? 'parameter' : 'earlier', value: { ...event.value, data: event.value.data.map((v) => v * 7) } } : event));
  assert.equal(graph(later).hash, graph(WINDOW).hash);
});

test('nothing is left of a graph whose inputs never appeared', () => {
  assert.equal(graph(WINDOW.slice(2)).edges.some((edge) => edge.to === 'o4'), false);
});

test('a parameter stands beside the operation that reads it, data above', () => {
  const structure = graph(WINDOW);
  const { rows: found, owner } = rows(structure);
  assert.equal(owner.get('t1'), 'o4');
  assert.ok(found.has('t3'));
  const { places } = arrange(found.get('o4'), structure.edges);
  assert.ok(places.get('t1').x > places.get('o4').w);
});

test('a card’s size follows from its shape, never from its values', () => {
  const [a] = graph(WINDOW).cards.values();
  assert.deepEqual(measure(a), measure({ ...a, at: 99 }));
});
