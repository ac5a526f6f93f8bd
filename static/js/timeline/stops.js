/**
 * Where the cursor can stand inside a step. A stop is an event a learner must see; the small ones after it (a name, a
 * module left, memory freed) belong to it. Pure.
 *
 * @import {Event} from '../types.js'
 * @typedef {'forward' | 'backward' | 'update' | 'other'} Phase
 * @typedef {{at: number, until: number, event: Event, phase: Phase, line: number | null}} Stop
 *   at     position of the event in its window
 *   until  fold the window up to and including this position
 */

/** @type {Record<string, Phase | undefined>} kinds that are stops */
const STOPS = { forward: 'forward', seed: 'backward', ready: 'backward', contribute: 'backward', accumulate: 'backward',
  update: 'update', zero: 'update', print: 'other', figure: 'other', fail: 'other' };

/** @param {readonly Event[]} events  of one window @returns {Stop[]} */
export function stops(events) {
  const last = events.findLastIndex((event) => event.kind === 'update');
  let backward = false;
  /** @type {Stop[]} */ const found = [];
  let lead = -1; // small events before the first stop belong to nothing yet
  events.forEach((event, at) => {
    if (event.kind === 'seed') backward = true;
    // `lr * w.grad` is arithmetic inside an update by hand: it is part of the update that follows
    const aside = event.kind === 'forward' && event.node == null && backward && at < last;
    let phase = aside ? undefined : STOPS[event.kind];
    if (event.kind === 'zero' && !backward) phase = 'update';
    if (phase) found.push({ at, until: at, event, phase, line: event.at?.[0] ?? null });
    else if (found.length && event.kind !== 'leaf' && event.kind !== 'enter') found[found.length - 1].until = at;
    else if (!found.length) lead = at;
  });
  if (!found.length && lead >= 0) found.push({ at: lead, until: lead, event: events[lead], phase: 'other', line: null });
  return found;
}

/** The stop that shows position `at`: the last one not after it. @param {readonly Stop[]} list @param {number} at */
export function find(list, at) {
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle].at <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** @typedef {'event' | 'line' | 'backward' | 'step'} Unit  how far one beat of play goes */

/** The stop to go to from `from` by one unit, or -1 when the step is over. @param {readonly Stop[]} list @param {number} from @param {1 | -1} by @param {Unit} unit */
export function advance(list, from, by, unit) {
  if (unit === 'step') return -1;
  let to = from + by;
  const within = () => to >= 0 && to < list.length;
  if (unit === 'line') while (within() && list[to].line === list[from].line) to += by;
  if (unit === 'backward') while (within() && list[to].phase === list[from].phase) to += by;
  return within() ? to : -1;
}
