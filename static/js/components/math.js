/** A formula, set by KaTeX. The library comes when the first formula does; until then the source stands there. */
import { useEffect, useRef } from 'preact/hooks';
import { html } from './html.js';

/** @type {Promise<typeof import('katex').default> | null} */
let katex = null;

/** @param {{tex: string, block?: boolean, label?: string, class?: string}} props */
export function Formula({ tex, block = true, label, class: kind = '' }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    let here = true;
    katex ??= import('katex').then((module) => module.default);
    katex.then((library) => {
      if (!here || !box.current) return;
      library.render(tex, box.current, { displayMode: block, throwOnError: false, strict: false, output: 'htmlAndMathml', trust: (context) => context.command === '\\htmlClass' || context.command === '\\htmlData' });
    });
    return () => void (here = false);
  }, [tex, block]);
  return html`<div ref=${box} class=${`math ${kind}`} role="math" aria-label=${label ?? tex}></div>`;
}
