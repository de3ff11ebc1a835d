"""Programs of scalars, as they come: pricing models over many scenarios, an integrator, a loss written out in scalars.

A program is a function of the mathematics `m`, and of scalars: those that are different in each scenario, and those
that are the same in all. Its gradient is by one or the other.
"""

import math
import os
import random
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy
from arrays import THREADS
from workloads import Array, Step

import autograd
from autograd import Tape, Value

SCENARIOS, STEPS, EXAMPLES = 100_000, 30, 100


class Program(NamedTuple):
    """A function(m, varying, shared); the numbers of the varying scalars, (scenarios, varying), and of the shared.

    The gradient is by the varying scalars if `by_varying`, an array, else that of the mean by the shared ones.
    """

    function: Callable[[Any, Sequence[Any], Sequence[Any]], Any]
    varying: Array
    shared: Sequence[float]
    by_varying: bool = False


def black_scholes(m: Any, varying: Sequence[Any], shared: Sequence[Any]) -> Any:
    """The price of a call option (F. Black and M. Scholes, 1973). Its derivatives are five greeks."""
    spot, strike, rate, volatility, time = varying
    spread = volatility * m.sqrt(time)
    d1 = (m.log(spot / strike) + (rate + 0.5 * volatility * volatility) * time) / spread
    distribution = [0.5 * (1.0 + m.erf(d * math.sqrt(0.5))) for d in (d1, d1 - spread)]
    return spot * distribution[0] - strike * m.exp(-rate * time) * distribution[1]


def asian_option(m: Any, varying: Sequence[Any], shared: Sequence[Any]) -> Any:
    """The payoff of an option on an average over a path, whose volatility depends on where it is."""
    spot, rate, volatility, strike, skew = shared
    dt, price, total = 1.0 / len(varying), spot, 0.0
    for z in varying:
        local = volatility * (1.0 + skew * (price / spot - 1.0))
        price = price * m.exp((rate - 0.5 * local * local) * dt + local * math.sqrt(dt) * z)
        total = total + price
    return m.exp(-rate) * m.positive(total * (1.0 / len(varying)) - strike)


def lorenz(m: Any, varying: Sequence[Any], shared: Sequence[Any], steps: int = 1000, dt: float = 0.01) -> Any:
    """Lorenz's system by Runge and Kutta's method of the fourth order."""
    s, r, b = shared[3:]

    def slopes(x: Any, y: Any, z: Any) -> tuple[Any, Any, Any]:
        return s * (y - x), x * (r - z) - y, x * y - b * z

    state = tuple(shared[:3])
    for _ in range(steps):
        k = [slopes(*state)]
        for part in (0.5 * dt, 0.5 * dt, dt):
            k.append(slopes(*(u + part * slope for u, slope in zip(state, k[-1], strict=True))))
        state = tuple(
            u + dt / 6.0 * (a + 2.0 * b2 + 2.0 * c + d) for u, a, b2, c, d in zip(state, *k, strict=True)
        )  # fmt: skip
    return state[0] + state[1] + state[2]


def moons(m: Any, varying: Sequence[Any], shared: Sequence[Any]) -> Any:
    """The max-margin loss of a network 2-16-16-1 over 100 examples, and a penalty: 65,000 nodes of `* + relu`."""
    source = random.Random(1)
    weights = iter(shared)
    layers = [[[*islice(weights, n + 1)] for _ in range(width)] for n, width in ((2, 16), (16, 16), (16, 1))]
    total = 0.0
    for _ in range(EXAMPLES):
        x: list[Any] = [source.uniform(-1.0, 2.0), source.uniform(-1.0, 1.0)]
        target = source.choice([-1.0, 1.0])
        for layer in layers:
            sums = []
            for bias, *row in layer:
                for weight, x_i in zip(row, x, strict=True):
                    bias = bias + weight * x_i
                sums.append(bias)
            x = [m.positive(each) for each in sums] if layer is not layers[-1] else sums
        total = total + m.positive(1.0 - target * x[0])
    penalty = 0.0
    for weight in shared:
        penalty = penalty + weight * weight
    return total * (1.0 / EXAMPLES) + 1e-4 * penalty


