// Curves that grow while a search runs, beside the best mask and the map so far; the charts are those of chart.js.

const boards = new WeakMap();

class Board {
  constructor(parent) {
    this.charts = make("div", "charts");
    this.pictures = make("div", "pictures");
    this.words = make("p", "words");
    this.node = make("div", "decam-live", {}, this.charts, this.words, this.pictures);
    this.parts = [];
    this.width = 0;
    this.sizes = new ResizeObserver(() => this.measure());
    parent.append(this.node);
    const place = parent.host?.closest('[data-testid="stElementContainer"]');
    place?.style.setProperty("opacity", "1", "important");
  }

  measure() {
    const width = this.parts[0]?.canvas.clientWidth ?? 0;
    if (width === this.width) return;
    this.width = width;
    this.parts.forEach((part) => part.draw());
  }

  update({ groups, places, limits, pictures, words }) {
    const style = getComputedStyle(this.node);
    this.ink = style.getPropertyValue("--axis");
    this.line = style.getPropertyValue("--grid");
    this.font = `12px ${style.fontFamily}`;
    this.words.hidden = !words;
    if (this.words.textContent !== words) this.words.textContent = words;
    fitCharts(this, this.charts, groups.length);
    if (!this.width) this.measure();
    groups.forEach((group, i) => this.parts[i].update(group, places, limits));
    this.show(pictures);
  }

  show(pictures) {
    while (this.pictures.children.length < pictures.length) {
      this.pictures.append(make("figure", "", {}, make("img", ""), make("figcaption", "")));
    }
    while (this.pictures.children.length > pictures.length) this.pictures.lastChild.remove();
    pictures.forEach(({ title, source }, i) => {
      const [image, caption] = this.pictures.children[i].children;
      if (image.src !== source) Object.assign(image, { src: source, alt: title });
      if (caption.textContent !== title) caption.textContent = title;
    });
  }
}

export default function (component) {
  const { parentElement, data } = component;
  if (!boards.has(parentElement)) boards.set(parentElement, new Board(parentElement));
  const board = boards.get(parentElement);
  const turn = (board.turn = {});
  board.update(data);
  board.sizes.observe(board.charts);
  return () => {
    if (board.turn === turn) board.sizes.disconnect();
  };
}
