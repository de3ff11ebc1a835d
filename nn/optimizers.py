"""Optimisers change the parameters by their gradients: one class per method, each a formula on one flat vector.

θ is the vector of all parameters, g that of their gradients, η the learning rate.
"""

from __future__ import annotations

import math
from reprlib import repr as shortened

import numpy

from autograd import Value, gather, scatter
from nn.arguments import Within, distinct_leaves, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal

    from numpy.typing import NDArray

    Vector = NDArray[numpy.float64]


class Optimizer:
    """What all methods have in common; a method of one's own is a subclass that defines `update`.

    Arguments:
        parameters: the Values to change, leaves, such as `model.parameters()`.
        learning_rate: η, at least 0. It can be assigned, for a schedule.

    Raises TypeError or ValueError if there are no parameters, if one is not a Value, was computed, or is there twice,
    and for a learning rate that is negative or not finite.

    >>> class SignDescent(Optimizer):
    ...     def update(self, parameters, gradient):
    ...         return parameters - self.learning_rate * numpy.sign(gradient)
    >>> x = Value(3.0)
    >>> optimizer = SignDescent([x], learning_rate=0.5)
    >>> (x**2).backward()
    >>> optimizer.step()
    >>> x.data
    2.5
    """

    learning_rate = Within(0.0, math.inf)

    def __init__(self, parameters: Iterable[Value], learning_rate: float) -> None:
        self.parameters = distinct_leaves(parameters)
        self.learning_rate = learning_rate

    def step(self) -> None:
        """Changes the parameters by their gradients.

        Raises FloatingPointError if a gradient or a parameter is not finite, or would not be after the step, and
        ValueError if an `update` of one's own returns anything but a number per parameter. Then no parameter has
        changed, nor has what the methods of this module keep from step to step.
        """
        parameters, gradient = gathered(self.parameters, "data"), gathered(self.parameters, "grad")
        scatter(self.stepped(parameters, gradient), self.parameters, "data")

    def stepped(self, parameters: Vector, gradient: Vector) -> Vector:
        """What `step` sets the parameters to, on vectors: no Value is read or changed. Raises what `step` raises."""
        try:
            self._check_finite("data", parameters)
            self._check_finite("grad", gradient)
            with numpy.errstate(over="raise", invalid="raise", divide="raise"):
                return finite_vector(self.update(parameters, gradient), len(self.parameters))
        except FloatingPointError as error:
            raise FloatingPointError(
                f"{type(self).__name__}: {error}, so the step was not taken; "
                f"lower the learning rate (it is {self.learning_rate}) or clip the gradients"
            ) from None

    def _check_finite(self, attribute: str, vector: Vector) -> None:
        if not is_finite(vector):
            i = int(numpy.isfinite(vector).argmin())
            label = f" ({self.parameters[i].label})" if self.parameters[i].label else ""
            raise FloatingPointError(f"the {attribute} of parameter {i}{label} is {vector[i]}")

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        """The parameters after one step. What is kept from step to step is to be assigned at the end."""
        raise NotImplementedError(f"{type(self).__name__} needs a method update(parameters, gradient)")

    def zero_grad(self) -> None:
        """Sets the gradient of each parameter to 0."""
        for parameter in self.parameters:
            parameter.grad = 0.0


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and weight decay (λ).

        g ← g + λ θ
        b ← momentum b + g                  from b = 0
        θ ← θ − η b                         nesterov: θ ← θ − η (g + momentum b)

    Sources: momentum, Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; nesterov, in
    the form of Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    Raises, besides what every Optimizer does, ValueError unless 0 <= momentum < 1 and weight_decay >= 0, and for
    nesterov without momentum.

    >>> x = Value(3.0)
    >>> optimizer = SGD([x], learning_rate=0.25)
    >>> (x**2).backward()
    >>> optimizer.step()
    >>> x.data
    1.5
    """

    momentum = Within(0.0, 1.0)
    weight_decay = Within(0.0, math.inf)

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate)
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        if nesterov and not momentum:
            raise ValueError("SGD: nesterov=True needs a momentum, such as momentum=0.9")
        self._velocity = numpy.zeros(len(self.parameters))

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameters
        velocity = self.momentum * self._velocity + gradient if self.momentum else gradient.copy()
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        updated = parameters - self.learning_rate * direction
        self._velocity = velocity
        return updated


class RMSProp(Optimizer):
    """Each gradient in proportion to the root of the mean of its own recent squares; λ is the weight decay.

        g ← g + λ θ
        v ← α v + (1 − α) g²                from v = 0
        θ ← θ − η g / (√v + ε)

    Source: Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5, 2012.

    Raises, besides what every Optimizer does, ValueError unless 0 <= alpha < 1, epsilon > 0 and weight_decay >= 0.

    >>> x = Value(3.0)
    >>> optimizer = RMSProp([x])
    >>> (x**2).backward()
    >>> optimizer.step()
    >>> round(x.data, 6)
    2.9
    """

    alpha = Within(0.0, 1.0)
    epsilon = Within(math.ulp(0.0), math.inf)
    weight_decay = Within(0.0, math.inf)

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.01,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate)
        self.alpha = alpha
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self._mean_square = numpy.zeros(len(self.parameters))

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        gradient = gradient + self.weight_decay * parameters
        mean_square = self.alpha * self._mean_square + (1 - self.alpha) * gradient**2
        updated = parameters - self.learning_rate * gradient / (numpy.sqrt(mean_square) + self.epsilon)
        self._mean_square = mean_square
        return updated


class Adam(Optimizer):
    """Adaptive moment estimation: the running means of g and of g², from 0, freed of their bias towards 0.

        g ← g + λ θ
        m ← β₁ m + (1 − β₁) g               m̂ = m / (1 − β₁ᵗ)       at step t
        v ← β₂ v + (1 − β₂) g²              v̂ = v / (1 − β₂ᵗ)
        θ ← θ − η m̂ / (√v̂ + ε)

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1; λ, the weight decay, is
    not in it.

    Raises, besides what every Optimizer does, ValueError unless 0 <= β < 1 for both betas, epsilon > 0 and
    weight_decay >= 0.

    >>> x = Value(3.0)
    >>> optimizer = Adam([x], learning_rate=0.5)
    >>> (x**2).backward()
    >>> optimizer.step()
    >>> round(x.data, 6)
    2.5
    """

    epsilon = Within(math.ulp(0.0), math.inf)
    weight_decay = Within(0.0, math.inf)

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, learning_rate)
        try:
            beta1, beta2 = betas
        except (TypeError, ValueError) as error:
            raise type(error)(f"betas: expected two numbers, such as (0.9, 0.999), got {shortened(betas)}") from None
        self.betas = within("betas[0]", beta1, 0.0, 1.0), within("betas[1]", beta2, 0.0, 1.0)
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self._steps = 0
        self._mean = numpy.zeros(len(self.parameters))
        self._mean_square = numpy.zeros(len(self.parameters))

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        return self._adapted(parameters, gradient + self.weight_decay * parameters)

    def _adapted(self, parameters: Vector, gradient: Vector) -> Vector:
        beta1, beta2 = self.betas
        steps = self._steps + 1
        mean = beta1 * self._mean + (1 - beta1) * gradient
        mean_square = beta2 * self._mean_square + (1 - beta2) * gradient**2
        unbiased_mean = mean / (1 - beta1**steps)
        unbiased_mean_square = mean_square / (1 - beta2**steps)
        updated = parameters - self.learning_rate * unbiased_mean / (numpy.sqrt(unbiased_mean_square) + self.epsilon)
        self._steps, self._mean, self._mean_square = steps, mean, mean_square
        return updated


class AdamW(Adam):
    """Adam with a weight decay apart from the gradient: θ ← θ − η λ θ, and then Adam's step with λ = 0.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.

    >>> x = Value(3.0)
    >>> optimizer = AdamW([x], learning_rate=0.5, weight_decay=0.1)
    >>> (x**2).backward()
    >>> optimizer.step()
    >>> round(x.data, 6)
    2.35
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, learning_rate, betas, epsilon, weight_decay)

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        return self._adapted(parameters * (1 - self.learning_rate * self.weight_decay), gradient)


def finite_vector(updated: Vector, size: int) -> Vector:
    """What `update` returned, if the parameters can be set to it."""
    vector = numpy.asarray(updated, dtype=float, order="C")
    if vector.shape != (size,):
        raise ValueError(
            f"expected update to return an array of shape ({size},), a number per parameter, "
            f"got {shortened(updated)} of shape {vector.shape}"
        )
    if not is_finite(vector):
        i = int(numpy.isfinite(vector).argmin())
        raise FloatingPointError(f"parameter {i} would become {vector[i]}")
    return vector


def is_finite(vector: Vector) -> bool:
    """Whether all of its numbers are. Then the sum of their squares mostly is too, which takes a third of the time."""
    return math.isfinite(numpy.vdot(vector, vector)) or bool(numpy.isfinite(vector).all())


def gathered(parameters: Sequence[Value], attribute: Literal["data", "grad"]) -> Vector:
    """The data or the grad of each parameter, as a vector."""
    vector = numpy.empty(len(parameters))
    gather(parameters, attribute, vector)
    return vector
