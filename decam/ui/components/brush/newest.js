// One question at a time: what changes while an answer is awaited waits, and only the newest of it is asked next.

const BROWSER = { now: () => performance.now(), later: (act, ms) => setTimeout(act, ms), never: (timer) => clearTimeout(timer) };

export class Newest {
  /**
   * `send` asks. Two questions are at least `pause` milliseconds apart unless one hurries, and an answer that has not
   * come after `patience` milliseconds is awaited no longer.
   */
  constructor(send, pause, patience, clock = BROWSER) {
    this.send = send;
    this.pause = pause;
    this.patience = patience;
    this.clock = clock;
    this.wanted = this.sent = null;
    this.awaited = false;
    this.at = -Infinity;
  }

  /** This is what to ask now; `hurries` without a pause. */
  tell(wanted, hurries) {
    this.wanted = wanted;
    this.step(hurries);
  }

  /** The answer to this has come. */
  heard(answered) {
    if (!this.awaited || answered !== this.sent) return;
    this.awaited = false;
    this.step(true);
  }

  step(hurries) {
    this.stop();
    if (this.wanted === this.sent) return;
    const since = this.clock.now() - this.at;
    const wait = this.awaited ? this.patience - since : hurries ? 0 : this.pause - since;
    if (wait > 0) {
      this.timer = this.clock.later(() => this.step(false), wait);
      return;
    }
    this.sent = this.wanted;
    this.awaited = true;
    this.at = this.clock.now();
    this.send(this.sent);
  }

  stop() {
    this.clock.never(this.timer);
    this.timer = undefined;
  }
}
