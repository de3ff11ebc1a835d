"use strict";

// ---- The page's parts, and what is seen: the picture's point in the middle, and pixels for each of its points.

const byId = (id) => document.getElementById(id);
const [stage, card, search, found, way] = ["stage", "card", "search", "found", "way"].map(byId);
const framed = window.parent !== window;
const templates = [...document.querySelectorAll("template")];
const levels = [...byId("levels").children].map((item, number) => ({
  title: item.textContent, parent: Number(item.dataset.parent), box: item.dataset.box,
  svg: number ? templates[number - 1].content.querySelector("svg") : stage.querySelector("svg"),
}));
const PIXELS = 96 / 72; // of a point
const FURTHEST = 16; // times the picture's own size
let number, svg, width, height, x, y, scale, whole; // of the level that is seen

document.documentElement.classList.add("live");
document.documentElement.classList.toggle("framed", framed);
byId("tools").hidden = false;

// ---- Levels: what is folded opens, and a way leads back.

// Every part that says something says it on the card, and to screen readers, instead of in the browser's own hint.
function prepare(level, number) {
  const picture = level.svg;
  const opens = new Map(levels.flatMap(({ parent, box }, other) => parent === number ? [[box, other]] : []));
  level.size = picture.getAttribute("viewBox").split(" ").slice(2).map(Number);
  for (const name of ["width", "height"]) picture.removeAttribute(name);
  picture.querySelectorAll(":scope > :is(title, desc)").forEach((element) => element.remove());
  picture.setAttribute("role", "group");
  picture.setAttribute("aria-label", level.title);
  level.parts = [...picture.querySelectorAll("g > title")].map((title) => {
    const group = title.parentElement;
    group.dataset.says = title.textContent;
    if (opens.has(group.dataset.name)) group.dataset.opens = opens.get(group.dataset.name);
    group.setAttribute("role", group.dataset.opens ? "button" : "img");
    group.setAttribute("aria-label", title.textContent);
    group.setAttribute("tabindex", -1);
    return group;
  });
  level.hints = level.parts.map((group) => group.querySelector("title"));
  level.parts[0]?.setAttribute("tabindex", 0);
}

function open(other) {
  number = other;
  ({ svg, size: [width, height] } = levels[number]);
  stage.replaceChildren(svg);
  const steps = [];
  for (let step = number; step >= 0; step = levels[step].parent) steps.unshift(step);
  way.replaceChildren(...(levels.length > 1 ? steps.map(stepBack) : []));
  fit();
  hints();
  hideCard();
}

function stepBack(step) {
  const [item, button] = ["li", "button"].map((tag) => document.createElement(tag));
  button.type = "button";
  button.textContent = levels[step].title;
  if (step === number) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => open(step));
  item.append(button);
  return item;
}

// ---- Zoom and pan.

function fit() {
  whole = Math.min(PIXELS, stage.clientWidth / width, stage.clientHeight / height) || PIXELS;
  [x, y, scale] = [width / 2, height / 2, whole];
  look();
}

function look() {
  const across = stage.clientWidth / scale;
  const down = stage.clientHeight / scale;
  const within = (middle, seen, all) => seen >= all ? all / 2 : Math.min(Math.max(middle, seen / 2), all - seen / 2);
  x = within(x, across, width);
  y = within(y, down, height);
  svg.setAttribute("viewBox", `${x - across / 2} ${y - down / 2} ${across} ${down}`);
  stage.style.touchAction = framed && scale <= whole ? "pan-x pan-y" : "none";
}

function zoom(factor, atX = stage.clientWidth / 2, atY = stage.clientHeight / 2) {
  const before = scale;
  scale = Math.min(Math.max(scale * factor, whole), Math.max(whole, PIXELS) * FURTHEST);
  const shift = 1 / before - 1 / scale; // what is under the pointer stays there
  x += (atX - stage.clientWidth / 2) * shift;
  y += (atY - stage.clientHeight / 2) * shift;
  look();
}

