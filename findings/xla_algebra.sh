#!/usr/bin/env bash
# jax.jit rearranges quotients and exponentials as algebra has it, not as IEEE 754 does, in JAX 0.10.2 on the CPU.
#
# XLA's pass "algsimp" makes a / (b * c) of (a / b) / c, (a * c) / b of a / (b / c), x of log(exp(x)), and exp(x + y) of
# exp(x) * exp(y). Where the product overflows, a result of ordinary size becomes 0, in silence. Seen on CPython 3.11,
# float64:
#
#                                              op by op   jit     jit without the pass
#     (1e300 / 1e200) / 1e200                  1e-100     0.0     1e-100
#     1e300 / (1e200 / 1e200)                  1e+300     inf     1e+300
#     log(exp(800))                            inf        800.0   inf
#     exp(-700) * exp(800)                     inf        2.7e43  inf
#
# The pass is left out by jax.jit(f, compiler_options={"xla_disable_hlo_passes": "algsimp"}).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet jax==0.10.2
JAX_PLATFORMS=cpu "$folder/bin/python" - <<'END'
import math

import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)
CASES = {
    "(a / b) / c": (lambda a, b, c: (a / b) / c, (1e300, 1e200, 1e200), 1e-100, 0.0),
    "a / (b / c)": (lambda a, b, c: a / (b / c), (1e300, 1e200, 1e200), 1e300, math.inf),
    "log(exp(a))": (lambda a, b, c: jnp.log(jnp.exp(a)), (800.0, 0.0, 0.0), math.inf, 800.0),
    "exp(a) * exp(b)": (lambda a, b, c: jnp.exp(a) * jnp.exp(b), (-700.0, 800.0, 0.0), math.inf, math.exp(100.0)),
}
for name, (function, numbers, by_ieee, by_algebra) in CASES.items():
    arrays = [jnp.full(4, number) for number in numbers]
    with jax.disable_jit():
        op_by_op = float(function(*arrays)[0])
    compiled = float(jax.jit(function)(*arrays)[0])
    left_out = float(jax.jit(function, compiler_options={"xla_disable_hlo_passes": "algsimp"})(*arrays)[0])
    print("jax", jax.__version__, name, op_by_op, compiled, left_out)
    assert math.isclose(op_by_op, by_ieee, rel_tol=1e-12), name
    assert math.isclose(compiled, by_algebra, rel_tol=1e-12), name
    assert math.isclose(left_out, by_ieee, rel_tol=1e-12), name
END
