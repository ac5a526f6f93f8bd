/**
 * Questions about what would have been elsewhere (POST /runs/{id}/probe), answered row by row. One question per subject
 * at a time: a new one takes the place of the old, which is cancelled. Answers are remembered.
 *
 * @import {Client} from '../api/client.js'
 * @import {Event, Probe} from '../types.js'
 * @typedef {{tensor: number, index: number, low: number, high: number}} Side
 * @typedef {{step: number, root: number, x: Side, y?: Side, kind: 'surface' | 'field', points: number}} Question
 * @typedef {{question: Question, rows: Probe[], total: number, busy: boolean, refusal: string[]}} Answer
 *   total    rows there will be; refusal  in sentences, none while all is well
 */
import { signal } from '@preact/signals';
import { Problem } from '../api/client.js';

const KEPT = 64; // answers

export class Prober {
  /** @type {import('@preact/signals').Signal<Answer | null>} the latest answer, growing while it comes */ answer = signal(/** @type {Answer | null} */ (null));
  /** @type {Map<string, Answer>} */ #known = new Map();
  /** @type {AbortController | null} */ #asking = null;
  #waiting = 0;
  #wanted = '';

  /** @param {Client} client */
  constructor(client) {
    this.client = client;
  }

  /** Asks after a moment's rest, so that a scrub over many steps asks about the last one only. @param {string} run @param {Question} question @param {number} [rest] */
  ask(run, question, rest = 350) {
    const key = run + JSON.stringify(question);
    if (key === this.#wanted) return;
    this.cancel();
    this.#wanted = key;
    const known = this.#known.get(key);
    if (known) this.answer.value = known;
    else this.#waiting = setTimeout(() => this.#send(key, run, question), rest);
  }

  /** Leaves what came so far. */
  cancel() {
    clearTimeout(this.#waiting);
    this.#asking?.abort();
    this.#wanted = '';
    const { value } = this.answer;
    if (value?.busy) this.answer.value = { ...value, busy: false };
  }

  /** @param {string} key @param {string} run @param {Question} question */
  async #send(key, run, question) {
    const control = (this.#asking = new AbortController());
    /** @type {Answer} */ let answer = { question, rows: [], total: question.y ? question.points : 1, busy: true, refusal: [] };
    const put = (/** @type {Partial<Answer>} */ change) => {
      if (!control.signal.aborted) this.answer.value = answer = { ...answer, ...change };
    };
    put({});
    try {
      await this.client.probe(run, question, (events) => {
        const rows = events.filter((event) => event.kind === 'probe');
        put({ rows: [...answer.rows, ...rows], refusal: events.reduce(refusal, answer.refusal) });
      }, control);
      put({ busy: false });
      if (!control.signal.aborted) this.#keep(key, answer);
    } catch (error) {
      put({ busy: false, refusal: [error instanceof Problem ? error.message : String(error)] });
    }
  }

  /** @param {string} key @param {Answer} answer */
  #keep(key, answer) {
    this.#known.set(key, answer);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KEPT) this.#known.delete(oldest);
  }
}

/** Why there is no answer: what failed, else how it ended. @param {string[]} said @param {Event} event */
function refusal(said, event) {
  if (said.length || !(event.kind === 'fail' || (event.kind === 'end' && event.status !== 'ok'))) return said;
  return [event.message ?? '', event.hint ?? ''].filter(Boolean);
}
