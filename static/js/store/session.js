/**
 * The run being looked at: starts and stops it, takes its events in, fetches steps on demand, and says what the cursor
 * shows. Joins api, model and ui; draws nothing.
 *
 * @import {Client} from '../api/client.js'
 * @import {Event, Step} from '../types.js'
 * @import {Graph} from '../model/graph.js'
 * @import {State} from '../model/reduce.js'
 * @import {Window} from '../model/trace.js'
 * @import {Stop} from '../timeline/stops.js'
 * @import {Ui} from './ui.js'
 * @typedef {'empty' | 'starting' | 'running' | 'done' | 'stopped' | 'problem'} Phase
 * @typedef {{trace: Trace, step: number, brief: Step | undefined, window: Window | null, stops: Stop[], index: number,
 *   stop: Stop | null, event: Event | null, state: State | null, graph: Graph | null}} Moment
 *   window, state, graph  null while the step's events are not here
 *   index                 of `stop` in `stops`
 */
import { batch, computed, effect, signal } from '@preact/signals';
import { Problem } from '../api/client.js';
import { formula } from '../model/program.js';
import { graph } from '../model/graph.js';
import { Trace } from '../model/trace.js';
import { Cursor } from '../timeline/cursor.js';
import { find, stops } from '../timeline/stops.js';
import { keep as remember } from './history.js';
import { Steps } from './steps.js';

const LONG = 2000; // events; a run beyond is not drawn with every batch
const PAUSE = 150; // ms between two looks at it then
const ATTEMPTS = 4; // to read on, in a row without a new event

export class Session {
  trace = signal(new Trace());
  /** Grows with every batch of events: the trace itself changes in place. */
  version = signal(0);
  phase = signal(/** @type {Phase} */ ('empty'));
  problem = signal(/** @type {Problem | null} */ (null));
  /** What stands in the editor; what the trace was made from is `trace.source`. */
  code = signal('');
  seed = signal(0);
  /** Place in the server's queue; 0 when it is this run's turn. */
  queue = signal(0);
  /** The step whose events are being fetched. */
  fetching = signal(/** @type {number | null} */ (null));
  /** @type {AbortController | null} */ #running = null;
  #due = /** @type {ReturnType<typeof setTimeout> | 0} */ (0);
  #cursor = new Cursor();
  #structures = new Structures();
  /** @type {Steps} */ #steps;
  /** Changes when another step is looked at or its events came, not with every batch of a run that streams on. @type {import('@preact/signals').ReadonlySignal<string>} */
  #place;
  #step = 0;

