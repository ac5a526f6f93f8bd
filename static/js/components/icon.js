/**
 * Icons from the sprite of vendor/icons.svg; decoration only, the control around it carries the name. The sprite is put
 * into the page once: an icon first needed when the server is away is there.
 */
import { html } from './html.js';

/** @param {string} base  address of static/ */
export async function locate(base) {
  const response = await fetch(`${base}vendor/icons.svg`).catch(() => null);
  if (!response?.ok) return; // controls have names and titles
  const sprite = document.importNode(new DOMParser().parseFromString(await response.text(), 'image/svg+xml').documentElement, true);
  for (const symbol of sprite.querySelectorAll('symbol')) symbol.id = `icon-${symbol.id}`;
  sprite.setAttribute('class', 'sr');
  sprite.setAttribute('aria-hidden', 'true');
  document.body.append(sprite);
}

/** @param {{name: string, size?: number}} props */
export const Icon = ({ name, size = 17 }) => html`<svg class="icon" width=${size} height=${size} aria-hidden="true"><use href=${`#icon-${name}`} /></svg>`;
