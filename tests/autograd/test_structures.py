"""Structures: every kind is taken apart and put together, here and in whatever takes structures of numbers."""

from __future__ import annotations

import pickle
import subprocess
import sys
from array import array
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import InitVar, dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
import pytest

from autograd import Tape, Value, check_gradients, grad, gradients, hessian, hvp, jacobian, jvp, structures, vjp
from autograd.structures import flatten, number, numbers_like, scalar, unflatten, unflatten_matrix

pytestmark = pytest.mark.both_engines


class Line(NamedTuple):
    slope: object
    offset: object


Nothing = namedtuple("Nothing", [])


class Numbers(list):
    """A subclass that is made as lists are, and computes something of what it holds."""

    def __init__(self, numbers):
        super().__init__(numbers)
        self.degree = len(self) - 1


class Named(list):
    """One that is made in another way."""

    def __init__(self, name, *numbers):
        super().__init__(numbers)


class Triple(tuple):
    """One that is made in another way, and cannot be changed."""

    def __new__(cls, x, y, z):
        return super().__new__(cls, (x, y, z))


class Bunch(dict):
    def __init__(self, **entries):
        super().__init__(entries)


class Ordered(OrderedDict):
    def __init__(self, *, entries):
        super().__init__(entries)


@dataclass
class Model:
    weights: object
    bias: object
    count: ClassVar[int] = 0
    scale: InitVar[float] = 1.0

    def __post_init__(self, scale):
        if not isinstance(self.bias, float) or self.bias < 0:
            raise ValueError("expected a bias of 0 or more")


@dataclass(frozen=True, slots=True)
class Frozen:
    x: object
    y: object
    z: object = field(kw_only=True)


@dataclass
class NumberWithField(Value):
    """A Value, though it is a dataclass and has a length."""

    data: float

    def __post_init__(self):
        Value.__init__(self, self.data)

    def __len__(self):
        return 2

    __hash__ = Value.__hash__


def factory():
    return 0.0


# What is given, of the numbers 1, 2 and 3; and how one of other numbers is made.
KINDS = {
    "list": ([1, 2.0, 3.0], lambda x, y, z: [x, y, z]),
    "tuple": ((1.0, np.float32(2.0), True + 2), lambda x, y, z: (x, y, z)),
    "nested": ([1.0, (2.0, [3.0]), [], ()], lambda x, y, z: [x, (y, [z]), [], ()]),
    "subclass of list": (Numbers([1.0, 2.0, 3.0]), lambda x, y, z: Numbers([x, y, z])),
    "subclass of list, made otherwise": (Named("n", 1.0, 2.0, 3.0), lambda x, y, z: Named("m", x, y, z)),
    "subclass of tuple": (Triple(1.0, 2.0, 3.0), Triple),
    "named tuple": (Line(1.0, [2.0, 3.0]), lambda x, y, z: Line(x, [y, z])),
    "named tuple of nothing": ([Nothing(), 1.0, 2.0, 3.0], lambda x, y, z: [Nothing(), x, y, z]),
    "deque": (deque([1.0, 2.0, 3.0], 5), lambda x, y, z: deque([x, y, z], 5)),
    "dict": ({"b": 1.0, "a": [2.0], 7: 3.0}, lambda x, y, z: {"b": x, "a": [y], 7: z}),
    "OrderedDict": (OrderedDict(b=1.0, a=2.0, c=3.0), lambda x, y, z: OrderedDict(b=x, a=y, c=z)),
    "subclass of OrderedDict": (
        Ordered(entries={"b": 1.0, "a": 2.0, "c": 3.0}),
        lambda x, y, z: Ordered(entries={"b": x, "a": y, "c": z}),
    ),
    "defaultdict": (
        defaultdict(factory, b=1.0, a=[2.0, 3.0]),
        lambda x, y, z: defaultdict(factory, b=x, a=[y, z]),
    ),
    "Counter": (Counter(b=1, a=2, c=3), lambda x, y, z: Counter(b=x, a=y, c=z)),
    "subclass of dict, made otherwise": (Bunch(b=1.0, a=2.0, c=3.0), lambda x, y, z: Bunch(b=x, a=y, c=z)),
    "dataclass": (Model([1.0, 2.0], 3.0), lambda x, y, z: made_without_check([x, y], z)),
    "frozen dataclass": (Frozen(1.0, 2.0, z=3.0), lambda x, y, z: Frozen(x, y, z=z)),
    "range": (range(1, 4), lambda x, y, z: [x, y, z]),
    "array.array": (array("i", [1, 2, 3]), lambda x, y, z: [x, y, z]),
    "array": (np.array([1.0, 2.0, 3.0]), lambda x, y, z: np.array([x, y, z])),
    "array of integers": (np.array([[1], [2], [3]], np.int16), lambda x, y, z: np.array([[x], [y], [z]])),
    "array in columns": (np.array([[1.0, 2.0, 3.0]]).T, lambda x, y, z: np.array([[x], [y], [z]])),
    "array of objects": (np.array([1, 2.0, 3.0], object), lambda x, y, z: np.array([x, y, z])),
    "arrays of one number": (
        [np.array(1.0), np.array([[2]]), np.float64(3.0), np.empty((0, 2))],
        lambda x, y, z: [np.array(x), np.array([[y]]), z, np.empty((0, 2))],
    ),
    "matrix": (np.array([[1.0, 2.0, 3.0]]).view(np.matrix), lambda x, y, z: np.array([[x, y, z]])),
    "Values": ([Value(1.0), NumberWithField(2.0), 3.0], lambda x, y, z: [x, y, z]),
    "everything": (
        {"a": [np.array([[1.0]]), {}], "b": Line(deque([2]), (Frozen(np.array(3.0), [], z=()),))},
        lambda x, y, z: {"a": [np.array([[x]]), {}], "b": Line(deque([y]), (Frozen(np.array(z), [], z=()),))},
    ),
}


