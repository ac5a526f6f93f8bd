/**
 * What an event means: a sentence, the general rule, the rule with this node's names, and with the numbers of one cell.
 * Derived from the op's block and the trace, never written per lesson. One function per kind.
 *
 * @import {Moment} from '../store/session.js'
 * @import {Translate} from '../i18n/i18n.js'
 * @import {Tell} from '../i18n/hints.js'
 * @typedef {{phase: '' | 'forward' | 'backward' | 'update' | 'fail', title: string, say: string[], rule: string, numbersTitle: string, numbers: string, hint?: string}} Explanation
 * @typedef {{moment: Moment, t: Translate, ops: Record<string, any>, index: number[] | null, tell?: Tell}} Question  index: of the cell the reader chose
 */
import { message, same } from '../i18n/hints.js';
import { backward } from './backward.js';
import { forward } from './forward.js';
import { update } from './update.js';

/** @param {Question} question @returns {Explanation | null} */
export function explain(question) {
  const { event } = question.moment;
  if (!event) return null;
  const tell = /** @type {((event: any, question: Question) => Explanation | null) | undefined} */ (TELLERS[event.kind]);
  return tell?.(event, question) ?? null;
}

/** @type {Record<string, ((event: any, question: Question) => Explanation | null) | undefined>} */
const TELLERS = {
  forward,
  ...backward,
  ...update,
  leaf: (event, { t }) => blank('forward', t('say.leaf.title', { name: event.name || t(`role.${event.role ?? 'input'}`) }), [t('say.leaf')]),
  begin: (_, { t }) => blank('', t('say.begin.title'), [t('say.begin')]),
  print: (event, { t }) => blank('', t('say.print.title'), [`\`${event.text.trimEnd().slice(0, 200)}\``]),
  figure: (_, { t }) => blank('', t('say.figure.title'), []),
  fail: (event, { t, tell = same }) => ({ ...blank('fail', event.type, [message(event, tell).slice(0, 400)]), hint: tell(event.hint ?? '') || t('say.fail', { line: event.at?.[0] ?? '?' }) }),
};

/** @param {Explanation['phase']} phase @param {string} title @param {string[]} say @returns {Explanation} */
export const blank = (phase, title, say) => ({ phase, title, say, rule: '', numbersTitle: '', numbers: '' });
