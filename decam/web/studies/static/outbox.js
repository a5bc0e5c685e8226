// Answers on their way: kept in the browser until the server has acknowledged them, and sent one by one, in order.

import { insist, Refusal } from "./server.js";

const KEY = "answer/";
const DIGITS = 12;

export class Outbox {
  /**
   * @param {import("./memory.js").Memory} memory
   * @param {string} address where answers are posted
   * @param {{ standing: (state: "saved" | "saving" | "offline") => void, answered: (entry: any, reply: any) => void, refused: (entry: any, refusal: Refusal) => void }} hears
   */
  constructor(memory, address, hears) {
    this.memory = memory;
    this.address = address;
    this.hears = hears;
    /** @type {Map<string, { name: string, entry: any, done: (reply: any) => void }>} */
    this.waiting = new Map();
    this.sending = Promise.resolve();
    this.last = 0;
  }

  /** Keep an answer and send it after those before it; the reply, or null where it was refused. */
  add(entry) {
    this.last = Math.max(this.last, ...this.memory.names(KEY).map((name) => Number(name.slice(KEY.length, KEY.length + DIGITS)))) + 1;
    const name = `${KEY}${String(this.last).padStart(DIGITS, "0")}-${entry.id}`;
    this.memory.set(name, entry);
    const reply = new Promise((done) => this.waiting.set(entry.id, { name, entry, done }));
    void this.empty();
    return reply;
  }

  get size() {
    return this.memory.names(KEY).length;
  }

  /** Send all that is kept; ends when nothing is left. */
  empty() {
    this.sending = this.sending.then(() => this.send());
    return this.sending;
  }

  async send() {
    for (;;) {
      const [name] = this.memory.names(KEY);
      if (!name) break;
      const entry = this.memory.get(name);
      if (!entry) {
        this.memory.remove(name);
        continue;
      }
      this.hears.standing("saving");
      await this.deliver(name, entry);
    }
    // What another tab of the same study has sent is asked for once more: the server stores nothing twice.
    for (const [id, { name, entry }] of [...this.waiting]) if (this.waiting.has(id)) await this.deliver(name, entry);
    this.hears.standing("saved");
  }

  async deliver(name, entry) {
    try {
      const reply = await insist(this.address, entry, () => this.hears.standing("offline"));
      this.memory.remove(name);
      this.hears.answered(entry, reply);
      this.waiting.get(entry.id)?.done(reply);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      this.memory.remove(name);
      this.hears.refused(entry, refusal);
      this.waiting.get(entry.id)?.done(null);
    }
    this.waiting.delete(entry.id);
  }

  /** Let go of what is not sent yet. */
  clear() {
    for (const name of this.memory.names(KEY)) this.memory.remove(name);
    for (const { done } of this.waiting.values()) done(null);
    this.waiting.clear();
  }
}
