"""explain(): the formats say the same, files and notebooks get what they take, and bad input is told what to do."""

from __future__ import annotations

import pickle
import re
from html.parser import HTMLParser

import pytest
from IPython.core.formatters import DisplayFormatter

import autograd
from autograd import Explanation, Value, dot, explain, tanh

NASTY = [
    "<script>alert(1)</script>",
    "</code></td></table><img src=x onerror=alert(1)>",
    '" onload="alert(1)',
    "`|` $x$ \\end{array} [a](javascript:alert(1)) **b**",
    "\x00\n\u202e\ud800",
]


def neuron() -> Value:
    x1, x2 = Value(2.0, label="x1"), Value(-1.0, label="x2")
    w1, w2, b = Value(-0.5, label="w1"), Value(0.75, label="w2"), Value(2.0, label="b")
    y = tanh(w1 * x1 + w2 * x2 + b)
    y.label = "y"
    return y


def deep() -> Value:
    y = Value(0.5, label="x")
    for _ in range(180):
        y = tanh(y) * 1.5
    return y


def by_hand() -> Value:
    a = Value(2.0, label="a")
    return Value(9.0, (a,), (6.0,)) * a


@pytest.mark.parametrize("result_of", [neuron, deep, by_hand, lambda: Value(1.0)])
def test_an_explanation_can_be_pickled(result_of):
    explanation = explain(result_of(), max_nodes=1000)
    again = pickle.loads(pickle.dumps(explanation))
    for name in ("text", "markdown", "latex", "html"):
        assert getattr(again, name) == getattr(explanation, name)


def test_an_explanation_asks_for_an_operation_of_ones_own():
    data = pickle.dumps(explain(tanh(Value(1.0))))
    with pytest.raises(ValueError, match="not in the table here: tant; one of your own must be defined before"):
        pickle.loads(data.replace(b"tanh", b"tant"))


def test_text_has_the_evaluation_downwards_and_the_chain_rule_upwards():
    a = Value(3.0, label="a")
    y = a * a + 1.0
    y.label = "y"
    assert explain(y).text.splitlines() == [
        "evaluation ↓            │ chain rule ↑ (x.grad is ∂y/∂x)",
        "────────────────────────┼───────────────────────────────────────────────────",
        "a = 3                   │ a.grad = 6",
        "v1 = a * a = 3 * 3 = 9  │ a.grad += v1.grad * ∂v1/∂a (use 2) = 3 + 1 * 3 = 6",
        "                        │ a.grad = v1.grad * ∂v1/∂a (use 1) = 1 * 3 = 3",
        "y = v1 + 1 = 9 + 1 = 10 │ v1.grad = y.grad * ∂y/∂v1 = 1 * 1 = 1",
        "                        │ y.grad = 1",
    ]
    assert str(explain(y)) == explain(y).text


def test_columns_are_aligned_whatever_the_width_of_characters():
    total = Value(1.0, label="重み") * 2.0 + Value(3.0, label="a\u0301")
    left = [line.split("│")[0] for line in explain(total).text.splitlines() if "│" in line]
    assert len({len(cell) + 2 * cell.count("重み") - cell.count("\u0301") for cell in left}) == 1


def test_text_that_is_too_wide_has_the_chain_rule_below_in_its_own_order():
    weights = [Value(0.123456 * i, label=f"weight{i}") for i in range(1, 7)]
    text = explain(dot(weights, [1.5] * 6)).text
    assert max(map(len, text.splitlines())) > 120
    evaluation, chain_rule = text.split("\n\n")
    assert evaluation.splitlines()[:2] == ["evaluation", "weight1 = 0.1235"]
    head, *applied = chain_rule.splitlines()
    assert head == "chain rule (x.grad is ∂v1/∂x)"
    assert applied[:2] == ["v1.grad = 1", "weight1.grad = v1.grad * ∂v1/∂weight1 = 1 * 1.5 = 1.5"]
    assert sorted(applied[-6:]) == [f"weight{i}.grad = 1.5" for i in range(1, 7)]


def test_all_formats_have_all_numbers():
    explanation = explain(neuron(), digits=17)
    trace = explanation.trace
    numbers = [entry.data for entry in trace.entries] + [entry.adjoint for entry in trace.entries]
    for shown in (explanation.text, explanation.markdown, explanation.latex, explanation.html):
        assert all(f"{number:.17g}" in shown for number in numbers)
    assert all(f"{entry.data!r}" in explanation.html for entry in trace.entries)


def test_markdown_is_a_table_of_two_columns():
    lines = explain(neuron()).markdown.splitlines()
    assert lines[0] == "| evaluation ↓ | chain rule ↑ (`x.grad` is `∂y/∂x`) |"
    assert len(lines) == 2 + 10
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3}
    assert (
        lines[-1]
        == "| `y = tanh(v4) = tanh(0.25) = 0.2449` | `v4.grad = y.grad * ∂y/∂v4 = 1 * 0.94 = 0.94`<br>`y.grad = 1` |"
    )


