import assert from 'node:assert/strict';
import test from 'node:test';
import { layered, spread } from '../../static/js/layout/layered.js';

/** @param {number} seed */
const random = (seed) => () => (seed = (seed * 48271) % 2147483647) / 2147483647;
const item = (id, group = '') => ({ id, w: 100, h: 50, group });
const apart = (a, b) => a.x + a.w <= b.x + 0.01 || b.x + b.w <= a.x + 0.01 || a.y + a.h <= b.y + 0.01 || b.y + b.h <= a.y + 0.01;

function disjoint(boxes) {
  const all = [...boxes];
  all.forEach(([one, a], i) => all.slice(i + 1).forEach(([other, b]) => assert.ok(apart(a, b), `${one} and ${other} overlap`)));
}

test('what is read stands above what reads it', () => {
  const { boxes } = layered(['a', 'b', 'c', 'd'].map((id) => item(id)), [['a', 'b'], ['a', 'c'], ['b', 'd'], ['c', 'd']], new Map());
  assert.ok(boxes.get('a').y < boxes.get('b').y);
  assert.equal(boxes.get('b').y, boxes.get('c').y);
  assert.ok(boxes.get('c').y < boxes.get('d').y);
  disjoint(boxes);
});

test('nothing overlaps in a random graph, and every box lies on the page', () => {
  const next = random(5);
  const items = Array.from({ length: 160 }, (_, i) => ({ id: `n${i}`, w: 60 + Math.round(next() * 200), h: 30 + Math.round(next() * 90), group: '' }));
  const arrows = items.flatMap((_, i) => (i ? [[`n${Math.floor(next() * i)}`, `n${i}`], [`n${Math.floor(next() * i)}`, `n${i}`]] : []));
  const { boxes, w, h } = layered(items, arrows, new Map());
  assert.equal(boxes.size, 160);
  disjoint(boxes);
  for (const box of boxes.values()) assert.ok(box.x >= -0.01 && box.y >= -0.01 && box.x + box.w <= w + 0.01 && box.y + box.h <= h + 0.01);
});

test('a frame holds its members and nothing else', () => {
  const groups = new Map([['net', { parent: '' }], ['net.0', { parent: 'net' }]]);
  const items = [item('x'), item('a', 'net.0'), item('b', 'net.0'), item('c', 'net'), item('loss')];
  const { boxes, frames } = layered(items, [['x', 'a'], ['a', 'b'], ['b', 'c'], ['c', 'loss']], groups);
  const inside = (box, frame) => box.x >= frame.x && box.y >= frame.y && box.x + box.w <= frame.x + frame.w && box.y + box.h <= frame.y + frame.h;
  for (const id of ['a', 'b']) assert.ok(inside(boxes.get(id), frames.get('net.0')));
  assert.ok(inside(frames.get('net.0'), frames.get('net')) && inside(boxes.get('c'), frames.get('net')));
  for (const id of ['x', 'loss']) assert.ok(apart(boxes.get(id), frames.get('net')));
  assert.ok(boxes.get('x').y < frames.get('net').y && frames.get('net').y < boxes.get('loss').y);
});

test('a chain of thousands is folded into columns, a thousand loose pieces into lines', () => {
  const chain = Array.from({ length: 3000 }, (_, i) => item(`n${i}`));
  const long = layered(chain, chain.slice(1).map((each, i) => [chain[i].id, each.id]), new Map());
  assert.ok(long.w / long.h > 0.5 && long.w / long.h < 4, `${long.w} x ${long.h}`);
  const loose = layered(chain.slice(0, 1000), [], new Map());
  assert.ok(loose.w / loose.h > 0.5 && loose.w / loose.h < 4, `${loose.w} x ${loose.h}`);
});

test('boxes that fit where they want to be are there; others give way to both sides alike', () => {
  assert.deepEqual(spread([0, 500, 900], [100, 100, 100]), [0, 500, 900]);
  const [a, b] = spread([200, 200], [100, 100]);
  assert.equal(a + b, 400);
  assert.equal(b - a, 140); // half of each, and the gap of 40
});
