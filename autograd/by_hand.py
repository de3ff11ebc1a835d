"""What has been set by hand: parents, a `_backward` of one's own, data that others have been computed from."""

from __future__ import annotations

import reprlib
from array import array

from autograd import structures
from autograd.common import differentiated, evaluate
from autograd.engines import Value, engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd.value import Operand

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


# ---- Data that have been assigned since


def change_since(node: Value) -> str:
    """What `contradiction` says of a node that the table computed, sooner where there is nothing to say."""
    return "" if engine == "native" and native.is_as_computed(node) else contradiction(node)


def contradiction(node: Value) -> str:
    """What the operands of a node that the table computed now give, in words; "" if they give what it has recorded.

    That is its value and every local derivative, bit for bit, with any nan for a nan. To be called where operations
    follow IEEE 754, within recording(raises=False).
    """
    numbers = [numbers_of(operand) for operand in node.operands]
    fresh, recorded = computed_again(node, numbers), [node.data, *node.local_derivatives]
    if are_same(fresh, recorded):
        return ""
    assert node.operation is not None
    call = f"{node.operation.name}({', '.join(map(reprlib.repr, numbers))})"
    result = f" = {fresh[0]}" if fresh else ", which is an error"
    if fresh and are_same(fresh[:1], recorded[:1]):
        result += f", with the local derivatives {reprlib.repr(fresh[1:])} in place of {reprlib.repr(recorded[1:])}"
    labels = [getattr(operand, "label", "") for operand in node.operands]
    return f"its operands now give {call}{result}{node.operation.labelled(labels)}"


def numbers_of(operand: Operand) -> float | list[float]:
    """What it was computed from: a subclass may show other `data`."""
    if isinstance(operand, tuple):
        return [x._number if isinstance(x, Value) else structures.number(x) for x in operand]
    return operand._number if isinstance(operand, Value) else structures.number(operand)


def computed_again(node: Value, numbers: Sequence[float | list[float]]) -> list[float]:
    """The value that the table's rules give on these numbers, and then the local derivatives; nothing on an error."""
    assert node.operation is not None
    try:
        value = evaluate(node.operation, numbers, node.operands)
        return [value, *differentiated(node.operation, value, numbers, node.operands, Value)[1]]
    except (ValueError, ArithmeticError):  # the numbers are outside of the domain
        return []


def are_same(x: list[float], y: list[float]) -> bool:
    """Whether the numbers are the same, bit for bit, with any nan for a nan."""
    if x == y and 0.0 not in x:  # as most often, and quickly
        return True
    return array("d", x).tobytes() == array("d", y).tobytes() or repr(x) == repr(y)
