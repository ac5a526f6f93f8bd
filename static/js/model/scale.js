/** How strong the strongest colour is: one measure for all values of a step and one for all gradients, so that maps compare. */

/** @import {Arr, Event} from '../types.js' */
import { magnitude } from './arrays.js';

/** @type {WeakMap<readonly Event[], {size: number, values: number, grads: number, each: boolean}>} */
const known = new WeakMap();

/** @param {readonly Event[]} events  of the whole step: colours must not change while stepping @param {boolean} each  per tensor instead */
export function scale(events, each) {
  let found = known.get(events);
  if (found?.size !== events.length || found.each !== each) {
    /** @type {number[]} */ const values = [];
    /** @type {number[]} */ const grads = [];
    const add = (/** @type {number[]} */ list, /** @type {Arr | null | undefined} */ array) => {
      const size = magnitude(array);
      if (size > 0) list.push(size);
    };
    for (const event of events) {
      if (event.kind === 'leaf') add(values, event.value);
      else if (event.kind === 'forward') for (const output of event.outputs) add(values, output.value);
      else if (event.kind === 'ready') add(grads, event.grad);
      else if (event.kind === 'accumulate') add(grads, event.after);
    }
    found = { size: events.length, values: typical(values), grads: typical(grads), each };
    known.set(events, found);
  }
  return found;
}

/** Nine tenths of the way up: one exploding tensor must not bleach all others. @param {number[]} sizes */
function typical(sizes) {
  sizes.sort((a, b) => a - b);
  return sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * 0.9))] ?? 1;
}
