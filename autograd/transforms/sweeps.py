"""Sweeps carry derivatives along a recorded graph: forward from its variables, as tangents, or backward, as adjoints.

    tangent of a node     =  Σ over its parents         d node / d parent  *  tangent of the parent
    adjoint of a parent   =  Σ over the nodes of it     d node / d parent  *  adjoint of the node

A local derivative d node / d parent is the float that the node has recorded. A *tracked* node is one whose derivatives
will be differentiated again. Its local derivatives come from the table's rule on Values: they are graphs. The rule gets
nodes that are not tracked as numbers. So a result of a sweep is a Value just where it depends on a tracked node.

Products follow IEEE 754: 0 times inf is nan. So nothing is left out because it is 0. Only edges from nodes that do not
depend on the variables are left out. A variable with the seed 0.0 takes part in a sweep, one without a seed does not.
"""

from __future__ import annotations

from functools import reduce
from operator import add

from autograd import functions
from autograd.engines import Value, engine, recording
from autograd.graph import topological_order
from autograd.operation import Mathematics
from autograd.operations import OPERATIONS
from autograd.recording import Holdings
from autograd.transforms.refusals import check_derivatives, check_rule
from autograd.vectors import borrowed_gradients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from autograd.value import Scalar

    Edge: TypeAlias = tuple[Value, Scalar]  # a parent, and the derivative of the node with respect to it
    Step: TypeAlias = tuple[Value, list[Edge]]

if engine == "native":
    from autograd.native import engine as native


class Variable(Value):
    """A leaf in the place of a number that a function is differentiated by. Once that is done, it is a constant."""

    __slots__ = ()


# Of all functions that transforms are evaluating now, in any thread. Other transforms track what depends on these: a
# transform around them differentiates it.
evaluated = Holdings()


def open_variables() -> set[Value]:
    return set().union(*evaluated.contents())


def tracked_nodes(order: Sequence[Value], known: Collection[Value]) -> set[Value]:
    """The known nodes, and the nodes of a topological order that depend on them or on a leaf that is no Variable."""
    tracked = set(known)
    if not known and all(node.operation or isinstance(node, Variable) for node in order):
        return tracked  # as most often, and quickly: nobody's parents are asked for
    for node in order:
        parents = node.parents
        if not tracked.isdisjoint(parents) if parents else not isinstance(node, Variable):
            tracked.add(node)
    return tracked


@recording(raises=False)
def linearised(
    order: list[Value],
    variables: Collection[Value],
    tracked: Collection[Value],
    mathematics: Mathematics = functions.value_mathematics,
) -> list[Step]:
    """Each node of a topological order that depends on the variables, with its edges from parents that do, too.

    The function is linear in the tangents along these edges. Raises TypeError for a node of these whose derivatives are
    not known, or are to be differentiated again without a rule; ValueError where a rule meets other data than the node
    was computed from.
    """
    check_derivatives(order, variables)
    steps: list[Step] = []
    dependent = set(variables)
    for node in order:
        parents = node.parents
        if dependent.isdisjoint(parents):
            continue
        if node in tracked:
            check_rule(node)
            edges = list(edges_by_rule(node, dependent, tracked, mathematics))
        else:
            edges = [edge for edge in zip(parents, node.local_derivatives, strict=True) if edge[0] in dependent]
        dependent.add(node)
        steps.append((node, edges))
    return steps


def edges_by_rule(
    node: Value, dependent: Collection[Value], tracked: Collection[Value], mathematics: Mathematics
) -> Iterator[Edge]:
    assert node.operation is not None
    operands = [
        tuple([untracked(element, tracked) for element in operand])
        if isinstance(operand, tuple)
        else untracked(operand, tracked)
        for operand in node.operands
    ]
    for operand, partial in zip(node.operands, node.operation.partials, strict=True):
        elements = operand if isinstance(operand, tuple) else (operand,)
        if any(element in dependent for element in elements):
            result = partial(mathematics, node, *operands)
            derivatives = result if isinstance(operand, tuple) else [result]
            for element, derivative in zip(elements, derivatives, strict=True):
                if isinstance(element, Value) and element in dependent:
                    yield element, derivative


def untracked(operand: Scalar, tracked: Collection[Value]) -> Scalar:
    return operand.data if isinstance(operand, Value) and operand not in tracked else operand


@recording()
def push_forward(
    steps: Iterable[Step], tangents: dict[Value, Scalar], mathematics: Mathematics = functions.value_mathematics
) -> None:
    """Adds the tangents of the nodes to those of the variables that they depend on, as far as these have one."""
    for node, edges in steps:
        terms = [(derivative, tangents[parent]) for parent, derivative in edges if parent in tangents]
        if terms:
            tangents[node] = sum_of_products(terms, mathematics=mathematics)


@recording()
def pull_back(steps: Sequence[Step], adjoints: dict[Value, Scalar]) -> None:
    """Adds the adjoints of nodes and variables to those of the outputs that depend on them, in `backward()`'s order."""
    arrived: dict[Value, list[tuple[Scalar, Scalar]]] = {}
    for node, edges in reversed(steps):
        if node in arrived:
            adjoints[node] = sum_of_products(arrived.pop(node), adjoints.get(node, 0.0))
        if node in adjoints:
            for parent, derivative in edges:
                arrived.setdefault(parent, []).append((derivative, adjoints[node]))
    for variable, terms in arrived.items():
        adjoints[variable] = sum_of_products(terms, adjoints.get(variable, 0.0))


