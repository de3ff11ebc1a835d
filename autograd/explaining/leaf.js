// The form of one Value's number: a leaf's can be changed, by typing it or by a slider.

const STEPS = 200;  // of the slider, to each side of 0: it counts them, since numbers may be too small for its own step

class LeafForm {
  constructor(data, calculation, lines, changed) {
    Object.assign(this, { data, calculation, lines, changed, ranges: new Map() });
    [this.number, this.drag, this.back, this.said] = ["number", "drag", "reset", "said"].map(byId);
    this.number.addEventListener("change", () => this.type(this.number.value));
    this.drag.addEventListener("input", () => this.set(this.drag.value / STEPS * this.most));
    this.back.addEventListener("click", () => this.reset());
    byId("leaf").addEventListener("submit", (event) => event.preventDefault());
  }

  choose(variable) {
    this.variable = variable;
    this.say(this.refusal() ?? "");
  }

  say(text, isInvalid = false) {
    this.said.textContent = text;
    if (isInvalid) this.number.setAttribute("aria-invalid", "true");
    else this.number.removeAttribute("aria-invalid");
  }

  // ---- Changes.

  type(text) {
    const read = numberIn(text);
    const kept = `${this.data.names[this.variable]} keeps ${repr(this.calculation.value(this.variable))}.`;
    if (typeof read === "number") this.set(read);
    else this.say(`${read} ${kept}`, true);
  }

  set(number) {
    if (this.refusal()) return;
    this.calculation.edit(this.variable, number);
    this.say(this.consequence());
    this.changed();
  }

  reset() {
    this.calculation.reset();
    this.ranges.clear();
    this.say("All numbers are those of the engine again.");
    this.changed();
  }

  // ---- What is said.

  // Why the number cannot be changed; undefined where it can.
  refusal() {
    const { calculation, data, variable } = this;
    const name = data.names[variable];
    if (!calculation.isLeaf(variable)) return `${name} is computed: only leaves can be changed.`;
    const obstacle = calculation.obstacle(variable);
    if (!obstacle) return undefined;
    const [operation] = this.operationOf(obstacle);
    return `${name} keeps its number, and what follows from it what was recorded: ${data.names[obstacle.result]} is `
      + `computed by ${operation}, whose rules cannot be computed on this page.`;
  }

  // What became of the result, and where an operation has no finite number.
  consequence() {
    const { calculation, data, variable, lines } = this;
    const written = (of) => `${data.names[of]} = ${lines.short(calculation.value(of))}`;
    const gradient = `${lines.grad(variable)} = ${lines.short(calculation.adjoint(variable))}`;
    const result = `${written(variable)}: ${written(calculation.output)}, ${gradient}.`;
    const { failure } = calculation;
    if (!failure) return result;
    const [operation, domain] = this.operationOf(failure);
    const number = `${data.names[failure.result]} is ${lines.short(calculation.value(failure.result))}`;
    const expected = domain ? ` (it expects ${domain})` : "";
    return `${result} ${number}: ${operation} has no finite number there${expected}. This page goes on as a tape does, `
      + "by the rules of IEEE 754; Values raise an error where Python's math does.";
  }

  // The name of an instruction's operation, and its domain in words.
  operationOf(instruction) {
    const { data, calculation } = this;
    return data.operations[data.instructions[calculation.instructions.indexOf(instruction)][1]];
  }

  // ---- What is seen.

  show() {
    const number = this.calculation.value(this.variable);
    this.most = this.range(number);
    this.number.disabled = this.drag.disabled = this.refusal() !== undefined;
    this.back.disabled = !this.calculation.isEdited;
    if (!this.number.hasAttribute("aria-invalid")) this.number.value = repr(number);
    const value = Number.isFinite(number) ? number / this.most * STEPS : 0;
    Object.assign(this.drag, { min: -STEPS, max: STEPS, step: 1, value });
    this.drag.setAttribute("aria-valuetext", this.lines.short(number));
  }

  // How far a slider goes, to both sides of 0: by the leaf's own number; further where another is typed in.
  range(number) {
    const most = this.ranges.get(this.variable) ?? range(this.calculation.recorded.values[this.variable]);
    this.ranges.set(this.variable, Math.abs(number) > most ? range(number) : most);
    return this.ranges.get(this.variable);
  }
}

// Twice the size of a number, or of 1, as far as floats go, and no less than makes each step another float.
function range(number) {
  const size = Number.isFinite(number) && number !== 0 ? Math.abs(number) : 1;
  return Math.min(Math.max(2 * size, STEPS * Number.MIN_VALUE), Number.MAX_VALUE);
}

// A number that is written in a text; what is wrong with it, in words, where there is none.
function numberIn(text) {
  const trimmed = text.trim().replaceAll("−", "-");
  const shown = `“${cut(trimmed)}”`;
  const named = /^([+-]?)(inf|infinity)$/i.exec(trimmed);
  if (named) return named[1] === "-" ? -Infinity : Infinity;
  if (/^nan$/i.test(trimmed)) return NaN;
  if (trimmed === "") return "A number is expected, such as -0.5 or 1e-3.";
  if (/^[+-]?\d+,\d+$/.test(trimmed)) {
    return `${shown} is no number here: write a point, ${cut(trimmed.replace(",", "."))}.`;
  }
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) {
    return `${shown} is no number; expected one such as -0.5 or 1e-3.`;
  }
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : `${shown} is beyond the largest float, 1.8e308; for infinity write inf.`;
}

function cut(text) {
  return text.length > 24 ? `${text.slice(0, 24)}…` : text;
}
