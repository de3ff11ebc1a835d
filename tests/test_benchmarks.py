"""The benchmarks: each contestant computes the same numbers, and the tables say what was measured; no time is asserted.

PyTorch and JAX are not imported here; that they too compute the same is checked by every run of the benchmarks.
"""

from __future__ import annotations

import gc
import itertools
import math
import os
import weakref
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from mpmath import mp, mpf

import autograd
from autograd.graph import topological_order

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

with pytest.MonkeyPatch.context() as path:
    path.syspath_prepend(BENCHMARKS)  # as `python benchmarks/run.py` has it
    import backgammon
    import comparisons
    import contestants
    import measuring
    import nettalk
    import report
    import run
    import scalars
    import second_derivatives
    import short_class
    import structures
    import tapes
    import transformer
    import worker
    import workloads


def made(name):
    try:
        return contestants.CONTESTANTS[name].make()
    except ImportError as error:
        pytest.skip(f"not installed: {error}")


@pytest.fixture(params=["native", "micrograd", "casadi"])
def contestant(request):
    """This engine, whichever is in use, and the peers that are no tensor libraries."""
    return made(request.param)


@pytest.fixture
def processors():
    """Afterwards, those of before: a step of `fit` keeps its process to as many as it may use."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, before)


def numbers(contestant, step, times=1):
    return [number for _ in range(times) for number in contestant.numbers(step())]


# ---- the workloads


def test_the_gradient_by_hand_of_the_readme_expression():
    def g(a, b):
        leaves = iter((a, b))
        return workloads.readme(lambda _: next(leaves), lambda x: max(x, 0))[0]

    with mp.workdps(50):
        true = [g(mpf(-4), mpf(2)), mp.diff(g, (-4, 2), (1, 0)), mp.diff(g, (-4, 2), (0, 1))]
    by_hand = workloads.readme_gradient(-4.0, 2.0)
    assert by_hand == pytest.approx([float(number) for number in true], rel=1e-14)
    assert [f"{number:.4f}" for number in by_hand] == ["24.7041", "138.8338", "645.5773"]  # micrograd's README


def test_the_readme_expression(contestant):
    assert numbers(contestant, contestant.expression(workloads.README)) == pytest.approx(
        workloads.readme_gradient(-4.0, 2.0), rel=1e-14
    )


def test_the_chain(contestant):
    """x_n = 1 + (x - 1) aⁿ where b = 1 - a, and its derivatives by x, a and b."""
    x, a, b = workloads.CHAIN_POINT
    n, x, a, b = 5000, Fraction(x), Fraction(a), Fraction(b)
    geometric = (1 - a**n) / (1 - a)
    derivative_of_geometric = (geometric - n * a ** (n - 1)) / (1 - a)
    expected = [a**n * x + b * geometric, a**n, n * a ** (n - 1) * x + b * derivative_of_geometric, geometric]
    try:
        computed = numbers(contestant, contestant.expression(workloads.CHAIN))
    except RecursionError:
        pytest.skip("recurses: too deep")
    assert computed == pytest.approx([float(number) for number in expected], rel=1e-11)


@pytest.mark.parametrize("name", ["native", "python", "short-class"])
def test_the_language_model(name):
    """Its derivatives are those of central differences; here by a few of its parameters, one in each matrix."""
    contestant = made(name)
    loss, *gradient = numbers(contestant, contestant.expression(workloads.LANGUAGE_MODEL))
    sizes = [len(matrix) * len(matrix[0]) for matrix in transformer.Model(float).matrices]
    assert len(gradient) == sum(sizes)

    def at(place, nudge):
        count = itertools.count()
        return workloads.language_model(lambda x: x + nudge * (next(count) == place), workloads.relu_of_float)[0]

    assert loss == pytest.approx(workloads.LANGUAGE_MODEL.on_floats(), rel=1e-14)
    for place in itertools.accumulate(sizes[:-1], initial=5):
        difference = (at(place, 1e-5) - at(place, -1e-5)) / 2e-5
        assert gradient[place] == pytest.approx(difference, rel=1e-6, abs=1e-10)


def loss_of(network, parameters, inputs, targets):
    """In arrays, as a textbook has it."""
    x = inputs
    for k in range(0, len(parameters), 2):
        x = x @ parameters[k] + parameters[k + 1]
        x = np.maximum(x, 0.0) if k < len(parameters) - 2 else x
    penalty = network.penalty * sum((parameter**2).sum() for parameter in parameters)
    if network.loss == "hinge":
        return np.maximum(1.0 - targets * x[:, 0], 0.0).mean() + penalty
    probabilities = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    return -np.log(probabilities[np.arange(len(targets)), targets]).mean() + penalty


def loss_and_gradient_of(network, count):
    return loss_and_gradient_at(network, network.parameters(), *network.examples(count))


def loss_and_gradient_at(network, parameters, *examples):
    """The gradient by central differences."""
    gradient = [np.empty_like(parameter) for parameter in parameters]
    for parameter, slopes in zip(parameters, gradient, strict=True):
        for place in np.ndindex(parameter.shape):
            number, losses = parameter[place], []
            for nudge in (1e-6, -1e-6):
                parameter[place] = number + nudge
                losses.append(loss_of(network, parameters, *examples))
            parameter[place] = number
            slopes[place] = (losses[0] - losses[1]) / 2e-6
    return loss_of(network, parameters, *examples), gradient


def test_a_training_step(contestant):
    step = contestant.train(workloads.MOONS, 100)
    first, second = (contestant.numbers(step())[0] for _ in range(2))
    floats = scalars.Floats()
    assert first == pytest.approx(numbers(floats, floats.train(workloads.MOONS, 100))[0], rel=1e-14)
    before, gradient = loss_and_gradient_of(workloads.MOONS, 100)
    moved = [
        parameter - workloads.LEARNING_RATE * slopes
        for parameter, slopes in zip(workloads.MOONS.parameters(), gradient, strict=True)
    ]
    assert first == pytest.approx(before, rel=1e-14)
    assert second == pytest.approx(loss_of(workloads.MOONS, moved, *workloads.MOONS.examples(100)), rel=1e-6)
    assert second < first


def test_a_training_step_through_the_network(contestant):
    if not hasattr(contestant, "train_model"):
        pytest.skip("has no network of its own")
    by_hand = numbers(contestant, contestant.train(workloads.MOONS, 100), times=2)
    assert numbers(contestant, contestant.train_model(workloads.MOONS, 100), times=2) == pytest.approx(
        by_hand, rel=1e-12
    )


def moons_loss(parameters, leaf, relu):
    model = workloads.by_hand(workloads.MOONS, relu, parameters)
    return workloads.hinge(workloads.MOONS.penalty, workloads.MOONS_POINTS, leaf, relu, model, parameters)


IN_C = [pytest.param(name, marks=pytest.mark.slow) for name in ("stan", "cppad", "adolc", "sacado")]  # to be compiled


@pytest.mark.parametrize("name", ["doubles", *IN_C, "xad"])
def test_a_training_step_by_compiled_overloading(name):
    contestant, engine = made(name), made("native")
    parameters = [engine.leaf(number) for number in workloads.MOONS_NUMBERS]
    loss = moons_loss(parameters, engine.leaf, engine.relu)
    loss.backward()
    moved = [parameter.data - workloads.LEARNING_RATE * parameter.grad for parameter in parameters]
    step = contestant.train(workloads.MOONS, 100)
    first, second = contestant.numbers(step()), contestant.numbers(step())
    if contestant.differentiates:
        assert first == pytest.approx([loss.data, *moved], rel=1e-12)
        assert second[0] == pytest.approx(moons_loss(moved, float, workloads.relu_of_float), rel=1e-12)
    else:
        assert first == second == pytest.approx([loss.data], rel=1e-14)


def test_an_expression_on_xad():
    contestant = made("xad")
    by_hand = pytest.approx(workloads.readme_gradient(-4.0, 2.0), rel=1e-14)
    assert numbers(contestant, contestant.expression(workloads.README)) == by_hand


def test_another_loss_than_that_of_the_c_plus_plus():
    with pytest.raises(ValueError, match="hinge loss, not cross-entropy"):
        made("doubles").train(workloads.NETWORKS["64-32-10"], 1)


@pytest.mark.parametrize("work", ["keep_graph", "keep_node"])
def test_a_training_step_while_something_of_others_is_alive(work):
    engine = made("native")
    alone, beside = (getattr(engine, name)(workloads.MOONS, 10) for name in ("train", work))
    assert numbers(engine, alone, times=3) == numbers(engine, beside, times=3)


def test_what_a_step_keeps(monkeypatch):
    """keep_graph: the last graph, until the next one is there. keep_node: a node of every step."""
    engine, made_nodes, alive = made("native"), [], []

    def step():
        alive.append(sum(node() is not None for node in made_nodes))
        node = -engine.leaf(1.0)
        made_nodes.append(weakref.ref(node))
        return node, ()

    class Leaf(engine.leaf):
        def __neg__(self):
            node = super().__neg__()
            made_nodes.append(weakref.ref(node))
            return node

    monkeypatch.setattr(engine, "train", lambda network, examples: step)
    for keep, expected in ((engine.keep_graph, [0, 1, 1, 1]), (engine.keep_node, [1, 2, 3, 4])):
        made_nodes.clear(), alive.clear()
        monkeypatch.setattr(engine, "leaf", engine.leaf if keep == engine.keep_graph else Leaf)
        repeated = keep(workloads.MOONS, 1)
        for _ in range(4):
            repeated()
        assert alive == expected


def test_an_expression_amid_others():
    engine = made("native")
    step = engine.amid(workloads.README, 3)
    assert numbers(engine, step, times=2) == 2 * numbers(engine, engine.expression(workloads.README))


def test_the_moons_are_those_of_the_text():
    assert len(workloads.MOONS_POINTS) == 100
    assert len(workloads.MOONS_NUMBERS) == 337
    engine = made("native")
    parameters = [engine.leaf(number) for number in workloads.MOONS_NUMBERS]
    loss = moons_loss(parameters, engine.leaf, engine.relu)
    assert len(topological_order(loss)) == pytest.approx(65_000, rel=0.02)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_the_wide_graph(width):
    engine = made("native")
    root, leaves = workloads.wide(width, engine.leaf, engine.relu)
    assert len(topological_order(root)) == len(leaves) + 4 * width**2 - 1 == 4 * width**2 + 2 * width
    assert root.data == workloads.wide(width, float, workloads.relu_of_float)[0]
    weights, inputs = ([f(i) for i in range(width)] for f in (math.sin, math.cos))
    assert root.data == pytest.approx(sum(max(w * x + 0.1, 0.0) for w in weights for x in inputs), rel=1e-14)


def test_the_phases_of_a_big_graph():
    engine = worker.Worker("native")
    grown = engine.grow("chain", 10_000, 10_000)
    assert grown["together"] == pytest.approx(grown["build"] + grown["backward"] + grown["free"], rel=1e-15)
    assert grown["a node"] == grown["together"] / 10_000
    assert {"before", "at most", "after", "bytes a node", "at most a node", "not given back"} < grown.keys()
    expected = numbers(engine.contestant, engine.contestant.expression(workloads.CHAIN))
    assert grown["numbers"] == [[expected[0], expected[1], expected[3]]]
    on_floats = worker.Worker("floats").grow("chain", 10_000, 10_000)
    assert on_floats["numbers"] == [expected[:1]]
    assert on_floats["together"] == on_floats["build"]


# ---- training on batches

SMALL_NETWORKS = [workloads.Network((2, 4, 3, 1), "hinge"), workloads.Network((5, 4, 3), "cross-entropy")]


@pytest.mark.usefixtures("processors")
@pytest.mark.parametrize("network", SMALL_NETWORKS, ids=lambda network: network.loss)
@pytest.mark.parametrize("name", ["tape", "tape-numpy", "fit", "numpy", "casadi", "c"])
def test_training_on_a_batch(name, network):
    contestant = made("tape" if name == "fit" else name)
    loss, gradient = loss_and_gradient_of(network, 13)
    gradient = workloads.flat(gradient)
    if name != "fit":  # it has no step without an update
        assert numbers(contestant, contestant.differentiate(network, 13)) == pytest.approx([loss, *gradient], abs=1e-8)
    step = getattr(contestant, "fit" if name == "fit" else "train")(network, 13)
    start = workloads.flat(network.parameters())
    updated = start - workloads.LEARNING_RATE * gradient
    assert numbers(contestant, step) == pytest.approx([loss, *updated], abs=1e-9)
    assert contestant.numbers(step())[0] < loss


@pytest.mark.usefixtures("processors")
@pytest.mark.parametrize("name", ["tape", "tape-numpy", "fit", "numpy"])
def test_examples_presented_one_by_one(name):
    """Thirteen steps with a batch of one each, and then thirteen more."""
    network, contestant = SMALL_NETWORKS[1], made("tape" if name == "fit" else name)
    parameters, losses = network.parameters(), []
    inputs, targets = network.examples(13)
    for k in [*range(13)] * 2:
        loss, gradient = loss_and_gradient_at(network, parameters, inputs[k : k + 1], targets[k : k + 1])
        for parameter, slopes in zip(parameters, gradient, strict=True):
            parameter -= workloads.LEARNING_RATE * slopes
        losses.append(loss)
    step = getattr(contestant, "present_by_fit" if name == "fit" else "present")(network, 13)
    first, *_ = numbers(contestant, step)
    second, *moved = numbers(contestant, step)
    assert [first, second] == pytest.approx([np.mean(losses[:13]), np.mean(losses[13:])], abs=1e-9)
    assert moved == pytest.approx(workloads.flat(parameters).tolist(), abs=1e-9)


@pytest.mark.usefixtures("processors")
def test_presentations_are_timed_by_passes():
    ticks = iter(range(100))
    step = made("tape").present_by_fit(SMALL_NETWORKS[0], 13)
    step()
    assert step.seconds(3, lambda: next(ticks)) == 3 * 13


def loss_of_structure(structure, numbers, count):
    """On floats, number by number."""
    given = iter(numbers)
    parameters, _ = structures.nested(structure.parameters(), lambda _: next(given))
    losses = []
    for x, target in zip(*(array.tolist() for array in structure.examples(count)), strict=True):
        y = structure.on_numbers(autograd, parameters, x)
        cross_entropy = structure.loss == "cross-entropy"
        losses.append(autograd.logsumexp(y) - y[target] if cross_entropy else (y[0] - target) ** 2)
    return sum(losses) / count


@pytest.mark.parametrize("executor", ["tape", "tape-numpy"])
@pytest.mark.parametrize("name", structures.STRUCTURES)
def test_structures(name, executor):
    """The loss, and the derivative in a direction, by central differences."""
    structure, contestant = structures.STRUCTURES[name], made(executor)
    loss, *gradient = numbers(contestant, contestant.differentiate(structure, 3))
    start = workloads.flat(structure.parameters())
    direction = np.random.default_rng(2).normal(size=len(start))
    assert loss == pytest.approx(loss_of_structure(structure, start.tolist(), 3), rel=1e-12)
    losses = [loss_of_structure(structure, (start + nudge * direction).tolist(), 3) for nudge in (1e-5, -1e-5)]
    assert direction @ gradient == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-5)


def test_lenets_connections():
    lenet, counts = structures.STRUCTURES["lenet"], []

    class Counting:
        tanh = staticmethod(lambda x: x)
        dot = staticmethod(lambda weights, inputs, bias: counts.append(len(inputs) + 1) or 0.0)

    lenet.on_numbers(Counting, lenet.parameters(), [0.0] * 256)
    assert (sum(counts), sum(map(np.size, lenet.parameters()))) == (64_660, 9_760)
    assert len(counts) == 12 * 8 * 8 + 12 * 4 * 4 + 30 + 10


@pytest.mark.parametrize("executor", ["tape", "tape-numpy"])
def test_nettalk_s_passes_by_a_tape_and_by_hand(executor):
    """They make the same steps, of which the first is along the differences of the error."""
    reading = nettalk.Reading(workloads.Network((203, 5, 26), "half the squares"), words=7, passes=2)
    by_hand, taped = (
        numbers(contestant, contestant.read(reading), 2) for contestant in (made("numpy"), made(executor))
    )
    assert taped == pytest.approx(by_hand, rel=1e-12, abs=1e-14)
    word = reading.rows[0]
    assert word.shape[1] == 229
    assert (word[:, :203].sum(axis=1) == 7).all()

    def error(parameters):
        network = nettalk.ByHand(reading.network)
        network.parameters = [parameter.copy() for parameter in parameters]
        return nettalk.loss(network.learn(word))

    network, direction = nettalk.ByHand(reading.network), np.random.default_rng(2)
    start = [parameter.copy() for parameter in network.parameters]
    network.learn(word)
    steps = [
        (after - before) / -workloads.LEARNING_RATE for after, before in zip(network.parameters, start, strict=True)
    ]
    ways = [direction.normal(size=parameter.shape) for parameter in start]
    ahead, behind = (
        error([parameter + nudge * way for parameter, way in zip(start, ways, strict=True)]) for nudge in (1e-5, -1e-5)
    )
    slope = sum((step * way).sum() for step, way in zip(steps, ways, strict=True))
    assert slope == pytest.approx((ahead - behind) / 2e-5, rel=1e-6)


def test_ways_of_writing_it_compute_the_same():
    contestant = made("tape")
    together, apart = (
        numbers(contestant, getattr(contestant, work)(SMALL_NETWORKS[1], 13)) for work in ("together", "apart")
    )
    assert together[0] == apart[0]
    plain, *others = (
        numbers(contestant, contestant.differentiate(structures.STRUCTURES[name], 3)) for name in comparisons.LAYERS
    )
    for other in others:
        assert other == pytest.approx(plain, rel=1e-13)


def test_games_of_td_gammon():
    """The last error of a game depends on all that was learned before it."""
    game = backgammon.Backgammon(workloads.Network((12, 3, 1), "the next prediction"), moves=7, choices=4)
    errors = {}
    for name in ("tape", "numpy"):
        contestant = made(name)
        step = contestant.self_play(game)
        errors[name] = [contestant.numbers(step())[0] for _ in range(3)]
    assert errors["tape"] == pytest.approx(errors["numpy"], rel=1e-12)
    assert len({*errors["tape"]}) == 3


def test_the_memory_of_a_replay():
    sample = worker.Worker("tape").room("64-32-10", 100) if made("tape") else {}
    assert sample["numbers a weight"] == sample["memory"] / 8 / 2_410 or math.isnan(sample["memory"])


@pytest.mark.usefixtures("processors")
def test_steps_of_fit_are_timed_within_one_call():
    """What its clock says when it is asked for an update: here, how often it was asked."""
    ticks = iter(range(100))
    step = made("tape").fit(SMALL_NETWORKS[0], 13)
    step()
    assert step.seconds(7, lambda: next(ticks)) == 7
    assert next(ticks) == 8  # eight updates, seven steps between them


def test_a_graph_replayed():
    eager, contestant = made("native"), made("tape")
    expected = numbers(eager, eager.expression(workloads.MOONS_GRAPH))
    assert numbers(contestant, contestant.expression(workloads.MOONS_GRAPH)) == pytest.approx(expected, rel=1e-9)
    floats = scalars.Floats()
    assert numbers(floats, floats.expression(workloads.MOONS_GRAPH)) == pytest.approx(expected[:1], rel=1e-14)


def test_the_examples_are_those_of_the_text():
    for name, network in workloads.NETWORKS.items():
        assert name in ("moons", "-".join(map(str, network.widths)))
        inputs, targets = network.examples(10)
        assert inputs.shape == (10, network.widths[0])
        assert targets.shape == (10,)
        assert set(targets) <= ({-1.0, 1.0} if network.loss == "hinge" else set(range(network.widths[-1])))
    assert len(workloads.NETWORKS["203-80-26"].numbers()) == 18_426


def test_parameters_in_the_order_of_a_model():
    network = SMALL_NETWORKS[1]
    (w1, b1, w2, b2), read = network.parameters(), iter(network.numbers())
    for weights, bias in ((w1, b1), (w2, b2)):
        for j in range(len(bias)):
            assert [next(read) for _ in range(len(weights))] == weights[:, j].tolist()
            assert next(read) == bias[j]
    assert next(read, None) is None


def test_what_is_recorded():
    recorded = tapes.recording("2-16-16-1", perf_counter)
    assert recorded["instructions"] == 16 * 2 * 2 + 1 + 3  # dot and relu, the score, and the loss: relu(1 - t y)
    assert recorded["nodes"] == 337 + 3 + 68
    assert recorded["edges"] == 16 * (2 * 2 + 1) + 16 * (2 * 16 + 1) + (2 * 16 + 1) + 32 + 2 + 1 + 1
    assert recorded["a node"] == recorded["recorded"] / recorded["nodes"]
    assert tapes.recording("moons-graph", perf_counter)["nodes"] == pytest.approx(65_000, rel=0.02)


# ---- microgpt


def test_the_small_class_has_the_derivatives_of_the_engine():
    def outcome(kind):
        x, y = kind(0.7), kind(-1.3)
        result = (x * y + 2.0 * x**3 + (-y).log() / (x.exp() - 0.5)).relu() + x * 0.5 - y.relu()
        result.backward()
        return result.data, x.grad, y.grad

    assert outcome(short_class.Value) == pytest.approx(outcome(scalars.Values("autograd", "").leaf), rel=1e-15)


@pytest.mark.parametrize("name", ["native", "short-class"])
def test_microgpt_learns_the_same_by_the_script_and_on_tapes(name):
    pytest.importorskip("names")
    names = ["ada", "io", "al"]
    assert made(name).learn(names) == pytest.approx(made("tape").learn(names), rel=1e-12)


def test_what_falls_to_a_token():
    pytest.importorskip("names")
    tokens = sum(len(name) + 1 for name in transformer.names(2))
    sample = worker.Worker("short-class").learn(2)
    assert len(sample["numbers"][0]) == 2
    assert sample["training"] == pytest.approx(2 * sample["a step"]) == pytest.approx(tokens * sample["a token"])


# ---- how it is measured


class Timed:
    """In the place of a row's process: it takes so many seconds."""

    def __init__(self, table, seconds, numbers=((1.0,),)):
        self.table, self.seconds, self.numbers, self.cells = table, iter(seconds), numbers, []

    def __call__(self, case):
        return {"seconds": next(self.seconds)}


