/** Weights change, gradients are cleared. */

/**
 * @import {Num, Arr, Update, Zero} from '../types.js'
 * @import {Explanation, Question} from './explain.js'
 */
import { decode, flat, number } from '../model/arrays.js';
import { short } from '../model/format.js';
import { linesOf } from './optimizers.js';
import { name, num, paren } from './tex.js';

/** @param {Question['moment']} moment @param {number} tensor */
const labelOf = ({ graph, state }, tensor) => (graph?.cards.get(graph.byTensor.get(tensor) ?? '')?.label || state?.tensors[tensor]?.name || '·');

/** A term of the rule at a cell, or as it is when it is one number. @param {Num | Arr | undefined} term @param {number} at @returns {number | undefined} */
export function termAt(term, at) {
  if (term === undefined) return undefined;
  if (typeof term !== 'object') return number(term);
  const { values, count } = decode(term);
  return count === 1 ? values[0] : values[at];
}

/** @param {Update} event @param {Question} question @returns {Explanation} */
function updated(event, { moment, t, index }) {
  const label = labelOf(moment, event.tensor);
  const size = event.after.shape;
  const at = index ?? size.map(() => 0);
  const position = flat(size, at);
  const [before, after] = [decode(event.before).values[position], decode(event.after).values[position]];
  const terms = event.terms ?? {};
  const [lr, grad] = [termAt(terms.lr, position), termAt(terms.grad, position)];
  const plain = lr !== undefined && grad !== undefined && Math.abs(before - lr * grad - after) <= 1e-5 * Math.max(1, Math.abs(after), Math.abs(lr * grad));
  const w = name(label);
  const lines = plain || before === undefined ? null : linesOf(event.optimizer, (term) => termAt(terms[term], position) ?? NaN, before, after);
  const stacked = (/** @type {string[]} */ rows) => `\\begin{aligned}${rows.map((row) => `&${row}`).join('\\\\[4pt]')}\\end{aligned}`;
  return { phase: 'update', title: t('say.update.title', { name: label }),
    say: [t(event.optimizer ? 'say.update.optimizer' : 'say.update.hand', { optimizer: event.optimizer ?? '', name: label, lr: lr === undefined ? '' : short(lr) }), t('say.update.why')],
    rule: plain ? `${w} \\leftarrow ${w} - \\underbrace{${num(lr)}}_{\\text{${t('say.lr')}}}\\cdot ${w}.\\mathrm{grad}` : lines ? stacked([...lines.map((line) => line.rule), `${w} \\leftarrow ${w} + \\Delta`]) : `${w} \\leftarrow ${w} + \\Delta`,
    numbersTitle: before === undefined ? '' : t('say.cell', { name: `${label}${at.length ? `[${at}]` : ''}` }),
    numbers: before === undefined ? '' : plain ? `${num(before)} - ${paren(lr)}${paren(grad)} = ${num(after)}`
      : lines ? stacked([...lines.map((line) => line.numbers), `${num(before)} + ${paren(after - before)} = ${num(after)}`]) : `${num(before)} + ${paren(after - before)} = ${num(after)}` };
}

/** @param {Zero} event @param {Question} question @returns {Explanation} */
function zeroed(event, { moment, t }) {
  const names = event.tensors.map((tensor) => `${labelOf(moment, tensor)}.grad`).join(', ');
  return { phase: 'update', title: t('say.zero.title'), say: [t(event.to === 'none' ? 'say.zero.none' : 'say.zero.zero', { names, n: event.tensors.length })], rule: '', numbersTitle: '', numbers: '' };
}

export const update = { update: updated, zero: zeroed };
