/**
 * Which cells of its inputs one cell of an op's output was made from, op by op: the addends of a sum, the factors of a
 * product, the cell that was picked or moved, the row that was normalised. An op that is not in the table and does not
 * work cell by cell has no answer: none is better than a wrong one. Pure; knows no graph and no gradient.
 *
 * @typedef {{input: number, index: number[]}} Cell  of an input
 * @typedef {{cells: Cell[], scale?: number, value?: (numbers: number[]) => number[]}} Part
 *   scale  what the product of the cells is multiplied with
 *   value  the factors, when they are not the cells themselves
 * @typedef {'sum' | 'pick' | 'row' | 'constant'} How
 *   sum       the parts add up to the cell
 *   pick      the cell is one of the input's, unchanged; several when they tie
 *   row       it is made from all of these cells
 *   constant  from none: padding, the empty half of a triangle
 * @typedef {{how: How, count: number, part: (k: number) => Part}} Made
 * @typedef {{op: string, params: Record<string, any>, shapes: (number[] | null)[], names: string[], out: number[], outs: number[][], nth: number,
 *   at: (input: number, index: number[]) => number | undefined, made: (output: number, index: number[]) => number | undefined}} Call
 *   shapes  of the inputs; null for a constant
 *   nth     which output is asked; outs: shapes of all
 *   at      a number of an input; made: of an output
 * @typedef {(index: number[], call: Call) => Made | null} Rule
 */
import { count, flat, unbroadcast, unflat } from './arrays.js';

/** The same row-major place in another shape. @type {Rule} */
const moved = (index, { shapes: [shape], out }) => shape && picked({ input: 0, index: unflat(shape, flat(out, index)) });

/** @param {Cell} cell @returns {Made} */
const picked = (cell) => ({ how: 'pick', count: 1, part: () => ({ cells: [cell] }) });

/** @type {Made} */
const NONE = { how: 'constant', count: 0, part: () => ({ cells: [] }) };

/** @param {Cell[]} cells @returns {Made} */
const row = (cells) => ({ how: 'row', count: cells.length, part: (k) => ({ cells: [cells[k]] }) });

/** @param {number | null | undefined | number[]} dim @param {number} rank @returns {number[]} */
function axes(dim, rank) {
  if (dim == null || (Array.isArray(dim) && !dim.length)) return Array.from({ length: rank }, (_, i) => i);
  return (Array.isArray(dim) ? dim : [dim]).map((axis) => (axis < 0 ? axis + rank : axis));
}

/** @param {number} axis @param {number} rank */
const wrap = (axis, rank) => (axis < 0 ? axis + rank : axis);

/** The cells that a reduction folds into one, in order. @param {number[]} index @param {number[]} shape @param {number[]} dims @param {boolean} keep @returns {{n: number, cell: (k: number) => number[]}} */
function folded(index, shape, dims, keep) {
  const sizes = dims.map((axis) => shape[axis]);
  return {
    n: count(sizes),
    cell: (k) => {
      const inner = unflat(sizes, k);
      let own = 0;
      return shape.map((_, axis) => {
        const at = dims.indexOf(axis);
        if (at >= 0) {
          if (keep) own += 1;
          return inner[at];
        }
        return index[own++];
      });
    },
  };
}

/** @param {(call: Call, n: number) => number} scale @returns {Rule} */
const added = (scale) => (index, call) => {
  const [shape] = call.shapes;
  if (!shape) return null;
  const { n, cell } = folded(index, shape, axes(call.params.dim, shape.length), call.params.keepdim === true);
  return { how: 'sum', count: n, part: (k) => ({ cells: [{ input: 0, index: cell(k) }], scale: scale(call, n) }) };
};

/** Everything along the dimension, or dimensions, makes the cell. @type {Rule} */
const along = (index, { shapes: [shape], params, out }) => {
  if (!shape) return null;
  const same = out.length === shape.length && params.keepdim === undefined;
  const { n, cell } = folded(index, shape, axes(params.dim, shape.length), same || params.keepdim === true);
  return row(Array.from({ length: n }, (_, k) => ({ input: 0, index: cell(k) })));
};

