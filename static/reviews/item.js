/* The page of one flag: looking, the lease, the keys. Everything here also works without script, one request at a time. */
import { Look } from "./look.js";
import { keepLease } from "./lease.js";
import { listen } from "./keys.js";

const stage = document.getElementById("stage");
const form = document.getElementById("decide");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const look = new Look(stage, token);

document.getElementById("with-script").hidden = false;
document.getElementById("without-script").hidden = true;
look.bind({
  hold: document.getElementById("hold"),
  seconds: document.getElementById("seconds"),
  blur: document.getElementById("blur"),
  colour: document.getElementById("colour"),
});
keepLease(document.getElementById("lease"), token);
listen({ look, form, back: document.getElementById("back"), help: document.getElementById("help") });

/* A policy proposes its reason; what the reviewer wrote is never replaced. */
const reasoning = document.getElementById("f-reasoning");
let proposed = "";
for (const radio of form.querySelectorAll("[name=policy]")) {
  radio.addEventListener("change", () => {
    if (reasoning.value && reasoning.value !== proposed) return;
    proposed = radio.dataset.reason;
    reasoning.value = proposed;
  });
}

/* After a form that came back, focus goes to what the reviewer must read. */
(document.getElementById("errors") ?? document.getElementById("preview"))?.focus();
