/** Plays: one unit per beat until the trace's end. Knows the session's moment and the ui table, no page. */

/**
 * @import {Session} from '../store/session.js'
 * @import {Ui} from '../store/ui.js'
 * @import {Unit} from './stops.js'
 */
import { batch, effect, signal } from '@preact/signals';
import { advance } from './stops.js';

export const SPEEDS = [1, 2, 4, 8, 16, 30];

const REACH = 4; // steps that are searched for the next event of a tensor: each may have to be recorded

/** The tensors an event speaks of. @param {any} event @returns {number[]} */
const names = (event) => [event.tensor, event.root, ...(event.tensors ?? []), ...(event.inputs ?? []).map((/** @type {any} */ input) => input.tensor), ...(event.outputs ?? []).map((/** @type {any} */ output) => output.tensor)];

export class Player {
  playing = signal(false);

  /** @param {Session} session @param {Ui} ui */
  constructor(session, ui) {
    this.session = session;
    this.ui = ui;
    effect(() => {
      if (!this.playing.value) return;
      const beat = setInterval(() => this.#beat(), 1000 / Math.max(1, ui.speed.value));
      return () => clearInterval(beat);
    });
  }

  toggle() {
    this.playing.value = !this.playing.value;
  }

  pause() {
    this.playing.value = false;
  }

  #beat() {
    if (document.hidden) return;
    if (!this.session.moment.value.window && this.ui.unit.value !== 'step') return; // its events are on their way
    if (!this.go(1, /** @type {Unit} */ (this.ui.unit.value))) this.pause();
  }

  /** One unit on or back; over the edge of a step into the next. @param {1 | -1} by @param {Unit} unit @returns {boolean} whether there was somewhere to go */
  go(by, unit) {
    const { stops, index, step, trace } = this.session.moment.value;
    const to = stops.length ? advance(stops, index, by, unit) : -1;
    if (to >= 0) {
      this.ui.event.value = stops[to].at;
      return true;
    }
    return this.toStep(step + by, unit === 'step' ? 'same' : by > 0 ? 'first' : 'last', trace.length);
  }

  /** @param {number} step @param {'same' | 'first' | 'last'} where @param {number} [length] */
  toStep(step, where = 'same', length = this.session.moment.value.trace.length) {
    if (step < 0 || step >= length) return false;
    batch(() => {
      this.ui.step.value = step;
      if (where === 'first') this.ui.event.value = 0;
      else if (where === 'last') this.ui.event.value = 1e9;
      else if (this.session.moment.peek().index >= 0 && this.ui.event.value < 0) this.ui.event.value = -1;
    });
    return true;
  }

  /**
   * To the next event that says something about a card, in this step or in those after it.
   * @param {string} key @param {1 | -1} by @returns {Promise<boolean>} whether there is one within reach; else the cursor is back where it was
   */
  async touch(key, by) {
    if (!(await this.session.arrived())) return false;
    const { step, index, stop, trace } = this.session.moment.value;
    if (this.#touch(key, by, index + by)) return true;
    for (let next = step + by; Math.abs(next - step) <= REACH && this.toStep(next, by > 0 ? 'first' : 'last', trace.length); next += by) {
      if (!(await this.session.arrived())) return false;
      const { stops } = this.session.moment.value;
      if (this.#touch(key, by, by > 0 ? 0 : stops.length - 1)) return true;
    }
    batch(() => {
      this.ui.step.value = step;
      this.ui.event.value = stop?.at ?? 0;
    });
    return false;
  }

  /** @param {string} key @param {1 | -1} by @param {number} from  the first stop to look at */
  #touch(key, by, from) {
    const { graph, stops } = this.session.moment.value;
    const tensor = graph?.cards.get(key)?.tensor;
    if (tensor === undefined) return false;
    for (let i = from; i >= 0 && i < stops.length; i += by) {
      if (!names(stops[i].event).includes(tensor)) continue;
      this.ui.event.value = stops[i].at;
      return true;
    }
    return false;
  }

  /** @param {number} index  of a stop in the current step */
  toStop(index) {
    const { stops } = this.session.moment.value;
    const stop = stops[Math.max(0, Math.min(index, stops.length - 1))];
    if (stop) this.ui.event.value = stop.at;
  }
}
