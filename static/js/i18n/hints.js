/**
 * What the service says in English (hints, endings, refusals) in another language: whole sentences with {places},
 * hints.zh.json, matched against the text. What is in no table stays as it is. Knows no page.
 *
 * @typedef {(text: string) => string} Tell
 */

const PLACE = /\{(\w+)\}/;
const BETWEEN = '; or '; // joins alternatives; no place reaches over it
const SOME = `((?:(?!${BETWEEN})[^])*?)`;

/** @type {Tell} */
export const same = (text) => text;

/** An error's words: PyTorch's and Python's stay theirs, ours are told. @param {{type: string, message: string}} error @param {Tell} tell */
export const message = (error, tell) => (error.type === 'TimeLimit' || error.message.includes('supported by Backstep') ? tell(error.message) : error.message);

/** @param {string} base  address of static/ @returns {Promise<Tell>} */
export async function load(base) {
  return teller(await (await fetch(`${base}js/i18n/hints.zh.json`)).json());
}

/** @param {Record<string, string>} table  sentence -> translation, both with the same {places} @returns {Tell} */
export function teller(table) {
  const patterns = Object.entries(table).filter(([sentence]) => PLACE.test(sentence)).map(([sentence, translation]) => {
    const parts = sentence.split(PLACE); // text and names in turn
    const source = parts.map((part, i) => (i % 2 ? SOME : part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))).join('');
    return { pattern: new RegExp(`^${source}$`), names: parts.filter((_, i) => i % 2), translation, literal: parts.filter((_, i) => i % 2 === 0).join('').length };
  }).sort((a, b) => b.literal - a.literal); // the one that says most first

  /** @param {string} text @returns {string | null} */
  const find = (text) => {
    if (Object.hasOwn(table, text)) return table[text];
    for (const { pattern, names, translation } of patterns) {
      const found = pattern.exec(text);
      if (found) return translation.replace(/\{(\w+)\}/g, (_, name) => tell(found[names.indexOf(name) + 1]));
    }
    return null;
  };
  /** @type {Tell} */
  const tell = (text) => {
    const whole = find(text);
    if (whole !== null || !text.includes(BETWEEN)) return whole ?? text;
    const each = text.split(BETWEEN).map(find);
    return each.includes(null) ? text : each.join('；或：');
  };
  return tell;
}
