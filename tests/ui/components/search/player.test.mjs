// The player over moments, with a clock that does as it is told and elements that only remember.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Player } from "../../../../decam/ui/components/search/player.js";
import "../../../tools/page.mjs";

let shown;
let player;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setInterval"] });
  shown = [];
  player = new Player((i) => shown.push(i), (i) => `Moment ${i}`);
});

test("who looks at the last moment goes on looking at the last one, who looks back stays", () => {
  player.setCount(3);
  player.setCount(5);
  assert.equal(player.at, 4);
  player.go(1);
  player.setCount(8);
  assert.equal(player.at, 1);
  player.setCount(9, 2);
  assert.equal(player.at, 2, "a moment that has another number now is still the one shown");
  player.setCount(1);
  assert.equal(player.at, 0);
});

test("no moment before the first or after the last is shown, and each is said", () => {
  player.setCount(3);
  for (const place of [-4, 1, 99]) player.go(place);
  assert.deepEqual(shown.slice(-3), [0, 1, 2]);
  assert.equal(player.text.textContent, "Moment 2");
  assert.equal(player.slider.attributes["aria-valuetext"], "Moment 2");
});

test("without moments nothing is shown or said, and with one there is nothing to play", () => {
  player.setCount(0);
  assert.deepEqual(shown, []);
  assert.equal(player.text.textContent, "");
  player.setCount(1);
  assert.ok(player.slider.disabled && player.button.disabled);
  player.setCount(2);
  assert.ok(!player.slider.disabled && !player.button.disabled);
});

test("playing begins again at the first, goes on at the pace that is chosen and stops at the last", () => {
  player.setCount(3);
  shown.length = 0;
  player.button.listeners.click();
  assert.equal(player.button.attributes["aria-label"], "Pause");
  mock.timers.tick(649);
  assert.deepEqual(shown, [0]);
  mock.timers.tick(1);
  assert.deepEqual(shown, [0, 1]);
  player.pace.value = "2";
  player.pace.listeners.change();
  mock.timers.tick(325);
  assert.deepEqual(shown, [0, 1, 2]);
  assert.equal(player.button.attributes["aria-label"], "Play");
  mock.timers.tick(10000);
  assert.deepEqual(shown, [0, 1, 2]);
});

test("a hand on the slider stops the playing where it is put", () => {
  player.setCount(9);
  player.play();
  player.slider.value = "4";
  player.slider.listeners.input();
  mock.timers.tick(10000);
  assert.equal(player.at, 4);
  assert.equal(player.timer, undefined);
});
