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
