import assert from 'node:assert/strict';
import test from 'node:test';
import { LONGEST, pack, unpack } from '../../static/js/model/link.js';
import { formula, titleOf } from '../../static/js/model/program.js';

test('a program survives the way through an address, Chinese included', async () => {
  const code = 'import torch\n# 一次一个样本\nprint(torch.ones(2))\n'.repeat(20);
  const packed = await pack(code);
  assert.match(packed, /^#code=[\w-]+$/);
  assert.equal(await unpack(packed), code);
});

test('a program too large for an address gives none', async () => {
  let noise = '';
  for (let i = 0, state = 1; i < 3 * LONGEST; i++) noise += String.fromCharCode(33 + ((state = (state * 48271) % 2147483647) % 90));
  assert.equal(await pack(noise), '');
});

test('a damaged address gives nothing', async () => {
  assert.equal(await unpack('#code=AAAA'), null);
  assert.equal(await unpack('#code='), null);
  assert.equal(await unpack('#other'), null);
});

test('one formula alone is told from a program', () => {
  assert.equal(formula('((x*w + b) - y)**2\n'), '((x*w + b) - y)**2');
  assert.equal(formula('# loss\nmean(relu(x @ w))'), 'mean(relu(x @ w))');
  for (const code of ['x = 1', 'import torch', 'print(x*2)', 'x*w\ny*w', '42', '', 'x', "torch.ones(2) + 1", 'a == b; c']) assert.equal(formula(code), null, code);
});

test('a program is called by its first comment, else by what it does first', () => {
  assert.equal(titleOf('import torch\n# Fit a line\nx = 1'), 'Fit a line');
  assert.equal(titleOf('import torch\nx = 1'), 'x = 1');
});
