"""Refusals: derivatives that nobody knows are an error, and so is a rule on other data than a node was computed from.

A sweep takes the local derivatives that a node has recorded. So a node needs them, and no `_backward` of its own: what
that does is known only when it runs. To differentiate again, a sweep runs the table's rule on the operands of a node.
So their data must still be those that the node was computed from. A trace that is explained needs the same.
"""

from __future__ import annotations

from autograd.by_hand import change_since, has_own_backward, lacks_derivatives, own_backward, unusual_nodes
from autograd.common import uncomputable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from autograd.engines import Value


def check_derivatives(order: list[Value], variables: Collection[Value]) -> None:
    """Raises TypeError if a node of a topological order depends on the variables and its derivatives are not known."""
    unknown = {node for node in unusual_nodes(order) if has_own_backward(node) or lacks_derivatives(node)}
    if not unknown:
        return
    dependent = set(variables)
    for node in order:
        if not dependent.isdisjoint(node.parents):
            if node in unknown:
                raise unknown_derivatives(node)
            dependent.add(node)


def unknown_derivatives(node: Value) -> TypeError:
    unknown = "so its derivatives are not known; autograd.define() makes an operation that knows its own"
    if lacks_derivatives(node):
        return uncomputable(node, unknown)
    return own_backward(node, unknown)


def check_rule(node: Value) -> None:
    """Raises TypeError if a node has no rule, ValueError if its operands now give another result than it has."""
    if node.operation is None:
        raise uncomputable(node, "so its derivatives cannot be differentiated again")
    if change := change_since(node):
        raise ValueError(
            f"{node!r} cannot be differentiated as it was computed: {change}: data have been assigned since; "
            "compute it again, and differentiate that"
        )
