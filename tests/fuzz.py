"""Random programs, each run by both engines: whatever can be seen must be the same, bit for bit, errors too.

A program is lines of Python, so that one that fails is printed as code, without the lines that it fails without too.
`make fuzz PROGRAMS=100000 SEED=1` runs it; the nth program has the seed SEED + n by itself. What a tape computes from a
program's graph is compared with the graph: by the native executor, and now and then by others, which take longer.
`make fuzz EXECUTORS="numpy c"` has these replay each program.
"""

from __future__ import annotations

import copy
import itertools
import math
import random
import struct
import sys
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy

import autograd
from autograd import Tape, engines, no_grad, value
from autograd.engines import recording
from autograd.graph import topological_order
from autograd.operations import OPERATIONS
from autograd.tape.executors import missing

NUMBERS = [
    *[
        "0.0",
        "-0.0",
        "1.0",
        "-1.0",
        "2.0",
        "-3.0",
        "0.5",
        "-0.5",
        "1e-8",
        "5e-324",
        "1e200",
        "-1e200",
        "710.5",
        "-745.2",
    ],
    *["1.7976931348623157e308", "math.inf", "-math.inf", "math.nan", "2", "-1", "True", "(10**400)", "Fraction(1, 3)"],
    *["Decimal('-0.1')", "numpy.float64(0.1)", "numpy.float32(2.5)", "numpy.array(1.5)"],
]
REFUSED = ["'x'", "None", "1j", "[1.0]", "{}", "b'1'", "numpy.ones(2)"]
INFIX = ["+", "-", "*", "/", "**"]
COMPARISONS = ["<", "<=", ">", ">=", "==", "!="]
SCALAR = [name for name, operation in OPERATIONS.items() if not operation.sequences]
NARY = [name for name, operation in OPERATIONS.items() if operation.sequences]

SUBCLASSES = """
class Rated(Value):
    rate = 0.5

class Micro(Value):
    def __init__(self, data, _children=(), _op=""):
        super().__init__(data, _children, _op)
        self.made = len(_children)
    def __add__(self, other):
        other = other if isinstance(other, Value) else Micro(other)
        return Micro(self.data + other.data, (self, other), (1.0, 1.0))
    __mul__ = Value.__mul__
"""


def namespace(kind, function):
    """What a program's lines find: an engine's Value, subclasses of it, and its functions."""
    names = {"Value": kind, "__name__": "program", "math": math, "numpy": numpy, "copy": copy, "no_grad": no_grad}
    names |= {"Decimal": Decimal, "Fraction": Fraction, "recording": recording}
    exec(SUBCLASSES, names)
    return names | {name: function(operation) for name, operation in OPERATIONS.items()}


PYTHON = namespace(value.Value, value.function)
NATIVE = namespace(autograd.Value, engines.function)


# ---- Programs


