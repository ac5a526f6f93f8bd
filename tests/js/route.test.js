import assert from 'node:assert/strict';
import test from 'node:test';
import { heading, label, offset, path, trim } from '../../static/js/layout/route.js';

const down = [{ x: 10, y: 0 }, { x: 10, y: 40 }];
const bent = [{ x: 0, y: 0 }, { x: 0, y: 20 }, { x: 50, y: 20 }, { x: 50, y: 40 }];

test('a line moved aside stays parallel', () => assert.deepEqual(offset(down, 5), [{ x: 15, y: 0 }, { x: 15, y: 40 }]));

test('corners move in both directions', () => assert.deepEqual(offset(bent, 5)[1], { x: 5, y: 15 }));

test('a path rounds its corners and ends where the line does', () => {
  assert.match(path(bent), /^M0 0L.*Q0 20.*L50 40$/);
});

test('a trimmed line is shorter at its end', () => assert.deepEqual(trim(down, 4).at(-1), { x: 10, y: 36 }));

test('arrow heads look along the last piece', () => assert.equal(heading(bent), 90));

test('a label sits on the longest piece', () => {
  assert.deepEqual(label(bent), { x: 25, y: 20, vertical: false });
});
