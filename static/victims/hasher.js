/**
 * The page's side of making fingerprints: choose files, show what becomes of each, hand the fingerprints to a plain form.
 *
 * Nothing here or in the worker asks the network, keeps anything, or shows a picture or a file's name. The page must have:
 *
 *   <h1 id="title">                     F-02.title; rewritten as the work goes on
 *   <div id="hasher" data-worker="…/hasher-worker.js" data-max="20">
 *     <div id="status" role="status"><p>F-02.prepare</p></div>
 *     <div id="trouble" role="alert"></div>
 *     <template id="picker"><div>       comes into the page once the browser has been tested
 *       <button type="button" id="choose">, <input type="file" id="files" hidden multiple accept="image/*,video/*">
 *       and whatever else belongs there; the input has no name and stands in no form
 *     <ul class="files" id="file-list" aria-label="…">
 *     <div id="actions" hidden>
 *       <button form="send" id="continue">, <button type="button" id="more">, <button type="button" id="forget">
 *   <form id="send" method="post">      with the CSRF token and nothing else of its own
 *   <template id="file-row"><li><span class="glyph"></span><div><p></p></div>
 *       <button type="button"><span></span></button><progress max="100" value="0"></progress></li></template>
 *   <template id="file-icons">          elements with data-icon="wait", "done" and "attend"
 *   <template id="words">               every key of KEYS below, as `words.js` says; F-03.progress counts by {total}
 *
 * On Continue the form receives, for each fingerprint, a hidden `hash` of the form `<64 hex digits>:<quality>:photo`.
 *
 * Policies. Page: `default-src 'none'; script-src 'self'; connect-src 'none'; form-action 'self'; base-uri 'none';
 * frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types hasher` with what styles and icons need. The
 * worker inherits none of it, so a view serves it, and beside it the files it imports (canary.js, kinds.js, pdq.js,
 * picture.js), each with `default-src 'none'; script-src 'self'; connect-src 'none'`.
 */

import { Row } from "./row.js";
import { Words } from "./words.js";

const KEYS = [
  ..."F-02.title F-02.prepare F-02.ready F-02.canary_ok".split(" "),
  ..."F-03.title F-03.progress F-03.item F-03.item_work F-03.item_done F-03.stay".split(" "),
  ..."F-04.title F-04.none F-04.remove F-06.err".split(" "),
  ..."F-E.heic F-E.video_codec F-E.small F-E.quality F-E.scrambled F-E.big F-E.type F-E.damaged".split(" "),
  ..."F-E.same F-E.toomany F-E.worker".split(" "),
];

const at = (id) => document.getElementById(id);
const [root, title, status, trouble] = ["hasher", "title", "status", "trouble"].map(at);
const [list, actions, form] = ["file-list", "actions", "send"].map(at);
const words = new Words(at("words"), document.documentElement.lang, KEYS);
const max = Number(root.dataset.max);

let state = "preparing"; // then ready, scrambled or broken
let picker = null;
let worker = null;
let entries = []; // { number, row, file until it is answered, percent, hash, quality, trouble }
let current = null; // what the worker is busy with, even if it has been left out meanwhile
let lastNumber = 0;

function startWorker() {
  const address = new URL(root.dataset.worker, document.baseURI).href;
  const onlyOurs = (asked) => {
    if (asked !== address) throw new TypeError("not the worker of this page");
    return asked;
  };
  const policy = window.trustedTypes?.createPolicy("hasher", { createScriptURL: onlyOurs });
  worker = new Worker(policy ? policy.createScriptURL(address) : address, { type: "module" });
  worker.onmessage = ({ data }) => (data.state ? begin(data.state) : hear(data));
  worker.onerror = () => begin("broken");
}

function begin(answer) {
  state = answer;
  if (state === "scrambled") complain("F-E.scrambled");
  if (state === "broken") complain("F-E.worker");
  if (state === "ready") showPicker();
  draw();
}

function showPicker() {
  picker = at("picker").content.firstElementChild;
  at("picker").replaceWith(picker);
  const files = at("files");
  at("choose").addEventListener("click", () => files.click());
  at("more").addEventListener("click", () => files.click());
  files.addEventListener("change", () => {
    choose([...files.files]);
    files.value = ""; // the same file may be chosen again, and its name is nowhere on the page
  });
}

