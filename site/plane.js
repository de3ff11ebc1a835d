// The plane of the inputs: what the network says of every place, and the points.

const CELLS = 40; // along each side
const INK = 0.55; // how strong the colours behind the points are at most

export const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  return { background: rgb(colour("--background")), positive: rgb(colour("--accent")), ink: colour("--ink"),
    negative: rgb(colour("--warning")), positiveName: colour("--accent"), negativeName: colour("--warning") };
};

/** A number as a colour: blue from 0 to 1, orange from 0 to −1, mixed with the background. */
export function mixed(number, { background, positive, negative }) {
  const share = INK * Math.min(1, Math.abs(number) || 0);
  const pure = number > 0 ? positive : negative;
  return background.map((part, k) => Math.round((1 - share) * part + share * pure[k]));
}

export class Plane {
  constructor(canvas, points, frame) {
    Object.assign(this, { canvas, points, frame });
  }

  /** Of each variable that the network computes, and of its inputs, the numbers on a grid: Map(variable → array). */
  maps(network) {
    const { left, right, top, bottom } = this.frame;
    const variables = [...network.inputs, ...network.layers.flat().map(({ output }) => output)];
    const maps = new Map(variables.map((variable) => [variable, new Float64Array(CELLS * CELLS)]));
    for (let row = 0; row < CELLS; row++) {
      for (let column = 0; column < CELLS; column++) {
        const x = left + ((column + 0.5) / CELLS) * (right - left);
        const y = top - ((row + 0.5) / CELLS) * (top - bottom);
        const values = network.outputs([x, y]);
        for (const [variable, map] of maps) map[row * CELLS + column] = values[variable];
      }
    }
    return maps;
  }

  /** The logit's map as probabilities, and the points over it. */
  draw(logits, chosen) {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const palette = colours();
    context.imageSmoothingEnabled = true;
    context.drawImage(image(logits.map((z) => 2 / (1 + Math.exp(-z)) - 1), palette), 0, 0, width, height);
    this.points.forEach(({ target, at }, i) => {
      const [x, y] = this.onCanvas(at);
      context.beginPath();
      context.arc(x, y, i === chosen ? 7 : 4, 0, 2 * Math.PI);
      context.fillStyle = target ? palette.positiveName : palette.negativeName;
      context.strokeStyle = i === chosen ? palette.ink : `rgb(${palette.background})`;
      context.lineWidth = i === chosen ? 3 : 1;
      context.fill();
      context.stroke();
    });
    const right = this.points.filter(({ at, target }) => this.says(logits, at) > 0 === Boolean(target)).length;
    this.canvas.setAttribute("aria-label", `The plane with ${this.points.length} points; about ${right} lie where the ` +
      "network says their class");
  }

  says(map, [x, y]) {
    const { left, right, top, bottom } = this.frame;
    const column = Math.floor(((x - left) / (right - left)) * CELLS);
    const row = Math.floor(((top - y) / (top - bottom)) * CELLS);
    return map[row * CELLS + column];
  }

  onCanvas([x, y]) {
    const { left, right, top, bottom } = this.frame;
    const { width, height } = this.canvas;
    return [((x - left) / (right - left)) * width, ((top - y) / (top - bottom)) * height];
  }

  /** The point nearest to a place on the canvas as it is shown. */
  nearest(x, y) {
    const scale = this.canvas.width / this.canvas.clientWidth;
    const distance = ({ at }) => {
      const [px, py] = this.onCanvas(at);
      return Math.hypot(px - x * scale, py - y * scale);
    };
    return this.points.reduce((best, point, i) => (distance(point) < distance(this.points[best]) ? i : best), 0);
  }
}

/** A map as a canvas of one pixel for each number. */
export function image(map, palette) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = CELLS;
  const data = new ImageData(CELLS, CELLS);
  map.forEach((number, i) => data.data.set([...mixed(number, palette), 255], 4 * i));
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas;
}
