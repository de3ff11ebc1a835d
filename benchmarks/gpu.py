"""The tape on a GPU, by the XLA executor, beside hand-written jax.jit and PyTorch: losses and gradients of a batch.

    python benchmarks/gpu.py [--examples N] [--network WIDTHS] [--anywhere]

The data of all of them are on the device; what it costs to bring a NumPy batch there, and the losses and gradients
back, is a row of its own. Each step ends when the device has done it. Where JAX sees no accelerator, nothing is
measured, unless `--anywhere` asks for it. It needs JAX, and what is not installed besides is left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the memory is PyTorch's, too

import numpy
from arrays import CompiledTorch, Jax, Torch
from tapes import LOSSES, in_order
from workloads import Network, flat

from autograd import Tape, engine
from nn import MLP
from nn.arguments import positive_argument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Step = tuple[Any, Any]  # the losses, or their mean, and the gradient
CASES = [((784, 512, 512, 10), 8_192), ((203, 80, 26), 10_000)]
ROUNDS, SECONDS_PER_MEASUREMENT = 11, 0.02


class Taped:
    """The tape of an example's loss, and its parameters in the order of the contestants."""

    def __init__(self, network: Network) -> None:
        start = perf_counter()
        model, loss = network.model(MLP), LOSSES[network.loss]
        example = [0.0] * network.widths[0], 1.0
        self.tape = Tape.record(lambda inputs, target: loss(model(inputs), target), example, executor="xla")
        self.seconds = perf_counter() - start
        self.vector = numpy.array([parameter.data for parameter in self.tape.parameters])
        place = {parameter: i for i, parameter in enumerate(self.tape.parameters)}
        self.places = [place[parameter] for parameter in in_order(network, model)]

    def step(self, batch: Any, vector: Any) -> Step:
        return self.tape.value_and_grad(batch, parameters=vector)

    def gradient(self, outcome: Step) -> Any:
        return numpy.asarray(outcome[1])[self.places]


class Contestant:
    """A step, how to wait for it, and its gradient as one vector."""

    def __init__(
        self, step: Callable[[], Step], wait: Callable[[Any], object], gradient: Callable[[Step], Any]
    ) -> None:
        self.step, self.wait = step, wait
        start = perf_counter()
        outcome = self()
        self.first = perf_counter() - start
        self.gradient, self.milliseconds = gradient(outcome), list[float]()
        seconds = self.seconds(1)
        self.repetitions = max(1, round(SECONDS_PER_MEASUREMENT / seconds))

    def __call__(self) -> Step:
        outcome = self.step()
        self.wait(outcome)
        return outcome

    def seconds(self, repetitions: int) -> float:
        start = perf_counter()
        for _ in range(repetitions):
            self()
        return (perf_counter() - start) / repetitions


def contestants(network: Network, examples: int, taped: Taped, dtype: str) -> Iterator[tuple[str, Contestant]]:
    """Each by its name, made one after the other. Whose library is missing, or who fails, is told of."""
    inputs, targets = network.examples(examples)
    batch = numpy.column_stack([inputs, targets])
    makers = {
        "tape, batch on the device": partial(on_device, taped, batch, dtype),
        "jax.jit by hand": partial(jitted, network, examples, dtype),
        "PyTorch, eager": partial(torched, Torch, network, examples, dtype),
        "PyTorch, compile": partial(torched, CompiledTorch, network, examples, dtype),
    }
    if dtype == "float64":
        makers["tape, NumPy batch"] = partial(from_host, taped, batch)
    for name, make in makers.items():
        try:
            yield name, make()
        except Exception as error:
            print(f"{name}: left out: {type(error).__name__}: {str(error).splitlines()[:1]}\n", flush=True)


def on_device(taped: Taped, batch: Any, dtype: str) -> Contestant:
    import jax

    numbers = [jax.numpy.asarray(array, dtype) for array in (batch, taped.vector)]
    return Contestant(partial(taped.step, *numbers), jax.block_until_ready, taped.gradient)


def from_host(taped: Taped, batch: Any) -> Contestant:
    return Contestant(partial(taped.step, batch, taped.vector), lambda outcome: None, taped.gradient)


