// The rows of the result grid: a picture with its target, and the maps beside it.

import { make, say } from "../shared/component.js";
import { Latest } from "../shared/latest.js";
import { Cell, Plate } from "./grid_cells.js";
import { arrange, mark } from "./grid_controls.js";
import { greyOf, loadGrey, loadImage, outline, percentText } from "./grid_draw.js";

/** How much of a photograph the model sees, where that is not all: its part [top, left, bottom, right] as shares. */
function seenText(part) {
  if (!part) return "";
  const [top, left, bottom, right] = part;
  return `The model sees ${Math.round(100 * (bottom - top) * (right - left))} % of the photo`;
}

/** A picture with its target, and the maps beside it. */
export class Row {
  constructor(grid) {
    this.grid = grid;
    this.cells = new Map();
    this.picture = null;
    this.truth = null;
    this.data = {};
    this.images = new Latest();
    this.whole = new Latest();
    /** @type {any} */
    this.sharp = null;
    this.head = new Plate(grid, this);
    this.title = make("div", "title");
    this.label = make("span", "label");
    this.probability = make("span", "probability");
    this.note = make("div", "notes");
    this.legend = make("div", "meaning");
    this.seen = make("div", "meaning");
    const target = make("div", "target", {}, this.label, this.probability);
    this.first = make("div", "cell head", { role: "rowheader" }, this.head.frame, this.title, target, this.seen, this.legend, this.note);
    this.node = make("div", "row", { role: "row" }, this.first);
  }

  update(data, columns, cells, metrics) {
    this.data = data;
    this.node.style.setProperty("--shape", `${data.width} / ${data.height}`);
    say(this.title, data.title);
    mark(this.title, "title", data.title);
    this.name(data.label, data.probability);
    arrange(this.note, data.note ? [this.note.firstChild ?? make("p")] : []);
    say(this.seen, seenText(data.original?.part));
    if (data.note) say(this.note.firstChild, data.note);
    this.load(data);
    for (const key of [...this.cells.keys()]) {
      if (!columns.has(key)) this.grid.forget(this.cells.get(key)), this.cells.delete(key);
    }
    for (const [key, column] of columns) {
      if (!this.cells.has(key)) this.cells.set(key, new Cell(this.grid, this, column));
      this.cells.get(key).update(cells.get(`${data.key}\n${key}`) ?? { state: "waiting" }, metrics);
    }
    arrange(this.node, [this.first, ...[...columns.keys()].map((key) => this.cells.get(key).node)]);
    this.showMeaning();
  }

  /** The class asked about, and its probability; both may come after the picture. */
  name(label, probability) {
    say(this.label, label);
    mark(this.label, "title", label);
    this.target = label;
    this.showMeaning();
    say(this.probability, probability == null ? "" : percentText(probability));
  }

  /** What the colours of its maps say, a line for unsigned and one for signed ones. */
  showMeaning() {
    const kinds = [...new Set([...this.cells.values()].map(({ column }) => column.data.signed))].sort();
    const masked = this.grid.settings.view === "masked";
    /** @type {string[]} */
    const lines = masked || !this.target ? [] : kinds.map((signed) => this.grid.meaning(signed, this.target));
    arrange(this.legend, lines.map((_, i) => this.legend.children[i] ?? make("p")));
    lines.forEach((line, i) => say(this.legend.children[i], line));
  }

  async load({ view, truth }) {
    const load = () => Promise.all([loadImage(view), truth ? loadGrey(truth) : null]);
    await this.images.fetch(`${view} ${truth}`, load, ([picture, mask]) => {
      this.picture = picture;
      this.grey = null;
      this.truth = mask && outline(mask);
      this.plates().forEach((plate) => this.grid.dirty(plate));
    });
  }

  /** Load the picture as it was given, where it is finer than what the model sees. */
  async sharpen() {
    const sharp = this.data.original?.sharp;
    if (!sharp) return;
    await this.whole.fetch(sharp, () => loadImage(sharp), (picture) => {
      this.sharp = { picture, grey: greyOf(picture) };
      this.grid.box.renew(this.head);
    });
  }

  plates() {
    return [this.head, ...this.cells.values()];
  }
}
