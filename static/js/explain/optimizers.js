/**
 * What an optimizer did to one number, line by line: the rule in symbols and with its numbers. One entry per optimizer;
 * the terms are those of the `update` event, as the optimizer left them. An unknown optimizer has no lines.
 *
 * @import {Num, Arr} from '../types.js'
 * @typedef {{rule: string, numbers: string}} Line  TeX
 * @typedef {(term: string) => number} Read  NaN when the update lacks the term
 * @typedef {{lines: Line[], change: number}} Rule  change  what is added to the parameter
 */
import { num, paren } from './tex.js';

/** @type {Record<string, (read: Read, grad: number) => Rule>} */
const RULES = {
  SGD(read, g) {
    const [lr, mu] = [read('lr'), read('momentum')];
    if (!(mu > 0)) return { lines: [], change: -lr * g };
    const buffer = read('momentum_buffer');
    const before = (buffer - (1 - (read('dampening') || 0)) * g) / mu;
    const lines = [line('v \\leftarrow \\mu v + g', `${num(mu)}\\cdot ${paren(before)} + ${paren(g)}`, buffer)];
    if (!read('nesterov')) return { lines: [...lines, move('-\\eta\\, v', `-${num(lr)}\\cdot ${paren(buffer)}`, -lr * buffer)], change: -lr * buffer };
    const ahead = g + mu * buffer;
    return { lines: [...lines, line('d = g + \\mu v', `${paren(g)} + ${num(mu)}\\cdot ${paren(buffer)}`, ahead), move('-\\eta\\, d', `-${num(lr)}\\cdot ${paren(ahead)}`, -lr * ahead)], change: -lr * ahead };
  },
  Adam(read) {
    const [lr, beta1, beta2, eps, step] = ['lr', 'beta1', 'beta2', 'eps', 'step'].map(read);
    const m = read('exp_avg');
    const v = read('amsgrad') ? read('max_exp_avg_sq') : read('exp_avg_sq');
    const [mean, size] = [m / (1 - beta1 ** step), v / (1 - beta2 ** step)];
    const change = (-lr * mean) / (Math.sqrt(size) + eps);
    return { change, lines: [
      line('\\hat m = \\frac{m}{1-\\beta_1^t}', `\\frac{${num(m)}}{1-${num(beta1)}^{${num(step)}}}`, mean),
      line('\\hat v = \\frac{v}{1-\\beta_2^t}', `\\frac{${num(v)}}{1-${num(beta2)}^{${num(step)}}}`, size),
      move('-\\eta\\,\\frac{\\hat m}{\\sqrt{\\hat v}+\\epsilon}', `-${num(lr)}\\cdot\\frac{${num(mean)}}{\\sqrt{${num(size)}}}`, change),
    ] };
  },
  RMSprop(read, g) {
    const [lr, eps, v] = ['lr', 'eps', 'square_avg'].map(read);
    if (read('momentum') > 0 || read('centered')) return { lines: [], change: NaN };
    const change = (-lr * g) / (Math.sqrt(v) + eps);
    return { change, lines: [move('-\\eta\\,\\frac{g}{\\sqrt{v}+\\epsilon}', `-${num(lr)}\\cdot\\frac{${num(g)}}{\\sqrt{${num(v)}}}`, change)] };
  },
  Adagrad(read, g) {
    const [lr, eps, sum] = ['lr', 'eps', 'sum'].map(read);
    const rate = lr / (1 + ((read('step') || 1) - 1) * (read('lr_decay') || 0));
    const change = (-rate * g) / (Math.sqrt(sum) + eps);
    return { change, lines: [move('-\\eta\\,\\frac{g}{\\sqrt{\\textstyle\\sum g^2}+\\epsilon}', `-${num(rate)}\\cdot\\frac{${num(g)}}{\\sqrt{${num(sum)}}}`, change)] };
  },
};
RULES.AdamW = RULES.Adam;

/** @param {string} rule @param {string} numbers @param {number} result @returns {Line} */
const line = (rule, numbers, result) => ({ rule, numbers: `${rule.split(/ =|\\leftarrow/)[0]} = ${numbers} = ${num(result)}` });

/** @param {string} rule @param {string} numbers @param {number} result @returns {Line} */
const move = (rule, numbers, result) => ({ rule: `\\Delta = ${rule}`, numbers: `\\Delta = ${numbers} = ${num(result)}` });

/**
 * The lines for one number, or null when the optimizer is not known or its terms do not lead to what happened: then
 * nothing is claimed.
 * @param {string | null | undefined} optimizer @param {Read} read @param {number} before @param {number} after @returns {Line[] | null}
 */
export function linesOf(optimizer, read, before, after) {
  const rule = RULES[optimizer ?? ''];
  const decay = read('weight_decay') || 0;
  const apart = optimizer === 'AdamW' || read('decoupled_weight_decay') > 0;
  const grad = (read('maximize') ? -1 : 1) * read('grad');
  if (!rule || !Number.isFinite(grad)) return null;
  /** @type {Line[]} */ const first = [];
  let start = before;
  let g = grad;
  if (decay && apart) {
    start = before * (1 - read('lr') * decay);
    first.push(line('w = (1-\\eta\\lambda)\\, w', `(1-${num(read('lr'))}\\cdot ${num(decay)})\\cdot ${paren(before)}`, start));
  } else if (decay) {
    g = grad + decay * before;
    first.push(line('g = \\mathrm{grad} + \\lambda w', `${num(grad)} + ${num(decay)}\\cdot ${paren(before)}`, g));
  }
  const { lines, change } = rule(read, g);
  const close = Math.abs(start + change - after) <= 1e-5 * Math.max(Math.abs(before), Math.abs(after), Math.abs(change)) + 1e-12;
  return close && (lines.length || first.length) ? [...first, ...lines] : null;
}
