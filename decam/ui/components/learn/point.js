// A picture on which one clicks a place; with the keyboard, arrows move the ring and Enter takes its place. Where it
// follows, a place is taken as soon as the pointer, or the ring that arrows move, rests on it.

import { loadImage } from "../grid/grid_draw.js";
import { make, mounted } from "../shared/component.js";
import { Latest } from "../shared/latest.js";
import { movedBy, placeIn } from "../shared/places.js";

const STEP = 0.05;
const REST = 120; // milliseconds

class Point {
  constructor() {
    this.place = [0.5, 0.5];
    this.follows = false;
    this.hovered = false;
    this.resting = 0;
    this.images = new Latest();
    this.picture = /** @type {HTMLImageElement} */ (make("img", "", { draggable: "false" }));
    this.ring = make("i", "ring");
    this.button = make("button", "", { type: "button" }, this.picture, this.ring);
    this.node = make("div", "decam decam-point", {}, this.button);
    this.button.addEventListener("click", (event) => this.click(event));
    this.button.addEventListener("keydown", (event) => this.press(event));
    this.button.addEventListener("pointermove", (event) => this.hover(event));
    this.button.addEventListener("pointerleave", () => (this.hovered = false));
    for (const name of ["focus", "blur"]) this.button.addEventListener(name, () => this.show());
  }

  update({ view, alt, place, follows }, { setStateValue }) {
    this.send = setStateValue;
    this.follows = follows;
    this.chosen = Boolean(place);
    // The server's place is an earlier one while the pointer or the keys are moving the ring.
    if (place && !this.hovered && !this.resting) this.place = place;
    this.picture.alt = alt;
    const means = follows ? "Point at a place; arrow keys move the ring." : "Click a place; arrow keys move the ring, and Enter takes its place.";
    this.button.setAttribute("aria-label", `${alt}. ${means}`);
    this.images.fetch(view, () => loadImage(view), (image) => (this.picture.src = image.src));
    this.show();
  }

  click(event) {
    if (event.detail) this.place = placeIn(this.picture, event);
    this.take();
  }

  hover(event) {
    if (!this.follows || event.pointerType !== "mouse") return;
    this.hovered = true;
    this.place = placeIn(this.picture, event);
    this.rest();
  }

  /** Take the place once it has stayed the same for a moment. */
  rest() {
    this.show();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.take(), REST);
  }

  take() {
    clearTimeout(this.resting);
    this.resting = 0;
    this.chosen = true;
    this.show();
    this.send("place", this.place.map((share) => Number(share.toFixed(4))));
  }

  press(event) {
    const moved = movedBy(event.key, this.place, STEP);
    if (!moved) return;
    this.place = moved;
    if (this.follows) this.rest();
    else this.show();
    event.preventDefault();
    event.stopPropagation();
  }

  show() {
    this.ring.hidden = !this.chosen && !this.button.matches(":focus-visible");
    Object.assign(this.ring.style, { left: `${100 * this.place[0]}%`, top: `${100 * this.place[1]}%` });
  }

  attach() {}

  release() {
    clearTimeout(this.resting);
    this.resting = 0;
  }
}

export default mounted(Point);
