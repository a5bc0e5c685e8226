// Pixels of the result grid: pictures are loaded, maps decoded, scaled, coloured and painted. Nothing here touches the page.
// It follows decam/figures/overlays.py, so that what is seen here is what is exported.

import { address } from "../shared/component.js";

export const NEUTRAL = 128; // the diverging table's entry for zero, and the grey behind a masked picture
const CRISP = 4; // device pixels for each of the picture's from which zooming shows them as squares
export const LARGEST = 16; // times the picture can be enlarged

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** A picture, asked for again where the server is just putting it in place. */
export async function loadImage(url, tries = 3) {
  const image = new Image();
  image.src = address(url);
  try {
    await image.decode();
    return image;
  } catch (problem) {
    if (tries <= 1) throw problem;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return loadImage(url, tries - 1);
  }
}

export function sheet(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** What draws on a canvas that is read back. */
export function readable(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
}

/** A picture without its colours. */
export function greyOf(picture) {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const grey = sheet(width, height);
  const context = readable(grey);
  context.drawImage(picture, 0, 0);
  const image = context.getImageData(0, 0, width, height);
  const { data } = image;
  for (let at = 0; at < data.length; at += 4) {
    data[at] = data[at + 1] = data[at + 2] = Math.round(0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]);
  }
  context.putImageData(image, 0, 0);
  return grey;
}

/** A PNG of red × 256 + green, or of grey, as {width, height, levels} of 0 to 65535. */
export async function loadGrey(url) {
  const image = await loadImage(url);
  const { naturalWidth: width, naturalHeight: height } = image;
  const context = readable(sheet(width, height));
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, width, height).data;
  const levels = new Uint16Array(width * height);
  for (let i = 0; i < levels.length; i += 1) levels[i] = 256 * data[4 * i] + data[4 * i + 1];
  return { width, height, levels };
}

/** The two neighbours of each place along one axis, and the weight of the second: bilinear between cell centres. */
export function neighbours(from, to) {
  const first = new Uint16Array(to);
  const second = new Uint16Array(to);
  const weight = new Float32Array(to);
  for (let i = 0; i < to; i += 1) {
    const place = clamp(((i + 0.5) * from) / to - 0.5, 0, from - 1);
    first[i] = Math.floor(place);
    second[i] = Math.min(first[i] + 1, from - 1);
    weight[i] = place - first[i];
  }
  return { first, second, weight };
}

/** A map of levels as values at the picture's size. */
export function fieldOf({ width, height, levels }, low, high, size) {
  const across = neighbours(width, size.width);
  const down = neighbours(height, size.height);
  const field = new Float32Array(size.width * size.height);
  const unit = (high - low) / 65535;
  for (let y = 0; y < size.height; y += 1) {
    const top = down.first[y] * width;
    const bottom = down.second[y] * width;
    const v = down.weight[y];
    for (let x = 0; x < size.width; x += 1) {
      const left = across.first[x];
      const right = across.second[x];
      const u = across.weight[x];
      const above = levels[top + left] * (1 - u) + levels[top + right] * u;
      const below = levels[bottom + left] * (1 - u) + levels[bottom + right] * u;
      field[y * size.width + x] = low + unit * (above * (1 - v) + below * v);
    }
  }
  return field;
}

/**
 * The values at the ends of the colour table for these maps together: from the widest of their `ends`, beyond which the
 * top 1 % of a map's values lie, or from their extremes; symmetric about zero for signed ones. Silent maps are flat.
 */
export function limitsOf(maps, signed, extremes) {
  const loud = maps.filter((map) => !map.silent).map(({ low, high, ends }) => (extremes ? [low, high] : ends));
  if (!loud.length) return [0, 0];
  const low = Math.min(...loud.map(([first]) => first));
  const high = Math.max(...loud.map(([, last]) => last));
  const reach = Math.max(Math.abs(low), Math.abs(high));
  return signed ? [-reach, reach] : [low, high];
}

