"""The optimisers take the steps of their papers: each formula stands here again, for one parameter, on floats."""

from __future__ import annotations

import functools
import json
import math
import random
from collections.abc import Callable, Iterator, Mapping

import numpy
import pytest

from autograd import Value
from nn import MLP, SGD, Adam, AdamW, Optimizer, ParameterGroups, RMSProp, half_squared_error
from nn.schedules import StepDecay

pytestmark = pytest.mark.both_engines

Rule = Callable[[float, float], float]  # a parameter and its gradient -> the parameter after the step
STEPS = 200


def with_gradients(numbers: list[float], gradients: list[float]) -> list[Value]:
    parameters = [Value(number) for number in numbers]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    return parameters


def sgd(rate: float, momentum: float = 0.0, nesterov: bool = False, decay: float = 0.0) -> Rule:
    """PyTorch's SGD, after Polyak (1964) and Sutskever et al. (2013)."""
    b: float | None = None

    def step(theta: float, g: float) -> float:
        nonlocal b
        g += decay * theta
        b = g if b is None else momentum * b + g
        return theta - rate * (g + momentum * b if nesterov else b)

    return step


def rmsprop(rate: float, alpha: float = 0.99, epsilon: float = 1e-8, decay: float = 0.0) -> Rule:
    """Tieleman and Hinton (2012), as PyTorch has it: epsilon outside of the root."""
    v = 0.0

    def step(theta: float, g: float) -> float:
        nonlocal v
        g += decay * theta
        v = alpha * v + (1 - alpha) * g * g
        return theta - rate * g / (math.sqrt(v) + epsilon)

    return step


def adam(
    rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    decay: float = 0.0,
    apart: float = 0.0,
    amsgrad: bool = False,
) -> Rule:
    """Kingma and Ba (2015), algorithm 1; `apart` is the decay of Loshchilov and Hutter (2019), algorithm 2.

    amsgrad is Reddi et al. (2018), algorithm 2, as PyTorch has it.
    """
    m = v = largest = 0.0
    t = 0

    def step(theta: float, g: float) -> float:
        nonlocal m, v, t, largest
        t += 1
        g += decay * theta
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        theta -= rate * apart * theta
        largest = max(largest, v)
        second = (largest if amsgrad else v) / (1 - beta2**t)
        return theta - rate * (m / (1 - beta1**t)) / (math.sqrt(second) + epsilon)

    return step


CASES: dict[str, tuple[Callable[[list[Value]], Optimizer], Callable[[], Rule]]] = {
    "SGD, defaults": (SGD, lambda: sgd(0.001)),
    "SGD": (lambda p: SGD(p, 0.1), lambda: sgd(0.1)),
    "SGD, momentum": (lambda p: SGD(p, 0.1, momentum=0.9), lambda: sgd(0.1, 0.9)),
    "SGD, nesterov": (lambda p: SGD(p, 0.1, momentum=0.8, nesterov=True), lambda: sgd(0.1, 0.8, nesterov=True)),
    "SGD, weight decay": (
        lambda p: SGD(p, 0.1, momentum=0.5, nesterov=True, weight_decay=0.2),
        lambda: sgd(0.1, 0.5, nesterov=True, decay=0.2),
    ),
    "RMSProp, defaults": (RMSProp, lambda: rmsprop(0.01)),
    "RMSProp": (
        lambda p: RMSProp(p, 0.05, alpha=0.7, epsilon=0.1, weight_decay=0.2),
        lambda: rmsprop(0.05, 0.7, 0.1, 0.2),
    ),
    "Adam, defaults": (Adam, lambda: adam(0.001)),
    "Adam": (
        lambda p: Adam(p, 0.05, betas=(0.6, 0.9), epsilon=0.1, weight_decay=0.2),
        lambda: adam(0.05, 0.6, 0.9, 0.1, 0.2),
    ),
    "Adam, amsgrad": (
        lambda p: Adam(p, 0.05, betas=(0.6, 0.7), amsgrad=True),
        lambda: adam(0.05, 0.6, 0.7, amsgrad=True),
    ),
    "AdamW, amsgrad": (
        lambda p: AdamW(p, 0.05, betas=(0.6, 0.7), weight_decay=0.2, amsgrad=True),
        lambda: adam(0.05, 0.6, 0.7, apart=0.2, amsgrad=True),
    ),
    "AdamW, defaults": (AdamW, lambda: adam(0.001, apart=0.01)),
    "AdamW": (
        lambda p: AdamW(p, 0.05, betas=(0.6, 0.9), epsilon=0.1, weight_decay=0.2),
        lambda: adam(0.05, 0.6, 0.9, 0.1, apart=0.2),
    ),
}


@pytest.mark.parametrize(("make", "rule"), CASES.values(), ids=CASES)
def test_every_step_is_that_of_the_formula(make: Callable[[list[Value]], Optimizer], rule: Callable[[], Rule]) -> None:
    draw = random.Random(0)
    start = [draw.gauss(0, 1) for _ in range(5)]
    parameters = [Value(x) for x in start]
    optimizer, rules, expected = make(parameters), [rule() for _ in start], start
    for _ in range(STEPS):
        gradients = [draw.gauss(0, 1) for _ in start]
        gradients[0] = 0.0
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()
        expected = [r(theta, g) for r, theta, g in zip(rules, expected, gradients, strict=True)]
        assert [p.data for p in parameters] == pytest.approx(expected, rel=1e-12, abs=1e-14)
    assert [p.data for p in parameters[1:]] != start[1:]


