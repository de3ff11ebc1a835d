"""What is compared with whom, and the budgets, which are those of the project's design: all of it as data.

A new row is a name in a table. A new table is a Table here; where no contestant can do its work yet, a method there.
"""

from typing import Any

from contestants import CONTESTANTS
from report import RATIO, SLOPE, Budget, Case, Row, Section, Table


def rows(names: str, **tasks: dict[str, str]) -> list[Row]:
    """Contestants by their names; `tasks` are what else some of them are asked."""
    return [Row(CONTESTANTS[name].title, name, tasks.get(name, {})) for name in names.split()]


def at_least(ratios: dict[str, float]) -> list[Budget]:
    """How many times our time a contestant must take."""
    return [Budget(CONTESTANTS[name].title, RATIO, ratio, at_least=True) for name, ratio in ratios.items()]


def on_and_off(what: str, **task: Any) -> list[Case]:
    return [Case(what, task), Case(f"collector off: {what}", task, collector=False)]


def steps(title: str, text: str, contestants: list[Row], budgets: list[Budget], **task: Any) -> Section:
    return Section(title, text, [Table(contestants, on_and_off("time", **task), more=["first"], budgets=budgets)])


OTHERS = "by-tape transforms casadi-derivatives jax-derivatives"


def derivatives(names: str, work: str, budgets: dict[str, float], title: str = "", **tasks: dict[str, str]) -> Table:
    case = Case("time", {"work": work, "workload": "rosenbrock"})
    return Table(
        rows(names, **tasks), [case], more=["first"], budgets=at_least(budgets), title=title or f"The function's {work}"
    )


# ---- the engine

SCALARS = "native floats python micrograd torch-scalars jax-scalars jax casadi"
AMID = "amid a million nodes"
KEPT = {"keep_graph": "A graph kept while the next is built", "keep_node": "A node kept from every step"}
MODEL = {name: {"work": "train_model"} for name in ("native", "python", "micrograd")}

