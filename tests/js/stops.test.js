import assert from 'node:assert/strict';
import test from 'node:test';
import { advance, find, stops } from '../../static/js/timeline/stops.js';
import { WINDOW } from './sample.js';

const list = stops(WINDOW);

test('a stop is an event that a learner must see', () => {
  assert.deepEqual(list.map((stop) => stop.event.kind), ['forward', 'forward', 'seed', 'ready', 'contribute', 'ready', 'contribute', 'accumulate', 'update', 'zero', 'print']);
});

test('a name belongs to the operation before it', () => {
  assert.equal(WINDOW[list[0].until].kind, 'bind');
});

test('arithmetic inside an update by hand is no stop of its own', () => {
  assert.equal(list.filter((stop) => stop.event.kind === 'forward').length, 2);
});

test('a position between two stops shows the earlier one', () => {
  assert.equal(list[find(list, list[1].at + 1)], list[1]);
  assert.equal(find(list, 1e9), list.length - 1);
  assert.equal(find(list, 0), 0);
});

test('playing by line goes to the next line, by phase to the next phase', () => {
  assert.equal(list[advance(list, 2, 1, 'line')].event.kind, 'update');
  assert.equal(list[advance(list, 0, 1, 'backward')].event.kind, 'seed');
  assert.equal(advance(list, list.length - 1, 1, 'event'), -1);
  assert.equal(advance(list, 0, 1, 'step'), -1);
});