/** What the colours of these maps stand for, in words. */
export function limitsText(maps, signed, limits) {
  const loud = maps.filter((map) => !map.silent);
  if (!loud.length) return "Flat: no evidence";
  const [low, high] = limits;
  if (high <= low) return "Flat: no evidence";
  const ends = signed ? `±${valueText(high, 2)}` : `${limitText(low, limits, 2)} to ${limitText(high, limits, 2)}`;
  return loud.some((map) => map.low < low || map.high > high) ? `${ends}, top 1 % clipped` : ends;
}

/** What the colours say of a class: names of those of the lowest and the highest value, the lowest unless the picture is bare there. */
export function meaning([low, high], signed, label, bare) {
  const first = high[0].toUpperCase() + high.slice(1);
  return signed ? `${first} speaks for ${label}, ${low} against it` : `${first} speaks most for ${label}, ${bare ? "the bare image" : low} least`;
}

/** Fill `layer` (a canvas of the picture's size) with what lies over the picture in this view. */
export function compose(layer, field, signed, [low, high], table, view) {
  const context = layer.getContext("2d");
  const image = context.createImageData(layer.width, layer.height);
  const out = image.data;
  const reach = signed ? high : high - low;
  for (let i = 0; i < field.length; i += 1) {
    const raw = reach > 0 ? (signed ? field[i] : field[i] - low) / reach : 0;
    const unit = clamp(raw, signed ? -1 : 0, 1);
    const at = 4 * i;
    if (view === "masked") {
      out[at] = out[at + 1] = out[at + 2] = NEUTRAL;
      out[at + 3] = 255 * (1 - Math.max(unit, 0));
    } else {
      const entry = 3 * Math.round(signed ? NEUTRAL + 127 * unit : 255 * unit);
      out[at] = table[entry];
      out[at + 1] = table[entry + 1];
      out[at + 2] = table[entry + 2];
      out[at + 3] = view === "overlay" ? 255 * (signed ? Math.sqrt(Math.abs(unit)) : unit) : 255;
    }
  }
  context.putImageData(image, 0, 0);
}

/** The border of a mask as a path along the edges of its pixels. */
export function outline({ width, height, levels }) {
  const path = new Path2D();
  const inside = (x, y) => x >= 0 && y >= 0 && x < width && y < height && levels[y * width + x] > 32767;
  for (let y = 0; y <= height; y += 1) {
    for (let x = 0; x <= width; x += 1) {
      if (inside(x, y) !== inside(x, y - 1)) path.moveTo(x, y), path.lineTo(x + 1, y);
      if (inside(x, y) !== inside(x - 1, y)) path.moveTo(x, y), path.lineTo(x, y + 1);
    }
  }
  return path;
}

/** Colour and width of the line about an object, and of those about the top 5, 20 and 50 % of a map. */
const OUTLINE = { colour: "#fff", wide: 1.25 };
const CONTOURS = [1.6, 1.1, 0.7].map((wide) => ({ colour: "#7fffd4", wide }));

/**
 * Paint picture (turning grey as the layer gets opaque), layer and lines into a canvas; x and y are shares of the picture.
 * The picture may be finer than the layer and the lines, whose `size` is the model's.
 * @param {any} canvas
 * @param {{ picture: HTMLImageElement | null, size?: { width: number, height: number }, grey?: any, layer?: any, outlined?: Path2D | null, lines?: Path2D[] }} drawn
 * @param {{ pictureAlpha: number, layerAlpha?: number }} alphas
 * @param {{ scale: number, x: number, y: number }} zoom
 */