class Writer:
    """Writes the lines of a program. `names` are those of the Values that the lines so far have made."""

    def __init__(self, chance):
        self.chance = chance
        self.names = []

    def line(self):
        result = f"v{len(self.names)}"
        ways = [Writer.leaf] if not self.names else WAYS
        expression, is_assigned = self.chance.choice(ways)(self)
        if not is_assigned:
            return expression, None
        roll = self.chance.random()
        prefix = "with no_grad(): " if roll < 0.05 else "with recording(raises=False): " if roll < 0.1 else ""
        return f"{prefix}{result} = {expression}", result

    def node(self):
        return self.chance.choice(self.names[-8:])

    def number(self):
        return (
            self.chance.choice(NUMBERS) if self.chance.random() < 0.5 else repr(round(self.chance.gauss(0.0, 2.0), 3))
        )

    def operand(self):
        roll = self.chance.random()
        if roll < 0.6:
            return f"numpy.array({self.node()})" if roll < 0.03 else self.node()
        return self.number() if roll < 0.97 else self.chance.choice(REFUSED)

    def operands(self, most):
        return ", ".join([self.operand() for _ in range(self.chance.randrange(most + 1))])

    # each of these returns an expression, or a statement, and whether a variable gets its result

    def leaf(self):
        kind = self.chance.choice(["Value"] * 6 + ["Rated", "Micro"])
        label = self.chance.choice(["", "", ", label='w'"]) if kind != "Micro" else ""
        return f"{kind}({self.number()}{label})", True

    def infix(self):
        left, right = (self.node(), self.operand()) if self.chance.random() < 0.5 else (self.operand(), self.node())
        return f"{left} {self.chance.choice(INFIX)} {right}", True

    def function(self):
        return self.called(self.chance.choice(SCALAR)), True

    def nary(self):
        return self.called(self.chance.choice(NARY)), True

    def called(self, name):
        """A call of a row by its signature: defaults may be left out, and now and then there is one too many or few."""
        operation, n = OPERATIONS[name], self.chance.randrange(5)
        kind = self.chance.choice(["[{}]", "[{}]", "({},)", "iter([{}])", "numpy.array([{}], object)"])
        given = [kind.format(", ".join([self.operand() for _ in range(n)])) for _ in range(operation.sequences)]
        given += [self.operand() for _ in operation.operands[operation.sequences :]]
        if operation.defaults and self.chance.random() < 0.5:
            del given[-self.chance.randrange(1, len(operation.defaults) + 1) :]
        roll = self.chance.random()
        if roll < 0.03:
            given.append(self.operand())
        elif roll < 0.06:
            del given[-1]
        elif roll < 0.2:
            given[-1] = f"{operation.operands[len(given) - 1]}={given[-1]}"
        return f"{name}({', '.join(given)})".replace("(,)", "()")

    def method(self):
        return f"{self.node()}.{self.chance.choice(SCALAR)}({self.operands(1)})", True

    def by_hand(self):
        third = self.chance.choice(["''", "'+'", "(1.0,)", "(0.5, -1.0)", "('x',)", "3"])
        return f"Value({self.number()}, ({self.node()}, {self.operand()}), {third})", True

    def of_a_value(self):
        ways = ["Value({})", "{}.detach()", "copy.copy({})", "copy.deepcopy({})", "+{}", "-{}", "abs({})"]
        return self.chance.choice(ways).format(self.node()), True

    def seen(self):
        ways = [
            *["float({})", "int({})", "complex({})", "bool({})", "math.exp({})", "{}.item()", "format({}, '.3f')"],
            *["repr({})", "hash({}) == hash({})", "{}._prev == set({}.parents)", "numpy.float64({})", "round({}, 1)"],
            *["{}.nothing", "{}.rate", "{}.made", "{}.extra", "{}[0]", "len({})", "iter({})", "{}()"],
        ]
        return f"seen = {self.chance.choice(ways)}".replace("{}", self.node()), False

    def compared(self):
        return f"seen = {self.operand()} {self.chance.choice(COMPARISONS)} {self.operand()}", False

    def assigned(self):
        name = self.chance.choice(["data", "data", "grad", "label", "extra", "_op", "_backward", "parents", "op"])
        thing = self.chance.choice(["'h'", "'ReLU'", "None", "3"]) if name in ("label", "_op") else self.operand()
        return f"{self.node()}.{name} = {thing}", False

    def assigned_children(self):
        name = self.chance.choice(["_children", "_prev", "_local_grads"])
        kind = self.chance.choice(["({},)", "[{}]", "{}"])
        return f"{self.node()}.{name} = {kind.format(self.operand())}", False

    def deleted(self):
        return f"del {self.node()}.{self.chance.choice(['extra', 'data', 'label', 'made', '_children', 'rate'])}", False

    def backward(self):
        return f"{self.node()}.backward({self.chance.choice(['', '', '', self.operand()])})", False

    def step_backward(self):
        return f"{self.node()}._backward()", False


