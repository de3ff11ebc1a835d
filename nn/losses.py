"""Losses say how wrong an output is: each function is the loss of one example, a number to make small.

Outputs and targets are Values or numbers, all else is a TypeError. If an operand is a Value, the loss is a Value; else
it is a float. The loss of a batch is the mean of its examples' losses. A target that is a Value is taken as it is: only
numbers are checked.

`weight` is how much the example counts, a number of at least 0 or a Value: the loss is multiplied by it. (0 times an
infinite loss is nan.) A target can carry the weight of its example, on a tape too:
`loss=lambda y, t: cross_entropy(y, t[0], weight=t[1])`.
"""

from __future__ import annotations

import math
import operator
from reprlib import repr as shortened
from typing import TYPE_CHECKING, overload

from autograd import Value, dot, logsumexp, power, relu, softplus, sqrt, sum, take
from nn.arguments import is_sequence, paired, scalars

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TypeVar

    Scalar = Value | float
    Scalars = Scalar | Iterable[Scalar]
    S = TypeVar("S", bound=Scalar)  # a loss is a Value where the outputs are, or the targets


@overload
def squared_error(output: S | Iterable[S], target: float | Iterable[float], *, weight: Scalar = 1.0) -> S: ...
@overload
def squared_error(output: Scalars, target: Value | Iterable[Value], *, weight: Scalar = 1.0) -> Value: ...
def squared_error(output: Scalars, target: Scalars, *, weight: Scalar = 1.0) -> Scalar:
    """weight Σ (output_i − target_i)², over one output or a sequence of outputs.

    Raises ValueError if there are not as many targets as outputs, or for a weight that is negative or not finite.

    >>> squared_error([3.0, 1.0], [1.0, 0.0])
    5.0
    """
    return weighted("squared_error", weight, total(squares("squared_error", output, target)))


@overload
def half_squared_error(output: S | Iterable[S], target: float | Iterable[float], *, weight: Scalar = 1.0) -> S: ...
@overload
def half_squared_error(output: Scalars, target: Value | Iterable[Value], *, weight: Scalar = 1.0) -> Value: ...
def half_squared_error(output: Scalars, target: Scalars, *, weight: Scalar = 1.0) -> Scalar:
    """½ weight Σ (output_i − target_i)², whose gradient is weight (output_i − target_i). Raises as `squared_error`.

    >>> half_squared_error([3.0, 1.0], [1.0, 0.0])
    2.5
    """
    return weighted("half_squared_error", weight, 0.5 * total(squares("half_squared_error", output, target)))


@overload
def residuals(output: S | Iterable[S], target: float | Iterable[float], *, weight: Scalar = 1.0) -> list[S]: ...
@overload
def residuals(output: Scalars, target: Value | Iterable[Value], *, weight: Scalar = 1.0) -> list[Value]: ...
def residuals(output: Scalars, target: Scalars, *, weight: Scalar = 1.0) -> list[Any]:  # Any: as declared above
    """[√weight (output_i − target_i)], as a least-squares method asks for them: `squared_error` sums their squares up.

    Raises as `squared_error`.

    >>> residuals([3.0, 1.0], [1.0, 0.0])
    [2.0, 1.0]
    """
    differences = [y - t for y, t in paired("residuals", output, target)]
    weight = checked_weight("residuals", weight)
    return differences if is_number(weight, 1.0) else [sqrt(weight) * difference for difference in differences]


@overload
def binary_cross_entropy(
    logit: S | Iterable[S], target: float | Iterable[float], *, label_smoothing: float = 0.0, weight: Scalar = 1.0
) -> S: ...
@overload
def binary_cross_entropy(
    logit: Scalars, target: Value | Iterable[Value], *, label_smoothing: float = 0.0, weight: Scalar = 1.0
) -> Value: ...
def binary_cross_entropy(
    logit: Scalars, target: Scalars, *, label_smoothing: float = 0.0, weight: Scalar = 1.0
) -> Scalar:
    """−weight Σ (t_i log p_i + (1 − t_i) log(1 − p_i)) with p = sigmoid(logit), over one output or a sequence.

    The target t is the probability of the class, in [0, 1]. The gradient is weight (p_i − t_i). The loss is computed
    from the logits, as −log p = softplus(−logit), so it is finite where p rounds to 0 or 1; 0 log 0 is 0.
    With `label_smoothing` α, in [0, 1], (1 − α) t + α/2 takes the place of t, as `cross_entropy` has it for 2 classes.
    Raises ValueError for a target or label_smoothing outside [0, 1], if there are not as many targets as logits, and
    for a weight that is negative or not finite.

    >>> binary_cross_entropy(0.0, 1)
    0.6931471805599453
    >>> binary_cross_entropy(-1000.0, 1), binary_cross_entropy(-1000.0, 1, label_smoothing=0.5)
    (1000.0, 750.0)
    """
    pairs = paired("binary_cross_entropy", logit, target)
    for _, t in pairs:
        if not isinstance(t, Value) and not 0 <= t <= 1:
            raise ValueError(f"binary_cross_entropy: expected a target in [0, 1], got {t}")
    targets = smoothed([t for _, t in pairs], checked_smoothing("binary_cross_entropy", label_smoothing), 2)
    parts = [part for (z, _), t in zip(pairs, targets, strict=True) for part in ((1.0 - t, z), (t, -z))]
    terms = [probability * softplus(x) for probability, x in parts if not is_number(probability, 0.0)]
    return weighted("binary_cross_entropy", weight, total(terms))


