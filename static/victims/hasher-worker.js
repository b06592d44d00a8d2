/**
 * Makes fingerprints away from the page. Reads files; has no way to send anything but messages to the page.
 *
 * A worker does not inherit the page's policy: this file must be served with its own (`hasher.js` says which).
 *
 * It first says `{ state }`: ready, scrambled or broken. Each file sent to it is then answered, before the next may be sent,
 * by some `{ percent }` and at last by `{ hash, quality }` or `{ trouble }`, where trouble names the words to show.
 */

import { isScrambled } from "./canary.js";
import { fingerprint, Refused } from "./picture.js";

self.onmessage = async ({ data: file }) => {
  try {
    postMessage(await fingerprint(file, (percent) => postMessage({ percent })));
  } catch (error) {
    // What is not ours comes from the canvas or the allocator: the picture did not fit.
    postMessage({ trouble: error instanceof Refused ? error.key : "F-E.big" });
  }
};

isScrambled().then(
  (scrambled) => postMessage({ state: scrambled ? "scrambled" : "ready" }),
  () => postMessage({ state: "broken" }),
);
