"""find_groups() finds the layers in a Wengert list: instructions that are alike and need nothing of each other.

A list is flat, but its structure is all there. Neurons that share the sequence of their inputs are a layer, a product
of a matrix with the batch. The instructions of one operation that stand as deep in the graph are a group, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograd.engines import engine
from autograd.operations import ROW
from autograd.tape.chains import ADDED, find_chains
from autograd.tape.wengert import ON_INPUTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograd.tape.wengert import WengertList

if engine == "native":
    from autograd.native import engine as native

PRODUCT = -1  # in the place of a row

DOT = ROW["dot"]


@dataclass
class Group:
    """Instructions of one operation, whose sequences have one length, at one depth.

    row      the row of the table; PRODUCT for a Product
    length   of their sequences; 1 without
    results  the variables that they compute, in the order of Groups
    """

    row: int
    length: int
    results: list[int]


@dataclass
class Product(Group):
    """Neurons with the same inputs: result_j = bias_j + Σ_k weight_jk input_k, from left to right.

    weights  for each neuron the variables of its weights, which depend on no input
    inputs   their variables, of which at least one depends on the tape's inputs, and none stands there twice
    biases   for each neuron the variable of its bias: all depend on the tape's inputs, or none does

    A neuron is one `dot`, or a chain of products and sums of which nothing else uses a part: they are the same sums in
    the same order. Then its result is that of the last sum:

    bias + w1 * x1 + w2 * x2 + …
    w1 * x1 + w2 * x2 + … + b     the bias is NOTHING, and b the weight of an input that is ONE
    sum([w1 * x1, w2 * x2, …])    the bias is ZERO, with which `sum` begins; b among the terms is again a weight of ONE
    """

    weights: list[list[int]]
    inputs: list[int]
    biases: list[int]


@dataclass
class Groups:
    """The instructions that depend on inputs, as groups. Everything else is the same for all examples.

    groups     in an order in which each needs only groups before it
    constants  the list's, and behind them those that are ADDED
    order      the results of the whole list, in an order in which a single example can be computed: without what is
               inside of chains, and with each variable's uses as the list has them
    parts      for the sweep backward, which takes them from the last to the first: (group, first, end) are some
               results of a group, whose adjoints are known then: neurons of a product, or dots. In this order each
               variable's adjoint is summed up as the list does, from its last use to its first, so that the sum's bits
               do not depend on the groups.
    """

    groups: list[Group]
    constants: list[float]
    order: list[int]
    parts: list[tuple[int, int, int]]


def find_groups(wengert: WengertList) -> Groups:
    """The groups of a list, in time and memory linear in its length. Raises ValueError if the list is damaged."""
    if engine == "native" and not wengert.defined_at_run_time():
        return decoded(memoryview(native.groups(*wengert.parts())).cast("i"), constants_of(wengert))
    return grouped(wengert)


def constants_of(wengert: WengertList) -> list[float]:
    return [*wengert.constants.tolist(), *ADDED]


def decoded(numbers: Sequence[int], constants: list[float]) -> Groups:
    """What native/groups.c has found, from its numbers."""
    place = 0

    def take(count: int) -> list[int]:
        nonlocal place
        place += count
        return list(numbers[place - count : place])

    groups: list[Group] = []
    [count] = take(1)
    for _ in range(count):
        row, length, members = take(3)
        results = take(members)
        if row == PRODUCT:
            weights = [take(length) for _ in range(members)]
            groups.append(Product(row, length, results, weights, take(length), take(members)))
        else:
            groups.append(Group(row, length, results))
    [count] = take(1)
    order = take(count)
    [count] = take(1)
    return Groups(
        groups, constants, order, [(group, first, end) for group, first, end in (take(3) for _ in range(count))]
    )


# ---- The specification, whose compiled twin is in native/groups.c


@dataclass
class Unit:
    """An instruction, or a chain that is a neuron, with all variables that it needs and that depend on inputs."""

    row: int
    length: int
    result: int
    needed: list[int]
    weights: list[int]
    inputs: list[int]
    bias: int


def grouped(wengert: WengertList) -> Groups:
    constants = constants_of(wengert)
    varies = [bool(mark & ON_INPUTS) for mark in wengert.dependences.tolist()] + [False] * len(constants)
    groups: list[Group] = []
    depths: list[int] = []
    group_of: dict[tuple[object, ...], int] = {}
    places = []  # of each unit, its group and its place there
    depth = [0] * len(varies)
    units, line = find_units(wengert, varies)
    for unit in units:
        depth[unit.result] = 1 + max((depth[variable] for variable in unit.needed), default=0)
        key: tuple[object, ...] = (depth[unit.result], unit.row, unit.length)
        if unit.row == PRODUCT:
            key += (varies[unit.bias], *unit.inputs)
        number = group_of.setdefault(key, len(groups))
        if number == len(groups):
            is_product = unit.row == PRODUCT
            shape = unit.row, unit.length
            groups.append(Product(*shape, [], [], unit.inputs, []) if is_product else Group(*shape, []))
            depths.append(depth[unit.result])
        group = groups[number]
        places.append((number, len(group.results)))
        group.results.append(unit.result)
        if isinstance(group, Product):
            group.weights.append(unit.weights)
            group.biases.append(unit.bias)
    order = sorted(range(len(groups)), key=depths.__getitem__)
    rank = {number: k for k, number in enumerate(order)}
    parts = find_parts(units, [(rank[number], place) for number, place in places], len(varies))
    return Groups([groups[number] for number in order], constants, line, parts)


def find_parts(units: list[Unit], places: list[tuple[int, int]], variables: int) -> list[tuple[int, int, int]]:
    """The parts, in their order: each after what computes its operands, and after all earlier uses of these.

    Neurons of one product, and the dots of a group, stay together, as long as no other use of an input stands between
    theirs.
    """
    parts: list[Part] = []
    latest: dict[int, Part] = {}  # of each product, and of each group of dots, its latest part
    depth: list[int] = [0] * variables  # of each variable: that of its part
    last_use: dict[int, Part] = {}
    for unit, (group, place) in zip(units, places, strict=True):
        mine = latest.get(group)
        needed = 1
        for variable in unit.needed:
            use = last_use.get(variable)
            needed = max(needed, 1 + depth[variable], 1 + use.depth if use and use is not mine else 0)
        if mine and mine.depth >= needed:
            mine.end = place + 1
        else:
            mine = Part(group, place, place + 1, needed, [])
            parts.append(mine)
            if unit.row in (PRODUCT, DOT):
                latest[group] = mine
        mine.units.append(unit)
        depth[unit.result] = mine.depth
        for variable in unit.needed:
            last_use[variable] = mine
    parts.sort(key=lambda part: part.depth)
    joined = join_parts(parts)
    return [(part.group, part.first, part.end) for part in (joined if len(joined) < len(parts) else parts)]


@dataclass
class Part:
    """Some units of a group: from `first` to before `end`."""

    group: int
    first: int
    end: int
    depth: int
    units: list[Unit]


def join_parts(parts: list[Part]) -> list[Part]:
    """The same from the end, as early in the sweep backward as can be, where other parts of a product come together.

    These are, among others, neurons whose biases use one variable, each after the one before.
    """
    joined: list[Part] = []
    latest: dict[int, Part] = {}
    next_use: dict[int, Part] = {}
    for part in reversed(parts):
        mine = latest.get(part.group)
        uses = [next_use.get(v) for unit in part.units for v in (*unit.needed, unit.result)]
        needed = 1 + max((use.depth for use in uses if use and use is not mine), default=0)
        if mine and mine.first == part.end and mine.depth >= needed:
            mine.first = part.first
        else:
            mine = Part(part.group, part.first, part.end, needed, [])
            joined.append(mine)
            if part.units[0].row in (PRODUCT, DOT):
                latest[part.group] = mine
        for unit in part.units:
            for variable in unit.needed:
                next_use[variable] = mine
    joined.sort(key=lambda part: part.depth)
    return joined[::-1]


def find_units(wengert: WengertList, varies: list[bool]) -> tuple[list[Unit], list[int]]:
    """What depends on inputs, without what is inside of chains; and the order, which they are in."""
    first = wengert.first_result
    rows, lengths = wengert.rows.tolist(), wengert.lengths.tolist()
    operands = [flat(read) for _, _, read in wengert.instructions()]
    chains, order = find_chains(wengert, operands, varies)

    def unit(k: int) -> Unit:
        neuron: Neuron | None = None
        if k in chains:
            neuron = chains[k].weights, chains[k].inputs, chains[k].bias
        elif rows[k] == DOT:
            neuron = neuron_of_dot(operands[k], lengths[k], varies)
        if neuron is None:
            return Unit(rows[k], lengths[k], first + k, [v for v in operands[k] if varies[v]], [], [], 0)
        weights, inputs, bias = neuron
        needed = [v for v in (*inputs, bias) if varies[v]]
        return Unit(PRODUCT, len(inputs), first + k, needed, weights, inputs, bias)

    return [unit(k) for k in order if varies[first + k]], [first + k for k in order]


def flat(operands: list[int | list[int]]) -> list[int]:
    return [variable for operand in operands for variable in (operand if isinstance(operand, list) else [operand])]


Neuron = tuple[list[int], list[int], int]  # weights, inputs, bias


def neuron_of_dot(operands: list[int], length: int, varies: list[bool]) -> Neuron | None:
    """The dot as a neuron, if the factors on one side depend on no input and those on the other are all different."""
    left, right, bias = operands[:length], operands[length:-1], operands[-1]
    for weights, inputs in ((left, right), (right, left)):
        if any(varies[v] for v in weights) or not any(varies[v] for v in inputs):
            continue
        variables = [v for v in (*inputs, *[bias] * varies[bias]) if v >= 0]
        if len(set(variables)) == len(variables):
            return weights, inputs, bias
    return None
