// The line of controls above the result grid. What is chosen stays for the browser's session and never asks the server.

import { make, say } from "../shared/component.js";
import { clamp, gradient, LARGEST } from "./grid_draw.js";

const KEPT = "decam.grid";
const STANDARD = { view: "overlay", opacity: 60, colours: "cividis", scale: "map", extremes: false, truth: true };
const VIEWS = [
  ["overlay", "Overlay", "The map in colour over the picture"],
  ["map", "Map", "The map alone"],
  ["masked", "Masked", "The picture where the map is high"],
];
const SCALES = [
  ["map", "Each map", "Every map between its own limits"],
  ["row", "Shared in row", "Equal colours mean equal values along a row, signed and unsigned maps apart"],
  ["column", "Shared in column", "Equal colours mean equal values down a column"],
];

export function mark(node, name, value) {
  if (value === null || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/** A place among `parent`'s children for each node, moving only those that stand elsewhere. */
export function arrange(parent, nodes) {
  for (const child of [...parent.children]) if (!nodes.includes(child)) child.remove();
  nodes.forEach((node, i) => {
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] ?? null);
  });
}

export function button(className, label, inside, action) {
  const node = make("button", className, { type: "button", "aria-label": label, title: label }, inside);
  node.addEventListener("click", action);
  return node;
}

/** What is kept may be out of date or forbidden by the browser: then the standard holds. */
export function keptSettings() {
  let kept = {};
  try {
    kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") ?? {};
  } catch (problem) {
    console.debug("decam: nothing kept for the grid", problem);
  }
  const known = (name, choices) => (choices.includes(kept[name]) ? kept[name] : STANDARD[name]);
  return {
    view: known("view", VIEWS.map(([key]) => key)),
    scale: known("scale", SCALES.map(([key]) => key)),
    opacity: Number.isFinite(kept.opacity) ? clamp(kept.opacity, 0, 100) : STANDARD.opacity,
    colours: typeof kept.colours === "string" ? kept.colours : STANDARD.colours,
    extremes: kept.extremes === true,
    truth: kept.truth !== false,
  };
}

function keepSettings(settings) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(settings));
  } catch (problem) {
    console.debug("decam: the grid's settings cannot be kept", problem);
  }
}

/** One choice of several, side by side. */
export function choice(name, label, options, current, changed) {
  const group = make("div", `choice ${name}`, { role: "radiogroup", "aria-label": label });
  for (const [key, title, help, swatch] of options) {
    const input = make("input", "", { type: "radio", name, value: key });
    input.checked = key === current;
    input.addEventListener("change", () => changed(key));
    const face = make("span", swatch ? "face swatch" : "face");
    if (swatch) {
      face.style.backgroundImage = swatch;
      input.setAttribute("aria-label", title);
    } else face.textContent = title;
    group.append(make("label", "", { title: help }, input, face));
  }
  return group;
}

/** The controls; `changed()` is called after every change of `settings`, `zoom(factor)` by the zoom buttons (0 resets). */
export function controls(settings, tables, diverging, changed, zoom) {
  const set = (name) => (value) => {
    settings[name] = value;
    keepSettings(settings);
    refresh();
    changed();
  };
  const shown = make("output", "percent");
  const slider = make("input", "", { type: "range", min: 0, max: 100, step: 1, "aria-label": "Opacity of the map" });
  slider.value = settings.opacity;
  slider.addEventListener("input", () => set("opacity")(Number(slider.value)));
  const opacity = make("label", "slider", { title: "Opacity of the map" }, make("span", "name", {}, "Opacity"), slider, shown);

  const names = Object.keys(tables).filter((name) => name !== diverging);
  if (!names.includes(settings.colours)) settings.colours = names[0];
  const swatches = names.map((name) => [
    name,
    name,
    `Colours: ${name} (signed maps are always blue – white – orange, white at zero)`,
    gradient(tables[name]),
  ]);

  const scale = make("select", "", { "aria-label": "Scaling of the maps" });
  for (const [key, title, help] of SCALES) scale.append(make("option", "", { value: key, title: help }, title));
  scale.value = settings.scale;
  scale.addEventListener("change", () => set("scale")(scale.value));

  const ends = make("input", "", { type: "checkbox" });
  ends.checked = settings.extremes;
  ends.addEventListener("change", () => set("extremes")(ends.checked));
  const clipping = "Colours up to the highest value. Without it the top 1 % of a map's values share the last colour, so that a few pixels do not dim the others. The export follows.";
  const extremes = make("label", "check", { title: clipping }, ends, make("span", "", {}, "Extremes"));

  const box = make("input", "", { type: "checkbox" });
  box.checked = settings.truth;
  box.addEventListener("change", () => set("truth")(box.checked));
  const truth = make("label", "check", { title: "Outline the object whose place is known" }, box, make("span", "", {}, "Object"));

  const percent = button("plain percent", "Reset zoom", "100 %", () => zoom(0));
  percent.title = "Reset zoom (0, or Shift and double-click). Zoom: Ctrl or ⌘ and wheel, pinch, double-click, + and −";
  const less = button("plain", "Zoom out", "−", () => zoom(1 / 1.5));
  const more = button("plain", "Zoom in", "+", () => zoom(1.5));
  const zoomer = make("div", "zoomer", { role: "group", "aria-label": "Zoom" }, less, percent, more);

  const node = make(
    "div", "controls", { role: "toolbar", "aria-label": "How the maps are shown" },
    choice("view", "View", VIEWS, settings.view, set("view")),
    opacity,
    choice("colours", "Colours", swatches, settings.colours, set("colours")),
    make("label", "scale", { title: "Which maps share one scale" }, make("span", "name", {}, "Scale"), scale),
    extremes, truth, zoomer,
  );

  function refresh() {
    slider.disabled = settings.view !== "overlay";
    opacity.classList.toggle("off", slider.disabled);
    slider.style.setProperty("--share", `${settings.opacity}%`);
    say(shown, `${settings.opacity} %`);
  }
  refresh();
  return {
    node,
    showZoom(times) {
      say(percent, `${Math.round(times * 100)} %`);
      less.disabled = percent.disabled = times <= 1;
      more.disabled = times >= LARGEST;
    },
    showTruth(any) {
      truth.hidden = !any;
    },
  };
}