/** The cell that has the result's value; all that tie. @type {Rule} */
const extreme = (index, call) => {
  const [shape] = call.shapes;
  const result = call.made(0, index);
  if (!shape || result === undefined) return null;
  const { n, cell } = folded(index, shape, axes(call.params.dim, shape.length), call.params.keepdim === true);
  /** @type {Cell[]} */ const found = [];
  for (let k = 0; k < n; k++) {
    const value = call.at(0, cell(k));
    if (value === undefined) return null;
    if (Object.is(value, result) || value === result) found.push({ input: 0, index: cell(k) });
  }
  return found.length ? { how: 'pick', count: found.length, part: (k) => ({ cells: [found[k]] }) } : null;
};

/** The op says itself, in its second output, where along the dimension it found the value. @type {Rule} */
const pointed = (index, { shapes: [shape], params, made }) => {
  const place = made(1, index);
  if (!shape || place === undefined) return null;
  const dim = wrap(params.dim ?? -1, shape.length);
  const full = params.keepdim === false ? [...index.slice(0, dim), 0, ...index.slice(dim)] : [...index];
  return picked({ input: 0, index: full.map((i, axis) => (axis === dim ? place : i)) });
};

/** @param {{left: number, right: number, first: (index: number[]) => number[], last: (index: number[]) => number[], n: number, added?: Cell | null, beta?: number, alpha?: number}} of @param {number[]} index @returns {Made} */
function multiplied({ left, right, first, last, n, added: extra = null, beta = 1, alpha = 1 }, index) {
  const lead = extra ? 1 : 0;
  return { how: 'sum', count: n + lead, part: (k) => (extra && k === 0 ? { cells: [extra], scale: beta }
    : { cells: [{ input: left, index: first([...index, k - lead]) }, { input: right, index: last([...index, k - lead]) }], scale: alpha }) };
}

/** @param {number} left  which input is the left matrix; those before it are added @returns {Rule} */
const product = (left) => (index, { shapes, params }) => {
  const [a, b] = [shapes[left], shapes[left + 1]];
  if (!a || !b || a.length < 1 || b.length < 1) return null;
  const sum = left ? shapes[0] : null;
  const extra = sum ? { input: 0, index: unbroadcast(index, sum) } : null;
  const more = { left, right: left + 1, n: a[a.length - 1], added: extra, beta: params.beta ?? 1, alpha: params.alpha ?? 1 };
  if (a.length === 1 && b.length === 1) return multiplied({ ...more, first: ([k]) => [k], last: ([k]) => [k] }, index);
  if (a.length === 2 && b.length === 1) return multiplied({ ...more, first: ([i, k]) => [i, k], last: ([, k]) => [k] }, index);
  if (a.length === 2 && b.length === 2) return multiplied({ ...more, first: ([i, , k]) => [i, k], last: ([, j, k]) => [k, j] }, index);
  if (a.length === 3 && b.length === 3) return multiplied({ ...more, first: ([n, i, , k]) => [n, i, k], last: ([n, , j, k]) => [n, k, j] }, index);
  return null;
};

/** @type {Rule} */
const convolution = (index, { shapes: [input, weight, bias], params }) => {
  const { stride, padding, dilation, groups = 1 } = params;
  if (!input || !weight || input.length !== weight.length || ![stride, padding, dilation].every(Array.isArray)) return null;
  const [n, o, ...place] = index;
  const [outs, channels, ...kernel] = weight;
  const group = Math.floor(o / (outs / groups));
  const inside = window_(place, kernel, stride, padding, dilation, input.slice(2));
  const lead = bias ? 1 : 0;
  return { how: 'sum', count: lead + channels * inside.length, part: (k) => {
    if (bias && k === 0) return { cells: [{ input: 2, index: [o] }] };
    const [channel, { at, tap }] = [Math.floor((k - lead) / inside.length), inside[(k - lead) % inside.length]];
    return { cells: [{ input: 0, index: [n, group * channels + channel, ...at] }, { input: 1, index: [o, channel, ...tap] }] };
  } };
};

