// Where a cell comes from, against PyTorch's Jacobians: the same cells, the same weights, the same sums.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { count, decode, flat, unflat } from '../../static/js/model/arrays.js';
import { gradientOrigin, valueOrigin } from '../../static/js/model/cells.js';
import { graph } from '../../static/js/model/graph.js';
import { replay } from '../../static/js/model/reduce.js';

const { cases } = JSON.parse(readFileSync(new URL('../golden/torch/origins.json', import.meta.url), 'utf8'));

/** Ops whose cells depend on others in a way that has no addends: their gradient is one number. */
const ROWS = /var|std|prod|logsumexp|norm|softmax|cumprod|glu|mse_loss|smooth_l1|huber|cross_entropy/;

const close = (a, b, size, what) => assert.ok(Math.abs(a - b) <= 2e-5 * Math.max(size, Math.abs(a), Math.abs(b)) + 1e-6, `${what}: ${a}, not ${b}`);

for (const { expression, events, elementwise, jacobian } of cases) {
  const structure = graph(events);
  const scene = { graph: structure, state: replay(events), window: { index: 0, events, closed: true } };
  const ops = Object.fromEntries(Object.entries(elementwise).map(([name, is]) => [name, { elementwise: is }]));
  const r = [...structure.cards.values()].find((card) => card.name === 'r');
  const leaves = Object.fromEntries(Object.keys(jacobian).map((name) => [name, [...structure.cards.values()].find((card) => card.name === name)]));
  const direct = (name) => structure.edges.filter((edge) => edge.from === leaves[name]?.key).every((edge) => edge.to === r.first);
  const result = decode(scene.state.tensors[r.tensor].value).values;

  test(`what makes the cells of ${expression}`, () => {
    for (let o = 0; o < count(r.shape); o++) {
      const found = valueOrigin(scene, r, unflat(r.shape, o), ops);
      assert.ok(found && found.how !== 'unknown' && found.rest === 0, `cell ${o}: ${found?.how}, ${found?.rest}`);
      assert.equal(found.total, result[o]);
      if (found.how === 'sum') close(found.terms.reduce((sum, term) => sum + term.product, 0), result[o], 1, `cell ${o}`);
      if (found.how === 'pick') assert.ok(found.terms.every((term) => Object.is(Math.fround(term.product), Math.fround(result[o]))), `cell ${o}`);
      for (const name of Object.keys(jacobian).filter(direct)) {
        const mine = found.terms.flatMap((term) => term.sources).filter((source) => source.key === leaves[name].key);
        const cells = [...new Set(mine.map((source) => flat(leaves[name].shape, source.index)))].sort((a, b) => a - b);
        const wanted = jacobian[name][o].map(([i]) => i);
        if (found.how !== 'row' || ROWS.test(expression)) assert.deepEqual(cells, wanted, `cell ${o} of ${name}`);
        else assert.ok(wanted.every((i) => cells.includes(i)), `cell ${o} of ${name}`);
      }
    }
  });

  test(`what adds up to the gradients of ${expression}`, () => {
    for (const name of Object.keys(jacobian).filter((each) => leaves[each] && direct(each))) {
      for (let i = 0; i < count(leaves[name].shape); i++) {
        const found = gradientOrigin(scene, leaves[name], unflat(leaves[name].shape, i), ops);
        const ways = jacobian[name].flatMap((row, o) => row.filter(([at]) => at === i).map(([, weight]) => ({ o, product: (o + 1) * weight })));
        const size = ways.reduce((most, way) => Math.max(most, Math.abs(way.product)), 0);
        close(found.total, ways.reduce((sum, way) => sum + way.product, 0), size, `cell ${i} of ${name}`);
        close(found.terms.reduce((sum, term) => sum + term.product, 0), found.total, size, `addends of cell ${i} of ${name}`);
        if (ROWS.test(expression) || !ways.length) continue;
        const told = found.terms.map((term) => ({ o: flat(r.shape, term.sources[0].index), product: term.product })).sort((a, b) => a.o - b.o);
        assert.deepEqual(told.map((way) => way.o), ways.map((way) => way.o), `cells behind cell ${i} of ${name}`);
        told.forEach((way, n) => close(way.product, ways[n].product, size, `addend ${n} of cell ${i} of ${name}`));
      }
    }
  });
}

test('an op that is not known says so', () => {
  const { events } = cases.find((each) => each.expression === 'x.sort(1)[0]');
  const renamed = events.map((event) => (event.op ? { ...event, op: 'some_future_op' } : event));
  const structure = graph(renamed);
  const scene = { graph: structure, state: replay(renamed), window: { index: 0, events: renamed, closed: true } };
  const r = [...structure.cards.values()].find((card) => card.name === 'r');
  const { how, terms, op } = valueOrigin(scene, r, [0, 0], {});
  assert.deepEqual([how, terms, op], ['unknown', [], 'some_future_op']);
});
