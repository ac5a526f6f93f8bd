/** Every action by a few letters of its name. */

/**
 * @import {Action} from '../actions/actions.js'
 * @import {Context, View} from './index.js'
 */
import { useSignal } from '@preact/signals';
import { ACTIONS } from '../actions/actions.js';
import { Dialog } from '../components/dialog.js';
import { html } from '../components/html.js';
import { keysOf } from './help.js';

/** @type {View} */
export const paletteView = { id: 'palette', place: 'over', title: 'palette.title', when: ({ app }) => app.sheet.value === 'palette', draw: (context) => html`<${Palette} ...${context} />` };

const NEEDS_MORE = new Set(['step', 'event', 'select', 'cell', 'fold', 'close', 'palette']); // actions that take an argument, or make no sense here

/** @param {Context} context */
function Palette({ app, t, act }) {
  const said = useSignal('');
  const at = useSignal(0);
  const wanted = said.value.toLowerCase();
  const found = ACTIONS.filter((action) => !NEEDS_MORE.has(action.id) && (action.enabled?.(app) ?? true) && t(action.label).toLowerCase().includes(wanted));
  const chosen = found[Math.min(at.value, found.length - 1)];
  const perform = (/** @type {Action | undefined} */ action) => {
    if (!action) return;
    act('close');
    act(action.id);
  };
  /** @param {KeyboardEvent} event */
  const key = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) at.value = (Math.min(at.value, found.length - 1) + by + found.length) % Math.max(1, found.length);
    else if (event.key === 'Enter') perform(chosen);
    else return;
    event.preventDefault();
  };
  return html`<${Dialog} title=${t('palette.title')} close=${t('dialog.close')} class="palette" onClose=${() => act('close')}>
    <input type="search" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant=${chosen ? `do-${chosen.id}` : undefined} aria-label=${t('palette.title')} placeholder=${t('palette.type')} value=${said.value} autofocus
      onKeyDown=${key} onInput=${(/** @type {any} */ event) => {
        said.value = event.currentTarget.value;
        at.value = 0;
      }} />
    <ul role="listbox" id="palette-list" aria-label=${t('palette.title')}>${found.map((action) => html`<li role="option" id=${`do-${action.id}`} aria-selected=${action === chosen} onClick=${() => perform(action)}><span>${t(action.label)}</span>${action.keys[0] ? html`<span class="keys-of">${keysOf(action.keys[0]).map((each) => html`<kbd>${each}</kbd>`)}</span>` : null}</li>`)}</ul>
    ${found.length ? null : html`<p class="mut">${t('palette.none')}</p>`}<//>`;
}