WAYS = [
    *[Writer.infix] * 8, *[Writer.function] * 6, *[Writer.method] * 2, *[Writer.nary] * 3, *[Writer.leaf] * 3,
    *[Writer.backward] * 2, *[Writer.assigned] * 2, Writer.assigned_children, Writer.by_hand, Writer.of_a_value,
    Writer.seen, Writer.compared, Writer.deleted, Writer.step_backward,
]  # fmt: skip


def written(seed):
    """The lines of the program with this seed. It is run meanwhile: later lines use the Values that there are."""
    chance = random.Random(seed)
    writer, names, lines = Writer(chance), dict(NATIVE), []
    for _ in range(chance.randrange(2, 16)):
        line, result = writer.line()
        lines.append(line)
        outcome(line, names)
        if result is not None:
            if isinstance(names.get(result), autograd.Value):
                writer.names.append(result)
            else:
                names.pop(result, None)
    return lines


# ---- What is seen


def bits(number):
    """A float as its 64 bits; all nans alike."""
    return "nan" if math.isnan(number) else struct.pack("d", number).hex()


def outcome(line, names):
    """What a line gives: nothing, or the error's type and message."""
    try:
        exec(line, names)
    except Exception as error:
        return type(error).__name__, str(error)
    return None


def sight(names):
    """All that can be seen of the variables, and of the graphs that they were computed from."""
    found = {name: thing for name, thing in names.items() if name == "seen" or (name[0] == "v" and name[1:].isdigit())}
    nodes = topological_order(*[thing for thing in found.values() if isinstance(thing, names["Value"])])
    number = {id(node): i for i, node in enumerate(nodes)}

    def shown(thing):
        if isinstance(thing, tuple):
            return tuple(map(shown, thing))
        if isinstance(thing, names["Value"]):
            return "node", number.get(id(thing), "of no graph")
        return bits(thing) if isinstance(thing, float) else repr(thing)

    def attributes(node):
        return [(name, type(part).__name__, shown(part)) for name, part in sorted(node._attributes().items())]

    described = [
        (
            type(node).__name__, bits(node.data), bits(node.grad), shown(node.parents), shown(node.local_derivatives),
            shown(node.operands), node.op, node._op, node.operation and node.operation.name, repr(node.label),
            repr(node), shown(node._children), shown(node._local_grads), attributes(node),
        )
        for node in nodes
    ]  # fmt: skip
    return [*described, [(name, shown(thing)) for name, thing in found.items()]]


def difference(lines, python=PYTHON, native=NATIVE, others=()):
    """What the engines, and tapes on the native executor and others, do not agree on, in words; "" if they agree."""
    pair = dict(python), dict(native)
    for line in lines:
        outcomes = [outcome(line, names) for names in pair]
        if outcomes[0] != outcomes[1]:
            return f"{line}: python {outcomes[0]}, native {outcomes[1]}"
    sights = [sight(names) for names in pair]
    for python_part, native_part in itertools.zip_longest(*sights, fillvalue=()):
        if python_part != native_part:
            unlike = [both for both in itertools.zip_longest(python_part, native_part) if both[0] != both[1]]
            return f"python {unlike[0][0]}, native {unlike[0][1]}"
    return tapes_difference(pair[1], others)


