/** Starts the page: reads the config, loads the languages, mounts the frame, opens what the address asks for. */
import { effect } from '@preact/signals';
import { render } from 'preact';
import { keyed } from './actions/actions.js';
import { App } from './app.js';
import { html } from './components/html.js';
import { light, pointed } from './components/lighting.js';
import { locate } from './components/icon.js';
import { receive } from './components/drop.js';
import { load } from './i18n/i18n.js';
import { unpack } from './model/link.js';
import { draft, drafted } from './store/history.js';
import { Frame } from './views/frame.js';

const config = JSON.parse(document.getElementById('config')?.textContent ?? '{}');
const mount = /** @type {HTMLElement} */ (document.getElementById('app'));

/** @param {KeyboardEvent} event */
function typed({ target }) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** What the page opens with: the run or example of the address, else the first example. @param {App} app */
async function open(app) {
  const { run, lesson } = app.ui;
  app.client.ops().then((said) => (app.ops.value = byName(said))).catch(() => {}); // formulas stay away, the rest works
  const lessons = app.client.lessons(app.language.value).then((said) => (app.lessons.value = said));
  if (run.value) {
    await app.session.open(run.value);
    if (app.session.phase.value !== 'problem') return;
  }
  const sent = await unpack(location.hash);
  if (sent !== null) {
    history.replaceState(null, '', location.pathname + location.search);
    return app.program(sent);
  }
  const kept = lesson.value ? '' : drafted();
  if (kept) {
    app.session.code.value = kept;
    await lessons.catch(() => []);
    return;
  }
  const list = await lessons.catch(() => []);
  const first = list.find((each) => each.slug === lesson.value) ?? list[0];
  if (!first) return;
  const whole = first.code ? first : await app.client.lesson(first.slug, app.language.value);
  app.session.code.value = whole.code;
  app.ui.lesson.value = first.slug;
  if (run.value) return app.session.run({ keep: true });
  await app.session.run({ keep: app.ui.event.value >= 0 || app.ui.step.value > 0 || app.ui.select.value !== '' });
}

/** @param {any} said  a list, or {ops: list} @returns {Record<string, any>} */
function byName(said) {
  const list = Array.isArray(said) ? said : Object.values(said.ops ?? said);
  return Object.fromEntries(list.map((/** @type {any} */ op) => [op.name, { ...op, latex_partials: Object.fromEntries((op.derivatives ?? []).filter((/** @type {any} */ each) => each.latex).map((/** @type {any} */ each) => [each.input, each.latex])) }]));
}

async function start() {
  void import('./components/editor.js'); // on its way while the rest starts; nothing waits for it here
  void locate(config.static);
  const app = new App(config, await load(config.static));
  render(html`<${Frame} app=${app} />`, mount);
  document.addEventListener('keydown', (event) => {
    const action = keyed(event);
    if (!action || event.defaultPrevented || (typed(event) && !action.keys.some((key) => key.startsWith('Ctrl+')))) return;
    if (event.target instanceof HTMLButtonElement && event.key === ' ') return; // the button's own
    event.preventDefault();
    app.act(action.id);
  });
  receive(document.body, { hint: () => app.t.peek()('drop.here'), open: (name, text) => void app.file(name, text), refuse: (name) => app.say(app.t.peek()('drop.large', { name })) });
  let held = false; // is the draft this page's own? Another's is left alone
  effect(() => {
    const { edited, code, phase } = app.session;
    if (edited || (phase.value === 'empty' && code.value)) {
      draft(code.value);
      held = true;
    } else if (held) {
      draft('');
      held = false;
    }
  });
  let lit = '';
  document.addEventListener('pointerover', (event) => {
    const address = pointed(event);
    if (address !== lit) light(document, (lit = address));
  });
  await open(app);
}

await start();
