// The line of controls above the result grid. What is chosen stays for the browser's session and never asks the server.

import { icon, make, say } from "../shared/component.js";
import { clamp, gradient, LARGEST } from "./grid_draw.js";

const SCREEN = "M2 3h12v8H2zM5.5 14h5M8 11v3";
const KEPT = "decam.grid";
const STANDARD = { view: "overlay", opacity: 80, colours: "magma", scale: "map", extremes: false, contours: false, truth: true, top: 20 };
const VIEWS = [
  ["overlay", "Overlay", "The map in colour over the image"],
  ["map", "Map", "The map alone"],
  ["masked", "Masked", "The image where the map is highest, grey elsewhere, and what the model says to that"],
];
const SCALES = [
  ["map", "Each map", "Every map between its own limits"],
  ["column", "Shared in column", "Equal colours mean equal values down a column: methods have units of their own"],
  ["rank", "Rank", "Colours by the share of the map that is lower: equal colours mean equal areas, whatever the unit"],
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
    contours: kept.contours === true,
    top: Number.isInteger(kept.top) ? clamp(kept.top, 1, 100) : STANDARD.top,
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

/** A slider with its value in per cent; `moved` hears every value, `left` that it stays. */
function percentSlider(title, help, least, value, moved, left) {
  const shown = make("output", "percent");
  const input = make("input", "", { type: "range", min: least, max: 100, step: 1, "aria-label": help });
  input.value = value;
  input.addEventListener("input", () => (moved(Number(input.value)), show()));
  input.addEventListener("change", left);
  function show() {
    input.parentElement?.style.setProperty("--share", `${(100 * (input.value - least)) / (100 - least)}%`);
    say(shown, `${input.value} %`);
  }
  const node = make("label", "slider", { title: help }, make("span", "name", {}, title), input, shown);
  show();
  return node;
}

function checkbox(title, help, checked, changed) {
  const box = make("input", "", { type: "checkbox" });
  box.checked = checked;
  box.addEventListener("change", () => changed(box.checked));
  return { box, node: make("label", "check", { title: help }, box, make("span", "", {}, title)) };
}

/**
 * The controls; `changed()` is called after every change of `settings`, `left()` once a value stays, and `zoom(factor)`
 * by the zoom buttons (0 resets). `present()` is called by the button that leaves the maps alone on the page.
 */
export function controls(settings, tables, diverging, changed, left, zoom, present) {
  const slide = (name) => (value) => {
    settings[name] = value;
    keepSettings(settings);
    refresh();
    changed();
  };
  const set = (name) => (value) => {
    slide(name)(value);
    left();
  };
  const opacity = percentSlider("Opacity", "Opacity of the map", 0, settings.opacity, slide("opacity"), left);
  const top = percentSlider("Show the top", "Share of the image that is shown, highest first", 1, settings.top, slide("top"), left);

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

  const clipping = "Colours up to the highest value. Without it the top 1 % of a map's values share the last colour, so that a few pixels do not dim the others. The export follows.";
  const extremes = checkbox("Extremes", clipping, settings.extremes, set("extremes"));
  const lines = "Lines about the top 5, 20 and 50 % of each map, smoothed over 3 % of the image";
  const contours = checkbox("Contours", lines, settings.contours, set("contours"));
  const truth = checkbox("Object", "Outline the object whose place is known", settings.truth, set("truth")).node;

  const percent = button("plain percent", "Reset zoom", "100 %", () => zoom(0));
  percent.title = "Reset zoom (0). Zoom: Ctrl or ⌘ and wheel, pinch, + and −";
  const less = button("plain", "Zoom out", "−", () => zoom(1 / 1.5));
  const more = button("plain", "Zoom in", "+", () => zoom(1.5));
  const zoomer = make("div", "zoomer", { role: "group", "aria-label": "Zoom" }, less, percent, more);

  const presenting = button("plain presenting", "Present: the maps alone, larger; Escape ends", icon(SCREEN), present);
  presenting.setAttribute("aria-pressed", "false");

  const node = make(
    "div", "controls", { role: "toolbar", "aria-label": "How the maps are shown" },
    choice("view", "View", VIEWS, settings.view, set("view")),
    opacity, top,
    choice("colours", "Colours", swatches, settings.colours, set("colours")),
    make("label", "scale", { title: "Which maps share one scale" }, make("span", "name", {}, "Scale"), scale),
    extremes.node, contours.node, truth, zoomer, presenting,
  );

  function refresh() {
    top.hidden = settings.view !== "masked";
    opacity.hidden = !top.hidden;
    opacity.querySelector("input").disabled = settings.view === "map";
    opacity.classList.toggle("off", settings.view === "map");
    extremes.box.disabled = settings.scale === "rank" || settings.view === "masked";
  }
  refresh();
  return {
    node,
    showZoom(times) {
      say(percent, `${Math.round(times * 100)} %`);
      less.disabled = percent.disabled = times <= 1;
      more.disabled = times >= LARGEST;
    },
    showPresent(now) {
      presenting.setAttribute("aria-pressed", String(now));
    },
    showTruth(any) {
      truth.hidden = !any;
    },
  };
}
