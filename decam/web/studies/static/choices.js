// Questions with radio buttons or boxes to tick: one of several options, several of them, a point of a scale.

import { make, text } from "./dom.js";
import { measure } from "./pictures.js";
import { Question } from "./question.js";

const KEYS = 9; // options that a number key can choose

/** Options to choose from; `type` says whether one or several. */
class Ticked extends Question {
  constructor(element, screen, type) {
    super(element, screen);
    this.type = type;
    /** @type {HTMLInputElement[]} */
    this.inputs = [];
  }

  input(value, attributes = {}) {
    const more = { type: this.type, name: this.id, value, ...attributes };
    const node = /** @type {HTMLInputElement} */ (make("input", "unseen", more));
    node.addEventListener("change", () => this.answer(this.read()));
    this.inputs.push(node);
    return node;
  }

  /** @returns {any} the answer, null where there is none */
  read() {
    return this.inputs.find((input) => input.checked)?.value ?? null;
  }

  restore(value) {
    const chosen = [value].flat().map(String);
    for (const input of this.inputs) input.checked = chosen.includes(input.value);
    super.restore(this.read());
  }

  digit(number) {
    const input = this.inputs[number - 1];
    if (!input || number > KEYS) return false;
    input.checked = this.type === "radio" || !input.checked;
    input.focus();
    this.answer(this.read());
    return true;
  }

  focus() {
    (this.inputs.find((input) => input.checked) ?? this.inputs[0]).focus();
  }
}

/** One of several options, as texts or as pictures. */
export class Choice extends Ticked {
  constructor(element, screen, type = "radio") {
    super(element, screen, type);
    const options = element.options.map((option, place) => this.option(option, place));
    const pictured = element.options.some(({ picture }) => picture);
    if (!pictured) {
      this.fill(make("div", "options", {}, ...options));
      return;
    }
    // Pictures stand from left to right in every language: their labels may say “left” and “right”.
    const shown = options.filter((_, place) => element.options[place].picture);
    const rest = options.filter((_, place) => !element.options[place].picture);
    const row = make("div", "options row", {}, ...shown);
    measure(row, element.options.flatMap(({ picture }) => picture ?? []));
    this.fill(row, ...(rest.length ? [make("div", "options beneath", {}, ...rest)] : []));
  }

  option({ value, label, picture }, place) {
    const words = make("span", "words", { dir: "auto" }, label);
    const hint = place < KEYS ? [make("kbd", "", { "aria-hidden": "true" }, String(place + 1))] : [];
    const face = make("span", "face", {}, make("span", `mark ${this.type}`), words, ...hint);
    const drawn = picture ? [this.screen.pictures.draw(picture)] : [];
    return make("label", `option${picture ? " pictured" : ""}`, {}, this.input(value), ...drawn, face);
  }
}

/** Any number of several options. */
export class Several extends Choice {
  constructor(element, screen) {
    super(element, screen, "checkbox");
    this.node.querySelector("legend")?.after(make("p", "help", {}, text("page.several")));
  }

  read() {
    const values = this.inputs.filter((input) => input.checked).map((input) => input.value);
    return values.length ? values : null;
  }
}

/** A point of a scale whose ends are named. */
export class Rating extends Ticked {
  constructor(element, screen) {
    super(element, screen, "radio");
    const { points, low, high } = element;
    const scale = make("div", "scale");
    for (let point = 1; point <= points; point += 1) {
      const end = point === 1 ? low : point === points ? high : "";
      const name = [text("page.rating.point", { point, points }), end].filter(Boolean).join(", ");
      scale.append(make("label", "point", {}, this.input(String(point), { "aria-label": name }), make("span", "", { "aria-hidden": "true" }, String(point))));
    }
    this.fill(make("div", "scaled", {}, scale, ends(low, high)));
  }

  read() {
    const value = super.read();
    return value === null ? null : Number(value);
  }
}

/** The names of a scale's ends below it. */
export function ends(low, high) {
  return make("div", "ends", { "aria-hidden": "true" }, make("span", "", {}, low), make("span", "", {}, high));
}
