"""The losses and their gradients are those of the textbook."""

from __future__ import annotations

import math
import random

import mpmath
import numpy
import pytest

from autograd import Tape, Value, logsumexp
from nn import MLP, SGD, binary_cross_entropy, cross_entropy, fit, half_squared_error, hinge, residuals, squared_error

pytestmark = pytest.mark.both_engines

mpmath.mp.dps = 50
LOGITS = [-1000.0, -37.5, -3.0, -0.1, 0.0, 1e-9, 0.7, 5.0, 40.0, 1000.0]


def ulps(computed: float, exact: mpmath.mpf) -> float:
    """The distance in units in the last place of the exact value."""
    return float(abs(mpmath.mpf(computed) - exact) / math.ulp(float(exact)))


def gradients(loss: Value, *values: Value) -> list[float]:
    loss.backward()
    return [value.grad for value in values]


# ---- squared errors


def test_squared_error_and_its_gradient() -> None:
    y = [Value(3.0), Value(-1.5)]
    loss = squared_error(y, [1.0, 0.25])
    assert loss.data == 2.0**2 + 1.75**2
    assert gradients(loss, *y) == [2 * 2.0, 2 * -1.75]


def test_the_gradient_of_half_the_squared_error_is_the_error() -> None:
    y, t = [Value(3.0), Value(0.1)], [Value(1.0), Value(0.7)]
    loss = half_squared_error(y, t)
    assert loss.data == (2.0**2 + (0.1 - 0.7) ** 2) / 2
    assert gradients(loss, *y, *t) == [2.0, 0.1 - 0.7, -2.0, 0.7 - 0.1]


def test_one_output_and_its_target() -> None:
    y = Value(3.0)
    loss = squared_error(y, 1)
    assert loss.data == 4.0
    assert [node.op for node in (loss, *loss.parents)] == ["**", "-"]  # and no sum of one term
    assert half_squared_error(y, 1).data == 2.0
    assert hinge(y, -1).data == 4.0


# ---- binary cross-entropy


@pytest.mark.parametrize("target", [0.0, 1.0, 0.3, 0.5])
@pytest.mark.parametrize("logit", LOGITS)
def test_binary_cross_entropy_against_the_textbook(logit: float, target: float) -> None:
    z = Value(logit)
    loss = binary_cross_entropy(z, target)
    (gradient,) = gradients(loss, z)
    with mpmath.workdps(1000):  # the logarithm of 1 − 10⁻⁴³⁴ takes as many digits
        t, p = mpmath.mpf(target), 1 / (1 + mpmath.exp(-mpmath.mpf(logit)))
        assert ulps(loss.data, -(t * mpmath.log(p) + (1 - t) * mpmath.log(1 - p))) <= 4
        slope = p - t
        # Where target and output meet, the difference has the ulps of its terms.
        assert abs(gradient - slope) <= 4 * math.ulp(max(float(abs(slope)), float(min(t, 1 - t))))


def test_binary_cross_entropy_is_summed_over_outputs() -> None:
    z = [Value(0.3), Value(-2.0)]
    loss = binary_cross_entropy(z, [1, 0])
    parts = [binary_cross_entropy(0.3, 1), binary_cross_entropy(-2.0, 0)]
    assert loss.data == parts[0] + parts[1]
    sigmoids = [1 / (1 + math.exp(-x.data)) for x in z]
    assert gradients(loss, *z) == pytest.approx([sigmoids[0] - 1, sigmoids[1]], rel=1e-15)


@pytest.mark.parametrize("target", [0.0, 1.0, 0.25])
@pytest.mark.parametrize("logit", [math.inf, -math.inf])
def test_binary_cross_entropy_at_infinity_is_the_limit(logit: float, target: float) -> None:
    expected = 0.0 if target == (logit > 0) else math.inf
    assert binary_cross_entropy(logit, target) == expected
    assert binary_cross_entropy(Value(logit), target).data == expected


# ---- categorical cross-entropy


def softmax(logits: list[float]) -> list[mpmath.mpf]:
    exponentials = [mpmath.exp(mpmath.mpf(z)) for z in logits]
    return [e / sum(exponentials) for e in exponentials]


