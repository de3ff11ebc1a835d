"""Who is compared, and how does each get a gradient? One class for each way; what it imports, it imports when made.

A contestant prepares a step, a function without arguments, whose time is measured:

    expression(e)   a step computes e and its gradient, the leaves made afresh
    training()      a step of gradient descent on the moons, on a loss written by hand with `* + relu`
    graph()         the same without the update of the parameters: the loss and its gradient
    network()       such a step through the contestant's own network

`numbers(outcome)` reads what a step returned as floats: (result, gradient...) of an expression, (loss,) of a training
step, so that it can be seen that all computed the same. Those that train on batches are in `trainers.py`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import partial

import workloads
from trainers import (
    CasADiTrainer,
    CompiledTorchTrainer,
    CTrainer,
    JaxTrainer,
    NumPyTrainer,
    TorchTrainer,
)
from workloads import LEARNING_RATE, Expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Step = Callable[[], Any]


class Floats:
    """Python's floats, by the same code: expressions with a gradient by hand, training steps forward only."""

    differentiates = False
    leaf = float

    @staticmethod
    def relu(x: float) -> float:
        return x if x > 0.0 else 0.0

    def expression(self, expression: Expression) -> Step:
        return expression.on_floats

    def training(self) -> Step:
        return partial(workloads.moons_loss, self.leaf, self.relu, workloads.initial_parameters())

    network = training

    def numbers(self, outcome: float | tuple[float, ...]) -> list[float]:
        return list(outcome) if isinstance(outcome, tuple) else [outcome]


class Values:
    """An engine of micrograd's kind: numbers that record how they were computed."""

    differentiates = True
    cyclic = False  # whether a graph is freed by the garbage collector only
    no_gradient: float | None = 0.0
    leaf: Callable[[float], Any]  # a number to differentiate with respect to
    input: Callable[[float], Any]  # and one that is only computed with, where the engine tells them apart

    def __init__(self, value: type, relu: Callable[[Any], Any], network_module: str) -> None:
        self.leaf = self.input = value
        self.relu, self.network_module = relu, network_module

    def expression(self, expression: Expression) -> Step:
        leaf, relu, compute = self.leaf, self.relu, expression.compute

        def step() -> Any:
            result, leaves = compute(leaf, relu)
            result.backward()
            return result, leaves

        return step

    def training(self) -> Step:
        parameters = [self.leaf(number) for number in workloads.initial_parameters()]
        return self.descent(parameters, partial(workloads.moons_loss, self.input, self.relu, parameters))

    def graph(self) -> Step:
        parameters = [self.leaf(number) for number in workloads.initial_parameters()]

        def step() -> Any:
            for parameter in parameters:
                parameter.grad = self.no_gradient
            result = workloads.moons_loss(float, self.relu, parameters)
            result.backward()
            return result, parameters

        return step

    def network(self) -> Step:
        from importlib import import_module

        random.seed(workloads.SEED)
        inputs, *widths = workloads.WIDTHS
        model = import_module(self.network_module).MLP(inputs, widths)
        return self.descent(model.parameters(), partial(workloads.network_loss, model, self.leaf))

    def descent(self, parameters: Sequence[Any], loss: Callable[[], Any]) -> Step:
        def step() -> Any:
            result = loss()
            for parameter in parameters:
                parameter.grad = self.no_gradient
            result.backward()
            for parameter in parameters:
                parameter.data -= LEARNING_RATE * parameter.grad
            return result, ()

        return step

    def numbers(self, outcome: tuple[Any, Iterable[Any]]) -> list[float]:
        result, leaves = outcome
        return [float(result.data), *(float(leaf.grad) for leaf in leaves)]


class TorchScalars(Values):
    """PyTorch's tensors of no dimension, one for each number, by the same code."""

    no_gradient = None

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self.input = partial(torch.tensor, dtype=torch.float64)
        self.leaf = partial(self.input, requires_grad=True)
        self.relu = torch.relu


