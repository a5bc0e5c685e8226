// Evolution on a landscape as a Streamlit component: the population over contours, and how one trial was made.

import { Charts } from "../charts/chart.js";
import { loadImage, minus } from "../grid/grid_draw.js";
import { make, mounted } from "../shared/component.js";
import { Latest } from "../shared/latest.js";
import { Player } from "./player.js";
import { decoded } from "./search_draw.js";

const RADIUS = 4.5;
const minusSign = (value, digits = 3) => (value === null ? "–" : minus(Math.abs(value) < 1e-3 && value !== 0 ? value.toExponential(1) : value.toFixed(digits)));

class Walk {
  constructor() {
    this.known = new Map();
    this.images = new Latest();
    this.chosen = null;
    this.player = new Player((i) => this.show(i), (i) => this.caption(i));
    this.canvas = make("canvas", "relief", { role: "img", tabindex: 0, "aria-label": "Population over the landscape" });
    this.canvas.addEventListener("click", (event) => this.choose(event));
    this.legend = make("div", "signs", {}, ...[["target", "Target"], ["difference", "F × difference"], ["mutant", "Mutant"], ["trial", "Trial"], ["least", "Known minimum"]].map(([name, title]) => make("span", name, {}, make("i", ""), title)));
    this.words = make("p", "told", { "aria-live": "polite" });
    this.charts = new Charts((place) => this.pick(place));
    const side = make("div", "side", {}, this.words, this.charts.node);
    const seen = make("div", "seen", {}, this.canvas, this.legend);
    this.node = make("div", "decam decam-walk", {}, this.player.node, make("div", "both", {}, seen, side));
    this.sizes = new ResizeObserver(() => this.measure());
  }

  update(data) {
    const fresh = data.key !== this.data?.key;
    this.data = data;
    this.generations = data.generations;
    if (fresh) {
      this.known.clear();
      this.player.pause();
      Object.assign(this.player, { count: 0, at: 0 });
      this.chosen = null;
    }
    this.load(data.picture);
    this.charts.update(data.charts);
    const at = this.player.at;
    this.player.setCount(this.generations.length, at);
    if (fresh) this.player.go(0);
  }

  load(url) {
    this.images.fetch(url, () => loadImage(url), (image) => {
      this.picture = image;
      this.player.go(this.player.at);
    });
  }

  generation(i) {
    if (!this.known.has(i)) this.known.set(i, decoded(this.generations[i], [1, 2]));
    return this.known.get(i);
  }

  caption(i) {
    const { number, evaluations, reached } = this.generations[i];
    return `Generation ${number} of ${this.generations.length} · ${evaluations.toLocaleString("en")} evaluations · lowest ${minusSign(reached)}`;
  }

  /** @returns {[number, number]} */
  place(/** @type {number[]} */ [x, y]) {
    const [low, high] = this.data.limits;
    const scale = this.canvas.clientWidth / (high - low);
    return [(x - low) * scale, (high - y) * scale];
  }

  show(i) {
    const now = this.generation(i);
    if (this.chosen !== null && this.chosen >= now.individuals) this.chosen = null;
    this.draw(now);
    this.charts.mark(now.evaluations);
  }

