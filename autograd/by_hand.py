"""What has been set by hand: nodes that are no plain results of the table's operations."""

from __future__ import annotations

from autograd.engines import Value, engine

if engine == "native":
    from autograd.native import engine as native


def unusual_nodes(order: list[Value]) -> list[Value]:
    """The computed nodes that are no plain results of the table's operations. The derivatives of others are known."""
    if engine == "native":
        return native.unusual_nodes(order)
    step = Value._backward  # what has_own_backward() asks, many times faster
    return [
        node
        for node in order
        if node.parents and (node.operation is None or getattr(node._backward, "__func__", None) is not step)
    ]


def has_own_backward(node: Value) -> bool:
    """Whether an attribute, or a method of a subclass, stands in the place of Value's `_backward`."""
    own: bool = node._backward != Value._backward.__get__(node)
    return own


def lacks_derivatives(node: Value) -> bool:
    return len(node.local_derivatives) != len(node.parents)


def own_backward(node: Value, consequence: str) -> TypeError:
    """The error of whoever cannot run the `_backward` of a node: `so a tape cannot replay it`."""
    return TypeError(f"{node!r} has a _backward of its own, which only backward() runs, {consequence}")
