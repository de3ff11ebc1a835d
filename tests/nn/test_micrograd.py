"""Do micrograd's scripts run, and give micrograd's numbers?"""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest

from autograd import Value
from nn import MLP, Module

pytestmark = pytest.mark.both_engines

DEMO = json.loads(Path(__file__).with_name("micrograd_demo.json").read_text(encoding="utf-8"))


def test_the_expression_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    print(f"{g.data:.4f}")
    g.backward()
    print(f"{a.grad:.4f}")
    print(f"{b.grad:.4f}")
    assert capsys.readouterr().out == "24.7041\n138.8338\n645.5773\n"


# Not bit for bit: micrograd walks sets of parents, so the order in which it adds up a gradient is arbitrary. Without
# fused nodes a step takes ten times as long; the losses of all 100 agree as well, of which 20 are held here.
@pytest.mark.parametrize(("fused", "steps"), [(True, 100), (False, 20)])
def test_the_demo_notebook(fused: bool, steps: int) -> None:
    random.seed(1337)
    model = MLP(2, [16, 16, 1], fused=fused)
    losses = []
    for step in range(steps):
        scores = [model([Value(x), Value(y)]) for x, y in DEMO["X"]]
        margins = [(1 + -sign * score).relu() for sign, score in zip(DEMO["y"], scores, strict=True)]
        loss = sum(margins) * (1.0 / len(margins)) + 1e-4 * sum(p * p for p in model.parameters())
        losses.append(loss.data)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * step / 100) * p.grad
    assert losses == pytest.approx(DEMO["losses"][:steps], rel=1e-12, abs=0)


def test_a_neuron_step_by_step_as_in_the_lecture() -> None:
    x, y = Value(2.0, label="x"), Value(0.0, label="y")
    v, w = Value(-3.0, label="v"), Value(1.0, label="w")
    b = Value(6 + math.asinh(1), label="b")  # the net input is asinh(1), where tanh has the derivative ½
    vx = v * x
    vx.label = "v*x"
    wy = w * y
    products = vx + wy
    net_input = products + b
    output = net_input.tanh()

    output.grad = 1.0
    for node in (output, net_input, b, products, wy, vx):
        node._backward()

    leaves = (x, v, y, w, b)
    by_hand = [leaf.grad for leaf in leaves]
    assert by_hand == pytest.approx([-1.5, 1.0, 0.5, 0.0, 0.5], rel=1e-15)
    for leaf in leaves:
        leaf.grad = 0.0
    output.backward()
    assert [leaf.grad for leaf in leaves] == by_hand


def test_the_names_of_parents_and_operations() -> None:
    a, b = Value(2.0), Value(3.0)
    assert (a._prev, a._op) == (set(), "")
    assert ((a + b)._prev, (a + b)._op) == ({a, b}, "+")
    assert ((a * a)._prev, (a * a)._op) == ({a}, "*")
    assert ((a**2)._prev, (a**2)._op) == ({a}, "**2")
    assert ((a**-1)._prev, (a**-1)._op) == ({a}, "**-1")
    assert ((a**0.5)._op, a.relu()._op, a.tanh()._op, a.exp()._op) == ("**0.5", "ReLU", "tanh", "exp")


def cube(x: Value) -> Value:
    """An operation as one writes it for micrograd."""
    out = Value(x.data**3, (x,), "cube")

    def _backward() -> None:
        x.grad += 3 * x.data**2 * out.grad

    out._backward = _backward
    return out


def product(x: Value, y: Value) -> Value:
    out = Value(x.data * y.data, (x, y), "product")

    def _backward() -> None:
        x.grad += y.data * out.grad
        y.grad += x.data * out.grad

    out._backward = _backward
    return out


def test_operations_of_ones_own_with_a_backward_of_their_own() -> None:
    a, b = Value(2.0), Value(-3.0)
    inner = product(a, b)
    loss = cube(inner) + inner * a + cube(a)  # a³b³ + a²b + a³
    assert (inner._prev, inner._op, loss.data) == ({a, b}, "product", -216.0 - 12.0 + 8.0)
    loss.backward()
    assert a.grad == 3 * 4 * -27 + 2 * 2 * -3 + 3 * 4
    assert b.grad == 3 * 8 * 9 + 4
    loss.backward()
    assert b.grad == 2 * (3 * 8 * 9 + 4)


def test_an_operation_added_to_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    def swish(self: Value) -> Value:
        s = 1 / (1 + math.exp(-self.data))
        out = Value(self.data * s, (self,), "swish")

        def _backward() -> None:
            self.grad += (s + self.data * s * (1 - s)) * out.grad

        out._backward = _backward
        return out

    monkeypatch.setattr(Value, "swish", swish, raising=False)
    x, y = Value(0.7), Value(0.7)
    (x.swish() * 2).backward()
    (y.silu() * 2).backward()
    assert x.grad == pytest.approx(y.grad, rel=1e-15)


def trace(root: Value) -> tuple[set[Value], set[tuple[Value, Value]]]:
    """As the helpers that draw micrograd's graphs do it: the nodes and edges, by `_prev`."""
    nodes: set[Value] = set()
    edges: set[tuple[Value, Value]] = set()

    def visit(node: Value) -> None:
        if node not in nodes:
            nodes.add(node)
            for child in node._prev:
                edges.add((child, node))
                visit(child)

    visit(root)
    return nodes, edges


def test_a_drawing_helper_walks_the_graph() -> None:
    a, b = Value(2.0), Value(-3.0)
    c = a * b
    d = (c + a).relu()
    nodes, edges = trace(d)
    (total,) = d._prev
    assert nodes == {a, b, c, total, d}
    assert edges == {(a, c), (b, c), (c, total), (a, total), (total, d)}
    assert {"%s %.1f %.1f" % (n._op, n.data, n.grad) for n in nodes} == {  # noqa: UP031  # as such helpers write it
        " 2.0 0.0",
        " -3.0 0.0",
        "* -6.0 0.0",
        "+ -4.0 0.0",
        "ReLU 0.0 0.0",
    }


def test_modules_as_micrograds_users_write_them() -> None:
    class Neuron(Module):
        def __init__(self, nin: int) -> None:
            self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
            self.b = Value(0)

        def __call__(self, x: list[float]) -> Value:
            out: Value = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b).tanh()
            return out

        def parameters(self) -> list[Value]:
            return [*self.w, self.b]

    class Committee(Module):
        def __init__(self) -> None:
            self.members = [Neuron(2) for _ in range(3)]

        def __call__(self, x: list[float]) -> Value:
            return sum((member(x) for member in self.members), Value(0))

        def parameters(self) -> list[Value]:
            return [p for member in self.members for p in member.parameters()]

    random.seed(1)
    model = Committee()
    loss = (model([1.0, -2.0]) - 0.5) ** 2
    loss.backward()
    before = loss.data
    assert all(p.grad for p in model.parameters())
    for p in model.parameters():
        p.data -= 0.01 * p.grad
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [0.0] * 9
    assert ((model([1.0, -2.0]) - 0.5) ** 2).data < before
    assert list(model.state_dict())[:2] == ["members.0.w", "members.0.b"]
