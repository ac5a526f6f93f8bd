/** The whole graph small, with the part in sight; a click or drag moves there. */

/** @import {Layout} from '../layout/layout.js' */
/** @import {Viewport} from './viewport.js' */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { html } from './html.js';

const W = 168;
const H = 112;

/** @param {{placed: Layout, viewport: Viewport, active: string[], label: string}} props */
export function Minimap({ placed, viewport, active, label }) {
  const frame = useRef(/** @type {SVGRectElement | null} */ (null));
  const k = Math.min(W / placed.w, H / placed.h);
  useEffect(() => {
    const follow = () => {
      const { x, y, w, h } = viewport.sight();
      const rect = frame.current;
      if (!rect) return;
      for (const [name, value] of Object.entries({ x: x * k, y: y * k, width: w * k, height: h * k })) rect.setAttribute(name, String(value));
      rect.ownerSVGElement?.classList.toggle('needless', w >= placed.w * 0.98 && h >= placed.h * 0.98);
    };
    follow();
    return viewport.watch(follow);
  }, [placed, viewport]);
  const boxes = useMemo(() => html`<path class="dot" d=${[...placed.boxes.values()].map(({ x, y, w, h }) => `M${(x * k).toFixed(1)} ${(y * k).toFixed(1)}h${Math.max(1.5, w * k).toFixed(1)}v${Math.max(1.5, h * k).toFixed(1)}H${(x * k).toFixed(1)}z`).join('')} />`, [placed]);
  /** @param {PointerEvent} event */
  const go = (event) => {
    event.stopPropagation();
    if (event.type === 'pointerdown') /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
    if (!(event.buttons & 1)) return;
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    viewport.centre((event.clientX - box.left) / k, (event.clientY - box.top) / k);
  };
  const stop = (/** @type {Event} */ event) => event.stopPropagation();
  return html`<svg class="minimap" width=${Math.max(24, placed.w * k)} height=${Math.max(16, placed.h * k)} role="img" aria-label=${label} onPointerDown=${go} onPointerMove=${go} onClick=${stop} onMouseDown=${stop}>
    ${boxes}${active.map((key) => {
      const box = placed.boxes.get(key);
      return box ? html`<rect x=${box.x * k} y=${box.y * k} width=${Math.max(3, box.w * k)} height=${Math.max(3, box.h * k)} rx="1.5" class="now" />` : null;
    })}<rect ref=${frame} rx="2" class="sight" /></svg>`;
}
