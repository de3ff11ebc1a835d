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
    import comparisons
    import contestants
    import growth
    import measures
    import pairs
    import report
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
    all_of_them = (*comparisons.STEPS, comparisons.MILLION, comparisons.DEEP, comparisons.IMPORT)
    assert titles == [comparison.title for comparison in all_of_them]