ENGINE = {
    "moons": steps(
        "A training step on the moons, written by hand",
        "100 examples, an MLP of 2-16-16-1 units written with `* + relu` on scalars, max-margin loss, L2 "
        "regularisation: about 65,000 nodes; forward, backward, and the update of the 337 parameters. Plain floats run "
        "the same code, forward only: the budget is that this engine takes at most twice their time. PyTorch's tensors "
        "and JAX's jit do the step on all examples at once. JAX's scalars would take half a minute, and are left out.",
        rows("native floats python micrograd torch-scalars torch jax casadi"),
        at_least({"floats": 0.5, "micrograd": 200}),
        work="train", workload="moons", examples=100,
    ),
    "moons-nn": steps(
        "The same step through `nn`",
        "As micrograd's demo has it, with the `MLP` of the engine's own `nn`; in this engine a neuron is one `dot` "
        "node. Plain floats, PyTorch and JAX do what they did above.",
        rows("native floats python micrograd torch jax", **MODEL), at_least({"micrograd": 1000}),
        work="train", workload="moons", examples=100,
    ),
    "readme": steps(
        "The expression of micrograd's README",
        "Two leaves, about thirty nodes, forward and backward. Plain floats: the same gradient written by hand.",
        rows(SCALARS), at_least({"micrograd": 45}), work="expression", workload="readme",
    ),
    "chain": steps(
        "A chain of 10,000",
        "x → a x + b, 5,000 times, forward and backward; plain floats forward only. JAX's jit runs it as a loop of "
        "`jax.lax`: written out, it takes minutes to compile.",
        rows(SCALARS), [], work="expression", workload="chain",
    ),
    "python": Section(
        "The Python engine",
        "Where nothing can be compiled, the Python engine serves. It is held here against what it replaces: micrograd, "
        "and a class of microgpt's size and shape, which keeps children and local derivatives in tuples "
        "(`benchmarks/short_class.py`). The transformer is microgpt's, on a name of four letters, with every product "
        "and sum spelled out; micrograd has no logarithm. Budgets are of the collector being off.",
        [
            Table(
                rows("python micrograd short-class"), on_and_off("time", work="train", workload="moons", examples=100),
                budgets=at_least({"micrograd": 1 / 0.9}), of=1, title="The step on the moons, written by hand",
            ),
            Table(
                rows("python short-class"), on_and_off("time", work="expression", workload="language-model"),
                budgets=at_least({"short-class": 1 / 0.9}), of=1, title="A transformer's loss, and its gradient",
            ),
            Table(
                rows("python micrograd", **MODEL), on_and_off("time", work="train", workload="moons", examples=100),
                of=1, title="The step on the moons through `nn`",
            ),
        ],
    ),
    "overloading": steps(
        "Compiled operator overloading",
        "The step on the moons, written by hand, by libraries whose operators are compiled, and which record each step "
        "anew: in C++ at -O3, `benchmarks/overloading.cpp`, and XAD by its bindings to Python, whose package has no "
        "headers for C++. Doubles run the same C++, forward only.",
        rows("native doubles stan cppad adolc sacado xad"), [], work="train", workload="moons", examples=100,
    ),
    "million": Section(
        "One graph of a million nodes",
        "500 weights with 500 inputs, relu(w x + b), added up in pairs, each time in a process of its own. Where a "
        "graph is not freed by reference counting, freeing it is a run of the garbage collector. Plain floats only "
        "compute. Bytes are of resident memory, once the graph is built and at most, backward included.",
        [Table(
            rows("native floats python micrograd torch-scalars"),
            on_and_off("together", graph="wide", size=500, nodes=4 * 500**2 - 1),
            "together", ["build", "backward", "free", "bytes a node", "at most a node"],
            [*at_least({"micrograd": 30}), Budget("ours: native", "bytes a node", 100)],
            question="grow", once=True, most=3,
        )],
    ),
    "deep": Section(
        "Ten million nodes deep",
        "A chain, built, differentiated and freed, each in a process of its own. The budget is that time is linear in "
        "the nodes (ten times as many take at most 13 times as long) and that the memory comes back (all but a "
        "hundredth of it). Memory is told before, at most, and after.",
        [Table(
            [Row(f"{nodes:,} nodes", "native", {"size": nodes, "nodes": nodes}) for nodes in (10**6, 10**7)],
            [Case("together", {"graph": "chain"})], "together",
            ["build", "backward", "free", "a node", "before", "at most", "after", "not given back"],
            [Budget("10,000,000 nodes", RATIO, 13), Budget("10,000,000 nodes", "not given back", 0.01)],
            question="grow", once=True, most=3,
        )],
    ),
    "kept": Section(
        "What is kept alive",
        "The README's expression and its gradient while another graph of a million nodes is alive, against the same "
        "alone; and the step on the moons, written by hand, against plain floats, forward only: where a step's graph "
        "is alive until the next one's is built, as in a loop that names it, and where one node of each step is kept.",
        [
            Table(
                [Row("alone", "native", {"work": "expression"}), Row(AMID, "native", {"work": "amid", "width": 500})],
                on_and_off("time", workload="readme"), budgets=[Budget(AMID, RATIO, 1.2)],
                title="An expression amid a million nodes",
            ),
            *(
                Table(
                    rows("native floats", native={"work": work}, floats={"work": "train"}),
                    on_and_off("time", workload="moons", examples=100), budgets=at_least({"floats": 1 / 1.9}),
                    title=title,
                )
                for work, title in KEPT.items()
            ),
        ],
    ),
    "import": Section(
        "Importing",
        "What an import adds to the start of Python: `python -c 'import autograd'` less `python -c pass`, in turns.",
        [Table(
            rows("native python micrograd torch jax casadi"), [Case("time")],
            budgets=[Budget("ours: native", "seconds", 0.015)], question="load", paired=False,
        )],
    ),
}  # fmt: skip

# Of README.md's table: the work, and what plain floats do of it.
README = {
    "moons": ("a training step on the moons, written with `* + relu`: 65,000 nodes", "forward only"),
    "moons-nn": ("the same step through `nn`, a node for each neuron's net input", ""),
    "readme": ("the expression of micrograd's README, and its gradient", "the gradient by hand"),
    "chain": ("a chain of ten thousand nodes", "forward only"),
    "million": ("a graph of a million nodes: built, differentiated, freed", "forward only"),
    "deep": ("a chain of ten million nodes", ""),
}

# ---- the tape

PEERS, THREADED = (
    "tape-spelled numpy torch torch-compile jax casadi c c-native",
    "numpy torch torch-compile jax c-native",
)
FIT = Row("ours: `nn.fit`", "tape", {"work": "fit"})
SIZES = (1, 100, 10_000)


def part(
    title: str, work: str, workload: str, contestants: list[Row], budgets: list[Budget],
    sizes: tuple[int, ...] = SIZES, threads: int = 1,
) -> Table:  # fmt: skip
    """A table of batches of these sizes; budgets are of 100 examples, if there are so many, else of the first."""
    cases = [Case(f"batch of {n:,}", {"work": work, "workload": workload, "examples": n}) for n in sizes]
    of = sizes.index(100) if 100 in sizes else 0
    return Table(contestants, cases, "seconds", ["first"], budgets, of, title, most=5, threads=threads)