# ---- clipping


def clipped(gradient: list[float], **options: float) -> list[float]:
    """The gradient that a method sees."""
    parameters = with_gradients([0.0] * len(gradient), gradient)
    SGD(parameters, 1.0, **options).step()
    return [-p.data for p in parameters]


def test_clipping_is_its_formula() -> None:
    assert clipped([3.0, -4.0, 0.5], clip_value=1.0) == [1.0, -1.0, 0.5]
    assert clipped([3.0, -4.0], clip_norm=1.0) == pytest.approx([0.6, -0.8], rel=1e-15)
    assert clipped([3.0, -4.0], clip_norm=5.0) == [3.0, -4.0]  # as long as allowed: to the bit
    assert clipped([3.0, -4.0], clip_value=2.0, clip_norm=1.0) == pytest.approx([0.5**0.5, -(0.5**0.5)], rel=1e-15)
    assert clipped([0.0, 0.0], clip_norm=1.0) == [0.0, 0.0]


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_the_norm_of_a_gradient_of_any_size_is_clipped(scale: float) -> None:
    """Squares of the components overflow or vanish."""
    assert clipped([3.0 * scale, 4.0 * scale], clip_norm=0.5 * scale) == pytest.approx([0.3 * scale, 0.4 * scale])


def test_what_is_kept_is_of_the_clipped_gradient() -> None:
    (p,) = with_gradients([0.0], [100.0])
    optimizer = SGD([p], 1.0, momentum=0.5, clip_norm=1.0)
    optimizer.step()
    p.grad = 0.0
    optimizer.step()
    assert p.data == -1.5
    assert p.grad == 0.0  # gradients are not changed


# ---- groups and frozen parameters


def test_groups_are_their_optimizers() -> None:
    draw = random.Random(1)
    together, apart = [[Value(float(i)) for i in range(7)] for _ in range(2)]
    groups = ParameterGroups(SGD(together[:3], 0.1, momentum=0.9), Adam(together[3:], 0.01, weight_decay=0.1))
    alone = [SGD(apart[:3], 0.1, momentum=0.9), Adam(apart[3:], 0.01, weight_decay=0.1)]
    for _ in range(20):
        for p, q in zip(together, apart, strict=True):
            p.grad = q.grad = draw.gauss(0, 1)
        groups.step()
        for optimizer in alone:
            optimizer.step()
        assert [p.data for p in together] == [q.data for q in apart]
    assert groups.steps == 20
    assert groups.state_dict()["optimizers"] == [optimizer.state_dict() for optimizer in alone]


def test_groups_clip_over_all_of_their_parameters() -> None:
    p, q = with_gradients([0.0, 0.0], [3.0, 4.0])
    ParameterGroups(SGD([p], 1.0), SGD([q], 10.0), clip_norm=1.0).step()
    assert [p.data, q.data] == pytest.approx([-0.6, -8.0])


def test_a_step_that_one_group_refuses_is_no_step_of_the_others() -> None:
    p, q = with_gradients([1.0, 1.0], [1.0, 1e308])
    groups = ParameterGroups(SGD([p], 0.1, momentum=0.9), SGD([q], 10.0))
    before = groups.state_dict()
    with pytest.raises(FloatingPointError, match=r"^SGD: overflow .*, so the step was not taken; lower [^;]*$"):
        groups.step()
    assert (p.data, q.data, groups.state_dict()) == (1.0, 1.0, before)


