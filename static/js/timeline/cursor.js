/**
 * State at a moment of a window. On the way it saves the state now and then, so that going back is as good as going on:
 * what it has passed is at most a thousand or two events away from a moment it saved.
 *
 * @import {Window} from '../model/trace.js'
 * @import {Event} from '../types.js'
 * @import {Mark, State} from '../model/reduce.js'
 * @typedef {{every: number, at: Map<number, Mark>}} Marks  by how many events they come after; every how many
 */
import { Replay } from '../model/reduce.js';

const MOST = 40; // marks of a window: each holds a pointer per tensor and op, 0.3 MB where 25,000 events end
const LEAST = 1024; // events between two of them: folding so many takes a millisecond
const WINDOWS = 4; // whose marks are kept: a step and its neighbours

export class Cursor {
  /** @type {Event[] | null} */ events = null;
  done = 0;
  replay = new Replay();
  /** @type {Map<Event[], Marks>} the window used last stands last */ #kept = new Map();

  /** State after the first `t` events of the window. @param {Window} window @param {number} t @returns {State} */
  seek(window, t) {
    const { events } = window;
    const marks = this.#marks(events);
    const end = Math.min(t, events.length);
    let near = Math.floor(end / marks.every) * marks.every;
    while (near > 0 && !marks.at.has(near)) near -= marks.every;
    if (this.events !== events || this.done > end || this.done < near) {
      const mark = marks.at.get(near);
      this.events = events;
      this.done = near;
      this.replay = mark ? Replay.from(mark) : new Replay();
      if (!mark) this.replay.state.step = window.index;
    }
    while (this.done < end) {
      this.replay.fold(events[this.done++]);
      if (this.done % marks.every === 0 && !marks.at.has(this.done)) this.#save(marks);
    }
    return this.replay.state;
  }

  /** @param {Marks} marks */
  #save(marks) {
    marks.at.set(this.done, this.replay.save());
    if (marks.at.size <= MOST) return;
    marks.every *= 2; // a long window: every other one is enough
    for (const at of [...marks.at.keys()]) if (at % marks.every) marks.at.delete(at);
  }

  /** @param {Event[]} events */
  #marks(events) {
    const known = this.#kept.get(events) ?? { every: LEAST, at: new Map() };
    this.#kept.delete(events);
    this.#kept.set(events, known);
    if (this.#kept.size > WINDOWS) this.#kept.delete(/** @type {Event[]} */ (this.#kept.keys().next().value));
    return known;
  }
}
