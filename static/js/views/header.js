/** The top bar: name, example, run state, language, theme. */

/** @import {Context, View} from './index.js' */
import { Button } from '../components/button.js';
import { html } from '../components/html.js';
import { Icon } from '../components/icon.js';
import { Menu } from '../components/menu.js';
import { integer } from '../model/format.js';
import { titleOf } from '../model/program.js';
import { programs } from '../store/history.js';

const OWN = 12; // programs of the reader's in the menu

/** @type {View} */
export const headerView = { id: 'header', place: 'header', title: 'header.title', draw: (context) => html`<${Header} ...${context} />` };

/** @param {Context} context */
function Header({ app, moment, ui, t, act }) {
  const lessons = app.lessons.value;
  const current = lessons.find((lesson) => lesson.slug === ui.lesson.value);
  const own = programs();
  const items = [
    ...lessons.map((lesson) => ({ id: lesson.slug, label: lesson.title, note: lesson.summary ?? '', group: own.length ? t('header.examples') : '' })),
    ...own.slice(0, OWN).map(({ code, time }, i) => ({ id: `own:${i}`, label: titleOf(code), note: new Date(time).toLocaleString(app.language.value), group: t('header.recent') })),
  ];
  const choose = (/** @type {string} */ id) => (id.startsWith('own:') ? app.program(own[Number(id.slice(4))].code) : app.lesson(id));
  return html`
    <a class="brand" href="/" aria-label="Backstep"><svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true"><path d="M4 6.5H12.5C17 6.5 17 19.5 21.5 19.5" class="lg1" /><path d="M22 6.5H19C14.5 6.5 14.5 19.5 10 19.5H7" class="lg2" /><path d="M8.4 16.6L5.2 19.5 8.4 22.4" class="lg2" /></svg><b>Backstep</b></a>
    ${items.length ? html`<${Menu} label=${t('header.examples')} class="lesson" items=${items} chosen=${ui.lesson.value} onChoose=${choose}>
      <span class="eyebrow">${t('header.example')}</span><span class="title">${current && shows(app, current) ? current.title : t('header.own')}</span><${Icon} name="chevron-down" size=${15} /></${Menu}>` : null}
    <div class="sp"></div>
    <${Status} app=${app} moment=${moment} t=${t} act=${act} />
    <button type="button" class="ib txt" onClick=${() => act('language')} title=${t('action.language')} lang=${app.language.value === 'zh' ? 'en' : 'zh-CN'}><b>${app.language.value === 'zh' ? 'EN' : '中文'}</b></button>
    <${Button} label=${t('action.theme')} icon=${app.dark.value ? 'sun' : 'moon'} onClick=${() => act('theme')} />
    <${Button} label=${t('action.help')} keys="?" icon="keyboard" class="ib wide-only" onClick=${() => act('help')} />
    <button type="button" class="pri" aria-label=${t('action.share')} onClick=${() => act('share')}><${Icon} name="share-2" size=${15} /><span class="wide-only">${t('action.share')}</span></button>`;
}

/** Is it still the example that stands in the editor? @param {Context['app']} app @param {import('../api/client.js').Lesson} lesson */
const shows = (app, lesson) => !app.session.edited && (!lesson.code || lesson.code.trimEnd() === app.session.code.value.trimEnd());

/** @param {Pick<Context, 'app' | 'moment' | 't' | 'act'>} props */
function Status({ app, moment, t, act }) {
  const { session, language } = app;
  const { trace } = moment;
  const phase = session.phase.value;
  const n = integer(trace.steps.length, language.value);
  /** @type {[string, string]} */
  let [tone, text] = ['', ''];
  if (phase === 'starting') [tone, text] = ['busy', session.queue.value > 0 ? t('status.queued', { n: session.queue.value }) : t('status.starting')];
  else if (phase === 'running') [tone, text] = ['busy', t('status.running', { n })];
  else if (phase === 'problem') [tone, text] = ['bad', session.problem.value?.status === 0 ? t('status.offline') : t('status.problem')];
  else if (phase === 'stopped') [tone, text] = ['bad', t('status.stopped')];
  else if (trace.end && trace.end.status !== 'ok') [tone, text] = ['bad', t(`status.${trace.end.status}`)];
  else if (phase === 'done') [tone, text] = ['good', trace.steps.length > 1 ? t('status.recorded', { n }) : t('status.recorded-one')];
  if (!text) return null;
  return html`<span class=${`status ${tone}`} role="status"><i></i>${text}</span>
    ${session.busy ? html`<${Button} label=${t('action.stop')} icon="square" class="ib" onClick=${() => act('stop')} />` : null}`;
}