class TorchTensors:
    """PyTorch as one uses it: a tensor for each layer's weights, all examples at once, eager."""

    differentiates = True

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch = torch

    def training(self) -> Step:
        torch, tensor = self.torch, partial(self.torch.tensor, dtype=self.torch.float64)
        numbers = workloads.tensor_parameters(workloads.initial_parameters())
        parameters = [tensor(number, requires_grad=True) for number in numbers]
        inputs = tensor([(x1, x2) for x1, x2, _ in workloads.MOONS])
        signs = tensor([sign for _, _, sign in workloads.MOONS])

        def step() -> Any:
            loss = workloads.tensor_loss(torch.relu, parameters, inputs, signs)
            loss.backward()
            with torch.no_grad():
                for parameter in parameters:
                    parameter -= LEARNING_RATE * parameter.grad
                    parameter.grad = None
            return loss

        return step

    network = training

    def numbers(self, outcome: Any) -> list[float]:
        return [outcome.item()]


class JaxEager:
    """JAX's scalars, by the same code, each operation as it comes."""

    differentiates = True

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax = jax

    def relu(self, x: Any) -> Any:
        return self.jax.numpy.maximum(x, 0.0)

    def expression(self, expression: Expression) -> Step:
        gradient, point = self.gradient(expression), point_of(expression)
        return lambda: self.jax.block_until_ready(gradient(point))

    def gradient(self, expression: Expression) -> Any:
        """The function from a list of leaves to the result and its gradient by them."""

        def result(leaves: Sequence[Any]) -> Any:
            given = iter(leaves)
            return expression.compute(lambda _: next(given), self.relu)[0]

        return self.jax.value_and_grad(result)

    def numbers(self, outcome: tuple[Any, Sequence[Any]]) -> list[float]:
        result, gradient = outcome
        return [float(result), *map(float, gradient)]


class JaxCompiled(JaxEager):
    """jax.jit, its compilation before the first step; the moons on tensors, the chain as a loop of `jax.lax`.

    Written out number by number, a graph of 10,000 nodes takes XLA minutes to compile.
    """

    def expression(self, expression: Expression) -> Step:
        point = point_of(expression)
        if expression is workloads.CHAIN:
            expression = Expression(self.looped_chain, expression.on_floats)
        compiled = self.jax.jit(self.gradient(expression))
        return lambda: self.jax.block_until_ready(compiled(point))

    def looped_chain(self, leaf: Callable[[float], Any], relu: Callable[[Any], Any]) -> Any:
        x, a, b = leaves = [leaf(number) for number in workloads.CHAIN_POINT]
        return self.jax.lax.fori_loop(0, workloads.CHAIN_NODES // 2, lambda _, x: x * a + b, x), leaves

    def training(self) -> Step:
        array = self.jax.numpy.array
        parameters = [array(numbers) for numbers in workloads.tensor_parameters(workloads.initial_parameters())]
        inputs = array([(x1, x2) for x1, x2, _ in workloads.MOONS])
        signs = array([float(sign) for _, _, sign in workloads.MOONS])
        gradient = self.jax.value_and_grad(partial(workloads.tensor_loss, self.relu))

        def descend(parameters: Any) -> Any:
            loss, slopes = gradient(parameters, inputs, signs)
            return loss, [p - LEARNING_RATE * slope for p, slope in zip(parameters, slopes, strict=True)]

        compiled = self.jax.jit(descend)

        def step() -> Any:
            nonlocal parameters
            loss, parameters = self.jax.block_until_ready(compiled(parameters))
            return loss, ()

        return step

    network = training


class CasADi:
    """CasADi: the same code builds an expression once; a function of it and its gradient then serves all steps."""

    differentiates = True

    def __init__(self) -> None:
        import casadi

        self.casadi = casadi

    def relu(self, x: Any) -> Any:
        return self.casadi.fmax(x, 0.0)

    def expression(self, expression: Expression) -> Step:
        result, leaves = expression.compute(lambda _: self.casadi.SX.sym("leaf"), self.relu)
        symbols = self.casadi.vertcat(*leaves)
        function = self.casadi.Function("gradient", [symbols], [result, self.casadi.gradient(result, symbols)])
        return partial(function, point_of(expression))

    def moons(self) -> tuple[Any, Any]:
        """The loss and its parameters."""
        leaves = [self.casadi.SX.sym("parameter") for _ in workloads.initial_parameters()]
        return workloads.moons_loss(float, self.relu, leaves), self.casadi.vertcat(*leaves)

    def graph(self) -> Step:
        loss, symbols = self.moons()
        function = self.casadi.Function("gradient", [symbols], [loss, self.casadi.gradient(loss, symbols)])
        return partial(function, self.casadi.DM(workloads.initial_parameters()))

    def training(self) -> Step:
        loss, symbols = self.moons()
        updated = symbols - LEARNING_RATE * self.casadi.gradient(loss, symbols)
        function = self.casadi.Function("step", [symbols], [loss, updated])
        parameters = self.casadi.DM(workloads.initial_parameters())

        def step() -> Any:
            nonlocal parameters
            loss, parameters = function(parameters)
            return loss, None

        return step

    def numbers(self, outcome: tuple[Any, Any]) -> list[float]:
        result, gradient = outcome
        return [float(result)] if gradient is None else [float(result), *map(float, gradient.elements())]


def point_of(expression: Expression) -> list[float]:
    """Where the gradient is taken: the leaves, which on floats are their own numbers."""
    _, leaves = expression.compute(float, Floats.relu)
    return list(leaves)


def this_engine() -> Values:
    import autograd

    return Values(autograd.Value, autograd.relu, "nn")


def micrograd() -> Values:
    from micrograd.engine import Value

    engine = Values(Value, Value.relu, "micrograd.nn")
    engine.cyclic = True
    return engine


def tape(executor: str = "native") -> Any:
    from tape_trainers import TapeTrainer

    return TapeTrainer(executor)  # type: ignore[arg-type]


def fit() -> Any:
    from tape_trainers import FitTrainer

    return FitTrainer()


@dataclass(frozen=True)
class Contestant:
    title: str
    make: Callable[[], Any]  # raises ImportError where it is not installed
    distribution: str = ""  # whose version is told
    module: str = ""  # whose import is timed
    environment: dict[str, str] = field(default_factory=dict)


NATIVE, PYTHON, ON_CPU = {"AUTOGRAD_ENGINE": "native"}, {"AUTOGRAD_ENGINE": "python"}, {"JAX_PLATFORMS": "cpu"}
NO_CACHE = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}  # of what an earlier run has compiled

