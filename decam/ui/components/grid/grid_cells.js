// The rows and cells of the result grid: made once, then changed in place, only where something is new.

import { icon, make, say } from "../shared/component.js";
import { durationText } from "../shared/duration.js";
import { STATES } from "../shared/states.js";
import { arrange, button, mark } from "./grid_controls.js";
import {
  clamp,
  compose,
  fieldOf,
  fileName,
  greyOf,
  limitsText,
  loadGrey,
  loadImage,
  minus,
  outline,
  paint,
  sheet,
  valueText,
} from "./grid_draw.js";

const SAVE = "M8 2v8m0 0 3-3m-3 3L5 7M3 13.5h10";

/** The canvas of a picture or a map, with the crosshair and the value beneath it. */
class Plate {
  /** @type {any} What the server says of a map; a picture alone has none. */
  data;
  /** @type {any} The method's; a picture alone has none. */
  column;
  faint = 0;

  constructor(grid, row) {
    this.grid = grid;
    this.row = row;
    this.field = null;
    this.layer = null;
    this.drawn = "";
    this.visible = true;
    this.canvas = make("canvas", "", { "aria-hidden": "true" });
    this.cross = make("div", "cross");
    this.chip = make("div", "chip");
    this.frame = make("div", "frame", {}, this.canvas, this.cross, this.chip);
    this.canvas.plate = this;
    grid.listen(this);
  }

  /** Take the decoded map; the picture at its size is the row's. */
  take(grey, low, high) {
    const { width, height } = this.row.data;
    const { ends, silent } = this.data;
    this.low = low;
    this.high = high;
    this.ends = ends;
    this.silent = silent;
    this.drawn = "";
    this.field = grey ? fieldOf(grey, low, high, { width, height }) : null;
    this.layer = grey ? (this.layer ?? sheet(width, height)) : null;
  }

  compose(signed, limits) {
    const { settings, tables } = this.grid;
    const name = signed ? this.grid.diverging : settings.colours;
    const wanted = [settings.view, name, ...limits].join();
    if (wanted !== this.drawn) compose(this.layer, this.field, signed, limits, tables[name], settings.view);
    this.drawn = wanted;
  }

  paint(canvas = this.canvas, zoom = this.grid.zoom) {
    const { settings } = this.grid;
    if (this.layer) this.compose(this.column.data.signed, this.grid.limits(this));
    const bare = settings.view === "map" && this.layer ? 0 : 1;
    const alphas = {
      pictureAlpha: this.faint && !this.layer ? this.faint : bare,
      layerAlpha: settings.view === "overlay" ? settings.opacity / 100 : 1,
    };
    const outlined = settings.truth && (this.layer || !this.column) ? this.row.truth : null;
    const { picture } = this.row;
    const greyed = picture && this.layer && settings.view === "overlay" && this.column.data.signed;
    if (greyed) this.row.grey ??= greyOf(picture);
    paint(canvas, { picture, grey: greyed && this.row.grey, layer: this.layer, outlined }, alphas, zoom);
  }

  /** The crosshair at a place in the picture (shares of it), or none. */
  point(place) {
    const { zoom } = this.grid;
    const across = place ? (place.x - zoom.x) * zoom.scale : 0;
    const down = place ? (place.y - zoom.y) * zoom.scale : 0;
    const shown = Boolean(place) && !this.frame.classList.contains("worded");
    this.frame.classList.toggle("pointed", shown);
    if (!shown) return;
    this.cross.style.setProperty("--x", `${100 * across}%`);
    this.cross.style.setProperty("--y", `${100 * down}%`);
    const { width, height } = this.row.data;
    const x = clamp(Math.floor(place.x * width), 0, width - 1);
    const y = clamp(Math.floor(place.y * height), 0, height - 1);
    say(this.chip, this.field ? valueText(this.field[y * width + x]) : this.column ? "" : `${x}, ${y}`);
    this.chip.classList.toggle("high", down > 0.72 && across < 0.5);
  }
}