def tapes_difference(names, others=()):
    """The same of the graph of the last variable and its tapes, replayed on the numbers that the graph has."""
    values = [thing for name, thing in names.items() if name[0] == "v" and isinstance(thing, autograd.Value)]
    nodes = topological_order(*values[-1:])
    computed = [node for node in nodes if node.parents]
    is_plain = all(type(node) is autograd.Value and "_backward" not in node._attributes() for node in nodes)
    if not computed or not is_plain or not all(map(engines.native.is_as_computed, computed)):
        return ""
    lookups = [node for node in computed if node.operation is OPERATIONS["take"]]
    if any(getattr(node.operands[1], "parents", ()) for node in lookups):
        return ""  # a tape looks up by its inputs only
    leaves = [node for node in nodes if not node.parents]
    for leaf in leaves:
        leaf.grad = 0.0
    values[-1].backward()
    eager = [leaf.grad for leaf in leaves]
    # To what take() has not chosen, backward() gives 0 · adjoint, which may be nan, and a tape nothing: as documented.
    is_chosen = all(math.isfinite(node.grad) for node in lookups)
    batch = [[leaf.data for leaf in leaves]]
    for executor in ("native", *others):
        tape = Tape(values[-1], leaves, executor=executor)
        output, gradient = tape.forward(batch), tape.jacobian(batch, wrt="inputs")
        agree = same_numbers if executor in EXACT else nearly(nodes)
        if not agree(output, [values[-1].data]):
            return f"a tape's output, by {executor}, {output[0]!r}, the graph's {values[-1].data!r}"
        # Where another executor rounds otherwise, it may stand on the other side of a kink.
        is_sure = is_chosen and (executor in EXACT or not any(map(has_kinks, computed)))
        if is_sure and len(tape) == len(computed) and not agree(gradient[0], eager):
            return f"a tape's gradient, by {executor}, {gradient[0].tolist()}, the graph's {eager}"
    return ""


def has_kinks(node):
    return bool(node.operation.kinks) or node.operation.name in ("max", "min")


EXACT = ("native", "c")
EVERY = {"numpy": 8, "c": 10_000}  # one of so many programs is replayed by this executor, too


def same_numbers(found, expected):
    return list(map(bits, found)) == list(map(bits, expected))


def nearly(nodes):
    """What tells whether numbers are the same but for rounding, which is that of the largest that were computed with.

    Where these are nearly infinite, or so small that digits are lost, any number may have been rounded to any other.
    """
    sizes = [abs(size) for node in nodes for size in (node.data, node.grad, *node.local_derivatives)]
    largest, least = max(sizes), min(filter(None, sizes), default=1.0)
    is_extreme = not largest < 1e100 or least < 1e-100

    def agree(found, expected):
        pairs = zip(found, expected, strict=True)
        return is_extreme or all(bits(x) == bits(y) or abs(x - y) <= 1e-9 * largest**2 for x, y in pairs)

    return agree


# ---- The search


def smallest(lines, fails):
    """The program without the lines that it fails without, too."""
    shorter = True
    while shorter:
        shorter = False
        for i in reversed(range(len(lines))):
            if fails(without := lines[:i] + lines[i + 1 :]):
                lines, shorter = without, True
    return lines


def search(programs, seed, python=PYTHON, native=NATIVE, executors=None):
    """The first program that fails, the smallest of its kind: its seed, its lines, and how. None if there is none.

    The executors replay each program; by default, some do so now and then.
    """
    every = {name: count for name, count in EVERY.items() if not missing(name)}
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for own_seed in range(seed, seed + programs):
            lines = written(own_seed)
            others = executors or [name for name, count in every.items() if own_seed % count == 0]
            if difference(lines, python, native, others):
                lines = smallest(lines, lambda some: difference(some, python, native, others))  # noqa: B023
                return own_seed, lines, difference(lines, python, native, others)
    return None


def main(programs="10000", seed="0", *executors):
    if autograd.engine != "native":
        sys.exit("fuzz: the native engine is not in use, so there is nothing to compare")
    found = search(int(programs), int(seed), executors=executors)
    if found is None:
        print(f"fuzz: {int(programs):,} programs from the seed {seed} on: no difference")
        return
    own_seed, lines, how = found
    again = f"make fuzz PROGRAMS=1 SEED={own_seed}" + f' EXECUTORS="{" ".join(executors)}"' * bool(executors)
    print(f"# fuzz: {how}\n# again: {again}\n" + "\n".join(lines))
    sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