def made_without_check(weights, bias):
    model = Model.__new__(Model)
    model.weights, model.bias = weights, bias
    return model


def alike(x, y):
    """Whether they are of the same classes throughout, with the same numbers and keys in the same order."""
    if type(x) is not type(y):
        return False
    if isinstance(x, np.ndarray):
        return (x.dtype, x.shape, x.tolist()) == (y.dtype, y.shape, y.tolist())
    if isinstance(x, dict):
        factories = [getattr(d, "default_factory", None) for d in (x, y)]
        return list(x) == list(y) and factories[0] is factories[1] and alike([*x.values()], [*y.values()])
    if isinstance(x, (list, tuple, deque)):
        same_length = len(x) == len(y) and getattr(x, "maxlen", 0) == getattr(y, "maxlen", 0)
        return same_length and all(map(alike, x, y))
    if hasattr(x, "__dataclass_fields__"):
        names = [name for name in x.__dataclass_fields__ if name not in ("count", "scale")]
        return all(alike(getattr(x, name), getattr(y, name)) for name in names)
    return x == y


every_kind = pytest.mark.parametrize(("given", "make"), KINDS.values(), ids=KINDS)


def total(structure):
    """x² + 10 y² + 100 z² of the three numbers."""
    leaves, _ = flatten(structure)
    return sum(10.0**i * leaf * leaf for i, leaf in enumerate(leaves))


# ---- every kind, in every use


@every_kind
def test_taken_apart_and_put_together(given, make):
    numbers, form = flatten(given, number)
    assert numbers == [1.0, 2.0, 3.0]
    assert {type(x) for x in numbers} == {float}
    assert form.count == 3
    assert alike(unflatten(form, [4.0, -5.0, 6.0]), make(4.0, -5.0, 6.0))
    assert alike(structures.map(lambda leaf: 2.0 * number(leaf), given), make(2.0, 4.0, 6.0))
    assert flatten(make(1.0, 2.0, 3.0))[1] == form
    assert hash(flatten(make(1.0, 2.0, 3.0))[1]) == hash(form)
    assert numbers_like(given, make(4.0, -5.0, 6.0)) == [4.0, -5.0, 6.0]


@every_kind
def test_a_form_can_be_pickled(given, make):
    _, form = flatten(given)
    again = pickle.loads(pickle.dumps(form))
    assert again == form
    assert alike(unflatten(again, [4.0, -5.0, 6.0]), make(4.0, -5.0, 6.0))


@every_kind
def test_the_gradient_has_the_kind_of_the_argument(given, make):
    seen = []

    def function(structure):
        seen.append(structure)
        return total(structure)

    found = grad(function)(given)
    assert type(seen[0]) is type(make(1.0, 2.0, 3.0))
    assert alike(structures.map(number, found), make(2.0, 40.0, 600.0))
    both = grad(lambda s, t: total(s) * t, (1, 0))(given, 2.0)
    assert alike(structures.map(number, both), (321.0 + 20.0 + 600.0, make(4.0, 80.0, 1200.0)))