/** A map with what is said about it. */
class Cell extends Plate {
  constructor(grid, row, column) {
    super(grid, row);
    this.column = column;
    this.json = "";
    this.mapKey = "";
    this.faint = 0.3;
    this.words = make("div", "words");
    this.bar = make("div", "bar", { role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": "Progress" });
    this.save = button("save", "Save this map as PNG", icon(SAVE), (event) => (event.stopPropagation(), this.download()));
    this.save.tabIndex = -1;
    this.frame.append(this.words, this.bar, this.save);
    this.status = make("div", "status");
    this.scaling = make("div", "scaling");
    this.metrics = make("dl", "metrics");
    this.notes = make("div", "notes");
    this.node = make("div", "cell", { role: "gridcell", tabindex: -1, "aria-keyshortcuts": "Enter s + - 0" }, this.frame, this.scaling, this.status, this.metrics, this.notes);
    this.node.addEventListener("click", () => this.grid.choose(this));
    this.node.addEventListener("focus", () => this.grid.rove(this));
  }

  update(data, metrics) {
    const json = JSON.stringify([data, metrics]);
    if (json === this.json) return;
    this.json = json;
    this.data = data;
    this.showState(data);
    this.showMetrics(data, metrics);
    const notes = data.notes ?? [];
    arrange(this.notes, notes.map((note, i) => this.notes.children[i] ?? make("p")));
    notes.forEach((note, i) => (say(this.notes.children[i], note), mark(this.notes.children[i], "title", note)));
    this.load(data);
    this.describe(data, metrics);
  }

  showState(data) {
    const { state, progress } = data;
    this.node.dataset.state = state;
    const worded = state === "failed" || state === "unavailable";
    this.frame.classList.toggle("worded", worded);
    say(this.words, worded ? data.error || STATES[state] : "");
    this.words.title = worded ? data.error : "";
    const share = state === "running" ? progress ?? 0 : state === "measuring" ? progress ?? null : null;
    this.bar.hidden = share === null;
    this.bar.style.setProperty("--share", share ?? 0);
    mark(this.bar, "aria-valuenow", Math.round(100 * (share ?? 0)));
    say(this.status, this.statusText(data));
    this.save.hidden = !data.map;
    this.faint = state === "running" ? 0.5 : 0.22;
    this.grid.dirty(this);
  }

  statusText({ state, progress, secondsLeft, evaluations, seconds }) {
    const percent = progress == null ? [] : [`${Math.round(100 * progress)} %`];
    const left = secondsLeft == null ? [] : [`${durationText(secondsLeft)} left`];
    const cost = evaluations ? [`${evaluations.toLocaleString("en-US")} eval.`] : [];
    const time = seconds == null ? [] : [durationText(seconds)];
    if (state === "running") return percent.concat(left).join(" · ") || "Starting";
    // A finished map may wait long for its curves, behind the other maps: it must not look as if it were stuck.
    if (state === "measuring") return percent.length ? [STATES.measuring, ...percent].join(" · ") : "Ready · curves follow";
    if (state === "done") return cost.concat(time).join(" · ") || "Done";
    if (state === "stopped") return [STATES.stopped, ...(seconds == null ? cost : ["map kept"])].join(" · ");
    return STATES[state];
  }

  /** What the ends of its colours stand for. */
  showScale() {
    const { signed } = this.column.data;
    say(this.scaling, this.field ? limitsText([this], signed, this.grid.limits(this)) : "");
    mark(this.scaling, "title", this.scaling.textContent || null);
  }

  showMetrics({ values = [], best = [], state }, metrics) {
    const made = [...this.metrics.children];
    arrange(this.metrics, metrics.map((_, i) => made[i] ?? make("div", "", {}, make("dt"), make("dd"))));
    metrics.forEach((metric, i) => {
      const item = this.metrics.children[i];
      const [name, value] = item.children;
      say(name, `${metric.title} ${metric.direction > 0 ? "↑" : "↓"}`);
      say(value, values[i] == null ? (state === "failed" || state === "unavailable" ? "" : "–") : minus(values[i].toFixed(3)));
      item.classList.toggle("best", Boolean(best[i]));
      item.title = [metric.help, best[i] ? "The best in this row." : ""].filter(Boolean).join(" ");
    });
  }

  describe(data, metrics) {
    const values = metrics.map((metric, i) =>
      data.values?.[i] == null ? "" : `${metric.title} ${data.values[i].toFixed(3)}${data.best[i] ? ", best in row" : ""}`);
    const parts = [`${this.column.data.title} on ${this.row.data.title}`, this.status.textContent, data.error, ...values];
    mark(this.node, "aria-label", [...parts, ...(data.notes ?? [])].filter(Boolean).join("; "));
  }

  async load({ map, low, high, ends, silent }) {
    const key = map ? [map, low, high, ends, silent].join() : "";
    if (key === this.mapKey) return;
    this.mapKey = key;
    try {
      const grey = map ? await loadGrey(map) : null;
      if (key === this.mapKey) this.take(grey, low, high);
    } catch (problem) {
      if (key === this.mapKey) this.mapKey = ""; // the next update asks again
      this.json = "";
      console.debug("decam: a map has not arrived", problem);
    }
    this.grid.mapChanged(this);
  }

  download() {
    const { width, height } = this.row.data;
    const whole = sheet(width, height);
    this.paint(whole, { scale: 1, x: 0, y: 0 });
    whole.toBlob((blob) => {
      if (!blob) return;
      const link = make("a", "", { href: URL.createObjectURL(blob), download: fileName(this.row.data.title, this.column.data.title) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }, "image/png");
  }
}

/** A picture with its target, and the maps beside it. */
export class Row {
  constructor(grid) {
    this.grid = grid;
    this.cells = new Map();
    this.picture = null;
    this.truth = null;
    this.data = {};
    this.urls = "";
    this.head = new Plate(grid, this);
    this.title = make("div", "title");
    this.label = make("span", "label");
    this.probability = make("span", "probability");
    this.note = make("div", "notes");
    const target = make("div", "target", {}, this.label, this.probability);
    this.first = make("div", "cell head", { role: "rowheader" }, this.head.frame, this.title, target, this.note);
    this.node = make("div", "row", { role: "row" }, this.first);
  }

  update(data, columns, cells, metrics) {
    this.data = data;
    this.node.style.setProperty("--shape", `${data.width} / ${data.height}`);
    say(this.title, data.title);
    mark(this.title, "title", data.title);
    this.name(data.label, data.probability);
    arrange(this.note, data.note ? [this.note.firstChild ?? make("p")] : []);
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
  }

  /** The class asked about, and its probability; both may come after the picture. */
  name(label, probability) {
    say(this.label, label);
    mark(this.label, "title", label);
    say(this.probability, probability == null ? "" : probability.toFixed(2));
  }

  async load({ view, truth }) {
    const urls = `${view} ${truth}`;
    if (urls === this.urls) return;
    this.urls = urls;
    try {
      const [picture, mask] = await Promise.all([loadImage(view), truth ? loadGrey(truth) : null]);
      if (urls === this.urls) {
        this.picture = picture;
        this.grey = null;
        this.truth = mask && outline(mask);
      }
    } catch (problem) {
      if (urls === this.urls) this.urls = "";
      console.debug("decam: a picture has not arrived", problem);
    }
    this.plates().forEach((plate) => this.grid.dirty(plate));
  }

  plates() {
    return [this.head, ...this.cells.values()];
  }
}
