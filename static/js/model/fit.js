/**
 * Finds, in the events of a step, the data a program fits: inputs, targets, predictions. One input column makes a curve,
 * two columns and classes make a decision boundary. It reads the graph backwards from where prediction meets target. Pure.
 *
 * @import {Arr, Event, Forward} from '../types.js'
 * @typedef {{x: ArrayLike<number>, target: ArrayLike<number>, prediction: ArrayLike<number>}} Curve
 * @typedef {{tensor: number, root: number, x: ArrayLike<number>, y: ArrayLike<number>, target: ArrayLike<number>, classes: number, middle: number}} Plane
 *   tensor   the input, (N, 2);  root  the prediction to ask for at other points
 *   classes  2 with one score per point: the boundary is where the score is `middle`;  more: the greatest of them wins
 */
import { count, decode } from './arrays.js';

/** Losses that take (prediction, target), and where the boundary of a two-class score lies. */
const BETWEEN = { binary_cross_entropy: 0.5, binary_cross_entropy_with_logits: 0, mse_loss: 0.5, sub: 0.5 };
const CLASSES = new Set(['nll_loss']);
const CURVES = new Set(['mse_loss', 'sub', 'smooth_l1_loss', 'huber_loss', 'rsub']);
const FEW = 3; // points: fewer are no data set

/** @typedef {{made: Map<number, Forward>, known: Map<number, Arr>, parameters: Set<number>}} Tensors */

/** @param {readonly Event[]} events @returns {Tensors} */
function tensors(events) {
  /** @type {Tensors} */ const found = { made: new Map(), known: new Map(), parameters: new Set() };
  for (const event of events) {
    if (event.kind === 'leaf') {
      found.known.set(event.tensor, event.value);
      if (event.requires_grad) found.parameters.add(event.tensor);
    } else if (event.kind === 'forward') {
      for (const output of event.outputs) {
        found.made.set(output.tensor, event);
        found.known.set(output.tensor, output.value);
      }
    }
  }
  return found;
}

/** All values of a tensor, when they travelled. @param {Tensors} from @param {number | null | undefined} tensor */
function values({ known }, tensor) {
  const array = tensor == null ? undefined : known.get(tensor);
  const read = array && decode(array);
  return read?.whole && read.values.length === read.count ? read : null;
}

/**
 * Tensors of no gradient that lead to one, the likeliest data first: those that meet a parameter directly, and among them
 * those not made from another (`x` before `x ** 3`); then what they were made from.
 * @param {Tensors} from @param {number} tensor @returns {number[]}
 */
function sources(from, tensor) {
  const met = walk(from, [tensor], (t) => !learnt(from, t));
  const behind = (/** @type {number} */ t) => walk(from, inputs(from, t), () => false, true);
  const first = met.filter((t) => !behind(t).some((other) => met.includes(other)));
  return [...new Set([...first, ...met, ...met.flatMap(behind)])];
}

/** @param {Tensors} from @param {number} tensor */
const inputs = ({ made }, tensor) => (made.get(tensor)?.inputs ?? []).flatMap((input) => (input.tensor == null ? [] : [input.tensor]));

/** Made by an op on something that requires grad. @param {Tensors} from @param {number} tensor */
const learnt = ({ made, parameters }, tensor) => parameters.has(tensor) || (made.get(tensor)?.outputs.some((output) => output.tensor === tensor && output.requires_grad) ?? false);

/** Goes upstream from `open` and collects where it stops, or all it passes. @param {Tensors} from @param {number[]} open @param {(tensor: number) => boolean} stop @param {boolean} [all] */
function walk(from, open, stop, all = false) {
  const seen = new Set(open);
  const found = [];
  for (const next of seen) {
    const stopped = stop(next);
    if (stopped || all) found.push(next);
    if (!stopped) inputs(from, next).forEach((t) => seen.add(t));
  }
  return found;
}

/** (prediction, target) of an op, whichever way round they stand. @param {Tensors} from @param {Forward} op */
function pair(from, op) {
  const [a, b] = op.inputs.map((input) => input.tensor ?? -1);
  if (learnt(from, a) && !learnt(from, b) && from.known.has(b)) return { prediction: a, target: b };
  if (learnt(from, b) && !learnt(from, a) && from.known.has(a) && op.inputs.length === 2) return { prediction: b, target: a };
  return null;
}

/** @param {readonly Event[]} events @returns {Curve | null} */
export function curve(events) {
  const from = tensors(events);
  for (const op of new Set(from.made.values())) {
    if (!CURVES.has(op.op)) continue;
    const met = pair(from, op);
    const target = met && values(from, met.target);
    const prediction = met && values(from, met.prediction);
    if (!met || !target || !prediction || target.count < FEW || target.count !== prediction.count) continue;
    for (const source of sources(from, met.prediction)) {
      const x = values(from, source);
      if (x && source !== met.target && x.count === target.count && Math.max(...x.shape) === x.count && x.dtype.startsWith('float')) {
        return { x: x.values, target: target.values, prediction: prediction.values };
      }
    }
  }
  return null;
}

/** @param {readonly Event[]} events @returns {Plane | null} */
export function plane(events) {
  const from = tensors(events);
  for (const op of new Set(from.made.values())) {
    const two = op.op in BETWEEN;
    if (!two && !CLASSES.has(op.op)) continue;
    const met = pair(from, op);
    const target = met && values(from, met.target);
    const shape = met && from.known.get(met.prediction)?.shape;
    if (!met || !target || !shape || target.count < FEW) continue;
    const classes = two ? 2 : shape[shape.length - 1];
    if (two ? count(shape) !== target.count || !binary(target.values) : shape[0] !== target.count) continue;
    for (const source of sources(from, met.prediction)) {
      const x = values(from, source);
      if (!x || source === met.target || x.shape.length !== 2 || x.shape[1] !== 2 || x.shape[0] !== target.count) continue;
      const column = (/** @type {number} */ at) => Array.from({ length: target.count }, (_, i) => x.values[2 * i + at]);
      const middle = BETWEEN[/** @type {keyof typeof BETWEEN} */ (op.op)] ?? 0;
      return { tensor: source, root: met.prediction, x: column(0), y: column(1), target: target.values, classes, middle };
    }
  }
  return null;
}

/** @param {ArrayLike<number>} values */
const binary = (values) => Array.from(values).every((value) => value === 0 || value === 1 || value === -1);
