// The search as a Streamlit component: its population, the making of one trial, what the fittest was judged by, curves.

import { Charts } from "../charts/chart.js";
import { loadImage, minus } from "../grid/grid_draw.js";
import { address, bytesFrom, make, mounted, say } from "../shared/component.js";
import { Latest } from "../shared/latest.js";
import { Guide, Interpolation } from "./guide.js";
import { Player } from "./player.js";
import { blend, colourCrossed, colourGrid, decoded, GREY, outlined, pixelsOf, regionsOf, SHOWN_SHARE, visibility } from "./search_draw.js";

const ROLES = { target: "target", best: "guide", r1: "r1", r2: "r2", r3: "r3" };
const fixed = (value, digits = 3) => (value === null || !Number.isFinite(value) ? "–" : minus(value.toFixed(digits)));

const KINDS = [
  ["mask", "Masks", "What each individual shows of the image"],
  ["map", "Cells", "The numbers that evolve, one a cell of the grid; one colour scale for all"],
  ["region", "Regions", "What each individual keeps of the image, after it was fitted to the image's edges: the connected regions, outlined"],
];

function part(title, help, ...children) {
  return make("section", "", { "aria-label": title }, make("header", "", {}, make("h2", "", {}, title), make("p", "soft", {}, help)), ...children);
}

/** A small picture with words beneath; drawn again in place. */
class Tile {
  constructor(className = "tile") {
    this.canvas = make("canvas", "", { role: "img" });
    this.caption = make("figcaption", "");
    this.node = make("figure", className, {}, this.canvas, this.caption);
  }

  say(caption, label = caption) {
    say(this.caption, caption);
    this.canvas.setAttribute("aria-label", label);
    this.node.title = label;
  }
}

class Search {
  /** @type {Guide | Interpolation} */
  reading;
  /** @type {{ map: Uint8Array, difference: Uint8Array }} */
  tables;

  constructor() {
    this.known = new Map();
    this.masks = [];
    this.asked = [];
    this.images = new Latest();
    this.chosen = null;
    this.as = "mask";
    this.player = new Player((i) => this.show(i), (i) => this.caption(i));
    this.words = make("p", "words");
    this.grid = make("div", "masks", { role: "group", "aria-label": "Individuals" });
    this.kinds = this.makeKinds();
    this.kept = this.makeShare();
    this.population = part("Population", "After selection. The fittest has a ring, a dot marks a trial that has just moved in; choose one to see how its trial was made.", make("div", "how", {}, this.kinds, this.kept), this.grid);
    this.makings = make("div", "makings");
    this.trial = part("One trial vector", "", this.makings);
    this.map = make("img", "");
    this.mapped = make("figure", "tile", {}, this.map, make("figcaption", ""));
    this.pictures = make("div", "asked", {}, this.mapped);
    this.judged = part("What the fittest was judged by", "", this.pictures);
    this.certain = make("div", "asked certain", {});
    this.certainty = part("How sure the map is", "", this.certain);
    this.charts = new Charts((place) => this.pick(place));
    this.stopping = make("p", "soft stopping");
    this.curves = part("Curves", "Over evaluations, images through the model; a click goes to that generation.", this.charts.node, this.stopping);
    this.two = make("div", "two", {}, this.population, this.trial);
    const body = make("div", "body", {}, this.two, this.certainty, this.judged, this.curves);
    this.node = make("div", "decam decam-search", {}, this.player.node, this.words, body);
    this.sizes = new ResizeObserver(() => this.charts.measure());
  }

  makeKinds() {
    const node = make("div", "kinds", { role: "radiogroup", "aria-label": "How individuals are shown" });
    for (const [value, title, help] of KINDS) {
      const input = make("input", "", { type: "radio", name: "kind", value, "aria-label": title });
      input.checked = value === this.as;
      input.addEventListener("change", () => this.showAs(value));
      node.append(make("label", "", { title: help }, input, make("span", "face", {}, title)));
    }
    return node;
  }

  /** How much of the picture the regions keep: the pixels that an individual ranks first. */
  makeShare() {
    this.share = make("input", "", { type: "range", min: 5, max: 75, step: 5, value: 100 * SHOWN_SHARE, "aria-label": "Share kept", title: "How much of the image each individual keeps: the pixels that it ranks first" });
    this.shareText = make("output", "soft");
    this.share.addEventListener("input", () => this.showAs(this.as));
    const node = make("label", "share", {}, make("span", "", {}, "Keeps"), this.share, this.shareText);
    node.hidden = true;
    return node;
  }

