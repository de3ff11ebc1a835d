"""What is compared with whom, and what is the budget? The budgets are those of the project's design, as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from report import significant


@dataclass(frozen=True)
class Budget:
    """What a measured number may be at most, or must be at least."""

    limit: float
    at_least: bool = False
    unit: str = ""

    def verdict(self, measured: float) -> str:
        met = measured >= self.limit if self.at_least else measured <= self.limit
        sign, verdict = "≥" if self.at_least else "≤", "met" if met else "**missed**"
        return f"{sign} {self.limit:g}{self.unit}, is {significant(measured)}: {verdict}"


def at_least(ratio: float) -> Budget:
    return Budget(ratio, at_least=True)


@dataclass(frozen=True)
class Comparison:
    """A workload, and who does it. The budgets are of the contestants' ratios, or of what the key names."""

    name: str
    title: str
    text: str
    contestants: tuple[str, ...]
    budgets: dict[str, Budget] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Who does which work on so many threads. The budgets are of the ratios with batches of BUDGETED examples."""

    title: str
    work: str  # a trainer's method
    threads: int
    contestants: tuple[str, ...]
    budgets: dict[str, Budget] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """A network, trained on batches."""

    name: str  # the network's
    text: str
    tables: tuple[Table, ...]

    @property
    def title(self) -> str:
        return f"Batches: a network of {self.name}"


STEPS = [
    Comparison(
        "moons",
        "A training step on the moons, written by hand",
        "100 examples, an MLP of 2-16-16-1 units written with `* + relu` on scalars, max-margin loss, L2 "
        "regularisation: about 65,000 nodes; forward, backward, and the update of the 337 parameters. Plain floats "
        "run the same Python code, forward only: the budget is that this engine takes at most twice their time. "
        "PyTorch's tensors and JAX's jit do the step on all examples at once. JAX's scalars are left out: at their "
        "price per node (see the chain) a step would take half a minute.",
        ("floats", "python", "micrograd", "torch-scalars", "torch-tensors", "jax-jit", "casadi"),
        {"floats": at_least(0.5), "micrograd": at_least(200)},
    ),
    Comparison(
        "moons-nn",
        "The same step through `nn`",
        "As micrograd's demo has it, with the `MLP` of the engine's own `nn`; in this engine a neuron is one `dot` "
        "node. Plain floats, PyTorch and JAX do what they did above.",
        ("floats", "python", "micrograd", "torch-tensors", "jax-jit"),
        {"micrograd": at_least(1000)},
    ),
    Comparison(
        "readme",
        "The expression of micrograd's README",
        "Two leaves, about thirty nodes, forward and backward. Plain floats: the same gradient written by hand.",
        ("floats", "python", "micrograd", "torch-scalars", "jax-eager", "jax-jit", "casadi"),
        {"micrograd": at_least(45)},
    ),
    Comparison(
        "chain",
        "A chain of 10,000",
        "x → a x + b, 5,000 times, forward and backward; plain floats forward only. JAX's jit runs it as a loop of "
        "`jax.lax`: written out, it takes minutes to compile.",
        ("floats", "python", "micrograd", "torch-scalars", "jax-eager", "jax-jit", "casadi"),
    ),
]

MILLION = Comparison(
    "million",
    "One graph of a million nodes",
    "500 weights with 500 inputs, relu(w x + b), added up in pairs. Each measurement has a process of its own. Where a "
    "graph is not freed by reference counting, freeing it is a run of the garbage collector. Plain floats compute the "
    "same, and have nothing else to do. Bytes are of resident memory, per node: once built, and at most, backward "
    "included.",
    ("floats", "python", "micrograd", "torch-scalars"),
    {"micrograd": at_least(30), "bytes": Budget(100, unit=" bytes")},
)

DEEP = Comparison(
    "deep",
    "Ten million nodes deep",
    "A chain, built, differentiated and freed, each in a process of its own. The budget is that time is linear in the "
    "nodes (a node of the longer chain costs at most 1.3 times as much) and that the memory comes back (all but a "
    "hundredth of it).",
    (),
    {"linear": Budget(1.3), "left": Budget(1, unit="%")},
)

IMPORT = Comparison(
    "import",
    "Importing",
    "What an import adds to the start of Python, in milliseconds: `python -c 'import autograd'` less "
    "`python -c pass`, in turns.",
    ("native", "python", "micrograd", "torch-tensors", "jax-jit", "casadi"),
    {"native": Budget(15, unit=" ms")},
)

# ---- the tape

BATCHES, BUDGETED = (1, 100, 10_000), 100
PEERS = ("numpy", "torch", "torch-compile", "jax", "casadi-map", "c", "c-native")
THREADED_PEERS = ("numpy", "torch", "torch-compile", "jax", "c-native")


def training(name: str, text: str, for_gradients: dict[str, Budget], for_steps: dict[str, Budget]) -> Training:
    return Training(
        name,
        text,
        (
            Table("Losses and gradients, one thread", "differentiate", 1, ("tape-numpy", *PEERS), for_gradients),
            Table("Training steps, one thread", "train", 1, ("fit", "tape-numpy", *PEERS), for_steps),
            Table("Training steps, two threads", "train", 2, ("fit", *THREADED_PEERS)),
        ),
    )


TRAININGS = [
    training(
        "2-16-16-1",
        "relu in the hidden layers, hinge loss, on the moons. A training step is losses, gradients and an update of "
        "the parameters, θ − η g: `tape.value_and_grad` and this project's `SGD`, on one vector; `nn.fit` does the "
        "same amid its book-keeping. jax.jit and torch.compile have the update in the compiled function. CasADi's "
        "function of one example is mapped over the batch. The C is `benchmarks/network.c`, compiled for this network"
        " by the system's `cc`, with -O3, and with all options that help: -O3 -march=native -ffast-math, and with two"
        " threads -fopenmp. A batch stays the same from step to step. Budgets, and what comes first, are those of 100"
        " examples. A contestant that would take seconds for a step is left out.",
        {"torch": at_least(10), "jax": at_least(2), "c": at_least(0.5), "c-native": at_least(0.5)},
        {"torch": at_least(5), "jax": at_least(1)},
    ),
    training("64-32-10", "The same with softmax cross-entropy, and as many inputs as the digits have.", {}, {}),
    training("203-80-26", "The same in the shape of NETtalk: 18,426 parameters.", {}, {}),
]

GRAPH = Comparison(
    "graph",
    "One graph of 65,000 nodes, replayed",
    "The loss of the moons over all 100 examples, written by hand with `* + relu`, and its gradient by the 337 "
    "parameters: one graph without inputs, one thread. The tape and CasADi's virtual machine have recorded it; the "
    "native engine builds it anew each time.",
    ("native", "casadi"),
    {"casadi": at_least(1)},
)

RECORDING = Comparison(
    "recording",
    "Recording",
    "What `Tape(loss, inputs)` takes, once the graph is there: of one example's loss, for the networks above, and of "
    "the moons' loss over all examples. A `dot` is one node with many edges; leaves are nodes too.",
    ("2-16-16-1", "64-32-10", "203-80-26", "moons"),
    dict.fromkeys(("2-16-16-1", "64-32-10", "203-80-26", "moons"), Budget(1, unit=" µs a node")),
)

MEMORY = Comparison(
    "memory",
    "Memory for a batch",
    "What losses and gradients of a batch need at most in resident memory besides the batch itself, for the network "
    "2-16-16-1 on one thread, the first time in a process: JAX and torch.compile compile, too. A tape returns each "
    "example's loss, 8 bytes; what else it needs does not grow with the batch.",
    ("tape", "tape-numpy", "numpy", "torch", "torch-compile", "jax", "c"),
    {"tape": Budget(9, unit=" bytes"), "tape-numpy": Budget(9, unit=" bytes")},
)
MEMORIES = (10_000, 1_000_000)  # examples

ALL: list[Comparison | Training] = [*STEPS, MILLION, DEEP, IMPORT, *TRAININGS, GRAPH, RECORDING, MEMORY]
