/**
 * Everything the reader can do, one object each: it feeds the key, the menu, the palette and the help sheet. To add one,
 * add an object here and its label to both languages.
 *
 * @import {App} from '../app.js'
 * @typedef {{id: string, group: 'run' | 'time' | 'view' | 'select' | 'share' | 'help', keys: string[], label: string, icon?: string,
 *   enabled?: (app: App) => boolean, perform: (app: App, argument?: any) => void}} Action
 *   keys  as `event.key`, with Shift+ Ctrl+ Alt+ before it; Ctrl also means ⌘
 */
import { ALL, ASIDE, LARGE } from '../model/fold.js';
import { SPEEDS } from '../timeline/player.js';

/** @param {App} app */
const traced = (app) => app.session.trace.value.length > 0;

/** @type {Action[]} */
export const ACTIONS = [
  { id: 'run', group: 'run', keys: ['Ctrl+Enter'], label: 'action.run', icon: 'play', perform: (app) => void app.session.run() },
  { id: 'stop', group: 'run', keys: ['Ctrl+.'], label: 'action.stop', icon: 'square', enabled: (app) => app.session.busy, perform: (app) => app.session.stop() },

  { id: 'play', group: 'time', keys: [' '], label: 'action.play', icon: 'play', enabled: traced, perform: (app) => app.player.toggle() },
  { id: 'next', group: 'time', keys: ['ArrowRight'], label: 'action.next', icon: 'step-forward', enabled: traced, perform: (app) => move(app, 1, 'event') },
  { id: 'previous', group: 'time', keys: ['ArrowLeft'], label: 'action.previous', icon: 'step-back', enabled: traced, perform: (app) => move(app, -1, 'event') },
  { id: 'next-step', group: 'time', keys: ['Shift+ArrowRight'], label: 'action.next-step', icon: 'skip-forward', enabled: traced, perform: (app) => move(app, 1, 'step') },
  { id: 'previous-step', group: 'time', keys: ['Shift+ArrowLeft'], label: 'action.previous-step', icon: 'skip-back', enabled: traced, perform: (app) => move(app, -1, 'step') },
  { id: 'next-line', group: 'time', keys: ['Alt+ArrowRight'], label: 'action.next-line', enabled: traced, perform: (app) => move(app, 1, 'line') },
  { id: 'previous-line', group: 'time', keys: ['Alt+ArrowLeft'], label: 'action.previous-line', enabled: traced, perform: (app) => move(app, -1, 'line') },
  { id: 'next-phase', group: 'time', keys: [']'], label: 'action.next-phase', enabled: traced, perform: (app) => move(app, 1, 'backward') },
  { id: 'previous-phase', group: 'time', keys: ['['], label: 'action.previous-phase', enabled: traced, perform: (app) => move(app, -1, 'backward') },
  { id: 'first', group: 'time', keys: ['Home'], label: 'action.first', enabled: traced, perform: (app) => app.player.toStep(0, 'first') },
  { id: 'last', group: 'time', keys: ['End'], label: 'action.last', enabled: traced, perform: (app) => app.player.toStep(app.session.trace.value.length - 1, 'last') },
  { id: 'step', group: 'time', keys: [], label: 'action.step', perform: (app, step) => app.player.toStep(step, 'same') },
  { id: 'event', group: 'time', keys: [], label: 'action.event', perform: (app, index) => app.player.toStop(index) },
  { id: 'faster', group: 'time', keys: ['+', '='], label: 'action.faster', perform: (app) => pace(app, 1) },
  { id: 'slower', group: 'time', keys: ['-'], label: 'action.slower', perform: (app) => pace(app, -1) },
  { id: 'touching-next', group: 'time', keys: ['.'], label: 'action.touching-next', enabled: (app) => app.ui.select.value !== '', perform: (app) => void touching(app, 1) },
  { id: 'touching-previous', group: 'time', keys: [','], label: 'action.touching-previous', enabled: (app) => app.ui.select.value !== '', perform: (app) => void touching(app, -1) },

  { id: 'select', group: 'select', keys: [], label: 'action.select', perform: (app, key) => app.choose(key) },
  { id: 'cell', group: 'select', keys: [], label: 'action.cell', perform: (app, [key, cell]) => app.choose(key, cell) },
  { id: 'deselect', group: 'select', keys: ['Escape'], label: 'action.deselect', perform: (app) => app.choose('') },

  { id: 'search', group: 'view', keys: ['/'], label: 'action.search', icon: 'search', enabled: traced, perform: (app) => void (app.searching.value = true) },
  { id: 'fold', group: 'view', keys: [], label: 'action.fold', perform: (app, path) => toggle(app, path) },
  { id: 'aside', group: 'view', keys: ['d'], label: 'action.aside', enabled: traced, perform: (app) => toggle(app, ASIDE) },
  { id: 'fold-all', group: 'view', keys: ['f'], label: 'action.fold-all', enabled: traced, perform: foldAll },

  { id: 'share', group: 'share', keys: ['Ctrl+s'], label: 'action.share', icon: 'share-2', perform: (app) => void (app.sheet.value = 'share') },
  { id: 'palette', group: 'help', keys: ['Ctrl+k'], label: 'action.palette', icon: 'command', perform: (app) => void (app.sheet.value = 'palette') },
  { id: 'help', group: 'help', keys: ['?'], label: 'action.help', icon: 'keyboard', perform: (app) => void (app.sheet.value = 'help') },
  { id: 'close', group: 'help', keys: [], label: 'dialog.close', perform: (app) => void (app.sheet.value = '') },

  { id: 'language', group: 'view', keys: ['l'], label: 'action.language', icon: 'languages', perform: (app) => void (app.ui.lang.value = app.language.value === 'zh' ? 'en' : 'zh') },
  { id: 'theme', group: 'view', keys: ['t'], label: 'action.theme', icon: 'moon', perform: (app) => void (app.ui.theme.value = app.dark.value ? 'light' : 'dark') },
  { id: 'scale', group: 'view', keys: ['c'], label: 'action.scale', perform: (app) => void (app.ui.scale.value = app.ui.scale.value === 'each' ? 'shared' : 'each') },
  { id: 'log', group: 'view', keys: [], label: 'action.log', perform: (app) => void (app.ui.log.value = !app.ui.log.value) },
];

