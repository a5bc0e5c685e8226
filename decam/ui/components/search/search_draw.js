// Pixels of the search: generations decoded, coarse grids coloured, and the pictures that a mask shows or hides.

import { clamp, neighbours, NEUTRAL, outline, readable, sheet } from "../grid/grid_draw.js";
import { bytesFrom } from "../shared/component.js";

export const GREY = [128, 128, 128];
export const SHOWN_SHARE = 0.25; // what a small mask shows of the picture, where ranking is what counts

/** A generation as it was sent, with its grids as numbers. */
export function decoded(sent, [rows, columns]) {
  const cells = rows * columns;
  const whole = new Uint16Array(bytesFrom(sent.grids).buffer);
  const unit = (sent.high - sent.low) / 65535;
  const grid = (i) => Float32Array.from(whole.subarray(i * cells, (i + 1) * cells), (value) => sent.low + unit * value);
  const { individuals, others, trials } = sent;
  const grids = Array.from({ length: individuals + others + trials }, (_, i) => grid(i));
  const bits = bytesFrom(sent.crossed);
  const crossed = Array.from({ length: trials }, (_, i) =>
    Uint8Array.from({ length: cells }, (_, j) => (bits[(i * cells + j) >> 3] >> (7 - ((i * cells + j) & 7))) & 1),
  );
  const pool = grids.slice(0, individuals + others);
  const targets = grids.slice(0, individuals);
  const mutants = grids.slice(individuals + others);
  const made = mutants.map((mutant, i) => mutant.map((value, j) => (crossed[i][j] ? value : targets[i][j])));
  const population = targets.map((target, i) => (sent.accepted[i] ? made[i] : target));
  const fitness = sent.before.map((value, i) => (sent.accepted[i] ? sent.after[i] : value));
  const best = fitness.reduce((top, value, i) => (value > fitness[top] ? i : top), 0);
  return { ...sent, pool, targets, mutants, crossed, made, population, fitness, best };
}

/** Coarse values at a picture's size, bilinear between cell centres. */
export function smooth(values, /** @type {number[]} */ [rows, columns], width, height) {
  const across = neighbours(columns, width);
  const down = neighbours(rows, height);
  const out = new Float32Array(width * height);
  for (let y = 0, at = 0; y < height; y += 1) {
    const [top, bottom, v] = [down.first[y] * columns, down.second[y] * columns, down.weight[y]];
    for (let x = 0; x < width; x += 1, at += 1) {
      const [left, right, u] = [across.first[x], across.second[x], across.weight[x]];
      const above = values[top + left] * (1 - u) + values[top + right] * u;
      const below = values[bottom + left] * (1 - u) + values[bottom + right] * u;
      out[at] = above * (1 - v) + below * v;
    }
  }
  return out;
}

/** How visible each pixel is, 0 to 1, when the first share is kept or removed; a share of 0 is the field itself. */
export function visibility(field, ascending, share, keeps) {
  if (share === 0) return field.map((value) => (keeps ? clamp(value, 0, 1) : 1 - clamp(value, 0, 1)));
  const threshold = ascending[field.length - Math.round(share * field.length)];
  return field.map((value) => (value >= threshold === keeps ? 1 : 0));
}

/**
 * The connected regions among visible pixels (1 where visible): each pixel's region from 1, 0 where hidden, and how many
 * there are. Pixels touch by their sides.
 */
export function regionsOf(visible, width) {
  const region = new Uint16Array(visible.length);
  let count = 0;
  for (let first = 0; first < visible.length; first += 1) {
    if (!visible[first] || region[first]) continue;
    count += 1;
    region[first] = count;
    const open = [first];
    while (open.length) {
      const at = open.pop() ?? 0;
      const x = at % width;
      for (const [next, there] of /** @type {[number, boolean][]} */ ([
        [at - 1, x > 0], [at + 1, x < width - 1], [at - width, at >= width], [at + width, at + width < visible.length],
      ])) {
        if (there && visible[next] && !region[next]) {
          region[next] = count;
          open.push(next);
        }
      }
    }
  }
  return { region, count };
}

/** A picture, dimmed where it is hidden, with a line around what is visible (1, on a grid of rows × columns). */
export function outlined(canvas, image, visible, /** @type {number[]} */ [rows, columns]) {
  const context = canvas.getContext("2d");
  const [across, down] = [canvas.width / columns, canvas.height / rows];
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  context.setTransform(across, 0, 0, down, 0, 0);
  context.fillStyle = "rgba(0, 0, 0, 0.55)";
  for (let at = 0; at < visible.length; at += 1) if (!visible[at]) context.fillRect(at % columns, Math.floor(at / columns), 1, 1);
  const path = outline({ width: columns, height: rows, levels: Array.from(visible, (kept) => 65535 * kept) });
  /** @type {[string, number][]} */
  const strokes = [["rgba(0, 0, 0, 0.7)", 5], ["#fff", 2.2]];
  for (const [style, width] of strokes) {
    Object.assign(context, { strokeStyle: style, lineWidth: width / across, lineCap: "square" });
    context.stroke(path);
  }
}

/** Draw `over` where it is visible and `under` elsewhere; both are pixels of the canvas's size, under may be a colour. */
export function blend(canvas, over, under, visible) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const flat = under.length === 3;
  for (let i = 0; i < visible.length; i += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const at = 4 * i + channel;
      const hidden = flat ? under[channel] : under[at];
      image.data[at] = hidden + visible[i] * (over[at] - hidden);
    }
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** An image's pixels at some size. */
export function pixelsOf(image, width, height) {
  const context = readable(sheet(width, height));
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

/** A coarse grid in colour, one pixel a cell: between two limits, or about zero where they are symmetric. */
export function colourGrid(canvas, values, /** @type {number[]} */ [rows, columns], /** @type {number[]} */ [low, high], table, signed) {
  Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  values.forEach((value, i) => {
    const unit = high > low ? clamp((value - low) / (high - low), 0, 1) : 0.5;
    const entry = 3 * Math.round(signed ? NEUTRAL + 127 * (2 * unit - 1) : 255 * unit);
    image.data.set([table[entry], table[entry + 1], table[entry + 2], 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

/** The same large enough to draw on, with a line around the cells that were taken from the mutant. */
export function colourCrossed(canvas, values, shape, limits, table, crossed) {
  const [rows, columns] = shape;
  const coarse = sheet(columns, rows);
  colourGrid(coarse, values, shape, limits, table, false);
  const scale = Math.max(8, Math.round(224 / columns));
  Object.assign(canvas, { width: columns * scale, height: rows * scale });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(coarse, 0, 0, canvas.width, canvas.height);
  const path = outline({ width: columns, height: rows, levels: Array.from(crossed, (taken) => 65535 * taken) });
  context.setTransform(scale, 0, 0, scale, 0, 0);
  /** @type {[string, number][]} */
  const strokes = [["rgba(0, 0, 0, 0.7)", 7], ["#fff", 3.5]];
  for (const [style, width] of strokes) {
    Object.assign(context, { strokeStyle: style, lineWidth: width / scale, lineCap: "square" });
    context.stroke(path);
  }
}
