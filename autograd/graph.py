"""Walks over a graph: its nodes in topological order, and how many nodes, edges and leaves there are.

A graph is given by one or more of its nodes, the roots: all that they were computed from belongs to it. A walk
needs nothing of a node but its `parents`; the engines' Values have a number, too. It uses no recursion, so a graph's
depth is bounded by memory only, and every run visits the nodes alike.
"""

from __future__ import annotations

from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any, Protocol, Self, TypeVar

    class Node(Protocol):
        """Whatever knows the operands that it was computed from."""

        @property
        def parents(self) -> tuple[Self, ...]: ...

    N = TypeVar("N", bound=Node)


def topological_order(*roots: N, until: Collection[N] = ()) -> list[N]:
    """Every node of the graph once, each after all of its parents: in the order in which the nodes were created.

    A Value is created after its operands, and numbered. But parents that were given by hand later may be newer than
    their node. Where a graph has such a node, and where nodes have no numbers, the order is that of a search:
    depth-first post-order, with parents in their order.

    Nodes in `until` are left out, and with them what only they were computed from.

    Raises TypeError for what has no parents.
    """
    if not roots:
        return []
    if hasattr(type(roots[0]), "_topological_order"):  # the native engine's own walk
        walked: list[N] = roots[0]._topological_order(roots[1:], until)  # type: ignore[attr-defined]
        return walked
    for node in chain(roots, until):
        if not hasattr(node, "parents"):
            raise TypeError(f"expected Values, got {node!r} among them")
    are_numbered = all(hasattr(type(root), "_created") for root in roots)
    order = order_of_creation(roots, until) if are_numbered else None
    return depth_first_order(roots, until) if order is None else order


def order_of_creation(roots: Sequence[Any], until: Collection[Any]) -> list[Any] | None:
    """The Python engine's Values by their numbers; None if there is a parent that is not older than its node."""
    nodes: dict[int, Any] = {node._created: None for node in until}
    left_out, path = [*nodes], [*roots]
    while path:
        node = path.pop()
        number = node._created
        if number not in nodes:
            nodes[number] = node
            if node._dx is not None:
                path.append(node._x)
            if node._dy is not None:
                path.append(node._y)
            elif node._dx is None:
                parents = node._parents
                if node._operation is None and any(parent._created >= number for parent in parents):
                    return None
                path += [parent for parent in parents if parent._created not in nodes]
    for number in left_out:
        del nodes[number]
    return [nodes[number] for number in sorted(nodes)]


def depth_first_order(roots: Sequence[N], until: Collection[N]) -> list[N]:
    order: list[N] = []
    seen = {id(node) for node in until}
    for root in roots:
        if id(root) in seen:
            continue
        seen.add(id(root))
        path, node, unvisited = [], root, iter(root.parents)
        while True:
            for parent in unvisited:
                if (key := id(parent)) in seen:
                    continue
                seen.add(key)
                if parents := parent.parents:
                    path.append((node, unvisited))
                    node, unvisited = parent, iter(parents)
                    break
                order.append(parent)  # a leaf
            else:
                order.append(node)
                if not path:
                    break
                node, unvisited = path.pop()
    return order


def counts(*roots: N) -> dict[str, int]:
    """How many nodes, edges and leaves the graph has, and its depth (the edges of its longest path).

    Raises ValueError if it has a cycle, which parents that were given by hand can make: its longest path has no end.
    """
    order = topological_order(*roots)
    depth: dict[int, int] = {}
    for node in order:
        for parent in node.parents:
            if id(parent) not in depth:
                raise ValueError(f"counts: expected no cycle, but {parent!r}, a parent of {node!r}, depends on it")
        depth[id(node)] = max((depth[id(parent)] + 1 for parent in node.parents), default=0)
    return {
        "nodes": len(order),
        "edges": sum(len(node.parents) for node in order),
        "leaves": sum(not node.parents for node in order),
        "depth": max(depth.values(), default=0),
    }
