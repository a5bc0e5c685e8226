// A card of the gallery: what one class is to each model, seed and method asked.

import { compose, loadImage, readable, sheet } from "../grid/grid_draw.js";
import { arrange, mark } from "../grid/grid_controls.js";
import { draw, make, say } from "../shared/component.js";
import { Latest } from "../shared/latest.js";
import { placeOf } from "../shared/live.js";
import { STATES } from "../shared/states.js";
import { heightOf, Reel, spanOf, sparkPath, strengths, valueAt, worthText } from "./reel.js";

const SMALL = 56; // pixels a side of a moment, as the server keeps them
const SPARK = [72, 20];

/** The curve of the fidelity, with the height of a random map. */
class Spark {
  constructor() {
    const [width, height] = SPARK;
    this.floor = draw("line", { class: "floor", x1: 0, x2: width });
    this.line = draw("path");
    this.dot = draw("circle", { r: 2.2 });
    const frame = { viewBox: `-2 -2 ${width + 4} ${height + 4}`, class: "spark", "aria-hidden": "true" };
    this.node = draw("svg", frame, this.floor, this.line, this.dot);
  }

  /** @param {[number, number | null][]} points */
  draw(points, total, worth, at, activation) {
    const [width, height] = SPARK;
    const [low, high] = spanOf(points, worth, activation);
    const path = sparkPath(points, total, width, height, low, high);
    this.node.toggleAttribute("hidden", !path);
    if (!path) return;
    const value = valueAt(points, at);
    this.line.setAttribute("d", path);
    this.dot.toggleAttribute("hidden", value == null);
    this.dot.setAttribute("cx", String(width * Math.min(at / Math.max(total, 1), 1)));
    this.dot.setAttribute("cy", String(heightOf(value ?? low, height, low, high)));
    this.floor.toggleAttribute("hidden", worth?.control == null);
    const floor = String(heightOf(worth?.control ?? low, height, low, high));
    this.floor.setAttribute("y1", floor);
    this.floor.setAttribute("y2", floor);
  }
}

/** One map, finished or in the making. */
export class Picture {
  /** @type {Card} */
  card;
  /** @type {any} */
  film = null;
  /** @type {any} */
  strip = null;
  winding = null;

  constructor(gallery) {
    this.gallery = gallery;
    this.images = new Latest();
    this.reel = new Reel();
    this.points = [];
    this.cell = { state: "waiting", notes: [] };
    this.title = make("div", "name");
    this.canvas = make("canvas", "", { "aria-hidden": "true" });
    this.worth = make("span", "worth", { "aria-hidden": "true" });
    this.button = make("button", "map", { type: "button", tabindex: -1 }, this.canvas, this.worth);
    this.value = make("b", "fidelity");
    this.spark = new Spark();
    this.status = make("span", "status");
    this.nothing = make("p", "nothing", { hidden: "" });
    this.notes = make("div", "notes");
    this.node = make("div", "picture", {}, this.title, this.button, make("div", "line", {}, this.value, this.spark.node, this.status), this.nothing, this.notes);
    this.button.addEventListener("click", () => gallery.choose(this));
    this.button.addEventListener("focus", () => gallery.rove(this));
  }

  /** What the page says of the map. */
  update({ row, column, title, cell, points, film, size }) {
    this.place = placeOf({ row, column });
    this.key = [row, column];
    this.name = title;
    this.size = size;
    say(this.title, title);
    this.title.hidden = !title;
    this.node.style.setProperty("--shape", `${size[1]} / ${size[0]}`);
    if (points.length >= this.points.length) this.points = points;
    if (cell.worth && !film) this.reel.clear();
    if (film && film.url !== this.film?.url && (cell.worth || !this.reel.frames.length)) this.wind(film);
    this.take(cell);
  }

  /** What the stream says of the map. */
  hear({ cell, search }) {
    if (search?.points.length) this.points = search.points.map(([place, values]) => [place, values.fidelity ?? null]);
    this.take(cell);
  }

  take(cell) {
    this.cell = cell;
    this.node.dataset.state = cell.state;
    const error = cell.error ? [cell.error] : [];
    const lines = [...error, ...(cell.notes ?? [])];
    const made = [...this.notes.children];
    arrange(this.notes, lines.map((_, i) => made[i] ?? make("p")));
    lines.forEach((line, i) => say(this.notes.children[i], line));
    say(this.nothing, cell.nothing ?? "");
    this.nothing.hidden = !cell.nothing;
    this.load(cell);
    this.show(this.gallery.share);
  }

