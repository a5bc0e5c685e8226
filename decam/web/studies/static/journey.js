// A participant's way through a study: in, from screen to screen, and out when everything is safe.

import { announce, button, speak, text, uuid } from "./dom.js";
import { Frame, sentence } from "./frame.js";
import { Memory } from "./memory.js";
import { Mine } from "./mine.js";
import { Outbox } from "./outbox.js";
import { Pictures } from "./pictures.js";
import { Screen } from "./screen.js";
import { insist, post, Refusal } from "./server.js";

const AHEAD = 3; // screens whose pictures are loaded meanwhile
const GOING = "taking part";
const GONE = [403, 404, 410]; // the server knows the participant, or the study, no longer

export class Journey {
  /** @param {string} link the study's link */
  constructor(link) {
    this.link = link;
    this.memory = new Memory(link);
    this.pictures = new Pictures(`${link}/images/`);
    this.frame = new Frame();
    this.pictures.lost = () => this.frame.wait(text("page.picture.lost"));
    this.outbox = new Outbox(this.memory, `${link}/answers`, {
      standing: (state) => this.frame.standing(state),
      answered: (entry, reply) => this.answered(entry, reply),
      refused: (entry, refusal) => this.refused(entry, refusal),
    });
    /** @type {any} */
    this.visit = null;
    /** @type {Screen | null} */
    this.screen = null;
    this.ended = false;
    addEventListener("keydown", (event) => this.screen?.key(event));
    addEventListener("beforeunload", (event) => {
      if (!this.memory.lasting && this.outbox.size) event.preventDefault();
    });
  }

  /** Send what an earlier page left unsent, then come in. */
  async begin() {
    this.frame.wait(text("page.loading"));
    const late = () => this.frame.wait(text("page.offline.start"));
    if (this.outbox.size) {
      const { standing } = this.outbox.hears;
      this.outbox.hears.standing = (state) => state === "offline" && late();
      await this.outbox.empty();
      this.outbox.hears.standing = standing;
    }
    if (!this.ended) await this.enter(late);
  }

  async enter(late = () => {}) {
    const kept = this.memory.get("code") ?? "";
    const handed = this.memory.get("handed") ?? ""; // by the address: one's own only once the server knows it
    try {
      this.come(await insist(`${this.link}/enter`, this.who(handed || kept), late));
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (handed && kept && refusal.reason === "code") {
        this.memory.remove("handed");
        await this.enter(late);
        return;
      }
      this.leave();
      this.frame.refuse(refusal, () => this.anew());
    }
  }

  /** Who comes in. Who has no code yet is known by the arrival, should the answer to it be lost. */
  who(code) {
    const arrival = this.memory.get("arrival") ?? uuid();
    this.memory.set("arrival", arrival);
    return { parameters: this.memory.get("parameters") ?? {}, device: device(), code, arrival };
  }

  come(visit) {
    this.visit = visit;
    this.memory.set("code", visit.code);
    for (const name of ["arrival", "handed"]) this.memory.remove(name);
    speak(visit.texts, visit.language, visit.direction);
    this.mine = new Mine(visit, { remove: () => this.remove(), change: (code) => this.change(code) });
    if (visit.outcome !== GOING) {
      this.end(visit.outcome, visit.exit);
      return;
    }
    this.frame.foot.replaceChildren(...this.mine.nodes);
    if (visit.full_screen && !document.fullscreenElement && document.fullscreenEnabled) this.widen();
    else void this.show(visit.position, visit.attempt, visit.resumed ? text("page.resumed") : "");
  }

  /** Ask for the full screen, which a browser gives to a click alone. */
  widen() {
    const { position, attempt } = this.visit;
    const go = button(text("page.full-screen.begin"), "next", async () => {
      go.disabled = true;
      // Who is refused the full screen takes part all the same; the events say that it was never on.
      await document.documentElement.requestFullscreen().catch(() => announce(text("page.full-screen")));
      void this.show(position, attempt);
    });
    this.frame.message(text("page.title"), text("page.full-screen"), go);
    go.focus();
  }

  async show(position, attempt, mention = "") {
    const { steps } = this.visit;
    if (position >= steps.length) {
      await this.finish();
      return;
    }
    const step = steps[position];
    const last = position === steps.length - 1;
    // With the code: on a shared computer the next person sees nothing of the one before.
    const name = `${this.visit.code}/${step.id}/${attempt}`;
    const label = last ? "page.finish" : position === 0 ? "page.begin" : "page.next";
    const screen = new Screen(step, this.pictures, {
      label: text(step.elements.some(({ name }) => name) && !last ? "page.next" : label),
      done: (values, time) => void this.submit(position, attempt, values, time),
      keep: (values) => this.memory.set("draft", { name, values }),
    });
    const draft = this.memory.get("draft");
    if (draft?.name === name) screen.restore(draft.values);
    for (const later of steps.slice(position + 1, position + 1 + AHEAD)) this.pictures.prefetch(later);
    this.screen = screen;
    this.frame.at(position, steps.length);
    const wanted = () => !this.ended && this.screen === screen;
    await screen.show(this.frame.main, wanted);
    if (!wanted()) return;
    this.again(screen, name);
    if (mention) this.frame.mention(mention);
    if (!this.memory.lasting) this.frame.mention(text("page.unsafe"));
  }

