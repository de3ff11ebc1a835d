"""A Summary is written as a table, in text and for notebooks, whatever the names in a model and however long it is."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from IPython.core.formatters import DisplayFormatter

from autograd import Value, tanh
from nn import MLP, Layer, Module, Neuron, Sequential
from nn.summary import MOST_ROWS, Row, folded


class Net(Module):
    """A user's own: parameters beside layers, a layer that is called twice, one that never is."""

    def __init__(self) -> None:
        self.scale = [Value(2.0), Value(3.0)]
        self.layer = Layer(2, 2, activation=tanh)
        self.parts = {"out": Layer(2, 1), "unused": Layer(5, 5)}

    def __call__(self, x: list[Any]) -> Any:
        hidden = self.layer([s * x_i for s, x_i in zip(self.scale, x, strict=True)])
        return self.parts["out"](self.layer(hidden)) ** 2


def test_the_table() -> None:
    assert str(MLP(2, [16, 16, 1]).summary()).splitlines() == [
        "layer      kind           inputs → outputs  parameters  multiply-adds",
        "layers[0]  Layer, relu    2 → 16                    48             32",
        "layers[1]  Layer, relu    16 → 16                  272            256",
        "layers[2]  Layer, linear  16 → 1                    17             16",
        "─────────────────────────────────────────────────────────────────────",
        "in all     MLP            2 → 1                    337            304",
    ]


@pytest.mark.parametrize(
    ("model", "row"),
    [
        (Layer(2, 3), ["itself", "Layer, relu", "2 → 3", "9", "6"]),
        (Neuron(2, nonlin=False), ["itself", "Neuron, linear", "2 → 1", "3", "2"]),
        (Module(), ["itself", "Module", "? → ?", "0", "?"]),
    ],
)
def test_a_model_without_parts_is_a_row_itself(model: Module, row: list[str]) -> None:
    found = model.summary()
    assert [one.cells for one in found.rows] == [row]
    assert found.total.cells[1:] == row[1:]


def test_alike_parts_of_a_long_model_are_one_line() -> None:
    model = Sequential(*[Layer(4, 4) for _ in range(20)], Layer(4, 1))
    lines = str(model.summary()).splitlines()
    assert len(lines) == 5
    assert lines[1].split("  ")[0] == "layers[0] … layers[19]"
    assert lines[1].split("  ")[1:3] == ["Layer, relu × 20", "4 → 4"]
    assert lines[1].split()[-4:] == ["20", "each", "16", "each"]
    assert len(model.summary().rows) == 21


def test_a_table_has_an_end() -> None:
    model = Sequential(*[layer for k in range(150) for layer in (Layer(k + 1, 2), Layer(2, k + 2))])
    found = model.summary()
    assert len(found.rows) == 300
    lines = str(found).splitlines()
    assert len(lines) == 1 + MOST_ROWS + 3
    assert lines[-3] == "… and 200 more"


def test_notebooks_show_a_model_and_its_summary() -> None:
    model = MLP(2, [16, 16, 1])
    for shown in (model, model.summary()):
        bundle, _ = DisplayFormatter().format(shown)
        assert bundle["text/plain"] == repr(shown)
        table = ElementTree.fromstring(bundle["text/html"])
        assert (table.find("caption") or table[0]).text == "MLP: 337 parameters"
        cells = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
        lines = [line for line in str(model.summary()).splitlines() if "─" not in line]
        assert [" ".join(row).split() for row in cells] == [line.split() for line in lines]


def test_notebooks_show_what_a_model_of_ones_own_says_of_itself() -> None:
    class Own(Net):
        def __repr__(self) -> str:
            return "<my network>"

    assert Own()._repr_html_() == "<pre>&lt;my network&gt;</pre>"
    assert Own().summary().parameters == 41


def test_a_model_that_is_wrong_shows_its_repr() -> None:
    model = Net()
    model.lost = {Value(1.0)}
    assert model._repr_html_().startswith("<pre>&lt;")
    with pytest.raises(ValueError, match="in a set alone"):
        model.summary()


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "&lt;", "a\nb", "\x00", "\ud800", "x" * 1000])
def test_names_cannot_bring_markup_into_a_notebook(name: str) -> None:
    model = Net()
    model.parts[name] = type(name.replace("\x00", "0").replace("\ud800", "_"), (Layer,), {})(2, 2)
    table = ElementTree.fromstring(model._repr_html_())
    assert {element.tag for element in table.iter()} == {
        "table",
        "caption",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
    }
    assert len(str(model.summary()).splitlines()) == len([*table.iter("tr")]) + 1


def test_attributes_with_the_names_of_methods_hide_nothing() -> None:
    model = MLP(2, [3, 1])
    model.summary = model._shapes = model._table = "mine"  # type: ignore[method-assign, assignment]
    assert Module.summary(model).multiply_adds == 9
    assert ">MLP: 13 parameters</caption>" in model._repr_html_()


def test_long_names_that_begin_alike_stay_apart():
    names = [f"{'encoder.' * 20}layers.{k}" for k in range(3)]
    lines = folded([Row(name, "Layer", (2,), (3 + k,), 9, 6) for k, name in enumerate(names)])
    assert [name[-9:] for name, *_ in lines] == ["layers[0]", "layers[1]", "layers[2]"]
