/* The keys. A key selects, it never decides alone; nothing happens while somebody types. Single keys can be switched
   off (WCAG 2.1.4). Space looks wherever it has no other meaning; Escape twice covers everything, always. */

const TWICE = 600;
const TYPES = "textarea, select, input:not([type=radio]):not([type=checkbox])";
const PRESSES = "button, a, summary, input, textarea, select";

export function listen({ look, form, back, help }) {
  const isOn = singleKeys();
  let escaped = -TWICE;

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      look.end();
      if (event.timeStamp - escaped < TWICE) look.cover();
      escaped = event.timeStamp;
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(document.getElementById("submit"));
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") return void space(event, look);
    if (event.repeat || !isOn() || event.target.matches(TYPES)) return;
    if (/^[1-9]$/.test(event.key)) return void choose(form.querySelector(`[data-key="${event.key}"]`));
    const deeds = {
      b: () => look.end(),
      x: () => document.querySelector("#keeping input")?.focus(),
      s: () => back.requestSubmit(),
      "?": () => { help.open = !help.open; help.querySelector("summary").focus(); },
    };
    deeds[event.key]?.();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") look.end();
  });
}

function space(event, look) {
  const isHold = event.target.id === "hold";
  if (!isHold && event.target.matches(PRESSES)) return;
  event.preventDefault(); // no scrolling while looking
  if (!event.repeat) look.start(event.shiftKey || document.getElementById("colour").checked);
}

function choose(radio) {
  if (!radio) return;
  radio.checked = true;
  radio.focus();
  radio.dispatchEvent(new Event("change", { bubbles: true }));
}

function singleKeys() {
  const box = document.getElementById("keys");
  document.getElementById("keys-switch").hidden = false;
  return () => box.checked;
}
