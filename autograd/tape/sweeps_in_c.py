"""Sweeps writes the sweeps of a layout in C: its instructions, as the table's rules have them, in functions.

A number that only its own function needs is a local variable. All others lie in arrays, by their slots: numbers in `f`,
adjoints in `a`. Where the list repeats itself, as an integrator's steps do, a function is a loop: what differs between
the repeats stands as far from the loop's place, or in a table. The order of an adjoint's sums is the list's, however
the list is cut into functions.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, partial
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

from autograd.tape.repeats import find_repeats
from autograd.tape.steps import Apply, Neurons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autograd.tape.dialects import Rule, Rules
    from autograd.tape.steps import Layout, Part

    Line = str | Callable[[], str]  # functions are of lines that are known at the end

MOST = 2**30  # neurons
SHORT = 8  # longer sequences are loops over the arrays
MOST_TERMS = 1000  # in one function, for which compilers take more than linear time


@dataclass
class Asked:
    """What is asked for.

    backward  whether anything is differentiated
    adjoint   of a variable: whether its adjoint is asked for
    mask      of a result: the number of the set of outputs that depend on it, or None if these are all of them
    """

    backward: bool
    adjoint: Callable[[int], bool]
    mask: Callable[[int], int | None]


@dataclass
class Memory:
    """How the text gets at numbers and adjoints: patterns with the index in the place of `@`."""

    parameters: str
    number: str = "f[@]"
    adjoint: str = "a[@]"

    def number_at(self, index: str, slots: Sequence[int]) -> str:
        """The number at an index, which is that of one of these slots."""
        return self.number.replace("@", index)

    def adjoint_at(self, index: str, slots: Sequence[int]) -> str:
        return self.adjoint.replace("@", index)


@dataclass
class Text:
    """The functions, and what they need.

    functions      in their order
    forward        what a sweep forward consists of: names of functions, and steps that kernels compute
    backward       and one backward: names, and parts of such steps; with nothing, the first ones do both
    rules          the functions of the table that they call
    called         what is called of the C library
    tables         what lies in the tables of ints, T0, T1, ...
    pushed         the slots whose adjoints are added to in the array, and must be 0 before
    accumulators   of a product's neuron's weight, or bias (-1): where its sum over the examples is
    lookups        of steps with elements that are uniform: the table of the elements, and how many there are
    scratch        how many numbers a step needs beside
    straight       how many terms are written one by one, in no loop
    """

    functions: list[str] = field(default_factory=list)
    forward: list[str | int] = field(default_factory=list)
    backward: list[str | Part] = field(default_factory=list)
    rules: dict[str, None] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    tables: dict[str, int] = field(default_factory=dict)
    pushed: set[int] = field(default_factory=set)
    accumulators: dict[tuple[int, int, int], int] = field(default_factory=dict)
    lookups: dict[int, tuple[str, int]] = field(default_factory=dict)
    scratch: int = 0
    straight: int = 0

    def table(self, numbers: Sequence[int]) -> str:
        return f"T{self.tables.setdefault(', '.join(map(str, numbers)), len(self.tables))}"

    def declared_tables(self) -> str:
        lines = [f"static const int T{k}[] = {{{text}}};" for text, k in self.tables.items()]
        return "".join(f"\n{fill(line, 118, subsequent_indent='    ')}" for line in lines) + "\n" * bool(lines)


class Segment(NamedTuple):
    """The parts of one function. Each unit has as many as the function's loop has repeats."""

    units: list[list[Part]]

    @property
    def repeats(self) -> int:
        return len(self.units[0])


