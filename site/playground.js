// The playground: settings, the training and its three phases, and what of it is shown.

import { ACTIVATIONS, Network, OPTIMIZERS } from "./network.js";
import { PATTERNS, frame, points } from "./data.js";
import { Plane } from "./plane.js";
import { NetworkPicture } from "./network_picture.js";
import { drawLosses } from "./losses.js";
import { keepOffline } from "./offline.js";

const at = (id) => document.getElementById(id);
const MOST_LAYERS = 4;
const MOST_NEURONS = 16;
const FRAME = 25; // milliseconds of training between two pictures
const BETWEEN_MAPS = 150; // milliseconds at least between two pictures of what each neuron says
const NOTHING_POINTED_AT = at("card").textContent;

const state = {
  step: 0,
  place: 0, // of the next batch's first point
  phase: "update", // the one that was done last: the next is forward
  losses: [],
  chosen: 0, // the example that the network is shown for
  isTraining: false,
};

const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

// ---- Settings

const WHOLE = { count: [2, 500], batch: [1, 500], seed: [0, 2 ** 32 - 1] };
const REAL = { noise: [0, 1], rate: [0, Number.MAX_VALUE] };

/** The settings as they stand in the form. Throws an Error that says which one is wrong, and what is expected. */
function settings() {
  const found = {};
  for (const [name, [least, most]] of Object.entries({ ...WHOLE, ...REAL })) {
    const number = at(name).value.trim() === "" ? NaN : Number(at(name).value);
    const label = at(name).labels[0].textContent.trim();
    const kind = name in WHOLE ? "a whole number" : "a number";
    if (!(number >= least && number <= most) || (name in WHOLE && !Number.isInteger(number))) {
      const range = most === Number.MAX_VALUE ? `of at least ${least}` : `from ${least} to ${most}`;
      throw new Error(`${label}: expected ${kind} ${range}, got “${at(name).value}”.`);
    }
    found[name] = number;
  }
  const text = at("hidden").value.trim();
  found.hidden = text === "" ? [] : text.split(/[\s,]+/).map(Number);
  const fits = (size) => Number.isInteger(size) && size >= 1 && size <= MOST_NEURONS;
  if (found.hidden.length > MOST_LAYERS || !found.hidden.every(fits)) {
    throw new Error(`Hidden layers: expected up to ${MOST_LAYERS} numbers from 1 to ${MOST_NEURONS}, such as 16, 16, ` +
      `got “${text}”.`);
  }
  for (const name of ["pattern", "activation", "optimizer"]) found[name] = at(name).value;
  return found;
}

/** Reads the form; what is wrong there is said, and all stays as it was. */
function accepted() {
  try {
    Object.assign(state, { settings: settings() });
    at("refused").hidden = true;
    return true;
  } catch (error) {
    at("refused").textContent = error.message;
    at("refused").hidden = false;
    return false;
  }
}

// ---- Training

/** A setting has changed: the network that no longer fits makes room for a new one. */
function change() {
  const before = state.settings;
  if (!accepted()) return;
  const differs = (name) => String(state.settings[name]) !== String(before[name]);
  if (["pattern", "count", "noise", "hidden", "activation", "seed"].some(differs)) return startOver();
  if (differs("optimizer")) renewOptimizer();
}

function startOver() {
  pause();
  if (!accepted()) return;
  const { pattern, count, noise, seed, hidden, activation } = state.settings;
  state.points = points(pattern, count, noise, seed);
  state.network = new Network([2, ...hidden, 1], activation, seed);
  Object.assign(state, { step: 0, place: 0, phase: "update", losses: [], chosen: Math.min(state.chosen, count - 1) });
  renewOptimizer();
  state.plane = new Plane(at("plane"), state.points, frame(state.points));
  state.picture = new NetworkPicture(at("network"), state.network, state.plane.frame, tell);
  tell(NOTHING_POINTED_AT); // no longer the numbers of the network before
  say(`A new network: ${counted(state.network.parameters.length, "parameter")}.`);
  show(true);
}

function renewOptimizer() {
  state.optimize = OPTIMIZERS[state.settings.optimizer]();
}

/** The next points of the batch; after the last comes the first again. */
function nextBatch() {
  const { points: all, settings: { batch } } = state;
  const size = Math.min(batch, all.length);
  const chosen = Array.from({ length: size }, (_, i) => all[(state.place + i) % all.length]);
  state.place = (state.place + size) % all.length;
  return chosen;
}

const PHASES = {
  forward() {
    state.batch = nextBatch();
    const losses = state.batch.map(({ at: point, target }) => state.network.forward(point, target));
    state.loss = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    return `Forward: the mean loss of ${counted(state.batch.length, "example")} is ${state.loss.toPrecision(6)}.`;
  },
  backward() {
    ({ gradient: state.gradient } = state.network.gradient(state.batch));
    const largest = Math.max(...state.gradient.map(Math.abs));
    return `Backward: the largest derivative by a parameter has the size ${largest.toPrecision(6)}.`;
  },
  update() {
    const before = state.network.numbers;
    state.network.set(state.optimize(before, state.gradient, state.settings.rate));
    state.losses.push(state.loss);
    state.step += 1;
    const moves = state.network.numbers.map((number, i) => Math.abs(number - before[i]));
    return `Update: step ${state.step} is done; the largest move of a parameter is ${Math.max(...moves).toPrecision(6)}.`;
  },
};
const NEXT = { update: "forward", forward: "backward", backward: "update" };

