"""The blocks of a network are found in the graph that it computes: its inputs, its layers, and what stands between.

The tape's groups say which nodes are neurons. A unit is a row of weights, however often it is used: at each step of a
sequence, at each place of an image. Units whose rows are a list in the model, and that stand equally deep, are a block.
What is computed from the same blocks without being a neuron is one block too, of operations.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autograd.drawing.models import kind_of, module_path, named_parameters, part_at, recorded, shape_of
from autograd.tape import ADDED, Product, find_groups, write_down
from autograd.vectors import gather

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Literal

    from autograd.drawing.models import Recorded
    from autograd.engines import Value
    from autograd.structures import Form
    from autograd.tape import WengertList

    Place = tuple[int, int, int]

LEAST_IMAGE = 64  # so many inputs, if they are a square, are taken for an image


@dataclass
class Unit:
    """A neuron, a map of a convolution, an input, or one of the results of operations.

    Arguments:
        name: of its row of weights, or of an input.
        uses: its net input and its activation, two variables, for each place where it is used.
        activation: the function's name; "" if there is none.
        weights: its weights' variables; none if it is no neuron.
        inputs: for each weight a variable that it was multiplied by, or a constant where there is none.
        biases: the variables of its biases: one, or one for each place.
    """

    name: str
    uses: list[tuple[int, int]] = field(default_factory=list)
    activation: str = ""
    weights: list[int] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    biases: list[int] = field(default_factory=list)


@dataclass
class Block:
    """Units that stand side by side.

    Arguments:
        kind: "inputs", "neurons" or "operations".
        path: the way to it in the model; "" for the model itself, and for what is no part of it.
        part: the class of what stands there.
        units: none in operations whose results have no order.
        shape: height and width of a map if the units are maps, of the image if all of them together are one.
        is_image: whether all units together are an image.
        operations: how many there are of each name, where it is of operations.
        parameters: the variables of those that its operations use.
        reads: the blocks whose results it uses otherwise than by weights.
        attention: for each head a row for each place: the weight's variable for each place that is seen.
    """

    kind: Literal["inputs", "neurons", "operations"]
    path: str = ""
    part: str = ""
    units: list[Unit] = field(default_factory=list)
    shape: tuple[int, int] | None = None
    is_image: bool = False
    operations: Counter[str] = field(default_factory=Counter)
    parameters: set[int] = field(default_factory=set)
    reads: set[int] = field(default_factory=set)
    attention: list[list[dict[int, int]]] = field(default_factory=list)


@dataclass
class Network:
    """What a model computes, in blocks, each after those that it needs, but for what is recurrent.

    Arguments:
        blocks: the inputs first.
        places: of each variable that belongs to a unit, the block, the unit and the place.
        wengert, parameters: the list that computes all variables, and its parameters.
        names: those of the parameters; "" for one that the model does not name.
        unused: how many of the model's parameters the outputs do not need.
        recorded: the run of the model.
        model: its class.
    """

    blocks: list[Block]
    places: dict[int, Place]
    wengert: WengertList
    parameters: list[Value]
    names: list[str]
    unused: int
    recorded: Recorded
    model: str

    def vector(self, attribute: Literal["data", "grad"]) -> array[float]:
        """The parameters' data, or their gradients, in one piece."""
        numbers = array("d", bytes(8 * len(self.parameters)))
        gather(self.parameters, attribute, numbers)
        return numbers

    def source(self, variable: int) -> Place | None:
        """The unit and the place that a variable belongs to."""
        return self.places.get(variable)


