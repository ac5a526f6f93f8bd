/** A button that opens a list to choose from: arrow keys, Home, End, letters, Escape. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { html } from './html.js';

/** @typedef {{id: string, label: string, note?: string, group?: string}} Item */

/** @param {{label: string, class?: string, items: Item[], chosen?: string, onChoose: (id: string) => void, children: any, align?: 'left' | 'right'}} props */
export function Menu({ label, class: kind = 'ib txt', items, chosen, onChoose, children, align = 'left' }) {
  const opened = useSignal(false);
  const open = opened.value;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!open) return;
    const outside = (/** @type {Event} */ event) => {
      if (!box.current?.contains(/** @type {Node} */ (event.target))) opened.value = false;
    };
    document.addEventListener('pointerdown', outside);
    const options = [...(box.current?.querySelectorAll('[role=menuitemradio]') ?? [])];
    const current = options.find((each) => each.getAttribute('aria-checked') === 'true') ?? options[0];
    if (current instanceof HTMLElement) current.focus();
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);
  /** @param {KeyboardEvent} event */
  const keys = (event) => {
    const options = /** @type {HTMLElement[]} */ ([...(box.current?.querySelectorAll('[role=menuitemradio]') ?? [])]);
    const at = options.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 }[event.key];
    if (event.key === 'Escape') close();
    else if (to !== undefined) options[(to + options.length) % options.length]?.focus();
    else if (event.key.length === 1 && event.key !== ' ') options.find((each) => each.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const close = () => {
    opened.value = false;
    box.current?.querySelector('button')?.focus();
  };
  /** @param {string} id */
  const choose = (id) => {
    close();
    onChoose(id);
  };
  let group = '';
  return html`<div class="menu" ref=${box} onKeyDown=${open ? keys : undefined}>
    <button type="button" class=${kind} aria-haspopup="menu" aria-expanded=${open} title=${label} onClick=${() => void (opened.value = !open)}><span class="sr">${label}</span>${children}</button>
    ${open ? html`<div class=${`sheet ${align}`} role="menu" aria-label=${label}>${items.map((item) => {
      const head = item.group && item.group !== group ? html`<div class="group" role="presentation">${(group = item.group)}</div>` : null;
      return html`${head}<button type="button" role="menuitemradio" aria-checked=${item.id === chosen} tabindex="-1" onClick=${() => choose(item.id)}><span>${item.label}</span>${item.note ? html`<small>${item.note}</small>` : null}</button>`;
    })}</div>` : null}</div>`;
}
