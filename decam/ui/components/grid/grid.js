// The result grid as a Streamlit component: one grid for each place in the page, updated in place; zoom and hover shared.

import { bytesFrom, make, mounted, say } from "../shared/component.js";
import { Follower, placeOf } from "../shared/live.js";
import { Row } from "./grid_cells.js";
import { arrange, controls, keptSettings, mark } from "./grid_controls.js";
import { clamp, gradient, limitsOf, limitText, panned, zoomed } from "./grid_draw.js";

const DRAG = 4; // pixels a pointer may move in a click

class Grid {
  /** @type {ReturnType<typeof controls>} */
  controls;
  /** @type {Record<string, Uint8Array>} */
  tables;
  /** @type {() => void} */
  tell;
  /** @type {(cell: any) => void} */
  choosing;

  constructor() {
    this.rows = new Map();
    this.columns = new Map();
    this.cells = [];
    this.waiting = new Set();
    this.pointers = new Map();
    this.zoom = { scale: 1, x: 0, y: 0 };
    this.settings = keptSettings();
    this.selected = null;
    this.hover = null;
    this.shared = null;
    this.extremes = this.settings.extremes;
    this.header = make("div", "row heads", { role: "row", id: "heads" }, make("div", "column", { role: "columnheader" }, make("span", "", {}, "Picture")));
    this.top = make("div", "top", { role: "presentation" }, this.header);
    this.body = make("div", "rows", { role: "presentation" });
    const role = { role: "grid", "aria-owns": "heads", "aria-label": "Maps, pictures down and methods across" };
    this.side = make("div", "side", role, this.body);
    this.stays = make("div", "stays", {}, this.top);
    this.node = make("div", "decam decam-grid", {}, this.stays, this.side);
    this.side.addEventListener("scroll", () => (this.top.scrollLeft = this.side.scrollLeft));
    this.side.addEventListener("keydown", (event) => this.key(event));
    this.sizes = new ResizeObserver((entries) => this.resized(entries));
    this.sight = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "200px" });
    this.follower = new Follower({ news: (news) => this.hear(news) });
  }

  update(data, { setStateValue }) {
    this.tell = () => setStateValue("extremes", this.settings.extremes);
    if (data.rows.length && data.extremes !== this.settings.extremes && !this.extremesSent) this.tell();
    this.extremesSent = true;
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
    this.controls.showTruth(data.rows.some((row) => row.truth));
    if (data.selected && !this.selected) this.selected = data.selected;
    this.markSelected();
    if (news) this.nameRows(news.run);
    this.mapChanged();
  }

  /** What has come of a run that goes on: its cells, and the classes once the model has been asked. */
  hear({ cells, run }) {
    for (const { cell } of cells) this.rows.get(cell.row)?.cells.get(cell.column)?.update(cell, this.metrics);
    this.nameRows(run);
  }

  nameRows({ rows }) {
    for (const { key, label, probability } of rows) this.rows.get(key)?.name(label, probability);
  }

  start({ tables, diverging }) {
    this.tables = Object.fromEntries(Object.entries(tables).map(([name, text]) => [name, bytesFrom(text)]));
    this.diverging = diverging;
    this.controls = controls(this.settings, this.tables, diverging, () => this.chosen(), (factor) => this.zoomBy(factor));
    this.stays.prepend(this.controls.node);
    this.controls.showZoom(1);
  }

  /** The controls have changed; the server is told what exports follow. */
  chosen() {
    const { extremes } = this.settings;
    if (extremes !== this.extremes) this.tell();
    this.extremes = extremes;
    this.mapChanged();
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
      const wanted = signed ? this.diverging : this.settings.colours;
      if (column.painted !== wanted) column.colours.style.backgroundImage = gradient(this.tables[wanted]);
      column.painted = wanted;
      const limits = this.settings.scale === "column" ? this.shared?.get(`column ${key}`) : null;
      say(column.low, limits ? limitText(limits[0], limits) : signed ? "−" : "");
      say(column.high, limits ? limitText(limits[1], limits) : signed ? "+" : "");
      mark(column.colours, "title", signed ? "White is zero, blue below, orange above" : "From the lowest value upwards");
    }
  }

  /** The limits that a map is scaled by, alone or with those it shares its scale with. */
  limits(cell) {
    const { scale, extremes } = this.settings;
    return scale === "map" || cell.silent ? limitsOf([cell], cell.column.data.signed, extremes) : this.shared?.get(this.group(cell));
  }

  group(cell) {
    const { key, signed } = cell.column.data;
    return this.settings.scale === "row" ? `row ${cell.row.data.key} ${signed}` : `column ${key}`;
  }

  mapChanged(cell = null) {
    const groups = new Map();
    for (const each of this.cells.flat()) {
      if (each.field) groups.set(this.group(each), [...(groups.get(this.group(each)) ?? []), each]);
    }
    this.shared = new Map([...groups].map(([name, maps]) => [name, limitsOf(maps, maps[0].column.data.signed, this.settings.extremes)]));
    this.showLegends();
    this.cells.flat().forEach((each) => each.showScale());
    if (cell && this.settings.scale === "map") this.dirty(cell);
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
    const { frame } = plate;
    frame.addEventListener("wheel", (event) => this.wheel(event, plate), { passive: false });
    frame.addEventListener("dblclick", (event) => this.doubled(event, plate));
    frame.addEventListener("pointerdown", (event) => this.press(event, plate));
    frame.addEventListener("pointermove", (event) => this.move(event, plate));
    frame.addEventListener("pointerup", (event) => this.lift(event));
    frame.addEventListener("pointercancel", (event) => this.lift(event));
    frame.addEventListener("pointerleave", () => this.point(plate, null));
    if (this.attached) this.watch(plate);
  }

  /** Where in the frame an event is, as shares of it. */
  spot(event, plate) {
    const box = plate.canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  doubled(event, plate) {
    const { x, y } = this.spot(event, plate);
    if (!event.target.closest("button")) this.zoomBy(event.shiftKey ? 0 : 2, x, y);
  }

  wheel(event, plate) {
    if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    const { x, y } = this.spot(event, plate);
    this.zoomBy(Math.exp(-clamp(event.deltaY, -100, 100) / 250), x, y);
  }

  press(event, plate) {
    if (event.button !== 0 || event.target.closest("button")) return;
    this.pointers.set(event.pointerId, { plate, ...this.spot(event, plate), x0: event.clientX, y0: event.clientY });
    this.dragged = false;
  }

  move(event, plate) {
    const held = this.pointers.get(event.pointerId);
    const now = this.spot(event, plate);
    if (!held) {
      const place = { x: this.zoom.x + now.x / this.zoom.scale, y: this.zoom.y + now.y / this.zoom.scale };
      if (event.pointerType !== "touch") this.point(plate, place);
      return;
    }
    if (Math.hypot(event.clientX - held.x0, event.clientY - held.y0) > DRAG && !this.dragged) {
      this.dragged = true;
      plate.frame.setPointerCapture(event.pointerId);
      this.point(plate, null);
    }
    if (!this.dragged) return;
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, pointer]) => pointer);
    if (others.length) this.pinch(held, now, others[0]);
    else this.setZoom(panned({ ...this.zoom, x: this.zoom.x + (held.x - now.x) / this.zoom.scale, y: this.zoom.y + (held.y - now.y) / this.zoom.scale }));
    Object.assign(held, now);
  }

  pinch(before, now, still) {
    const spread = ({ x, y }) => Math.max(Math.hypot(x - still.x, y - still.y), 0.02);
    this.zoomBy(spread(now) / spread(before), (now.x + still.x) / 2, (now.y + still.y) / 2);
  }

  lift(event) {
    this.pointers.delete(event.pointerId);
  }

  /** The crosshair at the same place in all cells of a row. */
  point(plate, place) {
    if (this.hover && this.hover.plate.row !== plate.row) this.hover.plate.row.plates().forEach((each) => each.point(null));
    this.hover = place ? { plate, place } : null;
    plate.row.plates().forEach((each) => each.point(place));
  }

  // Choosing, by pointer or keyboard.

  choose(cell) {
    if (this.dragged) return;
    const wanted = [cell.row.data.key, cell.column.data.key];
    if (String(wanted) === String(this.selected)) return;
    this.selected = wanted;
    this.markSelected();
    this.choosing(cell);
  }

  chooseByKey(row, node) {
    this.dragged = false;
    this.choose(this.cells[row].find((cell) => cell.node === node));
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
    else if (event.key === "Enter" || event.key === " ") this.chooseByKey(at, event.target);
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

/** The height of the page's own bar where it hides what scrolls beneath it. */
function barHeight() {
  const bar = document.querySelector('[data-testid="stHeader"]');
  if (!bar || /^(transparent|rgba\(.*, 0\))$/.test(getComputedStyle(bar).backgroundColor)) return 0;
  return bar.getBoundingClientRect().height;
}

export default mounted(Grid);