def jitted(network: Network, examples: int, dtype: str) -> Contestant:
    import jax

    contestant = Jax()
    contestant.array = lambda array: jax.numpy.asarray(array, dtype if array.dtype.kind == "f" else None)
    function, *arguments = contestant.problem(network, examples)
    step = partial(contestant.compiled(function), *arguments)
    return Contestant(step, jax.block_until_ready, in_order_of_arrays)


def torched(kind: type[Torch], network: Network, examples: int, dtype: str) -> Contestant:
    contestant = kind()
    torch = contestant.torch
    device = "cuda" if torch.cuda.is_available() else "cpu"

    def array(numbers: Any) -> Any:
        return torch.tensor(numbers, dtype=getattr(torch, dtype) if numbers.dtype.kind == "f" else None, device=device)

    def wait(outcome: Any) -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    def gradient(outcome: Any) -> Any:
        return in_order_of_arrays((outcome[0], [slope.detach().cpu().numpy() for slope in outcome[1]]))

    contestant.array = array
    function, *arguments = contestant.problem(network, examples)
    return Contestant(partial(contestant.compiled(function), *arguments), wait, gradient)


def in_order_of_arrays(outcome: Step) -> Any:
    return flat([numpy.asarray(array) for array in outcome[1]])


def measured(network: Network, examples: int, taped: Taped, dtype: str) -> str:
    """A table in Markdown."""
    taking = dict(contestants(network, examples, taped, dtype))
    for _ in range(ROUNDS):
        for contestant in taking.values():
            contestant.milliseconds.append(1e3 * contestant.seconds(contestant.repetitions))
    ours = next(iter(taking.values()))
    lines = [f"{dtype}:\n", "| | ms, median | least to most | × the tape's | first step, s | gradient differs by |"]
    lines.append("|---|---|---|---|---|---|")
    for name, contestant in taking.items():
        times = contestant.milliseconds
        ratio = statistics.median(x / y for x, y in zip(times, ours.milliseconds, strict=True))
        error = difference(contestant.gradient, ours.gradient)
        lines.append(
            f"| {name} | {statistics.median(times):.3f} | {min(times):.3f} to {max(times):.3f} | {ratio:.2f} "
            f"| {contestant.first:.2f} | {error:.1e} |"
        )
    return "\n".join(lines) + "\n"


def difference(mine: Any, others: Any) -> float:
    """The largest, relative to the largest number."""
    return float(abs(mine - others).max() / abs(others).max())


def agreement(network: Network, taped: Taped) -> str:
    """Of losses and gradients on the device with those of this machine's own executor, on a few examples."""
    batch = numpy.column_stack(network.examples(64))
    there = taped.tape.value_and_grad(batch)
    taped.tape.executor = here = "native" if engine == "native" else "numpy"
    losses, gradient = taped.tape.value_and_grad(batch)
    taped.tape.executor = "xla"
    return (
        f"64 examples against the {here} executor: losses differ by {difference(there[0], losses):.1e}, "
        f"gradients by {difference(there[1], gradient):.1e}, relative to the largest."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", help="the widths of the layers, such as 784-512-512-10; by default two networks")
    parser.add_argument("--examples", type=positive_argument, help="in a batch; by default 8,192 and 10,000")
    parser.add_argument("--anywhere", action="store_true", help="without an accelerator, too")
    arguments = parser.parse_args()
    try:
        import jax
    except ImportError:
        print("JAX is not installed: nothing is measured.")
        return
    device = jax.devices()[0]
    if device.platform == "cpu" and not arguments.anywhere:
        print("JAX sees no accelerator: nothing is measured.")
        return
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")  # as PyTorch has it: float32 is not rounded to TF32
    print(f"On {device.device_kind} ({device.platform}), JAX {jax.__version__}, engine {engine}.\n", flush=True)
    widths = tuple(map(int, arguments.network.split("-"))) if arguments.network else None
    for shape, examples in [(widths, 8_192)] if widths else CASES:
        network, count = Network(shape, "cross-entropy"), arguments.examples or examples
        taped = Taped(network)
        print(
            f"## {'-'.join(map(str, shape))}, batch of {count:,}\n\nRecorded in {taped.seconds:.2f} s: {taped.tape!r}."
        )
        print(f"{agreement(network, taped)}\n", flush=True)
        for dtype in ("float64", "float32"):
            print(measured(network, count, taped, dtype), flush=True)


if __name__ == "__main__":
    main()
