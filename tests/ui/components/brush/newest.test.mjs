// A fast brush and a slow model, on a clock of the test's own.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Newest } from "../../../../decam/ui/components/brush/newest.js";

function setting(pause = 100, patience = 1000) {
  const state = { time: 0, due: [], sent: [] };
  const clock = {
    now: () => state.time,
    later: (act, ms) => (state.due.push({ act, at: state.time + ms }), state.due.at(-1)),
    never: (timer) => (state.due = state.due.filter((one) => one !== timer)),
  };
  const pass = (ms) => {
    state.time += ms;
    const ripe = state.due.filter(({ at }) => at <= state.time);
    state.due = state.due.filter(({ at }) => at > state.time);
    ripe.forEach(({ act }) => act());
  };
  return { state, pass, newest: new Newest((one) => state.sent.push(one), pause, patience, clock) };
}

test("while an answer is awaited nothing is asked, and then only what is newest", () => {
  const { state, pass, newest } = setting();
  for (const cover of ["a", "b", "c", "d"]) newest.tell(cover, false), pass(150);
  assert.deepEqual(state.sent, ["a"]);
  newest.heard("a");
  assert.deepEqual(state.sent, ["a", "d"]);
  newest.heard("d");
  pass(5000);
  assert.deepEqual(state.sent, ["a", "d"]);
});

test("the end of a stroke hurries, but does not overtake the answer that is awaited", () => {
  const { state, pass, newest } = setting();
  newest.tell("a", false);
  newest.heard("a");
  newest.tell("b", false);
  assert.deepEqual(state.sent, ["a"]);
  newest.tell("c", true);
  assert.deepEqual(state.sent, ["a", "c"]);
  newest.tell("d", true);
  pass(500);
  assert.deepEqual(state.sent, ["a", "c"]);
  newest.heard("c");
  assert.deepEqual(state.sent, ["a", "c", "d"]);
});

test("without a hurry questions keep their distance", () => {
  const { state, pass, newest } = setting();
  newest.tell("a", false);
  newest.heard("a");
  pass(60);
  newest.tell("b", false);
  assert.deepEqual(state.sent, ["a"]);
  pass(40);
  assert.deepEqual(state.sent, ["a", "b"]);
});

test("the answer to something else is not the one awaited, and a lost answer does not stop the brush", () => {
  const { state, pass, newest } = setting();
  newest.tell("a", false);
  newest.tell("b", false);
  newest.heard("something older");
  assert.deepEqual(state.sent, ["a"]);
  pass(1000);
  assert.deepEqual(state.sent, ["a", "b"]);
});

test("what has been asked is not asked again, but an older cover may be, when one goes back to it", () => {
  const { state, newest } = setting();
  newest.tell("a", true);
  newest.heard("a");
  newest.tell("a", true);
  assert.deepEqual(state.sent, ["a"]);
  newest.tell("b", true);
  newest.tell("a", true);
  newest.heard("b");
  assert.deepEqual(state.sent, ["a", "b", "a"]);
});
