"""The page that is played with, in a real browser: leaves are changed, and all is what the engine computes then."""

from __future__ import annotations

import itertools
import math
import random
import re
import struct

import pytest

from autograd import Value, define, dot, explain, functions, log, logsumexp, relu, sqrt, tanh
from autograd.drawing.layout import Layout
from autograd.explaining.notation import Notation
from autograd.graph import topological_order
from autograd.operations import OPERATIONS
from nn import MLP

# The numbers that the page has: of each entry its data and its adjoint, and what each contribution made of an adjoint.
NUMBERS = """() => [
  data.names.map((_, variable) => calculation.value(variable)),
  data.names.map((_, variable) => calculation.adjoint(variable)),
]"""
BOXES = """() => Object.fromEntries([...document.querySelectorAll(".drawing [role=button]")].map((box) =>
  [box.dataset.name, [...box.querySelectorAll("[data-part]")].map((text) => text.textContent)]))"""
LINES = """() => [...document.querySelectorAll(".trace td > div")].map((line) => line.textContent)"""


def type_in(page, text, leaf=None):
    if leaf is not None:
        page.locator("#node").select_option(str(leaf))
    page.locator("#number").fill(text)
    page.keyboard.press("Enter")


STEPS = [
    lambda x, y, z: tanh(x * y - 2.0),
    lambda x, y, z: dot([x, y, 0.5], [z, x, z], y),
    lambda x, y, z: logsumexp([x, y, z]) / 3,
    lambda x, y, z: functions.gelu(x) + abs(y) ** 1.5,
    lambda x, y, z: functions.maximum(x, y) - functions.leaky_relu(z),
    lambda x, y, z: -functions.softplus(x) / (1.5 + y * y),
    lambda x, y, z: functions.erf(x) * functions.hypot(y, z),
]


def random_graph(seed, leaves):
    draw = random.Random(seed)
    values = [Value(leaf, label=f"x{i}") for i, leaf in enumerate(leaves)]
    for _ in range(15):
        values.append(draw.choice(STEPS)(*draw.choices(values, k=3)))
    return functions.sum(values)


