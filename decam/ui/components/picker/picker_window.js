// The window in which methods are chosen: families with their methods, presets and a search that answers with every key.

import { make, say } from "../shared/component.js";
import { durationText } from "../shared/duration.js";

/** Letters, digits and plus signs alone, so that case, spaces, hyphens and accents do not count. */
const plainly = (text) => text.normalize("NFKD").toLowerCase().replace(/×/g, "x").replace(/[^\p{L}\p{N}+\n]/gu, "");

export const costText = (cost) => (cost == null ? "" : cost ? cost.toLocaleString("en-US") : "free");

/** What methods cost together, in words; time only where a run has shown how long an evaluation takes. */
export function totalText(methods, pace) {
  if (!methods.length) return "No method is chosen.";
  const cost = methods.reduce((sum, method) => sum + method.cost, 0);
  const time = pace != null && cost ? ` · about\u00a0${durationText(Math.max(1, cost * pace)).replaceAll(" ", "\u00a0")}` : "";
  return `${cost.toLocaleString("en-US")} evaluation${cost === 1 ? "" : "s"} an image${time}`;
}

/** A method that can be switched on and off, with its cost and what it does, or why it cannot run. */
class Option {
  constructor(toggled) {
    this.box = make("input", "", { type: "checkbox", role: "switch" });
    this.box.addEventListener("change", () => toggled(this.data.name, this.box.checked));
    this.title = make("b");
    this.cost = make("span", "cost");
    this.summary = make("small");
    this.node = make("label", "method", {}, this.box, make("span", "knob"), make("span", "head", {}, this.title, this.cost), this.summary);
  }

  update(data, family) {
    this.data = data;
    this.found = [data.title, data.name, family.title, family.name, data.summary, data.reference].map(plainly).join("\n");
    say(this.title, data.title);
    say(this.cost, costText(data.cost));
    say(this.summary, data.obstacle || data.summary);
    this.box.disabled = Boolean(data.obstacle);
    this.box.setAttribute("aria-label", data.title);
    this.box.setAttribute("aria-description", data.obstacle || `${data.summary} Costs ${costText(data.cost)} evaluations.`);
    this.node.classList.toggle("off", this.box.disabled);
    this.node.title = [data.reference, data.summary].join("\n");
  }

  get able() {
    return !this.box.disabled;
  }
}

/** A family with its methods; "All" and "None" mean those that are shown. */
class Family {
  constructor(change) {
    this.title = make("h3");
    this.summary = make("p");
    this.count = make("span", "count");
    this.all = make("button", "plain", { type: "button" }, "All");
    this.none = make("button", "plain", { type: "button" }, "None");
    this.all.addEventListener("click", () => change(this.shown, true));
    this.none.addEventListener("click", () => change(this.shown, false));
    this.methods = make("div", "methods");
    const head = make("div", "family-head", {}, this.title, this.count, this.all, this.none, this.summary);
    this.node = make("section", "family", {}, head, this.methods);
  }

  get shown() {
    return this.options.filter((option) => option.able && !option.node.hidden).map((option) => option.data.name);
  }

  update({ title, summary }, options) {
    this.options = options;
    say(this.title, title);
    say(this.summary, summary);
    this.node.setAttribute("aria-label", title);
    this.all.setAttribute("aria-label", `All of ${title}`);
    this.none.setAttribute("aria-label", `None of ${title}`);
    this.methods.replaceChildren(...options.map((option) => option.node));
  }

  show(chosen) {
    const able = this.options.filter((option) => option.able);
    const on = able.filter((option) => chosen.has(option.data.name));
    const short = able.length < this.options.length ? " that can run" : "";
    say(this.count, able.length ? `${on.length} of ${able.length}${short}` : "None can run on this model");
    this.count.classList.toggle("some", on.length > 0);
    this.node.hidden = this.options.every((option) => option.node.hidden);
    const shown = this.shown;
    this.all.disabled = shown.every((name) => chosen.has(name));
    this.none.disabled = !shown.some((name) => chosen.has(name));
  }
}

