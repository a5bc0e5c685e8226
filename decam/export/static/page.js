// One page with its maps: opacity, lines, an enlarged map with zoom, and the generations of a search.
const frames = JSON.parse(document.getElementById("frames").textContent);
const maps = [...document.querySelectorAll(".map")];
const large = document.getElementById("large");
const view = large.querySelector(".view");
const steps = large.querySelector(".steps");
const step = document.getElementById("step");
const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8];
let shown = 0;
let zoom = 0;

const opacity = document.getElementById("opacity");
opacity.addEventListener("input", () => {
  document.body.style.setProperty("--opacity", opacity.value / 100);
  opacity.nextElementSibling.value = `${opacity.value} %`;
});

const lines = document.getElementById("lines");
const mark = () => document.body.classList.toggle("lined", lines.checked);
lines.addEventListener("change", mark);
mark();

function enlarge(place) {
  shown = (place + maps.length) % maps.length;
  const map = maps[shown];
  document.getElementById("large-title").textContent = map.dataset.title;
  view.replaceChildren(map.querySelector(".stack").cloneNode(true));
  const search = frames[map.dataset.cell] ?? [];
  steps.hidden = search.length === 0;
  step.max = search.length;
  step.value = search.length;
  tell();
  magnify(0);
  if (!large.open) large.showModal();
}

// The last step is the finished map, which is sharper than a moment of the search.
function tell() {
  const cell = maps[shown].dataset.cell;
  const search = frames[cell] ?? [];
  const moment = search[step.value];
  const heat = view.querySelector(".heat");
  if (!heat) return;
  heat.src = moment ? moment.map : maps[shown].querySelector(".heat").src;
  for (const line of view.querySelectorAll(".lines")) line.hidden = Boolean(moment);
  step.nextElementSibling.value = moment ? moment.text : "finished";
  step.setAttribute("aria-valuetext", step.nextElementSibling.value);
}
step.addEventListener("input", tell);

function magnify(level) {
  const before = ZOOMS[zoom];
  zoom = Math.min(Math.max(level, 0), ZOOMS.length - 1);
  const factor = ZOOMS[zoom] / before;
  const [x, y] = [view.scrollLeft + view.clientWidth / 2, view.scrollTop + view.clientHeight / 2];
  view.firstElementChild.style.width = `${100 * ZOOMS[zoom]}%`;
  view.scrollTo(x * factor - view.clientWidth / 2, y * factor - view.clientHeight / 2);
}

function beside(rows) {
  const [row, column] = maps[shown].dataset.cell.split("-");
  const place = maps.findIndex((map) => map.dataset.cell === `${Number(row) + rows}-${column}`);
  if (place >= 0) enlarge(place);
}

const actions = {
  previous: () => enlarge(shown - 1),
  next: () => enlarge(shown + 1),
  smaller: () => magnify(zoom - 1),
  larger: () => magnify(zoom + 1),
  whole: () => magnify(0),
  close: () => large.close(),
};
const keys = { "+": "larger", "=": "larger", "-": "smaller", "0": "whole", ArrowLeft: "previous", ArrowRight: "next" };
large.addEventListener("keydown", (event) => {
  const arrow = event.key.startsWith("Arrow");
  // An arrow moves a slider that has the focus, and a map that is larger than its frame.
  if (event.ctrlKey || event.metaKey || event.altKey || (arrow && (event.target === step || zoom > 0))) return;
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    beside(event.key === "ArrowUp" ? -1 : 1);
  } else if (keys[event.key]) {
    actions[keys[event.key]]();
    if (zoom > 0) view.focus(); // arrows move what is larger than its frame
  } else {
    return;
  }
  event.preventDefault();
});
large.addEventListener("close", () => maps[shown].focus());
large.addEventListener("click", (event) => {
  if (event.target === large) large.close();
  actions[event.target.closest("button")?.dataset.do]?.();
});
maps.forEach((map, place) => map.addEventListener("click", () => enlarge(place)));
