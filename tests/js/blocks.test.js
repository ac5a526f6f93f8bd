import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { blocks } from '../../static/js/store/blocks.js';

/** A tensor whose cell at row-major place p is p; a server that gives slices of it. */
function scene(shape) {
  mock.timers.enable({ apis: ['setTimeout'] });
  const size = shape.reduce((a, b) => a * b, 1);
  const asked = [];
  let fails = 0;
  const load = async (slice) => {
    asked.push(slice);
    if (fails-- > 0) throw new Error('busy');
    const ranges = slice.split(',').map((range) => range.split(':').map(Number));
    let places = [0];
    ranges.forEach(([from, to], axis) => (places = places.flatMap((at) => Array.from({ length: to - from }, (_, i) => at * shape[axis] + from + i))));
    return { shape: ranges.map(([from, to]) => to - from), dtype: 'float32', data: places };
  };
  const array = { shape, dtype: 'float32', preview: [0], stats: { min: 0, max: size, mean: 0, std: 0, norm: 0 } };
  const rest = async () => {
    mock.timers.tick(200);
    for (let i = 0; i < 30; i++) await null;
  };
  return { numbers: blocks(array, load), array, asked, rest, failing: (n) => (fails = n) };
}

test.afterEach(() => mock.timers.reset());

test('what travelled is at hand', () => {
  const numbers = blocks({ shape: [2, 2], dtype: 'float32', data: [1, 2, 3, 4] }, () => assert.fail('nothing to fetch'));
  numbers.look([0, 0], [1, 1]);
  assert.equal(numbers.at([1, 0]), 3);
});

test('the blocks around what is looked at are fetched, once', async () => {
  const { numbers, asked, rest } = scene([300, 700]);
  assert.equal(numbers.at([5, 5]), undefined);
  numbers.look([120, 500], [140, 520]);
  await rest();
  assert.deepEqual(asked, ['0:128,0:512', '0:128,512:700', '128:256,0:512', '128:256,512:700']);
  for (const [r, c] of [[0, 0], [127, 511], [128, 512], [255, 699], [131, 3]]) assert.equal(numbers.at([r, c]), r * 700 + c, `${r}, ${c}`);
  assert.equal(numbers.at([256, 0]), undefined);
  numbers.look([0, 0], [20, 20]);
  await rest();
  assert.equal(asked.length, 4);
});

test('the last block ends with the tensor, vectors and more axes included', async () => {
  const vector = scene([200_000]);
  vector.numbers.look([199_990], [199_999]);
  await vector.rest();
  assert.deepEqual(vector.asked, ['196608:200000']);
  assert.equal(vector.numbers.at([199_999]), 199_999);
  mock.timers.reset();
  const cube = scene([3, 200, 200]);
  cube.numbers.look([2, 199, 199], [2, 199, 199]);
  await cube.rest();
  assert.deepEqual(cube.asked, ['2:3,0:200,0:200']);
  assert.equal(cube.numbers.at([2, 7, 9]), 2 * 40_000 + 7 * 200 + 9);
});

test('scrolling past asks for nothing', async () => {
  const { numbers, asked, rest } = scene([3000, 700]);
  for (let r = 0; r < 2000; r += 100) numbers.look([r, 0], [r + 10, 10]);
  await rest();
  assert.deepEqual(asked, ['1792:1920,0:512']);
});

test('a refusal is said, and asked again only when the reader wants it', async () => {
  const { numbers, asked, rest, failing } = scene([300, 700]);
  failing(1);
  numbers.look([0, 0], [5, 5]);
  await rest();
  assert.equal(numbers.problem.value?.message, 'busy');
  numbers.look([0, 0], [6, 6]);
  await rest();
  assert.equal(asked.length, 1); // scrolling does not ask again
  numbers.again();
  await rest();
  assert.equal(numbers.problem.value, null);
  assert.equal(numbers.at([0, 1]), 1);
});
