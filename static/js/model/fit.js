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

/** @typedef {{made: Map<number, Forward>, known: Map<number, Arr>, leaves: Set<number>}} Tensors */

/** @param {readonly Event[]} events @returns {Tensors} */
function tensors(events) {
  /** @type {Tensors} */ const found = { made: new Map(), known: new Map(), leaves: new Set() };
  for (const event of events) {
    if (event.kind === 'leaf') {
      found.known.set(event.tensor, event.value);
      if (!event.requires_grad) found.leaves.add(event.tensor);
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

/** Inputs of no gradient that lead to a tensor. @param {Tensors} from @param {number} tensor @returns {Set<number>} */
function sources({ made, leaves }, tensor) {
  const found = new Set(/** @type {number[]} */ ([]));
  const seen = new Set([tensor]);
  const open = [tensor];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (leaves.has(next)) found.add(next);
    for (const input of made.get(next)?.inputs ?? []) {
      if (input.tensor == null || seen.has(input.tensor)) continue;
      seen.add(input.tensor);
      open.push(input.tensor);
    }
  }
  return found;
}

/** (prediction, target) of an op, whichever way round they stand. @param {Tensors} from @param {Forward} op */
function pair(from, op) {
  const [a, b] = op.inputs.map((input) => input.tensor ?? -1);
  const learnt = (/** @type {number} */ t) => from.made.get(t)?.outputs.some((output) => output.tensor === t && output.requires_grad) ?? false;
  if (learnt(a) && !learnt(b) && from.known.has(b)) return { prediction: a, target: b };
  if (learnt(b) && !learnt(a) && from.known.has(a) && op.inputs.length === 2) return { prediction: b, target: a };
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
