"""Metrics count right answers, for people to read; `evaluate` takes the mean of metrics and losses over examples.

A metric is a function of an output and a target, as a loss is. It returns 1.0 for a right answer and 0.0 for a wrong
one, for example, so that its mean is the accuracy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograd import structures
from nn.arguments import copied, pairs_of
from nn.problem import means

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, SupportsIndex

    from autograd import Value


def evaluate(
    model: Callable[[Any], Any],  # Any: inputs, outputs and targets have whatever form the functions agree upon
    inputs: Iterable[Any],
    targets: Iterable[Any],
    *functions: Callable[[Any, Any], Value | float],
) -> list[float]:
    """The mean of function(model(input), target) over the examples, for each of the functions. Nothing is recorded.

    Raises ValueError if there are no examples, or not equally many inputs and targets.

    >>> evaluate(lambda x: x - 2.0, [1.0, 3.0, 4.0, 5.0], [-1, +1, +1, -1], correct_sign)
    [0.75]
    """
    return means(model, functions, map(copied, pairs_of("evaluate", inputs, targets)))


def predicted_class(logits: Sequence[Value | float]) -> int:
    """argmax_k logits_k, the first of several: the class that the model holds most likely, counted from 0.

    >>> predicted_class([0.1, 2.5, -3.0])
    1
    """
    numbers = [logit if type(logit) is float else structures.number(logit) for logit in logits]
    return numbers.index(max(numbers))


def correct_class(logits: Sequence[Value | float], target: SupportsIndex | Sequence[float]) -> float:
    """1.0 if the largest logit is that of the target, else 0.0. Its mean is the accuracy.

    `target` is a class, counted from 0, or one probability per class, of which the largest counts.

    >>> correct_class([0.1, 2.5, -3.0], 1), correct_class([0.1, 2.5, -3.0], [0.9, 0.1, 0.0])
    (1.0, 0.0)
    """
    return float(predicted_class(logits) == (target if hasattr(target, "__index__") else predicted_class(target)))


def correct_sign(score: Value | float, target: float) -> float:
    """1.0 if score and target are both positive or both not, else 0.0. Its mean is the accuracy of a binary classifier.

    `target` is -1 or +1, as for `hinge`, or 0 or 1, as for `binary_cross_entropy`.

    >>> correct_sign(0.3, +1), correct_sign(0.3, -1), correct_sign(-0.3, 0)
    (1.0, 0.0, 1.0)
    """
    return float((score > 0) == (target > 0))
