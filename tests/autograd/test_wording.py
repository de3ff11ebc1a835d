"""A count agrees with its noun, wherever a message or a repr has one."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from autograd.wording import columns, counted, indexed, misfit, shown, shown_end

ROOT = Path(__file__).parents[2]
NEVER_ONE = {  # where the count is never 1, or what stands before the word is no count
    "len(around)", "len(others) + 1", "parts", "times", "len(shapes)", "1 + len(others)", "len(self.ours)", "classes",
    "MOST_CLASSES", "MOST_PIXELS", "MOST_STATEMENTS", "part.path", "LONGEST", "1 + PIXELS", "KNOWN + CONTINUATION",
    "len(held_out.inputs)", "len(pickle.dumps(tape))", "len(model.parameters())", "len(X)", "epochs",
    "node", "given", "what", "name", "value", "start[i]", "type(self).__name__", "write.adjoint(node)",
    "self.times", "count // different", "numbers.uses[weight]", "kind_of(model)", "look", "places", "kernels",
    "escape(entry.operation.name)", "history.loss[0]", "nats_per_token(model, held_out)",
}  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
@pytest.mark.parametrize(
    ("noun", "plural"), [("node", "nodes"), ("batch", "batches"), ("loss", "losses"), ("epoch", "epochs")]
)
def test_a_count_agrees_with_its_noun(count, noun, plural):
    assert counted(count, noun) == f"{count:,} {noun if count == 1 else plural}"


@pytest.mark.parametrize("folder", ["autograd", "nn", "examples"])
def test_no_message_writes_a_plural_behind_a_count_that_may_be_one(folder):
    for path in (ROOT / folder).rglob("*.py"):
        for text in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(text, ast.JoinedStr):
                for part, words in zip(text.values, text.values[1:], strict=False):
                    if isinstance(part, ast.FormattedValue) and isinstance(words, ast.Constant):
                        is_plural = re.match(r" (?!as\b|gives\b|was\b|has\b|does\b)[a-z]+(?<![si])s\b", words.value)
                        assert not is_plural or ast.unparse(part.value) in NEVER_ONE, f"{path.name}: {part.lineno}"


@pytest.mark.parametrize(
    ("text", "limit", "written"),
    [
        ("a b", 3, "a b"), ("abcd", 3, "ab…"), ("a\nb", 9, r"a\nb"), ("\x00\ud800", 20, r"\x00\ud800"), (None, 9, ""),
        (7, 9, "7"), ("é東", 9, "é東"), ("\u202e", 9, r"\u202e"), ("\n" * 9, 4, r"\n\…"),
    ],
)  # fmt: skip
def test_a_text_is_shown_in_one_line_of_what_can_be_printed(text, limit, written):
    assert shown(text, limit) == written


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("東京", 4), ("e\u0301", 1), ("é", 1), ("→", 1)])
def test_how_wide_a_text_is(text, width):
    assert columns(text) == width


def test_a_way_is_cut_in_front():
    assert shown_end("layers[0].w[1]", 14) == "layers[0].w[1]"
    assert shown_end("layers[0].w[1]", 13) == "…yers[0].w[1]"
    assert shown_end("a\nb", 10) == r"a\nb"
    assert len(shown_end("\x00" * 1000, 20)) == 20


def test_why_a_function_does_not_take_so_many_arguments():
    def inner(x, noise):
        return x

    @functools.wraps(inner)
    def noisy(x):
        return inner(x, 0.0)

    def named(x, *, other):
        return x

    assert misfit(lambda x, y=1.0: x, 3) == "expected one for each argument of the function, (x, y=1.0), got 3"
    for function, count in ((noisy, 1), (lambda *x: x, 9), (lambda x, y=1.0: x, 1), (max, 2), (type, 1), (named, 1)):
        assert misfit(function, count) == ""


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("layers.0.neurons.13.w", "layers[0].neurons[13].w"),
        ("blocks.0.1", "blocks[0][1]"),
        ("scale.0, scale.1, b", "scale[0], scale[1], b"),
        ("0.weights", "0.weights"),
        ("v1.x2.3a", "v1.x2.3a"),
        ("", ""),
    ],
)
def test_a_number_behind_a_dot_is_an_index(name, read):
    assert indexed(name) == read