EXAMPLES = [
    [0.0, 0.0],
    [1.5, -2.0, 0.3],
    [1000.0, -1000.0, 999.0],
    [-1000.0, -1000.5],
    [3.0],
    LOGITS,
]


@pytest.mark.parametrize("logits", EXAMPLES, ids=range(len(EXAMPLES)))
def test_cross_entropy_of_a_class_against_the_textbook(logits: list[float]) -> None:
    for index in range(len(logits)):
        z = [Value(number) for number in logits]
        loss = cross_entropy(z, index)
        p = softmax(logits)
        scale = max(map(abs, logits))  # the loss is a difference of numbers as large as the logits
        assert abs(loss.data - float(-mpmath.log(p[index]))) <= 4 * math.ulp(max(scale, 1.0))
        expected = [float(p[i] - (i == index)) for i in range(len(logits))]  # softmax − one-hot
        assert gradients(loss, *z) == pytest.approx(expected, rel=1e-15, abs=2e-16)


@pytest.mark.parametrize("logits", EXAMPLES, ids=range(len(EXAMPLES)))
def test_cross_entropy_of_probabilities_against_the_textbook(logits: list[float]) -> None:
    draw = random.Random(0)
    weights = [draw.random() for _ in logits]
    target = [weight / math.fsum(weights) for weight in weights]
    z = [Value(number) for number in logits]
    loss = cross_entropy(z, target)
    p = softmax(logits)
    exact = -sum(mpmath.mpf(t) * mpmath.log(p_i) for t, p_i in zip(target, p, strict=True))
    assert abs(loss.data - float(exact)) <= len(logits) * math.ulp(max(*map(abs, logits), 1.0))
    expected = [float(p_i - t) for p_i, t in zip(p, target, strict=True)]
    assert gradients(loss, *z) == pytest.approx(expected, rel=1e-14, abs=2e-16)


def test_a_class_is_the_probability_one() -> None:
    logits = [0.5, -1.25, 2.0]
    for index in range(3):
        assert cross_entropy(logits, index) == cross_entropy(logits, [float(i == index) for i in range(3)])


def test_a_class_that_is_impossible_and_has_the_probability_0_costs_nothing() -> None:
    logits = [Value(1.0), Value(-math.inf), Value(0.0)]
    loss = cross_entropy(logits, [0.75, 0.0, 0.25])
    p = 1 / (1 + math.exp(-1.0))
    assert loss.data == pytest.approx(-0.75 * math.log(p) - 0.25 * math.log(1 - p), rel=1e-15)
    assert gradients(loss, *logits) == pytest.approx([p - 0.75, 0.0, 1 - p - 0.25], rel=1e-15)
    assert cross_entropy([1.0, -math.inf], [1.0, 0.0]) == 0.0
    assert cross_entropy([1.0, -math.inf], [0.5, 0.5]) == math.inf


def test_a_class_index_may_be_numpys() -> None:
    assert cross_entropy([0.5, -1.25], numpy.array([1, 0])[0]) == cross_entropy([0.5, -1.25], 1)


def test_probabilities_may_be_values_and_are_not_checked_then() -> None:
    """So that a graph can be recorded with targets that are to be filled in later."""
    target = [Value(0.0), Value(0.0)]
    logits = [Value(0.5), Value(-1.25)]
    loss = cross_entropy(logits, target)
    assert loss.data == logsumexp([0.5, -1.25])
    assert gradients(loss, *target) == [-0.5, 1.25]


# ---- hinge


@pytest.mark.parametrize(
    ("score", "target", "loss", "gradient"),
    [(0.25, 1, 0.75, -1.0), (0.25, -1, 1.25, 1.0), (3.0, 1, 0.0, 0.0), (-1000.0, 1, 1001.0, -1.0), (1.0, 1, 0.0, 0.0)],
)
def test_hinge_and_its_gradient(score: float, target: int, loss: float, gradient: float) -> None:
    y = Value(score)
    computed = hinge(y, target)
    assert computed.data == loss
    assert gradients(computed, y) == [gradient]


