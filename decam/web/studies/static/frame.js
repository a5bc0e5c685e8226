// What stands around the screens: progress, whether all is saved, and the pages that say one thing.

import { button, has, make, text } from "./dom.js";

const CALM = 1200; // ms that a saving may take before the page speaks of it

export class Frame {
  constructor() {
    this.progress = /** @type {HTMLProgressElement} */ (make("progress", "", { max: 1, value: 0 }));
    this.count = make("span", "count");
    this.state = make("span", "state", { role: "status", "aria-live": "polite" });
    this.top = make("header", "top", { hidden: "" }, this.progress, make("div", "facts", {}, this.count, this.state));
    this.main = make("main");
    this.foot = make("footer", "mine", { hidden: "" });
    document.body.replaceChildren(this.top, this.main, this.foot);
    this.speaking = 0;
  }

  /** Say which screen this is; `number` counts from 0. */
  at(number, count) {
    this.top.hidden = this.foot.hidden = false;
    const said = text("page.progress", { number: number + 1, count });
    this.progress.max = count;
    this.progress.value = number;
    this.progress.setAttribute("aria-label", said);
    this.count.textContent = said;
  }

  /** Say whether all answers are safe; a saving that is over at once is not spoken of. */
  standing(state) {
    clearTimeout(this.speaking);
    const say = () => {
      this.state.className = `state ${state}`;
      this.state.textContent = text(`page.${state}`);
    };
    if (state === "saving" && !this.state.classList.contains("offline")) this.speaking = setTimeout(say, CALM);
    else if (state !== "saved" || this.state.textContent) say();
  }

  wait(sentence) {
    this.main.replaceChildren(make("p", "waiting", { role: "status" }, sentence));
  }

  /** A page that says one thing. */
  message(heading, sentence, ...more) {
    const title = make("h1", "", { tabindex: "-1" }, heading);
    this.main.replaceChildren(make("section", "message", {}, title, make("p", "lines", {}, sentence), ...more));
    title.focus({ preventScroll: true });
  }

  /** Nothing of the study is asked any more. */
  close() {
    this.top.hidden = this.foot.hidden = true;
    for (const open of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (open).close();
  }

  /** Say why the participant cannot take part; `anew` begins without the code that was kept. */
  refuse(refusal, anew) {
    const { reason } = refusal;
    this.close();
    const again = button(text("page.refused.reload"), "next", () => location.reload());
    const begun = button(text("page.refused.start"), "next", anew);
    this.message(text("page.refused"), sentence(refusal), ...(FINAL.includes(reason) ? [] : [reason === "code" ? begun : again]));
  }

  /** The end: led on to an address, or a code, or thanks alone; `more` is what can still be done then. */
  end(outcome, exit, more) {
    this.close();
    const key = ENDS[outcome] ?? "page.done";
    const address = exit.kind === "address" ? safe(exit.value) : null;
    if (address) {
      this.message(text(key), text(`${key}.leave`), make("p", "", {}, make("a", "next", { href: address }, text("page.done.link"))));
      location.replace(address);
      return;
    }
    const code = exit.kind === "code" ? [make("p", "code", {}, `${text("page.done.code")} `, make("strong", "", { dir: "ltr" }, exit.value))] : [];
    this.message(text(key), text(`${key}.text`), ...code, make("div", "line", {}, ...more));
  }

  /** A sentence above the screen, that goes with it. */
  mention(sentence) {
    this.main.prepend(make("p", "mention", { role: "status" }, sentence));
  }
}

const FINAL = ["closed", "full", "identity", "touch", "no-touch", "unknown"]; // refusals that loading again does not lift
const ENDS = { completed: "page.done", "no consent": "page.no-consent", "attention failed": "page.attention-failed" };

/** A refusal in the participant's language, where its reason has a text; otherwise as the server says it. */
export function sentence({ reason, message }) {
  const key = `page.refused.${reason}`;
  return reason && has(key) ? text(key) : message || text("page.refused.other");
}

/** An address of the web; null for anything else, such as a script. */
export function safe(address) {
  try {
    const { protocol, href } = new URL(address);
    return protocol === "https:" || protocol === "http:" ? href : null;
  } catch {
    return null;
  }
}
