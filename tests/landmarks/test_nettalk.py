"""NETtalk as its notebook builds it: what is counted, and the gradient of the whole network, 18,426 numbers."""

from __future__ import annotations

import nbformat
import numpy as np
import pytest
from mpmath import mp, mpf

from autograd import engine
from nn.datasets.nettalk import Word

from ..run_notebooks import FOLDER

WORD = Word("phase", "f-ez-", ">>1<<")
STEP = 1e-5


@pytest.fixture(scope="module")
def notebook():
    """The names that the notebook defines with its network. The corpus is not read."""
    names = {}
    cells = {cell.id: cell.source for cell in nbformat.read(FOLDER / "landmarks" / "1987-nettalk.ipynb", 4).cells}
    exec(cells["imports"].replace("corpus = nettalk_corpus()", ""), names)
    exec(cells["network"].partition("\n\n\nfor hidden")[0], names)
    return names


@pytest.fixture(scope="module")
def network(notebook):
    return notebook["NETtalk"](80, seed=0)


def rows(word=WORD):
    return np.hstack([word.inputs(), word.targets()])


def test_parameters_and_connections_are_those_of_the_paper(notebook, network):
    layers = network.model.layers
    assert [len(layer.neurons) for layer in layers] == [80, 26]
    assert [{len(neuron.weights) for neuron in layer.neurons} for layer in layers] == [{203}, {80}]
    connections = 203 * 80 + 80 * 26
    assert len(network.parameters) == connections + 80 + 26 == 18_426
    assert len(network.parameters) + 203 == 18_629  # as the paper counts: a bias for each input, too
    assert [len(notebook["NETtalk"](hidden, 0).parameters) for hidden in (0, 120)] == [5_304, 27_626]
    assert all(abs(parameter.data) <= 0.3 for parameter in network.parameters)


def eager_error(network, row):
    numbers = row.tolist()
    return network.error(numbers[:203], numbers[203:])


def test_the_error_is_flat_within_a_tenth(network):
    """Against the formula, letter by letter, in fifty digits."""
    errors = network.error_tape.forward(rows())
    outputs = network.output_tape.forward(WORD.inputs())
    with mp.workdps(50):
        for error, y, d in zip(errors, outputs, WORD.targets(), strict=True):
            squares = [max((mpf(a) - mpf(b)) ** 2, mpf("0.01")) for a, b in zip(y.tolist(), d.tolist(), strict=True)]
            assert error == pytest.approx(float(sum(squares) / 2), rel=1e-14)


@pytest.mark.both_engines
def test_the_tape_s_gradient_is_that_of_backward(network):
    """Of one letter, to the bit where the tape is compiled."""
    row = rows()[2]
    for parameter in network.parameters:
        parameter.grad = 0.0
    error = eager_error(network, row)
    error.backward()
    eager = np.array([parameter.grad for parameter in network.parameters])
    [taped_error], taped = network.error_tape.value_and_grad([row])
    assert np.count_nonzero(eager) > 2_000
    if engine == "native":
        assert taped_error == error.data
        assert (taped == eager).all()
    assert taped_error == pytest.approx(error.data, rel=1e-14)
    assert taped == pytest.approx(eager, rel=1e-12, abs=1e-17)


@pytest.mark.both_engines
def test_a_word_s_gradient_is_the_sum_over_its_letters(network):
    _, whole = network.error_tape.value_and_grad(rows(), gradient=1.0)
    letters = [network.error_tape.value_and_grad([row])[1] for row in rows()]
    assert whole == pytest.approx(np.sum(letters, axis=0), rel=1e-12, abs=1e-16)


@pytest.mark.slow
def test_all_18_426_derivatives_are_those_of_finite_differences(network):
    weights = np.array([parameter.data for parameter in network.parameters])
    outputs = network.output_tape.forward(WORD.inputs())
    assert (abs(abs(outputs - WORD.targets()) - 0.1) > 1e-4).all()  # no step crosses a kink
    _, gradient = network.error_tape.value_and_grad(rows(), gradient=1.0)

    def error(k, step):
        moved = weights.copy()
        moved[k] += step
        return network.error_tape.forward(rows(), parameters=moved).sum()

    differences = [(error(k, STEP) - error(k, -STEP)) / (2 * STEP) for k in range(len(weights))]
    assert np.abs(gradient).max() > 0.1
    assert gradient == pytest.approx(np.array(differences), rel=1e-6, abs=1e-8)


def test_a_pass_makes_a_step_after_each_word(network, notebook):
    """Against the formula: the weights less the sum of the letters' gradients, word by word, in the seed's order."""
    words = [rows(), rows(Word("cat", "k@t", ">1<")), rows(Word("ohm", "o-m", "1<<"))]
    trained, order = notebook["NETtalk"](80, seed=3), notebook["NETtalk"](80, seed=3).order
    weights = np.array([parameter.data for parameter in trained.parameters])
    for word in order.sample(words, 3):
        weights = weights - 0.25 * trained.error_tape.value_and_grad(word, parameters=weights, gradient=1.0)[1]
    trained.learn(words, rate=0.25)
    assert [parameter.data for parameter in trained.parameters] == weights.tolist()
