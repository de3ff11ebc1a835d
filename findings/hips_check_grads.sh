#!/usr/bin/env bash
# check_grads of HIPS autograd 1.8.0 passes kinks and wrong derivatives, and fails right ones, by the size of the numbers.
#
# It takes a step of 1e-6 along a random direction, tolerates an absolute error of 1e-6, and draws the direction from
# NumPy's global generator. Seen on CPython 3.11, modes=["rev"], order=1:
#
#     abs at 0, maximum at a tie                     passes: the central difference is the mean of both sides
#     x**2 with the derivative x, at 1e-7            passes: both are below the tolerance
#     the same at 3e-6                               passes with 103 of 200 seeds
#     log at 1e-6, sin at 1e12                       fails, though both derivatives are right
#
# So a check that passes says little where derivatives are small, and a test of it needs a seed of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" # from where Python finds the autograd that is installed here
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet autograd==1.8.0 numpy==2.4.6
"$folder/bin/python" -W ignore - <<'END'
import autograd.numpy as np
import numpy
from autograd.extend import defvjp, primitive
from autograd.test_util import check_grads


@primitive
def square(x):
    return x**2


defvjp(square, lambda answer, x: lambda g: g * x)  # half of the derivative


def passes(function, x, seed=0):
    numpy.random.seed(seed)
    try:
        check_grads(function, modes=["rev"], order=1)(x)
    except AssertionError:
        return False
    return True


kinks = passes(np.abs, 0.0), passes(lambda p: np.maximum(p[0], p[1]), np.array([2.0, 2.0]))
wrong = passes(square, 1.0), passes(square, 1e-7)
right = passes(np.log, 1.0), passes(np.log, 1e-6), passes(np.sin, 1e12)
seeds = sum(passes(square, 3e-6, seed) for seed in range(200))
print("kinks pass", kinks, "wrong ones", wrong, "right ones", right, "wrong at 3e-6:", seeds, "of 200 seeds")
assert kinks == (True, True)
assert wrong == (False, True)
assert right == (True, False, False)
assert 20 < seeds < 180
END