  /** Note where a screen had been shown before this page was loaded: its time began anew. */
  again(screen, name) {
    if (this.memory.get("shown") === name) screen.clock?.note("shown-again", { timeStamp: screen.clock.shown });
    this.memory.set("shown", name);
  }

  async submit(position, attempt, values, time) {
    const { steps, code } = this.visit;
    const step = steps[position];
    this.memory.remove("draft");
    const sent = this.outbox.add({ id: uuid(), code, step: step.id, attempt, values, ...time });
    if (!step.waits && position < steps.length - 1) {
      void this.show(position + 1, 1);
      return;
    }
    if (position === steps.length - 1) this.screen?.notice.replaceChildren(text("page.saving.last"));
    const reply = await sent;
    if (!reply || this.ended) return; // a refusal is dealt with where it is heard
    const on = () => (reply.outcome === GOING ? void this.show(reply.position, reply.attempt) : this.end(reply.outcome, reply.exit));
    if (!reply.feedback.length) {
      on();
      return;
    }
    const again = reply.position === position;
    this.screen?.notice.replaceChildren(again ? text("page.feedback.again") : "");
    this.screen?.tell(reply.feedback, { label: text(again ? "page.again" : "page.next"), done: on });
  }

  /** Everything was answered before: hear how it ended. */
  async finish() {
    this.screen = null;
    this.frame.wait(text("page.saving.last"));
    await this.outbox.empty();
    if (!this.ended) await this.enter();
  }

  answered(entry, reply) {
    const own = this.visit && entry.code === this.visit.code;
    const awaited = this.visit?.steps.find(({ id }) => id === entry.step);
    // An end that nobody waited for: nothing that comes after it is asked any more.
    if (own && reply.outcome !== GOING && awaited && !awaited.waits && awaited !== this.visit.steps.at(-1)) this.end(reply.outcome, reply.exit);
  }

  /** An answer that the server will not take: go on where it says, or hear that there is nothing to go on with. */
  refused(entry, refusal) {
    if (!this.visit || entry.code !== this.visit.code || this.ended) return;
    this.outbox.clear();
    if (GONE.includes(refusal.status)) {
      this.leave();
      this.frame.refuse(refusal, () => this.anew());
    } else void this.enter();
  }

  end(outcome, exit) {
    this.leave();
    this.outbox.clear();
    // Where nothing but this browser says who somebody is, the next person at it would be taken for the one before.
    const other = this.visit?.personal ? [button(text("page.done.other"), "quiet", () => this.anew())] : [];
    this.mine?.end();
    const mine = outcome === "no consent" ? [] : (this.mine?.nodes ?? []);
    this.frame.end(outcome, exit, [...mine, ...other]);
  }

  leave() {
    this.ended = true;
    this.screen = null;
    if (document.fullscreenElement) void document.exitFullscreen();
  }

  /** Begin anew, as somebody else. Answers on their way have their own code, and go on being sent. */
  anew() {
    for (const name of ["code", "arrival", "handed"]) this.memory.remove(name);
    location.reload();
  }

  /** Go on as whoever has another code; a sentence where that cannot be, and all stays as it was. */
  async change(code) {
    try {
      const visit = await post(`${this.link}/enter`, this.who(code));
      this.memory.set("code", visit.code);
      location.reload();
      return "";
    } catch (error) {
      if (error instanceof Refusal) return error.reason === "code" ? text("page.mine.other.unknown") : sentence(error);
      return text("page.mine.other.offline");
    }
  }

  async remove() {
    const { code } = this.visit;
    this.leave();
    this.outbox.clear();
    try {
      await insist(`${this.link}/delete`, { code }, () => this.frame.wait(text("page.offline.start")));
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      this.frame.refuse(refusal, () => this.anew());
      return;
    }
    this.memory.clear();
    this.frame.close();
    this.frame.message(text("page.deleted"), text("page.deleted.text"));
  }
}

/** What the study may ask of the device, and what its records say of it. */
function device() {
  return {
    width: innerWidth,
    height: innerHeight,
    screen_width: screen.width,
    screen_height: screen.height,
    ratio: devicePixelRatio,
    touch: navigator.maxTouchPoints > 0,
    pointer: matchMedia("(pointer: coarse)").matches ? "coarse" : "fine",
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
  };
}
