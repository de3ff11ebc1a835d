"""Second derivatives by tapes: against transforms, mpmath and finite differences; on every row, on random graphs."""

from __future__ import annotations

import copy
import math
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import mpmath
import numpy as np
import pytest

from autograd import (
    RecordingError,
    Tape,
    Value,
    compiled,
    define,
    dot,
    exp,
    functions,
    grad,
    hessian,
    log,
    logsumexp,
    maximum,
    relu,
    softmax_of,
    take,
    tanh,
)  # fmt: skip
from autograd import max as largest
from autograd.operations import OPERATIONS, ROWS
from autograd.tape import executors, second_order
from autograd.tape.second_order import SecondOrder
from nn import MLP, cross_entropy

pytestmark = pytest.mark.both_engines

CASES = [(name, point) for name, row in OPERATIONS.items() for point in [*row.samples, *row.kinks]]


def rosenbrock(x):
    return sum(100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(len(x) - 1))


def rosenbrock_hessian(x):
    main = np.zeros(len(x))
    main[:-1] = 1200.0 * x[:-1] ** 2 - 400.0 * x[1:] + 2.0
    main[1:] += 200.0
    side = -400.0 * x[:-1]
    return np.diag(main) + np.diag(side, 1) + np.diag(side, -1)


def on_flat(name, point):
    """The row's function of the numbers of this point, in a list."""

    def flat(x):
        numbers = iter(x)
        operands = [[next(numbers) for _ in part] if isinstance(part, list) else next(numbers) for part in point]
        return functions._functions[name](*([*operands[:-1], point[-1]] if name == "take" else operands))

    return flat, [x for part in point for x in (part if isinstance(part, list) else [part])]


@pytest.mark.parametrize("executor", ["native", "numpy"])
@pytest.mark.parametrize(("name", "point"), CASES, ids=[f"{name}-{i}" for i, (name, _) in enumerate(CASES)])
def test_every_row_has_the_second_derivatives_of_the_transform(name, point, executor):
    if executor not in executors.available():
        pytest.skip("it is part of the native engine")
    function, numbers = on_flat(name, point)
    tape = Tape.record(lambda x: function(x) * 1.0, [numbers], executor=executor)
    expected = np.array(hessian(function)(numbers))
    [found] = tape.hessian([numbers], wrt="inputs")
    if (name, point) == ("power", (0.0, 0.5)):  # at a corner, 0 times an infinite derivative
        found[0, 0] = expected[0, 0]
    # Where two probabilities tie, p (1 - p) (1 - 2 p) is what the rounding of p leaves of it.
    terms = grad(function)(numbers) if name == "softmax_of" else []
    scale = np.abs([*expected[np.isfinite(expected)], *terms]).max(initial=0.0)
    # Of h_ij and h_ji the transform may have one with fewer digits: those of a softmax differ by 1e-7 of their size.
    expected = np.where(np.isclose(found, expected.T, rtol=1e-11, atol=1e-15 * scale), expected.T, expected)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-15 * scale)
    if np.isfinite(expected).all():
        direction = np.cos(np.arange(len(numbers)))
        product = tape.hvp([numbers], [direction], wrt="inputs")[0]
        digits = 1e-6 if name == "softmax_of" else 1e-10
        np.testing.assert_allclose(product, expected @ direction, rtol=digits, atol=1e-13 * scale)


@pytest.mark.parametrize(("name", "point"), CASES, ids=[f"{name}-{i}" for i, (name, _) in enumerate(CASES)])
def test_every_row_is_the_same_by_parameters_backward(name, point):
    """Many examples go backward over the gradient's list, one goes forward: at kinks, too, they agree."""
    function, numbers = on_flat(name, point)
    x = Value(1.0)
    tape = Tape(function([Value(number) for number in numbers]) * x, [x])
    for direction in np.eye(len(tape.parameters)):
        expected = tape.hvp([1.0], direction)
        found = tape.hvp(np.ones(second_order.MANY_EXAMPLES), direction, gradient=1 / second_order.MANY_EXAMPLES)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-15)