/** The window itself. What is chosen in it holds once it is closed, unless it is closed with Escape. */
export class Window {
  constructor(closed) {
    this.chosen = new Set();
    this.earlier = [];
    this.options = new Map();
    this.families = [];
    this.search = make("input", "search", {
      type: "search", placeholder: "Search name, family, author, year …", "aria-label": "Search methods", autocomplete: "off", spellcheck: "false",
    });
    this.search.addEventListener("input", () => this.filter());
    this.search.addEventListener("keydown", (event) => this.searching(event));
    const done = make("button", "done", { type: "button" }, "Done");
    const clear = make("button", "plain", { type: "button", title: "Switch every method off" }, "Clear");
    clear.addEventListener("click", () => this.change([...this.chosen], false));
    this.undo = make("button", "plain", { type: "button", title: "Take back the last preset, All, None or Clear" }, "Undo");
    this.undo.addEventListener("click", () => this.back());
    done.addEventListener("click", () => this.node.close());
    this.presets = make("div", "presets", { role: "group", "aria-label": "Presets" });
    this.list = make("div", "list");
    this.nothing = make("p", "nothing", { role: "status" });
    this.list.append(this.nothing);
    this.total = make("span", "total", { "aria-live": "polite" });
    this.node = make("dialog", "decam picker", { "aria-label": "Methods" },
      make("div", "top", {}, make("h2", "", {}, "Methods"), this.presets, this.search),
      this.list,
      make("div", "foot", {}, this.total, this.undo, clear, done));
    // The framework has shortcuts of single letters, which are not meant here.
    this.node.addEventListener("keydown", (event) => event.stopPropagation());
    this.node.addEventListener("pointerdown", (event) => (this.outside = event.target === this.node));
    this.node.addEventListener("click", (event) => this.outside && event.target === this.node && this.node.close());
    this.node.addEventListener("cancel", () => (this.chosen = new Set(this.before)));
    this.node.addEventListener("close", () => closed(this.chosen));
  }

  open(chosen) {
    this.before = [...chosen];
    this.chosen = new Set(chosen);
    this.earlier = [];
    this.search.value = "";
    this.node.showModal();
    this.list.scrollTop = 0;
    this.filter();
    this.search.focus();
  }

  update({ families, methods, presets, pace }) {
    this.pace = pace;
    const json = JSON.stringify([families, methods, presets]);
    if (json !== this.json) this.build(families, methods, presets);
    this.json = json;
    this.filter();
  }

  build(families, methods, presets) {
    this.options = new Map(methods.map((data) => [data.name, this.options.get(data.name) ?? this.option()]));
    this.families = families.map((data) => {
      const family = new Family((names, on) => this.change(names, on));
      const members = methods.filter((method) => method.family === data.name);
      members.forEach((method) => this.options.get(method.name).update(method, data));
      family.update(data, members.map((method) => this.options.get(method.name)));
      return family;
    });
    this.list.replaceChildren(...this.families.map((family) => family.node), this.nothing);
    this.offered = presets.map((preset) => {
      const node = make("button", "preset", { type: "button", title: preset.summary }, preset.title);
      node.addEventListener("click", () => this.take(preset.methods));
      return { ...preset, node };
    });
    this.presets.replaceChildren(...this.offered.map(({ node }) => node));
  }

  option() {
    return new Option((name, on) => this.change([name], on));
  }

  /** The methods chosen that can run, in the order of the table. */
  get running() {
    return [...this.options.values()].filter((option) => option.able && this.chosen.has(option.data.name)).map((option) => option.data);
  }

  take(names) {
    this.remember();
    this.chosen = new Set(names);
    this.show();
  }

  /** What is chosen, so that a step that replaces many choices can be taken back. */
  remember() {
    this.earlier.push([...this.chosen]);
  }

  /** The choices before the last such step; the focus stays in the window when the button goes. */
  back() {
    this.chosen = new Set(this.earlier.pop());
    this.show();
    if (this.undo.hidden) this.search.focus();
  }

  change(names, on) {
    if (names.length > 1) this.remember();
    names.forEach((name) => (on ? this.chosen.add(name) : this.chosen.delete(name)));
    this.show();
  }

  /** Every word must be found, in whichever part. */
  filter() {
    const words = this.search.value.split(/\s+/).map(plainly).filter(Boolean);
    const whole = plainly(this.search.value);
    for (const option of this.options.values()) {
      option.node.hidden = !option.found.includes(whole) && !words.every((word) => option.found.includes(word));
    }
    this.show();
    const found = [...this.options.values()].some((option) => !option.node.hidden);
    say(this.nothing, found ? "" : `No method has “${this.search.value.trim()}” in its name, family, description or reference.`);
    this.nothing.hidden = found;
  }

  /** Escape empties the field before it closes the window and takes back what was chosen in it; Enter switches the one method that is left. */
  searching(event) {
    if (event.key === "Escape" && this.search.value) {
      event.preventDefault();
      this.search.value = "";
      this.filter();
    }
    const left = [...this.options.values()].filter((option) => !option.node.hidden);
    if (event.key === "Enter" && left.length === 1) left[0].box.click();
  }

  show() {
    for (const [name, { box }] of this.options) box.checked = this.chosen.has(name) && !box.disabled;
    this.families.forEach((family) => family.show(this.chosen));
    const running = this.running;
    this.undo.hidden = !this.earlier.length;
    for (const { node, methods } of this.offered ?? []) {
      const same = methods.length === running.length && running.every(({ name }) => methods.includes(name));
      node.disabled = !methods.length;
      node.setAttribute("aria-pressed", same && methods.length > 0);
    }
    const count = running.length > 1 ? `${running.length} methods · ` : running.length ? "1 method · " : "";
    say(this.total, count + totalText(running, this.pace));
  }
}
