// The result grid as a Streamlit component: one grid for each place in the page, updated in place; zoom and hover shared.

import { bytesFrom, make, mounted, say } from "../shared/component.js";
import { Follower, placeOf } from "../shared/live.js";
import { arrange, controls, keptSettings, mark } from "./grid_controls.js";
import { clamp, gradient, limitsOf, limitText, meaning, panned, zoomed } from "./grid_draw.js";
import { Lightbox } from "./grid_lightbox.js";
import { Pointers } from "./grid_pointer.js";
import { Row } from "./grid_row.js";

const PRESENT = "decam-present"; // of the whole page, whose rules are in style.css
const presented = () => document.documentElement.classList.contains(PRESENT);

class Grid {
  /** @type {ReturnType<typeof controls>} */
  controls;
  /** @type {Record<string, Uint8Array>} */
  tables;
  /** @type {() => void} */
  tell;
  /** @type {string} */
  diverging;
  /** @type {Record<string, [string, string]>} The colours of the lowest and the highest value by the table. */
  words;
  /** @type {[string, string]} */
  byRank;
  /** @type {(cell: any) => void} */
  choosing;
  /** @type {(cell: any, place: any) => void} */
  pointing;

  constructor() {
    this.rows = new Map();
    this.columns = new Map();
    this.cells = [];
    this.waiting = new Set();
    this.pointers = new Pointers(this);
    this.zoom = { scale: 1, x: 0, y: 0 };
    this.settings = keptSettings();
    this.selected = null;
    /** @type {any} */
    this.hover = null;
    /** @type {any} The cell clicked last, and where in it. */
    this.clicked = null;
    this.shared = null;
    this.asks = false;
    this.header = make("div", "row heads", { role: "row", id: "heads" }, make("div", "column", { role: "columnheader" }, make("span", "", {}, "Image")));
    this.top = make("div", "top", { role: "presentation" }, this.header);
    this.body = make("div", "rows", { role: "presentation" });
    const role = { role: "grid", "aria-owns": "heads", "aria-label": "Maps, images down and methods across" };
    this.side = make("div", "side", role, this.body);
    this.stays = make("div", "stays", {}, this.top);
    this.box = new Lightbox(this);
    this.node = make("div", "decam decam-grid", {}, this.stays, this.side, this.box.node);
    this.side.addEventListener("scroll", () => (this.top.scrollLeft = this.side.scrollLeft));
    this.side.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("keydown", ({ key }) => key === "Escape" && !this.box.node.open && this.present(false));
    this.sizes = new ResizeObserver((entries) => this.resized(entries));
    this.sight = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "200px" });
    this.follower = new Follower({ news: (news) => this.hear(news) });
  }

  update(data, { setStateValue }) {
    this.tell = () => {
      const look = this.look();
      if (JSON.stringify(look) !== this.told) setStateValue("look", look);
      this.told = JSON.stringify(look);
    };
    if (data.rows.length) this.tell();
    this.pointing = (cell, { x, y }) => setStateValue("place", [cell.row.data.key, cell.column.data.key, ...[x, y].map((share) => Number(clamp(share, 0, 1).toFixed(4)))]);
    this.choosing = (cell) => setStateValue("selected", [cell.row.data.key, cell.column.data.key]);
    if (!this.controls) this.start(data);
    this.header.style.setProperty("--columns", data.columns.length + 1);
    this.body.style.setProperty("--columns", data.columns.length + 1);
    this.node.style.setProperty("--above", `${barHeight()}px`);
    this.updateColumns(data.columns);
    const cells = new Map(data.cells.map((cell) => [placeOf(cell), cell]));
    this.live = data.live;
    this.metrics = data.metrics;
    const news = this.follower.newest(this.live);
    for (const { cell } of news?.cells ?? []) cells.set(placeOf(cell), cell);
    const keys = new Set(data.rows.map((row) => row.key));
    for (const [key, row] of this.rows) {
      if (!keys.has(key)) row.plates().forEach((plate) => this.forget(plate)), this.rows.delete(key);
    }
    for (const row of data.rows) {
      if (!this.rows.has(row.key)) this.rows.set(row.key, new Row(this));
      this.rows.get(row.key).update(row, this.columns, cells, data.metrics);
    }
    arrange(this.body, data.rows.map((row) => this.rows.get(row.key).node));
    this.cells = data.rows.map((row) => [...this.columns.keys()].map((key) => this.rows.get(row.key).cells.get(key)));
    markOutdated(this.cells.flat(), data.outdated);
    this.controls.showTruth(data.rows.some((row) => row.truth));
    if (data.selected && !this.selected) this.selected = data.selected;
    this.markSelected();
    if (news) this.nameRows(news.run);
    this.mapChanged();
    this.answer(data.answers);
  }

  /** What the model said to the parts of pictures that are shown; null where nobody asks it. */
  answer(answers) {
    this.asks = answers !== null;
    const late = (problem) => console.debug("decam: a mask has not arrived", problem);
    for (const each of answers ?? []) this.rows.get(each.row)?.cells.get(each.column)?.hearAnswer(each).catch(late);
  }

  /** What the server follows: how exports are drawn, and which part of a picture the model is asked about. */
  look() {
    const { view, top, colours, opacity, scale, extremes, contours } = this.settings;
    return { colours, opacity, scale, extremes, contours, top: view === "masked" ? top : null };
  }

  /** What has come of a run that goes on: its cells, and the classes once the model has been asked. */
  hear({ cells, run }) {
    for (const { cell } of cells) this.rows.get(cell.row)?.cells.get(cell.column)?.update(cell, this.metrics);
    this.nameRows(run);
  }

  nameRows({ rows }) {
    for (const { key, label, probability } of rows) this.rows.get(key)?.name(label, probability);
  }

  start({ tables, diverging, words, byRank }) {
    this.tables = Object.fromEntries(Object.entries(tables).map(([name, text]) => [name, bytesFrom(text)]));
    Object.assign(this, { diverging, words, byRank });
    this.controls = controls(this.settings, this.tables, diverging, () => this.chosen(), () => this.tell(), (factor) => this.zoomBy(factor), () => this.present());
    this.stays.prepend(this.controls.node);
    this.controls.showZoom(1);
    this.dress();
  }

  /** The controls have changed. */
  chosen() {
    this.dress();
    this.mapChanged();
  }

  /** What the view shows besides maps: a masked picture has no colours to explain. */
  dress() {
    this.node.classList.toggle("masks", this.settings.view === "masked");
    this.rows.forEach((row) => row.showMeaning());
  }

  tableOf(signed) {
    return signed ? this.diverging : this.settings.colours;
  }

  meaning(signed, label) {
    return meaning(this.words[this.tableOf(signed)], signed, label, this.settings.view === "overlay");
  }

  updateColumns(columns) {
    const known = this.columns;
    this.columns = new Map(columns.map((data) => [data.key, Object.assign(known.get(data.key) ?? this.makeColumn(), { data })]));
    for (const { node, title, data } of this.columns.values()) {
      say(title, data.title);
      mark(node, "title", data.help || null);
    }
    arrange(this.header, [this.header.firstChild, ...[...this.columns.values()].map(({ node }) => node)]);
  }

  makeColumn() {
    const [title, low, high] = ["name", "low", "high"].map((name) => make("span", name));
    const colours = make("span", "colours");
    const legend = make("span", "legend", { "aria-hidden": "true" }, low, colours, high);
    return { title, low, high, colours, node: make("div", "column", { role: "columnheader" }, title, legend) };
  }

  showLegends() {
    for (const column of this.columns.values()) {
      const { signed, key } = column.data;
      const wanted = this.tableOf(signed);
      if (column.painted !== wanted) column.colours.style.backgroundImage = gradient(this.tables[wanted]);
      column.painted = wanted;
      const limits = this.settings.scale === "column" ? this.shared?.get(key) : null;
      say(column.low, limits ? limitText(limits[0], limits) : signed ? "−" : "");
      say(column.high, limits ? limitText(limits[1], limits) : signed ? "+" : "");
      const [lowest, highest] = this.words[wanted];
      mark(column.colours, "title", signed ? `White is zero, ${lowest} below, ${highest} above` : `From ${lowest}, the lowest value, to ${highest}`);
    }
  }

  /** The limits that a map is scaled by, alone or with those it shares its scale with. */
  limits(cell) {
    const { scale, extremes } = this.settings;
    const { key, signed } = cell.column.data;
    if (scale === "rank" && !cell.silent) return signed ? [-1, 1] : [0, 1];
    return scale === "column" && !cell.silent ? this.shared?.get(key) : limitsOf([cell], signed, extremes);
  }

  mapChanged(cell = null) {
    const groups = new Map();
    for (const each of this.cells.flat()) {
      const { key } = each.column.data;
      if (each.field) groups.set(key, [...(groups.get(key) ?? []), each]);
    }
    this.shared = new Map([...groups].map(([name, maps]) => [name, limitsOf(maps, maps[0].column.data.signed, this.settings.extremes)]));
    this.showLegends();
    this.cells.flat().forEach((each) => each.showScale());
    if (cell) this.box.renew(cell);
    if (cell && this.settings.scale !== "column") this.dirty(cell);
    else this.repaint();
    if (this.hover) this.point(this.hover.plate, this.hover.place);
  }

  // Painting: once a frame, and only what can be seen.

  plates() {
    return [...this.rows.values()].flatMap((row) => row.plates());
  }

  repaint() {
    this.plates().forEach((plate) => this.dirty(plate));
  }

  dirty(plate) {
    this.waiting.add(plate);
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      for (const each of this.waiting) {
        if (each.visible && this.shared) each.paint(), this.waiting.delete(each);
      }
    });
  }

  resized(entries) {
    for (const { target, contentRect } of entries) {
      const width = Math.round(contentRect.width * devicePixelRatio);
      const height = Math.round(contentRect.height * devicePixelRatio);
      if (width && (target.width !== width || target.height !== height)) {
        Object.assign(target, { width, height });
        if (this.shared) target.plate.paint();
      }
    }
  }

  seen(entries) {
    for (const { target, isIntersecting } of entries) {
      target.plate.visible = isIntersecting;
      if (isIntersecting && this.waiting.has(target.plate)) this.dirty(target.plate);
    }
  }

  watch(plate) {
    this.sizes.observe(plate.canvas);
    this.sight.observe(plate.canvas);
  }

  forget(plate) {
    this.sizes.unobserve(plate.canvas);
    this.sight.unobserve(plate.canvas);
    this.waiting.delete(plate);
    if (this.hover?.plate.row === plate.row) this.hover = null;
  }

  /** Begin or begin again to watch; Streamlit may release a grid and go on with it. */
  attach() {
    this.follower.follow(this.live);
    if (this.attached) return;
    this.attached = true;
    this.plates().forEach((plate) => this.watch(plate));
  }

  release() {
    this.attached = false;
    this.present(false);
    this.follower.stop();
    this.sizes.disconnect();
    this.sight.disconnect();
  }

  // Zoom and pan, the same for all.

  zoomBy(factor, x = 0.5, y = 0.5) {
    this.setZoom(factor ? zoomed(this.zoom, factor, x, y) : { scale: 1, x: 0, y: 0 });
  }

  setZoom(zoom) {
    this.zoom = zoom;
    this.node.classList.toggle("zoomed", zoom.scale > 1);
    this.controls.showZoom(zoom.scale);
    this.repaint();
    if (this.hover) this.point(this.hover.plate, this.hover.place);
  }

  listen(plate) {
    this.pointers.listen(plate);
    if (this.attached) this.watch(plate);
  }

  /** The crosshair at the same place in all cells of a row. */
  point(plate, place) {
    if (this.hover && this.hover.plate.row !== plate.row) this.hover.plate.row.plates().forEach((each) => each.point(null));
    this.hover = place ? { plate, place } : null;
    plate.row.plates().forEach((each) => each.point(place));
  }

  // Choosing, by pointer or keyboard.

  /** Show a map large; it is chosen when its window closes. */
  enlarge(cell) {
    if (this.pointers.dragged) return;
    this.clicked = this.hover?.plate === cell ? { cell, place: this.hover.place } : null;
    this.box.open(cell);
  }

  /** Leave the maps alone on the page, or bring the page back. */
  present(now = !presented()) {
    if (now === presented()) return;
    document.documentElement.classList.toggle(PRESENT, now);
    this.node.classList.toggle("present", now);
    this.controls.showPresent(now);
    if (now) this.cells.flat().find(({ node }) => node.tabIndex === 0)?.node.focus();
  }

  choose(cell) {
    const wanted = [cell.row.data.key, cell.column.data.key];
    if (this.clicked?.cell === cell) this.pointing(cell, this.clicked.place);
    this.clicked = null;
    if (String(wanted) === String(this.selected)) return;
    this.selected = wanted;
    this.markSelected();
    this.choosing(cell);
  }

  chooseByKey(row, node, enlarged) {
    const cell = this.cells[row].find((each) => each.node === node);
    this.pointers.dragged = false;
    if (enlarged) this.enlarge(cell);
    else this.choose(cell);
  }

  markSelected() {
    const [row, column] = this.selected ?? [];
    /** @type {any} */
    let first = null;
    for (const cell of this.cells.flat()) {
      const chosen = cell.row.data.key === row && cell.column.data.key === column;
      mark(cell.node, "aria-selected", chosen);
      if (chosen || !first) first = cell;
    }
    if (first && !this.cells.flat().some((cell) => cell.node.tabIndex === 0)) first.node.tabIndex = 0;
  }

  /** One cell at a time is reached by Tab; the arrows go to the others. */
  rove(cell) {
    for (const each of this.cells.flat()) each.node.tabIndex = each === cell ? 0 : -1;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const zooms = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 0 };
    const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -1e3], End: [0, 1e3] };
    const at = this.cells.findIndex((row) => row.some((cell) => cell.node === event.target));
    if (event.key in zooms) this.zoomBy(zooms[event.key]);
    else if (at < 0) return;
    else if (event.key === "Enter" || event.key === " ") this.chooseByKey(at, event.target, event.key === "Enter");
    else if (event.key === "s") this.cells[at].find((cell) => cell.node === event.target && !cell.save.hidden)?.download();
    else if (event.key in steps && event.shiftKey) {
      const [down, across] = steps[event.key].map((step) => clamp(step, -1, 1) / (8 * this.zoom.scale));
      this.setZoom(panned({ ...this.zoom, x: this.zoom.x + across, y: this.zoom.y + down }));
    } else if (event.key in steps) {
      const [down, across] = steps[event.key];
      const row = this.cells[clamp(at + down, 0, this.cells.length - 1)];
      const place = this.cells[at].findIndex((cell) => cell.node === event.target);
      row[clamp(place + across, 0, row.length - 1)].node.focus();
    } else return;
    event.preventDefault();
  }
}

/** Dim the maps that are no answer to what is chosen on the page now. */
function markOutdated(cells, outdated) {
  const places = new Set((outdated ?? []).map(([row, column]) => placeOf({ row, column })));
  for (const { node, row, column } of cells) {
    const dimmed = places.has(placeOf({ row: row.data.key, column: column.data.key }));
    node.classList.toggle("outdated", dimmed);
    mark(node, "aria-description", dimmed ? "Not what is chosen now" : null);
  }
}

/** The height of the page's own bar where it hides what scrolls beneath it. */
function barHeight() {
  const bar = document.querySelector('[data-testid="stHeader"]');
  if (!bar || /^(transparent|rgba\(.*, 0\))$/.test(getComputedStyle(bar).backgroundColor)) return 0;
  return bar.getBoundingClientRect().height;
}

export default mounted(Grid);