def test_groups_have_no_rate_of_their_own() -> None:
    p, q = Value(0.0), Value(0.0)
    groups = ParameterGroups(SGD([p], 0.1), SGD([q], 0.2))
    with pytest.raises(AttributeError, match=r"each of its \.optimizers has one of its own"):
        _ = groups.learning_rate
    with pytest.raises(AttributeError, match=r"assign that of each of its \.optimizers"):
        groups.learning_rate = 0.5
    with pytest.raises(ValueError, match="parameter 1 is there already"):
        ParameterGroups(SGD([p], 0.1), SGD([p], 0.2))
    with pytest.raises(TypeError, match=r"ParameterGroups: expected optimizers, .* got 0\.5"):
        ParameterGroups(SGD([p], 0.1), 0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected at least one parameter"):
        ParameterGroups()


def test_parameters_that_are_not_given_are_frozen() -> None:
    random.seed(2)
    model = MLP(2, [3, 1])
    frozen = [p.data for p in model.layers[0].parameters()]
    half_squared_error(model([1.0, -2.0]), 0.5).backward()
    before = [p.data for p in model.layers[1].parameters()]
    Adam(model.layers[1].parameters(), 0.1).step()
    assert [p.data for p in model.layers[0].parameters()] == frozen
    assert [p.data for p in model.layers[1].parameters()] != before


# ---- states: `test_checkpoints.py` goes on with every method


def test_a_state_is_of_one_method_and_of_its_options() -> None:
    adam = Adam([Value(1.0), Value(2.0)], betas=(0.5, 0.75))
    state = adam.state_dict()
    other = Adam([Value(1.0), Value(2.0)])
    other.load_state_dict(state)
    assert other.betas == (0.5, 0.75)
    assert other.state_dict() == state
    for change, message in [
        ({"class": "SGD"}, "expected the state of Adam, got that of 'SGD'"),
        ({"mean": [0.0]}, r"Adam\.mean: expected numbers of shape \(2,\), got \[0\.0\]"),
        ({"mean": "zero"}, r"Adam\.mean: expected numbers of shape"),
        ({"betas": [0.5, 2.0]}, r"betas\[1\]: expected 0\.0 <= betas\[1\] < 1\.0, got 2\.0"),
        ({"amsgrad": 1}, r"Adam\.amsgrad: expected True or False, got 1"),
        ({"learning_rate": -1.0}, "learning_rate: expected 0"),
        ({"learning_rate": None}, r"Adam\.learning_rate: this optimizer has a number, the state a schedule; assign"),
        ({"steps": "many"}, r"Adam\.steps: expected int, got 'many'"),
        ({"steps": -1}, "Adam: steps: expected an int of at least 0, got -1"),
        ({"steps": 0.5}, r"Adam: steps: expected an int of at least 0, got 0\.5"),
    ]:
        with pytest.raises((ValueError, TypeError), match=message):
            other.load_state_dict(state | change)
        assert other.state_dict() == state
    del state["mean"]
    with pytest.raises(ValueError, match="of another version of this class: it has no mean"):
        other.load_state_dict(state)
    with pytest.raises(TypeError, match="Adam: expected a dict, as state_dict"):
        other.load_state_dict([1.0])  # type: ignore[arg-type]


class Changer(Optimizer):
    """A method whose attributes are of other kinds after a step, or begin in the class."""

    calls = 0
    best = None
    velocity = 0.0

    def __init__(self, parameters: list[Value]) -> None:
        super().__init__(parameters, 0.1)
        self.single = numpy.zeros(len(self.parameters), numpy.float32)
        self.moment: float | numpy.ndarray = 0
        self.whole = numpy.zeros(len(self.parameters), int)
        self.flags = numpy.zeros(len(self.parameters), bool)
        self.mean = numpy.int64(0)
        self.pairs = ((1, numpy.zeros(len(self.parameters))), "none")
        self.notes: list[object] | None = None

    def update(self, parameters: numpy.ndarray, gradient: numpy.ndarray) -> numpy.ndarray:
        self.calls += 1
        self.best = gradient
        self.velocity = 0.5 * self.velocity + gradient
        self.moment = self.moment + gradient**2
        self.single = 0.9 * self.single + gradient / 3.0
        self.whole = self.whole + 0.25
        self.flags = gradient > 0.0
        self.mean = self.mean + gradient.mean() / 3.0
        self.pairs = ((self.calls, gradient), "some")
        self.notes = ["a note", 1.0]  # as many as there are parameters
        return parameters - 0.1 * self.single - 0.1 * self.mean


@pytest.mark.parametrize(
    ("make", "damage"),
    [
        (SGD, {"velocity": [None, None]}),
        (SGD, {"velocity": ["1", "2"]}),
        (SGD, {"velocity": [True, 1.0]}),
        (SGD, {"velocity": [math.nan, 1.0]}),
        (SGD, {"velocity": [2**70, 1]}),
        (SGD, {"velocity": [[1.0], 2.0]}),
        (SGD, {"velocity": {"0": 1.0, "1": 2.0}}),
        (SGD, {"momentum": 10**400}),
        (SGD, {"parameters": 5}),
        (SGD, {"parameters": [1.0, 2.0]}),
        (SGD, {"step": "x"}),
        (SGD, {"update": 3}),
        (SGD, {"zero_grad": None}),
        (SGD, {"load_state_dict": {}}),
        (SGD, {"__dict__": {}}),
        (SGD, {"__class__": "Adam"}),
        (SGD, {3: 4.0}),
        (SGD, {"": 4.0}),
        (Changer, {"calls": "x"}),
        (Changer, {"calls": ["a", "b"]}),
        (Changer, {"velocity": [1.0]}),
        (Changer, {"moment": [[1.0], 2.0]}),
        (Changer, {"pairs": 5}),
        (Changer, {"pairs": [[1, "x"], "none"]}),
        (Changer, {"single": [True, False]}),
        (SGD, {"made_later": print}),
        (SGD, {"made_later": [print, 1.0]}),
        (RMSProp, {"mean_square": [-1.0, 1.0]}),
        (RMSProp, {"mean_square": [1.0, math.inf]}),
        (Adam, {"mean_square": [1.0, -1.0]}),
        (AdamW, {"largest_mean_square": [-1.0, 0.0]}),
        (Adam, {"mean": [math.inf, 0.0]}),
        (Adam, {"betas": "ab"}),
        (Adam, {"betas": {"0.5": 0.5, "0.25": 0.25}}),
        (Adam, {"betas": 0.5}),
        (lambda p: ParameterGroups(SGD(p, 0.1)), {"learning_rate": 0.1}),
        (lambda p: ParameterGroups(SGD(p, 0.1)), {"update": 3}),
    ],
)
def test_a_damaged_state_is_refused_and_changes_nothing(
    make: Callable[[list[Value]], Optimizer], damage: dict[str, object]
) -> None:
    parameters = with_gradients([1.0, 2.0], [0.5, -0.5])
    optimizer = make(parameters)
    optimizer.step()
    before, attributes = optimizer.state_dict(), {**vars(optimizer)}
    with pytest.raises((ValueError, TypeError)):
        optimizer.load_state_dict(before | {"steps": 7} | damage)
    assert vars(optimizer) == attributes
    assert optimizer.parameters == parameters
    optimizer.load_state_dict(before | {"steps": 7})
    assert optimizer.steps == 7


def test_a_name_in_a_state_that_is_no_attribute_is_named() -> None:
    optimizer = SGD([Value(1.0)])
    with pytest.raises(ValueError, match=r"^SGD: expected what state_dict\(\) returned, got 'step' among it$"):
        optimizer.load_state_dict(optimizer.state_dict() | {"step": "x"})
    with pytest.raises(ValueError, match=r"^SGD\.velocity: expected finite numbers, got nan among them$"):
        optimizer.load_state_dict(optimizer.state_dict() | {"velocity": [math.nan]})
    adam = Adam([Value(1.0)])
    with pytest.raises(ValueError, match=r"^Adam\.mean_square: expected finite numbers of at least 0, got -1\.0 among"):
        adam.load_state_dict(adam.state_dict() | {"mean_square": [-1.0]})


def test_a_state_of_groups_is_checked_in_all_of_them_before_any_changes() -> None:
    p, q = Value(1.0), Value(2.0)
    groups = ParameterGroups(SGD([p], 0.1), SGD([q], 0.2))
    before = groups.state_dict()
    changed = ParameterGroups(SGD([p], 0.7), SGD([q], 0.8)).state_dict()
    changed["optimizers"][1]["momentum"] = 2.0
    with pytest.raises(ValueError, match="momentum: expected"):
        groups.load_state_dict(changed)
    with pytest.raises(ValueError, match="expected the states of 2 optimizers, got "):
        groups.load_state_dict(SGD([p, q], 0.1).state_dict())
    assert groups.state_dict() == before


def test_a_schedule_is_not_replaced_in_silence() -> None:
    p = Value(1.0)
    optimizer = SGD([p], lambda t: 0.1 / (1 + t))
    assert optimizer.state_dict()["learning_rate"] is None
    optimizer.learning_rate = 0.05
    other = SGD([p], lambda t: 0.1 / (1 + t))
    with pytest.raises(ValueError, match=r"this optimizer has a schedule, the state the number 0\.05; assign learning"):
        other.load_state_dict(optimizer.state_dict())
    other.learning_rate = 1.0
    other.load_state_dict(optimizer.state_dict())
    assert other.learning_rate == 0.05


class Keeper(Optimizer):
    """A method that keeps all sorts of things."""

    def __init__(self, parameters: list[Value]) -> None:
        super().__init__(parameters, 0.1)
        n = len(self.parameters)
        self.buffers = [numpy.zeros(n), numpy.zeros(n)]
        self.by_name = {"m": numpy.zeros(n), "pair": (1, 2.0)}
        self.count = numpy.int64(0)
        self.is_on = numpy.bool_(False)
        self.best = math.inf
        self.method = "mine"
        self.numbers: list[float] = []
        self.later: numpy.ndarray | None = None

    def update(self, parameters: numpy.ndarray, gradient: numpy.ndarray) -> numpy.ndarray:
        self.buffers = [0.5 * self.buffers[0] + gradient, self.buffers[1] - gradient]
        self.by_name = {**self.by_name, "m": self.by_name["m"] + gradient}  # type: ignore[operator]
        self.count = numpy.int64(self.count + 1)
        self.is_on = numpy.bool_(True)
        self.best = min(self.best, float(gradient.sum()))
        self.numbers = [*self.numbers, self.best]
        self.later = gradient if self.later is None else self.later + gradient
        self.made_late = getattr(self, "made_late", 0.0) + gradient  # there is none before the first step
        return parameters - self.learning_rate * (self.buffers[0] + self.by_name["m"] + self.later + self.made_late)


def test_a_method_may_make_other_numbers_of_those_it_began_with() -> None:
    optimizer, other = Changer(with_gradients([1.0, 2.0], [0.1, -0.3])), Changer([Value(1.0), Value(2.0)])
    optimizer.step()
    other.load_state_dict(json.loads(json.dumps(optimizer.state_dict())))
    assert (other.calls, other.mean, other.notes) == (1, optimizer.mean, ["a note", 1.0])
    for name in ("best", "velocity", "moment", "single", "whole", "flags"):
        assert getattr(other, name).dtype == getattr(optimizer, name).dtype
        assert getattr(other, name).tolist() == getattr(optimizer, name).tolist()
    (calls, gradient), word = other.pairs
    assert (calls, gradient.tolist(), word) == (1, [0.1, -0.3], "some")
    with pytest.raises(ValueError, match=r"Changer\.flags: expected truth values of shape \(2,\), got \[1\.0, 0\.0\]"):
        other.load_state_dict(optimizer.state_dict() | {"flags": [1.0, 0.0]})


@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("steps_of_the_other", [0, 2])
def test_whatever_a_method_keeps_comes_back(steps: int, steps_of_the_other: int) -> None:
    def walked(optimizer: Optimizer, count: int) -> list[float]:
        for k in range(count):
            for i, parameter in enumerate(optimizer.parameters):
                parameter.grad = float(i - k)
            optimizer.step()
        return [parameter.data for parameter in optimizer.parameters]

    optimizer, other = Keeper([Value(1.0), Value(2.0)]), Keeper([Value(1.0), Value(2.0)])
    numbers = walked(optimizer, steps)
    walked(other, min(steps_of_the_other, steps))
    other.load_state_dict(json.loads(json.dumps(optimizer.state_dict())))
    for parameter, number in zip(other.parameters, numbers, strict=True):
        parameter.data = number
    assert repr(other.state_dict()) == repr(optimizer.state_dict())
    assert walked(other, 2) == walked(optimizer, 2)


def test_a_member_of_a_group_may_keep_its_state_in_its_own_way() -> None:
    class Own(SGD):
        def state_dict(self) -> dict[str, object]:
            return {"mine": self.learning_rate}

        def load_state_dict(self, state: Mapping[str, object]) -> None:
            self.learning_rate = state["mine"]  # type: ignore[assignment]

    groups = ParameterGroups(Own([Value(0.0)], 0.5), SGD([Value(0.0)], 0.1))
    other = ParameterGroups(Own([Value(0.0)], 0.7), SGD([Value(0.0)], 0.1))
    other.load_state_dict(groups.state_dict())
    assert other.optimizers[0].learning_rate == 0.5


def test_what_an_optimizer_is_shows() -> None:
    p, q = Value(0.0), Value(0.0)
    assert repr(SGD([p], 0.1)) == "SGD(1 parameter, learning_rate=0.1)"
    assert repr(ParameterGroups(SGD([p], 0.1), Adam([q], StepDecay(0.1, 0.5, 2)))) == (
        "ParameterGroups(SGD(1 parameter, learning_rate=0.1), "
        "Adam(1 parameter, learning_rate=StepDecay(rate=0.1, factor=0.5, steps=2)))"
    )


def test_amsgrad_may_be_switched_on_later() -> None:
    (p,) = with_gradients([1.0], [1.0])
    optimizer = Adam([p], 0.1)
    optimizer.amsgrad = True
    optimizer.step()
    assert p.data == pytest.approx(0.9)


@pytest.mark.parametrize("schedule", [lambda t: 1 / (1 - t), lambda t: 0.1 - t, lambda t: None if t else 0.1])
def test_a_schedule_that_fails_says_at_which_step_and_the_step_is_not_taken(schedule: Callable[[int], float]) -> None:
    (p,) = with_gradients([1.0], [1.0])
    optimizer = SGD([p], schedule, momentum=0.9)
    optimizer.step()
    before = p.data, optimizer.state_dict()
    with pytest.raises(ValueError, match=r"learning_rate: expected a number from the schedule .* at step 1, got "):
        optimizer.step()
    assert (p.data, optimizer.state_dict()) == before


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_is_exactly_the_loop_that_one_writes_by_hand(momentum: float) -> None:
    random.seed(4)
    model, twin = MLP(2, [3, 1]), MLP(2, [3, 1])
    twin.load_state_dict(model.state_dict())
    optimizer = SGD(model.parameters(), learning_rate=0.05, momentum=momentum)
    velocity = [0.0] * len(twin.parameters())
    for _ in range(20):
        for network in (model, twin):
            network.zero_grad()
            half_squared_error(network([1.0, -2.0]), 0.5).backward()
        optimizer.step()
        for i, p in enumerate(twin.parameters()):
            velocity[i] = momentum * velocity[i] + p.grad
            p.data -= 0.05 * velocity[i]
    assert [p.data for p in model.parameters()] == [p.data for p in twin.parameters()]


@pytest.mark.parametrize("make", [Adam, AdamW])
def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_scale_of_the_gradient(make: type[Adam]) -> None:
    parameters = with_gradients([0.0, 0.0, 0.0], [1e-3, -1.0, 1e6])
    make(parameters, learning_rate=0.25, weight_decay=0.0).step()
    assert [p.data for p in parameters] == pytest.approx([-0.25, 0.25, -0.25], rel=1.1e-5)


def test_decay_is_apart_in_adamw_and_in_the_gradient_in_adam() -> None:
    """With a gradient of 0, AdamW shrinks by η λ; Adam takes λ θ for the gradient, whose first step is η."""
    p, q = Value(10.0), Value(10.0)
    AdamW([p], learning_rate=0.5, weight_decay=0.1).step()
    Adam([q], learning_rate=0.5, weight_decay=0.1).step()
    assert p.data == 10.0 * (1 - 0.5 * 0.1)
    assert q.data == pytest.approx(9.5, rel=1e-8)


# ---- what every optimiser does


def test_the_learning_rate_can_be_assigned() -> None:
    (p,) = with_gradients([1.0], [1.0])
    optimizer = SGD([p], learning_rate=0.5)
    optimizer.step()
    optimizer.learning_rate = 0.125
    optimizer.step()
    optimizer.learning_rate = 0
    optimizer.step()
    assert p.data == 0.375
    assert optimizer.learning_rate == 0.0


def test_zero_grad() -> None:
    parameters = with_gradients([1.0, 2.0], [3.0, 3.0])
    SGD(parameters).zero_grad()
    assert [p.grad for p in parameters] == [0.0, 0.0]


def test_a_step_leaves_gradients_and_other_parameters_alone() -> None:
    p, q = with_gradients([1.0, 2.0], [3.0, 3.0])
    SGD([p], learning_rate=1.0).step()
    assert (p.data, p.grad, q.data, q.grad) == (-2.0, 3.0, 2.0, 3.0)


def test_parameters_may_come_from_a_generator() -> None:
    model = MLP(2, [3, 1])
    assert SGD(parameter for _, parameter in model.named_parameters()).parameters == model.parameters()


def test_a_method_of_ones_own() -> None:
    class SignDescent(Optimizer):
        def update(self, parameters: numpy.ndarray, gradient: numpy.ndarray) -> numpy.ndarray:
            return parameters - self.learning_rate * numpy.sign(gradient)

    parameters = with_gradients([1.0, 1.0, 1.0], [-7.0, 0.0, 0.1])
    SignDescent(parameters, 0.5).step()
    assert [p.data for p in parameters] == [1.5, 1.0, 0.5]


def test_a_method_without_an_update_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"Optimizer needs a method update\(parameters, gradient\)"):
        Optimizer([Value(1.0)], 0.1).step()


