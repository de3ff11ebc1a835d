"""The trace: its adjoints are the engine's to the last bit, its names unambiguous; what it cannot know it refuses."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from autograd import Value, dot, functions, log, logsumexp, sum, tanh
from autograd.explaining.trace import named, trace
from autograd.graph import topological_order
from autograd.operations import OPERATIONS

pytestmark = pytest.mark.both_engines

UNARY = ["tanh", "sigmoid", "sin", "softplus", "relu", "abs", "gelu"]
BINARY = ["add", "subtract", "multiply", "hypot", "maximum"]


def random_graph(seed: int, operations: int = 30) -> Value:
    """Operations on operands that are drawn with repetition, so that Values are used often, twice by one node too."""
    draw = random.Random(seed)
    values = [Value(draw.uniform(-2, 2)) for _ in range(4)]
    for _ in range(operations):
        kind = draw.random()
        if kind < 0.3:
            values.append(tanh(getattr(functions, draw.choice(UNARY))(draw.choice(values))))
        elif kind < 0.7:
            values.append(tanh(getattr(functions, draw.choice(BINARY))(draw.choice(values), draw.choice(values))))
        elif kind < 0.85:
            values.append(tanh(dot(draw.choices(values, k=3), [*draw.choices(values, k=2), 0.5], draw.choice(values))))
        else:
            values.append(logsumexp(draw.choices(values, k=3)) * draw.uniform(-1, 1))
    return sum(values[-6:])


def bits(numbers):
    return [float(number).hex() for number in numbers]


@pytest.mark.parametrize("seed", range(25))
def test_adjoints_are_the_engines_to_the_last_bit(seed):
    result = random_graph(seed)
    paper = trace(result)
    result.backward()
    order = topological_order(result)
    assert bits(entry.data for entry in paper.entries) == bits(node.data for node in order)
    assert bits(entry.adjoint for entry in paper.entries) == bits(node.grad for node in order)


@pytest.mark.parametrize("seed", range(5))
def test_contributions_are_what_the_engine_adds_one_after_the_other(seed):
    result = random_graph(seed)
    paper = trace(result)
    order = topological_order(result)
    place = {node: i for i, node in enumerate(order)}
    of_entry = {entry: i for i, entry in enumerate(paper.entries)}
    result.grad = 1.0
    written = iter(paper.contributions)
    touched = {result}
    for node in reversed(order):
        before = {parent: parent.grad if parent in touched else None for parent in node.parents}
        touched.update(node.parents)
        made = list(itertools.islice(written, len(node.parents)))
        node._backward()
        assert [of_entry[c.parent] for c in made] == [place[parent] for parent in node.parents]
        for parent in before:
            mine = [c for c in made if of_entry[c.parent] == place[parent]]
            assert (mine[0].before, mine[-1].after) == (before[parent], parent.grad)
            assert all(one.after == next_one.before for one, next_one in itertools.pairwise(mine))
    assert next(written, None) is None


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_a_trace_at_its_samples_and_kinks(name):
    for point in [*OPERATIONS[name].samples, *OPERATIONS[name].kinks]:
        operands = [[Value(x) for x in operand] if isinstance(operand, list) else Value(operand) for operand in point]
        result = getattr(functions, name)(*operands)
        paper = trace(result)
        result.backward()
        assert bits(entry.adjoint for entry in paper.entries) == bits(node.grad for node in topological_order(result))


def test_no_grad_is_read_or_changed():
    a, b = Value(2.0), Value(3.0)
    c = a * b
    a.grad, b.grad, c.grad = 5.0, -1.0, 7.0
    assert [entry.adjoint for entry in trace(c).entries] == [3.0, 2.0, 1.0]
    assert (a.grad, b.grad, c.grad) == (5.0, -1.0, 7.0)


def test_a_leaf_is_its_own_result():
    [entry] = trace(Value(2.0, label="a")).entries
    assert (entry.name, entry.data, entry.adjoint, entry.operation) == ("a", 2.0, 1.0, None)


def test_numbers_that_are_not_finite():
    x = Value(math.inf)
    paper = trace(x * 0.0 + x)
    assert math.isnan(paper.result.data)
    assert [entry.adjoint for entry in paper.entries] == [1.0, 1.0, 1.0]


def test_depth_is_bounded_by_memory_only():
    x = Value(1.0)
    chain = x
    for _ in range(20_000):
        chain = chain + 1.0
    assert trace(chain).entries[0].adjoint == 1.0


def test_the_table_of_two_columns():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    paper = trace(tanh(a * b))
    beside = {entry.name: subjects for entry, subjects in paper.rows()}
    assert [entry.name for entry in paper.entries] == list(beside) == ["a", "b", "v1", "v2"]
    assert [c.parent.name for c in beside["v1"]] == ["b", "a"]  # from the bottom up: a comes first
    assert beside["v2"][-1] is paper.result
    assert beside["a"] == [paper.entries[0]]


# ---- Names.


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["a", "b"], ["a", "b"]),
        (["", "", "a"], ["v1", "v2", "a"]),
        (["w", "w", "x"], ["v1", "v2", "x"]),  # two have it
        (["w1", "w_1", "x"], ["v1", "v2", "x"]),  # mathematics writes them alike
        (["v1", "", "v3", ""], ["v1", "v2", "v3", "v4"]),  # v1 and v3 are taken
        (["v2", "v2", ""], ["v1", "v3", "v4"]),  # a Value with another's label would mislead
        (["w[0]", "w[0, 1]", "hidden.w[2][3]", "y'"], ["w[0]", "w[0, 1]", "hidden.w[2][3]", "y'"]),
        (["δ", "größe", "重み"], ["δ", "größe", "重み"]),
        (["a b", "a+b", "1a", "-a", "(a)", "a'b"], ["v1", "v2", "v3", "v4", "v5", "v6"]),
        (["x²", "a\n", "a\x00", "<b>", "$x$", "a|b"], ["v1", "v2", "v3", "v4", "v5", "v6"]),
        (["tanh", "sum", "a.grad", "grad"], ["v1", "v2", "v3", "v4"]),  # they mean something else
        (["שלום", "سلام"], ["v1", "v2"]),  # a formula would be read in the wrong order
        (["a" * 16, "b" * 17, "c" * 1_000], ["a" * 16, "v1", "v2"]),
        ([None, 7, "a"], ["v1", "v2", "a"]),
    ],
)
def test_a_value_is_called_by_its_label_where_that_is_unambiguous(labels, names):
    given = list(named([Value(0.0, label=label) for label in labels]))
    assert [name for name, _ in given] == names
    for (name, remark), label in zip(given, labels, strict=True):
        assert bool(remark) == (bool(label) and name != label)  # the label is not lost


# ---- What a trace cannot know.


def test_an_operation_that_is_not_in_the_table_is_refused():
    with pytest.raises(ValueError, match="c was computed by 'mine', which is not in the table"):
        trace(Value(6.0, (Value(2.0), Value(3.0)), "mine", label="c") + 1.0)


class Clipped(Value):
    def _backward(self):
        pass


@pytest.mark.parametrize("place", ["leaf", "middle", "result"])
def test_a_backward_of_its_own_is_refused(place):
    a = Clipped(2.0) if place == "leaf" else Value(2.0)
    b = a * 3.0
    c = b + 1.0
    if place != "leaf":
        {"middle": b, "result": c}[place]._backward = lambda: None
    with pytest.raises(ValueError, match=r"v[123] has a _backward of its own"):
        trace(c)


def assign_leaf(a, b, c):
    a.data = 5.0


def swap_factors(a, b, c):
    a.data, b.data = b.data, a.data


def assign_computed(a, b, c):
    c.data = 7.0


def leave_the_domain(a, b, c):
    c.data = -1.0


@pytest.mark.parametrize("change", [assign_leaf, swap_factors, assign_computed, leave_the_domain])
def test_data_that_were_assigned_since_are_refused(change):
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    c = a * b
    c.label = "c"
    result = log(c)
    trace(result)
    change(a, b, c)
    with pytest.raises(ValueError, match=r"explain: (c|v1), computed by .* compute the result again"):
        trace(result)