def batches(network: str, text: str, gradients: list[Budget], training: list[Budget]) -> Section:
    [tape, *others] = rows(f"tape tape-numpy {PEERS}")
    parts = [
        part("Losses and gradients, one thread", "differentiate", network, [tape, *others], gradients),
        part("Training steps, one thread", "train", network, [tape, FIT, *others], training),
        part("Training steps, two threads", "train", network, [tape, FIT, *rows(THREADED)], [], threads=2),
    ]
    return Section(f"Batches: a network of {network}", text, parts)


def large(network: str, text: str) -> Section:
    """Losses and gradients of batches, on one thread and on two."""
    on_one = rows("tape tape-numpy tape-spelled numpy torch torch-compile jax c c-native")
    budgets = at_least({"numpy": 1 / 1.2, "torch": 1, "jax": 1})
    twice = [Budget(CONTESTANTS["tape-threads"].title, RATIO, 1 / 1.8)]
    parts = [
        part("One thread", "differentiate", network, on_one, budgets, SIZES[1:]),
        part("Two threads", "differentiate", network, rows(f"tape {THREADED}"), [], SIZES[1:], threads=2),
        part("One thread, and two", "differentiate", network, rows("tape tape-threads"), twice, SIZES[2:]),
    ]
    return Section(f"Batches: a network of {network}", text, parts)


TWO_CALLS = "`forward()`, then `backward()`"
LAYERS = {
    "layer": "`dot(w, x, b)`", "varying-bias": "biases that vary",
    "varying-weight": "a weight that varies, at one place",
    "varying-weights": "a weight that varies, at a place of each neuron's own", "columns": "written column by column",
}  # fmt: skip
GRAPHS = ("2-16-16-1", "64-32-10", "203-80-26", "moons-graph")

