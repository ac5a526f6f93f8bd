/** Hovering a cell of the graph or its number in the formula lights up both. Touches classes only, draws nothing. */

/** The cell under the pointer, as an address. @param {Event} event @returns {string} */
export function pointed(event) {
  const target = /** @type {Element} */ (event.target);
  const cell = target.closest?.('[data-cell]');
  if (!cell) return '';
  const key = cell.getAttribute('data-at') ?? cell.closest('[data-key]')?.getAttribute('data-key');
  return key ? `${key} ${cell.getAttribute('data-cell')}` : '';
}

/** @param {ParentNode} root @param {string} address  '' puts all lights out */
export function light(root, address) {
  for (const lit of root.querySelectorAll('.lit')) lit.classList.remove('lit');
  if (!address) return;
  const [key, cell] = address.split(' ').map((part) => CSS.escape(part));
  for (const found of root.querySelectorAll(`[data-key="${key}"] [data-cell="${cell}"], [data-at="${key}"][data-cell="${cell}"]`)) found.classList.add('lit');
}