def sum_of_products(
    terms: Sequence[tuple[Scalar, Scalar]],
    start: Scalar = 0.0,
    mathematics: Mathematics = functions.value_mathematics,
) -> Scalar:
    """start + Σ x * y, from left to right. Many terms with Values among them are one node, and not two nodes each."""
    if len(terms) > 2 and any(isinstance(factor, Value) for term in terms for factor in term):
        left, right = zip(*terms, strict=True)
        result: Scalar = functions.dot(left, right, start)
        return result
    return reduce(plus, [times(*term, mathematics) for term in terms], start)


# ---- The same on floats, by the engine, many times faster. It sets `grad`, so nobody else may hold the graph.


def adjoints_by_engine(seeds: Mapping[Value, Scalar], variables: list[Value]) -> list[Scalar]:
    """The adjoints that `pull_back` finds for the variables, from the seeds of outputs, by `backward()`."""
    if not seeds:
        return [0.0] * len(variables)
    root, seed = next(iter(seeds.items()))
    if len(seeds) > 1:
        with recording(raises=False):
            root, seed = functions.dot(list(seeds), list(seeds.values())), 1.0
    order = topological_order(root)
    check_derivatives(order, variables)
    with borrowed_gradients([*order, *variables]):
        root.backward(seed)
        return [variable.grad for variable in variables]


def tangents_by_engine(
    order: list[Value], variables: list[Value], directions: Iterable[Mapping[Value, Scalar]], outputs: Sequence[Scalar]
) -> list[list[Scalar]]:
    """The tangents that `push_forward` finds for the outputs, in each direction: the seeds of some of the variables."""
    check_derivatives(order, variables)
    found: list[list[Scalar]] = []
    with borrowed_gradients([*order, *variables]):
        for seeds in directions:
            for variable, seed in seeds.items():
                variable.grad = seed
            push_forward_floats(order, list(seeds))
            found.append([output.grad if isinstance(output, Value) else 0.0 for output in outputs])
            for variable in seeds:
                variable.grad = 0.0
    return found


def push_forward_floats(order: list[Value], variables: list[Value]) -> None:
    """Sets the `grad` of every computed node of a topological order to its tangent, from those of the variables.

    It is 0 where the node does not depend on them. Where it does, its local derivatives must be known.
    """
    if engine == "native":
        native.push_forward(order, variables)
        return
    dependent = set(variables)
    for node in order:
        if parents := node.parents:
            node.grad = 0.0
            if not dependent.isdisjoint(parents):
                edges = zip(parents, node.local_derivatives, strict=True)
                node.grad = reduce(add, [d * parent.grad for parent, d in edges if parent in dependent], 0.0)
                dependent.add(node)


def seeded(nodes: Iterable[Scalar], seeds: Iterable[Scalar]) -> dict[Value, Scalar]:
    """The start of a sweep backward, the adjoints of outputs: of a node that is several outputs, their sum."""
    derivatives: dict[Value, Scalar] = {}
    for node, seed in zip(nodes, seeds, strict=True):
        if isinstance(node, Value):
            derivatives[node] = plus(derivatives.get(node, 0.0), seed)
    return derivatives


def found(nodes: Iterable[Scalar], derivatives: Mapping[Value, Scalar]) -> list[Scalar]:
    """The derivative that a sweep has found for each of the nodes, or 0 if nothing has come to it."""
    return [derivatives.get(node, 0.0) if isinstance(node, Value) else 0.0 for node in nodes]


def times(x: Scalar, y: Scalar, mathematics: Mathematics = functions.value_mathematics) -> Scalar:
    """x * y, with no node for a factor 1. A factor 0 has one: the derivative of the other may be inf."""
    if not isinstance(x, Value):
        if not isinstance(y, Value):
            return x * y
        x, y = y, x
    if not isinstance(y, Value) and y == 1.0:
        return x
    product: Scalar = mathematics.multiply(x, y)
    return product


def plus(x: Scalar, y: Scalar) -> Scalar:
    """x + y, with no node for a term 0."""
    if isinstance(x, Value):
        x, y = y, x
    return y if isinstance(y, Value) and not isinstance(x, Value) and x == 0.0 else x + y


def without_repetition() -> Mathematics:
    """The table's functions on Values. A second call with the same operands returns the result of the first.

    With them a derivative's graph grows with a power of its order, and not exponentially.
    """
    known: dict[tuple[object, ...], Scalar] = {}

    def remembering(name: str, function: Callable[..., Scalar]) -> Callable[..., Scalar]:
        def call(*operands: Scalar) -> Scalar:
            key = (name, *[x if isinstance(x, Value) or x != 0.0 else repr(x) for x in operands])  # -0.0 is not 0.0
            result = known.get(key)
            if result is None and name == "multiply":
                result = known.get((name, *key[:0:-1]))
            if result is None:
                result = known[key] = function(*operands)
            return result

        return call

    given = functions.value_mathematics.given
    scalar = [name for name in given if name in OPERATIONS and not OPERATIONS[name].sequences]
    return Mathematics(**given | {name: remembering(name, given[name]) for name in scalar})
