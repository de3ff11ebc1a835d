"""The picture of a network: what is written in it is what the model has, whatever its names and numbers are."""

from __future__ import annotations

import math
import random
import re
from xml.etree import ElementTree

import pytest

from autograd import Value, dot, draw, tanh
from autograd.drawing.evaluation import compact
from autograd.drawing.network import Seen
from autograd.drawing.pen import Image, Shape, Text, flat
from autograd.drawing.themes import THEMES
from nn import MLP, Convolution, Layer, Module, Recurrent, Sequential, TransformerBlock, half_squared_error

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<b>&"]]>\x00\ud800 </svg>'


def trained(*widths: int, x: list[float]) -> MLP:
    """A network after a backward pass, the same each time."""
    random.seed(7)
    model = MLP(len(x), [*widths], activation=tanh)
    for bias in [neuron.bias for layer in model.layers for neuron in layer.neurons]:
        bias.data = random.uniform(-1.0, 1.0)
    half_squared_error(model(x), 1.0).backward()
    return model


def titles(drawing) -> list[str]:
    return [title.text for title in ElementTree.fromstring(drawing.svg).iter(f"{SVG}title")]


def texts(drawing) -> list[str]:
    return [
        text.text.replace("\N{NO-BREAK SPACE}", " ") for text in ElementTree.fromstring(drawing.svg).iter(f"{SVG}text")
    ]


def test_circles_have_activation_and_delta_below():
    x = [0.5, -0.25]
    model = trained(3, 1, x=x)
    pieces = [piece for piece in flat(draw(model, x).picture.pieces) if isinstance(piece, Text)]
    hidden = model.layers[0](x)
    for neuron, output in zip(model.layers[0].neurons, hidden, strict=True):
        [at] = [k for k, piece in enumerate(pieces) if piece.text == compact(output.data)]
        assert pieces[at + 1].text == compact(neuron.bias.grad)
        assert pieces[at + 1].at[0] == pieces[at].at[0]
        assert pieces[at + 1].at[1] > pieces[at].at[1]


def test_the_legend_says_whose_delta_it_is_and_without_gradients_there_is_none():
    x = [0.5, -0.25]
    model = trained(3, 1, x=x)
    whose = "the bias's gradient, of all backward() since zero_grad()"
    assert whose in " ".join(texts(draw(model, x)))
    model.zero_grad()
    assert "δ" not in draw(model, x).svg
    assert whose not in " ".join(texts(draw(model, x)))


def test_without_inputs_circles_have_the_biases():
    model = trained(3, 1, x=[0.5, -0.25])
    for layer in model.layers:
        assert {compact(neuron.bias.data) for neuron in layer.neurons} <= {*texts(draw(model))}


def test_hovering_shows_every_number_in_full():
    x = [0.5, -0.25]
    model = trained(3, 1, x=x)
    said = {line for title in titles(draw(model, x)) for line in title.split("\n")}
    for name, p in model.named_parameters():
        steps = re.sub(r"\.(\d+)", r"[\1]", name)
        assert (f"bias {p.data!r}" if "bias" in name else f"{steps} = {p.data!r}") in said
        of_bias = f"δ {p.grad!r}, the gradient of its bias, of all backward() since zero_grad()"
        assert (of_bias if "bias" in name else f"gradient {p.grad!r}") in said
    for output in model.layers[0](x):
        assert {f"tanh {output.data!r}", f"net input {output.parents[0].data!r}"} <= said
    for weight, x_i in zip(model.layers[0].neurons[0].weights, x, strict=True):
        assert f"× {x_i!r} = {weight.data * x_i!r}" in said


def test_a_shared_weight_says_so():
    class Tied(Module):
        def __init__(self) -> None:
            self.w = [[Value(0.5), Value(0.25)]]

        def __call__(self, x):
            hidden = [dot(row, x).tanh() for row in self.w]
            return [dot(column, hidden) for column in zip(*self.w, strict=True)]

    assert [title.split("\n")[-1] for title in titles(draw(Tied(), [1.0, 2.0])) if "w[0][1] =" in title] == [
        "shared by 2 neurons"
    ] * 2


def test_edges_and_neurons_name_a_neuron_alike():
    said = titles(draw(MLP(2, [3, 1]), [1.0, 2.0]))
    assert any(title.startswith("layers[0].neurons[2].weights[1] = ") for title in said)
    assert any(title.startswith("layers[0].neurons[2].weights\n") for title in said)
    assert not [title for title in said if "layers." in title]


def test_operations_say_what_they_are_and_which_parameters_they_use():
    class Line(Module):
        def __init__(self) -> None:
            self.slope, self.offset = Value(2.5), Value(-0.125)

        def __call__(self, x):
            return self.slope * x + self.offset

    drawing = draw(Line(), 3.0)
    assert "Line\n1 multiply, 1 add\nslope = 2.5\noffset = -0.125" in titles(drawing)
    assert {"1 *, 1 +", "2 parameters", compact(7.375)} <= {*texts(drawing)}


