// A tape: a list of instructions as data, which computes values from leaves, and their derivatives backward.
//
//   variables     how many there are; each has a number, and stands behind all that it is computed from
//   constants     numbers that instructions use; the constant k has the number -1 - k, as in the engine's tapes
//   instructions  [result, row, ...operands]: the row's place in `rules`; an operand that is a sequence is an array.
//                 Where there is no rule, the value and the local derivatives stay what they are
//
//   const tape = new Tape({ variables: 3, constants: [2], instructions: [[1, 0, 0, 0], [2, 0, -1, 1]] }, RULES);
//   tape.values[0] = 3;  // a leaf's number
//   tape.forward();  // values: [3, 9, 18], where row 0 is multiply: x * x, and 2 times that
//   tape.differentiate();  // of each instruction, the local derivative by each variable among its operands
//   tape.backward(2);  // adjoints: [12, 2, 1]

class Tape {
  constructor({ variables, constants, instructions }, rules) {
    this.constants = constants;
    this.values = new Float64Array(variables);
    this.adjoints = new Float64Array(variables);
    this.instructions = instructions.map(([result, row, ...operands]) => {
      const parents = operands.flat().filter((variable) => variable >= 0);
      return { result, rule: rules[row], operands, parents, derivatives: parents.map(() => NaN) };
    });
  }

  // The numbers of an instruction's operands.
  numbers({ operands }) {
    const number = (variable) => (variable >= 0 ? this.values[variable] : this.constants[-1 - variable]);
    return operands.map((operand) => (Array.isArray(operand) ? operand.map(number) : number(operand)));
  }

  // Computes all results from the leaves' numbers, which stand in `values`.
  forward() {
    for (const instruction of this.instructions) {
      if (instruction.rule) this.values[instruction.result] = instruction.rule.value(...this.numbers(instruction));
    }
  }

  // Computes all local derivatives.
  differentiate() {
    for (const instruction of this.instructions) {
      if (instruction.rule) instruction.derivatives = this.derivativesOf(instruction);
    }
  }

  // The local derivatives of an instruction by its parents, the variables among its operands.
  derivativesOf(instruction) {
    const { result, rule, operands } = instruction;
    const numbers = this.numbers(instruction);
    return operands.flatMap((operand, k) => {
      const isSequence = Array.isArray(operand);
      if (!(isSequence ? operand.some((variable) => variable >= 0) : operand >= 0)) return [];
      const derivative = rule.partials[k](this.values[result], ...numbers);
      return isSequence ? derivative.filter((_, i) => operand[i] >= 0) : [derivative];
    });
  }

  // Computes the adjoints, the derivatives of `output` by each variable, in the engine's order and so with its bits.
  // What an edge adds is told to `added`: the instruction, the parent's place there, its adjoint before and after.
  backward(output, seed = 1, added = () => {}) {
    const { adjoints } = this;
    adjoints.fill(0);
    adjoints[output] = seed;
    for (let k = this.instructions.length - 1; k >= 0; k--) {
      const { result, parents, derivatives } = this.instructions[k];
      parents.forEach((parent, place) => {
        const before = adjoints[parent];
        adjoints[parent] += derivatives[place] * adjoints[result];
        added(k, place, before, adjoints[parent]);
      });
    }
  }
}
