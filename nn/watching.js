// How a training goes: curves, the decision boundary, the network. Live in a notebook, and replayed on a page.

const SVG = "http://www.w3.org/2000/svg", XHTML = "http://www.w3.org/1999/xhtml";
const OF_HTML = new Set(["div", "p", "canvas", "img", "figure"]);
const WIDTH = 360, HEIGHT = 300; // of a panel, in its own units

function element(name, attributes, parent, text) {
  const made = document.createElementNS(OF_HTML.has(name) ? XHTML : SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

class Picture {
  constructor(root, setting) {
    this.setting = setting;
    const outer = element("div", { class: "watching" }, root);
    this.said = element("p", { class: "said" }, outer);
    this.panels = element("div", { class: "panels" }, outer);
    this.at = { epoch: Infinity, curves: [] };
  }

  // A panel is there from when there is something to show in it.
  panel(name, label) {
    const place = `${name}Panel`;
    if (!this[place]) {
      this[place] = element("figure", { class: `panel ${name}`, role: "img" }, this.panels);
      const order = ["curvesPanel", "boundaryPanel", "networkPanel"].map((key) => this[key]).filter(Boolean);
      this.panels.replaceChildren(...order);
      this.panels.dataset.count = order.length;
    }
    this[place].setAttribute("aria-label", label);
    return this[place];
  }

  // ---- Curves

  curves({ epoch, curves }) {
    this.at = { ...this.at, curves, now: epoch };
    this.drawCurves();
  }

  // The moment that is shown, in a training that is over.
  cursor(epoch) {
    this.at.epoch = epoch;
    this.drawCurves();
  }

  drawCurves() {
    const { curves, epoch, now } = this.at, isReplay = Number.isFinite(epoch);
    const shown = isReplay ? epoch : now;
    const last = (pairs) => pairs.findLast(([x, y]) => x <= shown && y !== null)?.[1];
    const said = curves.map(({ name, training, validation }) => [
      [name, last(training)], ["validation", last(validation)],
    ].filter(([, y]) => y !== undefined).map(([text, y]) => `${text} ${Number(y.toPrecision(3))}`).join(", "));
    this.said.textContent = [`epoch ${Math.floor(shown)} of ${this.setting.epochs}`, ...said].filter(Boolean).join(" · ");
    const panel = this.panel("curves", this.said.textContent);
    const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}` });
    const height = HEIGHT / curves.length;
    curves.forEach((curve, k) => this.drawCurve(svg, curve, k * height, height, k === curves.length - 1, isReplay && epoch));
    panel.replaceChildren(svg);
  }

  drawCurve(svg, { name, training, validation }, top, height, isLowest, cursor) {
    const left = 46, right = WIDTH - 18, upper = top + 22, lower = top + height - (isLowest ? 34 : 14);
    const numbers = [...training, ...validation].map(([, y]) => y).filter((y) => y !== null);
    const ticks = ticksOf(Math.min(...numbers), Math.max(...numbers), height > 200 ? 5 : 3);
    const [low, high] = [ticks[0], ticks.at(-1)];
    const { epochs } = this.setting;
    const x = (epoch) => left + (right - left) * epoch / (epochs || 1);
    const y = (number) => lower - (lower - upper) * (number - low) / (high - low);
    element("rect", { class: "frame", x: left, y: upper, width: right - left, height: lower - upper }, svg);
    for (const tick of ticks) {
      element("path", { class: "grid", d: `M${left},${y(tick)}H${right}` }, svg);
      element("text", { x: left - 5, y: y(tick) + 4, "text-anchor": "end" }, svg, written(tick, ticks));
    }
    for (const tick of ticksOf(0, epochs, 5).filter((tick) => tick <= epochs && tick === Math.round(tick))) {
      element("path", { class: "grid", d: `M${x(tick)},${upper}V${lower}` }, svg);
      if (isLowest) element("text", { x: x(tick), y: lower + 15, "text-anchor": "middle" }, svg, tick);
    }
    if (isLowest) element("text", { x: (left + right) / 2, y: lower + 29, "text-anchor": "middle" }, svg, "epoch");
    const [blue, orange] = this.setting.colours;
    const legend = validation.length ? [["training", blue, "none", 150], ["validation", orange, "6 3", 72]] : [];
    const room = right - left - (legend.length ? 158 : 0), short = fitting(name, room);
    const heading = element("text", { class: "name", x: left, y: upper - 7 }, svg, short);
    if (short !== name) element("title", {}, heading, name);
    for (const [text, stroke, dashes, before] of legend) {
      element("path", { class: "sample", stroke, "stroke-dasharray": dashes, d: `M${right - before},${upper - 11}h18` }, svg);
      element("text", { x: right - before + 22, y: upper - 7 }, svg, text);
    }
    for (const [pairs, stroke, dashes] of [[training, blue, "none"], [validation, orange, "6 3"]]) {
      const known = pairs.filter(([, number]) => number !== null);
      for (const [some, kind] of cursor === false ? [[known, ""]] : [[known, " rest"], [known.filter(([epoch]) => epoch <= cursor), ""]]) {
        const line = some.map(([epoch, number]) => `${x(epoch).toFixed(1)},${y(number).toFixed(1)}`).join("L");
        const attributes = { class: `curve${kind}`, stroke, "stroke-dasharray": dashes };
        if (some.length > 1) element("path", { ...attributes, d: `M${line}` }, svg);
        if (some.length === 1 && !kind) element("circle", { cx: line.split(",")[0], cy: line.split(",")[1], r: 3, fill: stroke }, svg);
      }
    }
    if (cursor !== false) element("path", { class: "cursor", d: `M${x(cursor)},${upper}V${lower}` }, svg);
  }

  // ---- The decision boundary

  boundary(given) {
    if (!given) return;
    const { extent, points, side } = this.setting.plane;
    const panel = this.panel("boundary", "The decision boundary: which class the network sees where, and the examples");
    if (!this.canvas) {
      this.canvas = element("canvas", { width: 430, height: 346 }, panel);
      this.overlay(panel, extent, points);
    }
    const bytes = Uint8Array.from(atob(given.scores), (letter) => letter.charCodeAt(0));
    const numbers = new DataView(bytes.buffer), planes = [];
    for (let k = 0; k < (given.classes ?? [0]).length; k++) {
      planes.push(Float32Array.from({ length: side * side }, (_, i) => numbers.getInt16(2 * (k * side * side + i), true)));
    }
    this.paint(planes, side, given.classes);
  }

  // The class that leads at each pixel, between the points of the grid by bilinear interpolation. Without classes there
  // is one score, whose sign tells.
  paint(planes, side, classes) {
    const { width, height } = this.canvas, leaders = new Uint16Array(width * height);
    for (let row = 0; row < height; row++) {
      const v = (side - 1) * (1 - (row + 0.5) / height), j = Math.min(Math.floor(v), side - 2), t = v - j;
      for (let column = 0; column < width; column++) {
        const u = (side - 1) * (column + 0.5) / width, i = Math.min(Math.floor(u), side - 2), s = u - i;
        let leader = 0, most = classes ? -Infinity : 0;
        for (let k = 0; k < planes.length; k++) {
          const plane = planes[k], at = j * side + i;
          const score = (1 - t) * ((1 - s) * plane[at] + s * plane[at + 1])
            + t * ((1 - s) * plane[at + side] + s * plane[at + side + 1]);
          if (score > most) [leader, most] = [classes ? classes[k] : 1, score];
        }
        leaders[row * width + column] = leader;
      }
    }
    const context = this.canvas.getContext("2d"), image = context.createImageData(width, height);
    const colours = this.setting.colours.map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
    for (let at = 0; at < leaders.length; at++) {
      const isEdge = (at % width && leaders[at] !== leaders[at - 1]) || (at >= width && leaders[at] !== leaders[at - width]);
      image.data.set(isEdge ? [110, 110, 110, 255] : [...colours[leaders[at] % colours.length], 75], 4 * at);
    }
    context.putImageData(image, 0, 0);
  }

  // The examples, each class with a colour and a form of its own, and the axes.
  overlay(panel, [x0, x1, y0, y1], points) {
    const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}` }, panel);
    const [left, right, upper, lower] = [0.11 * WIDTH, 0.97 * WIDTH, 0.03 * HEIGHT, 0.86 * HEIGHT];
    const x = (number) => left + (right - left) * (number - x0) / (x1 - x0);
    const y = (number) => lower - (lower - upper) * (number - y0) / (y1 - y0);
    element("rect", { class: "frame", x: left, y: upper, width: right - left, height: lower - upper }, svg);
    const across = ticksOf(x0, x1, 5), up = ticksOf(y0, y1, 5);
    for (const tick of across.filter((tick) => tick >= x0 && tick <= x1)) {
      element("text", { x: x(tick), y: lower + 15, "text-anchor": "middle" }, svg, written(tick, across));
    }
    for (const tick of up.filter((tick) => tick >= y0 && tick <= y1)) {
      element("text", { x: left - 4, y: y(tick) + 4, "text-anchor": "end" }, svg, written(tick, up));
    }
    element("text", { x: (left + right) / 2, y: lower + 29, "text-anchor": "middle" }, svg, "x₁");
    element("text", { x: 0, y: upper + 9 }, svg, "x₂");
    const forms = ["M-4,0a4,4,0,1,0,8,0a4,4,0,1,0,-8,0", "M-3.6,-3.6h7.2v7.2h-7.2z", "M0,-5L5,0L0,5L-5,0z",
      "M0,4.6L4.6,-4h-9.2z", "M0,-4.6L4.6,4h-9.2z", "M-1.5,-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z"];
    const { colours } = this.setting;
    for (const [px, py, k] of points) {
      element("path", { class: "point", d: forms[k % forms.length], fill: colours[k % colours.length],
        transform: `translate(${x(px).toFixed(1)} ${y(py).toFixed(1)})` }, svg);
    }
  }

  // ---- The network

  // As an image: whatever stands in it, nothing of it runs, nor meets the rest of the page.
  network(svg) {
    if (!svg) return;
    const panel = this.panel("network", "The network: its weights as edges");
    this.image ??= element("img", { alt: "" }, panel);
    const ink = getComputedStyle(panel).color.match(/[\d.]+/g).slice(0, 3).map(Number);
    this.image.classList.toggle("dark", ink[0] + ink[1] + ink[2] > 384);
    const clear = svg.replace(/<rect width="100%" height="100%"[^>]*\/>/, ""); // the page's ground is its own
    this.image.src = `data:image/svg+xml,${encodeURIComponent(clear)}`;
  }
}

