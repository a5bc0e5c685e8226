// Curves that grow while a search runs, beside the best mask and the map so far; the charts are those of chart.js.

class Live {
  constructor() {
    this.charts = new Charts();
    this.pictures = make("div", "pictures");
    this.words = make("p", "words");
    this.node = make("div", "decam decam-live", {}, this.charts.node, this.words, this.pictures);
    this.sizes = new ResizeObserver(() => this.charts.measure());
  }

  update({ pictures, words, ...charts }) {
    this.words.hidden = !words;
    say(this.words, words);
    this.charts.update(charts);
    this.show(pictures);
  }

  show(pictures) {
    while (this.pictures.children.length < pictures.length) {
      this.pictures.append(make("figure", "", {}, make("img"), make("figcaption")));
    }
    while (this.pictures.children.length > pictures.length) this.pictures.lastChild.remove();
    pictures.forEach(({ title, source }, i) => {
      const [image, caption] = this.pictures.children[i].children;
      if (image.src !== source) Object.assign(image, { src: source, alt: title });
      say(caption, title);
    });
  }

  attach() {
    this.sizes.observe(this.charts.node);
  }

  release() {
    this.sizes.disconnect();
  }
}

export default mounted(Live);
