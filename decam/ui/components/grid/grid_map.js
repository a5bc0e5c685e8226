// A map that a stream brought, drawn outside the grid as decam/figures/overlays.py draws it.

import { compose, fieldOf, greyOf, limitsOf, loadGrey, loadImage, paint, sheet } from "./grid_draw.js";

const WHOLE = { scale: 1, x: 0, y: 0 };
const VEIL = 0.8; // opacity of a map over its picture
const ALPHAS = {
  overlay: { pictureAlpha: 1, layerAlpha: VEIL },
  masked: { pictureAlpha: 1, layerAlpha: 1 },
  map: { pictureAlpha: 0, layerAlpha: 1 },
};

const PICTURES = 8; // kept

/** A picture and, once that is asked for, the same without its colours; maps come again and again for the same few. */
const kept = new Map();

async function pictureOf(url) {
  const found = kept.get(url) ?? { image: await loadImage(url), grey: null };
  kept.delete(url);
  kept.set(url, found);
  if (kept.size > PICTURES) kept.delete(kept.keys().next().value);
  return found;
}

/**
 * Draw a map into a canvas, which gets the size of the picture, between its own limits. `view` is overlay, masked or
 * map. Nothing is drawn, and false returned, where a newer map has come meanwhile: then `fresh` says no.
 */
export async function drawMap(canvas, map, { signed, table, picture, size, view }, fresh = () => true) {
  const [height, width] = size;
  const [levels, behind] = await Promise.all([loadGrey(map.map), pictureOf(picture)]);
  if (!fresh()) return false;
  const layer = sheet(width, height);
  const field = fieldOf(levels, map.low, map.high, { width, height });
  const [low, high] = limitsOf([map], signed, false);
  compose(layer, field, signed, [low, high], table, view);
  Object.assign(canvas, { width, height });
  const greyed = view === "overlay";
  if (greyed) behind.grey ??= greyOf(behind.image);
  paint(canvas, { picture: behind.image, grey: greyed && behind.grey, layer }, ALPHAS[view], WHOLE);
  return true;
}
