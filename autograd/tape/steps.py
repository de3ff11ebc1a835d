"""The steps that replay a list over lanes: instructions, and products of neurons with the same inputs.

What native/layout.c lays out for its kernels is laid out here for a text in C; but a dot of which a few weights depend
on inputs is cut into runs here, where a kernel takes these weights in their turn. The order of all sums follows from
it: an adjoint is added up within each example, but that of a product's weight over the examples, use by use.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from autograd.operations import OPERATIONS
from autograd.tape.groups import DOT, Product, find_groups
from autograd.tape.wengert import ON_INPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograd.operation import Operation
    from autograd.tape.groups import Groups
    from autograd.tape.wengert import WengertList

TERMS_PER_ODD_ONE = 8  # a dot with so few terms of two factors that vary is cut


@dataclass
class Apply:
    """An instruction: its result, the operation, and its operands. A dot may go on from its own result."""

    result: int
    operation: Operation
    operands: list[int | list[int]]


@dataclass
class Neurons:
    """result_j = start_j + Σ_k weight_jk input_k. It may go on from what is in the result."""

    results: list[int]
    starts: list[int]
    weights: list[list[int]]
    inputs: list[int]


Step = Apply | Neurons
Part = tuple[int, int, int]  # a step, and of its neurons those from the first to before the end


@dataclass
class Layout:
    """The steps, in an order for the sweep forward, and their parts, of which the sweep backward begins with the last.

    varies     whether a variable, or a constant, depends on inputs
    constants  the list's, and those that products need
    """

    steps: list[Step]
    parts: list[Part]
    varies: list[bool]
    constants: list[float]


def of_one(wengert: WengertList) -> Layout:
    """All instructions as they stand in the list: for a single example, in the order of `backward()`."""
    steps: list[Step] = [Apply(*instruction) for instruction in wengert.instructions()]
    constants = wengert.constants.tolist()
    varies = [True] * (wengert.first_result + len(wengert)) + [False] * len(constants)
    return Layout(steps, [(k, 0, 1) for k in range(len(steps))], varies, constants)


def output_sets(wengert: WengertList) -> tuple[list[int | None], list[int]]:
    """Of each variable the number of the set of outputs that depend on it, None if all do; and the sets, as bits."""
    outputs, variables = wengert.outputs.tolist(), wengert.first_result + len(wengert)
    if len(outputs) == 1:
        return [None] * variables, []
    of_variable = [0] * variables
    for k, output in enumerate(outputs):
        if output >= 0:
            of_variable[output] |= 1 << k
    for result, _, operands in reversed([*wengert.instructions()]):
        for x in operands:
            for v in x if isinstance(x, list) else [x]:
                if v >= 0:
                    of_variable[v] |= of_variable[result]
    everything, numbers = (1 << len(outputs)) - 1, dict[int, int]()
    found = [None if m == everything else numbers.setdefault(m, len(numbers)) for m in of_variable]
    return found, [*numbers]


def of_uniform(wengert: WengertList) -> list[Apply]:
    """The instructions that depend on no input."""
    depends = wengert.dependences.tolist()
    return [Apply(*each) for each in wengert.instructions() if not depends[each[0]] & ON_INPUTS]


def of_many(wengert: WengertList) -> Layout:
    """What depends on the inputs."""
    found = find_groups(wengert)
    varies = [bool(mark & ON_INPUTS) for mark in wengert.dependences.tolist()] + [False] * len(found.constants)
    instructions = {result: Apply(result, operation, read) for result, operation, read in wengert.instructions()}
    layout = Layout([], [], varies, found.constants)
    building = Building(layout, instructions)
    cuts = [
        building.cuts(group.results) if group.row == DOT else [*map(alone, group.results)] for group in found.groups
    ]
    has_layers = any(isinstance(group, Product) and len(group.results) > 1 for group in found.groups)
    if has_layers or any(len(together) > 1 for of_group in cuts for together in of_group):
        building.lay_out_groups(found, cuts)
    else:
        building.lay_out_list(found)
    return layout


@dataclass
class Building:
    layout: Layout
    instructions: dict[int, Apply]
    steps_of: dict[int, list[Part]] = field(default_factory=dict)  # of each result, its parts in order

    # ---- Dots that are no neurons, since a few terms have two factors that vary

    def term(self, dot: Apply, k: int) -> tuple[int, int, bool]:
        """The weight, the input, and whether both vary."""
        x, y = dot.operands[0][k], dot.operands[1][k]  # type: ignore[index]
        return (y, x, self.layout.varies[y]) if self.layout.varies[x] else (x, y, False)

    def is_cut(self, dot: Apply) -> bool:
        left, right, bias = dot.operands
        varying = [v for v in (*left, *right, bias) if self.layout.varies[v]]  # type: ignore[misc]
        if dot.operation.name != "dot" or len({*varying}) < len(varying):
            return False
        odd = sum(self.term(dot, k)[2] for k in range(len(left)))  # type: ignore[arg-type]
        return 0 < odd <= len(left) // TERMS_PER_ODD_ONE  # type: ignore[arg-type]

    def are_alike(self, dot: Apply, other: Apply) -> bool:
        """Whether they differ in weights, biases and odd terms alone, and share an input that varies."""
        varies = self.layout.varies
        if varies[dot.operands[-1]] != varies[other.operands[-1]]:  # type: ignore[index]
            return False
        share = False
        for k in range(len(dot.operands[0])):  # type: ignore[arg-type]
            (_, x, is_odd), (_, y, of_other) = self.term(dot, k), self.term(other, k)
            if is_odd != of_other or (not is_odd and x != y):
                return False
            share = share or (not is_odd and varies[x])
        return share

    def cuts(self, results: list[int]) -> list[list[int]]:
        """The dots of a group, those together that are cut together."""
        together: list[list[int]] = []
        for result in results:
            dot = self.instructions[result]
            first = self.instructions[together[-1][0]] if together else dot
            if together and self.is_cut(first) and self.is_cut(dot) and self.are_alike(first, dot):
                together[-1].append(result)
            else:
                together.append([result])
        return together

    # ---- Steps and parts

    def add(self, step: Step) -> int:
        self.layout.steps.append(step)
        return len(self.layout.steps) - 1

    def add_steps(self, results: list[int]) -> None:
        """Of instructions that are cut together, or of a single one."""
        dots = [self.instructions[result] for result in results]
        for result in results:
            self.steps_of[result] = []
        if not (dots[0].operation is OPERATIONS["dot"] and self.is_cut(dots[0])):
            self.steps_of[results[0]].append((self.add(dots[0]), 0, 1))
            return
        starts = [dot.operands[-1] for dot in dots]
        places = range(len(dots[0].operands[0]))  # type: ignore[arg-type]
        for is_odd, run in groupby(places, key=lambda k: self.term(dots[0], k)[2]):
            terms = [[self.term(dot, k)[:2] for k in run_] for dot, run_ in zip(dots, repeated(run), strict=False)]
            weights = [[weight for weight, _ in of_dot] for of_dot in terms]
            if is_odd:
                for j, (result, of_dot) in enumerate(zip(results, terms, strict=True)):
                    operands = [weights[j], [x for _, x in of_dot], starts[j]]
                    step = self.add(Apply(result, dots[0].operation, operands))
                    self.steps_of[result].append((step, 0, 1))
            else:
                step = self.add(Neurons(results, [*starts], weights, [x for _, x in terms[0]]))  # type: ignore[list-item]
                for j, result in enumerate(results):
                    self.steps_of[result].append((step, j, j + 1))
            starts = [*results]

    def add_product(self, group: Product) -> int:
        return self.add(Neurons(group.results, group.biases, group.weights, group.inputs))

    def lay_out_groups(self, found: Groups, cuts: list[list[list[int]]]) -> None:
        step_of: dict[int, int] = {}
        for number, group in enumerate(found.groups):
            if isinstance(group, Product):
                step_of[number] = self.add_product(group)
            else:
                for results in cuts[number]:
                    self.add_steps(results)
        for number, first, end in found.parts:
            if number in step_of:
                self.layout.parts.append((step_of[number], first, end))
            else:
                for result in found.groups[number].results[first:end]:
                    self.layout.parts += self.steps_of[result]

    def lay_out_list(self, found: Groups) -> None:
        """Where no product has several neurons: one by one, in the list's order."""
        products = {group.results[0]: group for group in found.groups if isinstance(group, Product)}
        for result in found.order:
            if result in products:
                self.layout.parts.append((self.add_product(products[result]), 0, 1))
            elif self.layout.varies[result]:
                self.add_steps([result])
                self.layout.parts += self.steps_of[result]


def alone(result: int) -> list[int]:
    return [result]


def repeated(run: Iterator[int]) -> Iterator[list[int]]:
    """The same numbers again and again."""
    numbers = [*run]
    while True:
        yield numbers
