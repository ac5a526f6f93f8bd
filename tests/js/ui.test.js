import assert from 'node:assert/strict';
import test from 'node:test';
import { address, create, FIELDS } from '../../static/js/store/ui.js';

globalThis.localStorage ??= { getItem: () => null, setItem: () => {} };

test('every moment is a link: the address gives back what was chosen', () => {
  const ui = create(new URLSearchParams());
  ui.step.value = 7;
  ui.event.value = 12;
  ui.select.value = 'o10:1';
  ui.cell.value = 'g1.0';
  ui.fold.value = ['net.0', 'net.1'];
  const again = create(new URLSearchParams(address(ui, '/').slice(2)));
  for (const key of ['step', 'event', 'select', 'cell', 'fold']) assert.deepEqual(again[key].value, ui[key].value, key);
});

test('what is as it starts stays out of the address', () => assert.equal(address(create(new URLSearchParams()), '/'), '/'));

test('nonsense in the address does no harm', () => {
  const ui = create(new URLSearchParams('step=x&event=&nothing=1'));
  assert.equal(ui.step.value, 0);
});

test('every row says what it is for', () => {
  for (const [key, field] of Object.entries(FIELDS)) assert.ok(field.doc, key);
});
