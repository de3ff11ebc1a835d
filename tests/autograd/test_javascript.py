"""The JavaScript that is written from the table: in Chromium, it computes what the rules compute on floats."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from autograd import Value, define, functions, javascript
from autograd.graph import topological_order
from autograd.operation import Operation, ieee
from autograd.operations import OPERATIONS, ROW, ROWS

POINTS = [0.0, -0.0, 0.3, -1.7, 2.5, 1.0, -1.0, 3.0, 800.0, -5e-324, 1e300, math.inf, -math.inf, math.nan]
WIDE = [*(10.0**k for k in range(-300, 301, 20)), *(k / 8 for k in range(-240, 241, 7))]
TOLERANCE = 1e-12


@pytest.fixture(scope="module")
def computed(browser):
    """Runs the rules: for each (place of a row, operands), [the value, the derivatives by the operands]."""
    page = browser.new_page()

    def run(operations, cases):
        page.evaluate(f"globalThis.RULES = (() => {{ {javascript.source(operations)} return RULES; }})()")
        return page.evaluate(
            """(cases) => cases.map(([place, operands]) => {
              const r = RULES[place].value(...operands);
              return [r, RULES[place].partials.map((partial) => partial(r, ...operands))];
            })""",
            cases,
        )

    return run


def on_floats(operation: Operation, operands):
    """What the rules compute; None where they raise errors, as Python's floats do where they divide by 0."""
    try:
        result = operation.compute(ieee, *operands)
    except (ArithmeticError, ValueError):
        return None
    derivatives = []
    for partial in operation.partials:
        try:
            derivatives.append(partial(ieee, result, *operands))
        except (ArithmeticError, ValueError):
            derivatives.append(None)
    return [result, derivatives]


def differs(a, b):
    """Whether a is not b to 1e-12 of it, or one ten-thousandth of the smallest normal float; nan is nan, inf is inf."""
    if b is None:
        return False
    if isinstance(b, list):
        return len(a) != len(b) or any(map(differs, a, b))
    if math.isnan(b) or math.isinf(b):
        return not (a == b or (math.isnan(a) and math.isnan(b)))
    return not abs(a - b) <= TOLERANCE * abs(b) + 1e-312


def compare(computed, operations, cases):
    """How many of the cases were compared."""
    compared = 0
    for (place, operands), got in zip(cases, computed(operations, cases), strict=True):
        expected = on_floats(operations[place], operands)
        if expected is not None:
            compared += 1
            assert not any(map(differs, got, expected)), (operations[place].name, operands, got, expected)
    return compared


def test_every_row_is_written_and_computes_the_engines_numbers_over_its_domain(computed):
    rows = [*OPERATIONS.values()]
    cases = [(place, point) for place, row in enumerate(rows) for point in (*row.samples, *row.kinks)]
    assert {place for place, _ in cases} == {*range(len(rows))}
    assert compare(computed, rows, cases) == len(cases)


@pytest.mark.parametrize("operands", [1, 2], ids=["one", "two"])
def test_rows_of_scalars_follow_ieee_754_everywhere(computed, operands):
    rows = [row for row in OPERATIONS.values() if not row.sequences and len(row.operands) == operands]
    numbers = [*POINTS, *WIDE] if operands == 1 else POINTS
    cases = [(place, point) for place in range(len(rows)) for point in itertools.product(numbers, repeat=operands)]
    assert compare(computed, rows, cases) > 0.9 * len(cases)


SEQUENCES = [[0.3, -1.7, 2.5], [2.0, 2.0, -math.inf], [math.inf, math.inf], [math.nan, 1.0], [-math.inf], [1e300, 5.0]]


def test_rows_of_sequences_follow_ieee_754_everywhere(computed):
    rows = [row for row in OPERATIONS.values() if row.sequences]
    cases = []
    for place, row in enumerate(rows):
        for x in SEQUENCES:
            scalars = itertools.product([0.0, 1.0, 2.5, -math.inf, math.nan], repeat=len(row.operands) - row.sequences)
            cases += [(place, [x] * row.sequences + [*rest]) for rest in scalars]
    assert compare(computed, rows, cases) > 0.9 * len(cases)


def test_erf_and_erfc_have_their_digits_everywhere(computed):
    draw = random.Random(1)
    rows = [OPERATIONS["erf"], OPERATIONS["erfc"], OPERATIONS["gelu"]]
    numbers = [draw.uniform(-7, 27) for _ in range(500)] + [2.0, -2.0, 26.5, 27.2, 28.0, 40.0, 1e-320]
    assert compare(computed, rows, [(place, [x]) for x in numbers for place in range(2)]) == 1014


