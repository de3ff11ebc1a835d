"""check_gradients() compares the derivatives that the engine finds with finite differences.

One number x of the point moves at a time, by a step h to either side. Three difference quotients

    (f(x + h) - f(x - h)) / 2h        (f(x) - f(x - h)) / h        (f(x + h) - f(x)) / h

are taken for smaller and smaller h and extrapolated to h = 0. The first is the most precise one. The others have the
derivatives from the left and from the right as their limits: where these differ, the function has a kink.

A limit is uncertain by what the extrapolation still moved, by the difference of the two sides, and by the rounding of
f. The graph tells how large that is: a node v is rounded by about ε |v|, which moves the result by ε |v d result / dv|
(S. Linnainmaa, "Taylor expansion of the accumulated rounding error", BIT 16, 1976).

Differences along one random direction would take fewer evaluations. But with one number at a time a step fits the size
of its number, a small derivative is not lost beside large ones, and a wrong one has a name.
"""

from __future__ import annotations

import math
import sys
from functools import partial
from itertools import product

from autograd import structures
from autograd.displays import Table, in_notebooks
from autograd.engines import Value, no_grad, recording
from autograd.graph import topological_order
from autograd.operation import ieee
from autograd.vectors import borrowed_gradients
from autograd.wording import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from autograd.displays import Cell
    from autograd.structures import Form, Structure
    from autograd.value import Scalar

    Numbers: TypeAlias = Sequence[float]
    Matrix: TypeAlias = Sequence[Numbers]  # a row for each number of the result, a column for each of the point
    Roundings: TypeAlias = tuple[Numbers, Matrix]  # how far rounding moves each number of the result; each derivative
    Limit: TypeAlias = tuple[float, float]  # a number, and how uncertain it is

EPSILON = sys.float_info.epsilon
SMALLEST = math.ulp(0.0)
NO_LIMIT: Limit = (math.nan, math.inf)

CERTAIN = 1e-2  # a derivative by differences has two digits at least, or it tells nothing
MOST_ROWS = 100  # of a table

AGREES, DISAGREES, CANNOT_TELL = "agrees", "disagrees", "cannot tell"  # the states of a component


def check_gradients(
    function: Callable[..., Any],  # Any: whatever it returns is checked to be made of numbers
    point: Structure,
    *,
    modes: str | Sequence[str] = "reverse",
    order: int = 1,
    relative_tolerance: float = 1e-6,
    worst: int = 10,
) -> GradientCheck:
    """Compares the derivatives of `function` at `point` with finite differences.

    Arguments:
        function: called as `function(*point)` with Values in the numbers' places. It returns a number or a structure of
            numbers.
        point: the sequence of the arguments, each a number or a structure of numbers, as for `grad`. Anything but a
            sequence, such as a single number or a dict, is the only argument.
        modes: "reverse" for the derivatives that `backward()` finds, "forward" for those of forward mode, or both.
        order: 1 for the first derivatives; 2 for the second ones too, by each of the modes over each. Those are
            compared with differences of first derivatives.
        relative_tolerance: how far the two may be apart, as a part of the larger one, beside the uncertainty of the
            differences.
        worst: how many components the table of a failure shows.

    Returns the comparison, component by component; `print` shows it as a table. A component agrees, or it disagrees, or
    the check *cannot tell*, since the differences have not two certain digits. That is so where the derivative is lost
    in the rounding of the function (tanh at 20), where the quotients have no limit (sqrt at 0), and where the function
    has no values on either side. On the edge of its domain, differences of one side are taken.

    No `grad` of any Value is changed. The function is evaluated about ten times for each number of the point, or a
    hundred times where ten settle nothing. For second derivatives its gradient is.

    Raises GradientError, an AssertionError, with a table, if any component disagrees, or if there is none of which the
    check can tell. At a kink (relu at 0) a component disagrees, whatever the engine takes for its derivative. Raises
    TypeError for a leaf of the point or of the result that is no number, and names its place; ValueError for another
    mode or order, and if the function returns other numbers when it is called again. A ValueError or ArithmeticError of
    the function goes through if it is raised at the point. Beside the point it marks the edge of the domain.

    >>> from autograd import tanh
    >>> check = check_gradients(lambda x, y: x * tanh(y), (2.0, 0.5), modes=["reverse", "forward"], order=2)
    >>> [f"{component.name}: {component.derivative:.6f}" for component in check.components[:2]]
    ['x: 0.462117', 'y: 1.572895']
    >>> check.failures
    []
    """
    modes = checked_modes(modes, order)
    flat = Flat(function, point)
    reverse, roundings = flat.backward()
    first = {mode: reverse if mode == "reverse" else flat.jacobian(mode, flat.numbers) for mode in modes}
    components = compared(flat.values, flat.numbers, first, roundings, flat.names(1), relative_tolerance)
    if order == 2:
        second = {f"{outer} over {inner}": flat.hessian(outer, inner) for inner, outer in product(modes, modes)}
        gradient = partial(flat.gradient, modes[0])
        roundings = flat.roundings_of_gradient()
        components += compared(gradient, flat.numbers, second, roundings, flat.names(2), relative_tolerance)
    check = GradientCheck(components)
    if check.failures or len(check.undecided) == len(components):
        raise GradientError(check, worst)
    return check