def close(got, expected):
    return got == pytest.approx(expected, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("seed", range(6))
def test_after_edits_all_numbers_are_the_engines(visit, seed):
    leaves = [0.5, -1.25, 2.0]
    page = visit(explain(random_graph(seed, leaves)))
    page.keyboard.press("End")
    for place, text in [(0, "1.75"), (2, "-0.3"), (1, "1e-3"), (0, " -.5 ")]:
        leaves[place] = float(text)
        again = random_graph(seed, leaves)
        type_in(page, text, place)
        again.backward()
        order = topological_order(again)
        values, adjoints = page.evaluate(NUMBERS)
        assert close(values, [node.data for node in order])
        assert close(adjoints, [node.grad for node in order])
        shown = page.evaluate(LINES)
        expected = explain(again)
        assert shown == [line for evaluation, beside in expected.rows(Notation()) for line in [evaluation, *beside]]
        boxes = {f"v{i}": [f"data {node.data:.4g}", f"grad {node.grad:.4g}"] for i, node in enumerate(order)}
        assert boxes == page.evaluate(BOXES)
    assert page.errors == []


def test_each_step_after_an_edit_has_the_engines_numbers(visit):
    page = visit(explain(random_graph(3, [0.5, -1.25, 2.0])))
    type_in(page, "0.125", 1)
    again = explain(random_graph(3, [0.5, 0.125, 2.0]))
    page.locator("#digits").check()
    seen = page.evaluate("""() => {
      const seen = [];
      while (Number(slider.value) < last) {
        document.querySelector("[data-go=forward]").click();
        seen.push([...document.querySelectorAll("#now data")].map((number) => Number(number.value)));
      }
      return seen;
    }""")
    made = again.trace.contributions
    computed = [entry for entry in again.trace.entries if entry.parents]
    assert len(seen) == len(computed) + 1 + len(made)
    for numbers, entry in zip(seen, computed, strict=False):
        assert close(numbers[-1], entry.data)
    for numbers, contribution in zip(seen[len(computed) + 1 :], made, strict=True):
        before = [] if contribution.before is None else [contribution.before]
        expected = [*before, contribution.node.adjoint, contribution.local_derivative, contribution.after]
        assert close(numbers, expected)


def test_reset_brings_the_engines_bits_back_and_so_does_the_old_number(visit):
    result = random_graph(1, [0.5, -1.25, 2.0])
    page = visit(explain(result))
    before = page.evaluate(NUMBERS)
    result.backward()
    assert before[1] == [node.grad for node in topological_order(result)]
    assert page.locator("#reset").is_disabled()
    type_in(page, "7", 0)
    assert page.evaluate(NUMBERS) != before
    page.locator("#reset").click()
    assert page.evaluate(NUMBERS) == before
    assert page.locator("#number").input_value() == "0.5"
    type_in(page, "8", 0)
    type_in(page, "0.5", 0)
    assert page.evaluate(NUMBERS) == before
    assert page.locator("#reset").is_disabled()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("abc", "“abc” is no number; expected one such as -0.5 or 1e-3. a keeps 2.0."),
        ("", "A number is expected, such as -0.5 or 1e-3. a keeps 2.0."),
        ("1,5", "“1,5” is no number here: write a point, 1.5. a keeps 2.0."),
        ("1e999", "“1e999” is beyond the largest float, 1.8e308; for infinity write inf. a keeps 2.0."),
        ("0x10", "“0x10” is no number; expected one such as -0.5 or 1e-3. a keeps 2.0."),
        ("1 2", "“1 2” is no number; expected one such as -0.5 or 1e-3. a keeps 2.0."),
        (
            "<img src=x onerror=alert(1)>",
            "“<img src=x onerror=alert…” is no number; expected one such as -0.5 or 1e-3. a keeps 2.0.",
        ),
    ],
)
def test_what_is_no_number_is_refused_with_words_and_changes_nothing(visit, text, said):
    page = visit(explain(Value(2.0, label="a") * 3.0))
    before = page.evaluate(NUMBERS)
    type_in(page, text)
    assert page.locator("#said").inner_text() == said
    assert page.locator("#number").get_attribute("aria-invalid") == "true"
    assert page.locator("#number").input_value() == text  # to be mended
    assert page.evaluate(NUMBERS) == before
    type_in(page, "−1e−3")  # minus signs of typography
    assert page.locator("#number").input_value() == "-0.001"
    type_in(page, "−4")
    assert page.locator("#number").get_attribute("aria-invalid") is None
    assert page.locator("#said").inner_text() == "a = -4: v1 = -12, a.grad = 3."
    assert page.errors == []


def test_a_slider_changes_a_leaf_by_keyboard(visit):
    a = Value(2.0, label="a")
    page = visit(explain(a * a))
    page.locator("#drag").focus()
    page.keyboard.press("ArrowRight")
    value, gradient = page.evaluate("[calculation.value(0), calculation.adjoint(0)]")
    assert value == pytest.approx(2.02)
    assert gradient == 2 * value
    assert page.locator("#count").inner_text() == "Step 0 of 4"
    page.keyboard.press("Home")
    assert page.evaluate("[calculation.value(0), calculation.adjoint(0)]") == [-4.0, -8.0]
    type_in(page, "1e300")  # the slider's range follows
    assert page.evaluate("[calculation.value(1), calculation.adjoint(0)]") == [math.inf, 2e300]


def test_beyond_a_domain_the_page_goes_on_as_a_tape_does_and_says_so(visit):
    a = Value(2.0, label="a")
    page = visit(explain(log(a) * 2.0))
    page.keyboard.press("End")
    type_in(page, "-1")
    assert page.locator("#said").inner_text() == (
        "a = -1: v2 = nan, a.grad = -2. v1 is nan: log has no finite number there (it expects x > 0). This page "
        "goes on as a tape does, by the rules of IEEE 754; Values raise an error where Python's math does."
    )
    type_in(page, "0")
    assert page.evaluate("[calculation.value(1), calculation.adjoint(0)]") == [-math.inf, math.inf]
    type_in(page, "inf")
    assert page.evaluate("[calculation.value(1), calculation.adjoint(0)]") == [math.inf, 0.0]
    assert page.evaluate(LINES)[0] == "a = inf"
    type_in(page, "nan")
    assert page.evaluate(LINES)[0] == "a = nan"
    assert page.errors == []


