// A cell's canvas under maps of several sizes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Plate } from "../../../../decam/ui/components/grid/grid_cells.js";
import "../../../tools/page.mjs";

test("a map of another size gets a canvas of its size, and one of the same size goes on with the one that is there", () => {
  const row = { data: { width: 4, height: 2 } };
  const plate = Object.assign(new Plate({ listen() {} }, row), { data: { ends: [0, 1], silent: false } });
  const grey = { width: 1, height: 1, levels: [0] };
  plate.take(grey, 0, 1);
  const first = plate.layer;
  assert.deepEqual([first.width, first.height, plate.field.length], [4, 2, 8]);
  plate.take(grey, 0, 1);
  assert.equal(plate.layer, first);
  for (const [width, height] of [[2, 4], [2, 3], [5, 3]]) {
    row.data = { width, height };
    plate.take(grey, 0, 1);
    assert.deepEqual([plate.layer.width, plate.layer.height], [width, height]);
  }
  plate.take(null, 0, 1);
  assert.equal(plate.layer, null);
});
