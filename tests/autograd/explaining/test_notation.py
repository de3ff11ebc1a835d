"""Lines of the trace: what they say is true, as Python reads them, and they are what mathematics prints."""

from __future__ import annotations

import math

import pytest

from autograd import Value, dot, exp, functions, leaky_relu, log1p, logsumexp, maximum, relu, sqrt, sum, tanh
from autograd.explaining.notation import Latex, Markdown, Notation
from autograd.explaining.trace import trace
from autograd.operation import Operation
from autograd.operations import OPERATIONS

READER = vars(functions) | {"inf": math.inf, "nan": math.nan}


def read(text: str, names: dict[str, float]) -> float:
    return float(eval(text, READER | names))


def same(x: float, y: float) -> bool:
    return x == y or (math.isnan(x) and math.isnan(y))


@pytest.mark.parametrize("name", OPERATIONS)
def test_python_computes_from_a_line_what_the_line_says(name):
    """The formula, the numbers put into it and the result are equal to the last bit, in every line."""
    write = Notation(digits=17)
    for point in [*OPERATIONS[name].samples, *OPERATIONS[name].kinks]:
        operands = [[Value(x) for x in operand] if isinstance(operand, list) else Value(operand) for operand in point]
        paper = trace(getattr(functions, name)(*operands))
        data = {entry.name: entry.data for entry in paper.entries}
        formula, *numbers = write.evaluation(paper.result).removeprefix(f"{paper.result.name} = ").split(" = ")
        assert len(numbers) in (1, 2)
        assert all(same(read(text, data), paper.result.data) for text in (formula, *numbers)), point
        for contribution in paper.contributions:
            numbers, result = write.contribution(contribution).split(" = ")[-2:]
            assert all(same(read(text, {}), contribution.after) for text in (numbers, result)), point


def a() -> Value:
    return Value(-2.0, label="a")


def b() -> Value:
    return Value(0.5, label="b")


