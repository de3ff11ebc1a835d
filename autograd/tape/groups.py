"""find_groups() finds the layers in a Wengert list: instructions that are alike and need nothing of each other.

A list is flat, but its structure is all there. Neurons that share the sequence of their inputs are a layer, a product
of a matrix with the batch. The instructions of one operation that stand as deep in the graph are a group, too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autograd.engines import engine
from autograd.operations import ROW
from autograd.tape.wengert import ON_INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autograd.tape.wengert import WengertList

if engine == "native":
    from autograd.native import engine as native

PRODUCT = -1  # in the place of a row

ADD, MULTIPLY, SUM, DOT = ROW["add"], ROW["multiply"], ROW["sum"], ROW["dot"]

# Products may name these constants too, which stand behind the list's own. To add -0.0 changes no number, not even 0.0.
ADDED = NOTHING, ZERO, ONE = -0.0, 0.0, 1.0


@dataclass
class Group:
    """Instructions of one operation, whose sequences have one length, at one depth.

    row      the row of the table; PRODUCT for a Product
    length   of their sequences; 1 without
    results  the variables that they compute, in the order of their places in the list
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
    stands   for each neuron the result in whose place it is computed: its own, that of the sum before a late bias, or
             that of its last product, where all products come before all sums

    A neuron is one `dot`, or a chain of products and sums of which nothing else uses a part: they are the same sums in
    the same order. Then its result is that of the last sum:

    bias + w1 * x1 + w2 * x2 + …
    w1 * x1 + w2 * x2 + … + b     the bias is NOTHING, and b the weight of an input that is ONE
    sum([w1 * x1, w2 * x2, …])    the bias is ZERO, with which `sum` begins; b among the terms is again a weight of ONE
    """

    weights: list[list[int]]
    inputs: list[int]
    biases: list[int]
    stands: list[int]


@dataclass
class Groups:
    """The instructions that depend on inputs, as groups. Everything else is the same for all examples.

    groups     in an order in which each needs only groups before it
    constants  the list's, and behind them those that are ADDED
    parts      for the sweep backward, which takes them from the last to the first: (group, first, end) are some
               results of a group, whose adjoints are known then: neurons of a product, or dots. In this order each
               variable's adjoint is summed up as the list does, from its last use to its first, so that the sum's bits
               do not depend on the groups.
    """

    groups: list[Group]
    constants: list[float]
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
            groups.append(Product(row, length, results, weights, take(length), take(members), take(members)))
        else:
            groups.append(Group(row, length, results))
    [count] = take(1)
    return Groups(groups, constants, [(group, first, end) for group, first, end in (take(3) for _ in range(count))])


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
    stands: int  # the result in whose place it is computed


def grouped(wengert: WengertList) -> Groups:
    constants = constants_of(wengert)
    varies = [bool(mark & ON_INPUTS) for mark in wengert.dependences.tolist()] + [False] * len(constants)
    groups: list[Group] = []
    depths: list[int] = []
    group_of: dict[tuple[object, ...], int] = {}
    places = []  # of each unit, its group and its place there
    depth = [0] * len(varies)
    units = list(find_units(wengert, varies))
    for unit in units:
        depth[unit.result] = 1 + max((depth[variable] for variable in unit.needed), default=0)
        key: tuple[object, ...] = (depth[unit.result], unit.row, unit.length)
        if unit.row == PRODUCT:
            key += (varies[unit.bias], *unit.inputs)
        number = group_of.setdefault(key, len(groups))
        if number == len(groups):
            is_product = unit.row == PRODUCT
            shape = unit.row, unit.length
            groups.append(Product(*shape, [], [], unit.inputs, [], []) if is_product else Group(*shape, []))
            depths.append(depth[unit.result])
        group = groups[number]
        places.append((number, len(group.results)))
        group.results.append(unit.result)
        if isinstance(group, Product):
            group.weights.append(unit.weights)
            group.biases.append(unit.bias)
            group.stands.append(unit.stands)
    order = sorted(range(len(groups)), key=depths.__getitem__)
    rank = {number: k for k, number in enumerate(order)}
    parts = find_parts(units, [(rank[number], place) for number, place in places], len(varies))
    return Groups([groups[number] for number in order], constants, parts)


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


def find_units(wengert: WengertList, varies: list[bool]) -> Iterator[Unit]:
    """What depends on inputs, in the list's order; without the inner instructions of the chains."""
    first = wengert.first_result
    rows, lengths = wengert.rows.tolist(), wengert.lengths.tolist()
    operands = [flat(read) for _, _, read in wengert.instructions()]
    chains = find_chains(wengert, operands, varies)
    inner = {variable for result, chain in chains.items() for variable in (*chain.inner, result)}
    result_at = {chain.place: result for result, chain in chains.items()}
    for k, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        result = result_at.get(k, first + k)
        if not varies[result] or (k not in result_at and result in inner):
            continue
        neuron: Neuron | None = None
        if k in result_at:
            chain = chains[result]
            neuron = chain.weights, chain.inputs, chain.bias
        elif row == DOT:
            neuron = neuron_of_dot(operands[k], length, varies)
        if neuron is None:
            yield Unit(row, length, result, [v for v in operands[k] if varies[v]], [], [], 0, first + k)
        else:
            weights, inputs, bias = neuron
            needed = [v for v in (*inputs, bias) if varies[v]]
            yield Unit(PRODUCT, len(inputs), result, needed, weights, inputs, bias, first + k)


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


