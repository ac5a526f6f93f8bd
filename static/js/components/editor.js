/** CodeMirror with our marks. Loaded apart from the first page. Knows text, lines and ranges, no trace. */

/** @import {At} from '../types.js' */
/** @import {Marks} from '../views/code.js' */
import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { python } from '@codemirror/lang-python';
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { EditorState, RangeSet, StateEffect, StateField } from '@codemirror/state';
import { Decoration, drawSelection, EditorView, GutterMarker, gutterLineClass, keymap, lineNumbers, WidgetType } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.self, tags.bool, tags.null], color: 'var(--code-keyword)' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.className], color: 'var(--code-function)' },
  { tag: tags.number, color: 'var(--code-number)' },
  { tag: tags.string, color: 'var(--code-string)' },
  { tag: tags.comment, color: 'var(--code-comment)' },
]);

class Hint extends WidgetType {
  /** @param {string} text @param {boolean} now */
  constructor(text, now) {
    super();
    this.text = text;
    this.now = now;
  }

  /** @param {Hint} other */
  eq(other) {
    return other.text === this.text && other.now === this.now;
  }

  toDOM() {
    const span = document.createElement('span');
    span.className = this.now ? 'hint now' : 'hint';
    span.textContent = this.text;
    span.setAttribute('aria-hidden', 'true');
    return span;
  }
}

/** @type {import('@codemirror/state').StateEffectType<Marks | null>} */
const setMarks = StateEffect.define();

/** The number of the current line, so that the line is marked from edge to edge. */
const numbered = new (class extends GutterMarker {
  elementClass = 'cl-now';
})();

/** @typedef {{text: import('@codemirror/view').DecorationSet, numbers: RangeSet<GutterMarker>}} Marked */
const marking = StateField.define({
  create: () => /** @type {Marked} */ ({ text: Decoration.none, numbers: RangeSet.empty }),
  update({ text, numbers }, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMarks)) return { text: decorate(transaction.state, effect.value), numbers: number(transaction.state, effect.value) };
    return { text: text.map(transaction.changes), numbers: numbers.map(transaction.changes) };
  },
  provide: (field) => [EditorView.decorations.from(field, (marked) => marked.text), gutterLineClass.from(field, (marked) => marked.numbers)],
});

/** @param {EditorState} state @param {Marks | null} marks @returns {RangeSet<GutterMarker>} */
function number({ doc }, marks) {
  return marks && marks.line >= 1 && marks.line <= doc.lines ? RangeSet.of([numbered.range(doc.line(marks.line).from)]) : RangeSet.empty;
}

/** @param {EditorState} state @param {Marks | null} marks */
function decorate(state, marks) {
  if (!marks) return Decoration.none;
  const found = [];
  const lines = state.doc.lines;
  if (marks.line >= 1 && marks.line <= lines) found.push(Decoration.line({ class: 'cl-now' }).range(state.doc.line(marks.line).from));
  const range = marks.at && between(state, marks.at);
  if (range && !whole(state, range)) found.push(Decoration.mark({ class: 'cl-at' }).range(...range));
  const origin = marks.origin && between(state, marks.origin);
  if (origin) found.push(Decoration.mark({ class: 'cl-from' }).range(...origin));
  const wrong = marks.error && between(state, marks.error.at);
  if (wrong && marks.error) found.push(Decoration.mark({ class: 'cl-wrong', attributes: { title: marks.error.text } }).range(...wrong));
  for (const [line, text] of marks.hints) {
    if (line < 1 || line > lines) continue;
    found.push(Decoration.widget({ widget: new Hint(text, line === marks.line), side: 1 }).range(state.doc.line(line).to));
  }
  return Decoration.set(found, true);
}

/** @param {EditorState} state @param {At} at @returns {[number, number] | null} */
function between(state, [line, column, endLine, endColumn]) {
  if (line < 1 || endLine > state.doc.lines) return null;
  const from = Math.min(state.doc.line(line).from + column, state.doc.line(line).to);
  const to = Math.min(state.doc.line(endLine).from + endColumn, state.doc.line(endLine).to);
  return to > from ? [from, to] : null;
}

/** Does the range cover all of its line? Then the line's own colour says enough. @param {EditorState} state @param {[number, number]} range */
function whole(state, [from, to]) {
  const line = state.doc.lineAt(from);
  return line.text.trim().length === to - from;
}

export class Editor {
  /** @param {EditorView} view */
  constructor(view) {
    this.view = view;
    this.looks = '';
    this.line = 0;
  }

  /** @param {string} text */
  set(text) {
    const now = this.view.state.doc.toString();
    if (now === text) return;
    this.looks = '';
    this.view.dispatch({ changes: { from: 0, to: now.length, insert: text } });
  }

  /** @param {Marks | null} marks */
  mark(marks) {
    // most events of a step leave the code as it looks; a transaction costs a layout
    const looks = JSON.stringify(marks && { ...marks, hints: [...marks.hints] });
    if (looks === this.looks) return;
    this.looks = looks;
    const effects = [setMarks.of(marks)];
    const moved = marks && marks.line !== this.line;
    this.line = marks?.line ?? 0;
    if (moved && marks.line >= 1 && marks.line <= this.view.state.doc.lines && !this.view.hasFocus) {
      effects.push(/** @type {any} */ (EditorView.scrollIntoView(this.view.state.doc.line(marks.line).from, { y: 'nearest', yMargin: 40, x: 'start', xMargin: 60 })));
    }
    this.view.dispatch({ effects });
  }

  close() {
    this.view.destroy();
  }
}

/** @param {HTMLElement} parent @param {{text: string, label: string, change: (text: string) => void, run: () => void, extensions?: import('@codemirror/state').Extension[]}} options */
export function open(parent, { text, label, change, run, extensions = [] }) {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([{ key: 'Mod-Enter', run: () => (run(), true) }]),
        lineNumbers(), history(), drawSelection(), bracketMatching(), closeBrackets(), indentUnit.of('    '), python(), syntaxHighlighting(colours),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0', spellcheck: 'false', autocapitalize: 'off' }),
        EditorView.updateListener.of((update) => update.docChanged && change(update.state.doc.toString())),
        marking, ...extensions,
      ],
    }),
  });
  return new Editor(view);
}
