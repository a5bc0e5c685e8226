// What the browser keeps for one study: in local storage, or where it refuses, as long as the page is open.

export class Memory {
  /** @param {string} link the study's link */
  constructor(link) {
    this.prefix = `decam-study/${link}/`;
    this.store = storage(this.prefix);
    /** True where what is kept outlives the page. */
    this.lasting = this.store !== null;
    this.held = new Map();
  }

  get(name) {
    const written = this.held.get(name) ?? this.store?.getItem(this.prefix + name) ?? null;
    try {
      return written === null ? null : JSON.parse(written);
    } catch {
      return null; // written by somebody else: as good as nothing
    }
  }

  set(name, value) {
    const written = JSON.stringify(value);
    try {
      if (!this.store) throw new Error("nothing lasts here");
      this.store.setItem(this.prefix + name, written);
      this.held.delete(name);
    } catch {
      this.held.set(name, written);
      this.lasting = false;
    }
  }

  remove(name) {
    this.held.delete(name);
    this.store?.removeItem(this.prefix + name);
  }

  /** All names that begin so, in order. */
  names(start) {
    const stored = this.store ? Object.keys(this.store).filter((key) => key.startsWith(this.prefix)) : [];
    const names = [...stored.map((key) => key.slice(this.prefix.length)), ...this.held.keys()];
    return [...new Set(names)].filter((name) => name.startsWith(start)).sort();
  }

  clear() {
    for (const name of this.names("")) this.remove(name);
  }
}

/** Local storage where it can be written; null in a browser that refuses it. */
function storage(prefix) {
  try {
    localStorage.setItem(`${prefix}try`, "1");
    localStorage.removeItem(`${prefix}try`);
    return localStorage;
  } catch {
    return null;
  }
}
