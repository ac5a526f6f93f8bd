/** Two axes of time: training steps with the loss as background, and the events of the step. */

/**
 * @import {Event} from '../types.js'
 * @import {Stop} from '../timeline/stops.js'
 * @import {Context, View} from './index.js'
 */
import { Button } from '../components/button.js';
import { html } from '../components/html.js';
import { Menu } from '../components/menu.js';
import { integer } from '../model/format.js';
import { called } from '../model/symbols.js';
import { SPEEDS } from '../timeline/player.js';
import { losses } from './loss.js';

const LETTER = 7; // px, of a chip's text
const RIM = 9; // px around a chip's text, and to the next chip
const BETWEEN = 8; // px between phases
const NAME = 6.4; // px, one letter of a phase's name; Chinese ones are nearly twice as wide
/** What stands on a chip when the words of all would not fit. @type {Record<string, string | undefined>} */
const BRIEF = { ready: '∂', contribute: '→', accumulate: '+=', update: '−=', zero: '0', seed: '1' };
const BACKWARD = new Set(['ready', 'contribute', 'accumulate']);

/** @type {View} */
export const timelineView = { id: 'timeline', place: 'footer', title: 'timeline.title', draw: (context) => html`<${Transport} ...${context} /><div class="lanes"><${Steps} ...${context} /><${Events} ...${context} /></div>` };

/** @param {Context} context */
function Transport({ app, ui, t, act, moment }) {
  const playing = app.player.playing.value;
  const none = !moment.trace.length;
  const units = ['event', 'line', 'backward', 'step'].map((id) => ({ id: `unit:${id}`, label: t(`unit.${id}`), group: t('timeline.unit') }));
  const speeds = SPEEDS.map((speed) => ({ id: `speed:${speed}`, label: `${speed}×`, group: t('timeline.speed') }));
  const set = (/** @type {string} */ id) => {
    const [what, value] = id.split(':');
    if (what === 'speed') ui.speed.value = Number(value);
    else ui.unit.value = value;
  };
  return html`<div class="transport" role="toolbar" aria-label=${t('timeline.title')}>
    <${Button} label=${t('action.previous-step')} keys="⇧←" icon="skip-back" disabled=${none} onClick=${() => act('previous-step')} />
    <${Button} label=${t('action.previous')} keys="←" icon="step-back" disabled=${none} onClick=${() => act('previous')} />
    <${Button} label=${t(playing ? 'action.pause' : 'action.play')} keys="Space" class="play" disabled=${none} onClick=${() => act('play')}><svg width="21" height="21" viewBox="0 0 24 24" aria-hidden="true"><path d=${playing ? 'M7 4h3v16H7zM14 4h3v16h-3z' : 'M5 5a2 2 0 0 1 3.008-1.728l11.997 6.998a2 2 0 0 1 .003 3.458l-12 7A2 2 0 0 1 5 19z'} /></svg></${Button}>
    <${Button} label=${t('action.next')} keys="→" icon="step-forward" disabled=${none} onClick=${() => act('next')} />
    <${Button} label=${t('action.next-step')} keys="⇧→" icon="skip-forward" disabled=${none} onClick=${() => act('next-step')} />
    <${Menu} label=${t('timeline.pace')} class="speed" items=${[...speeds, ...units]} chosen=${`speed:${ui.speed.value}`} onChoose=${set}>${ui.speed.value}×</${Menu}></div>`;
}

/** @param {Context} context */
function Steps({ app, moment, t, act }) {
  const { trace, step } = moment;
  const n = Math.max(1, trace.length);
  const values = losses(trace.steps);
  const place = n > 1 ? step / (n - 1) : 0;
  const loop = Object.entries(moment.brief?.loop ?? {}).map(([name, value]) => `${name} = ${value}`).join(', ');
  /** @param {PointerEvent} event */
  const scrub = (event) => {
    const track = /** @type {HTMLElement} */ (event.currentTarget);
    if (event.type === 'pointerdown') track.setPointerCapture(event.pointerId);
    if (!(event.buttons & 1)) return;
    const box = track.getBoundingClientRect();
    act('step', Math.max(0, Math.min(n - 1, Math.round(((event.clientX - box.left) / box.width) * (n - 1)))));
  };
  const text = integer(step, app.language.value);
  return html`<div class="lane"><span class="ll">${t('timeline.step')}</span>
    <div class="trk" role="slider" tabindex="0" aria-label=${t('timeline.step')} aria-valuemin="0" aria-valuemax=${n - 1} aria-valuenow=${step} aria-valuetext=${loop || text} onPointerDown=${scrub} onPointerMove=${scrub}>
      ${values.length > 1 ? html`<svg viewBox="0 0 1000 26" preserveAspectRatio="none" aria-hidden="true">${areas(values, step, n)}</svg>` : null}
      <span class="thumb" style=${{ left: `${place * 100}%` }}></span></div>
    <span class="lr" title=${loop}><b>${text}</b> / ${integer(n - 1, app.language.value)}</span></div>`;
}

