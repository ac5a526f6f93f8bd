/** The backward pass, event by event: where it starts, what a node has received, what it sends on, what a leaf adds up. */

/**
 * @import {Accumulate, Contribute, Ready, Seed} from '../types.js'
 * @import {Explanation, Question} from './explain.js'
 */
import { decode, flat, scalar, unflat } from '../model/arrays.js';
import { address } from '../model/cells.js';
import { addends, positions } from '../model/focus.js';
import { shape, short } from '../model/format.js';
import { below, fill, linked, name, num, paren, partial, sum } from './tex.js';

/** @param {Question['moment']} moment @param {number | null | undefined} tensor */
const labelOf = ({ graph }, tensor) => (tensor == null ? '' : graph?.cards.get(graph.byTensor.get(tensor) ?? '')?.label ?? '');

/** @param {Question['moment']} moment  what is differentiated */
const rootOf = (moment) => (labelOf(moment, moment.state?.root) || 'L');

const MOST_PARTS = 4; // outputs of one op that its rule names

const MATRIX = new Set(['mm', 'matmul', 'affine', 'addmm', 'bmm', 'mv']);

/** How blocks write the gradient that comes in. */
const INCOMING = /(?<![a-zA-Z\\])g(?:_i)?(?![a-zA-Z])|\\bar\{[yY]\}/;

/** @param {string} label @param {number[]} at */
const cell = (label, at) => `${label}${at.length ? `[${at}]` : ''}`;

/** @param {Seed} event @param {Question} question @returns {Explanation} */
function seed(event, { moment, t }) {
  const label = (labelOf(moment, event.root) || 'L');
  const one = scalar(event.grad) === 1;
  return { phase: 'backward', title: t('say.seed.title', { name: label }), say: [t(one ? 'say.seed' : 'say.seed.given', { name: label }), ...(event.retain_graph ? [t('say.seed.retain')] : [])],
    rule: `${partial(label, label)} = ${one ? '1' : `\\text{${t('say.seed.your')}}`}`, numbersTitle: '', numbers: '' };
}

/** @param {Ready} event @param {Question} question @returns {Explanation} */
function ready(event, { moment, t, index }) {
  const root = rootOf(moment);
  if (event.tensor == null) return several(event, moment, t, root);
  const label = labelOf(moment, event.tensor);
  const { values, shape: size } = decode(event.grad);
  const at = index ?? size.map(() => 0);
  const incoming = moment.state?.tensors[event.tensor ?? -1]?.incoming ?? [];
  const total = values[flat(size, at)];
  const terms = incoming.map(({ result }) => paren(decode(result).values[flat(size, at)] ?? NaN));
  const many = incoming.length > 1;
  return { phase: 'backward', title: t('say.ready.title', { root, name: label }), say: [t(many ? 'say.ready.many' : incoming.length ? 'say.ready.one' : 'say.ready.seed', { n: incoming.length, name: label, root })],
    rule: many ? `${partial(root, label)} = \\sum_{\\text{${t('say.consumers')}}} \\text{${t('say.contribution')}}` : '',
    numbersTitle: many || incoming.length ? t('say.cell', { name: `∂${root}/∂${cell(label, at)}` }) : '',
    numbers: total === undefined || !incoming.length ? '' : many ? sum(terms, { left: partial(root, label, below(at)), total: num(total) }) : `${partial(root, label, below(at))} = ${num(total)}` };
}

/** A node with several outputs waits for the gradients of all of them. @param {Ready} event @param {Question['moment']} moment @param {Question['t']} t @param {string} root @returns {Explanation} */
function several(event, moment, t, root) {
  const card = moment.graph?.cards.get(moment.graph.byNode.get(event.node) ?? '');
  const outputs = (card?.op?.outputs ?? []).filter((output) => output.requires_grad);
  const silent = outputs.filter((output) => !moment.state?.tensors[output.tensor]?.incoming.length && output.tensor !== moment.state?.root);
  const names = (/** @type {typeof outputs} */ list) => list.map((output) => labelOf(moment, output.tensor)).filter(Boolean).join(', ');
  return { phase: 'backward', title: t('say.ready.title', { root, name: names(outputs) }), say: [t('say.ready.several', { n: outputs.length }), ...(silent.length ? [t('say.ready.silent', { n: silent.length, names: names(silent) })] : [])], rule: '', numbersTitle: '', numbers: '' };
}

