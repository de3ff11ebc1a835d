// The panel of a layer: the same chain rule for all of its neurons at once, with matrices.

const MOST_ROWS = 6;  // and columns, of a matrix; of larger ones the first and the last are shown

class LayerPanel {
  constructor(data, calculation, schedule, lines) {
    Object.assign(this, { calculation, schedule, version: 0 });
    this.result = lines.names[calculation.output];
    this.layers = data.layers.map((layer, i) => ({ ...layer, number: i + 1 }));
    this.layer = this.layers[0];
    this.layerOf = new Map();
    for (const layer of this.layers) {
      for (const variable of [...layer.nets, ...layer.outputs]) this.layerOf.set(variable, layer);
    }
    [this.title, this.before, this.behind] = ["layer-title", "layer-forward", "layer-backward"].map(byId);
  }

  // The layer that a variable belongs to, if any, takes the panel.
  choose(variable) {
    this.layer = this.layerOf.get(variable) ?? this.layer;
  }

  show(step, write) {
    if (!this.layer) return;
    Object.assign(this, { step, write });
    const key = this.key();
    if (key === this.shown) return;
    this.shown = key;
    const { nets, inputs, activation, number } = this.layer;
    const neurons = `${counted(nets.length, "neuron")} of ${counted(inputs.length, "input")}`;
    this.title.textContent = `Layer ${number} as matrices: ${neurons}${activation ? `, ${activation}` : ""}`;
    this.before.replaceChildren(...this.forward());
    this.behind.replaceChildren(...this.backward());
  }

  // What the panel depends on: not every step changes it.
  key() {
    const { layer, step, schedule } = this;
    const { nets, outputs, inputs, weights, biases } = layer;
    const known = [...nets, ...outputs, ...inputs, ...weights.flat(), ...biases].filter(Number.isInteger)
      .map((variable) => (step >= schedule.complete(variable) ? 2 : step >= schedule.computed(variable) ? 1 : 0));
    return JSON.stringify([layer.number, known, step >= schedule.last, this.write.name, this.version]);
  }

  // ---- Numbers. Each is known from a step on; what is computed of unknown numbers is unknown.

  number(variable) {
    return Array.isArray(variable) ? Number(variable[0]) : this.calculation.value(variable);  // a list has a constant
  }

  value(variable) {
    const isKnown = Array.isArray(variable) || this.step >= this.schedule.computed(variable);
    return isKnown ? this.number(variable) : undefined;
  }

  adjoint(variable) {
    return this.step >= this.schedule.complete(variable) ? this.calculation.adjoint(variable) : undefined;
  }

  slope(output) {
    const k = this.calculation.instructionOf.get(output);
    return this.step >= this.schedule.computed(output) ? this.calculation.instructions[k].derivatives[0] : undefined;
  }

  values(name, variables) {
    return matrix(name, variables.map((variable) => [this.value(variable)]));
  }

  adjoints(name, variables) {
    return matrix(name, variables.map((variable) => [this.adjoint(variable)]));
  }

  // ---- Equations.

  // z = W x + b, and a = f(z).
  forward() {
    const { weights, inputs, biases, nets, activation, outputs, number } = this.layer;
    const [W, x, b, z, a] = [..."Wxbza"].map((letter) => letter + below(number));
    const product = [matrix(W, weights.map((row) => row.map((weight) => this.value(weight)))), this.values(x, inputs)];
    const bias = biases.length ? [" + ", this.values(b, biases)] : [];
    const net = this.line(`${z} = ${W} ${x}${biases.length ? ` + ${b}` : ""}`,
      [this.values(z, nets), " = ", ...product, ...bias]);
    if (!activation) return [net];
    return [net, this.line(`${a} = ${activation}(${z})`,
      [this.values(a, outputs), ` = ${activation}`, this.values(z, nets)])];
  }

  // δ = f'(z) ∘ Wᵀ δ of the next layer, and with it the derivatives by the weights and biases; where these are used
  // elsewhere, too, with what that adds.
  backward() {
    const { nets, inputs, weights, biases, number } = this.layer;
    const [W, x, b, d] = [..."Wxbδ"].map((letter) => letter + below(number));
    const by = (name) => `∂${this.result}/∂${name}`;
    const lines = [this.delta(by)];
    const column = biases.map((bias) => [bias]);
    if (weights.flat().some(Number.isInteger)) {
      const other = this.otherUses(weights, (i, j) => [this.calculation.adjoint(nets[i]) * this.number(inputs[j])]);
      const outer = weights.map((row, i) => row.map((weight, j) => (Number.isInteger(weight)
        ? this.adjoint(weight) : product(this.adjoint(nets[i]), this.value(inputs[j])))));
      const transposed = matrix(`${x}ᵀ`, [inputs.map((input) => this.value(input))]);
      lines.push(this.line(`${by(W)} = ${d} ${x}ᵀ${other.length ? " + other uses" : ""}`,
        [matrix(by(W), outer), " = ", this.adjoints(d, nets), transposed, ...other]));
    }
    if (biases.some(Number.isInteger)) {
      const other = this.otherUses(column, (i) => [this.calculation.adjoint(nets[i])]);
      const all = biases.map((bias, i) => [this.adjoint(Number.isInteger(bias) ? bias : nets[i])]);
      lines.push(other.length
        ? this.line(`${by(b)} = ${d} + other uses`, [matrix(by(b), all), " = ", this.adjoints(d, nets), ...other])
        : this.line(`${by(b)} = ${d}`, []));
    }
    return lines;
  }

