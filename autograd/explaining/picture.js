// A picture from its data becomes an SVG element. pieces.py says what the data are.

const SVG = "http://www.w3.org/2000/svg";
const ANCHORS = { left: "start", center: "middle", right: "end" };
const SCALE = 10;  // coordinates are in tenths of a point

// The element, and what has a name in it: { element, texts } by name, where `texts` are the texts with names within.
function drawn({ width, height, styles, pieces }) {
  const named = new Map();
  const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  svg.append(...pieces.map((piece) => ofPiece(piece, styles, named, {})));
  return { svg, named };
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, content] of Object.entries(attributes)) made.setAttribute(attribute, content);
  return made;
}

function ofPiece([head, ...rest], styles, named, texts) {
  if (typeof head === "string") {
    const group = element("g", head ? { "data-name": head } : {});
    const within = {};
    if (head) named.set(head, { element: group, texts: within });
    group.append(...rest.map((piece) => ofPiece(piece, styles, named, within)));
    return group;
  }
  const style = styles[head];
  return style.kind === "text" ? ofText(rest, style, texts) : ofShape(rest.map((length) => length / SCALE), style);
}

function ofText([x, y, content, name], { align, size, bold, colour }, texts) {
  const made = element("text", { x: x / SCALE, y: y / SCALE, "text-anchor": ANCHORS[align], "font-size": size, fill: colour });
  if (bold) made.setAttribute("font-weight", "bold");
  if (name) {
    made.dataset.part = name;
    texts[name] = made;
  }
  made.textContent = content;
  return made;
}

function ofShape(lengths, { kind, line, fill, width, radius }) {
  const made = element(...outline(kind, lengths, radius));
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
