// A page that only remembers what is done to it: elements for tests of scripts, which Node runs without a browser.

const nothing = new Proxy({}, { get: () => () => ({ data: [] }), set: () => true });

export class FakeElement {
  constructor() {
    Object.assign(this, { attributes: {}, listeners: {}, children: [], style: {}, textContent: "", clientWidth: 0 });
    this.classList = { toggle() {}, add() {}, remove() {}, contains: () => false };
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
  }

  addEventListener(name, act) {
    this.listeners[name] = act;
  }

  append(...children) {
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }

  matches() {
    return false;
  }

  getContext() {
    return nothing;
  }
}

globalThis.document = { createElement: () => new FakeElement(), createElementNS: () => new FakeElement() };
globalThis.devicePixelRatio = 1;
globalThis.ResizeObserver = class {
  observe() {}

  disconnect() {}
};
globalThis.getComputedStyle = () => ({ getPropertyValue: () => "", fontFamily: "" });