/** @param {Contribute} event @param {Question} question @returns {Explanation | null} */
function contribute(event, { moment, t, ops, index }) {
  const { graph, state } = moment;
  const from = graph?.cards.get(graph.byNode.get(event.node) ?? '');
  const op = from && state?.ops[from.by];
  const sent = op?.sent.find((each) => each.index === event.index);
  if (!from || !op || !sent) return null;
  const root = rootOf(moment);
  const label = (labelOf(moment, event.tensor) || op.inputs[event.index]?.name || '·');
  const block = ops[op.op];
  const names = op.inputs.map((input) => input.name);
  const words = op.inputs.map((input) => (input.tensor === null ? String(input.const) : name(labelOf(moment, input.tensor) || input.name)));
  const formula = block?.latex_partials?.[names[event.index]];
  const sends = formula && INCOMING.test(formula); // the gradient sent, not a local derivative
  const local = formula && !sends ? fill(formula, names, words) : '';
  const at = index ?? event.result.shape.map(() => 0);
  const parts = addends(sent, at, op.grad);
  const [up, down] = [partial(root, from.label), `\\frac{\\partial ${name(from.label)}}{\\partial ${name(label)}}`];
  const over = sent.axes.length ? `\\sum_{\\text{${t('say.axes', { n: sent.axes.length, axes: sent.axes.join(', ') })}}}` : '';
  const several = (from.op?.outputs ?? []).filter((output) => output.requires_grad);
  const parted = several.length > 1 ? several.slice(0, MOST_PARTS).map((output) => partial(root, labelOf(moment, output.tensor) || '·')).join(',\\;') + (several.length > MOST_PARTS ? ',\\,\\dots' : '') : '';
  const under = local ? `\\underbrace{${down}}_{${local}}` : down;
  return { phase: 'backward', title: t('say.contribute.title', { op: from.sign, name: label }), say: sentence(sent, op, event, label, formula, block, t),
    rule: parted ? `${partial(root, label)} = \\Bigl[${parted}\\Bigr]` : op.op === 't' ? `${partial(root, label)} = \\Bigl(${up}\\Bigr)^{\\!\\top}` : sends ? `${partial(root, label)} ${event.to == null ? '=' : '\\mathrel{+}='} ${fill(formula, names, words).replace(new RegExp(INCOMING, 'g'), () => `\\Bigl(${up}\\Bigr)`)}` : `${partial(root, label)} ${event.to == null ? '=' : '\\mathrel{+}='} ${over}\\underbrace{${up}}_{\\text{${t('say.incoming')}}}\\cdot${under}`,
    numbersTitle: parts ? t('say.cell', { name: `∂${root}/∂${cell(label, at)}` }) : '',
    numbers: parts ? spell(parts, partial(root, label, below(at)), from.key, decode(sent.product ?? sent.result).shape) : '' };
}

/** @param {NonNullable<ReturnType<typeof addends>>} parts @param {string} left @param {string} key  of the card the gradient comes from @param {number[]} cells  shape of what was summed */
function spell({ addends: terms, upstream, local, total, ranges }, left, key, cells) {
  const places = positions(ranges, cells).map((at) => address('g', unflat(cells, at), cells));
  const factors = upstream.length === terms.length && local.length === terms.length;
  const words = terms.map((value, i) => (factors ? `${linked(paren(upstream[i], 3), key, places[i])}${paren(local[i], 3)}` : linked(paren(value, 3), key, places[i])));
  if (terms.length === 1 && !factors) return `${left} = ${num(total)}`;
  return sum(words, { left, total: num(total), perLine: factors ? 2 : 4 });
}

/** Says why: what is passed on unchanged, what is switched off, what is summed. @param {import('../model/reduce.js').Sent} sent @param {import('../model/reduce.js').Op} op @param {Contribute} event @param {string} label @param {string | undefined} formula @param {any} block @param {Question['t']} t */
function sentence(sent, op, event, label, formula, block, t) {
  const broadcast = op.inputs[event.index]?.broadcast;
  const say = [];
  if (broadcast && sent.axes.length) {
    const copies = broadcast.axes.reduce((n, axis) => n * broadcast.target[axis], 1);
    say.push(t('say.contribute.broadcast', { name: label, n: copies, from: shape(broadcast.source), to: shape(broadcast.target) }));
  } else say.push(t(MATRIX.has(op.op.replace(/_$/, '')) ? 'say.contribute.matrix' : block?.view ? 'say.contribute.view' : 'say.contribute', { name: label }));
  if (formula === '1') say.push(t('say.local.one'));
  else if (formula === '-1') say.push(t('say.local.minus'));
  else if (sent.local) {
    const { values, whole, count } = decode(sent.local);
    const zeros = whole ? Array.prototype.filter.call(values, (value) => value === 0).length : 0;
    if (zeros && zeros === count) say.push(t('say.local.dead', { name: label }));
    else if (zeros) say.push(t('say.local.zeros', { n: zeros, of: count }));
  }
  return say;
}

/** @param {Accumulate} event @param {Question} question @returns {Explanation} */
function accumulate(event, { moment, t, index }) {
  const root = rootOf(moment);
  const label = labelOf(moment, event.tensor);
  const size = event.after.shape;
  const at = index ?? size.map(() => 0);
  const pick = (/** @type {import('../types.js').Arr | null | undefined} */ array) => (array ? decode(array).values[flat(size, at)] : undefined);
  const [before, delta, after] = [pick(event.before), pick(event.delta), pick(event.after)];
  const grad = `${name(label)}.\\mathrm{grad}`;
  const growing = before !== undefined && before !== 0;
  return { phase: 'backward', title: t('say.accumulate.title', { name: label }),
    say: [t(event.before ? (growing ? 'say.accumulate.adds' : 'say.accumulate.zero') : 'say.accumulate.none', { name: label, before: before === undefined ? '' : short(before) })],
    rule: `${grad} \\leftarrow ${event.before ? `${grad} + ` : ''}${partial(root, label)}`, numbersTitle: t('say.cell', { name: `${label}.grad${at.length ? `[${at}]` : ''}` }),
    numbers: delta === undefined || after === undefined ? '' : event.before ? `${paren(before ?? NaN)} + ${paren(delta)} = ${num(after)}` : `\\mathrm{None} \\;\\to\\; ${num(after)}` };
}

export const backward = { seed, ready, contribute, accumulate };
