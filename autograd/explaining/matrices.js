// The panel of a layer: the same chain rule for all of its neurons at once, with matrices.

const MOST_ROWS = 6;  // and columns, of a matrix; of larger ones the first and the last are shown

class LayerPanel {
  constructor(data, calculation, schedule, lines) {
    Object.assign(this, { calculation, schedule, lines, data });
    this.layers = data.layers.map((layer, i) => ({ ...layer, number: i + 1 }));
    this.layer = this.layers[0];
    this.layerOf = new Map(this.layers.flatMap((layer) => [...layer.nets, ...layer.outputs].map((variable) => [variable, layer])));
    this.parts = { title: byId("layer-title"), forward: byId("layer-forward"), backward: byId("layer-backward") };
  }

  // The layer that a variable belongs to, if any, takes the panel.
  choose(variable) {
    this.layer = this.layerOf.get(variable) ?? this.layer;
  }

  show(step, write) {
    const { layer } = this;
    if (!layer) return;
    Object.assign(this, { step, write });
    const key = this.key();
    if (key === this.shown) return;
    this.shown = key;
    const { nets, inputs, activation, number } = layer;
    const neurons = `${nets.length} ${nets.length === 1 ? "neuron" : "neurons"} of ${inputs.length} ${inputs.length === 1 ? "input" : "inputs"}`;
    this.parts.title.textContent = `Layer ${number} as matrices: ${neurons}${activation ? `, ${activation}` : ""}`;
    this.parts.forward.replaceChildren(...this.forward());
    this.parts.backward.replaceChildren(...this.backward());
  }

  // What the panel depends on: not every step changes it.
  key() {
    const { layer, step, schedule } = this;
    const known = [...layer.nets, ...layer.outputs, ...layer.inputs.filter(Number.isInteger)]
      .map((variable) => (step >= schedule.complete(variable) ? 2 : step >= schedule.computed(variable) ? 1 : 0));
    return JSON.stringify([layer.number, known, step >= schedule.last, this.write.name, this.version]);
  }

  // ---- Numbers. A variable's is known from a step on; what is computed of unknown numbers is unknown.

  number(variable) {
    return Array.isArray(variable) ? Number(variable[0]) : this.calculation.value(variable);  // a list has a constant
  }

  value(variable) {
    return Array.isArray(variable) || this.step >= this.schedule.computed(variable) ? this.number(variable) : undefined;
  }

  adjoint(variable) {
    return this.step >= this.schedule.complete(variable) ? this.calculation.adjoint(variable) : undefined;
  }

  slope(output) {
    const k = this.calculation.instructionOf.get(output);
    return this.step >= this.schedule.computed(output) ? this.calculation.instructions[k].derivatives[0] : undefined;
  }

  column(variables, of) {
    return variables.map((variable) => [of.call(this, variable)]);
  }

  // ---- Equations.

  forward() {
    const { weights, inputs, biases, nets, activation, outputs, number } = this.layer;
    const [W, x, b, z, a] = ["W", "x", "b", "z", "a"].map((letter) => letter + below(number));
    const matrix = weights.map((row) => row.map((weight) => this.value(weight)));
    const equation = [named(z, this.column(nets, this.value)), " = ", named(W, matrix), named(x, this.column(inputs, this.value))];
    if (biases.length) equation.push(" + ", named(b, this.column(biases, this.value)));
    const lines = [this.line(`${z} = ${W} ${x}${biases.length ? ` + ${b}` : ""}`, equation)];
    if (activation) {
      lines.push(this.line(`${a} = ${activation}(${z})`, [named(a, this.column(outputs, this.value)), ` = ${activation}`,
        named(z, this.column(nets, this.value))]));
    }
    return lines;
  }

