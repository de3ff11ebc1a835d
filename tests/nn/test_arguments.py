"""Arguments come out in the form that nn computes with, or an error says what was expected and what was given."""

from __future__ import annotations

import copy
import math
import pickle
from collections import OrderedDict, deque
from fractions import Fraction

import numpy as np
import pytest

from autograd import Value
from nn import (
    MLP,
    CausalAttention,
    Convolution,
    Embedding,
    FIRLayer,
    Recurrent,
    TransformerBlock,
    TreeEncoder,
)
from nn.arguments import (
    CheckedBy,
    Within,
    WithinOrNone,
    columns_of,
    copied,
    copier,
    distinct_leaves,
    examples_of,
    finite,
    flag,
    have_one_form,
    measured,
    neuron_inputs,
    numbers_and_shape,
    paired,
    pairs_of,
    positive,
    real_array,
    scalars,
    shapes_of,
    whole,
    with_numbers,
    within,
)

# ---- numbers


@pytest.mark.parametrize("count", [1, np.int64(3)])
def test_a_positive_int(count):
    assert positive("count", count) == int(count)
    assert type(positive("count", np.int64(3))) is int


@pytest.mark.parametrize(
    ("count", "error", "got"),
    [
        (0, ValueError, "0"),
        (-2, ValueError, "-2"),
        (2.0, TypeError, r"2\.0"),
        ("3", TypeError, "'3'"),
        (None, TypeError, "None"),
        (True, TypeError, "True"),
    ],
)
def test_no_positive_int(count, error, got):
    with pytest.raises(error, match=f"count: expected a positive int, got {got}"):
        positive("count", count)


@pytest.mark.parametrize("number", [0, 0.0, 0.5, Fraction(1, 3), np.float32(0.25), math.nextafter(1.0, 0.0)])
def test_a_number_within_bounds(number):
    assert within("rate", number, 0.0, 1.0) == float(number)
    assert type(within("rate", number, 0.0, 1.0)) is float


@pytest.mark.parametrize("number", [1.0, -1e-300, math.nan, math.inf, -math.inf])
def test_a_number_out_of_bounds(number):
    with pytest.raises(ValueError, match=rf"rate: expected 0\.0 <= rate < 1\.0, got {number}"):
        within("rate", number, 0.0, 1.0)


@pytest.mark.parametrize("number", [10**400, -(10**400), 10**5000, Fraction(10**400)], ids=["int", "-", "long", "of"])
def test_a_number_beyond_all_floats_is_named(number):
    got = "a number beyond the largest float, 1.8e308$"
    with pytest.raises(ValueError, match=rf"^rate: expected 0\.0 <= rate < inf, got {got}"):
        within("rate", number, 0.0, math.inf)
    with pytest.raises(ValueError, match=f"^w: expected a finite number, got {got}"):
        finite("w", number)
    with pytest.raises(OverflowError, match=f"^w: expected a real number, got {got}"):
        scalars("w", [1.0, number])
    with pytest.raises(ValueError, match=f"^w: .*, got {got}"):
        real_array("w", [1.0, number], ("n",))
    with pytest.raises(OverflowError, match=f"^tanh: as a loss or metric, .*, got {got}"):
        measured(named("tanh", lambda output, target: number), 0.0, 0.0)


def named(name, function):
    function.__name__ = name
    return function


@pytest.mark.parametrize(
    "make",
    [
        lambda n: MLP(n(3), [n(100), n(1)]),
        lambda n: Embedding(n(100), n(3)),
        lambda n: Recurrent(n(100), n(100)),
        lambda n: FIRLayer(n(100), n(1), taps=n(3)),
        lambda n: TreeEncoder({"f": n(3), "a": n(0)}, width=n(60)),
        lambda n: Convolution((n(1), n(20), n(20)), n(2), n(5), stride=n(2), padding=n(100), sources=[[n(0)]] * 2),
        lambda n: CausalAttention(n(36), n(4), window=n(100)),
        lambda n: TransformerBlock(n(64), n(4)),
    ],
)
@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_a_size_may_be_of_any_type_of_integers(make, kind):
    model, expected = make(kind), make(int)
    assert repr(model) == repr(expected)
    assert len(model.parameters()) == len(expected.parameters())


