/** Pages that are not the workbench: formulas set by KaTeX, tables filtered as one types, examples run and opened. */
import katex from 'katex';
import { Client } from './api/client.js';
import { load, same } from './i18n/hints.js';

const config = JSON.parse(document.getElementById('config')?.textContent ?? '{}');

for (const place of document.querySelectorAll('[data-tex]')) {
  if (!(place instanceof HTMLElement)) continue;
  katex.render(place.dataset.tex ?? '', place, { displayMode: 'block' in place.dataset, throwOnError: false, strict: false });
}

const field = document.getElementById('filter');
if (field instanceof HTMLInputElement) {
  const rows = [...document.querySelectorAll('tr[data-words]')];
  const show = () => {
    const wanted = field.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      if (!(row instanceof HTMLElement)) continue;
      row.hidden = !(row.dataset.words ?? '').toLowerCase().includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    for (const part of document.querySelectorAll('[data-family]')) {
      if (part instanceof HTMLElement) part.hidden = !part.querySelector('tr[data-words]:not([hidden])');
    }
    const count = document.getElementById('count');
    if (!count) return;
    const { some = '', none = '' } = count.dataset; // in the page's language
    count.textContent = !wanted ? `${rows.length}` : shown ? some.replace('{shown}', `${shown}`).replace('{all}', `${rows.length}`) : none;
  };
  field.addEventListener('input', show);
  show();
}

for (const button of document.querySelectorAll('[data-run]')) {
  if (!(button instanceof HTMLButtonElement)) continue;
  button.addEventListener('click', async () => {
    const code = document.querySelector(button.dataset.run ?? '')?.textContent ?? '';
    const said = document.getElementById('said');
    try {
      const response = await new Client(config.api).post('/runs', { code }, { headers: { prefer: 'respond-async' } });
      const { id } = await response.json();
      location.href = `/?run=${id}`;
    } catch (error) {
      const tell = document.documentElement.lang.startsWith('zh') ? await load(config.static).catch(() => same) : same;
      if (said) said.textContent = tell(error instanceof Error ? error.message : String(error));
    }
  });
}
