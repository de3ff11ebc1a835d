"""Is the native engine the twin of value.py? Both run side by side, and all that can be seen must be the same."""

from __future__ import annotations

import inspect
import itertools
import math
import operator
import struct
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule

import autograd
from autograd import engines, functions, recording, value
from autograd.graph import topological_order
from autograd.operations import OPERATIONS
from autograd.spelling import MEANT

pytestmark = pytest.mark.skipif(autograd.engine != "native", reason="the native engine is not in use")

PYTHON = {"Value": value.Value} | {name: value.function(operation) for name, operation in OPERATIONS.items()}
NATIVE = {"Value": autograd.Value} | {name: engines.function(operation) for name, operation in OPERATIONS.items()}
ENGINES = (PYTHON, NATIVE)
for name, operation in OPERATIONS.items():  # as the module `functions` does, of the engine in use
    functions.document(PYTHON[name], operation)
    if not operation.sequences:
        functions.document(getattr(value.Value, name), operation)


def defined(name, compute, partials, **options):
    """The row of an operation that is defined at run time, without a trace of it in the table."""
    autograd.define(name, compute, partials, **options)
    row = OPERATIONS[name]
    functions.forget_definition(name)
    return row


DEFINED = [
    defined("cube", lambda m, x: x * x * x, [lambda m, r, x: 3 * x * x]),
    defined("step", lambda m, x: m.where(x > 0, 1, 0), [lambda m, r, x: 0], symbol="θ"),
    defined(
        "gated", lambda m, x, gate=0.5: x * m.sigmoid(gate),
        [lambda m, r, x, gate: m.sigmoid(gate), lambda m, r, x, gate: x * m.sigmoid(gate) * m.sigmoid(-gate)],
    ),
    defined("inverse", lambda m, x: 1 / x, [lambda m, r, x: m.divide(-r, x)], domain="x != 0"),
    defined("norm", lambda m, x: m.sqrt(m.sum([y * y for y in x])), [lambda m, r, x: [m.divide(y, r) for y in x]],
            sequences=1),
    defined(
        "weighted", lambda m, w, x, p: m.sum([a * b for a, b in zip(w, x, strict=True)]) * p,
        [lambda m, r, w, x, p: [b * p for b in x], lambda m, r, w, x, p: [a * p for a in w],
         lambda m, r, w, x, p: m.sum([a * b for a, b in zip(w, x, strict=True)])],
        sequences=2,
    ),
]  # fmt: skip
PYTHON |= {row.name: value.function(row) for row in DEFINED}
NATIVE |= {row.name: engines.function(row) for row in DEFINED}


def own_kind(base):
    """A subclass with a constructor and operators of its own, which leave the rest to the engine."""

    def init(self, data, children=(), local_grads=()):
        self.data = data
        self._children = children
        self._local_grads = local_grads

    def add(self, other):
        if not isinstance(other, (base, float)):
            return NotImplemented
        number = other.data if isinstance(other, base) else other
        children = (self, other) if isinstance(other, base) else (self,)
        return type(self)(self.data + number, children, [1.0] * len(children))

    return type("Own", (base,), {"__init__": init, "__add__": add, "__eq__": lambda self, other: self is other})


for engine in ENGINES:
    engine["Own"] = own_kind(engine["Value"])

INFIX = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
SCALAR = [name for name, operation in OPERATIONS.items() if not operation.sequences]
NARY = [name for name, operation in OPERATIONS.items() if operation.sequences]
REST = {
    name: len(OPERATIONS[name].operands) - OPERATIONS[name].sequences - len(OPERATIONS[name].defaults) for name in NARY
}

LARGEST, SMALLEST, NORMAL = 1.7976931348623157e308, 5e-324, 2.2250738585072014e-308
EXTREMES = [
    *[0.0, -0.0, SMALLEST, -SMALLEST, NORMAL, -NORMAL, 1e-200, -1e-200, 1e-8],
    *[0.5, -0.5, 1.0, -1.0, math.nextafter(1, 0), math.nextafter(-1, -2), 2.0, -3.0],
    *[709.78, 710.5, -745.2, 1e16, 1e200, -1e200, LARGEST, -LARGEST, math.inf, -math.inf, math.nan],
]


