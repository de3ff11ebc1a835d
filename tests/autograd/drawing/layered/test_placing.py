"""The layered layout: nothing overlaps, edges go forward and end on their nodes, and depth costs no stack."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from autograd.drawing.layered import Edge, lay_out
from autograd.drawing.layered.rows import LONG

RANKDIRS = ("LR", "TB", "RL", "BT")


@st.composite
def graphs(draw, most=14):
    count = draw(st.integers(1, most))
    sides = st.floats(1, 200)
    sizes = {f"n{k}": (draw(sides), draw(sides)) for k in range(count)}
    labels = st.none() | st.tuples(st.floats(1, 90), st.floats(1, 20))
    edges = []
    for k in range(draw(st.integers(0, 3 * count)) if count > 1 else 0):
        tail, head = sorted(draw(st.lists(st.integers(0, count - 1), min_size=2, max_size=2, unique=True)))
        edges.append(Edge(f"e{k}", f"n{tail}", f"n{head}", draw(labels)))
    rounds = {name for name in sizes if draw(st.booleans())}
    return sizes, edges, rounds


def boxes(layout, edges=()):
    sizes = layout.sizes | {edge.name: edge.label for edge in edges if edge.label}
    for name, (x, y) in (layout.centres | layout.labels).items():
        width, height = sizes[name]
        yield x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(one, other):
    return min(one[2], other[2]) - max(one[0], other[0]) > 0.02 and min(one[3], other[3]) - max(one[1], other[1]) > 0.02


def on_border(layout, name, point, is_round):
    (x, y), (width, height) = layout.centres[name], layout.sizes[name]
    dx, dy = abs(point[0] - x) / (width / 2), abs(point[1] - y) / (height / 2)
    slack = 0.03 / min(width, height)
    return (
        math.hypot(dx, dy) == pytest.approx(1, abs=0.05 + slack)
        if is_round
        else max(dx, dy) == pytest.approx(1, abs=slack + 0.01)
    )


@settings(deadline=None, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(graphs(), st.sampled_from(RANKDIRS))
def test_nothing_overlaps_and_all_lies_within_the_picture(graph, rankdir):
    sizes, edges, rounds = graph
    layout = lay_out(sizes, edges, rankdir, rounds)
    assert layout.centres.keys() == layout.sizes.keys() == sizes.keys()
    assert layout.curves.keys() == {edge.name for edge in edges}
    assert layout.labels.keys() == {edge.name for edge in edges if edge.label}
    for one, other in combinations(boxes(layout, edges), 2):
        assert not overlap(one, other)
    for left, top, right, bottom in boxes(layout, edges):
        assert min(left, top) >= 0
        assert right <= layout.width
        assert bottom <= layout.height
    for curve in layout.curves.values():
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in curve)


@settings(deadline=None, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(graphs(), st.sampled_from(RANKDIRS))
def test_edges_leave_and_reach_their_nodes_and_always_go_forward(graph, rankdir):
    sizes, edges, rounds = graph
    layout = lay_out(sizes, edges, rankdir, rounds)
    axis, sign = (0 if rankdir in ("LR", "RL") else 1), (1 if rankdir in ("LR", "TB") else -1)
    is_one_row = layout.width if axis == 0 else layout.height
    for edge in edges:
        curve = layout.curves[edge.name]
        assert len(curve) % 3 == 1
        assert on_border(layout, edge.tail, curve[0], edge.tail in rounds)
        assert on_border(layout, edge.head, curve[-1], edge.head in rounds)
        if is_one_row < LONG:
            along = [sign * point[axis] for point in curve]
            assert all(one <= other + 0.01 for one, other in pairwise(along))
            assert sign * layout.centres[edge.tail][axis] < sign * layout.centres[edge.head][axis]


@settings(deadline=None, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(graphs(), st.sampled_from(RANKDIRS))
def test_no_edge_passes_under_a_node_or_a_label_that_is_not_its_own(graph, rankdir):
    sizes, edges, rounds = graph
    layout = lay_out(sizes, edges, rankdir, rounds)
    shapes = dict(zip([*layout.centres, *layout.labels], boxes(layout, edges), strict=True))
    for edge in edges:
        for x, y in points_on(layout.curves[edge.name]):
            for name, (left, top, right, bottom) in shapes.items():
                if name not in (edge.tail, edge.head):
                    assert not (left + 1 < x < right - 1 and top + 1 < y < bottom - 1), (edge, name)


def points_on(curve, steps=16):
    """Points of Bézier's pieces, by Bernstein's polynomials."""
    for start in range(0, len(curve) - 1, 3):
        for k in range(steps + 1):
            t = k / steps
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
            piece = curve[start : start + 4]
            yield tuple(sum(w * point[axis] for w, point in zip(weights, piece, strict=True)) for axis in (0, 1))


@settings(deadline=None, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(graphs(), st.sampled_from(RANKDIRS))
def test_the_same_graph_gives_the_same_layout(graph, rankdir):
    assert lay_out(*graph[:2], rankdir, graph[2]) == lay_out(*graph[:2], rankdir, graph[2])


@settings(deadline=None, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(graphs())
def test_the_other_directions_are_the_same_picture_mirrored(graph):
    sizes, edges, rounds = graph
    there, back = lay_out(sizes, edges, "LR", rounds), lay_out(sizes, edges, "RL", rounds)
    for name, (x, y) in there.centres.items():
        assert back.centres[name] == pytest.approx((there.width - x, y), abs=0.02)


def chain(count, label=None):
    sizes = {f"n{k}": (40.0, 20.0) for k in range(count)}
    return sizes, [Edge(f"e{k}", f"n{k}", f"n{k + 1}", label) for k in range(count - 1)]


def test_an_edge_that_goes_backward_is_drawn_from_its_tail_to_its_head():
    sizes = dict.fromkeys("abc", (40.0, 20.0))
    edges = [Edge("ab", "a", "b"), Edge("bc", "b", "c"), Edge("ca", "c", "a", (20.0, 10.0))]
    layout = lay_out(sizes, edges)
    assert on_border(layout, "c", layout.curves["ca"][0], False)
    assert on_border(layout, "a", layout.curves["ca"][-1], False)


def test_edges_that_pass_very_many_ranks_go_straight_over_them():
    """A node that all of a long chain uses: a slot for each passing would be quadratic."""
    sizes, edges = chain(1000)
    edges += [Edge(f"far{k}", "n0", f"n{k}", (20.0, 10.0)) for k in range(2, 1000)]
    layout = lay_out(sizes, edges)
    assert len(layout.curves["far999"]) < 20
    assert on_border(layout, "n999", layout.curves["far999"][-1], False)
    assert sum(map(len, layout.curves.values())) < 100_000


def test_depth_is_bounded_by_memory_only():
    layout = lay_out(*chain(20_000))
    assert len(layout.centres) == 20_000


def test_nothing_is_an_empty_picture():
    layout = lay_out({}, [])
    assert (layout.centres, layout.curves, layout.labels) == ({}, {}, {})
    assert layout.width > 0
    assert layout.height > 0


@pytest.mark.parametrize("edge", [Edge("e", "a", "b"), Edge("e", "b", "a"), Edge("e", "a", "a")])
def test_an_edge_needs_two_nodes(edge):
    with pytest.raises(ValueError, match="expected an edge between two of the nodes, got Edge"):
        lay_out({"a": (1.0, 1.0)}, [edge])


@pytest.mark.parametrize("rankdir", RANKDIRS)
def test_a_long_chain_is_bent_into_rows_that_go_to_and_fro(rankdir):
    sizes, edges = chain(200, (20.0, 10.0))
    layout = lay_out(sizes, edges, rankdir)
    longest = max(layout.width, layout.height)
    assert longest < 2 * LONG
    assert max(layout.width, layout.height) / min(layout.width, layout.height) < 4
    for one, other in combinations(boxes(layout, edges), 2):
        assert not overlap(one, other)
    axis = 0 if rankdir in ("LR", "RL") else 1
    across = [layout.centres[f"n{k}"][1 - axis] for k in range(200)]
    assert across == sorted(across)
    steps = [layout.centres[f"n{k + 1}"][axis] - layout.centres[f"n{k}"][axis] for k in range(199)]
    assert min(steps) < 0 < max(steps)
    for curve in layout.curves.values():
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in curve)
