import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { Session } from '../../static/js/store/session.js';
import { create } from '../../static/js/store/ui.js';
import { Player } from '../../static/js/timeline/player.js';
import { TRACE, WINDOW } from './sample.js';

globalThis.localStorage ??= { getItem: () => null, setItem: () => {} };
globalThis.document ??= { hidden: false };

/** A run of four steps; only the first is recorded, the others are had on demand, `quiet` without a word about w. */
function scene(quiet = -1) {
  const briefs = [1, 2, 3].map((index) => ({ kind: 'step', seq: 20 + index, index, loss: 3 }));
  const asked = [];
  const client = {
    step: async (id, step) => {
      asked.push(step);
      return step === quiet ? WINDOW.filter((event) => event.tensor !== 1 && !event.tensors?.includes(1) && event.op !== 'mul') : WINDOW;
    },
  };
  const ui = create(new URLSearchParams());
  const session = new Session(client, ui);
  session.show([...TRACE.slice(0, 21), ...briefs, { kind: 'end', seq: 30, status: 'ok' }]);
  return { ui, session, asked, player: new Player(session, ui), at: () => [session.moment.value.step, session.moment.value.event?.kind] };
}

test('the next event of a tensor may be in the next step, which is fetched', async () => {
  const { ui, player, at, asked } = scene();
  ui.event.value = 18; // gradients cleared: the last of w
  assert.equal(await player.touch('t1', 1), true);
  assert.deepEqual(at(), [1, 'forward']);
  assert.ok(asked.includes(1));
  assert.equal(await player.touch('t1', -1), true);
  assert.deepEqual(at(), [0, 'zero']);
});

test('a step that says nothing of the tensor is passed over', async () => {
  const { ui, player, at } = scene(1);
  ui.event.value = 18;
  assert.equal(await player.touch('t1', 1), true);
  assert.deepEqual(at(), [2, 'forward']);
});

test('a step whose events are still on their way is waited for', async () => {
  const { ui, player, at } = scene();
  ui.step.value = 3;
  ui.event.value = 0;
  assert.equal(await player.touch('t1', -1), true);
  assert.deepEqual(at(), [2, 'zero']);
});

test('where there is no further event the cursor stays', async () => {
  const { ui, player, at } = scene();
  ui.event.value = 0;
  assert.equal(await player.touch('t1', -1), false);
  assert.deepEqual(at(), [0, 'forward']);
  assert.equal(await player.touch('no such card', 1), false);
  assert.equal(at()[0], 0);
});

test('playing goes one unit a beat, over the edge of a step, and stops at the end', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  const { ui, player, at, session } = scene();
  ui.event.value = 0;
  ui.speed.value = 4;
  ui.unit.value = 'event';
  player.toggle();
  mock.timers.tick(250 * 3);
  assert.equal(session.moment.value.index, 3);
  ui.unit.value = 'step';
  mock.timers.tick(250 * 2);
  assert.equal(at()[0], 2);
  mock.timers.tick(250 * 9);
  assert.equal(at()[0], 3);
  assert.equal(player.playing.value, false);
  mock.timers.reset();
});

test('another speed counts from the next beat', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  const { ui, player, session } = scene();
  ui.event.value = 0;
  ui.speed.value = 1;
  ui.unit.value = 'event';
  player.toggle();
  mock.timers.tick(1000);
  const before = session.moment.value.index;
  ui.speed.value = 8;
  mock.timers.tick(500);
  assert.equal(session.moment.value.index, before + 4);
  player.pause();
  mock.timers.reset();
});
