// A play button and a slider over moments that the browser has all of: playing them asks the server for nothing.

import { icon, make, say } from "../shared/component.js";

const PACE = 650; // milliseconds a moment

const PLAY = "M4 2.5v11l9-5.5z";
const PAUSE = "M4 2.5h3v11H4zM9 2.5h3v11H9z";

export class Player {
  /** @type {number | undefined} */
  timer;

  /** `show(index)` draws a moment, which is called `noun`; `caption(index)` is what stands beside the slider. */
  constructor(show, caption, noun = "generation") {
    this.show = show;
    this.caption = caption;
    this.noun = noun;
    const named = noun[0].toUpperCase() + noun.slice(1);
    this.count = 0;
    this.at = 0;
    this.button = make("button", "play", { type: "button" });
    this.slider = make("input", "", { type: "range", min: 0, step: 1, "aria-label": named, title: `Goes back and forth through the ${noun}s` });
    this.pace = make("select", "", { "aria-label": "Speed", title: `How fast the ${noun}s are played` });
    for (const times of [0.5, 1, 2, 4]) this.pace.append(make("option", "", { value: times }, `${times}×`));
    this.pace.value = "1";
    this.text = make("output", "where");
    this.node = make("div", "player", { role: "group", "aria-label": `${named}s` }, this.button, this.slider, this.pace, this.text);
    this.button.addEventListener("click", () => (this.timer ? this.pause() : this.play()));
    this.slider.addEventListener("input", () => (this.pause(), this.go(Number(this.slider.value))));
    this.pace.addEventListener("change", () => this.timer && this.play());
    this.face();
  }

  /**
   * There are so many moments now; who looks at the last one goes on looking at the last one.
   * @param {number} count
   * @param {number | null} place
   */
  setCount(count, place = null) {
    const last = this.at >= this.count - 1 && !this.timer;
    this.count = count;
    this.slider.max = Math.max(0, count - 1);
    this.slider.disabled = this.button.disabled = count < 2;
    this.go(place !== null && place >= 0 && !last ? place : last ? count - 1 : Math.min(this.at, count - 1));
  }

  go(index) {
    this.at = Math.min(Math.max(0, index), Math.max(0, this.count - 1));
    this.slider.value = this.at;
    const text = this.count ? this.caption(this.at) : "";
    say(this.text, text);
    this.slider.setAttribute("aria-valuetext", text);
    if (this.count) this.show(this.at);
  }

  play() {
    clearInterval(this.timer);
    if (this.at >= this.count - 1) this.go(0);
    this.timer = setInterval(() => {
      if (this.at < this.count - 1) this.go(this.at + 1);
      if (this.at >= this.count - 1) this.pause();
    }, PACE / Number(this.pace.value));
    this.face();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.face();
  }

  face() {
    const name = this.timer ? "Pause" : "Play";
    this.button.replaceChildren(icon(this.timer ? PAUSE : PLAY));
    this.button.setAttribute("aria-label", name);
    this.button.title = this.timer ? `Stay at this ${this.noun}` : `Play the ${this.noun}s one after the other`;
  }
}
