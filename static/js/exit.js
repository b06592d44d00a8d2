/**
 * Leaves the site at once: by the link, or by Shift pressed three times, each within five seconds of the last.
 *
 * The page has one plain link, `<a id="exit" href="…" data-now="…" data-two="…" data-one="…">`; the data are what is said
 * while leaving and when two more presses, or one, are needed. Without this script the link still works.
 */

const PRESSES = 3;
const PAUSE = 5000;

const link = document.getElementById("exit");
const speaker = document.createElement("p");
let pressed = 0;
let isAlone = false; // Shift with another key or a click is typing or choosing, not a wish to leave
let timer = 0;

/** Nothing of the page is left to see, to go Back to in memory, or to read in the tree, whatever the network does next. */
function leave() {
  const cover = document.createElement("p");
  cover.setAttribute("role", "alert");
  cover.textContent = link.dataset.now;
  document.title = link.dataset.now;
  document.body.replaceChildren(cover);
  location.replace(link.href);
}

function startAgain() {
  clearTimeout(timer);
  pressed = 0;
  isAlone = false;
  speaker.textContent = "";
}

function press() {
  clearTimeout(timer);
  pressed += 1;
  if (pressed === PRESSES) return leave();
  speaker.textContent = pressed === 1 ? link.dataset.two : link.dataset.one;
  timer = setTimeout(startAgain, PAUSE);
}

function onKeyDown(event) {
  if (event.key !== "Shift") startAgain();
  else if (!event.repeat) isAlone = true;
}

function onKeyUp(event) {
  if (event.key === "Shift" && isAlone) press();
}

speaker.className = "sr";
speaker.setAttribute("role", "status");
document.body.append(speaker);
document.addEventListener("keydown", onKeyDown);
document.addEventListener("keyup", onKeyUp);
document.addEventListener("pointerdown", startAgain);
link.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  leave();
});
// A page kept in memory for Back is asked for anew: after leaving, the server no longer knows the visitor. Not by reload(),
// which would offer to send a form again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.body.replaceChildren();
  location.replace(location.pathname + location.search);
});
