import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { message, teller } from '../../static/js/i18n/hints.js';

const table = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, '../../static/js/i18n/hints.zh.json'), 'utf8'));
const tell = teller(table);

test('a whole sentence', () => assert.equal(teller({ 'go (on).': '继续' })('go (on).'), '继续'));

test('places are filled by name, in the order of the other language', () => {
  assert.equal(teller({ '{a} of {b}': '{b} 的 {a}' })('two of x.y'), 'x.y 的 two');
});

test('what is in no table stays English, also in part', () => {
  const small = teller({ 'use {name}': '用 {name}', 'a mark': '记号' });
  for (const text of ['', 'please use x', 'a mark too', 'constructor']) assert.equal(small(text), text);
});

test('the sentence that says more comes first, whatever the order of the table', () => {
  const small = teller({ 'at most {n}': '至多 {n}', 'at most {n} runs': '至多 {n} 次' });
  assert.equal(small('at most 3 runs'), '至多 3 次');
});

test('what fills a place is told too', () => {
  assert.equal(teller({ '{what} was copied': '复制了{what}', 'a space': '空格' })('a space was copied'), '复制了空格');
});

test('signs of patterns in what fills a place are kept', () => assert.equal(teller({ 'use {x}': '用 {x}' })('use $& \\1 {x}'), '用 $& \\1 {x}'));

test('alternatives are told one by one, or not at all', () => {
  const small = teller({ 'try {x}': '试 {x}', 'it copies; or not': '复制与否' });
  assert.equal(small('try a; or try b'), '试 a；或：试 b');
  assert.equal(small('try a; or leave it'), 'try a; or leave it');
  assert.equal(small('it copies; or not'), '复制与否');
});

test('sentences of the engine and the service, as they come', () => {
  assert.equal(tell("did you mean 'relu' or 'elu'?"), "你是不是想写 'relu' 或 'elu'？");
  assert.equal(tell('The program was stopped after 10 seconds.'), '程序运行 10 秒后被停止。');
  assert.equal(tell('The program was stopped after 10 seconds of its own, 31 by the clock: the machine was busy.'), '程序运行 10 秒后被停止（自身用时；实际经过 31 秒：机器繁忙）。');
  assert.equal(tell('unsqueeze(1) on the first would make (3, 1) against (4,) -> (3, 4); or unsqueeze(1) on the second would make (4, 1) against (3,) -> (4, 3)'),
    '对第一个用 unsqueeze(1)：(3, 1) 与 (4,) -> (3, 4)；或：对第二个用 unsqueeze(1)：(4, 1) 与 (3,) -> (4, 3)');
  assert.equal(tell('column 3: there is no function foo'), '第 3 列：没有函数 foo');
});

test('of errors only those that PyTorch has no words for are told', () => {
  assert.equal(message({ type: 'TimeLimit', message: 'the program ran longer than 10 seconds' }, tell), '程序运行超过 10 秒');
  assert.equal(message({ type: 'NotImplementedError', message: 'torch.stft is not supported by Backstep' }, tell), 'Backstep 不支持 torch.stft');
  assert.equal(message({ type: 'ValueError', message: 'The run was cancelled.' }, tell), 'The run was cancelled.');
});

test('each sentence of the table finds its own translation', () => {
  for (const [sentence, translation] of Object.entries(table)) {
    const fill = (/** @type {string} */ text) => text.replace(/\{(\w+)\}/g, '<$1>');
    assert.equal(tell(fill(sentence)), fill(translation));
  }
});
