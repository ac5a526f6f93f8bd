/** Numbers and shapes as text. A true minus sign, so that digits line up; never a rounded zero for a number that is not zero. */

const MINUS = '−';

/** @param {readonly number[]} shape  as Python writes it: () (3,) (4, 3) */
export const shape = (shape) => `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;

/** @param {string} text */
const minus = (text) => text.replace(/-/g, MINUS);

/** @param {number} value @returns {string | undefined} */
function special(value) {
  if (Number.isNaN(value)) return 'nan';
  if (value === Infinity) return 'inf';
  if (value === -Infinity) return `${MINUS}inf`;
  return undefined;
}

/** At most five characters: for a cell of a heat map. @param {number} value @param {boolean} [whole]  of a type that has no fractions */
export function cell(value, whole = false) {
  const size = Math.abs(value);
  if (value === 0) return '0';
  if (whole && size < 10_000) return minus(String(value));
  return special(value) ?? minus(brief(value, size));
}

/** @param {number} value @param {number} size */
function brief(value, size) {
  if (size < 0.005) return value.toExponential(0).replace('e+', 'e');
  if (size < 9.995) return value.toFixed(2);
  if (size < 99.95) return value.toFixed(1);
  if (size < 9999.5) return value.toFixed(0);
  return value.toExponential(0).replace('e+', 'e');
}

/** About four significant digits: for prose and tables. @param {number} value @param {number} [digits] */
export function short(value, digits = 4) {
  const size = Math.abs(value);
  const word = special(value);
  if (word) return word;
  if (value === 0) return '0';
  if (Number.isInteger(value) && size < 1e7) return minus(String(value));
  if (size >= 1e6 || size < 1e-4) return minus(value.toExponential(Math.min(2, digits - 1)).replace(/\.?0+e/, 'e').replace('e+', 'e'));
  return minus(String(Number(value.toPrecision(digits))));
}

/** With its sign, for a difference. @param {number} value @param {number} [digits] */
export const signed = (value, digits) => (value > 0 ? `+${short(value, digits)}` : short(value, digits));

/** Shortest text that reads back to the same float32 (or float64). @param {number} value @param {string} [dtype] */
export function exact(value, dtype = 'float32') {
  const word = special(value);
  if (word) return word;
  if (dtype !== 'float32' || Number.isInteger(value)) return minus(String(value));
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === Math.fround(value)) return minus(String(Number(text)));
  }
  return minus(String(value));
}

/** Fits in `room` characters, as exact as it can be. @param {number} value @param {number} room */
export function fit(value, room) {
  for (let digits = 9; digits > 1; digits--) {
    const text = exactly(value, digits);
    if (text.length <= room) return text;
  }
  return cell(value);
}

/** @param {number} value @param {number} digits */
function exactly(value, digits) {
  const full = exact(value);
  const part = short(value, digits);
  return full.length <= part.length ? full : part;
}

/** Writes the numbers of one column alike: as many decimals as the largest needs for four digits. @param {readonly number[]} values @returns {(value: number) => string} */
export function column(values) {
  const most = values.reduce((size, value) => (Number.isFinite(value) ? Math.max(size, Math.abs(value)) : size), 0);
  if (most >= 1e5 || most < 1e-3) return (value) => short(value, 3);
  const decimals = Math.max(0, 3 - Math.max(0, Math.floor(Math.log10(most))));
  return (value) => special(value) ?? (value !== 0 && Math.abs(value) < 0.5 * 10 ** -decimals ? short(value, 2) : minus(value.toFixed(decimals)));
}

/** 12345 as 12,345 or 12 345 after the reader's custom. @param {number} value @param {string} language */
export const integer = (value, language) => value.toLocaleString(language === 'zh' ? 'zh-CN' : 'en');

const SUBSCRIPT = '₀₁₂₃₄₅₆₇₈₉';

/** @param {number} value  v with 12 below: v₁₂ */
export const subscript = (value) => String(value).replace(/\d/g, (digit) => SUBSCRIPT[Number(digit)]);