export function paint(canvas, { picture, size: given, grey, layer, outlined, lines = [] }, { pictureAlpha, layerAlpha = 1 }, zoom) {
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  if (!picture) return;
  const size = given ?? { width: picture.naturalWidth, height: picture.naturalHeight };
  const across = (zoom.scale * width) / size.width;
  const down = (zoom.scale * height) / size.height;
  context.setTransform(across, 0, 0, down, -zoom.x * zoom.scale * width, -zoom.y * zoom.scale * height);
  context.imageSmoothingEnabled = !(zoom.scale > 1 && across >= CRISP);
  context.imageSmoothingQuality = "high";
  context.globalAlpha = pictureAlpha;
  context.drawImage(picture, 0, 0, size.width, size.height);
  if (layer) {
    context.globalAlpha = layerAlpha;
    if (grey) context.drawImage(grey, 0, 0, size.width, size.height);
    context.drawImage(layer, 0, 0);
  }
  const drawn = lines.map((path, i) => ({ path, ...CONTOURS[i] }));
  if (outlined) drawn.push({ path: outlined, ...OUTLINE });
  context.globalAlpha = 1;
  context.lineCap = "square";
  for (const { path, colour, wide } of drawn) {
    for (const stroke of [{ colour: "rgba(0, 0, 0, 0.65)", wide: wide + 1.5 }, { colour, wide }]) {
      context.strokeStyle = stroke.colour;
      context.lineWidth = (Math.max(width / 220, 1) * stroke.wide) / across;
      context.stroke(path);
    }
  }
}

/** The zoom after a change of scale that keeps the place (x, y), shares of the cell, where it is. */
export function zoomed(zoom, factor, x, y) {
  const scale = clamp(zoom.scale * factor, 1, LARGEST);
  return panned({
    scale,
    x: zoom.x + x / zoom.scale - x / scale,
    y: zoom.y + y / zoom.scale - y / scale,
  });
}

export function panned({ scale, x, y }) {
  const most = 1 - 1 / scale;
  return { scale, x: clamp(x, 0, most), y: clamp(y, 0, most) };
}

export const minus = (text) => text.replace(/-/g, "−");

export function valueText(value, digits = 3) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 10000)) return minus(value.toExponential(digits > 3 ? digits - 1 : 1));
  const rounded = value.toPrecision(digits); // in powers of ten where it has more digits before the point
  return minus(size >= 10 ** digits || rounded.includes("e") ? value.toFixed(0) : rounded);
}

/** A metric's value: three places, or as many as show two digits; as decam/numerals.py writes it. */
export function scoreText(value) {
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-6) return value > 0 ? "<0.000001" : ">−0.000001";
  return minus(value.toFixed(size === 0 ? 3 : Math.max(3, 1 - Math.floor(Math.log10(size)))));
}

/** A probability as 78 %, 3.2 % or 0.0032 %: at least two digits that tell something. */
export function percentText(share) {
  const size = Math.abs(100 * share);
  const places = size >= 9.95 || size < 1e-12 ? 0 : 1 - Math.floor(Math.log10(size));
  return `${minus((100 * share).toFixed(places))} %`;
}

const mostDigits = 7; // of a float32
const lost = (value, digits) => Math.abs(Number(valueText(value, digits).replace(/−/g, "-")) - value);

/** An end of a scale in at least so many digits, so many that rounding takes at most a quarter of its width away. */
export function limitText(value, /** @type {number[]} */ [low, high], digits = 3) {
  const width = high - low;
  if (Math.abs(value) < 0.001 * width) return "0";
  let enough = digits;
  while (enough < mostDigits && (lost(low, enough) > width / 4 || lost(high, enough) > width / 4)) enough += 1;
  return valueText(value, enough);
}

/** A colour table as a CSS gradient. */
export function gradient(table, stops = 16) {
  const colours = Array.from({ length: stops + 1 }, (_, i) => {
    const at = 3 * Math.round((255 * i) / stops);
    return `rgb(${table[at]},${table[at + 1]},${table[at + 2]})`;
  });
  return `linear-gradient(90deg,${colours.join(",")})`;
}

/** A name that every file system takes. */
export function fileName(...parts) {
  const clean = parts.map((part) => part.replace(/\.[a-z]{2,5}$/i, "").replace(/[^\p{L}\p{N}.-]+/gu, "-"));
  return `${clean.map((part) => part.replace(/^[-.]+|[-.]+$/g, "").slice(0, 80) || "image").join("_")}.png`;
}
