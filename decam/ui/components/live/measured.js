// Nothing to see: it says when maps were finished or measured since the page drew its tables, at most once in five seconds.

import { make, mounted } from "../shared/component.js";
import { Follower } from "../shared/live.js";

const REST = 5000; // milliseconds

class Measured {
  /** @type {number | undefined} */
  timer;
  /** @type {(count: number) => void} */
  tell;
  drawn = 0;

  constructor() {
    this.node = make("span", "", { hidden: "" });
    this.follower = new Follower({ news: ({ run }) => this.hear(run.measured) });
  }

  update({ live, measured }, { setTriggerValue }) {
    this.live = live;
    this.measured = measured;
    this.drawn = performance.now();
    this.tell = (count) => setTriggerValue("measured", count);
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  hear(count) {
    if (count === this.measured || this.timer) return;
    const rest = Math.max(0, this.drawn + REST - performance.now());
    this.timer = setTimeout(() => this.tell(count), rest);
  }

  attach() {
    this.follower.follow(this.live);
  }

  release() {
    this.follower.stop();
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

export default mounted(Measured);
