// A picture from its data becomes an SVG element. pieces.py says what the data are.

const SVG = "http://www.w3.org/2000/svg";
const ANCHORS = { left: "start", center: "middle", right: "end" };
const SCALE = 10;  // so many units are a point of the printers

// The element, and what has a name in it: { element, texts } by name, where `texts` are the texts with names within.
function drawn({ width, height, styles, pieces }) {
  const named = new Map();
  const svg = svgElement("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  const pen = { x: 0, y: 0 };
  svg.append(...pieces.map((piece) => ofPiece(piece, styles, pen, named, {})));
  return { svg, named };
}

function svgElement(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, content] of Object.entries(attributes)) made.setAttribute(attribute, content);
  return made;
}

function ofPiece([head, ...rest], styles, pen, named, texts) {
  if (typeof head === "string") {
    const group = svgElement("g", head ? { "data-name": head } : {});
    const within = {};
    if (head) named.set(head, { element: group, texts: within });
    group.append(...rest.map((piece) => ofPiece(piece, styles, pen, named, within)));
    return group;
  }
  const style = styles[head];
  return style.kind === "text" ? ofText(rest, style, pen, texts) : ofShape(moved(rest, pen), style);
}

// The coordinates of points, each of which is given by how far it lies from the one before.
function moved(moves, pen) {
  return moves.map((move, i) => {
    const axis = i % 2 ? "y" : "x";
    pen[axis] += move;
    return pen[axis] / SCALE;
  });
}

function ofText([right, down, content, name], { align, size, bold, colour }, pen, texts) {
  const [x, y] = moved([right, down], pen);
  const made = svgElement("text", { x, y, "text-anchor": ANCHORS[align], "font-size": size, fill: colour });
  if (bold) made.setAttribute("font-weight", "bold");
  if (name) {
    made.dataset.part = name;
    texts[name] = made;
  }
  made.textContent = content;
  return made;
}

function ofShape(lengths, { kind, line, fill, width, radius }) {
  const made = svgElement(...outline(kind, lengths, radius));
  made.setAttribute("fill", fill || "none");
  if (line) {
    made.setAttribute("stroke", line);
    made.setAttribute("stroke-width", width);
  }
  return made;
}

function outline(kind, lengths, radius) {
  const [x, y, u, v] = lengths;
  if (kind === "ellipse") return ["ellipse", { cx: x, cy: y, rx: u, ry: v }];
  if (kind === "box") return ["rect", { x, y, width: u - x, height: v - y, rx: radius }];
  if (kind === "curve") return ["path", { d: `M${x},${y}C${lengths.slice(2).join(" ")}` }];
  return [kind === "line" ? "polyline" : "polygon", { points: lengths.join(" ") }];
}
