"""A Summary says what is true of a model: its numbers are those of `parameters()` and of the recorded graph."""

from __future__ import annotations

import asyncio
import linecache
import random
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy
import pytest

from autograd import RecordingError, Value, exp, no_grad, relu, softmax, structures, tanh
from nn import (
    MLP,
    CausalAttention,
    Convolution,
    Dropout,
    Embedding,
    FIRLayer,
    Layer,
    LayerNorm,
    Module,
    Neuron,
    Recurrent,
    Sequential,
    TransformerBlock,
    TreeEncoder,
)
from nn.summarizing import WITH_AN_EXAMPLE, WITHOUT_AN_EXAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from nn.summary import Summary

pytestmark = pytest.mark.both_engines


def multiply_adds(*results: Any) -> int:
    """Those of the graph, by a walk of this test's own."""
    unseen = [leaf for leaf in structures.flatten([*results])[0] if isinstance(leaf, Value)]
    seen: set[int] = set()
    kept, total = [], 0
    while unseen:
        node = unseen.pop()
        if id(node) not in seen:
            seen.add(id(node))
            kept.append(node)
            unseen += node.parents
            if node.op == "dot":
                total += len(node.operands[0])
            total += node.op == "*"
    return total


def values(example: Any) -> Any:
    """The example with Values in the place of its numbers."""
    return structures.map(lambda leaf: leaf if isinstance(leaf, str) else Value(leaf), example)


def rows(found: Summary) -> dict[str, list[str]]:
    return {row.name: row.cells[1:] for row in [*found.rows, found.total]}


class Net(Module):
    """A user's own: parameters beside layers, a layer that is called twice, one that never is."""

    def __init__(self) -> None:
        self.scale = [Value(2.0), Value(3.0)]
        self.layer = Layer(2, 2, activation=tanh)
        self.parts = {"out": Layer(2, 1), "unused": Layer(5, 5)}

    def __call__(self, x: list[Any]) -> Any:
        hidden = self.layer([s * x_i for s, x_i in zip(self.scale, x, strict=True)])
        return self.parts["out"](self.layer(hidden)) ** 2


# Of each Module an example.
EXAMPLES: dict[str, tuple[Callable[[], Module], Any]] = {
    "Neuron": (lambda: Neuron(3), [1.0, 2.0, 3.0]),
    "Neuron, spelled out": (lambda: Neuron(3, fused=False), [1.0, 2.0, 3.0]),
    "Layer": (lambda: Layer(3, 4), [1.0, 2.0, 3.0]),
    "Layer of one": (lambda: Layer(3, 1), [1.0, 2.0, 3.0]),
    "softmax": (lambda: Layer(3, 4, activation=softmax), [1.0, 2.0, 3.0]),
    "MLP": (lambda: MLP(2, [16, 16, 1]), [1.0, -1.0]),
    "MLP, spelled out": (lambda: MLP(2, [4, 2], fused=False), [1.0, -1.0]),
    "Convolution": (lambda: Convolution((1, 6, 6), maps=3, size=3, stride=2, padding=1), [0.5] * 36),
    "Convolution, biases": (lambda: Convolution((2, 4, 4), 2, 2, unit_biases=True, sources=[[0], [0, 1]]), [0.5] * 32),
    "LayerNorm": (lambda: LayerNorm(4), [1.0, 2.0, 3.0, 4.0]),
    "Embedding": (lambda: Embedding(5, 3), 2),
    "Dropout": (lambda: Dropout(), [1.0, 2.0]),
    "Sequential": (
        lambda: Sequential(Dropout(), Layer(3, 4, nonlin=False), LayerNorm(4), tanh, Dropout(), Layer(4, 2)),
        [1.0, 2.0, 3.0],
    ),
    "LeNet's shape": (
        lambda: Sequential(
            Convolution((1, 8, 8), 2, 3, stride=2, padding=1), Convolution((2, 4, 4), 3, 2), Layer(27, 10)
        ),
        [0.5] * 64,
    ),
    "CausalAttention": (lambda: CausalAttention(4, heads=2), [[0.1, 0.2, 0.3, 0.4]] * 3),
    "TransformerBlock": (lambda: TransformerBlock(4, heads=2), [[0.1, 0.2, 0.3, 0.4]] * 3),
    "Recurrent": (lambda: Recurrent(2, 3), [[0.1, 0.2]] * 4),
    "FIRLayer": (lambda: FIRLayer(2, 3, taps=2), [[0.1, 0.2]] * 5),
    "TreeEncoder": (lambda: TreeEncoder({"f": 2, "a": 0}, 3), ("f", "a", ("f", "a", "a"))),
    "a user's": (Net, [1.0, 2.0]),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_numbers_are_those_of_the_model(name: str) -> None:
    random.seed(1)
    make, example = EXAMPLES[name]
    model = make()
    found = model.summary(example)
    modules = {"itself": model, **inner(model)}
    assert found.parameters == len(model.parameters())
    assert found.multiply_adds == multiply_adds(model.eval()(values(example)))
    for row in found.rows:
        if row.kind:
            assert row.parameters == len(modules[row.name].parameters()), row.name
    assert str(found) == found.table.text


def inner(holder: Any, prefix: str = "") -> dict[str, Module]:
    """The Modules in a Module by the ways to them, which this test goes by itself."""
    found = {}
    for key, held in vars(holder).items() if isinstance(holder, Module) else holder:
        if isinstance(held, Module):
            found[f"{prefix}{key}"] = held
        if isinstance(held, (Module, list, tuple, dict)):
            within = held if isinstance(held, Module) else held.items() if isinstance(held, dict) else enumerate(held)
            found |= inner(within, f"{prefix}{key}.")
    return found


KNOWN = [
    "Neuron", "Neuron, spelled out", "Layer", "Layer of one", "softmax", "MLP", "MLP, spelled out", "Convolution",
    "Convolution, biases", "LayerNorm", "Embedding", "Sequential", "LeNet's shape",
]  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_known_without_an_example_is_what_an_example_shows(name: str) -> None:
    make, example = EXAMPLES[name]
    model = make()
    assert model.summary().notes == []
    assert rows(model.summary()) == rows(model.summary(example))
    assert model.summary().multiply_adds == multiply_adds(model.eval()(values(example)))


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in KNOWN])
def test_what_is_not_known_without_an_example_is_said_to_be_unknown(name: str) -> None:
    make, _ = EXAMPLES[name]
    found = make().summary()
    assert found.multiply_adds is None
    assert found.total.cells[-1] == "?"
    assert WITHOUT_AN_EXAMPLE in found.notes


