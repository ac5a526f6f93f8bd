/** Buttons: always with a name, a tip, and their key where they have one. */
import { html } from './html.js';
import { Icon } from './icon.js';

/**
 * @param {{label: string, icon?: string, keys?: string, class?: string, onClick: (event: MouseEvent) => void, disabled?: boolean,
 *   pressed?: boolean, expanded?: boolean, children?: any, size?: number}} props  without children the label is the tip
 */
export function Button({ label, icon, keys, class: kind = 'ib', onClick, disabled, pressed, expanded, children, size }) {
  const tip = keys ? `${label}  ${keys}` : label;
  return html`<button type="button" class=${kind} aria-label=${label} title=${tip} disabled=${disabled}
    aria-pressed=${pressed} aria-expanded=${expanded} onClick=${onClick}>${icon ? html`<${Icon} name=${icon} size=${size} />` : null}${children}</button>`;
}