def test_kinks_are_the_tables(visit):
    a = Value(2.0, label="a")
    page = visit(explain(relu(a) + abs(a) + sqrt(a)))
    type_in(page, "0")
    assert page.evaluate("calculation.instructions.map(({ derivatives }) => derivatives)")[:4] == [
        [0.0],
        [0.0],
        [1.0, 1.0],
        [math.inf],
    ]


def test_a_computed_value_cannot_be_changed(visit):
    page = visit(explain(Value(2.0, label="a") * 3.0))
    page.locator("#node").select_option("1")
    assert page.locator("#number").is_disabled()
    assert page.locator("#drag").is_disabled()
    assert page.locator("#said").inner_text() == "v1 is computed: only leaves can be changed."


def test_numbers_are_written_as_python_writes_them(visit):
    draw = random.Random(3)
    numbers = [0.0, -0.0, 2.5, 0.125, 9.9995, 99985.0, 1e15, 1e16, 1e22, 1e-5, 1e-4, 5e-324, 1.7976931348623157e308]
    numbers += [draw.randrange(-4000, 4000) / 2 ** draw.randrange(12) for _ in range(2000)]  # ties among them
    numbers += [struct.unpack("d", draw.randbytes(8))[0] for _ in range(2000)]
    page = visit(explain(Value(1.0)))
    written = page.evaluate("(all) => all.map((x) => [repr(x), ...[1, 2, 4, 17].map((n) => general(x, n))])", numbers)
    assert written == [[repr(x), *(f"{x:.{n}g}" for n in (1, 2, 4, 17))] for x in numbers]


@pytest.mark.slow
def test_a_graph_of_thousands_of_nodes_steps_and_computes(visit):
    x = Value(0.5, label="x")
    y = x
    for _ in range(3000):
        y = tanh(y * 1.01)
    explanation = explain(y, max_nodes=10_000)
    page = visit(page_without_layout(explanation))
    page.keyboard.press("End")
    type_in(page, "0.25")
    z = again = Value(0.25)
    for _ in range(3000):
        z = tanh(z * 1.01)
    z.backward()
    assert close(page.evaluate("calculation.adjoint(0)"), again.grad)
    assert page.errors == []


def page_without_layout(explanation):
    """Everything in one place, since a layout of so many takes long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograd.explaining.page.placed", everything_at_one_place)
        return explanation.html


def everything_at_one_place(nodes, rankdir):
    boxes = [name for node in nodes for name in ([node.box, node.circle] if node.parents else [node.box])]
    edges = [node.edge_from(k) for node in nodes for k in range(len(node.parents))]
    curves = edges + [node.edge for node in nodes if node.parents]
    at = (50.0, 50.0)
    return Layout(
        100.0,
        100.0,
        dict.fromkeys(boxes, at),
        dict.fromkeys(boxes, at),
        dict.fromkeys(curves, (at, at, at, (60.0, 50.0))),
        dict.fromkeys(edges, at),
    )


# ---- Operations of the reader's own, and a table that changes


def test_a_row_that_is_changed_is_seen_on_the_page(visit, monkeypatch):
    """By another rule, which is the engine's at the recorded number and not elsewhere."""
    result = tanh(Value(2.0, label="a")) * 2.0
    monkeypatch.setattr(OPERATIONS["tanh"], "compute", lambda m, x: m.where(x > 1.5, m.tanh(x), 7.0))
    page = visit(explain(result))
    assert page.evaluate("calculation.value(2)") == 2 * math.tanh(2.0)
    type_in(page, "0.5")
    assert page.evaluate("calculation.value(2)") == 14.0


def test_an_operation_of_the_readers_own_is_computed_where_its_rules_are_formulas(visit):
    swish = define("swish", lambda m, x, beta=1.0: x * m.sigmoid(beta * x),
                   [lambda m, r, x, beta: m.sigmoid(beta * x) + beta * r * (1.0 - m.sigmoid(beta * x)),
                    lambda m, r, x, beta: x * r * (1.0 - m.sigmoid(beta * x))])  # fmt: skip
    a, b = Value(0.5, label="a"), Value(2.0, label="b")
    page = visit(explain(swish(a, b) + a))
    type_in(page, "-1.5", 0)
    again = Value(-1.5)
    result = swish(again, 2.0) + again
    result.backward()
    assert close(page.evaluate("[calculation.value(3), calculation.adjoint(0)]"), [result.data, again.grad])