  showAs(kind) {
    this.as = kind;
    this.kept.hidden = kind !== "region";
    this.grid.classList.toggle("large", kind === "region");
    say(this.shareText, `${this.share.value} %`);
    this.player.go(this.player.at);
  }

  update(data) {
    const before = this.generations?.[this.player.at]?.evaluations;
    this.data = data;
    this.shape = data.cells;
    this.generations = data.generations;
    this.tables ??= { map: bytesFrom(data.tables.map), difference: bytesFrom(data.tables.difference) };
    say(this.words, data.words);
    this.words.hidden = !data.words;
    this.two.hidden = this.judged.hidden = this.player.node.hidden = !this.generations.length;
    this.curves.hidden = !data.charts.groups.length;
    if (data.key !== this.shownKey) this.begin(data.key);
    this.showCertainty(data);
    this.load(data);
    this.charts.update(data.charts);
    say(this.stopping, data.stopping);
    this.stopping.hidden = !data.stopping;
    this.player.setCount(this.generations.length, this.generations.findIndex(({ evaluations }) => evaluations === before));
  }

  /** Another search: nothing of the one before counts. */
  begin(key) {
    this.shownKey = key;
    this.known.clear();
    this.chosen = null;
    this.picture = this.image = this.small = null;
    this.filling = null;
    this.images.forget();
    this.player.pause();
    this.player.count = this.player.at = 0;
  }

  async load({ picture, filling, size }) {
    const [height, width] = size;
    const load = () => Promise.all([picture, filling].filter(Boolean).map((url) => loadImage(url)));
    await this.images.fetch(`${picture}\n${filling}`, load, (images) => {
      this.image = images[0];
      this.picture = pixelsOf(images[0], width, height);
      this.reading = new (this.data.guide.follows ? Guide : Interpolation)(this.picture, size, this.data.guide);
      this.small = pixelsOf(images[0], this.reading.shape[1], this.reading.shape[0]);
      this.filling = images[1] ? pixelsOf(images[1], width, height) : null;
      this.player.go(this.player.at);
    });
  }

  generation(index) {
    const sent = this.generations[index];
    if (!this.known.has(sent.evaluations)) this.known.set(sent.evaluations, decoded(sent, this.shape));
    return this.known.get(sent.evaluations);
  }

  caption(index) {
    const { number, evaluations } = this.generations[index];
    return `Generation ${number} of ${this.data.last} · ${evaluations.toLocaleString("en")} evaluations`;
  }

  show(index) {
    const now = this.generation(index);
    if (this.chosen === null || this.chosen >= now.individuals) this.chosen = now.best;
    this.showPopulation(now);
    this.showTrial(now, this.chosen);
    this.showJudged(now);
    this.charts.mark(now.evaluations);
  }

  // The population

  showPopulation(now) {
    while (this.masks.length < now.individuals) this.addMask(this.masks.length);
    this.masks.splice(now.individuals).forEach((mask) => mask.button.remove());
    const limits = [now.low, now.high];
    this.masks.forEach((mask, i) => {
      const canvas = mask.tile.canvas;
      const regions = this.as === "region" && this.small ? this.drawRegions(canvas, now.population[i]) : "";
      if (this.as === "mask" && this.small) this.drawMask(canvas, now.population[i], now);
      else if (!regions) colourGrid(canvas, now.population[i], this.shape, limits, this.tables.map, false);
      const facts = [`Individual ${i + 1}, fitness ${fixed(now.fitness[i])}`];
      if (regions) facts.push(`${regions} of the image kept`);
      if (i === now.best) facts.push("the fittest");
      if (now.accepted[i]) facts.push("new in this generation");
      mask.tile.say(regions ? `${fixed(now.fitness[i], 2)} · ${regions}` : fixed(now.fitness[i], 2), facts.join(", "));
      mask.button.setAttribute("aria-label", facts.join(", "));
      mask.button.setAttribute("aria-pressed", i === this.chosen);
      mask.button.classList.toggle("best", i === now.best);
      mask.button.classList.toggle("new", Boolean(now.accepted[i]));
    });
  }

  addMask(i) {
    const tile = new Tile("mask");
    const button = make("button", "choose", { type: "button" }, tile.node);
    button.addEventListener("click", () => ((this.chosen = i), this.player.pause(), this.player.go(this.player.at)));
    this.masks.push({ tile, button });
    this.grid.append(button);
  }

  drawMask(canvas, values, now) {
    Object.assign(canvas, { width: this.reading.shape[1], height: this.reading.shape[0] });
    const field = this.reading.thumbnail(values, this.shape);
    const ranked = now.asked.every(({ share }) => share > 0);
    const visible = visibility(field, Float32Array.from(field).sort(), ranked ? SHOWN_SHARE : 0, true);
    blend(canvas, this.small, GREY, visible);
  }

