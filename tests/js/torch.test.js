import assert from 'node:assert/strict';
import test from 'node:test';
import { places, slips } from '../../static/js/model/torch.js';

test('aliases are followed, also inside an aliased module', () => {
  const found = places('import torch\nimport torch.nn as nn\nfrom torch.nn import functional as F\nfrom torch import optim\n');
  assert.equal(found.get('F'), 'torch.nn.functional');
  assert.equal(found.get('nn.functional'), 'torch.nn.functional');
  assert.equal(found.get('optim'), 'torch.optim');
  assert.equal(found.get('x'), undefined);
});

test('full-width signs are found outside of strings and comments only', () => {
  const code = 'print("你好，世界")  # 注释：好\nx = f（1）';
  assert.deepEqual(slips(code).map(({ from }) => code[from]), ['（', '）']);
});

test('print without parentheses and mixed tabs are found', () => {
  assert.deepEqual(slips('print x').map(({ key }) => key), ['lint.print']);
  assert.deepEqual(slips('for i in x:\n    a\n\tb').map(({ key }) => key), ['lint.tab']);
  assert.deepEqual(slips('print(x)\nprint = 3\nfor i in x:\n\ta\n\tb'), []);
});
