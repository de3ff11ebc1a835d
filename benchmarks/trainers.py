"""Who else trains a network on batches, and how? One class for each way; what it imports, it imports when made.

A trainer prepares a step on one batch, a function without arguments, whose time is measured:

    differentiate(network, count)   the losses of so many examples, and the gradient of their mean
    train(network, count)           these, and an update of the parameters along the gradient

`numbers(outcome)` reads what a step returned, for it to be seen that all computed the same: the mean loss, and then the
gradient or the updated parameters, in the order of `network.parameters()`. Ours are in `tape_trainers.py`.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from networks import LEARNING_RATE, Network, as_classes, flat, outputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Step = Callable[[], Any]

THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))  # which PyTorch, NumPy's BLAS and OpenMP read too


class Trainer:
    """Those whose steps return the loss, and arrays as `network.parameters()` has them."""

    differentiates = True

    def numbers(self, outcome: Any) -> list[float]:
        loss, arrays = outcome
        return [float(loss), *flat(arrays).tolist()]


class NumPyTrainer(Trainer):
    """Matrix products, forward and backward, as one writes them by hand."""

    def __init__(self) -> None:
        import numpy

        self.numpy = numpy

    def differentiate(self, network: Network, count: int) -> Step:
        return partial(self.loss_and_gradient, network, network.parameters(), *network.examples(count))

    def train(self, network: Network, count: int) -> Step:
        parameters, examples = network.parameters(), network.examples(count)

        def step() -> Any:
            loss, gradient = self.loss_and_gradient(network, parameters, *examples)
            for parameter, slope in zip(parameters, gradient, strict=True):
                parameter -= LEARNING_RATE * slope
            return loss, parameters

        return step

    def loss_and_gradient(self, network: Network, parameters: list[Any], inputs: Any, targets: Any) -> tuple[Any, Any]:
        activations, last = [inputs], len(parameters) - 2
        for k in range(0, len(parameters), 2):
            x = activations[-1] @ parameters[k]
            x += parameters[k + 1]
            activations.append(x if k == last else self.numpy.maximum(x, 0.0, out=x))
        loss_of = self.hinge if network.loss == "hinge" else self.cross_entropy
        loss, adjoint = loss_of(activations.pop(), targets)
        gradient: list[Any] = []
        for weights in parameters[last::-2]:
            x = activations.pop()
            gradient[:0] = [x.T @ adjoint, adjoint.sum(axis=0)]
            if activations:
                adjoint = adjoint @ weights.T
                adjoint *= x > 0.0
        return loss, gradient

    def hinge(self, scores: Any, targets: Any) -> tuple[Any, Any]:
        """The mean loss, and its derivative by the scores."""
        margins = 1.0 - targets * scores[:, 0]
        adjoint = self.numpy.where(margins > 0.0, targets / -len(targets), 0.0)
        return self.numpy.maximum(margins, 0.0).mean(), adjoint[:, self.numpy.newaxis]

    def cross_entropy(self, logits: Any, targets: Any) -> tuple[Any, Any]:
        numpy = self.numpy
        rows, classes = numpy.arange(len(targets)), as_classes(targets)
        logits -= logits.max(axis=1, keepdims=True)
        adjoint = numpy.exp(logits)
        sums = adjoint.sum(axis=1, keepdims=True)
        loss = (numpy.log(sums[:, 0]) - logits[rows, classes]).mean()
        adjoint /= sums
        adjoint[rows, classes] -= 1.0
        adjoint /= len(targets)
        return loss, adjoint


class TorchTrainer(Trainer):
    """PyTorch as one uses it: eager."""

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(THREADS)
        self.torch = torch

    def prepared(self, network: Network, count: int) -> tuple[Any, Any, Any]:
        """Parameters, inputs and targets."""
        inputs, targets = network.examples(count)
        goals = targets if network.loss == "hinge" else as_classes(targets)
        return [self.torch.tensor(array) for array in network.parameters()], *map(self.torch.tensor, (inputs, goals))

    def loss(self, network: Network, parameters: list[Any], inputs: Any, targets: Any) -> Any:
        torch = self.torch
        y = outputs(parameters, inputs, torch.relu, lambda x, weights, bias: torch.addmm(bias, x, weights))
        if network.loss == "hinge":
            return torch.relu(1.0 - targets * y[:, 0]).mean()
        return torch.nn.functional.cross_entropy(y, targets)

    def differentiate(self, network: Network, count: int) -> Step:
        parameters, inputs, targets = self.prepared(network, count)
        for parameter in parameters:
            parameter.requires_grad_()

        def step() -> Any:
            for parameter in parameters:
                parameter.grad = None
            loss = self.loss(network, parameters, inputs, targets)
            loss.backward()
            return loss.detach(), [parameter.grad for parameter in parameters]

        return step

    def train(self, network: Network, count: int) -> Step:
        parameters, inputs, targets = self.prepared(network, count)
        for parameter in parameters:
            parameter.requires_grad_()

        def step() -> Any:
            loss = self.loss(network, parameters, inputs, targets)
            loss.backward()
            with self.torch.no_grad():
                for parameter in parameters:
                    parameter -= LEARNING_RATE * parameter.grad
                    parameter.grad = None
            return loss.detach(), [parameter.detach() for parameter in parameters]

        return step


class CompiledTrainer(Trainer):
    """Those that compile a function from parameters, inputs and targets; a step is one call."""

    prepared: Callable[[Network, int], tuple[Any, Any, Any]]  # parameters, inputs and targets
    loss_and_gradient: Callable[[Network], Callable[..., Any]]
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]]

    def differentiate(self, network: Network, count: int) -> Step:
        return partial(self.compiled(self.loss_and_gradient(network)), *self.prepared(network, count))

    def train(self, network: Network, count: int) -> Step:
        parameters, inputs, targets = self.prepared(network, count)
        loss_and_gradient = self.loss_and_gradient(network)

        def descend(parameters: Any, inputs: Any, targets: Any) -> Any:
            loss, gradient = loss_and_gradient(parameters, inputs, targets)
            return loss, [p - LEARNING_RATE * slope for p, slope in zip(parameters, gradient, strict=True)]

        compiled = self.compiled(descend)

        def step() -> Any:
            nonlocal parameters
            loss, parameters = compiled(parameters, inputs, targets)
            return loss, parameters

        return step


class CompiledTorchTrainer(CompiledTrainer):
    """torch.compile, for batches of one size."""

    def __init__(self) -> None:
        self.eager = TorchTrainer()
        self.torch = self.eager.torch
        self.prepared = self.eager.prepared
        self.compiled = partial(self.torch.compile, dynamic=False)

    def loss_and_gradient(self, network: Network) -> Callable[..., Any]:
        function = self.torch.func.grad_and_value(partial(self.eager.loss, network))

        def loss_and_gradient(*arguments: Any) -> tuple[Any, Any]:
            gradient, loss = function(*arguments)
            return loss, gradient

        return loss_and_gradient


class JaxTrainer(CompiledTrainer):
    """jax.jit."""

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax = jax

    def prepared(self, network: Network, count: int) -> tuple[Any, Any, Any]:
        inputs, targets = network.examples(count)
        goals = targets if network.loss == "hinge" else as_classes(targets)
        array = self.jax.numpy.array
        return [array(parameter) for parameter in network.parameters()], array(inputs), array(goals)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        compiled = self.jax.jit(function)
        return lambda *arguments: self.jax.block_until_ready(compiled(*arguments))

    def loss_and_gradient(self, network: Network) -> Callable[..., Any]:
        return self.jax.value_and_grad(partial(self.loss, network))  # type: ignore[no-any-return]

    def loss(self, network: Network, parameters: list[Any], inputs: Any, targets: Any) -> Any:
        numpy = self.jax.numpy
        y = outputs(parameters, inputs, partial(numpy.maximum, 0.0))
        if network.loss == "hinge":
            return numpy.maximum(1.0 - targets * y[:, 0], 0.0).mean()
        chosen = numpy.take_along_axis(y, targets[:, None], axis=1)[:, 0]
        return (self.jax.nn.logsumexp(y, axis=1) - chosen).mean()


class CasADiTrainer(Trainer):
    """CasADi's scalar expressions: a function of one example, mapped over the batch, its results added up."""

    def __init__(self) -> None:
        import casadi

        self.casadi = casadi

    def differentiate(self, network: Network, count: int) -> Step:
        function, parameters, inputs, targets = self.prepared(network, count)

        def step() -> Any:
            loss, gradient = function(parameters, inputs, targets)
            return loss / count, gradient / count

        return step

    def train(self, network: Network, count: int) -> Step:
        function, parameters, inputs, targets = self.prepared(network, count)

        def step() -> Any:
            nonlocal parameters
            loss, gradient = function(parameters, inputs, targets)
            parameters -= LEARNING_RATE / count * gradient
            return loss / count, parameters

        return step

    def prepared(self, network: Network, count: int) -> tuple[Any, Any, Any, Any]:
        """The function from parameters, inputs and targets to the sums of losses and gradients, and these three."""
        casadi, symbol = self.casadi, self.casadi.SX.sym
        symbols = []
        for inputs, width in pairwise(network.widths):
            symbols += [symbol("weights", width, inputs), symbol("bias", width)]  # by columns: of an input all weights
        parameters = casadi.vertcat(*map(casadi.vec, symbols))
        x, target = symbol("x", network.widths[0]), symbol("target")
        loss = self.loss(network, symbols, x, target)
        function = casadi.Function("example", [parameters, x, target], [loss, casadi.gradient(loss, parameters)])
        batch, targets = network.examples(count)
        numbers = casadi.DM(flat(network.parameters())), casadi.DM(batch.T), casadi.DM(targets).T
        return function.map("batch", "serial", count, [0], [0, 1]), *numbers

    def loss(self, network: Network, parameters: list[Any], x: Any, target: Any) -> Any:
        casadi = self.casadi
        y = outputs(
            parameters, x, lambda x: casadi.fmax(x, 0.0), lambda x, weights, bias: casadi.mtimes(weights, x) + bias
        )
        if network.loss == "hinge":
            return casadi.fmax(1.0 - target * y, 0.0)
        chosen = sum(casadi.if_else(target == k, y[k], 0.0) for k in range(y.numel()))
        return casadi.logsumexp(y) - chosen

    def numbers(self, outcome: Any) -> list[float]:
        loss, vector = outcome
        return [float(loss), *map(float, vector.elements())]