  /** Outlines of what an individual keeps, on the picture; how many connected regions that is, in words. */
  drawRegions(canvas, values) {
    const [height, width] = this.data.size;
    Object.assign(canvas, { width, height });
    const field = this.reading.thumbnail(values, this.shape);
    const visible = visibility(field, Float32Array.from(field).sort(), this.share.value / 100, true);
    outlined(canvas, this.image, visible, this.reading.shape);
    const { count } = regionsOf(visible, this.reading.shape[1]);
    return `${count} region${count === 1 ? "" : "s"}`;
  }

  // One trial

  showTrial(now, i) {
    const heading = this.trial.querySelector("h2");
    heading.textContent = `Trial vector of individual ${i + 1}`;
    const help = this.trial.querySelector("header p");
    if (!now.trials) {
      help.textContent = "A first generation has no trials: it is only evaluated. The next one challenges it.";
      return this.makings.replaceChildren();
    }
    help.textContent = now.recipe.length
      ? "Mutation moves a base by F times differences between others; crossover mixes the mutant into the target; the fitter of trial and target stays."
      : "This control draws every trial anew from the first guess, without parents; the fitter of trial and target stays.";
    const rows = now.recipe.length ? [this.mutation(now, i), this.crossover(now, i)] : [this.crossover(now, i)];
    return this.makings.replaceChildren(...rows);
  }

  mutation(now, i) {
    const taken = now.recipe.map((role, at) => ({ role, index: now.parents[at][i], values: now.pool[now.parents[at][i]] }));
    const named = ({ role, index }) => (index < now.individuals ? `${ROLES[role] ?? role} ${index + 1}` : `${ROLES[role] ?? role} (archive)`);
    const whole = new Float32Array(taken[0].values.length);
    const pairs = [];
    for (let at = 1; at < taken.length; at += 2) {
      const difference = taken[at].values.map((value, j) => value - taken[at + 1].values[j]);
      difference.forEach((value, j) => (whole[j] += value));
      pairs.push({ title: `${named(taken[at])} − ${named(taken[at + 1])}`, difference });
    }
    const most = Math.max(1e-9, ...pairs.flatMap(({ difference }) => Array.from(difference, Math.abs)));
    const row = make("div", "making", { role: "group", "aria-label": "Mutation" });
    row.append(this.gridTile(taken[0].values, now, `Base: ${named(taken[0])}`));
    pairs.forEach(({ title, difference }, at) => {
      row.append(this.sign(at ? "+" : `+ F ${fixed(now.weights[i], 2)} ×${pairs.length > 1 ? " (" : ""}`));
      const tile = new Tile();
      colourGrid(tile.canvas, difference, this.shape, [-most, most], this.tables.difference, true);
      tile.say(title, `Difference ${title}: blue below zero, orange above`);
      row.append(tile.node);
    });
    row.append(this.sign(`${pairs.length > 1 ? ") " : ""}=`), this.gridTile(now.mutants[i], now, "Mutant"));
    const off = taken[0].values.reduce((count, value, j) => count + (Math.abs(value + now.weights[i] * whole[j] - now.mutants[i][j]) > 0.01 * (now.high - now.low)), 0);
    if (off) row.append(make("p", "soft", {}, `${off} of ${whole.length} cells had left the bounds and were put back.`));
    return row;
  }

  crossover(now, i) {
    const row = make("div", "making", { role: "group", "aria-label": "Crossover and selection" });
    const kept = Boolean(now.accepted[i]);
    row.append(this.gridTile(now.targets[i], now, `Target ${i + 1} · ${fixed(now.before[i])}`));
    const mixed = now.crossed[i].reduce((sum, taken) => sum + taken, 0);
    const bred = now.recipe.length > 0;
    row.append(this.sign(bred ? `× CR ${fixed(now.rates[i], 2)} →` : "against"));
    const trial = new Tile();
    if (bred) colourCrossed(trial.canvas, now.made[i], this.shape, [now.low, now.high], this.tables.map, now.crossed[i]);
    else colourGrid(trial.canvas, now.made[i], this.shape, [now.low, now.high], this.tables.map, false);
    trial.say(`Trial · ${fixed(now.after[i])}`, bred ? `Trial, fitness ${fixed(now.after[i])}: the ${mixed} outlined cells are the mutant's` : `Trial, fitness ${fixed(now.after[i])}`);
    const gain = now.after[i] - now.before[i];
    const facts = [
      ["F", fixed(now.weights[i], 3)], ["CR", fixed(now.rates[i], 3)], ["From the mutant", `${mixed} of ${now.crossed[i].length} cells`],
    ].slice(bred ? 0 : 3);
    facts.push(["Fitness of target", fixed(now.before[i])], ["Fitness of trial", fixed(now.after[i])]);
    const table = make("dl", "facts", {}, ...facts.flatMap(([name, value]) => [make("dt", "", {}, name), make("dd", "", {}, value)]));
    const verdict = make("b", kept ? "kept" : "dropped", {}, kept ? `Kept: ${gain >= 0 ? "+" : ""}${fixed(gain)}` : `Not kept: ${fixed(gain)}`);
    row.append(trial.node, make("div", "outcome", {}, verdict, table));
    return row;
  }

