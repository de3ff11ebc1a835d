"""Contestants that compute number by number. Each imports its library when it is made."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import transformer
from workloads import LEARNING_RATE, Expression, Network, Step, by_hand, hinge, relu_of_float, wide


class Floats:
    """Python's floats, by the same code: expressions with a gradient by hand, training steps forward only."""

    differentiates = False
    leaf, relu = float, staticmethod(relu_of_float)

    def expression(self, expression: Expression) -> Step:
        return expression.on_floats

    def train(self, network: Network, examples: int) -> Step:
        model = by_hand(network, self.relu, numbers := network.numbers())
        return partial(hinge, network.penalty, network.points(examples), self.leaf, self.relu, model, numbers)

    def numbers(self, outcome: float | tuple[float, ...]) -> list[float]:
        return list(outcome) if isinstance(outcome, tuple) else [outcome]


class Values:
    """An engine of micrograd's kind: numbers that record how they were computed."""

    differentiates = True
    no_gradient: float | None = 0.0
    leaf: Callable[[float], Any]  # a number that is differentiated by
    input: Callable[[float], Any]  # and one that is only computed with, where the engine tells them apart

    def __init__(self, module: str, models: str, cyclic: bool = False) -> None:
        engine = import_module(module)
        self.leaf = self.input = engine.Value
        self.relu = getattr(engine, "relu", engine.Value.relu)
        self.models = models
        self.cyclic = cyclic  # whether a graph is freed by the garbage collector only

    def expression(self, expression: Expression) -> Step:
        leaf, relu, compute = self.leaf, self.relu, expression.compute

        def step() -> Any:
            result, leaves = compute(leaf, relu)
            result.backward()
            return result, leaves

        return step

    def amid(self, expression: Expression, width: int) -> Step:
        """The same while a graph of 4 width² nodes is alive."""
        alive, step = wide(width, self.leaf, self.relu), self.expression(expression)

        def amid() -> Any:
            assert alive
            return step()

        return amid

    def train(self, network: Network, examples: int) -> Step:
        parameters = [self.leaf(number) for number in network.numbers()]
        return self.descent(network, examples, by_hand(network, self.relu, parameters), parameters)

    def keep_graph(self, network: Network, examples: int) -> Step:
        """Each step's graph is alive until the next one's is built, as in a loop that names it."""
        step, last = self.train(network, examples), None

        def keep() -> Any:
            nonlocal last
            last = step()
            return last

        return keep

    def keep_node(self, network: Network, examples: int) -> Step:
        """A computed node from before each step's graph is alive ever after."""
        step, kept, number = self.train(network, examples), [], self.leaf(1.0)

        def keep() -> Any:
            kept.append(-number)
            return step()

        return keep

    def train_model(self, network: Network, examples: int) -> Step:
        """Through the engine's own `MLP`."""
        model = network.model(import_module(self.models).MLP)
        return self.descent(network, examples, model, model.parameters())

    def descent(self, network: Network, examples: int, model: Any, parameters: Sequence[Any]) -> Step:
        loss = partial(hinge, network.penalty, network.points(examples), self.input, self.relu, model, parameters)

        def step() -> Any:
            result = loss()
            for parameter in parameters:
                parameter.grad = self.no_gradient
            result.backward()
            for parameter in parameters:
                parameter.data -= LEARNING_RATE * parameter.grad
            return result, ()

        return step

    def learn(self, names: Sequence[str]) -> list[float]:
        return transformer.learn(self.leaf, names)

    def numbers(self, outcome: tuple[Any, Iterable[Any]]) -> list[float]:
        result, leaves = outcome
        return [float(result.data), *(float(leaf.grad) for leaf in leaves)]


class TorchScalars(Values):
    """PyTorch's tensors of no dimension, one for each number, by the same code."""

    no_gradient, cyclic = None, False

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self.input = partial(torch.tensor, dtype=torch.float64)
        self.leaf = partial(self.input, requires_grad=True)
        self.relu = torch.relu
