/**
 * Small helps around a PIN: see what is typed, draw other words, and only the field of the chosen kind.
 *
 * Without this script both fields show, and all of it still works. `data-script` marks what only a script can do.
 */

document.querySelectorAll("[data-script]").forEach((element) => (element.hidden = false));

for (const box of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(box.dataset.shows);
  box.checked = false;
  box.addEventListener("change", () => (field.type = box.checked ? "text" : "password"));
}

const kinds = [...document.querySelectorAll("[data-opens]")];

function openChosen() {
  for (const kind of kinds) document.getElementById(kind.dataset.opens).hidden = !kind.checked;
}

kinds.forEach((kind) => kind.addEventListener("change", openChosen));
openChosen();

const other = document.getElementById("other-words");
if (other) {
  const phrases = [...document.getElementById("phrases").content.children].map((one) => one.textContent);
  const field = document.querySelector("input[name=words]");
  let drawn = 0;
  other.addEventListener("click", () => {
    drawn = (drawn + 1) % phrases.length;
    field.value = phrases[drawn];
    field.focus();
  });
}