  draw(now) {
    const width = this.canvas.clientWidth;
    if (!width) return;
    const ratio = devicePixelRatio;
    const side = Math.round(width * ratio);
    if (this.canvas.width !== side) Object.assign(this.canvas, { width: side, height: side });
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, width);
    if (this.picture) context.drawImage(this.picture, 0, 0, width, width);
    for (const place of this.data.minimisers) this.cross(context, this.place(place));
    const moved = now.trials ? now.targets.map((target, i) => [target, now.population[i], now.accepted[i]]).filter(([, , yes]) => yes) : [];
    for (const [from, to] of moved) this.segment(context, this.place(from), this.place(to), "rgba(255, 255, 255, 0.75)", 1.25);
    now.population.forEach((point, i) => this.dot(context, this.place(point), i === now.best ? "#fff" : "#ffb000", i === now.best ? RADIUS + 2 : RADIUS));
    if (this.chosen !== null) this.making(context, now, this.chosen);
    this.tell(now);
  }

  /** Base, difference, mutant and trial of one individual, as arrows. */
  making(context, now, i) {
    this.ring(context, this.place(now.targets[i]), "#fff", RADIUS + 4);
    if (!now.trials) return;
    const taken = now.parents.map((row) => now.pool[row[i]]);
    const base = taken[0];
    let from = base;
    for (let at = 1; at < taken.length; at += 2) {
      const step = [0, 1].map((axis) => now.weights[i] * (taken[at][axis] - taken[at + 1][axis]));
      this.segment(context, this.place(taken[at + 1]), this.place(taken[at]), "#ff6a3d", 1.5, [4, 4]);
      const to = [from[0] + step[0], from[1] + step[1]];
      this.arrow(context, this.place(from), this.place(to), "#ff6a3d");
      from = to;
    }
    this.square(context, this.place(now.mutants[i]), "#ff6a3d");
    this.arrow(context, this.place(now.targets[i]), this.place(now.made[i]), now.accepted[i] ? "#5cf0b0" : "#111");
    this.square(context, this.place(now.made[i]), now.accepted[i] ? "#5cf0b0" : "#111");
  }

  tell(now) {
    if (this.chosen === null) {
      this.words.textContent = "The white point is the best; white lines are moves of this generation. Choose a point to see how its trial was made: the difference of others, scaled by F, added to a base; then crossover with the target.";
      return;
    }
    const i = this.chosen;
    if (!now.trials) {
      this.words.textContent = `Individual ${i + 1}: value ${minusSign(-now.before[i])}. A first generation has no trials.`;
      return;
    }
    const fates = now.accepted[i] ? "kept" : "not kept";
    this.words.textContent = `Individual ${i + 1}: F ${minusSign(now.weights[i], 2)}, CR ${minusSign(now.rates[i], 2)}; target at ${minusSign(-now.before[i])}, trial at ${minusSign(-now.after[i])}: ${fates}. Choose it again to let go.`;
  }

  dot(context, [x, y], colour, radius) {
    Object.assign(context, { fillStyle: colour, strokeStyle: "#111", lineWidth: 1.25 });
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fill();
    context.stroke();
  }

  ring(context, [x, y], colour, radius) {
    for (const [style, width] of [["#111", 4], [colour, 2]]) {
      Object.assign(context, { strokeStyle: style, lineWidth: width });
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.stroke();
    }
  }

  square(context, [x, y], colour) {
    Object.assign(context, { fillStyle: colour, strokeStyle: "#fff", lineWidth: 1 });
    context.fillRect(x - 4, y - 4, 8, 8);
    context.strokeRect(x - 4, y - 4, 8, 8);
  }

  cross(context, [x, y]) {
    for (const [style, width] of [["#111", 4], ["#fff", 1.5]]) {
      Object.assign(context, { strokeStyle: style, lineWidth: width });
      context.beginPath();
      for (const way of [-1, 1]) {
        context.moveTo(x - 6, y - 6 * way);
        context.lineTo(x + 6, y + 6 * way);
      }
      context.stroke();
    }
  }

  segment(context, from, to, colour, width, dash = []) {
    Object.assign(context, { strokeStyle: colour, lineWidth: width });
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
    context.setLineDash([]);
  }

  arrow(context, from, to, colour) {
    this.segment(context, from, to, "rgba(255, 255, 255, 0.9)", 4.5);
    this.segment(context, from, to, colour, 2.25);
  }

  choose(event) {
    const now = this.generation(this.player.at);
    const far = now.population.map((point) => Math.hypot(this.place(point)[0] - event.offsetX, this.place(point)[1] - event.offsetY));
    const nearest = far.reduce((best, each, i) => (each < far[best] ? i : best), 0);
    this.chosen = far[nearest] > 30 || this.chosen === nearest ? null : nearest;
    this.player.pause();
    this.player.go(this.player.at);
  }

  pick(place) {
    const at = this.generations.findIndex(({ evaluations }) => evaluations >= place);
    this.player.pause();
    this.player.go(at < 0 ? this.generations.length - 1 : at);
  }

  measure() {
    this.charts.measure();
    if (this.player.count) this.draw(this.generation(this.player.at));
  }

  attach() {
    this.sizes.observe(this.charts.node);
    this.sizes.observe(this.canvas);
  }

  release() {
    this.player.pause();
    this.sizes.disconnect();
  }
}

export default mounted(Walk);
