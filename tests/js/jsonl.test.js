import assert from 'node:assert/strict';
import test from 'node:test';
import { Client, Problem } from '../../static/js/api/client.js';
import { drain } from '../../static/js/api/jsonl.js';

const body = (...chunks) => new ReadableStream({
  start(controller) {
    for (const chunk of chunks) controller.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk);
    controller.close();
  },
});
const now = (then) => then();

test('lines cut anywhere come out whole', async () => {
  const got = [];
  await drain(body('{"a":1}\n{"a"', ':2}\n', '{"a":3}'), (items) => got.push(...items), { frame: now });
  assert.deepEqual(got.map((item) => item.a), [1, 2, 3]);
});

test('a letter cut in the middle of its bytes comes out whole', async () => {
  const bytes = new TextEncoder().encode('{"a":"梯"}\n');
  const got = [];
  await drain(body(bytes.slice(0, 7), bytes.slice(7)), (items) => got.push(...items), { frame: now });
  assert.equal(got[0].a, '梯');
});

test('what arrives within a frame is handed over at once', async () => {
  const batches = [];
  await drain(body('1\n2\n3\n'), (items) => batches.push(items), { frame: () => {} });
  assert.deepEqual(batches, [[1, 2, 3]]);
});

test('a refusal carries the server’s words', async () => {
  const client = new Client('/api', async () => new Response(JSON.stringify({ title: 'Too large', detail: 'programs end at 64 KiB', hint: 'less' }), { status: 413 }));
  await assert.rejects(client.run({ code: '' }, () => {}), (error) => error instanceof Problem && error.status === 413 && error.message === 'programs end at 64 KiB' && error.hint === 'less');
});

test('no network is a problem of status 0', async () => {
  const client = new Client('/api', async () => { throw new TypeError('failed'); });
  await assert.rejects(client.ops(), (error) => error instanceof Problem && error.status === 0);
});

test('a step given up halfway is an error, never a step in which little happened', async () => {
  const control = new AbortController();
  globalThis.document ??= { hidden: true };
  const halfway = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"kind":"leaf"}\n'));
      setTimeout(() => control.abort());
    },
  });
  const client = new Client('', async () => new Response(halfway));
  await assert.rejects(client.step('run', 3, control), { name: 'AbortError' });
});
