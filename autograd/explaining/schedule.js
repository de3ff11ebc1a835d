// At which step is what? At step 0 there are the leaves; then comes a step for each computed Value, one for the
// derivative of the result with respect to itself, and one for each edge that the chain rule goes along.

class Schedule {
  constructor({ instructions, contributions, output }) {
    this.instructions = instructions;
    this.contributions = contributions;
    this.seed = instructions.length + 1;
    this.last = this.seed + contributions.length;
    this.byParent = new Map([[output, []]]);  // of each variable, what is added to its adjoint: [step, contribution]
    this.byNode = new Map();  // of each computed variable, the steps at which its adjoint goes on
    contributions.forEach((contribution, i) => {
      const step = this.added(i);
      listIn(this.byParent, contribution.parent).push([step, contribution]);
      listIn(this.byNode, contribution.node).push(step);
    });
    this.steps = new Map(instructions.map(({ result }, k) => [result, k + 1]));
    this.output = output;
  }

  added(i) {
    return this.seed + 1 + i;
  }

  // The step that computes a variable; 0 for a leaf.
  computed(variable) {
    return this.steps.get(variable) ?? 0;
  }

  // The step from which on a variable has a gradient, and the one that makes it complete.
  reached(variable) {
    return variable === this.output ? this.seed : this.byParent.get(variable)[0][0];
  }

  complete(variable) {
    return variable === this.output ? this.seed : this.byParent.get(variable).at(-1)[0];
  }

  // What is in a variable's gradient at a step; undefined before it has one.
  gradient(variable, step) {
    if (variable === this.output) return step >= this.seed ? 1 : undefined;
    return this.byParent.get(variable).findLast(([added]) => added <= step)?.[1].after;
  }

  // What happens at a step: { computed: variable }, { begins: true }, { contribution, parts, left } or {}.
  at(step) {
    if (step === 0) return {};
    if (step < this.seed) return { computed: this.instructions[step - 1].result };
    if (step === this.seed) return { begins: true };
    const contribution = this.contributions[step - this.seed - 1];
    const parts = this.byParent.get(contribution.parent);
    return { contribution, parts: parts.length, left: parts.filter(([added]) => added > step).length };
  }
}

function listIn(map, key) {
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}
