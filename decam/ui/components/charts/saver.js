// Saves a chart that stands on the page as SVG or PNG, as it looks there, on the page's own background.

import { draw, icon, make, mounted, say } from "../shared/component.js";

const ARROW = "M8 2v8m0 0 3-3m-3 3L5 7M3 13h10";
const SCALE = 3; // pixels of a PNG for each of the page: 96 dots an inch become 288

class Saver {
  constructor() {
    this.note = make("span", "note", { role: "status" });
    const kinds = /** @type {const} */ (["SVG", "PNG"]);
    this.buttons = kinds.map((kind) => {
      const button = make("button", "", { type: "button" }, icon(ARROW), make("span", "", {}, kind));
      button.addEventListener("click", () => this.save(kind));
      return button;
    });
    this.node = make("div", "decam decam-saver", {}, ...this.buttons, this.note);
  }

  update(data) {
    this.data = data;
    for (const button of this.buttons) button.setAttribute("aria-label", `Save ${data.title} as ${button.textContent}`);
  }

  /** @param {"SVG" | "PNG"} kind */
  async save(kind) {
    const chart = document.querySelector(`.st-key-${CSS.escape(this.data.chart)} .js-plotly-plot .svg-container`);
    if (!chart) {
      say(this.note, "The chart is not drawn yet; try again in a moment.");
      return;
    }
    say(this.note, "");
    try {
      const { text, width, height } = await whole(chart, this.background());
      const drawn = new Blob([text], { type: "image/svg+xml" });
      download(kind === "SVG" ? drawn : await png(drawn, width, height), `${this.data.name}.${kind.toLowerCase()}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      say(this.note, `The chart could not be saved (${why}); load the page again, then try once more.`);
    }
  }

  background() {
    return getComputedStyle(this.node).getPropertyValue("--st-background-color").trim() || "#ffffff";
  }

  attach() {}

  release() {}
}

/** All layers of a chart as one drawing that needs nothing else, its fonts included. */
async function whole(chart, background) {
  const { width, height } = chart.getBoundingClientRect();
  const [wide, high] = [Math.round(width), Math.round(height)];
  const paper = draw("rect", { width: wide, height: high, fill: background });
  const style = draw("style", {}, await fonts([...chart.querySelectorAll("text")]));
  const drawing = draw("svg", { width: wide, height: high, viewBox: `0 0 ${wide} ${high}` }, style, paper);
  for (const layer of chart.querySelectorAll("svg.main-svg")) {
    const copy = /** @type {SVGElement} */ (layer.cloneNode(true));
    copy.style.background = "";
    keepWidths(layer, copy);
    for (const unseen of copy.querySelectorAll(".cursor-crosshair, .drag, .hoverlayer")) unseen.remove();
    drawing.append(copy);
  }
  return { text: new XMLSerializer().serializeToString(drawing), width: wide, height: high };
}

/** A program that has no such font, and reads none out of a drawing, still gives each line the width it has here. */
function keepWidths(layer, copy) {
  const lines = (drawn) => /** @type {SVGTextElement[]} */ ([...drawn.querySelectorAll("text:not(:has(.line)), .line")]);
  const copies = lines(copy);
  lines(layer).forEach((line, place) => {
    const width = line.getComputedTextLength();
    if (width) copies[place].setAttribute("textLength", width.toFixed(1));
    copies[place].setAttribute("lengthAdjust", "spacingAndGlyphs");
  });
}

/** The rules of the page's own fonts that some texts are drawn in, the files inside them: a picture loads nothing. */
async function fonts(texts) {
  const used = new Set(texts.map((text) => face(getComputedStyle(text))));
  const sheets = [...document.styleSheets].filter((sheet) => !sheet.href || sheet.href.startsWith(location.origin));
  const rules = sheets.flatMap((sheet) => [...sheet.cssRules].map((rule) => ({ rule, sheet })));
  const wanted = rules.filter(({ rule }) => rule instanceof CSSFontFaceRule && used.has(face(rule.style)));
  return (await Promise.all(wanted.map(({ rule, sheet }) => embedded(rule, sheet.href ?? location.href)))).join("\n");
}

/** The first family of a style, and whether it is upright. */
function face({ fontFamily, fontStyle }) {
  return `${fontFamily.split(",")[0].replace(/["']/g, "").trim()} ${fontStyle}`;
}

/** A rule of a font with the bytes of its file in the place of the file's address. */
async function embedded(rule, base) {
  const [, file] = /url\("([^"]+)"\)/.exec(rule.cssText) ?? [];
  if (!file || file.startsWith("data:")) return rule.cssText;
  const answer = await fetch(new URL(file, base));
  if (!answer.ok) throw new Error(`the server does not give out the font ${file}`);
  return rule.cssText.replace(file, await dataUrl(await answer.blob()));
}

function dataUrl(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** A drawing as a PNG. */
async function png(blob, width, height) {
  const address = URL.createObjectURL(blob);
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", "", { width: SCALE * width, height: SCALE * height }));
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, "image/png"));
  } finally {
    URL.revokeObjectURL(address);
  }
}

function download(blob, name) {
  const link = make("a", "", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export default mounted(Saver);