function advance() {
  state.phase = NEXT[state.phase];
  const told = PHASES[state.phase]();
  if (Number.isFinite(state.loss)) return told;
  pause();
  return `${told} The loss is no longer finite: the learning rate is too large. Start over with a smaller one.`;
}

/** What is left of a step. */
function step() {
  let told;
  do told = advance(); while (state.phase !== "update" && Number.isFinite(state.loss));
  return told;
}

function phase() {
  pause();
  say(advance());
  show(true);
}

function play() {
  state.isTraining = true;
  at("play").textContent = "Pause";
  const frames = () => {
    const end = performance.now() + FRAME;
    let told;
    do told = step(); while (performance.now() < end && state.isTraining);
    say(state.isTraining ? `Step ${state.step}: the mean loss was ${state.loss.toPrecision(6)}.` : told);
    show(!state.isTraining);
    if (state.isTraining) state.frame = requestAnimationFrame(frames);
  };
  state.frame = requestAnimationFrame(frames);
}

function pause() {
  state.isTraining = false;
  cancelAnimationFrame(state.frame); // else a frame that waits would go on beside those of the next play()
  at("play").textContent = "Train";
}

// ---- What is shown

/** A sentence for the reader; while the network trains, not for screen readers, which it would keep busy. */
function say(text, id = "status") {
  at(id).setAttribute("aria-live", state.isTraining ? "off" : "polite");
  if (at(id).textContent !== text) at(id).textContent = text;
}

function tell(text) {
  say(text, "card");
}

let mapped = 0; // when the maps were drawn

function show(isWhole) {
  const { network, plane, picture, points: all, chosen, losses } = state;
  const now = performance.now();
  if (isWhole || now - mapped > BETWEEN_MAPS) {
    const maps = plane.maps(network);
    plane.draw(maps.get(network.logit), chosen);
    picture.drawMaps(maps);
    mapped = performance.now();
  }
  network.forward(all[chosen].at, all[chosen].target);
  network.backward();
  picture.drawNumbers(all[chosen]);
  drawLosses(at("losses"), losses);
  at("backward").disabled = state.phase !== "forward";
  at("update").disabled = state.phase !== "backward";
  at("forward").disabled = state.phase !== "update";
  if (at("as-python").open) at("program").textContent = program();
}

/** The same number in Python, to the bit. */
function literal(number) {
  if (Number.isNaN(number)) return 'float("nan")';
  if (!Number.isFinite(number)) return `float("${number < 0 ? "-" : ""}inf")`;
  const text = Object.is(number, -0) ? "-0" : String(number);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** The network, its data and its loss as a program for the engine. */
function program() {
  const { network, points: all, settings: { activation } } = state;
  const list = (numbers) => numbers.map(literal).join(", ");
  const data = all.map(({ at: point, target }) => `    ([${list(point)}], ${target}),`);
  return `import autograd
from nn import MLP, binary_cross_entropy

model = MLP(2, [${network.sizes.slice(1).join(", ")}], activation=autograd.${activation})
numbers = [${list(network.numbers)}]
for parameter, number in zip(model.parameters(), numbers):
    parameter.data = number
examples = [
${data.join("\n")}
]
loss = autograd.sum([binary_cross_entropy(model(x), target) for x, target in examples]) / len(examples)
loss.backward()
print(loss.data)
`;
}

// ---- The beginning

function begin() {
  for (const [id, names] of [["pattern", Object.keys(PATTERNS)], ["activation", ACTIVATIONS],
    ["optimizer", Object.keys(OPTIMIZERS)]]) {
    for (const name of names) at(id).append(new Option(name));
  }
  at("settings").onchange = change;
  at("settings").onsubmit = (event) => event.preventDefault();
  at("play").onclick = () => {
    if (!state.isTraining) return play();
    pause();
    say(`Paused after ${counted(state.step, "step")}.`);
    show(true);
  };
  at("step").onclick = () => {
    pause();
    say(step());
    show(true);
  };
  for (const name of ["forward", "backward", "update"]) at(name).onclick = phase;
  at("restart").onclick = startOver;
  at("plane").onclick = (event) => choose(state.plane.nearest(event.offsetX, event.offsetY));
  at("plane").onkeydown = (event) => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!move) return;
    event.preventDefault();
    choose((state.chosen + move + state.points.length) % state.points.length);
  };
  at("as-python").ontoggle = () => show(false);
  at("copy").onclick = () => navigator.clipboard?.writeText(at("program").textContent).then(() => say("Copied."));
  matchMedia("(prefers-color-scheme: dark)").onchange = () => show(true);
  startOver();
  keepOffline();
}

function choose(example) {
  state.chosen = example;
  const { at: [x, y], target } = state.points[example];
  say(`Example ${example + 1} of ${state.points.length}: (${x.toFixed(3)}, ${y.toFixed(3)}), class ${target}.`);
  show(true);
}

begin();
window.started = true; // for cannot_start.js
