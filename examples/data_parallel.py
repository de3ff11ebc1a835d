"""Learns to read the digits in several processes: each batch is split over the workers of a Dask cluster, or a mesh.

The gradient of a batch's mean loss is a sum over the examples, so each worker computes its shard's part of the sum. The
tape and the examples are sent to the workers once. Then, at every step, the parameters go out as one vector, and the
parts of the gradient come back. In the end the workers are timed against one process and its threads: what they save
must be more than what their messages cost. With a network as small as this only huge batches repay those, and threads
need none.

With `--mesh` there is no cluster: XLA replays the tape, and each batch is spread over all of JAX's devices. These are
GPUs or TPUs, where there are any. XLA_FLAGS=--xla_force_host_platform_device_count=4 makes four of the processor.

The cluster is this machine; of a cluster of several, a Client is made with its scheduler's address.
Needs distributed, or for a mesh JAX, and scikit-learn: pip install distributed jax scikit-learn
"""

from __future__ import annotations

import argparse
import logging
import pickle
import random
import statistics
from contextlib import contextmanager
from copy import copy
from time import perf_counter
from typing import TYPE_CHECKING

import numpy

from autograd import Tape, scatter, tanh
from autograd.wording import counted
from nn.arguments import positive_argument
from nn.datasets import digits
from nn.layers import MLP
from nn.losses import cross_entropy
from nn.metrics import correct_class, evaluate
from nn.optimizers import Adam

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from autograd import Value

    Array = NDArray[numpy.float64]
    Rows = NDArray[numpy.intp]  # which examples: their rows in the array of all examples


def main(
    epochs: int = 10,
    batch_size: int = 96,
    workers: int = 2,
    seed: int = 0,
    mesh: bool = False,
    timed: Sequence[int] = (96, 960, 9_600, 96_000),
) -> None:
    training, held_out = digits()
    examples = numpy.column_stack(
        [training.inputs, training.targets.astype(float)]
    )  # a row is what the tape's inputs are
    random.seed(seed)
    model = MLP(64, [32, 10], activation=tanh)

    def loss(image: Sequence[Value], digit: Value) -> Value:
        return cross_entropy(model(image), digit)

    tape = Tape.record(loss, ([0.0] * 64, 0.0), threads=1)  # a worker's thread
    print(repr(tape))
    with devices(tape, examples) if mesh else cluster(tape, examples, workers) as team:
        parameters = trained(team, tape, examples, epochs, batch_size, seed)
        print("\nMilliseconds for the gradient of a batch, median of 5:")
        for size in timed:
            print(timings(team, tape, examples, numpy.resize(numpy.arange(len(examples)), size), parameters))

    scatter(parameters, tape.parameters, "data")
    [accuracy] = evaluate(model, *held_out, correct_class)
    print(f"\nOf {len(held_out.inputs)} digits that it has never seen, the network reads {accuracy:.1%}.")


@contextmanager
def cluster(tape: Tape, examples: Array, workers: int) -> Generator[Cluster, None, None]:
    from distributed import Client, LocalCluster

    print(f"Pickled it is {len(pickle.dumps(tape)):,} bytes, which {counted(workers, 'worker')} will get, once.\n")
    # Port 0 is any that is free, and 127.0.0.1 keeps the scheduler's web page on this machine. A worker that
    # reports to the scheduler while all are closed logs an error; one of the computation is raised where its result is.
    processes = LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
    )
    with processes, Client(processes) as client:
        yield Cluster(client, tape, examples)


@contextmanager
def devices(tape: Tape, examples: Array) -> Generator[Mesh, None, None]:
    team = Mesh(tape, examples)
    print(f"It is compiled for {team.name}.\n")
    yield team