def network_of(model: Any, inputs: Any = None) -> Network:
    """The blocks of what the model computes from the inputs. Raises TypeError or ValueError where there are none."""
    named = named_parameters(model)
    if not named:
        raise ValueError(f"draw: {kind_of(model)} has no parameters, so there is no network to draw; draw(model(x))")
    run = recorded(model, named, inputs)
    names = {id(parameter): name for name, parameter in named}
    wengert, parameters = write_down(run.outputs, run.inputs, is_differentiated=False)
    own = [names.pop(id(parameter), "") for parameter in parameters]
    finder = Finder(model, run, wengert, own)
    if not any(block.kind == "neurons" or block.parameters for block in finder.blocks):
        raise ValueError(
            f"draw: what {kind_of(model)} returns depends on none of its parameters together with its inputs, so there "
            "is no network to draw; draw(model(x)) draws the graph"
        )
    return Network(finder.blocks, finder.places, wengert, parameters, own, len(names), run, kind_of(model))


class Finder:
    """Goes through the list, and puts each variable that depends on an input into its block.

    `block_of` has the blocks by what their units have in common: for neurons the list that their rows are in, for
    operations the blocks that these come from.
    """

    def __init__(self, model: Any, run: Recorded, wengert: WengertList, names: list[str]) -> None:
        self.model, self.run, self.wengert, self.names = model, run, wengert, names
        groups = find_groups(wengert).groups
        self.products = [group for group in groups if isinstance(group, Product)]
        self.product_at = {
            result: (product, j) for product in self.products for j, result in enumerate(product.results)
        }
        self.grouped = {result for group in groups for result in group.results}
        constants = [*wengert.constants.tolist(), *ADDED]
        self.one = -1 - len(wengert.constants) - ADDED.index(1.0)
        self.no_biases = {-1 - k for k, number in enumerate(constants) if number == 0.0}
        self.places: dict[int, Place] = {}
        self.found: list[Block] = []
        self.order: list[float] = []  # of each block, the variable by which it stands in line
        self.block_of: dict[object, int] = {}
        self.unit_of: dict[tuple[int, ...], tuple[int, int]] = {}  # by the weights
        self.operation_at: dict[int, tuple[str, list[Any]]] = {}
        self.origin: dict[int, frozenset[int]] = {}  # of an operation's result
        self.users: dict[int, list[tuple[int, str, bool]]] = defaultdict(list)
        self.add_inputs()
        self.add_neurons()
        self.add_operations()
        self.place_results()
        self.name_blocks()
        self.sort()

    # ---- The inputs

    def add_inputs(self) -> None:
        leaves, form = self.run.inputs, self.run.input_form
        names = [leaf.label or f"x{place}" for leaf, place in zip(leaves, places_of_numbers(self.run), strict=True)]
        block = Block("inputs")
        columns = grid_of(form)
        maps = None if columns else self.maps_of_inputs()
        if columns:
            block.units = [Unit(f"x[…][{j}]", [(v, v) for v in range(j, len(leaves), columns)]) for j in range(columns)]
        elif maps:
            count, height, width = maps
            block.shape = height, width
            size = height * width
            block.units = [Unit(f"map {m}", [(v, v) for v in range(m * size, (m + 1) * size)]) for m in range(count)]
        else:
            block.units = [Unit(str(name), [(v, v)]) for v, name in enumerate(names)]
            side = math.isqrt(len(leaves))
            if len(leaves) >= LEAST_IMAGE and side * side == len(leaves):
                block.shape, block.is_image = (side, side), True
        self.add_block("inputs", block, -1)
        for u, unit in enumerate(block.units):
            for p, (v, _) in enumerate(unit.uses):
                self.places[v] = 0, u, p

    def maps_of_inputs(self) -> tuple[int, int, int] | None:
        """(maps, height, width) where the layer that sees the inputs is a convolution that says so."""
        for product, j in self.product_at.values():
            if any(0 <= v < self.wengert.inputs for v in product.inputs) and product.weights[j]:
                part = part_at(self.model, module_path(self.model, self.name_of(product.weights[j][0])))
                shape = shape_of(part, "shape")
                return shape if shape and math.prod(shape) == len(self.run.inputs) else None
        return None

    def add_block(self, key: object, block: Block, order: float) -> int:
        self.block_of[key] = len(self.found)
        self.found.append(block)
        self.order.append(order)
        return len(self.found) - 1

    # ---- Neurons

    def add_neurons(self) -> None:
        level = dict.fromkeys(range(self.wengert.inputs), 0)
        uses = []
        for result, operation, operands in self.wengert.instructions():
            needed = [v for v in flat(operands) if v in level]
            if not needed:
                continue
            is_neuron = result in self.product_at
            level[result] = max(level[v] for v in needed) + is_neuron
            if is_neuron:
                uses.append(result)
            elif result in self.grouped:
                self.operation_at[result] = operation.name, operands
            is_function = not (operation.is_infix or operation.sequences or is_neuron)
            for v in needed:
                self.users[v].append((result, operation.name, is_function))
        outputs = {*self.wengert.outputs.tolist()}
        for result in uses:
            users = self.users[result]
            activation, function, is_alone = (*users[0][:2], users[0][2]) if len(users) == 1 else (result, "", False)
            if not is_alone or result in outputs:
                activation, function = result, ""
            self.operation_at.pop(activation, None)
            self.add_use(result, level[result], activation, function)

    def add_use(self, result: int, level: int, activation: int, function: str) -> None:
        product, j = self.product_at[result]
        weights, inputs, biases = product.weights[j], product.inputs, [product.biases[j]]
        if self.one in inputs:
            biases += [weight for weight, v in zip(weights, inputs, strict=True) if v == self.one]
            pairs = [pair for pair in zip(weights, inputs, strict=True) if pair[1] != self.one]
            weights, inputs = [weight for weight, _ in pairs], [v for _, v in pairs]
        key = tuple(weights)
        if key not in self.unit_of:
            self.add_unit(key, inputs, (level, id(product)), result, function)
        b, u = self.unit_of[key]
        unit = self.found[b].units[u]
        if unit.uses and min(unit.inputs, default=0) < 0:  # at the edge of an image, or of time
            unit.inputs = [known if known >= 0 else v for known, v in zip(unit.inputs, inputs, strict=True)]
        unit.biases += [bias for bias in biases if bias not in self.no_biases and bias not in unit.biases]
        self.places[result] = self.places[activation] = b, u, len(unit.uses)
        unit.uses.append((result, activation))

    def add_unit(
        self, weights: tuple[int, ...], inputs: Sequence[int], depth: tuple[int, int], result: int, function: str
    ) -> None:
        row, siblings = row_of([self.name_of(weights[0]), self.name_of(weights[-1])] if weights else [])
        key = (depth[1],) if siblings is None else (siblings, depth[0])
        b = self.block_of.get(key)
        if b is None:
            b = self.add_block(key, Block("neurons", row if siblings is None else siblings), result)
        self.unit_of[weights] = b, len(self.found[b].units)
        self.found[b].units.append(Unit(row, [], function, [*weights], [*inputs], []))

    def name_of(self, variable: int) -> str:
        k = variable - self.wengert.inputs
        return self.names[k] if 0 <= k < len(self.names) else ""

    # ---- Operations

    def add_operations(self) -> None:
        """Those that come from the same blocks are a block, and so are those that only one such block uses."""
        for result, (_, operands) in self.operation_at.items():
            self.origin[result] = frozenset().union(*map(self.sources, flat(operands)))
        into = self.merged()
        for result, (name, operands) in self.operation_at.items():
            key = self.origin[result]
            while key in into:
                key = into[key]
            self.origin[result] = key
            b = self.block_of.get(key)
            if b is None:
                b = self.add_block(key, Block("operations"), result)
            block = self.found[b]
            block.operations[name] += 1
            first = self.wengert.inputs
            block.parameters |= {v for v in flat(operands) if first <= v < self.wengert.first_result}
        for result, (_, operands) in self.operation_at.items():
            b = self.block_of[self.origin[result]]
            self.found[b].reads |= {s for v in flat(operands) for s in self.blocks_at(v) if s != b}
        for block in self.found:
            for unit in block.units:  # what is added to products may come from another block
                block.reads |= {s for bias in unit.biases for s in self.blocks_at(bias)}
                unit.biases = [bias for bias in unit.biases if not self.blocks_at(bias)]
        for product in self.products:  # and where the same neurons are used again, they may see another block
            b, u, _ = self.places[product.results[0]]
            known = {s for v in self.found[b].units[u].inputs for s in self.blocks_at(v)}
            self.found[b].reads |= {s for v in product.inputs for s in self.blocks_at(v) if s not in known}

    def merged(self) -> dict[frozenset[int], frozenset[int]]:
        """Of the origins whose results nothing uses but operations of one other origin, that one."""
        outputs = {*self.wengert.outputs.tolist()}
        users: dict[frozenset[int], set[object]] = defaultdict(set)
        for result, origin in self.origin.items():
            users[origin] |= {self.origin.get(user) for user, _, _ in self.users[result]}
            if result in outputs:
                users[origin].add(None)
        into = {}
        for origin, used in users.items():
            others = used - {origin}
            if len(others) == 1 and None not in others:
                [other] = others
                if isinstance(other, frozenset) and origin < other:  # so that none goes round in a circle
                    into[origin] = other
        return into

    def sources(self, variable: int) -> frozenset[int]:
        """The blocks that a variable comes from, through operations alone."""
        if variable in self.places:
            return frozenset([self.places[variable][0]])
        return self.origin.get(variable, frozenset())

    def blocks_at(self, variable: int) -> frozenset[int]:
        """The block that a variable belongs to, if it depends on an input."""
        if variable in self.places:
            return frozenset([self.places[variable][0]])
        return frozenset([self.block_of[self.origin[variable]]] if variable in self.origin else [])

    # ---- The results of operations, as units

    def place_results(self) -> None:
        """A result is the unit that it is for the neurons that see it, else the one that it is among the outputs."""
        self.find_attention()
        ranks: dict[int, dict[int, int]] = defaultdict(dict)  # of each block, the unit of each result
        conflicts: set[int] = set()
        for product in self.products:
            self.rank(product.inputs, ranks, conflicts)
        outputs = self.wengert.outputs.tolist()
        columns = grid_of(self.run.output_form) or len(outputs)
        for first in range(0, len(outputs), columns):
            self.rank(outputs[first : first + columns], ranks, conflicts)
        for b, rank in ranks.items():
            units = [Unit("") for _ in range(1 if b in conflicts else 1 + max(rank.values()))]
            for v in sorted(rank):
                u = 0 if b in conflicts else rank[v]
                self.places[v] = b, u, len(units[u].uses)
                units[u].uses.append((v, v))
            self.found[b].units = [unit for unit in units if unit.uses]

    def rank(self, variables: Iterable[int], ranks: dict[int, dict[int, int]], conflicts: set[int]) -> None:
        counts: Counter[int] = Counter()
        for v in variables:
            if v in self.origin:
                b = self.block_of[self.origin[v]]
                if ranks[b].setdefault(v, counts[b]) != counts[b]:
                    conflicts.add(b)
                counts[b] += 1

    def find_attention(self) -> None:
        """Dots of a softmax with results of one neuron, one for each place. The first neuron tells the heads apart."""
        rows: dict[int, dict[int, dict[tuple[int, ...], dict[int, int]]]] = defaultdict(lambda: defaultdict(dict))
        for result, (name, operands) in self.operation_at.items():
            if name != "dot":
                continue
            weights, values, _ = operands
            if not all(self.operation_at.get(v, ("",))[0] == "softmax_of" for v in weights):
                weights, values = values, weights
            if not all(self.operation_at.get(v, ("",))[0] == "softmax_of" for v in weights):
                continue
            places = [self.places.get(v) for v in values]
            units = {place[:2] for place in places if place}
            if None in places or len(units) != 1:
                continue
            [(_, u)] = units
            own = rows[self.block_of[self.origin[result]]]
            head = next((head for head, found in own.items() if tuple(weights) in found), u)
            own[head][tuple(weights)] = {place[2]: w for place, w in zip(places, weights, strict=True) if place}
        for b, heads in rows.items():
            self.found[b].attention = [[*heads[u].values()] for u in sorted(heads)]

    # ---- Names, and the order

    def name_blocks(self) -> None:
        """A block is called after the module that it is alone in, else after the list that its rows are in."""
        modules = [self.module_of(block) for block in self.found]
        count = Counter(module for block, module in zip(self.found, modules, strict=True) if block.kind == "neurons")
        for block, module in zip(self.found, modules, strict=True):
            if module is None:
                continue
            if block.kind == "neurons" and count[module] > 1 and len(block.units) == 1:
                module = module_path(self.model, block.units[0].name)
            if block.kind == "operations" or count[module] <= 1:
                block.path = module
            part = part_at(self.model, module)
            block.part = kind_of(part)
            shape = shape_of(part, "output_shape")
            if block.kind == "neurons" and shape and all(len(u.uses) == shape[1] * shape[2] for u in block.units):
                block.shape = shape[1:]

    def module_of(self, block: Block) -> str | None:
        """The way to the module of a block: for neurons that of their list, for operations that of the parameters."""
        if block.kind == "neurons":
            return module_path(self.model, block.path)
        names = [name for v in block.parameters if (name := self.name_of(v))]
        return module_path(self.model, f"{common([*names, names[0]])}.") if names else None

    def sort(self) -> None:
        """Puts the blocks in the order of the variables by which they stand in line."""
        line = sorted(range(len(self.found)), key=self.order.__getitem__)
        new = {b: k for k, b in enumerate(line)}
        self.blocks = [self.found[b] for b in line]
        for block in self.blocks:
            block.reads = {new[b] for b in block.reads}
        self.places = {v: (new[b], u, p) for v, (b, u, p) in self.places.items()}


