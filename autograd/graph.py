"""Walks over a graph: its nodes in topological order, and how many nodes, edges and leaves there are.

A graph is given by one or more of its nodes, the roots: all that they were computed from belongs to it. A walk
needs nothing of a node but its `parents`. It uses no recursion, so a graph's depth is bounded by memory only, and it
visits operands in their order, so every run visits the nodes alike.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Protocol, Self, TypeVar

    class Node(Protocol):
        """Whatever knows the operands that it was computed from."""

        @property
        def parents(self) -> tuple[Self, ...]: ...

    N = TypeVar("N", bound=Node)


def topological_order(*roots: N, until: Collection[N] = ()) -> list[N]:
    """Every node of the graph once, each after all of its parents (depth-first post-order).

    Nodes in `until` are left out, and with them what only they were computed from.
    """
    if roots and not until and hasattr(roots[0], "_topological_order"):  # the native engine's own walk
        walked: list[N] = roots[0]._topological_order(*roots[1:])
        return walked
    order: list[N] = []
    seen = {id(node) for node in until}  # not the nodes: those of a subclass may be equal, or have no hash
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
    """How many nodes, edges and leaves the graph has, and its depth (the edges of its longest path)."""
    order = topological_order(*roots)
    depth: dict[int, int] = {}
    for node in order:
        depth[id(node)] = max((depth[id(parent)] + 1 for parent in node.parents), default=0)
    return {
        "nodes": len(order),
        "edges": sum(len(node.parents) for node in order),
        "leaves": sum(not node.parents for node in order),
        "depth": max(depth.values(), default=0),
    }
