// A picture to cover by hand. The model's answers come back while one paints, and stand beside the picture as bars.

import { loadGrey, loadImage, percentText, sheet } from "../grid/grid_draw.js";
import { make, mounted, say } from "../shared/component.js";
import { Latest } from "../shared/latest.js";
import { movedBy, placeIn } from "../shared/places.js";
import { Cells, coveredBy } from "./cells.js";
import { Newest } from "./newest.js";

const PAUSE_MS = 160; // between two questions while the brush moves
const PATIENCE_MS = 8000; // after which a lost answer is awaited no longer
const STEP = 0.04; // share of the picture that an arrow key moves the brush
const MOST_UNDONE = 40;
const MOST_KEPT = 8; // brushes whose steps can be undone after another part of the page was shown

/** @type {Map<string, {before: any[], after: any[]}>} */
const kept = new Map();

/** The covers before and after the one that a brush of that name shows, the nearest last. */
function stepsOf(name) {
  const steps = kept.get(name) ?? { before: [], after: [] };
  kept.delete(name);
  kept.set(name, steps);
  for (const oldest of [...kept.keys()].slice(0, -MOST_KEPT)) kept.delete(oldest);
  return steps;
}

/** What draws on a canvas that is not read back. */
const drawn = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
const covering = (share) => `${Math.round(100 * share)} %`;

class Brush {
  constructor() {
    this.cells = null;
    /** @type {{before: any[], after: any[]}} */
    this.steps = { before: [], after: [] };
    this.regions = null;
    this.byRegion = false;
    this.newest = new Newest((text) => this.send("cells", text), PAUSE_MS, PATIENCE_MS);
    this.value = 1;
    this.place = [0.5, 0.5];
    this.last = null;
    this.images = new Latest();
    this.picture = null;
    this.hidden = null;
    this.cover = this.choice("Cover", 1);
    this.uncover = this.choice("Uncover", 0);
    this.free = this.way("Brush", false);
    this.whole = this.way("Region", true);
    this.ways = make("span", "ways", { role: "group", "aria-label": "What a click covers" }, this.free, this.whole);
    this.size = /** @type {HTMLInputElement} */ (make("input", "", { type: "range", min: "2", max: "20", value: "7", "aria-label": "Size of the brush" }));
    this.undo = make("button", "", { type: "button" }, "Undo");
    this.redo = make("button", "", { type: "button" }, "Redo");
    this.clear = make("button", "", { type: "button" }, "Clear");
    this.top = make("button", "", { type: "button" });
    this.radiusOf = make("label", "", {}, "Size ", this.size);
    this.tools = make("div", "tools", { role: "toolbar", "aria-label": "Brush" }, this.cover, this.uncover, this.ways, this.radiusOf, this.undo, this.redo, this.clear, this.top);
    this.canvas = /** @type {HTMLCanvasElement} */ (make("canvas", "", { tabindex: "0", role: "application" }));
    this.stage = make("div", "stage", {}, this.canvas);
    this.yours = make("p", "line", { role: "status" });
    this.bars = make("div", "bars");
    this.notes = make("div", "notes");
    this.rivalCanvas = /** @type {HTMLCanvasElement} */ (make("canvas", "", { role: "img" }));
    this.theirs = null;
    this.rivalLine = make("p", "line");
    this.rival = make("figure", "rival", {}, this.rivalCanvas, this.rivalLine);
    this.node = make("div", "decam decam-brush", {}, this.tools, make("div", "sides", {}, this.stage, make("div", "answers", {}, this.yours, this.bars, this.notes), this.rival));
    this.listen();
    this.sizes = new ResizeObserver(() => this.paint());
  }

  listen() {
    this.undo.addEventListener("click", () => this.back());
    this.redo.addEventListener("click", () => this.forth());
    this.clear.addEventListener("click", () => this.replace(""));
    this.top.addEventListener("click", () => this.replace(this.best));
    this.stage.addEventListener("pointerdown", (event) => this.begin(event));
    this.stage.addEventListener("pointermove", (event) => this.go(event));
    this.stage.addEventListener("pointerleave", () => ((this.hovered = false), this.paint()));
    for (const name of ["pointerup", "pointercancel"]) this.stage.addEventListener(name, () => this.end());
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    for (const name of ["focus", "blur"]) this.canvas.addEventListener(name, () => this.paint());
    this.size.addEventListener("input", () => this.paint());
  }

  choice(text, value) {
    const node = make("button", "", { type: "button" }, text);
    node.addEventListener("click", () => ((this.value = value), this.face()));
    return node;
  }

  way(text, byRegion) {
    const node = make("button", "", { type: "button" }, text);
    node.addEventListener("click", () => ((this.byRegion = byRegion), this.face(), this.paint()));
    return node;
  }

