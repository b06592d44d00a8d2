/* Looking at the picture: only while something is held, one logged request for each look, gone the moment it is let go.

   The clear picture is an element of its own above the blurred one. Swapping the source of one element would keep the
   clear picture on the screen until the blurred one has loaded. */

const SECONDS = 3;

export class Look {
  #stage;
  #token;
  #note;
  #words;
  #turn = 0; // each hold has its number: an answer that comes after its hold has ended finds another number here
  #picture = null;
  #timer = 0;
  #colour = null;
  isHeld = false;

  constructor(stage, token) {
    this.#stage = stage;
    this.#token = token;
    this.#note = stage.querySelector("[role=status]");
    this.#words = stage.dataset;
  }

  bind({ hold, seconds, blur, colour }) {
    this.#colour = colour;
    hold.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      hold.setPointerCapture(event.pointerId);
      this.start(colour.checked);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) hold.addEventListener(end, () => this.end());
    hold.addEventListener("contextmenu", (event) => event.preventDefault());
    seconds.addEventListener("click", () => this.start(colour.checked, SECONDS));
    blur.addEventListener("click", () => this.end());
    window.addEventListener("blur", () => this.end());
    window.addEventListener("pagehide", () => this.end());
    document.addEventListener("visibilitychange", () => document.hidden && this.end());
    const once = this.#stage.querySelector("img.look"); // shown by the server for this one page
    if (once) this.#picture = once;
  }

  async start(inColour, seconds = 0) {
    if (this.isHeld) return;
    this.end();
    this.isHeld = true;
    this.#stage.classList.remove("covered");
    const turn = this.#turn;
    const picture = await this.#ask(inColour && !this.#colour.disabled ? "COLOUR" : "GREY");
    if (turn !== this.#turn || !picture) return;
    this.#picture = picture;
    this.#stage.append(picture);
    this.#note.textContent = picture.alt;
    this.#colour.disabled = false;
    if (seconds) this.#timer = setTimeout(() => this.end(), seconds * 1000);
  }

  end() {
    this.#turn += 1;
    this.isHeld = false;
    clearTimeout(this.#timer);
    if (!this.#picture) return;
    this.#picture.remove();
    this.#picture.removeAttribute("src");
    this.#picture = null;
    this.#note.textContent = this.#words.blurred;
  }

  cover() {
    this.end();
    this.#stage.classList.add("covered");
    this.#note.textContent = this.#words.covered;
  }

  async #ask(derivative) {
    const turn = this.#turn;
    const answer = await fetch(this.#words.look, {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": this.#token },
      body: new URLSearchParams({ derivative }),
    });
    const { url, detail, made, allowed } = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
    if (url) count(made, allowed);
    if (turn !== this.#turn) return null;
    if (!url) return this.#sayNo(detail);
    const picture = new Image();
    picture.className = "media look";
    picture.alt = derivative === "COLOUR" ? this.#words.colour : this.#words.grey;
    picture.src = url;
    try {
      await picture.decode();
    } catch {
      return this.#sayNo();
    }
    return picture;
  }

  #sayNo(detail) {
    this.isHeld = false;
    this.#note.textContent = detail ?? this.#words.gone;
    return null;
  }
}

function count(made, allowed) {
  const dose = document.getElementById("exposure");
  dose.querySelector("b").textContent = dose.dataset.words.replace("{made}", made).replace("{allowed}", allowed);
  dose.querySelector("rect").setAttribute("width", String(Math.min(100, (100 * made) / allowed)));
}