@dataclass
class Chain:
    """bias + w1 * x1 + w2 * x2 + …"""

    bias: int
    weights: list[int]
    inputs: list[int]
    inner: list[int]  # the results of its instructions, but for the last
    place: int  # the latest of its instructions by which nothing else has used its bias, a weight or an input
    next_use: int  # the first instruction that needs its bias, a weight or an input after the chain has
    varying: list[int]  # of its inputs
    last_product: int = -1  # the latest of its products
    known: int = -1  # the latest variable of what it adds that is no product
    can_be_early: bool = True  # nothing else uses that, so that its use may stand anywhere

    def settle(self, k: int, first: int) -> None:
        """With the addition k. It stands there; or where its last product does, if its inputs are used in between."""
        self.place = self.last_product if self.next_use <= k and self.may_stand_by_its_products(first) else k

    def may_stand_by_its_products(self, first: int) -> bool:
        return self.can_be_early and self.known < first + self.last_product and self.last_product < self.next_use


NEVER = 2**31 - 1


def find_chains(wengert: WengertList, operands: list[list[int]], varies: list[bool]) -> dict[int, Chain]:
    """The chains that can be neurons, by their results.

    Nothing else uses a part of them, nor their inputs and bias between, so that a neuron can use these at one place.
    What is added later, when other neurons have used the inputs, is a bias that was there before and that nothing else
    uses. Or all products come first, and then all sums: each neuron stands where its last product does. A chain with a
    single product is one only beside another with the same input.
    """
    first, rows = wengert.first_result, wengert.rows.tolist()
    uses, next_uses = find_uses(wengert, operands, len(varies))
    nothing, zero, one = (-1 - len(wengert.constants) - k for k in range(len(ADDED)))
    chains: dict[int, Chain] = {}

    def is_product(variable: int) -> bool:
        """Whether it is a product of what varies with what does not, for the chain alone."""
        if variable < first or uses[variable] != 1 or rows[variable - first] != MULTIPLY:
            return False
        return sum(varies[factor] for factor in operands[variable - first]) == 1

    def is_term(variable: int) -> bool:
        return not varies[variable] or is_product(variable)

    def can_go_on(k: int, place: int) -> bool:
        start, term = operands[k][place], operands[k][1 - place]
        if start not in chains or uses[start] != 1 or not is_term(term):
            return False
        if chains[start].next_use > k:
            return True
        if varies[term]:
            longer = replace(chains[start], weights=[], inputs=[], inner=[], varying=[])
            add_term(longer, term)
            return longer.may_stand_by_its_products(first)
        return not varies[term] and (term < 0 or (uses[term] == 1 and term < first + chains[start].place))

    def add_term(chain: Chain, term: int) -> None:
        if not varies[term]:
            chain.weights.append(term)
            chain.inputs.append(one)
            add_other(chain, term)
            return
        varying = int(varies[operands[term - first][1]])
        chain.weights.append(operands[term - first][1 - varying])
        chain.inputs.append(operands[term - first][varying])
        chain.varying.append(chain.inputs[-1])
        chain.next_use = min(chain.next_use, *next_uses[term - first])
        chain.last_product = max(chain.last_product, term - first)
        chain.inner.append(term)

    def add_other(chain: Chain, variable: int) -> None:
        chain.known = max(chain.known, variable)
        chain.can_be_early = chain.can_be_early and (variable < 0 or uses[variable] == 1)

    def of_addition(k: int) -> Chain | None:
        for place in (0, 1):
            start, term = operands[k][place], operands[k][1 - place]
            if can_go_on(k, place):
                chain = chains.pop(start)
                chain.inner.append(start)
                is_late_bias = chain.next_use <= k and not varies[term]
                if not varies[term]:
                    chain.next_use = min(chain.next_use, next_uses[k][1 - place])
                add_term(chain, term)
                if not is_late_bias:
                    chain.settle(k, first)
                return chain
        for place in (0, 1):
            start, term = operands[k][place], operands[k][1 - place]
            if is_product(term):
                chain = Chain(start, [], [], [], k, next_uses[k][place], [])
                if is_product(start):
                    chain = Chain(nothing, [], [], [], k, NEVER, [])
                    add_term(chain, start)
                else:
                    add_other(chain, start)
                add_term(chain, term)
                chain.settle(k, first)
                return chain
        return None

    def of_sum(k: int) -> Chain | None:
        if not all(map(is_term, operands[k])):
            return None
        chain = Chain(zero, [], [], [], k, min(next_uses[k]), [])
        for term in operands[k]:
            add_term(chain, term)
        chain.settle(k, first)
        return chain

    for k, row in enumerate(rows):
        if row in (ADD, SUM) and varies[first + k]:
            chain = of_addition(k) if row == ADD else of_sum(k)
            if chain:
                chains[first + k] = chain
    chains = {result: chain for result, chain in chains.items() if chain.next_use > chain.place}
    alone = Counter(chain.varying[0] for chain in chains.values() if len(chain.varying) == 1)
    return {result: chain for result, chain in chains.items() if len(chain.varying) > 1 or alone[chain.varying[0]] > 1}


def find_uses(wengert: WengertList, operands: list[list[int]], variables: int) -> tuple[list[int], list[list[int]]]:
    """How often each variable is used; and for each operand of each instruction the next that uses it, or NEVER."""
    uses, latest = [0] * variables, [NEVER] * variables
    for output in wengert.outputs.tolist():
        uses[output] += 1
    next_uses: list[list[int]] = []
    for k in range(len(operands) - 1, -1, -1):
        next_uses.append([latest[variable] for variable in operands[k]])
        for variable in operands[k]:
            uses[variable] += 1
            if variable >= 0:  # a constant has no adjoint, so that its order does not matter
                latest[variable] = k
    return uses, next_uses[::-1]
