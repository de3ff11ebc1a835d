"""Metrics count right answers, for people to read; `evaluate` takes the mean of metrics and losses over examples.

A metric is a function of an output and a target, as a loss is. It returns 1.0 for a right answer and 0.0 for a wrong
one, for example, so that its mean is the accuracy. A score that is nan is never right. A target that can be none, or
that does not fit the output, is an error.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autograd import structures
from nn.arguments import check_function, copied, is_sequence, pairs_of, scalars
from nn.losses import index_of, probabilities_of
from nn.problem import means
from nn.training import LOSSES, METRICS

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

    Raises ValueError if there are no examples, or not equally many inputs and targets; TypeError without a function,
    and if one returns no number.

    >>> evaluate(lambda x: x - 2.0, [1.0, 3.0, 4.0, 5.0], [-1, +1, +1, -1], correct_sign)
    [0.75]
    """
    check_function("evaluate: model", model, "MLP(2, [16, 1])")
    if not functions:
        raise TypeError("evaluate: expected functions of output and target, such as correct_class, got none")
    for function in functions:
        check_function("evaluate", function, "correct_class", METRICS | LOSSES)
    return means(model, functions, map(copied, pairs_of("evaluate", inputs, targets)))


def predicted_class(logits: Sequence[Value | float]) -> int:
    """argmax_k logits_k, the first of several: the class that the model holds most likely, counted from 0.

    Raises ValueError if there is no logit, or one is nan; TypeError for what is no sequence of numbers.

    >>> predicted_class([0.1, 2.5, -3.0])
    1
    """
    numbers = logits_of("predicted_class", logits)
    if any(map(math.isnan, numbers)):
        raise ValueError(f"predicted_class: expected logits to compare, got nan among {numbers}")
    return argmax(numbers)


def argmax(numbers: list[float]) -> int:
    return numbers.index(max(numbers))


def correct_class(logits: Sequence[Value | float], target: SupportsIndex | Sequence[float]) -> float:
    """1.0 if the largest logit is that of the target, else 0.0. Its mean is the accuracy.

    `target` is a class, counted from 0, or one probability per class, of which the largest counts, as `cross_entropy`
    takes them. If a logit is nan, no class is predicted: 0.0.
    Raises IndexError for a class that no logit has, ValueError if there is no logit and for what are no probabilities,
    TypeError for what is no sequence of logits or no class.

    >>> correct_class([0.1, 2.5, -3.0], 1), correct_class([0.1, 2.5, -3.0], [0.9, 0.1, 0.0])
    (1.0, 0.0)
    """
    numbers = logits_of("correct_class", logits)
    if is_sequence(target):
        true_class = argmax([*map(structures.number, probabilities_of("correct_class", target, len(numbers)))])
    else:
        true_class = index_of("correct_class", target, len(numbers))
    return float(argmax(numbers) == true_class and not any(map(math.isnan, numbers)))


def logits_of(name: str, logits: Any) -> list[float]:
    if not is_sequence(logits):
        raise TypeError(
            f"{name}: expected a sequence of logits, one per class, got {logits!r}; for a single score there is "
            "correct_sign, for an output that is to be 0 or 1, correct_bit"
        )
    numbers = [x if type(x) is float else structures.number(x) for x in scalars(name, logits)]
    if not numbers:
        raise ValueError(f"{name}: expected at least one logit, got none")
    return numbers


def correct_sign(score: Value | float, target: float) -> float:
    """1.0 if score and target are both positive or both not, else 0.0. Its mean is the accuracy of a binary classifier.

    `target` is -1 or +1, as for `hinge`, or 0 or 1, as for `binary_cross_entropy`. If the score is nan: 0.0. An output
    that was trained to be 0 or 1 itself, as by `squared_error`, is no such score: it has `correct_bit`.
    Raises ValueError for another target, TypeError for what is no number.

    >>> correct_sign(0.3, +1), correct_sign(0.3, -1), correct_sign(-0.3, 0)
    (1.0, 0.0, 1.0)
    """
    number, sign = (structures.number(scalar) for scalar in scalars("correct_sign", [score, target]))
    if sign not in (-1, 0, 1):
        raise ValueError(f"correct_sign: expected a target of -1, 0 or +1, got {sign}")
    return float((number > 0) == (sign > 0) and not math.isnan(number))


def correct_bit(output: Value | float, target: float) -> float:
    """1.0 if the output is above 1/2 and the target 1, or neither, else 0.0. Its mean is the accuracy.

    For outputs that were trained to be 0 or 1, by `squared_error`, and for probabilities, as after a sigmoid. If the
    output is nan: 0.0.
    Raises ValueError for another target than 0 and 1, TypeError for what is no number.

    >>> correct_bit(0.1, 0), correct_bit(0.8, 1), correct_bit(0.3, 1)
    (1.0, 1.0, 0.0)
    """
    number, bit = (structures.number(scalar) for scalar in scalars("correct_bit", [output, target]))
    if bit not in (0, 1):
        raise ValueError(f"correct_bit: expected a target of 0 or 1, got {bit}")
    return float((number > 0.5) == (bit == 1) and not math.isnan(number))