  /** @param {Client} client @param {Ui} ui */
  constructor(client, ui) {
    this.client = client;
    this.ui = ui;
    this.moment = computed(() => this.#look());
    this.#steps = new Steps(client, (trace, step, events) => {
      trace.add(step, events);
      this.version.value += 1;
    });
    this.#place = computed(() => {
      const { trace, step, brief, window } = this.moment.value;
      return `${trace.id} ${step} ${brief !== undefined} ${window !== null} ${this.busy}`;
    });
    effect(() => this.#fetch());
  }

  /** Did the program in the editor change since it ran? */
  get edited() {
    return this.trace.value.begin !== null && this.trace.value.source.trimEnd() !== this.code.value.trimEnd();
  }

  get busy() {
    return this.phase.value === 'starting' || this.phase.value === 'running';
  }

  /** Runs what stands in the editor. @param {{keep?: boolean}} [options]  keep: stay at the step and event of the address */
  async run({ keep = false } = {}) {
    this.#running?.abort();
    const control = (this.#running = new AbortController());
    const asked = keep ? { step: this.ui.step.value, event: this.ui.event.value } : null;
    batch(() => {
      this.trace.value = new Trace();
      this.problem.value = null;
      this.phase.value = 'starting';
      if (asked) return;
      this.ui.step.value = 0;
      this.ui.event.value = -1;
      this.ui.select.value = '';
      this.ui.cell.value = '';
      this.ui.run.value = '';
    });
    const trace = this.trace.value;
    await this.#guard(control, async () => {
      const code = this.code.value;
      const expression = formula(code);
      remember(code);
      await this.client.run(expression ? { expression, seed: this.seed.value } : { code, seed: this.seed.value }, (events) => this.take(trace, events), {
        signal: control.signal,
        started: (id, position) => {
          trace.id ||= id;
          this.#wait(trace, position, control);
        },
      }).catch((error) => this.#broken(error, trace, control));
      await this.#resume(trace, control);
      if (!control.signal.aborted) this.#finish();
    });
  }

  /** A stream that broke off is no failure of the run: it is read on. @param {unknown} error @param {Trace} trace @param {AbortController} control */
  #broken(error, trace, control) {
    if (error instanceof Problem || control.signal.aborted || !trace.id) throw error;
  }

  /** Reads on from where the stream ended, after a pause that grows. @param {Trace} trace @param {AbortController} control */
  async #resume(trace, control) {
    for (let attempt = 0; !trace.end && trace.id && attempt < ATTEMPTS && !control.signal.aborted; attempt++) {
      const had = trace.count;
      if (attempt) await new Promise((then) => setTimeout(then, 300 * 2 ** attempt));
      try {
        await this.client.events(trace.id, trace.count, (events) => this.take(trace, events), control);
      } catch (error) {
        if (control.signal.aborted || attempt === ATTEMPTS - 1 || (error instanceof Problem && error.status !== 0)) throw error;
      }
      if (trace.count > had) attempt = 0;
    }
  }

  /** While the run waits for its turn, its place in the queue is shown. @param {Trace} trace @param {number} position @param {AbortController} control */
  async #wait(trace, position, control) {
    this.queue.value = position;
    while (this.queue.value > 0 && !trace.count && !control.signal.aborted) {
      await new Promise((then) => setTimeout(then, 1000));
      const said = await this.client.status(trace.id).catch(() => null);
      this.queue.value = trace.count ? 0 : said?.position ?? 0;
    }
    this.queue.value = 0;
  }

  /** Opens a run the server still has. @param {string} id */
  async open(id) {
    const control = (this.#running = new AbortController());
    this.phase.value = 'starting';
    const trace = (this.trace.value = new Trace());
    trace.id = id;
    await this.#guard(control, async () => {
      await this.client.events(id, 0, (events) => this.take(trace, events), control);
      this.code.value = trace.source;
      this.#finish();
    });
  }

  /** Shows a trace that came from elsewhere: a file, a test. @param {Event[]} events */
  show(events) {
    this.#running?.abort();
    const trace = (this.trace.value = new Trace());
    this.take(trace, events);
    this.code.value = trace.source;
    this.#finish();
  }

  stop() {
    if (!this.busy) return;
    const { id } = this.trace.value;
    const control = this.#running;
    const close = () => {
      if (this.#running !== control || !this.busy) return;
      control?.abort(); // closing the stream ends the run as well
      this.phase.value = 'stopped';
    };
    if (!id) return close();
    this.client.cancel(id).catch(close); // the stream goes on to the trace's end, which says that it was cancelled
    setTimeout(close, 2000);
  }

  /** @param {Trace} trace @param {Event[]} events */
  take(trace, events) {
    if (trace !== this.trace.value) return;
    batch(() => {
      for (const event of events) trace.push(event);
      if (this.phase.value === 'starting') this.phase.value = 'running';
      if (trace.id) this.ui.run.value = trace.id;
      this.#tell(trace);
    });
  }

  /** A long run is looked at now and then while it streams in: the page has to hear its Stop as well. @param {Trace} trace */
  #tell(trace) {
    if (trace.count < LONG) return void (this.version.value += 1);
    this.#due ||= setTimeout(() => {
      this.#due = 0;
      this.version.value += 1;
    }, PAUSE);
  }

  #finish() {
    batch(() => {
      if (formula(this.code.value)) this.code.value = this.trace.value.source || this.code.value; // the program made of it
      this.phase.value = 'done';
      const { fail, windows, next } = this.trace.value;
      if (this.ui.event.value < 0 && fail && windows.has(next)) this.ui.step.value = next;
      this.version.value += 1;
    });
  }

  /** @param {AbortController} control @param {() => Promise<void>} work */
  async #guard(control, work) {
    try {
      await work();
    } catch (error) {
      if (control.signal.aborted) return;
      this.problem.value = error instanceof Problem ? error : new Problem({ title: 'unexpected', detail: String(error) });
      this.phase.value = 'problem';
    }
  }

  /** Asks for the events of the step the cursor stands on, when they are not here, or for those of its neighbours. */
  #fetch() {
    void this.#place.value;
    const { window, brief, step, trace } = this.moment.peek();
    if (!trace.id || this.problem.peek() || !(window || brief)) return;
    const way = step < this.#step ? -1 : 1; // where the reader is going
    this.#step = step;
    const near = this.busy ? [] : [step + way, step - way].filter((each) => trace.step(each) && !trace.windows.has(each));
    this.#steps.stand(trace, step, { missing: !window, near,
      waiting: (is) => {
        if (is) this.fetching.value = step;
        else if (this.fetching.peek() === step) this.fetching.value = null;
      },
      failed: (error) => (this.problem.value = error instanceof Problem ? error : new Problem({ detail: String(error) })),
    });
  }

  /** Until the events of the step at the cursor are here; false when they cannot be had, or the cursor moved on. @returns {Promise<boolean>} */
  async arrived() {
    const { step, trace } = this.moment.value;
    return new Promise((resolve) => {
      const stop = effect(() => {
        const now = this.moment.value;
        const gone = now.trace !== trace || now.step !== step || this.problem.value !== null;
        if (!gone && !now.window) return;
        resolve(!gone);
        queueMicrotask(() => stop());
      });
    });
  }

  /** @returns {Moment} */
  #look() {
    void this.version.value;
    const trace = this.trace.value;
    const step = Math.max(0, Math.min(this.ui.step.value, Math.max(0, trace.length - 1)));
    const brief = trace.step(step);
    const window = trace.windows.get(step) ?? null;
    /** @type {Moment} */
    const moment = { trace, step, brief, window, stops: [], index: 0, stop: null, event: null, state: null, graph: null };
    if (!window) return moment;
    const structure = this.#structures.of(window, this.busy && !window.closed);
    moment.stops = structure.stops;
    moment.graph = structure.graph;
    const wanted = this.ui.event.value;
    moment.index = wanted < 0 ? opening(structure.stops) : find(structure.stops, wanted);
    moment.stop = structure.stops[moment.index] ?? null;
    moment.event = moment.stop?.event ?? null;
    moment.state = this.#cursor.seek(window, moment.stop ? moment.stop.until + 1 : window.events.length);
    return moment;
  }
}

/** Where a step is first shown: as the last gradient arrives at a leaf, nearly all numbers are there. @param {Stop[]} list */
function opening(list) {
  const failed = list.findIndex((stop) => stop.event.kind === 'fail');
  if (failed >= 0) return failed;
  const received = list.findLastIndex((stop) => stop.event.kind === 'contribute' && stop.event.to == null);
  if (received >= 0) return received;
  const last = list.findLastIndex((stop) => stop.phase === 'backward');
  return last >= 0 ? last : Math.max(0, list.length - 1);
}

const GROWN = 1.25; // so much larger, a window is worked out again; with every batch would be too often for a loop that never ends

/** Stops and graph of a window, worked out once; again only while the window grows. */
class Structures {
  /** @type {WeakMap<Event[], {size: number, stops: Stop[], graph: Graph}>} */ known = new WeakMap();

  /** @param {Window} window @param {boolean} growing  more of it is on its way: what was worked out may be a little behind */
  of({ events }, growing) {
    let found = this.known.get(events);
    if (!found || (growing ? events.length > found.size * GROWN : found.size !== events.length)) {
      found = { size: events.length, stops: stops(events), graph: graph(events) };
      this.known.set(events, found);
    }
    return found;
  }
}
