/**
 * The program: an editor with the current line and sub-expression marked, values beside their lines, errors underlined.
 * The editor itself is components/editor.js, which comes when it is there; this view says what it shows.
 *
 * @import {Context, View} from './index.js'
 * @import {Moment} from '../store/session.js'
 */
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../components/button.js';
import { html } from '../components/html.js';
import { Icon } from '../components/icon.js';
import { decode } from '../model/arrays.js';
import { fit, shape } from '../model/format.js';

/** @type {View} */
export const codeView = { id: 'code', place: 'left', title: 'code.title', draw: (context) => html`<${Code} ...${context} />` };

/** @param {Context} context */
function Code({ app, moment, t, act }) {
  const { session } = app;
  const busy = session.busy;
  return html`<h2>${t('code.title')}<span class="file">${session.edited ? t('code.edited') : ''}</span>
    ${busy ? html`<${Button} label=${t('action.stop')} icon="square" class="run stop" size=${13} onClick=${() => act('stop')}>${t('action.stop')}</${Button}>`
      : html`<button type="button" class=${`run ${session.edited || session.phase.value === 'empty' ? 'hot' : ''}`} title="Ctrl+Enter" onClick=${() => act('run')}><${Icon} name="play" size=${13} />${t('action.run')}</button>`}</h2>
    <${Problem} app=${app} t=${t} />
    <${Editor} app=${app} moment=${moment} t=${t} />`;
}

/** What the service refused. @param {Pick<Context, 'app' | 't'>} props */
function Problem({ app, t }) {
  const problem = app.session.problem.value;
  if (!problem) return null;
  const text = problem.status === 0 && problem.title === 'offline' ? t('problem.offline') : app.tell.value(problem.message);
  return html`<div class="problem" role="alert"><${Icon} name="circle-alert" /><div><p>${text}</p>${problem.hint ? html`<p class="mut">${app.tell.value(problem.hint)}</p>` : null}</div></div>`;
}

/** @param {Pick<Context, 'app' | 'moment' | 't'>} props */
function Editor({ app, moment, t }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const editor = useRef(/** @type {import('../components/editor.js').Editor | null} */ (null));
  const { session } = app;
  const latest = useRef(/** @type {Marks | null} */ (null)); // the editor may come after the first moments
  useEffect(() => {
    let here = true;
    /** @type {import('../components/assist.js').Name[]} */ let names = [];
    app.client.json('/names').then((said) => void (names = said.names), () => {}); // no completion then, all else works
    Promise.all([import('../components/editor.js'), import('../components/assist.js')]).then(([module, { assist }]) => {
      if (!here || !box.current) return;
      box.current.textContent = '';
      editor.current = module.open(box.current, { text: session.code.peek(), label: t('code.title'), change: (text) => (session.code.value = text), run: () => app.act('run'), extensions: assist({ names: () => names, say: (key, words) => app.t.peek()(key, words) }) });
      editor.current.mark(latest.current);
    });
    return () => {
      here = false;
      editor.current?.close();
    };
  }, []);
  const code = session.code.value;
  useEffect(() => editor.current?.set(session.code.peek()), [code]); // not `code`: the reader may have typed on since
  useEffect(() => {
    latest.current = session.edited ? null : marks(moment, t);
    editor.current?.mark(latest.current);
  });
  return html`<div class="ed" ref=${box}><pre>${code}</pre></div>`;
}

/** @typedef {{line: number, at: import('../types.js').At | null, origin: import('../types.js').At | null, hints: Map<number, string>, error: {at: import('../types.js').At, text: string} | null}} Marks */

/** @param {Moment} moment @param {Context['t']} t @returns {Marks} */
export function marks({ state, event, brief, trace, stops, index }, t) {
  /** @type {Map<number, string>} */ const hints = new Map();
  if (state) {
    for (const [line, tensor] of Object.entries(state.lines)) {
      const shown = state.tensors[tensor];
      if (shown) hints.set(Number(line), beside(shown.value));
    }
    const seed = stops.find((stop) => stop.event.kind === 'seed');
    if (seed?.line && index >= stops.indexOf(seed)) hints.set(seed.line, state.phase === 'backward' ? t('code.running') : '✓');
  }
  const loop = brief?.loop;
  if (loop) {
    const lines = trace.source.split('\n');
    for (const [name, value] of Object.entries(loop)) {
      const line = lines.findIndex((text) => new RegExp(`^\\s*for\\b[^:]*\\b${name}\\b[^:]*\\bin\\b`).test(text));
      if (line >= 0) hints.set(line + 1, [hints.get(line + 1), `${name} = ${value}`].filter(Boolean).join('  '));
    }
  }
  const { fail } = trace;
  const error = fail?.at ? { at: fail.at, text: `${fail.type}: ${fail.message}` } : null;
  // on the way back the line is `backward()`'s; what is being differentiated stands where the forward pass wrote it
  const node = event && 'node' in event ? event.node : null;
  const origin = (state && node != null && event?.kind !== 'forward' && state.ops[state.nodes[node]]?.at) || null;
  return { line: event?.at?.[0] ?? 0, at: event?.at ?? null, origin, hints, error };
}

/** @param {import('../types.js').Arr} value */
function beside(value) {
  const { values, count } = decode(value);
  return count === 1 && !value.shape.length ? fit(values[0], 7) : shape(value.shape);
}
