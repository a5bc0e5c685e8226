// How stretches of time are written; tests/browser/test_durations.py compares thousands with Python's.

import assert from "node:assert/strict";
import { test } from "node:test";

import { durationText } from "../../../../decam/ui/components/shared/duration.js";

test("a time is written in the two units that its length deserves, halves rounded up", () => {
  const written = [
    [0, "under 0.1 s"], [0.0499, "under 0.1 s"], [0.05, "0.1 s"], [4, "4.0 s"], [9.94, "9.9 s"], [9.95, "10 s"],
    [45.5, "46 s"], [59.49, "59 s"], [59.5, "1 min 0 s"], [75, "1 min 15 s"], [3599.4, "59 min 59 s"],
    [3599.5, "1 h 0 min"], [3900, "1 h 5 min"], [86400, "24 h 0 min"],
  ];
  for (const [seconds, text] of written) assert.equal(durationText(seconds), text);
});