# ---- numbers that are not finite: no step

METHODS = [
    lambda p: SGD(p, 0.1, momentum=0.9),
    lambda p: RMSProp(p),
    lambda p: Adam(p),
    lambda p: AdamW(p),
]


def walk(optimizer: Optimizer, spoiled: bool) -> Iterator[list[float]]:
    """The parameters step by step; once, in between, a step is tried with a gradient that is not finite."""
    for i in range(4):
        for k, parameter in enumerate(optimizer.parameters):
            parameter.grad = math.sin(i + k)
        if i == 2 and spoiled:
            before = [p.data for p in optimizer.parameters]
            for number in (math.nan, math.inf, 1e200 if not isinstance(optimizer, SGD) else -math.inf):
                gradient, optimizer.parameters[1].grad = optimizer.parameters[1].grad, number
                with pytest.raises(FloatingPointError):
                    optimizer.step()
                optimizer.parameters[1].grad = gradient
                assert [p.data for p in optimizer.parameters] == before
        optimizer.step()
        yield [p.data for p in optimizer.parameters]


@pytest.mark.parametrize("make", METHODS)
def test_a_step_that_was_refused_leaves_no_trace(make: Callable[[list[Value]], Optimizer]) -> None:
    assert list(walk(make([Value(1.0), Value(2.0)]), True)) == list(walk(make([Value(1.0), Value(2.0)]), False))


