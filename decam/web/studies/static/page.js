// The page of a study: a participant's, or the researcher's preview of it.

import { speak } from "./dom.js";
import { Journey } from "./journey.js";
import { Memory } from "./memory.js";
import { Preview } from "./preview.js";

const { texts = "{}", preview = "" } = document.body.dataset;
const { lang, dir } = document.documentElement;
speak(JSON.parse(texts), lang, dir);

/** Take the address's parameters out of it, and remember them, and a code, for when the page is loaded again. */
function parameters(link) {
  const memory = new Memory(link);
  const query = new URLSearchParams(location.search);
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (query.toString()) {
    const given = Object.fromEntries(query);
    memory.set("parameters", given);
  }
  if (code) memory.set("handed", code);
  if (query.toString() || code) history.replaceState(null, "", location.pathname);
}

if (preview) {
  void new Preview(preview).begin();
} else {
  const link = location.pathname.split("/").filter(Boolean).at(-1) ?? "";
  parameters(link);
  void new Journey(link).begin();
}
