// The cells of the result grid: made once, then changed in place, only where something is new.

import { icon, make, say } from "../shared/component.js";
import { durationText } from "../shared/duration.js";
import { Latest } from "../shared/latest.js";
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
  paint,
  scoreText,
  sheet,
  valueText,
} from "./grid_draw.js";
import { contours, cover, hide, ordered, ranksOf, topShare, topText } from "./grid_rank.js";
import { saved } from "./grid_save.js";

const SAVE = "M8 2v8m0 0 3-3m-3 3L5 7M3 13.5h10";

/** The canvas of a picture or a map, with the crosshair and the value beneath it. */
export class Plate {
  /** @type {any} What the server says of a map; a picture alone has none. */
  data;
  /** @type {any} The method's; a picture alone has none. */
  column;
  /** @type {any} What the model said to a part of the picture, once it has been asked. */
  answer = null;
  /** @type {any} */
  field = null;
  /** @type {any} */
  order = null;
  /** @type {any} */
  ranks = null;
  /** @type {Path2D[] | null} */
  contours = null;
  faint = 0;

  constructor(grid, row) {
    this.grid = grid;
    this.row = row;
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
    this.order = this.ranks = this.contours = null;
    this.field = grey ? fieldOf(grey, low, high, { width, height }) : null;
    const fits = this.layer?.width === width && this.layer?.height === height;
    if (!grey) this.layer = null;
    else if (!fits) this.layer = sheet(width, height);
  }

  /** The map's values from the lowest to the highest. */
  sorted() {
    this.order ??= ordered(this.field);
    return this.order;
  }

  /** The values that colours stand for: the map's own or, by rank, the shares of values below them. */
  coloured(signed) {
    if (this.grid.settings.scale !== "rank") return this.field;
    this.ranks ??= ranksOf(this.field, signed);
    return this.ranks;
  }

  compose(signed, limits) {
    const { settings, tables } = this.grid;
    const { view, scale, top } = settings;
    const name = this.grid.tableOf(signed);
    const wanted = view === "masked" ? [view, top, Boolean(this.shown(top))].join() : [view, name, scale, ...limits].join();
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    const asked = this.shown(top);
    if (view !== "masked") compose(this.layer, this.coloured(signed), signed, limits, tables[name], view);
    else if (asked) cover(this.layer, (i) => asked[i] > 32767);
    else hide(this.layer, this.field, this.sorted(), top / 100);
  }

  /** The very pixels that the model was shown, as levels, where it has been asked about this share. */
  shown(top) {
    return this.answer?.top === top && this.answer.levels?.length === this.field.length ? this.answer.levels : null;
  }

  lines() {
    if (!this.grid.settings.contours || !this.field || this.silent) return [];
    this.contours ??= contours(this.field, this.row.data);
    return this.contours;
  }

  /** Draw into a canvas; `sharp` asks for the picture as it was given, where it is finer than what the model sees. */
  paint(canvas = this.canvas, zoom = this.grid.zoom, sharp = false) {
    const { settings } = this.grid;
    if (this.layer) this.compose(this.column.data.signed, this.grid.limits(this));
    const bare = settings.view === "map" && this.layer ? 0 : 1;
    const alphas = {
      pictureAlpha: this.faint && !this.layer ? this.faint : bare,
      layerAlpha: settings.view === "overlay" ? settings.opacity / 100 : 1,
    };
    const outlined = settings.truth && (this.layer || !this.column) ? this.row.truth : null;
    const { picture, data: size } = this.row;
    const greyed = picture && this.layer && settings.view === "overlay";
    if (greyed) this.row.grey ??= greyOf(picture);
    const fine = sharp && this.row.sharp;
    const behind = fine ? { picture: fine.picture, grey: greyed && fine.grey } : { picture, grey: greyed && this.row.grey };
    paint(canvas, { ...behind, size, layer: this.layer, outlined, lines: this.lines() }, alphas, zoom);
  }

  /** Draw the bare picture over the left of a canvas, up to so many of its pixels. */
  bare(canvas, right) {
    const picture = this.row.sharp?.picture ?? this.row.picture;
    if (!picture) return;
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = 1;
    context.save();
    context.beginPath();
    context.rect(0, 0, right, canvas.height);
    context.clip();
    context.imageSmoothingEnabled = true;
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    context.restore();
  }

  /** A value with the share of the map that is as high. */
  valueAt(pixel) {
    const value = this.field[pixel];
    return `${valueText(value)} · ${topText(topShare(this.sorted(), value))}`;
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
    say(this.chip, this.field ? this.valueAt(y * width + x) : this.column ? "" : `${x}, ${y}`);
    this.chip.classList.toggle("high", down > 0.72 && across < 0.5);
  }
}

