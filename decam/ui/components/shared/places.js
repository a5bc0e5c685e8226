// Places in a picture, as shares [across, down] of its width and height: where a pointer is, and where an arrow key leads.

import { clamp } from "../grid/grid_draw.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Where in a node an event is; beyond an edge it is on the edge. */
export function placeIn(node, { clientX, clientY }) {
  const { left, top, width, height } = node.getBoundingClientRect();
  return [clamp((clientX - left) / width, 0, 1), clamp((clientY - top) / height, 0, 1)];
}

/** The place a step from another in the direction of an arrow key; null for other keys. */
export function movedBy(key, place, step) {
  const arrow = ARROWS[key];
  return arrow ? place.map((share, axis) => clamp(share + step * arrow[axis], 0, 1)) : null;
}