  gridTile(values, now, caption) {
    const tile = new Tile();
    colourGrid(tile.canvas, values, this.shape, [now.low, now.high], this.tables.map, false);
    tile.say(caption);
    return tile.node;
  }

  sign(text) {
    return make("span", "sign", {}, text);
  }

  // What the fittest was judged by

  showJudged(now) {
    const { label, probability, size, map, finished, certainty } = this.data;
    this.mapped.hidden = !map || Boolean(certainty); // shown above then
    if (map && this.mapSource !== map) Object.assign(this.map, { src: address(map), alt: finished ? "Finished map" : "Map so far" });
    this.mapSource = map;
    this.mapped.lastChild.textContent = finished ? "Finished map" : "Map so far";
    this.judged.hidden = !now.asked.length;
    this.judged.querySelector("header p").textContent =
      `Individual ${now.best + 1}: the images that the model saw and its probability of ${label || "the target"}` +
      (probability === null ? "." : `, which is ${fixed(probability, 2)} for the whole image.`) +
      (now.asked.every(({ share }) => share > 0) ? " The individual's fitness is not the sum of these answers. It is predicted from all answers so far, for ten shares kept and ten removed." : "") +
      (this.data.filling ? "" : " The model's weights are not here, so hidden pixels are grey instead.");
    while (this.asked.length < now.asked.length) this.addAsked();
    this.asked.splice(now.asked.length).forEach(({ tile }) => tile.node.remove());
    if (!this.picture) return;
    const [height, width] = size;
    const field = this.reading.field(now.population[now.best], this.shape);
    const ascending = now.asked.some(({ share }) => share > 0) ? Float32Array.from(field).sort() : null;
    now.asked.forEach(({ keeps, share, probability: answer }, i) => {
      const { tile, bar, value } = this.asked[i];
      if (tile.canvas.width !== width || tile.canvas.height !== height) Object.assign(tile.canvas, { width, height });
      blend(tile.canvas, this.picture, this.filling ?? GREY, visibility(field, ascending, share, keeps));
      const first = share > 0 ? `Top ${Math.round(100 * share)} %` : "Mask";
      tile.say(`${first} ${keeps ? "kept" : "removed"}`, `${first} ${keeps ? "kept" : "removed"}: probability ${fixed(answer)}`);
      bar.style.width = `${100 * answer}%`;
      value.textContent = fixed(answer, 2);
    });
  }

  // How sure the map is

  showCertainty({ certainty, map }) {
    this.certainty.hidden = !certainty;
    const source = certainty && `${map}\n${certainty.picture}`;
    if (!certainty || source === this.certainSource) return;
    this.certainSource = source;
    const figure = (picture, caption) => make("figure", "tile", {}, make("img", "", { src: address(picture), alt: caption }), make("figcaption", "", {}, caption));
    const notes = certainty.notes.map((note) => make("p", "", {}, note));
    this.certain.replaceChildren(figure(map, "Finished map"), figure(certainty.picture, certainty.caption), make("div", "notes", {}, ...notes));
  }

  addAsked() {
    const tile = new Tile();
    const [bar, value] = [make("i", ""), make("span", "")];
    tile.node.append(make("div", "bar", {}, bar, value));
    this.asked.push({ tile, bar, value });
    this.pictures.append(tile.node);
  }

  // Curves

  pick(place) {
    const far = ({ evaluations }) => Math.abs(evaluations - place);
    const nearest = this.generations.reduce((best, each, i) => (far(each) < far(this.generations[best]) ? i : best), 0);
    this.player.pause();
    this.player.go(nearest);
  }

  attach() {
    this.sizes.observe(this.charts.node);
  }

  release() {
    this.player.pause();
    this.sizes.disconnect();
  }
}

export default mounted(Search);
