/** Closes a case's page after a quiet time, and says so two minutes before. Asking for more time asks for the page anew. */

const notice = document.getElementById("quiet");
const minutes = Number(notice.dataset.minutes);
const MINUTE = 60_000;

setTimeout(() => (notice.hidden = false), (minutes - 2) * MINUTE);
setTimeout(() => location.replace(notice.dataset.to), minutes * MINUTE);
document.getElementById("more-time").addEventListener("click", () => location.replace(location.pathname));