  radius() {
    return Number(this.size.value) / 100;
  }

  update(data, { setStateValue }) {
    this.send = setStateValue;
    const { name, rows, columns, cells, tools } = data;
    this.steps = stepsOf(name);
    if (!this.cells || rows !== this.cells.rows || columns !== this.cells.columns) this.cells = new Cells(rows, columns, cells);
    this.newest.heard(cells);
    this.best = tools?.top;
    this.top.hidden = !tools;
    this.ways.hidden = !tools;
    if (tools) say(this.top, tools.says);
    this.face();
    this.say(data);
    this.load(data.view, data.filling, tools?.regions);
  }

  async load(view, filling, regions) {
    const load = () => Promise.all([loadImage(view), loadImage(filling), regions ? loadGrey(regions) : null]);
    await this.images.fetch(`${view} ${filling} ${regions}`, load, ([picture, hidden, cut]) => {
      Object.assign(this, { picture, hidden, regions: cut?.levels });
    });
    this.paint();
  }

  say({ label, share, answers, rival, notes }) {
    const [asked] = answers;
    say(this.yours, `You cover ${covering(share)}: ${label} has ${percentText(asked.value)}.`);
    this.bars.replaceChildren(...answers.map((one) => this.bar(one, one.label === label)));
    this.notes.replaceChildren(...notes.map((text) => make("p", "", {}, text)));
    this.theirs = rival;
    this.rivalCanvas.setAttribute("aria-label", `The image as ${rival.title} covers it`);
    say(this.rivalLine, `${rival.title} covers ${covering(share)}: ${label} has ${percentText(rival.value)}.`);
  }

  bar({ label, value, before }, asked) {
    const now = make("i", "now");
    const then = make("i", "then", { title: `${percentText(before)} without a cover` });
    now.style.width = `${100 * value}%`;
    then.style.left = `${100 * before}%`;
    return make("div", asked ? "bar asked" : "bar", {}, now, then, make("span", "", {}, label), make("b", "", {}, percentText(value)));
  }

  begin(event) {
    if (event.button > 0 || !this.cells) return;
    this.stage.setPointerCapture(event.pointerId);
    this.remember();
    this.last = placeIn(this.stage, event);
    this.stroke(this.last);
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
  }

  go(event) {
    this.place = placeIn(this.stage, event);
    this.hovered = true;
    if (this.last) this.stroke(this.place);
    else this.paint();
  }

  end() {
    if (!this.last) return;
    this.last = null;
    this.tell(true);
  }

