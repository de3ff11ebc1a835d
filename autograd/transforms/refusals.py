"""Refusals: derivatives that nobody knows are an error, and so is a rule on other data than a node was computed from.

A sweep takes the local derivatives that a node has recorded. So a node needs them, and no `_backward` of its own: what
that does is known only when it runs. To differentiate again, a sweep runs the table's rule on the operands of a node.
So their data must still be those that the node was computed from. A trace that is explained needs the same.
"""

from __future__ import annotations

import reprlib
from array import array

from autograd import structures
from autograd.by_hand import has_own_backward, lacks_derivatives, own_backward, unusual_nodes
from autograd.common import differentiated, evaluate, uncomputable
from autograd.engines import Value, engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from autograd.value import Operand

if engine == "native":
    from autograd.native import engine as native


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
    if engine == "native" and native.is_as_computed(node):
        return
    if change := contradiction(node):
        raise ValueError(
            f"{node!r} cannot be differentiated as it was computed: {change}: data have been assigned since; "
            "compute it again, and differentiate that"
        )


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
    return [*map(structures.number, operand)] if isinstance(operand, tuple) else structures.number(operand)


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