def bits(number):
    """A float as its 64 bits; all nans alike."""
    assert type(number) is float
    return "nan" if math.isnan(number) else struct.pack("d", number).hex()


def outcome(call):
    """What a call gives: its result, or the error's type and message."""
    try:
        return call(), None
    except Exception as error:
        return None, (type(error), str(error))


def seen(result):
    """What can be seen of a result whose parents are leaves."""
    if not isinstance(result, (value.Value, autograd.Value)):
        return bits(result)
    derivatives = tuple(map(bits, result.local_derivatives))
    parents = tuple(bits(parent.data) for parent in result.parents)
    return bits(result.data), bits(result.grad), derivatives, parents, result.op, result.operation, repr(result)


def assert_same(calls, context=()):
    """Both engines' calls have the same outcome."""
    (python, python_error), (native, native_error) = map(outcome, calls)
    assert python_error == native_error, context
    if python_error is None:
        assert seen(python) == seen(native), context


# ---- operands at the edges of what a float can be


@pytest.mark.parametrize("name", SCALAR)
def test_extreme_operands(name):
    count = len(OPERATIONS[name].operands)
    for numbers in itertools.product(EXTREMES, repeat=count):
        for lifted in itertools.product([True, False], repeat=count):
            operands = [
                [engine["Value"](x) if lift else x for x, lift in zip(numbers, lifted, strict=True)]
                for engine in ENGINES
            ]
            assert_same(
                [lambda engine=engine, xs=xs: engine[name](*xs) for engine, xs in zip(ENGINES, operands, strict=True)],
                (numbers, lifted),
            )


@pytest.mark.parametrize("infix", INFIX)
def test_extreme_operands_of_operators(infix):
    for x, y in itertools.product(EXTREMES, repeat=2):
        for left, right in ((True, True), (True, False), (False, True)):

            def call(engine, x=x, y=y, left=left, right=right):
                return infix(engine["Value"](x) if left else x, engine["Value"](y) if right else y)

            assert_same([lambda engine=engine, call=call: call(engine) for engine in ENGINES], (x, y, left, right))


@pytest.mark.parametrize("name", NARY)
def test_extreme_operands_of_nary_operations(name):
    operation = OPERATIONS[name]
    edges = [0.0, -0.0, SMALLEST, -1.5, 710.5, LARGEST, -LARGEST, math.inf, -math.inf, math.nan]
    for numbers in itertools.product(edges, repeat=3):
        for lifted in ((True, True, True), (True, False, False), (False, False, True)):

            def call(engine, numbers=numbers, lifted=lifted):
                terms = [engine["Value"](x) if lift else x for x, lift in zip(numbers, lifted, strict=True)]
                return engine[name](*[terms[i:] + terms[:i] for i in range(operation.sequences)], *terms[: REST[name]])

            assert_same([lambda engine=engine: call(engine) for engine in ENGINES], (numbers, lifted))


@pytest.mark.parametrize("length", [0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 66, 1000])
@pytest.mark.parametrize("name", NARY)
def test_lengths_around_those_that_fit_a_node_and_the_stack(name, length):
    operation = OPERATIONS[name]

    def call(engine):
        sequences = [
            [engine["Value"](math.sin(i + 7 * j)) if (i + j) % 3 else math.cos(i) for i in range(length)]
            for j in range(operation.sequences)
        ]
        result = engine[name](*sequences, *[0.5] * REST[name])
        if isinstance(result, engine["Value"]):
            result.backward(0.7)
            assert len(result.operands) == len(operation.operands)
            flat = [bits(x.grad) for xs in sequences for x in xs if isinstance(x, engine["Value"])]
            assert flat
            gradients.append(flat)
        return result

    gradients = []
    assert_same([lambda engine=engine: call(engine) for engine in ENGINES])
    assert gradients[:1] == gradients[1:]


# ---- random programs


class Index:
    def __index__(self):
        return 3


