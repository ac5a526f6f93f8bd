/** The page: places for views, panels that close, the toast. Knows no trace. */

/** @import {App} from '../app.js' */
/** @import {Context, View} from './index.js' */
import { Component } from 'preact';
import { Icon } from '../components/icon.js';
import { html } from '../components/html.js';
import { VIEWS } from './index.js';

const TABS = ['code', 'graph', 'explain', 'panels']; // of a narrow screen, which shows one at a time

/** @param {{app: App}} props */
export function Frame({ app }) {
  /** @type {Context} */
  const context = { app, moment: app.session.moment.value, ui: app.ui, t: app.t.value, act: app.act };
  const { t, ui } = context;
  const at = (/** @type {View['place']} */ place) => VIEWS.filter((view) => view.place === place && (view.when?.(context) ?? true));
  const right = at('right');
  return html`
    ${app.config.banner ? html`<p class="banner" role="note"><${Icon} name="triangle-alert" size=${14} /><span>${bannerOf(app.config.banner, t)}</span></p>` : null}
    <header class="top"><h1 class="sr">Backstep</h1>${at('header').map((view) => html`<${Guarded} view=${view} context=${context} />`)}</header>
    <nav class="tabs" aria-label=${t('frame.tabs')}>${TABS.map((tab) => (tab === 'panels' && !right.length ? null : html`<button type="button" aria-pressed=${ui.pane.value === tab} onClick=${() => (ui.pane.value = tab)}>${t(`frame.${tab}`)}</button>`))}</nav>
    <main class=${`work show-${ui.pane.value} ${right.length ? '' : 'no-right'}`}>
      <div class="left">${at('left').map((view) => html`<section class=${`pane ${view.id}`} key=${view.id} aria-label=${t(view.title)}><${Guarded} view=${view} context=${context} /></section>`)}</div>
      ${at('centre').map((view) => html`<${Guarded} key=${view.id} view=${view} context=${context} />`)}
      ${right.length ? html`<aside class="right" aria-label=${t('frame.panels')}>${right.map((view) => html`<${Panel} key=${view.id} view=${view} context=${context} />`)}</aside>` : null}
    </main>
    <footer class="time">${at('footer').map((view) => html`<${Guarded} view=${view} context=${context} />`)}</footer>
    ${at('over').map((view) => html`<${Guarded} key=${view.id} view=${view} context=${context} />`)}
    <div class="toast" role="status" aria-live="polite" data-shown=${app.toast.value ? '' : undefined}>${app.toast.value}</div>`;
}

/** The server's warning in the reader's language; whose privileges a program has is the server's word. @param {string} said @param {Context['t']} t */
function bannerOf(said, t) {
  const who = /privileges of (.+) on this machine/.exec(said)?.[1];
  return who ? t('frame.banner', { who }) : said;
}

/** @param {{view: View, context: Context}} props */
function Panel({ view, context }) {
  const { ui, t } = context;
  const closed = ui.closed.value.includes(view.id);
  const toggle = () => (ui.closed.value = closed ? ui.closed.value.filter((id) => id !== view.id) : [...ui.closed.value, view.id]);
  return html`<section class=${`pane panel ${view.id}`} aria-label=${t(view.title)}>
    <h2><button type="button" class="fold" aria-expanded=${!closed} onClick=${toggle}><${Icon} name=${closed ? 'chevron-right' : 'chevron-down'} size=${13} />${t(view.title)}</button>
      ${closed ? null : view.aside?.(context)}</h2>
    ${closed ? null : html`<${Guarded} view=${view} context=${context} />`}</section>`;
}

/** A view that fails says so in its place and leaves the others alone. @extends {Component<{view: View, context: Context}, {error: unknown}>} */
class Guarded extends Component {
  /** @param {unknown} error */
  static getDerivedStateFromError(error) {
    return { error };
  }

  /** @param {unknown} error */
  componentDidCatch(error) {
    console.error(error);
  }

  render() {
    const { view, context } = this.props;
    if (this.state.error) return html`<p class="oops" role="alert">${context.t('frame.oops')} <button type="button" class="link" onClick=${() => this.setState({ error: undefined })}>${context.t('frame.again')}</button></p>`;
    const Draw = view.draw;
    return html`<${Draw} ...${context} />`;
  }
}
