/** One file in the list: a mark, a sentence, a bar while it is worked on, and a way to leave it out. No name, no picture. */
export class Row {
  /** `blank` is the template of a row, `icons` the template of marks. */
  constructor({ blank, icons, words, number, onLeaveOut }) {
    this.words = words;
    this.icons = icons;
    this.number = number;
    this.element = blank.content.firstElementChild.cloneNode(true);
    this.bar = this.element.querySelector("progress");
    this.button = this.element.querySelector("button");
    this.bar.setAttribute("aria-label", words.text("F-03.item", { number }));
    words.write(this.button.firstElementChild, "F-04.remove", { number });
    this.button.addEventListener("click", onLeaveOut);
  }

  waiting() {
    this.#show("wait", "F-03.item");
  }

  working(percent) {
    this.#show("wait", "F-03.item_work", { percent });
    this.bar.hidden = false;
    this.bar.value = percent;
  }

  done() {
    this.#show("done", "F-03.item_done");
  }

  sameAs(other) {
    this.#show("attend", "F-E.same", { other });
  }

  trouble(key) {
    this.#show("attend", key);
  }

  #show(mark, key, values = {}) {
    this.element.className = mark === "wait" ? "" : mark;
    this.bar.hidden = true;
    const icon = this.icons.content.querySelector(`[data-icon="${mark}"]`);
    this.element.querySelector(".glyph").replaceChildren(icon.cloneNode(true));
    this.words.write(this.element.querySelector("p"), key, { number: this.number, ...values });
  }
}