function choose(files) {
  trouble.replaceChildren();
  if (files.length > max) return complain("F-E.toomany", { n: max }, max);
  for (const file of files) add(file);
  next();
  draw();
}

function add(file) {
  const entry = { number: ++lastNumber, file, percent: 0 };
  const [blank, icons] = [at("file-row"), at("file-icons")];
  entry.row = new Row({ blank, icons, words, number: entry.number, onLeaveOut: () => leaveOut(entry) });
  entries.push(entry);
  list.append(entry.row.element);
}

function next() {
  if (current || state !== "ready") return;
  current = entries.find(({ file }) => file) ?? null;
  if (current) worker.postMessage(current.file);
}

function hear(answer) {
  Object.assign(current, answer);
  if (!("percent" in answer)) {
    current.file = null;
    current = null;
    next();
  }
  draw();
}

function leaveOut(entry) {
  const place = entries.indexOf(entry);
  entries.splice(place, 1);
  entry.row.element.remove();
  if (!entries.length) return forget();
  draw();
  entries[Math.min(place, entries.length - 1)].row.button.focus();
}

function forget() {
  entries = [];
  lastNumber = 0;
  list.replaceChildren();
  trouble.replaceChildren();
  clearForm();
  draw();
  at("choose").focus();
}

const isWorking = () => state === "ready" && entries.some(({ file }) => file);
const first = (entry) => entries.find(({ hash }) => hash === entry.hash);
const usable = () => entries.filter((entry) => entry.hash && first(entry) === entry);

function clearForm() {
  form.querySelectorAll("input[name=hash]").forEach((input) => input.remove());
}

function send(event) {
  clearForm();
  if (!navigator.onLine) {
    event.preventDefault();
    return complain("F-06.err");
  }
  for (const { hash, quality } of usable()) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: "hash", value: `${hash}:${quality}:photo` });
    form.append(input);
  }
}

function complain(...sentence) {
  const line = document.createElement("p");
  line.className = "error";
  const text = document.createElement("span");
  words.write(text, ...sentence);
  line.append(at("file-icons").content.querySelector('[data-icon="attend"]').cloneNode(true), text);
  trouble.replaceChildren(line);
}

function draw() {
  const ready = usable().length;
  for (const entry of entries) drawRow(entry);
  drawTitle(ready);
  drawStatus(ready);
  if (picker) picker.hidden = entries.length > 0;
  actions.hidden = !entries.length;
  at("more").hidden = state !== "ready";
  at("continue").hidden = isWorking() || !ready;
}

function drawRow(entry) {
  if (entry.trouble) entry.row.trouble(entry.trouble);
  else if (!entry.hash) entry === current ? entry.row.working(entry.percent) : entry.row.waiting();
  else if (first(entry) === entry) entry.row.done();
  else entry.row.sameAs(first(entry).number);
}

function drawTitle(ready) {
  if (!entries.length) words.write(title, "F-02.title");
  else if (isWorking()) words.write(title, "F-03.title");
  else if (ready) words.write(title, "F-04.title", { n: ready }, ready);
  else words.write(title, "F-04.none");
}

function drawStatus(ready) {
  const total = entries.length;
  const sentences = total
    ? [["F-03.progress", { done: ready, total }, total], ["F-03.stay"]]
    : { preparing: [["F-02.prepare"]], ready: [["F-02.ready"], ["F-02.canary_ok"]] }[state] ?? [];
  while (status.children.length > sentences.length) status.lastElementChild.remove();
  while (status.children.length < sentences.length) status.append(document.createElement("p"));
  sentences.forEach((sentence, i) => words.write(status.children[i], ...sentence));
}

function acceptDrops() {
  // A file dropped beside the right place would open in this tab and fill the screen, so no drop is left to the browser.
  for (const name of ["dragover", "drop"])
    window.addEventListener(name, (event) => {
      event.preventDefault();
      const isWelcome = state === "ready" && root.contains(event.target);
      event.dataTransfer.dropEffect = isWelcome ? "copy" : "none";
      if (name === "drop" && isWelcome) choose([...event.dataTransfer.files]);
    });
}

acceptDrops();
at("forget").addEventListener("click", forget);
form.addEventListener("submit", send);
try {
  startWorker();
} catch {
  begin("broken");
}