CANNOT = (
    "a keeps its number, and what follows from it what was recorded: v1 is computed by steps, whose rules cannot be "
    "computed on this page."
)


def test_an_operation_whose_rules_cannot_be_written_keeps_its_numbers(visit):
    steps = define("steps", lambda m, x: 1.0 if x > 0 else 0.0, [lambda m, r, x: 0.25])
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    page = visit(explain(steps(a) * b))
    page.keyboard.press("End")
    assert page.locator("#said").inner_text() == CANNOT
    assert page.locator("#number").is_disabled()
    assert page.evaluate(LINES)[1] == "a.grad = 0.75"
    type_in(page, "5", 1)  # this one does not lead there
    assert page.evaluate("[calculation.value(3), calculation.adjoint(0)]") == [5.0, 1.25]
    assert page.errors == []


def test_a_rule_that_computes_elsewhere_what_its_text_does_not_say_is_not_trusted(visit):
    scale = [1.5]
    scaled = define("steps", lambda m, x: x * scale[0], [lambda m, r, x: 1.5])
    explanation = explain(scaled(Value(2.0, label="a")))
    scale[0] = 2.5
    assert visit(explanation).locator("#said").inner_text() == CANNOT


def test_a_value_whose_derivatives_were_given_by_hand_keeps_its_numbers(visit):
    a = Value(3.0, label="a")
    page = visit(explain(Value(9.0, (a,), (6.0,)) * 2.0))
    assert "whose rules cannot be computed on this page" in page.locator("#said").inner_text()
    page.keyboard.press("End")
    assert page.evaluate(LINES)[1] == "a.grad = 12"


# ---- Paths


def brute_force(order):
    """All paths from each node to the result: their products."""
    products = {node: [] for node in order}
    products[order[-1]] = [1.0]
    for node in reversed(order):
        for parent, derivative in zip(node.parents, node.local_derivatives, strict=True):
            products[parent] += [product * derivative for product in products[node]]
    return products


@pytest.mark.parametrize("seed", range(3))
def test_paths_are_counted_and_the_largest_listed_and_their_sum_is_the_gradient(visit, seed):
    result = random_graph(seed, [0.5, -1.25, 2.0])
    page = visit(explain(result))
    order = topological_order(result)
    result.backward()
    for i, products in enumerate(brute_force(order).values()):
        count, paths = page.evaluate(
            """(i) => {
          const { count, paths } = pathsFrom(calculation, i, 5);
          return [String(count), paths.map(({ product, edges }) => [product, edges.length])];
        }""",
            i,
        )
        assert int(count) == len(products)
        largest = sorted(map(abs, products), reverse=True)[:5]
        assert [abs(product) for product, _ in paths] == pytest.approx(largest, rel=1e-12)
        assert math.fsum(products) == pytest.approx(order[i].grad, rel=1e-9, abs=1e-12)


def test_a_click_on_a_box_shows_its_paths_and_marks_them(visit):
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b + a
    c.label = "c"
    page = visit(explain(c))
    marked = """() => [...document.querySelectorAll(".on-path")].map((piece) => piece.dataset.name).sort()"""
    assert page.evaluate(marked) == []
    page.locator("[data-name=v0][role=button]").click()
    assert page.locator("#paths p").inner_text() == (
        "2 paths lead from a to c. The products of their local derivatives add up to a.grad = -2."
    )
    assert page.locator("#paths li").all_inner_texts() == ["a → v1 → c (-3) * 1 = -3", "a → c 1"]
    everything = ["o2", "o2 v2", "o3", "o3 v3", "v0", "v0 o2 0", "v0 o3 1", "v2", "v2 o3 0", "v3"]
    assert page.evaluate(marked) == everything
    page.locator("#paths button").nth(1).click()
    assert page.evaluate(marked) == ["o3", "o3 v3", "v0", "v0 o3 1", "v3"]
    assert page.locator("#paths button").nth(1).get_attribute("aria-pressed") == "true"
    page.locator("#paths button").nth(1).click()
    assert page.evaluate(marked) == everything
    page.keyboard.press("Escape")
    assert page.evaluate(marked) == []


