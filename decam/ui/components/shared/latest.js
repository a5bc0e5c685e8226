// What is loaded for a view that is drawn again and again: once while the same is wanted, and again after a failure.

export class Latest {
  constructor() {
    this.wanted = "";
  }

  /**
   * Load what `key` stands for and `take` it, unless it is there or on its way; what comes late is not taken. `load` is
   * given a function that says whether this is still wanted. What could not be loaded is asked for with the next call,
   * and gives false.
   */
  async fetch(key, load, take) {
    if (key === this.wanted) return true;
    this.wanted = key;
    const fresh = () => key === this.wanted;
    try {
      const found = await load(fresh);
      if (fresh()) take(found);
      return true;
    } catch (problem) {
      if (fresh()) this.forget();
      console.debug("decam: an image has not arrived", problem);
      return false;
    }
  }

  /** Want nothing: what is on its way is not taken. */
  forget() {
    this.wanted = "";
  }
}