  backward() {
    const { nets, activation, outputs, number, inputs, weights, biases } = this.layer;
    const result = this.lines.names[this.calculation.output];
    const [W, x, b, z, d] = ["W", "x", "b", "z", "δ"].map((letter) => letter + below(number));
    const delta = named(d, this.column(nets, this.adjoint));
    const gradient = `∂${result}/∂${activation ? "a" : "z"}${below(number)}`;
    const next = this.following();
    const [formula, equation] = next ? this.throughNext(next) : [gradient, [named(gradient, this.column(outputs, this.adjoint))]];
    const prime = named(`${activation}′(${z})`, this.column(outputs, this.slope));
    const begin = `${d} = ∂${result}/∂${z}`;
    const lines = [activation ? this.line(`${begin} = ${activation}′(${z}) ∘ ${formula}`, [delta, " = ", prime, " ∘ ", ...equation])
      : next ? this.line(`${begin} = ${formula}`, [delta, " = ", ...equation]) : this.line(begin, [delta])];
    const outer = nets.map((net) => inputs.map((input) => product(this.adjoint(net), this.value(input))));
    if (weights.flat().some(Number.isInteger)) {
      lines.push(this.line(`∂${result}/∂${W} = ${d} ${x}ᵀ`, [named(`∂${result}/∂${W}`, outer), " = ", delta.cloneNode(true),
        named(`${x}ᵀ`, [inputs.map((input) => this.value(input))])]));
    }
    if (biases.some(Number.isInteger)) lines.push(this.line(`∂${result}/∂${b} = ${d}`, []));
    return lines;
  }

  // The layer that all outputs of this one are inputs of.
  following() {
    return this.layers.find(({ inputs }) => this.layer.outputs.every((output) => inputs.includes(output)));
  }

  // Wᵀ δ of the next layer; where the outputs are used elsewhere, too, what that adds.
  throughNext({ weights, inputs, nets, number }) {
    const { outputs } = this.layer;
    const [W, d] = [`W${below(number)}ᵀ`, `δ${below(number)}`];
    const columns = outputs.map((output) => weights.map((row) => row[inputs.indexOf(output)]));
    const transposed = columns.map((column) => column.map((weight) => this.value(weight)));
    const through = columns.map((column) => column.reduce((sum, weight, k) =>
      sum + this.number(weight) * this.calculation.adjoint(nets[k]), 0));
    const rest = outputs.map((output, j) => this.calculation.adjoint(output) - through[j]);
    const elsewhere = rest.some((r, j) => !(Math.abs(r) <= 1e-9 * (Math.abs(through[j]) + Math.abs(this.calculation.adjoint(outputs[j])))));
    const column = rest.map((r, j) => [this.adjoint(outputs[j]) === undefined ? undefined : r]);
    const equation = [named(W, transposed), named(d, this.column(nets, this.adjoint))];
    if (elsewhere) equation.push(" + ", named("other uses", column));
    return [elsewhere ? `(${W} ${d} + other uses)` : `${W} ${d}`, elsewhere ? ["(", ...equation, ")"] : equation];
  }

  // ---- What they look like.

  line(formula, equation) {
    const made = document.createElement("div");
    made.className = "equation";
    made.append(code(formula));
    if (equation.length) {
      const numbers = document.createElement("div");
      numbers.className = "numbers";
      numbers.append(...equation.map((part) => (typeof part === "string" ? part : this.filled(part))));
      made.append(numbers);
    }
    return made;
  }

  filled(table) {
    for (const cell of table.querySelectorAll("data")) {
      cell.textContent = cell.value === "?" ? "?" : this.write(Number(cell.value));
    }
    return table;
  }
}

const below = (number) => String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
const product = (a, b) => (a === undefined || b === undefined ? undefined : a * b);

// A matrix with its name and its shape.
function named(name, rows) {
  const table = document.createElement("table");
  table.className = "matrix";
  table.createCaption().textContent = `${name} (${rows.length}×${rows[0].length})`;
  const body = table.createTBody();
  for (const row of shortened(rows)) {
    const made = body.insertRow();
    for (const number of row === "⋮" ? shortened(rows[0]).map(() => "⋮") : shortened(row)) {
      const cell = made.insertCell();
      if (typeof number === "string") {
        cell.textContent = number === "⋮" && row !== "⋮" ? "⋯" : number;
        continue;
      }
      const datum = document.createElement("data");
      datum.value = number === undefined ? "?" : String(number);
      cell.append(datum);
    }
  }
  return table;
}

function shortened(list) {
  return list.length <= MOST_ROWS ? list : [...list.slice(0, MOST_ROWS - 2), "⋮", list.at(-1)];
}

function code(text) {
  const made = document.createElement("code");
  made.textContent = text;
  return made;
}