  delta(by) {
    const { nets, activation, outputs, number } = this.layer;
    const [a, z, d] = [..."azδ"].map((letter) => letter + below(number));
    const next = this.layers.find(({ inputs }) => outputs.every((output) => inputs.includes(output)));
    const [formula, equation] = next ? this.through(next) : [by(a), [this.adjoints(by(a), outputs)]];
    const [begin, delta] = [`${d} = ${by(z)}`, this.adjoints(d, nets)];
    if (activation) {
      const slopes = matrix(`${activation}′(${z})`, outputs.map((output) => [this.slope(output)]));
      return this.line(`${begin} = ${activation}′(${z}) ∘ ${formula}`, [delta, " = ", slopes, " ∘ ", ...equation]);
    }
    return next ? this.line(`${begin} = ${formula}`, [delta, " = ", ...equation]) : this.line(begin, [delta]);
  }

  // Wᵀ δ of the next layer; where the outputs are used elsewhere, too, with what that adds.
  through({ weights, inputs, nets, number }) {
    const { outputs } = this.layer;
    const [W, d] = [`W${below(number)}ᵀ`, `δ${below(number)}`];
    const columns = outputs.map((output) => weights.map((row) => row[inputs.indexOf(output)]));
    const transposed = matrix(W, columns.map((column) => column.map((weight) => this.value(weight))));
    const equation = [transposed, this.adjoints(d, nets)];
    const other = this.otherUses(outputs.map((output) => [output]),
      (j) => columns[j].map((weight, k) => this.number(weight) * this.calculation.adjoint(nets[k])));
    return other.length ? [`(${W} ${d} + other uses)`, ["(", ...equation, ...other, ")"]] : [`${W} ${d}`, equation];
  }

  // What is in the adjoints of a matrix's variables beyond the terms at its places, with a plus; nothing if all is 0.
  otherUses(rows, terms) {
    const rest = rows.map((row, i) => row.map((variable, j) => (Number.isInteger(variable)
      ? beyondTerms(this.calculation.adjoint(variable), terms(i, j)) : 0)));
    if (rest.flat().every((number) => number === 0)) return [];
    const isKnown = (variable) => !Number.isInteger(variable) || this.adjoint(variable) !== undefined;
    const known = rows.map((row, i) => row.map((variable, j) => (isKnown(variable) ? rest[i][j] : undefined)));
    return [" + ", matrix("other uses", known)];
  }

  // ---- What they look like.

  line(formula, equation) {
    const [made, numbers] = ["equation", "numbers"].map((name) => {
      const division = document.createElement("div");
      division.className = name;
      return division;
    });
    numbers.append(...equation);
    for (const number of numbers.querySelectorAll("data")) {
      number.textContent = number.value === "?" ? "?" : this.write(Number(number.value));
    }
    made.append(code(formula), ...(equation.length ? [numbers] : []));
    return made;
  }
}

const below = (number) => String(number).replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]);
const product = (a, b) => (a === undefined || b === undefined ? undefined : 0 + a * b);  // as it is added: no -0
const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

// What a sum has beyond these terms: 0 where that is no more than they may be rounded by, and more. Of sums that are
// infinite or nan, nothing can be told but that they are the same.
function beyondTerms(sum, terms) {
  const own = terms.reduce((subtotal, term) => subtotal + term, 0);
  const rounding = [sum, ...terms].reduce((subtotal, term) => subtotal + 1e-9 * Math.abs(term), 0);
  return Object.is(sum, own) || Math.abs(sum - own) < rounding ? 0 : sum - own;
}

// A matrix with its name and its shape.
function matrix(name, rows) {
  const table = document.createElement("table");
  table.className = "matrix";
  table.createCaption().textContent = `${name} (${rows.length}×${rows[0].length})`;
  const body = table.createTBody();
  for (const row of shortened(rows, null)) {
    const made = body.insertRow();
    const cells = row ? shortened(row, "⋯") : shortened(rows[0], "⋮").map(() => "⋮");
    for (const content of cells) made.insertCell().append(typeof content === "string" ? content : datum(content));
  }
  return table;
}

function datum(number) {
  const made = document.createElement("data");
  made.value = number === undefined ? "?" : repr(number);
  return made;
}

function shortened(list, omission) {
  return list.length <= MOST_ROWS ? list : [...list.slice(0, MOST_ROWS - 2), omission, list.at(-1)];
}
