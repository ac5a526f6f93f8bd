// The page's reducer is the twin of engine/trace/replay.py: on the golden traces both give the same states.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Replay } from '../../static/js/model/reduce.js';

const folder = new URL('../golden/traces/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.jsonl')).map((name) => name.slice(0, -6));

test('there are golden traces', () => assert.ok(names.length >= 5));

for (const name of names) {
  test(`the states of ${name} are those of the Python reducer`, () => {
    const events = readFileSync(new URL(`${name}.jsonl`, folder), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    const frozen = new Map(JSON.parse(readFileSync(new URL(`${name}.states.json`, folder), 'utf8')).map((/** @type {any} */ one) => [one.t, one.state]));
    const fold = new Replay();
    assert.deepEqual(structuredClone(fold.state), frozen.get(0));
    events.forEach((event, index) => {
      fold.fold(event);
      const expected = frozen.get(index + 1);
      if (expected) assert.deepEqual(JSON.parse(JSON.stringify(fold.state)), expected, `t = ${index + 1}`);
    });
  });
}
