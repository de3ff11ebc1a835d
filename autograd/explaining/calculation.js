// The trace as a calculation: its numbers as the engine has them, and computed anew where a leaf is changed.
//
//   variables have the numbers of the entries, the last one is the result
//   contributions  what the chain rule adds, in its order: { k, place, node, parent, use, before, after }, where k is
//                  the instruction's place, and `before` undefined if that is the first for the parent's adjoint

// How far what a rule computes here may be from what was recorded: in proportion to it, and at any rate.
const [RELATIVE, ABSOLUTE] = [1e-9, 1e-12];

class Calculation {
  constructor(data, rules) {
    const numbers = (list) => list.map(Number);  // "NaN", "Infinity"
    this.tape = new Tape({ variables: data.names.length, constants: numbers(data.constants),
      instructions: data.instructions }, rules);
    this.instructions = this.tape.instructions;
    this.recorded = { values: numbers(data.values), derivatives: data.derivatives.map(numbers) };
    this.output = data.names.length - 1;
    this.instructionOf = new Map(this.instructions.map((instruction, k) => [instruction.result, k]));
    this.contributions = this.instructions.map(({ result, parents }, k) => parents.map((parent, place) =>
      ({ k, place, node: result, parent, use: useOf(parents, place), first: false }))).reverse().flat();
    const reached = new Set([this.output]);
    for (const contribution of this.contributions) {
      contribution.first = !reached.has(contribution.parent);
      reached.add(contribution.parent);
    }
    this.reset();
    this.distrust();
  }

  isLeaf(variable) {
    return !this.instructionOf.has(variable);
  }

  value(variable) {
    return this.tape.values[variable];
  }

  adjoint(variable) {
    return this.tape.adjoints[variable];
  }

  derivative({ k, place }) {
    return this.instructions[k].derivatives[place];
  }

  // The recorded numbers, to the last bit.
  reset() {
    this.tape.values.set(this.recorded.values);
    this.instructions.forEach((instruction, k) => { instruction.derivatives = this.recorded.derivatives[k]; });
    this.backward();
  }

  edit(leaf, number) {
    this.tape.values[leaf] = number;
    if (!this.isEdited) return this.reset();
    this.tape.forward();
    this.tape.differentiate();
    return this.backward();
  }

  get isEdited() {
    const { values } = this.recorded;
    return values.some((number, variable) => this.isLeaf(variable) && !Object.is(this.value(variable), number));
  }

  backward() {
    let place = 0;
    this.tape.backward(this.output, 1, (_k, _place, before, after) => {
      const contribution = this.contributions[place++];
      contribution.before = contribution.first ? undefined : before;
      contribution.after = after;
    });
  }

  // A rule that computes here other numbers than were recorded is not trusted: it may do what its text cannot say.
  distrust() {
    this.instructions.forEach((instruction, k) => {
      if (!instruction.rule) return;
      const { result, derivatives, rule } = instruction;
      const computed = [rule.value(...this.tape.numbers(instruction)), ...this.tape.derivativesOf(instruction)];
      const recorded = [this.value(result), ...derivatives];
      if (!recorded.every((number, i) => isClose(number, computed[i]))) instruction.rule = null;
    });
  }

  // An instruction that depends on the variable and cannot be computed anew; undefined if there is none.
  obstacle(variable) {
    const depending = this.dependingOn(variable);
    return this.instructions.find(({ rule, parents }) => !rule && parents.some((parent) => depending.has(parent)));
  }

  dependingOn(variable) {
    const depending = new Set([variable]);
    for (const { result, parents } of this.instructions) {
      if (parents.some((parent) => depending.has(parent))) depending.add(result);
    }
    return depending;
  }

  // The first instruction whose number is not finite although those of its operands are.
  get failure() {
    return this.instructions.find((instruction) => !Number.isFinite(this.value(instruction.result))
      && this.tape.numbers(instruction).flat().every(Number.isFinite));
  }
}

function useOf(parents, place) {
  const uses = parents.filter((parent) => parent === parents[place]).length;
  return uses > 1 ? parents.slice(0, place + 1).filter((parent) => parent === parents[place]).length : 0;
}

function isClose(a, b) {
  return Object.is(a, b) || a === b || Math.abs(a - b) <= RELATIVE * Math.abs(a) + ABSOLUTE;
}
