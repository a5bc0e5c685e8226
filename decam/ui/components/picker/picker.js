// The line of methods that are compared: chips with their costs, and the button that opens the window with all of them.

import { make, mounted, say } from "../shared/component.js";
import { costText, totalText, Window } from "./picker_window.js";

const LINES = 2; // of chips; those beyond are counted

class Picker {
  /** @type {(value: { methods: string[], edit: number }) => void} */
  send;

  constructor() {
    /** @type {string[]} */
    this.chosen = [];
    this.edit = 0;
    this.chips = new Map();
    this.opener = make("button", "opener", { type: "button", "aria-haspopup": "dialog", title: "Choose among all methods, by family, search or preset" });
    this.opener.append("Methods ", (this.count = make("span")));
    this.more = make("button", "chip more", { type: "button", hidden: "" });
    for (const button of [this.opener, this.more]) button.addEventListener("click", () => this.window.open(this.chosen));
    this.line = make("div", "chips", { role: "list", "aria-label": "Methods compared" });
    this.total = make("div", "total");
    this.window = new Window((chosen) => this.choose([...chosen]));
    this.node = make("div", "decam decam-picker", {}, this.opener, this.total, this.line, this.window.node);
    this.sizes = new ResizeObserver(() => this.fold());
  }

  update(data, { setStateValue }) {
    this.data = data;
    this.send = (value) => setStateValue("chosen", value);
    // What was asked for here after the server's last word is newer than that word.
    if (data.edit >= this.edit) {
      this.edit = data.edit;
      this.chosen = data.chosen;
    }
    this.window.update(data);
    this.show();
  }

  attach() {
    this.sizes.observe(this.node);
  }

  release() {
    this.sizes.disconnect();
  }

  choose(names) {
    if (names.length === this.chosen.length && names.every((name) => this.chosen.includes(name))) return;
    this.chosen = names;
    this.edit += 1;
    this.send({ methods: names, edit: this.edit });
    this.show();
  }

  show() {
    const { methods, pace } = this.data;
    const chosen = methods.filter(({ name }) => this.chosen.includes(name));
    const running = chosen.filter(({ obstacle }) => !obstacle);
    say(this.count, `${running.length} of ${methods.length}`);
    say(this.total, totalText(running, pace) + this.left(chosen.length - running.length));
    this.chips = new Map(chosen.map((method) => [method.name, this.chips.get(method.name) ?? this.chip(method.name)]));
    for (const method of chosen) {
      const { node, title, cost } = this.chips.get(method.name);
      say(title, method.title);
      say(cost, method.obstacle ? "cannot run" : costText(method.cost));
      node.title = method.obstacle || method.summary;
      node.classList.toggle("off", Boolean(method.obstacle));
    }
    const nodes = [...[...this.chips.values()].map(({ node }) => node), this.more];
    if (nodes.some((node, i) => this.line.children[i] !== node) || this.line.children.length !== nodes.length) this.line.replaceChildren(...nodes);
    this.fold();
  }

  left(count) {
    return count ? ` · ${count} more cannot run on this model` : "";
  }

  chip(name) {
    const title = make("span", "name");
    const cost = make("span", "cost");
    const remove = make("button", "remove", { type: "button" }, "×");
    const { title: full } = this.data.methods.find((method) => method.name === name);
    remove.setAttribute("aria-label", `Remove ${full}`);
    remove.title = `Take ${full} out of the comparison`;
    remove.addEventListener("click", () => this.remove(name));
    return { node: make("span", "chip", { role: "listitem" }, title, cost, remove), title, cost, remove };
  }

  /** Who removes by keyboard goes on from the chip that took the place. */
  remove(name) {
    const names = [...this.chips.keys()];
    const next = names[names.indexOf(name) + 1] ?? names[names.indexOf(name) - 1];
    this.choose(this.chosen.filter((each) => each !== name));
    (this.chips.get(next)?.remove ?? this.opener).focus({ preventScroll: true });
  }

  /** Hide the chips that do not fit into the lines there are, and say how many they are. */
  fold() {
    const nodes = [...this.chips.values()].map(({ node }) => node);
    for (const node of nodes) node.hidden = false;
    this.more.hidden = true;
    if (!nodes.length || !this.line.clientWidth) return;
    const limit = nodes[0].offsetTop + LINES * (nodes[0].offsetHeight + 6) - 6;
    const beyond = (node) => node.offsetTop + node.offsetHeight > limit + 1;
    let last = nodes.findIndex(beyond);
    if (last < 0) return;
    this.more.hidden = false;
    for (; last > 0; last -= 1) {
      nodes.forEach((node, i) => (node.hidden = i >= last));
      say(this.more, `+ ${nodes.length - last} more`);
      if (!beyond(this.more)) return;
    }
  }
}

export default mounted(Picker);
