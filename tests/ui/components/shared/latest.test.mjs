// What is loaded again and again for one view: late, failed, and no longer wanted.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import brush from "../../../../decam/ui/components/brush/brush.js";
import truth from "../../../../decam/ui/components/ground_truth/truth.js";
import point from "../../../../decam/ui/components/learn/point.js";
import { Latest } from "../../../../decam/ui/components/shared/latest.js";
import { FakeElement } from "../../../tools/page.mjs";

let asked;
let taken;
let latest;

beforeEach(() => {
  asked = [];
  taken = [];
  latest = new Latest();
  mock.method(console, "debug", () => {});
});

/** Ask for something; whoever calls `answer` or `fail` decides how it ends. */
function ask(key) {
  const one = { key };
  const loading = new Promise((resolve, reject) => Object.assign(one, { answer: resolve, fail: reject }));
  const load = (fresh) => (asked.push(Object.assign(one, { fresh })), loading);
  one.ended = latest.fetch(key, load, (found) => taken.push(found));
  return one;
}

test("what is there or on its way is not asked for again", async () => {
  const first = ask("a");
  ask("a");
  first.answer("A");
  await first.ended;
  ask("a");
  assert.deepEqual([asked.length, taken], [1, ["A"]]);
});

test("what comes after something else is wanted is not taken, however it ends", async () => {
  const [first, second, third] = ["a", "b", "c"].map(ask);
  assert.deepEqual(asked.map(({ fresh }) => fresh()), [false, false, true]);
  third.answer("C");
  first.answer("A");
  second.fail(new Error("late"));
  await Promise.all([first, second, third].map(({ ended }) => ended));
  ask("c");
  assert.deepEqual([asked.length, taken], [3, ["C"]]);
});

test("what is forgotten on its way is not taken, and is asked for again", async () => {
  const first = ask("a");
  latest.forget();
  first.answer("old");
  await first.ended;
  assert.deepEqual(taken, []);
  const second = ask("a");
  second.answer("A");
  await second.ended;
  assert.deepEqual([asked.length, taken], [2, ["A"]]);
});

test("only what has failed gives false", async () => {
  const [first, second] = ["a", "b"].map(ask);
  first.fail(new Error("gone"));
  second.answer("B");
  assert.deepEqual(await Promise.all([first.ended, second.ended, latest.fetch("b")]), [false, true, true]);
});

test("what has failed is asked for with the next look, and nobody has to catch that", async () => {
  const first = ask("a");
  first.fail(new Error("gone"));
  await first.ended;
  const second = ask("a");
  second.answer("A");
  await second.ended;
  assert.deepEqual(taken, ["A"]);
});

const SHOWN = {
  brush: [brush, { name: "b", rows: 2, columns: 2, cells: "", filling: "data:,", label: "cat", share: 0, answers: [{ label: "cat", value: 1, before: 1 }], rival: { title: "Map", value: 1 }, notes: [] }],
  truth: [truth, { mask: null, outlines: [] }],
  point: [point, { alt: "A cat", place: null, follows: false }],
};

for (const [name, [show, data]] of Object.entries(SHOWN)) {
  test(`a picture that has failed once is asked for again by the next update of ${name}`, async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    const pictures = [];
    globalThis.Image = class {
      constructor() {
        pictures.push(this);
      }

      decode() {
        return Promise.reject(new Error("gone"));
      }
    };
    const parentElement = new FakeElement();
    const counts = [];
    for (let look = 0; look < 2; look += 1) {
      show({ parentElement, data: { ...data, view: "data:,view" }, setStateValue() {} });
      for (let wait = 0; wait < 12; wait += 1) {
        for (let turn = 0; turn < 10; turn += 1) await null;
        mock.timers.tick(500);
      }
      counts.push(pictures.length);
    }
    assert.ok(counts[0] > 0);
    assert.equal(counts[1], 2 * counts[0]);
    mock.timers.reset();
  });
}
