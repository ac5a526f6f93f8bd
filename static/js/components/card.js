/**
 * One card of the graph: a leaf or an op's result with its value and its gradient. Draws from its arguments.
 *
 * @import {Arr} from '../types.js'
 * @import {Card as Structure} from '../model/graph.js'
 * @import {Op, Tensor} from '../model/reduce.js'
 * @import {Box} from '../layout/layout.js'
 * @import {Translate} from '../i18n/i18n.js'
 * @import {Mark} from './heat.js'
 * @typedef {{values: number, grads: number, each: boolean}} Scale  magnitudes of the strongest colour
 */
import { useMemo } from 'preact/hooks';
import { magnitude } from '../model/arrays.js';
import { shape } from '../model/format.js';
import { badgeWidth, measure } from '../layout/metrics.js';
import { JOINT } from '../layout/rows.js';
import { Heat, Nothing } from './heat.js';
import { html } from './html.js';

/**
 * @param {{card: Structure, box: Box, tensor: Tensor | undefined, op: Op | undefined, scale: Scale, root: string, active: string, selected: boolean,
 *   near: boolean, marks: {v?: Mark, g?: Mark} | undefined, pending: Arr | null, note: string, t: Translate, tabbable: boolean}} props
 *   tensor   undefined: the cursor has not come to it yet
 *   active   'forward' 'backward' 'update' 'fail' when the current event is about it, else ''
 *   pending  what has arrived at a leaf but is not in .grad yet
 */
export function Card(props) {
  const { card, box, tensor, op, scale, root, active, selected, near, marks, note, t, tabbable, pending } = props;
  const gradient = card.kind === 'leaf' ? tensor?.grad ?? null : tensor?.flow ?? null;
  return useMemo(() => draw(props, gradient), [card, box, tensor?.value, gradient, op?.status, op?.freed, scale, root, active, selected, near, marks, note, t, tabbable, pending, tensor === undefined]);
}

/** @param {Parameters<typeof Card>[0]} props @param {Arr | null} gradient */
function draw(props, gradient) {
  return props.card.role === 'failed' ? refused(props) : whole(props, gradient);
}

/** The op that raised: no value, no gradient. @param {Parameters<typeof Card>[0]} props */
function refused({ card, box, active, selected, t, tabbable }) {
  const { w, h, title } = measure(card);
  return html`<g class=${`node op failed ${active ? 'active fail' : ''} ${selected ? 'selected' : ''}`} transform=${`translate(${box.x},${box.y})`} data-key=${card.key}>
    ${item(w, h, `${card.label}: ${t('card.refused')}`, selected, tabbable)}<g aria-hidden="true">
    <rect x="-5" y="-5" width=${w + 10} height=${h + 10} rx="15" class="halo" /><rect width=${w} height=${h} rx="10" class="card" />${badge(card.sign)}
    <text x=${10.5 + badgeWidth(card.sign) + 8} y="21" class="name">${clip(card.label, title)}</text>
    <text x=${w / 2} y=${h - 19} class="refused">✕ ${t('card.refused')}</text></g></g>`;
}

/** What keyboard and screen reader meet: a name, not a hundred numbers. @param {number} w @param {number} h @param {string} label @param {boolean} selected @param {boolean} tabbable */
const item = (w, h, label, selected, tabbable) => html`<rect class="focus" x="-2" y="-2" width=${w + 4} height=${h + 4} rx="12" role="treeitem" tabindex=${tabbable ? 0 : -1} aria-label=${label} aria-selected=${selected} />`;

/** @param {Parameters<typeof Card>[0]} props @param {Arr | null} gradient */
function whole({ card, box, tensor, op, scale, root, active, selected, near, marks, note, t, tabbable, pending }, gradient) {
  const { w, h, grid, value, grad, title } = measure(card);
  const leaf = card.kind === 'leaf';
  const parameter = leaf && card.grads;
  const kind = ['node', leaf ? (parameter ? 'param' : 'input const') : 'op', active && `active ${active}`, selected && 'selected', near && 'near', !tensor && 'ghost', tensor?.stale && 'stale', note && 'warned', card.role === 'group' && 'folded'].filter(Boolean).join(' ');
  const size = shape(card.shape);
  const name = card.label;
  const expr = card.expr ? ` = ${card.expr}` : '';
  const most = (/** @type {Arr} */ array, /** @type {number} */ shared) => strongest(array, shared, scale.each);
  return html`<g class=${kind} transform=${`translate(${box.x},${box.y})`} data-key=${card.key}>
    ${item(w, h, `${card.label}${expr} ${size}`, selected, tabbable)}<g aria-hidden="true">
    ${active ? html`<rect x="-5" y="-5" width=${w + 10} height=${h + 10} rx="15" class="halo" />` : null}
    <rect width=${w} height=${h} rx="10" class="card" />
    ${parameter ? html`<path d=${cap(w)} class="paramcap" />` : null}
    ${card.role === 'further' ? html`<path d=${`M${-JOINT} 17H0`} class="joint" />` : leaf ? null : card.role === 'prepared' ? html`<g data-fold="~aside" class="handle"><title>${t('action.aside')}</title>${badge('⊞')}</g>` : badge(card.sign)}
    <text x=${leaf || !card.sign ? 11 : 10.5 + badgeWidth(card.sign) + 8} y="21" class="name">${clip(name, title)}${name.length < title && expr ? html`<tspan class="ex">${clip(expr, title - name.length)}</tspan>` : null}
      ${name.length + expr.length > title ? html`<title>${name + expr}</title>` : null}</text>
    <text x=${w - (card.grads ? 27 : 11)} y="20.5" class="shape" text-anchor="end">${size}</text>
    ${note ? html`<g class="warning" transform=${`translate(${w - 8},-6)`}><title>${note}</title><circle r="9" /><path d="M0 -4V1" /><circle r=".8" cy="4" class="dot" /></g>` : null}
    ${card.grads ? status(w - 16, tensor, op, active, parameter, t) : null}
    <text x=${grid.w < 60 && !card.grads ? 11 : value.x} y=${value.y - 5} class="lab">${leaf && !card.grads ? t(`role.${card.role}`) : t('card.value')}</text>
    ${tensor ? html`<${Heat} array=${tensor.value} grid=${grid} x=${value.x} y=${value.y} most=${most(tensor.value, scale.values)} mark=${marks?.v} kind="v" />` : html`<rect class="blank" x=${value.x} y=${value.y} width=${grid.w - 1} height=${grid.h - 1} rx="3.5" />`}
    ${grad ? html`<text x=${grad.x} y=${grad.y - 5} class="lab g">${heading(card, root, gradient ? null : pending, grid.w > 120, t)}</text>
      ${gradientMap({ tensor, gradient, pending, grid, grad, most, scale, marks, parameter, t })}` : null}
  </g></g>`;
}