TAPE = {
    "2-16-16-1": batches(
        "2-16-16-1",
        "relu in the hidden layers, hinge loss, on the moons. A training step is losses, gradients and an update of "
        "the parameters, θ − η g: `tape.value_and_grad` and this project's `SGD`, on one vector; `nn.fit`, with one "
        "batch an epoch, does the same amid its book-keeping. jax.jit and torch.compile compile the update, too. "
        "The tape of products and sums has recorded each of them by itself. CasADi's function of one example is mapped "
        "over the batch. The C is `benchmarks/network.c`, compiled for this network by `cc`, with -O3, and with all "
        "that helps: -O3 -march=native -ffast-math, on two threads -fopenmp. A batch stays the same. Who would take "
        "seconds is left out. Budgets, and what comes first, are of 100 examples.",
        at_least({"torch": 10, "jax": 2, "c": 0.5, "c-native": 0.5}), at_least({"torch": 5, "jax": 1}),
    ),
    "64-32-10": batches(
        "64-32-10", "The same with softmax cross-entropy, and as many inputs as digits have.",
        at_least({"torch": 2, "jax": 1}), [],
    ),
    "203-80-26": batches(
        "203-80-26", "The same in the shape of NETtalk: 18,426 parameters.",
        at_least({"torch": 1.4, "jax": 1}), [],
    ),
    "784-128-10": large("784-128-10", "The same in the shape of MNIST's networks: 101,770 parameters."),
    "structures": Section(
        "Shared weights, a recurrence, attention",
        "Losses and gradients of what is more than layers, `benchmarks/structures.py`, on one thread: the network of "
        "LeCun et al. (1989), two layers of shared weights, with 64,660 connections, and what its training takes, an "
        "update after each example (there were 167,693); a recurrence of 16, 50 steps long, in JAX a `lax.scan`, whose "
        "`tanh` and `exp` are JAX's own, as those of `fast_math` are ours, where the others call the C library's; and "
        "attention of eight tokens, eight wide: dots of sequences that both vary, and "
        "softmax.",
        [
            part("LeNet of 1989", "differentiate", "lenet", rows("tape torch jax"), at_least({"torch": 1}), SIZES[:2]),
            Table(
                [Row("ours: `nn.fit`", "tape", {"work": "present_by_fit"}),
                 Row("ours: a loop over a tape", "tape"), *rows("torch jax")],
                [Case("500 presentations", {"work": "present", "workload": "lenet", "examples": 500})],
                more=["first"], budgets=at_least({"torch": 2}), title="LeNet of 1989, one example at a time", most=5,
            ),
            part(
                "A recurrence", "differentiate", "recurrence", rows("tape tape-fast jax torch"), at_least({"jax": 0.5}),
                SIZES[:2],
            ),
            part("Attention", "differentiate", "attention", rows("tape jax torch"), [], SIZES[:2]),
        ],
    ),
    "ways": Section(
        "Ways of writing it",
        "What other ways of writing the same take, on one thread: `tape.forward(batch)` and `tape.backward()` against "
        "`tape.value_and_grad(batch)`, a batch of 100; and 64 neurons of 64 inputs, whose biases, or one weight of "
        "each, vary from example to example, as those of a recurrence and of gates do, or which are written as "
        "`z = [zi + wi[k] * x[k] for zi, wi in zip(z, w)]` for each input.",
        [
            Table(
                [Row("`value_and_grad()`", "tape", {"work": "together"}), Row(TWO_CALLS, "tape", {"work": "apart"})],
                [Case(name, {"workload": name, "examples": 100}) for name in ("64-32-10", "203-80-26", "784-128-10")],
                budgets=[Budget(TWO_CALLS, RATIO, 1.2)], of=1, most=5,
            ),
            Table(
                [Row(title, "tape", {"workload": workload}) for workload, title in LAYERS.items()],
                [Case("batch of 100", {"work": "differentiate", "examples": 100})],
                budgets=[Budget(title, RATIO, 1.2) for title in [*LAYERS.values()][1:]], most=5,
            ),
        ],
    ),
    "numpy": Section(
        "The tape on NumPy, and NumPy by hand",
        "Losses and gradients of 100 examples, on one thread. A machine without a compiler has this tape.",
        [Table(
            rows("tape-numpy numpy"),
            [
                Case(name, {"work": "differentiate", "workload": name, "examples": 100})
                for name in ("203-80-26", "784-128-10", "64-32-10", "2-16-16-1")
            ],
            budgets=at_least({"numpy": 1 / 3}), most=5,
        )],
    ),
    "graph": steps(
        "One graph of 65,000 nodes, replayed",
        "The loss of the moons over all 100 examples, written by hand with `* + relu`, and its gradient by the 337 "
        "parameters: one graph without inputs, one thread. The tape and CasADi's virtual machine have recorded it; the "
        "native engine builds it anew each time.",
        rows("tape native casadi"), at_least({"casadi": 1}), work="expression", workload="moons-graph",
    ),
    "recording": Section(
        "Recording",
        "What `Tape(loss, inputs)` takes, once the graph is there: of one example's loss, for the networks above, and "
        "of the moons' loss over all examples. A `dot` is one node with many edges; leaves are nodes too.",
        [Table(
            [Row(graph, "tape", {"graph": graph}) for graph in GRAPHS],
            more=["nodes", "edges", "instructions", "built", "recorded", "a node", "first replay"],
            budgets=[Budget(graph, "a node", 1e-6) for graph in GRAPHS], question="record", paired=False,
        )],
    ),
    "nettalk": Section(
        "NETtalk's passes",
        "Twenty passes through a thousand words, with an update after each word of 2 to 9 letters, by the network of "
        "203-80-26, `benchmarks/nettalk.py`, on one thread: a loop over a tape, as the notebook of 1987 has it, and "
        "NumPy by hand. The words are drawn; the original's are not part of this project.",
        [Table(
            rows("tape numpy"), [Case("20 passes", {"work": "read", "workload": "nettalk"})],
            budgets=at_least({"numpy": 1}), most=5,
        )],
    ),
    "microgpt": Section(
        "microgpt, trained",
        "A transformer of 4,192 parameters learns names, one a step, with Adam: the whole training from Python, making "
        "the parameters and the tapes in it. The model is that of `examples/microgpt.py`, which trains it by `nn.fit`; "
        "the first row is a loop over tapes, one for each length of a name. The others run a script that is written "
        "number by number, as microgpt is, `benchmarks/transformer.py`. Of these, the first steps are "
        "measured. The losses are the same.",
        [Table(
            [Row("ours: tapes, 1,000 steps", "tape", {"steps": 1000}),
             Row("ours: `nn.fit`, 1,000 steps", "tape", {"steps": 1000, "work": "fit_names"}),
             Row("ours: native, 100 steps", "native", {"steps": 100}),
             Row("a class of microgpt's shape, 20 steps", "short-class", {"steps": 20})],
            [Case("a token"), Case("collector off: a token", collector=False)], "a token", ["a step", "training"],
            [Budget("a class of microgpt's shape, 20 steps", RATIO, 150, at_least=True)],
            question="learn", once=True, most=5,
        )],
    ),
    "td-gammon": Section(
        "TD-Gammon's games",
        "What the network of 198-40-1 does in a game against itself, `benchmarks/backgammon.py`, on one thread: 65 "
        "moves, each with predictions for 20 boards, the gradient of one prediction, its eligibility trace, and a step "
        "of TD(λ), by `nn.EligibilityTraces`. The rules, which would be the same for both, are left out. By hand, all "
        "parameters are in one vector, of which the layers are views.",
        [Table(
            rows("tape numpy"), [Case("a game", {"work": "self_play", "workload": "backgammon"})],
            budgets=at_least({"numpy": 1 / 1.5}),
        )],
    ),
    "second-derivatives": Section(
        "Second derivatives, and functions that are compiled",
        "Rosenbrock's function in 100 dimensions, of arrays: its gradient, its Hessian, and this times a vector. "
        "`compiled(grad(f))` is held against a tape by hand, its product with the Hessian against the gradient's tape, "
        "and the Hessian against CasADi's, which is a sparse matrix: once with an array made of it, and once as it is. "
        "And a small graph, micrograd's README expression, by a tape and by the engine, which builds it each time.",
        [
            derivatives(f"compiled {OTHERS}", "gradient", {"by-tape": 1 / 1.5}),
            derivatives(
                f"compiled {OTHERS}", "product", {"by-tape": 1 / 4},
                title="The Hessian times a vector; a tape by hand finds the gradient alone",
                **{"by-tape": {"work": "gradient_alone"}},
            ),
            derivatives(
                f"compiled {OTHERS}", "hessian",
                {"casadi-derivatives": 1 / 1.3},
            ),
            derivatives(
                "by-tape casadi-derivatives", "entries", {"casadi-derivatives": 1 / 1.3}, title="The Hessian's entries"
            ),
            Table(
                rows("by-tape native"), [Case("the expression", {"work": "expression", "workload": "readme"})],
                budgets=at_least({"native": 1.0}), title="A small tape",
            ),
        ],
    ),
    "memory": Section(
        "Memory for a batch",
        "What losses and gradients of a batch need at most in resident memory besides the batch itself, for the "
        "network 2-16-16-1 on one thread, the first time in a process: JAX and torch.compile compile, too. A tape "
        "returns each example's loss, 8 bytes; what else it needs does not grow with the batch.",
        [Table(
            rows("tape tape-numpy numpy torch torch-compile jax c"),
            [Case(f"{count:,} examples", {"workload": "2-16-16-1", "examples": count}) for count in (10**4, 10**6)],
            "memory", [SLOPE], [Budget(CONTESTANTS[name].title, SLOPE, 9) for name in ("tape", "tape-numpy")],
            question="peak", once=True, paired=False, most=1,
        )],
    ),
    "room": Section(
        "Memory for a replay",
        "What a replay of 100 examples with its gradient needs at most in resident memory, besides the batch, the "
        "parameters and the list, which is ready for it: numbers of eight bytes for each parameter, and in all.",
        [Table(
            [Row(network, "tape", {"workload": network}) for network in ("64-32-10", "203-80-26", "784-128-10")],
            [Case("in all", {"examples": 100})], "memory", ["numbers a weight"],
            [Budget("784-128-10", "numbers a weight", 3)], question="room", once=True, paired=False, most=1,
        )],
    ),
}  # fmt: skip


