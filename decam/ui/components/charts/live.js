// Curves that grow while a search runs, beside the best mask and the map so far; the charts are those of chart.js.

import { drawMap } from "../grid/grid_map.js";
import { bytesFrom, make, mounted, say } from "../shared/component.js";
import { Latest } from "../shared/latest.js";
import { Follower, placeOf } from "../shared/live.js";
import { Charts } from "./chart.js";

/** The charts of a search, from its points: series of one group share a chart, those that nobody reported have none. */
export function grouped(series, colours, points, total) {
  const groups = new Map();
  for (const item of series) {
    if (!points.some(([, values]) => item.name in values)) continue;
    groups.set(item.group, [...(groups.get(item.group) ?? []), item]);
  }
  return {
    groups: [...groups].map(([title, members]) => ({
      title,
      help: members.map((member) => `${member.title}: ${member.help}`).join(" "),
      share: members.every((member) => member.share),
      series: members.map((member, i) => ({
        title: member.title,
        colour: colours[i % colours.length],
        values: points.map(([, values]) => values[member.name] ?? null),
      })),
    })),
    places: points.map(([evaluations]) => evaluations),
    limits: [0, Math.max(total, ...points.map(([evaluations]) => evaluations), 0)],
  };
}

/** A picture that the page was sent. */
class Still {
  constructor() {
    this.image = make("img");
    this.caption = make("figcaption");
    this.node = make("figure", "", {}, this.image, this.caption);
  }

  show({ title, source }) {
    if (this.image.src !== source) Object.assign(this.image, { src: source, alt: title });
    say(this.caption, title);
  }
}

/** A map of a search that goes on: over the picture, or alone. */
class Moving {
  constructor(title, view) {
    this.title = title;
    this.view = view;
    this.images = new Latest();
    this.canvas = make("canvas", "", { role: "img", "aria-label": title });
    this.node = make("figure", "", { hidden: "" }, this.canvas, make("figcaption", "", {}, title));
  }

  show(map, how) {
    if (!map.map) return;
    const load = (fresh) => drawMap(this.canvas, map, { ...how, view: this.view }, fresh);
    this.images.fetch(map.map, load, () => (this.node.hidden = false));
  }
}

class Live {
  /** @type {() => void} */
  tell;

  constructor() {
    this.charts = new Charts();
    this.stills = [];
    this.pictures = make("div", "pictures");
    this.words = make("p", "words");
    this.node = make("div", "decam decam-live", {}, this.charts.node, this.words, this.pictures);
    this.sizes = new ResizeObserver(() => this.charts.measure());
    this.follower = new Follower({ news: (news) => this.hear(news) });
  }

  update({ pictures, words, search, groups, places, limits }, { setTriggerValue }) {
    const another = JSON.stringify([search?.live.url, search?.place]);
    if (another !== this.another) this.moving = null;
    this.another = another;
    this.search = search;
    this.live = search?.live ?? null;
    this.tell = () => setTriggerValue("finished", performance.now());
    if (search) search.table = bytesFrom(search.colours);
    this.charts.restyle();
    const news = this.follower.newest(this.live);
    if (news && this.hear(news)) return;
    this.say(words);
    this.charts.update({ groups, places, limits });
    if (!this.moving) this.show(pictures);
  }

  say(words) {
    this.words.hidden = !words;
    say(this.words, words);
  }

  show(pictures) {
    while (this.stills.length < pictures.length) this.stills.push(new Still());
    this.stills.length = pictures.length;
    pictures.forEach((picture, i) => this.stills[i].show(picture));
    this.pictures.replaceChildren(...this.stills.map(({ node }) => node));
  }

  /** Draw what has come of the search shown, if anything has. */
  hear({ cells }) {
    const found = cells.find(({ cell }) => placeOf(cell) === this.search.place.join("\n"));
    if (!found?.search) return false;
    if (found.search.finished) {
      this.tell(); // the page draws a finished search, with a way back through it
      return false;
    }
    const { points, total, words, mask } = found.search;
    this.say(words);
    this.charts.advance(grouped(this.search.series, this.search.palette, points, total));
    this.move(found.cell, mask);
    return true;
  }

  move(cell, mask) {
    if (!mask && !cell.map) return;
    if (!this.moving) {
      this.moving = [new Moving("Best mask", "masked"), new Moving("Map", "map")];
      this.pictures.replaceChildren(...this.moving.map(({ node }) => node));
    }
    const whole = { map: mask, low: 0, high: 1, ends: [0, 1] };
    this.moving[0].show(whole, { ...this.search, signed: false });
    this.moving[1].show(cell, this.search);
  }

  attach() {
    this.follower.follow(this.live);
    this.sizes.observe(this.charts.node);
  }

  release() {
    this.follower.stop();
    this.sizes.disconnect();
  }
}

export default mounted(Live);