def test_the_parameter_whose_gradient_is_not_finite_is_named() -> None:
    parameters = [Value(1.0), Value(2.0, label="slope")]
    parameters[1].grad = math.nan
    message = (
        r"Adam: the grad of parameter 1 \(slope\) is nan, so the step was not taken; "
        r"lower the learning rate \(it is 0\.5\) or clip the gradients"
    )
    with pytest.raises(FloatingPointError, match=message):
        Adam(parameters, 0.5).step()
    parameters[1].grad, parameters[1].data = 0.0, math.inf
    with pytest.raises(FloatingPointError, match=r"Adam: the data of parameter 1 \(slope\) is inf"):
        Adam(parameters, 0.5).step()


def test_a_step_beyond_the_largest_float_is_refused() -> None:
    (p,) = with_gradients([-1e308], [1e308])
    with pytest.raises(FloatingPointError, match=r"SGD: overflow encountered in .*, so the step was not taken"):
        SGD([p], learning_rate=1.5).step()
    assert p.data == -1e308


def test_a_step_to_what_is_no_number_is_refused() -> None:
    class UnitDescent(Optimizer):
        def update(self, parameters: numpy.ndarray, gradient: numpy.ndarray) -> numpy.ndarray:
            return parameters - self.learning_rate * gradient / numpy.abs(gradient)

    parameters = with_gradients([1.0, 2.0], [-7.0, 0.0])
    with pytest.raises(FloatingPointError, match=r"UnitDescent: invalid value encountered in .*, so the step was not"):
        UnitDescent(parameters, 0.5).step()
    assert [p.data for p in parameters] == [1.0, 2.0]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_step_that_numpy_does_not_notice_is_refused_too(number: float) -> None:
    class Lost(Optimizer):
        def update(self, parameters: numpy.ndarray, gradient: numpy.ndarray) -> numpy.ndarray:
            return numpy.where(parameters > 1.0, number, 0.0)

    parameters = with_gradients([1.0, 2.0], [3.0, 4.0])
    with pytest.raises(FloatingPointError, match=f"Lost: parameter 1 would become {number}, so the step was not taken"):
        Lost(parameters, 0.5).step()
    assert [p.data for p in parameters] == [1.0, 2.0]