LINES = [
    (lambda: a() + b(), "v1 = a + b = (-2) + 0.5 = -1.5", "v_{1} = a + b = (-2) + 0.5 = -1.5"),
    (lambda: 3 - a(), "v1 = 3 - a = 3 - (-2) = 5", "v_{1} = 3 - a = 3 - (-2) = 5"),
    (lambda: a() * b(), "v1 = a * b = (-2) * 0.5 = -1", r"v_{1} = a \cdot b = (-2) \cdot 0.5 = -1"),
    (lambda: a() / b(), "v1 = a / b = (-2) / 0.5 = -4", r"v_{1} = \frac{a}{b} = \frac{-2}{0.5} = -4"),
    (lambda: a() ** 2, "v1 = a ** 2 = (-2) ** 2 = 4", "v_{1} = a^{2} = (-2)^{2} = 4"),
    (lambda: (a() * 1e-9) ** -1, "v2 = v1 ** (-1) = (-2e-09) ** (-1) = -5e+08",
     r"v_{2} = v_{1}^{-1} = (-2 \cdot 10^{-9})^{-1} = -5 \cdot 10^{8}"),
    (lambda: -a(), "v1 = -a = -(-2) = 2", "v_{1} = -a = -(-2) = 2"),
    (lambda: abs(a()), "v1 = abs(a) = abs(-2) = 2", r"v_{1} = \lvert a \rvert = \lvert -2 \rvert = 2"),
    (lambda: exp(b()), "v1 = exp(b) = exp(0.5) = 1.649", "v_{1} = e^{b} = e^{0.5} = 1.649"),
    (lambda: sqrt(b()), "v1 = sqrt(b) = sqrt(0.5) = 0.7071", r"v_{1} = \sqrt{b} = \sqrt{0.5} = 0.7071"),
    (lambda: log1p(b()), "v1 = log1p(b) = log1p(0.5) = 0.4055", r"v_{1} = \log(1 + b) = \log(1 + 0.5) = 0.4055"),
    (lambda: tanh(a()), "v1 = tanh(a) = tanh(-2) = -0.964", r"v_{1} = \tanh(a) = \tanh(-2) = -0.964"),
    (lambda: relu(a()), "v1 = relu(a) = relu(-2) = 0", r"v_{1} = \operatorname{relu}(a) = \operatorname{relu}(-2) = 0"),
    (lambda: leaky_relu(a(), 0.1), "v1 = leaky_relu(a, 0.1) = leaky_relu(-2, 0.1) = -0.2",
     r"v_{1} = \operatorname{leaky\_relu}(a, 0.1) = \operatorname{leaky\_relu}(-2, 0.1) = -0.2"),
    (lambda: maximum(a(), b()), "v1 = maximum(a, b) = maximum(-2, 0.5) = 0.5",
     r"v_{1} = \max(a, b) = \max(-2, 0.5) = 0.5"),
    (lambda: functions.min([a(), b()]), "v1 = min([a, b]) = min([-2, 0.5]) = -2",
     r"v_{1} = \min([a, b]) = \min([-2, 0.5]) = -2"),
    (lambda: functions.softmax_of([a()], b()), "v1 = softmax_of([a], b) = softmax_of([-2], 0.5) = 0.9241",
     r"v_{1} = \operatorname{softmax\_of}([a], b) = \operatorname{softmax\_of}([-2], 0.5) = 0.9241"),
    (lambda: sum([a(), b(), 1.0]), "v1 = a + b + 1 = (-2) + 0.5 + 1 = -0.5",
     "v_{1} = a + b + 1 = (-2) + 0.5 + 1 = -0.5"),
    (lambda: dot([a(), 2.0], [1.0, b()]), "v1 = a * 1 + 2 * b = (-2) * 1 + 2 * 0.5 = -1",
     r"v_{1} = a \cdot 1 + 2 \cdot b = (-2) \cdot 1 + 2 \cdot 0.5 = -1"),
    (lambda: dot([a()], [3.0], b()), "v1 = b + a * 3 = 0.5 + (-2) * 3 = -5.5",
     r"v_{1} = b + a \cdot 3 = 0.5 + (-2) \cdot 3 = -5.5"),
    (lambda: dot([], [], b()), "v1 = b = 0.5", "v_{1} = b = 0.5"),
    (lambda: -b(), "v1 = -b = -0.5", "v_{1} = -b = -0.5"),
    (lambda: -a(), "v1 = -a = -(-2) = 2", "v_{1} = -a = -(-2) = 2"),
    (lambda: logsumexp([a(), b()]), "v1 = logsumexp([a, b]) = logsumexp([-2, 0.5]) = 0.5789",
     r"v_{1} = \operatorname{logsumexp}([a, b]) = \operatorname{logsumexp}([-2, 0.5]) = 0.5789"),
    (lambda: a() * math.inf, "v1 = a * inf = (-2) * inf = -inf",
     r"v_{1} = a \cdot \infty = (-2) \cdot \infty = -\infty"),
]  # fmt: skip


@pytest.mark.parametrize(("compute", "text", "latex"), LINES)
def test_a_line_of_the_evaluation(compute, text, latex):
    result = trace(compute()).result
    assert Notation().evaluation(result) == text
    assert Latex().evaluation(result) == latex


def test_lines_of_the_chain_rule():
    x, w = Value(-3.0, label="x"), Value(2.0, label="w_1")
    paper = trace(x * w + x)
    assert list(map(Notation().chain_rule, [paper.result, *paper.contributions])) == [
        "v2.grad = 1",
        "v1.grad = v2.grad * ∂v2/∂v1 = 1 * 1 = 1",
        "x.grad = v2.grad * ∂v2/∂x = 1 * 1 = 1",
        "x.grad += v1.grad * ∂v1/∂x = 1 + 1 * 2 = 3",
        "w_1.grad = v1.grad * ∂v1/∂w_1 = 1 * (-3) = -3",
    ]
    assert list(map(Latex().chain_rule, [paper.result, *paper.contributions[2:]])) == [
        r"\bar{v}_{2} = 1",
        r"\bar{x} \mathrel{+}= \bar{v}_{1} \cdot \frac{\partial v_{1}}{\partial x} = 1 + 1 \cdot 2 = 3",
        r"\bar{w}_{1} = \bar{v}_{1} \cdot \frac{\partial v_{1}}{\partial w_{1}} = 1 \cdot (-3) = -3",
    ]


