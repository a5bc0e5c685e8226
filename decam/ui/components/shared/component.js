// What every component begins with: elements, and a place on the page in which one view is drawn again and again.

/** An element with a class, attributes and children; text is always text, never markup. */
export function make(tag, className = "", attributes = {}, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** An element of a drawing, or a whole one, with attributes and children. */
export function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** A drawing of 16 × 16 with one path, which screen readers pass over. */
export function icon(path) {
  return draw("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, draw("path", { d: path }));
}

/** Change text only where it is another, so that nothing is laid out again for nothing. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Say something to those who hear the page: in one place for all components, which outlives each of them. */
export function announce(text) {
  /** @type {any} */
  let place = document.getElementById("decam-said");
  if (!place) {
    const unseen = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap";
    place = make("div", "", { id: "decam-said", role: "status", style: unseen });
    document.body.append(place);
  }
  say(place, text);
}

/** Bytes from their base64. */
export function bytesFrom(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Where the server keeps its files, also behind a proxy that serves the app under a path. */
export function address(url) {
  if (url.startsWith("data:")) return url;
  const script = /** @type {HTMLScriptElement | null} */ (document.querySelector('script[src*="static/js/"]'));
  const base = script ? script.src.split("static/js/")[0] : `${location.origin}/`;
  return new URL(url.replace(/^\//, ""), base).href;
}

/** A Streamlit component: one `View` a place, with its `node`, `update(data, component)`, `attach()` and `release()`. */
export function mounted(View) {
  const views = new WeakMap();
  return (component) => {
    const { parentElement, data } = component;
    if (!views.has(parentElement)) {
      views.set(parentElement, new View());
      parentElement.append(views.get(parentElement).node);
      // Streamlit fades what it is about to draw again: here that would be a flicker once a second.
      const place = parentElement.host?.closest('[data-testid="stElementContainer"]');
      place?.style.setProperty("opacity", "1", "important");
    }
    const view = views.get(parentElement);
    const turn = (view.turn = {});
    view.update(data, component);
    view.attach();
    return () => {
      if (view.turn === turn) view.release();
    };
  };
}
