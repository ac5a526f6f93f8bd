/**
 * A trace as it streams in: its steps, the windows whose events are here, its output. Knows no cursor and no page.
 *
 * @import {Begin, End, Event, Fail, Step, Print, Figure, Note} from '../types.js'
 * @typedef {{index: number, events: Event[], closed: boolean}} Window  the events of one step, its `step` brief the last
 */

export class Trace {
  /** @type {Begin | null} */ begin = null;
  /** @type {Step[]} one brief per finished step, by number */ steps = [];
  /** @type {Map<number, Window>} step -> its events, when they stand in this trace or were asked for */ windows = new Map();
  /** @type {{event: Print | Figure | Note, step: number}[]} what the program said, with the step it said it in */ said = [];
  /** @type {Fail | null} */ fail = null;
  /** @type {End | null} */ end = null;
  /** The number of the run on the server; '' while unknown. */
  id = '';
  count = 0;
  /** @type {Event[]} since the last `step` */ open = [];

  get source() {
    return this.begin?.source ?? '';
  }

  /** Number of the step that is being recorded, or that the program ended in. */
  get next() {
    return this.steps.length ? this.steps[this.steps.length - 1].index + 1 : 0;
  }

  /** How many steps there are to look at; an unfinished last one counts when something happened in it. */
  get length() {
    return this.steps.length + (this.windows.has(this.next) ? 1 : 0);
  }

  /** @param {Event} event */
  push(event) {
    this.count += 1;
    if (event.kind === 'begin') {
      this.begin = event;
      this.id = event.run || this.id;
    }
    if (event.kind === 'print' || event.kind === 'figure' || event.kind === 'note') this.said.push({ event, step: this.next });
    if (event.kind === 'fail') {
      this.fail = event;
      // nothing happened since the last step ended: the failure belongs to what is on the screen then
      const last = this.windows.get(this.next - 1);
      if (last && !this.open.some(({ kind }) => HAPPENS.has(kind))) {
        last.events.push(event);
        return;
      }
    }
    if (event.kind === 'end') {
      this.end = event;
      return;
    }
    this.open.push(event);
    if (event.kind === 'step') this.close(event);
    else if (HAPPENS.has(event.kind)) this.reveal();
  }

  /** The window being recorded can be looked at as soon as something happened in it. */
  reveal() {
    const window = this.windows.get(this.next);
    if (window?.events !== this.open) this.windows.set(this.next, { index: this.next, events: this.open, closed: false });
  }

  /** @param {Step} step */
  close(step) {
    this.windows.delete(step.index);
    this.steps.push(step);
    if (step.window) this.windows.set(step.index, { index: step.index, events: this.open, closed: true });
    this.open = [];
  }

  /** The events of a step that was recorded apart, on demand. @param {number} index @param {Event[]} events */
  add(index, events) {
    const kept = events.filter((event) => event.kind !== 'begin' && event.kind !== 'end');
    this.windows.set(index, { index, events: kept, closed: true });
  }

  /** @param {number} index @returns {Step | undefined} */
  step(index) {
    return this.steps[index]?.index === index ? this.steps[index] : this.steps.find((step) => step.index === index);
  }
}

/** Kinds that make a window worth looking at; prints alone happen between recorded windows. */
const HAPPENS = new Set(['leaf', 'enter', 'forward', 'seed', 'update', 'zero', 'fail']);
