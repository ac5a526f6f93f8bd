import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ACTIONS } from '../../static/js/actions/actions.js';
import { translator } from '../../static/js/i18n/i18n.js';

const JS = path.join(import.meta.dirname, '../../static/js');
const [en, zh] = ['en', 'zh'].map((language) => JSON.parse(fs.readFileSync(path.join(JS, `i18n/${language}.json`), 'utf8')));
const pages = ['en', 'zh'].map((language) => JSON.parse(fs.readFileSync(path.join(JS, `../../templates/texts/${language}.json`), 'utf8')));
const source = fs.readdirSync(JS, { recursive: true }).filter((file) => file.endsWith('.js')).map((file) => fs.readFileSync(path.join(JS, file), 'utf8')).join('\n');

test('both languages have the same keys', () => {
  for (const [english, chinese] of [[en, zh], pages]) assert.deepEqual(Object.keys(english).sort(), Object.keys(chinese).sort());
});

test('both languages fill in the same words', () => {
  const words = (sentence) => [...new Set([...sentence.matchAll(/\{(\w+)/g)].map((match) => match[1]))].filter((word) => word !== 'n').sort();
  for (const [english, chinese] of [[en, zh], pages]) for (const key of Object.keys(english)) assert.deepEqual(words(chinese[key]), words(english[key]), key);
});

test('every key the code asks for is there', () => {
  for (const [, key] of source.matchAll(/\bt\('([\w.-]+)'/g)) assert.ok(key in en, key);
  for (const action of ACTIONS) assert.ok(action.label in en, action.label);
});

test('no two actions share a key', () => {
  const keys = ACTIONS.flatMap((action) => action.keys);
  assert.equal(new Set(keys).size, keys.length);
});

test('numbers choose between one and many', () => {
  const t = translator({ a: '{n} {n|step|steps}' }, {});
  assert.deepEqual([t('a', { n: 1 }), t('a', { n: 2 })], ['1 step', '2 steps']);
});

test('a missing sentence falls back to English, then to its key', () => {
  const t = translator({}, { a: 'A' });
  assert.deepEqual([t('a'), t('b')], ['A', 'b']);
});
