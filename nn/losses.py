"""Losses say how wrong an output is: each function is the loss of one example, a number to make small.

Outputs and targets are Values or numbers, all else is a TypeError. If an operand is a Value, the loss is a Value; else
it is a float. The loss of a batch is the mean of its examples' losses. A target that is a Value is taken as it is: only
numbers are checked.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from reprlib import repr as shortened

from autograd import Value, dot, logsumexp, relu, softplus, sum
from nn.arguments import paired, scalars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Scalar = Value | float
    Scalars = Scalar | Iterable[Scalar]


def squared_error(output: Scalars, target: Scalars) -> Any:  # Any: a float or a Value, as the operands are
    """Σ (output_i − target_i)², over one output or a sequence of outputs.

    Raises ValueError if there are not as many targets as outputs.

    >>> squared_error([3.0, 1.0], [1.0, 0.0])
    5.0
    """
    return total([(y - t) ** 2 for y, t in paired("squared_error", output, target)])


def half_squared_error(output: Scalars, target: Scalars) -> Any:  # Any: as above
    """½ Σ (output_i − target_i)², whose gradient is output_i − target_i. Raises as `squared_error`.

    >>> half_squared_error([3.0, 1.0], [1.0, 0.0])
    2.5
    """
    return 0.5 * total([(y - t) ** 2 for y, t in paired("half_squared_error", output, target)])


def residuals(output: Scalars, target: Scalars) -> list[Any]:  # Any: as above
    """[output_i − target_i], as a least-squares method asks for them; `half_squared_error` sums their squares up.

    Raises as `squared_error`.

    >>> residuals([3.0, 1.0], [1.0, 0.0])
    [2.0, 1.0]
    """
    return [y - t for y, t in paired("residuals", output, target)]


def binary_cross_entropy(logit: Scalars, target: Scalars) -> Any:  # Any: as above
    """−Σ (t_i log p_i + (1 − t_i) log(1 − p_i)) with p = sigmoid(logit), over one output or a sequence of outputs.

    The target t is the probability of the class, in [0, 1]. The gradient is p_i − t_i. The loss is computed from the
    logits, as −log p = softplus(−logit), so it is finite where p rounds to 0 or 1; 0 log 0 is 0.
    Raises ValueError for a target outside [0, 1], and if there are not as many targets as logits.

    >>> binary_cross_entropy(0.0, 1)
    0.6931471805599453
    >>> binary_cross_entropy(-1000.0, 1)
    1000.0
    """
    pairs = paired("binary_cross_entropy", logit, target)
    for _, t in pairs:
        if not isinstance(t, Value) and not 0 <= t <= 1:
            raise ValueError(f"binary_cross_entropy: expected a target in [0, 1], got {t}")
    weighted = [pair for z, t in pairs for pair in ((1.0 - t, z), (t, -z)) if not is_zero(pair[0])]
    return total([weight * softplus(x) for weight, x in weighted])


def cross_entropy(logits: Sequence[Scalar], target: int | Sequence[Scalar]) -> Any:  # Any: as above
    """−Σ t_i log p_i with p = softmax(logits), the categorical cross-entropy of one example.

    The target is the index of the true class, or the probability t_i of each class; these sum to 1. The gradient is
    p_i − t_i. The loss is computed as logsumexp(logits) − Σ t_i logits_i, so it is finite where a p_i rounds to 0;
    0 log 0 is 0. An index may be a Value, as the input of a tape is. It becomes t_i = max(0, 1 − |index − i|) in the
    graph: 1 for the true class, 0 for all others.
    Raises IndexError for an index that no logit has, TypeError for one that is no int and for a single logit, and
    ValueError for probabilities that are not as many as the logits, outside [0, 1], or do not sum to 1.

    >>> cross_entropy([0.0, 0.0], 1)
    0.6931471805599453
    >>> cross_entropy([0.0, 1000.0], [1.0, 0.0])
    1000.0
    """
    if not isinstance(logits, Iterable):
        raise TypeError(
            f"cross_entropy: expected a sequence of logits, one per class, got {logits!r}; "
            "the loss of a single logit is binary_cross_entropy"
        )
    logits = scalars("cross_entropy", logits)
    if isinstance(target, Value):
        check_index(target.data, len(logits))
        target = [relu(1.0 - abs(target - float(i))) for i in range(len(logits))]
    if isinstance(target, Iterable):
        probabilities = scalars("cross_entropy", target)
        check_probabilities(probabilities, len(logits))
        terms = [(p, z) for p, z in zip(probabilities, logits, strict=True) if not is_zero(p)]
        return logsumexp(logits) - dot(*zip(*terms, strict=True))
    try:
        index = operator.index(target)
    except TypeError:
        raise TypeError(
            f"cross_entropy: expected the index of a class, an int, or a sequence of probabilities, got {target!r}"
        ) from None
    check_index(index, len(logits))
    return logsumexp(logits) - logits[index]


def hinge(score: Scalars, target: Scalars) -> Any:  # Any: as above
    """Σ max(0, 1 − target_i score_i), the max-margin loss, over one output or a sequence of outputs.

    The target is the class, −1 or +1; the loss is 0 where the score has its sign and is at least 1 away from 0.
    Raises ValueError for another target, and if there are not as many targets as scores.

    >>> hinge(0.25, 1), hinge(0.25, -1), hinge(3.0, 1)
    (0.75, 1.25, 0.0)
    """
    pairs = paired("hinge", score, target)
    for _, t in pairs:
        if not isinstance(t, Value) and t not in (-1, 1):
            raise ValueError(f"hinge: expected a target of -1 or +1, got {t}")
    return total([relu(1.0 - t * y) for y, t in pairs])


def is_zero(weight: Scalar) -> bool:
    """Whether a term with this weight can be left out. The weight 0 of an infinite term would make it nan."""
    return not isinstance(weight, Value) and weight == 0


def total(terms: list[Scalar]) -> Any:
    return sum(terms) if len(terms) > 1 else terms[0]


def check_index(index: float, classes: int) -> None:
    if index not in range(classes):
        raise IndexError(f"cross_entropy: expected a class from 0 to {classes - 1}, one per logit, got {index}")


def check_probabilities(probabilities: list[Scalar], classes: int) -> None:
    if len(probabilities) != classes:
        raise ValueError(f"cross_entropy: expected {classes} probabilities, one per logit, got {len(probabilities)}")
    if any(isinstance(p, Value) for p in probabilities):
        return
    if not all(0 <= p <= 1 for p in probabilities) or abs(sum(probabilities) - 1) > 1e-6:
        raise ValueError(
            f"cross_entropy: expected probabilities in [0, 1] with the sum 1, got {shortened(probabilities)}"
        )