def test_boxes_are_reached_and_chosen_by_keyboard(visit):
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    page = visit(explain(a * b))
    page.locator("section.drawing").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent").startswith("bdata -3")
    page.keyboard.press("Enter")
    assert page.locator("#node").input_value() == "1"
    assert page.locator("#paths li").all_inner_texts() == ["b → v1 2"]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # there is none behind the last
    page.keyboard.press("Space")
    assert page.locator("#paths p").inner_text() == "v1.grad = 1: it is the result."
    assert page.locator("#count").inner_text() == "Step 0 of 4"


def test_more_paths_than_anybody_could_walk_are_counted_exactly(visit):
    x = Value(1.0, label="x")
    y = x
    for _ in range(100):
        y = y + y
    page = visit(explain(y))
    text = page.locator("#paths").inner_text()
    assert f"{2**100:,} paths lead from x to v100." in text
    assert f"and {2**100 - 5:,} more paths, together 1.268e+30" in text
    assert len(re.findall("^x → v1", text, re.MULTILINE)) == 5


@pytest.mark.parametrize("number", [5e-324, 3e-308, 1e308, -1.7976931348623157e308, 0.0, 0.3])
def test_the_slider_moves_whatever_the_size_of_the_number(visit, number):
    x = Value(number, label="x")
    page = visit(explain(x * 0.5))
    page.locator("#node").select_option("0")
    drag, typed = page.locator("#drag"), page.locator("#number")
    place, most = drag.evaluate("drag => [Number(drag.value), Number(drag.max)]")
    assert number * place >= 0.0
    assert (place == 0.0) == (number == 0.0)
    assert abs(place) <= most
    drag.press("ArrowRight")
    assert float(typed.input_value()) > number
    drag.press("End")
    high = float(typed.input_value())
    assert max(number, 0.0) < high < math.inf
    drag.press("Home")
    assert float(typed.input_value()) == -high


# ---- Layers

MATRICES = """() => Object.fromEntries([...document.querySelectorAll("#layer .matrix")].map((matrix) => [
  matrix.caption.textContent,
  [...matrix.rows].map((row) => [...row.querySelectorAll("data")].map((number) => Number(number.value))),
]))"""


def test_a_layer_has_the_matrix_form_with_the_engines_numbers(visit):
    model = MLP(2, [3, 1], activation=tanh)
    x = [Value(0.5, label="x1"), Value(-1.0, label="x2")]
    loss = (model(x) - 1.0) ** 2
    loss.label = "loss"
    page = visit(explain(loss))
    page.keyboard.press("End")
    loss.backward()
    assert page.locator("#layer-title").inner_text() == "Layer 1 as matrices: 3 neurons of 2 inputs, tanh"
    hidden, output = model.layers
    found = page.evaluate(MATRICES)
    grads = [[w.grad for w in neuron.w] for neuron in hidden.neurons]
    assert found["W₁ (3×2)"] == [[w.data for w in neuron.w] for neuron in hidden.neurons]
    assert found["x₁ (2×1)"] == [[0.5], [-1.0]]
    assert [close(row, grad) for row, grad in zip(found["∂loss/∂W₁ (3×2)"], grads, strict=True)] == [True] * 3
    delta = [neuron.b.grad for neuron in hidden.neurons]
    assert [row[0] for row in found["δ₁ (3×1)"]] == delta
    [[upper]] = found["δ₂ (1×1)"]
    weights = [row[0] for row in found["W₂ᵀ (3×1)"]]
    assert weights == [w.data for w in output.neurons[0].w]
    slopes = [row[0] for row in found["tanh′(z₁) (3×1)"]]
    assert [slope * (w * upper) for slope, w in zip(slopes, weights, strict=True)] == pytest.approx(delta, rel=1e-12)
    equations = page.locator("#layer .equation > code").all_inner_texts()
    assert equations == [
        "z₁ = W₁ x₁ + b₁", "a₁ = tanh(z₁)", "δ₁ = ∂loss/∂z₁ = tanh′(z₁) ∘ W₂ᵀ δ₂", "∂loss/∂W₁ = δ₁ x₁ᵀ",
        "∂loss/∂b₁ = δ₁",
    ]  # fmt: skip


