// The drawing of the graph, as it is at a step: what is not known yet, what happens, and the numbers by then.

const SIGNS = { "-1": "negative", 0: "zero", 1: "positive" };
const signOf = (number) => SIGNS[Math.sign(number) || 0];  // nan has none
const KINDS = ["unknown", "unreached", "dimmed", "active", "source", "on-path"];
const COLUMN = 0.602;  // of the font's size, as pictures measure text
const MARGIN = 3;  // at least, between a number and the outline of its box

class Graph {
  constructor(data, calculation, schedule) {
    Object.assign(this, { data, calculation, schedule });
    const { svg, named } = drawn(data.picture);
    this.svg = svg;
    this.named = named;
    this.flows = data.flows;  // how wide edges are: [thinnest, widest]
    this.pieces = [
      ...data.names.map((_, variable) => this.box(variable)),
      ...calculation.instructions.flatMap((_, k) => this.operation(k)),
    ];
    this.addRoles();
    svg.addEventListener("pointerover", ({ target }) => this.hover(target));
    this.refresh();
  }

  // ---- Which steps matter to a piece.

  box(variable) {
    const { schedule } = this;
    const known = schedule.computed(variable);
    const backward = schedule.byParent.get(variable).map(([step]) => step);
    const used = schedule.byParent.get(variable).map(([, { node }]) => schedule.computed(node));
    const made = [...(known ? [known] : []), ...(variable === schedule.output ? [schedule.seed] : [])];
    return { ...this.named.get(`v${variable}`), variable, isPlace: true, gradient: null, known, reached: schedule.reached(variable),
      active: new Set([...made, ...backward]),
      source: new Set([...used, ...(schedule.byNode.get(variable) ?? [])]) };
  }

  // The circle of an instruction, the edge from it to its box, and those from its operands.
  operation(k) {
    const { schedule, calculation } = this;
    const { result, parents } = calculation.instructions[k];
    const known = schedule.computed(result);
    const backward = schedule.byNode.get(result);
    const whole = { known, reached: backward[0], active: new Set([known, ...backward]), source: new Set() };
    const circle = { ...this.named.get(`o${result}`), ...whole, isPlace: true };
    const out = { ...this.named.get(`o${result} v${result}`), ...whole, node: result };
    const operands = parents.map((parent, place) => ({ ...this.named.get(`v${parent} o${result} ${place}`),
      node: result, k, place, known, reached: backward[place], active: new Set([known, backward[place]]), source: new Set() }));
    return [circle, out, ...operands];
  }

  // ---- What is seen.

  show(step) {
    this.step = step;
    this.happening = [];  // boxes and circles
    const begun = step >= this.schedule.seed;
    for (const piece of this.pieces) {
      const unknown = step < piece.known;
      const unreached = step < piece.reached;
      const active = piece.active.has(step);
      const is = [unknown, unreached, unknown || (begun && unreached), active, piece.source.has(step), piece.onPath];
      const kinds = is.reduce((bits, kind, i) => bits | (kind ? 1 << i : 0), 0);
      if (piece.kinds !== kinds) piece.element.setAttribute("class", KINDS.filter((_, i) => is[i]).join(" "));
      piece.kinds = kinds;
      if (active && piece.isPlace) this.happening.push(piece.element);
      if ("variable" in piece) this.showGradient(piece, step);
    }
  }

  showGradient(piece, step) {
    const gradient = this.schedule.gradient(piece.variable, step);
    if (Object.is(piece.gradient, gradient)) return;
    piece.gradient = gradient;
    write(piece.texts.grad, gradient === undefined ? "" : `grad ${general(gradient, 4)}`, this.roomOf(piece));
    piece.texts.grad.setAttribute("fill", `var(--gradient-${signOf(gradient)})`);
  }

  // After an edit: all numbers, and the flows' signs and sizes.
  refresh() {
    const { calculation } = this;
    const flows = this.pieces.map((piece) => this.flow(piece));
    const largest = flows.reduce((most, flow) => (Number.isFinite(flow) ? Math.max(most, Math.abs(flow)) : most), 0);
    this.pieces.forEach((piece, i) => {
      if ("variable" in piece) {
        write(piece.texts.data, `data ${general(calculation.value(piece.variable), 4)}`, this.roomOf(piece));
      } else if ("node" in piece) {
        this.showFlow(piece, flows[i], largest);
      }
    });
    if (this.step !== undefined) this.show(this.step);
  }

