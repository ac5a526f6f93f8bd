/** All keys and what they do, from the list of actions. */

/** @import {Context, View} from './index.js' */
import { ACTIONS } from '../actions/actions.js';
import { Dialog } from '../components/dialog.js';
import { html } from '../components/html.js';

/** @type {View} */
export const helpView = {
  id: 'help', place: 'over', title: 'help.title', when: ({ app }) => app.sheet.value === 'help',
  draw: ({ t, act }) => html`<${Dialog} title=${t('help.title')} close=${t('dialog.close')} class="wide" onClose=${() => act('close')}>
    <div class="columns">${[...new Set(ACTIONS.map((action) => action.group))].map((group) => {
      const rows = ACTIONS.filter((action) => action.group === group && action.keys.length);
      return rows.length ? html`<section><h3>${t(`help.${group}`)}</h3><dl>${rows.map((action) => html`<div><dt>${keysOf(action.keys[0]).map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${t(action.label)}</dd></div>`)}</dl></section>` : null;
    })}</div>
    <p class="mut small">${t('help.graph')}</p><//>`,
};

const WRITTEN = /** @type {Record<string, string>} */ ({ ' ': 'Space', ArrowRight: '→', ArrowLeft: '←', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc', Shift: '⇧', Enter: '↵' });

/** @param {string} keys  as in an action @returns {string[]} */
export const keysOf = (keys) => (keys.length === 1 ? [keys] : keys.split(/\+(?=.)/)).map((key) => WRITTEN[key] ?? (key.length === 1 ? key.toUpperCase() : key));
