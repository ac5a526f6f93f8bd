/** Loss over the training steps. */

/** @import {Context, View} from './index.js' */
import { Chart } from '../components/chart.js';
import { html } from '../components/html.js';
import { number } from '../model/arrays.js';

/** @type {View} */
export const lossView = {
  id: 'loss', place: 'right', title: 'loss.title', when: ({ moment }) => moment.trace.steps.length > 1 && moment.trace.steps.some((step) => step.loss != null),
  aside: ({ ui, t, act }) => html`<button type="button" class="note link" aria-pressed=${ui.log.value} onClick=${() => act('log')}>${t(ui.log.value ? 'loss.log' : 'loss.linear')}</button>`,
  draw: ({ moment, ui, t, act }) => {
    const values = losses(moment.trace.steps);
    const log = ui.log.value && !values.some((value) => value <= 0);
    return html`<${Chart} series=${[{ name: 'loss', values, kind: 'main' }]} cursor=${moment.step} log=${log} area value label=${t('loss.label', { n: values.length })} onSeek=${(/** @type {number} */ step) => act('step', step)} />`;
  },
};

/** @type {WeakMap<object, number[]>} */
const known = new WeakMap();

/** @param {import('../types.js').Step[]} steps  grows while the run streams @returns {number[]} */
export function losses(steps) {
  let values = known.get(steps);
  if (!values) known.set(steps, (values = []));
  for (let i = values.length; i < steps.length; i++) values.push(number(steps[i].loss ?? 'NaN'));
  return values;
}
