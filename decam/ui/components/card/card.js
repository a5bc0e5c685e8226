// A picture beside its likeliest classes: each bar is a button that asks about its class.

import { make, mounted, say } from "../shared/component.js";

class Card {
  constructor() {
    this.picture = /** @type {HTMLImageElement} */ (make("img"));
    this.title = make("div", "dc-name");
    this.list = make("div", "dc-bars", { role: "group" });
    this.note = make("div", "dc-unsure");
    this.node = make("div", "dc-card", {}, this.picture, make("div", "", {}, this.title, this.list, this.note));
    /** @type {HTMLButtonElement[]} */
    this.buttons = [];
  }

  update({ name, uri, alt, note, bars }, { setTriggerValue }) {
    this.send = setTriggerValue;
    if (this.picture.src !== uri) this.picture.src = uri;
    this.picture.alt = alt;
    say(this.title, name);
    this.title.title = name;
    this.list.setAttribute("aria-label", `Likeliest classes of ${name}`);
    say(this.note, note);
    this.note.hidden = !note;
    // The buttons stay, so that one keeps the focus when it has been pressed.
    while (this.buttons.length < bars.length) this.buttons.push(this.button());
    while (this.buttons.length > bars.length) this.buttons.pop()?.remove();
    bars.forEach((bar, place) => this.show(this.buttons[place], bar, place));
  }

  button() {
    const button = /** @type {HTMLButtonElement} */ (make("button", "dc-bar", { type: "button" }, make("i"), make("span"), make("b")));
    button.addEventListener("click", () => this.send("pressed", Number(button.dataset.index)));
    this.list.append(button);
    return button;
  }

  show(button, { index, label, probability, words, rank, chosen }, place) {
    const [bar, name, value] = button.children;
    button.dataset.index = index;
    button.classList.toggle("dc-asked", chosen);
    button.classList.toggle("dc-apart", rank !== place + 1);
    button.setAttribute("aria-pressed", String(chosen));
    button.setAttribute("aria-label", `${label}, ${words}, rank ${rank}`);
    button.title = chosen ? `${label}: the class asked about` : `Ask about ${label}`;
    bar.style.width = `${(100 * probability).toFixed(1)}%`;
    say(name, rank === place + 1 ? label : `${rank}. ${label}`);
    say(value, words);
  }

  attach() {}

  release() {}
}

export default mounted(Card);
