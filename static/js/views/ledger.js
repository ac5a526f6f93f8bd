/** The .grad ledger: per parameter what was added when, cleared when, read by whom; and what deserves a word. */

/**
 * @import {Entry} from '../model/ledger.js'
 * @import {Arr} from '../types.js'
 * @import {Context, View} from './index.js'
 */
import { html } from '../components/html.js';
import { Icon } from '../components/icon.js';
import { Rich } from '../components/rich.js';
import { decode } from '../model/arrays.js';
import { short } from '../model/format.js';
import { gathered, ledger, notices } from '../model/ledger.js';

const MOST = 12; // parameters

/** @type {WeakMap<object, {size: number, books: ReturnType<typeof ledger>, notes: ReturnType<typeof notices>}>} */
const known = new WeakMap();

/** @param {Context['moment']} moment */
export function booksOf({ window, graph, trace }) {
  if (!window || !graph) return null;
  let found = known.get(window.events);
  if (found?.size !== window.events.length) known.set(window.events, (found = { size: window.events.length, books: ledger(window.events), notes: notices(window.events, graph, trace) }));
  return found;
}

/** @type {View} */
export const ledgerView = {
  id: 'ledger', place: 'right', title: 'ledger.title',
  when: ({ moment }) => {
    const found = booksOf(moment);
    return found !== null && ([...found.books.values()].some((entries) => entries.some((entry) => entry.kind === 'add')) || found.notes.length > 0);
  },
  draw: (context) => html`<${Ledger} ...${context} />`,
};

/** @param {Context} context */
function Ledger({ moment, ui, t, act }) {
  const found = booksOf(moment);
  if (!found || !moment.graph) return null;
  const { graph, stop } = moment;
  const now = stop?.until ?? -1;
  const rows = [...found.books].filter(([, entries]) => entries.some((entry) => entry.kind !== 'start'));
  const goto = (/** @type {number} */ at) => act('event', moment.stops.findIndex((each) => each.at >= at));
  return html`${gathered(found.notes).map((note) => html`<button type="button" class=${`notice ${note.at <= now ? '' : 'later'}`} onClick=${() => (note.step === undefined ? goto(note.at) : act('step', note.step))}><${Icon} name="triangle-alert" size=${14} /><span><${Rich} text=${t(note.key, note.words)} /></span></button>`)}
    ${rows.slice(0, MOST).map(([tensor, entries]) => {
      const key = graph.byTensor.get(tensor) ?? '';
      const card = graph.cards.get(key);
      if (!card) return null;
      return html`<div class=${`book ${ui.select.value === key ? 'open' : ''}`}><button type="button" class="mono owner" onClick=${() => act('select', key)}>${card.label}.grad</button>
        <ol>${entries.map((entry) => html`<li class=${`${entry.kind} ${entry.at <= now ? '' : 'later'} ${entry.at === stop?.at ? 'now' : ''}`}><button type="button" onClick=${() => goto(entry.at)} title=${entry.line ? t('output.line', { line: entry.line }) : ''}>${line(entry, t)}</button></li>`)}</ol></div>`;
    })}`;
}

/** @param {Entry} entry @param {Context['t']} t */
function line(entry, t) {
  if (entry.kind === 'start') return html`<span>${t('ledger.start')}</span><b class="mono">${brief(entry.after)}</b>`;
  if (entry.kind === 'add') return html`<span>${t('ledger.add', { n: entry.backward })}</span><span class="mono">${plus(entry.delta)}</span><b class="mono">${brief(entry.after)}</b>`;
  if (entry.kind === 'zero') return html`<span>${t('ledger.zero')}</span><b class="mono">${entry.to === 'none' ? 'None' : '0'}</b>`;
  return html`<span>${t('ledger.read', { who: entry.optimizer || t('ledger.hand') })}</span><b class="mono">${entry.after ? brief(entry.after) : ''}</b>`;
}

/** @param {Arr | null} array */
function brief(array) {
  if (!array) return 'None';
  const { values, count } = decode(array);
  if (count === 1) return short(values[0]);
  if (count <= 3) return Array.from(values, (value) => short(value, 3)).join(' ');
  return `‖${short(Math.hypot(...Array.from(values)), 3)}‖`;
}

/** @param {Arr | null} array */
const plus = (array) => {
  const text = brief(array);
  return text.startsWith('−') || text.startsWith('‖') ? text : `+${text}`;
};
