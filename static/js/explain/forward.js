/** An op ran: what it computes, and one of its cells with numbers. */

/**
 * @import {Forward} from '../types.js'
 * @import {Explanation, Question} from './explain.js'
 * @import {State} from '../model/reduce.js'
 */
import { decode, flat, number, unbroadcast } from '../model/arrays.js';
import { shape } from '../model/format.js';
import { called } from '../model/symbols.js';
import { below, fill, name, num, paren, sum } from './tex.js';

/** @param {Forward} event @param {Question} question @returns {Explanation | null} */
export function forward(event, { moment, t, ops, index }) {
  const { graph, state } = moment;
  const output = event.outputs[0];
  const card = graph?.cards.get(graph.byTensor.get(output?.tensor) ?? '');
  if (!card || !state) return null;
  const block = ops[event.op];
  const labels = event.inputs.map((input) => (input.tensor == null ? String(input.const) : graph?.cards.get(graph.byTensor.get(input.tensor) ?? '')?.label ?? '·'));
  const names = event.inputs.map((input) => input.name);
  const words = event.inputs.map((input, i) => (input.tensor == null ? constant(input.const) : name(labels[i])));
  const stretched = event.inputs.flatMap((input, i) => (input.broadcast ? [t('say.forward.broadcast', { name: labels[i], from: shape(input.broadcast.source), to: shape(input.broadcast.target) })] : []));
  const say = [block?.doc && t('language') === 'en' ? String(block.doc).split('\n')[0] : t('say.forward', { op: called(event.op), name: card.label, shape: shape(output.value.shape) }), ...stretched];
  if (event.node != null) say.push(t(event.saved?.length ? 'say.forward.saved' : 'say.forward.node', { grad_fn: event.grad_fn ?? '', saved: (event.saved ?? []).map((saved) => nameOf(moment, saved.tensor)).join(', ') }));
  const rule = block?.latex ? `${name(card.label)} = ${fill(block.latex, names, words)}` : '';
  const at = index ?? output.value.shape.map(() => 0);
  const numbers = block ? cellOf(event, block, state, at, card.label) : '';
  const outputs = event.outputs.map((each) => nameOf(moment, each.tensor)).filter(Boolean);
  const expr = outputs.length > 1 ? card.expr.replace(/(\.values|\[0\])$/, '') : card.expr;
  return { phase: 'forward', title: expr ? `${outputs.join(', ')} = ${expr}` : card.label, say, rule,
    numbersTitle: numbers ? t('say.cell', { name: `${card.label}${at.length ? `[${at}]` : ''}` }) : '', numbers };
}

/** @param {any} value */
const constant = (value) => (typeof value === 'number' ? num(value) : `\\text{${String(value).replaceAll('_', '\\_')}}`);

/** @param {Question['moment']} moment @param {number} tensor */
const nameOf = ({ graph }, tensor) => graph?.cards.get(graph.byTensor.get(tensor) ?? '')?.label ?? '';

/** @param {Forward} event @param {any} block @param {State} state @param {number[]} at @param {string} label */
function cellOf(event, block, state, at, label) {
  const out = decode(event.outputs[0].value);
  const result = out.values[flat(out.shape, at)];
  if (result === undefined) return '';
  const left = name(label, below(at));
  const inputs = event.inputs.map((input) => (input.tensor == null ? null : state.tensors[input.tensor]));
  const op = event.op.replace(/_$/, '');
  if (op === 'matmul' || op === 'mm') return product(inputs, at, left, result);
  if (op === 'affine') return product(inputs.slice(1), at, left, result, inputs[0]);
  if (op === 'sum' || op === 'mean') return total(event, inputs[0], left, result);
  if (!(block.pointwise ?? block.elementwise ?? Object.keys(block.latex_partials ?? {}).length > 0)) return '';
  const words = [];
  for (const [i, tensor] of inputs.entries()) {
    const given = event.inputs[i].const;
    if (!tensor) words.push(typeof given === 'number' ? paren(given) : constant(given));
    else {
      const { values, shape: own, whole } = decode(tensor.value);
      const value = whole && own.length <= at.length ? values[flat(own, unbroadcast(at, own))] : undefined;
      if (value === undefined) return '';
      words.push(paren(value));
    }
  }
  const filled = fill(block.latex, event.inputs.map((input) => input.name), words).replace(/^[^=]*=\s*(?=.)/, (head) => (head.includes('(') && head.includes('=') ? '' : head));
  return `\\begin{aligned}${left}={}&${filled}\\\\={}&${num(result)}\\end{aligned}`;
}

/** @param {(import('../model/reduce.js').Tensor | null)[]} inputs @param {number[]} at @param {string} left @param {number} result @param {import('../model/reduce.js').Tensor | null} [bias] */
function product([a, b], at, left, result, bias = null) {
  if (!a || !b || a.shape.length !== 2 || b.shape.length !== 2) return '';
  const [A, B] = [decode(a.value), decode(b.value)];
  if (!A.whole || !B.whole) return '';
  const [i, j] = at;
  const terms = Array.from({ length: a.shape[1] }, (_, k) => `${paren(A.values[i * a.shape[1] + k])}${paren(B.values[k * b.shape[1] + j])}`);
  const added = bias && decode(bias.value);
  if (added?.whole) terms.push(num(added.values[flat(added.shape, unbroadcast(at, added.shape))]));
  return sum(terms, { left, total: num(result) });
}

/** @param {Forward} event @param {import('../model/reduce.js').Tensor | null} tensor @param {string} left @param {number} result */
function total(event, tensor, left, result) {
  if (!tensor || event.outputs[0].value.shape.length) return '';
  const { values, whole, count } = decode(tensor.value);
  if (!whole || !count) return '';
  const terms = Array.from(values, (value) => paren(number(value)));
  if (event.op.startsWith('mean')) {
    const shown = terms.length <= 5 ? terms : [...terms.slice(0, 3), '\\cdots', terms[terms.length - 1]];
    return `\\begin{aligned}${left}={}&\\tfrac{1}{${count}}\\bigl(${shown.join('+')}\\bigr)\\\\={}&${num(result)}\\end{aligned}`;
  }
  return sum(terms, { left, total: num(result), perLine: 4, most: 8 });
}