@overload
def cross_entropy(
    logits: Sequence[S], target: float | Sequence[float], *, label_smoothing: float = 0.0, weight: Scalar = 1.0
) -> S: ...
@overload
def cross_entropy(
    logits: Sequence[Scalar], target: Value | Sequence[Value], *, label_smoothing: float = 0.0, weight: Scalar = 1.0
) -> Value: ...
def cross_entropy(
    logits: Sequence[Scalar],
    target: Scalar | Sequence[Scalar],
    *,
    label_smoothing: float = 0.0,
    weight: Scalar = 1.0,
) -> Scalar:
    """−weight Σ t_i log p_i with p = softmax(logits), the categorical cross-entropy of one example.

    The target is the index of the true class, or the probability t_i of each class; these sum to 1. The gradient is
    weight (p_i − t_i). The loss is computed as logsumexp(logits) − Σ t_i logits_i, so it is finite where a p_i rounds
    to 0; 0 log 0 is 0. An index may be a Value, as the input of a tape is: the graph looks the logit up, with
    `autograd.take`. One that was computed, which a tape cannot look up, becomes t_i = max(0, 1 − |index − i|) in the
    graph: 1 for the true class, 0 for all others.
    With `label_smoothing` α, in [0, 1], (1 − α) t_i + α/K takes the place of t_i, K being the number of classes
    (C. Szegedy et al., "Rethinking the Inception architecture for computer vision", 2016, section 7).
    Raises IndexError for an index that no logit has, TypeError for one that is no int and for a single logit, and
    ValueError for probabilities that are not as many as the logits, outside [0, 1], or do not sum to 1, for
    label_smoothing outside [0, 1], and for a weight that is negative or not finite.

    >>> cross_entropy([0.0, 0.0], 1)
    0.6931471805599453
    >>> cross_entropy([0.0, 1000.0], [1.0, 0.0]), cross_entropy([0.0, 1000.0], 0, label_smoothing=0.5, weight=2.0)
    (1000.0, 1500.0)
    """
    if not is_sequence(logits):
        raise TypeError(
            f"cross_entropy: expected a sequence of logits, one per class, got {logits!r}; "
            "the loss of a single logit is binary_cross_entropy"
        )
    logits = scalars("cross_entropy", logits)
    alpha = checked_smoothing("cross_entropy", label_smoothing)
    if is_sequence(target) or (isinstance(target, Value) and target.parents):
        probabilities = smoothed(probabilities_of("cross_entropy", target, len(logits)), alpha, len(logits))
        expected_logit = expectation(zip(probabilities, logits, strict=True))
    else:
        index = index_of("cross_entropy", target, len(logits))
        expected_logit = take(logits, target) if isinstance(target, Value) else logits[index]
        if alpha:  # beside it, all logits alike
            expected_logit = expectation([(1.0 - alpha, expected_logit), *[(alpha / len(logits), z) for z in logits]])
    return weighted("cross_entropy", weight, logsumexp(logits) - expected_logit)


@overload
def hinge(score: S | Iterable[S], target: float | Iterable[float], *, weight: Scalar = 1.0) -> S: ...
@overload
def hinge(score: Scalars, target: Value | Iterable[Value], *, weight: Scalar = 1.0) -> Value: ...
def hinge(score: Scalars, target: Scalars, *, weight: Scalar = 1.0) -> Scalar:
    """weight Σ max(0, 1 − target_i score_i), the max-margin loss, over one output or a sequence of outputs.

    The target is the class, −1 or +1; the loss is 0 where the score has its sign and is at least 1 away from 0.
    Raises ValueError for another target, if there are not as many targets as scores, and for a weight that is negative
    or not finite.

    >>> hinge(0.25, 1), hinge(0.25, -1), hinge(3.0, 1)
    (0.75, 1.25, 0.0)
    """
    pairs = paired("hinge", score, target)
    for _, t in pairs:
        if not isinstance(t, Value) and t not in (-1, 1):
            raise ValueError(f"hinge: expected a target of -1 or +1, got {t}")
    return weighted("hinge", weight, total([relu(1.0 - t * y) for y, t in pairs]))