# ---- Structures and names


def grid_of(form: Form) -> int | None:
    """How many numbers each row has, where a structure is a sequence of rows of one length; None for another."""
    if form.shape is not None:
        return form.shape[1] if len(form.shape) == 2 and 0 not in form.shape else None
    lengths = {row_length(part) for part in form.parts} if not form.keys else set()
    return lengths.pop() if len(lengths) == 1 else None


def row_length(form: Form) -> int | None:
    if form.shape is not None:
        return form.shape[0] if len(form.shape) == 1 and form.shape[0] else None
    is_row = form.kind is not None and form.parts and not form.keys and all(part.is_single for part in form.parts)
    return len(form.parts) if is_row else None


def places_of_numbers(run: Recorded) -> list[str]:
    """Where each number stands among the inputs; by its number where something else stands there too."""
    places = run.input_form.places()
    return places if len(places) == len(run.inputs) else [f"[{k}]" for k in range(len(run.inputs))]


def row_of(names: Sequence[str]) -> tuple[str, str | None]:
    """The way to a row of weights, by the names of its first and its last; and that to the list that the row is in."""
    row = common(names)
    steps = row.split(".")
    numbered = [k for k, step in enumerate(steps) if step.isdigit()]
    return row, ".".join(steps[: numbered[-1]]) if numbered else None


def common(names: Sequence[str]) -> str:
    """The way that names have in common; without the last step if they are the same."""
    if not names or not all(names):
        return ""
    first, *others = [name.split(".") for name in names]
    steps = []
    for k, step in enumerate(first[:-1]):
        if any(len(other) <= k or other[k] != step for other in others):
            break
        steps.append(step)
    return ".".join(steps)


def flat(operands: Sequence[int | list[int]]) -> list[int]:
    return [v for operand in operands for v in (operand if isinstance(operand, list) else (operand,))]