def checked_modes(modes: str | Sequence[str], order: int) -> list[str]:
    chosen = [modes] if isinstance(modes, str) else list(modes)
    if not chosen or not {"reverse", "forward"}.issuperset(chosen):
        raise ValueError(f"check_gradients: modes: expected 'reverse', 'forward' or both, got {modes!r}")
    if order not in (1, 2):
        raise ValueError(f"check_gradients: order: expected 1 or 2, got {order!r}")
    return chosen


# ---- The function and its derivatives


class Flat:
    """The function, from the numbers of its arguments to the numbers of its result, both in lists.

    numbers, arguments     the point, and the form of the arguments
    outputs, result        what the function returns there, and its form
    variables              the Values in the place of the numbers, from which the outputs were computed
    """

    def __init__(self, function: Callable[..., Any], point: Structure) -> None:
        self.function = function
        arguments = structures.sequence(point)
        arguments = [point] if arguments is None else arguments
        self.numbers, self.arguments = structures.flatten(arguments, structures.number, "check_gradients: point")
        if not self.numbers:
            raise ValueError("check_gradients: expected at least one number in point, got none")
        self.variables = [Value(number) for number in self.numbers]
        self.result: Form | None = None
        with recording():
            self.outputs = self(self.variables)
        if not self.outputs:
            raise ValueError("check_gradients: expected the function to return at least one number, got none")
        if repr([structures.number(output) for output in self.outputs]) != repr(self.values(self.numbers)):
            raise ValueError(
                "check_gradients: the function has returned other numbers when it was called again; "
                "take what is random out of it, or fix its seed within it"
            )

    def __call__(self, leaves: Sequence[Scalar]) -> list[Scalar]:
        returned = self.function(*structures.unflatten(self.arguments, leaves))
        what = "check_gradients: what the function has returned"
        outputs, result = structures.flatten(returned, structures.scalar, what)
        if self.result is None:
            self.result = result
        if result != self.result:  # beside the point, its domain ends here
            raise ValueError(f"check_gradients: expected the function to return {self.result!r} again, got {result!r}")
        return outputs

    def values(self, numbers: Numbers) -> Numbers:
        with recording():  # gradients() within the function needs the graph
            return [structures.number(output) for output in self([Value(number) for number in numbers])]

    def backward(self) -> tuple[Matrix, Roundings]:
        """The first derivatives by `backward()`, and how far rounding moves the outputs and these."""
        found = [by_backward(output, self.variables) for output in self.outputs]
        rows, of_outputs, of_derivatives = zip(*found, strict=True)
        return rows, (of_outputs, of_derivatives)

    def jacobian(self, mode: str, numbers: Numbers) -> Matrix:
        """The first derivatives by a mode of differentiation."""
        from autograd.transforms import jacobian  # here, since the engine's import imports this file

        with no_grad():  # so that the derivatives are floats
            rows: Matrix = jacobian(self, mode=mode)(numbers)  # type: ignore[arg-type]
        return rows

    def gradient(self, mode: str, numbers: Numbers) -> Numbers:
        """The first derivatives, row after row."""
        return [derivative for row in self.jacobian(mode, numbers) for derivative in row]

    def hessian(self, outer: str, inner: str) -> Matrix:
        """The second derivatives: those of the gradient."""
        from autograd.transforms import jacobian

        with no_grad():
            blocks = jacobian(jacobian(self, mode=inner), mode=outer)(self.numbers)  # type: ignore[arg-type]
        return [row for block in blocks for row in block]

    def roundings_of_gradient(self) -> Roundings:
        """How far rounding moves each number of the gradient; of its derivatives that is not known."""
        from autograd.transforms import gradients

        with recording():
            rows = [gradients(output, self.variables, create_graph=True) for output in self.outputs]
        roundings = [by_backward(derivative, [])[1] for row in rows for derivative in row]
        return roundings, [[0.0] * len(self.numbers)] * len(roundings)

    def names(self, order: int) -> list[list[str]]:
        """The names of the components, row by row: x, weights[3], model.bias; for second derivatives "x, weights[3]".

        The numbers among the arguments are called what the function calls them.
        """
        code = getattr(self.function, "__code__", None)
        parameters = code.co_varnames[: code.co_argcount] if code else ()
        parameters = parameters[1:] if hasattr(self.function, "__self__") else parameters
        names = [
            (parameters[i] if i < len(parameters) else f"argument {i}") + place
            for i, argument in enumerate(self.arguments.parts)
            for place in argument.places()
        ]
        assert self.result is not None
        rows = [""] if self.result.is_single else [f"output{place} by " for place in self.result.places()]
        if order == 2:
            rows = [f"{row}{name}, " for row in rows for name in names]
        return [[row + name for name in names] for row in rows]


