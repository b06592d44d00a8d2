/**
 * One question at a time on the page that sends: its parts are steps, and the address's fragment says which one shows.
 *
 * So the browser's own Back goes back a step, and the fingerprints, which live in this page only, are not lost. A link
 * with `data-forward` asks first whether its step is answered; only the last step can send.
 */

import { Words } from "../victims/words.js";

const steps = [...document.querySelectorAll("[data-step]")];
const form = document.getElementById("send");
const words = new Words(document.getElementById("words"), document.documentElement.lang, ["F-06.fp"]);
const SENDING = steps.at(-1);
const FILES = steps[1];

const shown = () => steps.find(({ hidden }) => !hidden);

function show(step) {
  for (const one of steps) one.hidden = one !== step;
  const count = document.querySelectorAll("#file-list > li.done").length;
  if (step === SENDING) words.write(document.getElementById("how-many"), "F-06.fp", { n: count }, count);
  step.querySelector("h1").focus();
  scrollTo(0, 0);
}

/** The first field of a step that still needs an answer; fields of a kind that was not chosen need none. */
function unanswered(step) {
  const asked = [...step.querySelectorAll("[data-must]")].filter((field) => !field.parentElement.closest("[hidden]"));
  return asked.find((field) => (field.type === "checkbox" ? !field.checked : letters(field.value) < field.minLength));
}

const letters = (text) => [...text].filter((one) => /[\p{L}\p{N}]/u.test(one)).length;

function isAnswered(step) {
  const field = unanswered(step);
  for (const error of step.querySelectorAll("[data-error]"))
    error.hidden = !field || error.parentElement !== field.closest(".field");
  field?.focus();
  return !field;
}

for (const link of document.querySelectorAll("[data-forward]"))
  link.addEventListener("click", (event) => isAnswered(link.closest("[data-step]")) || event.preventDefault());

addEventListener("hashchange", () => {
  const step = steps.find(({ id }) => `#${id}` === location.hash) ?? steps[0];
  const isAhead = steps.indexOf(step) > steps.indexOf(FILES);
  if (isAhead && !document.querySelector("#file-list > li.done")) location.replace(`#${FILES.id}`);
  else show(step);
});

// Enter in a field would press the sending button of a step that is not shown.
form.addEventListener(
  "submit",
  (event) => {
    const step = shown();
    if (step === SENDING && steps.slice(2).every((one) => !unanswered(one))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    step.querySelector("[data-forward]")?.click();
  },
  { capture: true },
);

// A page that was loaded anew has no fingerprints, whatever step its address names.
history.replaceState(null, "", location.pathname);