numbers = st.one_of(
    st.floats(-4, 4),
    st.sampled_from(EXTREMES),
    st.floats(),
    st.sampled_from([2, -1, True, 10**400, Fraction(1, 3), Decimal("-0.1"), np.float64(0.1), np.float32(2.5), Index()]),
)
refused = st.sampled_from(["x", None, 1j, [1.0], {}, b"1", object()])


third = st.one_of(st.sampled_from(["", "f", "+"]), st.lists(numbers, max_size=3), refused)
EVERY_SCALAR = {
    row.name: len(row.operands) for row in [*OPERATIONS.values(), *DEFINED] if not row.sequences
}  # how many operands they have
PLAIN = [{name: vars(engine["Value"])[name] for name in ("__init__", "_backward")} for engine in ENGINES]


@dataclass
class Held:
    """A pair in arrays of no dimensions."""

    pair: tuple


class Programs(RuleBasedStateMachine):
    """One program, run by both engines in step: a pair is the same node in each."""

    pairs = Bundle("pairs")
    operand = st.one_of(pairs, pairs, numbers)
    any_operand = st.one_of(pairs, pairs, pairs, numbers, numbers, refused, pairs.map(lambda pair: Held(pair)))
    terms = st.lists(operand, max_size=6)

    @initialize()
    def begin(self):
        self.indices = ({}, {})  # of all nodes, in the order in which they were made
        self.nodes = []

    # -- the two runs of a step

    def step(self, call):
        """Runs call(engine, of), where of(operand) is an operand as that engine has it. The new pair, if any."""

        def of(operand, which):
            if isinstance(operand, tuple) and len(operand) == 2 and isinstance(operand[0], value.Value):
                return operand[which]
            if isinstance(operand, Held):
                return np.array(of(operand.pair, which))
            return [of(element, which) for element in operand] if isinstance(operand, list) else operand

        outcomes = [
            outcome(lambda which=which, engine=engine: call(engine, lambda operand: of(operand, which)))
            for which, engine in enumerate(ENGINES)
        ]
        (python, python_error), (native, native_error) = outcomes
        assert python_error == native_error
        if not isinstance(python, value.Value):
            assert python == native if not isinstance(python, float) else bits(python) == bits(native)
            return multiple()
        assert (type(python), type(native)) in [(value.Value, autograd.Value), (PYTHON["Own"], NATIVE["Own"])]
        for nodes in zip(topological_order(python), topological_order(native), strict=True):  # of a subclass's operator
            assert (nodes[0] in self.indices[0]) is (nodes[1] in self.indices[1])
            if nodes[0] not in self.indices[0]:
                self.indices[0][nodes[0]] = self.indices[1][nodes[1]] = len(self.nodes)
                self.nodes.append(nodes)
        self.compare(python, native)
        return python, native

    def compare(self, python, native):
        assert self.description(python, 0) == self.description(native, 1)

    def description(self, node, which):
        index = self.indices[which]

        def operand(thing):
            if isinstance(thing, tuple):
                return tuple(map(operand, thing))
            return bits(thing) if isinstance(thing, float) else ("node", index[thing])

        return {
            "data": bits(node.data),
            "grad": bits(node.grad),
            "parents": [index[parent] for parent in node.parents],
            "local_derivatives": list(map(bits, node.local_derivatives)),
            "op": node.op,
            "_op": outcome(lambda: node._op),
            "operation": node.operation,
            "operands": operand(node.operands),
            "label": node.label,
            "repr": repr(node),
            "format": format(node, ".3f"),
            "_prev": {index[parent] for parent in node._prev},
            "_children": [index[parent] for parent in node._children],
            "_local_grads": list(map(bits, node._local_grads)),
            "attributes": sorted(node._attributes()),
        }

    def teardown(self):
        for engine, plain in zip(ENGINES, PLAIN, strict=True):
            for name, attribute in plain.items():
                setattr(engine["Value"], name, attribute)

    # -- the steps

    @rule(target=pairs, number=numbers, label=st.sampled_from(["", "w", "ä"]))
    def leaf(self, number, label):
        return self.step(lambda engine, of: engine["Value"](number, label=label))

    @rule(target=pairs, pair=pairs)
    def leaf_of_a_value(self, pair):
        return self.step(lambda engine, of: engine["Value"](of(pair)))

    @rule(
        target=pairs,
        children=st.lists(pairs, max_size=3),
        third=third,
        number=numbers,
        kind=st.sampled_from(["Value", "Own"]),
    )
    def node_by_hand(self, children, third, number, kind):
        return self.step(lambda engine, of: engine[kind](number, tuple(of(children)), third))

    @rule(target=pairs, number=numbers)
    def leaf_of_a_subclass(self, number):
        return self.step(lambda engine, of: engine["Own"](number))

    @rule(
        pair=pairs, number=numbers, children=st.lists(pairs, max_size=3), third=third, label=st.sampled_from(["", "a"])
    )
    def initialise_again(self, pair, number, children, third, label):
        def call(engine, of):
            engine["Value"].__init__(of(pair), number, of(children), third, label)

        self.step(call)
        self.compare(*pair)

    @rule(
        pair=pairs,
        children=st.one_of(st.lists(any_operand, max_size=3), refused),
        kind=st.sampled_from([list, tuple, set]),
        name=st.sampled_from(["_prev", "_children"]),
    )
    def assign_children(self, pair, children, kind, name):
        if kind is set and isinstance(children, list) and len(children) > 1:
            children = children[:1]  # the order of a set is another in each engine

        def call(engine, of):
            setattr(of(pair), name, kind(of(children)) if isinstance(children, list) else children)

        self.step(call)
        self.compare(*pair)

    @rule(pair=pairs, symbol=st.one_of(st.sampled_from(["", "line", "+", "ReLU"]), refused))
    def assign_op(self, pair, symbol):
        self.step(lambda engine, of: setattr(of(pair), "_op", symbol))
        self.compare(*pair)

    @rule(pair=pairs, derivatives=st.one_of(st.lists(any_operand, max_size=4), refused))
    def assign_local_grads(self, pair, derivatives):
        self.step(lambda engine, of: setattr(of(pair), "_local_grads", of(derivatives)))
        self.compare(*pair)

    @rule(pair=pairs, number=st.floats(-2, 2))
    def assign_as_many_local_grads(self, pair, number):
        self.step(lambda engine, of: setattr(of(pair), "_local_grads", [number] * len(of(pair).parents)))
        self.compare(*pair)

    @rule(target=pairs, pair=pairs)
    def detach(self, pair):
        return self.step(lambda engine, of: of(pair).detach())

    @rule(rewrapped=st.booleans())
    def wrap_the_constructor(self, rewrapped):
        """From now on, whatever is made has an attribute."""
        for engine in ENGINES:
            plain = vars(engine["Value"])["__init__"]

            def init(self, *arguments, plain=plain, **keywords):
                plain(self, *arguments, **keywords)
                self.made = True

            engine["Value"].__init__ = init
            if rewrapped:
                engine["Value"].__init__ = plain

    @rule()
    def unwrap(self):
        self.teardown()

    @rule()
    def wrap_backward(self):
        """From now on, who passes on a gradient has it also as an attribute."""
        for engine in ENGINES:
            plain = vars(engine["Value"])["_backward"]

            def backward(self, plain=plain):
                self.passed = self.grad
                plain(self)

            engine["Value"]._backward = backward

    @rule(target=pairs, infix=st.sampled_from(INFIX), pair=pairs, other=any_operand, reflected=st.booleans())
    def infix(self, infix, pair, other, reflected):
        def call(engine, of):
            left, right = (of(other), of(pair)) if reflected else (of(pair), of(other))
            return infix(left, right)

        return self.step(call)

    @rule(
        target=pairs,
        name=st.sampled_from(SCALAR),
        operands=st.tuples(any_operand, operand, operand),
        extra=st.integers(-1, 1),
    )
    def function(self, name, operands, extra):
        given = operands[: max(0, len(OPERATIONS[name].operands) + (extra if extra > 0 else 0))]
        return self.step(lambda engine, of: engine[name](*[of(operand) for operand in given]))

    @rule(target=pairs, name=st.sampled_from(SCALAR), pair=pairs, rest=st.lists(operand, max_size=2))
    def method(self, name, pair, rest):
        return self.step(lambda engine, of: getattr(of(pair), name)(*of(rest)))

    @rule(
        target=pairs,
        name=st.sampled_from([*OPERATIONS]),
        keyword=st.sampled_from(["x", "y", "slope", "alpha", "bias"]),
        operands=st.tuples(operand, operand),
    )
    def keyword(self, name, keyword, operands):
        return self.step(lambda engine, of: engine[name](of(operands[0]), **{keyword: of(operands[1])}))

    @rule(
        target=pairs, name=st.sampled_from(["sum", "logsumexp"]), terms=terms, kind=st.sampled_from([list, tuple, iter])
    )
    def nary(self, name, terms, kind):
        return self.step(lambda engine, of: engine[name](kind(of(terms))))

    @rule(
        target=pairs,
        weights=terms,
        inputs=terms,
        bias=st.one_of(st.just(()), st.tuples(any_operand)),
        cut=st.booleans(),
    )
    def dot(self, weights, inputs, bias, cut):
        n = min(len(weights), len(inputs))
        weights, inputs = (weights[:n], inputs[:n]) if cut else (weights, inputs)
        return self.step(lambda engine, of: engine["dot"](of(weights), of(inputs), *[of(operand) for operand in bias]))

    @rule(target=pairs, row=st.sampled_from(DEFINED), operands=st.tuples(any_operand, operand), terms=terms)
    def defined_at_run_time(self, row, operands, terms):
        def call(engine, of):
            sequences = [of(terms), of(terms[::-1])][: row.sequences]
            scalars = [of(operand) for operand in operands][: len(row.operands) - row.sequences]
            return engine[row.name](*sequences, *scalars)

        return self.step(call)

    @rule(target=pairs, name=st.sampled_from([*EVERY_SCALAR]), operands=st.tuples(pairs, operand, operand))
    def without_recording(self, name, operands):
        def call(engine, of):
            with autograd.no_grad():
                return engine[name](*[of(operand) for operand in operands[: EVERY_SCALAR[name]]])

        return self.step(call)

    @rule(pair=pairs, number=st.one_of(numbers, refused), attribute=st.sampled_from(["data", "grad"]))
    def assign(self, pair, number, attribute):
        self.step(lambda engine, of: setattr(of(pair), attribute, number))
        self.compare(*pair)

    @rule(pair=pairs, label=st.sampled_from(["", "h", "loss"]))
    def name(self, pair, label):
        self.step(lambda engine, of: setattr(of(pair), "label", label))
        self.compare(*pair)

    @rule(pair=pairs, other=any_operand, compare=st.sampled_from(COMPARISONS))
    def compare_numbers(self, pair, other, compare):
        self.step(lambda engine, of: compare(of(pair), of(other)))

    @rule(pair=pairs, convert=st.sampled_from([float, int, complex, round, math.exp, math.floor, np.float64]))
    def as_a_number(self, pair, convert):
        self.step(lambda engine, of: (bits(of(pair).item()), bool(of(pair)), hash(of(pair)) == hash(of(pair))))
        self.step(lambda engine, of: convert(of(pair)))

        def without_recording(engine, of):
            with autograd.no_grad():
                return repr(convert(of(pair)))

        self.step(without_recording)

    @rule(pair=pairs, gradient=st.one_of(st.just(()), st.tuples(st.one_of(numbers, pairs, refused))))
    def backward(self, pair, gradient):
        self.step(lambda engine, of: of(pair).backward(*[of(number) for number in gradient]))
        orders = [
            [self.indices[which][node] for node in topological_order(node)] for which, node in enumerate(pair)
        ]  # fmt: skip
        assert orders[0] == orders[1]
        for nodes in self.nodes:
            self.compare(*nodes)

    @rule(pair=pairs, weight=st.floats(-2, 2))
    def own_backward(self, pair, weight):
        """An attribute `_backward` stands before the engine's."""

        def call(engine, of):
            node = of(pair)

            def backward():
                for parent in node.parents:
                    parent.grad += weight * node.grad

            node._backward = backward

        self.step(call)