@pytest.mark.parametrize("given", [True, 1.0, "1", None])
def test_what_is_no_int(given):
    with pytest.raises(TypeError, match="start: expected an int, got"):
        whole("start", given)
    assert (whole("start", -3), type(whole("start", np.int8(3)))) == (-3, int)


@pytest.mark.parametrize("number", [10**400, -(10**400), Fraction(10**30 - 1, 10**30), Fraction(10**400, 3)])
def test_a_number_whose_float_is_out_of_bounds(number):
    with pytest.raises(ValueError, match=r"rate: expected 0\.0 <= rate < 1\.0, got "):
        within("rate", number, 0.0, 1.0)


@pytest.mark.parametrize("number", ["0.5", None, [0.5], 0.5j, Value(0.5)])
def test_what_is_no_real_number_is_not_within_bounds(number):
    with pytest.raises(TypeError, match="rate: expected a real number, got"):
        within("rate", number, 0.0, 1.0)


class Method:
    rate = Within(0.0, 1.0)
    decay = Within(0.0, math.inf)
    limit = WithinOrNone(0.0, 1.0)
    is_on = CheckedBy(flag)


def test_an_attribute_that_is_checked_refuses_what_is_assigned_and_keeps_what_it_had():
    method, other = Method(), Method()
    method.rate, method.decay, other.rate = 0.5, 2, 0.25
    assert (method.rate, method.decay, other.rate) == (0.5, 2.0, 0.25)
    for wrong in (1.0, -0.5, math.nan):
        with pytest.raises(ValueError, match=r"rate: expected 0\.0 <= rate < 1\.0, got"):
            method.rate = wrong
    with pytest.raises(TypeError, match="decay: expected a real number, got 'much'"):
        method.decay = "much"
    assert (method.rate, method.decay) == (0.5, 2.0)
    method.limit, method.is_on = None, np.True_
    with pytest.raises(TypeError, match=r"^Method: is_on: expected True or False, got 'no'"):
        method.is_on = "no"
    with pytest.raises(ValueError, match=r"limit: expected 0\.0 <= limit < 1\.0, got 1"):
        method.limit = 1
    assert (method.limit, method.is_on) == (None, True)
    twin = copy.deepcopy(method)
    twin.rate = 0.75
    assert (method.rate, twin.rate, pickle.loads(pickle.dumps(method)).rate) == (0.5, 0.75, 0.5)


@pytest.mark.parametrize("number", [True, "1", None, math.nan, math.inf, -math.inf, 10**400, Value(1.0), [1.0]])
def test_what_is_no_finite_number(number):
    with pytest.raises(ValueError, match="w: expected a finite number, got"):
        finite("w", number)


def test_a_finite_number():
    for number in (1, 0.5, np.float32(0.25), Fraction(1, 4)):
        assert finite("w", number) == float(number)
        assert type(finite("w", number)) is float


# ---- Values and numbers


def test_distinct_leaves():
    values = [Value(1.0), Value(1.0)]
    assert distinct_leaves(iter(values)) == values
    for given, error, message in [
        ([], ValueError, "expected at least one parameter, got none"),
        ({Value(1.0)}, TypeError, r"expected the parameters in an order, got \{Value\(.*, which has none"),
        (3.0, TypeError, r"expected the parameters, such as model\.parameters\(\), got 3\.0"),
        ([values[0], 3.0], TypeError, r"parameter 1: expected a Value, got 3\.0"),
        ([values[0] * 2.0], ValueError, "parameter 0: expected a leaf, got .*, which was computed"),
        ([*values, values[0]], ValueError, "parameter 2 is there already: expected each parameter once"),
    ]:
        with pytest.raises(error, match=message):
            distinct_leaves(given)


def test_the_inputs_of_a_neuron():
    given = [Value(1.0), 2.0]
    assert neuron_inputs(given, 2) is given
    assert neuron_inputs((1.0, 2.0), 2) == [1.0, 2.0]
    with pytest.raises(ValueError, match="a neuron got 2 inputs, expected 3, one for each weight"):
        neuron_inputs(given, 3)
    with pytest.raises(TypeError, match=r"expected a sequence of inputs, Values or numbers, got float: 1\.5"):
        neuron_inputs(1.5, 1)
    for unordered in ({1.0, 2.0}, {1.0: 3.0, 2.0: 4.0}, frozenset({1.0, 2.0})):
        with pytest.raises(TypeError, match=f"expected a sequence of inputs, .*, got {type(unordered).__name__}"):
            neuron_inputs(unordered, 2)