class Sweeps:
    """A layout, and how it is to be written."""

    def __init__(
        self, layout: Layout, slots: dict[int, int], rules: Rules, asked: Asked, memory: Memory,
        uniform: Callable[[int], int] = int, kernels: frozenset[int] = frozenset(),
    ) -> None:  # fmt: skip
        """The slots are those of variables. What has none is uniform, and has a place in `u`.

        Steps that kernels compute are left out.
        """
        self.layout, self.slots, self.rules, self.asked, self.memory = layout, slots, rules, asked, memory
        self.uniform, self.kernels = uniform, kernels
        self.number = rules.dialect.number
        self.text = Text()
        self.loaded: set[int] = set()  # slots whose numbers are read from the array

    def write(self, read: set[int], pushed: set[int], fuses: bool = True) -> Text:
        """Of the slots in `read`, the numbers are read from outside; those in `pushed` are given adjoints before."""
        self.loaded |= read
        self.text.pushed |= pushed
        for k in self.kernels:
            step = self.layout.steps[k]
            assert isinstance(step, Neurons)
            read_there = [*step.inputs, *(v for v in step.starts if self.layout.varies[v])]
            self.loaded.update(self.slots[v] for v in read_there)
            self.text.pushed.update(self.slots[v] for v in (*read_there, *step.results))
        forward = [*self.segments([(k, 0, MOST) for k in range(len(self.layout.steps))] if self.kernels else None)]
        is_fused = fuses and len(forward) == 1 and isinstance(forward[0], Segment) and forward[0].repeats == 1
        functions = []
        for number, stage in enumerate(forward):
            if isinstance(stage, Segment):
                functions.append(function := Function(self, stage, f"forward_{number}"))
                function.sweep_forward()
                if stage.repeats == 1:
                    self.text.straight += sum(self.terms(unit[0]) for unit in stage.units)
                self.text.forward.append(function.name)
            else:
                self.text.forward.append(stage[0])
        if self.asked.backward and is_fused:
            functions[0].sweep_backward()
        elif self.asked.backward:
            backward = [*self.segments()] if self.kernels else forward
            for number, stage in reversed([*enumerate(backward)]):
                if isinstance(stage, Segment):
                    functions.append(function := Function(self, stage, f"backward_{number}"))
                    function.sweep_backward()
                    self.text.backward.append(function.name)
                else:
                    self.text.backward.append(stage)
        self.text.functions = [function.written() for function in functions]
        return self.text

    # ---- Segments

    def segments(self, parts: list[Part] | None = None) -> Iterator[Segment | Part]:
        """A loop where the list repeats itself, and so many parts between as are one function; a short list is one.

        Parts of steps that kernels compute stand between them.
        """
        parts, steps = self.layout.parts if parts is None else parts, self.layout.steps
        is_plain = (
            sum(map(self.terms, parts)) > MOST_TERMS
            and parts == [(k, 0, 1) for k in range(len(steps))]
            and all(isinstance(step, Apply) for step in steps)
        )
        done = 0
        for first, period, repeats in find_repeats([*map(self.signature, steps)]) if is_plain else []:
            segment = Segment([[(first + j + r * period, 0, 1) for r in range(repeats)] for j in range(period)])
            if self.can_be_looped(segment):
                yield from self.straight(parts[done:first])
                yield segment
                done = first + period * repeats
        yield from self.straight(parts[done:])

    def straight(self, parts: list[Part]) -> Iterator[Segment | Part]:
        units: list[list[Part]] = []
        terms = 0
        for part in parts:
            is_computed = part[0] in self.kernels
            if not is_computed:
                units.append([part])
                terms += self.terms(part)
            if units and (is_computed or terms >= MOST_TERMS):
                yield Segment(units)
                units, terms = [], 0
            if is_computed:
                yield part
        if units:
            yield Segment(units)

    def terms(self, part: Part) -> int:
        k, first, end = part
        step = self.layout.steps[k]
        length = len(step.inputs) if isinstance(step, Neurons) else length_of(step)
        end = min(end, len(step.results) if isinstance(step, Neurons) else 1)
        return (end - first) * (length if length <= SHORT else 4)

    def results(self, part: Part) -> list[int]:
        step = self.layout.steps[part[0]]
        return [step.result] if isinstance(step, Apply) else step.results[part[1] : part[2]]

    def signature(self, step: Apply | Neurons) -> object:
        """What repeats must have in common; of a step that can be in none, an object that is like no other."""
        if isinstance(step, Neurons) or length_of(step) > SHORT or step.operation.name == "take":
            return object()
        operands = tuple((v >= 0, v >= 0 and self.asked.adjoint(v)) for v in flat(step))
        lengths = tuple(len(x) if isinstance(x, list) else -1 for x in step.operands)
        return step.operation.name, lengths, operands, self.asked.adjoint(step.result), self.asked.mask(step.result)

    def can_be_looped(self, segment: Segment) -> bool:
        """Whether the results' slots are in line, and no operand in a table is one of the repeat's own results."""
        period, base = len(segment.units), self.bases(segment)
        step = base[1] - base[0]
        for j, unit in enumerate(segment.units):
            places = [self.slots[self.results(part)[0]] for part in unit]
            if places != [base[0] + j + r * step for r in range(len(unit))]:
                return False
            for variables in zip(*(flat(self.layout.steps[k]) for k, _, _ in unit), strict=True):
                slots = [self.slots[v] for v in variables]
                is_in_line = all(slot - b == slots[0] - base[0] for slot, b in zip(slots, base, strict=True))
                if not is_in_line and any(b <= slot < b + period for slot, b in zip(slots, base, strict=True)):
                    return False
        return True

    def bases(self, segment: Segment) -> list[int]:
        """Of each repeat, the slot of its first result."""
        return [self.slots[self.results(part)[0]] for part in segment.units[0]]

    @cached_property
    def has_masks(self) -> bool:
        results = {v for k in range(len(self.layout.steps)) for v in self.results((k, 0, MOST))}
        return any(self.asked.mask(v) is not None for v in results)

    @cached_property
    def in_arrays(self) -> set[int]:
        """What long sequences are made of: loops over the arrays read it, and add to its adjoints.

        And what has several steps, which may be in several functions.
        """
        found: set[int] = set()
        results = Counter(v for k in range(len(self.layout.steps)) for v in self.results((k, 0, MOST)))
        found.update(v for v, count in results.items() if count > 1)
        for k, step in enumerate(self.layout.steps):
            if k in self.kernels:
                assert isinstance(step, Neurons)
                found.update(step.inputs, step.starts, step.results)
            elif isinstance(step, Neurons):
                found.update(step.inputs if len(step.inputs) > SHORT else [])
            elif length_of(step) > SHORT or step.operation.name == "take":
                found.update(*(x for x in step.operands if isinstance(x, list)))
        return found