/** @param {App} app @param {1 | -1} by @param {import('../timeline/stops.js').Unit} unit */
function move(app, by, unit) {
  app.player.pause();
  app.player.go(by, unit);
}

/** @param {App} app @param {1 | -1} by */
function pace(app, by) {
  const at = SPEEDS.findIndex((speed) => speed >= app.ui.speed.value);
  app.ui.speed.value = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + by))];
}

/** @param {App} app @param {string} path  of a module, or of a run of lines */
function toggle(app, path) {
  const { graph } = app.session.moment.value;
  const row = path === ASIDE || (graph && graph.cards.size > LARGE) ? app.ui.unfold : app.ui.fold;
  row.value = row.value.includes(path) ? row.value.filter((each) => each !== path) : [...row.value, path];
}

/** All modules to one card each, or all open; of a large graph, which starts folded, every card or as it started. @param {App} app */
function foldAll(app) {
  const { graph } = app.session.moment.value;
  if (graph && graph.cards.size > LARGE) {
    app.ui.unfold.value = app.ui.unfold.value.includes(ALL) ? [] : [ALL];
    return;
  }
  const outer = [...(graph?.groups.values() ?? [])].filter((group) => !group.parent).map((group) => group.path);
  app.ui.fold.value = app.ui.fold.value.length ? [] : outer;
  app.ui.unfold.value = [];
}

/** To the next event that says something about the selected tensor. @param {App} app @param {1 | -1} by */
async function touching(app, by) {
  const key = app.ui.select.value.split(':')[0];
  app.player.pause();
  if (!(await app.player.touch(key, by))) app.say(app.t.value('timeline.untouched', { name: app.session.moment.value.graph?.cards.get(key)?.label ?? '' }));
}

/** What a key event asks for. @param {KeyboardEvent} event @returns {Action | undefined} */
export function keyed(event) {
  const prefix = `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${event.shiftKey && event.key.length > 1 ? 'Shift+' : ''}`;
  const key = prefix + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
  return ACTIONS.find((action) => action.keys.includes(key));
}