/** @param {number[]} values @param {number} step @param {number} n */
function areas(values, step, n) {
  const finite = values.filter((value) => Number.isFinite(value));
  const positive = finite.every((value) => value > 0);
  const measure = (/** @type {number} */ value) => (positive ? Math.log10(value) : value);
  const [low, high] = finite.reduce(([a, b], value) => [Math.min(a, measure(value)), Math.max(b, measure(value))], [Infinity, -Infinity]);
  const span = high - low || 1;
  const per = Math.max(1, Math.floor(values.length / 500));
  const draw = (/** @type {number} */ from, /** @type {number} */ to) => {
    let d = '';
    let end = from;
    for (let i = from; i <= to && i < values.length; i = i === to ? to + 1 : Math.min(to, i + per)) {
      const height = Number.isFinite(values[i]) ? 3 + (19 * (measure(values[i]) - low)) / span : 25;
      d += `${d ? 'L' : 'M'}${((i / Math.max(1, n - 1)) * 1000).toFixed(1)} ${(26 - height).toFixed(1)}`;
      end = i;
    }
    return d ? `${d}L${((end / Math.max(1, n - 1)) * 1000).toFixed(1)} 26L${((from / Math.max(1, n - 1)) * 1000).toFixed(1)} 26Z` : '';
  };
  return html`<path d=${draw(Math.min(step, values.length - 1), values.length - 1)} class="tarea fut" /><path d=${draw(0, Math.min(step, values.length - 1))} class="tarea" />`;
}

/** @param {Context} context */
function Events({ app, moment, t, act }) {
  const { stops, index, window } = moment;
  const total = stops.length;
  const runs = phases(stops);
  const room = lane(app.width.value);
  const texts = window && total * (LETTER + RIM) < room ? written(moment, t, room - BETWEEN * runs.length) : null;
  const body = window ? (texts ? html`<${Chips} runs=${runs} texts=${texts} moment=${moment} t=${t} act=${act} />` : html`<${Bar} runs=${runs} room=${room} moment=${moment} t=${t} act=${act} />`)
    : html`<div class="evs"><div class="waiting">${app.session.fetching.value !== null ? html`<span class="spinner small"></span>${t('graph.fetching', { step: moment.step })}` : t('timeline.empty')}</div></div>`;
  return html`<div class="lane ev"><span class="ll">${t('timeline.event')}</span>${body}<span class="lr"><b>${total ? index + 1 : 0}</b> / ${total}</span></div>`;
}

/** Width of the lane in a window of this width, as workbench.css leaves it beside the transport. @param {number} width */
const lane = (width) => width - (width > 1180 ? 182 + Math.min(520, Math.max(372, width * 0.23)) : width > 900 ? 182 + 316 : 150);

/** What each chip says: all in words, or the backward pass in signs, then updates too, or everything; null when even the signs do not fit. @param {Context['moment']} moment @param {Context['t']} t @param {number} room @returns {[string, string][] | null} */
function written(moment, t, room) {
  const { stops, index } = moment;
  const whole = stops.map((stop) => chip(stop.event, moment, t));
  const sign = (/** @type {string} */ text) => ([...text].length > 2 ? 'ƒ' : text);
  const levels = [
    (/** @type {string} */ text) => text,
    (/** @type {string} */ text, /** @type {string} */ kind) => (BACKWARD.has(kind) ? BRIEF[kind] ?? text : text),
    (/** @type {string} */ text, /** @type {string} */ kind) => (kind === 'seed' ? text : BRIEF[kind] ?? text),
    (/** @type {string} */ text, /** @type {string} */ kind) => BRIEF[kind] ?? sign(text),
  ];
  for (const level of levels) {
    const texts = whole.map(([text, title], i) => /** @type {[string, string]} */ ([i === index ? text : level(text, stops[i].event.kind), title]));
    if (texts.reduce((sum, [text]) => sum + wide(text) + RIM, 0) <= room) return texts;
  }
  return null;
}

/** Of a text in px; signs like ∂ and →, and Chinese, come from a wider font. @param {string} text */
const wide = (text, letter = LETTER) => [...text].reduce((sum, each) => sum + (each >= '℀' ? 1.75 : 1) * letter, 0);

/** Stops in runs of one phase; prints belong to the phase they stand in. @param {Stop[]} stops @returns {{phase: string, from: number, to: number}[]} */
function phases(stops) {
  /** @type {{phase: string, from: number, to: number}[]} */ const runs = [];
  stops.forEach((stop, i) => {
    const current = runs[runs.length - 1];
    if (current && (stop.phase === 'other' || current.phase === stop.phase)) current.to = i;
    else if (current?.phase === 'other') Object.assign(current, { phase: stop.phase, to: i });
    else runs.push({ phase: stop.phase, from: i, to: i });
  });
  return runs;
}

