// Charts of curves over evaluations, drawn on canvases in a moment: for a search that runs, and for one played back.

import { make, say } from "../shared/component.js";

const HEIGHT = 176;
const MARGIN = { left: 46, right: 10, top: 8, bottom: 24 };
const DASHES = [[], [7, 4], [2, 3]];
const STYLES = ["solid", "dashed", "dotted"]; // colour alone never tells two lines apart

/** Round values between two limits, about as many as asked for. */
export function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough * 0.999) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

/** The limits of some values, never empty. */
export function reach(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  const room = high - low || Math.abs(high) || 1;
  return [low - 0.04 * room, high + 0.04 * room];
}

const NUMBERS = new Intl.NumberFormat("en", { maximumFractionDigits: 6 }); // dear to make, and each chart writes a dozen

export const short = (value) => NUMBERS.format(Number(value.toPrecision(3)));

/** A count with all its digits. */
const whole = (value) => NUMBERS.format(value);

/** A share in per cent: a small one has more places, never a power of ten. */
export const percent = (value) => `${short(100 * value)} %`;

class Chart {
  /** @type {(value: number) => string} */
  text = short;

  constructor(board) {
    this.board = board;
    this.title = make("b");
    this.legend = make("span", "legend");
    this.canvas = make("canvas", "", { role: "img" });
    this.node = make("figure", "chart", {}, make("figcaption", "", {}, this.title, this.legend), this.canvas);
    this.canvas.addEventListener("pointermove", (event) => this.point(event.offsetX));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    if (!board.pick) return;
    this.canvas.style.cursor = "pointer";
    this.canvas.addEventListener("click", (event) => board.pick(this.places[this.near(event.offsetX)]));
  }

  update({ title, help, series, share }, places, limits) {
    this.series = series;
    this.text = share ? percent : short;
    this.places = places;
    this.limits = limits;
    say(this.title, title);
    this.node.title = help;
    this.draw();
  }

  point(place) {
    this.pointed = place;
    this.draw();
  }

  x(value) {
    const [left, right] = this.limits;
    return MARGIN.left + ((value - left) / (right - left || 1)) * (this.board.width - MARGIN.left - MARGIN.right);
  }

  /** The generation next to a place on the canvas. */
  near(place) {
    const far = (i) => Math.abs(this.x(this.places[i]) - place);
    return this.places.reduce((best, _, i) => (far(i) < far(best) ? i : best), 0);
  }

  /** Where the pointer is, else the place that is marked, else the last one. */
  index() {
    if (this.pointed !== null && this.pointed !== undefined) return this.near(this.pointed);
    const marked = this.places.indexOf(this.board.at);
    return marked < 0 ? this.places.length - 1 : marked;
  }

  draw() {
    const width = this.board.width;
    if (!width || !this.series) return;
    const ratio = devicePixelRatio;
    const [wide, high] = [Math.round(width * ratio), Math.round(HEIGHT * ratio)];
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    const [left, right] = this.limits;
    const [low, top] = reach(this.series.flatMap(({ values }) => values));
    const x = (value) => this.x(value);
    const y = (value) => HEIGHT - MARGIN.bottom - ((value - low) / (top - low)) * (HEIGHT - MARGIN.bottom - MARGIN.top);
    this.axes(context, width, [left, right], [low, top], x, y);
    this.stop(context, x);
    this.series.forEach(({ colour, values }, i) => this.line(context, colour, DASHES[i % 3], values, x, y));
    this.readout(context, x, y);
  }

  axes(context, width, across, up, x, y) {
    const { ink, line, font } = this.board;
    Object.assign(context, { font, fillStyle: ink, strokeStyle: line, lineWidth: 1, textBaseline: "middle", textAlign: "right" });
    context.beginPath();
    for (const value of ticks(...up, 4)) {
      const place = Math.round(y(value)) + 0.5;
      context.moveTo(MARGIN.left, place);
      context.lineTo(width - MARGIN.right, place);
      context.fillText(this.text(value), MARGIN.left - 7, place);
    }
    context.stroke();
    Object.assign(context, { textBaseline: "alphabetic", textAlign: "center" });
    for (const value of ticks(...across, Math.max(2, Math.floor(width / 90)))) {
      context.fillText(short(value), Math.min(x(value), width - MARGIN.right - 12), HEIGHT - 6);
    }
  }