def test_a_model_of_ones_own() -> None:
    assert rows(Net().summary([1.0, 2.0])) == {
        "scale": ["", "", "2", ""],
        "layer": ["Layer, tanh", "2 → 2", "6", "8"],
        "parts.out": ["Layer, relu", "2 → 1", "3", "2"],
        "parts.unused": ["Layer, relu", "5 → 5", "30", "?"],
        "in all": ["Net", "2 → 1", "41", "12"],
    }
    assert Net().summary([1.0, 2.0]).notes == [WITH_AN_EXAMPLE]
    assert rows(Net().summary()) == {
        "scale": ["", "", "2", ""],
        "layer": ["Layer, tanh", "2 → 2", "6", "4"],
        "parts.out": ["Layer, relu", "2 → 1", "3", "2"],
        "parts.unused": ["Layer, relu", "5 → 5", "30", "25"],
        "in all": ["Net", "? → ?", "41", "?"],
    }
    assert Net().summary().notes == [WITHOUT_AN_EXAMPLE, "multiply-adds of layers are those of one call"]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("Convolution", ["Convolution, relu", "1 × 6 × 6 → 3 × 3 × 3", "30", "243"]),
        ("CausalAttention", ["CausalAttention", "n × 4 → n × 4", "64", "?"]),
        ("TransformerBlock", ["TransformerBlock", "n × 4 → n × 4", "192", "?"]),
        ("Recurrent", ["Recurrent", "n × 2 → n × 3", "18", "?"]),
        ("FIRLayer", ["FIRLayer", "n × 2 → (n − 1) × 3", "15", "?"]),
        ("TreeEncoder", ["TreeEncoder", "? → 3", "24", "?"]),
        ("Dropout", ["Dropout", "n → n", "0", "?"]),
        ("Embedding", ["Embedding", "1 → 3", "15", "0"]),
        ("softmax", ["Layer, softmax", "3 → 4", "16", "12"]),
    ],
)
def test_the_shapes_of_each_module(name: str, row: list[str]) -> None:
    assert rows(EXAMPLES[name][0]().summary())["in all"] == row


def test_an_example_fills_in_the_shapes() -> None:
    assert rows(Recurrent(2, 3).summary([[1.0, 2.0]] * 4))["in all"] == ["Recurrent", "4 × 2 → 4 × 3", "18", "60"]
    delays = Sequential(FIRLayer(1, 2, 3), FIRLayer(2, 1, 2))
    assert rows(delays.summary())["in all"][1] == "n × 1 → ?"
    assert rows(delays.summary([[1.0]] * 6))["in all"][1] == "6 × 1 → 3 × 1"
    gather = CausalAttention(1)

    def gathered(x: list[Any]) -> list[Any]:
        return [y for [y] in gather([[x_i] for x_i in x])] + [y for [y] in gather([[x[0]]])]

    several = Sequential(gathered, Layer(3, 1))
    several.gather = gather
    assert rows(several.summary([1.0, 2.0]))["gather"][1] == "n × 1 → n × 1"