# ---- The text comes from the table


def test_a_row_that_is_changed_or_added_is_seen_in_the_text(computed):
    cube = Operation("cube", "cube", "x ** 3", lambda m, x: x * x * x, [lambda m, r, x: 3.0 * x * x], samples=[])
    changed = Operation("cube", "cube", "2 x", lambda m, x: 2.0 * x, [lambda m, r, x: 2.0], samples=[])
    assert computed([cube, changed], [(0, [2.0]), (1, [2.0])]) == [[8.0, [12.0]], [4.0, [2.0]]]


def test_operations_that_users_define_are_written_where_their_rules_are_formulas(computed):
    define("swish", lambda m, x, new=2.0: x * m.sigmoid(new * x), [lambda m, r, x, new: 0.5, lambda m, r, x, new: r])
    mean = lambda m, x: m.sum(x) * m.exp(-m.sum([1.0 for _ in x]))  # noqa: E731
    define("half", mean, [lambda m, r, x: [m.exp(x_i) for x_i in x]], sequences=1)
    cases = [(0, [0.7, 1.5]), (1, [[0.5, -2.0]])]
    assert compare(computed, [OPERATIONS["swish"], OPERATIONS["half"]], cases) == 2


@pytest.mark.parametrize(
    "rule",
    [
        lambda m, x: x if x > 0 else -x,
        lambda m, x: math.exp(x),
        lambda m, x: x**2,
        lambda m, x: m.gamma(x),
        lambda m, x: "1); alert(1",
        lambda m, x: 1 / 0,
        lambda m, x: [x],
    ],
)
def test_a_rule_that_cannot_be_written_is_none(rule):
    define("odd", rule, [lambda m, r, x: 1.0])
    define("even", lambda m, x: x, [lambda m, r, x: rule(m, x)])
    assert javascript.source([OPERATIONS["odd"], OPERATIONS["even"]]).endswith("const RULES = [\nnull,\nnull,\n];\n")


def test_a_rule_with_a_long_loop_is_not_written():
    def loops(m, x):
        for _ in range(10_000):
            x = x * 1.5
        return x

    define("loops", loops, [lambda m, r, x: r])
    assert len(javascript.row(OPERATIONS["loops"])) == len("null")


# ---- The tape


def program(order):
    """The graph as the data of a tape."""
    place = {node: i for i, node in enumerate(order)}
    constants: list[float] = []

    def variable(operand):
        if isinstance(operand, tuple):
            return [*map(variable, operand)]
        if isinstance(operand, Value):
            return place[operand]
        constants.append(operand)
        return -len(constants)

    nodes = [node for node in order if node.parents]
    instructions = [[place[n], ROW[n.operation.name], *map(variable, n.operands)] for n in nodes]
    return {"variables": len(order), "constants": constants, "instructions": instructions}


STEPS = [
    lambda x, y, z: functions.tanh(x * y - 2.0),
    lambda x, y, z: functions.dot([x, y, 0.5], [z, x, z], y),
    lambda x, y, z: functions.logsumexp([x, y, z]) / 3,
    lambda x, y, z: functions.gelu(x) + abs(y) ** 1.5,
    lambda x, y, z: functions.maximum(x, y),
]


def random_graph(seed):
    draw = random.Random(seed)
    values = [Value(draw.uniform(-2, 2)) for _ in range(4)]
    for _ in range(30):
        values.append(draw.choice(STEPS)(*draw.choices(values, k=3)))
    return functions.sum(values[-8:])


def test_a_tape_computes_the_engines_numbers_and_gradients(browser):
    page = browser.new_page()
    page.evaluate(f"(() => {{ {javascript.source(ROWS)} Object.assign(globalThis, {{ RULES, Tape }}); }})()")
    for seed in range(10):
        result = random_graph(seed)
        order = topological_order(result)
        result.backward()
        leaves = [[i, node.data] for i, node in enumerate(order) if not node.parents]
        values, adjoints = page.evaluate(
            """([program, leaves]) => {
              const tape = new Tape(program, RULES);
              for (const [variable, number] of leaves) tape.values[variable] = number;
              tape.forward();
              tape.differentiate();
              tape.backward(program.variables - 1);
              return [[...tape.values], [...tape.adjoints]];
            }""",
            [program(order), leaves],
        )
        assert values == pytest.approx([node.data for node in order], rel=1e-12, abs=0)
        assert adjoints == pytest.approx([node.grad for node in order], rel=1e-11, abs=1e-13)
