// The squares of a brush: what a stroke covers, and the text that goes to the server.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Cells } from "../../../../decam/ui/components/brush/cells.js";

test("nothing covered is the empty text", () => {
  const cells = new Cells(64);
  assert.equal(cells.text(), "");
  assert.equal(cells.share(), 0);
});

test("a text gives back the squares that it was made from", () => {
  const cells = new Cells(16);
  cells.stroke([0.1, 0.2], [0.8, 0.5], 0.1, 1);
  const again = new Cells(16, 16, cells.text());
  assert.deepEqual([...again.covered], [...cells.covered]);
  assert.ok(cells.share() > 0.05 && cells.share() < 0.5);
});

test("the first square is the highest bit of the first byte", () => {
  const cells = new Cells(8);
  cells.covered[0] = 1;
  cells.covered[15] = 1;
  assert.deepEqual([...atob(cells.text())].map((letter) => letter.charCodeAt(0)), [128, 1, 0, 0, 0, 0, 0, 0]);
});

test("a stroke covers what is within its radius of the line, and the other tool uncovers it", () => {
  const cells = new Cells(20);
  const [from, to, radius] = [[0.25, 0.5], [0.75, 0.5], 0.12];
  cells.stroke(from, to, radius, 1);
  for (let at = 0; at < 400; at += 1) {
    const [x, y] = [((at % 20) + 0.5) / 20, (Math.floor(at / 20) + 0.5) / 20];
    const nearest = Math.min(Math.max(x, from[0]), to[0]);
    assert.equal(Boolean(cells.covered[at]), Math.hypot(x - nearest, y - 0.5) <= radius);
  }
  cells.stroke(from, to, radius, 0);
  assert.equal(cells.share(), 0);
});

test("a copy does not follow its original", () => {
  const cells = new Cells(4);
  const before = cells.copy();
  cells.stroke([0.5, 0.5], [0.5, 0.5], 1, 1);
  assert.equal(before.share(), 0);
  assert.equal(cells.share(), 1);
});

test("on a picture that is wider than high a stroke is as round as on a square one", () => {
  const [cells, radius] = [new Cells(20, 40), 0.15];
  cells.stroke([0.4, 0.5], [0.4, 0.5], radius, 1, 0.5);
  cells.covered.forEach((one, at) => {
    const [x, y] = [((at % 40) + 0.5) / 40, ((Math.floor(at / 40) + 0.5) / 20) * 0.5];
    assert.equal(Boolean(one), Math.hypot(x - 0.4, y - 0.25) <= radius);
  });
});

test("a region is covered whole, wherever in it one clicks, and nothing else is", () => {
  const regions = [0, 0, 1, 0, 2, 1];
  const cells = new Cells(2, 3);
  cells.region([0.1, 0.9], regions, 1);
  assert.deepEqual([...cells.covered], [1, 1, 0, 1, 0, 0]);
  cells.region([1, 1], regions, 1);
  assert.deepEqual([...cells.covered], [1, 1, 1, 1, 0, 1]);
  cells.region([0.5, 0], regions, 0);
  assert.deepEqual([...cells.covered], [0, 0, 1, 0, 0, 1]);
});