def test_parameters_of_several_layers_count_once() -> None:
    first, second = Layer(2, 2), Layer(2, 2)
    second.neurons[1] = first.neurons[1]
    model = Sequential(first, second, first)
    found = model.summary()
    assert (found.parameters, [row.parameters for row in found.rows]) == (9, [6, 6])
    assert found.multiply_adds == 12
    assert [row.multiply_adds for row in found.rows] == [8, 4]  # the first one is called twice
    assert found.notes == ["3 parameters of several layers, counted once in all"]


# ---- nothing is guessed


def test_a_subclass_that_computes_something_else_is_unknown_without_an_example() -> None:
    class Both(Layer):
        def __call__(self, x: Any, *others: object) -> Any:
            return [*x, *super().__call__(x)]

    model = Both(2, 3)
    assert rows(model.summary())["in all"] == ["Both, relu", "? → ?", "9", "?"]
    assert rows(model.summary([1.0, 2.0]))["in all"] == ["Both, relu", "2 → 5", "9", "6"]


@pytest.mark.parametrize(
    "activation",
    [lambda z: z if z.data > 0 else 0.1 * z, lambda z: exp(z) * z, numpy.tanh],
    ids=["a branch", "*", "np"],
)
def test_an_activation_of_ones_own_is_not_run_without_an_example(activation: Any) -> None:
    called = []

    def noticed(z: Any) -> Any:
        called.append(z)
        return activation(z)

    model = MLP(2, [3, 1], activation=noticed)
    assert model.summary().multiply_adds is None
    assert called == []
    assert rows(model.summary())["layers.1"] == ["Layer, linear", "3 → 1", "4", "3"]
    assert model.summary([1.0, 2.0]).multiply_adds == multiply_adds(model(values([1.0, 2.0])))


def test_a_model_that_chooses_by_its_numbers_runs_on_them() -> None:
    class Chooser(Module):
        def __init__(self) -> None:
            self.layers = [Layer(2, 1), Layer(2, 4)]

        def __call__(self, x: Any) -> Any:
            return self.layers[x[0] > 0](x)

    assert Chooser().summary([-1.0, 1.0]).multiply_adds == 2
    assert Chooser().summary([1.0, 1.0]).multiply_adds == 8


def test_words_and_indices_are_given_as_they_are() -> None:
    class Bag(Module):
        def __init__(self) -> None:
            self.vectors = {"a": [Value(1.0), Value(2.0)], "b": [Value(3.0), Value(4.0)]}
            self.out = Layer(2, 1)

        def __call__(self, words: str, place: int) -> Any:
            return self.out(self.vectors[words[place]])

    found = Bag().summary("ba", 1)
    assert found.multiply_adds == 2
    assert rows(found)["vectors.a, vectors.b"] == ["", "", "4", ""]


@pytest.mark.parametrize(
    "output",
    [lambda y: y.data, lambda y: Value(y.data), lambda y: Value(2.0, (y,)), lambda y: iter([y]), lambda y: {}],
    ids=["a number", "a leaf", "by hand", "an iterator", "nothing"],
)  # fmt: skip
def test_what_leaves_the_graph_is_unknown(output: Callable[[Value], Any]) -> None:
    class Leaver(Module):
        def __init__(self) -> None:
            self.neuron = Neuron(2)

        def __call__(self, x: Any) -> Any:
            return output(self.neuron(x))

    found = Leaver().summary([1.0, 2.0])
    assert found.multiply_adds is None
    assert found.notes == [WITH_AN_EXAMPLE]


def test_within_no_grad_nothing_can_be_counted() -> None:
    with no_grad():
        assert MLP(2, [3, 1]).summary().multiply_adds is None
        with pytest.raises(RecordingError, match="within no_grad"):
            MLP(2, [3, 1]).summary([1.0, 2.0])
    assert MLP(2, [3, 1]).summary([1.0, 2.0]).multiply_adds == 9


# ---- a run leaves everything as it was


