"""Frees a graph of the Python engine one node after the other, however deep it is, where Python itself cannot.

A Value that dies lets go of its operands, which may die of that, and so on down the graph: a call within a call for
each. CPython notices when its stack runs short, and frees the rest later. WebAssembly keeps a stack of its own that
CPython doesn't see. There it ends first, and takes the interpreter with it. So in a browser a dying Value hands its
operands to a list, which is emptied by a loop.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from autograd.value import Value


def free_one_by_one(cls: type[Value]) -> None:
    """Gives the class, and so its subclasses, a `__del__` that frees operands by a loop."""
    waiting: list[object] = []
    emptying = False

    def hand_over(value: Value) -> None:
        nonlocal emptying
        waiting.extend(getattr(value, name, None) for name in ("_x", "_y", "_operands", "_parents"))
        value._x = value._y = None
        value._operands = value._parents = ()
        if emptying:
            return
        emptying = True
        try:
            while waiting:
                waiting.pop()  # a Value that dies of it hands over its own operands, and returns
        finally:
            emptying = False

    cls.__del__ = hand_over  # type: ignore[attr-defined]
