// Numbers as Python writes them: general(x, 4) as format(x, ".4g"), repr(x) as repr(x).

function general(x, digits) {
  if (!Number.isFinite(x)) return nonfinite(x);
  const [mantissa, exponent] = roundedToEven(x, digits).split("e");
  return written(x, mantissa.replace(/\D/g, "").replace(/0+$/, ""), Number(exponent), digits, 0);
}

function repr(x) {
  if (!Number.isFinite(x)) return nonfinite(x);
  const [mantissa, exponent] = x.toExponential().split("e");  // as few digits as tell it from other floats
  return written(x, mantissa.replace(/\D/g, ""), Number(exponent), 16, 1);
}

const nonfinite = (x) => (Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf");

// The digits, with so many behind the point at least; with an exponent where the number is small or large.
function written(x, digits, exponent, most, least) {
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  digits = digits || "0";
  if (exponent < -4 || exponent >= most) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${sign}${digits[0]}${digits.length > 1 ? "." : ""}${digits.slice(1)}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const whole = exponent < 0 ? "0" : digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const rest = exponent < 0 ? "0".repeat(-exponent - 1) + digits : digits.slice(exponent + 1);
  const behind = x === 0 ? "0".repeat(least) : rest.padEnd(least, "0");
  return sign + whole + (behind ? `.${behind}` : "");
}

// JavaScript rounds what lies in the middle up, Python to the even digit. What lies there has a 5 as its last digit.
function roundedToEven(x, digits) {
  const exact = Math.abs(x).toExponential(Math.min(100, digits + 30));
  const [mantissa, exponent] = exact.split("e");
  const all = mantissa.replace(".", "");
  if (!/^50*$/.test(all.slice(digits)) || Number(all[digits - 1]) % 2) return Math.abs(x).toExponential(digits - 1);
  return `${all.slice(0, digits)}e${exponent}`;
}