function pan(right, down) {
  x += right / scale;
  y += down / scale;
  look();
}

function middle(group) {
  const box = group.getBBox();
  return [box.x + box.width / 2, box.y + box.height / 2];
}

function show(group) {
  [x, y] = middle(group);
  scale = Math.max(scale, PIXELS); // so that it can be read
  look();
}

// ---- The card: what a part says in full. Where there is no room for it, the browser's own hints say it.

const roomy = () => innerHeight >= 120 && innerWidth >= 200;

function hints() {
  const { parts, hints } = levels[number];
  if (roomy()) hints.forEach((title) => title.remove());
  else parts.forEach((group, i) => group.prepend(hints[i]));
}

function showCard(group, left, top) {
  if (!roomy()) return;
  card.textContent = group.dataset.says;
  card.hidden = false;
  const [wide, high] = [card.offsetWidth, card.offsetHeight];
  const gap = 14;
  const below = top + gap + high <= innerHeight ? top + gap : Math.max(top - gap - high, 0);
  card.style.left = `${Math.max(Math.min(left + gap, innerWidth - wide - 2), 0)}px`;
  card.style.top = `${Math.min(below, Math.max(innerHeight - high, 0))}px`;
}

function hideCard() {
  card.hidden = true;
}

function cardOf(group) {
  const box = group.getBoundingClientRect();
  showCard(group, box.left + box.width / 2, Math.min(box.bottom - 8, innerHeight));
}

// Edges are thin: what lies a few pixels from the pointer counts as under it.
function under(left, top) {
  for (const reach of [0, 3, 6])
    for (const [right, down] of [[0, 0], [0, 1], [0, -1], [1, 0], [-1, 0]]) {
      const group = document.elementFromPoint(left + reach * right, top + reach * down)?.closest("[data-says]");
      if (group) return group;
    }
  return null;
}

// ---- Pointers: one pans, two zoom, a tap shows the card or opens.

const pointers = new Map();
let moved = 0;

stage.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (!pointers.size) moved = 0;
  pointers.set(event.pointerId, event);
  document.documentElement.classList.toggle("touched", event.pointerType === "touch");
});

stage.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) {
    const group = under(event.clientX, event.clientY);
    if (group) showCard(group, event.clientX, event.clientY);
    else hideCard();
    return;
  }
  const [right, down] = [event.clientX - before.clientX, event.clientY - before.clientY];
  moved += Math.hypot(right, down);
  const [other] = [...pointers.values()].filter((pointer) => pointer.pointerId !== event.pointerId);
  pointers.set(event.pointerId, event);
  if (moved < 4) return;
  hideCard();
  stage.setPointerCapture(event.pointerId);
  stage.classList.add("dragged");
  if (!other) return pan(-right, -down);
  const apart = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
  const between = [event.clientX + other.clientX, event.clientY + other.clientY].map((sum) => sum / 2);
  pan(-right / 2, -down / 2);
  zoom(apart(event) / Math.max(apart(before), 1), ...between);
});

for (const end of ["pointerup", "pointercancel"])
  stage.addEventListener(end, (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (!pointers.size) stage.classList.remove("dragged");
    if (end === "pointercancel" || moved >= 4) return;
    const group = under(event.clientX, event.clientY);
    if (group?.dataset.opens) open(Number(group.dataset.opens));
    else if (group) showCard(group, event.clientX, event.clientY);
    else hideCard();
  });

stage.addEventListener("pointerleave", (event) => {
  if (event.pointerType === "mouse") hideCard();
});

// In a frame the wheel scrolls the page around it, until somebody clicks into the frame.
stage.addEventListener("wheel", (event) => {
  if (framed && !event.ctrlKey && !event.metaKey && !document.hasFocus()) return;
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002) * (event.ctrlKey ? 4 : 1)), event.clientX, event.clientY);
}, { passive: false });

