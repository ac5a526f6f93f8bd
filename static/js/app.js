/**
 * The page's parts in one object, handed to every view: stores, translation, actions. Draws nothing.
 *
 * @import {Catalogue, Translate} from './i18n/i18n.js'
 * @import {Tell} from './i18n/hints.js'
 * @typedef {{api: string, static: string, version: string, banner?: string}} Config  banner: a warning to be shown as long as the page is open
 */
import { batch, computed, effect, signal } from '@preact/signals';
import { ACTIONS } from './actions/actions.js';
import { Client } from './api/client.js';
import { load, same } from './i18n/hints.js';
import { translator } from './i18n/i18n.js';
import { Prober } from './store/probe.js';
import { Session } from './store/session.js';
import { create, mirror } from './store/ui.js';
import { Player } from './timeline/player.js';

export class App {
  /** What is said for a moment at the foot of the page. */
  toast = signal('');
  /** Of the window, in px. */
  width = signal(innerWidth);
  /** Is the search box open? */
  searching = signal(false);
  /** Ops by name, from the catalogue; empty until it arrived. */
  ops = signal(/** @type {Record<string, any>} */ ({}));
  lessons = signal(/** @type {import('./api/client.js').Lesson[]} */ ([]));
  /** Which sheet lies above the page: share, help, palette; '' none. */
  sheet = signal('');

  /** @param {Config} config @param {Record<string, Catalogue>} catalogues */
  constructor(config, catalogues) {
    this.config = config;
    this.client = new Client(config.api);
    this.ui = create(new URLSearchParams(location.search));
    const preferred = document.documentElement.lang.startsWith('zh') ? 'zh' : 'en';
    this.language = computed(() => (this.ui.lang.value === 'zh' || this.ui.lang.value === 'en' ? this.ui.lang.value : preferred));
    /** @type {import('@preact/signals').ReadonlySignal<Translate>} */
    this.t = computed(() => translator(catalogues[this.language.value], catalogues.en));
    const chinese = signal(/** @type {Tell | null} */ (null));
    /** The service's own sentences (hints, endings, refusals), in the reader's language. @type {import('@preact/signals').ReadonlySignal<Tell>} */
    this.tell = computed(() => (this.language.value === 'zh' && chinese.value) || same);
    this.session = new Session(this.client, this.ui);
    this.landscape = new Prober(this.client);
    this.field = new Prober(this.client);
    this.player = new Player(this.session, this.ui);
    const system = matchMedia('(prefers-color-scheme: dark)');
    const prefers = signal(system.matches);
    system.addEventListener('change', () => (prefers.value = system.matches));
    this.dark = computed(() => (this.ui.theme.value === 'system' ? prefers.value : this.ui.theme.value === 'dark'));
    addEventListener('resize', () => (this.width.value = innerWidth));
    const asked = new URLSearchParams(location.search);
    if (asked.has('theme')) this.ui.theme.value = asked.get('theme') ?? 'system';
    effect(() => this.#dress());
    effect(() => {
      if (this.ui.lang.value) document.cookie = `backstep_lang=${this.language.value}; path=/; max-age=31536000; samesite=lax`;
    });
    effect(() => {
      if (this.language.value === 'zh' && !chinese.peek()) load(config.static).then((tell) => (chinese.value = tell), () => {}); // English then
    });
    mirror(this.ui);
  }

  #dress() {
    const root = document.documentElement;
    root.lang = this.language.value === 'zh' ? 'zh-CN' : 'en';
    if (this.ui.theme.value === 'system') delete root.dataset.theme;
    else root.dataset.theme = this.ui.theme.value;
  }

  /** @param {string} id of an action @param {any} [argument] */
  act = (id, argument) => {
    const action = ACTIONS.find((each) => each.id === id);
    if (!action) throw new Error(`no action ${id}`);
    if (action.enabled?.(this) ?? true) action.perform(this, argument);
  };

  /** @param {string} key  of a card or an edge, '' for nothing @param {string} [cell] */
  choose(key, cell = '') {
    batch(() => {
      this.ui.select.value = key;
      this.ui.cell.value = cell;
    });
  }

  /** @param {string} text */
  say(text) {
    this.toast.value = text;
    setTimeout(() => {
      if (this.toast.peek() === text) this.toast.value = '';
    }, 4000);
  }

  /** Opens an example in the editor and runs it. @param {string} slug */
  async lesson(slug) {
    const lesson = this.lessons.value.find((each) => each.slug === slug && each.code) ?? (await this.client.lesson(slug, this.language.value));
    batch(() => {
      this.session.code.value = lesson.code;
      this.ui.lesson.value = slug;
    });
    await this.session.run();
  }

  /** Opens a program of the reader's and runs it. @param {string} code */
  async program(code) {
    batch(() => {
      this.session.code.value = code;
      this.ui.lesson.value = '';
    });
    await this.session.run();
  }

  /** A file that fell onto the page: a trace is shown, anything else is a program. @param {string} name @param {string} text */
  async file(name, text) {
    if (!text.trimStart().startsWith('{"kind":"begin"')) return this.program(text);
    try {
      this.session.show(text.split('\n').filter((line) => line.trim()).map((line) => JSON.parse(line)));
      this.say(this.t.value('drop.opened', { name }));
    } catch {
      this.say(this.t.value('drop.damaged', { name }));
    }
  }
}