def test_a_ratio_is_the_median_of_the_pairs_ratios():
    table = report.Table([], [report.Case("time")], once=True)
    of_ours = []
    ours, theirs = Timed(table, [1.0, 2.0, 10.0] + [9.0] * 8), Timed(table, [3.0, 4.0, 20.0] + [18.0] * 8)
    cell = measuring.measured_cell(table.cases[0], ours, theirs, of_ours, quick=False)
    assert [sample["seconds"] for sample in of_ours] == [1.0, 2.0, 10.0] + [9.0] * 8
    assert cell.numbers("seconds") == [3.0, 4.0, 20.0] + [18.0] * 8
    assert cell.numbers(report.RATIO) == [3.0] + [2.0] * 10
    three = report.Cell(cell.samples[:3])
    assert table.text([three], 0, "seconds") == "4 s"
    assert table.text([three], 0, report.RATIO) == "2 (2–3)"
    assert table.text([report.Cell(of_ours)], 0, report.RATIO) == "1"
    assert report.spread([1.0, 2.0, 3.0, 4.0, 9.0]) == (1.5, 6.5)


def test_numbers_are_compared_before_times_are_taken():
    table = report.Table([], [report.Case("time")])
    ours, theirs = Timed(table, [1.0]), Timed(table, [1.0], numbers=((2.0,),))
    ours.seconds = iter([1.0, 1.0])  # it prepares, and shows that it still works
    cell = measuring.measured_cell(table.cases[0], ours, theirs, [], quick=False)
    assert cell == report.Cell(error="computes other numbers: 2.0 for 1.0")


