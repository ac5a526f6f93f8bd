/**
 * State at a moment of a window. Going on folds a few events; going back folds from the start, which takes a few
 * milliseconds for 25,000 events, so that no views need to undo anything.
 *
 * @import {Window} from '../model/trace.js'
 * @import {State} from '../model/reduce.js'
 */
import { Replay } from '../model/reduce.js';

export class Cursor {
  /** @type {Window | null} */ window = null;
  done = 0;
  replay = new Replay();

  /** State after the first `t` events of the window. @param {Window} window @param {number} t @returns {State} */
  seek(window, t) {
    if (this.window?.events !== window.events || t < this.done) {
      this.window = window;
      this.done = 0;
      this.replay = new Replay();
      this.replay.state.step = window.index;
    }
    const end = Math.min(t, window.events.length);
    while (this.done < end) this.replay.fold(window.events[this.done++]);
    return this.replay.state;
  }
}
