// Points in the plane of two classes, drawn at random from a seed: the same seed gives the same points.

import { randomNumbers } from "./network.js";

const { PI, sin, cos, sqrt, log } = Math;

/** Of each pattern, a point of class 0 or 1; t, u are uniform in [0, 1]. */
export const PATTERNS = {
  Moons: (target, t) => (target ? [1 - cos(PI * t), 0.5 - sin(PI * t)] : [cos(PI * t), sin(PI * t)]),
  Circles: (target, t) => [cos(2 * PI * t), sin(2 * PI * t)].map((x) => (target ? x / 2 : x)),
  XOR: (target, t) => {
    const x = t < 0.5 ? -1 : 1;
    return [x, target ? -x : x];
  },
  Clouds: (target) => (target ? [0.7, 0.7] : [-0.7, -0.7]),
  Spirals: (target, t) => {
    const radius = sqrt(t);
    const angle = 2 * PI * (radius + target / 2);
    return [radius * cos(angle), radius * sin(angle)];
  },
};

/** @returns {{at: number[], target: number}[]} points that alternate between the classes */
export function points(pattern, count, noise, seed) {
  const random = randomNumbers(seed);
  const normal = () => sqrt(-2 * log(1 - random())) * cos(2 * PI * random()); // Box and Muller, 1958
  return Array.from({ length: count }, (_, i) => {
    const target = i % 2;
    const [x, y] = PATTERNS[pattern](target, random());
    return { at: [x + noise * normal(), y + noise * normal()], target };
  });
}

/** Where the points lie, with room around: { left, right, top, bottom }, a square. */
export function frame(points) {
  const [xs, ys] = [0, 1].map((k) => points.map(({ at }) => at[k]));
  const [left, right, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const half = 0.6 * Math.max(right - left, top - bottom, 1e-6);
  const [x, y] = [(left + right) / 2, (bottom + top) / 2];
  return { left: x - half, right: x + half, bottom: y - half, top: y + half };
}
