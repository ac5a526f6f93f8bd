/**
 * What the reader chose, one signal per row of a table, mirrored in the address: every moment is a link. Rows marked
 * `keep` are also remembered for the next visit. The trace is not in here.
 *
 * @template T
 * @typedef {import('@preact/signals').Signal<T>} Signal
 */
import { effect, signal } from '@preact/signals';

/** @typedef {'each' | 'shared'} Scale */

/**
 * @template T
 * @typedef {{initial: T, read: (text: string) => T, write: (value: T) => string, url?: boolean, keep?: boolean, doc: string}} Field
 */

/** @param {string} initial @param {string} doc @param {{url?: boolean, keep?: boolean}} [where] @returns {Field<string>} */
const text = (initial, doc, where = { url: true }) => ({ initial, doc, read: (value) => value, write: (value) => value, ...where });

/** @param {number} initial @param {string} doc @param {{url?: boolean, keep?: boolean}} [where] @returns {Field<number>} */
const whole = (initial, doc, where = { url: true }) => ({ initial, doc, read: (value) => Number.parseInt(value, 10) || 0, write: String, ...where });

/** @param {boolean} initial @param {string} doc @param {{url?: boolean, keep?: boolean}} [where] @returns {Field<boolean>} */
const flag = (initial, doc, where = { url: true }) => ({ initial, doc, read: (value) => value === '1', write: (value) => (value ? '1' : '0'), ...where });

/** @param {string} doc @param {{url?: boolean, keep?: boolean}} [where] @returns {Field<string[]>} */
const list = (doc, where = { url: true }) => ({ initial: [], doc, read: (value) => value.split(',').filter(Boolean), write: (value) => value.join(','), ...where });

export const FIELDS = {
  run: text('', 'id of the run being looked at'),
  lesson: text('', 'slug of the example that was opened'),
  step: whole(0, 'training step'),
  event: whole(-1, 'position in the step; -1: not chosen yet'),
  select: text('', 'what is selected: a card `o10`, an edge `o10:1`'),
  cell: text('', 'the selected cell: value or gradient of the selected card, and its index, `v1.0` `g1.0`'),
  fold: list('modules shown as one card'),
  unfold: list('modules opened although the graph is large'),
  closed: list('panels that are closed', { url: true, keep: true }),
  log: flag(true, 'loss on a logarithmic axis', { url: true, keep: true }),
  axes: list('the numbers the loss landscape is drawn over, `w.0`'),
  scale: text('shared', 'colours scaled per tensor (`each`) or over the step (`shared`)', { url: true, keep: true }),
  pane: text('graph', 'what a narrow screen shows: code, graph, panels', { url: true }),
  lang: text('', 'en or zh, once the reader changed it; a cookie remembers it, for the server writes pages in it', { url: false }),
  theme: text('system', 'light, dark or system', { url: false, keep: true }),
  speed: whole(2, 'beats of play per second', { url: false, keep: true }),
  unit: text('event', 'one beat of play: event, line, backward, step', { url: false, keep: true }),
};

/** @typedef {{[K in keyof typeof FIELDS]: Signal<(typeof FIELDS)[K]['initial']>}} Ui */

const PREFIX = 'backstep.';

/** @param {string} key @returns {string | null} */
function remembered(key) {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null; // a browser may forbid storage
  }
}

/** @param {string} key @param {string} value */
export function remember(key, value) {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // nothing is lost but the next visit's setting
  }
}

/** @param {URLSearchParams} asked @returns {Ui} */
export function create(asked) {
  const entries = Object.entries(FIELDS).map(([key, row]) => {
    const field = /** @type {Field<any>} */ (row);
    const said = asked.get(key) ?? (field.keep ? remembered(key) : null);
    return [key, signal(said === null ? field.initial : field.read(said))];
  });
  return /** @type {Ui} */ (Object.fromEntries(entries));
}

/** The address that leads back to this moment; values as they start are left out. @param {Ui} ui @param {string} path */
export function address(ui, path) {
  const query = new URLSearchParams();
  for (const [key, row] of Object.entries(FIELDS)) {
    const field = /** @type {Field<any>} */ (row);
    if (!field.url) continue;
    const value = field.write(/** @type {any} */ (ui)[key].value);
    if (value !== field.write(field.initial)) query.set(key, value);
  }
  const said = query.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
  return said ? `${path}?${said}` : path;
}

/** Keeps the address and the memory in step with the table, at most every 200 ms: browsers refuse more. @param {Ui} ui */
export function mirror(ui) {
  let due = 0;
  effect(() => {
    const next = address(ui, location.pathname);
    clearTimeout(due);
    due = setTimeout(() => {
      if (next !== location.pathname + location.search) history.replaceState(null, '', next + location.hash);
    }, 200);
  });
  for (const [key, row] of Object.entries(FIELDS)) {
    const field = /** @type {Field<any>} */ (row);
    if (!field.keep) continue;
    let first = true;
    effect(() => {
      const value = field.write(/** @type {any} */ (ui)[key].value);
      if (!first) remember(key, value);
      first = false;
    });
  }
}
