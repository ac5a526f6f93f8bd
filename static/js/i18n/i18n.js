/**
 * Sentences by key, English and Chinese, one JSON catalogue each with the same keys (tests/js/i18n). Knows no page.
 *
 * @typedef {Record<string, string>} Catalogue
 * @typedef {(key: string, words?: Record<string, string | number>) => string} Translate
 */

const LANGUAGES = ['en', 'zh'];

/** @param {string} base  address of static/ @returns {Promise<Record<string, Catalogue>>} */
export async function load(base) {
  const entries = await Promise.all(LANGUAGES.map(async (language) => [language, await (await fetch(`${base}js/i18n/${language}.json`)).json()]));
  return Object.fromEntries(entries);
}

/**
 * `{name}` is replaced; `{n|event|events}` picks after the number n.
 * @param {Catalogue} catalogue @param {Catalogue} fallback @returns {Translate}
 */
export function translator(catalogue, fallback) {
  return (key, words = {}) => {
    const sentence = catalogue[key] ?? fallback[key] ?? key;
    return sentence.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name, one, many) => {
      const word = words[name];
      if (one !== undefined) return Number(word) === 1 ? one : many;
      return word === undefined ? whole : String(word);
    });
  };
}