  /** A dashed upright line where the search could have stopped. */
  stop(context, x) {
    if (this.board.stop === null) return;
    const place = Math.round(x(this.board.stop)) + 0.5;
    Object.assign(context, { strokeStyle: this.board.ink, lineWidth: 1.5 });
    context.setLineDash([6, 4]);
    context.beginPath();
    context.moveTo(place, MARGIN.top);
    context.lineTo(place, HEIGHT - MARGIN.bottom);
    context.stroke();
    context.setLineDash([]);
  }

  line(context, colour, dash, values, x, y) {
    Object.assign(context, { strokeStyle: colour, fillStyle: colour, lineWidth: 2, lineJoin: "round" });
    context.setLineDash(dash);
    context.beginPath();
    values.forEach((value, i) => value !== null && context.lineTo(x(this.places[i]), y(value)));
    context.stroke();
    context.setLineDash([]);
    if (values.length === 1 && values[0] !== null) {
      context.beginPath();
      context.arc(x(this.places[0]), y(values[0]), 2.5, 0, 7);
      context.fill();
    }
  }

  /** The values under the pointer, or the newest, in the legend. */
  readout(context, x, y) {
    const at = this.index();
    const texts = this.series.map(({ title, values }) => `${title} ${values[at] === null ? "–" : this.text(values[at])}`);
    const stop = this.board.stop === null ? "" : `; could have stopped at ${whole(this.board.stop)}`;
    const label = `${texts.join(", ")} at ${whole(this.places[at])} evaluations${stop}`;
    this.canvas.setAttribute("aria-label", label);
    if (this.legend.children.length !== this.series.length) {
      this.legend.replaceChildren(...this.series.map(() => make("span", "", {}, make("i"), make("span"))));
    }
    this.series.forEach(({ colour }, i) => {
      const [swatch, text] = this.legend.children[i].children;
      swatch.style.borderTop = `3px ${STYLES[i % 3]} ${colour}`;
      say(text, texts[i]);
    });
    if ((this.pointed === null || this.pointed === undefined) && this.board.at === undefined) return;
    const place = Math.round(x(this.places[at])) + 0.5;
    Object.assign(context, { strokeStyle: this.board.ink, lineWidth: 1 });
    context.beginPath();
    context.moveTo(place, MARGIN.top);
    context.lineTo(place, HEIGHT - MARGIN.bottom);
    context.stroke();
    for (const { colour, values } of this.series) {
      if (values[at] === null) continue;
      context.fillStyle = colour;
      context.beginPath();
      context.arc(place, y(values[at]), 3.5, 0, 7);
      context.fill();
    }
  }
}

/** Charts over the same evaluations, one below or beside the other; those that are there go on with new data. */
export class Charts {
  /**
   * Who asks to `pick` hears the evaluations that are clicked, and marks where it is itself.
   * @param {((evaluations: number) => void) | null} pick
   */
  constructor(pick = null) {
    this.pick = pick;
    this.parts = [];
    this.width = 0;
    /** @type {number | null} */
    this.stop = null;
    this.node = make("div", "charts");
  }

  /** What the page drew: its colours and its width may be others. */
  update(data) {
    this.restyle();
    this.advance(data);
    this.measure();
  }

  restyle() {
    const style = getComputedStyle(this.node);
    this.ink = style.getPropertyValue("--soft");
    this.line = style.getPropertyValue("--line");
    this.font = `13px ${style.fontFamily}`;
  }

  /** The same charts with more in them: nothing of the page is asked for, which would be laid out anew for that. */
  advance({ groups, places, limits, stop = null }) {
    this.stop = stop;
    const before = this.parts.length;
    while (this.parts.length < groups.length) {
      this.parts.push(new Chart(this));
      this.node.append(this.parts.at(-1).node);
    }
    this.parts.splice(groups.length).forEach((chart) => chart.node.remove());
    if (this.parts.length !== before) this.measure();
    groups.forEach((group, i) => this.parts[i].update(group, places, limits));
  }

  measure() {
    const width = this.parts[0]?.canvas.clientWidth ?? 0;
    if (width === this.width) return;
    this.width = width;
    this.draw();
  }

  mark(at) {
    this.at = at;
    this.draw();
  }

  draw() {
    this.parts.forEach((chart) => chart.draw());
  }
}