/** The places of a sliding window that are not padding. @param {number[]} place @param {number[]} kernel @param {number[]} stride @param {number[]} padding @param {number[]} dilation @param {number[]} sizes @returns {{at: number[], tap: number[]}[]} */
function window_(place, kernel, stride, padding, dilation, sizes) {
  const found = [];
  for (let k = 0; k < count(kernel); k++) {
    const tap = unflat(kernel, k);
    const at = tap.map((t, axis) => place[axis] * stride[axis] - padding[axis] + t * dilation[axis]);
    if (at.every((i, axis) => i >= 0 && i < sizes[axis])) found.push({ at, tap });
  }
  return found;
}

/** @param {Call} call @param {number[]} index */
function pool({ shapes: [input], params }, index) {
  const { kernel_size: kernel, stride, padding } = params;
  if (!input || ![kernel, stride, padding].every(Array.isArray)) return null;
  const rank = kernel.length;
  const lead = index.slice(0, -rank);
  const place = index.slice(-rank);
  const sizes = input.slice(-rank);
  const inside = window_(place, kernel, stride, padding, params.dilation ?? kernel.map(() => 1), sizes);
  // torch: a window that reaches beyond the padding is cut there before it is counted
  const area = place.reduce((n, at, axis) => n * (Math.min(at * stride[axis] - padding[axis] + kernel[axis], sizes[axis] + padding[axis]) - (at * stride[axis] - padding[axis])), 1);
  return { cells: inside.map(({ at }) => ({ input: 0, index: [...lead, ...at] })), area };
}

/** @type {Rule} */
const largest = (index, call) => {
  const found = pool(call, index);
  const result = call.made(0, index);
  const cell = found?.cells.find((each) => call.at(0, each.index) === result);
  return cell ? picked(cell) : null;
};

/** @type {Rule} */
const averaged = (index, call) => {
  const found = pool(call, index);
  if (!found) return null;
  const by = call.params.divisor_override ?? (call.params.count_include_pad === false ? found.cells.length : found.area);
  return { how: 'sum', count: found.cells.length, part: (k) => ({ cells: [found.cells[k]], scale: 1 / by }) };
};

/** @type {Rule} */
const joined = (index, { shapes, params }) => {
  const dim = wrap(params.dim ?? 0, index.length);
  let at = index[dim];
  for (const [input, shape] of shapes.entries()) {
    if (!shape) return null;
    const size = shape.length === 1 && shape[0] === 0 ? 0 : shape[dim]; // torch lets an empty vector stand among matrices
    if (at < size) return picked({ input, index: index.map((i, axis) => (axis === dim ? at : i)) });
    at -= size;
  }
  return null;
};

/** @type {Rule} */
const cut = (index, { shapes: [shape], params, outs, nth }) => {
  if (!shape) return null;
  const dim = wrap(params.dim ?? 0, shape.length);
  const before = outs.slice(0, nth).reduce((sum, out) => sum + out[dim], 0);
  return picked({ input: 0, index: index.map((i, axis) => (axis === dim ? i + before : i)) });
};

/** @param {number[]} index @param {number} dim @param {number} value */
const inserted = (index, dim, value) => [...index.slice(0, dim), value, ...index.slice(dim)];

/** @type {Rule} */
const sliced = (index, { shapes: [shape], params }) => {
  if (!shape) return null;
  const dim = wrap(params.dim ?? 0, shape.length);
  const start = params.start ?? 0;
  const from = Math.max(0, Math.min(start < 0 ? start + shape[dim] : start, shape[dim]));
  return picked({ input: 0, index: index.map((i, axis) => (axis === dim ? from + i * (params.step ?? 1) : i)) });
};

