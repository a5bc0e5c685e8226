// The line on a run and its bar. It says when the run has ended, and asks for the page once a second where it hears nothing.

import { announce, make, mounted, say } from "../shared/component.js";
import { Follower, placeOf } from "../shared/live.js";

class Status {
  /** @type {(name: string) => void} */
  tell;
  /** @type {number | undefined} */
  again;

  constructor() {
    this.icon = make("span", "icon", { "aria-hidden": "true" });
    this.title = make("span");
    this.facts = make("span", "facts");
    this.fill = make("i");
    this.bar = make("div", "progress", { role: "progressbar", "aria-label": "Progress" }, this.fill);
    const line = make("p", "", {}, make("strong", "", {}, this.icon, " ", this.title), " ", this.facts);
    this.node = make("div", "decam decam-status", {}, line, this.bar);
    announce(""); // a place that is new and full at once is not read out
    this.follower = new Follower({
      news: (news) => this.hear(this.mine(news)),
      end: () => this.insist(),
      lost: () => this.tell("look"),
    });
  }

  update({ live, run, about, place }, { setTriggerValue }) {
    this.live = live;
    this.about = about;
    this.place = place;
    this.note = run.note;
    this.tell = (name) => setTriggerValue(name, performance.now());
    this.show(run);
    this.hear(this.mine(this.follower.newest(live)));
  }

  /** What news say of the run, or of the work, that this line is about; nothing where they say nothing. */
  mine(news) {
    return this.place ? news?.cells.find(({ cell }) => placeOf(cell) === this.place.join("\n"))?.cell : news?.run;
  }

  /** Show how the run or the work stands. The page draws a run's note below the line: a new note asks for the page. */
  hear(stands) {
    if (!stands) return;
    if (stands.state === "ended") {
      this.insist();
      return;
    }
    this.show(stands);
    if (!this.place && stands.note !== this.note) this.tell("look");
    this.note = stands.note;
  }

  show({ icon, title, facts, share }) {
    say(this.icon, icon);
    say(this.title, title);
    say(this.facts, [this.about, ...facts].filter(Boolean).map((fact) => `· ${fact}`).join(" "));
    this.fill.style.setProperty("--share", share);
    this.bar.setAttribute("aria-valuenow", Math.round(100 * share));
    // Not each map: what is said too often is not listened to.
    const quarters = Math.floor(4 * share);
    announce([this.about, title, quarters > 0 && quarters < 4 && `${25 * quarters} %`].filter(Boolean).join(", "));
  }

  /** Ask for the page until it comes: what is asked while a script is still running may be lost. */
  insist() {
    this.tell("ended");
    clearTimeout(this.again);
    this.again = setTimeout(() => this.insist(), 1000);
  }

  attach() {
    this.follower.follow(this.live);
  }

  release() {
    clearTimeout(this.again);
    this.follower.stop();
  }
}

export default mounted(Status);
