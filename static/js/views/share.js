/** Sharing: the link to this moment, the program in a link, the picture, the trace, the graph as text. */

/** @import {Context, View} from './index.js' */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Dialog } from '../components/dialog.js';
import { html } from '../components/html.js';
import { Icon } from '../components/icon.js';
import { pngOf, save, svgOf } from '../components/picture.js';
import { pack } from '../model/link.js';
import { picture as whole } from './plan.js';

/** @type {View} */
export const shareView = { id: 'share', place: 'over', title: 'share.title', when: ({ app }) => app.sheet.value === 'share', draw: (context) => html`<${Share} ...${context} />` };

const TEXTS = [['dot', 'gv'], ['mermaid', 'mmd'], ['json', 'json']];

/** @param {Context} context */
function Share({ app, moment, t, act }) {
  const { trace, step, stop } = moment;
  const packed = useSignal('');
  const { code } = app.session;
  useEffect(() => void pack(code.value).then((text) => (packed.value = text)), [code.value]);
  const say = (/** @type {Promise<unknown>} */ work, /** @type {string} */ key) => work.then(() => app.say(t(key)), (error) => app.say(t('share.failed', { why: app.tell.value(String(error?.message ?? error)) })));
  const copy = (/** @type {string} */ text) => say(navigator.clipboard.writeText(text), 'share.copied');
  const program = () => copy(location.origin + location.pathname + packed.value);
  const picture = (/** @type {'svg' | 'png'} */ kind) => say(draw(kind), 'share.saved');
  const text = (/** @type {string} */ format, /** @type {string} */ ending) => say(app.client.graph(trace.id, { step, at: stop?.until, format }).then((body) => save(`graph.${ending}`, body)), 'share.saved');
  return html`<${Dialog} title=${t('share.title')} close=${t('dialog.close')} onClose=${() => act('close')}>
    <ul class="rows">
      <${Row} icon="link" label=${t('share.moment')} note=${t('share.moment-note')} disabled=${!trace.id} onClick=${() => copy(location.href)} />
      <${Row} icon="file-code" label=${t('share.program')} note=${t(packed.value ? 'share.program-note' : 'share.program-long')} disabled=${!packed.value} onClick=${program} />
      <${Row} icon="clipboard" label=${t('share.code')} onClick=${() => copy(code.value)} />
      <${Row} icon="image" label=${t('share.svg')} disabled=${!moment.graph} onClick=${() => picture('svg')} />
      <${Row} icon="image" label=${t('share.png')} disabled=${!moment.graph} onClick=${() => picture('png')} />
      <${Row} icon="download" label=${t('share.trace')} note=${t('share.trace-note')} disabled=${!trace.id} onClick=${() => say(app.client.trace(trace.id).then((body) => save('trace.jsonl', body, 'application/jsonl')), 'share.saved')} />
      ${TEXTS.map(([format, ending]) => html`<${Row} icon="workflow" label=${t(`share.${format}`)} disabled=${!trace.id || !moment.graph} onClick=${() => text(format, ending)} />`)}
    </ul><//>`;
}

/** @param {{icon: string, label: string, note?: string, disabled?: boolean, onClick: () => void}} props */
const Row = ({ icon, label, note, disabled = false, onClick }) => html`<li><button type="button" disabled=${disabled} onClick=${onClick}><${Icon} name=${icon} size=${16} /><span>${label}${note ? html`<small>${note}</small>` : null}</span></button></li>`;

/** @param {'svg' | 'png'} kind */
async function draw(kind) {
  const large = whole.current?.();
  if (large) return kind === 'svg' ? save('graph.svg', large.svg, 'image/svg+xml') : save('graph.png', await pngOf(large.svg, large.w, large.h));
  const drawn = document.querySelector('svg.graph');
  if (!(drawn instanceof SVGSVGElement)) throw new Error('no graph');
  const svg = svgOf(drawn, getComputedStyle(document.body).backgroundColor);
  if (kind === 'svg') save('graph.svg', svg, 'image/svg+xml');
  else save('graph.png', await pngOf(svg, drawn.width.baseVal.value, drawn.height.baseVal.value));
}