stage.addEventListener("dblclick", (event) => zoom(2, event.clientX, event.clientY));

// ---- Keys: arrows go from part to part, with Shift they pan.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function neighbour(group, [right, down]) {
  const [fromX, fromY] = middle(group);
  const far = (other) => {
    const [toX, toY] = middle(other);
    const [along, aside] = right ? [(toX - fromX) * right, toY - fromY] : [(toY - fromY) * down, toX - fromX];
    return along > 0.5 ? along + 2 * Math.abs(aside) : Infinity;
  };
  const others = levels[number].parts.map((other) => [far(other), other]).filter(([distance]) => distance < Infinity);
  return others.reduce((best, other) => other[0] < best[0] ? other : best, [Infinity, group])[1];
}

function focus(group) {
  svg.querySelectorAll('[tabindex="0"]').forEach((other) => other.setAttribute("tabindex", -1));
  group.setAttribute("tabindex", 0);
  group.focus({ preventScroll: true });
}

stage.addEventListener("focusin", (event) => {
  const group = event.target.closest("[data-says]");
  if (!group?.matches(":focus-visible")) return;
  const box = group.getBoundingClientRect();
  if (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight) show(group);
  cardOf(group);
});
stage.addEventListener("focusout", hideCard);

const DO = { in: () => zoom(1.5), out: () => zoom(1 / 1.5), fit };
const KEYS = { "+": DO.in, "=": DO.in, "-": DO.out, "0": DO.fit, "/": () => search.focus() };

document.addEventListener("keydown", (event) => {
  if (event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
  const group = event.target.closest("[data-says]");
  const arrow = ARROWS[event.key];
  if (arrow && event.shiftKey) pan(arrow[0] * 60, arrow[1] * 60);
  else if (arrow && group) focus(neighbour(group, arrow));
  else if (arrow) pan(arrow[0] * 60, arrow[1] * 60);
  else if (["Enter", " "].includes(event.key) && group?.dataset.opens) {
    open(Number(group.dataset.opens));
    levels[number].parts[0]?.focus();
  } else if (event.key === "Escape" && card.hidden && number) open(levels[number].parent);
  else if (event.key === "Escape") hideCard();
  else if (KEYS[event.key] && !["BUTTON", "INPUT"].includes(event.target.tagName)) KEYS[event.key]();
  else return;
  event.preventDefault();
});

for (const button of document.querySelectorAll("[data-do]"))
  button.addEventListener("click", DO[button.dataset.do]);

// ---- Search, in all levels.

let hits = [];
let hit = -1;

function says(group) {
  const texts = [...group.querySelectorAll("text")].map((text) => text.textContent);
  return [group.dataset.says.split("\n", 1)[0], ...texts].join("\n").replaceAll("\u00a0", " ").toLowerCase();
}

function find() {
  for (const { group } of hits) group.classList.remove("hit");
  const wanted = search.value.trim().toLowerCase();
  const all = [number, ...levels.keys()].filter((other, place) => place === 0 || other !== number);
  const groups = wanted ? all.flatMap((other) => levels[other].parts.map((group) => ({ other, group }))) : [];
  hits = groups.filter(({ group }) => says(group).includes(wanted));
  for (const { group } of hits) group.classList.add("hit");
  hit = -1;
  found.textContent = wanted ? "none" : "";
  if (hits.length) go(1);
}

function go(steps) {
  if (!hits.length) return;
  hit = (hit + steps + hits.length) % hits.length;
  const { other, group } = hits[hit];
  if (other !== number) open(other);
  show(group);
  cardOf(group);
  found.textContent = `${hit + 1} of ${hits.length}`;
}

search.addEventListener("input", find);
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
  else if (event.key === "Escape") {
    search.value = "";
    find();
    fit();
    hideCard();
  } else return;
  event.preventDefault();
});

levels.forEach(prepare);
open(0);
new ResizeObserver(() => {
  if (scale <= whole) fit();
  else look();
  hints();
}).observe(stage);
