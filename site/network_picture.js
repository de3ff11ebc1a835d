// The network's picture: of each neuron what it says of every place in the plane, and the weights as edges.

import { colours, image } from "./plane.js";

const SVG = "http://www.w3.org/2000/svg";
const [SIDE, GAP, MARGIN, WIDTH] = [26, 6, 22, 700];
const short = (number) => (Number.isFinite(number) ? Number(number.toPrecision(6)).toString() : String(number));

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  parent.append(made);
  return made;
}

export class NetworkPicture {
  /** @param {function} tell - is told of the neuron or the weight that the reader points at, in words */
  constructor(svg, network, frame, tell) {
    Object.assign(this, { svg, network, frame, tell, images: new Map(), edges: [], pointed: null });
    const columns = [network.inputs.map((output) => ({ output })), ...network.layers];
    const most = Math.max(...columns.map((column) => column.length));
    const height = 2 * MARGIN + most * (SIDE + GAP);
    const place = new Map();
    columns.forEach((column, c) => column.forEach((neuron, i) => place.set(neuron.output, {
      x: MARGIN + SIDE / 2 + ((WIDTH - 2 * MARGIN - SIDE) * c) / (columns.length - 1),
      y: height / 2 + (i - (column.length - 1) / 2) * (SIDE + GAP),
    })));
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    svg.replaceChildren();
    const [edges, neurons] = [element("g", {}, svg), element("g", {}, svg)];
    columns.slice(1).forEach((column, c) => column.forEach((neuron, i) => neuron.weights.forEach((weight, k) => {
      const [from, to] = [place.get(columns[c][k].output), place.get(neuron.output)];
      const line = element("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y }, edges);
      line.onpointerenter = () => this.point(() => this.ofWeight(c, i, k, weight, neuron));
      this.edges.push({ line, weight });
    })));
    columns.forEach((column, c) => column.forEach((neuron, i) => {
      const { x, y } = place.get(neuron.output);
      const name = this.nameOf(c, i);
      const group = element("g", { class: "neuron", tabindex: 0, role: "img", "aria-label": name }, neurons);
      const at = { x: x - SIDE / 2, y: y - SIDE / 2, width: SIDE, height: SIDE };
      this.images.set(neuron.output, element("image", { ...at, preserveAspectRatio: "none" }, group));
      element("rect", { ...at, rx: 3 }, group);
      group.onpointerenter = group.onfocus = () => this.point(() => this.ofNeuron(c, i, neuron));
    }));
    const heads = ["inputs", ...network.layers.map((layer, l) =>
      l === network.layers.length - 1 ? "logit" : `${layer.length} ${network.activation}`)];
    heads.forEach((head, c) => {
      const { x } = place.get(columns[c][0].output);
      const anchor = c === 0 ? "start" : c === heads.length - 1 ? "end" : "middle";
      element("text", { x: c === 0 ? 2 : anchor === "end" ? WIDTH - 2 : x, y: 12, "text-anchor": anchor }, svg).textContent = head;
    });
  }

  nameOf(column, i) {
    if (column === 0) return `input x${i + 1}`;
    if (column === this.network.layers.length) return "output neuron";
    return `layer ${column}, neuron ${i + 1}`;
  }

  /** Keeps in mind what is pointed at, so that its numbers follow the training. */
  point(describe) {
    this.pointed = describe;
    this.tell(describe());
  }

  ofNeuron(column, i, neuron) {
    const { values, adjoints } = this.network.tape;
    const name = this.nameOf(column, i);
    if (column === 0) return `I${name.slice(1)} = ${short(values[neuron.output])}`;
    const { netInput, output, bias } = neuron;
    const activation = output === netInput ? "" : ` Activation a = ${this.network.activation}(n) = ${short(values[output])}.`;
    const weights = neuron.weights.map((weight) => short(values[weight])).join(", ");
    return `${name[0].toUpperCase()}${name.slice(1)}, for the chosen example: net input n = ${short(values[netInput])}.${activation} ` +
      `δ = ∂loss/∂n = ${short(adjoints[netInput])}. Bias ${short(values[bias])}; weights ${weights}.`;
  }

  ofWeight(c, i, k, weight) {
    const { values, adjoints } = this.network.tape;
    return `Weight from ${this.nameOf(c, k)} to ${this.nameOf(c + 1, i)}: w = ${short(values[weight])}, ` +
      `∂loss/∂w = ${short(adjoints[weight])} for the chosen example.`;
  }

  drawMaps(maps) {
    const palette = colours();
    for (const [variable, picture] of this.images) {
      const map = maps.get(variable);
      const isLogit = variable === this.network.logit;
      const scaled = isLogit ? map.map((z) => 2 / (1 + Math.exp(-z)) - 1) : map;
      picture.setAttribute("href", image(scaled, palette).toDataURL());
    }
  }

  drawNumbers() {
    const { values } = this.network.tape;
    const palette = colours();
    const largest = Math.max(...this.edges.map(({ weight }) => Math.abs(values[weight])).filter(Number.isFinite), 1e-12);
    for (const { line, weight } of this.edges) {
      const share = Math.min(1, Math.abs(values[weight]) / largest) || 0;
      line.setAttribute("stroke", values[weight] < 0 ? palette.negativeName : palette.positiveName);
      line.setAttribute("stroke-width", (0.4 + 3.6 * Math.sqrt(share)).toFixed(2));
      line.setAttribute("stroke-opacity", (0.25 + 0.75 * share).toFixed(2));
    }
    if (this.pointed) this.tell(this.pointed());
  }
}
