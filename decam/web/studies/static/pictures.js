// Pictures: loaded and decoded before the screen that shows them, and asked for again where the network loses them.

import { make, wait } from "./dom.js";

const PAUSES = [300, 1000, 3000, 10000]; // ms before a picture is asked for again; the last one for ever

export class Pictures {
  /** @param {string} folder the address under which pictures are, with a slash at its end */
  constructor(folder) {
    this.folder = folder;
    this.kept = new Map();
    this.lost = () => {};
  }

  address(image) {
    return `${this.folder}${image}.png`;
  }

  /** A picture's element; its size on the screen follows from the style sheet alone. */
  draw({ image, width, height, alternative }) {
    const node = /** @type {HTMLImageElement} */ (make("img", "", { alt: alternative, width, height, draggable: "false" }));
    node.style.setProperty("--w", String(width));
    node.style.setProperty("--h", String(height));
    node.src = this.address(image);
    return node;
  }

  /** Wait until pictures can be painted, however often they have to be asked for, as long as they are wanted. */
  async ready(nodes, wanted = () => true) {
    await Promise.all(Array.from(nodes, (node) => this.decoded(node, wanted)));
  }

  async decoded(node, wanted) {
    for (let times = 0; ; times += 1) {
      try {
        await node.decode();
        return;
      } catch {
        if (!wanted()) return;
        this.lost();
        await wait(PAUSES[Math.min(times, PAUSES.length - 1)]);
        node.src = `${node.src.split("?")[0]}?again=${times + 1}`;
      }
    }
  }

  /** Have the pictures of a later screen loaded meanwhile. */
  prefetch(step) {
    for (const { image } of picturesOf(step)) {
      if (this.kept.has(image)) continue;
      const node = new Image();
      node.src = this.address(image);
      this.kept.set(image, node);
    }
  }
}

/** How wide pictures are at most beside each other, for the row that holds them. */
export function measure(row, pictures) {
  row.style.setProperty("--count", String(pictures.length));
  row.classList.toggle("pair", pictures.length === 2);
  row.style.setProperty("--wide", String(Math.max(...pictures.map(({ width }) => width))));
}

/** All pictures of a step. */
export function picturesOf(step) {
  return step.elements.flatMap(({ shown = [], options = [], picture }) => [
    ...shown,
    ...options.flatMap((option) => option.picture ?? []),
    ...(picture ? [picture] : []),
  ]);
}
