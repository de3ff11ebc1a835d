"""A large graph is folded: what belongs together is one part, which is drawn as one box and can be opened.

What belongs together is found in this order, as far as there is too much to be seen:

1. the modules that the parameters stand in. A node belongs to the module whose parameters are its operands; so do the
   sums of its products and its activation. Any other node belongs to what lies around an operand and a use;
2. the layers: nodes of one operation that stand equally deep, each with its activation, as the tape groups them;
3. repeated parts: a sequence of parts that comes again and again, as the steps of a chain or of a recurrence, is one;
4. blocks of what follows each other, for what has no structure at all.

All of it is in loops and takes time linear in the number of nodes, so that any graph can be folded.
"""

from __future__ import annotations

import re
import reprlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from autograd.drawing import diagram, naming
from autograd.operations import OPERATIONS
from autograd.wording import counted, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import TypeAlias

    from autograd.drawing.naming import Place
    from autograd.engines import Value

    Item: TypeAlias = "int | Part"  # a node by its place in the order, or a part
    Key: TypeAlias = tuple[int, str, int]  # of nodes that are alike: depth, operation, how many operands

SUMS = OPERATIONS["add"], diagram.SUM
READABLE = 60  # nodes, with twice as many edges, are drawn as they are within a part
MOST_PARTS = 24  # and loose nodes in a picture
BLOCKS = 8  # of what has no structure: any of them may need values of any before
FEW = 4  # nodes that are shown rather than folded, while the picture has no more parts and nodes than:
MOST_SEEN = 36
MOST_IN_A_CHAIN = 6  # operations, one element by element after the other, that are one part
MOST_PHRASES = 3  # of what a part consists of
PERIODS = 8  # how many lengths of what may repeat are tried
MOST_NAMES = 12  # that an error lists
RUNS = 16  # how many repeated parts are looked for in a picture


@dataclass(eq=False)
class Part:
    """Some nodes of a graph.

    Arguments:
        graph: where they are.
        path: by which it is opened: "layers[1]" of a module, "#3" of others.
        members: the nodes' places in the graph's order.
        step: the way to the innermost module that holds all of them: ("layers[1]",).
        title: the module's name, if the part is a module; "" else.
        times: how many alike it consists of.
        each: the first of these, if there are several.
    """

    graph: Graph
    path: str
    members: list[int]
    step: Place = ()
    title: str = ""
    times: int = 1
    each: tuple[Part, ...] = ()

    @cached_property
    def shown(self) -> list[int]:
        """The members that its inside shows: of what repeats, the first."""
        return sorted(i for part in self.each for i in part.members) if self.each else self.members

    @cached_property
    def inside(self) -> list[Item]:
        """What is seen when it is opened."""
        if self.graph.fits(self.shown, READABLE) and not self.graph.has_opened(self.path):
            return [*self.shown]
        if self.each:
            return self.each[0].inside if len(self.each) == 1 else [*self.each]
        return self.graph.items(self.members, self.step, self.path)

    @cached_property
    def what(self) -> str:
        """What it consists of, in words."""
        return self.graph.described(self.shown)

    @property
    def heading(self) -> str:
        """What it is called: by its name, or by how often something comes again, or by what it consists of."""
        return self.title or (f"{self.times:,} times the same" if self.each else self.what)


