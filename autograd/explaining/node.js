// The panel of one Value: its number, to be changed if it is a leaf, and its paths to the result.

const MOST_PATHS = 5;
const MOST_STOPS = 7;  // of a path; of longer ones the first and the last are shown

class NodePanel {
  constructor(data, calculation, lines, graph, changed) {
    Object.assign(this, { data, calculation, lines, graph, changed, ranges: new Map() });
    this.parts = Object.fromEntries(["node", "number", "drag", "reset", "said", "paths", "leaf"].map((id) => [id, byId(id)]));
    const { node, number, drag, reset, leaf } = this.parts;
    node.append(...data.names.map((name, variable) => new Option(this.named(variable), variable)));
    node.addEventListener("change", () => this.choose(Number(node.value)));
    number.addEventListener("change", () => this.type(number.value));
    leaf.addEventListener("submit", (event) => event.preventDefault());
    drag.addEventListener("input", () => this.set(Number(drag.value)));
    reset.addEventListener("click", () => this.reset());
  }

  named(variable) {
    const remark = this.data.remarks[variable];
    return this.data.names[variable] + (remark ? ` “${remark}”` : "");
  }

  // Its paths are marked in the drawing, but for the Value that the page begins with.
  choose(variable, isMarked = true) {
    this.variable = variable;
    this.path = null;
    this.isMarked = isMarked;
    const { node, said, number } = this.parts;
    node.value = variable;
    said.textContent = this.refusal() ?? "";
    number.removeAttribute("aria-invalid");
    this.show();
  }

  unmark() {
    this.isMarked = false;
    this.mark();
  }

  // ---- A leaf's number.

  // Why the number cannot be changed; undefined where it can.
  refusal() {
    const { calculation, data } = this;
    const name = data.names[this.variable];
    if (!calculation.isLeaf(this.variable)) return `${name} is computed: only leaves can be changed.`;
    const obstacle = calculation.obstacle(this.variable);
    if (!obstacle) return undefined;
    const [, row] = data.instructions[calculation.instructions.indexOf(obstacle)];
    return `${name} keeps its number, and what follows from it what was recorded: ${data.names[obstacle.result]} is computed by `
      + `${data.operations[row][0]}, whose rules cannot be computed on this page.`;
  }

  type(text) {
    const { number, said } = this.parts;
    const read = numberIn(text);
    if (typeof read === "number") {
      this.set(read);
      return;
    }
    number.setAttribute("aria-invalid", "true");
    said.textContent = `${read} ${this.data.names[this.variable]} keeps ${repr(this.calculation.value(this.variable))}.`;
  }

  set(number) {
    if (this.refusal()) return;
    this.calculation.edit(this.variable, number);
    this.changed();
    this.parts.number.removeAttribute("aria-invalid");
    this.parts.said.textContent = this.consequence();
  }

  reset() {
    this.calculation.reset();
    this.ranges.clear();
    this.changed();
    this.parts.number.removeAttribute("aria-invalid");
    this.parts.said.textContent = "All numbers are those of the engine again.";
  }

  // What became of the result, and where an operation has no finite number.
  consequence() {
    const { calculation, data } = this;
    const name = (variable) => data.names[variable];
    const short = (number) => general(number, data.digits);
    const result = `${name(this.variable)} = ${short(calculation.value(this.variable))}: ${name(calculation.output)} = `
      + `${short(calculation.value(calculation.output))}, ${this.lines.grad(this.variable)} = `
      + `${short(calculation.adjoint(this.variable))}.`;
    const { failure } = calculation;
    if (!failure) return result;
    const [operation, domain] = data.operations[data.instructions[calculation.instructions.indexOf(failure)][1]];
    return `${result} ${name(failure.result)} is ${short(calculation.value(failure.result))}: ${operation} has no finite number `
      + `there${domain ? ` (it expects ${domain})` : ""}. This page goes on as a tape does, by the rules of IEEE 754; Values `
      + "raise an error where Python's math does.";
  }

  // ---- What is seen.

  show() {
    const { calculation, parts, variable } = this;
    const isFixed = this.refusal() !== undefined;
    parts.number.disabled = parts.drag.disabled = isFixed;
    parts.reset.disabled = !calculation.isEdited;
    const number = calculation.value(variable);
    if (parts.number.getAttribute("aria-invalid") !== "true") parts.number.value = repr(number);
    const [least, most] = this.range(number);
    Object.assign(parts.drag, { min: least, max: most, step: (most - least) / 400, value: Number.isFinite(number) ? number : 0 });
    parts.drag.setAttribute("aria-valuetext", general(number, this.data.digits));
    this.showPaths();
  }