def test_scalars_are_values_as_they_are_and_floats():
    value = Value(1.0)
    found = scalars("loss", [value, 2, np.float64(0.5), Fraction(1, 4)])
    assert found == [value, 2.0, 0.5, 0.25]
    assert [isinstance(scalar, (Value, float)) for scalar in found] == [True] * 4
    with pytest.raises(TypeError, match="loss: expected a real number, got str: 'a'"):
        scalars("loss", [1.0, "a"])
    assert scalars("loss", (x for x in [1, value])) == [1.0, value]
    for given in ({1.0, 2.0}, {1.0: 2.0}, b"ab", "ab", 1.0, value, None, np.array(1.0)):
        with pytest.raises(TypeError, match="loss: expected a sequence of numbers, got "):
            scalars("loss", given)


def test_pairs_of_an_output_and_a_target():
    assert paired("loss", 1, 2) == [(1.0, 2.0)]
    assert paired("loss", [1, 2], (3, 4)) == [(1.0, 3.0), (2.0, 4.0)]
    for output, target, message in [
        ([1.0], 1.0, "got a single target and a sequence of outputs"),
        (1.0, [1.0], "got a single output and a sequence of targets"),
        ([1.0, 2.0], [1.0], "at least one, got 1 and 2"),
        ([], [], "at least one, got 0 and 0"),
    ]:
        with pytest.raises(ValueError, match=f"loss: expected as many targets as outputs, {message}"):
            paired("loss", output, target)


# ---- examples


def test_examples_are_tuples_of_plain_numbers():
    assert examples_of("fit", np.array([[1, 2], [3, 4]]), iter([np.float64(0.5), 1])) == [([1, 2], 0.5), ([3, 4], 1)]
    assert examples_of("fit") == [()]
    assert pairs_of("fit", [np.array([1.0])], [np.int64(3)]) == [([1.0], 3)]
    assert type(pairs_of("fit", [np.array([1.0])], [np.int64(3)])[0][1]) is int


class TensorWithAGradient:
    """As PyTorch's: no array can be made of it, but a list."""

    def __array__(self, *arguments):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")

    def tolist(self):
        return [[1.0, 2.0], [3.0, 4.0]]