// The text, or as much of it as the room takes, in units of a panel.
function fitting(text, room) {
  const context = fitting.context ??= document.createElement("canvas").getContext("2d");
  context.font = "11px system-ui, sans-serif"; // that of the style sheet
  const letters = [...text], fits = (count) => context.measureText(`${letters.slice(0, count).join("")}…`).width <= room;
  if (letters.length < 1000 && context.measureText(text).width <= room) return text;
  let count = Math.min(letters.length, 100);
  while (count > 0 && !fits(count)) count--;
  return `${letters.slice(0, count).join("")}…`;
}

// About so many round numbers, the first and the last around low and high.
function ticksOf(low, high, count) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (!(high > low)) [low, high] = [low - (Math.abs(low) || 1) / 2, low + (Math.abs(low) || 1) / 2];
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}

function written(number, ticks) {
  const largest = Math.max(...ticks.map(Math.abs)), step = ticks[1] - ticks[0];
  const text = largest >= 1e5 || largest < 1e-3
    ? (number === 0 ? "0" : number.toExponential(step < largest / 10 ? 1 : 0))
    : number.toFixed(Math.min(8, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))));
  return text.replace("-", "−");
}

// For anywidget: each part is drawn anew when it changes.
function render({ model, el }) {
  const picture = new Picture(el, model.get("setting"));
  const updates = ["curves", "boundary", "network"].map((name) => [`change:${name}`, () => {
    const given = model.get(name);
    if (given) picture[name](name === "network" ? given : JSON.parse(given));
  }]);
  for (const [change, update] of updates) {
    model.on(change, update);
    update();
  }
  return () => updates.forEach(([change, update]) => model.off(change, update));
}
