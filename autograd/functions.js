// The functions that rules call and that JavaScript's Math lacks, or has otherwise than IEEE 754's pow.

const exp2 = (x) => Math.pow(2, x);

// pow(1, y) is 1 whatever y is, and pow(-1, ±Infinity) is 1; Math.pow has NaN there.
const power = (x, y) => (x === 1 || (x === -1 && (y === Infinity || y === -Infinity)) ? 1 : Math.pow(x, y));

const element = (sequence, index) => (Number.isInteger(index) && index >= 0 && index < sequence.length
  ? sequence[index] : NaN);

// exp(-x²), without the error that rounding x² would magnify: the head has 24 bits, so that its square is exact.
function gaussian(x) {
  const head = Math.fround(x);
  return Math.exp(-head * head) * Math.exp(-(x - head) * (x + head));
}

// erf(x) = 2/√π exp(-x²) (x + 2/3 x³ + 4/15 x⁵ + …), where no term is negative (Abramowitz and Stegun, 7.1.6).
function erfOfSmall(x) {
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * gaussian(x) * total;
}

// erfc(x) = exp(-x²)/√π · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …)))) for x > 0 (7.1.14), from the last term.
function erfcOfLarge(x) {
  if (x > 28) return 0;  // below the smallest float
  let fraction = x;
  for (let n = 80; n > 0; n--) fraction = x + n / 2 / fraction;
  return gaussian(x) / Math.sqrt(Math.PI) / fraction;
}

function erf(x) {
  if (!(Math.abs(x) > 2)) return x === 0 ? x : erfOfSmall(x);
  return x > 0 ? 1 - erfcOfLarge(x) : erfcOfLarge(-x) - 1;
}

function erfc(x) {
  if (!(Math.abs(x) > 2)) return 1 - erf(x);
  return x > 0 ? erfcOfLarge(x) : 2 - erfcOfLarge(-x);
}