/** @type {Rule} */
const permuted = (index, { shapes: [shape], params: { dims } }) => {
  if (!shape || !Array.isArray(dims)) return null;
  const from = Array(shape.length).fill(0);
  dims.forEach((/** @type {number} */ axis, /** @type {number} */ i) => (from[wrap(axis, shape.length)] = index[i]));
  return picked({ input: 0, index: from });
};

/** @type {Rule} */
const swapped = (index, { shapes: [shape], params }) => {
  if (!shape) return null;
  if (shape.length < 2) return picked({ input: 0, index });
  const [a, b] = [wrap(params.dim0 ?? 0, shape.length), wrap(params.dim1 ?? 1, shape.length)];
  return picked({ input: 0, index: index.map((i, axis) => (axis === a ? index[b] : axis === b ? index[a] : i)) });
};

/** Where an index tensor of the trace says. @param {'gather' | 'select' | 'row'} way @returns {Rule} */
const looked = (way) => (index, { shapes: [shape, places], params, at }) => {
  if (!shape || !places) return null;
  const dim = way === 'row' ? 0 : wrap(params.dim ?? 0, shape.length);
  const where = way === 'gather' ? index : way === 'select' ? (places.length ? [index[dim]] : []) : index.slice(0, places.length);
  const place = at(1, where);
  if (place === undefined) return null;
  if (way === 'row') return picked({ input: 0, index: [place, ...index.slice(places.length)] });
  return picked({ input: 0, index: index.map((i, axis) => (axis === dim ? place : i)) });
};

/** An index of the trace, when all of it was recorded. @param {unknown} index @returns {{values: (number | boolean)[], shape: number[]} | null} */
function recorded(index) {
  if (typeof index === 'number') return { values: [index], shape: [] };
  if (!Array.isArray(index)) return null;
  const shape = [];
  for (/** @type {any} */ let at = index; Array.isArray(at); at = at[0]) shape.push(at.length);
  return { values: /** @type {any[]} */ (index.flat(Infinity)), shape };
}

const WHOLE = 'slice(None, None, None)';

/** `x[rows]`, `x[rows, columns]`, `x[mask]`: index tensors side by side. @type {Rule} */
const indexed = (index, { shapes: [shape], params }) => {
  if (!shape || !Array.isArray(params.indices)) return null;
  const first = params.indices.findIndex((/** @type {unknown} */ each) => each !== null && each !== WHOLE);
  const read = params.indices.slice(first).map(recorded);
  if (first < 0 || read.includes(null)) return null;
  let known = /** @type {{values: (number | boolean)[], shape: number[]}[]} */ (read);
  if (known.length === 1 && typeof known[0].values[0] === 'boolean') {
    const { values, shape: mask } = known[0];
    const places = values.flatMap((is, at) => (is ? [unflat(mask, at)] : []));
    known = mask.map((_, axis) => ({ values: places.map((place) => place[axis]), shape: [places.length] }));
  }
  const shared = known.reduce((most, each) => (each.shape.length > most.length ? each.shape : most), /** @type {number[]} */ ([]));
  if (known.some((each) => each.shape.join() !== shared.join() || typeof each.values[0] === 'boolean')) return null;
  const here = index.slice(first, first + shared.length);
  const picks = known.map((each, i) => wrap(Number(each.values[flat(shared, here)]), shape[first + i]));
  return picked({ input: 0, index: [...index.slice(0, first), ...picks, ...index.slice(first + shared.length)] });
};

/** A loss that adds up something of each pair of cells. @param {(x: number, y: number, params: Record<string, any>) => number[]} factors @returns {Rule} */
const paired = (factors) => (index, { shapes: [x, y, ...more], params }) => {
  if (!x || !y || x.join() !== y.join() || more.some((shape) => shape)) return null;
  const n = count(x);
  const one = params.reduction === 'none';
  const scale = params.reduction === 'mean' ? 1 / n : 1;
  return { how: 'sum', count: one ? 1 : n, part: (k) => {
    const at = one ? index : unflat(x, k);
    return { cells: [{ input: 0, index: at }, { input: 1, index: at }], value: ([a, b]) => factors(a, b, params), scale };
  } };
};

