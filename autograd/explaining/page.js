
"use strict";

// ---- The page's parts. Pieces of the drawing, and lines of the table, say themselves when they are what.

const byId = (id) => document.getElementById(id);
const [slider, now, count, allDigits] = ["step", "now", "count", "digits"].map(byId);
const sayings = [...byId("steps").content.children];
const last = Number(slider.max);
const seed = Number(slider.dataset.seed);

const pieces = [...document.querySelectorAll("svg [data-known]")].map((element) => ({
  element,
  ...Object.fromEntries(Object.entries(element.dataset)
    .filter(([name]) => !["node", "edge"].includes(name))
    .map(([name, content]) => [name, JSON.parse(content)])),
  gradient: element.querySelector("[data-part=grad]"),
  titles: [...element.querySelectorAll("title")].map((title) => [title, title.textContent]),
}));
const lines = [...document.querySelectorAll("table [data-known]")];

// ---- What is seen at a step.

function show(step) {
  slider.value = step;
  count.textContent = `Step ${step} of ${last}`;
  slider.setAttribute("aria-valuetext", `${step} of ${last}`);
  for (const button of document.querySelectorAll("[data-go]")) {
    const towardsStart = ["first", "back"].includes(button.dataset.go);
    button.setAttribute("aria-disabled", step === (towardsStart ? 0 : last));
  }
  now.replaceChildren(...sayings[step].cloneNode(true).children);
  pieces.forEach((piece) => showPiece(piece, step));
  lines.forEach((line) => showLine(line, step));
  writeNumbers();
  follow();
}

function showPiece(piece, step) {
  const unknown = step < piece.known;
  const unreached = step < piece.reached;
  const is = { unknown, unreached, dimmed: unknown || (step >= seed && unreached),
    active: piece.active.includes(step), source: piece.source.includes(step) };
  for (const [name, holds] of Object.entries(is)) piece.element.classList.toggle(name, holds);
  for (const [title, content] of piece.titles) title.textContent = step < piece.complete ? "" : content;
  const [, number, sign] = piece.gradients.findLast(([from]) => from <= step) ?? [0, "", "zero"];
  if (piece.gradient) {
    piece.gradient.textContent = number;
    piece.gradient.setAttribute("fill", `var(--gradient-${sign})`);
  }
}

function showLine(line, step) {
  line.classList.toggle("dimmed", step < Number(line.dataset.known));
  if (Number(line.dataset.step) === step) line.setAttribute("aria-current", "step");
  else line.removeAttribute("aria-current");
}

function writeNumbers() {
  for (const number of document.querySelectorAll("data")) {
    number.dataset.short ??= number.textContent;
    const text = number.closest(".dimmed") ? "?" : allDigits.checked ? number.value : number.dataset.short;
    if (number.textContent !== text) number.textContent = text;
  }
}

// The drawing and the table scroll to what happens, each by itself; the page stays where it is.
function follow() {
  for (const [area, chosen] of [[".drawing", ".active[data-node]"], [".trace", "[aria-current]"]]) {
    const scroller = document.querySelector(area);
    const targets = [...scroller.querySelectorAll(chosen)].map((target) => target.getBoundingClientRect());
    if (!targets.length) {
      scroller.scrollTo(0, 0);
      continue;
    }
    const outer = scroller.getBoundingClientRect();
    const head = scroller.querySelector("thead")?.offsetHeight ?? 0;
    const [left, top] = ["left", "top"].map((side) => Math.min(...targets.map((inner) => inner[side])));
    const [right, bottom] = ["right", "bottom"].map((side) => Math.max(...targets.map((inner) => inner[side])));
    scroller.scrollBy({
      left: beyond(left, right, outer.left, outer.left + scroller.clientWidth),
      top: beyond(top, bottom, outer.top + head, outer.top + scroller.clientHeight),
    });
  }
}

// How far to scroll so that start to end comes into view: to the middle, or to its start if it is larger.
function beyond(start, end, from, to) {
  if (start >= from && end <= to) return 0;
  return end - start > to - from ? start - from : (start + end - from - to) / 2;
}

// ---- What the reader does.

const targets = { first: () => 0, back: (step) => step - 1, forward: (step) => step + 1, last: () => last };
const keys = { Home: "first", ArrowLeft: "back", ArrowRight: "forward", End: "last" };

function go(where) {
  show(Math.min(last, Math.max(0, targets[where](Number(slider.value)))));
}

slider.addEventListener("input", () => show(Number(slider.value)));
allDigits.addEventListener("change", writeNumbers);
byId("controls").addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll("[data-go]")) button.addEventListener("click", () => go(button.dataset.go));
document.addEventListener("keydown", (event) => {
  const elsewhere = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target === slider;
  if (elsewhere || !(event.key in keys) || event.target.closest("[data-scrolls]")) return;  // the slider has keys itself
  event.preventDefault();
  go(keys[event.key]);
});

// A drawing that is too wide shrinks as far as it stays readable, and scrolls from there on.
const svg = document.querySelector("svg");
const width = svg.width.baseVal.value;
svg.style.width = `max(${0.75 * width}px, min(${width}px, 100%))`;
svg.style.height = "auto";

byId("controls").hidden = now.hidden = false;
document.documentElement.classList.add("stepping");
show(0);
