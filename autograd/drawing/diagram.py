"""A drawing shows a box for each Value, a circle for each operation, an edge for each local derivative.

The Value at place i of the topological order is the box `v<i>`, its operation the circle `o<i>`; the k-th product of a
`dot` that is spelled out is `v<i>.<k>` and `o<i>.<k>`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from autograd.engines import Value
from autograd.operations import OPERATIONS
from autograd.structures import number
from autograd.wording import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from autograd.operation import Operation
    from autograd.value import Scalar

BOX_CHARACTERS = 28  # of a label in its box, as layers[0].neurons[12].w[15] is; what is longer ends in …
HOVER_CHARACTERS = 1_000

DOT, MULTIPLY, SUM = (OPERATIONS[name] for name in ("dot", "multiply", "sum"))


@dataclass(frozen=True)
class Node:
    """What is shown of a Value, or of one of the products that a `dot` is spelled out in.

    `operands` are the operation's, with None where it got a Value; `parents` are the places of these. The gradient has
    room for `room` characters, so that another can take its place.
    """

    place: str
    label: object
    data: float
    grad: float
    op: str = ""
    operation: Operation | None = None
    operands: tuple[float | tuple[float | None, ...] | None, ...] = ()
    parents: tuple[str, ...] = ()
    local_derivatives: tuple[float, ...] = ()
    room: int = field(default=0, kw_only=True)

    @property
    def ranks(self) -> int:
        """How far the operands stand from the circle: many need room to fan out, with their labels beside them."""
        return min(1 + len(self.parents) // 6, 6)

    # The names: of the box, of the circle, of the edge from the circle to the box, and from the k-th parent.

    @property
    def box(self) -> str:
        return f"v{self.place}"

    @property
    def circle(self) -> str:
        return f"o{self.place}"

    @property
    def edge(self) -> str:
        return f"{self.circle} {self.box}"

    def edge_from(self, k: int) -> str:
        return f"v{self.parents[k]} {self.circle} {k}"


# ---- From Values to nodes.


def pictured(
    order: Sequence[Value], places: Mapping[Value, str], expand: bool, labels: Mapping[int, str] | None = None
) -> Iterator[Node]:
    """What is shown of Values in topological order; with `expand`, a `dot` as its products and their sum.

    `labels` are what some are called instead of by their own label, by their ids.
    """
    labels = labels or {}
    for node in order:
        if expand and node.operation is DOT:
            yield from spelled_out(node, places)
        else:
            yield Node(
                places[node], labels.get(id(node), node.label), node.data, node.grad, node.op, node.operation,
                tuple(map(constants_of, node.operands)), tuple(places[parent] for parent in node.parents),
                node.local_derivatives,
            )  # fmt: skip


def spelled_out(node: Value, places: Mapping[Value, str]) -> Iterator[Node]:
    """The products of a `dot`, and the sum of them and the bias.

    The derivative of w x with respect to w is x, for the `dot` as for the product: so the local derivatives that the
    `dot` recorded are the factors' numbers as well. In the sum every local derivative is 1, and so the adjoint of each
    product is that of the `dot`.
    """
    weights, inputs, bias = operands_of_dot(node)
    recorded = iter(node.local_derivatives)
    by_weight = [next(recorded) if isinstance(w, Value) else math.nan for w in weights]
    by_input = [next(recorded) if isinstance(x, Value) else math.nan for x in inputs]
    terms: list[str | float] = []
    for k, (w, x, dw, dx) in enumerate(zip(weights, inputs, by_weight, by_input, strict=True)):
        product = (dx if isinstance(x, Value) else number(w)) * (dw if isinstance(w, Value) else number(x))
        factors = [(places[factor], d) for factor, d in ((w, dw), (x, dx)) if isinstance(factor, Value)]
        if factors:
            place = f"{places[node]}.{k}"
            operands = constants_of(w), constants_of(x)
            yield Node(place, "", product, node.grad, MULTIPLY.symbol, MULTIPLY, operands, *zip(*factors, strict=True))
            terms.append(place)
        else:
            terms.append(product)
    if isinstance(bias, Value) or bias:
        terms.append(places[bias] if isinstance(bias, Value) else bias)
    parents = tuple(term for term in terms if isinstance(term, str))
    constants = tuple(None if isinstance(term, str) else term for term in terms)
    ones = (1.0,) * len(parents)
    yield Node(places[node], node.label, node.data, node.grad, SUM.symbol, SUM, (constants,), parents, ones)


def number_of_products(node: Value) -> int:
    """How many nodes `spelled_out` adds to the one."""
    if node.operation is not DOT:
        return 0
    weights, inputs, _ = operands_of_dot(node)
    return sum(isinstance(w, Value) or isinstance(x, Value) for w, x in zip(weights, inputs, strict=True))


def operands_of_dot(node: Value) -> tuple[tuple[Scalar, ...], tuple[Scalar, ...], Scalar]:
    operands: tuple[tuple[Scalar, ...], tuple[Scalar, ...], Scalar] = node.operands
    return operands


def constants_of(operand: object) -> float | tuple[float | None, ...] | None:
    """An operand where it is a number, or its numbers where it is a sequence: None in the place of each node."""
    if isinstance(operand, tuple):
        return tuple(element if isinstance(element, float) else None for element in operand)
    return operand if isinstance(operand, float) else None


def between(nodes: Sequence[Node], start: str, end: str) -> set[str]:
    """The names of all that lies on paths from the box at place `start` to that at `end`; none if there is no path."""
    after = {start}
    for node in nodes:  # parents come before their nodes
        if not after.isdisjoint(node.parents):
            after.add(node.place)
    before = {end}
    for node in reversed(nodes):
        if node.place in before:
            before.update(node.parents)
    within, names = after & before, set()
    for node in nodes:
        if node.place in within:
            names.add(node.box)
            passed = [node.edge_from(k) for k, parent in enumerate(node.parents) if parent in after]
            if passed:
                names.update(passed, [node.circle, node.edge])
    return names


# ---- Text. A label may hold anything, so all of it goes through `shown`.


def value_in_full(node: Node) -> list[str]:
    """What hovering over a box shows, line by line."""
    return [shown(node.label, HOVER_CHARACTERS), f"data {node.data!r}", f"grad {node.grad!r}"]


def operation_in_full(node: Node) -> list[str]:
    """What hovering over a circle shows."""
    if node.operation is None:
        return [shown(node.op, HOVER_CHARACTERS)]
    numbers = [f"{name} = {', '.join(map(repr, numbers))}" for name, numbers in constants(node)]
    return [
        f"{node.operation.signature} = {node.operation.formula}",
        *(shown(line, HOVER_CHARACTERS) for line in numbers),
    ]


def edge_in_full(node: Node, derivative: float | None = None) -> list[str]:
    """What hovering over an edge shows: over an operand's, the product that it adds to the operand's gradient.

    Once times the gradient is the gradient, which is not said twice: so it is at every sum.
    """
    if derivative is None:
        return [f"gradient {node.grad!r}"]
    product = "" if derivative == 1.0 else f" = {derivative * node.grad!r}"
    return [f"local derivative {derivative!r}", f"× gradient {node.grad!r}{product}"]


def symbols(node: Node) -> list[str]:
    """What stands in a circle: `2 *` or `** 3`, or a name with the numbers among its operands below, `slope = 0.01`."""
    symbol = str(node.op)
    below = []
    if node.operation and node.operation.is_infix:
        left, right = ("" if operand is None else short(operand) for operand in node.operands)  # type: ignore[arg-type]
        symbol = f"{left} {symbol} {right}".strip()
    else:
        below = [f"{name} = {', '.join(map(short, numbers))}" for name, numbers in constants(node)]
    return [shown(line, BOX_CHARACTERS) for line in (symbol, *below)]


def constants(node: Node) -> list[tuple[str, list[float]]]:
    """The operands that are numbers, or sequences with numbers among them: name in the table, and the numbers."""
    names = node.operation.operands if node.operation else ()
    sequences = [operand if isinstance(operand, tuple) else (operand,) for operand in node.operands]
    numbers = [[element for element in sequence if element is not None] for sequence in sequences]
    return [(name, constants) for name, constants in zip(names, numbers, strict=True) if constants]


def largest_flow(nodes: Iterable[Node]) -> float:
    """The largest of the gradients and of their products with local derivatives, by size; 0 if there is none."""
    flows = (flow for node in nodes for flow in (node.grad, *(d * node.grad for d in node.local_derivatives)))
    return max((abs(flow) for flow in flows if math.isfinite(flow)), default=0.0)


def short(number: float) -> str:
    return f"{number:.4g}"