def trained(team: Cluster | Mesh, tape: Tape, examples: Array, epochs: int, batch_size: int, seed: int) -> Array:
    """The parameters that the team has learned. At each step, its gradient is held against that of this process."""
    optimizer = Adam(tape.parameters, learning_rate=0.02)
    parameters = numpy.array([parameter.data for parameter in tape.parameters])
    shuffler = numpy.random.default_rng(seed)
    for epoch in range(1, epochs + 1):
        losses, differences = [], []
        order = shuffler.permutation(len(examples))
        for batch in numpy.split(order, range(batch_size, len(order), batch_size)):
            batch_losses, gradient = team.value_and_grad(batch, parameters)
            _, whole = part(tape, examples, batch, parameters, len(batch))
            differences.append(abs(gradient - whole).max() / abs(whole).max())
            losses.append(batch_losses)
            parameters = optimizer.stepped(parameters, gradient)
        print(
            f"epoch {epoch}: mean loss {numpy.concatenate(losses).mean():.6f}; gradients of "
            f"{counted(len(losses), 'batch')}, by shards and as a whole: largest relative difference "
            f"{max(differences):.1e}"
        )
    return parameters


class Cluster:
    """Workers that have the same tape and the same examples, to differentiate a batch together."""

    def __init__(self, client: Any, tape: Tape, examples: Array) -> None:  # Any: a Client, whose types are unfinished
        self.client = client
        self.workers = list(client.nthreads())
        self.name = counted(len(self.workers), "worker")
        self.tape, self.examples = client.scatter([tape, examples], broadcast=True)

    def value_and_grad(self, batch: Rows, parameters: Array) -> tuple[Array, Array]:
        """The losses of a batch, in its order, and the gradient of their mean."""
        shards = numpy.array_split(batch, len(self.workers))
        parts = [
            self.client.submit(
                part, self.tape, self.examples, shard, parameters, len(batch), workers=worker, pure=False
            )
            for worker, shard in zip(self.workers, shards, strict=True)
        ]
        losses, gradients = zip(*self.client.gather(parts), strict=True)
        return numpy.concatenate(losses), numpy.sum(gradients, axis=0)


class Mesh:
    """All devices of JAX: the batch is spread over them, the parameters are on each, and XLA adds up the gradient."""

    def __init__(self, tape: Tape, examples: Array) -> None:
        import jax

        self.tape, self.examples = copy(tape), examples
        self.tape.executor = "xla"
        self.name = counted(jax.local_device_count(), "device")

    def value_and_grad(self, batch: Rows, parameters: Array) -> tuple[Array, Array]:
        """The losses of a batch, in its order, and the gradient of their mean."""
        return part(self.tape, self.examples, batch, parameters, len(batch))


def part(tape: Tape, examples: Array, shard: Rows, parameters: Array, batch_size: int) -> tuple[Array, Array]:
    """The losses of a shard, and its part of the gradient of the whole batch's mean loss."""
    return tape.value_and_grad(examples[shard], parameters=parameters, gradient=1 / batch_size)


def timings(team: Cluster | Mesh, tape: Tape, examples: Array, batch: Rows, parameters: Array) -> str:
    count = int(team.name.split()[0])

    def alone(threads: int) -> None:
        tape.threads = threads
        part(tape, examples, batch, parameters, len(batch))

    milliseconds = {
        "1 thread": median_milliseconds(lambda: alone(1)),
        counted(count, "thread"): median_milliseconds(lambda: alone(count)),
        team.name: median_milliseconds(lambda: team.value_and_grad(batch, parameters)),
    }
    columns = ", ".join(f"{way} {time:.2f}" for way, time in milliseconds.items())
    return (
        f"{counted(len(batch), 'example'):>16}: {columns}; fastest: {min(milliseconds, key=milliseconds.__getitem__)}"
    )


def median_milliseconds(function: Callable[[], object], repetitions: int = 5) -> float:
    milliseconds = []
    for _ in range(repetitions):
        start = perf_counter()
        function()
        milliseconds.append(1e3 * (perf_counter() - start))
    return statistics.median(milliseconds)


if __name__ == "__main__":  # the workers import this file
    parser = argparse.ArgumentParser(description=__doc__ and __doc__.splitlines()[0])
    parser.add_argument("--epochs", type=positive_argument, default=10, help="how often to go through the images (10)")
    parser.add_argument("--workers", type=positive_argument, default=2, help="processes that share a batch (2)")
    parser.add_argument("--mesh", action="store_true", help="JAX's devices in the place of processes")
    main(**vars(parser.parse_args()))
