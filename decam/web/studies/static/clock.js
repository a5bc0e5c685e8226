// The time of a screen, in ms from the frame that shows it, and what happened to its window meanwhile.

const MOST = 150; // events kept of one screen; an answer must stay small

export class Clock {
  /** @param {number} shown the time of the frame that shows the screen */
  constructor(shown) {
    this.shown = shown;
    this.started = Math.round(performance.timeOrigin + shown);
    this.blurred = 0;
    this.events = [];
    this.left = null;
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    for (const name of ["blur", "focus"]) window.addEventListener(name, (event) => this.attend(name, event), { signal });
    document.addEventListener("visibilitychange", (event) => this.attend(document.hidden ? "hidden" : "visible", event), { signal });
    document.addEventListener("fullscreenchange", (event) => this.note(document.fullscreenElement ? "full-screen" : "full-screen-exit", event), { signal });
    window.addEventListener("resize", (event) => this.resized(event), { signal });
    // The change itself came before: whoever was refused the full screen has no such event.
    if (document.fullscreenElement) this.note("full-screen", { timeStamp: shown });
    if (away()) this.attend(document.hidden ? "hidden" : "blur", { timeStamp: shown });
  }

  /** Milliseconds since the screen was shown; an event says itself when it happened. */
  at(event) {
    const now = event?.timeStamp > 0 ? event.timeStamp : performance.now();
    return Math.max(0, Math.round((now - this.shown) * 10) / 10);
  }

  note(kind, event, more = {}) {
    if (this.events.length < MOST) this.events.push({ kind, ms: this.at(event), ...more });
  }

  /** The answer to a question was changed; a slider's many values count as one. */
  changed(name) {
    const last = this.events.at(-1);
    if (last?.kind === "answer" && last.name === name) last.ms = this.at();
    else this.note("answer", null, { name });
  }

  attend(kind, event) {
    this.note(kind, event);
    const ms = this.at(event);
    if (away()) this.left ??= ms;
    else this.back(ms);
  }

  back(ms) {
    if (this.left !== null) this.blurred += Math.max(0, ms - this.left);
    this.left = null;
  }

  resized(event) {
    const size = { width: innerWidth, height: innerHeight };
    const last = this.events.at(-1);
    if (last?.kind === "resize") Object.assign(last, size, { ms: this.at(event) });
    else this.note("resize", event, size);
  }

  /** The end of the screen: what is sent of its time. */
  stop(event) {
    const duration = this.at(event);
    this.back(duration);
    this.stopping.abort();
    const blurred = Math.min(duration, Math.round(this.blurred * 10) / 10);
    return { started: this.started, ended: Math.round(this.started + duration), duration, blurred, events: this.events };
  }
}

const away = () => document.hidden || !document.hasFocus();