def programs() -> dict[str, Program]:
    source = numpy.random.default_rng(1)
    bounds = [(80.0, 120.0), (90.0, 110.0), (0.01, 0.05), (0.1, 0.4), (0.2, 2.0)]
    options = numpy.column_stack([source.uniform(*each, SCENARIOS) for each in bounds])
    paths, nothing = source.standard_normal((SCENARIOS, STEPS)), numpy.empty((1, 0))
    return {
        "black-scholes": Program(black_scholes, options, [], by_varying=True),
        "asian-option": Program(asian_option, paths, [100.0, 0.03, 0.2, 100.0, 0.3]),
        "lorenz": Program(lorenz, nothing, [1.0, 1.0, 1.0, 10.0, 28.0, 8.0 / 3.0]),
        "moons-graph": Program(moons, nothing, source.uniform(-1.0, 1.0, 337).tolist()),
    }


PROGRAMS = programs()


class Programs:
    """A contestant; `numbers` are the mean result and the gradient, of which the mean over scenarios."""

    differentiates = True

    def numbers(self, outcome: tuple[Any, Any]) -> list[float]:
        results, gradient = outcome
        return [float(numpy.mean(results)), *numpy.atleast_2d(gradient).mean(axis=0).tolist()]


class TapedPrograms(Programs):
    def __init__(self, executor: str, fast_math: bool = False) -> None:
        if executor == "native" and autograd.engine != "native":
            raise ImportError("the native engine is not built")
        self.options: dict[str, Any] = {"executor": executor, "threads": THREADS, "fast_math": fast_math}
        self.mathematics = SimpleNamespace(**{name: getattr(autograd, name) for name in ("sqrt", "log", "exp", "erf")})
        self.mathematics.positive = autograd.relu

    def program(self, program: Program) -> Step:
        varying = [Value(number) for number in program.varying[0]]
        shared = [Value(number) for number in program.shared]
        tape = Tape(program.function(self.mathematics, varying, shared), varying, **self.options)
        if program.by_varying:

            def step() -> tuple[Array, Array]:
                results, _, by_varying = tape.value_and_grad(program.varying, gradient=1.0, inputs=True)
                return results, by_varying

            return step
        vector = numpy.array([parameter.data for parameter in tape.parameters])
        places = [tape.parameters.index(leaf) for leaf in shared]

        def replay() -> tuple[Array, Array]:
            results, gradient = tape.value_and_grad(program.varying, parameters=vector)
            return results, gradient[places]

        return replay


class Heyoka(Programs):
    """Its compiled functions, over several scenarios at once: all results and derivatives in one array."""

    def __init__(self) -> None:
        if hasattr(os, "sched_setaffinity"):  # it shares scenarios among all processors, and has no setting for that
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
        import heyoka

        self.library = heyoka
        names = "sqrt", "log", "exp", "erf"
        self.mathematics = SimpleNamespace(**{name: getattr(heyoka, name) for name in names})
        self.mathematics.positive = lambda x: heyoka.select(heyoka.gt(x, 0.0), x, 0.0)

    def program(self, program: Program) -> Step:
        varying = self.library.make_vars(*[f"x{i}" for i in range(program.varying.shape[1])])
        shared = list(self.library.make_vars(*[f"p{i}" for i in range(len(program.shared))])) if program.shared else []
        result = program.function(self.mathematics, varying, shared)
        by = varying if program.by_varying else shared
        tensors = self.library.diff_tensors([result], diff_args=by, diff_order=1)
        compiled = self.library.cfunc(
            [result, *tensors.gradient], vars=[*shared, *varying], compact_mode=len(varying) > 10
        )
        table = rows_of(program)
        return lambda: split_up(compiled(inputs=table))


class Ddx(Programs):
    """Its interpreter for one scenario, its kernels for many."""

    def __init__(self) -> None:
        import ddx

        self.library = ddx
        self.mathematics = SimpleNamespace(**{name: getattr(ddx, name) for name in ("sqrt", "log", "exp", "erf")})
        self.mathematics.positive = lambda x: ddx.max(x, 0.0)

    def program(self, program: Program) -> Step:
        count, scenarios = program.varying.shape[1], len(program.varying)

        def model() -> Any:
            shared = [self.library.var(f"p{i}") for i in range(len(program.shared))]
            kind = self.library.var if program.by_varying else self.library.param
            return program.function(self.mathematics, [kind(f"x{i}") for i in range(count)], shared)

        equation, table = self.library.equation(model), rows_of(program)
        if scenarios > 1:
            equation.compile(points=scenarios)
        return lambda: transposed(equation.jacobian(table))


