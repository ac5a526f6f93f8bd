/** A sheet above the page: keeps the focus, closes by Escape, by a click beside it and by its button. */
import { useEffect, useRef } from 'preact/hooks';
import { Button } from './button.js';
import { html } from './html.js';

/** @param {{title: string, close: string, onClose: () => void, class?: string, children: any}} props  close  name of the closing button */
export function Dialog({ title, close, onClose, class: kind = '', children }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    box.current?.showModal();
    if (document.activeElement instanceof HTMLButtonElement) box.current?.focus(); // not the closing button first: it would shine
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return html`<dialog ref=${box} tabindex="-1" class=${`dialog ${kind}`} aria-label=${title} onClose=${onClose} onKeyDown=${(/** @type {Event} */ event) => event.stopPropagation()}
    onClick=${(/** @type {MouseEvent} */ event) => event.target === box.current && box.current?.close()}>
    <div class="inner"><h2>${title}<${Button} label=${close} icon="x" onClick=${() => box.current?.close()} /></h2>${children}</div></dialog>`;
}
