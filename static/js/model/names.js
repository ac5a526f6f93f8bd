/** Short names for things with paths. Pure. */

/** The shortest endings that still tell the paths apart: `net.0.weight`, `net.2.weight` are `0.weight`, `2.weight`. @param {readonly string[]} paths @returns {Map<string, string>} */
export function shortest(paths) {
  const parts = paths.map((path) => path.split('.'));
  const ending = (/** @type {number} */ i, /** @type {number} */ size) => parts[i].slice(-size).join('.');
  return new Map(paths.map((path, i) => {
    let size = 1;
    while (size < parts[i].length && parts.some((_, other) => other !== i && paths[other] !== path && ending(other, size) === ending(i, size))) size++;
    return [path, ending(i, size)];
  }));
}
