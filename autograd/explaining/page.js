// The page: its views at a step, and what the reader does. The other scripts stand before this one.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const calculation = new Calculation(data, RULES);
const schedule = new Schedule(calculation);
const lines = new Lines(data, calculation);
const graph = new Graph(data, calculation, schedule);
const table = new Table(document.querySelector(".trace table"), lines, calculation, schedule);
const layer = new LayerPanel(data, calculation, schedule, lines);
const node = new NodePanel(data, calculation, lines, graph, recomputed);
const [slider, now, count, allDigits] = ["step", "now", "count", "digits"].map(byId);
const [drawing, trace] = [".drawing", ".trace"].map((area) => document.querySelector(area));
const { last } = schedule;

function inShort(number) {
  return lines.short(number);
}

// ---- What is seen at a step.

function show(step, all = false) {
  slider.value = step;
  count.textContent = `Step ${step} of ${last}`;
  slider.setAttribute("aria-valuetext", `${step} of ${last}`);
  for (const button of document.querySelectorAll("[data-go]")) {
    const towardsStart = ["first", "back"].includes(button.dataset.go);
    button.setAttribute("aria-disabled", step === (towardsStart ? 0 : last));
  }
  const write = allDigits.checked ? repr : inShort;
  const event = schedule.at(step);
  showNow(event, write);
  graph.show(step);
  table.show(step, write, all);
  layer.choose(event.computed ?? event.contribution?.node);
  layer.show(step, write);
  follow();
}

function showNow({ computed, begins, contribution, parts, left }, write) {
  const [sentence, line] = computed !== undefined ? lines.computing(computed)
    : begins ? lines.beginning() : contribution ? lines.adding(contribution, parts, left) : lines.start();
  const written = document.createElement("p");
  if (line.length) {
    const code = document.createElement("code");
    code.append(...line.flatMap((part) => shownNumber(part, write)));
    written.append(code, computed === undefined ? "" : lines.remark(computed));
  }
  now.replaceChildren(paragraph(sentence), written);
}

// A number with all its digits beside those that are shown.
function shownNumber(part, write) {
  if (typeof part === "string") return part;
  const number = document.createElement("data");
  number.value = repr(part.number ?? part);
  number.textContent = write(part.number ?? part);
  return part.isGrouped && number.textContent.startsWith("-") ? ["(", number, ")"] : number;
}

// All numbers may be others now.
function recomputed() {
  graph.refresh();
  layer.version += 1;
  show(Number(slider.value), true);
  node.show();
}

// The drawing and the table scroll to what happens, each by itself; the page stays where it is.
function follow() {
  for (const [scroller, view] of [[drawing, graph], [trace, table]]) {
    const targets = view.happening.map((target) => target.getBoundingClientRect());
    if (!targets.length) {
      scroller.scrollTo(0, 0);
      continue;
    }
    const outer = scroller.getBoundingClientRect();
    const head = scroller.querySelector("thead")?.offsetHeight ?? 0;
    const [left, top] = ["left", "top"].map((side) => Math.min(...targets.map((inner) => inner[side])));
    const [right, bottom] = ["right", "bottom"].map((side) => Math.max(...targets.map((inner) => inner[side])));
    const by = { left: beyond(left, right, outer.left, outer.left + scroller.clientWidth),
      top: beyond(top, bottom, outer.top + head, outer.top + scroller.clientHeight) };
    if (by.left || by.top) scroller.scrollBy(by);
  }
}

// How far to scroll so that start to end comes into view: to the middle, or to its start if it is larger.
function beyond(start, end, from, to) {
  if (start >= from && end <= to) return 0;
  return Math.floor(end - start > to - from ? start - from : (start + end - from - to) / 2);
}

// ---- Steps.

const targets = { first: () => 0, back: (step) => step - 1, forward: (step) => step + 1, last: () => last };
const keys = { Home: "first", ArrowLeft: "back", ArrowRight: "forward", End: "last" };

function go(where) {
  pause();
  show(Math.min(last, Math.max(0, targets[where](Number(slider.value)))));
}

slider.addEventListener("input", () => {
  pause();
  show(Number(slider.value));
});
allDigits.addEventListener("change", () => {
  show(Number(slider.value), true);
});
byId("controls").addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll("[data-go]")) {
  button.addEventListener("click", () => go(button.dataset.go));
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") node.unmark();
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !(event.key in keys)) return;
  const hasKeys = "[data-scrolls], [type=range], [type=text], select";  // itself
  if (event.target.closest(hasKeys)) return;
  event.preventDefault();
  go(keys[event.key]);
});

// ---- Playing: a step at a time, until the end or until the reader does something else.

const play = byId("play");
let timer;

function pause() {
  clearTimeout(timer);
  timer = undefined;
  play.textContent = "▶ Play";
  now.setAttribute("aria-live", "polite");
}

function advance() {
  const step = Number(slider.value);
  if (step < last) show(step + 1);
  if (step + 1 >= last) pause();
  else timer = setTimeout(advance, 1000 * Number(byId("pace").value));
}

play.addEventListener("click", () => {
  if (timer !== undefined) {
    pause();
    return;
  }
  if (Number(slider.value) === last) show(0);
  play.textContent = "❚❚ Pause";
  now.setAttribute("aria-live", "off");  // nobody can listen to so many steps
  timer = setTimeout(advance, 1000 * Number(byId("pace").value));
});
if (matchMedia("(prefers-reduced-motion: reduce)").matches) byId("pace").value = "3";  // the slowest

// ---- Choosing a Value in the drawing.

graph.svg.addEventListener("click", ({ target }) => {
  const variable = graph.variableOf(target);
  if (variable === undefined) return;
  graph.focus(variable);
  node.choose(variable);
  layer.choose(variable);
  layer.show(Number(slider.value), allDigits.checked ? repr : inShort);
});
graph.svg.addEventListener("keydown", (event) => {
  const variable = graph.variableOf(event.target);
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (variable === undefined || !(by || ["Enter", " "].includes(event.key))) return;
  event.preventDefault();
  if (by) graph.focus(variable + by);
  else node.choose(variable);
});

// A drawing that is too wide shrinks as far as it stays readable, and scrolls from there on.
const { width } = data.picture;
graph.svg.style.width = `max(${0.75 * width}px, min(${width}px, 100%))`;
graph.svg.style.height = "auto";

drawing.append(graph.svg);
for (const hidden of document.querySelectorAll("[data-script]")) hidden.hidden = false;
byId("layer").hidden = !layer.layers.length;
show(0, true);
node.choose(data.names.findIndex((_, variable) => calculation.isLeaf(variable)), false);
