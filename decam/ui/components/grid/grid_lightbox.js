// A map enlarged: a window over the page in which one goes through methods and pictures, wipes and compares two maps.

import { address, icon, make, say } from "../shared/component.js";
import { button, mark } from "./grid_controls.js";
import { clamp, gradient } from "./grid_draw.js";

const WHOLE = { scale: 1, x: 0, y: 0 };
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const MOVES = { ArrowLeft: "Previous method (←)", ArrowRight: "Next method (→)", ArrowUp: "Previous image (↑)", ArrowDown: "Next image (↓)" };
const SIGNS = { ArrowLeft: "M10 3 5 8l5 5", ArrowRight: "m6 3 5 5-5 5", ArrowUp: "m3 10 5-5 5 5", ArrowDown: "m3 6 5 5 5-5" };

/** One large map with its name above and its legend, cost, metrics and notes below. */
class Sheet {
  constructor(box) {
    this.box = box;
    this.cell = null;
    this.title = make("h2");
    this.canvas = make("canvas", "", { role: "img" });
    this.chip = make("div", "chip");
    this.edge = make("div", "edge");
    this.frame = make("div", "large", {}, this.canvas, this.edge, this.chip);
    this.colours = make("span", "colours");
    this.scaling = make("span");
    this.words = make("p", "meaning");
    this.status = make("p", "status");
    this.metrics = make("dl", "metrics");
    this.notes = make("div", "notes");
    this.node = make("section", "sheet", {}, this.title, this.frame, make("p", "scale-line", {}, this.colours, this.scaling), this.words, this.status, this.metrics, this.notes);
    this.frame.addEventListener("pointermove", (event) => this.point(event));
    this.frame.addEventListener("pointerleave", () => box.point(null));
    this.frame.addEventListener("pointerdown", (event) => (this.frame.setPointerCapture(event.pointerId), this.wipe(event)));
  }

  show(cell) {
    this.cell = cell;
    const { grid, row, column, data } = cell;
    const { signed } = column.data;
    const masked = grid.settings.view === "masked";
    say(this.title, column.data.title);
    mark(this.title, "title", column.data.help || null);
    mark(this.canvas, "aria-label", cell.node.getAttribute("aria-label"));
    this.frame.style.aspectRatio = `${row.data.width} / ${row.data.height}`;
    this.colours.style.backgroundImage = masked ? "none" : gradient(grid.tables[grid.tableOf(signed)]);
    say(this.scaling, cell.field ? cell.scaleText() : data.error || cell.status.textContent);
    say(this.words, masked || !row.target ? "" : grid.meaning(signed, row.target));
    say(this.status, cell.status.textContent);
    this.metrics.replaceChildren(...[...cell.metrics.children].map((each) => each.cloneNode(true)));
    this.notes.replaceChildren(...[...cell.notes.children].map((each) => each.cloneNode(true)));
    this.paint();
  }

  paint() {
    if (!this.cell) return;
    const { width, height } = this.frame.getBoundingClientRect();
    const size = { width: Math.round(width * devicePixelRatio), height: Math.round(height * devicePixelRatio) };
    if (this.canvas.width !== size.width || this.canvas.height !== size.height) Object.assign(this.canvas, size);
    this.cell.paint(this.canvas, WHOLE, true);
    const { wiped } = this.box;
    this.edge.style.left = `${100 * wiped}%`;
    this.edge.hidden = wiped <= 0 || wiped >= 1;
    if (wiped > 0) this.cell.bare(this.canvas, Math.round(wiped * size.width));
  }

  /** Where an event is, as shares of the picture. */
  spot(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: clamp((event.clientX - box.left) / box.width, 0, 1), y: clamp((event.clientY - box.top) / box.height, 0, 1) };
  }

  point(event) {
    if (event.buttons) this.wipe(event);
    this.box.point(this.spot(event));
  }

  wipe(event) {
    if (event.buttons) this.box.wipe(this.spot(event).x);
  }

  /** The value at a place, in both maps at once. */
  value(place) {
    const { field, row } = this.cell;
    const [x, y] = place ? [Math.floor(place.x * row.data.width), Math.floor(place.y * row.data.height)] : [0, 0];
    const pixel = Math.min(y, row.data.height - 1) * row.data.width + Math.min(x, row.data.width - 1);
    say(this.chip, place && field ? this.cell.valueAt(pixel) : "");
    this.chip.hidden = !place || !field;
  }
}

