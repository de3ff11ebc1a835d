"""check_gradients(): are the derivatives that `backward()` finds the ones that finite differences see?

The central difference (f(x + h) - f(x - h)) / 2h is the derivative up to an error of h² |f'''| / 6 from the formula and
of ε |f| / h from rounding, ε = 2⁻⁵². With h = ε^(1/3) max(1, |x|) the two are of one size (Nocedal and Wright,
"Numerical Optimization", section 8.1), and ten digits or so are left to compare. How large the first is shows in the
difference with 2h, which has four times of it.
"""

from __future__ import annotations

import sys

from autograd.engines import Value, no_grad
from autograd.graph import leaves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from autograd.operands import Number

    Argument = Number | Sequence["Argument"]

EPSILON = sys.float_info.epsilon


def check_gradients(
    function: Callable[..., Any],  # Any: whatever it returns is checked to be a number
    point: Argument,
    *,
    relative_tolerance: float = 1e-6,
    worst: int = 10,
) -> GradientCheck:
    """Compares the gradient of `function` at `point` by `backward()` with central differences.

    Arguments:
        function: called as `function(*point)` with Values in the numbers' places; it returns one Value.
        point: the arguments: numbers, or (nested) sequences of numbers. A single number is the only argument.
        relative_tolerance: how far the two may be apart, as a part of the larger, beside the differences' own error.
        worst: how many components the table of a failure shows.

    Returns the comparison, component by component; `print` shows it as a table. No `grad` but that of Values made
    here is changed. Raises GradientError, an AssertionError, with the table of the worst components where any is
    further off; a component at a kink (`relu` at 0) is, since its difference sees both sides.

    >>> from autograd import tanh
    >>> check = check_gradients(lambda x, y: x * tanh(y), (2.0, 0.5))
    >>> [f"{component.name}: {component.backward:.6f}" for component in check.components]
    ['x: 0.462117', 'y: 1.572895']
    """
    arguments: Any = point if hasattr(point, "__len__") else [point]
    named = list(components(function, arguments))
    if not named:
        raise ValueError("check_gradients: expected at least one number in point, got none")
    names, numbers = zip(*named, strict=True)
    values = [Value(number) for number in numbers]

    output = function(*rebuild(arguments, iter(values)))
    if not isinstance(output, Value):
        raise TypeError(f"check_gradients: expected the function to return one Value, got {type(output).__name__}")
    before = [(leaf, leaf.grad) for leaf in leaves(output)]
    output.backward()
    gradients = [value.grad for value in values]
    for leaf, grad in before:
        leaf.grad = grad

    def evaluate(index: int, number: float) -> float:
        moved = [*numbers[:index], number, *numbers[index + 1 :]]
        with no_grad():
            return float(function(*rebuild(arguments, iter(map(Value, moved)))))

    check = GradientCheck(
        [
            Component(name, gradient, *central_difference(evaluate, index, number))
            for index, (name, number, gradient) in enumerate(zip(names, numbers, gradients, strict=True))
        ],
        relative_tolerance,
    )
    if check.failures:
        raise GradientError(check, worst)
    return check


def central_difference(evaluate: Callable[[int, float], float], index: int, number: float) -> tuple[float, float]:
    """The difference quotient, and how large its error may be."""
    h = EPSILON ** (1 / 3) * max(1.0, abs(number))

    def quotient(step: float) -> tuple[float, float]:
        right, left = number + step, number - step
        f_right, f_left = evaluate(index, right), evaluate(index, left)
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
    """The gradient by `backward()` is not the one that differences see; `check` has all components."""

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


def components(function: Callable[..., Any], arguments: Any) -> Iterator[tuple[str, float]]:
    """Every number among the arguments, with the name that the function has for it: x, weights[3]."""
    code = getattr(function, "__code__", None)
    parameters = code.co_varnames[: code.co_argcount] if code else ()
    parameters = parameters[1:] if hasattr(function, "__self__") else parameters
    for index, argument in enumerate(arguments):
        name = parameters[index] if index < len(parameters) else f"argument {index}"
        yield from numbered(name, argument)


def numbered(name: str, argument: Any) -> Iterator[tuple[str, float]]:
    if hasattr(argument, "__len__") and not isinstance(argument, str):
        for index, element in enumerate(argument):
            yield from numbered(f"{name}[{index}]", element)
    else:
        yield name, Value(argument).data


def rebuild(arguments: Any, values: Iterator[Value]) -> list[Any]:
    """The arguments with the next of the Values in the place of each number."""
    return [rebuild(a, values) if hasattr(a, "__len__") else next(values) for a in arguments]
