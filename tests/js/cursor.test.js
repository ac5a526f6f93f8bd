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
