/** What is happening: a sentence, the rule, the numbers. */

/** @import {Context, View} from './index.js' */
import { Formula } from '../components/math.js';
import { html } from '../components/html.js';
import { Rich } from '../components/rich.js';
import { explain } from '../explain/explain.js';
import { focus } from '../model/about.js';
import { booksOf } from './ledger.js';

/** What the explanation of the event says itself. */
const TOLD = new Set(['notice.piled', 'notice.second', 'notice.dead']);

/** @type {View} */
export const explainView = { id: 'rule', place: 'left', title: 'explain.title', draw: (context) => html`<${Explain} ...${context} />` };

/** @param {Context} context */
function Explain({ app, moment, ui, t }) {
  const { index } = focus(moment, ui.select.value, ui.cell.value);
  const said = explain({ moment, t, ops: app.ops.value, index, tell: app.tell.value });
  const { stop } = moment;
  const notes = (booksOf(moment)?.notes ?? []).filter((note) => stop && note.at >= stop.at && note.at <= stop.until && !TOLD.has(note.key));
  return html`<div class="told" aria-live="polite">${said ? html`
    <h2>${said.phase ? html`<span class=${`phase ${said.phase}`}>${t(`phase.${said.phase}`)}</span>` : null}<span>${said.title}</span></h2>
    ${said.say.map((text) => html`<p class="say"><${Rich} text=${text} /></p>`)}
    ${notes.map((note) => html`<p class="hint-box"><${Rich} text=${t(note.key, note.words)} /></p>`)}
    ${said.hint ? html`<p class="hint-box"><${Rich} text=${said.hint} /></p>` : null}
    ${said.rule ? html`<${Formula} class="fx" tex=${said.rule} />` : null}
    ${said.numbers ? html`<h3>${t('explain.numbers')} <span>${said.numbersTitle}</span></h3><${Formula} class="fx nums" tex=${said.numbers} />` : null}` : html`<p class="say mut">${t('explain.nothing')}</p>`}</div>
    <p class="keys"><kbd>Space</kbd>${t('keys.play')}<kbd>←</kbd><kbd>→</kbd>${t('keys.event')}<kbd>⇧</kbd><kbd>→</kbd>${t('keys.step')}</p>`;
}
