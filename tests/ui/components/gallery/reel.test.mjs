// The way to a class's map: which moments are kept, what its curve shows, and what a map is worth in words.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  heightOf, MOMENTS, Reel, spanOf, sparkPath, strengths, valueAt, worthText,
} from "../../../../decam/ui/components/gallery/reel.js";

function filled(count) {
  const reel = new Reel();
  for (let i = 0; i < count; i += 1) reel.add({ at: i });
  return reel;
}

test("however many moments come, few are kept, the first and the last among them, evenly", () => {
  for (const count of [1, 2, MOMENTS, MOMENTS + 1, 97, 1000]) {
    const places = filled(count).frames.map(({ at }) => at);
    assert.ok(places.length <= MOMENTS, `${count}`);
    assert.equal(places[0], 0);
    assert.equal(places.at(-1), count - 1);
    const gaps = places.slice(1, -1).map((place, i) => place - places[i]);
    assert.ok(new Set(gaps).size <= 1, `${count}: ${gaps}`);
  }
});

test("a share of the way leads to the moment nearest to it", () => {
  const reel = filled(11);
  assert.deepEqual([0, 0.1, 0.46, 1].map((share) => reel.at(share).at), [0, 1, 5, 10]);
  assert.equal(new Reel().at(0.5), null);
  reel.clear();
  assert.equal(reel.at(1), null);
});

test("the value at a moment is the last one that had been reported by then", () => {
  const points = [[10, 0.1], [20, null], [30, 0.4]];
  assert.deepEqual([5, 10, 25, 30, 99].map((at) => valueAt(points, at)), [null, 0.1, 0.1, 0.4, 0.4]);
});

test("a curve spans its width and stays inside its height", () => {
  assert.equal(sparkPath([[0, 0], [50, 0.5], [100, 1]], 100, 72, 20, 0, 1), "M0.0 20.0L36.0 10.0L72.0 0.0");
  assert.equal(sparkPath([[0, 0.3]], 9, 72, 20, 0, 1), "", "one point is no curve");
  assert.equal(sparkPath([[0, null], [3, null]], 3, 72, 20, 0, 1), "");
  assert.equal(sparkPath([[0, 0], [50, 1]], 100, 72, 20, 0, 1), "M0.0 20.0L36.0 0.0", "half of the way is half of the width");
  assert.deepEqual([-5, 7].map((value) => heightOf(value, 20, 0, 1)), [20, 0]);
  assert.equal(heightOf(3, 20, 3, 3), 10, "a flat curve lies in the middle");
});

test("a probability's curve goes from 0 to 1, an activation's over all its values", () => {
  const worth = { fidelity: 5, baseline: -1, control: 0.5 };
  assert.deepEqual(spanOf([[0, 2]], worth, false), [0, 1]);
  assert.deepEqual(spanOf([[0, 7], [1, null]], worth, true), [-1, 7]);
  assert.deepEqual(spanOf([], null, true), [0, 1]);
});

test("a probability has two places, an activation three digits, and what is not known a dash", () => {
  assert.equal(worthText(0.974, false), "0.97");
  assert.equal(worthText(-0.5, true), "−0.500");
  assert.equal(worthText(null, false), "–");
});

test("the magnitude is the norm over the colours about grey", () => {
  const [zero, strong] = strengths([127, 128, 127, 255, 255, 0, 127, 255]);
  assert.ok(Math.abs(zero - Math.hypot(0.5, 0.5, 0.5)) < 1e-6);
  assert.ok(Math.abs(strong - Math.hypot(127.5, 127.5, 0.5)) < 1e-4);
});
