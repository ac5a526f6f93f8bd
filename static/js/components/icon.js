/** Icons from the sprite of vendor/icons.svg; decoration only, the control around it carries the name. */
import { html } from './html.js';

let sprite = '/static/vendor/icons.svg';

/** @param {string} base  address of static/ */
export const locate = (base) => void (sprite = `${base}vendor/icons.svg`);

/** @param {{name: string, size?: number}} props */
export const Icon = ({ name, size = 17 }) => html`<svg class="icon" width=${size} height=${size} aria-hidden="true"><use href=${`${sprite}#${name}`} /></svg>`;