CONTESTANTS = {
    "floats": Contestant("plain floats", Floats),
    "native": Contestant("ours: native", this_engine, "scalar-autograd", "autograd", NATIVE),
    "python": Contestant("ours: Python", this_engine, "scalar-autograd", "autograd", PYTHON),
    "micrograd": Contestant("micrograd", micrograd, "micrograd", "micrograd.engine"),
    "torch-scalars": Contestant("PyTorch, scalars", TorchScalars, "torch", "torch"),
    "torch-tensors": Contestant("PyTorch, tensors", TorchTensors, "torch", "torch"),
    "jax-eager": Contestant("JAX, scalars", JaxEager, "jax", "jax", ON_CPU),
    "jax-jit": Contestant("JAX, jit", JaxCompiled, "jax", "jax", ON_CPU),
    "casadi": Contestant("CasADi, SX", CasADi, "casadi", "casadi"),
    # on batches
    "tape": Contestant("ours: tape", tape, "scalar-autograd", environment=NATIVE),
    "tape-numpy": Contestant("ours: tape on NumPy", partial(tape, "numpy"), "scalar-autograd", environment=PYTHON),
    "fit": Contestant("ours: `nn.fit`", fit, "scalar-autograd", environment=NATIVE),
    "numpy": Contestant("NumPy by hand", NumPyTrainer, "numpy"),
    "torch": Contestant("PyTorch, eager", TorchTrainer, "torch"),
    "torch-compile": Contestant("PyTorch, compile", CompiledTorchTrainer, "torch", environment=NO_CACHE),
    "jax": Contestant("JAX, jit", JaxTrainer, "jax", environment=ON_CPU),
    "casadi-map": Contestant("CasADi, SX", CasADiTrainer, "casadi"),
    "c": Contestant("C, -O3", partial(CTrainer, "-O3")),
    "c-native": Contestant("C, all options", partial(CTrainer, "-O3", "-march=native", "-ffast-math")),
}