class JaxPrograms(Programs):
    """jit of vmap; a list of thousands of instructions would take minutes to compile."""

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.library = jax
        names = "sqrt", "log", "exp"
        self.mathematics = SimpleNamespace(**{name: getattr(jax.numpy, name) for name in names})
        self.mathematics.erf, self.mathematics.positive = jax.lax.erf, lambda x: jax.numpy.maximum(x, 0.0)

    def program(self, program: Program) -> Step:
        jax, m = self.library, self.mathematics
        varying, shared = jax.numpy.array(program.varying), jax.numpy.array(program.shared)
        if program.by_varying:
            each = jax.jit(jax.vmap(jax.value_and_grad(lambda x: program.function(m, [*x], []))))
            return lambda: tuple(map(numpy.asarray, each(varying)))

        def mean(p: Any, x: Any) -> Any:
            return jax.numpy.mean(jax.vmap(lambda one: program.function(m, [*one], [*p]))(x))

        whole = jax.jit(jax.value_and_grad(mean))
        return lambda: tuple(map(numpy.asarray, whole(shared, varying)))


class Numba(Programs):
    """Lorenz's system with its six derivatives carried forward by hand, as loops on arrays that Numba compiles."""

    def __init__(self) -> None:
        import numba

        self.compiled = numba.njit(lorenz_by_hand)

    def program(self, program: Program) -> Step:
        assert program.function is lorenz
        point = numpy.array(program.shared)

        def step() -> tuple[Array, Array]:
            numbers = self.compiled(point, 1000, 0.01)
            return numbers[:1], numbers[1:]

        return step


def lorenz_by_hand(point: Array, steps: int, dt: float) -> Array:
    """What `lorenz` computes, and behind it the derivatives: of each number in column 0 they are in columns 1 to 6."""
    s, r, b = point[3], point[4], point[5]
    state, slope, total = numpy.zeros((3, 7)), numpy.zeros((3, 7)), numpy.zeros((3, 7))
    for i in range(3):
        state[i, 0], state[i, 1 + i] = point[i], 1.0
    at = state.copy()
    for _ in range(steps):
        at[:], total[:] = state, 0.0
        for part, weight in ((0.5 * dt, 1.0), (0.5 * dt, 2.0), (dt, 2.0), (0.0, 1.0)):
            x, y, z = at[0, 0], at[1, 0], at[2, 0]
            for j in range(1, 7):
                slope[0, j] = s * (at[1, j] - at[0, j])
                slope[1, j] = at[0, j] * (r - z) - x * at[2, j] - at[1, j]
                slope[2, j] = at[0, j] * y + x * at[1, j] - b * at[2, j]
            slope[0, 4] += y - x
            slope[1, 5] += x
            slope[2, 6] -= z
            slope[0, 0], slope[1, 0], slope[2, 0] = s * (y - x), x * (r - z) - y, x * y - b * z
            for i in range(3):
                for j in range(7):
                    total[i, j] += weight * slope[i, j]
                    at[i, j] = state[i, j] + part * slope[i, j]
        state += dt / 6.0 * total
    numbers: Array = state[0] + state[1] + state[2]
    return numbers


def rows_of(program: Program) -> Array:
    """A row for each scalar, the shared ones first."""
    shared = numpy.broadcast_to(
        numpy.array(program.shared)[:, numpy.newaxis], (len(program.shared), len(program.varying))
    )
    return numpy.ascontiguousarray(numpy.vstack([shared, program.varying.T]))


def split_up(rows: Array) -> tuple[Array, Array]:
    return rows[0], rows[1:].T


def transposed(outcome: tuple[Array, Array]) -> tuple[Array, Array]:
    return outcome[0], outcome[1].T


MAKERS: dict[str, Callable[[], Any]] = {
    "native": partial(TapedPrograms, "native"), "native-fast": partial(TapedPrograms, "native", fast_math=True),
    "c": partial(TapedPrograms, "c"), "c-fast": partial(TapedPrograms, "c", fast_math=True),
    "heyoka": Heyoka, "ddx": Ddx, "jax": JaxPrograms, "numba": Numba,
}  # fmt: skip