def test_hinge_is_summed_over_outputs() -> None:
    y = [Value(0.25), Value(0.5), Value(2.0)]
    loss = hinge(y, [1, -1, 1])
    assert loss.data == 0.75 + 1.5
    assert gradients(loss, *y) == [-1.0, 1.0, 0.0]


# ---- label smoothing


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("target", [0, 2, [0.25, 0.0, 0.75]])
def test_label_smoothing_of_cross_entropy_against_the_formula(target: object, alpha: float) -> None:
    """Szegedy et al. 2016, section 7: the label distribution (1 − ε) δ_{k,y} + ε/K, in the cross-entropy."""
    logits = [1.5, -2.0, 0.3]
    given = target if isinstance(target, list) else [float(k == target) for k in range(3)]
    smooth = [(1 - mpmath.mpf(alpha)) * t + mpmath.mpf(alpha) / 3 for t in given]
    p = softmax(logits)
    exact = -sum(t * mpmath.log(p_i) for t, p_i in zip(smooth, p, strict=True))
    z = [Value(number) for number in logits]
    loss = cross_entropy(z, target, label_smoothing=alpha)  # type: ignore[arg-type]
    assert loss.data == pytest.approx(float(exact), rel=1e-15)
    expected = [float(p_i - t) for p_i, t in zip(p, smooth, strict=True)]
    assert gradients(loss, *z) == pytest.approx(expected, rel=1e-14, abs=2e-16)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("target", [0.0, 1.0, 0.3])
def test_label_smoothing_of_binary_cross_entropy_against_the_formula(target: float, alpha: float) -> None:
    for logit in (-37.5, -0.1, 0.0, 5.0):
        t, p = (1 - mpmath.mpf(alpha)) * target + mpmath.mpf(alpha) / 2, 1 / (1 + mpmath.exp(-mpmath.mpf(logit)))
        z = Value(logit)
        loss = binary_cross_entropy(z, target, label_smoothing=alpha)
        assert loss.data == pytest.approx(float(-t * mpmath.log(p) - (1 - t) * mpmath.log(1 - p)), rel=1e-15)
        assert gradients(loss, z) == pytest.approx([float(p - t)], rel=1e-14, abs=1e-16)
        # As the categorical one of two classes.
        of_two = cross_entropy([0.0, logit], [1.0 - target, target], label_smoothing=alpha)
        assert loss.data == pytest.approx(of_two, rel=1e-14)


def test_a_class_that_is_a_value_is_smoothed_too() -> None:
    logits = [0.3, -1.2, 2.0]
    for k in range(3):
        by_value = cross_entropy(logits, Value(k), label_smoothing=0.2)  # type: ignore[arg-type]
        assert by_value.data == cross_entropy(logits, k, label_smoothing=0.2)
        computed = cross_entropy(logits, Value(k) * 1.0, label_smoothing=0.2)
        assert by_value.data == pytest.approx(computed.data, rel=1e-15)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.9])  # with 1 the class has no part in the loss
@pytest.mark.parametrize("wrong", [-1.0, 0.5, 3.0, math.nan, math.inf])
def test_a_tape_refuses_a_class_that_is_none(alpha: float, wrong: float) -> None:
    logits, target = [Value(0.3), Value(-1.2), Value(2.0)], Value(0.0)
    tape = Tape(cross_entropy(logits, target, label_smoothing=alpha), [target])
    expected = [cross_entropy([z.data for z in logits], k, label_smoothing=alpha) for k in range(3)]
    assert tape.forward([0, 1, 2]).tolist() == pytest.approx(expected, rel=1e-15)
    with pytest.raises(ValueError, match="example 1: input 0 is the index of a lookup: expected a whole number from 0"):
        tape.forward([0.0, wrong])