Programs.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestPrograms = pytest.mark.filterwarnings("ignore:.*invalid value:RuntimeWarning")(Programs.TestCase)


# ---- names, docstrings, signatures, errors

PRIVATE = {
    *value.BEGINNING, "_created", "_topological_order", "__slots__", "__weakref__", "__module__", "__getattribute__",
    "__slotnames__",  # what copyreg keeps on a class that was pickled
    "__annotations__",  # what a class has once somebody has asked for it
    "__firstlineno__", "__static_attributes__",  # of classes written in Python, from 3.13 on
    *MEANT, "__dir__",  # which are there to warn, and are not shown
}  # fmt: skip
NAMES = sorted(set(dir(value.Value)) - PRIVATE)


def test_both_have_the_same_names():
    native = set(dir(autograd.Value)) - PRIVATE
    assert native - set(NAMES) <= {"__delattr__"}
    assert set(NAMES) <= native


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("__")])
def test_docstrings_are_the_same(name):
    python, native = (getattr(engine["Value"], name) for engine in ENGINES)
    assert inspect.getdoc(python) == inspect.getdoc(native)


def test_docstrings_of_the_class_and_of_no_grad_are_the_same():
    assert inspect.getdoc(autograd.Value) == inspect.getdoc(value.Value)
    assert inspect.getdoc(autograd.no_grad) == inspect.getdoc(recording.no_grad)
    assert inspect.getdoc(engines.function) == inspect.getdoc(value.function)
    assert autograd.Value.__name__ == autograd.Value.__qualname__ == "Value"


