#!/usr/bin/env bash
# The Hessian of jax.numpy.hypot is 0 where |x| = |y|, in JAX 0.10.2.
#
# At (3, 3) hypot is smooth: its Hessian is 0.11785 * [[1, -1], [-1, 1]]. Seen on CPython 3.11, float64:
#
#     forward over reverse   all entries -5.98e-18
#     forward over forward   all entries 0.0
#
# At (3, 4) it is right, and so is that of sqrt(x * x + y * y) at (3, 3). The gradient at the origin is (0.5, 0.5).
# hypot scales by the larger of its operands, and where they are equal, the derivative of the larger one is split
# evenly: the first derivative comes out right, the second does not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet jax==0.10.2
"$folder/bin/python" - <<'END'
import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)


def hypot(p):
    return jnp.hypot(p[0], p[1])


def by_hand(p):
    return jnp.sqrt(p[0] * p[0] + p[1] * p[1])


equal, other = jnp.array([3.0, 3.0]), jnp.array([3.0, 4.0])
found = jax.hessian(hypot)(equal)
print("jax", jax.__version__, "f/r", found.tolist(), "f/f", jax.jacfwd(jax.jacfwd(hypot))(equal).tolist())
assert jnp.abs(found).max() < 1e-15
assert jnp.abs(jax.jacfwd(jax.jacfwd(hypot))(equal)).max() < 1e-15
assert jnp.abs(jax.hessian(by_hand)(equal) - jnp.array([[1.0, -1.0], [-1.0, 1.0]]) * 0.5**1.5 / 3).max() < 1e-15
assert jnp.abs(jax.hessian(hypot)(other) - jax.hessian(by_hand)(other)).max() < 1e-15
assert jax.grad(hypot)(jnp.zeros(2)).tolist() == [0.5, 0.5]
END
