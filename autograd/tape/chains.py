"""find_chains() finds neurons that are written with * and +, and an order of the list in which each is one instruction.

A chain is `b + w1 * x1 + w2 * x2 + …`, however its products and sums are mixed with those of others.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autograd.operations import ROW

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from autograd.tape.wengert import WengertList

ADD, MULTIPLY, SUM = ROW["add"], ROW["multiply"], ROW["sum"]

# Neurons may name these constants too, which stand behind the list's own. To add -0.0 changes no number, not even 0.0.
ADDED = NOTHING, ZERO, ONE = -0.0, 0.0, 1.0

NEVER = 2**31 - 1


@dataclass
class Chain:
    """bias + w1 * x1 + w2 * x2 + …, as far as it has been followed."""

    bias: int
    weights: list[int] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    varying: list[int] = field(default_factory=list)  # of its inputs
    instructions: list[int] = field(default_factory=list)  # its products and sums
    next_uses: list[int] = field(default_factory=list)  # of each of their operands the next instruction that uses it


Neurons = dict[int, Chain]  # by their last instruction

TRIALS = "whole chains", "those that do not wait", "pieces", "those in no circle"


def find_chains(wengert: WengertList, operands: list[list[int]], varies: list[bool]) -> tuple[Neurons, list[int]]:
    """The chains that are neurons; and the order of the list's instructions, without those inside of neurons.

    Nothing else uses a part of a neuron. It uses its inputs, weights and bias all at once; but each variable's uses
    must stay in their order, since its adjoint is summed up so. If there is an order of instructions and neurons in
    which they do, it does not matter how neurons were written: one after the other, column by column, all products
    before all sums, or biases later.

    If there is none, some would have to come before themselves. First those in such circles are given up that wait for
    a result of the circle, then all in circles. Their chains are cut where others use what they have used before the
    next addition: such pieces can stand at their ends. At last those are given up that are in circles with these.

    A chain with a single product is a neuron only beside another with the same input.
    """
    search = Search(wengert, operands, varies)
    pieces: set[int] = set()
    for trial in TRIALS:
        if trial == "whole chains":
            search.add_neurons(range(len(operands)), is_whole=True)
        if trial == "pieces":
            search.add_neurons(pieces, is_whole=False)
        order, circles = search.put_in_order()
        pieces |= search.give_up(circles, one_must_wait=trial == "whole chains")
        if not circles and (not pieces or trial == "pieces"):
            break
    return search.neurons, order


class Search:
    def __init__(self, wengert: WengertList, operands: list[list[int]], varies: list[bool]) -> None:
        self.rows, self.operands, self.varies, self.first = (
            wengert.rows.tolist(),
            operands,
            varies,
            wengert.first_result,
        )
        self.find_uses(wengert.outputs.tolist())
        self.nothing, self.zero, self.one = (-1 - len(wengert.constants) - k for k in range(len(ADDED)))
        self.neurons: Neurons = {}

    def find_uses(self, outputs: list[int]) -> None:
        """How often each variable is used; of each operand the next instruction that uses it; of each result the first.

        NEVER, where there is none.
        """
        self.uses, latest = [0] * len(self.varies), [NEVER] * len(self.varies)
        for output in outputs:
            self.uses[output] += 1
        next_uses: list[list[int]] = []
        for k in range(len(self.operands) - 1, -1, -1):
            next_uses.append([latest[variable] for variable in self.operands[k]])
            for variable in self.operands[k]:
                self.uses[variable] += 1
                if variable >= 0:  # a constant has no adjoint, so that its order does not matter
                    latest[variable] = k
        self.next_uses, self.first_uses = next_uses[::-1], latest[self.first :]

    # ---- Chains

    def add_neurons(self, among: Container[int], is_whole: bool) -> None:
        """Of the chains with these additions, whole ones or pieces, all that are neurons for what is known by now."""
        chains: Neurons = {}
        for k, row in enumerate(self.rows):
            if row in (ADD, SUM) and self.varies[self.first + k] and k in among:
                chain = self.of_addition(k, chains, is_whole) if row == ADD else self.of_sum(k)
                if chain:
                    chain.instructions.append(k)
                    chain.next_uses += self.next_uses[k]
                    chains[k] = chain
        of_one = Counter(chain.varying[0] for chain in chains.values() if len(chain.varying) == 1)
        for k, chain in chains.items():
            has_company = len(chain.varying) > 1 or (chain.varying and of_one[chain.varying[0]] > 1)
            if has_company and (is_whole or min(chain.next_uses) > k):
                self.neurons[k] = chain

    def of_addition(self, k: int, chains: Neurons, is_whole: bool) -> Chain | None:
        """The chain that goes on with an addition, or begins with it."""
        left, right = self.operands[k]
        for start, term in (left, right), (right, left):
            before = chains.get(start - self.first)
            if before and self.uses[start] == 1 and self.is_term(term) and (is_whole or min(before.next_uses) > k):
                return self.add_term(chains.pop(start - self.first), term)
        for start, term in (left, right), (right, left):
            if self.is_product(term):
                chain = self.add_term(Chain(self.nothing), start) if self.is_product(start) else Chain(start)
                return self.add_term(chain, term)
        return None

    def of_sum(self, k: int) -> Chain | None:
        if not all(map(self.is_term, self.operands[k])):
            return None
        chain = Chain(self.zero)
        for term in self.operands[k]:
            self.add_term(chain, term)
        return chain

    def is_product(self, variable: int) -> bool:
        """Whether it is a product of what varies with what does not, for the chain alone."""
        k = variable - self.first
        if k < 0 or self.uses[variable] != 1 or self.rows[k] != MULTIPLY:
            return False
        return sum(self.varies[factor] for factor in self.operands[k]) == 1

    def is_term(self, variable: int) -> bool:
        return not self.varies[variable] or self.is_product(variable)

    def add_term(self, chain: Chain, term: int) -> Chain:
        if not self.varies[term]:
            chain.weights.append(term)
            chain.inputs.append(self.one)
            return chain
        k = term - self.first
        weight, number = self.operands[k] if self.varies[self.operands[k][1]] else self.operands[k][::-1]
        chain.weights.append(weight)
        chain.inputs.append(number)
        chain.varying.append(number)
        chain.instructions.append(k)
        chain.next_uses += self.next_uses[k]
        return chain

    # ---- The order

    def nodes(self) -> list[int]:
        """For each instruction the neuron that it is a part of, or itself."""
        nodes = [*range(len(self.rows))]
        for k, chain in self.neurons.items():
            for i in chain.instructions:
                nodes[i] = k
        return nodes

    def put_in_order(self) -> tuple[list[int], dict[int, int]]:
        """An order of the nodes in which each variable is computed first and then used as before, if there is one; and
        of each node in a circle, in which all would have to come before all others, which circle it is.

        If all neurons can stand at their ends, the order is the list's.
        """
        node_of = self.nodes()
        nodes = [k for k, node in enumerate(node_of) if k == node]
        if all(min(chain.next_uses) > k for k, chain in self.neurons.items()):
            return nodes, {}

        def followers(node: int) -> Iterator[int]:
            for i in sorted(self.neurons[node].instructions) if node in self.neurons else [node]:
                yield from (node_of[use] for use in self.next_uses[i] if use < NEVER)
            if self.first_uses[node] < NEVER:
                yield node_of[self.first_uses[node]]

        order: list[int] = []
        circles: dict[int, int] = {}
        for component in strongly_connected(nodes[::-1], followers):
            order += component
            if len(component) > 1 or component[0] in followers(component[0]):
                circles.update(dict.fromkeys(component, component[0]))
        return order[::-1], circles

    def give_up(self, circles: dict[int, int], one_must_wait: bool) -> set[int]:
        """The instructions of the neurons in circles, which are none any more; or of those that wait."""
        node_of = self.nodes()

        def waits(k: int) -> bool:
            operands = {v for i in self.neurons[k].instructions for v in self.operands[i] if v >= self.first}
            return any(
                circles.get(node_of[v - self.first]) == circles[k] for v in operands if node_of[v - self.first] != k
            )

        given_up = [k for k in self.neurons if k in circles and (not one_must_wait or waits(k))]
        return {i for k in given_up for i in self.neurons.pop(k).instructions}


def strongly_connected(nodes: list[int], followers: Callable[[int], Iterator[int]]) -> Iterator[list[int]]:
    """The strongly connected components of a graph, each after all that it leads to.

    R. Tarjan, "Depth-first search and linear graph algorithms", SIAM Journal on Computing 1 (2), 1972.
    """
    numbers: dict[int, int] = {}  # in the order of the visits; NEVER in a component that has been found
    lowest: dict[int, int] = {}
    visits: list[tuple[int, Iterator[int]]] = []
    opened: list[int] = []

    def visit(node: int) -> None:
        numbers[node] = lowest[node] = len(numbers)
        opened.append(node)
        visits.append((node, followers(node)))

    for root in nodes:
        if root not in numbers:
            visit(root)
        while visits:
            node, rest = visits[-1]
            follower = next(rest, None)
            if follower is None:
                visits.pop()
                if visits:
                    lowest[visits[-1][0]] = min(lowest[visits[-1][0]], lowest[node])
                if lowest[node] == numbers[node]:
                    component = [opened.pop()]
                    while component[-1] != node:
                        component.append(opened.pop())
                    numbers.update(dict.fromkeys(component, NEVER))
                    yield component
            elif follower in numbers:
                lowest[node] = min(lowest[node], numbers[follower])
            else:
                visit(follower)