  /** Take the moments of a finished map, which lie below each other in one picture. */
  wind(film) {
    this.film = film;
    this.strip = null;
    this.reel.clear();
    film.evaluations.forEach((at, index) => this.reel.add({ at, index }));
  }

  load({ pattern, worth, evaluations }) {
    if (!pattern) return;
    this.images.fetch(pattern, () => loadImage(pattern), (image) => {
      this.whole = image;
      if (!worth) this.keep(image, evaluations);
      this.gallery.moved();
      this.show(this.gallery.share);
    });
  }

  /** Keep a moment that was heard, small. */
  keep(image, at) {
    const small = Math.min(1, SMALL / Math.max(image.naturalWidth, image.naturalHeight));
    const kept = sheet(Math.round(image.naturalWidth * small), Math.round(image.naturalHeight * small));
    const context = readable(kept);
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, kept.width, kept.height);
    this.reel.add({ at, kept });
  }

  /** Draw the moment at a share of the way, in [0, 1]; at 1 the map as it is now. */
  show(share) {
    const frame = share < 1 ? this.reel.at(share) : null;
    const { worth, evaluations, state, progress } = this.cell;
    const last = Math.max(0, ...this.points.map(([place]) => place));
    const total = state === "running" && progress ? evaluations / progress : last;
    const at = frame ? frame.at : evaluations;
    const value = frame ? valueAt(this.points, at) : worth?.fidelity ?? valueAt(this.points, at);
    const { activation } = this.gallery;
    say(this.value, this.whole || value != null ? worthText(value, activation) : "");
    this.spark.draw(this.points, total, worth, Math.min(at, last), activation);
    say(this.status, this.statusText(frame));
    const words = worth ? this.cell.words : this.whole ? "Not finished: no random map to compare with yet" : "";
    say(this.worth, words);
    this.worth.hidden = !words;
    const parts = [this.card.name, this.name, words, this.nothing.textContent, this.status.textContent, ...[...this.notes.children].map((note) => note.textContent)];
    mark(this.button, "aria-label", parts.filter(Boolean).join("; "));
    this.paint(frame);
  }

  statusText(frame) {
    if (frame) return `${frame.at.toLocaleString("en-US")} eval.`;
    const { state, progress } = this.cell;
    if (state !== "running") return STATES[state] ?? "";
    return progress == null ? "Starting" : `${Math.round(100 * progress)} %`;
  }

  paint(frame) {
    if (frame && "index" in frame && !this.strip) {
      this.unwind();
      return;
    }
    const [height, width] = this.size;
    const from = frame ? frame.kept ?? this.strip : this.whole;
    this.canvas.hidden = !from;
    if (!from) return;
    Object.assign(this.canvas, { width, height });
    const context = readable(this.canvas);
    context.imageSmoothingQuality = "high";
    if (frame && "index" in frame) {
      const each = this.strip.naturalHeight / this.film.evaluations.length;
      context.drawImage(from, 0, frame.index * each, this.strip.naturalWidth, each, 0, 0, width, height);
    } else context.drawImage(from, 0, 0, width, height);
    if (this.gallery.view === "magnitude") this.strengthen(context);
  }

  /** Show how strong the pattern is at each pixel, instead of its colours. */
  strengthen(context) {
    const { width, height } = this.canvas;
    const field = strengths(context.getImageData(0, 0, width, height).data);
    compose(this.canvas, field, false, [0, Math.max(...field)], this.gallery.table, "map");
  }

  async unwind() {
    if (this.winding === this.film.url) return;
    const { url } = this.film;
    this.winding = url;
    try {
      const strip = await loadImage(url);
      if (url === this.film.url) this.strip = strip;
      this.show(this.gallery.share);
    } catch (problem) {
      console.debug("decam: the way to a map has not arrived", problem);
    }
    this.winding = null;
  }
}

export class Card {
  constructor(gallery) {
    this.gallery = gallery;
    this.pictures = new Map();
    this.title = make("h2");
    this.row = make("div", "pictures");
    this.node = make("section", "card", {}, this.title, this.row);
  }

  update({ title, pictures }) {
    this.name = title;
    say(this.title, title);
    mark(this.title, "title", title);
    mark(this.node, "aria-label", title);
    const known = this.pictures;
    this.pictures = new Map();
    for (const data of pictures) {
      const place = placeOf(data);
      const picture = known.get(place) ?? new Picture(this.gallery);
      picture.card = this;
      this.pictures.set(place, picture);
      picture.update(data);
    }
    arrange(this.row, [...this.pictures.values()].map(({ node }) => node));
  }
}
