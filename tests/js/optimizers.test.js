import assert from 'node:assert/strict';
import test from 'node:test';
import { linesOf } from '../../static/js/explain/optimizers.js';

const read = (terms) => (term) => terms[term] ?? NaN;

test('momentum: the buffer moves the weight', () => {
  // v = 0.9 · 2 + 1 = 2.8; w = 1 − 0.1 · 2.8
  const lines = linesOf('SGD', read({ lr: 0.1, momentum: 0.9, grad: 1, momentum_buffer: 2.8 }), 1, 0.72);
  assert.equal(lines.length, 2);
  assert.match(lines[0].numbers, /2\.8\}$/);
  assert.match(lines[1].numbers, /0\.28\}$/);
});

test('the first step of Adam is lr in size whatever the gradient', () => {
  const terms = { lr: 0.02, beta1: 0.9, beta2: 0.999, eps: 1e-8, step: 1, grad: 3, exp_avg: 0.3, exp_avg_sq: 0.009 };
  assert.equal(linesOf('Adam', read(terms), 1, 0.98).length, 3);
});

test('weight decay is told first: added to the gradient, or by itself in AdamW', () => {
  const terms = { lr: 0.1, momentum: 0, weight_decay: 0.5, grad: 1 };
  assert.match(linesOf('SGD', read(terms), 2, 1.8)[0].rule, /lambda w/); // g = 1 + 0.5 · 2 = 2
  const adam = { lr: 0.1, beta1: 0.9, beta2: 0.999, eps: 0, step: 1, weight_decay: 0.5, grad: 3, exp_avg: 0.3, exp_avg_sq: 0.009 };
  assert.match(linesOf('AdamW', read(adam), 2, 1.8)[0].rule, /1-\\eta/); // 2 · 0.95 − 0.1
});

test('nothing is claimed when the terms do not lead to what happened, or the optimizer is unknown', () => {
  assert.equal(linesOf('SGD', read({ lr: 0.1, momentum: 0.9, grad: 1, momentum_buffer: 2.8 }), 1, 0.5), null);
  assert.equal(linesOf('Mine', read({ lr: 0.1, grad: 1 }), 1, 0.9), null);
});