@every_kind
def test_the_jacobian_has_the_kinds_of_the_result_and_the_argument(given, make):
    def scaled(structure):
        return structures.map(lambda leaf: 2.0 * leaf, structure)

    # the rows, in the structure of the argument, of d 2 leaf_i / d leaf_j
    by_list = jacobian(lambda s: flatten(scaled(s))[0])(given)
    rows = [make(2.0, 0.0, 0.0), make(0.0, 2.0, 0.0), make(0.0, 0.0, 2.0)]
    assert alike(structures.map(number, by_list), rows)
    by_number = jacobian(lambda x: structures.map(lambda leaf: x * number(leaf), given))(7.0)
    assert alike(by_number, make(1.0, 2.0, 3.0))
    assert numbers_like(by_number, make(1.0, 2.0, 3.0)) == [1.0, 2.0, 3.0]


@every_kind
def test_check_gradients_takes_what_grad_does(given, make):
    seen = []

    def function(structure):
        seen.append(structure)
        return total(structure)

    check = check_gradients(function, (given,))
    assert [component.backward for component in check.components] == [2.0, 40.0, 600.0]
    places = flatten(make(1.0, 2.0, 3.0))[1].places()
    assert [component.name for component in check.components] == [f"structure{place}" for place in places]
    assert all(type(structure) is type(make(1.0, 2.0, 3.0)) for structure in seen)


@every_kind
def test_a_tape_records_what_grad_takes(given, make):
    seen = []

    def function(structure):
        seen.append(structure)
        return total(structure)

    tape = Tape.record(function, [given])
    assert [leaf.data for leaf in tape.inputs] == [1.0, 2.0, 3.0]
    assert tape.forward([[1.0, 2.0, 3.0], [3.0, -1.0, 2.0]]).tolist() == [941.0, 419.0]
    assert type(seen[0]) is type(make(1.0, 2.0, 3.0))


# ---- leaves and numbers


def test_anything_else_is_a_leaf():
    leaves = [None, "ab", b"ab", {1.0}, (i for i in ()), 1j, object(), Frozen, np.float64(1.0), np.bool_(True)]
    assert flatten(leaves)[0] == leaves
    v = NumberWithField(2.0)
    assert flatten({"a": v, "b": [v]})[0] == [v, v]
    assert scalar(v) is v
    assert number(v) == 2.0


def test_scalars_are_values_and_floats():
    v = Value(1.0)
    assert scalar(v) is v
    assert number(v) == 1.0
    for given in (1, True, np.float32(1.0), np.float64(1.0), 1.0):
        assert (scalar(given), type(scalar(given)), number(given), type(number(given))) == (1.0, float, 1.0, float)


@pytest.mark.parametrize("leaf", [None, "x", {1.0}, frozenset(), (i for i in ()), 1j, b"1", object(), [].append])
def test_what_is_no_number_is_named_with_its_place(leaf):
    for read in (scalar, number):
        with pytest.raises(TypeError, match=f"^expected a real number, got {type(leaf).__name__}: "):
            read(leaf)
        with pytest.raises(TypeError, match=rf"expected a real number, got {type(leaf).__name__}.* at \[1\]\['w'\]$"):
            flatten([1.0, {"w": leaf}], read)
        with pytest.raises(
            TypeError, match=f"^expected a real number, got {type(leaf).__name__}((?! at ).)*( at 0x.*)?$"
        ):
            flatten(leaf, read)
    with pytest.raises(TypeError, match=r"^grad: the argument: expected a real number, .* at \[1\]\['w'\]$"):
        grad(total)([1.0, {"w": leaf}])
    with pytest.raises(TypeError, match=r"^jacobian: what the function has returned: expected .* at \.offset\[0\]$"):
        jacobian(lambda x: Line(x, [leaf]))(1.0)
    with pytest.raises(TypeError, match=r"expected a real number, .* at \[0\]\[1\]\['w'\]"):
        check_gradients(total, ([1.0, {"w": leaf}],))
    with pytest.raises(TypeError, match=r"^Tape\.record: inputs: expected a real number, .* at \[0\]\[1\]\['w'\]"):
        Tape.record(total, [[1.0, {"w": leaf}]])


