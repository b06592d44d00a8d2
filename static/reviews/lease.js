/* The lease: kept while there is input, counted down, and let go when the page is closed. The server's clock decides;
   here only the seconds that it named are counted, so a wrong clock on this machine changes nothing. */

const BEAT = 20_000;
const FIRST_BEAT = 1_000; // after the page that was left has said so, if this is the same page loaded again
const NEAR = 60;

export function keepLease(clock, token) {
  let input = true;
  let ends = inSeconds(Number(clock.dataset.left));
  let hardEnds = inSeconds(Number(clock.dataset.hardLeft));
  const whole = Number(clock.dataset.whole);

  const beat = async () => {
    if (!input) return;
    input = false;
    const answer = await fetch(clock.dataset.alive, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => null);
    if (!answer) return;
    const { left = 0, hard_left: hardLeft = 0 } = await answer.json().catch(() => ({}));
    ends = inSeconds(left);
    hardEnds = inSeconds(hardLeft);
    show();
  };
  const show = () => {
    const left = Math.max(0, Math.round((Math.min(ends, hardEnds) - performance.now()) / 1000));
    clock.classList.toggle("near", left <= NEAR);
    clock.querySelector("b").textContent = words(clock, left);
    clock.querySelector("rect").setAttribute("width", String(100 - Math.min(100, Math.round((100 * left) / whole))));
  };
  for (const sign of ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"]) {
    window.addEventListener(sign, () => { input = true; }, { passive: true });
  }
  window.addEventListener("pagehide", () => {
    navigator.sendBeacon(clock.dataset.leave, new URLSearchParams({ csrfmiddlewaretoken: token }));
  });
  setTimeout(beat, FIRST_BEAT);
  setInterval(beat, BEAT);
  setInterval(show, 1000);
  show();
}

function inSeconds(seconds) {
  return performance.now() + seconds * 1000;
}

function words(clock, left) {
  const { minutes, seconds, over } = clock.dataset;
  if (left <= 0) return over;
  return left > 90 ? minutes.replace("{n}", Math.round(left / 60)) : seconds.replace("{n}", left);
}
