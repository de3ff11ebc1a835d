"""Optimisers change the parameters by their gradients: one class per method, each a formula on one flat vector.

θ is the vector of all parameters, g that of their gradients, η the learning rate.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from numbers import Real
from reprlib import repr as shortened

from autograd import Value, gather, scatter
from autograd.packages import numpy
from autograd.wording import counted
from nn.arguments import CheckedBy, Within, WithinOrNone, at_least, distinct_leaves, flag, is_sequence, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Literal, TypedDict, Unpack

    from numpy.typing import NDArray

    Vector = NDArray[numpy.float64]
    Rate = float | Callable[[int], float]
    State = dict[str, Any]  # Any: numbers, and lists and dicts of these

    class Clipping(TypedDict, total=False):
        """The options that all optimizers take."""

        clip_norm: float | None
        clip_value: float | None


class Optimizer:
    """What all methods have in common; a method of one's own is a subclass that defines `update`.

    A gradient is clipped before the method sees it: first each of its components, g_i ← max(−c, min(g_i, c)) with
    c = clip_value, then its length, g ← g min(1, c / ‖g‖) with c = clip_norm (Pascanu, Mikolov and Bengio, "On the
    difficulty of training recurrent neural networks", 2013, algorithm 1).

    Arguments:
        parameters: the Values to change, leaves, such as `model.parameters()`. Those of a model that are not among
            them are frozen: `SGD(model.layers[-1].parameters(), 0.1)` trains the last layer alone.
        learning_rate: η, at least 0, or a schedule: a function from the number of steps taken so far to η, such as
            `CosineDecay(0.1, steps=1000)` of `nn.schedules`. It can be assigned at any time; a number takes the place
            of a schedule.
        clip_norm: the largest length of the gradient, above 0; None does not clip it.
        clip_value: the largest size of each of its components, above 0; None does not clip them.

    `steps` is the number of steps taken. Raises TypeError or ValueError if there are no parameters, if one is not a
    Value, was computed, or is there twice, for a learning rate that is negative or not finite, and for what is no
    option of the method.

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

    steps: CheckedBy[int] = CheckedBy(partial(at_least, 0))
    clip_norm = WithinOrNone(math.ulp(0.0), math.inf)
    clip_value = WithinOrNone(math.ulp(0.0), math.inf)

    if not TYPE_CHECKING:  # which would ask for a constructor that takes the same

        def __new__(cls, *arguments, **options):
            check_options(cls, options)
            return super().__new__(cls)

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: Rate,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        self.parameters = distinct_leaves(parameters)
        self.steps = 0
        self.learning_rate = learning_rate
        self.clip_norm = clip_norm
        self.clip_value = clip_value

    @property
    def learning_rate(self) -> float:
        """η of the next step."""
        rate: Rate = vars(self)["learning_rate"]
        return self._scheduled(rate) if callable(rate) else rate

    @learning_rate.setter
    def learning_rate(self, rate: Rate) -> None:
        if callable(rate):
            self._scheduled(rate)  # raises for what is no schedule
            vars(self)["learning_rate"] = rate
        else:
            vars(self)["learning_rate"] = within("learning_rate", rate, 0.0, math.inf)

    def _scheduled(self, schedule: Callable[[int], float]) -> float:
        try:
            return within("learning_rate", schedule(self.steps), 0.0, math.inf)
        except Exception as error:
            raise ValueError(
                f"learning_rate: expected a number from the schedule {shortened(schedule)} at step {self.steps}, "
                f"got {type(error).__name__}: {error}"
            ) from error

    def step(self) -> None:
        """Changes the parameters by their gradients.

        Raises FloatingPointError if a gradient or a parameter is not finite, or would not be after the step, and
        ValueError if a schedule returns no rate, or an `update` of one's own anything but a number per parameter. Then
        neither a parameter nor what the method keeps from step to step has changed.
        """
        parameters, gradient = gathered(self.parameters, "data"), gathered(self.parameters, "grad")
        scatter(self.stepped(parameters, gradient), self.parameters, "data")

    def stepped(self, parameters: Vector, gradient: Vector) -> Vector:
        """What `step` sets the parameters to, on vectors: no Value is read or changed. Raises what `step` raises."""
        before = self._all_kept()
        try:
            self._check_finite("data", parameters)
            self._check_finite("grad", gradient)
            with numpy.errstate(over="raise", invalid="raise", divide="raise"):
                updated = finite_vector(self.update(parameters, self._clipped(gradient)), len(self.parameters))
            if "steps" in vars(self):  # as mostly; an int stays one, and to check that again takes time at each step
                vars(self)["steps"] += 1
            else:
                self.steps += 1
            return updated
        except BaseException as error:
            put_back(before)
            if isinstance(error, NotTakenError) or not isinstance(error, FloatingPointError):
                raise  # the first: one of several optimizers has said it already
            raise NotTakenError(
                f"{type(self).__name__}: {error}, so the step was not taken; "
                f"lower the learning rate{self._rate_in_words()} or clip the gradients, as with clip_norm=1.0"
            ) from None

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        """The parameters after one step.

        What is kept from step to step is an attribute. It is to be assigned anew, not changed in place, so that a step
        that is refused leaves it as it was.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method update(parameters, gradient)")

    def zero_grad(self) -> None:
        """Sets the gradient of each parameter to 0."""
        scatter(numpy.zeros(len(self.parameters)), self.parameters, "grad")

    def state_dict(self) -> State:
        """The options of the method and what it keeps from step to step, as numbers and lists, by name.

        A schedule is None there: it is code. Raises TypeError if a subclass keeps something else in an attribute.

        >>> SGD([Value(0.0)], learning_rate=0.1).state_dict()["learning_rate"]
        0.1
        """
        kept = {name: plain(f"{type(self).__name__}.{name}", attribute) for name, attribute in self._kept().items()}
        return {"class": type(self).__name__, **kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where another optimizer was, whose `state_dict` this is; with as many parameters, in the same order.

        Its options take the place of this one's. A schedule, which is not in the state, stays.
        Raises ValueError or TypeError if the state is of another class, of another number of parameters, or damaged, or
        if one of the two has a schedule and the other none. Nothing is changed then. What a subclass keeps beside the
        options comes back too: arrays in the place of arrays of the same shape, numbers in the place of numbers.
        """
        before = self._all_kept()
        try:
            self._restore(state)
        except BaseException:
            put_back(before)
            raise

    def __repr__(self) -> str:
        rate = vars(self).get("learning_rate")
        return f"{type(self).__name__}({counted(len(self.parameters), 'parameter')}, learning_rate={rate!r})"

    def _all_kept(self) -> list[tuple[Optimizer, State]]:
        """The optimizers that keep something, each with its attributes as they are now, for `put_back`."""
        return [(self, vars(self).copy())]

    def _kept(self) -> State:
        return {name: attribute for name, attribute in vars(self).items() if name != "parameters"}

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Sets the attributes to those of a state. After an error some of them are set."""
        name, kept = type(self).__name__, self._kept()
        if not isinstance(state, Mapping):
            raise TypeError(f"{name}: expected a dict, as state_dict() returns it, got {shortened(state)}")
        if state.get("class") != name:
            raise ValueError(f"{name}: expected the state of {name}, got that of {shortened(state.get('class'))}")
        missing = sorted(kept.keys() - state.keys())
        if missing:
            raise ValueError(f"{name}: the state is of another version of this class: it has no {', '.join(missing)}")
        for attribute in [name for name in state if name != "class"]:  # some are made at the method's first step
            current = kept[attribute] if attribute in kept else initial(type(self), attribute)
            kept_again = restored(f"{name}.{attribute}", state[attribute], current, len(self.parameters))
            try:
                setattr(self, attribute, kept_again)
            except AttributeError as error:  # of a property
                raise not_of_a_state(type(self), attribute) from error

    def _clipped(self, gradient: Vector) -> Vector:
        if self.clip_value is not None:
            gradient = gradient.clip(-self.clip_value, self.clip_value)
        if self.clip_norm is not None:
            largest = float(numpy.abs(gradient).max())  # squares of the components may be too large for a float
            if largest > 0.0:
                unit = gradient / largest
                norm = math.sqrt(unit.dot(unit))
                if norm > self.clip_norm / largest:
                    gradient = unit * (self.clip_norm / norm)
        return gradient

    def _check_finite(self, attribute: str, vector: Vector) -> None:
        if not is_finite(vector):
            i = int(numpy.isfinite(vector).argmin())
            label = f" ({self.parameters[i].label})" if self.parameters[i].label else ""
            raise FloatingPointError(f"the {attribute} of parameter {i}{label} is {vector[i]}")

    def _rate_in_words(self) -> str:
        try:
            return f" (it is {self.learning_rate:g})"
        except ValueError:  # of the schedule
            return ""


class ParameterGroups(Optimizer):
    """Several optimizers as one: each changes its own parameters, by its own method and options.

    Arguments:
        optimizers: at least one; none has a parameter of another.
        clip_norm, clip_value: clip the gradient with respect to all parameters, before each optimizer clips its part.

    Raises, besides what every Optimizer does, TypeError for what is no Optimizer, or has a `step` of its own.

    >>> weight, bias = Value(3.0), Value(3.0)
    >>> optimizer = ParameterGroups(SGD([weight], 0.5, weight_decay=0.1), Adam([bias], learning_rate=1.0))
    >>> (weight + bias).backward()
    >>> optimizer.step()
    >>> weight.data, round(bias.data, 6)
    (2.35, 2.0)
    """

    def __init__(self, *optimizers: Optimizer, clip_norm: float | None = None, clip_value: float | None = None) -> None:
        for optimizer in optimizers:
            if not isinstance(optimizer, Optimizer) or type(optimizer).step is not Optimizer.step:
                raise TypeError(
                    "ParameterGroups: expected optimizers, such as SGD(model.layers[0].parameters(), 0.1), "
                    f"got {shortened(optimizer)}"
                )
        self.parameters = distinct_leaves([p for optimizer in optimizers for p in optimizer.parameters])
        self.optimizers = optimizers
        self.steps = 0
        self.clip_norm = clip_norm
        self.clip_value = clip_value

    @property
    def learning_rate(self) -> float:
        """Raises AttributeError: each of the optimizers has its own."""
        raise AttributeError("ParameterGroups has no learning_rate; each of its .optimizers has one of its own")

    @learning_rate.setter
    def learning_rate(self, rate: Rate) -> None:
        raise AttributeError("ParameterGroups has no learning_rate; assign that of each of its .optimizers")

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        ends = numpy.cumsum([len(optimizer.parameters) for optimizer in self.optimizers])[:-1]
        parts = zip(self.optimizers, numpy.split(parameters, ends), numpy.split(gradient, ends), strict=True)
        return numpy.concatenate([optimizer.stepped(numbers, grads) for optimizer, numbers, grads in parts])

    def state_dict(self) -> State:
        """That of every Optimizer, with the states of the optimizers as a list."""
        return {**super().state_dict(), "optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}

    def _all_kept(self) -> list[tuple[Optimizer, State]]:
        return super()._all_kept() + [kept for optimizer in self.optimizers for kept in optimizer._all_kept()]

    def _kept(self) -> State:
        return {name: attribute for name, attribute in super()._kept().items() if name != "optimizers"}

    def __repr__(self) -> str:
        return f"ParameterGroups({', '.join(map(repr, self.optimizers))})"

    def _restore(self, state: Mapping[str, Any]) -> None:
        states = state.get("optimizers") if isinstance(state, Mapping) else None
        if not isinstance(states, list) or len(states) != len(self.optimizers):
            expected = counted(len(self.optimizers), "optimizer")
            raise ValueError(f"ParameterGroups: expected the states of {expected}, got {shortened(states)}")
        super()._restore({name: kept for name, kept in state.items() if name != "optimizers"})
        for optimizer, part in zip(self.optimizers, states, strict=True):
            optimizer.load_state_dict(part)

    def _rate_in_words(self) -> str:
        return ""


class NotTakenError(FloatingPointError):
    """The step was not taken."""


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and weight decay (λ).

        g ← g + λ θ
        b ← momentum b + g                  from b = 0
        θ ← θ − η b                         nesterov: θ ← θ − η (g + momentum b)

    Sources: momentum, Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; nesterov, in
    the form of Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    Raises, besides what every Optimizer does, ValueError unless 0 <= momentum < 1 and weight_decay >= 0, and for
    nesterov without momentum; assigned later, it may be 0 for a while.

    >>> x = Value(3.0)
    >>> optimizer = SGD([x], learning_rate=0.25)
    >>> (x**2).backward()
    >>> optimizer.step()
    >>> x.data
    1.5
    """

    momentum = Within(0.0, 1.0)
    nesterov = CheckedBy(flag)
    weight_decay = Within(0.0, math.inf)

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: Rate = 0.001,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(parameters, learning_rate, **clipping)
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        if self.nesterov and not self.momentum:
            raise ValueError("SGD: nesterov=True needs a momentum, such as momentum=0.9")
        self.velocity = numpy.zeros(len(self.parameters))

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameters
        self.velocity = velocity = self.momentum * self.velocity + gradient if self.momentum else gradient.copy()
        if self.nesterov:
            velocity = gradient + self.momentum * velocity
        return parameters - self.learning_rate * velocity

    def _restore(self, state: Mapping[str, Any]) -> None:
        super()._restore(state)
        check_vector(self, "velocity")


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
        learning_rate: Rate = 0.01,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(parameters, learning_rate, **clipping)
        self.alpha = alpha
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.mean_square = numpy.zeros(len(self.parameters))

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        gradient = gradient + self.weight_decay * parameters
        self.mean_square = self.alpha * self.mean_square + (1 - self.alpha) * gradient**2
        return parameters - self.learning_rate * gradient / (numpy.sqrt(self.mean_square) + self.epsilon)

    def _restore(self, state: Mapping[str, Any]) -> None:
        super()._restore(state)
        check_vector(self, "mean_square", least=0.0)


class Adam(Optimizer):
    """Adaptive moment estimation: the running means of g and of g², from 0, freed of their bias towards 0.

        g ← g + λ θ
        m ← β₁ m + (1 − β₁) g               m̂ = m / (1 − β₁ᵗ)       at step t
        v ← β₂ v + (1 − β₂) g²              v̂ = v / (1 − β₂ᵗ)
        θ ← θ − η m̂ / (√v̂ + ε)

    With amsgrad, v̂ is computed from the largest v so far, component by component, so that the steps cannot grow again.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1; λ, the weight decay, is
    not in it. amsgrad: Reddi, Kale and Kumar, "On the convergence of Adam and beyond", 2018, algorithm 2, freed of the
    bias as PyTorch has it.

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
    amsgrad = CheckedBy(flag)

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: Rate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(parameters, learning_rate, **clipping)
        self.betas = betas
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.mean = numpy.zeros(len(self.parameters))
        self.mean_square = numpy.zeros(len(self.parameters))
        self.largest_mean_square = numpy.zeros(len(self.parameters))
        self.amsgrad = amsgrad

    @property
    def betas(self) -> tuple[float, float]:
        """β₁ and β₂."""
        betas: tuple[float, float] = vars(self)["betas"]
        return betas

    @betas.setter
    def betas(self, betas: tuple[float, float]) -> None:
        expected = f"betas: expected two numbers, such as (0.9, 0.999), got {shortened(betas)}"
        if not is_sequence(betas):
            raise TypeError(expected)
        if len(both := [*betas]) != 2:
            raise ValueError(expected)
        vars(self)["betas"] = within("betas[0]", both[0], 0.0, 1.0), within("betas[1]", both[1], 0.0, 1.0)

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        return self._adapted(parameters, gradient + self.weight_decay * parameters)

    def _adapted(self, parameters: Vector, gradient: Vector) -> Vector:
        beta1, beta2 = self.betas
        t = self.steps + 1
        self.mean = beta1 * self.mean + (1 - beta1) * gradient
        self.mean_square = mean_square = beta2 * self.mean_square + (1 - beta2) * gradient**2
        if self.amsgrad:
            self.largest_mean_square = mean_square = numpy.maximum(self.largest_mean_square, mean_square)
        unbiased_mean, unbiased_mean_square = self.mean / (1 - beta1**t), mean_square / (1 - beta2**t)
        return parameters - self.learning_rate * unbiased_mean / (numpy.sqrt(unbiased_mean_square) + self.epsilon)

    def _restore(self, state: Mapping[str, Any]) -> None:
        super()._restore(state)
        check_vector(self, "mean")
        check_vector(self, "mean_square", least=0.0)
        check_vector(self, "largest_mean_square", least=0.0)


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
        learning_rate: Rate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        **clipping: Unpack[Clipping],
    ) -> None:
        super().__init__(parameters, learning_rate, betas, epsilon, weight_decay, amsgrad, **clipping)

    def update(self, parameters: Vector, gradient: Vector) -> Vector:
        return self._adapted(parameters * (1 - self.learning_rate * self.weight_decay), gradient)


def finite_vector(updated: Vector, size: int) -> Vector:
    """What `update` returned, if the parameters can be set to it."""
    if numpy.iscomplexobj(updated):
        raise ValueError(f"expected update to return real numbers, got {shortened(updated)}")
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


MOST_ALONE = 8192  # numbers of which OpenBLAS computes a product in the caller's thread


def is_finite(vector: Vector) -> bool:
    """Whether all of its numbers are. The sum of squares tells it sooner, but BLAS has threads for long vectors."""
    is_short = len(vector) <= MOST_ALONE
    return (is_short and math.isfinite(numpy.vdot(vector, vector))) or bool(numpy.isfinite(vector).all())


def gathered(parameters: Sequence[Value], attribute: Literal["data", "grad"]) -> Vector:
    """The data or the grad of each parameter, as a vector."""
    vector = numpy.empty(len(parameters))
    gather(parameters, attribute, vector)
    return vector


# ---- Options and states


def put_back(before: list[tuple[Optimizer, State]]) -> None:
    """Gives each optimizer the attributes that it had."""
    for optimizer, kept in before:
        for name in vars(optimizer).keys() - kept.keys():
            del vars(optimizer)[name]
        vars(optimizer).update(kept)


SYNONYMS = {
    "lr": "learning_rate", "params": "parameters", "eps": "epsilon", "beta1": "betas", "beta2": "betas",
    "decay": "weight_decay", "clipnorm": "clip_norm", "clipvalue": "clip_value", "max_norm": "clip_norm",
}  # fmt: skip


def check_options(method: type[Optimizer], options: Iterable[str]) -> None:
    """Raises TypeError for an option that the method's constructor does not take, and says what to write."""
    known: list[str] = []
    for owner in method.__mro__:
        parameters = (
            list(inspect.signature(vars(owner)["__init__"]).parameters.values()) if "__init__" in vars(owner) else []
        )
        known += [p.name for p in parameters[1:] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        if parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break  # what it does not take, it does not hand on
    for option in options:
        if option not in known:
            meant = SYNONYMS.get(option)
            what_to_do = f"write {meant}=" if meant in known else f"its options are {', '.join(dict.fromkeys(known))}"
            raise TypeError(f"{method.__name__}: there is no option {option!r}; {what_to_do}")


def plain(name: str, kept: Any) -> Any:
    """What an optimizer keeps, as numbers, strings, lists and dicts; None for a schedule."""
    if kept is None or isinstance(kept, (bool, int, float, str)):
        return kept
    if isinstance(kept, (numpy.ndarray, numpy.generic)) and kept.dtype.kind in "fiub":
        return kept.tolist()
    if isinstance(kept, (list, tuple)):
        return [plain(f"{name}[{i}]", one) for i, one in enumerate(kept)]
    if isinstance(kept, dict) and all(isinstance(key, str) for key in kept):
        return {key: plain(f"{name}[{key!r}]", one) for key, one in kept.items()}
    if name.endswith(".learning_rate"):
        return None
    raise TypeError(
        f"{name}: expected numbers, strings, arrays, lists and dicts, which can be saved, got {shortened(kept)}; "
        "define state_dict() and load_state_dict() for more"
    )


def initial(method: type[Optimizer], name: Any) -> Any:
    """What an optimizer of this class has under a name of a state before it keeps something there; None is nothing.

    Raises ValueError for a name under which none keeps anything, such as that of a method.
    """
    of_class = next((vars(kind)[name] for kind in method.__mro__ if name in vars(kind)), None)
    is_kept = isinstance(name, str) and name not in ("", "parameters") and not name.startswith("__")
    if not is_kept or callable(of_class) or isinstance(of_class, (classmethod, staticmethod)):
        raise not_of_a_state(method, name)
    is_number = isinstance(of_class, (numpy.ndarray, numpy.generic))  # which may become an array of another shape
    return None if is_number or hasattr(type(of_class), "__get__") else of_class


def not_of_a_state(method: type[Optimizer], name: object) -> ValueError:
    return ValueError(f"{method.__name__}: expected what state_dict() returned, got {shortened(name)} among it")


def check_vector(optimizer: Optimizer, name: str, least: float = -math.inf) -> None:
    """Raises ValueError if there are numbers in an attribute that no step can have left there."""
    vector = vars(optimizer).get(name)
    if isinstance(vector, numpy.ndarray):  # a subclass may keep something else
        wrong = ~((least <= vector) & numpy.isfinite(vector))
        if wrong.any():
            expected = f"finite numbers{'' if least < 0.0 else f' of at least {least:g}'}"
            place = f"{type(optimizer).__name__}.{name}"
            raise ValueError(f"{place}: expected {expected}, got {vector[wrong][0]} among them")


def restored(name: str, given: Any, current: Any, parameters: int) -> Any:
    """What `plain` was given, from what it returned, if it is of the kind of what the optimizer has now."""
    if name.endswith(".learning_rate") and callable(current) != (given is None):
        has, other = ("a schedule", f"the number {given!r}") if callable(current) else ("a number", "a schedule")
        raise ValueError(f"{name}: this optimizer has {has}, the state {other}; assign learning_rate before")
    if callable(current) and given is None:
        return current
    if isinstance(current, (numpy.ndarray, numpy.generic)):
        return restored_array(name, given, current)
    may_become_array = current is None or type(current) in (int, float)  # as 0.0 does at the first step
    if may_become_array and isinstance(given, list) and len(given) == parameters:
        with suppress(ValueError):  # of lists of different lengths
            array = numpy.array(given)
            if array.dtype.kind in "fiub":
                return array
    if isinstance(current, (list, tuple)) and isinstance(given, list) and len(current) == len(given):
        pairs = enumerate(zip(given, current, strict=True))
        kept = [restored(f"{name}[{i}]", one, other, parameters) for i, (one, other) in pairs]
        return tuple(kept) if isinstance(current, tuple) else kept
    if isinstance(current, dict) and isinstance(given, dict):
        return {key: restored(f"{name}[{key!r}]", one, current.get(key), parameters) for key, one in given.items()}
    check_kind(name, given, current)
    return tuple(given) if isinstance(current, tuple) and given is not None else copy.deepcopy(given)


def check_kind(name: str, given: Any, current: Any) -> None:
    """Raises ValueError or TypeError if what is given is no such thing as what there is now, nor None."""
    if callable(current):
        raise ValueError(f"{name}: expected None in the place of {shortened(current)}, got {shortened(given)}")
    if isinstance(current, bool) and not isinstance(given, bool):
        raise ValueError(f"{name}: expected True or False, got {shortened(given)}")
    if isinstance(given, bool) and isinstance(current, (int, float)) and not isinstance(current, bool):
        raise ValueError(f"{name}: expected a number, got {given}")
    if given is not None and not isinstance(given, KINDS.get(type(current), object)):
        raise ValueError(f"{name}: expected {type(current).__name__}, got {shortened(given)}")
    plain(name, given)  # raises for what is in no state


KINDS: dict[type, type | tuple[type, ...]] = {
    int: (int, float), float: (int, float), str: str, list: list, tuple: list, dict: dict
}  # fmt: skip


def restored_array(name: str, given: Any, current: NDArray[Any] | numpy.generic) -> Any:
    """Numbers in the place of numbers, truth values in that of truth values, of the same shape.

    They are of the type of those now, unless that cannot hold them: a step may have made float64 of float32.
    """
    is_flags = current.dtype.kind == "b"
    elements = numpy.array(given, dtype=object)
    kinds = set(map(type, elements.flat))
    are_fitting = all(
        issubclass(kind, (Real, numpy.bool_)) and issubclass(kind, (bool, numpy.bool_)) == is_flags for kind in kinds
    )
    array = numpy.array(given) if are_fitting and elements.shape == current.shape else elements
    if array.dtype.kind not in "fiub" or array.shape != current.shape:
        what = "truth values" if is_flags else "numbers"
        raise ValueError(f"{name}: expected {what} of shape {current.shape}, got {shortened(given)}")
    with numpy.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(current.dtype)
    kept = converted if numpy.array_equal(converted, array, equal_nan=True) else array
    return kept if isinstance(current, numpy.ndarray) else kept[()]
