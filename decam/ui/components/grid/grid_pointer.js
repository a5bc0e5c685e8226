// Pointers on the pictures of the result grid: they point, pull the zoomed pictures and pinch them.

import { clamp, panned } from "./grid_draw.js";

const DRAG = 4; // pixels a pointer may move in a click

export class Pointers {
  constructor(grid) {
    this.grid = grid;
    this.held = new Map();
    this.dragged = false;
  }

  listen(plate) {
    const { frame } = plate;
    frame.addEventListener("wheel", (event) => this.wheel(event, plate), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.press(event, plate));
    frame.addEventListener("pointermove", (event) => this.move(event, plate));
    frame.addEventListener("pointerup", (event) => this.lift(event));
    frame.addEventListener("pointercancel", (event) => this.lift(event));
    frame.addEventListener("pointerleave", () => this.grid.point(plate, null));
  }

  /** Where in the frame an event is, as shares of it. */
  spot(event, plate) {
    const box = plate.canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  wheel(event, plate) {
    if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    const { x, y } = this.spot(event, plate);
    this.grid.zoomBy(Math.exp(-clamp(event.deltaY, -100, 100) / 250), x, y);
  }

  press(event, plate) {
    if (event.button !== 0 || event.target.closest("button")) return;
    this.held.set(event.pointerId, { plate, ...this.spot(event, plate), x0: event.clientX, y0: event.clientY });
    this.dragged = false;
  }

  move(event, plate) {
    if (!event.buttons) this.held.delete(event.pointerId); // it was released outside, where nobody heard it
    const held = this.held.get(event.pointerId);
    const now = this.spot(event, plate);
    const { zoom } = this.grid;
    if (!held) {
      const place = { x: zoom.x + now.x / zoom.scale, y: zoom.y + now.y / zoom.scale };
      if (event.pointerType !== "touch") this.grid.point(plate, place);
      return;
    }
    if (Math.hypot(event.clientX - held.x0, event.clientY - held.y0) > DRAG && !this.dragged) {
      this.dragged = true;
      plate.frame.setPointerCapture(event.pointerId);
      this.grid.point(plate, null);
    }
    if (!this.dragged) return;
    const others = [...this.held].filter(([id]) => id !== event.pointerId).map(([, pointer]) => pointer);
    if (others.length) this.pinch(held, now, others[0]);
    else this.grid.setZoom(panned({ ...zoom, x: zoom.x + (held.x - now.x) / zoom.scale, y: zoom.y + (held.y - now.y) / zoom.scale }));
    Object.assign(held, now);
  }

  pinch(before, now, still) {
    const spread = ({ x, y }) => Math.max(Math.hypot(x - still.x, y - still.y), 0.02);
    this.grid.zoomBy(spread(now) / spread(before), (now.x + still.x) / 2, (now.y + still.y) / 2);
  }

  lift(event) {
    this.held.delete(event.pointerId);
  }
}
