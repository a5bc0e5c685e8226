// “My participation”: going on later, the personal code, and having everything deleted.

import { button, make, text } from "./dom.js";

export class Mine {
  /**
   * @param {{ code: string, personal: boolean }} visit
   * @param {{ remove: () => Promise<void>, change: (code: string) => Promise<string> }} acts
   */
  constructor({ code, personal }, acts) {
    this.acts = acts;
    this.code = personal ? code : "";
    this.dialog = /** @type {HTMLDialogElement} */ (make("dialog", "", { "aria-label": text("page.mine") }));
    this.whole = [make("h2", "", {}, text("page.mine")), make("p", "", {}, text("page.mine.later"))];
    if (this.code) this.whole.push(...this.coded(), ...this.elsewhere());
    this.whole.push(this.buttons());
    this.node = button(text("page.mine"), "quiet", () => this.open());
    this.fill(this.whole);
    this.nodes = [this.node, this.dialog];
  }

  /** Nothing is left to go on with, but all answers can still be deleted. */
  end() {
    const coded = this.code ? [make("p", "", {}, text("page.mine.ended")), ...this.coded()] : [];
    this.whole = [make("h2", "", {}, text("page.mine")), ...coded, this.buttons()];
  }

  open() {
    this.fill(this.whole);
    this.dialog.showModal();
  }

  fill(parts) {
    this.dialog.replaceChildren(...parts);
  }

  /** The personal code, to be copied. */
  coded() {
    const shown = make("input", "field code", { readonly: "", value: this.code, dir: "ltr", "aria-label": text("page.mine.code") });
    const copy = button(text("page.mine.copy"), "plain", async () => {
      /** @type {HTMLInputElement} */ (shown).select();
      await navigator.clipboard?.writeText(this.code); // only where the page came by HTTPS; elsewhere it is selected
      if (navigator.clipboard) copy.textContent = text("page.mine.copied");
    });
    return [make("p", "", {}, text("page.mine.code")), make("div", "line", {}, shown, copy)];
  }

  /** What the code is for on another device, and a field for one that was got there. */
  elsewhere() {
    const typed = /** @type {HTMLInputElement} */ (make("input", "field code", { dir: "ltr", autocomplete: "off", "aria-label": text("page.mine.other.prompt") }));
    const wrong = make("p", "error", { role: "alert" });
    const go = button(text("page.mine.other.go"), "plain", async () => {
      if (!typed.value.trim()) return;
      go.disabled = true;
      wrong.textContent = await this.acts.change(typed.value.trim());
      go.disabled = false;
    });
    const other = make("details", "", {}, make("summary", "", {}, text("page.mine.other")), make("div", "line", {}, typed, go), wrong);
    return [make("p", "help", {}, text("page.mine.device")), other];
  }

  buttons() {
    const close = button(text("page.mine.close"), "next", () => this.dialog.close());
    const remove = button(text("page.delete"), "danger", () => this.ask());
    return make("div", "line spread", {}, remove, close);
  }

  /** Ask once more before everything is deleted. */
  ask() {
    const keep = button(text("page.delete.no"), "next", () => this.dialog.close());
    const sure = button(text("page.delete.yes"), "danger", async () => {
      sure.disabled = keep.disabled = true;
      await this.acts.remove();
    });
    this.fill([make("h2", "", {}, text("page.delete")), make("p", "", {}, text("page.delete.sure")), make("div", "line spread", {}, sure, keep)]);
    keep.focus();
  }
}