/** A tensor far weaker than the others keeps some colour, or its pattern would be lost. @param {Arr} array @param {number} shared @param {boolean} each */
export function strongest(array, shared, each) {
  const own = magnitude(array);
  return each ? own : Math.max(own, Math.min(shared, own * 6));
}

/** @param {any} props */
function gradientMap({ tensor, gradient, pending, grid, grad, most, scale, marks, parameter, t }) {
  const shown = gradient ?? pending;
  if (shown) return html`<g class=${gradient ? '' : 'pending'}><${Heat} array=${shown} grid=${grid} x=${grad.x} y=${grad.y} most=${most(shown, scale.grads)} mark=${marks?.g} kind="g" /></g>`;
  if (!tensor) return html`<rect class="blank" x=${grad.x} y=${grad.y} width=${grid.w - 1} height=${grid.h - 1} rx="3.5" />`;
  return html`<${Nothing} grid=${grid} x=${grad.x} y=${grad.y} text=${parameter ? 'None' : t('card.not-yet')} />`;
}

/** A gradient on its way is not called `.grad` yet. @param {Structure} card @param {string} root @param {Arr | null} pending @param {boolean} wide @param {Translate} t */
function heading(card, root, pending, wide, t) {
  const name = card.label;
  if (card.kind === 'leaf' && pending) return wide ? `∂${root}/∂${name} ${t('card.arriving')}` : t('card.arriving');
  if (card.kind === 'leaf') return `${clip(name, 9)}.grad`;
  return `∂${root}/∂${clip(name, 9)}`;
}

/** @param {string} text @param {number} room */
const clip = (text, room) => (text.length <= room ? text : `${text.slice(0, Math.max(1, room - 1))}…`);

/** @param {number} w  the dark rim of a parameter's card */
const cap = (w) => `M10 0H${w - 10}A10 10 0 0 1 ${w} 10V11.5A10 10 0 0 0 ${w - 10} 2.5H10A10 10 0 0 0 0 11.5V10A10 10 0 0 1 10 0Z`;

/** @param {string} sign */
function badge(sign) {
  const w = badgeWidth(sign);
  return html`<rect x="10.5" y="7.5" width=${w} height="19" rx="9.5" class="opdot" />
    <text x=${10.5 + w / 2} y=${sign.length > 1 ? 20.8 : 21.6} class=${sign.length > 1 ? 'opsym small' : 'opsym'}>${sign}</text>`;
}

/** A ring while it is its turn, a tick when its gradient has been passed on, hollow when nothing came yet. @param {number} x @param {Tensor | undefined} tensor @param {Op | undefined} op @param {string} active @param {boolean} parameter @param {Translate} t */
function status(x, tensor, op, active, parameter, t) {
  const done = parameter ? tensor?.grad : op?.status === 'done';
  if (active === 'backward') return html`<g transform=${`translate(${x},17)`}><circle r="6" class="nowring" /><circle r="2.7" class="nowdot" /></g>`;
  if (done) return html`<g transform=${`translate(${x},17)`}><title>${t(op?.freed ? 'card.freed' : 'card.done')}</title><circle r="6" class=${op?.freed ? 'okdot freed' : 'okdot'} /><path d="M-2.6 .2L-.7 2.1 2.8-1.9" class="okcheck" /></g>`;
  if (!parameter && op?.status === 'ready') return html`<g transform=${`translate(${x},17)`}><circle r="6" class="nowring" /></g>`;
  return html`<g transform=${`translate(${x},17)`}><title>${t(parameter ? 'card.leaf' : 'card.saved')}</title><circle r="3" class=${parameter ? 'leafdot' : 'saveddot'} /></g>`;
}