def test_who_would_be_slow_is_left_out():
    cases = [report.Case(task={"examples": count}) for count in (1, 100, 10_000)]
    limit = measuring.SECONDS_PER_STEP

    def taker(*cells):
        timed = Timed(report.Table([], cases, paired=False, most=1), [])
        timed.cells = list(cells)
        return timed

    measuring.refuse_slow(taker(cell(1.0, limit)), cases[1])  # of one example, most is not its own time
    measuring.refuse_slow(taker(report.Cell(error="crashed"), cell(1.0, 0.009 * limit)), cases[2])
    measuring.refuse_slow(taker(cell(1.0, limit), cell(1.0, limit)), cases[1])  # the same work again
    slow = taker(cell(1.0, 0.001 * limit), cell(1.0, 0.011 * limit))
    with pytest.raises(measuring.CannotError, match=r"^left out$"):
        measuring.refuse_slow(slow, cases[2])
    assert measuring.measured_cell(cases[2], None, slow, [], quick=False) == report.Cell(error="left out")


@pytest.mark.parametrize(("seconds", "count"), [(0.0, 3), (1e9, 7)])
def test_turns_are_taken(seconds, count):
    log = []
    takers = [lambda: log.append("ours") or 1.0, lambda: log.append("theirs") or 2.0]
    turns = measuring.in_turns(takers, most=7, least=3, seconds=seconds)
    assert log == ["ours", "theirs"] * count
    assert turns == [[1.0, 2.0]] * count