def squares(name: str, output: Scalars, target: Scalars) -> list[Scalar]:
    """(output_i − target_i)²."""
    differences = [y - t for y, t in paired(name, output, target)]
    try:
        return [difference**2 for difference in differences]
    except OverflowError:
        return [power(difference, 2.0) for difference in differences]  # which says of floats, too, what was squared


def is_number(factor: Scalar, number: float) -> bool:
    """Whether it is this number for good: then a term with the factor 0 can be left out, which nan would be of inf."""
    return not isinstance(factor, Value) and factor == number


def total(terms: list[Scalar]) -> Scalar:
    loss: Scalar = sum(terms) if len(terms) > 1 else terms[0]
    return loss


def expectation(terms: Iterable[tuple[Scalar, Scalar]]) -> Scalar:
    """Σ probability * logit."""
    probabilities, logits = zip(*[(p, z) for p, z in terms if not is_number(p, 0.0)], strict=True)
    expected: Scalar = dot(probabilities, logits)
    return expected


def weighted(name: str, weight: Scalar, loss: Scalar) -> Scalar:
    weight = checked_weight(name, weight)
    return loss if is_number(weight, 1.0) else weight * loss


def checked_weight(name: str, weight: Scalar) -> Scalar:
    """How much an example counts: a Value as it is, any other real number as a float."""
    if type(weight) is float and weight == 1.0:  # as mostly, and quickly
        return weight
    [number] = scalars(f"{name}: weight", [weight])
    if not isinstance(number, Value) and not 0 <= number < math.inf:
        raise ValueError(f"{name}: weight: expected a finite number of at least 0, got {number}")
    return number


def smoothed(probabilities: list[Scalar], alpha: float, classes: int) -> list[Scalar]:
    """Probabilities t that are closer to those of chance: (1 − α) t + α/K."""
    return [(1.0 - alpha) * t + alpha / classes for t in probabilities] if alpha else probabilities


def checked_smoothing(name: str, label_smoothing: float) -> float:
    if type(label_smoothing) is float and label_smoothing == 0.0:  # as mostly, and quickly
        return label_smoothing
    [alpha] = scalars(f"{name}: label_smoothing", [label_smoothing])
    if isinstance(alpha, Value):
        raise TypeError(f"{name}: label_smoothing: expected a number, got {alpha!r}, a Value")
    if not 0 <= alpha <= 1:
        raise ValueError(f"{name}: label_smoothing: expected a number in [0, 1], got {alpha}")
    return alpha


def probabilities_of(name: str, target: Any, classes: int) -> list[Scalar]:
    """The probability of each class, of which the target may be one, by its index, a Value that was computed."""
    if is_sequence(target):
        probabilities = scalars(name, target)
        check_probabilities(name, probabilities, classes)
        return probabilities
    index_of(name, target, classes)
    return [relu(1.0 - abs(target - float(i))) for i in range(classes)]


def index_of(name: str, target: Any, classes: int) -> int:
    """The index of a class, from an int or from a Value with one."""
    try:
        index = target.data if isinstance(target, Value) else operator.index(target)
    except TypeError:
        raise TypeError(
            f"{name}: expected the index of a class, an int, or a sequence of probabilities, got {target!r}"
        ) from None
    if not classes:
        raise ValueError(f"{name}: expected at least one logit, got none")
    if index not in range(classes):
        raise IndexError(f"{name}: expected a class from 0 to {classes - 1}, one per logit, got {index}")
    return int(index)


def check_probabilities(name: str, probabilities: list[Scalar], classes: int) -> None:
    if len(probabilities) != classes:
        raise ValueError(f"{name}: expected {classes} probabilities, one per logit, got {len(probabilities)}")
    numbers = [p for p in probabilities if not isinstance(p, Value)]
    if len(numbers) < len(probabilities):
        return
    if not all(0 <= p <= 1 for p in numbers) or abs(sum(numbers) - 1) > 1e-6:
        raise ValueError(f"{name}: expected probabilities in [0, 1] with the sum 1, got {shortened(probabilities)}")
