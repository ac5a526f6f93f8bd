import assert from 'node:assert/strict';
import test from 'node:test';
import { search } from '../../static/js/components/finder.js';
import { graph } from '../../static/js/model/graph.js';
import { WINDOW } from './sample.js';

const found = (query) => search(graph(WINDOW), query).map((card) => card.label);

test('names come first, then what the words occur in', () => {
  assert.deepEqual(found('w'), ['w', 'y']);
  assert.deepEqual(found('MulBackward'), ['y']);
  assert.deepEqual(found('(2,)'), ['x', 'y']);
});

test('nothing is found for nothing', () => assert.deepEqual([found(''), found('nowhere')], [[], []]));
