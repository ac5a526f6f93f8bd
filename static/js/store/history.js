/** Programs that were run or typed here, in this browser only: nothing typed is lost. */

/** @typedef {{code: string, time: number}} Kept */

const KEY = 'backstep.programs';
const DRAFT = 'backstep.draft';
const MOST = 30;
const LONGEST = 100_000; // characters of one program

/** @returns {Kept[]} the latest first */
export function programs() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((each) => typeof each?.code === 'string') : [];
  } catch {
    return [];
  }
}

/** @param {string} code */
export function keep(code) {
  if (!code.trim() || code.length > LONGEST) return;
  put(KEY, JSON.stringify([{ code, time: Date.now() }, ...programs().filter((each) => each.code !== code)].slice(0, MOST)));
}

/** What stands in the editor and was not run yet; '' forgets it. @param {string} code */
export function draft(code) {
  if (code.length <= LONGEST) put(DRAFT, code);
}

/** @returns {string} */
export function drafted() {
  try {
    return localStorage.getItem(DRAFT) ?? '';
  } catch {
    return '';
  }
}

/** @param {string} key @param {string} text */
function put(key, text) {
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
  } catch {
    // a browser may forbid storage, or it is full: the page works without
  }
}
