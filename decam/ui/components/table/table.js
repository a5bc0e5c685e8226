// A table of values: a click on a head sorts by it, a bar stands for each value, the best of each group is marked.

import { scoreText } from "../grid/grid_draw.js";
import { make, mounted } from "../shared/component.js";

const BETTER = { 1: "↑", "-1": "↓", 0: "" };
const SCORE = 3; // digits of a column of metrics
const LONG = 18; // characters of a title that gets room for two or three words a line
const SAYS = { 1: "Higher is better.", "-1": "Lower is better.", 0: "" };

/** What a column's head says when pointed at; most metrics say themselves which way is better. */
function headHelp({ help, direction }) {
  return [help, help.includes("is better") ? "" : SAYS[direction]].filter(Boolean).join(" ");
}

class Table {
  constructor() {
    this.by = null;
    this.down = false;
    this.json = "";
    this.head = make("thead");
    this.body = make("tbody");
    this.table = make("table", "", {}, this.head, this.body);
    this.node = make("div", "decam decam-table", {}, make("div", "side", { tabindex: 0 }, this.table));
  }

  update(data) {
    const json = JSON.stringify(data);
    if (json === this.json) return;
    this.json = json;
    this.data = data;
    this.table.setAttribute("aria-label", data.title);
    if (this.by !== null && this.by >= data.words.length + data.columns.length) this.by = null;
    this.draw();
  }

  draw() {
    const { words, columns } = this.data;
    const families = columns.map(({ family }) => family);
    const groups = make("tr", "", {}, ...words.map((_, i) => make("td", i === this.held() ? "stays" : "")));
    families.forEach((family, i) => {
      if (family === families[i - 1]) return;
      const span = families.slice(i).findIndex((other) => other !== family);
      groups.append(make("th", "", { colspan: span < 0 ? families.length - i : span, scope: "colgroup" }, make("div", "family", {}, family)));
    });
    const heads = [...words.map((title, i) => this.heading(i, title, "", "")), ...columns.map((column, i) =>
      this.heading(words.length + i, `${column.title} ${BETTER[column.direction]}`, column.detail, headHelp(column), true))];
    this.head.replaceChildren(...(families.some(Boolean) ? [groups] : []), make("tr", "", {}, ...heads));
    this.head.lastChild.style.setProperty("--top", `${this.head.children.length > 1 ? 22 : 0}px`);
    this.body.replaceChildren(...this.ordered().map((row, i, all) => this.row(row, this.by === null && i > 0 && row.group !== all[i - 1].group)));
  }

  /** The column of words that stays in sight: the last one, which says the method. */
  held() {
    return this.data.words.length - 1;
  }

  heading(place, title, detail, help, number = false) {
    const sorted = this.by === place;
    const mark = sorted ? make("span", "sorted", { "aria-hidden": "true" }, this.down ? " ▾" : " ▴") : "";
    const button = make("button", "", { type: "button", title: [help, "Click to sort."].filter(Boolean).join(" ") },
      make("span", title.length > LONG ? "name long" : "name", {}, title.trim()), mark, ...(number ? [make("span", "more", {}, detail || "")] : []));
    button.addEventListener("click", () => this.sort(place));
    const kind = number ? "number" : place === this.held() ? "stays" : "";
    return make("th", kind, { scope: "col", "aria-sort": sorted ? (this.down ? "descending" : "ascending") : "none" }, button);
  }

  /** First the best on top, then the worst, then the order in which they came. */
  sort(place) {
    const column = this.data.columns[place - this.data.words.length];
    const first = Boolean(column) && column.direction >= 0;
    if (this.by !== place) {
      this.by = place;
      this.down = first;
    }
    else if (this.down === first) this.down = !first;
    else this.by = null;
    this.draw();
  }

  ordered() {
    const { rows, words } = this.data;
    if (this.by === null) return rows;
    const value = (row) => (this.by < words.length ? row.words[this.by] : row.values[this.by - words.length]);
    const sign = this.down ? -1 : 1;
    const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b);
    return [...rows].sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === null || b === null) return Number(a === null) - Number(b === null);
      return sign * compare(a, b);
    });
  }

  row({ words, values, best, notes }, begins) {
    const cells = words.map((word, i) => make(i === this.held() ? "th" : "td", i === this.held() ? "stays" : "", i === this.held() ? { scope: "row", title: word } : { title: word }, make("div", "words", {}, word)));
    values.forEach((value, i) => {
      const column = this.data.columns[i];
      const cell = make("td", `number${best[i] ? " best" : ""}${notes[i] ? " noted" : ""}`, notes[i] ? { title: notes[i] } : best[i] ? { title: "The best value" } : {});
      if (value !== null && column.reach) {
        const bar = make("i");
        const [low, high] = column.reach;
        bar.style.setProperty("--share", high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0);
        cell.append(bar);
      }
      cell.append(make("span", "", {}, value === null ? "–" : this.text(value, column.digits)));
      cells.push(cell);
    });
    return make("tr", begins ? "begins" : "", {}, ...cells);
  }

  text(value, digits) {
    if (digits === SCORE && value !== 0 && Math.abs(value) < 0.01) return scoreText(value);
    const text = value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return text.replace(/^-/, "−");
  }

  attach() {}

  release() {}
}

export default mounted(Table);
