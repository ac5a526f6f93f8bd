/** A small trace by hand: x (2,) times w () plus its mean's backward, one step. Values by algebra. */

const array = (shape, ...data) => ({ shape, dtype: 'float32', data });

export const WINDOW = [
  { kind: 'leaf', seq: 1, at: [2, 0, 2, 5], tensor: 3, value: array([2], 1, 3), name: 'x' },
  { kind: 'leaf', seq: 2, at: [3, 0, 3, 5], tensor: 1, value: array([], 2), role: 'parameter', requires_grad: true, name: 'w' },
  { kind: 'forward', seq: 3, at: [4, 4, 4, 9], op: 'mul', inputs: [{ name: 'input', tensor: 3 }, { name: 'other', tensor: 1, broadcast: { source: [], target: [2], axes: [0] } }], outputs: [{ tensor: 4, value: array([2], 2, 6), requires_grad: true }], node: 5, grad_fn: 'MulBackward0', saved: [{ name: 'input', tensor: 3 }] },
  { kind: 'bind', seq: 4, at: [4, 0, 4, 1], tensor: 4, name: 'y' },
  { kind: 'forward', seq: 5, at: [5, 4, 5, 12], op: 'mean', inputs: [{ name: 'input', tensor: 4 }], outputs: [{ tensor: 6, value: array([], 4), requires_grad: true }], node: 7, grad_fn: 'MeanBackward0' },
  { kind: 'bind', seq: 6, at: [5, 0, 5, 1], tensor: 6, name: 'L' },
  { kind: 'seed', seq: 7, at: [6, 0, 6, 12], root: 6, grad: array([], 1), node: 7 },
  { kind: 'ready', seq: 8, at: [6, 0, 6, 12], node: 7, grad: array([], 1), tensor: 6 },
  { kind: 'contribute', seq: 9, at: [6, 0, 6, 12], node: 7, index: 0, result: array([2], 0.5, 0.5), tensor: 4, to: 5 },
  { kind: 'release', seq: 10, at: [6, 0, 6, 12], nodes: [7] },
  { kind: 'ready', seq: 11, at: [6, 0, 6, 12], node: 5, grad: array([2], 0.5, 0.5), tensor: 4 },
  { kind: 'contribute', seq: 12, at: [6, 0, 6, 12], node: 5, index: 1, result: array([], 2), tensor: 1, local: array([2], 1, 3), product: array([2], 0.5, 1.5), axes: [0] },
  { kind: 'accumulate', seq: 13, at: [6, 0, 6, 12], tensor: 1, delta: array([], 2), after: array([], 2) },
  { kind: 'release', seq: 14, at: [6, 0, 6, 12], nodes: [5] },
  { kind: 'leaf', seq: 15, at: [7, 8, 7, 14], tensor: 8, value: array([], 2), role: 'buffer', name: 'w.grad' },
  { kind: 'forward', seq: 16, at: [7, 3, 7, 14], op: 'mul', inputs: [{ name: 'input', tensor: 8 }, { name: 'other', const: 0.1 }], outputs: [{ tensor: 9, value: array([], 0.2) }] },
  { kind: 'update', seq: 17, at: [7, 0, 7, 14], tensor: 1, before: array([], 2), after: array([], 1.8), terms: { lr: 0.1, grad: array([], 2) } },
  { kind: 'zero', seq: 18, at: [8, 0, 8, 10], tensors: [1], to: 'none' },
  { kind: 'print', seq: 19, at: [9, 0, 9, 8], text: '4.0\n' },
  { kind: 'step', seq: 20, index: 0, loss: 4, loss_name: 'L', params: { w: array([], 1.8) }, grads: { w: array([], 2) }, window: true },
];

export const BEGIN = { kind: 'begin', seq: 0, schema: 1, engine: '0', source: 'x = 1\n', seed: 0, run: 'abc' };
export const TRACE = [BEGIN, ...WINDOW, { kind: 'step', seq: 21, index: 1, loss: 3 }, { kind: 'end', seq: 22, status: 'ok', steps: 2 }];
