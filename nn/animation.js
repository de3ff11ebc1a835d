// The page that replays a training: a play button, a slider, and keys.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const picture = new Picture(byId("picture"), data.setting);
const slider = byId("moment"), play = byId("play"), last = data.frames.length - 1;
let timer = null, networks = [];

function show(moment) {
  const frame = data.frames[moment];
  slider.value = moment;
  picture.boundary(frame.boundary);
  picture.network(networks[moment]);
  picture.cursor(frame.epoch);
  slider.setAttribute("aria-valuetext", picture.said.textContent);
}

function stop() {
  clearInterval(timer);
  timer = null;
  play.textContent = "▶ Play";
}

function start() {
  if (Number(slider.value) === last) show(0);
  play.textContent = "⏸ Pause";
  timer = setInterval(() => {
    if (Number(slider.value) < last) show(Number(slider.value) + 1);
    if (Number(slider.value) === last) stop();
  }, 1000 / data.rate);
}

function go(moment) {
  stop();
  show(Math.min(last, Math.max(0, moment)));
}

const keys = { Home: () => 0, ArrowLeft: (moment) => moment - 1, ArrowRight: (moment) => moment + 1, End: () => last };
play.addEventListener("click", () => (timer === null ? start() : stop()));
slider.addEventListener("input", () => go(Number(slider.value)));
byId("controls").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target === slider) return;
  if (event.key === " " && event.target !== play) play.click();
  else if (event.key in keys) go(keys[event.key](Number(slider.value)));
  else return;
  event.preventDefault();
});

async function inflated(text) {
  if (!text) return "";
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}

picture.curves(data.curves);
byId("controls").hidden = byId("keys").hidden = false;
show(last);
Promise.all(data.frames.map((frame) => inflated(frame.network))).then((texts) => {
  networks = texts;
  show(Number(slider.value));
});