def test_what_is_masked_is_no_number():
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    with pytest.raises(TypeError, match=r"expected a real number, got MaskedConstant.* at \[1\]$"):
        flatten(masked, number)


def test_places_are_written_as_python_would():
    structure = {"w": [np.zeros((2, 1)), np.array(0.0)], 3: Line(0.0, (Frozen(1.0, deque([2.0]), z=[]),))}
    places = ["['w'][0][0][0]", "['w'][0][1][0]", "['w'][1]", "[3].slope", "[3].offset[0].x", "[3].offset[0].y[0]"]
    assert flatten(structure)[1].places() == places
    assert flatten(1.0)[1].places() == [""]


def test_nothing_is_imported_for_structures_that_nobody_has():
    code = "import sys; bare = set(sys.modules); from autograd import grad, hessian, check_gradients; "
    code += "hessian(lambda x: x[0] * x[1])([1.0, 2.0]); grad(lambda x: x)(1.0); check_gradients(lambda x: x, 1.0); "
    code += "print({'numpy', 'dataclasses'} & (set(sys.modules) - bare))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


# ---- forms


def test_forms_are_equal_where_the_same_leaves_make_the_same():
    forms = {flatten(structure)[1] for structure in ([1.0], [2], [None], range(1), array("d", [0.0]))}
    assert len(forms) == 1
    different = [[1.0], (1.0,), [1.0, 1.0], {"a": 1.0}, {"b": 1.0}, OrderedDict(a=1.0), np.ones(1), np.ones((1, 1)),
                 1.0, Line(1.0, []), Line([], 1.0), deque([1.0]), Numbers([1.0]), [[1.0]], {"a": 1.0, "b": []},
                 {"b": [], "a": 1.0}]  # fmt: skip
    assert len({flatten(structure)[1] for structure in different}) == len(different)
    assert flatten(deque([1.0], 2))[1] == flatten(deque([1.0], 3))[1]
    assert flatten([1.0])[1] != [1.0]


def test_forms_show_their_places():
    assert repr(flatten({"a": [1.0, 2.0]})[1]) == """<Form of dict: ["['a'][0]", "['a'][1]"]>"""
    assert repr(flatten(np.zeros((1, 1)))[1]) == "<Form of array of the shape (1, 1): ['[0][0]']>"
    assert repr(flatten(1.0)[1]) == "<Form of leaf: ['']>"


@pytest.mark.parametrize("leaves", [[1.0], [1.0, 2.0, 3.0]])
def test_as_many_leaves_as_the_form_has(leaves):
    with pytest.raises(ValueError, match=f"unflatten: expected 2 leaves, got {len(leaves)}"):
        unflatten(flatten([0.0, 0.0])[1], leaves)


def test_elements_of_arrays_are_in_the_order_of_their_indices():
    columns = np.array([[1.0, 2.0], [3.0, 4.0]], order="F")
    assert flatten(columns)[0] == [1.0, 2.0, 3.0, 4.0]
    assert flatten(columns.T)[0] == [1.0, 3.0, 2.0, 4.0]
    assert flatten(columns[::-1])[0] == [3.0, 4.0, 1.0, 2.0]
    assert unflatten(flatten(columns.T)[1], [5.0, 6.0, 7.0, 8.0]).tolist() == [[5.0, 6.0], [7.0, 8.0]]


@pytest.mark.parametrize("dtype", ["datetime64[ns]", "timedelta64[s]", "S1", "U1", complex, np.longdouble])
def test_elements_of_other_arrays_are_what_they_are(dtype):
    array_of_these = np.array([1, 2]).astype(dtype)
    assert [type(leaf) for leaf in flatten(array_of_these)[0]] == [array_of_these.dtype.type] * 2


def test_arrays_are_of_floats_or_of_objects():
    _, form = flatten(np.zeros(2))
    assert unflatten(form, [1.0, np.float64(2.0)]).dtype == np.float64
    for leaves in ([Value(1.0), 2.0], [1, 2.0], [NumberWithField(1.0), NumberWithField(2.0)], [[1.0], [2.0]]):
        found = unflatten(form, leaves)
        assert (found.dtype, found.shape) == (object, (2,))
        assert all(x is y for x, y in zip(found, leaves, strict=True))


def test_map_calls_the_function_with_each_leaf_in_order():
    assert structures.map(lambda leaf: [leaf], [1, ("x", None)]) == [[1], (["x"], [None])]
    seen = []
    structures.map(seen.append, {"b": [1, np.array([2.0, 3.0])], "a": deque([4])})
    assert seen == [1, 2.0, 3.0, 4]


