// Nothing of its own to see: it draws the maps of a run that goes on into the places that a page keeps for them.
//
// A place is an element with the attribute data-map, as decam/ui/components/live/maps.py writes it. The page draws what
// is finished itself, and leaves the attribute out.

import { drawMap } from "../grid/grid_map.js";
import { bytesFrom, make, mounted, say } from "../shared/component.js";
import { durationText } from "../shared/duration.js";
import { Follower, placeOf } from "../shared/live.js";

const percentOf = (progress) => (progress == null ? "…" : `${Math.round(100 * progress)} %`);

/** How far a map has come, in words below it, or in its place while there is none. */
function inWords(place, { state, progress }) {
  const words = place.querySelector("figcaption, div");
  if (words) say(words, state === "running" ? percentOf(progress) : "…");
  return [make("figcaption", "", {}, state === "running" ? percentOf(progress) : "…")];
}

/** How far a map has come, as a bar; beside it, what a finished one has cost. */
function asBar(place, { state, progress, evaluations, seconds }) {
  place.querySelector(".dc-progress")?.remove();
  const cost = place.closest("article")?.querySelector(".cost");
  if (state !== "running") {
    const made = evaluations ? `${evaluations.toLocaleString("en-US")} evaluation${evaluations === 1 ? "" : "s"}` : "free";
    if (cost && seconds != null) say(cost, `${made} · ${durationText(seconds)}`);
    return [];
  }
  const percent = Math.round(100 * (progress ?? 0));
  const fill = make("i", "", { style: `width:${percent}%` });
  const bar = make("div", "dc-progress", { role: "progressbar", "aria-label": "Progress", "aria-valuenow": percent }, fill);
  place.append(bar);
  return [bar];
}

const MANNERS = { words: inWords, bar: asBar };

class Maps {
  /** @type {any} */
  data;
  /** @type {any} */
  tables;
  /** @type {number | null} */
  frame = null;

  constructor() {
    this.node = make("span", "", { hidden: "" });
    this.waiting = new Map();
    this.follower = new Follower({ news: ({ cells }) => this.hear(cells) });
  }

  update(data) {
    this.live = data.live;
    this.data = data;
    this.tables = Object.fromEntries(Object.entries(data.tables).map(([name, text]) => [name, bytesFrom(text)]));
    this.hear(this.follower.newest(this.live)?.cells ?? []);
  }

  /** Draw with the next frame, once the page has drawn its own part: a page that nobody sees draws nothing. */
  hear(cells) {
    for (const { cell } of cells) this.waiting.set(placeOf(cell), cell);
    if (this.waiting.size) this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = null;
    for (const cell of this.waiting.values()) {
      const mark = `${this.data.run} ${cell.row} ${cell.column}`;
      const place = /** @type {HTMLElement | null} */ (document.querySelector(`[data-map="${CSS.escape(mark)}"]`));
      if (place) this.show(place, cell).catch((problem) => this.late(place, cell, problem));
    }
    this.waiting.clear();
  }

  /** Draw a map that is made or measured; where one was stopped or has failed, the page says so itself. */
  async show(place, cell) {
    const { progress, pictures, signed } = this.data;
    if (!["running", "measuring", "done"].includes(cell.state)) return;
    const below = MANNERS[progress](place, cell);
    if (!cell.map || cell.map === place.dataset.shown) return;
    place.dataset.shown = cell.map;
    const canvas = make("canvas", "", { role: "img", "aria-label": place.dataset.title ?? "" });
    const bent = signed[Number(cell.column)];
    const how = { ...pictures[Number(cell.row)], signed: bent, table: this.tables[bent ? "signed" : "plain"], view: "overlay" };
    if (!(await drawMap(canvas, cell, how, () => place.dataset.shown === cell.map))) return;
    place.classList.remove(...place.classList);
    place.replaceChildren(canvas, ...below);
  }

  /** The next look asks again for a map that has not arrived. */
  late(place, { map }, problem) {
    if (place.dataset.shown === map) delete place.dataset.shown;
    console.debug("decam: a map has not arrived", problem);
  }

  attach() {
    this.follower.follow(this.live);
  }

  release() {
    this.follower.stop();
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.frame = null;
  }
}

export default mounted(Maps);
