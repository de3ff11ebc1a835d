"""Initial weights: draws a model's parameters from a distribution and a seed, before it learns.

The layers draw their weights when they are made, as micrograd does, from Python's `random`. Who repeats an experiment
needs another distribution, and one seed for each run.
"""

from __future__ import annotations

import math
import random

from nn.arguments import distinct_leaves, finite, seed_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from autograd import Value


def uniform(parameters: Iterable[Value], low: float, high: float, *, seed: int | None = 0) -> None:
    """Draws each parameter from the uniform distribution over [low, high], in their order.

    Arguments:
        parameters: such as `model.parameters()`, weights and biases.
        seed: the same seed gives the same numbers; None draws one. Python's global random state is not used.

    Raises, before anything is changed, TypeError or ValueError if there are no parameters, if one is not a Value, was
    computed, or is there twice, for limits that are no finite numbers, for low > high, and where high − low is too
    large for a float.

    >>> from nn import Layer
    >>> layer = Layer(2, 1)
    >>> uniform(layer.parameters(), -0.3, 0.3, seed=1)
    >>> [round(parameter.data, 3) for parameter in layer.parameters()]
    [-0.219, 0.208, 0.158]
    """
    leaves = distinct_leaves(parameters, "uniform")
    low, high = finite("uniform: low", low), finite("uniform: high", high)
    if low > high:
        raise ValueError(f"uniform: expected low <= high, got {low} and {high}")
    if not math.isfinite(high - low):
        raise ValueError(f"uniform: expected limits whose distance is a float, up to 1.8e308, got {low} and {high}")
    generator = random.Random(seed_number(seed))
    for leaf in leaves:
        leaf.data = generator.uniform(low, high)