def test_latex_is_an_array_of_two_columns():
    lines = explain(neuron()).latex.splitlines()
    assert (lines[0], lines[-1]) == (r"\begin{array}{l|l}", r"\end{array}")
    assert all(line.count("&") == 1 and line.count(r"\\[3pt]") == 1 for line in lines[1:-1])
    assert lines[4] == r"w_{1} = -0.5 & \bar{w}_{1} = 1.88 \\[3pt]"


@pytest.mark.parametrize("label", NASTY)
def test_no_label_breaks_out_of_a_format(label):
    explanation = explain(Value(2.0, label=label) * 3.0)
    plain = explain(Value(2.0, label="(") * 3.0)  # another one that is no name
    assert len(explanation.text.splitlines()) == len(plain.text.splitlines())
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in explanation.markdown.splitlines()] == [3] * 4
    unescaped = re.sub(r"\\[\\{}$&#_%]", "", explanation.latex)
    assert unescaped.count("{") == unescaped.count("}")
    assert unescaped.count("&") == explanation.latex.count(r"\\[3pt]")
    assert "$" not in unescaped
    assert re.findall(r"\\(?:begin|end)\b", unescaped) == [r"\begin", r"\end"]
    assert elements(explanation.html) == elements(plain.html)
    assert elements(explanation._repr_mimebundle_()["text/html"]) == elements(plain._repr_mimebundle_()["text/html"])


def elements(html: str) -> list[tuple[str, list[str]]]:
    """Every start tag with the names of its attributes."""
    found = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attributes):
            found.append((tag, sorted(name for name, _ in attributes)))

    Parser().feed(html)
    return found


# ---- What it stands for.


def test_what_was_gathered_before_is_not_in_it():
    a = Value(3.0, label="a")
    y = a * 2.0
    y.backward()
    y.backward()
    assert a.grad == 4.0
    assert "a.grad = 2\n" in explain(y).text + "\n"
    assert a.grad == 4.0


def test_it_holds_what_the_graph_held():
    a = Value(3.0, label="a")
    explanation = explain(a * 2.0)
    text = explanation.text
    a.data, a.label = 5.0, "b"
    assert explanation.text == text
    assert '"values":[3.0,' in explanation.html


# ---- Files and notebooks.


@pytest.mark.parametrize("suffix", [".txt", ".md", ".tex", ".html", ".HTML"])
def test_save_writes_the_format_that_the_suffix_names(suffix, tmp_path):
    explanation = explain(neuron())
    path = tmp_path / f"trace{suffix}"
    path.write_text("old")
    explanation.save(path)
    expected = {
        ".txt": explanation.text + "\n",
        ".md": explanation.markdown + "\n",
        ".tex": f"\\[\n{explanation.latex}\n\\]\n",
        ".html": explanation.html,
    }
    assert path.read_bytes().decode() == expected[suffix.lower()]
    assert list(tmp_path.iterdir()) == [path]


def test_save_refuses_other_suffixes(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.html, \.md, \.tex or \.txt, got '.*x\.pdf'"):
        explain(neuron()).save(tmp_path / "x.pdf")
    assert list(tmp_path.iterdir()) == []


def test_notebooks_get_a_frame_and_a_table_and_what_else_they_may_take():
    bundle, _ = DisplayFormatter().format(explain(neuron()))
    assert bundle.keys() == {"text/html", "text/markdown", "text/latex", "text/plain"}
    assert bundle["text/latex"].startswith("$$\n\\begin{array}")
    tags = [tag for tag, _ in elements(bundle["text/html"])]
    assert tags.count("iframe") == tags.count("details") == tags.count("table") == 1
    assert not {"script", "style"} & set(tags)  # the page's own are in the frame


def test_it_is_exported():
    assert {"explain", "Explanation"} <= set(autograd.__all__)
    assert isinstance(explain(Value(1.0)), Explanation)
    assert repr(explain(neuron())).startswith("<Explanation of y, 10 nodes: .text, ")


# ---- Bad input.


@pytest.mark.parametrize("wrong", [1.0, "a", None, [Value(1.0)]])
def test_what_is_no_value_is_refused(wrong):
    with pytest.raises(TypeError, match=f"explain: expected a Value, got {type(wrong).__name__}"):
        explain(wrong)
    with pytest.raises(TypeError, match=r"; explain what it computes, such as explain\(model\(x\)\)$"):
        explain(abs)


@pytest.mark.parametrize("digits", [0, 18, -1, 2.5, None, True])
def test_digits_out_of_range_are_refused(digits):
    with pytest.raises(ValueError, match="explain: expected 1 to 17 digits, got"):
        explain(Value(1.0), digits=digits)


def test_a_graph_that_is_too_large_is_refused_with_advice():
    chain = Value(1.0)
    for _ in range(600):
        chain = chain + 1.0
    with pytest.raises(
        ValueError, match=r"explain: 601 nodes \(limit 500\).*explain one example's loss, or pass max_nodes="
    ):
        explain(chain)
    assert explain(chain, max_nodes=601).text.startswith("evaluation")