def test_a_worker_says_what_went_wrong_and_how_it_ended():
    question = {"question": "time", "collector": True, "work": "expression"}
    with measuring.worker("floats") as process:
        with pytest.raises(measuring.CannotError, match=r"^KeyError: 'unknown'$"):
            measuring.asked(process, **question, workload="unknown")
        sample = measuring.asked(process, **question, workload="readme")
        assert sample["numbers"] == [list(workloads.readme_gradient(-4.0, 2.0))]
        assert "numbers" not in measuring.asked(process, **question, workload="readme")  # it is prepared
        process.kill()
        with pytest.raises(measuring.CannotError, match=r"crashed \(SIGKILL\)|exit code"):
            measuring.asked(process, **question, workload="readme")


def test_a_worker_that_takes_too_long_is_stopped(monkeypatch):
    monkeypatch.setattr(measuring, "SECONDS_PER_ANSWER", 0.01)  # less than Python needs to start
    with measuring.worker("floats") as process, pytest.raises(measuring.CannotError, match=r"^stopped after 0.01 s$"):
        measuring.asked(process, question="load", collector=True)


def test_the_collector_is_as_asked_for(monkeypatch):
    process = worker.Worker("floats")
    ticks = itertools.count(1.0)
    monkeypatch.setattr(worker, "perf_counter", lambda: next(ticks))
    seen = []
    monkeypatch.setattr(process.contestant, "expression", lambda _: lambda: seen.append(gc.isenabled()) or 1.0)
    task = {"work": "expression", "workload": "readme"}
    assert process.answer("time", collector=True, **task) == {"seconds": 1.0, "first": 1.0, "numbers": [[1.0]]}
    assert all(seen)
    seen.clear()
    assert process.answer("time", collector=False, **task) == {"seconds": 1.0, "first": 1.0}
    assert not any(seen)
    assert gc.isenabled()


