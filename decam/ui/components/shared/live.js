// Following a run while it goes on: one connection a page, whose news all components share.
//
// A stream of server-sent events brings them. Where a proxy holds a stream back, the page asks once a second instead, and
// where the server answers neither, whoever follows is told that nothing can be heard, once a second.

import { address } from "./component.js";

const SILENCE = 30000; // milliseconds without a word, after which a stream is taken for held back; it beats every 15 s
const INTERVAL = 1000; // between two questions
const DOZE = 45000; // between two questions of a page that nobody looks at; work that nobody asks for ends after 90 s
const GRACE = 1500; // for which a connection outlives its last follower: Streamlit lets go and takes hold again

/** Versions are decimal texts: they are larger than numbers can be here. */
export const newer = (one, other) => one.length - other.length || (one > other ? 1 : one < other ? -1 : 0);

export const placeOf = ({ row, column }) => `${row}\n${column}`;

/** A cell as it is, from what was known of it and what has come; null where points are missing in between. */
export function merged(before, { cell, search }) {
  if (!search) return { cell, search };
  const points = before?.search?.points ?? [];
  if (search.from > points.length) return null;
  return { cell, search: { ...search, from: 0, points: points.slice(0, search.from).concat(search.points) } };
}

class LiveFeed {
  constructor(url, drawn) {
    this.url = url;
    this.drawn = drawn;
    this.followers = new Set();
    this.cells = new Map();
    this.coming = [];
    this.run = null;
    this.version = null;
    this.seen = () => (document.hidden ? this.doze() : this.open());
    document.addEventListener("visibilitychange", this.seen);
    this.seen();
  }

  /** The address, with what is known here already. */
  question(more = []) {
    const known = this.version ? [`since=${this.version}`] : this.drawn ? [`drawn=${this.drawn}`] : [];
    const parts = [...more, ...known];
    return address(this.url) + (parts.length ? `?${parts.join("&")}` : "");
  }

  open() {
    if (this.ended || this.source || this.asking) return;
    if (this.held || typeof EventSource === "undefined") {
      this.ask();
      return;
    }
    const source = (this.source = new EventSource(this.question()));
    let heard = false;
    const on = (name, act) =>
      source.addEventListener(name, (event) => {
        if (source !== this.source) return;
        heard = true;
        this.listen();
        act(event);
      });
    on("cell", ({ data }) => this.coming.push(JSON.parse(data)));
    on("run", ({ data }) => this.take(this.coming.splice(0), JSON.parse(data)));
    on("beat", () => {});
    on("end", () => this.end());
    source.onerror = () => {
      if (source !== this.source) return;
      this.coming = [];
      if (!heard) this.fallBack();
      else if (source.readyState === EventSource.CLOSED) this.again();
    };
    this.listen();
  }

  /** Begin to wait for the next word. */
  listen() {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.fallBack(), SILENCE);
  }

  /** The stream is of no use here: ask instead. */
  fallBack() {
    this.rest();
    this.held = true;
    if (!document.hidden) this.open();
  }

  /** Nobody looks: hold no connection, but ask now and then, lest the server take the page for gone. */
  doze() {
    this.rest();
    if (!this.ended) this.timer = setTimeout(() => this.ask(), DOZE);
  }

  again() {
    this.rest();
    this.timer = setTimeout(() => this.seen(), INTERVAL);
  }

  async ask() {
    const turn = (this.asking = {});
    /** @type {any} */
    let answer = null;
    try {
      const response = await fetch(this.question(["once=1"]), { cache: "no-store" });
      answer = response.ok ? await response.json().catch(() => ({})) : {};
    } catch {
      answer = null; // the server is away: the page says so itself
    }
    if (turn !== this.asking) return;
    this.asking = null;
    if (answer?.run) this.take(answer.cells, answer.run);
    else if (answer) this.each("lost");
    if (answer?.ended) this.end();
    else this.timer = setTimeout(() => this.seen(), INTERVAL);
  }

  take(changed, run) {
    if (this.version && newer(run.version, this.version) < 0) return; // an answer that was overtaken
    for (const each of changed) {
      const place = placeOf(each.cell);
      const cell = merged(this.cells.get(place), each);
      if (!cell) {
        this.version = null;
        this.drawn = null;
        this.again();
        return;
      }
      this.cells.set(place, { ...cell, version: run.version });
    }
    if (run.version === this.version) return;
    this.run = run;
    this.version = run.version;
    this.each("news", { cells: changed.map((each) => this.cells.get(placeOf(each.cell))), run });
  }

  end() {
    this.rest();
    this.ended = true;
    this.each("end");
  }

  each(name, news) {
    for (const hear of [...this.followers]) hear[name]?.(news);
  }

  /** Let go of the connection; what is known stays. */
  rest() {
    clearTimeout(this.patience);
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.asking = null;
    this.coming = [];
  }

  close() {
    this.rest();
    document.removeEventListener("visibilitychange", this.seen);
  }
}

/** The page's connections, by address; components are modules of their own and meet here. */
export function feeds() {
  return (globalThis.decamFeeds ??= new Map());
}

/** Hears of one run at a time: `hear` has `news({cells, run})`, `end()` and `lost()`, each where it is wanted. */
export class Follower {
  constructor(hear) {
    this.hear = hear;
    this.feed = null;
  }

  /** Hear of the run of `live` ({url, version}) from now on, of none where it is null. */
  follow(live) {
    if (this.feed && this.feed.url === live?.url) return;
    this.stop();
    if (!live) return;
    const all = feeds();
    if (!all.has(live.url) || all.get(live.url).ended) all.set(live.url, new LiveFeed(live.url, live.version));
    this.feed = all.get(live.url);
    clearTimeout(this.feed.leaving);
    this.feed.followers.add(this.hear);
    const known = this.newest(live);
    if (known) this.hear.news?.(known);
  }

  stop() {
    const feed = this.feed;
    this.feed = null;
    if (!feed) return;
    feed.followers.delete(this.hear);
    if (feed.followers.size) return;
    feed.leaving = setTimeout(() => {
      feed.close();
      if (feeds().get(feed.url) === feed) feeds().delete(feed.url);
    }, GRACE);
  }

  /** What is known of a run that is newer than what the page has drawn of it, null where nothing is. */
  newest(live) {
    const feed = live && feeds().get(live.url);
    if (!feed?.run || newer(feed.version, live.version) <= 0) return null;
    return { cells: [...feed.cells.values()].filter((cell) => newer(cell.version, live.version) > 0), run: feed.run };
  }
}