def test_rosenbrock_is_found_with_three_colours():
    x = np.random.default_rng(0).uniform(-1.0, 1.0, 100)
    tape = Tape.record(rosenbrock, [[0.0] * 100])
    np.testing.assert_allclose(tape.hessian([x], wrt="inputs")[0], rosenbrock_hessian(x), rtol=1e-13)
    [derivatives] = tape._second_derivatives.known.values()
    assert max(derivatives.colours) == 2
    assert len(derivatives.entries[0]) == 298


def test_against_60_digits():
    mp = mpmath.mp.clone()
    mp.dps = 60
    x = [0.7, 1.3, -0.4]

    def function(m, x):
        return m.exp(x[0] * x[1]) / (1 + x[2] ** 2) + m.log(x[1]) * m.tanh(x[0] * x[2])

    tape = Tape.record(lambda x: exp(x[0] * x[1]) / (1 + x[2] ** 2) + log(x[1]) * tanh(x[0] * x[2]), [x])
    for i, row in enumerate(tape.hessian([x], wrt="inputs")[0]):
        for j, entry in enumerate(row):
            orders = tuple((i == k) + (j == k) for k in range(3))
            exact = mp.diff(lambda *y: function(mp, y), x, orders)
            assert entry == pytest.approx(float(exact), rel=1e-14)


# ---- The result: parameters, inputs, weights


def network(outputs=1, width=4):
    """The tape of a network's outputs, and a batch."""
    random.seed(1)
    model = MLP(3, [width, outputs])
    tape = Tape.record(lambda x: [tanh(y) for y in as_list(model(x))], [[0.0] * 3])
    return tape, np.random.default_rng(0).normal(size=(40, 3))


def as_list(output):
    return output if isinstance(output, list) else [output]


