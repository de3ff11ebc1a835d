// The lines of the trace, and the sentence of each step. A line is a list of texts and numbers. { number, isGrouped,
// isConstant } is a number, too: grouped, it stands in brackets where it has a sign; a constant is known from the start.

const MOST_NAMES = 6;  // in a sentence

class Lines {
  constructor(data, calculation) {
    Object.assign(this, { data, calculation, names: data.names });
  }

  evaluation(variable) {
    const { data, calculation } = this;
    const number = [calculation.value(variable)];
    const parts = [[this.names[variable]]];
    if (!calculation.isLeaf(variable)) {
      const k = calculation.instructionOf.get(variable);
      const operands = calculation.instructions[k].operands.flat();
      const numbers = calculation.tape.numbers(calculation.instructions[k]).flat();
      const filled = (operand) => data.formulas[data.written[k]].map((slot) => {
        if (typeof slot === "string") return slot;
        const content = operand(slot >> 1);
        if (typeof content !== "number") return content;
        return { number: content, isGrouped: slot % 2 === 1, isConstant: operands[slot >> 1] < 0 };
      });
      parts.push(filled((place) => (operands[place] < 0 ? numbers[place] : this.names[operands[place]])));
      const withNumbers = filled((place) => numbers[place]);
      if (this.text(withNumbers) !== this.text(number)) parts.push(withNumbers);
    }
    return [...parts, number].flatMap((part, i) => (i ? [" = ", ...part] : part));
  }

  remark(variable) {
    return this.data.remarks[variable] ? ` “${this.data.remarks[variable]}”` : "";
  }

  contribution(contribution) {
    const { calculation } = this;
    const { node, parent, before, after } = contribution;
    const assigned = before === undefined ? "=" : "+=";
    const rule = `${this.grad(parent)} ${assigned} ${this.grad(node)} * ${this.partial(contribution)} = `;
    const sum = before === undefined ? [] : [grouped(before), " + "];
    const product = [grouped(calculation.adjoint(node)), " * ", grouped(calculation.derivative(contribution))];
    return [rule, ...sum, ...product, " = ", after];
  }

  gradient(variable) {
    return [`${this.grad(variable)} = `, this.calculation.adjoint(variable)];
  }

  grad(variable) {
    return `${this.names[variable]}.grad`;
  }

  partial({ node, parent, use }) {
    return `∂${this.names[node]}/∂${this.names[parent]}${use ? ` (use ${use})` : ""}`;
  }

  short(number) {
    return general(number, this.data.digits);
  }

  // A line as text, its numbers written by a function; before they are known, these are question marks.
  text(parts, write = (number) => this.short(number), isKnown = true) {
    return parts.map((part) => (typeof part === "string" ? part
      : isKnown || part.isConstant ? inBrackets(part, write) : "?")).join("");
  }

  // ---- The sentence and the line of each step.

  start() {
    return ["Nothing has been computed yet: only the leaves have their numbers.", []];
  }

  computing(variable) {
    const { instructions, instructionOf } = this.calculation;
    const [, row] = this.data.instructions[instructionOf.get(variable)];
    const parents = [...new Set(instructions[instructionOf.get(variable)].parents)].map((parent) => this.names[parent]);
    const last = parents.pop();
    const listed = parents.length >= MOST_NAMES ? `its ${parents.length + 1} operands`
      : parents.length ? `${parents.join(", ")} and ${last}` : last;
    const sentence = `Evaluation: ${this.data.operations[row][0]} computes ${this.names[variable]} from ${listed}.`;
    return [sentence, this.evaluation(variable)];
  }

  beginning() {
    const { output } = this.calculation;
    const sentence = `the derivative of ${this.names[output]} with respect to itself is 1.`;
    return [`Chain rule: it begins at the result: ${sentence}`, this.gradient(output)];
  }

  // What goes along an edge, the adjoint of its parent having so many parts, of which some are left.
  adding(contribution, parts, left) {
    const { node, parent, before } = contribution;
    const product = `${this.grad(node)} times the local derivative ${this.partial(contribution)}`;
    const further = left ? `; ${left} more to come` : ", now complete";
    const becomes = parts === 1 ? this.grad(parent)
      : before === undefined ? `the first of ${parts} parts of ${this.grad(parent)}`
        : `added to ${this.grad(parent)}${further}`;
    const sentence = `from ${this.names[node]} back to ${this.names[parent]}: ${product} is ${becomes}.`;
    return [`Chain rule, ${sentence}`, this.contribution(contribution)];
  }
}

const grouped = (number) => ({ number, isGrouped: true });

function inBrackets(part, write) {
  const text = write(part.number ?? part);
  return part.isGrouped && text.startsWith("-") ? `(${text})` : text;
}