/** @param {{runs: ReturnType<typeof phases>, texts: [string, string][], moment: Context['moment'], t: Context['t'], act: Context['act']}} props */
function Chips({ runs, texts, moment, t, act }) {
  const { stops, index } = moment;
  return html`<div class="evs" role="group" aria-label=${t('timeline.event')}>${runs.map(({ phase, from, to }) => html`<div class=${`sg ${phase[0]}`} style=${{ flexGrow: to - from + 1 }}><span class="sn">${t(`phase.${phase === 'other' ? 'forward' : phase}`)}</span>
    <div class="cells">${stops.slice(from, to + 1).map((stop, i) => {
      const at = from + i;
      const [text, title] = texts[at];
      const state = at === index ? 'now' : at < index ? 'past' : 'next';
      return html`<button type="button" class=${`e ${state} ${stop.event.kind}`} style=${{ flexGrow: [...text].length + 1 }} title=${title} aria-label=${`${title} · ${text}`} aria-current=${at === index ? 'step' : undefined} onClick=${() => act('event', at)}><span>${text}</span></button>`;
    })}</div></div>`)}</div>`;
}

/** Many events: one bar, coloured by phase, to scrub. @param {{runs: ReturnType<typeof phases>, room: number, moment: Context['moment'], t: Context['t'], act: Context['act']}} props */
function Bar({ runs, room, moment, t, act }) {
  const { stops, index } = moment;
  const n = stops.length;
  /** @param {PointerEvent} event */
  const scrub = (event) => {
    const track = /** @type {HTMLElement} */ (event.currentTarget);
    if (event.type === 'pointerdown') track.setPointerCapture(event.pointerId);
    if (!(event.buttons & 1)) return;
    const box = track.getBoundingClientRect();
    act('event', Math.floor(((event.clientX - box.left) / box.width) * n));
  };
  const [text, title] = stops[index] ? chip(stops[index].event, moment, t) : ['', ''];
  const place = (index + 0.5) / n;
  const name = (/** @type {string} */ phase) => t(`phase.${phase === 'other' ? 'forward' : phase}`);
  const fits = ({ phase = '', from = 0, to = 0 }) => wide(name(phase), NAME) < (room * (to - from + 1)) / n;
  // a name over each piece; where one is too narrow for its own, each name once, side by side
  const named = runs.length <= 4 && !runs.every(fits) ? [...new Set(runs.map(({ phase }) => phase))] : null;
  return html`<div class="evs long">${named ? html`<div class="names key">${named.map((phase) => html`<span class=${`sn ${phase[0]}`}>${name(phase)}</span>`)}</div>`
    : html`<div class="names">${runs.map((run) => html`<span class=${`sn ${run.phase[0]}`} style=${{ flex: run.to - run.from + 1 }}>${fits(run) ? name(run.phase) : ''}</span>`)}</div>`}
    <div class="evbar" role="slider" tabindex="0" aria-label=${t('timeline.event')} aria-valuemin="1" aria-valuemax=${n} aria-valuenow=${index + 1} aria-valuetext=${title} onPointerDown=${scrub} onPointerMove=${scrub}>
      ${runs.map(({ phase, from, to }) => html`<i class=${phase[0]} style=${{ flex: to - from + 1 }}></i>`)}<span class="thumb" style=${{ left: `${place * 100}%` }}></span>
      <span class=${`tip ${place > 0.9 ? 'end' : place < 0.1 ? 'start' : ''}`} style=${{ left: `${place * 100}%` }}>${text}</span></div></div>`;
}

/** A few letters for an event, and all of it in words. @param {Event} event @param {Context['moment']} moment @param {Context['t']} t @returns {[string, string]} */
export function chip(event, { graph }, t) {
  const of = (/** @type {number | null | undefined} */ tensor) => (tensor == null ? undefined : graph?.cards.get(graph.byTensor.get(tensor) ?? ''));
  const node = (/** @type {number} */ id) => graph?.cards.get(graph.byNode.get(id) ?? '');
  const name = (/** @type {number | null | undefined} */ tensor) => (of(tensor)?.label ?? '');
  switch (event.kind) {
    case 'forward': {
      const card = of(event.outputs[0]?.tensor);
      return [card?.sign || called(event.op), t('chip.forward', { name: card?.label ?? '', op: called(event.op) })];
    }
    case 'seed': return [t('chip.seed.short'), t('chip.seed', { name: name(event.root) })];
    case 'ready': return [`∂${(node(event.node)?.label ?? '')}`, t('chip.ready', { name: node(event.node)?.label ?? '' })];
    case 'contribute': return [`→${name(event.tensor)}`, t('chip.contribute', { op: node(event.node)?.sign ?? '', name: name(event.tensor) })];
    case 'accumulate': return [`${name(event.tensor)}.grad`, t('chip.accumulate', { name: name(event.tensor) })];
    case 'update': return [name(event.tensor), t('chip.update', { name: name(event.tensor) })];
    case 'zero': return [t('chip.zero.short'), t('chip.zero', { names: event.tensors.map(name).join(', ') })];
    case 'print': return ['▸', t('chip.print', { text: event.text.trimEnd() })];
    case 'figure': return ['▣', t('chip.figure')];
    case 'fail': return ['!', `${event.type}: ${event.message}`];
    default: return [event.kind, event.kind];
  }
}