def program(title: str, workload: str, others: str, budgets: dict[str, float]) -> Table:
    return Table(
        rows(f"programs-c-fast programs-c programs-fast programs {others}"),
        [Case("time", {"work": "program", "workload": workload})],
        more=["first"], budgets=at_least(budgets), title=title,
    )  # fmt: skip


COMPILERS = "heyoka ddx jax-programs"

PROGRAMS = {
    "programs": Section(
        "Programs of scalars",
        "Results and gradients on one thread: machine code that is compiled from the tape, with fast mathematics and "
        "without, and the native executor likewise, against compilers and an interpreter of expressions. Where there "
        "is one scenario, ddx interprets, and heyoka and JAX's jit are left out, which would compile for minutes.",
        [
            program(
                "Black–Scholes: 100,000 prices, each with five greeks",
                "black-scholes", COMPILERS, {"heyoka": 1 / 1.3},
            ),
            program(
                "An Asian option with local volatility: 30 steps, 100,000 paths, five greeks of the mean",
                "asian-option", COMPILERS, {"heyoka": 1.0},
            ),
            program(
                "Lorenz's system, 1,000 steps by Runge and Kutta: six derivatives",
                "lorenz", "ddx numba", {"ddx": 1.25},
            ),
            program("The loss on the moons written out, 65,000 nodes", "moons-graph", "ddx", {"ddx": 1.25}),
        ],
    ),
}  # fmt: skip

SECTIONS = {**ENGINE, **TAPE, **PROGRAMS}
