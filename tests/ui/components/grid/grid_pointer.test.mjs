// The pointers on the pictures: what they hold, and what they let go.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Pointers } from "../../../../decam/ui/components/grid/grid_pointer.js";

const plate = {
  canvas: { getBoundingClientRect: () => ({ left: 0, top: 0, width: 100, height: 100 }) },
  frame: { setPointerCapture() {} },
};
const at = (clientX, clientY, buttons) => ({
  ...{ pointerId: 1, pointerType: "mouse", button: 0, target: { closest: () => null } },
  ...{ clientX, clientY, buttons },
});
let done;
let pointers;

beforeEach(() => {
  done = [];
  const grid = {
    zoom: { scale: 4, x: 0.3, y: 0.3 },
    point: (_, place) => done.push(place ? "points" : "points nowhere"),
    setZoom: () => done.push("pulls"),
  };
  pointers = new Pointers(grid);
});

test("a press that moves pulls the zoomed picture until it is lifted, and then points", () => {
  pointers.press(at(50, 50, 1), plate);
  pointers.move(at(60, 50, 1), plate);
  pointers.lift(at(60, 50, 0));
  pointers.move(at(70, 50, 0), plate);
  assert.deepEqual(done, ["points nowhere", "pulls", "points"]);
});

test("a mouse that was released outside, where nobody heard it, only points when it comes back", () => {
  pointers.press(at(98, 50, 1), plate);
  pointers.move(at(20, 50, 0), plate);
  pointers.move(at(60, 50, 0), plate);
  assert.deepEqual(done, ["points", "points"]);
  assert.equal(pointers.held.size, 0);
});
