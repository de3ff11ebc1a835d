"""The benchmarks: each contestant computes the same numbers, and the tables say what was measured; no time is asserted.

PyTorch and JAX are not imported here; that they too compute the same is checked by every run of the benchmarks.
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp, mpf

from autograd.graph import topological_order

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

with pytest.MonkeyPatch.context() as path:
    path.syspath_prepend(BENCHMARKS)  # as `python benchmarks/run.py` has it
    import batches
    import comparisons
    import contestants
    import growth
    import measures
    import networks
    import pairs
    import report
    import tape_trainers
    import workloads


@pytest.fixture(params=["native", "micrograd", "casadi"])
def contestant(request):
    """This engine, whichever is in use, and the peers that are no tensor libraries."""
    try:
        return contestants.CONTESTANTS[request.param].make()
    except ImportError as error:
        pytest.skip(f"not installed: {error}")


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


def losses_of_two_steps():
    """The loss before and after a step along the gradient, which is taken by central differences of `tensor_loss`."""
    inputs = np.array([(x1, x2) for x1, x2, _ in workloads.MOONS])
    signs = np.array([sign for _, _, sign in workloads.MOONS])

    def loss(parameters):
        arrays = [np.array(numbers) for numbers in workloads.tensor_parameters(parameters)]
        return workloads.tensor_loss(lambda x: np.maximum(x, 0.0), arrays, inputs, signs)

    start = np.array(workloads.initial_parameters())
    nudges = 1e-6 * np.eye(len(start))
    gradient = np.array([(loss(start + nudge) - loss(start - nudge)) / 2e-6 for nudge in nudges])
    return loss(start), loss(start - workloads.LEARNING_RATE * gradient)


def test_a_training_step(contestant):
    first, second = numbers(contestant, contestant.training(), times=2)
    assert first == workloads.moons_loss(float, contestants.Floats.relu, workloads.initial_parameters())
    before, after = losses_of_two_steps()
    assert first == pytest.approx(before, rel=1e-14)
    assert second == pytest.approx(after, rel=1e-6)


def test_a_training_step_through_the_network(contestant):
    if not hasattr(contestant, "network"):
        pytest.skip("has no network of its own")
    by_hand = numbers(contestant, contestant.training(), times=2)
    assert numbers(contestant, contestant.network(), times=2) == pytest.approx(by_hand, rel=1e-12)


def test_the_moons_are_those_of_the_text():
    assert len(workloads.MOONS) == 100
    assert len(workloads.initial_parameters()) == 337
    engine = contestants.this_engine()
    parameters = [engine.leaf(number) for number in workloads.initial_parameters()]
    assert len(topological_order(workloads.moons_loss(engine.leaf, engine.relu, parameters))) == pytest.approx(
        65_000, rel=0.02
    )


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_the_wide_graph(width):
    engine = contestants.this_engine()
    root, leaves = workloads.wide(width, engine.leaf, engine.relu)
    assert len(topological_order(root)) == len(leaves) + 4 * width**2 - 1 == 4 * width**2 + 2 * width
    assert root.data == workloads.wide(width, float, contestants.Floats.relu)[0]
    weights, inputs = ([f(i) for i in range(width)] for f in (math.sin, math.cos))
    assert root.data == pytest.approx(sum(max(w * x + 0.1, 0.0) for w in weights for x in inputs), rel=1e-14)


def test_the_phases_of_a_big_graph():
    engine = contestants.this_engine()
    growth_of_engine = growth.grow_deep(engine, 10_000)
    assert len(growth_of_engine["seconds"]) == 3
    assert len(growth_of_engine["memory"]) == 4
    expected = numbers(engine, engine.expression(workloads.CHAIN))
    assert growth_of_engine["numbers"] == [expected[0], expected[1], expected[3]]


# ---- training on batches

SMALL_NETWORKS = [networks.Network((2, 4, 3, 1), "hinge"), networks.Network((5, 4, 3), "cross-entropy")]


def loss_of(network, parameters, inputs, targets):
    outputs = networks.outputs(parameters, inputs, lambda x: np.maximum(x, 0.0))
    if network.loss == "hinge":
        return np.maximum(1.0 - targets * outputs[:, 0], 0.0).mean()
    probabilities = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    return -np.log(probabilities[np.arange(len(targets)), networks.as_classes(targets)]).mean()


def loss_and_gradient_of(network, count):
    """The gradient by central differences."""
    parameters, examples = network.parameters(), network.examples(count)
    gradient = [np.empty_like(parameter) for parameter in parameters]
    for parameter, slopes in zip(parameters, gradient, strict=True):
        for place in np.ndindex(parameter.shape):
            number, losses = parameter[place], []
            for nudge in (1e-6, -1e-6):
                parameter[place] = number + nudge
                losses.append(loss_of(network, parameters, *examples))
            parameter[place] = number
            slopes[place] = (losses[0] - losses[1]) / 2e-6
    return loss_of(network, parameters, *examples), networks.flat(gradient)


@pytest.mark.parametrize("network", SMALL_NETWORKS, ids=lambda network: network.loss)
@pytest.mark.parametrize("name", ["tape", "tape-numpy", "fit", "numpy", "casadi-map", "c"])
def test_training_on_a_batch(name, network):
    try:
        trainer = contestants.CONTESTANTS[name].make()
    except ImportError as error:
        pytest.skip(f"not installed: {error}")
    loss, gradient = loss_and_gradient_of(network, 13)
    if name != "fit":  # it has no step without an update
        assert numbers(trainer, trainer.differentiate(network, 13)) == pytest.approx([loss, *gradient], abs=1e-8)
    step = trainer.train(network, 13)
    start = networks.flat(network.parameters())
    updated = start - networks.LEARNING_RATE * gradient
    assert numbers(trainer, step) == pytest.approx([loss, *updated], abs=1e-9)
    assert trainer.numbers(step())[0] < loss


def test_a_graph_replayed():
    try:
        trainer = contestants.tape()
    except ImportError as error:
        pytest.skip(f"not installed: {error}")
    eager = contestants.this_engine()
    assert numbers(trainer, trainer.graph()) == pytest.approx(numbers(eager, eager.graph()), rel=1e-9)


def test_the_examples_are_those_of_the_text():
    for name, network in networks.NETWORKS.items():
        assert name == "-".join(map(str, network.widths))
        inputs, targets = network.examples(10)
        assert inputs.shape == (10, network.widths[0])
        assert targets.shape == (10,)
        assert set(targets) <= ({-1.0, 1.0} if network.loss == "hinge" else set(range(network.widths[-1])))
    assert len(networks.flat(networks.NETWORKS["203-80-26"].parameters())) == 18_426


def test_what_is_recorded():
    recorded = tape_trainers.recording("2-16-16-1")
    assert recorded["instructions"] == 16 * 2 * 2 + 1 + 3  # dot and relu, the score, and the loss: relu(1 - t y)
    assert recorded["nodes"] == 337 + 3 + 68
    assert recorded["edges"] == 16 * (2 * 2 + 1) + 16 * (2 * 16 + 1) + (2 * 16 + 1) + 32 + 2 + 1 + 1
    assert len(recorded["seconds"]) == 3


def cell(ours, theirs):
    return batches.Cell(0.5, pairs.Pairs([ours] * 4, [theirs] * 4))


def test_the_rows_of_a_batch_s_table():
    part = comparisons.Table("A title", "train", 1, ("numpy", "c"), {"c": comparisons.at_least(0.5)})
    run = measures.Run("native", {}, 3, 0.0, 1)
    results = {
        "numpy": {1: cell(1e-6, 2e-6), 100: "left out", 10_000: cell(1e-3, 1.5e-3)},
        "c": {1: cell(1e-6, 0.25e-6), 100: cell(1e-5, 4e-6), 10_000: cell(3e-3, 3e-3)},
    }
    firsts = dict.fromkeys(comparisons.BATCHES, 0.25)
    assert batches.row_of_ours(run, results, firsts) == [
        "ours: tape", "1 µs", "1", "10 µs", "1", "2 ms", "1", "250 ms", "",
    ]  # fmt: skip
    assert batches.row(run, part, "numpy", results["numpy"]) == [
        "NumPy by hand", "2 µs", "2 (2–2)", "left out", "—", "1.5 ms", "1.5 (1.5–1.5)",
    ]  # fmt: skip
    assert batches.row(run, part, "c", results["c"]) == [
        "C, -O3", "250 ns", "**0.25 (0.25–0.25)**", "4 µs", "**0.4 (0.4–0.4)**", "3 ms", "1 (1–1)", "500 ms",
        "≥ 0.5, is 0.4: **missed**",
    ]  # fmt: skip
    assert batches.who_is_faster(results) == (
        "Faster than the tape: with a batch of 1, C, -O3 (0.25); with a batch of 100, C, -O3 (0.4)."
    )
    assert batches.who_is_faster({"numpy": results["numpy"]}) == "None is faster than the tape."


def test_who_would_be_slow_is_left_out():
    limit = batches.SECONDS_A_STEP
    batches.refuse_slow({1: cell(1.0, limit)}, 100)  # of one example, most is not its own time
    batches.refuse_slow({100: cell(1.0, 0.009 * limit), 1: "crashed"}, 10_000)
    with pytest.raises(pairs.CannotError, match=r"^left out$"):
        batches.refuse_slow({100: cell(1.0, 0.011 * limit)}, 10_000)


# ---- the comparison


def test_a_ratio_is_the_median_of_the_pairs_ratios():
    turns = pairs.Pairs(ours=[1.0, 2.0, 10.0], theirs=[3.0, 4.0, 20.0])
    assert (turns.time, turns.ratio, turns.spread) == (4.0, 2.0, (2.0, 3.0))
    assert pairs.Pairs([1.0] * 5, [1.0, 2.0, 3.0, 4.0, 9.0]).spread == (1.5, 6.5)


@pytest.mark.parametrize(("seconds", "count"), [(0.0, 3), (1e9, 7)])
def test_turns_are_taken(seconds, count):
    log = []
    turns = pairs.taken_in_turns(lambda: log.append("ours") or 1.0, lambda: log.append("theirs") or 2.0, 7, seconds)
    assert log == ["ours", "theirs"] * count
    assert turns == pairs.Pairs([1.0] * count, [2.0] * count)


def test_a_worker_says_what_went_wrong_and_how_it_ended():
    with pairs.worker("floats") as worker:
        with pytest.raises(pairs.CannotError, match=r"^KeyError: 'unknown'$"):
            worker.ask("prepare", workload="unknown")
        computed = worker.ask("prepare", workload="readme")["numbers"]
        assert computed == list(workloads.readme_gradient(-4.0, 2.0))
        worker.process.kill()
        with pytest.raises(pairs.CannotError, match=r"crashed \(SIGKILL\)|exit code"):
            worker.ask("time", collector=True)


def test_the_table_of_a_comparison():
    comparison = comparisons.Comparison("readme", "A title", "A text.", ("floats", "micrograd"))
    run = measures.Run("python", {"micrograd": "not installed: no such module"}, pairs=3, seconds=0.0, processes=1)
    title, _, text, _, header, _, ours, floats, micrograd, *end = measures.measure_steps(run, comparison).split("\n")
    assert (title, text, end) == ("## A title", "A text.", [""])
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in (header, ours, floats, micrograd)]
    assert [row[0] for row in cells] == ["", "ours: Python", "plain floats", "micrograd"]
    assert {len(row) for row in cells} == {7}
    assert float(cells[2][2].split()[0]) < 1
    assert cells[3][1:] == ["not installed: no such module", *["—"] * 5]


def test_other_numbers_are_noticed():
    measures.same_numbers([1.0], [1.0 + 1e-12, 2.0])
    measures.same_numbers([1e-13, 1.0], [2e-13, 1.0])  # a difference of larger numbers
    with pytest.raises(pairs.CannotError, match=r"^computes other numbers: 3\.0 for 2\.0$"):
        measures.same_numbers([1.0, 3.0], [1.0, 2.0])


def test_budgets():
    assert comparisons.at_least(200).verdict(200.0) == "≥ 200, is 200: met"
    assert comparisons.at_least(200).verdict(199.0) == "≥ 200, is 199: **missed**"
    assert comparisons.Budget(15, unit=" ms").verdict(12.34) == "≤ 15 ms, is 12.3: met"
    assert comparisons.Budget(15, unit=" ms").verdict(15.1) == "≤ 15 ms, is 15.1: **missed**"


def test_durations_have_three_digits():
    seconds = [2.345, 0.0456, 7.891e-6, 0.00012345, 8.7e-8]
    assert list(map(report.duration, seconds)) == ["2.35 s", "45.6 ms", "7.89 µs", "123 µs", "87 ns"]


def test_the_results_in_the_repository_are_of_these_comparisons():
    results = (BENCHMARKS / "RESULTS.md").read_text(encoding="utf-8")
    titles = [line.removeprefix("## ") for line in results.splitlines() if line.startswith("## ")]
    assert titles == [comparison.title for comparison in comparisons.ALL]