def differences(function, x, step=1e-5):
    """Central differences of an array function by a vector, the new axis last."""
    columns = [(function(x + step * e) - function(x - step * e)) / (2.0 * step) for e in np.eye(len(x))]
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("examples", [1, 5, 40])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("most", [0, second_order.MOST_WRITTEN])
def test_by_the_parameters_it_is_the_derivative_of_the_gradient(examples, outputs, most, monkeypatch):
    monkeypatch.setattr(second_order, "MOST_WRITTEN", most)
    tape, batch = network(outputs)
    batch, vector = batch[:examples], np.array([p.data for p in tape.parameters])
    seeds = np.random.default_rng(1).normal(size=(examples, outputs))
    for gradient in (None, 0.5, seeds, seeds[0]):
        found = tape.hessian(batch, gradient=gradient)
        expected = differences(lambda v, g=gradient: tape.value_and_grad(batch, parameters=v, gradient=g)[1], vector)
        np.testing.assert_allclose(found, expected, atol=1e-8)
        assert (found == found.T).all()
        direction = np.cos(np.arange(len(vector)))
        product = tape.hvp(batch, direction, gradient=gradient)
        np.testing.assert_allclose(product, found @ direction, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("most", [0, second_order.MOST_WRITTEN])
def test_by_the_inputs_each_example_has_its_own(most, monkeypatch):
    monkeypatch.setattr(second_order, "MOST_WRITTEN", most)
    tape, batch = network(2)
    seeds = np.random.default_rng(1).normal(size=(40, 2))
    found = tape.hessian(batch, wrt="inputs", gradient=seeds)
    assert found.shape == (40, 3, 3)
    for row, own, x in zip(found, seeds, batch, strict=True):
        expected = differences(lambda x, own=own: own @ tape.jacobian([x], wrt="inputs")[0], x)
        np.testing.assert_allclose(row, expected, atol=1e-8)
    vectors = np.random.default_rng(2).normal(size=(40, 3))
    products = tape.hvp(batch, vectors, wrt="inputs", gradient=seeds)
    np.testing.assert_allclose(products, np.einsum("eij,ej->ei", found, vectors), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("most", [0, second_order.MOST_WRITTEN])
def test_large_batches_go_in_blocks(outputs, most, monkeypatch):
    monkeypatch.setattr(second_order, "MOST_WRITTEN", most)
    tape, batch = network(outputs)
    seeds, vector = np.random.default_rng(1).normal(size=(40, outputs)), np.ones(len(tape.parameters))
    vectors = np.random.default_rng(2).normal(size=(40, 3))

    def found():
        by_inputs = {"wrt": "inputs", "gradient": seeds}
        return [
            tape.hessian(batch, gradient=seeds), tape.hessian(batch), tape.hvp(batch, vector, gradient=seeds),
            tape.hessian(batch, **by_inputs), tape.hvp(batch, vectors, **by_inputs),
        ]  # fmt: skip

    whole = found()
    monkeypatch.setattr(second_order, "NUMBERS_AT_ONCE", 50)
    for one, other in zip(found(), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


def test_parameters_may_be_given():
    w, x = Value(2.0), Value(0.0)
    tape = Tape((w * x) ** 3.0, [x])
    assert tape.hessian([[2.0]], parameters=[1.0]).tolist() == [[48.0]]
    assert tape.hessian([[2.0]]).tolist() == [[96.0]]
    w.data = 3.0
    assert tape.hvp([[2.0]], [10.0]).tolist() == [1440.0]


def test_entries_alone():
    x = [Value(float(i)) for i in range(4)]
    tape = Tape(x[0] * x[1] ** 3 + x[3])
    entries, (rows, columns) = tape.hessian(sparse=True)
    assert list(zip(rows.tolist(), columns.tolist(), entries.tolist(), strict=True)) == [
        (0, 1, 3.0), (1, 0, 3.0), (1, 1, 0.0)
    ]  # fmt: skip
    dense = tape.hessian()
    assert (dense[rows, columns] == entries).all()
    assert np.count_nonzero(dense) == 2


def test_a_linear_result_has_none():
    x = [Value(1.0), Value(2.0)]
    assert Tape(x[0] * 3.0 + x[1]).hessian().tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert Tape(x[0] * 3.0 + x[1]).hessian(sparse=True)[0].shape == (0,)
    assert Tape([x[0] ** 2, x[1]]).hessian(gradient=[0.0, 1.0]).tolist() == [[0.0] * 2] * 2
    assert Tape([x[0] ** 2, x[1]]).hvp(vector=[1.0, 1.0], gradient=0.0).tolist() == [0.0, 0.0]
    assert Tape(x[0], x).hessian([[1.0, 2.0]] * 3).shape == (0, 0)


def test_outputs_that_are_not_asked_for_are_left_out():
    x = Value(0.0)
    tape = Tape([x.sqrt(), x * x])
    assert tape.hessian(gradient=[0.0, 1.0]).tolist() == [[2.0]]
    assert tape.hessian(gradient=[1.0, 0.0]).tolist() == [[-math.inf]]


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_seed_of_0_leaves_infinite_derivatives_out(outputs):
    w = Value(0.0)
    tape = Tape([w**0.5] * outputs, [])
    assert tape.value_and_grad(gradient=np.zeros(outputs))[1].tolist() == [0.0]
    assert tape.hessian(gradient=np.zeros(outputs)).tolist() == [[0.0]]
    assert tape.hvp(vector=[1.0], gradient=np.zeros(outputs)).tolist() == [0.0]


def test_an_output_may_be_there_twice_or_be_a_leaf():
    x = Value(3.0)
    y = x**2
    assert Tape([y, y, x]).hessian(gradient=[1.0, 10.0, 100.0]).tolist() == [[22.0]]


def test_no_examples():
    tape, batch = network()
    count = len(tape.parameters)
    assert tape.hessian(batch[:0], gradient=1.0).tolist() == np.zeros((count, count)).tolist()
    assert tape.hessian(batch[:0], wrt="inputs", gradient=1.0).shape == (0, 3, 3)
    with pytest.raises(ValueError, match="an empty batch has no mean"):
        tape.hessian(batch[:0])


@pytest.mark.parametrize("executor", ["native", "c", "numpy"])
@pytest.mark.parametrize("examples", [1, 15, 16])
def test_a_single_input_with_several_outputs(examples, executor):
    if executor not in executors.available():
        pytest.skip("it is not available")
    w, u, x = Value(0.5), Value(0.25), Value(1.0)
    tape = Tape([w * w * x, u * w * x], [x], executor=executor)
    total = 0.25 * examples
    found = tape.hvp(np.full(examples, 0.25), [1.0, 1.0], gradient=1.0)
    assert sorted(found.tolist()) == [total, 3.0 * total]


@pytest.mark.parametrize("executor", ["native", "c", "numpy"])
@pytest.mark.parametrize("examples", [1, 16])
def test_nothing_to_differentiate(examples, executor):
    if executor not in executors.available():
        pytest.skip("it is not available")
    w, x, y = Value(2.0), Value(1.0), Value(3.0)
    batch = np.ones((examples, 2))
    for outputs in (1, 2):
        results = [w * x, w + y][:outputs]
        linear = Tape(results, [x, y], executor=executor)
        assert linear.hvp(batch, [1.0], gradient=np.ones(outputs)).tolist() == [0.0]
        curved = Tape([w * result for result in results], [x, y], executor=executor)
        assert curved.hvp(batch, [1.0], gradient=np.zeros((examples, outputs))).tolist() == [0.0]
        assert curved.hessian(batch, gradient=np.zeros((examples, outputs))).tolist() == [[0.0]]
        without_parameters = Tape([x * y, x + y][:outputs], [x, y], executor=executor)
        assert without_parameters.hvp(batch, [], gradient=1.0).shape == (0,)
        assert without_parameters.hessian(batch, gradient=1.0).shape == (0, 0)


# ---- Choices, lookups, own operations


def test_kinks_are_chosen_for_each_example():
    tape = Tape.record(lambda x, y: maximum(x * x, y**3) + relu(x) ** 2 * y + abs(x * y), [0.0, 0.0])
    batch = np.array([[2.0, 1.0], [1.0, 2.0], [-1.0, 2.0], [-3.0, -1.0], [0.0, 0.0]])
    found = tape.hessian(batch, wrt="inputs", gradient=1.0)
    for matrix, (x, y) in zip(found, batch.tolist(), strict=True):
        square = 1.0 if x * x > y**3 else 0.5 if x * x == y**3 else 0.0
        side = (2.0 * x if x > 0.0 else 0.0) + (x * y > 0.0) - (x * y < 0.0)
        expected = [[2.0 * square + (2.0 * y if x > 0.0 else 0.0), side], [side, (1.0 - square) * 6.0 * y]]
        assert matrix.tolist() == pytest.approx(np.array(expected))


@pytest.mark.parametrize("executor", ["native", "numpy"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_at_kinks_many_examples_have_what_one_has(outputs, executor):
    if executor not in executors.available():
        pytest.skip("it is not available")
    v, w, x = Value(2.0), Value(3.0), Value(1.0)
    result = largest([v, x]) * v + abs(w - 3.0) + relu(w - x) * w * w + maximum(w, v * x)
    tape = Tape([result, w * w * w][:outputs], [x], executor=executor)
    direction, batch = [1.0, -1.0], np.repeat([1.0, 2.0, 3.0], 8)  # ties of v and x, and of w and x
    each = [tape.hvp([number], direction, gradient=1.0) for number in batch]
    np.testing.assert_allclose(tape.hvp(batch, direction, gradient=1.0), np.sum(each, axis=0), rtol=1e-14)


def test_kinks_of_a_large_graph():
    point = np.random.default_rng(0).normal(size=150).tolist()

    def function(x):
        return logsumexp([largest(x[i : i + 3]) for i in range(0, len(x), 3)])

    found = Tape(function([Value(number) for number in point]), []).hessian()
    np.testing.assert_allclose(found, hessian(function)(point), rtol=1e-11, atol=1e-16)


@pytest.mark.parametrize("examples", [1, 20])
def test_branches_of_a_large_graph(examples, monkeypatch):
    """A power's rules choose among what has derivatives, one of them nan. So they are those of the transform."""
    monkeypatch.setattr(second_order, "MOST_WRITTEN", 0)

    def function(x):
        return x[0] ** x[1] * x[2] ** x[0]

    point, x = [2.0, 1.5, 0.5], Value(1.0)
    tape = Tape(function([Value(number) for number in point]) * x, [x])
    found = tape.hessian(np.ones(examples))
    np.testing.assert_allclose(found, hessian(function)(point), rtol=1e-11)


def test_an_index_that_is_an_element_too():
    def function(x):
        return exp(take([x, 2.0], x) * 3.0)

    tape = Tape.record(function, [0.0])
    assert tape.hessian([[0.0], [1.0]], wrt="inputs", gradient=1.0).tolist() == [[[9.0]], [[0.0]]]
    assert tape.hvp([[0.0]], [[2.0]], wrt="inputs", gradient=1.0).tolist() == [[18.0]]
    assert compiled(hessian(function))(0.0) == hessian(function)(0.0) == 9.0


def test_lookups():
    table, index = [Value(2.0), Value(3.0), Value(5.0)], Value(0.0)
    tape = Tape(take(table, index) ** 3, [index])
    assert tape.hessian([0, 2, 2], gradient=1.0).tolist() == [[12.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 60.0]]
    assert tape.hessian([0, 2], wrt="inputs").tolist() == [[[0.0]], [[0.0]]]
    with pytest.raises(ValueError, match="expected a whole number from 0 to 2, got 3"):
        tape.hessian([3])


def test_an_operation_of_ones_own():
    cubed = define("cubed", lambda m, x: x * x * x, [lambda m, r, x: 3.0 * x * x])
    x = Value(2.0)
    assert Tape(cubed(x)).hessian().tolist() == [[12.0]]


def test_a_rule_that_branches_is_refused():
    clipped = define("clipped", lambda m, x: m.minimum(x, 1.0), [lambda m, r, x: 1.0 if x < 1.0 else 0.0])
    x = Value(0.5)
    tape = Tape(clipped(x) ** 2)
    for _ in range(2):
        with pytest.raises(RecordingError, match=r"write it with m.where"):
            tape.hessian()


# ---- Graphs


@pytest.mark.parametrize("seed", range(30))
def test_random_graphs(seed, random_graph):
    outputs, inputs = random_graph(seed)
    tape = Tape([tanh(y) for y in outputs], inputs)
    batch = np.random.default_rng(seed).normal(size=(3, len(inputs)))
    vector = np.array([p.data for p in tape.parameters])
    for wrt in ("parameters", "inputs"):
        found = tape.hessian(batch, wrt=wrt, gradient=1.0)
        if wrt == "parameters":
            check, x = (lambda v: tape.value_and_grad(batch, parameters=v, gradient=1.0)[1]), vector
        else:
            found = found[0]
            check, x = (lambda x: tape.jacobian([x], wrt="inputs")[0].sum(axis=0)), batch[0]
        np.testing.assert_allclose(found, differences(check, x, 1e-6), atol=2e-4, rtol=1e-4)


def test_executors_agree():
    tape, batch = network(2)
    tapes = [copy.copy(tape) for _ in executors.EXECUTORS]
    names = [name for name in executors.available() if name in ("native", "numpy")]
    for each, name in zip(tapes, names, strict=False):
        each.executor = name
        np.testing.assert_allclose(each.hessian(batch), tape.hessian(batch), rtol=1e-12, atol=1e-15)


def test_the_batch_and_threads_do_not_change_numbers():
    tape, batch = network(2)
    found = tape.hessian(batch)
    for threads in (1, 2, 5):
        tape.threads = threads
        assert tape.hessian(batch).tolist() == found.tolist()


def test_many_threads_may_ask_at_once():
    tape = Tape.record(rosenbrock, [[0.0] * 20])
    points = np.random.default_rng(0).normal(size=(16, 20))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda x: tape.hessian([x], wrt="inputs")[0], points))
        products = list(pool.map(lambda x: tape.hvp([x], [x], wrt="inputs")[0], points))
    for x, matrix, product in zip(points, found, products, strict=True):
        np.testing.assert_allclose(matrix, rosenbrock_hessian(x), rtol=1e-12)
        np.testing.assert_allclose(product, matrix @ x, rtol=1e-10)


def test_what_is_found_is_not_pickled():
    tape, batch = network()
    size = len(pickle.dumps(tape))
    expected = tape.hessian(batch)
    again = pickle.loads(pickle.dumps(tape))
    assert len(pickle.dumps(tape)) == size
    assert again.hessian(batch).tolist() == expected.tolist()


def test_no_value_is_touched():
    x = Value(2.0)
    x.grad = 5.0
    Tape(x**3).hessian()
    assert (x.data, x.grad) == (2.0, 5.0)


def test_a_loss_with_layers():
    random.seed(3)
    model = MLP(4, [5, 3])
    tape = Tape.record(lambda x, t: cross_entropy(model(x), t), [[0.0] * 4, [0.0] * 3])
    batch = np.random.default_rng(0).normal(size=(20, 7))
    batch[:, 4:] = np.eye(3)[np.arange(20) % 3]
    vector = np.array([p.data for p in tape.parameters])
    expected = differences(lambda v: tape.value_and_grad(batch, parameters=v)[1], vector)
    np.testing.assert_allclose(tape.hessian(batch), expected, atol=1e-8)


# ---- Errors


def test_errors_say_what_was_expected():
    x, w = Value(1.0), Value(2.0)
    tape = Tape(w * x * x, [x])
    with pytest.raises(ValueError, match=r"Tape.hessian: wrt: expected 'parameters' or 'inputs', got 'input'"):
        tape.hessian([[1.0]], wrt="input")
    with pytest.raises(ValueError, match=r"Tape.hvp: vector: expected the shape \(1,\), got \(2,\)"):
        tape.hvp([[1.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"Tape.hvp: vector: expected the shape \(2, 1\), got \(1, 1\)"):
        tape.hvp([[1.0], [2.0]], [[1.0]], wrt="inputs")
    with pytest.raises(TypeError, match=r"Tape.hvp: vector: expected the shape \(1,\), got none"):
        tape.hvp([[1.0]])
    with pytest.raises(ValueError, match="batch: expected the shape"):
        tape.hessian([[1.0, 2.0]])


def test_a_list_is_begun_anew_after_an_interrupt(monkeypatch):
    tape = Tape.record(lambda x: dot(x, x) ** 2, [[0.0, 0.0]])
    finished = second_order.Draft.finished

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(second_order.Draft, "finished", interrupted)
    for call in (tape.hessian, lambda batch, **options: tape.hvp(batch, [[1.0, 0.0]], **options)):
        with pytest.raises(KeyboardInterrupt):
            call([[1.0, 2.0]], wrt="inputs")
    monkeypatch.setattr(second_order.Draft, "finished", finished)
    assert tape.hessian([[1.0, 2.0]], wrt="inputs").tolist() == [[[28.0, 16.0], [16.0, 52.0]]]
    assert tape.hvp([[1.0, 2.0]], [[1.0, 0.0]], wrt="inputs").tolist() == [[28.0, 16.0]]


@pytest.mark.parametrize("function", [lambda x: softmax_of(x[1:], x[0]), logsumexp])
def test_probabilities_are_written_once(function):
    """A derivative of each has all others: n probabilities, and n among all logits but one, and not n² of them."""
    n = 12
    x = [Value(0.1 * i) for i in range(n)]
    tape = Tape(function(x), x)
    second = SecondOrder(tape._wengert, partial(executors.program, "numpy"), [0], "inputs")
    assert second.of_entries is not None
    assert sum(ROWS[row].name == "softmax_of" for row, *_ in second.draft.known) < 2 * n
