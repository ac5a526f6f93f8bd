/** The size of every parameter's gradient over the training steps: where it vanishes, where it explodes. */

/**
 * @import {Step} from '../types.js'
 * @import {Context, View} from './index.js'
 */
import { Chart } from '../components/chart.js';
import { html } from '../components/html.js';
import { norm } from '../model/arrays.js';
import { shortest } from '../model/names.js';
import { Series } from '../model/series.js';

const MOST = 6; // lines that can still be told apart

/** @typedef {{names: string[], series: Series[], done: number}} Lines */

/** @type {View} */
export const gradientsView = {
  id: 'gradients', place: 'right', title: 'gradients.title',
  when: ({ moment }) => moment.trace.steps.length > 2 && lines(moment.trace.steps).series.some((each) => each.values.some((value) => value > 0)),
  aside: ({ moment, t }) => html`<span class="note">${t(positive(moment) ? 'gradients.log' : 'gradients.norms')}</span>`,
  draw: ({ moment, t, act }) => {
    const { series } = lines(moment.trace.steps);
    return html`<${Chart} series=${series} cursor=${moment.step} log=${positive(moment)} named height=${120} label=${t('gradients.label', { names: series.map((each) => each.name).join(', ') })} onSeek=${(/** @type {number} */ step) => act('step', step)} />`;
  },
};

/** A logarithm needs something above zero; zeros are left out of it. @param {Context['moment']} moment */
const positive = ({ trace }) => lines(trace.steps).series.every((each) => each.values.every((value) => !(value <= 0)));

/** @type {WeakMap<Step[], Lines>} */
const known = new WeakMap();

/** @param {Step[]} steps  grows while the run streams @returns {Lines} */
function lines(steps) {
  let found = known.get(steps);
  if (!found) {
    const paths = Object.keys(steps[0]?.grads ?? {}).slice(0, MOST);
    const names = shortest(paths);
    known.set(steps, (found = { names: paths, series: paths.map((path) => new Series(names.get(path) ?? path)), done: 0 }));
  }
  for (; found.done < steps.length; found.done++) {
    const { grads = {} } = steps[found.done];
    // a large model's steps list their gradients only now and then; None is told, and is no zero
    found.names.forEach((path, i) => found.series[i].push(path in grads ? norm(grads[path]) : undefined));
  }
  return found;
}
