/** Pan and zoom of the graph: moves one wrapper by a CSS transform, touches nothing inside it. */

/** @import {Box, Layout} from '../layout/layout.js' */
import { zoom as zoomer, zoomIdentity } from 'd3-zoom';
import { select } from 'd3-selection';

const LEAST = 0.01;
const CROWD = 300; // cards
const MOST = 3;
const MARGIN = 24;
const READABLE = 0.55;
const WHOLE = 0.85; // scale at which all is easily read
const LARGEST = 1.5; // that a small graph is drawn at on a large screen
const CLOSE = 0.5; // to which a narrow screen goes back to show both ends of an edge
const EDGE = 10; // px beside them then
const LEGEND = 120; // px at the left that tools and legend need
const TOOLS = 40; // px at the foot of a narrow screen that the tools need
const CORNER = 124; // px at the bottom that the legend needs
const FLIGHT = 260; // ms

export class Viewport {
  /** @type {Layout | null} */ layout = null;
  /** Did the reader move it? Then it is theirs. */
  touched = false;
  dragged = false;
  /** Is what is shown drawn on a canvas? Then nothing flies: a canvas has no transitions. */
  still = false;
  /** @type {Set<() => void>} */ #watchers = new Set();

  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    this.world = /** @type {HTMLElement} */ (box.querySelector('[data-world]'));
    this.zoomer = zoomer().scaleExtent([LEAST, MOST]).on('start', (event) => (this.dragged = false) || event)
      .on('zoom', (event) => {
        if (event.sourceEvent) {
          this.touched = true;
          if (event.sourceEvent.type === 'mousemove') this.dragged = true;
        }
        const { x, y, k } = event.transform;
        this.world.style.transform = `translate(${x}px,${y}px) scale(${k})`;
        this.box.style.backgroundPosition = `${x}px ${y}px`;
        this.box.style.backgroundSize = `${20 * dots(k)}px ${20 * dots(k)}px`;
        this.box.classList.toggle('far', k < 0.45);
        for (const watcher of this.#watchers) watcher();
      });
    this.selection = select(/** @type {Element} */ (box));
    this.selection.call(this.zoomer).on('dblclick.zoom', null);
    this.observer = new ResizeObserver(() => this.touched || this.fit(false, this.#least(this.layout)));
    this.observer.observe(box);
  }

  close() {
    this.observer.disconnect();
    this.selection.on('.zoom', null);
  }

  /** Calls `then` whenever the view moves. @param {() => void} then @returns {() => void}  stops it */
  watch(then) {
    this.#watchers.add(then);
    return () => void this.#watchers.delete(then);
  }

  /** What a point of the graph is multiplied with and moved by. @returns {{x: number, y: number, k: number}} */
  camera() {
    return this.#now();
  }

  /** @param {Layout} layout  the same structure keeps the reader's view */
  show(layout) {
    const same = this.layout?.hash === layout.hash;
    this.layout = layout;
    if (same && this.touched) return;
    this.touched = false;
    this.fit(false, this.#least(layout));
  }

  /** A crowd is first seen as a whole. @param {Layout | null} layout */
  #least(layout) {
    return layout && layout.boxes.size > CROWD ? 0 : READABLE;
  }

  /** @param {boolean} [fly] @param {number} [least]  scale below which numbers cannot be read: better a part of the graph than all of it */
  fit(fly = true, least = 0) {
    if (!this.layout) return;
    const { clientWidth, clientHeight } = this.box;
    const inset = clientWidth > 640 ? LEGEND : 0;
    const h = clientHeight - (inset ? 0 : TOOLS);
    const w = clientWidth - inset;
    const k = Math.max(LEAST, Math.min(LARGEST, (w - 2 * MARGIN) / this.layout.w, (h - 2 * MARGIN) / this.layout.h));
    this.touched = false;
    // what cannot be seen whole is drawn as large as its width allows
    const scale = k >= least ? k : Math.max(least, Math.min(WHOLE, (w - 2 * MARGIN) / this.layout.w));
    const y = this.layout.h * scale > h - 2 * MARGIN ? MARGIN : (h - this.layout.h * scale) / 2;
    this.#to(zoomIdentity.translate(inset + Math.max(inset ? -MARGIN : MARGIN / 2, (w - this.layout.w * scale) / 2), y).scale(scale), fly);
  }

  /** @param {number} factor */
  zoom(factor) {
    this.touched = true;
    this.zoomer.scaleBy(/** @type {any} */ (this.selection), factor);
  }

  /**
   * Brings a card into sight, and moves nothing when it is. With what it sends to, where there is room for both; on a
   * narrow screen a little smaller.
   * @param {Box} box @param {Box} [other]
   */
  reveal(box, other) {
    const now = this.#now();
    const both = other && around(box, other);
    const least = this.touched ? now.k : Math.min(now.k, CLOSE);
    const k = both ? Math.min(now.k, (this.box.clientWidth - 2 * EDGE) / both.w) : now.k;
    if (!both || k < least || both.h * k > this.box.clientHeight - 2 * MARGIN) return this.#show(box);
    if (k === now.k) return this.#show(both);
    this.#to(zoomIdentity.translate(EDGE - both.x * k, this.box.clientHeight / 2 - (both.y + both.h / 2) * k).scale(k), true);
  }

  /** @param {Box} box */
  #show({ x, y, w, h }) {
    const now = this.#now();
    const [left, top, right, bottom] = [now.applyX(x), now.applyY(y), now.applyX(x + w), now.applyY(y + h)];
    const { clientWidth, clientHeight } = this.box;
    // nothing that matters is hidden by the legend in the lower left corner
    const floor = clientHeight - (clientWidth > 640 && left < LEGEND + MARGIN * 2 ? CORNER : MARGIN);
    const dx = right > clientWidth - MARGIN ? clientWidth - MARGIN - right : left < MARGIN ? MARGIN - left : 0;
    const dy = bottom > floor ? floor - bottom - 60 : top < MARGIN ? MARGIN - top + 60 : 0;
    if (!dx && !dy) return;
    const touched = this.touched;
    this.#to(zoomIdentity.translate(now.x + dx, now.y + dy).scale(now.k), true);
    this.touched = touched;
  }

  /** The part of the graph in sight. @returns {Box} */
  sight() {
    const now = this.#now();
    const { clientWidth, clientHeight } = this.box;
    return { x: now.invertX(0), y: now.invertY(0), w: clientWidth / now.k, h: clientHeight / now.k };
  }

  /** @param {number} x @param {number} y  of the graph, to the middle */
  centre(x, y) {
    const { k } = this.#now();
    this.touched = true;
    this.#to(zoomIdentity.translate(this.box.clientWidth / 2 - x * k, this.box.clientHeight / 2 - y * k).scale(k), false);
  }

  #now() {
    return /** @type {any} */ (this.box).__zoom ?? zoomIdentity;
  }

  /** @param {import('d3-zoom').ZoomTransform} goal @param {boolean} fly */
  #to(goal, fly) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.world.style.transition = fly && !calm && !this.still ? `transform ${FLIGHT}ms ease` : '';
    this.zoomer.transform(/** @type {any} */ (this.selection), goal);
    if (fly) setTimeout(() => (this.world.style.transition = ''), FLIGHT + 20);
  }
}

/** @param {Box} a @param {Box} b @returns {Box} */
function around(a, b) {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return { x, y, w: Math.max(a.x + a.w, b.x + b.w) - x, h: Math.max(a.y + a.h, b.y + b.h) - y };
}

/** The dots of the background stay between 14 and 28 px apart. @param {number} k */
function dots(k) {
  while (k < 0.7) k *= 2;
  while (k > 1.4) k /= 2;
  return k;
}