# ---- what is refused


@pytest.mark.parametrize(
    ("update", "got"),
    [
        (lambda p, g: p[:1], r"array\(\[1\.\]\) of shape \(1,\)"),
        (lambda p, g: numpy.append(p, 3.0), r"array\(.*\) of shape \(3,\)"),
        (lambda p, g: p.reshape(2, 1), r"array(?s:.*) of shape \(2, 1\)"),
        (lambda p, g: 0.5, r"0\.5 of shape \(\)"),
        (lambda p, g: None, r"None of shape \(\)"),
    ],
)
def test_an_update_that_is_not_a_number_per_parameter(update: Callable[..., object], got: str) -> None:
    optimizer = Optimizer(with_gradients([1.0, 2.0], [3.0, 4.0]), 0.5)
    optimizer.update = update  # type: ignore[assignment,method-assign]
    with pytest.raises(ValueError, match=rf"expected update to return an array of shape \(2,\), .* got {got}"):
        optimizer.step()
    assert [p.data for p in optimizer.parameters] == [1.0, 2.0]


@pytest.mark.parametrize("update", [lambda p, g: [3, 4], lambda p, g: numpy.array([4.0, 3.0])[::-1]])
def test_an_update_may_be_any_sequence(update: Callable[..., object]) -> None:
    optimizer = Optimizer(with_gradients([1.0, 2.0], [3.0, 4.0]), 0.5)
    optimizer.update = update  # type: ignore[assignment,method-assign]
    optimizer.step()
    assert [p.data for p in optimizer.parameters] == [3.0, 4.0]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: SGD([]), ValueError, "expected at least one parameter, got none"),
        (lambda p: SGD(3.0), TypeError, r"expected the parameters, such as model\.parameters\(\), got 3\.0"),
        (lambda p: SGD(MLP(2, [1])), TypeError, r"expected the parameters, such as model\.parameters\(\), got MLP of"),
        (lambda p: SGD([p, 3.0]), TypeError, r"parameter 1: expected a Value, got 3\.0"),
        (lambda p: SGD([p, None]), TypeError, "parameter 1: expected a Value, got None"),
        (lambda p: SGD([p, p * 2]), ValueError, r"parameter 1: expected a leaf, got Value\(.*, op='\*'\), which was"),
        (lambda p: SGD([p, Value(2.0), p]), ValueError, "parameter 2 is there already: expected each parameter once"),
        (lambda p: SGD([p], -0.1), ValueError, r"learning_rate: expected 0\.0 <= learning_rate < inf, got -0\.1"),
        (lambda p: SGD([p], math.nan), ValueError, "learning_rate: .* got nan"),
        (lambda p: SGD([p], math.inf), ValueError, "learning_rate: .* got inf"),
        (lambda p: SGD([p], "fast"), TypeError, "learning_rate: expected a real number, got 'fast'"),
        (lambda p: SGD([p], None), TypeError, "learning_rate: expected a real number, got None"),
        (lambda p: SGD([p], momentum=1.0), ValueError, r"momentum: expected 0\.0 <= momentum < 1\.0, got 1\.0"),
        (lambda p: SGD([p], momentum=-0.5), ValueError, "momentum: .* got -0.5"),
        (lambda p: SGD([p], nesterov=True), ValueError, r"nesterov=True needs a momentum, such as momentum=0\.9"),
        (lambda p: SGD([p], weight_decay=-1), ValueError, "weight_decay: .* got -1"),
        (lambda p: RMSProp([p], alpha=1), ValueError, r"alpha: expected 0\.0 <= alpha < 1\.0, got 1"),
        (lambda p: RMSProp([p], epsilon=0.0), ValueError, r"epsilon: expected 0 < epsilon < inf, got 0\.0"),
        (lambda p: RMSProp([p], weight_decay=-1), ValueError, "weight_decay: .* got -1"),
        (lambda p: Adam([p], betas=(1.0, 0.9)), ValueError, r"betas\[0\]: .* got 1\.0"),
        (lambda p: Adam([p], betas=(0.9, -0.1)), ValueError, r"betas\[1\]: .* got -0\.1"),
        (lambda p: Adam([p], betas=(0.9,)), ValueError, r"betas: expected two numbers, such as .*, got \(0\.9,\)"),
        (lambda p: Adam([p], betas={0.5, 0.25}), TypeError, "betas: expected two numbers, .*, got {"),
        (lambda p: Adam([p], betas={0.5: 1, 0.25: 1}), TypeError, "betas: expected two numbers, .*, got {"),
        (lambda p: AdamW([p], betas=0.9), TypeError, r"betas: expected two numbers, such as .*, got 0\.9"),
        (lambda p: Adam([p], epsilon=-1e-8), ValueError, "epsilon: .* got -1e-08"),
        (lambda p: Adam([p], weight_decay=-1), ValueError, "weight_decay: .* got -1"),
        (lambda p: AdamW([p], weight_decay=-1), ValueError, "weight_decay: .* got -1"),
        (lambda p: SGD([p], clip_norm=0.0), ValueError, "clip_norm: .* got 0.0"),
        (lambda p: Adam([p], clip_value="small"), TypeError, "clip_value: expected a real number, got 'small'"),
        (lambda p: SGD([p], lr=0.1), TypeError, "SGD: there is no option 'lr'; write learning_rate="),
        (lambda p: Adam(params=[p]), TypeError, "Adam: there is no option 'params'; write parameters="),
        (lambda p: AdamW([p], eps=1e-8), TypeError, "AdamW: there is no option 'eps'; write epsilon="),
        (lambda p: SGD([p], nesterov="no"), TypeError, "SGD: nesterov: expected True or False, got 'no'"),
        (lambda p: Adam([p], amsgrad=1), TypeError, "Adam: amsgrad: expected True or False, got 1"),
        (lambda p: SGD([p], True), TypeError, "learning_rate: expected a real number, got True"),
        (lambda p: SGD([p], StepDecay), ValueError, "learning_rate: expected a number from the schedule <class"),
        (lambda p: RMSProp([p], decay=1), TypeError, "RMSProp: there is no option 'decay'; write weight_decay="),
        (
            lambda p: SGD([p], amsgrad=True),
            TypeError,
            "no option 'amsgrad'; its options are parameters, learning_rate, ",
        ),
    ],
)
def test_what_no_method_can_work_with(make: Callable[[Value], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(Value(1.0))


@pytest.mark.parametrize(
    ("make", "name", "wrong", "message"),
    [
        (SGD, "nesterov", "no", "nesterov: expected True or False, got 'no'"),
        (Adam, "amsgrad", "no", "amsgrad: expected True or False, got 'no'"),
        (AdamW, "amsgrad", None, "amsgrad: expected True or False, got None"),
        (SGD, "steps", "a", "steps: expected an int of at least 0, got 'a'"),
        (SGD, "steps", 1.5, r"steps: expected an int of at least 0, got 1\.5"),
        (SGD, "steps", True, "steps: expected an int of at least 0, got True"),
        (RMSProp, "steps", -1, "steps: expected an int of at least 0, got -1"),
        (lambda p: ParameterGroups(SGD(p)), "steps", None, "steps: expected an int of at least 0, got None"),
    ],
)
def test_an_option_that_is_refused_when_it_is_assigned_is_not_taken(
    make: Callable[[list[Value]], Optimizer], name: str, wrong: object, message: str
) -> None:
    optimizer = make([Value(1.0)])
    before = {**vars(optimizer)}
    with pytest.raises((TypeError, ValueError), match=f"^{type(optimizer).__name__}: {message}$"):
        setattr(optimizer, name, wrong)
    assert vars(optimizer) == before


def test_a_momentum_may_begin_at_0_and_such_a_state_comes_back() -> None:
    """θ ← θ − η (g + 0 b)."""
    (p,) = with_gradients([1.0], [1.0])
    optimizer = SGD([p], 0.5, momentum=0.9, nesterov=True)
    optimizer.momentum = 0.0
    other = SGD([Value(1.0)], 0.1)
    other.load_state_dict(optimizer.state_dict())
    assert (other.nesterov, other.momentum) == (True, 0.0)
    optimizer.step()
    assert (p.data, optimizer.steps) == (0.5, 1)


class OwnWays(SGD):
    """It keeps what it makes at its first step under names that the class has, in ways of its own."""

    scale = numpy.float64(0.0)

    @functools.cached_property
    def start(self) -> numpy.ndarray:
        return numpy.array([parameter.data for parameter in self.parameters])

    @property
    def ema(self) -> numpy.ndarray:
        kept: numpy.ndarray = vars(self)["ema"]
        return kept

    @ema.setter
    def ema(self, kept: numpy.ndarray) -> None:
        vars(self)["ema"] = kept

    def update(self, parameters: numpy.ndarray, gradient: numpy.ndarray) -> numpy.ndarray:
        self.scale = self.scale + gradient
        self.ema = gradient + vars(self).get("ema", 0.0)
        return super().update(parameters, self.scale + self.ema + 2.0 * self.start)


def test_what_a_class_keeps_in_ways_of_its_own_comes_back() -> None:
    found = []
    for is_resumed in (False, True):
        parameters = with_gradients([1.0, 2.0], [0.5, 0.25])
        optimizer = OwnWays(parameters, 0.1)
        optimizer.step()
        if is_resumed:
            state = optimizer.state_dict()
            optimizer = OwnWays(parameters, 0.1)
            optimizer.load_state_dict(state)
        optimizer.step()
        found.append([parameter.data for parameter in parameters])
    assert found[0] == found[1]


def test_a_learning_rate_that_is_refused_is_not_taken() -> None:
    optimizer = SGD([Value(1.0)], learning_rate=0.5)
    with pytest.raises(ValueError, match=r"learning_rate: .* got -1"):
        optimizer.learning_rate = -1
    assert optimizer.learning_rate == 0.5
