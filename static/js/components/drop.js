/** Files dropped onto the page: says where they may fall while they hover, reads the one that fell. */

const LARGEST = 128 * 2 ** 20; // bytes of a trace

/** @param {HTMLElement} page @param {{hint: () => string, open: (name: string, text: string) => void, refuse: (name: string) => void}} options  hint  shown while a file hovers */
export function receive(page, { hint, open, refuse }) {
  const files = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files');
  let deep = 0;
  const mark = (/** @type {number} */ by) => {
    deep = Math.max(0, deep + by);
    page.classList.toggle('dropping', deep > 0);
    if (deep) page.dataset.drop = hint();
  };
  page.addEventListener('dragenter', (event) => files(event) && mark(1));
  page.addEventListener('dragleave', (event) => files(event) && mark(-1));
  page.addEventListener('dragover', (event) => files(event) && event.preventDefault());
  page.addEventListener('drop', async (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    mark(-deep);
    if (file.size > LARGEST) return refuse(file.name);
    open(file.name, await file.text());
  }, { capture: true }); // before the editor takes the text in
}
