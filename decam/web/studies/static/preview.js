// The researcher's preview: all screens of a study to leaf through; nothing is sent.

import { make, speak, text } from "./dom.js";
import { Frame } from "./frame.js";
import { Pictures } from "./pictures.js";
import { Screen } from "./screen.js";

const KEPT = "decam-study-preview"; // the screen that was looked at last, for when the study has been edited

export class Preview {
  /** @param {string} folder the address of this preview, relative to the page */
  constructor(folder) {
    this.folder = folder;
    this.frame = new Frame();
    this.pictures = new Pictures(`${folder}/images/`);
    this.pictures.lost = () => this.frame.wait(text("page.picture.lost"));
    /** @type {any[]} */
    this.steps = [];
    this.ends = false;
    /** @type {Screen | null} */
    this.screen = null;
    this.turn = 0;
    addEventListener("keydown", (event) => this.screen?.key(event));
  }

  async begin() {
    const answer = await fetch(`${this.folder}/steps`);
    if (!answer.ok) {
      this.frame.message(text("page.preview"), text("page.preview.gone"));
      return;
    }
    const { steps, ends, texts, language, direction } = await answer.json();
    speak(texts, language, direction);
    this.steps = steps;
    this.ends = ends;
    this.tools();
    const asked = new URLSearchParams(location.search).get("step") ?? kept();
    await this.show(Math.min(Math.max(Number(asked) || 0, 0), Math.max(steps.length - 1, 0)));
  }

  tools() {
    const name = text("page.preview.screen");
    const range = { type: "range", min: 1, max: Math.max(this.steps.length, 1), step: 1, "aria-label": name };
    this.range = /** @type {HTMLInputElement} */ (make("input", "", range));
    this.place = make("output");
    this.range.addEventListener("input", () => void this.show(Number(this.range?.value) - 1));
    document.body.prepend(make("div", "tools", { role: "toolbar", "aria-label": text("page.preview") }, make("span", "", {}, text("page.preview")), this.range, this.place));
  }

  async show(place) {
    const turn = (this.turn += 1);
    const count = this.steps.length;
    if (this.range) this.range.value = String(place + 1);
    if (this.place) this.place.textContent = `${Math.min(place + 1, count)} / ${count}`;
    if (place >= count) {
      this.screen = null;
      this.frame.message(text("page.preview.end"), text("page.preview"));
      return;
    }
    keep(place);
    this.frame.at(place, count);
    this.frame.foot.hidden = true;
    const label = text(this.ends && place === count - 1 ? "page.finish" : "page.next");
    const screen = new Screen(this.steps[place], this.pictures, { label, done: () => void this.show(place + 1) });
    const focused = document.activeElement === this.range;
    await screen.show(this.frame.main, () => turn === this.turn);
    if (turn !== this.turn) return;
    this.screen = screen;
    if (focused) this.range?.focus();
  }
}

function kept() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null; // a browser that keeps nothing shows the first screen
  }
}

function keep(place) {
  try {
    sessionStorage.setItem(KEPT, String(place));
  } catch {
    return; // as above
  }
}