def length_of(step: Apply) -> int:
    return max((len(x) for x in step.operands if isinstance(x, list)), default=1)


def flat(step: Apply | Neurons) -> list[int]:
    assert isinstance(step, Apply)
    return [v for x in step.operands for v in (x if isinstance(x, list) else [x])]


class Function:
    """One function's text."""

    def __init__(self, sweeps: Sweeps, segment: Segment, name: str) -> None:
        self.sweeps, self.segment, self.name = sweeps, segment, name
        self.layout, self.slots, self.text, self.number = sweeps.layout, sweeps.slots, sweeps.text, sweeps.number
        self.lines: list[Line] = []
        self.fresh = 0  # number of a local variable that is like no other
        self.numbers: set[int] = set()  # the variables whose numbers are local by now, and whose adjoints are
        self.adjoints: set[int] = set()
        self.base = sweeps.bases(segment)
        self.columns: list[list[int]] = []  # of the loop's table
        self.own = {v for unit in segment.units for v in sweeps.results(unit[0])} - sweeps.in_arrays

    def written(self) -> str:
        lines = [line if isinstance(line, str) else line() for line in self.lines]
        if self.segment.repeats > 1:
            lines = self.looped([line for line in lines if line])
        body = "".join(f"    {line}\n" for line in without_unused([line for line in lines if line]))
        return f"\nstatic void {self.name}({self.sweeps.memory.parameters})\n{{\n{body}}}\n"

    def looped(self, lines: list[str]) -> list[str]:
        repeats, step = self.segment.repeats, self.base[1] - self.base[0]
        is_backward = self.name.startswith("backward")
        order = f"r = {repeats - 1}; r >= 0; r--" if is_backward else f"r = 0; r < {repeats}; r++"
        begin = [f"    const int g = {self.base[0]} + {step} * r;"]
        if self.columns:
            rows = [slot for row in zip(*self.columns, strict=True) for slot in row]
            begin.append(f"    const int *t = {self.text.table(rows)} + {len(self.columns)} * r;")
        return [f"for (int {order}) {{", *begin, *(f"    {line}" for line in lines), "}"]

    # ---- Operands

    def index(self, variables: Sequence[int]) -> tuple[str, list[int]]:
        """The text of the index of an operand, which is these variables in the repeats, and all its slots."""
        slots = [self.slots[v] for v in variables]
        if all(slot == slots[0] for slot in slots):
            return str(slots[0]), slots[:1]
        offset = slots[0] - self.base[0]
        if all(slot - base == offset for slot, base in zip(slots, self.base, strict=True)):
            return (f"g + {offset}" if offset >= 0 else f"g - {-offset}"), slots
        if slots not in self.columns:
            self.columns.append(slots)
        return f"t[{self.columns.index(slots)}]", slots

    def is_own(self, variables: Sequence[int]) -> bool:
        """Whether it is a result of this function, of the same repeat."""
        if variables[0] not in self.own:
            return False
        index, _ = self.index(variables)
        return self.segment.repeats == 1 or (index.startswith("g + ") and int(index[4:]) < len(self.segment.units))

    def read(self, variables: Sequence[int]) -> str:
        first = variables[0]
        if first < 0 and all(v == first for v in variables):
            return self.literal(self.layout.constants[-1 - first])
        if first in self.numbers and self.is_own(variables):
            return f"v{self.slots[first]}"
        index, slots = self.index(variables)
        self.sweeps.loaded.update(slots)
        return self.sweeps.memory.number_at(index, slots)

    def literal(self, number: float) -> str:
        return self.sweeps.rules.literal(number)

    def rule(self, step: Apply, partial: int | None = None) -> Rule:
        rule = self.sweeps.rules.rule(step.operation, partial)
        self.text.called |= rule.called
        if rule.function:
            self.text.rules[rule.function] = None
        return rule

    def read_all(self, variables: list[int]) -> str:
        """The i-th of a long sequence."""
        slots = [self.slots[v] for v in variables]
        self.sweeps.loaded.update(slots)
        return self.sweeps.memory.number_at(in_line(slots, self.text), slots)

    # ---- Forward

    def sweep_forward(self) -> None:
        for unit in self.segment.units:
            steps = [self.layout.steps[k] for k, _, _ in unit]
            if isinstance(steps[0], Neurons):
                for j in range(unit[0][1], min(unit[0][2], len(steps[0].results))):
                    self.compute_neuron(steps[0], j)
            else:
                self.compute(steps)  # type: ignore[arg-type]

    def compute(self, steps: list[Apply]) -> None:
        step = steps[0]
        results = [each.result for each in steps]
        name, sequences = step.operation.name, step.operation.sequences
        if name == "take":
            self.assign(results, self.looked_up(step))
        elif not sequences:
            operands = [self.read(v) for v in zip(*(each.operands for each in steps), strict=True)]
            self.assign(results, self.rule(step).on(dict(zip(step.operation.operands, operands, strict=True))))
        elif name in ("sum", "dot"):
            bias = self.read([each.operands[2] for each in steps]) if name == "dot" else self.literal(0.0)  # type: ignore[misc]
            self.add_up(results, bias, [[each.operands[i] for each in steps] for i in range(sequences)])  # type: ignore[misc]
        else:
            self.rule(step)
            self.assign(results, f"{name}_value({length_of(step)}, {self.gathered(steps)})")

    def assign(self, results: list[int], expression: str) -> None:
        """To the result's local variable, and to its slot, if that is read."""
        local = f"v{self.slots[results[0]]}"
        kind = "" if results[0] in self.numbers else f"{self.number} "
        self.numbers.add(results[0])
        self.lines.append(f"{kind}{local} = {expression};")
        index, slots = self.index(results)
        memory = self.sweeps.memory
        self.lines.append(
            lambda: f"{memory.number_at(index, slots)} = {local};" if self.sweeps.loaded.intersection(slots) else ""
        )

    def add_up(self, results: list[int], start: str, sequences: list[list[list[int]]]) -> None:
        """start + Σ x_i, or Σ x_i y_i, from left to right."""
        length = len(sequences[0][0])
        if length <= SHORT:
            for i in range(length):
                factors = [self.read([sequence[i] for sequence in repeats]) for repeats in sequences]
                start = f"({start} + {' * '.join(factors)})"
            self.assign(results, start.removeprefix("(").removesuffix(")") if length else start)
            return
        terms = " * ".join(self.read_all(repeats[0]) for repeats in sequences)
        self.fresh += 1
        total = f"s{self.fresh}"
        self.lines.append(f"{self.number} {total} = {start};")
        self.lines.append(f"for (int i = 0; i < {length}; i++) {total} += {terms};")
        self.assign(results, total)

    def gathered(self, steps: list[Apply]) -> str:
        """The operands in one array: its name."""
        step = steps[0]
        self.fresh += 1
        name = f"o{self.fresh}"
        if length_of(step) <= SHORT:
            operands = [self.read(variables) for variables in zip(*map(flat, steps), strict=True)]
            self.lines.append(f"const {self.number} {name}[] = {{{', '.join(operands) or self.literal(0.0)}}};")
            return name
        self.text.scratch = max(self.text.scratch, 2 * len(flat(step)))
        place = 0
        for operand in step.operands:
            if isinstance(operand, list):
                index = f"{place} + i" if place else "i"
                copied = f"scratch[{index}] = {self.read_all(operand)};"
                self.lines.append(f"for (int i = 0; i < {len(operand)}; i++) {copied}")
                place += len(operand)
            else:
                self.lines.append(f"scratch[{place}] = {self.read([operand])};")
                place += 1
        return "scratch"

    def elements(self, step: Apply) -> tuple[str, int]:
        """The table of a lookup's elements, of which those without slots are negative; and how many there are."""
        elements: list[int] = step.operands[0]  # type: ignore[assignment]
        has_slots = self.number != "V"
        places = [
            self.slots[v] if has_slots or self.layout.varies[v] else -1 - self.sweeps.uniform(v) for v in elements
        ]
        self.sweeps.loaded.update(place for place in places if place >= 0)
        return self.text.table(places), len(elements)

    def looked_up(self, step: Apply) -> str:
        table, length = self.elements(step)
        index = self.read([step.operands[1]])  # type: ignore[list-item]
        self.text.called.add("lookup")
        memory = self.sweeps.memory
        if self.number == "V":
            return f"looked_up(f, u, {table}, {length}, {index})"
        place = memory.number_at(f"{table}[(int){index}]", [self.slots[v] for v in step.operands[0]])  # type: ignore[union-attr]
        return f"is_place({index}, {length}) ? {place} : {self.literal(math.nan)}"

    # ---- Neurons, whose weights are uniform: in `u`, by their variables

    def uniform(self, variable: int) -> str:
        if variable < 0:
            return self.literal(self.layout.constants[-1 - variable])
        return f"splat(u[{self.sweeps.uniform(variable)}])"

    def uniform_all(self, variables: list[int]) -> str:
        """The i-th of these."""
        return f"splat(u[{in_line([self.sweeps.uniform(v) for v in variables], self.text)}])"

    def start(self, step: Neurons, j: int) -> str:
        return self.read([step.starts[j]]) if self.layout.varies[step.starts[j]] else self.uniform(step.starts[j])

    def compute_neuron(self, step: Neurons, j: int) -> None:
        result, start = step.results[j], self.start(step, j)
        if len(step.inputs) > SHORT:
            self.fresh += 1
            local = f"s{self.fresh}"
            weight, x = self.uniform_all(step.weights[j]), self.read_all(step.inputs)
            self.lines.append(f"{self.number} {local} = {start};")
            self.lines.append(f"for (int i = 0; i < {len(step.inputs)}; i++) {local} += {weight} * {x};")
            self.assign([result], local)
            return
        for w, v in zip(step.weights[j], step.inputs, strict=True):
            start = f"({start} + {self.uniform(w)} * {self.read([v])})"
        self.assign([result], start.removeprefix("(").removesuffix(")") if step.inputs else start)

    def push_neuron(self, k: int, step: Neurons, j: int) -> None:
        a, bias = self.adjoint([step.results[j]]), step.starts[j]
        if bias != step.results[j] and self.layout.varies[bias]:
            self.push_to([bias], a)
        inputs = [i for i, x in enumerate(step.inputs) if x >= 0 and self.sweeps.asked.adjoint(x)]
        weights = [i for i, w in enumerate(step.weights[j]) if (k, j, i) in self.text.accumulators]
        if len(step.inputs) > SHORT:
            of_weights = f"{self.uniform_all([step.weights[j][i] for i in inputs])} * {a}"
            self.push_to_all([step.inputs[i] for i in inputs], of_weights)
            if weights:
                sums = in_line([self.text.accumulators[k, j, i] for i in weights], self.text)
                term = f"{self.read_all([step.inputs[i] for i in weights])} * {a}"
                added = f"add_up(sums + ({sums}) * 8, {term}, live);"
                self.lines.append(f"for (int i = 0; i < {len(weights)}; i++) {added}")
        else:
            for i in inputs:
                self.push_to([step.inputs[i]], f"{self.uniform(step.weights[j][i])} * {a}")
            for i in weights:
                term = f"{self.read([step.inputs[i]])} * {a}"
                self.lines.append(f"add_up(sums + {self.text.accumulators[k, j, i]} * 8, {term}, live);")
        if (k, j, -1) in self.text.accumulators:
            self.lines.append(f"add_up(sums + {self.text.accumulators[k, j, -1]} * 8, {a}, live);")

    # ---- Backward

    def sweep_backward(self) -> None:
        if self.sweeps.has_masks:  # a first use may be where a condition does not hold
            for variable in sorted(self.own):
                self.begin(variable)
        for unit in reversed(self.segment.units):
            k, first, end = unit[0]
            steps = [self.layout.steps[k] for k, _, _ in unit]
            if isinstance(steps[0], Neurons):
                for j in reversed(range(first, end)):
                    self.guard([steps[0].results[j]], partial(self.push_neuron, k, steps[0], j))
            elif self.sweeps.asked.adjoint(steps[0].result):
                self.guard([step.result for step in steps], partial(self.push, k, steps))  # type: ignore[union-attr, arg-type]

    def guard(self, results: list[int], write: Callable[[], None]) -> None:
        """Writes what is only to be done if an output is asked for that depends on the result."""
        mask = self.sweeps.asked.mask(results[0])
        before, self.lines = self.lines, []
        write()
        inner, self.lines = self.lines, before
        if mask is None:
            self.lines += inner
        else:
            self.lines += [f"if (need[{mask}]) {{", *map(indented, inner), "}"]

    def begin(self, variable: int) -> None:
        """An adjoint's local variable, with what other functions, and other repeats, have added before."""
        self.adjoints.add(variable)
        self.lines.append(self.begun([variable], ""))

    def begun(self, variables: Sequence[int], text: str) -> Line:
        unit = next((u for u in self.segment.units if self.sweeps.results(u[0])[0] == variables[0]), None)
        repeats = [self.sweeps.results(part)[0] for part in unit] if unit and self.segment.repeats > 1 else variables
        index, slots = self.index(repeats)
        local, memory = f"a{self.slots[variables[0]]}", self.sweeps.memory

        def line() -> str:
            before = memory.adjoint_at(index, slots) if self.text.pushed.intersection(slots) else ""
            both = " + ".join(filter(None, [before, text])) or self.literal(0.0)
            return f"{self.number} {local} = {both};"

        return line

    def adjoint(self, results: list[int]) -> str:
        """Of a result: its local variable."""
        first = results[0]
        if first in self.sweeps.in_arrays:
            self.fresh += 1
            local = f"b{self.fresh}"
            self.lines.append(f"{self.number} {local} = {self.sweeps.memory.adjoint_at(*self.index(results))};")
            return local
        if first not in self.adjoints:
            self.adjoints.add(first)
            self.lines.append(self.begun(results, ""))
        return f"a{self.slots[first]}"

    def push_to(self, variables: Sequence[int], text: str) -> None:
        """Adds to the adjoint of an operand, if it is asked for."""
        first = variables[0]
        if first < 0 or not self.sweeps.asked.adjoint(first):
            return
        index, slots = self.index(variables)
        memory = self.sweeps.memory
        if not self.is_own(variables):
            self.text.pushed.update(slots)
            self.lines.append(f"{memory.adjoint_at(index, slots)} += {text};")
        elif first in self.adjoints:
            self.lines.append(f"a{self.slots[first]} += {text};")
        else:
            self.adjoints.add(first)
            self.lines.append(self.begun(variables, text))

    def push_to_all(self, variables: list[int], text: str) -> None:
        """Adds to the adjoints of a long sequence, all asked for; the text is of the i-th."""
        if not variables:
            return
        slots = [self.slots[v] for v in variables]
        self.text.pushed.update(slots)
        adjoint = self.sweeps.memory.adjoint_at(in_line(slots, self.text), slots)
        self.lines.append(f"for (int i = 0; i < {len(variables)}; i++) {adjoint} += {text};")

    def push(self, k: int, steps: list[Apply]) -> None:
        step = steps[0]
        a = self.adjoint([each.result for each in steps])
        if step.operation.name == "take":
            self.push_looked_up(k, step, a)
        elif not step.operation.sequences:
            for i, variables in enumerate(zip(*(each.operands for each in steps), strict=True)):
                if variables[0] >= 0 and self.sweeps.asked.adjoint(variables[0]):
                    self.push_to(variables, self.product(steps, i, a))
        elif step.operation.name in ("sum", "dot"):
            self.push_terms(steps, a)
        else:
            self.push_sequences(steps, a)

    def product(self, steps: list[Apply], i: int, a: str) -> str:
        """The partial derivative by a scalar operand times the adjoint."""
        rule = self.rule(steps[0], i)
        if rule.expression in (self.literal(1.0), self.literal(-1.0)):
            return a if rule.expression == self.literal(1.0) else f"-{a}"
        names = steps[0].operation.operands
        operands = {
            name: self.read([each.operands[p] for each in steps])  # type: ignore[misc]
            for p, name in enumerate(names)
            if name in rule.needed
        }
        if "r" in rule.needed:
            operands["r"] = self.read([each.result for each in steps])
        derivative = rule.on(operands)
        is_simple = re.fullmatch(r"\w+(\([^()]*\)|\[[^][]*\])?", derivative)
        return f"{derivative if is_simple else f'({derivative})'} * {a}"

    def push_terms(self, steps: list[Apply], a: str) -> None:
        step = steps[0]
        if step.operation.name == "sum":
            self.push_factors([each.operands[0] for each in steps], None, a)  # type: ignore[misc]
            return
        left, right = ([each.operands[i] for each in steps] for i in (0, 1))
        self.push_factors(left, right, a)  # type: ignore[arg-type]
        self.push_factors(right, left, a)  # type: ignore[arg-type]
        bias: list[int] = [each.operands[2] for each in steps]  # type: ignore[misc]
        if bias[0] != step.result:
            self.push_to(bias, a)

    def push_factors(self, to: list[list[int]], factors: list[list[int]] | None, a: str) -> None:
        """To each of a sequence the adjoint, times the factor if there are some."""
        places = [i for i, v in enumerate(to[0]) if v >= 0 and self.sweeps.asked.adjoint(v)]
        if len(to[0]) <= SHORT:
            for i in places:
                text = f"{self.read([repeat[i] for repeat in factors])} * {a}" if factors else a
                self.push_to([repeat[i] for repeat in to], text)
        elif places:
            text = f"{self.read_all([factors[0][i] for i in places])} * {a}" if factors else a
            self.push_to_all([to[0][i] for i in places], text)

    def push_sequences(self, steps: list[Apply], a: str) -> None:
        step, length = steps[0], length_of(steps[0])
        operands, result = self.gathered(steps), self.read([each.result for each in steps])
        derivatives = f"d{self.fresh}"
        if length > SHORT:
            self.lines.append(f"{self.number} *const {derivatives} = scratch + {len(flat(step))};")
        else:
            self.lines.append(f"{self.number} {derivatives}[{max(length, 1)}];")
        for p, operand in enumerate(step.operands):
            variables = operand if isinstance(operand, list) else [operand]
            wanted = [i for i, v in enumerate(variables) if v >= 0 and self.sweeps.asked.adjoint(v)]
            if not wanted:
                continue
            self.rule(step, p)
            self.lines.append(f"{step.operation.name}_partial_{p}({result}, {length}, {operands}, {derivatives});")
            if isinstance(operand, list) and length > SHORT:
                index = in_line(wanted, self.text)
                self.push_to_all([variables[i] for i in wanted], f"{derivatives}[{index}] * {a}")
                continue
            for i in wanted:
                read = [each.operands[p][i] if isinstance(operand, list) else each.operands[p] for each in steps]  # type: ignore[index]
                self.push_to(read, f"{derivatives}[{i}] * {a}")  # type: ignore[arg-type]

    def push_looked_up(self, k: int, step: Apply, a: str) -> None:
        """To the chosen element alone. What is uniform gets its sum over the examples later."""
        table, length = self.elements(step)
        index, memory = self.read([step.operands[1]]), self.sweeps.memory  # type: ignore[list-item]
        elements: list[int] = step.operands[0]  # type: ignore[assignment]
        if not any(v >= 0 and self.sweeps.asked.adjoint(v) for v in elements):
            return
        have_slots = [v for v in elements if v in self.slots and (self.number != "V" or self.layout.varies[v])]
        self.text.pushed.update(self.slots[v] for v in have_slots)
        if self.number != "V":
            place = memory.adjoint_at(f"{table}[(int){index}]", [self.slots[v] for v in elements])
            self.lines.append(f"if (is_place({index}, {length})) {place} += {a};")
            return
        self.text.called.add("lookup")
        number = len(self.text.lookups)
        self.text.lookups[k] = (table, length)
        self.lines.append(f"push_looked_up(a, kept + {number}, {table}, {length}, {index}, {a}, live, lane);")


def indented(line: Line) -> Line:
    if isinstance(line, str):
        return f"    {line}" if line else ""
    return lambda: f"    {text}" if (text := line()) else ""


def without_unused(lines: list[str]) -> list[str]:
    """The lines without those of local variables that nothing reads."""
    counts = Counter(name for line in lines for name in re.findall(r"\b[vabs]\d+\b", line))
    kept = []
    for line in reversed(lines):  # so that what only they have read goes, too
        declared = re.match(r"\s*\w+ ([vabs]\d+) = [^;]*;$", line)
        if declared and counts[declared[1]] == 1:
            counts.subtract(re.findall(r"\b[vabs]\d+\b", line))
        else:
            kept.append(line)
    return kept[::-1]


def in_line(numbers: Sequence[int], text: Text) -> str:
    """The text of the i-th of these numbers: by a formula, or in a table."""
    first = numbers[0] if numbers else 0
    step = numbers[1] - first if len(numbers) > 1 else 1
    if [*numbers] != [first + step * i for i in range(len(numbers))]:
        return f"{text.table(numbers)}[i]"
    return f"{first} + {step} * i" if step != 1 else f"{first} + i" if first else "i"
