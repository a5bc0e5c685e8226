// One screen: its elements, the keys that answer them, and the time that the participant takes.

import { Choice, Rating, Several } from "./choices.js";
import { Clock } from "./clock.js";
import { announce, frame, make, paragraphs, text } from "./dom.js";
import { measure, picturesOf } from "./pictures.js";
import { Pointing } from "./pointing.js";
import { Ranking } from "./ranking.js";
import { Entry, NumberField, Slider } from "./typed.js";

const LONGEST = 20000; // characters of all answers of a screen
const QUESTIONS = { choice: Choice, several: Several, ranking: Ranking, rating: Rating, slider: Slider, number: NumberField, entry: Entry, pointing: Pointing };
const ABREAST = 4; // pictures that stand in one row
const WAITING = 200; // ms after which a screen that loads says so

export class Screen {
  /**
   * @param {any} step the screen, as the server says it
   * @param {import("./pictures.js").Pictures} pictures
   * @param {{ label: string, done: (values: any, time: any) => void, keep?: (values: any) => void }} going what the
   *   button says, what follows it, and what hears of answers that are not sent yet
   */
  constructor(step, pictures, { label, done, keep = () => {} }) {
    this.step = step;
    this.pictures = pictures;
    this.done = done;
    this.keep = keep;
    /** @type {import("./question.js").Question[]} */
    this.questions = [];
    /** @type {Clock | null} */
    this.clock = null;
    this.resting = false;
    this.headed = 0;
    this.notice = make("p", "notice", { role: "alert" });
    this.next = /** @type {HTMLButtonElement} */ (make("button", "next", { type: "submit" }, label));
    this.node = make("form", `screen ${step.kind}`, { novalidate: "", autocomplete: "off", "data-step": step.id });
    const parts = step.elements.map((element) => this.draw(element));
    this.heading = /** @type {HTMLElement} */ (parts.map((part) => part.querySelector("h1")).find(Boolean) ?? make("h1", "title", {}, step.title));
    if (!parts.some((part) => part.contains(this.heading))) this.node.append(this.heading);
    this.heading.tabIndex = -1;
    this.node.append(...this.arranged(parts), this.foot());
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(event);
    });
  }

  /** The picture in question stands beside the pictures to choose from, where the window is wide enough. */
  arranged(parts) {
    const kinds = this.step.elements.map(({ kind, options = [] }) => (kind === "choice" && options.some(({ picture }) => picture) ? "pictured" : kind));
    const place = kinds.findIndex((kind, at) => kind === "pictures" && kinds[at + 1] === "pictured");
    if (place < 0) return parts;
    const [seen, asked] = this.step.elements.slice(place, place + 2);
    const counts = [seen.shown.length, asked.options.filter(({ picture }) => picture).length];
    if (counts[0] + counts[1] > ABREAST) return parts;
    const beside = make("div", "beside", {}, parts[place], parts[place + 1]);
    measure(beside, picturesOf({ elements: [seen, asked] }));
    beside.style.setProperty("--parts", counts.map((count) => `minmax(0, ${count}fr)`).join(" "));
    // The question stands above all of them; a screen reader reads it with the options.
    parts[place + 1].querySelector("legend").classList.add("unseen");
    const prompt = make("p", "prompt lines", { "aria-hidden": "true" }, asked.prompt);
    return [...parts.slice(0, place), prompt, beside, ...parts.slice(place + 2)];
  }

  foot() {
    const chooses = this.step.elements.some(({ kind }) => ["choice", "several", "rating"].includes(kind));
    const keys = chooses ? [make("p", "keys", { "aria-hidden": "true" }, text("page.keys"))] : [];
    return make("div", "foot", {}, this.notice, this.next, ...keys);
  }

  draw(element) {
    if (element.kind === "prose") return this.prose(element);
    if (element.kind === "pictures") return this.shown(element);
    if (element.kind === "pause") return this.pause(element);
    const question = new QUESTIONS[element.kind](element, this);
    this.questions.push(question);
    return question.node;
  }

  prose({ heading, text: written }) {
    const level = heading && (this.headed += 1) > 1 ? "h2" : "h1";
    return make("section", "prose", {}, ...(heading ? [make(level, "", {}, heading)] : []), ...paragraphs(written));
  }

  shown({ shown }) {
    const figures = shown.map((one) =>
      make("figure", "", {}, this.pictures.draw(one), make("figcaption", "", { dir: "auto" }, one.caption)),
    );
    const row = make("div", "pictures row", {}, ...figures);
    measure(row, shown);
    return row;
  }

  pause({ seconds }) {
    this.seconds = seconds;
    this.countdown = make("p", "countdown", {}, seconds ? text("page.pause", { seconds }) : "");
    return this.countdown;
  }

  /** Show the screen once all its pictures can be painted, if it is wanted then; its time runs from that frame. */
  async show(place, wanted = () => true) {
    const waiting = make("p", "waiting", { role: "status" }, text("page.loading"));
    const late = setTimeout(() => wanted() && place.replaceChildren(waiting), WAITING);
    await this.pictures.ready(this.node.querySelectorAll("img"), wanted);
    clearTimeout(late);
    const time = await frame();
    if (!wanted()) return;
    place.replaceChildren(this.node);
    scrollTo(0, 0);
    this.clock = new Clock(time);
    this.heading.focus({ preventScroll: true });
    this.rest();
    const image = this.node.querySelector("img");
    if (image) this.clock.note("shown", { timeStamp: time }, { width: image.clientWidth, height: image.clientHeight });
  }

  /** Hold the participant back for the seconds of a break. */
  rest() {
    if (!this.seconds) return;
    const end = performance.now() + this.seconds * 1000;
    this.resting = this.next.disabled = true;
    const count = setInterval(() => {
      const left = Math.ceil((end - performance.now()) / 1000);
      this.resting = this.next.disabled = left > 0 && this.node.isConnected;
      if (this.countdown) this.countdown.textContent = left > 0 ? text("page.pause", { seconds: left }) : text("page.pause.over");
      if (this.resting) return;
      clearInterval(count);
      if (this.node.isConnected) announce(text("page.pause.over"));
    }, 250);
  }

  /** Milliseconds since the screen was shown. */
  at(event) {
    return this.clock?.at(event) ?? 0;
  }

  changed(question) {
    this.notice.textContent = "";
    this.clock?.changed(question.name);
    if (this.clock) this.keep(this.values());
  }

  values() {
    return Object.fromEntries(this.questions.map((question) => [question.name, question.value]));
  }

  /** Show answers again that were given before the page was loaded again. */
  restore(values) {
    for (const question of this.questions) if (values[question.name] != null) question.restore(values[question.name]);
  }

  /** Answer by a number key: the question that has the focus, or the first one without an answer. */
  digit(number) {
    const asked = this.questions.filter((question) => "inputs" in question);
    const open = asked.find((question) => !question.answered);
    const focused = asked.find((question) => question.node.contains(document.activeElement));
    const question = focused ?? open ?? asked.at(-1);
    if (!question?.digit(number)) return false;
    const rest = asked.slice(asked.indexOf(question) + 1).find((one) => !one.answered);
    if (question.element.kind !== "several") rest?.focus();
    return true;
  }

  submit(event) {
    if (!this.clock || this.resting || this.next.disabled) return;
    const lacking = this.questions.filter((question) => {
      const sentence = question.lacks();
      question.complain(sentence);
      return sentence;
    });
    if (lacking.length) {
      this.notice.textContent = lacking.length > 1 ? text("page.missing.some") : lacking[0].error.textContent;
      lacking[0].focus();
      return;
    }
    const values = this.values();
    if (JSON.stringify(values).length > LONGEST) {
      this.notice.textContent = text("page.entry.long");
      return;
    }
    this.next.disabled = true;
    this.done(values, this.clock.stop(event));
  }

  /** Say what was right, hold the answers, and go on by the same button. */
  tell(feedback, { label, done }) {
    for (const told of feedback) this.questions.find(({ name }) => name === told.name)?.tell(told);
    for (const field of this.node.querySelectorAll("input, textarea, .question button")) field.setAttribute("disabled", "");
    this.node.classList.add("told");
    const fresh = /** @type {HTMLButtonElement} */ (this.next.cloneNode());
    fresh.disabled = false;
    fresh.textContent = label;
    fresh.type = "button";
    fresh.addEventListener("click", done, { once: true });
    this.next.replaceWith(fresh);
    this.next = fresh;
    fresh.focus();
    const verdicts = this.questions.map(({ verdict }) => verdict.textContent).filter(Boolean);
    announce(verdicts.join(" "));
  }

  /** Number keys choose and Enter goes on, wherever the focus is; fields that are typed in keep their keys. */
  key(event) {
    if (!this.clock || event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const typed = target.matches("textarea, input.field");
    if (event.key === "Enter") {
      const own = target.closest("button, a, summary, textarea") && !(event.ctrlKey || event.metaKey);
      if (own || event.repeat) return;
      event.preventDefault();
      if (this.next.type === "button") this.next.click();
      else this.submit(event);
    } else if (/^[1-9]$/.test(event.key) && !typed && !event.ctrlKey && !event.metaKey) {
      if (!this.node.classList.contains("told") && this.digit(Number(event.key))) event.preventDefault();
    }
  }
}