  // A slider's range is about the leaf's own number; it grows where another is typed in.
  range(number) {
    const recorded = this.calculation.recorded.values[this.variable];
    let [least, most] = this.ranges.get(this.variable) ?? around(recorded);
    if (number < least || number > most) [least, most] = around(number);
    this.ranges.set(this.variable, [least, most]);
    return [least, most];
  }

  showPaths() {
    const { calculation, data, variable, parts } = this;
    const { count, paths } = pathsFrom(calculation, variable, MOST_PATHS);
    const grad = this.lines.grad(variable);
    const result = data.names[calculation.output];
    const short = (number) => general(number, data.digits);
    const gradient = short(calculation.adjoint(variable));
    const head = paragraph(variable === calculation.output ? `${grad} = 1: it is the result.`
      : count === 1n ? `One path leads from ${data.names[variable]} to ${result}. The product of its local derivatives is ${grad}.`
        : `${count.toLocaleString("en")} paths lead from ${data.names[variable]} to ${result}. The products of their local `
          + `derivatives add up to ${grad} = ${gradient}.`);
    const list = document.createElement("ol");
    if (variable !== calculation.output) list.append(...paths.map((path) => this.pathItem(path)));
    const listed = paths.reduce((sum, { product }) => sum + product, 0);
    const more = count - BigInt(paths.length);
    const rest = more > 0n ? [paragraph(`and ${more.toLocaleString("en")} more ${more === 1n ? "path" : "paths"}, together `
      + `${short(calculation.adjoint(variable) - listed)}`)] : [];
    parts.paths.replaceChildren(head, list, ...rest);
    this.mark();
  }

  pathItem({ product, edges }) {
    const { calculation, data } = this;
    const write = (number) => general(number, data.digits);
    const stops = [this.variable, ...edges.map(({ k }) => calculation.instructions[k].result)].map((stop) => data.names[stop]);
    const factors = edges.map(({ k, place }) => inBrackets({ grouped: calculation.instructions[k].derivatives[place] }, write));
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = elided(stops).join(" → ");
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => this.choosePath(button, edges));
    const code = document.createElement("code");
    const formula = elided(factors).join(" * ");
    code.textContent = factors.length > 1 ? `${formula} = ${write(product)}` : formula;
    item.append(button, " ", code);
    return item;
  }

  // One path alone is marked, until it is chosen again.
  choosePath(button, edges) {
    this.isMarked = true;
    const isPressed = button.getAttribute("aria-pressed") === "true";
    for (const other of this.parts.paths.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(!isPressed));
    this.path = isPressed ? null : edges;
    this.mark();
  }

  // All that lies on paths to the result, or on the one path.
  mark() {
    const { calculation, variable, path } = this;
    if (!this.isMarked) {
      this.graph.mark(new Set());
      return;
    }
    const names = new Set([`v${variable}`]);
    const depending = calculation.dependingOn(variable);
    calculation.instructions.forEach(({ result, parents }, k) => parents.forEach((parent, place) => {
      const isOn = path ? path.some((edge) => edge.k === k && edge.place === place) : depending.has(parent);
      const onPath = [`v${parent} o${result} ${place}`, `o${result}`, `o${result} v${result}`, `v${result}`];
      if (isOn) onPath.forEach((name) => names.add(name));
    }));
    this.graph.mark(names);
  }
}

// A number that is written in a text; what is wrong with it, in words, where there is none.
function numberIn(text) {
  const trimmed = text.trim().replace("−", "-");
  if (trimmed === "") return "A number is expected, such as -0.5 or 1e-3.";
  const named = /^([+-]?)(inf|infinity)$/i.exec(trimmed);
  if (named) return named[1] === "-" ? -Infinity : Infinity;
  if (/^nan$/i.test(trimmed)) return NaN;
  const shown = `“${trimmed.slice(0, 24)}${trimmed.length > 24 ? "…" : ""}”`;
  if (/^[+-]?\d+,\d+$/.test(trimmed)) return `${shown} is no number here: write a point, ${trimmed.replace(",", ".").slice(0, 24)}.`;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return `${shown} is no number; expected one such as -0.5 or 1e-3.`;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : `${shown} is beyond the largest float, 1.8e308; for infinity write inf.`;
}

// From -2 to 2 times the size of a number, or about 0, as far as floats go.
function around(number) {
  const size = Number.isFinite(number) && number !== 0 ? Math.abs(number) : 1;
  const most = Math.min(2 * size, Number.MAX_VALUE / 4);
  return [-most, most];
}

function elided(stops) {
  return stops.length <= MOST_STOPS ? stops : [...stops.slice(0, MOST_STOPS - 2), "…", stops.at(-1)];
}

function paragraph(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}