def test_the_layer_follows_the_steps_and_knows_only_what_is_known(visit):
    model = MLP(2, [2, 1])
    page = visit(explain(model([0.5, -1.0]) * 2.0))
    title, unknown = page.locator("#layer-title"), page.locator("#layer-forward .matrix").first
    assert "Layer 1" in title.inner_text()
    assert unknown.locator("td").all_inner_texts() == ["?", "?"]
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert "Layer 2 as matrices: 1 neuron of 2 inputs" in title.inner_text()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert "Layer 1" in title.inner_text()
    assert unknown.locator("td").all_inner_texts().count("?") == 1


def test_where_outputs_have_other_uses_the_matrix_form_says_so(visit):
    x = [Value(0.5, label="x1"), Value(-1.0, label="x2")]
    hidden = [tanh(dot([Value(0.3 + i), Value(-0.2)], x)) for i in range(2)]
    result = dot([Value(1.5), Value(-2.0)], hidden) + hidden[0] * hidden[0]
    page = visit(explain(result))
    page.keyboard.press("End")
    page.evaluate("layer.choose(data.layers[0].nets[0]); layer.show(last, inShort)")
    assert "tanh′(z₁) ∘ (W₂ᵀ δ₂ + other uses)" in page.locator("#layer-backward").inner_text()
    rest = [row[0] for row in page.evaluate(MATRICES)["other uses (2×1)"]]
    assert rest == pytest.approx([2 * hidden[0].data, 0.0], abs=1e-12)


def two_examples(m, x):
    return (m([1.0, 2.0]) - 1.0) ** 2 + (m([-1.0, 0.5]) - 0.0) ** 2


def weight_decay(m, x):
    return m([1.0, 2.0]) + sum(0.01 * p * p for p in m.parameters())


def recurrent(m, x):
    h = [Value(0.1), Value(-0.2)]
    for _ in range(2):
        h = m.layers[0](h)
    return h[0] * h[1]


def shared_bias(m, x):
    first, second = m.layers[0].neurons
    return tanh(dot(first.w, x, first.b)) * tanh(dot(second.w, x, first.b))


def tied_weights(m, x):
    w, b = m.layers[0].neurons[0].w, [1.0, Value(0.5)]
    return tanh(dot(w, x, b[0])) * tanh(dot(w[::-1], x, b[1]))


def infinite(m, x):
    return two_examples(m, x) + m.layers[0].neurons[0].w[0] * math.inf


@pytest.mark.parametrize("result_of", [two_examples, weight_decay, recurrent, shared_bias, tied_weights, infinite])
def test_where_weights_and_biases_have_other_uses_the_matrix_form_says_so(visit, result_of):
    random.seed(2)
    result = result_of(MLP(2, [2, 1], activation=tanh), [Value(0.7), Value(-1.2)])
    result.label = "L"
    page = visit(explain(result))
    page.keyboard.press("End")
    said = ""
    for number in range(page.evaluate("layer.layers.length")):
        page.evaluate(f"layer.choose(data.layers[{number}].nets[0]); layer.show(last, inShort)")
        assert_the_derivatives_add_up(page, number)
        said += page.locator("#layer-backward").inner_text()
    assert "+ other uses" in said


def assert_the_derivatives_add_up(page, number):
    """Each derivative by a weight or bias is its adjoint, and the sum of what its equation says."""
    layer = page.evaluate(f"data.layers[{number}]")
    adjoints = page.evaluate(NUMBERS)[1]
    for line in page.locator("#layer-backward .numbers").all():
        tables = line.locator(".matrix")
        found = {table.split(" (")[0]: rows for table, rows in tables.evaluate_all(OF_TABLES)}
        name, by_rows = next(iter(found.items()))
        if name.startswith("δ"):
            continue
        others = found.get("other uses")
        delta, x = (next((rows for name, rows in found.items() if name[0] == letter), [[1.0]]) for letter in "δx")
        variables = layer["weights"] if "W" in name else [[b] for b in layer["biases"]]
        for i, row in enumerate(variables):
            for j, variable in enumerate(row):
                if isinstance(variable, int):
                    assert by_rows[i][j] == adjoints[variable]
                    own = delta[i][0] * x[0][j]
                    assert close(by_rows[i][j], own + (others[i][j] if others else 0.0))