@pytest.fixture
def without_micrograd(monkeypatch, tmp_path):
    """Processes find a micrograd that can't be imported."""
    (tmp_path / "micrograd.py").write_text("raise ImportError('no such module')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def texts(markdown):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]


@pytest.mark.usefixtures("without_micrograd")
def test_the_table_of_a_comparison():
    task = {"work": "expression", "workload": "readme"}
    table = report.Table(comparisons.rows("python floats micrograd"), comparisons.on_and_off("time", **task))
    cells = measuring.measured(table, quick=True)
    header, _, python, floats, micrograd = texts(table.markdown(cells))
    assert header == ["", "time", "× ours", "collector off: time", "× ours"]
    assert [row[0] for row in (python, floats, micrograd)] == ["ours: Python", "plain floats", "micrograd"]
    assert python[2] == python[4] == "1"
    assert float(floats[2].strip("*").split()[0]) < 1
    assert micrograd[1:] == ["not installed: no such module", "—", "—", "—"]
    assert table.time(cells, "micrograd", 0) == "not installed"


@pytest.mark.usefixtures("without_micrograd")
def test_where_ours_fails_nothing_is_measured():
    table = report.Table(comparisons.rows("micrograd floats"), [report.Case("time", {"work": "a", "workload": "b"})])
    with pytest.raises(measuring.CannotError, match=r"^not installed: no such module$"):
        measuring.measured(table)


def test_samples_that_are_taken_once_each_have_a_process_of_their_own():
    """A graph that was grown in the same process would find its memory there."""
    rows = [report.Row(f"{size}", "python", {"size": size, "nodes": size}) for size in (1_000, 2_000)]
    cases = [report.Case("together", {"graph": "chain"})]
    table = report.Table(rows, cases, "together", ["a node"], question="grow", once=True, paired=False, most=2)
    cells = measuring.measured(table)
    assert [len(cells[title][0].samples) for title in ("1000", "2000")] == [2, 2]
    assert texts(table.markdown(cells))[0] == ["", "together", "a node"]


def test_other_numbers_are_noticed():
    measuring.same_numbers([[1.0], [2.0]], [[1.0 + 1e-12, 2.0], [2.0]])
    measuring.same_numbers([[1e-13, 1.0]], [[2e-13, 1.0]])  # a difference of larger numbers
    with pytest.raises(measuring.CannotError, match=r"^computes other numbers: 3\.0 for 2\.0$"):
        measuring.same_numbers([[1.0, 3.0]], [[1.0, 2.0]])
    with pytest.raises(measuring.CannotError, match=r"^computes other numbers: 3\.0 for 2\.0$"):
        measuring.same_numbers([[1.0], [3.0]], [[1.0, 5.0], [2.0, 5.0]])


# ---- how it is reported


def cell(ours, theirs):
    return report.Cell([{"seconds": theirs, "first": 0.5, report.RATIO: theirs / ours}] * 4)


def test_the_rows_of_a_batch_s_table():
    rows = [*comparisons.rows("tape numpy c"), comparisons.FIT]
    cases = [report.Case(f"batch of {count}", {"examples": count}) for count in (1, 100)]
    budgets = comparisons.at_least({"c": 0.5})
    table = report.Table(rows, cases, more=["first"], budgets=budgets, of=1)
    ours = [report.Cell([{"seconds": seconds, "first": 0.25}] * 8) for seconds in (1e-6, 1e-5)]
    cells = {
        "ours: tape": ours,
        "NumPy by hand": [cell(1e-6, 2e-6), report.Cell(error="MemoryError: too large")],
        "C, -O3": [cell(1e-6, 0.25e-6), cell(1e-5, 4e-6)],
        "ours: `nn.fit`": [cell(1e-6, 1e-6), cell(1e-5, 3e-5)],
    }
    assert texts(table.markdown(cells)) == [
        ["", "batch of 1", "× ours", "batch of 100", "× ours", "first", "budget"],
        ["---", *["---:"] * 6],
        ["ours: tape", "1 µs", "1", "10 µs", "1", "250 ms", ""],
        ["NumPy by hand", "2 µs", "2 (2–2)", "MemoryError: too large", "—", "—", ""],
        ["C, -O3", "250 ns", "**0.25 (0.25–0.25)**", "4 µs", "**0.4 (0.4–0.4)**", "500 ms",
         "≥ 0.5, is 0.4: **missed**"],
        ["ours: `nn.fit`", "1 µs", "1 (1–1)", "30 µs", "3 (3–3)", "500 ms", ""],
    ]  # fmt: skip


def test_budgets():
    def verdict(name, limit, number, at_least=False):
        return report.Budget("row", name, limit, at_least).verdict(number)

    assert verdict(report.RATIO, 200, 200.0, at_least=True) == "≥ 200, is 200: met"
    assert verdict(report.RATIO, 200, 199.0, at_least=True) == "≥ 200, is 199: **missed**"
    assert verdict("seconds", 0.015, 0.01234) == "≤ 15 ms, is 12.3 ms: met"
    assert verdict("seconds", 0.015, 0.0151) == "≤ 15 ms, is 15.1 ms: **missed**"
    assert verdict("bytes a node", 100, 98.86) == "≤ 100, is 98.9: met"
    assert verdict("not given back", 0.01, 0.0123) == "≤ 1.00%, is 1.23%: **missed**"
    assert verdict("seconds", 0.015, math.nan) == ""


def test_a_budget_is_of_its_table_s_case():
    row = report.Row("row", "floats")
    budgets = [report.Budget("row", "seconds", 2.0)]
    first, second = [
        report.Table([row], comparisons.on_and_off("time"), budgets=budgets, of=of, paired=False) for of in (0, 1)
    ]
    cells = [report.Cell([{"seconds": seconds}]) for seconds in (1.5, 3.0)]
    assert texts(first.markdown({"row": cells}))[-1] == ["row", "1.5 s", "3 s", "≤ 2 s, is 1.5 s: met"]
    assert texts(second.markdown({"row": cells}))[-1] == ["row", "1.5 s", "3 s", "≤ 2 s, is 3 s: **missed**"]


def test_what_an_example_more_takes():
    cases = [report.Case(f"{count}", {"examples": count}) for count in (10, 110)]
    table = report.Table([report.Row("row", "floats")], cases, "memory", [report.SLOPE], paired=False)
    cells = [report.Cell([{"memory": count}]) for count in (2_000_000, 2_001_000)]
    assert texts(table.markdown({"row": cells}))[-1] == ["row", "2.0 MB", "2.0 MB", "10 bytes"]
    untold = [report.Cell([{"memory": math.nan}])] * 2
    assert table.line("row", untold, [(0, "memory"), (1, "memory"), (0, report.SLOPE)]) == ["row", "—", "—", "—", ""]


def test_durations_have_three_digits():
    seconds = [2.345, 0.0456, 7.891e-6, 0.00012345, 8.7e-8, -0.00082]
    assert list(map(report.duration, seconds)) == ["2.35 s", "45.6 ms", "7.89 µs", "123 µs", "87 ns", "-820 µs"]


def test_the_table_of_the_readme():
    table = report.Table(comparisons.rows("native floats micrograd"), comparisons.on_and_off("time"))
    deep = comparisons.SECTIONS["deep"].tables[0]
    seconds = {"ours: native": (1e-3, 2e-3), "plain floats": (5e-4, 6e-4), "micrograd": (1.0, 0.5)}
    cells = {title: [report.Cell([{"seconds": number}]) for number in numbers] for title, numbers in seconds.items()}
    recursive = cells | {"micrograd": [report.Cell(error="RecursionError: too deep")] * 2}
    of_deep = {row.title: [report.Cell([{"together": 1.25}])] for row in deep.rows}
    works = {"a": ("a step", "forward only"), "b": ("a chain", ""), "c": ("a deep one", "")}
    written = report.readme_table(works, {"a": (table, cells), "b": (table, recursive), "c": (deep, of_deep)})
    assert texts(written) == [
        ["work", "native engine", "collector off", "micrograd", "collector off", "plain floats"],
        ["---", *["---:"] * 5],
        ["a step", "1 ms", "2 ms", "1 s", "500 ms", "500 µs, forward only"],
        ["a chain", "1 ms", "2 ms", "RecursionError", "RecursionError", ""],
        ["a deep one", "1.25 s", "", "", "", ""],
    ]


@pytest.mark.parametrize(("arguments", "writes"), [([], True), (["--quick"], False), (["--only", "engine"], False)])
def test_a_full_run_writes_what_others_print(arguments, writes, monkeypatch, capsys, tmp_path):
    table = report.Table(
        comparisons.rows("python floats"),
        comparisons.on_and_off("time", work="expression", workload="readme"),
        title="A table's title",
        most=2,
    )
    broken = report.Table(
        comparisons.rows("floats python"), [report.Case("time", {"work": "no", "workload": "readme"})]
    )
    sections = {"one": report.Section("A title", "A text.", [table, broken])}
    monkeypatch.setattr(run, "SECTIONS", sections)
    monkeypatch.setattr(run, "README", {"one": ("the work", "the gradient by hand")})
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["run.py", *arguments])
    run.main()
    printed = capsys.readouterr().out
    assert "\n## A title\n\nA text.\n\n### A table's title\n\n|  | time | × ours |" in printed
    assert "\nplain floats: AttributeError: 'Floats' object has no attribute 'no'\n" in printed
    assert "\nIn README.md:\n\n| work | native engine | collector off | plain floats |\n" in printed
    assert "µs, the gradient by hand |" in printed or "ns, the gradient by hand |" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["RESULTS.md"] * writes
    if writes:
        results = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
        assert results.index("# Results") < results.index("In README.md:") < results.index("## A title")
        assert set(results.splitlines()) == set(printed.splitlines())


