"""Derivatives of Rosenbrock's function in 100 dimensions: its gradient, its Hessian, and this times a vector.

H. H. Rosenbrock, "An automatic method for finding the greatest or least value of a function", 1960; of each number and
the next, so that the Hessian has entries on its diagonal and beside it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy
from workloads import SEED, Array, Expression, Number, Step


def rosenbrock(x: Sequence[Number]) -> Number:
    terms = [100.0 * (after - before**2) ** 2 + (1.0 - before) ** 2 for before, after in pairwise(x)]
    return sum(terms[1:], terms[0])


class Function:
    """A function, the point where it is differentiated, and a direction."""

    def __init__(self, compute: Callable[[Sequence[Number]], Number], dimensions: int) -> None:
        source = numpy.random.default_rng(SEED)
        self.compute = compute
        self.point, self.direction = source.uniform(-1.0, 1.0, (2, dimensions))


DERIVED = {"rosenbrock": Function(rosenbrock, 100)}


class Numbers:
    """What a step returns is an array."""

    differentiates = True

    def numbers(self, outcome: Any) -> list[float]:
        return [float(number) for number in numpy.ravel(outcome)]


class Transforms(Numbers):
    """This engine's transforms: each call evaluates the function."""

    def __init__(self) -> None:
        import autograd

        self.autograd = autograd

    def made(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def gradient(self, work: Function) -> Step:
        return partial(self.made(self.autograd.grad(work.compute)), work.point)

    def product(self, work: Function) -> Step:
        hvp = self.made(partial(self.autograd.hvp, work.compute))
        return partial(hvp, (work.point,), (work.direction,))

    def hessian(self, work: Function) -> Step:
        return partial(self.made(self.autograd.hessian(work.compute)), work.point)


class Compiled(Transforms):
    """The same, compiled: recorded at the first call, and replayed."""

    def made(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return self.autograd.compiled(function)  # type: ignore[no-any-return]


class ByTape(Numbers):
    """This engine's tape, used by hand."""

    def numbers(self, outcome: Any) -> list[float]:
        """The outcome of an expression is the value and the gradient."""
        return super().numbers(numpy.concatenate(outcome) if isinstance(outcome, tuple) and outcome else outcome)

    def recorded(self, work: Function) -> tuple[Any, Array]:
        from autograd import Tape

        return Tape.record(work.compute, [work.point.tolist()], threads=1), work.point.reshape(1, -1)

    def gradient(self, work: Function) -> Step:
        tape, batch = self.recorded(work)
        return lambda: tape.value_and_grad(batch, inputs=True)[2]

    def expression(self, expression: Expression) -> Step:
        """Its parameters are read from the Values, as an engine's are."""
        from autograd import Tape, Value, relu

        result, _ = expression.compute(Value, relu)
        return Tape(result).value_and_grad

    def gradient_alone(self, work: Function) -> Step:
        """Its time, to hold other work against, whose numbers are others."""
        step = self.gradient(work)
        return lambda: step() is None or ()

    def product(self, work: Function) -> Step:
        tape, batch = self.recorded(work)
        return partial(tape.hvp, batch, work.direction.reshape(1, -1), wrt="inputs")

    def hessian(self, work: Function) -> Step:
        tape, batch = self.recorded(work)
        return partial(tape.hessian, batch, wrt="inputs")

    def entries(self, work: Function) -> Step:
        tape, batch = self.recorded(work)
        return lambda: tape.hessian(batch, wrt="inputs", sparse=True)[0]


class CasADiDerivatives(Numbers):
    """CasADi's functions of scalar symbols. Its Hessians are sparse matrices; `full` makes an array of one."""

    def __init__(self) -> None:
        import casadi

        self.casadi = casadi

    def derived(self, work: Function) -> tuple[Any, Any, Any]:
        x = self.casadi.SX.sym("x", len(work.point))
        return x, *self.casadi.hessian(work.compute([x[i] for i in range(len(work.point))]), x)

    def gradient(self, work: Function) -> Step:
        x, _, gradient = self.derived(work)
        return partial(self.casadi.Function("gradient", [x], [gradient]), work.point)

    def product(self, work: Function) -> Step:
        x, _, gradient = self.derived(work)
        v = self.casadi.SX.sym("v", len(work.point))
        product = self.casadi.jtimes(gradient, x, v)
        return partial(self.casadi.Function("product", [x, v], [product]), work.point, work.direction)

    def entries(self, work: Function) -> Step:
        x, hessian, _ = self.derived(work)
        return partial(self.casadi.Function("hessian", [x], [hessian]), work.point)

    def hessian(self, work: Function) -> Step:
        entries = self.entries(work)
        return lambda: entries().full()

    def numbers(self, outcome: Any) -> list[float]:
        return [*outcome.nonzeros()] if isinstance(outcome, self.casadi.DM) else super().numbers(outcome)


class JaxDerivatives(Numbers):
    """jax.jit, of the function on arrays: written out number by number, it takes long to compile."""

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax = jax

    def compute(self, x: Any) -> Any:
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()

    def step(self, function: Callable[..., Any], *arrays: Array) -> Step:
        replayed, given = self.jax.jit(function), [self.jax.numpy.array(array) for array in arrays]
        return lambda: self.jax.block_until_ready(replayed(*given))

    def gradient(self, work: Function) -> Step:
        return self.step(self.jax.grad(self.compute), work.point)

    def product(self, work: Function) -> Step:
        gradient = self.jax.grad(self.compute)
        return self.step(lambda x, v: self.jax.jvp(gradient, (x,), (v,))[1], work.point, work.direction)

    def hessian(self, work: Function) -> Step:
        return self.step(self.jax.hessian(self.compute), work.point)
