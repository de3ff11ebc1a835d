"""Contestants that compute with arrays, a batch of examples at once. Each imports its library when it is made."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import backgammon
import nettalk
import numpy
import workloads
from workloads import LEARNING_RATE, Array, Expression, Network, Step, flat

THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))  # which PyTorch, NumPy's BLAS and OpenMP read too


class Arrays:
    """What they have in common. Each has a function from parameters and a batch to the loss and its gradient."""

    differentiates = True
    array: Callable[[Any], Any]  # from NumPy's to its own
    gradient: Callable[..., Any]  # of network, parameters, inputs and targets: the loss and its gradient
    relu: Callable[[Any], Any]
    cross_entropy: Callable[[Any, Any], Any]  # its mean, of logits and classes

    def problem(self, network: Network, examples: int) -> tuple[Any, ...]:
        """That function, and its arguments: the parameters, inputs and targets."""
        inputs, targets = map(self.array, network.examples(examples))
        parameters = [self.array(parameter) for parameter in network.parameters()]
        return self.loss_and_gradient(network), parameters, inputs, targets

    def differentiate(self, network: Network, examples: int) -> Step:
        function, *arguments = self.problem(network, examples)
        return partial(self.compiled(function), *arguments)

    def train(self, network: Network, examples: int) -> Step:
        function, parameters, *batch = self.problem(network, examples)
        descend = self.descent(function)

        def step() -> Any:
            nonlocal parameters
            loss, parameters = descend(parameters, *batch)
            return loss, parameters

        return step

    def present(self, network: Any, examples: int) -> Step:
        """One example at a time: a step goes through all of them."""
        function, parameters, inputs, targets = self.problem(network, examples)
        descend = self.descent(function)
        batches = [(inputs[k : k + 1], targets[k : k + 1]) for k in range(examples)]

        def step() -> Any:
            nonlocal parameters
            total = 0.0
            for batch in batches:
                loss, parameters = descend(parameters, *batch)
                total += loss.item()
            return self.array(numpy.asarray(total / examples)), parameters

        return step

    def descent(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """From parameters and a batch to the loss and the parameters after an update."""

        def descend(parameters: Any, *batch: Any) -> Any:
            loss, gradient = function(parameters, *batch)
            return loss, self.updated(parameters, gradient)

        return self.compiled(descend)

    def loss_and_gradient(self, network: Network) -> Callable[..., Any]:
        return partial(self.gradient, network)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def updated(self, parameters: Any, gradient: Any) -> Any:
        return [parameter - LEARNING_RATE * slope for parameter, slope in zip(parameters, gradient, strict=True)]

    def loss(self, network: Network, parameters: list[Any], inputs: Any, targets: Any) -> Any:
        y = network.on_arrays(self, parameters, inputs)
        if network.loss == "cross-entropy":
            return self.cross_entropy(y, targets)
        if network.loss == "squared":
            return ((y[:, 0] - targets) ** 2).mean()
        loss = self.relu(1.0 - targets * y[:, 0]).mean()
        if not network.penalty:
            return loss
        return loss + network.penalty * sum((parameter * parameter).sum() for parameter in parameters)

    def outputs(self, parameters: Sequence[Any], x: Any) -> Any:
        *hidden, (weights, bias) = zip(parameters[::2], parameters[1::2], strict=True)
        for hidden_weights, hidden_bias in hidden:
            x = self.relu(self.affine(x, hidden_weights, hidden_bias))
        return self.affine(x, weights, bias)

    def affine(self, x: Any, weights: Any, bias: Any) -> Any:
        return x @ weights + bias

    def numbers(self, outcome: Any) -> list[float]:
        loss, arrays = outcome
        return [float(loss), *flat(arrays).tolist()]


def updated_in_place(parameters: list[Any], gradient: Sequence[Any]) -> list[Any]:
    for parameter, slope in zip(parameters, gradient, strict=True):
        parameter -= LEARNING_RATE * slope
    return parameters


class NumPy(Arrays):
    """Matrix products, forward and backward, as one writes them by hand."""

    array, updated = staticmethod(numpy.asarray), staticmethod(updated_in_place)

    def gradient(self, network: Network, parameters: list[Any], inputs: Any, targets: Any) -> tuple[Any, list[Any]]:
        activations, last = [inputs], len(parameters) - 2
        for k in range(0, len(parameters), 2):
            x = activations[-1] @ parameters[k]
            x += parameters[k + 1]
            activations.append(x if k == last else numpy.maximum(x, 0.0, out=x))
        loss_and_adjoint = self.hinge if network.loss == "hinge" else self.cross_entropy
        loss, adjoint = loss_and_adjoint(activations.pop(), targets)
        gradient: list[Any] = []
        for weights in parameters[last::-2]:
            x = activations.pop()
            gradient[:0] = [x.T @ adjoint, adjoint.sum(axis=0)]
            if activations:
                adjoint = adjoint @ weights.T
                adjoint *= x > 0.0
        return loss, gradient

    def read(self, reading: nettalk.Reading) -> Step:
        network = nettalk.ByHand(reading.network)
        return lambda: (nettalk.loss(reading.read(network.learn)), network.parameters)

    def self_play(self, game: backgammon.Backgammon) -> Step:
        player = backgammon.ByHand(game.network)

        def step() -> tuple[float, list[Array]]:
            return game.play(player), [player.parameters]

        return step

    def hinge(self, scores: Any, targets: Any) -> tuple[Any, Any]:
        """The mean loss, and its derivative by the scores."""
        margins = 1.0 - targets * scores[:, 0]
        adjoint = numpy.where(margins > 0.0, targets / -len(targets), 0.0)
        return numpy.maximum(margins, 0.0).mean(), adjoint[:, numpy.newaxis]

    def cross_entropy(self, logits: Any, targets: Any) -> tuple[Any, Any]:
        rows = numpy.arange(len(targets))
        logits -= logits.max(axis=1, keepdims=True)
        adjoint = numpy.exp(logits)
        sums = adjoint.sum(axis=1, keepdims=True)
        loss = (numpy.log(sums[:, 0]) - logits[rows, targets]).mean()
        adjoint /= sums
        adjoint[rows, targets] -= 1.0
        adjoint /= len(targets)
        return loss, adjoint


class Torch(Arrays):
    """PyTorch as one uses it: eager."""

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(THREADS)
        self.torch, self.array, self.relu, self.tanh = torch, torch.tensor, torch.relu, torch.tanh
        self.cross_entropy = torch.nn.functional.cross_entropy
        self.softmax, self.joined = partial(torch.softmax, dim=-1), partial(torch.cat, dim=1)

    def affine(self, x: Any, weights: Any, bias: Any) -> Any:
        return self.torch.addmm(bias, x, weights)

    def convolved(self, maps: Any, weights: Any) -> Any:
        """Each second place of each second row, with -1 around the maps."""
        functional = self.torch.nn.functional
        return functional.conv2d(functional.pad(maps, (2, 2, 2, 2), value=-1.0), weights, stride=2)

    def scanned(self, step: Callable[..., Any], state: Any, sequence: Any) -> Any:
        for x in sequence:
            state = step(state, x)
        return state

    def transposed(self, x: Any) -> Any:
        return x.transpose(-1, -2)

    def problem(self, network: Network, examples: int) -> tuple[Any, ...]:
        function, parameters, *batch = super().problem(network, examples)
        return function, [parameter.requires_grad_() for parameter in parameters], *batch

    def gradient(self, network: Network, parameters: list[Any], inputs: Any, targets: Any) -> tuple[Any, Any]:
        loss = self.loss(network, parameters, inputs, targets)
        return loss, self.torch.autograd.grad(loss, parameters)

    def updated(self, parameters: Any, gradient: Any) -> Any:
        with self.torch.no_grad():
            return updated_in_place(parameters, gradient)

    def numbers(self, outcome: Any) -> list[float]:
        loss, arrays = outcome
        return super().numbers((loss.detach(), [array.detach() for array in arrays]))


class CompiledTorch(Torch):
    """torch.compile, for batches of one size; its own functions differentiate."""

    problem, updated = Arrays.problem, Arrays.updated

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return self.torch.compile(function, dynamic=False)  # type: ignore[no-any-return]

    def loss_and_gradient(self, network: Network) -> Callable[..., Any]:
        function = self.torch.func.grad_and_value(partial(self.loss, network))
        return lambda *arguments: function(*arguments)[::-1]


class Jax(Arrays):
    """jax.jit, or each operation as it comes. To compile the chain written out takes minutes: it is a loop then."""

    def __init__(self, compiles: bool = True) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax, self.array, self.compiles, self.tanh = jax, jax.numpy.array, compiles, jax.numpy.tanh
        self.softmax, self.joined = jax.nn.softmax, partial(jax.numpy.concatenate, axis=1)

    def relu(self, x: Any) -> Any:
        return self.jax.numpy.maximum(x, 0.0)

    def cross_entropy(self, logits: Any, targets: Any) -> Any:
        chosen = self.jax.numpy.take_along_axis(logits, targets[:, None], axis=1)[:, 0]
        return (self.jax.nn.logsumexp(logits, axis=1) - chosen).mean()

    def convolved(self, maps: Any, weights: Any) -> Any:
        padded = self.jax.numpy.pad(maps, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=-1.0)
        return self.jax.lax.conv_general_dilated(padded, weights, (2, 2), "VALID")

    def scanned(self, step: Callable[..., Any], state: Any, sequence: Any) -> Any:
        return self.jax.lax.scan(lambda state, x: (step(state, x), None), state, sequence)[0]

    def transposed(self, x: Any) -> Any:
        return self.jax.numpy.swapaxes(x, -1, -2)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        function = self.jax.jit(function) if self.compiles else function
        return lambda *arguments: self.jax.block_until_ready(function(*arguments))

    def loss_and_gradient(self, network: Network) -> Callable[..., Any]:
        return self.jax.value_and_grad(partial(self.loss, network))  # type: ignore[no-any-return]

    def expression(self, expression: Expression) -> Step:
        compute = self.loop if self.compiles and expression is workloads.CHAIN else expression.compute

        def result(leaves: Sequence[Any]) -> Any:
            given = iter(leaves)
            return compute(lambda _: next(given), self.relu)[0]

        return partial(self.compiled(self.jax.value_and_grad(result)), expression.point())

    def loop(self, leaf: Callable[[float], Any], relu: Callable[[Any], Any]) -> Any:
        x, a, b = leaves = [leaf(number) for number in workloads.CHAIN_POINT]
        return self.jax.lax.fori_loop(0, workloads.CHAIN_NODES // 2, lambda _, x: x * a + b, x), leaves


class CasADi(Arrays):
    """CasADi's scalar expressions: a function of an expression, or of one example's loss, mapped over the batch.

    The moons are one expression, as they are to those that compute number by number.
    """

    def __init__(self) -> None:
        import casadi

        self.casadi = casadi

    def relu(self, x: Any) -> Any:
        return self.casadi.fmax(x, 0.0)

    def affine(self, x: Any, weights: Any, bias: Any) -> Any:
        return self.casadi.mtimes(weights, x) + bias

    def cross_entropy(self, logits: Any, target: Any) -> Any:
        chosen = sum(self.casadi.if_else(target == k, logits[k], 0.0) for k in range(logits.numel()))
        return self.casadi.logsumexp(logits) - chosen

    def expression(self, expression: Expression) -> Step:
        function, point = self.function_and_point(expression)
        return partial(function, point)

    def function_and_point(self, expression: Expression) -> tuple[Any, Any]:
        result, leaves = expression.compute(lambda _: self.casadi.SX.sym("x"), self.relu)
        symbols = self.casadi.vertcat(*leaves)
        function = self.casadi.Function("f", [symbols], [result, self.casadi.gradient(result, symbols)])
        return function, self.casadi.DM(expression.point())

    def problem(self, network: Network, examples: int) -> tuple[Any, ...]:
        if network is workloads.MOONS:
            return self.function_and_point(workloads.MOONS_GRAPH)
        casadi, symbol = self.casadi, self.casadi.SX.sym
        arrays = []
        for before, width in pairwise(network.widths):
            arrays += [symbol("weights", width, before), symbol("bias", width)]  # by columns: of an input all weights
        parameters = casadi.vertcat(*map(casadi.vec, arrays))
        x, target = symbol("x", network.widths[0]), symbol("target")
        y = self.outputs(arrays, x)
        loss = self.relu(1.0 - target * y) if network.loss == "hinge" else self.cross_entropy(y, target)
        of_example = casadi.Function("f", [parameters, x, target], [loss, casadi.gradient(loss, parameters)])
        of_batch = of_example.map("sums", "serial", examples, [0], [0, 1])
        inputs, targets = network.examples(examples)
        arguments = [casadi.DM(array) for array in (flat(network.parameters()), inputs.T, targets.astype(float)[None])]
        symbols = [casadi.MX.sym("argument", *argument.shape) for argument in arguments]
        means = [total / examples for total in of_batch(*symbols)]
        return casadi.Function("means", symbols, means), *arguments

    def updated(self, parameters: Any, gradient: Any) -> Any:
        return parameters - LEARNING_RATE * gradient

    def numbers(self, outcome: Any) -> list[float]:
        loss, vector = outcome
        return super().numbers((loss, [vector.elements()]))


class C(Arrays):
    """Hand-written C, network.c, compiled for each network; a step is one call through ctypes."""

    def __init__(self, *flags: str) -> None:
        self.compiler, self.flags = shutil.which("cc") or "", flags
        if not self.compiler:
            raise ImportError("a C compiler, cc")

    def differentiate(self, network: Network, examples: int) -> Step:
        return self.step("differentiate", network, examples)

    def train(self, network: Network, examples: int) -> Step:
        return self.step("train", network, examples)

    def step(self, name: str, network: Network, examples: int) -> Step:
        inputs, targets = network.examples(examples)
        parameters = flat(network.parameters())
        arrays = parameters, inputs, targets.astype(float), parameters.copy()
        function = getattr(self.library(network), name)
        function.argtypes, function.restype = [ctypes.c_void_p] * 4 + [ctypes.c_long] * 2, ctypes.c_double
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in arrays]  # which keep the arrays
        call = partial(function, *pointers, examples, len(parameters))
        written = arrays[0 if name == "train" else 3]
        return lambda: (call(), [written])

    def library(self, network: Network) -> ctypes.CDLL:
        options = [*self.flags, f"-DLEARNING_RATE={LEARNING_RATE}", f"-DWIDTHS={','.join(map(str, network.widths))}"]
        options += ["-DCROSS_ENTROPY"] if network.loss == "cross-entropy" else []
        options += ["-fopenmp"] if THREADS > 1 else []
        source = str(Path(__file__).with_name("network.c"))
        with TemporaryDirectory() as folder:
            path = str(Path(folder) / "network.so")
            command = [self.compiler, "-std=c11", *options, "-fPIC", "-shared", "-o", path, source, "-lm"]
            subprocess.run(command, check=True)
            return ctypes.CDLL(path)