def test_an_array_that_map_does_not_change_keeps_its_type():
    given = [np.arange(2), np.array(["a", "b"]), np.array([1.0, 2.0], np.float32), np.array([Value(1.0), "x"])]
    found = structures.map(lambda leaf: leaf, given)
    for before, after in zip(given, found, strict=True):
        assert after is not before
        assert after.dtype == before.dtype
        assert (after == before).all()
    assert structures.map(lambda leaf: -leaf, np.arange(2)).dtype == object


def test_what_is_put_together_holds_nothing_of_what_was_taken_apart():
    inner = [1.0]
    given = {"a": inner, "b": np.array([2.0])}
    found = structures.map(lambda leaf: leaf, given)
    found["a"].append(5.0)
    found["b"][0] = 5.0
    assert inner == [1.0]
    assert given["b"].tolist() == [2.0]


def test_a_subclass_is_made_by_its_constructor_where_that_takes_its_content():
    assert grad(lambda p: p[0] * p.degree)(Numbers([1.0, 2.0])).degree == 1


# ---- numbers of the same form


def test_numbers_of_the_same_form():
    v = Value(1.0)
    assert numbers_like([0.0, (0.0, 0.0)], [v, (2, 3)]) == [v, 2.0, 3.0]
    assert numbers_like(flatten([0.0])[1], [1.0]) == [1.0]
    assert numbers_like([0.0, 0.0], np.array([1.0, 2.0])) == [1.0, 2.0]
    assert numbers_like([[0.0], [0.0]], np.array([[1.0], [2.0]]).view(np.matrix)) == [1.0, 2.0]
    assert numbers_like(np.zeros((2, 1)), [[1.0], deque([2.0])]) == [1.0, 2.0]
    assert numbers_like(np.zeros((2, 1)), [np.array(1.0).reshape(1), range(2, 3)]) == [1.0, 2.0]
    assert numbers_like(Line(0.0, 0.0), (1.0, 2.0)) == [1.0, 2.0]
    assert numbers_like({"a": 0.0, "b": 0.0}, OrderedDict(b=2.0, a=1.0)) == [1.0, 2.0]
    assert numbers_like(np.array(0.0), 3.0) == numbers_like(0.0, np.array(3)) == [3.0]
    assert numbers_like([0.0, 0.0], [np.float32(1.0), np.array(v, object)]) == [1.0, v]


@pytest.mark.parametrize(
    ("structure", "given", "error", "message"),
    [
        ([0.0], [1.0, 2.0], ValueError, "expected a sequence of 1, got list"),
        ([0.0], 1.0, ValueError, "expected a sequence of 1, got float: 1.0$"),
        (np.zeros(2), np.zeros(3), ValueError, "expected a sequence of 2, got ndarray"),
        (np.zeros((2, 2)), np.zeros(2), ValueError, r"expected a sequence of 2, got float64: .* at \[0\]$"),
        ([0.0], {"a": 1.0}, ValueError, "expected a sequence of 1, got dict"),
        ([0.0], Frozen(1.0, 2.0, z=3.0), ValueError, "expected a sequence of 1, got Frozen"),
        (Frozen(1.0, 2.0, z=3.0), [1.0, 2.0, 3.0], ValueError, "expected a Frozen, got list"),
        ({"a": 0.0}, [1.0], ValueError, "expected a dict with the keys 'a', got list"),
        ([{"a": 0.0}], [{"b": 0.0}], ValueError, r"expected a dict with the keys 'a', got dict: {'b': 0.0} at \[0\]$"),
        (0.0, [1.0], TypeError, "expected a real number, got list"),
        (0.0, np.zeros(1), TypeError, "expected a real number, got ndarray"),
        ({"a": [0.0]}, {"a": ["x"]}, TypeError, r"expected a real number, got str: 'x' at \['a'\]\[0\]$"),
    ],
)
def test_numbers_of_another_form(structure, given, error, message):
    with pytest.raises(error, match=message):
        numbers_like(structure, given)


# ---- matrices


