// Questions that are answered with a slider, a number or a text.

import { ends } from "./choices.js";
import { make, text } from "./dom.js";
import { Question } from "./question.js";

const THOUSANDS = /^[-+]?[1-9]\d{0,2}([.,]\d{3})+$/; // 1,000 is a thousand to some and one to others
const ANY = 1e8; // bounds from here on need not be said
const FEW = 0.2; // share of the characters that are left when the participant is told

/** A slider on which nothing is chosen before it is moved. */
export class Slider extends Question {
  constructor(element, screen) {
    super(element, screen);
    const { least, most, step, low, high } = element;
    const middle = least + step * Math.round((most - least) / step / 2);
    const range = { type: "range", min: least, max: most, step, value: middle, "aria-valuetext": text("page.slider.open") };
    this.range = /** @type {HTMLInputElement} */ (make("input", "open", { ...range, "aria-label": `${element.prompt} (${low} – ${high})` }));
    this.shown = make("output", "", { "aria-hidden": "true" });
    // Whoever wants the value in the middle chooses it without moving the slider: a click or a key is enough.
    for (const name of ["input", "pointerup"]) this.range.addEventListener(name, () => this.moved());
    this.range.addEventListener("keyup", ({ key }) => {
      if (key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown", " "].includes(key)) this.moved();
    });
    this.hint = make("span", "hint", {}, text("page.slider.hint"));
    const named = ends(low, high);
    named.firstElementChild?.after(this.hint); // no knob shows yet where one answers
    this.fill(make("div", "scaled", {}, make("div", "slid", {}, this.range, this.shown), named));
  }

  moved() {
    this.range.classList.remove("open");
    this.range.removeAttribute("aria-valuetext");
    this.hint.remove();
    this.shown.textContent = this.range.value;
    this.answer(Number(this.range.value));
  }

  restore(value) {
    this.range.value = String(value);
    this.moved();
  }

  lacks() {
    return super.lacks() && text("page.slider.open");
  }
}

/** A number, written with a point or a comma. */
export class NumberField extends Question {
  constructor(element, screen) {
    super(element, screen);
    this.field = field(element, { inputmode: "decimal", autocomplete: "off", maxlength: 24 });
    this.field.addEventListener("input", () => this.answer(this.read()));
    this.fill(this.field);
  }

  restore(value) {
    this.field.value = String(value);
    super.restore(this.read());
  }

  read() {
    const typed = this.field.value.normalize("NFKC").trim().replace(/[\u2212\u2013]/, "-");
    const whole = Number(typed.replace(/[.,]/g, ""));
    this.unclear = THOUSANDS.test(typed) && whole >= this.element.least && whole <= this.element.most ? typed : "";
    const written = typed.replace(",", ".");
    if (!written) return null;
    const value = Number(written);
    return /^[-+]?(\d+\.?\d*|\.\d+)$/.test(written) ? value : NaN;
  }

  /** Ask once about a number that may have thousands; whoever goes on with it means it as it is read. */
  doubtful() {
    if (!this.unclear || this.unclear === this.asked) return "";
    this.asked = this.unclear;
    return text("page.number.thousands", { value: this.value });
  }

  lacks() {
    const { least, most } = this.element;
    if (this.value === null) return super.lacks();
    if (this.value >= least && this.value <= most) return this.doubtful();
    if (-least >= ANY) return most >= ANY ? text("page.number.any") : text("page.number.most", { most });
    return most >= ANY ? text("page.number.least", { least }) : text("page.number", { least, most });
  }
}

/** A text. */
export class Entry extends Question {
  constructor(element, screen) {
    super(element, screen);
    this.field = field(element, { maxlength: element.most, dir: "auto" }, element.long ? "textarea" : "input");
    this.left = make("p", "help", { hidden: "" });
    this.field.addEventListener("input", () => {
      const count = element.most - this.field.value.length;
      this.left.hidden = count > element.most * FEW;
      this.left.textContent = text("page.entry.left", { count });
      this.answer(this.field.value.trim() ? this.field.value : null);
    });
    this.fill(this.field, this.left);
  }

  restore(value) {
    this.field.value = value;
    super.restore(value);
  }
}

/** @returns {HTMLInputElement | HTMLTextAreaElement} */
function field(element, attributes, tag = "input") {
  const kind = tag === "input" ? { type: "text" } : { rows: 4 };
  return /** @type {any} */ (make(tag, "field", { "aria-label": element.prompt, ...kind, ...attributes }));
}
