// The squares that a brush covers, and their way to the server: one bit each, by rows, the first the highest.

/** Which of `count` places a text of bits covers, 1 or 0 each; the empty text covers none. */
export function coveredBy(text, count) {
  const covered = new Uint8Array(count);
  const bytes = text ? atob(text) : "";
  for (let at = 0; at < count && at >> 3 < bytes.length; at += 1) {
    covered[at] = (bytes.charCodeAt(at >> 3) >> (7 - (at & 7))) & 1;
  }
  return covered;
}

export class Cells {
  constructor(rows, columns = rows, text = "") {
    this.rows = rows;
    this.columns = columns;
    this.covered = coveredBy(text, rows * columns);
  }

  /** The squares as text; empty where none is covered. */
  text() {
    if (!this.covered.includes(1)) return "";
    const bytes = new Uint8Array(Math.ceil(this.covered.length / 8));
    this.covered.forEach((one, at) => (bytes[at >> 3] |= one << (7 - (at & 7))));
    let letters = "";
    for (const byte of bytes) letters += String.fromCharCode(byte); // a spread would have too many arguments
    return btoa(letters);
  }

  share() {
    return this.covered.reduce((sum, one) => sum + one, 0) / this.covered.length;
  }

  /**
   * Cover or uncover all squares whose centre is within `radius` of the way from one place to another. Places are
   * shares of width and height, the radius a share of the width, and `tall` the height by the width.
   */
  stroke([x, y], [u, v], radius, value, tall = 1) {
    const [dx, dy] = [u - x, (v - y) * tall];
    const length = dx * dx + dy * dy;
    const [left, right] = reach(Math.min(x, u) - radius, Math.max(x, u) + radius, this.columns);
    const [top, bottom] = reach(Math.min(y, v) - radius / tall, Math.max(y, v) + radius / tall, this.rows);
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) {
        const [a, b] = [(column + 0.5) / this.columns - x, ((row + 0.5) / this.rows - y) * tall];
        const along = length ? Math.min(Math.max((a * dx + b * dy) / length, 0), 1) : 0;
        if (Math.hypot(a - along * dx, b - along * dy) <= radius) this.covered[row * this.columns + column] = value;
      }
    }
  }

  /** The square that a place lies in. */
  at([x, y]) {
    const column = Math.min(Math.floor(x * this.columns), this.columns - 1);
    return Math.min(Math.floor(y * this.rows), this.rows - 1) * this.columns + column;
  }

  /** Cover or uncover all squares of the region that a place lies in; `regions` has each square's. */
  region(place, regions, value) {
    const one = regions[this.at(place)];
    regions.forEach((each, at) => each === one && (this.covered[at] = value));
  }

  copy() {
    const other = new Cells(this.rows, this.columns);
    other.covered.set(this.covered);
    return other;
  }
}

/** The first square between two shares of a side of `count`, and the one after the last. */
function reach(low, high, count) {
  return [Math.max(0, Math.floor(low * count)), Math.min(count, Math.ceil(high * count))];
}