def test_a_matrix_has_the_forms_of_its_rows_and_columns():
    rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
    outputs, inputs = flatten((np.zeros((1, 2)), 0.0))[1], flatten({"x": np.zeros(2), "y": 0.0})[1]
    by_output = unflatten_matrix(outputs, inputs, rows)
    assert by_output[0]["x"].tolist() == [[[1.0, 2.0], [4.0, 5.0]]]
    assert by_output[0]["y"].tolist() == [[3.0, 6.0]]
    assert by_output[1]["x"].tolist() == [7.0, 8.0]
    assert by_output[1]["y"] == 9.0
    of_values = unflatten_matrix(flatten([0.0])[1], flatten(np.zeros(2))[1], [[Value(1.0), 2.0]])[0]
    assert (of_values.dtype, of_values[1]) == (object, 2.0)


# ---- structures that hold themselves


@dataclass
class Linked:
    number: float
    following: object = None


def holding_itself(kind):
    """A structure of this kind that holds itself, and one that is in two places, which it may."""
    if kind in (list, deque):
        structure, shared = kind([1.0]), [2.0]
        structure.append(structure)
        return structure, kind([shared, shared])
    if kind is dict:
        structure, shared = {"x": 1.0}, {"y": 2.0}
        structure["itself"] = [structure]
        return structure, {"a": shared, "b": shared}
    structure, shared = Linked(1.0), Linked(2.0)
    structure.following = (3.0, structure)
    return structure, [shared, shared]


@pytest.mark.parametrize("kind", [list, deque, dict, Linked])
def test_a_structure_that_holds_itself_is_refused(kind):
    structure, twice = holding_itself(kind)
    for start, call in USES.items():
        message = f"^{start}expected a structure of numbers, got .*, which holds itself$"
        with pytest.raises(ValueError, match=message):
            call(structure)
    leaves, form = structures.flatten(twice)
    assert structures.unflatten(form, leaves) == twice == structures.map(lambda x: x, twice)


USES = {
    "": structures.flatten,
    "()": lambda structure: structures.map(abs, structure),  # another key, the same start
    "gradients: inputs: ": lambda structure: gradients(Value(1.0), structure),
    "grad: the argument: ": lambda structure: grad(lambda x: 1.0)(structure),
    "hessian: the argument: ": lambda structure: hessian(lambda x: 1.0)(structure),
    "jvp: the argument: ": lambda structure: jvp(lambda x: 1.0, (structure,), (1.0,)),
    "vjp: the argument: ": lambda structure: vjp(lambda x: 1.0, structure),
    "jacobian: what the function has returned: ": lambda structure: jacobian(lambda x: structure)(1.0),
    "hvp: what the function has returned: ": lambda structure: hvp(lambda x: structure, (1.0,), (1.0,)),
    "Tape.record: inputs: ": lambda structure: Tape.record(lambda x: x, [structure]),
    "check_gradients: point: ": lambda structure: check_gradients(lambda x: x, [structure]),
    "check_gradients: what the function has returned: ": lambda structure: check_gradients(lambda x: structure, [1.0]),
}


@pytest.mark.parametrize("levels", [240, 260, 900, 5000])
def test_nesting_has_a_limit(levels):
    """Within it, whatever is done with structures comes to an end."""
    structure = 2.0
    for _ in range(levels):
        structure = [structure]
    if levels > 250:
        for start, call in USES.items():
            with pytest.raises(ValueError, match=f"^{start}expected a structure .* nested more than 250 levels deep"):
                call(structure)
        return
    leaves, form = structures.flatten(structure, structures.scalar)
    assert leaves == [2.0]
    assert form == structures.flatten(structure)[1]
    assert hash(form) == hash(structures.flatten(structure)[1])
    assert form.places() == ["[0]" * levels]
    assert structures.unflatten(form, leaves) == structures.map(abs, structure) == structure
    assert structures.numbers_like(form, structure) == [2.0]
    assert grad(innermost)(structure) == structures.unflatten(form, [1.0])
    assert jvp(lambda x: x, (structure,), (structure,)) == (structure, structure)
    assert structures.unflatten_matrix(form, LEAF, [[2.0]]) == structure
    with pytest.raises(TypeError, match=r"^grad: the argument: expected a real number, got str: 'a' at \[0\]"):
        grad(innermost)(structures.unflatten(form, ["a"]))


LEAF = structures.flatten(1.0)[1]


def innermost(structure):
    while isinstance(structure, list):
        structure = structure[0]
    return structure


def test_what_calls_itself_for_ever_is_another_error():
    def endless(x):
        return grad(endless)(x)

    with pytest.raises(RecursionError):
        endless(1.0)
