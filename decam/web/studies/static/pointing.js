// Places in a picture, as points or boxes: by mouse, by touch, and by keyboard with a cross.

import { announce, button, make, text } from "./dom.js";
import { Question } from "./question.js";

const STEP = 0.02; // share of the picture that an arrow key moves the cross, and with Shift five times less
const FINE = 5;
const SMALL = 0.01; // share of the picture below which a box is a slip of the hand
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pointing extends Question {
  constructor(element, screen) {
    super(element, screen);
    const { picture, shape } = element;
    this.boxes = shape === "boxes";
    /** @type {{ x: number, y: number, width?: number, height?: number, ms: number }[]} */
    this.places = [];
    this.cross = { x: 0.5, y: 0.5 };
    this.corner = null;
    this.image = screen.pictures.draw(picture);
    this.marks = make("div", "marks");
    this.pin = make("div", "cross");
    const keys = make("span", "keys", {}, text(`page.pointing.${shape}.keys`));
    const help = make("p", "help", { id: `${this.id}-help` }, text(`page.pointing.${shape}`), " ", keys);
    this.field = make("div", `pointed ${shape}`, { tabindex: "0", role: "application", "aria-label": `${element.prompt} ${picture.alternative}`, "aria-describedby": help.id }, this.image, this.marks, this.pin);
    this.count = make("span");
    this.remove = button(text("page.pointing.remove"), "quiet", () => this.undo());
    this.listen();
    this.fill(help, this.field, make("div", "under", {}, this.count, this.remove));
    this.refresh();
  }

  listen() {
    this.field.addEventListener("keydown", (event) => this.key(event));
    if (!this.boxes) this.field.addEventListener("click", (event) => this.add(this.share(event), null, event));
    else this.field.addEventListener("pointerdown", (event) => this.pull(event));
  }

  /** Where a pointer is, in shares of the picture's width and height. */
  share({ clientX, clientY }) {
    const box = this.image.getBoundingClientRect();
    const within = (value) => Math.min(Math.max(value, 0), 1);
    return { x: within((clientX - box.left) / box.width), y: within((clientY - box.top) / box.height) };
  }

  pull(event) {
    if (event.button) return;
    event.preventDefault();
    this.field.focus();
    if (this.full()) return;
    const from = this.share(event);
    const drawn = make("div", "box");
    this.marks.append(drawn);
    this.field.setPointerCapture(event.pointerId);
    const stop = new AbortController();
    const { signal } = stop;
    this.field.addEventListener("pointermove", (now) => lay(drawn, between(from, this.share(now))), { signal });
    const end = (now) => {
      stop.abort();
      drawn.remove();
      if (now.type === "pointerup") this.add(from, this.share(now), now);
    };
    for (const name of ["pointerup", "pointercancel"]) this.field.addEventListener(name, end, { signal });
  }

  key(event) {
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = event.shiftKey ? STEP / FINE : STEP;
      for (const [axis, by] of /** @type {["x" | "y", number][]} */ ([["x", arrow[0]], ["y", arrow[1]]])) {
        this.cross[axis] = Math.min(Math.max(Math.round((this.cross[axis] + by * step) * 1e4) / 1e4, 0), 1);
      }
      announce(text("page.pointing.cross", percent(this.cross)));
    } else if ((event.key === "Enter" || event.key === " ") && !event.ctrlKey && !event.metaKey) this.set(event);
    else if (event.key === "Backspace" || event.key === "Delete") this.undo();
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.refresh();
  }

  set(event) {
    const here = { ...this.cross };
    if (!this.boxes) this.add(here, null, event);
    else if (this.full()) return;
    else if (this.corner) {
      this.add(this.corner, here, event);
      this.corner = null;
    } else {
      this.corner = here;
      announce(text("page.pointing.corner"));
    }
  }

  full() {
    if (this.places.length < this.element.most) return false;
    this.complain(text("page.pointing.full"));
    announce(text("page.pointing.full"));
    return true;
  }

  /** Add a point, or the box between two corners, given in shares of the picture. */
  add(from, to, event) {
    if (this.full()) return;
    const { width, height } = this.element.picture;
    const box = between(from, to ?? from);
    if (this.boxes && (box.width < SMALL || box.height < SMALL)) return;
    const ms = this.screen.at(event);
    const place = { x: round(box.x * width), y: round(box.y * height), ms };
    // Corners are rounded, not sides: a box must not reach beyond the picture.
    const sides = { width: round(round((box.x + box.width) * width) - place.x), height: round(round((box.y + box.height) * height) - place.y) };
    this.places.push(this.boxes ? { ...place, ...sides } : place);
    this.changed();
    announce(text("page.pointing.at", { number: this.places.length, ...percent(box) }));
  }

  undo() {
    if (this.corner) this.corner = null;
    else if (this.places.pop()) {
      this.changed();
      announce(text("page.pointing.removed"));
    }
    this.refresh();
  }

  restore(places) {
    this.places = [...places];
    super.restore(places);
    this.refresh();
  }

  changed() {
    this.answer(this.places.length ? [...this.places] : null);
    this.refresh();
  }

  refresh() {
    const { width, height } = this.element.picture;
    const drawn = this.places.map((place, number) => {
      const node = make("div", this.boxes ? "box" : "dot", {}, make("span", "", {}, String(number + 1)));
      lay(node, { x: place.x / width, y: place.y / height, width: (place.width ?? 0) / width, height: (place.height ?? 0) / height });
      return node;
    });
    if (this.corner) {
      const node = make("div", "box");
      lay(node, between(this.corner, this.cross));
      drawn.push(node);
    }
    this.marks.replaceChildren(...drawn);
    lay(this.pin, { ...this.cross, width: 0, height: 0 });
    this.count.textContent = text("page.pointing.count", { count: this.places.length, most: this.element.most });
    this.remove.disabled = !this.places.length && !this.corner;
  }

  lacks() {
    const { least, optional } = this.element;
    if (!this.places.length && optional) return "";
    return this.places.length < Math.max(least, 1) ? text("page.pointing.least", { least: Math.max(least, 1) }) : "";
  }

  focus() {
    this.field.focus();
  }
}

const round = (value) => Math.round(value * 100) / 100;
const percent = ({ x, y }) => ({ x: Math.round(x * 100), y: Math.round(y * 100) });

function between(one, other) {
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  return { x, y, width: Math.max(one.x, other.x) - x, height: Math.max(one.y, other.y) - y };
}

/** Lay a mark over the picture; the place is from the left in every language. */
function lay(node, { x, y, width, height }) {
  Object.assign(node.style, { left: `${x * 100}%`, top: `${y * 100}%` });
  if (width || height) Object.assign(node.style, { width: `${width * 100}%`, height: `${height * 100}%` });
}
