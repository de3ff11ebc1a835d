"""The layered layout: nothing overlaps, edges go forward and end on their nodes, and depth costs no stack."""

from __future__ import annotations

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd.drawing.layered import BOW, LONG, MOST_IN_A_TURN, Edge, increasing, lay_out

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


@settings(deadline=None, max_examples=60)
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


@settings(deadline=None, max_examples=60)
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


@settings(deadline=None, max_examples=60)
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


@settings(deadline=None, max_examples=60)
@given(graphs(), st.sampled_from(RANKDIRS))
def test_the_same_graph_gives_the_same_layout(graph, rankdir):
    assert lay_out(*graph[:2], rankdir, graph[2]) == lay_out(*graph[:2], rankdir, graph[2])


@settings(deadline=None, max_examples=60)
@given(graphs())
def test_the_other_directions_are_the_same_picture_mirrored(graph):
    sizes, edges, rounds = graph
    there, back = lay_out(sizes, edges, "LR", rounds), lay_out(sizes, edges, "RL", rounds)
    for name, (x, y) in there.centres.items():
        assert back.centres[name] == pytest.approx((there.width - x, y), abs=0.02)


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 10)), min_size=1, max_size=12))
def test_pooling_finds_the_least_squares_with_increasing_numbers(pairs):
    """By the conditions of Karush, Kuhn and Tucker: within a pool, no beginning of it wants to be lower."""
    wanted, weights = zip(*pairs, strict=True)
    found = increasing(wanted, weights)
    assert all(one <= other for one, other in pairwise(found))
    pull = [w * (x - y) for w, x, y in zip(weights, found, wanted, strict=True)]
    multiplier = 0.0
    for k, force in enumerate(pull):
        multiplier += force
        assert multiplier <= 1e-7
        if k + 1 < len(found) and found[k] < found[k + 1]:
            assert multiplier == pytest.approx(0, abs=1e-7)
    assert multiplier == pytest.approx(0, abs=1e-7)


def chain(count, label=None):
    sizes = {f"n{k}": (40.0, 20.0) for k in range(count)}
    return sizes, [Edge(f"e{k}", f"n{k}", f"n{k + 1}", label) for k in range(count - 1)]


def test_a_tree_has_no_crossing_and_a_chain_no_bend():
    layout = lay_out(*chain(10))
    assert len({y for _, y in layout.centres.values()}) == 1
    assert all(len({y for _, y in curve}) == 1 for curve in layout.curves.values())
    sizes = {f"n{k}": (10.0, 10.0) for k in range(31)}  # the leaves of a binary tree first, its root last
    edges = [Edge(f"e{k}", f"n{k}", f"n{16 + k // 2}") for k in range(30)]
    tree = lay_out(sizes, edges)
    for one, other in combinations(edges, 2):
        (x, y), (end_x, end_y) = (tree.centres[edge.tail] for edge in (one, other))
        if x == end_x:
            assert (y - end_y) * (tree.centres[one.head][1] - tree.centres[other.head][1]) >= 0


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


def test_rows_are_joined_by_few_edges_and_their_bows_lie_one_within_the_other():
    """Three chains side by side: bows that begin outside stay outside."""
    sizes = {f"n{lane}{k}": (40.0, 20.0) for k in range(120) for lane in "abc"}
    edges = [Edge(f"{lane}{k}", f"n{lane}{k}", f"n{lane}{k + 1}") for k in range(119) for lane in "abc"]
    layout = lay_out(sizes, edges)
    bows = [curve for curve in layout.curves.values() if abs(curve[-1][1] - curve[0][1]) > 30]
    assert len(bows) >= 3
    reaches = sorted((abs(bow[-1][1] - bow[0][1]), abs(bow[1][0] - bow[0][0])) for bow in bows[:3])
    assert [reach for _, reach in reaches] == sorted(reach for _, reach in reaches)
    assert reaches[1][1] - reaches[0][1] == pytest.approx(BOW * 4 / 3, abs=0.02)
    lanes = range(MOST_IN_A_TURN + 1)
    sizes = {f"n{lane} {k}": (40.0, 20.0) for k in range(120) for lane in lanes}
    edges = [Edge(f"{lane} {k}", f"n{lane} {k}", f"n{lane} {k + 1}") for k in range(119) for lane in lanes]
    assert lay_out(sizes, edges).width > 4 * LONG  # so many bows would be a tangle: one row


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
