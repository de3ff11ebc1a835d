// A multilayer perceptron as a tape: what it computes for one example, and training by gradient descent.
//
// Every derivative is the table's: rules.js is written from it when the site is built. What stands here is the graph.

import { Tape, RULES } from "./rules.js";

const ROW = Object.fromEntries(RULES.map((rule, row) => [rule.name, row]));

/** The activations to choose from: the functions of one number of these names, which the table has. */
export const ACTIVATIONS = ["tanh", "relu", "sigmoid", "leaky_relu", "gelu", "sin"].filter((name) => name in ROW);

/** Random numbers that are the same for the same seed (a linear congruential generator modulo 2^32, mixed). */
export function randomNumbers(seed) {
  let state = (seed >>> 0) ^ 0x9e3779b9;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x45d9f3b) >>> 0;
    mixed = (mixed ^ (mixed >>> 15)) >>> 0;
    return mixed / 2 ** 32;
  };
}

export class Network {
  /**
   * @param {number[]} sizes - how many inputs, neurons in each layer, the last of which is 1: [2, 16, 16, 1]
   * @param {string} activation - of all neurons but the last, whose output is a logit
   * @param {number} seed - of the weights, uniform in [-1, 1]; biases are 0
   */
  constructor(sizes, activation, seed) {
    Object.assign(this, { sizes, activation });
    const graph = new Graph();
    this.inputs = graph.leaves(sizes[0]);
    this.target = graph.leaf();
    this.layers = [];
    let below = this.inputs;
    sizes.slice(1).forEach((size, l) => {
      const isLast = l === sizes.length - 2;
      const neurons = Array.from({ length: size }, () => ({ weights: graph.leaves(below.length), bias: graph.leaf() }));
      for (const neuron of neurons) neuron.netInput = graph.add("dot", neuron.weights, below, neuron.bias);
      for (const neuron of neurons) neuron.output = isLast ? neuron.netInput : graph.add(activation, neuron.netInput);
      this.layers.push(neurons);
      below = neurons.map(({ output }) => output);
    });
    this.parameters = this.layers.flat().flatMap(({ weights, bias }) => [...weights, bias]);
    [this.logit] = below;
    const { tape: network } = graph;
    this.network = network(); // the outputs alone
    // −t log p − (1 − t) log(1 − p), p = sigmoid(logit)
    const other = graph.add("subtract", graph.constant(1), this.target);
    const wrong = graph.add("multiply", other, graph.add("softplus", this.logit));
    const right = graph.add("multiply", this.target, graph.add("softplus", graph.add("negative", this.logit)));
    this.loss = graph.add("add", wrong, right);
    this.tape = network();
    this.draw(seed);
  }

  /** Draws the weights anew. */
  draw(seed) {
    const random = randomNumbers(seed);
    const weights = new Set(this.layers.flat().flatMap((neuron) => neuron.weights));
    this.set(this.parameters.map((parameter) => (weights.has(parameter) ? 2 * random() - 1 : 0)));
  }

  set(numbers) {
    this.parameters.forEach((parameter, i) => { this.tape.values[parameter] = numbers[i]; });
  }

  get numbers() {
    return this.parameters.map((parameter) => this.tape.values[parameter]);
  }

  /** Of one example, all values and the loss. */
  forward([x, y], target) {
    const { values } = this.tape;
    [values[this.inputs[0]], values[this.inputs[1]], values[this.target]] = [x, y, target];
    this.tape.forward();
    return values[this.loss];
  }

  /** Of the same example, the derivative of the loss by every variable. */
  backward() {
    this.tape.differentiate();
    this.tape.backward(this.loss);
    return this.tape.adjoints;
  }

  /** The mean loss of examples, and its gradient by the parameters. */
  gradient(examples) {
    const gradient = new Float64Array(this.parameters.length);
    let loss = 0;
    for (const { at, target } of examples) {
      loss += this.forward(at, target);
      const adjoints = this.backward();
      this.parameters.forEach((parameter, i) => { gradient[i] += adjoints[parameter]; });
    }
    return { loss: loss / examples.length, gradient: gradient.map((sum) => sum / examples.length) };
  }

  /** The output of every neuron at a point: of each layer an array. Other examples' values are forgotten. */
  outputs([x, y]) {
    const { network, tape } = this;
    for (const parameter of this.parameters) network.values[parameter] = tape.values[parameter];
    [network.values[this.inputs[0]], network.values[this.inputs[1]]] = [x, y];
    network.forward();
    return network.values;
  }
}

/** A graph under construction: each variable is a number, leaves and results alike. */
class Graph {
  constructor() {
    this.variables = 0;
    this.constants = [];
    this.instructions = [];
    this.tape = () => new Tape({ variables: this.variables, constants: this.constants,
      instructions: [...this.instructions] }, RULES);
  }

  leaf() {
    return this.variables++;
  }

  leaves(count) {
    return Array.from({ length: count }, () => this.leaf());
  }

  constant(number) {
    return -this.constants.push(number);
  }

  add(name, ...operands) {
    const rule = ROW[name];
    const missing = RULES[rule].defaults.slice(operands.length).map((number) => this.constant(number));
    const result = this.leaf();
    this.instructions.push([result, rule, ...operands, ...missing]);
    return result;
  }
}

/** θ ← θ − η b, b ← momentum b + g, as the project's SGD; and Adam (Kingma and Ba, 2015, algorithm 1). */
export const OPTIMIZERS = {
  SGD: () => (numbers, gradient, rate) => numbers.map((number, i) => number - rate * gradient[i]),
  "SGD with momentum 0.9": () => {
    let velocity = null;
    return (numbers, gradient, rate) => {
      velocity = velocity ? velocity.map((b, i) => 0.9 * b + gradient[i]) : gradient.slice();
      return numbers.map((number, i) => number - rate * velocity[i]);
    };
  },
  Adam: () => {
    const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
    let mean = null;
    let meanSquare = null;
    let t = 0;
    return (numbers, gradient, rate) => {
      mean ??= gradient.map(() => 0);
      meanSquare ??= gradient.map(() => 0);
      t += 1;
      mean = mean.map((m, i) => beta1 * m + (1 - beta1) * gradient[i]);
      meanSquare = meanSquare.map((v, i) => beta2 * v + (1 - beta2) * gradient[i] ** 2);
      const [part, partSquare] = [1 - beta1 ** t, 1 - beta2 ** t];
      return numbers.map((x, i) => x - (rate * (mean[i] / part)) / (Math.sqrt(meanSquare[i] / partSquare) + epsilon));
    };
  },
};