const ASKING = "Asking the model …";

/** A map with what is said about it. */
export class Cell extends Plate {
  constructor(grid, row, column) {
    super(grid, row);
    this.column = column;
    this.json = "";
    this.images = new Latest();
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
    this.node.addEventListener("click", () => this.grid.enlarge(this));
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
    const worded = state === "failed";
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

  statusText({ state, progress, secondsLeft, evaluations, seconds, reused }) {
    const percent = progress == null ? [] : [`${Math.round(100 * progress)} %`];
    const left = secondsLeft == null ? [] : [`${durationText(secondsLeft)} left`];
    const cost = evaluations ? [`${evaluations.toLocaleString("en-US")} eval.`] : [];
    const time = seconds == null ? [] : [durationText(seconds)];
    if (state === "running") return percent.concat(left).join(" · ") || "Starting";
    // A finished map may wait long for its curves, behind the other maps: it must not look as if it were stuck.
    if (state === "measuring") return percent.length ? [STATES.measuring, ...percent].join(" · ") : "Map done, measuring …";
    if (state === "done") return [...(reused ? ["Reused"] : []), ...cost, ...time].join(" · ") || "Done";
    if (state === "stopped") return [STATES.stopped, ...(seconds == null ? cost : ["map kept"])].join(" · ");
    return STATES[state];
  }

  /** What the ends of its colours stand for or, of a masked picture, what the model says to it. */
  showScale() {
    say(this.scaling, this.field ? this.scaleText() : "");
    mark(this.scaling, "title", this.scaling.textContent || null);
  }

  scaleText() {
    const { settings, byRank } = this.grid;
    const { signed } = this.column.data;
    if (settings.view === "masked") {
      if (this.answer?.top === settings.top) return this.answer.text;
      return this.data.state === "done" && this.grid.asks ? ASKING : `Top ${settings.top} % shown`;
    }
    if (this.silent) return limitsText([this], signed, [0, 0]);
    return settings.scale === "rank" ? byRank[Number(signed)] : limitsText([this], signed, this.grid.limits(this));
  }

  /** What the model answered to the part of the picture that is shown. */
  async hearAnswer(answer) {
    if (answer.mask === this.answer?.mask && answer.top === this.answer?.top) return;
    this.answer = { ...answer, levels: null };
    this.showScale();
    const { levels } = await loadGrey(answer.mask);
    if (this.answer.mask !== answer.mask) return;
    this.answer.levels = levels;
    this.grid.dirty(this);
  }

  showMetrics({ values = [], best = [], state }, metrics) {
    const made = [...this.metrics.children];
    arrange(this.metrics, metrics.map((_, i) => made[i] ?? make("div", "", {}, make("dt"), make("dd"))));
    metrics.forEach((metric, i) => {
      const item = this.metrics.children[i];
      const [name, value] = item.children;
      say(name, `${metric.title} ${metric.direction > 0 ? "↑" : "↓"}`);
      say(value, values[i] == null ? (state === "failed" ? "" : "–") : scoreText(values[i]));
      item.classList.toggle("best", Boolean(best[i]));
      item.title = [metric.help, best[i] ? "The best in this row." : ""].filter(Boolean).join(" ");
    });
  }

  describe(data, metrics) {
    const values = metrics.map((metric, i) =>
      data.values?.[i] == null ? "" : `${metric.title} ${scoreText(data.values[i])}${data.best[i] ? ", best in row" : ""}`);
    const parts = [`${this.column.data.title} on ${this.row.data.title}`, this.status.textContent, data.error, ...values];
    mark(this.node, "aria-label", [...parts, ...(data.notes ?? [])].filter(Boolean).join("; "));
  }

  async load({ map, low, high, ends, silent }) {
    const key = map ? [map, low, high, ends, silent].join() : "";
    const load = async () => (map ? await loadGrey(map) : null);
    const loaded = await this.images.fetch(key, load, (grey) => {
      this.take(grey, low, high);
      this.grid.mapChanged(this);
    });
    if (!loaded) this.json = ""; // the next update asks again, also where nothing else has changed
  }

  download() {
    const { width, height } = this.row.data;
    saved(this, width, height).toBlob((blob) => {
      if (!blob) return;
      const link = make("a", "", { href: URL.createObjectURL(blob), download: fileName(this.row.data.title, this.column.data.title) });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }, "image/png");
  }
}
