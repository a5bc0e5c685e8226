// What every part of the page begins with: elements, texts in the participant's language, and what is said aloud.

/** @type {Record<string, string>} */
let texts = {};

/** Take these texts from now on, and write the page in their direction. */
export function speak(given, language, direction) {
  texts = given;
  document.documentElement.lang = language;
  document.documentElement.dir = direction;
}

/** A text of the wording with its values filled in. */
export function text(key, values = {}) {
  let found = texts[key] ?? key;
  for (const [name, value] of Object.entries(values)) found = found.replaceAll(`{${name}}`, String(value));
  return found;
}

export const has = (key) => key in texts;

/** An element with a class, attributes and children; text is always text, never markup. */
export function make(tag, className = "", attributes = {}, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** A drawing of 16 × 16 with one path, which screen readers pass over. */
export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** A button that submits nothing. */
export function button(label, className, act) {
  const node = make("button", className, { type: "button" }, label);
  node.addEventListener("click", act);
  return /** @type {HTMLButtonElement} */ (node);
}

/** Paragraphs, which an empty line separates; single line breaks stay. */
export function paragraphs(written) {
  const parts = written.split(/\n\s*\n/).filter((part) => part.trim());
  return parts.map((part) => make("p", "lines", {}, part.trim()));
}

const live = make("p", "unseen", { role: "status", "aria-live": "polite" });

/** Tell a screen reader, also where it is the same sentence again. */
export function announce(sentence) {
  if (!live.isConnected) document.body.append(live);
  live.textContent = live.textContent === sentence ? `${sentence}\u00a0` : sentence;
}

/** An id that nobody else makes. Browsers make one themselves only where the page came by HTTPS or from this machine. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** The next frame: its time, in the browser's own ms. */
export const frame = () => new Promise((/** @type {(time: number) => void} */ done) => requestAnimationFrame(done));
