/**
 * The sentences that the page brings along, in the person's language.
 *
 * Each is an element with `data-key` in a template; `{name}` in it is replaced. A sentence that depends on a number holds one
 * child per plural form: `data-one`, `data-other`, and whichever of `data-zero`, `data-two`, `data-few`, `data-many` the
 * language needs.
 */
export class Words {
  constructor(template, language, keys) {
    this.sentences = template.content;
    this.plural = new Intl.PluralRules(language);
    this.number = new Intl.NumberFormat(language);
    for (const key of keys) this.#sentence(key, 1);
  }

  text(key, values = {}, count = undefined) {
    return this.#pieces(key, values, count).map(([, piece]) => piece).join("");
  }

  /** Fills an element, each number isolated so that it reads rightly in right-to-left text. */
  write(element, key, values = {}, count = undefined) {
    // Writing what is there already would make a screen reader say it again.
    if (element.textContent === this.text(key, values, count)) return;
    element.replaceChildren(
      ...this.#pieces(key, values, count).map(([isValue, piece]) => {
        if (!isValue) return piece;
        const bdi = document.createElement("bdi");
        bdi.textContent = piece;
        return bdi;
      }),
    );
  }

  #pieces(key, values, count) {
    return this.#sentence(key, count)
      .split(/\{(\w+)\}/)
      .map((piece, i) => (i % 2 ? [true, this.number.format(values[piece])] : [false, piece]));
  }

  #sentence(key, count) {
    const element = this.sentences.querySelector(`[data-key="${key}"]`);
    if (!element) throw new Error(`the page has no words for ${key}`);
    const form =
      count === undefined
        ? null
        : element.querySelector(`[data-${this.plural.select(count)}]`) ?? element.querySelector("[data-other]");
    return (form ?? element).textContent.trim();
  }
}