class Graph:
    """A graph to be folded, with the numbers that it holds now: `data` and `grads`.

    Arguments:
        values: its nodes in topological order.
        places: where in the model its parameters stand, by their ids.
        products_of: how many nodes are drawn of a Value beside its own.
        opened: the paths of what is to be open, and so is never hidden among others.
    """

    def __init__(
        self,
        values: Sequence[Value],
        places: Mapping[int, Place] | None = None,
        products_of: Callable[[Value], int] = lambda value: 0,
        opened: Iterable[str] = (),
    ) -> None:
        self.values = values
        self.opened = tuple(opened)
        index = {id(value): i for i, value in enumerate(values)}
        self.parents = [[i for parent in value.parents if (i := index.get(id(parent), -1)) >= 0] for value in values]
        self.uses: list[list[int]] = [[] for _ in values]
        for i, parents in enumerate(self.parents):
            for parent in dict.fromkeys(parents):
                self.uses[parent].append(i)
        self.products = [products_of(value) for value in values]
        self.ops = [operation_of(value) for value in values]
        self.data = [value.data for value in values]
        self.grads = [value.grad for value in values]
        self.modules = self.find_modules(places or {})

    def fits(self, members: Sequence[int], most: int) -> bool:
        """Whether so many nodes can be drawn as they are: at most `most`, with twice as many edges."""
        if len(members) > most:
            return False
        products = sum(self.products[i] for i in members)
        return len(members) + products <= most and sum(len(self.parents[i]) for i in members) + products <= 2 * most

    def has_opened(self, path: str) -> bool:
        """Whether something within the part of this path is to be open."""
        return any(is_within(path, opened) for opened in self.opened)

    def seen(self) -> list[Item]:
        """What is seen of the graph: parts, and nodes that are in none; what is to be open is.

        Raises ValueError if there is nothing of a name that is to be opened.
        """
        items = self.items(list(range(len(self.values))), (), "")
        paths: dict[str, None] = {}
        k = 0
        while k < len(items):
            item = items[k]
            if isinstance(item, Part):
                paths[item.path] = None
                if item.path in self.opened or self.has_opened(item.path):
                    items[k : k + 1] = item.inside
                    continue
            k += 1
        modules = {".".join(way[:depth]) for way in {*self.modules} for depth in range(1, len(way) + 1)}
        for name in self.opened:
            if name not in paths and name not in modules:
                known = ", ".join(map(repr, [*paths][:MOST_NAMES])) or "none"
                more = f" and {len(paths) - MOST_NAMES:,} more" if len(paths) > MOST_NAMES else ""
                raise ValueError(f"draw: nothing to open is called {name!r}; there are {known}{more}")
        return items

    def items(self, members: list[int], step: Place, path: str) -> list[Item]:
        """What is seen of some nodes: the parts that they are in, and those that are in none."""
        parts = self.by_module(members, step, path)
        if len(parts) == 1:
            parts = self.by_component(parts[0].members, step, path)
        if len(parts) > MOST_PARTS:
            parts = self.repeated(parts, step, path)
        if len(parts) > MOST_PARTS:
            parts = self.in_blocks(parts, step, path)
        return self.unpacked(parts)

    def unpacked(self, parts: list[Part]) -> list[Item]:
        """Parts of very few nodes are no parts, the smallest first, as long as there is not too much to be seen."""
        seen, few = len(parts), 0
        for size in range(1, FEW + 1):
            more = sum(size - 1 for part in parts if is_small(part, size) and len(part.members) == size)
            if seen + more > MOST_SEEN:
                break
            seen, few = seen + more, size
        items: list[Item] = []
        for part in parts:
            items += part.members if is_small(part, few) else [part]
        return items

    # ---- Modules

    def find_modules(self, places: Mapping[int, Place]) -> list[Place]:
        """The module that each node belongs to: the way to it, () for what is in none."""
        if not places:
            return [()] * len(self.values)
        count = len(self.values)
        own: list[Place | None] = [None] * count
        for i, value in enumerate(self.values):
            if not self.parents[i] and id(value) in places:
                own[i] = places[id(value)][:-1]
        parameters = [place is not None for place in own]
        for i, parents in enumerate(self.parents):
            held = {own[p] for p in parents if parameters[p]}
            if held:
                own[i] = shared([place for place in held if place is not None])
        ahead: list[Place] = [()] * count  # what lies around all uses
        for i in range(count - 1, -1, -1):
            place = own[i]
            ahead[i] = place if place is not None else shared([ahead[use] for use in self.uses[i]])
        found: list[Place] = [()] * count
        for i, parents in enumerate(self.parents):
            place = own[i]
            if place is None and parents:
                computed = {found[p] for p in parents if self.parents[p]}
                goes_on = self.is_function(i) or (
                    self.values[i].operation in SUMS and any(self.is_term(p) and own[p] for p in parents)
                )
                if len(computed) == 1 and goes_on:
                    [place] = computed
                else:
                    before = max(computed, key=len, default=())
                    place = max((shared([before, ahead[use]]) for use in self.uses[i]), key=len, default=())
            found[i] = place or ()
        return found

    def is_function(self, i: int) -> bool:
        """Whether it is a function of a single node, such as an activation."""
        operation = self.values[i].operation
        return operation is not None and not operation.is_infix and len(self.parents[i]) == 1

    def is_term(self, i: int) -> bool:
        """Whether it is a product that is used once, such as a weight times an input."""
        return self.values[i].operation is diagram.MULTIPLY and len(self.uses[i]) == 1

    def by_module(self, members: list[int], step: Place, path: str) -> list[Part]:
        """The modules within a module, and the layers of what is in none of them."""
        while True:
            depth = len(step)
            inner: dict[Place, list[int]] = {}
            loose = []
            for i in members:
                if len(self.modules[i]) > depth:
                    inner.setdefault(self.modules[i][: depth + 1], []).append(i)
                else:
                    loose.append(i)
            if len(inner) != 1 or loose:
                break
            [step] = inner
        parts = [Part(self, ".".join(way), within, way, ".".join(way)) for way, within in inner.items()]
        layers = self.by_layer(loose, step, path, self.depths(members))
        return self.sorted([*parts, *layers]) if parts else layers

    # ---- Layers

    def by_layer(self, members: list[int], step: Place, path: str, depth: Mapping[int, int]) -> list[Part]:
        """Nodes of one operation that stand equally deep, and the leaves that only they use.

        They are in the order of their depth, so that what flows between them goes forward.
        """
        if len(members) <= FEW:
            return [Part(self, f"{path}#{i}", [i], step) for i in members]
        groups: dict[Key, list[int]] = {}
        key_of: dict[int, Key] = {}
        for i in members:
            if self.parents[i]:
                own = depth[i], self.ops[i], len(self.parents[i])
                key_of[i] = key_of.get(self.net_input(i), own)
                groups.setdefault(key_of[i], []).append(i)
        self.chain(groups, key_of)
        shared_leaves: dict[tuple[object, ...], list[int]] = {}
        for i in members:
            if not self.parents[i]:
                users = {key_of.get(use, self.modules[use][: len(step) + 1]): None for use in self.uses[i]}
                if len(users) == 1 and (key := next(iter(users))) in groups:
                    groups[key].append(i)
                else:
                    shared_leaves.setdefault((*users,), []).append(i)
        found = [*shared_leaves.values(), *groups.values()]
        return [Part(self, f"{path}#{min(group)}", sorted(group), step) for group in found]

    def chain(self, groups: dict[Key, list[int]], key_of: dict[int, Key]) -> None:
        """Sorts groups by depth, and joins one to that which alone it is computed from, element by element."""
        length: dict[Key, int] = {}
        for key in sorted(groups, key=lambda key: key[0]):
            group = groups.pop(key)
            before = [p for i in group for p in self.parents[i] if self.parents[p]]
            keys = {key_of.get(p) for p in before}
            longer = next(iter(keys)) if len(keys) == 1 else None
            is_one_to_one = len({*before}) == len(before) == len(group) > 1 and all(
                len(self.uses[p]) == 1 for p in before
            )
            if longer is None or not is_one_to_one or longer == key or length[longer] == MOST_IN_A_CHAIN:
                groups[key], length[key] = group, 1
            else:
                groups[longer] += group
                length[longer] += 1
                key_of.update(dict.fromkeys(group, longer))

    def depths(self, members: Sequence[int]) -> dict[int, int]:
        """How deep each stands among the members: an activation as deep as what it is of, leaves not at all.

        What leaves alone go into stands just before its use, and not at the beginning with all others of its kind.
        """
        depth: dict[int, int] = {}
        for i in members:
            inner = [depth[p] for p in self.parents[i] if p in depth]
            is_activation = self.net_input(i) in depth
            depth[i] = max(inner, default=0) + (1 if self.parents[i] and not is_activation else 0)
        for i in reversed(members):
            if self.parents[i] and all(not self.parents[p] for p in self.parents[i]):
                uses = [depth[use] for use in self.uses[i] if use in depth]
                if uses and self.net_input(self.uses[i][0]) != i:
                    depth[i] = max(min(uses) - 1, 1)
        return depth

    def net_input(self, i: int) -> int:
        """What a node is the activation of: the one operand that it is a function of, if it is its only use; or -1."""
        if not self.is_function(i):
            return -1
        [operand] = self.parents[i]
        return operand if len(self.uses[operand]) == 1 and len(self.parents[operand]) > 1 else -1

    def sorted(self, parts: list[Part]) -> list[Part]:
        """In the order in which they can be computed, as far as there is one: by their first computed nodes."""

        def first(part: Part) -> tuple[int, int]:
            computed = next((i for i in part.members if self.parents[i]), None)
            if computed is not None:
                return computed, 1
            return min((self.uses[i][0] for i in part.members if self.uses[i]), default=part.members[0]), 0

        return sorted(parts, key=first)

    # ---- What is alike, or beside each other

    def by_component(self, members: list[int], step: Place, path: str) -> list[Part]:
        """The pieces that members of one kind fall into: each a neuron, say. What leaves they share is one more.

        If they are all one piece, each member is a part.
        """
        within = {i for i in members if self.parents[i]}
        root = {i: i for i in within}
        for i in members:  # operands come first, so that a chain's root is found in one step
            for parent in self.parents[i]:
                if parent in within:
                    join(root, parent, i)
        pieces: dict[int, list[int]] = {}
        leaves = []
        for i in members:
            users = {find(root, use) for use in self.uses[i] if use in within} if i not in within else {find(root, i)}
            if len(users) == 1:
                pieces.setdefault(users.pop(), []).append(i)
            else:
                leaves.append(i)
        if len(pieces) == 1 or not within:
            return [Part(self, f"{path}#{i}", [i], step) for i in members]
        groups = [*pieces.values(), *([leaves] if leaves else [])]
        return self.sorted([Part(self, f"{path}#{group[0]}", group, step) for group in groups])

    def repeated(self, parts: list[Part], step: Place, path: str) -> list[Part]:
        """The parts, with what repeats among them made one: the longest runs first."""
        signs = [self.signs(parts, is_relative=True)]
        if (run := longest_run(signs[0])) is None or run.times * run.period < len(parts) / 2:
            signs.append(self.signs(parts, is_relative=False))
        runs: dict[int, Run] = {}
        spans = [(0, len(parts))]
        while spans and len(runs) < RUNS:
            start, end = spans.pop()
            found = [run for sign in signs if (run := longest_run(sign[start:end]))]
            if found:
                run = max(found, key=lambda run: (run.times - 1) * run.period)
                first = start + run.first
                runs[first] = run
                spans += [(start, first), (first + run.times * run.period, end)]
        shown, k = [], 0
        while k < len(parts):
            if k in runs:
                period, times = runs[k].period, runs[k].times
                shown.append(self.run(parts[k : k + period * times], period, step, path))
                k += period * times
            else:
                shown.append(parts[k])
                k += 1
        return shown

    def run(self, parts: list[Part], period: int, step: Place, path: str) -> Part:
        """Parts that repeat, as one."""
        members = sorted(i for part in parts for i in part.members)
        first, last = parts[0], parts[-1]
        is_named = bool(period == 1 and first.title and last.title)
        title = f"{first.title} … {last.title}" if is_named else ""
        name = f"{path}#{members[0]}x{len(parts) // period}"
        return Part(self, name, members, step, title, len(parts) // period, tuple(parts[:period]))

    def signs(self, parts: list[Part], is_relative: bool) -> list[object]:
        """Of each part what it consists of, and how far before it in the list the parts are that it needs.

        Alternatively, which parts these are; leaves are what many share.
        """
        owner = {i: k for k, part in enumerate(parts) for i in part.members}
        signs: list[object] = []
        for k, part in enumerate(parts):
            if part.path in self.opened or self.has_opened(part.path):
                signs.append(k)
                continue
            needed = {
                (k - owner[p] if is_relative else owner[p]) if self.parents[p] else 0
                for i in part.members
                for p in self.parents[i]
                if p in owner and owner[p] != k
            }
            kinds = tuple(sorted(self.ops[i] for i in part.members))
            family = re.sub(r"\[\d+\]$", "", part.title)
            signs.append((family, kinds, tuple(sorted(needed))))
        return signs

    def in_blocks(self, parts: list[Part], step: Place, path: str) -> list[Part]:
        """The parts, in their order, in few blocks, with equally many nodes."""
        size = sum(len(part.members) for part in parts) / BLOCKS
        blocks: list[list[Part]] = [[]]
        filled = 0
        for part in parts:
            if filled >= size * len(blocks) and len(blocks) < BLOCKS:
                blocks.append([])
            blocks[-1].append(part)
            filled += len(part.members)
        return [block[0] if len(block) == 1 else self.block(block, step, path) for block in blocks]

    def block(self, parts: list[Part], step: Place, path: str) -> Part:
        members = sorted(i for part in parts for i in part.members)
        first, last = parts[0].title, parts[-1].title
        title = f"{first} … {last}" if first and last else ""
        return Part(self, f"{path}#{members[0]}-{members[-1]}", members, step, title)

    # ---- In words

    def described(self, members: Sequence[int]) -> str:
        """What some nodes are: "16 relu neurons of 2 inputs; 3 +"."""
        neurons: Counter[tuple[str, int]] = Counter()
        weights: dict[tuple[str, int], set[int]] = {}
        within, activations = set(members), set()
        for i in members:
            if self.is_neuron(i):
                factors, *_ = diagram.operands_of_dot(self.values[i])
                activation = self.activation_of(i, within)
                activations.add(activation)
                kind = (self.ops[activation] if activation >= 0 else "", len(factors))
                neurons[kind] += 1
                weights.setdefault(kind, set()).add(self.parents[i][0])
        phrases = []
        for (activation_name, inputs), count in neurons.most_common():
            different = len(weights[activation_name, inputs])
            is_shared = count % different == 0 and different < count
            kind_of = f"{activation_name} neuron".strip()
            phrase = f"{counted(different if is_shared else count, kind_of)} of {counted(inputs, 'input')}"
            phrases.append(phrase + (f", {count // different:,} times" if is_shared else ""))
        others = Counter(
            self.ops[i] for i in members if self.parents[i] and i not in activations and not self.is_neuron(i)
        )
        phrases += [f"{count:,} {op}" for op, count in others.most_common()]
        if not phrases:
            first, last = (shown(self.values[members[k]].label, diagram.BOX_CHARACTERS) for k in (0, -1))
            labels = f": {first} … {last}" if first and last and len(members) > 1 else ""
            return counted(len(members), "leaf") + labels
        more = len(phrases) - MOST_PHRASES
        return "; ".join(phrases[:MOST_PHRASES]) + (f"; {counted(more, 'more kind')}" if more > 0 else "")

    def is_neuron(self, i: int) -> bool:
        """Whether it is a dot of leaves, the weights, with something else."""
        return (
            self.values[i].operation is diagram.DOT and bool(self.parents[i]) and not self.parents[self.parents[i][0]]
        )

    def activation_of(self, i: int, within: Collection[int]) -> int:
        """The node that is the function of a net input, or -1."""
        uses = self.uses[i]
        return uses[0] if len(uses) == 1 and uses[0] in within and self.is_function(uses[0]) else -1


def names_to_open(names: str | Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple; "layers.1", as named_parameters() has it, is "layers[1]". Raises TypeError for others.

    >>> names_to_open("layers.1.neurons.0"), names_to_open(["a", "layers[2]"])
    (('layers[1].neurons[0]',), ('a', 'layers[2]'))
    """
    given = (names,) if isinstance(names, str) else names
    if not isinstance(given, (tuple, list)) or not all(isinstance(name, str) for name in given):
        raise TypeError(f'draw: expected open= to be names of parts, such as "layers[1]", got {reprlib.repr(names)}')
    return tuple([re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", name) for name in given])


@dataclass(frozen=True)
class Run:
    """What repeats in a list: from `first`, `times` times as much as `period`."""

    first: int
    period: int
    times: int


def longest_run(signs: Sequence[object]) -> Run | None:
    """What repeats in a list and hides most of it when only the first is shown; None if nothing does.

    A period is a distance between one sign and the next that is equal: the most frequent ones are tried.

    >>> longest_run("xabcabcabcy")
    Run(first=1, period=3, times=3)
    """
    latest: dict[object, int] = {}
    distances: Counter[int] = Counter()
    for k, sign in enumerate(signs):
        if sign in latest:
            distances[k - latest[sign]] += 1
        latest[sign] = k
    best, hidden = None, 0
    for period, _ in distances.most_common(PERIODS):
        length = 0
        for k in range(len(signs) - period + 1):
            if k < len(signs) - period and signs[k] == signs[k + period]:
                length += 1
            else:
                times = length // period + 1
                if (times - 1) * period > hidden:
                    best, hidden = Run(k - length, period, times), (times - 1) * period
                length = 0
    return best


def is_small(part: Part, few: int) -> bool:
    return len(part.members) <= few and not part.title and not part.each


def shared(places: Iterable[Place]) -> Place:
    """The way that all of the places begin with."""
    ways = {*places}
    first = min(ways, key=len, default=())
    return first if len(ways) < 2 else first[: naming.common(ways)]


def is_within(path: str, opened: str) -> bool:
    """Whether what is to be open lies within the part of this path, and is not the part itself."""
    return opened != path and (not path or opened.startswith((f"{path}.", f"{path}#")))


def operation_of(value: Value) -> str:
    """The operation's name in a text, or "" of a leaf."""
    operation = value.operation
    name = value.op if operation is None else operation.name if operation.is_infix else operation.symbol
    return shown(name, diagram.BOX_CHARACTERS)


def join(root: dict[int, int], one: int, other: int) -> None:
    root[find(root, one)] = find(root, other)


def find(root: dict[int, int], i: int) -> int:
    """The root of i, with all on the way made shorter."""
    while root[i] != i:
        root[i] = root[root[i]]
        i = root[i]
    return i
