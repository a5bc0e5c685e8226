// The way to a class's map: moments kept few, and the curve of its fidelity.

export const MOMENTS = 40;
const MIDDLE = 127.5; // of a channel in which a pattern is zero

/** Moments of a map, thinned out evenly; the first and the last are always kept. */
export class Reel {
  constructor() {
    /** @type {any[]} */
    this.frames = [];
    this.stride = 1;
    this.count = 0;
  }

  clear() {
    this.frames = [];
    this.stride = 1;
    this.count = 0;
  }

  /** Keep a moment that is later than all before. */
  add(frame) {
    if (this.frames.length && (this.count - 1) % this.stride) this.frames.pop();
    this.frames.push(frame);
    this.count += 1;
    while (this.frames.length > MOMENTS) {
      this.stride *= 2;
      const last = this.frames.pop();
      this.frames = this.frames.filter((_, i) => i % 2 === 0).concat(last);
    }
  }

  /** The moment at a share of the way, 0 the first and 1 the last; null where there is none. */
  at(share) {
    return this.frames[Math.round(share * (this.frames.length - 1))] ?? null;
  }
}

/** The last value of a curve, [evaluations, value], that had been reported after so many evaluations; null before. */
export function valueAt(points, evaluations) {
  let found = null;
  for (const [place, value] of points) if (place <= evaluations && value != null) found = value;
  return found;
}

/** The curve as the path of an SVG of this size: `total` at its right edge, `low` at the lower and `high` at the upper. */
export function sparkPath(points, total, width, height, low, high) {
  const drawn = points.filter(([, value]) => value != null);
  if (drawn.length < 2) return "";
  const end = Math.max(total, 1);
  const x = (place) => ((width * Math.min(place, end)) / end).toFixed(1);
  return `M${drawn.map(([place, value]) => `${x(place)} ${heightOf(value, height, low, high).toFixed(1)}`).join("L")}`;
}

export function heightOf(value, height, low, high) {
  const unit = high > low ? (value - low) / (high - low) : 0.5;
  return height - height * Math.min(Math.max(unit, 0), 1);
}

/** The limits of a curve: those of a probability, or of all values of an activation. */
export function spanOf(points, worth, activation) {
  if (!activation) return [0, 1];
  const values = points.map(([, value]) => value).concat(worth ? [worth.fidelity, worth.baseline, worth.control] : []);
  const finite = values.filter((value) => value != null);
  return finite.length ? [Math.min(...finite), Math.max(...finite)] : [0, 1];
}

export function worthText(value, activation) {
  if (value == null) return "–";
  return (activation ? value.toPrecision(3) : value.toFixed(2)).replace("-", "−");
}

/** How strong a shown pattern is at each pixel, from its RGBA values: the L2 norm over the colours. */
export function strengths(pixels) {
  const out = new Float32Array(pixels.length / 4);
  for (let i = 0; i < out.length; i += 1) {
    out[i] = Math.hypot(pixels[4 * i] - MIDDLE, pixels[4 * i + 1] - MIDDLE, pixels[4 * i + 2] - MIDDLE);
  }
  return out;
}