  // What goes back along an edge; of a box, its gradient.
  flow({ variable, node, k, place }) {
    const adjoint = this.calculation.adjoint(variable ?? node ?? 0);
    return k === undefined ? adjoint : this.calculation.instructions[k].derivatives[place] * adjoint;
  }

  showFlow({ element: group, k, place }, flow, largest) {
    const colour = `var(--flow-${signOf(flow)})`;
    const [thinnest, widest] = this.flows;
    const size = largest && !Number.isNaN(flow) ? Math.min(Math.abs(flow) / largest, 1) : 0;
    for (const stroke of group.querySelectorAll("path, polyline")) {
      stroke.setAttribute("stroke", colour);
      stroke.setAttribute("stroke-width", (thinnest + (widest - thinnest) * Math.sqrt(size)).toFixed(2));
    }
    if (k === undefined) return;
    write(group.querySelector("text"), general(this.calculation.instructions[k].derivatives[place], 4));
  }

  // For a number in a box, with its word, from where it begins to where the box ends.
  roomOf(piece) {
    const of = (element, name) => Number(element.getAttribute(name));
    const box = piece.element.querySelector("rect");
    piece.room ??= of(box, "x") + of(box, "width") - of(piece.texts.data, "x") - MARGIN;
    return piece.room;
  }

  // ---- Choosing a box, by pointer or by keyboard: one of them is in the order of Tab, and arrows lead to the others.

  addRoles() {
    const { data, svg } = this;
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", `The graph of ${data.names.at(-1)}; the table below says what it shows`);
    this.pieces.filter(({ variable }) => variable !== undefined).forEach(({ element: box, variable }) => {
      box.setAttribute("role", "button");
      box.setAttribute("tabindex", variable ? -1 : 0);
    });
  }

  variableOf(target) {
    const name = target.closest?.("[role=button][data-name]")?.dataset.name;
    return name === undefined ? undefined : Number(name.slice(1));
  }

  focus(variable) {
    const box = this.named.get(`v${variable}`)?.element;
    if (!box) return;
    for (const other of this.svg.querySelectorAll("[tabindex='0']")) other.setAttribute("tabindex", -1);
    box.setAttribute("tabindex", 0);
    box.focus();
  }

  // Marks boxes, circles and edges by their names, and no others.
  mark(names) {
    for (const piece of this.pieces) piece.onPath = names.has(piece.element.dataset.name);
    this.show(this.step);
  }

  // What a pointer points at says its numbers in full, as far as they are known.
  hover(target) {
    const group = target.closest("[data-name]");
    const piece = this.pieces.find(({ element: own }) => own === group);
    if (!piece) return;
    let title = [...group.children].find(({ tagName }) => tagName === "title");
    if (!title) group.prepend(title = svgElement("title", {}));
    title.textContent = this.inFull(piece).join("\n");
  }

  inFull({ variable, node, k, place, known, reached }) {
    const { calculation, data, step } = this;
    if (step < known) return [];
    if (variable !== undefined) {
      const gradient = step >= this.schedule.complete(variable) ? [`grad ${repr(calculation.adjoint(variable))}`] : [];
      return [data.remarks[variable] ?? data.names[variable], `data ${repr(calculation.value(variable))}`, ...gradient];
    }
    if (node === undefined) return [];
    const gradient = repr(calculation.adjoint(node));
    if (k === undefined) return step >= reached ? [`gradient ${gradient}`] : [];
    const derivative = calculation.instructions[k].derivatives[place];
    const product = derivative === 1 ? "" : ` = ${repr(derivative * calculation.adjoint(node))}`;
    return [`local derivative ${repr(derivative)}`, ...(step >= reached ? [`× gradient ${gradient}${product}`] : [])];
  }
}

// Writes a text, pressed together where it has less room than it needs.
function write(text, content, room = Infinity) {
  if (text.textContent === content) return;
  text.textContent = content;
  const wide = content.length * COLUMN * Number(text.getAttribute("font-size"));
  if (wide <= room) text.removeAttribute("textLength");
  else text.setAttribute("textLength", room.toFixed(1));
  text.setAttribute("lengthAdjust", "spacingAndGlyphs");
}
