import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { explain } from '../../static/js/explain/explain.js';
import { fill, name } from '../../static/js/explain/tex.js';
import { translator } from '../../static/js/i18n/i18n.js';
import { graph } from '../../static/js/model/graph.js';
import { replay } from '../../static/js/model/reduce.js';
import { stops } from '../../static/js/timeline/stops.js';
import { WINDOW } from './sample.js';

const catalogue = (language) => JSON.parse(fs.readFileSync(path.join(import.meta.dirname, `../../static/js/i18n/${language}.json`), 'utf8'));
const ops = { mul: { name: 'mul', latex: 'x \\cdot y', latex_partials: { input: 'y', other: 'x' } }, mean: { name: 'mean', latex: '\\frac{1}{n}\\sum_i x_i', latex_partials: { input: '\\frac{1}{n}' } } };
const list = stops(WINDOW);
const at = (kind, nth = 0) => {
  const stop = list.filter((each) => each.event.kind === kind)[nth];
  const moment = { graph: graph(WINDOW), state: replay(WINDOW, stop.until + 1), stops: list, stop, event: stop.event };
  return explain({ moment, t: translator(catalogue('en'), {}), ops, index: null });
};
const bare = (tex) => tex.replace(/\\html(Class|Data)\{[^}]*\}/g, '').replace(/[{}]/g, '');

test('the formula of the block gets the program’s names', () => assert.equal(at('forward').rule, 'y = x \\cdot w'));

test('the numbers end in the value on the card', () => assert.match(bare(at('forward').numbers), /\(1\) \\cdot \(2\).*2/s));

test('a sum that undoes a broadcast is spelled out: upstream times local, added up', () => {
  const { numbers, rule } = at('contribute', 1);
  assert.match(bare(numbers), /\(0\.5\)\(1\)\+\(0\.5\)\(3\).*&2/s);
  assert.match(rule, /\\sum/);
});

test('None becomes the gradient; nothing is added to it', () => assert.match(at('accumulate').say[0], /was None/));

test('an update says before minus rate times gradient', () => assert.match(bare(at('update').numbers), /2 - \(0\.1\)\(2\) = 1\.8/));

test('every stop is explained in both languages without a hole', () => {
  for (const language of ['en', 'zh']) {
    const t = translator(catalogue(language), {});
    for (const stop of list) {
      const said = explain({ moment: { graph: graph(WINDOW), state: replay(WINDOW, stop.until + 1), stops: list, stop, event: stop.event }, t, ops, index: null });
      assert.ok(said?.title, stop.event.kind);
      assert.doesNotMatch([said.title, ...said.say].join(' '), /undefined|NaN|\{\w+\}|say\./, `${stop.event.kind} ${language}`);
    }
  }
});

test('placeholders and letters are both filled, commands are left alone', () => {
  assert.equal(fill('\\max(0, {input})', ['input'], ['w']), '\\max(0, {w})');
  assert.equal(fill('\\exp x_i', ['input'], ['w']), '\\exp w_i');
});

test('names become TeX', () => {
  assert.deepEqual([name('v₁₂'), name('w', '0'), name('net.0.weight'), name('y_pred')], ['v_{12}', 'w_{0}', '\\mathit{net.0.weight}', '\\mathit{y\\_pred}']);
});

test('an op with several outputs is told with all of them, and what got nothing back as 0', () => {
  const array = (shape, ...data) => ({ shape, dtype: 'float32', data });
  const events = [
    { kind: 'leaf', seq: 1, tensor: 4, value: array([4], 1, 2, 3, 4), role: 'parameter', requires_grad: true, name: 'x' },
    { kind: 'forward', seq: 2, op: 'split', inputs: [{ name: 'input', tensor: 4 }], outputs: [{ tensor: 2, value: array([2], 1, 2), requires_grad: true }, { tensor: 6, value: array([2], 3, 4), requires_grad: true, index: 1 }], node: 3, grad_fn: 'SplitBackward0' },
    { kind: 'bind', seq: 3, tensor: 2, name: 'a' }, { kind: 'bind', seq: 4, tensor: 6, name: 'b' },
    { kind: 'forward', seq: 5, op: 'sum_', inputs: [{ name: 'input', tensor: 6 }], outputs: [{ tensor: 10, value: array([], 7), requires_grad: true }], node: 11 },
    { kind: 'seed', seq: 6, root: 10, grad: array([], 1), node: 11 },
    { kind: 'contribute', seq: 7, node: 11, index: 0, result: array([2], 1, 1), tensor: 6, to: 3 },
    { kind: 'ready', seq: 8, node: 3, grad: array([4], 0, 0, 1, 1) },
  ];
  const tell = (position) => explain({ moment: { graph: graph(events), state: replay(events, position + 1), stops: stops(events), stop: null, event: events[position] }, t: translator(catalogue('en'), {}), ops: {}, index: null });
  assert.equal(tell(1).title, 'a, b = split(x)');
  const { title, say } = tell(7);
  assert.match(title, /a, b is complete$/);
  assert.match(say[0], /2 outputs/);
  assert.match(say[1], /Nothing came back to \*\*a\*\*, so its gradient counts as 0/);
});
