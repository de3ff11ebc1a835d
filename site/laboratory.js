// The laboratory: a program on the left, what it computes on the right.

import { Python, missing } from "./python.js";
import { EXAMPLES } from "./examples.js";
import { packed, unpacked } from "./address.js";
import { keepOffline } from "./offline.js";

const at = (id) => document.getElementById(id);
const say = (text) => { at("status").textContent = text; };

let python;
let wanted = false; // whether the program, an example, runs as soon as Python is there

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
  at("code").oninput = () => own(true);
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

/** Shows the program of the address, which never runs by itself; if there is nothing, the first example, which does. */
async function read() {
  const { hash } = location;
  try {
    const code = await unpacked(hash);
    if (hash !== location.hash) return; // there is a newer one
    if (code !== null) {
      at("code").value = code;
      at("foreign").hidden = false;
      return own(true);
    }
  } catch (error) {
    complain(`The address holds no program that can be read: ${error.message}`);
  }
  if (at("code").value) return; // whoever wrote that: it waits for a click
  at("code").value = Object.values(EXAMPLES)[0];
  own(false);
  wanted = !hash;
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
  history.replaceState(null, "", location.pathname + location.search);
  if (python.running) python.stop();
  if (python.isReady) run();
  else wanted = true;
}

async function run() {
  if (!python.isReady || python.running) return;
  wanted = false;
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
    at("shown").classList.toggle("old", Boolean(result.error));
    if (!result.error) at("shown").classList.toggle("empty", !result.page);
    say(result.error ? "The program has ended with an error." : result.text);
  } catch ({ message }) {
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
  }
  leaving = false;
}

begin();
window.started = true; // for cannot_start.js