def by_backward(output: Scalar, variables: Sequence[Value]) -> tuple[Numbers, float, Numbers]:
    """The derivatives of the output by the variables, and how far rounding may move the output and each of these."""
    if not isinstance(output, Value):
        return [0.0] * len(variables), 0.0, [0.0] * len(variables)
    nodes = topological_order(output)
    with borrowed_gradients([*nodes, *variables]):
        output.backward()
        derivatives = [variable.grad for variable in variables]
        rounding = EPSILON * sum([abs(node.grad) * rounded(node) for node in nodes if node.parents])
    along_paths = sums_along_paths(nodes)
    roundings = [4 * EPSILON * along_paths.get(variable, 0.0) for variable in variables]
    return derivatives, finite(rounding), [finite(rounding) for rounding in roundings]


def sums_along_paths(nodes: Sequence[Value]) -> dict[Value, float]:
    """For each node of a graph, Σ |product of the local derivatives| over the paths to the last one.

    A derivative is the same sum without the bars, and is rounded in proportion to this one.
    """
    sums = {nodes[-1]: 1.0}
    for node in reversed(nodes):
        for parent, derivative in zip(node.parents, node.local_derivatives, strict=False):
            sums[parent] = sums.get(parent, 0.0) + abs(derivative) * sums.get(node, 0.0)
    return sums


def finite(rounding: float) -> float:
    return rounding if math.isfinite(rounding) else 0.0


def rounded(node: Value) -> float:
    """The size of what is rounded in a node: of the node, or of the terms that a sum or an inner product adds up."""
    operation = node.operation
    if operation is None or not operation.sequences:
        return abs(node.data)
    sizes = structures.map(lambda operand: abs(structures.number(operand)), node.operands)
    size: float = operation.compute(ieee, *sizes)
    return size


# ---- Differences


def compared(
    function: Callable[[Numbers], Numbers],
    point: Numbers,
    derivatives: Mapping[str, Matrix],
    roundings: Roundings,
    names: Sequence[Sequence[str]],
    tolerance: float,
) -> list[Component]:
    """The components of these matrices of derivatives, one for each mode, with the differences of the function."""
    center = function(point)
    columns: list[list[Slope]] = []
    for j, number in enumerate(point):
        slopes = [
            Slope(number, value, rounding, [matrix[i][j] for matrix in derivatives.values()], row[j], tolerance)
            for i, (value, rounding, row) in enumerate(zip(center, *roundings, strict=True))
        ]
        take_differences(partial(values_beside, function, point, j), number, slopes)
        columns.append(slopes)
    return [
        columns[j][i].component(names[i][j], mode, derivative)
        for mode, matrix in derivatives.items()
        for i, row in enumerate(matrix)
        for j, derivative in enumerate(row)
    ]


def values_beside(function: Callable[[Numbers], Numbers], point: Numbers, j: int, number: float) -> Numbers | None:
    """The values of the function with another number in the j-th place, or None outside its domain."""
    try:
        return function([*point[:j], number, *point[j + 1 :]])
    except (ValueError, ArithmeticError):
        return None


