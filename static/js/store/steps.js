/**
 * Steps recorded on demand: the one the cursor rests on, then, while it rests, its neighbours, so that the next step is
 * there before it is asked for. Each is asked for once, one neighbour at a time; what the cursor moved away from is
 * given up. Knows no signals.
 *
 * @import {Client} from '../api/client.js'
 * @import {Event} from '../types.js'
 * @import {Trace} from '../model/trace.js'
 * @typedef {{missing: boolean, near: readonly number[], waiting: (is: boolean) => void, failed: (error: unknown) => void}} Ask
 *   missing  the step itself is to be fetched: then `waiting` and `failed` are told
 *   near     unrecorded steps beside it, the likelier one first
 */

export const REST = { here: 60, near: 250 }; // ms: a scrub over many steps asks only for the one it rests on
const KEPT = 200_000; // events of fetched steps that are held

export class Steps {
  /** @type {Map<number, {control: AbortController, done: Promise<void>}>} */ #going = new Map();
  /** @type {Map<number, number>} step -> its events; the one used last stands last */ #fetched = new Map();
  /** @type {Trace | null} */ #trace = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #rest;
  /** Grows with every move. */
  #turn = 0;
  #refused = false; // the server has better to do than to look ahead

  /** @param {Pick<Client, 'step'>} client @param {(trace: Trace, step: number, events: Event[]) => void} take */
  constructor(client, take) {
    this.client = client;
    this.take = take;
  }

  /** The cursor stands at `step`. @param {Trace} trace @param {number} step @param {Ask} ask */
  stand(trace, step, { missing, near, waiting, failed }) {
    clearTimeout(this.#rest);
    const turn = ++this.#turn;
    if (trace !== this.#trace) this.#begin(trace);
    for (const [each, { control }] of this.#going) if (each !== step && !near.includes(each)) control.abort();
    this.#use(step);
    if (missing) {
      this.#refused = false;
      const soon = this.#going.has(step) ? 0 : REST.here;
      this.#rest = setTimeout(() => {
        waiting(true);
        this.#ask(trace, step).catch(failed).finally(() => waiting(false));
      }, soon);
    } else if (near.length && !this.#refused) {
      this.#rest = setTimeout(async () => {
        for (const each of near) if (turn === this.#turn && !this.#refused) await this.#ask(trace, each).catch(() => (this.#refused = true));
      }, REST.near);
    }
  }

  /** @param {Trace} trace */
  #begin(trace) {
    for (const { control } of this.#going.values()) control.abort();
    this.#going.clear();
    this.#fetched.clear();
    this.#trace = trace;
    this.#refused = false;
  }

  /** Until the step is here; at once when it is on its way already. @param {Trace} trace @param {number} step @returns {Promise<void>} */
  #ask(trace, step) {
    const going = this.#going.get(step);
    if (going) return going.done;
    if (trace !== this.#trace || trace.windows.has(step)) return Promise.resolve();
    const control = new AbortController();
    const done = this.#fetch(trace, step, control).finally(() => {
      if (this.#going.get(step)?.control === control) this.#going.delete(step);
    });
    this.#going.set(step, { control, done });
    return done;
  }

  /** @param {Trace} trace @param {number} step @param {AbortController} control */
  async #fetch(trace, step, control) {
    try {
      const events = await this.client.step(trace.id, step, control);
      if (trace !== this.#trace || control.signal.aborted) return;
      this.take(trace, step, events);
      this.#keep(trace, step, events.length);
    } catch (error) {
      if (!control.signal.aborted) throw error;
    }
  }

  /** @param {number} step */
  #use(step) {
    const size = this.#fetched.get(step);
    if (size !== undefined && this.#fetched.delete(step)) this.#fetched.set(step, size);
  }

  /** @param {Trace} trace @param {number} step @param {number} size */
  #keep(trace, step, size) {
    this.#fetched.set(step, size);
    let total = [...this.#fetched.values()].reduce((sum, each) => sum + each, 0);
    for (const [old, events] of this.#fetched) {
      if (total <= KEPT || this.#fetched.size <= 3) return; // the one on the screen and its neighbours stay
      this.#fetched.delete(old);
      trace.windows.delete(old);
      total -= events;
    }
  }
}
