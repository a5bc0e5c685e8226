// The scales of the charts: limits with room, and round values between them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Charts, reach, short, ticks } from "../../../../decam/ui/components/charts/chart.js";
import { FakeElement } from "../../../tools/page.mjs";

const near = (given, wanted) => {
  assert.equal(given.length, wanted.length, `${given}`);
  given.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-9, `${given}`));
};

test("ticks are round, and the limits themselves are among them where they are round", () => {
  near(ticks(0, 1, 4), [0, 0.5, 1]);
  near(ticks(0, 1000, 4), [0, 500, 1000]);
  near(ticks(-0.04, 1.04, 4), [0, 0.5, 1]);
  near(ticks(0, 100, 5), [0, 20, 40, 60, 80, 100]);
  near(ticks(-3, 3, 6), [-3, -2, -1, 0, 1, 2, 3]);
});

test("ticks lie between the limits, equally far apart by 1, 2 or 5 times a power of ten, and are never too many", () => {
  for (let i = 1; i < 400; i += 1) {
    const [low, width, count] = [100 * Math.sin(i), 10 ** (6 * Math.sin(7 * i)), 2 + (i % 9)];
    const found = ticks(low, low + width, count);
    assert.ok(found.length <= count + 1, `${low} ${width} ${count}: ${found}`);
    assert.ok(found.every((value) => value >= low - 1e-8 * width && value <= low + 1.00000001 * width));
    if (found.length < 2) continue;
    const step = (found.at(-1) - found[0]) / (found.length - 1);
    assert.ok(["1", "2", "5"].includes(step.toExponential(4)[0]), `${step}`);
  }
});

test("limits leave room around values, overlook gaps and are never empty", () => {
  near(reach([0, null, 1]), [-0.04, 1.04]);
  near(reach([5]), [4.8, 5.2]);
  near(reach([0, 0]), [-0.04, 0.04]);
  near(reach([]), [0, 1]);
  near(reach([null]), [0, 1]);
});

test("numbers on a chart have three digits", () => {
  assert.deepEqual([0, 0.5, 1234.5, 1 / 3, -20000].map(short), ["0", "0.5", "1,230", "0.333", "-20,000"]);
});

test("who hears a chart hears values in three digits and evaluations in all of theirs", () => {
  document.createElement = () => Object.assign(new FakeElement(), { clientWidth: 300 });
  const charts = new Charts();
  const series = [{ title: "Best", colour: "#000", values: [0.1, 0.98765] }];
  charts.update({ groups: [{ title: "Fitness", help: "", series, share: false }], places: [7, 12345], limits: [0, 20000], stop: 1236 });
  const label = charts.parts[0].canvas.attributes["aria-label"];
  assert.equal(label, "Best 0.988 at 12,345 evaluations; could have stopped at 1,236");
});
