// The gallery of class maps as a Streamlit component: a card a class, all cards at one moment of their way.

import { arrange, choice, mark } from "../grid/grid_controls.js";
import { bytesFrom, make, mounted } from "../shared/component.js";
import { Follower, placeOf } from "../shared/live.js";
import { Player } from "../search/player.js";
import { Card } from "./card.js";

const COLOURINGS = [
  ["signed", "Signed colours", "Grey is zero: brighter adds light of a colour, darker takes it away"],
  ["magnitude", "Magnitude", "How strong the map is at each pixel, whatever its colour"],
];
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -1e6, End: 1e6 };

class Gallery {
  /** @type {Uint8Array} */
  table;
  /** @type {(key: string[]) => void} */
  tell;

  constructor() {
    this.cards = new Map();
    this.places = new Map();
    this.share = 1;
    this.view = "signed";
    this.selected = "";
    this.player = new Player((at) => this.go(at), (at) => this.words(at), "moment");
    const views = choice("view", "Colours", COLOURINGS, this.view, (view) => {
      this.view = view;
      this.redraw();
    });
    const controls = make("div", "controls", { role: "toolbar", "aria-label": "How the maps are shown" }, views, this.player.node);
    this.wall = make("div", "wall");
    this.node = make("div", "decam decam-gallery", {}, controls, this.wall);
    this.wall.addEventListener("keydown", (event) => this.key(event));
    this.follower = new Follower({ news: ({ cells }) => this.hear(cells) });
  }

  update({ cards, live, activation, table, selected, outdated }, { setStateValue }) {
    this.tell = (key) => setStateValue("selected", key);
    this.live = live;
    this.running = Boolean(live);
    this.activation = activation;
    this.table ??= bytesFrom(table);
    const known = this.cards;
    this.cards = new Map();
    this.places = new Map();
    for (const data of cards) {
      const card = known.get(data.key) ?? new Card(this);
      this.cards.set(data.key, card);
      card.update(data);
      for (const [place, picture] of card.pictures) this.places.set(place, picture);
    }
    const most = Math.max(1, ...cards.map(({ pictures }) => pictures.length));
    this.wall.style.setProperty("--pictures", String(most));
    this.wall.classList.toggle("alone", most === 1);
    arrange(this.wall, [...this.cards.values()].map(({ node }) => node));
    const dimmed = new Set((outdated ?? []).map(([row, column]) => placeOf({ row, column })));
    for (const [place, { node }] of this.places) node.classList.toggle("outdated", dimmed.has(place));
    if (selected) this.selected = selected.join("\n");
    this.markSelected();
    this.hear(this.follower.newest(live)?.cells ?? []);
    this.moved();
  }

  hear(cells) {
    for (const each of cells) this.places.get(placeOf(each.cell))?.hear(each);
  }

  /** There may be more moments now. */
  moved() {
    const most = Math.max(0, ...[...this.places.values()].map(({ reel }) => reel.frames.length));
    this.player.setCount(most);
    this.player.node.hidden = most < 2;
  }

  go(at) {
    const share = this.player.count > 1 ? at / (this.player.count - 1) : 1;
    if (share === this.share) return;
    this.share = share;
    this.redraw();
  }

  words(at) {
    const last = this.player.count - 1;
    if (at >= last) return this.running ? "Newest" : "As found";
    return `${Math.round((100 * at) / last)} % of the way`;
  }

  redraw() {
    for (const picture of this.places.values()) picture.show(this.share);
  }

  choose(picture) {
    if (picture.place === this.selected) return;
    this.selected = picture.place;
    this.markSelected();
    this.tell(picture.key);
  }

  markSelected() {
    const pictures = [...this.places.values()];
    for (const picture of pictures) mark(picture.button, "aria-pressed", String(picture.place === this.selected));
    if (pictures.length && !pictures.some(({ button }) => button.tabIndex === 0)) {
      (this.places.get(this.selected) ?? pictures[0]).button.tabIndex = 0;
    }
  }

  /** One picture at a time is reached by Tab; the arrows go to the others. */
  rove(picture) {
    for (const each of this.places.values()) each.button.tabIndex = each === picture ? 0 : -1;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in STEPS)) return;
    const pictures = [...this.places.values()];
    const at = pictures.findIndex(({ button }) => button === event.target);
    if (at < 0) return;
    const next = Math.min(Math.max(at + STEPS[event.key], 0), pictures.length - 1);
    pictures[next].button.focus();
    event.preventDefault();
  }

  attach() {
    this.follower.follow(this.live);
  }

  release() {
    this.player.pause();
    this.follower.stop();
  }
}

export default mounted(Gallery);
