// Coarse grids fitted to a picture's edges, as the search reads them: the fast guided filter of decam/methods/guided.py.

import { smooth } from "./search_draw.js";

/** Output pixel i of `to` is the mean of the input pixels from first[i] up to last[i] of `from`. */
function areas(from, to) {
  const first = new Uint16Array(to);
  const last = new Uint16Array(to);
  for (let i = 0; i < to; i += 1) {
    first[i] = Math.floor((i * from) / to);
    last[i] = Math.ceil(((i + 1) * from) / to);
  }
  return { first, last };
}

/** A plane scaled down by the mean over areas. */
function shrunk(plane, /** @type {number[]} */ [rows, columns], /** @type {number[]} */ [height, width]) {
  const [down, across] = [areas(rows, height), areas(columns, width)];
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      let sum = 0;
      for (let v = down.first[y]; v < down.last[y]; v += 1) {
        for (let u = across.first[x]; u < across.last[x]; u += 1) sum += plane[v * columns + u];
      }
      out[y * width + x] = sum / ((down.last[y] - down.first[y]) * (across.last[x] - across.first[x]));
    }
  }
  return out;
}

/** Every line of a plane through `line(read, write, length)`, first along the rows, then along the columns. */
function separable(plane, /** @type {number[]} */ [rows, columns], line) {
  const turned = new Float32Array(plane.length);
  const out = new Float32Array(plane.length);
  for (let y = 0; y < rows; y += 1) line((i) => plane[y * columns + i], (i, value) => (turned[y * columns + i] = value), columns);
  for (let x = 0; x < columns; x += 1) line((i) => turned[i * columns + x], (i, value) => (out[i * columns + x] = value), rows);
  return out;
}

/** Means over windows that are cut at the borders. */
function boxed(plane, /** @type {number[]} */ shape, radius) {
  return separable(plane, shape, (read, write, length) => {
    const sums = new Float64Array(length + 1);
    for (let i = 0; i < length; i += 1) sums[i + 1] = sums[i] + read(i);
    for (let i = 0; i < length; i += 1) {
      const [from, to] = [Math.max(0, i - radius), Math.min(length, i + radius + 1)];
      write(i, (sums[to] - sums[from]) / (to - from));
    }
  });
}

/** A Gaussian blur, cut at 3 σ, with the borders reflected. */
function blurred(plane, /** @type {number[]} */ shape, sigma) {
  return separable(plane, shape, (read, write, length) => {
    const radius = Math.min(Math.floor(3 * sigma + 0.5), length - 1);
    const weights = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const inside = (i) => (i < 0 ? -i : i >= length ? 2 * (length - 1) - i : i);
    for (let i = 0; i < length; i += 1) {
      write(i, weights.reduce((sum, weight, j) => sum + weight * read(inside(i + j - radius)), 0) / total);
    }
  });
}

/** The size of a copy whose shorter side has at most so many pixels. */
function coarse(/** @type {number[]} */ [height, width], finest) {
  const step = Math.max(1, Math.min(height, width) / finest);
  return [Math.round(height / step), Math.round(width / step)];
}

/** A picture (RGBA bytes) prepared to guide grids; the numbers are shares of its width but for epsilon and finest. */
export class Guide {
  constructor(pixels, [height, width], { radius, epsilon, grain, finest }) {
    this.whole = [height, width];
    this.shape = coarse(this.whole, finest);
    const planes = [0, 1, 2].map((channel) => Float32Array.from({ length: width * height }, (_, i) => pixels[4 * i + channel] / 255));
    this.fine = planes.map((plane) => blurred(plane, this.whole, grain * width));
    this.coarse = this.fine.map((plane) => shrunk(plane, this.whole, this.shape));
    this.radius = Math.max(1, Math.round(radius * this.shape[1]));
    this.means = this.coarse.map((plane) => this.box(plane));
    const spread = (a, b) => {
      const mean = this.box(this.coarse[a].map((value, i) => value * this.coarse[b][i]));
      return mean.map((value, i) => value - this.means[a][i] * this.means[b][i] + (a === b ? epsilon : 0));
    };
    const [rr, rg, rb, gg, gb, bb] = [spread(0, 0), spread(0, 1), spread(0, 2), spread(1, 1), spread(1, 2), spread(2, 2)];
    this.inverse = Array.from({ length: 6 }, () => new Float32Array(rr.length));
    for (let i = 0; i < rr.length; i += 1) {
      const minors = [
        gg[i] * bb[i] - gb[i] * gb[i], rb[i] * gb[i] - rg[i] * bb[i], rg[i] * gb[i] - rb[i] * gg[i],
        rr[i] * bb[i] - rb[i] * rb[i], rg[i] * rb[i] - rr[i] * gb[i], rr[i] * gg[i] - rg[i] * rg[i],
      ];
      const size = rr[i] * minors[0] + rg[i] * minors[1] + rb[i] * minors[2];
      minors.forEach((minor, j) => (this.inverse[j][i] = minor / size));
    }
  }

  box(plane) {
    return boxed(plane, this.shape, this.radius);
  }

  /** Slopes along the three colours and an offset, one plane each, for a coarse grid. */
  slopes(grid, cells) {
    const values = smooth(grid, cells, this.shape[1], this.shape[0]);
    const level = this.box(values);
    const shared = this.coarse.map((colour, c) => this.box(values.map((value, i) => value * colour[i])).map((mean, i) => mean - level[i] * this.means[c][i]));
    const rows = [[0, 1, 2], [1, 3, 4], [2, 4, 5]].map((row) => row.map((j) => this.inverse[j]));
    const slopes = rows.map(([a, b, c]) => level.map((_, i) => a[i] * shared[0][i] + b[i] * shared[1][i] + c[i] * shared[2][i]));
    const offset = level.map((value, i) => value - slopes[0][i] * this.means[0][i] - slopes[1][i] * this.means[1][i] - slopes[2][i] * this.means[2][i]);
    return [...slopes, offset].map((plane) => this.box(plane));
  }

  /** The grid fitted to the picture, at its size. */
  field(grid, cells) {
    const [height, width] = this.whole;
    return along(this.slopes(grid, cells).map((plane) => smooth(plane, this.shape, width, height)), this.fine);
  }

  /** The same at the guide's own size. */
  thumbnail(grid, cells) {
    return along(this.slopes(grid, cells), this.coarse);
  }
}

/** What slopes and an offset give at each pixel's colour. */
function along(/** @type {Float32Array[]} */ [red, green, blue, offset], colour) {
  return offset.map((value, i) => value + red[i] * colour[0][i] + green[i] * colour[1][i] + blue[i] * colour[2][i]);
}

/** Grids of a search that does not follow edges: interpolated between the cells' centres. */
export class Interpolation {
  constructor(_, whole, { finest }) {
    this.whole = whole;
    this.shape = coarse(whole, finest);
  }

  field(grid, cells) {
    return smooth(grid, cells, this.whole[1], this.whole[0]);
  }

  thumbnail(grid, cells) {
    return smooth(grid, cells, this.shape[1], this.shape[0]);
  }
}
