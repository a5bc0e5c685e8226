// What the grid's pixels are made of, by hand; test_grid_draw.py compares whole maps with decam/figures/overlays.py.

import assert from "node:assert/strict";
import { test } from "node:test";

import { compose, fieldOf, fileName, gradient, limitsOf, panned, valueText, zoomed } from "../../../../decam/ui/components/grid/grid_draw.js";

const TABLE = Uint8Array.from({ length: 768 }, (_, i) => (i % 3 ? 0 : i / 3)); // red says which entry was taken

/** The bytes that `compose` writes for these values. */
function drawn(field, signed, limits, view) {
  const data = new Uint8ClampedArray(4 * field.length);
  const context = { createImageData: () => ({ data }), putImageData: () => {} };
  compose({ width: field.length, height: 1, getContext: () => context }, field, signed, limits, TABLE, view);
  return Array.from({ length: field.length }, (_, i) => Array.from(data.subarray(4 * i, 4 * i + 4)));
}

test("unsigned values run through the whole table, and those beyond its ends have its ends' colours", () => {
  const reds = drawn([-1, 0, 0.5, 1, 9], false, [0, 1], "map").map(([red]) => red);
  assert.deepEqual(reds, [0, 0, 128, 255, 255]);
});

test("signed values have the middle of the table at zero, where an overlay shows the picture", () => {
  const pixels = drawn([-2, 0, 2], true, [-2, 2], "overlay");
  assert.deepEqual(pixels.map(([red]) => red), [1, 128, 255]);
  assert.deepEqual(pixels.map(([, , , alpha]) => alpha), [255, 0, 255]);
});

test("a mask hides the picture behind grey where the map is low, and a flat map shows none of it", () => {
  assert.deepEqual(drawn([0, 1], false, [0, 1], "masked"), [[128, 128, 128, 255], [128, 128, 128, 0]]);
  assert.deepEqual(drawn([3], false, [3, 3], "masked"), [[128, 128, 128, 255]]);
});

test("levels become values between the map's lowest and highest, bilinear between pixels' centres", () => {
  const field = fieldOf({ width: 2, height: 1, levels: [0, 65535] }, -1, 1, { width: 4, height: 1 });
  assert.deepEqual(Array.from(field), [-1, -0.5, 0.5, 1]);
});

test("maps that share a scale get the widest of their ends, symmetric where they are signed", () => {
  const maps = [{ low: -9, high: 2, ends: [-1, 2] }, { low: -3, high: 4, ends: [-3, 1] }, { silent: true }];
  assert.deepEqual(limitsOf(maps, false, false), [-3, 2]);
  assert.deepEqual(limitsOf(maps, true, false), [-3, 3]);
  assert.deepEqual(limitsOf(maps, false, true), [-9, 4]);
  assert.deepEqual(limitsOf(maps.slice(2), true, false), [0, 0]);
});

test("zooming keeps the place under the pointer and never shows what is beyond the picture", () => {
  assert.deepEqual(zoomed({ scale: 1, x: 0, y: 0 }, 2, 0.5, 1), { scale: 2, x: 0.25, y: 0.5 });
  assert.equal(zoomed({ scale: 8, x: 0, y: 0 }, 100, 0, 0).scale, 16);
  assert.deepEqual(panned({ scale: 2, x: -1, y: 3 }), { scale: 2, x: 0, y: 0.5 });
});

test("values are short and have a real minus, gradients and file names are what others take", () => {
  assert.deepEqual([0, -0.25, 0.0001, 123456].map((value) => valueText(value)), ["0.00", "−0.250", "1.0e−4", "1.2e+5"]);
  assert.equal(gradient(TABLE, 1), "linear-gradient(90deg,rgb(0,0,0),rgb(255,0,0))");
  assert.equal(fileName("a/b c.jpg", "Grad-CAM++", "…"), "a-b-c_Grad-CAM_image.png");
});
