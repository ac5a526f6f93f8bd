/** Parameters over the training steps: their values when they are few, their norms when they are many. */

/**
 * @import {Step} from '../types.js'
 * @import {Context, View} from './index.js'
 */
import { Chart } from '../components/chart.js';
import { html } from '../components/html.js';
import { decode, norm } from '../model/arrays.js';
import { subscript } from '../model/format.js';
import { shortest } from '../model/names.js';
import { Series } from '../model/series.js';

const MOST = 6; // lines that can still be told apart

/** @type {View} */
export const parametersView = {
  id: 'parameters', place: 'right', title: 'parameters.title',
  when: ({ moment }) => moment.trace.steps.length > 1 && Object.keys(moment.trace.steps[0].params ?? {}).length > 0,
  aside: ({ moment, t }) => (lines(moment.trace.steps).norms ? html`<span class="note">${t('parameters.norms')}</span>` : null),
  draw: ({ moment, t, act }) => {
    const { series } = lines(moment.trace.steps);
    return html`<${Chart} series=${series} cursor=${moment.step} named height=${134} label=${t('parameters.label', { names: series.map((each) => each.name).join(', ') })} onSeek=${(/** @type {number} */ step) => act('step', step)} />`;
  },
};

/** @typedef {{norms: boolean, picks: {name: string, of: string, at: number}[], series: Series[], done: number}} Lines */

/** @type {WeakMap<Step[], Lines>} */
const known = new WeakMap();

/** @param {Step[]} steps  grows while the run streams @returns {Lines} */
function lines(steps) {
  let found = known.get(steps);
  if (!found) known.set(steps, (found = choose(steps[0])));
  for (; found.done < steps.length; found.done++) {
    const { params = {} } = steps[found.done];
    // a large model's steps list their parameters only now and then
    found.picks.forEach((pick, i) => found.series[i].push(params[pick.of] && read(params[pick.of], pick.at)));
  }
  return found;
}

/** @param {Step | undefined} first @returns {Lines} */
function choose(first) {
  const params = Object.entries(first?.params ?? {});
  const names = shortest(params.map(([of]) => of));
  const total = params.reduce((sum, [, array]) => sum + decode(array).count, 0);
  const norms = total > MOST;
  const picks = norms ? params.slice(0, MOST).map(([of]) => ({ of, at: -1, name: names.get(of) ?? of }))
    : params.flatMap(([of, array]) => Array.from({ length: decode(array).count }, (_, at) => ({ of, at, name: (names.get(of) ?? of) + (decode(array).count > 1 ? subscript(at) : '') })));
  return { norms, picks, series: picks.map(({ name }) => new Series(name)), done: 0 };
}

/** @param {import('../types.js').Arr | undefined} array @param {number} at  -1: the norm */
function read(array, at) {
  if (!array) return NaN;
  return at < 0 ? norm(array) : decode(array).values[at];
}