class CTrainer(Trainer):
    """Hand-written C, network.c, compiled for each network; a step is one call through ctypes."""

    def __init__(self, *flags: str) -> None:
        self.flags = flags
        self.compiler = shutil.which("cc") or ""
        if not self.compiler:
            raise ImportError("a C compiler, cc")

    def differentiate(self, network: Network, count: int) -> Step:
        parameters, inputs, targets, gradient = self.prepared(network, count)
        function, at = self.library(network).differentiate, self.address
        arguments = at(parameters), at(inputs), at(targets), count, at(gradient)
        return lambda: (function(*arguments), [gradient])

    def train(self, network: Network, count: int) -> Step:
        parameters, inputs, targets, gradient = self.prepared(network, count)
        function, at = self.library(network).train, self.address
        arguments = at(parameters), at(inputs), at(targets), count, LEARNING_RATE, at(gradient)
        return lambda: (function(*arguments), [parameters])

    def prepared(self, network: Network, count: int) -> tuple[Any, Any, Any, Any]:
        """Parameters, inputs, targets, and room for a gradient."""
        parameters = flat(network.parameters())
        return parameters, *network.examples(count), parameters.copy()

    def address(self, array: Any) -> Any:
        return array.ctypes.data_as(ctypes.c_void_p)  # and this keeps the array

    def library(self, network: Network) -> Any:
        definitions = ["-DWIDTHS=" + ",".join(map(str, network.widths))]
        definitions += ["-DCROSS_ENTROPY"] if network.loss == "cross-entropy" else []
        definitions += ["-fopenmp"] if THREADS > 1 else []
        with TemporaryDirectory() as folder:
            path = Path(folder) / "network.so"
            options = ["-std=c11", *self.flags, *definitions, "-fPIC", "-shared", "-o", str(path)]
            source = str(Path(__file__).with_name("network.c"))
            subprocess.run([self.compiler, *options, source, "-lm"], check=True)
            library = ctypes.CDLL(str(path))
        array, number = ctypes.c_void_p, ctypes.c_double
        library.differentiate.argtypes = [array, array, array, ctypes.c_long, array]
        library.train.argtypes = [array, array, array, ctypes.c_long, number, array]
        library.differentiate.restype = library.train.restype = number
        return library
