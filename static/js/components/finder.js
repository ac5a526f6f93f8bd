/** Looks for a card by name, op, node or shape. */

/** @import {Graph} from '../model/graph.js' */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { shape } from '../model/format.js';
import { html } from './html.js';
import { Icon } from './icon.js';

const MOST = 8;

/** @param {{graph: Graph, label: string, none: string, onChoose: (key: string) => void, onClose: () => void}} props */
export function Finder({ graph, label, none, onChoose, onClose }) {
  const query = useSignal('');
  const at = useSignal(0);
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => box.current?.focus(), []);
  const found = search(graph, query.value).slice(0, MOST);
  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    event.stopPropagation();
    if (event.key === 'Escape') onClose();
    else if (event.key === 'ArrowDown') at.value = Math.min(found.length - 1, at.value + 1);
    else if (event.key === 'ArrowUp') at.value = Math.max(0, at.value - 1);
    else if (event.key === 'Enter' && found[at.value]) onChoose(found[at.value].key);
    else return;
    event.preventDefault();
  };
  const stop = (/** @type {Event} */ event) => event.stopPropagation();
  return html`<div class="finder" onKeyDown=${keys} onClick=${stop} onMouseDown=${stop} onTouchStart=${stop}>
    <label><${Icon} name="search" size=${15} /><input ref=${box} type="search" role="combobox" aria-expanded=${found.length > 0} aria-controls="found" aria-autocomplete="list" aria-activedescendant=${found[at.value] ? `found-${at.value}` : undefined}
      aria-label=${label} placeholder=${label} value=${query.value} onInput=${(/** @type {any} */ event) => {
        query.value = event.target.value;
        at.value = 0;
      }} onBlur=${() => setTimeout(onClose, 150)} /></label>
    ${query.value ? html`<ul id="found" role="listbox" aria-label=${label}>${found.map((card, i) => html`<li id=${`found-${i}`} role="option" aria-selected=${i === at.value} onPointerDown=${() => onChoose(card.key)}><b class="mono">${card.label}</b><span class="mono mut">${card.expr}</span><span class="mono mut">${shape(card.shape)}</span></li>`)}
      ${found.length ? null : html`<li class="mut">${none}</li>`}</ul>` : null}</div>`;
}

/** Names that begin with the words first. @param {Graph} graph @param {string} query */
export function search({ cards }, query) {
  const words = query.trim().toLowerCase();
  if (!words) return [];
  const rank = (/** @type {import('../model/graph.js').Card} */ card) => {
    const label = card.label.toLowerCase();
    if (label === words) return 0;
    if (label.startsWith(words) || card.name.toLowerCase().startsWith(words)) return 1;
    const rest = `${label} ${card.name} ${card.expr} ${card.op?.op ?? ''} ${words.length > 2 ? card.op?.grad_fn ?? '' : ''} ${card.scope} ${shape(card.shape)} ${card.role}`.toLowerCase();
    return rest.includes(words) ? 2 : 3;
  };
  return [...cards.values()].map((card) => ({ card, order: rank(card) })).filter(({ order }) => order < 3).sort((a, b) => a.order - b.order || a.card.at - b.card.at).map(({ card }) => card);
}