def test_a_model_that_raises_leaves_the_classes_as_they_were() -> None:
    calls = {kind: vars(kind)["__call__"] for kind in (Layer, Sequential, Net)}
    with pytest.raises(ValueError, match="got 3 inputs, expected 2"):
        Sequential(Layer(2, 3), Net()).summary([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="argument 2 is longer"):
        Net().summary([1.0, 2.0, 3.0])
    assert calls == {kind: vars(kind)["__call__"] for kind in calls}


def test_a_summary_draws_nothing_and_changes_nothing() -> None:
    random.seed(1)
    model = Sequential(Dropout(), Layer(2, 2), Dropout(0.9))
    model.parameters()[0].grad = 3.0
    state, kept = random.getstate(), (model.state_dict(), model.training)
    assert model.summary().multiply_adds == model.summary([1.0, 2.0]).multiply_adds == 4
    assert random.getstate() == state
    assert (model.state_dict(), model.training, model.parameters()[0].grad) == (*kept, 3.0)


def test_summaries_in_threads_do_not_meet() -> None:
    models = [MLP(2, [width, 1]) for width in range(3, 11)]
    found: dict[int, int | None] = {}

    def summarised(k: int) -> None:
        for _ in range(20):
            found[k] = models[k].summary([1.0, 2.0]).multiply_adds
            models[k]([1.0, 2.0])

    original, interval = vars(Layer)["__call__"], sys.getswitchinterval()
    threads = [threading.Thread(target=summarised, args=(k,)) for k in range(len(models))]
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    assert found == {k: 3 * width for k, width in enumerate(range(3, 11))}
    assert vars(Layer)["__call__"] is original


def test_a_summary_that_begins_within_another_waits_and_leaves_the_class_as_it_was() -> None:
    inner = MLP(2, [3, 1])
    found = []
    thread = threading.Thread(target=lambda: found.append(inner.summary([1.0, 2.0]).multiply_adds))

    class Outer(Module):
        def __init__(self) -> None:
            self.layer = Layer(2, 1)

        def __call__(self, x: Any) -> Any:
            if not thread.ident:
                thread.start()
                thread.join(0.2)  # it waits for this summary to end
            return self.layer(x)

    original = vars(Layer)["__call__"]
    assert Outer().summary([1.0, 2.0]).multiply_adds == 2
    thread.join()
    assert found == [9]
    assert vars(Layer)["__call__"] is original


def test_a_coroutine_is_unknown() -> None:
    class Later(Module):
        def __init__(self) -> None:
            self.neuron = Neuron(2)

        async def __call__(self, x: Any) -> Any:
            return self.neuron(x)

    class Now(Module):
        def __init__(self) -> None:
            self.later = Later()

        def __call__(self, x: Any) -> Any:
            return asyncio.run(self.later(x))

    found = Now().summary([1.0, 2.0])
    assert found.multiply_adds == 2
    assert rows(found)["later"][-1] == "?"


def test_what_is_called_with_nothing_or_names() -> None:
    class Constant(Module):
        def __init__(self) -> None:
            self.value = Value(2.0)

        def __call__(self, x: Any = None, *, power: float = 1.0) -> Any:
            return relu(self.value * power)

    class Holder(Module):
        def __init__(self) -> None:
            self.constant = Constant()

        def __call__(self, x: Any) -> Any:
            return self.constant() + self.constant(power=x)

    assert rows(Holder().summary(3.0))["constant"] == ["Constant", "? → 1", "1", "2"]


class Restless(Module):
    """It draws, counts in a parameter how often it is called, and uses its own gradient."""

    def __init__(self) -> None:
        self.w, self.calls = [Value(1.0), Value(2.0)], Value(0.0)

    def __call__(self, x: Any) -> Any:
        self.calls.data += random.random() + numpy.random.normal()  # noqa: NPY002
        y = self.w[0] * x[0] + self.w[1] * x[1]
        y.backward()
        return y


def test_what_a_model_changes_when_it_runs_is_put_back() -> None:
    model = Restless()
    model.w[1].grad = 5.0
    before = random.getstate(), [*map(str, numpy.random.get_state())]  # noqa: NPY002
    assert model.summary([1.0, 2.0]).multiply_adds == 2
    assert [(p.data, p.grad) for p in model.parameters()] == [(1.0, 0.0), (2.0, 5.0), (0.0, 0.0)]
    assert (random.getstate(), [*map(str, numpy.random.get_state())]) == before  # noqa: NPY002


def test_an_interrupt_anywhere_leaves_the_classes_as_they_were() -> None:
    """An interrupt comes at calls, and where a loop goes back: never at a `try:`, whose block has not begun."""
    model, calls = MLP(2, [2, 1]), [MLP.__call__, Layer.__call__]
    count, at = 0, 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal count
        if frame.f_code.co_filename.endswith("summarizing.py") and frame.f_code.co_name in ("noticing", "put_back"):
            if event != "line" or linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip() == "try:":
                return trace
            count += 1
            if count == at:
                raise KeyboardInterrupt
        return None if event == "call" else trace

    def summarize() -> None:
        nonlocal count
        count = 0
        previous = sys.gettrace()
        sys.settrace(trace)
        try:
            model.summary([1.0, 2.0])
        finally:
            sys.settrace(previous)

    summarize()
    lines = count
    assert lines > 10
    for at in range(1, lines + 1):
        with pytest.raises(KeyboardInterrupt):
            summarize()
        assert [MLP.__call__, Layer.__call__] == calls, f"after an interrupt at {at} of {lines} lines"