def test_all_that_is_compared_can_be_asked_for():
    for section in comparisons.SECTIONS.values():
        for table in section.tables:
            assert len({row.title for row in table.rows}) == len(table.rows)
            assert {budget.row for budget in table.budgets} <= {row.title for row in table.rows}
            assert hasattr(worker.Worker, table.question)
            for row in table.rows:
                assert row.contestant in contestants.CONTESTANTS
                for task in ({**case.task, **row.task} for case in table.cases):
                    assert task.get("workload", "readme") in worker.WORKLOADS
    assert set(comparisons.README) <= set(comparisons.SECTIONS)


def test_the_results_in_the_repository_are_of_these_comparisons():
    results = (BENCHMARKS / "RESULTS.md").read_text(encoding="utf-8")
    titles = [line.removeprefix("## ") for line in results.splitlines() if line.startswith("## ")]
    assert titles == [section.title for section in comparisons.SECTIONS.values()]


# ---- derivatives at a point


@pytest.mark.parametrize("name", ["compiled", "by-tape", "transforms", "casadi-derivatives"])
def test_second_derivatives(name):
    """Against central differences of the function's gradient by hand."""
    contestant, work = made(name), second_derivatives.Function(second_derivatives.rosenbrock, 5)

    def gradient(x):
        slopes = np.zeros(5)
        slopes[:-1] = -400.0 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2.0 * (1.0 - x[:-1])
        slopes[1:] += 200.0 * (x[1:] - x[:-1] ** 2)
        return slopes

    def along(v):
        return (gradient(work.point + 1e-5 * v) - gradient(work.point - 1e-5 * v)) / 2e-5

    expected = np.array([along(v) for v in np.eye(5)])
    assert numbers(contestant, contestant.gradient(work)) == pytest.approx(gradient(work.point), rel=1e-12)
    assert numbers(contestant, contestant.product(work)) == pytest.approx(along(work.direction), rel=1e-6)
    assert numbers(contestant, contestant.hessian(work)) == pytest.approx(expected.ravel(), rel=1e-6, abs=1e-6)
    if hasattr(contestant, "entries"):
        band = np.abs(np.subtract.outer(range(5), range(5))) < 2
        assert numbers(contestant, contestant.entries(work)) == pytest.approx(expected[band], rel=1e-6, abs=1e-6)
    if hasattr(contestant, "gradient_alone"):
        assert numbers(contestant, contestant.gradient_alone(work)) == []
        assert numbers(contestant, contestant.expression(workloads.README)) == pytest.approx(
            workloads.readme_gradient(-4.0, 2.0), rel=1e-14
        )
