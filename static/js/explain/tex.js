/** Names and numbers as TeX, and an op's formula with the program's names or with numbers put in. Pure. */

import { short } from '../model/format.js';

const SUB = '₀₁₂₃₄₅₆₇₈₉';

/** v₁₂ w loss net.0.weight as TeX. @param {string} label @param {string} [index]  set below */
export function name(label, index = '') {
  const plain = label;
  const own = [...plain].filter((letter) => SUB.includes(letter)).map((letter) => SUB.indexOf(letter)).join('');
  const stem = [...plain].filter((letter) => !SUB.includes(letter)).join('').replaceAll('_', '\\_').replace(/[^\w\\_.\u4e00-\u9fff]/g, '') || '\\cdot';
  const base = stem.length === 1 ? stem : `\\mathit{${stem}}`;
  if (own && index) return `(${base}_{${own}})_{${index}}`;
  const below = own || index;
  return below ? `${base}_{${below}}` : base;
}

/** @param {string} top @param {string} below @param {string} [index] */
export const partial = (top, below, index) => `\\frac{\\partial ${name(top)}}{\\partial ${name(below, index)}}`;

/** Sign by colour and by text. @param {number} value @param {number} [digits] */
export function num(value, digits = 4) {
  const text = short(value, digits).replaceAll('−', '-').replace(/e(-?\d+)$/, '{\\times}10^{$1}').replace('inf', '\\infty').replace('nan', '\\mathrm{nan}');
  if (value === 0 || Number.isNaN(value)) return `{${text}}`;
  return `\\htmlClass{${value < 0 ? 'neg' : 'pos'}}{${text}}`;
}

/** In parentheses, for products. @param {number} value @param {number} [digits] */
export const paren = (value, digits) => `(${num(value, digits)})`;

/** A number that belongs to a cell of a card: graph and formula light up together. @param {string} tex @param {string} key  of the card @param {string} cell */
export const linked = (tex, key, cell) => (key && cell ? `\\htmlData{at=${key}, cell=${cell}}{${tex}}` : tex);

/** @param {readonly number[]} index  of a cell: 1,0 */
export const below = (index) => index.join(',');

const LETTERS = ['x', 'y', 'z'];

/**
 * The block's formula with something in place of its inputs, which it calls {name}, or x, y, z in order.
 * @param {string} formula @param {readonly string[]} names  of the op's inputs @param {readonly string[]} words  to put in
 */
export function fill(formula, names, words) {
  const named = formula.replace(/\{(\w+)\}/g, (whole, key) => {
    const at = names.indexOf(key);
    return at >= 0 && key.length > 1 ? `{${words[at]}}` : whole;
  });
  if (named !== formula) return named;
  return formula.replace(/(?<![a-zA-Z\\])[xyz](?![a-zA-Z])/g, (letter) => words[LETTERS.indexOf(letter)] ?? letter);
}

/** Addends over several lines, at most `most` of them. @param {readonly string[]} terms @param {{left: string, total: string, most?: number, perLine?: number}} frame */
export function sum(terms, { left, total, most = 6, perLine = 2 }) {
  const shown = terms.length <= most ? [...terms] : [...terms.slice(0, most - 2), '\\cdots', terms[terms.length - 1]];
  const lines = [];
  for (let i = 0; i < shown.length; i += perLine) lines.push((i ? '&+' : '') + shown.slice(i, i + perLine).join('+'));
  return `\\begin{aligned}${left}={}&${lines.join('\\\\')}\\\\={}&${total}\\end{aligned}`;
}
