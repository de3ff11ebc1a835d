// The laboratory: a program on the left, what it computes on the right.

import { Python, missing } from "./python.js";
import { EXAMPLES } from "./examples.js";
import { packed, unpacked } from "./address.js";
import { keepOffline } from "./offline.js";

const at = (id) => document.getElementById(id);
const say = (text) => { at("status").textContent = text; };

let python;
let wanted = false; // whether the program, an example, runs as soon as Python is there
let cameDuring = false; // whether the program came with the address after the one that runs had been started

function begin() {
  const lacking = missing();
  if (lacking.length) {
    at("missing").textContent = `This browser cannot run Python. It lacks: ${lacking.join("; ")}.`;
    at("missing").hidden = false;
    at("progress").hidden = true;
    return say("Python does not run here.");
  }
  for (const name of Object.keys(EXAMPLES)) at("examples").append(new Option(name, name));
  at("examples").onchange = () => show(EXAMPLES[at("examples").value]);
  at("run").onclick = run;
  at("stop").onclick = () => python.stop();
  at("share").onclick = share;
  at("code").onkeydown = edit;
  at("code").oninput = edited;
  addEventListener("hashchange", read);
  start();
  read();
}

function start() {
  python = new Python({
    starting: () => {
      at("progress").value = 0;
      at("progress").hidden = false;
      at("run").disabled = true;
      at("stop").disabled = true;
    },
    progress: (share) => { at("progress").value = share; },
    ready: () => {
      at("progress").hidden = true;
      at("run").disabled = false;
      say("Python is ready.");
      keepOffline();
      if (wanted) run();
    },
    failed: (text) => {
      at("progress").hidden = true;
      say("Python could not start. Load the page again to try once more.");
      complain(text);
    },
  });
}

/**
 * Shows the program of the address; if there is none, what was written here before this tab left the page. Neither runs
 * by itself. If there is nothing, shows the first example, which does.
 */
async function read() {
  const { hash } = location;
  at("error").hidden = true;
  try {
    const code = await unpacked(hash);
    if (hash !== location.hash) return; // there is a newer one
    if (code !== null) return arrive(code);
  } catch (error) {
    complain(`The address holds no program that can be read: ${error.message}.`);
  }
  if (at("code").value) return; // whoever wrote that: it waits for a click
  const before = kept();
  if (before?.code) {
    at("code").value = before.code;
    at("foreign").hidden = !before.isForeign;
    return own(true);
  }
  at("code").value = Object.values(EXAMPLES)[0];
  own(false);
  wanted = !hash;
}

/** A program of the address: what is shown beside it is not its own. */
function arrive(code) {
  at("code").value = code;
  at("foreign").hidden = false;
  at("shown").classList.add("old");
  at("printed").hidden = !python.running;
  cameDuring = Boolean(python.running);
  if (cameDuring) say("The program before still runs; the one of the address does not.");
  else if (python.isReady) say("The program of the address has not run yet.");
  own(true);
}

/** The text is no longer the example, nor the program of the address, which would otherwise come back instead of it. */
function edited() {
  own(true);
  if (location.hash) forgetAddress();
  keep(at("code").value);
}

function forgetAddress() {
  history.replaceState(null, "", location.pathname + location.search);
}

const KEY = "program";

/** Keeps what is written here, for this tab alone; "" for nothing. */
function keep(code) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ code, isForeign: !at("foreign").hidden }));
  } catch {} // it is full, or the browser keeps nothing for this site
}

/** The program that was kept, or null if there is none. */
function kept() {
  try {
    const { code, isForeign } = JSON.parse(sessionStorage.getItem(KEY));
    return { code, isForeign };
  } catch {
    return null;
  }
}

/** Whether the program is an example, as the list says. Only those run by themselves. */
function own(isOwn) {
  if (isOwn) at("examples").value = "";
  else at("examples").selectedIndex = 1;
  wanted &&= !isOwn;
}

/** An example is the project's own: it runs at once. */
function show(code) {
  at("code").value = code;
  at("foreign").hidden = true;
  forgetAddress();
  keep("");
  if (python.running) python.stop();
  if (python.isReady) run();
  else wanted = true;
}

async function run() {
  if (!python.isReady || python.running) return;
  wanted = false;
  cameDuring = false;
  at("foreign").hidden = true;
  at("error").hidden = true;
  at("printed").hidden = true;
  at("printed").textContent = "";
  at("run").disabled = true;
  at("stop").disabled = false;
  say("The program runs.");
  try {
    const result = await python.call("run", at("code").value, print);
    if (result.error) complain(result.error);
    if (result.page) at("shown").srcdoc = result.page;
    at("shown").classList.toggle("old", cameDuring || Boolean(result.error));
    if (!result.error) at("shown").classList.toggle("empty", !result.page);
    const told = result.error ? "The program has ended with an error." : result.text;
    say(cameDuring ? `The program before has ended: ${told} The one of the address has not run yet.` : told);
  } catch ({ message }) {
    at("shown").classList.add("old");
    if (message !== "stopped") complain(message);
    return say(`${message === "stopped" ? "Stopped." : "The program has broken Python."} Python is starting again.`);
  }
  at("stop").disabled = true;
  at("run").disabled = false;
}

function print(text) {
  at("printed").hidden = false;
  at("printed").append(text);
}

function complain(text) {
  at("error").textContent = text;
  at("error").hidden = false;
}

async function share() {
  try {
    history.replaceState(null, "", await packed(at("code").value));
  } catch (error) {
    return say(`The program does not fit into an address: ${error.message}.`);
  }
  try {
    await navigator.clipboard.writeText(location.href);
    say("The address of this program is in the clipboard.");
  } catch {
    say("The address of the page is now that of this program: copy it from the browser's address bar.");
  }
}

let leaving = false; // Escape was pressed: Tab leaves the text

function edit(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  } else if (event.key === "Escape") {
    leaving = true;
    return;
  } else if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey && !leaving) {
    event.preventDefault();
    const { selectionStart: from, selectionEnd: to } = event.target;
    event.target.setRangeText("    ", from, to, "end");
    edited();
  }
  leaving = false;
}

begin();
window.started = true; // for cannot_start.js
