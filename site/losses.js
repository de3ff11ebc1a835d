// The loss by step, as a line.

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [400, 120, 44, 18];
const MOST = 300; // points of the line

export function drawLosses(svg, losses) {
  const every = Math.ceil(losses.length / MOST);
  const shown = [];
  for (let i = 0; i < losses.length; i += every) shown.push([i, losses[i]]);
  if (every > 1) shown.push([losses.length - 1, losses.at(-1)]);
  const finite = shown.filter(([, loss]) => Number.isFinite(loss));
  svg.replaceChildren();
  svg.style.display = finite.length < 2 ? "none" : "";
  if (finite.length < 2) return;
  const largest = Math.max(...finite.map(([, loss]) => loss)) || 1;
  const x = (i) => LEFT + ((WIDTH - LEFT - 4) * i) / (losses.length - 1);
  const y = (loss) => 6 + (HEIGHT - BOTTOM - 6) * (1 - Math.min(1, loss / largest));
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", finite.map(([i, loss]) => `${x(i).toFixed(1)},${y(loss).toFixed(1)}`).join(" "));
  const write = (text, left, top, anchor) => {
    const element = document.createElementNS(SVG, "text");
    for (const [name, value] of Object.entries({ x: left, y: top, "text-anchor": anchor })) element.setAttribute(name, value);
    element.textContent = text;
    svg.append(element);
  };
  svg.append(line);
  write(largest.toPrecision(3), LEFT - 4, 14, "end");
  write("0", LEFT - 4, HEIGHT - BOTTOM, "end");
  write("loss", 0, HEIGHT / 2, "start");
  write("1", LEFT, HEIGHT - 4, "start");
  write(`step ${losses.length}`, WIDTH - 4, HEIGHT - 4, "end");
  svg.setAttribute("aria-label", `Loss by step: ${losses[0].toPrecision(4)} at first, ` +
    `${losses.at(-1).toPrecision(4)} at step ${losses.length}`);
}