def test_an_operand_that_is_used_twice_by_one_node_has_two_local_derivatives():
    x = Value(2.0, label="x")
    power = trace(x**x).contributions
    assert list(map(Notation().partial, power)) == ["∂v1/∂x (use 1)", "∂v1/∂x (use 2)"]
    assert Latex().partial(power[1]) == r"\left(\frac{\partial v_{1}}{\partial x}\right)_{2}"
    mixed = trace(dot([x, Value(1.0, label="y"), x], [1.0, 2.0, 3.0])).contributions
    assert list(map(Notation().partial, mixed)) == ["∂v1/∂x (use 1)", "∂v1/∂y", "∂v1/∂x (use 2)"]


def test_long_sums_and_sequences_are_shortened():
    x = [Value(float(i), label=f"x{i}") for i in range(100)]
    assert (
        Notation()
        .evaluation(trace(sum(x)).result)
        .startswith("v1 = x0 + x1 + x2 + x3 + x4 + x5 + … + x99 = 0 + 1 + 2 + 3 + 4 + 5 + … + 99 = 4950")
    )
    assert "([x0, x1, x2, x3, x4, x5, …, x99])" in Notation().evaluation(trace(logsumexp(x)).result)
    assert r"x_{5} + \cdots + x_{99} =" in Latex().evaluation(trace(sum(x)).result)


@pytest.mark.parametrize(
    ("symbol", "operands", "text", "latex"),
    [
        ("cube_", (2.0,), "my_cube(2)", r"\operatorname{my\_cube}(2)"),
        ("%", (2.0, -1.0), "2 % (-1)", r"2 \% (-1)"),
    ],
)
def test_an_operation_that_is_new_in_the_table_needs_no_notation_of_its_own(symbol, operands, text, latex):
    rule = (lambda m, x: x) if len(operands) == 1 else (lambda m, x, y: x)
    operation = Operation("my_cube", symbol, "x", rule, [], samples=[])
    assert Notation().formula(operation, operands, Notation().data) == text
    assert Latex().formula(operation, operands, Latex().data) == latex


@pytest.mark.parametrize(
    ("label", "letters", "adjoint"),
    [
        ("a", "a", r"\bar{a}"),
        ("w12", "w_{12}", r"\bar{w}_{12}"),
        ("w_12", "w_{12}", r"\bar{w}_{12}"),
        ("w[1][2]", "w[1][2]", r"\bar{w}[1][2]"),
        ("y'", "y'", r"\bar{y}'"),
        ("loss", r"\mathit{loss}", r"\overline{\mathit{loss}}"),
        ("net_input2", r"\mathit{net\_input}_{2}", r"\overline{\mathit{net\_input}}_{2}"),
        ("_", r"\mathit{\_}", r"\overline{\mathit{\_}}"),
        ("δ", "δ", r"\bar{δ}"),
    ],
)
def test_names_in_mathematics(label, letters, adjoint):
    entry = trace(Value(1.0, label=label)).result
    assert entry.name == label
    assert (Latex().name(entry), Latex().adjoint(entry)) == (letters, adjoint)


def test_a_label_that_is_no_name_stands_beside_the_line_in_every_notation():
    entry = trace(Value(1.0, label="50% of $a_1$ <b>|`")).result
    assert Notation().evaluation(entry) == "v1 = 1  “50% of $a_1$ <b>|`”"
    assert Latex().evaluation(entry) == r"v_{1} = 1 \quad \text{“50\% of \$a\_1\$ <b>|`”}"
    assert Markdown().evaluation(entry) == "`v1 = 1` “50&#37; of &#36;a&#95;1&#36; &#60;b&#62;&#124;&#96;”"
    backslash = trace(Value(1.0, label=r"\end{array}~^")).result
    assert (
        Latex()
        .evaluation(backslash)
        .endswith(r"\text{“\textbackslash{}end\{array\}\textasciitilde{}\textasciicircum{}”}")
    )


def test_digits():
    third = trace(Value(1.0) / 3.0).result
    assert Notation(digits=1).number(third.data) == "0.3"
    assert float(Notation(digits=17).number(third.data)) == third.data