def take_differences(function: Callable[[float], Numbers | None], number: float, slopes: Sequence[Slope]) -> None:
    """Takes differences with smaller and smaller steps, until every slope agrees with what the engine has found.

    A slope is settled where its uncertainty is a tenth of the tolerance. At the end of a series of steps, four digits
    are enough, since further steps seldom find more.
    """
    unsettled = list(enumerate(slopes))
    nowhere = [math.nan] * len(slopes)
    for steps in series_of_steps(number):
        unsettled = [(i, slope) for i, slope in unsettled if not slope.is_settled(1e-4)]
        for _, slope in unsettled:
            slope.begin()
        for step in steps:
            if not unsettled:
                return
            left, right = function(number - step) or nowhere, function(number + step) or nowhere
            for i, slope in unsettled:
                slope.add(step, left[i], right[i])
            unsettled = [(i, slope) for i, slope in unsettled if not slope.is_settled(slope.tolerance / 10)]


def series_of_steps(number: float) -> Iterator[list[float]]:
    """Three series of steps. Each step is a quarter of the one before.

    The first are in proportion to the number. If it is small, they may be lost in rounding, so the second are larger.
    The third go down to the distance of neighbouring floats, for functions that change quickly.
    """
    size = abs(number)
    finest = math.ulp(size)
    yield steps_between(size / 8, max(size / 8 / 4**5, finest), size)
    if size < 1e-2:
        yield steps_between(1 / 8, max(size / 8, 1e-30), size)
    yield steps_between(size / 8 / 4**6, finest, size)


def steps_between(largest: float, smallest: float, size: float) -> list[float]:
    """Rounded so that x - h and x + h are exact for a number x of this size, unless h is much larger."""
    steps = []
    while smallest <= largest < math.inf:
        steps.append((size + largest) - size)
        largest /= 4
    return [step for step in steps if step < math.inf]


class Slope:
    """The derivative of a function f by its number x as differences find it: the least uncertain limit so far.

    claims      what the engine has found, uncertain by claims_rounding
    limit       the derivative, and how uncertain it is; nan and inf while there is none
    sides       the derivatives from the left and from the right, at a kink
    step        the smallest step that the limit was found with
    steepness   for each step, the size of the quotients
    """

    def __init__(
        self, x: float, value: float, rounding: float, claims: Numbers, claims_rounding: float, tolerance: float
    ) -> None:
        self.value = value  # of f at x
        self.rounding = rounding
        self.claims = claims
        self.claims_rounding = claims_rounding
        self.tolerance = tolerance
        self.steepness = [(math.inf, abs(value) / max(1.0, abs(x)))]
        self.has_two_sides = False
        self.forget()

    def forget(self) -> None:
        self.limit, self.step = NO_LIMIT, 0.0
        self.sides: tuple[float, float] | None = None

    def begin(self) -> None:
        """Begins a new series of steps."""
        self.left, self.right, self.central = Extrapolation(1), Extrapolation(1), Extrapolation(2)

    def add(self, step: float, f_left: float, f_right: float) -> None:
        """Takes in the values of f a step to the left and to the right of x, nan where there are none."""
        size = max([abs(f) for f in (f_left, self.value, f_right) if math.isfinite(f)], default=0.0)
        if not math.isfinite(self.value) or 10 * self.rounding > size:
            return  # not one digit of f is certain
        rounding = 2 * (max(EPSILON * size, self.rounding) + SMALLEST) / step
        from_left, from_right = (self.value - f_left) / step, (f_right - self.value) / step
        left = self.left.add(step, from_left, rounding) if math.isfinite(from_left) else None
        right = self.right.add(step, from_right, rounding) if math.isfinite(from_right) else None
        self.steepness += [(step, abs(quotient)) for quotient in (from_left, from_right) if math.isfinite(quotient)]
        if left and right:
            if not self.has_two_sides:
                self.has_two_sides = True
                self.forget()  # what one side has found
            central = self.central.add(step, (f_right - f_left) / (2 * step), rounding)
            self.take(step, *self.joined(left, right, central))
        elif not left and not right:
            self.forget()  # what larger steps have found: it is not close to x
        elif not self.has_two_sides:
            self.take(step, left or right or NO_LIMIT)

    def joined(self, left: Limit, right: Limit, central: Limit) -> tuple[Limit, tuple[float, float] | None]:
        """The limit of the three, and the two sides if these are certain to differ."""
        jump, doubt = abs(left[0] - right[0]), left[1] + right[1]
        if doubt == math.inf:
            return NO_LIMIT, None
        is_kink = jump > 4 * doubt + self.tolerance * max(abs(left[0]), abs(right[0]))
        return (central[0], central[1] + jump / 2), (left[0], right[0]) if is_kink else None

    def take(self, step: float, limit: Limit, sides: tuple[float, float] | None = None) -> None:
        if limit[1] < self.limit[1]:
            self.limit, self.step, self.sides = limit, step, sides

    def is_settled(self, uncertainty: float) -> bool:
        return self.has_two_sides and all(self.state(claim, uncertainty) == AGREES for claim in self.claims)

    def state(self, claim: float, certain: float = CERTAIN) -> str:
        """Whether the claim is the derivative, if the limit is certain to this part of it.

        A derivative of 0 has no size. There the limit must be certain beside the slopes around, those of larger steps.
        """
        limit, uncertainty = self.limit[0], self.limit[1] + self.claims_rounding
        if uncertainty == math.inf:
            return CANNOT_TELL
        if self.sides:
            return DISAGREES
        if not math.isfinite(claim):
            return DISAGREES if uncertainty <= certain * max(abs(limit), self.steepest) else CANNOT_TELL
        size = max(abs(claim), abs(limit))
        is_certain = uncertainty <= certain * size
        if abs(claim - limit) > self.tolerance * size + uncertainty:
            return DISAGREES if is_certain else CANNOT_TELL
        if claim == 0:
            is_certain = uncertainty <= certain * self.steepest or self.steepest == 0
        return AGREES if is_certain else CANNOT_TELL

    @property
    def steepest(self) -> float:
        return max([steepness for step, steepness in self.steepness if step >= self.step])

    def component(self, name: str, mode: str, claim: float) -> Component:
        return Component(name, mode, claim, *self.limit, self.state(claim), self.sides)