def test_a_tensor_with_a_gradient_is_a_list_of_examples():
    assert examples_of("fit", TensorWithAGradient()) == [([1.0, 2.0],), ([3.0, 4.0],)]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: examples_of("fit", [1], [1, 2], [1]), ValueError, r"fit: expected equally many .*, got \[1, 2, 1\]"),
        (lambda: examples_of("fit", [], []), ValueError, "fit: expected at least one example, got none"),
        (lambda: pairs_of("fit", [1], [1, 2]), ValueError, "fit: expected one target per input, got 1 input and 2"),
        (lambda: pairs_of("fit", [], []), ValueError, "fit: expected at least one example, got none"),
        (lambda: examples_of("fit", np.ma.array([1.0], mask=[1])), TypeError, "fit: expected numbers, got a masked"),
    ],
)
def test_no_examples(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_copy_has_containers_of_its_own_and_the_same_values_and_numbers():
    value, integers, words = Value(1.0), np.array([1, 2]), {"word"}
    data = [
        value,
        {"a": [1, 2.5, True]},
        (integers, [value]),
        deque([1.0], maxlen=3),
        OrderedDict(b=[None, "c"]),
        words,
    ]
    before = repr(data)
    copy_of_data = copied(data)
    assert repr(copy_of_data) == before
    assert copy_of_data[0] is value
    assert copy_of_data[2][0].dtype == integers.dtype
    copy_of_data[1]["a"][0] = 7
    copy_of_data[2][0][0] = 7
    copy_of_data[2][1].append(7)
    copy_of_data[3].append(7)
    copy_of_data[4]["b"].pop()
    copy_of_data[5].add("another")
    copy_of_data.append(7)
    assert repr(data) == before


@pytest.mark.parametrize(
    ("examples", "is_flat"),
    [
        ([([1.0, 2], True), ([3.0, None], "word")], True),
        ([(1.0,), (Value(2.0),)], True),
        ([([1.0], 1), ([[1.0]], 1)], False),
        ([([1.0], {"a": 1})], False),
        ([((1.0, [2.0]), 1)], False),
        ([()], True),
    ],
)
def test_examples_are_copied_flatly_only_where_that_copies_all(examples, is_flat):
    copy_of = copier(examples)
    assert (copy_of is not copied) == is_flat
    for example in examples:
        before, twin = repr(example), copy_of(example)
        assert repr(twin) == before
        for datum in twin:
            for part in datum if isinstance(datum, tuple) else [datum]:
                if isinstance(part, (list, dict)):
                    part.clear()
        assert repr(example) == before


@pytest.mark.parametrize("data", [1, 2.5, True, None, "word", (1.0, 2.0)])
def test_what_cannot_be_changed_is_not_copied(data):
    assert copied(data) is data


def test_columns_of_numbers():
    examples = [([1.0, 2.0], True), ([3, 4], False)]
    inputs, targets = columns_of(examples)
    assert (inputs.tolist(), targets.tolist()) == ([[1.0, 2.0], [3.0, 4.0]], [[1.0], [0.0]])
    assert (inputs.dtype, targets.dtype) == (float, float)
    [column] = columns_of([({"a": 1, "b": [2, 3]},), ({"a": 4, "b": [5, 6]},)])
    assert column.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert columns_of([()]) == []


@pytest.mark.parametrize(
    ("examples", "error", "message"),
    [
        ([([1.0], 0), ([1.0, 2.0], 0)], ValueError, "the inputs have different forms"),
        ([(1.0, {"a": 1.0}), (2.0, {"b": 1.0})], ValueError, "the targets have different forms"),
        ([("a", 0)], TypeError, "the inputs are no numbers: expected a real number, got str: 'a'"),
        ([(1.0, 2.0, None)], TypeError, "the data 2 are no numbers: expected a real number, got NoneType: None"),
        ([(10**400, 0)], TypeError, "the inputs are no numbers: "),
        ([([Value(1.0)], 0)], TypeError, r"the inputs are no numbers: expected a number, got a Value at \[0\]"),
    ],
)
def test_no_columns_of_numbers(examples, error, message):
    assert not have_one_form(examples)
    with pytest.raises(error, match=message):
        columns_of(examples)


# ---- shapes

NESTED = [1.0, [2.0, None], {"a": None, "b": (3, [])}, None]


def test_numbers_and_their_places_in_a_structure():
    numbers, shape = numbers_and_shape(NESTED)
    assert numbers == [1.0, 2.0, 3.0]
    assert with_numbers(shape, ["x", "y", "z"]) == ["x", ["y", None], {"a": None, "b": ("z", [])}, None]
    assert numbers_and_shape(2) == ([2.0], numbers_and_shape(5.0)[1])


@pytest.mark.parametrize(
    "other",
    [
        [1.0, [None, 2.0], {"a": None, "b": (3, [])}, None],
        [1.0, [2.0, None], {"a": None, "b": (3, [])}, 4.0],
        [1.0, [2.0, None], {"b": None, "a": (3, [])}, None],
        [1.0, (2.0, None), {"a": None, "b": (3, [])}, None],
        [1.0, [2.0, None], {"a": None, "b": (3, [])}],
        [1.0, [2.0, [None]], {"a": None, "b": (3, [])}, None],
        NESTED[0],
    ],
)
def test_another_shape(other):
    assert numbers_and_shape(other)[1] != numbers_and_shape(NESTED)[1]
    assert shapes_of([(NESTED, 1), (other, 1), (NESTED, 2), (other, 3)]) == [[0, 2], [1, 3]]
    assert not have_one_form([(NESTED, 1), (other, 1)])


@pytest.mark.parametrize("wrong", [None, "a", [Value(1.0)], [None, "a"], [1j]])
def test_what_has_no_shape(wrong):
    with pytest.raises(TypeError, match=r"expected a (real )?number, got"):
        shapes_of([(1.0, 1.0), (wrong, 1.0)])