/** @type {Rule} */
const likelihood = (index, { shapes: [x, target, ...more], params, at }) => {
  if (!x || !target || more.some((shape) => shape) || x.length > 2) return null;
  const n = x.length === 2 ? x[0] : 1;
  const rows = params.reduction === 'none' && x.length === 2 ? [index[0]] : Array.from({ length: n }, (_, i) => i);
  const classes = rows.map((i) => at(1, target.length ? [i] : []));
  if (classes.includes(undefined)) return null;
  const counted = rows.flatMap((i, k) => (classes[k] === params.ignore_index ? [] : [{ input: 0, index: x.length === 2 ? [i, Number(classes[k])] : [Number(classes[k])] }]));
  const scale = params.reduction === 'mean' ? -1 / counted.length : -1;
  return { how: 'sum', count: counted.length, part: (k) => ({ cells: [counted[k]], scale }) };
};

/** A normalised cell: the cells it is measured against, its weight and its bias. @param {(index: number[], call: Call) => {among: number[][], own: number[]} | null} group @returns {Rule} */
const normalised = (group) => (index, call) => {
  const found = group(index, call);
  if (!found) return null;
  const rest = call.shapes.slice(1).flatMap((shape, i) => (shape && (call.names[i + 1] === 'weight' || call.names[i + 1] === 'bias') ? [{ input: i + 1, index: found.own }] : []));
  return row([...found.among.map((at) => ({ input: 0, index: at })), ...rest]);
};

/** All indices that agree with `index` where `fixed` says so. @param {number[]} index @param {number[]} shape @param {(axis: number) => boolean} fixed */
function sharing(index, shape, fixed) {
  const free = shape.map((_, axis) => axis).filter((axis) => !fixed(axis));
  return Array.from({ length: count(free.map((axis) => shape[axis])) }, (_, k) => {
    const inner = unflat(free.map((axis) => shape[axis]), k);
    return index.map((i, axis) => (free.includes(axis) ? inner[free.indexOf(axis)] : i));
  });
}

/** Cell by cell, what is small stretched. @type {Rule} */
const cellwise = (index, { shapes, out }) => {
  if (shapes.some((shape) => shape && !fits(shape, out))) return null;
  return row(shapes.flatMap((shape, input) => (shape ? [{ input, index: unbroadcast(index, shape) }] : [])));
};

/** Could this shape have been stretched to that one? @param {number[]} from @param {number[]} to */
function fits(from, to) {
  const skip = to.length - from.length;
  return skip >= 0 && from.every((size, axis) => size === 1 || size === to[axis + skip]);
}

/** @param {(row: number, col: number, diagonal: number) => boolean} kept @returns {Rule} */
const triangle = (kept) => (index, { params }) => {
  const [r, c] = index.slice(-2);
  return kept(r, c, params.diagonal ?? 0) ? picked({ input: 0, index }) : NONE;
};