@pytest.mark.parametrize("loss", [cross_entropy, binary_cross_entropy])
@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan, None, "0.1", [0.1], Value(0.1)])
def test_what_is_no_label_smoothing(loss: object, alpha: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^\w*cross_entropy: label_smoothing: expected a (real )?number"):
        loss([0.5, 0.5], [0.0, 1.0], label_smoothing=alpha)  # type: ignore[operator]


# ---- weights

WEIGHTED = [squared_error, half_squared_error, binary_cross_entropy, cross_entropy, hinge]
OUTPUTS, TARGETS = [0.3, -0.7, 1.5], {hinge: [1, -1, 1]}


@pytest.mark.parametrize("loss", WEIGHTED)
@pytest.mark.parametrize("weight", [0, 0.25, 1, 3.5, True, numpy.float32(0.5), numpy.array(2.0)])
def test_a_weight_multiplies_the_loss_and_its_gradient(loss: object, weight: object) -> None:
    target = TARGETS.get(loss, [0.0, 1.0, 0.0])
    plain, weighted = [Value(y) for y in OUTPUTS], [Value(y) for y in OUTPUTS]
    unweighted_loss, weighted_loss = loss(plain, target), loss(weighted, target, weight=weight)  # type: ignore[operator]
    assert weighted_loss.data == float(weight) * unweighted_loss.data  # type: ignore[arg-type]
    expected = [float(weight) * slope for slope in gradients(unweighted_loss, *plain)]  # type: ignore[arg-type]
    assert gradients(weighted_loss, *weighted) == pytest.approx(expected, rel=1e-15)
    assert loss(OUTPUTS, target, weight=Value(weight)).data == weighted_loss.data  # type: ignore[operator, arg-type]
    assert type(loss(OUTPUTS, target, weight=weight)) is float  # type: ignore[operator]


def test_the_weight_1_adds_no_node() -> None:
    assert squared_error(Value(3.0), 1.0, weight=1).op == squared_error(Value(3.0), 1.0).op == "**"


@pytest.mark.parametrize("weight", [0, 0.25, 1.0, Value(2.25)])
def test_the_squares_of_weighted_residuals_are_the_weighted_squared_error(weight: object) -> None:
    target = [1.0, 0.5, -2.0]
    found = residuals([Value(y) for y in OUTPUTS], target, weight=weight)  # type: ignore[arg-type]
    squares = sum(residual.data**2 for residual in found)
    expected = squared_error(OUTPUTS, target, weight=weight)  # type: ignore[arg-type]
    assert squares == pytest.approx(getattr(expected, "data", expected), rel=1e-15)


def test_the_weight_0_of_an_infinite_loss_is_nan_as_the_product_is() -> None:
    assert math.isnan(cross_entropy([0.0, -math.inf], 1, weight=0))


@pytest.mark.parametrize("loss", [*WEIGHTED, residuals])
@pytest.mark.parametrize("weight", [-1, -1e-300, math.nan, math.inf, None, "1", [1.0], 1j, numpy.ones(2)])
def test_what_is_no_weight(loss: object, weight: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^\w+: weight: expected a (real|finite) number.*, got "):
        loss(OUTPUTS, TARGETS.get(loss, [0.0, 1.0, 0.0]), weight=weight)  # type: ignore[operator]


@pytest.mark.parametrize("loss", WEIGHTED)
def test_a_target_may_carry_the_weight_of_its_example_on_a_tape(loss: object) -> None:
    target = TARGETS.get(loss, [0.0, 1.0, 0.0])
    tape = Tape.record(lambda y, t: loss(y, t[0], weight=t[1]), [OUTPUTS, (target, 1.0)])  # type: ignore[operator]
    for weight in (0.0, 0.25, 3.0):
        expected = loss(OUTPUTS, target, weight=weight)  # type: ignore[operator]
        assert tape.forward([[*OUTPUTS, *target, weight]]) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("tape", [True, False])
def test_to_count_an_example_twice_is_to_have_it_twice(tape: bool) -> None:
    inputs, classes = [[0.5, -1.0], [1.0, 2.0], [-0.3, 0.8]], [0, 2, 1]
    weights = [1.0, 2.0, 0.0]

    def trained(inputs: list[list[float]], targets: list[object], loss: object, scale: float) -> list[float]:
        model = MLP(2, [4, 3])
        for i, parameter in enumerate(model.parameters()):
            parameter.data = math.sin(i)
        fit(model, inputs, targets, loss, SGD(model.parameters(), 0.1 * scale), epochs=3, shuffle=False,
            progress=False, tape=tape)  # type: ignore[arg-type]  # fmt: skip
        return [parameter.data for parameter in model.parameters()]

    carried = trained(
        inputs, [*zip(classes, weights, strict=True)], lambda y, t: cross_entropy(y, t[0], weight=t[1]), 1.0
    )
    repeated = trained([inputs[0], inputs[1], inputs[1]], [classes[0], classes[1], classes[1]], cross_entropy, 1.0)
    assert carried == pytest.approx(repeated, rel=1e-12)


# ---- arrays without dimensions are numbers


@pytest.mark.parametrize("loss", [squared_error, half_squared_error, binary_cross_entropy, hinge])
def test_outputs_and_targets_may_be_arrays_without_dimensions(loss: object) -> None:
    for output, target in [(numpy.array(0.5), 1), (0.5, numpy.array(1)), (numpy.array(0.5), numpy.array(1.0))]:
        assert loss(output, target) == loss(0.5, 1.0)  # type: ignore[operator]


def test_a_class_may_be_an_array_without_dimensions() -> None:
    assert cross_entropy([0.5, -1.0], numpy.array(1)) == cross_entropy([0.5, -1.0], 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a sequence of logits"):
        cross_entropy(numpy.array(1.0), 0)


# ---- numbers and Values, and a network's outputs

LOSSES = [squared_error, half_squared_error, binary_cross_entropy, hinge]


@pytest.mark.parametrize("loss", LOSSES)
def test_of_numbers_a_loss_is_a_float_of_values_the_same_value(loss: object) -> None:
    for y, t in [(0.3, 1), (3, 1), (numpy.float64(0.3), numpy.int64(1)), ([0.3, -0.7], [1, 1])]:
        number = loss(y, t)  # type: ignore[operator]
        assert type(number) is float
        for y_values, t_values in [(wrapped(y), t), (y, wrapped(t)), (wrapped(y), wrapped(t))]:
            value = loss(y_values, t_values)  # type: ignore[operator]
            assert isinstance(value, Value)
            assert value.data == number


@pytest.mark.parametrize("loss", [squared_error, half_squared_error])
def test_a_square_beyond_all_floats_is_the_same_error_for_numbers_and_for_values(loss: object) -> None:
    for y, t in [(1e308, 0.5), ([1.0, -1e308], [0.5, 0.5])]:
        for output in (y, wrapped(y)):
            with pytest.raises(OverflowError, match=r"1e\+308\)? \*\* 2.0: the result is beyond the largest float"):
                loss(output, t)  # type: ignore[operator]


def wrapped(x: object) -> object:
    return [Value(element) for element in x] if isinstance(x, list) else Value(x)  # type: ignore[arg-type]


def test_cross_entropy_of_numbers_is_a_float() -> None:
    for logits in ([0.5, -1.25], [2, 1], numpy.array([0.5, -1.25])):
        assert type(cross_entropy(logits, 0)) is float
        assert type(cross_entropy(logits, [0.25, 0.75])) is float


def test_a_networks_outputs_and_numpys_targets() -> None:
    outputs = MLP(2, [3])([1.0, 2.0])
    targets = numpy.array([1, -1, 1])
    expected = sum(max(0.0, 1 - t * y.data) for t, y in zip(targets.tolist(), outputs, strict=True))
    assert hinge(outputs, targets).data == pytest.approx(expected, rel=1e-15)
    assert squared_error(MLP(2, [3, 1])([1.0, 2.0]), numpy.float64(0.5)).op == "**"


# ---- what is refused


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("output", "target", "got"),
    [
        ([0.1, 0.2], [1.0], "1 and 2"),
        ([0.1], [1.0, 1.0, 1.0], "3 and 1"),
        ([], [], "0 and 0"),
        (Value(0.1), [1.0], "a single output and a sequence of targets"),
        ([Value(0.1)], 1.0, "a single target and a sequence of outputs"),
    ],
)
def test_not_as_many_targets_as_outputs(loss: object, output: object, target: object, got: str) -> None:
    name = loss.__name__  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=f"{name}: expected as many targets as outputs.* got {got}"):
        loss(output, target)  # type: ignore[operator]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("output", "target", "got"),
    [
        (None, 1.0, "NoneType: None"),
        (1.0, None, "NoneType: None"),
        ([1.0, "2"], [1.0, 1.0], "str: '2'"),
        ([1.0], [1j], "complex: 1j"),
        ([[1.0]], [1.0], r"list: \[1\.0\]"),
    ],
)
def test_what_is_no_number(loss: object, output: object, target: object, got: str) -> None:
    name = loss.__name__  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=f"{name}: expected a real number, got {got}"):
        loss(output, target)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("logits", "target", "message"),
    [
        (
            Value(0.5),
            0,
            r"sequence of logits, one per class, got Value\(data=0\.5.* single logit is binary_cross_entropy",
        ),
        (0.5, [1.0], "sequence of logits, one per class, got 0.5"),
        ([0.5, None], 0, "real number, got NoneType: None"),
        ([0.5, 0.5], [None, 1.0], "real number, got NoneType: None"),
    ],
)
def test_what_are_no_logits(logits: object, target: object, message: str) -> None:
    with pytest.raises(TypeError, match=f"cross_entropy: expected a {message}"):
        cross_entropy(logits, target)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", [-0.1, 1.5, -1, math.nan])
