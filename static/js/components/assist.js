/**
 * What the editor knows of torch: completion after a dot, a description under the pointer, and slips that can be seen
 * without running. Names come from GET /names. Loaded with the editor.
 *
 * @typedef {{place: string, name: string, kind: 'class' | 'function' | 'property', signature: string, doc: string}} Name
 * @typedef {{names: () => Name[], say: (key: string, words?: Record<string, string | number>) => string}} Knowledge
 */
import { autocompletion, completionKeymap } from '@codemirror/autocomplete';
import { linter } from '@codemirror/lint';
import { hoverTooltip, keymap } from '@codemirror/view';
import { places, slips } from '../model/torch.js';

/** @param {Knowledge} knowledge @returns {import('@codemirror/state').Extension[]} */
export function assist({ names, say }) {
  return [
    autocompletion({ override: [(context) => complete(context, names())], icons: false }),
    keymap.of(completionKeymap),
    hoverTooltip((view, position) => describe(view, position, names()), { hoverTime: 350 }),
    linter((view) => slips(view.state.doc.toString()).map(({ from, to, key, words }) => ({ from, to, severity: 'warning', message: say(key, words) })), { delay: 600 }),
  ];
}

/** @param {import('@codemirror/autocomplete').CompletionContext} context @param {Name[]} names */
function complete(context, names) {
  const dotted = context.matchBefore(/([A-Za-z_][\w.]*|[\])])\.\w*$/);
  if (!dotted) return null;
  const before = dotted.text.slice(0, dotted.text.lastIndexOf('.'));
  const place = places(context.state.doc.toString()).get(before) ?? (/^[a-z_]\w*$|[\])]$|\.(grad|data)$/.test(before) ? 'Tensor' : '');
  const options = names.filter((each) => each.place === place).map((each) => ({ label: each.name, type: each.kind, detail: each.kind === 'class' ? '' : each.signature.slice(each.name.length, each.name.length + 40), info: each.doc || undefined }));
  return options.length ? { from: dotted.from + before.length + 1, options, validFor: /^\w*$/ } : null;
}

/** @param {import('@codemirror/view').EditorView} view @param {number} position @param {Name[]} names */
function describe(view, position, names) {
  const line = view.state.doc.lineAt(position);
  const start = line.text.slice(0, position - line.from).search(/[\w.]*$/);
  const rest = /^\w*/.exec(line.text.slice(position - line.from))?.[0] ?? '';
  const word = line.text.slice(start, position - line.from) + rest;
  const dot = word.lastIndexOf('.');
  if (dot < 1) return null;
  const known = places(view.state.doc.toString());
  const place = known.get(word.slice(0, dot)) ?? 'Tensor';
  const name = names.find((each) => each.place === place && each.name === word.slice(dot + 1));
  if (!name || (!name.doc && !name.signature)) return null;
  return {
    pos: line.from + start + dot + 1, end: line.from + start + word.length, above: true,
    create: () => {
      const dom = document.createElement('div');
      dom.className = 'about-name';
      const code = dom.appendChild(document.createElement('code'));
      code.textContent = name.signature || name.name;
      dom.appendChild(document.createElement('p')).textContent = name.doc;
      return { dom };
    },
  };
}
