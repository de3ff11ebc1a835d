// The panel of one Value: its number, and its paths to the result, which the drawing can mark.

const MOST_PATHS = 5;
const MOST_STOPS = 7;  // of a path; of longer ones the first and the last are shown

class NodePanel {
  constructor(data, calculation, lines, graph, changed) {
    Object.assign(this, { data, calculation, lines, graph });
    this.leaf = new LeafForm(data, calculation, lines, changed);
    this.select = byId("node");
    this.select.append(...data.names.map((name, variable) => new Option(name + lines.remark(variable), variable)));
    this.select.addEventListener("change", () => this.choose(Number(this.select.value)));
    this.paths = byId("paths");
  }

  // Its paths are marked in the drawing, but for the Value that the page begins with.
  choose(variable, isMarked = true) {
    Object.assign(this, { variable, isMarked, path: null });
    this.select.value = variable;
    this.leaf.choose(variable);
    this.show();
  }

  unmark() {
    this.isMarked = false;
    this.mark();
  }

  show() {
    const { count, paths } = pathsFrom(this.calculation, this.variable, MOST_PATHS);
    const list = document.createElement("ol");
    if (this.variable !== this.calculation.output) list.append(...paths.map((path) => this.item(path)));
    this.leaf.show();
    this.paths.replaceChildren(paragraph(this.head(count)), list, ...this.rest(count, paths));
    this.mark();
  }

  // ---- What is said of the paths.

  head(count) {
    const { calculation, data, variable, lines } = this;
    const [name, result, grad] = [data.names[variable], data.names[calculation.output], lines.grad(variable)];
    if (variable === calculation.output) return `${grad} = 1: it is the result.`;
    if (count === 1n) {
      return `One path leads from ${name} to ${result}. The product of its local derivatives is ${grad}.`;
    }
    return `${count.toLocaleString("en")} paths lead from ${name} to ${result}. The products of their local `
      + `derivatives add up to ${grad} = ${lines.short(calculation.adjoint(variable))}.`;
  }

  // Of the paths that are not listed, how many there are, and what they add up to.
  rest(count, paths) {
    const more = count - BigInt(paths.length);
    if (more <= 0n) return [];
    const listed = paths.reduce((sum, { product }) => sum + product, 0);
    const together = this.lines.short(this.calculation.adjoint(this.variable) - listed);
    return [paragraph(`and ${more.toLocaleString("en")} more ${more === 1n ? "path" : "paths"}, together ${together}`)];
  }

  item({ product, edges }) {
    const { instructions } = this.calculation;
    const stops = [this.variable, ...edges.map(({ k }) => instructions[k].result)].map((stop) => this.data.names[stop]);
    const factors = edges.map(({ k, place }) => this.lines.text([grouped(instructions[k].derivatives[place])]));
    const formula = factors.length > 1 ? `${elided(factors).join(" * ")} = ${this.lines.short(product)}`
      : this.lines.text([grouped(product)]);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = elided(stops).join(" → ");
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => this.choosePath(button, edges));
    const item = document.createElement("li");
    item.append(button, " ", code(formula));
    return item;
  }

  // ---- What is marked.

  // One path alone, until it is chosen again.
  choosePath(button, edges) {
    const isPressed = button.getAttribute("aria-pressed") === "true";
    for (const other of this.paths.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(!isPressed));
    Object.assign(this, { isMarked: true, path: isPressed ? null : edges });
    this.mark();
  }

  // All that lies on paths to the result, or on the one path.
  mark() {
    const { calculation, variable, path } = this;
    const names = new Set(this.isMarked ? [`v${variable}`] : []);
    const depending = calculation.dependingOn(variable);
    const isOn = (parent, k, place) => (path
      ? path.some((edge) => edge.k === k && edge.place === place) : depending.has(parent));
    if (this.isMarked) {
      calculation.instructions.forEach(({ result, parents }, k) => parents.forEach((parent, place) => {
        if (!isOn(parent, k, place)) return;
        const passed = [`v${parent} o${result} ${place}`, `o${result}`, `o${result} v${result}`, `v${result}`];
        passed.forEach((name) => names.add(name));
      }));
    }
    this.graph.mark(names);
  }
}

function elided(stops) {
  return stops.length <= MOST_STOPS ? stops : [...stops.slice(0, MOST_STOPS - 2), "…", stops.at(-1)];
}

function paragraph(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function code(text) {
  const made = document.createElement("code");
  made.textContent = text;
  return made;
}