/** @type {Record<string, Rule | undefined>} by the op's name without the underscore at its end */
const RULES = {
  sum: added(() => 1), mean: added((_, n) => 1 / n),
  var: along, std: along, prod: along, logsumexp: along, vector_norm: along, norm_along: along, softmax: along, log_softmax: along, safe_softmax: along,
  amax: extreme, amin: extreme, max_all: extreme, min_all: extreme, median_all: extreme,
  max_dim: pointed, min_dim: pointed, median_dim: pointed, mode_dim: pointed, kthvalue: pointed, sort: pointed, topk: pointed, cummax: pointed, cummin: pointed,
  cumsum: (index, { shapes: [shape], params }) => {
    const dim = wrap(params.dim ?? 0, shape?.length ?? 0);
    return shape && { how: 'sum', count: index[dim] + 1, part: (k) => ({ cells: [{ input: 0, index: index.map((i, axis) => (axis === dim ? k : i)) }] }) };
  },
  cumprod: (index, { shapes: [shape], params }) => {
    const dim = wrap(params.dim ?? 0, shape?.length ?? 0);
    return shape && row(Array.from({ length: index[dim] + 1 }, (_, k) => ({ input: 0, index: index.map((i, axis) => (axis === dim ? k : i)) })));
  },
  mm: product(0), bmm: product(0), mv: product(0), dot: product(0), matmul: product(0), addmm: product(1), affine: product(1), addmv: product(1), baddbmm: product(1), masked_products: product(1),
  convolution, max_pool: largest, average_pool: averaged,
  cat: joined, stack: (index, { params }) => {
    const dim = wrap(params.dim ?? 0, index.length);
    return picked({ input: index[dim], index: index.filter((_, axis) => axis !== dim) });
  },
  split: cut, split_with_sizes: cut, unsafe_split: cut, slice: sliced,
  unbind: (index, { shapes: [shape], params, nth }) => shape && picked({ input: 0, index: inserted(index, wrap(params.dim ?? 0, shape.length), nth) }),
  select: (index, { shapes: [shape], params }) => {
    const dim = wrap(params.dim ?? 0, shape?.length ?? 0);
    return shape && picked({ input: 0, index: inserted(index, dim, wrap(params.index, shape[dim])) });
  },
  index: indexed, gather: looked('gather'), index_select: looked('select'), embedding: looked('row'), take_along_dim: looked('gather'),
  view: moved, reshape: moved, reshape_alias: moved, unsafe_view: moved, unsqueeze: moved, squeeze_all: moved, squeeze_dim: moved, squeeze_dims: moved, squeeze_row: moved,
  clone: moved, contiguous: moved, alias: moved, to_dtype: moved, detach: moved,
  t: swapped, transpose: swapped, permute_dims: permuted,
  expand_to: (index, { shapes: [shape] }) => shape && picked({ input: 0, index: unbroadcast(index, shape) }),
  repeat: (index, { shapes: [shape] }) => shape && picked({ input: 0, index: shape.map((size, axis) => index[axis + index.length - shape.length] % size) }),
  flip: (index, { shapes: [shape], params }) => shape && picked({ input: 0, index: index.map((i, axis) => (axes(params.dims, shape.length).includes(axis) ? shape[axis] - 1 - i : i)) }),
  roll: (index, { shapes: [shape], params: { shifts, dims } }) => {
    if (!shape) return null;
    const by = [shifts].flat();
    if (dims == null || (Array.isArray(dims) && !dims.length)) return picked({ input: 0, index: unflat(shape, (((flat(shape, index) - by[0]) % count(shape)) + count(shape)) % count(shape)) });
    const over = axes(dims, shape.length);
    return picked({ input: 0, index: index.map((i, axis) => over.reduce((at, each, k) => (each === axis ? (((at - by[k]) % shape[axis]) + shape[axis]) % shape[axis] : at), i)) });
  },
  tril: triangle((r, c, diagonal) => c - r <= diagonal), triu: triangle((r, c, diagonal) => c - r >= diagonal),
  diagonal_copy: (index, { shapes: [shape], params: { offset = 0, dim1, dim2 } }) => (shape?.length === 2 && !dim1 && !dim2 ? picked({ input: 0, index: [index[0] + Math.max(0, -offset), index[0] + Math.max(0, offset)] }) : null),
  constant_pad_nd: (index, { shapes: [shape], params: { pad } }) => {
    if (!shape || !Array.isArray(pad)) return null;
    const from = index.map((i, axis) => i - (pad[2 * (shape.length - 1 - axis)] ?? 0));
    return from.every((i, axis) => i >= 0 && i < shape[axis]) ? picked({ input: 0, index: from }) : NONE;
  },
  where: (index, { shapes: [condition, ...both], at }) => {
    const is = condition && at(0, unbroadcast(index, condition));
    if (!condition || is === undefined) return null;
    const chosen = is ? 1 : 2;
    const shape = both[chosen - 1];
    return shape ? picked({ input: chosen, index: unbroadcast(index, shape) }) : NONE;
  },
  masked_fill_number: cellwise, masked_fill_tensor: cellwise,
  mse_loss: paired((x, y) => [x - y, x - y]),
  smooth_l1_loss: paired((x, y, { beta = 1 }) => [Math.abs(x - y) < beta ? (0.5 * (x - y) ** 2) / beta : Math.abs(x - y) - 0.5 * beta]),
  huber_loss: paired((x, y, { delta = 1 }) => [Math.abs(x - y) <= delta ? 0.5 * (x - y) ** 2 : delta * (Math.abs(x - y) - 0.5 * delta)]),
  binary_cross_entropy: paired((x, y) => [-(y * Math.max(Math.log(x), -100) + (1 - y) * Math.max(Math.log1p(-x), -100))]),
  binary_cross_entropy_with_logits: paired((x, y) => [Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)))]),
  nll_loss: likelihood,
  native_layer_norm: normalised((index, { shapes: [shape], params: { normalized_shape: of } }) => {
    if (!shape || !Array.isArray(of)) return null;
    const outer = shape.length - of.length;
    return { among: sharing(index, shape, (axis) => axis < outer), own: index.slice(outer) };
  }),
  native_batch_norm: normalised((index, { shapes: [shape], params: { training } }) => shape && { among: training ? sharing(index, shape, (axis) => axis === 1) : [index], own: [index[1]] }),
  native_group_norm: normalised((index, { shapes: [shape], params: { num_groups: groups } }) => {
    if (!shape || !groups) return null;
    const size = shape[1] / groups;
    return { among: sharing(index, shape, (axis) => axis === 0).filter((at) => Math.floor(at[1] / size) === Math.floor(index[1] / size)), own: [index[1]] };
  }),
  glu: (index, { shapes: [shape], params }) => {
    const dim = wrap(params.dim ?? -1, shape?.length ?? 0);
    return shape && row([0, shape[dim] / 2].map((by) => ({ input: 0, index: index.map((i, axis) => (axis === dim ? i + by : i)) })));
  },
};

