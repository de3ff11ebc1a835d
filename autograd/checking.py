"""check_gradients() compares the derivatives that `backward()` finds with finite differences.

The central difference (f(x + h) - f(x - h)) / 2h is the derivative up to an error of h² |f'''| / 6 from the formula and
of ε |f| / h from rounding, ε = 2⁻⁵². With h = ε^(1/3) max(1, |x|) the two are of one size (Nocedal and Wright,
"Numerical Optimization", section 8.1), and ten digits or so are left to compare. The difference with 2h has four times
the first error, so the two differences tell how large it is.
"""

from __future__ import annotations

import sys
from functools import partial

from autograd import structures
from autograd.engines import Value, no_grad
from autograd.graph import leaves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from autograd.structures import Form, Structure

EPSILON = sys.float_info.epsilon


def check_gradients(
    function: Callable[..., Any],  # Any: whatever it returns is checked to be a number
    point: Structure,
    *,
    relative_tolerance: float = 1e-6,
    worst: int = 10,
) -> GradientCheck:
    """Compares the gradient of `function` at `point` by `backward()` with central differences.

    Arguments:
        function: called as `function(*point)` with Values in the numbers' places; it returns one Value.
        point: the sequence of the arguments, each a number or a structure of numbers, as for `grad`. Anything but a
            sequence, such as a single number or a dict, is the only argument.
        relative_tolerance: how far the two may be apart, as a part of the larger, beside the differences' own error.
        worst: how many components the table of a failure shows.

    Returns the comparison, component by component; `print` shows it as a table. The `grad` of the function's own Values
    stays as it was. Raises GradientError, an AssertionError, with the table of the worst components, if any is further
    off. At a kink (`relu` at 0) a component is further off, since its difference sees both sides. Raises TypeError for
    a leaf of `point` that is no number, and names its place.

    >>> from autograd import tanh
    >>> check = check_gradients(lambda x, y: x * tanh(y), (2.0, 0.5))
    >>> [f"{component.name}: {component.backward:.6f}" for component in check.components]
    ['x: 0.462117', 'y: 1.572895']
    """
    arguments = structures.sequence(point)
    if arguments is None:
        arguments = [point]
    numbers, form = structures.flatten(arguments, structures.number)
    if not numbers:
        raise ValueError("check_gradients: expected at least one number in point, got none")
    values = [Value(number) for number in numbers]

    output = function(*structures.unflatten(form, values))
    if not isinstance(output, Value):
        raise TypeError(f"check_gradients: expected the function to return one Value, got {type(output).__name__}")
    before = [(leaf, leaf.grad) for leaf in leaves(output)]
    output.backward()
    gradients = [value.grad for value in values]
    for leaf, grad in before:
        leaf.grad = grad

    def moved(index: int, number: float) -> float:
        """The function's value with another number in the place of one."""
        others = [Value(other) for other in (*numbers[:index], number, *numbers[index + 1 :])]
        with no_grad():
            return float(function(*structures.unflatten(form, others)))

    check = GradientCheck(
        [
            Component(name, gradient, *central_difference(partial(moved, index), number))
            for index, (name, number, gradient) in enumerate(
                zip(names(function, form), numbers, gradients, strict=True)
            )
        ],
        relative_tolerance,
    )
    if check.failures:
        raise GradientError(check, worst)
    return check


def central_difference(function: Callable[[float], float], number: float) -> tuple[float, float]:
    """The difference quotient, and how large its error may be."""
    h = EPSILON ** (1 / 3) * max(1.0, abs(number))

    def quotient(step: float) -> tuple[float, float]:
        right, left = number + step, number - step
        f_right, f_left = function(right), function(left)
        return (f_right - f_left) / (right - left), 16 * EPSILON * max(abs(f_right), abs(f_left)) / step

    (difference, rounding), (coarser, _) = quotient(h), quotient(2 * h)
    return difference, rounding + abs(coarser - difference)


class Component:
    """One component of a gradient: its name, its derivative by `backward()` and by differences, and their distance."""

    def __init__(self, name: str, backward: float, differences: float, uncertainty: float) -> None:
        self.name = name
        self.backward = backward
        self.differences = differences
        self.uncertainty = uncertainty  # of the differences

    @property
    def relative_error(self) -> float:
        if self.backward == self.differences:
            return 0.0
        return abs(self.backward - self.differences) / max(abs(self.backward), abs(self.differences))

    def agrees(self, relative_tolerance: float) -> bool:
        size = max(abs(self.backward), abs(self.differences))
        return abs(self.backward - self.differences) <= relative_tolerance * size + self.uncertainty

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Its row in a table, below COLUMNS."""
        return self.name, f"{self.backward:.10g}", f"{self.differences:.10g}", f"{self.relative_error:.0e}"


COLUMNS = ("component", "backward", "differences", "relative error")


class GradientCheck:
    """The comparison: `components` in the order of the arguments, of which `failures` do not agree.

    `print` shows a table; so do notebooks.
    """

    def __init__(self, components: Sequence[Component], relative_tolerance: float) -> None:
        self.components = list(components)
        self.failures = [component for component in components if not component.agrees(relative_tolerance)]

    def table(self, components: Sequence[Component]) -> str:
        rows = [COLUMNS, *(component.cells for component in components)]
        width = max(len(name) for name, *_ in rows)
        return "\n".join(f"{name:{width}}  {b:>14}  {d:>14}  {error:>15}" for name, b, d, error in rows)

    def __repr__(self) -> str:
        return self.table(self.components)

    def _repr_html_(self) -> str:
        """The table for notebooks. It has no colours, so that it is readable on any background."""
        from html import escape  # here, since the engine's import imports this file

        agree = len(self.components) - len(self.failures)
        head = "".join(f'<th scope="col">{name}</th>' for name in (*COLUMNS, "agree"))
        rows = []
        for component in self.components:
            name, *numbers = map(escape, component.cells)
            cells = [f"<td>{number}</td>" for number in numbers]
            agrees = "<strong>✗ no</strong>" if component in self.failures else "✓ yes"
            rows.append(f'<tr><th scope="row"><code>{name}</code></th>{"".join(cells)}<td>{agrees}</td></tr>\n')
        return (
            f"<table>\n<caption>{agree:,} of {len(self.components):,} components agree</caption>\n"
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table>"
        )


class GradientError(AssertionError):
    """The gradient by `backward()` and the differences disagree; `check` has all components."""

    def __init__(self, check: GradientCheck, worst: int) -> None:
        self.check = check
        # nan first: it compares with nothing
        by_error = sorted(check.failures, key=lambda c: (c.relative_error == c.relative_error, -c.relative_error))
        more = f"\n... and {len(by_error) - worst} more" if len(by_error) > worst else ""
        super().__init__(
            f"check_gradients: {len(check.failures)} of {len(check.components)} components disagree; "
            f"look at the rules of the operations they go through, or for a kink at this point\n"
            f"{check.table(by_error[:worst])}{more}"
        )


def names(function: Callable[..., Any], arguments: Form) -> list[str]:
    """What the function calls each number among its arguments: x, weights[3], model.bias."""
    code = getattr(function, "__code__", None)
    parameters = code.co_varnames[: code.co_argcount] if code else ()
    parameters = parameters[1:] if hasattr(function, "__self__") else parameters
    return [
        (parameters[i] if i < len(parameters) else f"argument {i}") + place
        for i, argument in enumerate(arguments.parts)
        for place in argument.places()
    ]
