// What all questions have in common: a prompt, an answer that may be missing, and what is said of it.

import { make, text } from "./dom.js";

let count = 0;

export class Question {
  /**
   * @param {any} element what is asked, as the server says it
   * @param {{ changed: (question: Question) => void, at: (event: Event) => number, pictures: import("./pictures.js").Pictures }} screen
   */
  constructor(element, screen) {
    this.element = element;
    this.screen = screen;
    this.name = element.name;
    /** @type {any} */
    this.value = null;
    this.id = `question-${(count += 1)}`;
    this.error = make("p", "error", { id: `${this.id}-error`, hidden: "" });
    this.verdict = make("p", "verdict", { id: `${this.id}-verdict`, hidden: "" });
    const legend = make("legend", "", {}, make("span", "lines", {}, element.prompt));
    if (element.optional) legend.append(" ", make("span", "optional", {}, text("page.optional")));
    this.node = make("fieldset", `question ${element.kind}`, { "aria-describedby": `${this.error.id} ${this.verdict.id}` }, legend);
  }

  /** The parts of the question below its prompt. */
  fill(...children) {
    this.node.append(...children, this.error, this.verdict);
  }

  answer(value) {
    this.value = value;
    this.complain("");
    this.screen.changed(this);
  }

  get answered() {
    return this.value !== null;
  }

  /** What keeps the participant from going on, in a sentence; empty where nothing does. */
  lacks() {
    return this.answered || this.element.optional ? "" : text("page.missing");
  }

  complain(sentence) {
    this.error.textContent = sentence;
    this.error.hidden = !sentence;
    this.node.classList.toggle("lacking", Boolean(sentence));
  }

  /** Say whether the answer was right. */
  tell({ right, correct }) {
    if (right === null || right === undefined) return;
    const told = right ? "page.feedback.right" : correct ? "page.feedback.correct" : "page.feedback.wrong";
    this.verdict.textContent = text(told, { correct });
    this.verdict.classList.toggle("right", right);
    this.verdict.hidden = false;
  }

  /** Show an answer again that was given before the page was loaded again. */
  restore(value) {
    this.value = value;
  }

  focus() {
    /** @type {HTMLElement | null} */ (this.node.querySelector("input, textarea, [tabindex='0'], button"))?.focus();
  }

  /** Choose by a number key; false where this question has no such answer. */
  digit(_number) {
    return false;
  }
}