export class Lightbox {
  constructor(grid) {
    this.grid = grid;
    this.wiped = 0;
    this.sheets = [new Sheet(this), new Sheet(this)];
    this.title = make("b");
    this.place = make("span", "place");
    this.moves = Object.keys(STEPS).map((key) => button("plain", MOVES[key], icon(SIGNS[key]), () => this.move(key)));
    this.beside = make("select", "", { "aria-label": "Map beside" });
    this.beside.addEventListener("change", () => this.show());
    this.slider = make("input", "", { type: "range", min: 0, max: 100, step: 1, value: 0, "aria-label": "Wipe between map and image" });
    this.slider.addEventListener("input", () => this.wipe(Number(this.slider.value) / 100));
    this.slider.style.setProperty("--share", "0%");
    const close = button("plain close", "Close (Escape)", "×", () => this.node.close());
    const wiper = make("label", "slider", { title: "Wipe between map and image; pull across the map does the same" }, make("span", "name", {}, "Image"), this.slider);
    const head = make("header", "", {}, this.title, this.place, ...this.moves, make("label", "", {}, make("span", "name", {}, "Beside"), this.beside), wiper, close);
    this.whole = make("img", "", { alt: "The whole photo" });
    this.seen = make("u");
    this.inset = make("figure", "inset", {}, make("div", "", {}, this.whole, this.seen), make("figcaption", "", {}, "The whole photo; the model sees what is framed"));
    this.stage = make("div", "stage", {}, ...this.sheets.map(({ node }) => node), this.inset);
    this.node = make("dialog", "decam lightbox", { "aria-label": "Map enlarged", tabindex: -1 }, head, this.stage);
    this.node.addEventListener("close", () => this.closed());
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("click", (event) => event.target === this.node && this.node.close());
    this.sizes = new ResizeObserver(() => this.sheets.forEach((sheet) => sheet.paint()));
  }

  open(cell) {
    this.at = cell;
    if (!this.node.open) this.node.showModal();
    this.sizes.observe(this.stage);
    this.show();
    this.node.focus(); // its first button may be off, and would take the keys with it
  }

  closed() {
    this.sizes.disconnect();
    this.grid.choose(this.at);
    this.at.node.focus();
  }

  show() {
    const { row, column } = this.at;
    const columns = [...this.grid.columns.values()];
    const options = [["", "nothing"], ...columns.filter((each) => each !== column).map(({ data }) => [data.key, data.title])];
    const wanted = options.some(([key]) => key === this.beside.value) ? this.beside.value : "";
    this.beside.replaceChildren(...options.map(([key, title]) => make("option", "", { value: key }, title)));
    this.beside.value = wanted;
    say(this.title, row.target ? `${row.data.title} · ${row.target}` : row.data.title);
    const rows = this.grid.cells.length;
    const down = this.grid.cells.findIndex((each) => each.includes(this.at));
    say(this.place, `method ${columns.indexOf(column) + 1} of ${columns.length}${rows > 1 ? `, image ${down + 1} of ${rows}` : ""}`);
    this.moves.forEach((each, i) => (each.disabled = !this.next(Object.keys(STEPS)[i])));
    const [first, second] = this.sheets;
    second.node.hidden = !wanted;
    this.stage.classList.toggle("two", Boolean(wanted));
    this.stage.style.setProperty("--ratio", String(row.data.width / row.data.height));
    row.sharpen();
    this.showWhole(row.data.original);
    first.show(this.at);
    if (wanted) second.show(row.cells.get(wanted));
    this.point(null);
  }

  /** The photograph as it was given, with a frame around what the model sees, unless that is all. */
  showWhole(original) {
    this.inset.hidden = !original?.part;
    if (!original?.part) return;
    const [top, left, bottom, right] = original.part.map((share) => 100 * share);
    const source = address(original.whole);
    if (this.whole.src !== source) this.whole.src = source;
    Object.assign(this.seen.style, { top: `${top}%`, left: `${left}%`, width: `${right - left}%`, height: `${bottom - top}%` });
  }

  /** The cell that a key leads to, undefined beyond the edges. */
  next(key) {
    const [down, across] = STEPS[key];
    const row = this.grid.cells.findIndex((each) => each.includes(this.at));
    return this.grid.cells[row + down]?.[this.grid.cells[row].indexOf(this.at) + across];
  }

  move(key) {
    const cell = this.next(key);
    if (!cell) return;
    this.at = cell;
    this.show();
    const { activeElement } = /** @type {ShadowRoot | Document} */ (this.node.getRootNode());
    if (!activeElement || activeElement.matches(":disabled")) this.node.focus();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in STEPS) || event.target.matches("select, input")) return;
    this.move(event.key);
    event.preventDefault();
  }

  wipe(share) {
    this.wiped = share;
    this.slider.value = String(Math.round(100 * share));
    this.slider.style.setProperty("--share", `${100 * share}%`);
    this.sheets.forEach((sheet) => sheet.node.hidden || sheet.paint());
  }

  point(place) {
    this.sheets.forEach((sheet) => sheet.node.hidden || sheet.value(place));
  }

  /** A map or a picture is new: what shows it is drawn again. */
  renew(plate) {
    if (this.node.open && plate.row === this.at.row) this.show();
  }
}
