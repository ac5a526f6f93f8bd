/** How ops are written on cards and chips: a sign for the round badge, an expression for the title. Display only. */

/** @import {OpInput} from './reduce.js' */

/** @type {Record<string, string | undefined>} op -> its sign; others show their own name */
const SIGN = {
  add: '+', sub: '−', rsub: '−', mul: '×', div: '÷', neg: '−x', matmul: '@', mm: '@', mv: '@', bmm: '@', dot: '·',
  addmm: '@+', affine: '@+', linear: '@+', binary_cross_entropy: 'bce', binary_cross_entropy_with_logits: 'bce', squared_error: 'mse',
  max_dim: 'max', max_all: 'max', min_dim: 'min', min_all: 'min', vector_norm: '‖x‖', to_dtype: 'cast', transpose_: 'ᵀ', pow_number: 'xⁿ', pow_tensor: 'xʸ', pow_base: 'aˣ', unsafe_view: 'view', sum: 'Σ', mean: 'mean', prod: 'Π', exp: 'eˣ', log: 'ln', sqrt: '√', rsqrt: '1/√', abs: '|x|',
  sigmoid: 'σ', tanh: 'tanh', relu: 'relu', t: 'ᵀ', transpose: 'ᵀ', permute: 'perm', reshape: 'shape', view: 'view',
  pow: 'xⁿ', square: 'x²', reciprocal: '1/x', clone: 'copy', detach: 'cut', expand: 'expand', floor_divide: '//',
  remainder: '%', gt: '>', lt: '<', ge: '≥', le: '≤', eq: '=', ne: '≠', max: 'max', min: 'min', cat: 'cat', stack: 'stack',
  index: '[ ]', select: '[ ]', slice: '[:]', unsqueeze: 'unsq', squeeze: 'sq', log_softmax: 'logσ', softmax: 'softmax',
  nll_loss: 'nll', mse_loss: 'mse', gather: 'gather', linalg_norm: '‖x‖', norm: '‖x‖', maximum: 'max', minimum: 'min', convolution: 'conv', max_pool: 'pool', average_pool: 'avg', native_layer_norm: 'LN', native_batch_norm: 'BN',
  native_group_norm: 'GN', embedding: 'emb', permute_dims: 'perm', index_select: '[ ]', expand_to: 'expand', constant_pad_nd: 'pad',
};

/** @type {Record<string, string | undefined>} blocks of the engine that programs know by another name */
const CALLED = {
  copied: 'copy_', zeroed: 'zero_', filled: 'fill_', filled_tensor: 'fill_', swapped: 'transpose_', to_dtype: 'to', affine: 'addmm',
  packed: 'pack_padded_sequence', squared_error: 'mse_loss', log_sigmoid: 'logsigmoid', attention: 'scaled_dot_product_attention',
  average_pool: 'avg_pool2d', max_pool: 'max_pool2d', adaptive_max_pool: 'adaptive_max_pool2d', resample: 'interpolate',
  add_scaled: 'add', sub_scaled: 'sub', add_scalar: 'add', sub_scalar: 'sub', mul_scalar: 'mul', div_scalar: 'div', div_rounded: 'div',
  clamp_numbers: 'clamp', clamp_tensors: 'clamp', clamp_min_tensor: 'clamp', clamp_max_tensor: 'clamp', lerp_number: 'lerp', lerp_tensor: 'lerp',
  masked_fill_number: 'masked_fill', masked_fill_tensor: 'masked_fill', index_fill_number: 'index_fill', scatter_src: 'scatter', scatter_value: 'scatter',
  expand_to: 'expand', unsafe_view: 'reshape', reshape_alias: 'reshape', squeeze_row: 'squeeze', squeeze_dim: 'squeeze', squeeze_dims: 'squeeze', squeeze_all: 'squeeze',
  permute_dims: 'permute', unsafe_split: 'split', split_with_sizes: 'split', safe_softmax: 'softmax', trilinear: 'bilinear',
};

/** @type {Record<string, string | undefined>} op -> sign between its two operands */
const INFIX = {
  add: '+', sub: '−', mul: '·', div: '/', matmul: '@', mm: '@', mv: '@', bmm: '@', gt: '>', lt: '<', ge: '≥', le: '≤',
  eq: '==', ne: '≠', remainder: '%', floor_divide: '//', dot: '·',
};

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const FIXED = /^pow_(\d)$/; // small powers are ops of their own

/** An op as programs call it. @param {string} op */
export function called(op) {
  const bare = op.replace(/_$/, '');
  return CALLED[bare] ?? bare;
}

/** @param {string} op @param {readonly OpInput[]} [inputs] */
export function sign(op, inputs) {
  const bare = op.replace(/_$/, '');
  const fixed = FIXED.exec(bare);
  if (fixed) return `x${raised(Number(fixed[1]))}`;
  const exponent = bare === 'pow' ? inputs?.[1]?.const : undefined;
  if (typeof exponent === 'number' && raised(exponent)) return `x${raised(exponent)}`;
  return SIGN[bare] ?? called(op);
}

/** @param {number} exponent  small whole ones only */
function raised(exponent) {
  return Number.isInteger(exponent) && exponent >= 0 && exponent < 10 ? RAISED[exponent] : '';
}

/** x·w, d², mean(l). @param {string} op @param {readonly string[]} names  of the operands @param {readonly OpInput[]} inputs */
export function expression(op, names, inputs) {
  const bare = op.replace(/_$/, '');
  const fixed = FIXED.exec(bare);
  if (fixed) return `${names[0]}${raised(Number(fixed[1]))}`;
  if ((bare === 'affine' || bare === 'addmm') && names.length === 3) return `${names[1]} @ ${names[2]} + ${names[0]}`;
  const infix = INFIX[bare];
  if (infix && names.length === 2) return infix === '·' ? `${names[0]}·${names[1]}` : `${names[0]} ${infix} ${names[1]}`;
  if (bare === 'rsub' && names.length === 2) return `${names[1]} − ${names[0]}`;
  if (bare === 'neg') return `−${names[0]}`;
  if ((bare === 't' || bare === 'transpose') && names.length) return `${names[0]}ᵀ`;
  if (bare === 'pow' && names.length === 2) {
    const exponent = inputs[1]?.const;
    const power = typeof exponent === 'number' ? raised(exponent) : '';
    return power ? `${names[0]}${power}` : `${names[0]}^${names[1]}`;
  }
  return `${called(op).replace(/^native_|_(dim|all|dims|to|nd)$/g, '')}(${names.join(', ')})`;
}
