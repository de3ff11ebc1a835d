#!/usr/bin/env bash
# scipy.optimize.least_squares 1.17.1 reports success where it has not moved, if the start knows nothing of the unit.
#
# a exp(-b x) is fitted to 20 data by each of its methods, from a = b = 1, which all do in the data's own unit. In a unit
# 1e10 times smaller the data are numbers around 1e10. Seen, always with success=True:
#
#     jac="2-point", the default    status 1 (gtol) after one evaluation: to residuals of 1e10 the step of a difference
#                                   adds less than they round off, so the Jacobian is 0, and so is the gradient
#     the exact Jacobian            status 2 (ftol) at a = 2 to 3, where 3e10 is right: a step that gains all that it
#                                   was foretold, but 1e-10 of the cost, counts as the last one
#
# So success says that a tolerance was met, not that the fit is one; and a table of tolerances that are all relative is
# not free of the unit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet scipy==1.17.1 numpy==2.4.6
"$folder/bin/python" -W ignore - <<'END'
import numpy
from scipy.optimize import least_squares

x = numpy.linspace(0, 5, 20)
data = 3 * numpy.exp(-0.7 * x) + 0.05 * numpy.sin(7 * x)


def exact(p):
    return numpy.stack([numpy.exp(-p[1] * x), -p[0] * x * numpy.exp(-p[1] * x)], axis=1)


def fitted(method, jac, unit):
    return least_squares(lambda p: p[0] * numpy.exp(-p[1] * x) - data / unit, [1.0, 1.0], method=method, jac=jac)


for method in ("lm", "trf", "dogbox"):
    for jac in ("2-point", exact):
        one, other = fitted(method, jac, 1.0), fitted(method, jac, 1e-10)
        shown = [(fit.success, fit.status, fit.nfev, f"{fit.x[0]:.3g}") for fit in (one, other)]
        print(method, jac if isinstance(jac, str) else "exact", *shown)
        assert one.success and abs(one.x[0] - 3.009) < 1e-3
        assert other.success and other.x[0] < 10.0
        assert (other.status, other.nfev) == (1, 1) if jac == "2-point" else other.status == 2
END