def test_a_target_of_binary_cross_entropy_is_a_probability(target: float) -> None:
    with pytest.raises(ValueError, match=rf"binary_cross_entropy: expected a target in \[0, 1\], got {target}"):
        binary_cross_entropy([0.0, 0.0], [1.0, target])


@pytest.mark.parametrize("target", [0, 0.5, 2, math.nan])
def test_a_target_of_hinge_is_a_sign(target: float) -> None:
    with pytest.raises(ValueError, match=rf"hinge: expected a target of -1 or \+1, got {target}"):
        hinge([0.0, 0.0], [1, target])


@pytest.mark.parametrize("index", [-1, 3, 1000])
def test_a_class_that_no_logit_has(index: int) -> None:
    with pytest.raises(IndexError, match=f"cross_entropy: expected a class from 0 to 2, one per logit, got {index}"):
        cross_entropy([0.0, 1.0, 2.0], index)


@pytest.mark.parametrize("target", [1.0, None])
def test_a_class_that_is_no_int(target: object) -> None:
    with pytest.raises(TypeError, match="cross_entropy: expected the index of a class, an int, or a sequence of prob"):
        cross_entropy([0.0, 1.0], target)  # type: ignore[arg-type]


def test_a_class_in_a_value_is_that_class_within_the_graph() -> None:
    logits = [Value(x) for x in (0.3, -1.2, 2.0)]
    for k in range(3):
        by_value, by_int = cross_entropy(logits, Value(k)), cross_entropy(logits, k)  # type: ignore[arg-type]
        assert by_value.data == by_int.data
        gradients = []
        for loss in (by_value, by_int):
            for logit in logits:
                logit.grad = 0.0
            loss.backward()
            gradients.append([logit.grad for logit in logits])
        assert gradients[0] == gradients[1]
    for wrong in (3.0, -1.0, 0.5, math.nan):
        with pytest.raises(IndexError, match="expected a class from 0 to 2, one per logit, got"):
            cross_entropy(logits, Value(wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([1.0], "expected 2 probabilities, one per logit, got 1"),
        ([0.5, 0.25, 0.25], "expected 2 probabilities, one per logit, got 3"),
        ([0.5, 0.6], r"expected probabilities in \[0, 1\] with the sum 1, got \[0\.5, 0\.6\]"),
        ([1.5, -0.5], r"expected probabilities in \[0, 1\] with the sum 1, got \[1\.5, -0\.5\]"),
        ([0.0, 0.0], r"expected probabilities in \[0, 1\] with the sum 1, got \[0\.0, 0\.0\]"),
        ([math.nan, 1.0], r"expected probabilities in \[0, 1\] with the sum 1, got \[nan, 1\.0\]"),
    ],
)
def test_what_are_no_probabilities(target: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=f"cross_entropy: {message}"):
        cross_entropy([0.0, 1.0], target)


def test_no_logits_have_no_class():
    with pytest.raises(ValueError, match="cross_entropy: expected at least one logit, got none"):
        cross_entropy([], 0)