def edges_of(drawing) -> list[tuple[str, str, float]]:
    """Of each edge that has a weight, what it says, its colour, and its width."""
    groups = [piece for piece in drawing.picture.pieces if getattr(piece, "name", "").count(" ") == 1]
    return [(group.title, group.pieces[0].line, group.pieces[0].width) for group in groups]


@pytest.mark.parametrize("theme", THEMES)
def test_an_edge_has_the_colour_of_the_sign_and_the_width_of_the_size(theme):
    model = MLP(3, [1])
    for weight, number in zip(model.layers[0].neurons[0].weights, [2.0, -1.0, 0.0], strict=True):
        weight.data = number
    (zero, grey, thin), (minus, orange, middle), (plus, blue, wide) = edges_of(draw(model, theme=theme))
    assert ("= 0.0" in zero, "= -1.0" in minus, "= 2.0" in plus) == (True, True, True)
    flow = THEMES[theme].flow
    assert blue == flow.positive
    assert thin < middle < wide == THEMES[theme].widest
    channels = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (orange, flow.negative)]
    assert sum(abs(a - b) for a, b in zip(*channels, strict=True)) < 150
    assert grey not in (blue, orange)


def test_what_is_not_a_number_has_a_colour_of_its_own():
    model = MLP(2, [2, 1])
    model.layers[0].neurons[0].weights[0].data = math.nan
    model.layers[0].neurons[1].weights[0].data = -math.inf
    drawing = draw(model, [1.0, 2.0])
    colours = {title.split("\n")[0].rpartition(" ")[2]: colour for title, colour, _ in edges_of(drawing)}
    assert colours["nan"] == THEMES["light"].ink
    assert colours["-inf"] == THEMES["light"].flow.negative
    assert {"nan", "−inf"} <= {*texts(drawing)}


def test_few_weights_are_written_on_their_edges():
    model = trained(2, 1, x=[0.5, -0.25])
    written = texts(draw(model))
    for weight in (w for layer in model.layers for neuron in layer.neurons for w in neuron.weights):
        assert compact(weight.data) in written


def test_neurons_that_see_an_image_show_their_weights():
    model = MLP(64, [3, 2])
    images = [piece for piece in flat(draw(model).picture.pieces) if isinstance(piece, Image)]
    assert [(len(image.rows), len(image.rows[0])) for image in images] == [(8, 8)] * 3
    from autograd.drawing.insets import colours

    for image, neuron in zip(images, model.layers[0].neurons, strict=True):
        shades = [shade for row in image.rows for shade in row]
        assert shades == colours([weight.data for weight in neuron.weights], THEMES["light"])


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        (MLP(2, [3, 1]), [1.0, 2.0]),
        (Convolution((1, 5, 5), maps=2, size=3), [0.5] * 25),
        (Recurrent(2, 3), [[1.0, 2.0]] * 4),
        (TransformerBlock(4, heads=2), [[1.0, 2.0, 3.0, 4.0]] * 3),
        (MLP(2, [40] + [3] * 20), [1.0, 2.0]),
    ],
    ids=["MLP", "Convolution", "Recurrent", "TransformerBlock", "large"],
)
def test_a_picture_is_alike_in_all_themes(model, inputs):
    seen = Seen(model, inputs)
    light, dark = (seen.paint(theme) for theme in THEMES.values())
    assert [type(piece) for piece in flat(light.pieces)] == [type(piece) for piece in flat(dark.pieces)]
    assert (light.title, light.description, light.width, light.height) == (
        dark.title, dark.description, dark.width, dark.height,
    )  # fmt: skip
    allowed = re.compile("#[0-9a-f]{6}")
    for piece in flat(dark.pieces):
        if isinstance(piece, Shape):
            assert all(not colour or allowed.fullmatch(colour) for colour in (piece.line, piece.fill))
    for within in light.pieces:
        for piece in flat([within]):
            for x, y in piece.points if isinstance(piece, Shape) and piece.kind != "ellipse" else ():
                assert -1 <= x <= light.width + 1
                assert -1 <= y <= light.height + 1


def test_names_and_labels_may_hold_anything():
    class Hostile(Module):
        def __init__(self) -> None:
            vars(self)[HOSTILE] = {HOSTILE: [[Value(1.0, label=HOSTILE)], [Value(2.0)]]}

        def __call__(self, x):
            return [dot(row, x) for row in vars(self)[HOSTILE][HOSTILE]]

    drawing = draw(Hostile(), [Value(1.0, label=HOSTILE)])
    root = ElementTree.fromstring(drawing.svg)
    assert root.find(f"{SVG}title").text == "Hostile, 2 parameters"
    assert any("</svg>" in title for title in titles(drawing))
    assert drawing.html.count("</svg>") == 1 + drawing.html.count("<template")


