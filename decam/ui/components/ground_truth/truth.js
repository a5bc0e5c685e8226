// The picture of a dialog in which one marks the object: boxes are dragged, outlines drawn freely, a mask only shown.

import { loadGrey, loadImage, outline, paint } from "../grid/grid_draw.js";
import { make, mounted, say } from "../shared/component.js";
import { Latest } from "../shared/latest.js";
import { placeIn } from "../shared/places.js";

const NEAR = 0.006; // share of the picture that a hand must move before its outline gains a point
const LEAST = 0.01; // share of the picture's side under which a box was only a click

class Truth {
  constructor() {
    this.outlines = [];
    this.now = null;
    this.tool = "box";
    this.picture = null;
    this.mask = null;
    this.images = new Latest();
    this.taken = false;
    this.box = this.choice("Box", "box", "Drag from corner to corner");
    this.free = this.choice("Outline", "free", "Draw around the object with the button held down");
    this.undo = make("button", "", { type: "button" }, "Undo");
    this.clear = make("button", "", { type: "button" }, "Clear");
    this.count = make("output");
    this.tools = make("div", "tools", { role: "toolbar", "aria-label": "Drawing" }, this.box, this.free, this.undo, this.clear, this.count);
    this.canvas = make("canvas", "", { role: "img", "aria-label": "The image as the model sees it" });
    this.stage = make("div", "stage", {}, this.canvas);
    this.node = make("div", "decam decam-truth", {}, this.tools, this.stage);
    this.undo.addEventListener("click", () => this.keep(this.outlines.slice(0, -1)));
    this.clear.addEventListener("click", () => this.keep([]));
    this.stage.addEventListener("pointerdown", (event) => this.begin(event));
    this.stage.addEventListener("pointermove", (event) => this.go(event));
    for (const name of ["pointerup", "pointercancel"]) this.stage.addEventListener(name, () => this.end());
    this.sizes = new ResizeObserver(() => this.paint());
  }

  choice(text, tool, title) {
    const node = make("button", "", { type: "button", title }, text);
    node.addEventListener("click", () => ((this.tool = tool), this.face()));
    return node;
  }

  update({ view, mask, outlines }, { setStateValue }) {
    this.send = setStateValue;
    this.drawing = outlines !== null;
    this.tools.hidden = !this.drawing;
    this.stage.classList.toggle("shown", !this.drawing);
    if (this.drawing && !this.taken) {
      this.taken = true;
      this.outlines = outlines;
    }
    this.face();
    this.load(view, mask);
  }

  async load(view, mask) {
    const load = () => Promise.all([loadImage(view), mask ? loadGrey(mask) : null]);
    await this.images.fetch(`${view} ${mask}`, load, ([picture, grey]) => {
      this.picture = picture;
      this.mask = grey && outline(grey);
    });
    this.paint();
  }

  begin(event) {
    if (!this.drawing || event.button > 0) return;
    this.stage.setPointerCapture(event.pointerId);
    this.now = [placeIn(this.stage, event)];
    event.preventDefault();
  }

  go(event) {
    if (!this.now) return;
    const [x, y] = placeIn(this.stage, event);
    const [a, b] = this.now[0];
    if (this.tool === "box") {
      this.now = [[a, b], [x, b], [x, y], [a, y]];
    } else {
      const [u, v] = this.now[this.now.length - 1];
      if (Math.hypot(x - u, y - v) >= NEAR) this.now.push([x, y]);
    }
    this.paint();
  }

  end() {
    const drawn = this.now;
    this.now = null;
    const across = (axis) => Math.max(...drawn.map((point) => point[axis])) - Math.min(...drawn.map((point) => point[axis]));
    const large = drawn && drawn.length > 2 && across(0) >= LEAST && across(1) >= LEAST;
    if (large) this.keep([...this.outlines, drawn.map((point) => point.map((share) => Number(share.toFixed(4))))]);
    else this.paint();
  }

  keep(outlines) {
    this.outlines = outlines;
    this.face();
    this.paint();
    this.send("outlines", outlines);
  }

  face() {
    this.box.setAttribute("aria-pressed", this.tool === "box");
    this.free.setAttribute("aria-pressed", this.tool === "free");
    this.undo.disabled = this.clear.disabled = !this.outlines.length;
    const count = this.outlines.length;
    say(this.count, count ? `${count} ${count === 1 ? "part" : "parts"}` : "Nothing is marked yet");
  }

  paint() {
    if (!this.picture) return;
    const { naturalWidth: width, naturalHeight: height } = this.picture;
    const across = Math.round(this.stage.clientWidth * devicePixelRatio) || width;
    Object.assign(this.canvas, { width: across, height: Math.round((across * height) / width) });
    const shapes = new Path2D();
    for (const points of [...this.outlines, ...(this.now ? [this.now] : [])]) {
      points.forEach(([x, y], i) => shapes[i ? "lineTo" : "moveTo"](x * width, y * height));
      if (points !== this.now || this.tool === "box") shapes.closePath();
    }
    paint(this.canvas, { picture: this.picture, layer: null, outlined: this.drawing ? shapes : this.mask }, { pictureAlpha: 1 }, { scale: 1, x: 0, y: 0 });
  }

  attach() {
    this.sizes.observe(this.stage);
  }

  release() {
    this.sizes.disconnect();
  }
}

export default mounted(Truth);
