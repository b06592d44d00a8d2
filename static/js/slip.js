/** Copies the case number, and prints a slip with nothing but the number on it. */

const copied = document.getElementById("copied");
const copy = document.getElementById("copy");
const number = [...document.querySelectorAll("#number > span")].map((group) => group.textContent).join(" ");

document.querySelectorAll("[data-script]").forEach((element) => (element.hidden = false));
copy.hidden = !navigator.clipboard;
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(number);
  copied.textContent = copied.dataset.text;
});
document.getElementById("print").addEventListener("click", () => print());