OF_TABLES = """(tables) => tables.map((table) => [table.caption.textContent, [...table.rows].map((row) =>
  [...row.querySelectorAll("data")].map((number) => number.value === "inf" ? Infinity : Number(number.value)))])"""


def test_what_other_uses_add_is_known_when_all_have_come(visit):
    random.seed(2)
    page = visit(explain(two_examples(MLP(2, [2, 1], activation=tanh), [])))
    steps = page.evaluate("data.layers[0].weights.flat().map((weight) => schedule.complete(weight))")
    for step in (min(steps) - 1, max(steps)):
        page.evaluate(f"layer.choose(data.layers[0].nets[0]); layer.show({step}, inShort)")
        cells = page.locator("#layer-backward .matrix", has_text="other uses").first.locator("td").all_inner_texts()
        assert (cells.count("?") == len(cells)) == (step < min(steps))
        assert ("?" in cells) == (step < max(steps))


def test_no_derivative_is_minus_zero_that_the_engine_has_as_zero(visit):
    weights, x = [[Value(1.0), Value(-2.0)], [Value(-1.0), Value(1.0)]], [Value(0.0), Value(-0.5)]
    hidden = [relu(dot(row, x, Value(0.0))) for row in weights]
    page = visit(explain(dot([Value(-2.0), Value(-3.0)], hidden)))
    page.keyboard.press("End")
    page.evaluate("layer.choose(data.layers[0].nets[0]); layer.show(last, inShort)")
    tables = page.locator("#layer-backward .matrix", has_text="∂")
    assert "-0" not in tables.locator("td").all_inner_texts()
    shown = [page.evaluate("variable => (node.choose(variable), node.paths.innerText)", v) for v in range(6)]
    assert not [text for text in shown if re.search(r"(^| )\(?-0\)?$", text, re.MULTILINE)]


def test_without_a_layer_there_is_no_panel(visit):
    assert not visit(explain(Value(1.0) * 2.0)).locator("#layer").is_visible()


# ---- Playing


def test_play_goes_on_until_the_end_and_pauses(visit):
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    page = visit(explain(a * b + a), motion="no-preference")
    assert page.locator("#pace").input_value() == "1"
    page.locator("#pace").select_option("0.25")
    play, count, now = page.locator("#play"), page.locator("#count"), page.locator("#now")
    page.clock.install(time=0)
    page.clock.pause_at(1000)  # and then time passes only where it says so
    play.click()
    assert (play.inner_text(), now.get_attribute("aria-live")) == ("❚❚ Pause", "off")
    page.clock.run_for(550)
    assert count.inner_text() == "Step 2 of 7"
    play.click()
    assert (play.inner_text(), now.get_attribute("aria-live")) == ("▶ Play", "polite")
    page.clock.run_for(1000)
    assert count.inner_text() == "Step 2 of 7"
    play.click()
    page.clock.run_for(300)
    page.locator("[data-go=back]").click()  # takes over
    page.clock.run_for(1000)
    assert count.inner_text() == "Step 2 of 7"
    play.click()
    page.clock.run_for(5000)
    assert (count.inner_text(), play.inner_text()) == ("Step 7 of 7", "▶ Play")
    play.click()  # from the start again
    page.clock.run_for(300)
    assert count.inner_text() == "Step 1 of 7"


def test_play_is_slow_where_readers_want_little_motion(visit):
    page = visit(explain(Value(2.0) * 3.0), motion="reduce")
    assert page.locator("#pace").input_value() == "3"


# ---- Size


def test_a_page_of_500_nodes_has_at_most_400_kilobytes():
    leaves = [Value(0.01 * i - 1.0) for i in range(125)]
    result = functions.sum([tanh(x * y + 0.5) for x, y in itertools.pairwise(leaves)])
    assert 490 <= len(topological_order(result)) <= 500
    assert len(explain(result).html.encode()) <= 400_000