class Extrapolation:
    """The limit of difference quotients, as their step h goes to 0.

    A quotient is f' + c₁ h^p + c₂ h^2p + ...: p is 2 for central quotients, and 1 for those of one side. The polynomial
    in h^p through the last few quotients gives the limit (L. F. Richardson's extrapolation, in E. H. Neville's scheme).
    It is uncertain by how far it moved with the last quotient and with the last power (C. J. F. Ridders, "Accurate
    computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software 4, 1982).
    """

    def __init__(self, p: int) -> None:
        self.p = p
        self.steps: list[float] = []
        self.limits: list[float] = []  # by the last quotient, by the last two, by the last three, ...
        self.change = math.inf
        self.calm = 0  # how many times in sequence the quotients have come closer
        self.best = NO_LIMIT  # of these

    def add(self, step: float, quotient: float, rounding: float) -> Limit:
        """The limit with a further quotient, which is uncertain by `rounding`."""
        before, limits = self.limits, [quotient]
        self.watch(abs(quotient - before[0]) if before else math.inf, max(4 * rounding, 1e-2 * abs(quotient)))
        for j, previous in enumerate(before[:4]):
            ratio = (self.steps[-1 - j] / step) ** self.p
            limits.append(limits[j] + (limits[j] - previous) / (ratio - 1))
            moved = max(abs(limits[-1] - limits[j]), abs(limits[-1] - previous))
            self.best = min(self.best, (limits[-1], 2 * (moved + rounding)), key=uncertainty_of)
        self.steps.append(step)
        self.limits = limits
        return self.best if self.calm >= 3 else (quotient, math.inf)

    def watch(self, change: float, negligible: float) -> None:
        """Counts how often the quotients have come closer. Those that grow for ever, or jump, have no limit."""
        if change <= max(self.change / 2, negligible) and change < math.inf:
            self.calm += 1
        else:
            self.calm, self.best = 0, NO_LIMIT
        self.change = change


def uncertainty_of(limit: Limit) -> float:
    return limit[1]


# ---- The comparison and how it is shown


