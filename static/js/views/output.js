/** What the program printed, drew and ended with; what it prints only later is faint. */

/** @import {Context, View} from './index.js' */
import { useEffect, useRef } from 'preact/hooks';
import { html } from '../components/html.js';
import { Icon } from '../components/icon.js';
import { message } from '../i18n/hints.js';

const SHOWN = 400; // entries; the last ones before the cursor matter

/** @type {View} */
export const outputView = {
  id: 'output', place: 'right', title: 'output.title',
  when: ({ moment }) => moment.trace.said.length > 0 || moment.trace.fail !== null || moment.trace.end !== null,
  draw: (context) => html`<${Output} ...${context} />`,
};

/** @param {Context} context */
function Output({ app, moment, t, act }) {
  const { trace, event, step } = moment;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const seq = event?.seq ?? 0;
  const past = (/** @type {{event: {seq: number}, step: number}} */ each) => each.step < step || (each.step === step && (!moment.window || each.event.seq <= seq));
  const now = trace.said.findLastIndex(past);
  const from = Math.max(0, Math.min(now - SHOWN / 2, trace.said.length - SHOWN));
  const shown = trace.said.slice(from, from + SHOWN);
  useEffect(() => {
    const at = box.current?.querySelector('[data-now]');
    if (at instanceof HTMLElement && box.current) box.current.scrollTop = Math.max(0, at.offsetTop + at.offsetHeight - box.current.clientHeight);
  }, [now, trace.said.length]);
  const { fail, end } = trace;
  const stopped = end !== null && end.status !== 'ok' && end.status !== 'fail'; // the end says it all: a limit's own error would say it twice
  return html`<div class="out" ref=${box} tabindex="0" role="log" aria-label=${t('output.title')}>
    ${shown.map((each, i) => {
      const kind = `${past(each) ? '' : 'later'} ${each.event.kind === 'print' ? each.event.stream ?? '' : each.event.kind}`;
      const mark = from + i === now ? '' : undefined;
      if (each.event.kind === 'print') return html`<button type="button" class=${`line ${kind}`} data-now=${mark} onClick=${() => act('step', each.step)}>${each.event.text.replace(/\n$/, '')}</button>`;
      if (each.event.kind === 'figure') return html`<img class=${kind} data-now=${mark} alt=${t('output.figure')} src=${each.event.format === 'png' ? `data:image/png;base64,${each.event.data}` : `data:image/svg+xml,${encodeURIComponent(each.event.data)}`} />`;
      return html`<p class=${`said ${kind}`} data-now=${mark}>${app.tell.value(each.event.text)}</p>`;
    })}
    ${trace.said.length ? null : html`<p class="said mut">${t('output.nothing')}</p>`}
    ${fail && !stopped ? html`<div class="fail"><p><b>${fail.type}</b>${fail.at ? html` <span class="mut">${t('output.line', { line: fail.at[0] })}</span>` : null}</p><pre>${message(fail, app.tell.value)}</pre>${fail.hint ? html`<p class="hint-box"><${Icon} name="lightbulb" size=${14} /> ${app.tell.value(fail.hint)}</p>` : null}</div>` : null}
    ${stopped && end ? html`<div class="fail"><p><b>${t(`status.${end.status}`)}</b>${fail?.at ? html` <span class="mut">${t('output.line', { line: fail.at[0] })}</span>` : null}</p><p>${app.tell.value(end.message ?? '')}</p>${end.hint ? html`<p class="hint-box"><${Icon} name="lightbulb" size=${14} /> ${app.tell.value(end.hint)}</p>` : null}</div>` : null}</div>`;
}
