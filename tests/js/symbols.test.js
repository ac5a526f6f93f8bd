import assert from 'node:assert/strict';
import { test } from 'node:test';

import { called, expression, sign } from '../../static/js/model/symbols.js';

test('an op is called as programs call it, not as the engine calls its block', () => {
  assert.deepEqual(['copied', 'zeroed', 'filled_tensor', 'to_dtype', 'affine', 'sum_', 'relu'].map(called),
    ['copy_', 'zero_', 'fill_', 'to', 'addmm', 'sum', 'relu']);
});

test('so are the badge and the title of its card', () => {
  assert.equal(sign('zeroed'), 'zero_');
  assert.equal(sign('affine'), '@+');
  assert.equal(expression('copied', ['w', 'x'], []), 'copy_(w, x)');
  assert.equal(expression('clamp_numbers', ['x'], []), 'clamp(x)');
  assert.equal(expression('mul', ['x', 'w'], []), 'x·w');
});