class Component:
    """One derivative: its name, what the engine and the differences have found, and the state of the comparison.

    name            "x", "w[3]"; of a second derivative "x, w[3]"; if there are several outputs, "output[0] by x"
    mode            "reverse", "forward", or for second derivatives "forward over reverse"
    derivative      by the engine
    differences     the derivative by differences; nan if these have found none
    uncertainty     of the differences
    state           "agrees", "disagrees" or "cannot tell"
    sides           at a kink, the derivatives from the left and from the right; else None
    """

    def __init__(
        self,
        name: str,
        mode: str,
        derivative: float,
        differences: float,
        uncertainty: float,
        state: str,
        sides: tuple[float, float] | None = None,
    ) -> None:
        self.name = name
        self.mode = mode
        self.derivative = derivative
        self.differences = differences
        self.uncertainty = uncertainty
        self.state = state
        self.sides = sides

    @property
    def backward(self) -> float:
        """The derivative, as this was called while there was reverse mode only."""
        return self.derivative

    @property
    def relative_error(self) -> float:
        if self.derivative == self.differences:
            return 0.0
        return abs(self.derivative - self.differences) / max(abs(self.derivative), abs(self.differences))

    @property
    def row(self) -> list[Cell]:
        """Its cells in a table, below COLUMNS."""
        differences, error = "none found", ""
        if self.uncertainty < math.inf:
            differences = f"{self.differences:.10g} ± {self.uncertainty:.0e}"
            if self.derivative or self.state == DISAGREES:  # it says nothing of a derivative that is 0
                error = f"{self.relative_error:.0e}"
        agrees = {AGREES: "yes", DISAGREES: "no"}.get(self.state, self.state)
        if self.sides:
            agrees += ", a kink: {:.4g} from the left, {:.4g} from the right".format(*self.sides)
        sign = next(sign for word, sign in SIGNS.items() if agrees.startswith(word))
        return [
            (self.name, "<code>{}</code>"),
            self.mode,
            f"{self.derivative:.10g}",
            differences,
            error,
            (agrees, sign),
        ]


SIGNS = {"yes": "✓ {}", "no": "<strong>✗ {}</strong>", "cannot tell": "<em>? {}</em>"}
COLUMNS = ("component", "mode", "derivative", "differences", "relative error", "agrees")


class GradientCheck:
    """The comparison: `components`, of each mode in the order of the arguments.

    Those in `failures` disagree, and of those in `undecided` the check cannot tell. `print` shows a table; so do
    notebooks.
    """

    def __init__(self, components: Sequence[Component]) -> None:
        self.components = list(components)
        self.failures = [component for component in components if component.state == DISAGREES]
        self.undecided = [component for component in components if component.state == CANNOT_TELL]

    @property
    def summary(self) -> str:
        agree = len(self.components) - len(self.failures) - len(self.undecided)
        total = counted(len(self.components), "component")
        counts = [f"{agree:,} of {total} agree{'s' if agree == 1 else ''}"]
        if self.failures:
            counts.append(f"{len(self.failures):,} disagree" if len(self.failures) > 1 else "1 disagrees")
        if self.undecided:
            counts.append(f"the check cannot tell for {len(self.undecided):,}")
        return ", ".join(counts)

    def __repr__(self) -> str:
        return self.table(self.components).text

    def table(self, components: Sequence[Component], most_rows: int = MOST_ROWS) -> Table:
        """The components, below a head. If there are more than `most_rows`, those that agree come last, and are cut.

        The modes are shown if there are several.
        """
        more = len(components) - most_rows
        if more > 0:
            components = sorted(components, key=lambda component: component.state == AGREES)[:most_rows]
        rows: list[Sequence[Cell]] = [component.row for component in components]
        rows += [[f"... and {more:,} more"]] * (more > 0)
        left_out = ("mode",) if len({component.mode for component in self.components}) == 1 else ()
        return Table(self.summary, COLUMNS, rows, numbers=("derivative", "relative error"), left_out=left_out)

    _repr_html_ = in_notebooks(lambda check: check.table(check.components))


class GradientError(AssertionError):
    """The derivatives and the differences disagree, or there is none of which the check can tell.

    `check` has all components.
    """

    def __init__(self, check: GradientCheck, worst: int) -> None:
        self.check = check
        # nan first: it compares with nothing
        shown = sorted(check.failures, key=lambda c: (c.relative_error == c.relative_error, -c.relative_error))
        advice = "look at the rules of the operations they go through, or for a kink at this point"
        if not shown:
            shown, advice = check.undecided, "take a point where differences find derivatives"
        super().__init__(f"check_gradients: {check.summary}; {advice}\n{check.table(shown, worst).text}")