/** @param {number[]} index  of a cell of the output @param {Call} call @param {boolean} elementwise  what the catalogue says of the op @returns {Made | null} */
export function origin(index, call, elementwise) {
  const rule = RULES[call.op] ?? RULES[call.op.replace(/_$/, '')] ?? (elementwise ? cellwise : null);
  return rule?.(index, call) ?? null;
}

/** Outputs that may have read the cell `index` of an input, as ranges per axis; null: any. @param {number} input @param {number[]} index @param {Call} call @returns {[number, number][] | null} */
export function readers(input, index, { op, shapes, params, out }) {
  const name = op.replace(/_$/, '');
  const one = (/** @type {number} */ i) => /** @type {[number, number]} */ ([i, i]);
  const all = out.map((size) => /** @type {[number, number]} */ ([0, size - 1]));
  if (name === 'convolution') {
    if (input === 2) return [all[0], one(index[0]), ...all.slice(2)];
    const kernel = shapes[1]?.slice(2) ?? [];
    if (input === 1) return [all[0], one(index[0]), ...all.slice(2)];
    const near = index.slice(2).map((at, axis) => {
      const reach = (kernel[axis] - 1) * params.dilation[axis];
      const low = Math.ceil((at + params.padding[axis] - reach) / params.stride[axis]);
      const high = Math.floor((at + params.padding[axis]) / params.stride[axis]);
      return /** @type {[number, number]} */ ([Math.max(0, low), Math.min(out[axis + 2] - 1, high)]);
    });
    return [one(index[0]), all[1], ...near];
  }
  const left = ['mm', 'bmm', 'mv', 'dot', 'matmul'].includes(name) ? 0 : ['addmm', 'affine', 'addmv', 'baddbmm', 'masked_products'].includes(name) ? 1 : -1;
  if (left < 0 || input < left) return null;
  if (input === left) return index.length === 1 ? [] : [...index.slice(0, -1).map(one), ...all.slice(index.length - 1)];
  if (index.length === 1) return all;
  return index.length === 2 ? [all[0], one(index[1])] : [one(index[0]), all[1], one(index[2])];
}
