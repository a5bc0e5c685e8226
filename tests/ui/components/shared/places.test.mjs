// Places in a picture: where a pointer is, and where an arrow key leads.

import assert from "node:assert/strict";
import { test } from "node:test";

import { movedBy, placeIn } from "../../../../decam/ui/components/shared/places.js";

const node = { getBoundingClientRect: () => ({ left: 100, top: 50, width: 200, height: 80 }) };

test("a pointer is at its share of the width and the height", () => {
  assert.deepEqual(placeIn(node, { clientX: 150, clientY: 70 }), [0.25, 0.25]);
});

test("a pointer beyond an edge is on the edge", () => {
  assert.deepEqual(placeIn(node, { clientX: 10, clientY: 500 }), [0, 1]);
});

test("an arrow key moves a place by a step along its axis, and not beyond the edge", () => {
  assert.deepEqual(movedBy("ArrowRight", [0.5, 0.5], 0.25), [0.75, 0.5]);
  assert.deepEqual(movedBy("ArrowUp", [0.5, 0.5], 0.25), [0.5, 0.25]);
  assert.deepEqual(movedBy("ArrowLeft", [0.125, 0.5], 0.25), [0, 0.5]);
  assert.deepEqual(movedBy("ArrowDown", [0.5, 1], 0.25), [0.5, 1]);
});

test("another key leads nowhere", () => {
  assert.equal(movedBy("Enter", [0.5, 0.5], 0.25), null);
});
