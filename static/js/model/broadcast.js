/**
 * Broadcasting as a rule: shapes aligned at the right, axis by axis; and when they do not fit, what would make them fit. Pure.
 *
 * @typedef {{sizes: (number | null)[], result: number | null, rule: 'equal' | 'stretch' | 'new' | 'clash', stretched: number[]}} Axis
 *   sizes      per operand, null where it has no such axis
 *   stretched  the operands that are repeated along it
 * @typedef {{call: string, which: number, shape: number[], result: number[]}} Fix
 */

/** @param {readonly number[][]} shapes @returns {{axes: Axis[], result: number[] | null, clash: number}}  clash: the axis that fails, counted from the left of the aligned shapes, or -1 */
export function align(shapes) {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  let clash = -1;
  const axes = Array.from({ length: rank }, (_, axis) => {
    /** @type {(number | null)[]} */ const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? null);
    const there = sizes.filter((size) => size !== null);
    const big = there.filter((size) => size !== 1);
    const ok = big.every((size) => size === big[0]);
    if (!ok) clash = axis; // torch names the rightmost one
    const result = ok ? big[0] ?? 1 : null;
    const stretched = result === null ? [] : sizes.flatMap((size, i) => ((size ?? 1) === 1 && result !== 1 ? [i] : []));
    /** @type {Axis['rule']} */
    const rule = !ok ? 'clash' : sizes.includes(null) && stretched.some((i) => sizes[i] === null) ? 'new' : stretched.length ? 'stretch' : 'equal';
    return { sizes, result, rule, stretched };
  });
  return { axes, result: clash < 0 ? axes.map((axis) => /** @type {number} */ (axis.result)) : null, clash };
}

/** Single calls on one operand after which the two shapes fit. @param {readonly number[]} a @param {readonly number[]} b @returns {Fix[]} */
export function fixes(a, b) {
  /** @type {Fix[]} */ const found = [];
  [a, b].forEach((shape, which) => {
    const other = which ? a : b;
    /** @param {string} call @param {number[]} changed */
    const attempt = (call, changed) => {
      const { result } = align(which ? [[...other], changed] : [changed, [...other]]);
      if (result && !found.some((fix) => fix.which === which && fix.shape.join() === changed.join())) found.push({ call, which, shape: changed, result });
    };
    for (let axis = 0; axis <= shape.length; axis++) attempt(`unsqueeze(${axis})`, [...shape.slice(0, axis), 1, ...shape.slice(axis)]);
    if (shape.length === 2) attempt('T', [shape[1], shape[0]]);
    if (shape.length > 2) attempt('transpose(-1, -2)', [...shape.slice(0, -2), shape[shape.length - 1], shape[shape.length - 2]]);
    shape.forEach((size, axis) => size === 1 && attempt(`squeeze(${axis})`, [...shape.slice(0, axis), ...shape.slice(axis + 1)]));
  });
  return found;
}
