"""Folding: every node is in one part, counts add up, modules, layers and repeated parts are found, at any size."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, sum, tanh
from autograd.drawing import folding, naming
from autograd.drawing.folding import MOST_PARTS, MOST_SEEN, READABLE, Graph, Part, Run, longest_run
from autograd.graph import topological_order
from nn import MLP, LayerNorm, Module, Sequential, TransformerBlock


def graph_of(*values, model=None, **options):
    return Graph(topological_order(*values), naming.places(model) if model else None, **options)


def parts_in(items):
    return [item for item in items if isinstance(item, Part)]


def titles(items):
    return [part.title for part in parts_in(items)]


def members_of(items):
    return [i for item in items for i in (item.members if isinstance(item, Part) else [item])]


def check(graph):
    """Every node is seen once; every part shows what it has, and no picture is crowded."""
    items = graph.seen()
    assert sorted(members_of(items)) == list(range(len(graph.values)))
    paths, unopened = Counter(), [items]
    while unopened:
        seen = unopened.pop()
        assert len(seen) <= max(MOST_SEEN, MOST_PARTS, READABLE)
        assert seen == members_of(seen) or len(seen) < len(members_of(seen))
        for part in parts_in(seen):
            paths[part.path] += 1
            assert sorted(set(part.members)) == part.members
            inside = members_of(part.inside)
            assert len(set(inside)) == len(inside)
            if part.each:
                assert set(inside) <= set(part.members)
                assert len(part.members) == part.times * len(part.shown)
            else:
                assert sorted(inside) == part.members
            assert [*part.inside] != [part]
            unopened.append(part.inside)
    assert max(paths.values(), default=1) == 1


def batch(model, count, inputs=2):
    random.seed(3)
    rows = [[Value(random.random()) for _ in range(inputs)] for _ in range(count)]
    return sum([(model(row) - 1.0) ** 2 for row in rows]) * (1 / count)


def test_a_network_is_folded_into_its_layers_and_they_into_their_neurons():
    model = MLP(2, [16, 16, 1])
    graph = graph_of(batch(model, 5), model=model)
    check(graph)
    items = graph.seen()
    assert [title for title in titles(items) if title] == ["layers[0]", "layers[1]", "layers[2]"]
    layers = {part.title: part for part in parts_in(items)}
    assert layers["layers[0]"].what == "16 relu neurons of 2 inputs, 5 times"
    assert layers["layers[1]"].what == "16 relu neurons of 16 inputs, 5 times"
    assert layers["layers[2]"].what == "1 neuron of 16 inputs, 5 times"
    assert len(layers["layers[1]"].members) == 16 * (17 + 2 * 5)
    assert titles(layers["layers[1]"].inside) == [f"layers[1].neurons[{k}]" for k in range(16)]
    [loss] = [part for part in parts_in(items) if part.what == "5 subtract; 5 power"]
    assert len(loss.members) == 10


@pytest.mark.parametrize("fused", [True, False])
def test_the_loss_belongs_to_no_layer_however_neurons_are_written(fused):
    model = MLP(3, [4, 1], fused=fused)
    target = Value(1.0, label="target")
    loss = (model([Value(1.0), Value(2.0), Value(3.0)]) - target) ** 2
    graph = graph_of(loss, model=model)
    last = len(graph.values) - 1
    assert graph.modules[last] == graph.modules[graph.parents[last][0]] == ()
    for i, value in enumerate(graph.values):
        if value.op in ("dot", "relu", "*", "+"):
            assert graph.modules[i][0].startswith("layers[")
            assert graph.modules[i][1].startswith("neurons[")


def test_what_lies_between_modules_of_one_is_in_that_one():
    """Attention's arithmetic has no parameter; its operands and its uses are the block's."""
    block = TransformerBlock(4, 2)
    outputs = block([[Value(random.random()) for _ in range(4)] for _ in range(3)])
    graph = graph_of(sum([x for row in outputs for x in row]), model=Sequential(block))
    scores = [i for i, value in enumerate(graph.values) if value.op == "softmax"]
    assert scores
    assert {graph.modules[i][:1] for i in scores} == {("layers[0]",)}
    check(graph)


def test_without_a_model_layers_are_found_by_depth():
    model = MLP(2, [16, 16, 1])
    graph = graph_of(batch(model, 5))
    check(graph)
    found = [part.what for part in parts_in(graph.seen())]
    assert found == [
        "16 relu neurons of 2 inputs, 5 times",
        "16 relu neurons of 16 inputs, 5 times",
        "1 neuron of 16 inputs, 5 times; 5 subtract; 5 power",
    ]


def test_many_layers_alike_are_one_part():
    model = MLP(2, [2] * 60 + [1])
    graph = graph_of(batch(model, 1), model=model)
    check(graph)
    [repeated] = [part for part in parts_in(graph.seen()) if part.each]
    assert repeated.title == "layers[1] … layers[59]"  # the first one's operands are leaves
    assert repeated.times == 59
    assert repeated.heading == repeated.title
    assert repeated.what == "2 relu neurons of 2 inputs"


def test_many_neurons_alike_are_one_part():
    model = MLP(2, [300, 1])
    graph = graph_of(batch(model, 1), model=model)
    check(graph)
    [layer] = [part for part in parts_in(graph.seen()) if part.title == "layers[0]"]
    [neurons] = parts_in(layer.inside)
    assert neurons.title == "layers[0].neurons[0] … layers[0].neurons[299]"
    assert neurons.times == 300
    assert len(neurons.inside) == 5


def chain(steps):
    value = Value(0.5, label="x")
    for _ in range(steps):
        value = tanh(value * 1.01)
    return value


def test_equal_steps_of_a_chain_are_one_part():
    graph = graph_of(chain(100))
    check(graph)
    items = graph.seen()
    [steps] = parts_in(items)
    assert steps.what == "1 tanh; 1 multiply"  # the first step, whose operand is a leaf, stands before them
    assert steps.times >= 98
    assert steps.heading == f"{steps.times} times the same"
    assert len(items) <= 6


def recurrence(steps, width=3):
    random.seed(3)
    weights = [[Value(random.gauss(0, 1)) for _ in range(width)] for _ in range(width)]
    state = [Value(0.0) for _ in range(width)]
    for _ in range(steps):
        x = Value(random.random())
        state = [tanh(sum([w * s for w, s in zip(row, state, strict=True)]) + row[0] * x) for row in weights]
    return sum(state)


def test_equal_steps_of_a_recurrence_are_one_part():
    graph = graph_of(recurrence(50))
    check(graph)
    [steps] = [part for part in parts_in(graph.seen()) if part.each]
    assert steps.times >= 48
    assert steps.what == "12 multiply; 3 sum; 3 add; 1 more kind"
    assert len(steps.shown) == 9 + 3 + 3 + 3 + 3 + 1  # and an input, a leaf


def test_depth_is_bounded_by_memory_only():
    value = Value(1.0)
    for _ in range(20_000):
        value = tanh(value)
    graph = graph_of(value)
    items = graph.seen()
    assert sorted(members_of(items)) == list(range(20_001))
    assert len(items) < 10


def random_graph(count, seed, operands=50):
    random.seed(seed)
    values = [Value(random.random()) for _ in range(4)]
    while len(values) < count:
        a, b = random.choice(values[-operands:]), random.choice(values)
        values.append(random.choice([lambda a, b: a * 0.5 + b, lambda a, b: a - b, lambda a, b: tanh(a)])(a, b))
    return sum(values[-operands:])


@pytest.mark.parametrize("seed", range(4))
def test_what_has_no_structure_is_folded_into_blocks_that_go_forward(seed):
    graph = graph_of(random_graph(2000, seed))
    check(graph)
    items = graph.seen()
    place = {i: k for k, item in enumerate(items) for i in (item.members if isinstance(item, Part) else [item])}
    for i, parents in enumerate(graph.parents):
        assert all(place[parent] <= place[i] for parent in parents if graph.parents[parent])


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 400), st.integers(0, 10**6), st.integers(1, 60))
def test_every_node_is_in_one_part(count, seed, operands):
    check(graph_of(random_graph(count, seed, operands)))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 6), st.booleans())
def test_every_node_of_a_network_is_in_one_part(width, depth, examples, has_model):
    model = MLP(2, [width] * depth + [1])
    check(graph_of(batch(model, examples), model=model if has_model else None))


def test_normalisation_and_many_leaves_of_one_sum():
    model = Sequential(LayerNorm(40), *MLP(40, [3, 1]).layers)
    check(graph_of(batch(model, 3, inputs=40), model=model))
    check(graph_of(sum([Value(float(k)) for k in range(1000)])))
    check(graph_of(*[Value(float(k)) for k in range(1000)]))
    check(graph_of(*[chain(30) for _ in range(40)]))


# ---- Opening


def test_what_is_opened_is_seen_with_what_is_inside():
    model = MLP(2, [16, 16, 1])
    loss = batch(model, 5)
    graph = graph_of(loss, model=model, opened=["layers[1]"])
    check_opened = titles(graph.seen())
    assert "layers[1]" not in check_opened
    assert "layers[1].neurons[3]" in check_opened
    assert "layers[0]" in check_opened
    assert sorted(members_of(graph.seen())) == list(range(len(graph.values)))


def test_opening_a_neuron_opens_its_layer_and_leaves_it_among_its_like():
    model = MLP(2, [300, 1])
    graph = graph_of(batch(model, 1), model=model, opened=["layers[0].neurons[7]"])
    items = graph.seen()
    neuron = model.layers[0].neurons[7]
    own = {id(parameter) for parameter in neuron.parameters()}
    loose = {id(graph.values[item]) for item in items if not isinstance(item, Part)}
    assert own <= loose
    assert [part.times for part in parts_in(items) if part.each] == [7, 292]


def test_every_part_that_is_named_can_be_opened():
    model = MLP(2, [4, 1])
    loss = batch(model, 30)
    for part in parts_in(graph_of(loss, model=model).seen()):
        opened = graph_of(loss, model=model, opened=[part.path])
        assert part.path not in [other.path for other in parts_in(opened.seen())]
        assert sorted(members_of(opened.seen())) == (
            list(range(len(opened.values))) if not part.each else sorted(members_of(opened.seen()))
        )


def test_what_is_not_there_cannot_be_opened():
    model = MLP(2, [4, 1])
    with pytest.raises(ValueError, match=r"draw: nothing to open is called 'layers\[7\]'; there are .*'layers\[0\]'"):
        graph_of(batch(model, 30), model=model, opened=["layers[7]"]).seen()


@pytest.mark.parametrize("names", [3, None, {"layers[0]"}, [3], ["a", None]])
def test_names_to_open_are_strings(names):
    with pytest.raises(TypeError, match=r"draw: expected open= to be names of parts, such as \"layers\[1\]\", got"):
        folding.names_to_open(names)


def test_one_name_or_several():
    assert folding.names_to_open("layers[1]") == ("layers[1]",)
    assert folding.names_to_open(["a", "b"]) == ("a", "b")
    assert folding.names_to_open(()) == ()


# ---- Words and runs


class Hostile(Module):
    def __init__(self):
        self.parts = {"<b>&\"]}'\n\x00\ud800": MLP(2, [30, 1]), "a.3": MLP(1, [30, 1])}

    def __call__(self, x):
        for model in self.parts.values():
            x = [model(x)]
        return x[0]


def test_a_module_may_be_called_anything():
    model = Hostile()
    graph = graph_of(batch(model, 5), model=model)
    check(graph)
    [whole] = [part for part in parts_in(graph.seen()) if part.title]
    assert titles(whole.inside) == ["parts.<b>&\"]}'\\n\\x00\\ud800", "parts.a[3]"]


def test_an_operation_from_elsewhere_is_called_by_its_symbol():
    values = [Value(1.0, (), "<op>") for _ in range(100)]
    graph = graph_of(*[Value(2.0, (value,), "<op>") for value in values])
    check(graph)
    assert "<op>" in parts_in(graph.seen())[0].what


@pytest.mark.parametrize(
    ("signs", "run"),
    [
        ("", None),
        ("a", None),
        ("abc", None),
        ("aa", Run(0, 1, 2)),
        ("xababab", Run(1, 2, 3)),
        ("xababay", Run(1, 2, 2)),
        ("aabaabaab", Run(0, 3, 3)),
        ("abcabcddddddd", Run(6, 1, 7)),
    ],
)
def test_what_repeats_most_is_found(signs, run):
    assert longest_run(signs) == run


@given(
    st.text("ab", min_size=1, max_size=12), st.integers(2, 6), st.text("xyz", max_size=3), st.text("xyz", max_size=3)
)
def test_a_run_that_is_found_repeats_indeed(unit, times, before, behind):
    signs = before + unit * times + behind
    run = longest_run(signs)
    assert run is not None
    first, period = run.first, run.period
    assert run.times > 1
    assert signs[first : first + period] * run.times == signs[first : first + period * run.times]