def parameters(function):
    return [(each.name, each.kind, each.default) for each in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", ["backward", *SCALAR])
def test_signatures_of_methods_are_the_same(name):
    unbound = [inspect.signature(getattr(engine["Value"], name)).parameters for engine in ENGINES]
    assert [*unbound[0]] == [*unbound[1]]
    bound = [getattr(engine["Value"](0.5), name) for engine in ENGINES]
    assert parameters(bound[0]) == parameters(bound[1])


@pytest.mark.parametrize("name", OPERATIONS)
def test_functions_tell_the_same_of_themselves(name):
    python, native = PYTHON[name], NATIVE[name]
    assert parameters(python) == parameters(native)
    for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
        assert getattr(python, attribute) == getattr(native, attribute)
    assert callable(native)
    assert inspect.isroutine(native)


def test_signatures_of_the_class_and_of_no_grad_are_the_same():
    assert parameters(autograd.Value) == parameters(value.Value)
    assert parameters(autograd.no_grad) == parameters(recording.no_grad)


class Unconvertible:
    def __float__(self):
        raise TypeError("not today")

    def __repr__(self):
        return "Unconvertible()"


class Failing:
    def __float__(self):
        raise RuntimeError("not today")


class Untrue:
    def __bool__(self):
        raise ValueError("neither true nor false")

    def __iter__(self):
        return iter(())


SAME_ERRORS = {
    "data of a string": lambda new, f: new("1.0"),
    "local derivatives of a wrong kind": lambda new, f: new(1.0, (new(2.0),), 5),
    "local derivatives that are strings": lambda new, f: new(1.0, (new(2.0),), ["x"]),
    "too few local derivatives": lambda new, f: new(1.0, (new(2.0), new(3.0)), [1.0]),
    "local derivatives of a set": lambda new, f: new(1.0, {new(2.0), new(3.0)}, [1.0, 2.0]),
    "local derivatives of unclear truth": lambda new, f: new(1.0, (), Untrue()),
    "_prev of numbers": lambda new, f: setattr(new(1.0), "_prev", {2.0}),
    "_children of nothing": lambda new, f: setattr(new(1.0), "_children", None),
    "_local_grads of a leaf": lambda new, f: setattr(new(1.0), "_local_grads", (1.0,)),
    "_op of a number": lambda new, f: setattr(new(1.0), "_op", 5),
    "a dictionary of a number": lambda new, f: setattr(new(1.0), "__dict__", 5),
    "float": lambda new, f: float(new(1.0)),
    "a function of math": lambda new, f: math.exp(new(1.0, label="x")),
    "a float array": lambda new, f: np.array([new(1.0)], dtype=float),
    "== a number": lambda new, f: new(1.0) == 1.0,
    "!= a number": lambda new, f: 1.0 != new(1.0),  # noqa: SIM300
    "a defined operation's domain": lambda new, f: f["inverse"](new(0.0, label="x")),
    "a defined operation's operands": lambda new, f: f["weighted"]([new(1.0)], [1.0, 2.0], 1.0),
    "a defined operation's keyword": lambda new, f: f["gated"](new(1.0), x=2.0),
    "data of a type": lambda new, f: new(float),
    "data that cannot be converted": lambda new, f: new(Unconvertible()),
    "data whose conversion fails": lambda new, f: new(Failing()),
    "data too large": lambda new, f: new(10**400),
    "children that are no sequence": lambda new, f: new(1.0, 5),
    "children that are no Values": lambda new, f: new(1.0, (2.0,)),
    "children that are a label": lambda new, f: new(1.0, "x"),
    "children of unclear truth": lambda new, f: new(1.0, Untrue()),
    "plus a string": lambda new, f: new(1.0) + "x",
    "a string plus": lambda new, f: "x" + new(1.0),
    "None minus": lambda new, f: None - new(1.0),
    "plus what cannot be converted": lambda new, f: new(1.0) + Unconvertible(),
    "plus what fails": lambda new, f: new(1.0) + Failing(),
    "plus what is too large": lambda new, f: new(1.0) + 10**400,
    "less than a string": lambda new, f: new(1.0) < "x",
    "a list less": lambda new, f: [1.0] < new(1.0),  # noqa: SIM300
    "less than what fails": lambda new, f: new(1.0) < Failing(),
    "no such attribute": lambda new, f: new(1.0).nothing,
    "no such attribute to delete": lambda new, f: delattr(new(1.0), "nothing"),
    "no length": lambda new, f: len(new(1.0)),
    "no items": lambda new, f: new(1.0)[0],
    "not to be called": lambda new, f: new(1.0)(),
    "no integer": lambda new, f: int(new(1.0)),
    "not to be iterated over": lambda new, f: list(new(1.0)),
    "not to be rounded": lambda new, f: round(new(1.0)),
    "a bad format": lambda new, f: format(new(1.0), "d"),
    "backward with a string": lambda new, f: new(1.0).backward("x"),
    "copy of a computed node": lambda new, f: __import__("copy").copy(new(1.0) * 2),
    "state that is no tuple": lambda new, f: new(1.0).__setstate__(5),
    "a function without operands": lambda new, f: f["exp"](),
    "a function with too many": lambda new, f: f["exp"](new(1.0), 2.0),
    "a function with another keyword": lambda new, f: f["elu"](new(1.0), beta=1.0),
    "an operand twice": lambda new, f: f["elu"](new(1.0), x=1.0),
    "an operand of a string": lambda new, f: f["atan2"](new(1.0), "x"),
    "a method with too many": lambda new, f: new(1.0).exp(2.0),
    "no sequence": lambda new, f: f["sum"](new(1.0)),
    "a sequence of strings": lambda new, f: f["sum"]([new(1.0), "x"]),
    "sequences of different lengths": lambda new, f: f["dot"]([new(1.0)], [1.0, 2.0]),
    "an iterator that fails": lambda new, f: f["sum"](1 / x for x in (new(1.0), new(0.0))),
    "outside the domain, labelled": lambda new, f: f["log"](new(-1.0, label="p")),
    "of two, labelled": lambda new, f: f["power"](new(-8.0, label="x"), new(1 / 3, label="y")),
    "of many": lambda new, f: f["logsumexp"]([new(-math.inf)]),
    "overflow": lambda new, f: f["exp"](new(1e4)),
    "division": lambda new, f: 1.0 / new(0.0, label="n"),
}


@pytest.mark.parametrize("call", SAME_ERRORS.values(), ids=SAME_ERRORS)
def test_errors_are_the_same(call):
    (_, python), (_, native) = (outcome(lambda engine=engine: call(engine["Value"], engine)) for engine in ENGINES)
    assert python is not None
    assert python == native


READ_ONLY = ["op", "operation", "operands", "parents", "local_derivatives"]
BY_HAND = ["_op", "_prev", "_children", "_local_grads"]

SAME_TYPES_OF_ERRORS = {  # the interpreter's own messages, which differ between functions in C and in Python
    "no data": lambda new: new(),
    "too many": lambda new: new(1.0, (), "", "", 5),
    "another keyword": lambda new: new(1.0, name="x"),
    "a keyword twice": lambda new: new(1.0, data=2.0),
    "backward with too many": lambda new: new(1.0).backward(1.0, 2.0),
    "backward with another keyword": lambda new: new(1.0).backward(grad=1.0),
    "delete data": lambda new: delattr(new(1.0), "data"),
    "delete grad": lambda new: delattr(new(1.0), "grad"),
    "delete label": lambda new: delattr(new(1.0), "label"),
    "power with a modulus": lambda new: pow(new(2.0), 3, 5),
    **{f"set {name}": lambda new, name=name: setattr(new(2.0) * 3.0, name, ()) for name in READ_ONLY},
    **{f"delete {name}": lambda new, name=name: delattr(new(2.0) * 3.0, name) for name in (*READ_ONLY, *BY_HAND)},
}


@pytest.mark.parametrize("call", SAME_TYPES_OF_ERRORS.values(), ids=SAME_TYPES_OF_ERRORS)
def test_errors_of_calling_are_of_the_same_type(call):
    (_, python), (_, native) = (outcome(lambda new=engine["Value"]: call(new)) for engine in ENGINES)
    assert python[0] is native[0]


class Changing:
    """A number whose conversion changes the other operand."""

    def __init__(self, other):
        self.other = other

    def __float__(self):
        self.other.data = 5.0
        return 1.0


def test_operands_are_read_once_all_are_converted():
    def call(engine):
        x = engine["Value"](2.0)
        return x * Changing(x)

    assert_same([lambda engine=engine: call(engine) for engine in ENGINES])


def test_initialising_again_makes_another_leaf():
    def call(engine):
        x = engine["Value"](2.0, label="x")
        x.grad = 3.0
        x.__init__(4.0)
        return x

    assert_same([lambda engine=engine: call(engine) for engine in ENGINES])


def test_the_engines_do_not_mix():
    python, native = value.Value(2.0), autograd.Value(3.0)
    for call in (lambda: native * python, lambda: python * native, lambda: autograd.dot([native], [python])):
        with pytest.raises(TypeError, match="expected a number or a Value of the same engine"):
            call()
    assert (autograd.Value(python).data, value.Value(native).data) == (2.0, 3.0)


# ---- what differs nevertheless


DIFFERENCES = {  # what is seen with the Python engine, and with the native one
    # CPython keeps `object` from going past what a class in C does, and instances of its classes from changing theirs.
    "set by object": (lambda new: object.__setattr__(new(1.0), "note", 1), None, TypeError),
    "another class": (lambda new: setattr(new(1.0), "__class__", type("Other", (new,), {})), None, TypeError),
    # A method in C is called with an instance.
    "an operator called with a number": (lambda new: new.__add__(1.0, new(2.0)).data, 3.0, TypeError),
    # A class in Python shows how it is made.
    "slots": (lambda new: "__slots__" in vars(new), True, False),
    "bases": (lambda new: new.__bases__[0].__name__, "Common", "object"),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_these_are_the_differences(name):
    call, *expected = DIFFERENCES[name]
    for engine, seen in zip(ENGINES, expected, strict=True):
        result, error = outcome(lambda engine=engine: call(engine["Value"]))
        assert (error[0] if error else result) == seen
