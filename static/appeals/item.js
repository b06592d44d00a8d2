/* The page of one appeal: the same looking, lease and keys as at the first desk. */
import { Look } from "../reviews/look.js";
import { keepLease } from "../reviews/lease.js";
import { listen } from "../reviews/keys.js";

const form = document.getElementById("decide");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const look = new Look(document.getElementById("stage"), token);

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

document.querySelector(".error-summary")?.focus();