  press(event) {
    if (event.ctrlKey || event.metaKey) return this.shortcut(event);
    const moved = movedBy(event.key, this.place, STEP);
    if (moved) {
      this.place = moved;
      this.paint();
    } else if (event.key === " " || event.key === "Enter") {
      this.remember();
      this.last = this.place;
      this.stroke(this.place);
      this.end();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Ctrl-Z takes back, Ctrl-Y and Ctrl-Shift-Z do it again. */
  shortcut(event) {
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    if (key === "y" || event.shiftKey) this.forth();
    else this.back();
    event.preventDefault();
    event.stopPropagation();
  }

  tall() {
    return this.picture ? this.picture.naturalHeight / this.picture.naturalWidth : 1;
  }

  /** Whether a press covers the region under it whole. */
  covers() {
    return this.byRegion && this.regions;
  }

  stroke(place) {
    if (this.covers()) this.cells.region(place, this.regions, this.value);
    else this.cells.stroke(this.last, place, this.radius(), this.value, this.tall());
    this.last = place;
    this.place = place;
    this.paint();
    this.tell(false);
  }

  remember() {
    const { before, after } = this.steps;
    before.push(this.cells.copy());
    if (before.length > MOST_UNDONE) before.shift();
    after.length = 0;
    this.face();
  }

  back() {
    this.swap(this.steps.before, this.steps.after);
  }

  forth() {
    this.swap(this.steps.after, this.steps.before);
  }

  /** Take the latest cover of one pile, and lay the one that is there now on the other. */
  swap(from, to) {
    if (!from.length) return;
    to.push(this.cells);
    this.cells = from.pop();
    this.settle();
  }

  /** Cover what a text of bits says, and nothing else. */
  replace(text) {
    this.remember();
    this.cells = new Cells(this.cells.rows, this.cells.columns, text);
    this.settle();
  }

  settle() {
    this.face();
    this.paint();
    this.tell(true);
  }

  /** Send what is covered: at once at the end of a stroke, now and then while the brush moves. */
  tell(now) {
    this.newest.tell(this.cells.text(), now);
    this.face();
  }

  face() {
    this.cover.setAttribute("aria-pressed", String(this.value === 1));
    this.uncover.setAttribute("aria-pressed", String(this.value === 0));
    this.free.setAttribute("aria-pressed", String(!this.byRegion));
    this.whole.setAttribute("aria-pressed", String(this.byRegion));
    this.radiusOf.hidden = this.byRegion;
    const one = this.byRegion ? "region" : "brush";
    const does = `${this.value ? "covers" : "uncovers"}${this.byRegion ? " the region there" : ""}`;
    this.canvas.setAttribute("aria-label", `The image. Arrow keys move the ${this.byRegion ? "mark" : one}, space ${does}.`);
    /** @type {HTMLButtonElement} */ (this.undo).disabled = !this.steps.before.length;
    /** @type {HTMLButtonElement} */ (this.redo).disabled = !this.steps.after.length;
    /** @type {HTMLButtonElement} */ (this.clear).disabled = !this.cells || !this.cells.share();
  }

  paint() {
    if (!this.picture) return;
    const { rows, columns, covered } = this.cells;
    const context = this.show(this.canvas, covered, columns, rows);
    if (this.hovered || this.canvas.matches(":focus-visible")) this.point(context, this.canvas.width, this.canvas.height);
    const { cover, columns: across, rows: down } = this.theirs;
    this.show(this.rivalCanvas, coveredBy(cover, across * down), across, down);
  }

  /** Draw the picture under a cover of columns × rows places, as large as a canvas is shown. */
  show(canvas, covered, columns, rows) {
    const { naturalWidth, naturalHeight } = this.picture;
    const width = Math.round(canvas.clientWidth * devicePixelRatio) || naturalWidth;
    const height = Math.round((width * naturalHeight) / naturalWidth);
    Object.assign(canvas, { width, height });
    const context = drawn(canvas);
    context.drawImage(this.picture, 0, 0, width, height);
    context.drawImage(this.layer(covered, columns, rows, width, height), 0, 0);
    return context;
  }

  /** The filling where places are covered, and nothing elsewhere. */
  layer(covered, columns, rows, width, height) {
    const mask = sheet(columns, rows);
    const marks = drawn(mask);
    const image = marks.createImageData(columns, rows);
    covered.forEach((one, at) => (image.data[4 * at + 3] = 255 * one));
    marks.putImageData(image, 0, 0);
    const layer = sheet(width, height);
    const context = drawn(layer);
    context.imageSmoothingEnabled = false;
    context.drawImage(mask, 0, 0, width, height);
    context.imageSmoothingEnabled = true;
    context.globalCompositeOperation = "source-in";
    context.drawImage(this.hidden, 0, 0, width, height);
    return layer;
  }

  /** Show what a press would cover: the round of the brush, or the outline of a region around a small round. */
  point(context, width, height) {
    if (this.covers()) this.outline(context, width, height);
    const radius = this.covers() ? 4 * devicePixelRatio : this.radius() * width;
    for (const [colour, line] of [["#000a", 4], ["#fff", 2]]) {
      context.beginPath();
      context.arc(this.place[0] * width, this.place[1] * height, radius, 0, 2 * Math.PI);
      Object.assign(context, { strokeStyle: colour, lineWidth: /** @type {number} */ (line) * devicePixelRatio });
      context.stroke();
    }
  }

  outline(context, width, height) {
    const { rows, columns } = this.cells;
    const [wide, high] = [width / columns, height / rows];
    const one = this.regions[this.cells.at(this.place)];
    const path = new Path2D();
    this.regions.forEach((each, at) => {
      if (each !== one) return;
      const [row, column] = [Math.floor(at / columns), at % columns];
      const [left, top] = [column * wide, row * high];
      if (!column || this.regions[at - 1] !== one) path.moveTo(left, top), path.lineTo(left, top + high);
      if (column === columns - 1 || this.regions[at + 1] !== one) path.moveTo(left + wide, top), path.lineTo(left + wide, top + high);
      if (!row || this.regions[at - columns] !== one) path.moveTo(left, top), path.lineTo(left + wide, top);
      if (row === rows - 1 || this.regions[at + columns] !== one) path.moveTo(left, top + high), path.lineTo(left + wide, top + high);
    });
    for (const [colour, line] of [["#000a", 4], ["#fff", 2]]) {
      Object.assign(context, { strokeStyle: colour, lineWidth: /** @type {number} */ (line) * devicePixelRatio });
      context.stroke(path);
    }
  }

  attach() {
    this.sizes.observe(this.stage);
  }

  release() {
    this.sizes.disconnect();
    this.newest.stop();
  }
}

export default mounted(Brush);
