import assert from 'node:assert/strict';
import test from 'node:test';
import { shortest } from '../../static/js/model/names.js';

test('an ending that tells the paths apart is enough', () => {
  assert.deepEqual([...shortest(['net.0.weight', 'net.0.bias', 'net.2.weight', 'w']).values()], ['0.weight', 'bias', '2.weight', 'w']);
});

test('a path that is the ending of another stays whole', () => {
  assert.deepEqual([...shortest(['weight', 'a.weight', 'b.weight']).values()], ['weight', 'a.weight', 'b.weight']);
});
