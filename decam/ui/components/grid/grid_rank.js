// Maps by rank: how much of a map lies below a value, equal areas of it, and the lines about them. Nothing touches the page.
// It follows ranks in decam/metrics/scales.py and decam/figures/contours.py.

import { clamp } from "./grid_draw.js";

export const AREAS = [0.05, 0.2, 0.5]; // shares of the picture that lines enclose
const SMOOTHED = 0.03; // deviation of the Gaussian before lines are drawn, as a share of the longer side
const REACH = 3; // deviations at which it is cut off

/** Values from the lowest to the highest. */
export const ordered = (field) => Float32Array.from(field).sort();

/** How many of some ordered values lie below one. */
export function below(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The share of values below each value, 0 to 1; of a signed map that of magnitudes, with the value's sign. */
export function ranksOf(field, signed) {
  const sorted = ordered(signed ? field.map(Math.abs) : field);
  const most = Math.max(sorted.length - 1, 1);
  return field.map((value) => (signed ? (Math.sign(value) * below(sorted, Math.abs(value))) / most : below(sorted, value) / most));
}

/** The share of values that are as high as this one or higher. */
export const topShare = (sorted, value) => (sorted.length - below(sorted, value)) / sorted.length;

/** The value from which on a share of the values lies. */
export const threshold = (sorted, share) => sorted[sorted.length - Math.max(1, Math.round(share * sorted.length))];

/** "top 7 %", rounded up: the highest value is in the top 1 %. */
export const topText = (share) => `top ${Math.max(1, Math.ceil(100 * share - 1e-9))} %`;

/** Fill `layer` with grey where the map is not among its highest `share`; a flat map is hidden whole. */
export function hide(layer, field, sorted, share) {
  const from = threshold(sorted, share);
  cover(layer, (i) => field[i] >= from && (share >= 1 || field[i] > sorted[0]));
}

/** Fill `layer` with grey where `shown` says no; `shown` is asked by the number of a pixel. */
export function cover(layer, shown) {
  const context = layer.getContext("2d");
  const image = context.createImageData(layer.width, layer.height);
  const out = image.data;
  for (let i = 0; 4 * i < out.length; i += 1) {
    out[4 * i] = out[4 * i + 1] = out[4 * i + 2] = 128;
    out[4 * i + 3] = shown(i) ? 0 : 255;
  }
  context.putImageData(image, 0, 0);
}

/** A field smoothed by a Gaussian, beyond whose edges its outermost values go on. */
export function smooth(field, { width, height }) {
  const deviation = SMOOTHED * Math.max(width, height);
  const reach = Math.floor(REACH * deviation + 0.5);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / deviation) ** 2));
  const total = weights.reduce((sum, each) => sum + each, 0);
  const along = (from, count, step, lines, stride) => {
    const to = new Float32Array(from.length);
    for (let line = 0; line < lines; line += 1) {
      for (let at = 0; at < count; at += 1) {
        let sum = 0;
        for (let i = -reach; i <= reach; i += 1) sum += weights[i + reach] * from[line * stride + clamp(at + i, 0, count - 1) * step];
        to[line * stride + at * step] = sum / total;
      }
    }
    return to;
  };
  return along(along(field, height, width, width, 1), width, 1, height, width);
}

/** Pieces [x0, y0, x1, y1] of the line along which a field crosses a value, between the centres of its pixels. */
export function crossings(field, { width, height }, value) {
  const pieces = [];
  for (let y = 0; y < height - 1; y += 1) {
    for (let x = 0; x < width - 1; x += 1) {
      const at = y * width + x;
      const corners = [[x, y, field[at]], [x + 1, y, field[at + 1]], [x + 1, y + 1, field[at + width + 1]], [x, y + 1, field[at + width]]];
      const points = [];
      for (let i = 0; i < 4; i += 1) {
        const [one, other] = [corners[i], corners[(i + 1) % 4]];
        if (one[2] >= value === other[2] >= value) continue;
        const share = (value - one[2]) / (other[2] - one[2]);
        points.push([one[0] + share * (other[0] - one[0]) + 0.5, one[1] + share * (other[1] - one[1]) + 0.5]);
      }
      for (let i = 0; i + 1 < points.length; i += 2) pieces.push([...points[i], ...points[i + 1]]);
    }
  }
  return pieces;
}

/** Lines about the top 5, 20 and 50 % of a map, a path each; none where the map is flat. */
export function contours(field, size) {
  const even = smooth(field, size);
  const sorted = ordered(even);
  if (sorted[sorted.length - 1] <= sorted[0]) return [];
  return AREAS.map((share) => threshold(sorted, share)).filter((value) => value > sorted[0]).map((value) => {
    const path = new Path2D();
    for (const [x0, y0, x1, y1] of crossings(even, size, value)) path.moveTo(x0, y0), path.lineTo(x1, y1);
    return path;
  });
}
