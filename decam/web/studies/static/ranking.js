// Options in order, the best first: dragged, or moved by the buttons of each.

import { announce, button, icon, make, text } from "./dom.js";
import { measure } from "./pictures.js";
import { Question } from "./question.js";

const EARLIER = "M3 10.5 8 5.5l5 5";
const LATER = "m3 5.5 5 5 5-5";
const SLOP = 6; // pixels that a finger may move before it drags

export class Ranking extends Question {
  constructor(element, screen) {
    super(element, screen);
    this.node.querySelector("legend")?.after(make("p", "help", {}, text("page.ranking.help")));
    const pictured = element.options.some(({ picture }) => picture);
    this.list = make("ol", `ranked${pictured ? " row" : ""}`);
    if (pictured) measure(this.list, element.options.flatMap(({ picture }) => picture ?? []));
    this.labels = new Map();
    for (const option of element.options) this.list.append(this.item(option));
    this.warned = false;
    this.fill(this.list);
    this.refresh();
  }

  get items() {
    return /** @type {HTMLElement[]} */ ([...this.list.children]);
  }

  item({ value, label, picture }) {
    const place = make("span", "place");
    const words = make("span", "words", { dir: "auto" }, label);
    const earlier = button(icon(EARLIER), "move earlier", () => this.move(node, -1, earlier));
    const later = button(icon(LATER), "move later", () => this.move(node, 1, later));
    earlier.setAttribute("aria-label", text("page.ranking.earlier", { label }));
    later.setAttribute("aria-label", text("page.ranking.later", { label }));
    const drawn = picture ? [this.screen.pictures.draw(picture)] : [];
    const face = make("div", "face", {}, place, words, earlier, later);
    const node = make("li", `item${picture ? " pictured" : ""}`, { "data-value": value }, ...drawn, face);
    this.labels.set(value, label);
    node.addEventListener("pointerdown", (event) => this.drag(node, event));
    return node;
  }

  /** Move an item by a button, which keeps the focus unless it has come to an end. */
  move(node, by, pressed) {
    const items = this.items;
    const place = items.indexOf(node) + by;
    if (place < 0 || place >= items.length) return;
    if (by < 0) items[place].before(node);
    else items[place].after(node);
    this.settle(node);
    const other = /** @type {HTMLButtonElement} */ (node.querySelector(by < 0 ? ".later" : ".earlier"));
    (pressed.disabled ? other : pressed).focus();
  }

  drag(node, event) {
    if (event.button || event.target.closest("button")) return;
    const stop = new AbortController();
    const from = { x: event.clientX, y: event.clientY };
    let dragging = false;
    const move = (now) => {
      if (now.pointerId !== event.pointerId) return;
      if (!dragging && Math.hypot(now.clientX - from.x, now.clientY - from.y) < SLOP) return;
      if (!dragging) node.setPointerCapture(event.pointerId);
      dragging = true;
      node.classList.add("dragged");
      this.put(node, now.clientX, now.clientY);
    };
    const end = (now) => {
      if (now.pointerId !== event.pointerId) return;
      stop.abort();
      node.classList.remove("dragged");
      if (dragging) this.settle(node);
    };
    node.addEventListener("pointermove", move, { signal: stop.signal });
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, end, { signal: stop.signal });
  }

  /** Put an item where the pointer is: in the place of the item under it. */
  put(node, x, y) {
    const items = this.items;
    const under = items.find((item) => {
      const box = item.getBoundingClientRect();
      return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
    });
    if (!under || under === node) return;
    const [there, here] = [items.indexOf(under), items.indexOf(node)];
    // The others are moved around it: an element that is taken out of the page loses the pointer.
    if (there < here) node.after(...items.slice(there, here));
    else node.before(...items.slice(here + 1, there + 1));
    this.refresh();
  }

  settle(node) {
    this.refresh();
    const place = this.items.indexOf(node) + 1;
    const label = this.labels.get(node.dataset.value);
    announce(text("page.ranking.place", { label, place, count: this.items.length }));
    this.answer(this.order());
  }

  restore(order) {
    const places = new Map(this.items.map((item) => [item.dataset.value, item]));
    this.list.append(...order.flatMap((value) => places.get(value) ?? []));
    super.restore(this.order());
    this.refresh();
  }

  order() {
    return this.items.map((item) => item.dataset.value);
  }

  refresh() {
    const last = this.items.length - 1;
    for (const [place, item] of this.items.entries()) {
      /** @type {HTMLElement} */ (item.querySelector(".place")).textContent = String(place + 1);
      /** @type {HTMLButtonElement} */ (item.querySelector(".earlier")).disabled = place === 0;
      /** @type {HTMLButtonElement} */ (item.querySelector(".later")).disabled = place === last;
    }
  }

  /** An order that nobody touched is taken only where the participant says so, by going on once more. */
  lacks() {
    if (this.answered || this.element.optional) return "";
    if (this.warned) {
      this.value = this.order();
      return "";
    }
    this.warned = true;
    return text("page.ranking.same");
  }

  focus() {
    /** @type {HTMLElement | null} */ (this.list.querySelector("button:enabled"))?.focus();
  }
}
