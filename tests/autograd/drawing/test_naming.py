"""Naming: parameters are called by where they stand, as shortly as is clear in one picture."""

from __future__ import annotations

import random
import re
from types import SimpleNamespace

import pytest

from autograd import Value, draw
from autograd.drawing import naming
from nn import MLP, Embedding, Module, Recurrent


def names(model, parameters=None):
    parameters = model.parameters() if parameters is None else parameters
    called = naming.names(parameters, naming.places(model))
    return [called[id(parameter)] for parameter in parameters]


def test_a_name_is_the_expression_that_leads_to_the_parameter():
    model = MLP(2, [2, 1])
    for layer in model.layers:  # what all have in common is left out
        for parameter, name in zip(layer.parameters(), names(model, layer.parameters()), strict=True):
            place = layer if len(layer.neurons) > 1 else layer.neurons[0]
            assert eval(f"place.{name}", {"place": place}) is parameter


def test_what_all_in_the_picture_have_in_common_is_left_out():
    model = MLP(2, [2, 1])
    first, second = model.layers[0].neurons
    assert names(model)[:3] == ["layers[0].neurons[0].w[0]", "layers[0].neurons[0].w[1]", "layers[0].neurons[0].b"]
    assert names(model, model.layers[0].parameters())[3:] == ["neurons[1].w[0]", "neurons[1].w[1]", "neurons[1].b"]
    assert names(model, second.parameters()) == ["w[0]", "w[1]", "b"]
    assert names(model, [first.w[0], model.layers[1].neurons[0].w[0]]) == [
        "layers[0].neurons[0].w[0]",
        "layers[1].neurons[0].w[0]",
    ]


def test_indices_may_be_several_and_labels_may_say_anything():
    random.seed(1)
    assert names(Embedding(2, 2)) == ["e[0][0]", "e[0][1]", "e[1][0]", "e[1][1]"]

    class Line(Module):
        def __init__(self):
            self.slope = Value(1.0, label="my slope")
            self.offset = Value(2.0)
            self.terms = {"a.b": Value(1.0, label="<&>"), "0": Value(1.0, label=3)}

    assert names(Line()) == ["slope", "offset", "terms.a.b", "terms[0]"]


def test_a_parameter_is_named_in_the_picture_and_what_is_none_keeps_its_label():
    model = MLP(2, [2, 1])
    x = [Value(1.0, label=f"x[{k}]") for k in range(2)]
    titles = re.findall("<title>([^<\n]*)", draw(model(x), model=model).svg)
    for label in ("layers[0].neurons[1].w[0]", "layers[1].neurons[0].b", "x[0]", "x[1]"):
        assert label in titles
    assert "w0" not in titles
    assert "w0" in re.findall("<title>([^<\n]*)", draw(model(x)).svg)


def test_whatever_names_its_parameters_is_a_model():
    w = Value(2.0, label="w")
    model = SimpleNamespace(named_parameters=lambda: [("gate.0.weight", w)])
    assert ">weight<" not in draw(w * 3, model=model).svg  # its own label, a letter, says as much
    w.label = "omega"
    assert ">weight<" in draw(w * 3, model=model).svg


def test_shared_parameters_have_one_name_and_strangers_none():
    cell = Recurrent(1, 1)
    other = Value(1.0, label="other")
    called = naming.names([*cell.parameters(), other], naming.places(cell))
    assert id(other) not in called
    assert len(called) == len(cell.parameters())


@pytest.mark.parametrize("model", [3, "model", Value(1.0), MLP, [MLP(1, [1])], SimpleNamespace(named_parameters=3)])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(
        TypeError, match=r"draw: expected model= to have named_parameters\(\), as an nn.Module has, got"
    ):
        draw(Value(1.0), model=model)


def test_a_model_that_has_nothing_to_do_with_the_graph_is_refused():
    model, other = MLP(2, [1]), MLP(2, [1])
    with pytest.raises(ValueError, match="draw: model=: none of its parameters is in the graph: MLP"):
        draw(model([1.0, 2.0]), model=other)
    with pytest.raises(TypeError, match=r"got MLP: .*; a model that names parameters goes as model="):
        draw(model([1.0, 2.0]), model)
