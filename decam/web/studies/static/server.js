// Asking the server: an answer, a refusal in a sentence, or nothing, after which one asks again.

import { wait } from "./dom.js";

const PATIENCE = 20000; // ms for an answer
const FIRST = 500; // ms before the second try; then twice as long each time
const LONGEST = 15000;
const BUSY = [408, 425, 429]; // refusals of the moment
const CHANGED = "changed"; // the study was changed at the very moment

/** What the server will not do; asking again would not help. */
export class Refusal extends Error {
  constructor(status, { error = "", reason = "" }) {
    super(error);
    this.status = status;
    this.reason = reason;
  }
}

/** POST once; throws a Refusal, or another error where the server could not be asked or had no answer. */
export async function post(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout?.(PATIENCE),
    cache: "no-store",
    credentials: "same-origin",
  });
  const read = await answer.json(); // what is no JSON was not said by our server
  if (answer.ok) return read;
  // Nor was a refusal without a reason: proxies and portals refuse in JSON too.
  const ours = typeof read?.error === "string" && typeof read.reason === "string";
  const later = answer.status >= 500 || BUSY.includes(answer.status) || read?.reason === CHANGED;
  if (later || !ours) throw new Error(`status ${answer.status}`);
  throw new Refusal(answer.status, read);
}

/** POST until the server answers or refuses; `lost` hears of each try that failed. */
export async function insist(address, body, lost = () => {}) {
  for (let pause = FIRST; ; pause = Math.min(pause * 2, LONGEST)) {
    try {
      return await post(address, body);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      lost();
      await sooner(pause * (0.75 + Math.random() / 2));
    }
  }
}

/** Wait, but no longer than until the network is back or somebody looks at the page again. */
async function sooner(ms) {
  const stop = new AbortController();
  const woken = new Promise((done) => {
    window.addEventListener("online", done, { signal: stop.signal });
    document.addEventListener("visibilitychange", () => document.hidden || done(null), { signal: stop.signal });
  });
  await Promise.race([wait(ms), woken]);
  stop.abort();
}