def test_screen_readers_hear_what_there_is():
    root = ElementTree.fromstring(draw(MLP(2, [16, 16, 1])).svg)
    assert (root.get("role"), root.find(f"{SVG}title").text) == ("img", "MLP, 337 parameters")
    assert root.find(f"{SVG}desc").text == (
        "inputs 2 inputs. layers[0] 16 neurons, relu: 32 weights 16 biases. layers[1] 16 neurons, relu: 256 weights "
        "16 biases. layers[2] 1 neuron, linear: 16 weights 1 bias."
    )


def test_what_is_folded_is_counted_and_opens():
    drawing = draw(MLP(2, [128, 1]))
    assert "… 108 more" in texts(drawing)
    assert [*drawing.level.inside] == ["layers[0]"]
    assert "… 108 more" not in [
        piece.text for piece in flat(drawing.level.inside["layers[0]"].paint(THEMES["light"]).pieces)
        if isinstance(piece, Text)
    ]  # fmt: skip
    assert "… 108 more" not in texts(draw(MLP(2, [128, 1]), open="layers[0]"))
    with pytest.raises(ValueError, match=r"nothing to open is called 'layers\[5\]'; what is folded is called 'layers"):
        draw(MLP(2, [128, 1]), open="layers[5]")
    with pytest.raises(ValueError, match=r"nothing to open is called 'layers\[0\]'; nothing is folded"):
        draw(MLP(2, [3, 1]), open="layers[0]")


def test_a_deep_network_is_folded_in_the_middle():
    drawing = draw(MLP(3, [4] * 30))
    assert {"19 more blocks", "380 parameters"} <= {*texts(drawing)}
    assert "layers[15]" not in texts(drawing)
    assert "layers[15]" in texts(draw(MLP(3, [4] * 30), open="blocks"))


def test_parameters_that_are_not_needed_are_counted():
    class Half(Module):
        def __init__(self) -> None:
            self.used, self.unused = Layer(2, 1), Layer(2, 3)

        def __call__(self, x):
            return self.used(x)

    assert "Half, 3 parameters; 9 more are not needed here" in texts(draw(Half()))


def test_kernels_and_maps_of_a_convolution_are_images():
    model = Sequential(Convolution((1, 6, 6), maps=3, size=3), Layer(48, 2))
    images = [piece for piece in flat(draw(model, [0.5] * 36).picture.pieces) if isinstance(piece, Image)]
    assert [(len(image.rows), len(image.rows[0])) for image in images] == [(6, 6), *[(3, 3), (4, 4)] * 3]
    assert "3 maps of 4 × 4, relu" in texts(draw(model))


def test_weights_back_in_time_are_an_image():
    drawing = draw(Recurrent(2, 3), [[1.0, 2.0]] * 4)
    images = [piece for piece in flat(drawing.picture.pieces) if isinstance(piece, Image)]
    assert (3, 3) in [(len(image.rows), len(image.rows[0])) for image in images]
    assert "from the step before, 9 weights" in texts(drawing)


def test_a_model_is_drawn_by_draw_and_its_options_are_explained():
    model = MLP(2, [3, 1])
    assert repr(draw(model)).startswith("<Drawing of 3 blocks: ")
    with pytest.raises(ValueError, match="is not a graph in DOT"):
        draw(model).dot  # noqa: B018
    for option in ({"rankdir": "TB"}, {"expand": True}, {"fold": True}, {"model": model}):
        with pytest.raises(ValueError, match="a model's picture has no rankdir=, expand=, "):
            draw(model, **option)
    with pytest.raises(TypeError, match="expected a model and what it takes, in one structure, got 2 inputs"):
        draw(model, 1.0, 2.0)
    with pytest.raises(ValueError, match="expected theme= to be one of 'light', 'dark', got 'blue'"):
        draw(model, theme="blue")
    with pytest.raises(TypeError, match="expected a Value or a model, got function"):
        draw(lambda x: x)


def test_the_same_model_has_the_same_picture():
    model = MLP(2, [5, 1])
    assert draw(model, [1.0, 2.0]).svg == draw(model, [Value(1.0), Value(2.0)]).svg


@pytest.mark.usefixtures("program")
def test_a_picture_of_very_many_squares_is_written_in_every_format(tmp_path):
    drawing = draw(MLP(64, [6, 1]))
    assert drawing.png.startswith(b"\x89PNG")
    assert drawing.pdf.startswith(b"%PDF")
    assert drawing.tikz.count("\\path") > 6 * 64
    for suffix in ("svg", "html", "tex"):
        drawing.save(tmp_path / f"network.{suffix}")
