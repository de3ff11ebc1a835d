"""Attention and the transformer block compute what their formulas say, and see no later place."""

from __future__ import annotations

import random

import numpy as np
import pytest

from autograd import Tape, Value, check_gradients, dot, engine, sum
from nn import Adam, CausalAttention, Embedding, Module, TransformerBlock, cross_entropy, fit, rms_norm
from nn.initial import uniform

pytestmark = pytest.mark.both_engines

SEQUENCE = np.random.default_rng(0).normal(size=(5, 4)).tolist()


def made(kind: type = CausalAttention, heads: int = 2, **options: object) -> Module:
    module = kind(4, heads, **options)
    uniform(module.parameters(), -1.0, 1.0, seed=1)
    return module


def numbers(rows: object) -> np.ndarray:
    return np.array([[x.data if isinstance(x, Value) else x for x in row] for row in rows])


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def seen(places: int, window: int | None) -> np.ndarray:
    """Which place sees which: a triangle, or a band of it."""
    return np.tri(places, dtype=bool) & ~np.tri(places, k=-(window or places), dtype=bool)


def by_arrays(attention: CausalAttention, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights and outputs: all places at once, and a mask over what is not seen."""
    places, width = x.shape
    size = width // attention.heads
    q, k, v = (
        (x @ numbers(matrix).T).reshape(places, attention.heads, size).swapaxes(0, 1)
        for matrix in (attention.queries, attention.keys, attention.values)
    )
    scores = np.where(seen(places, attention.window), q @ k.swapaxes(1, 2) / np.sqrt(size), -np.inf)
    weights = softmax(scores)
    return weights, (weights @ v).swapaxes(0, 1).reshape(places, width) @ numbers(attention.mix).T


# ---- attention


@pytest.mark.parametrize("window", [None, 1, 2, 9])
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_is_its_formula(heads, window):
    attention = made(heads=heads, window=window)
    weights, outputs = by_arrays(attention, np.array(SEQUENCE))
    assert numbers(attention(SEQUENCE)) == pytest.approx(outputs, rel=1e-13, abs=1e-14)
    for rows, expected in zip(attention.weights(SEQUENCE), weights, strict=True):
        assert [len(row) for row in rows] == [1, 2, 3, 4, 5]
        for row, whole in zip(rows, expected, strict=True):
            assert numbers([row])[0] == pytest.approx(whole[: len(row)], rel=1e-13)


@pytest.mark.parametrize("kind", [CausalAttention, TransformerBlock])
def test_no_place_sees_a_later_one(kind):
    module = made(kind)
    whole = numbers(module(SEQUENCE))
    for end in range(len(SEQUENCE)):
        assert (numbers(module(SEQUENCE[:end])) == whole[:end]).all() if end else module([]) == []


def test_a_window_ends_what_is_seen():
    attention = made(window=2)
    changed = numbers(attention([[9.0, 9.0, 9.0, 9.0], *SEQUENCE[1:]])) != numbers(attention(SEQUENCE))
    assert changed.any(axis=1).tolist() == [True, True, False, False, False]


@pytest.mark.parametrize("kind", [CausalAttention, TransformerBlock])
@pytest.mark.parametrize("window", [None, 2])
def test_gradients_are_finite_differences(kind, window):
    module = made(kind, window=window)
    factors = np.random.default_rng(1).normal(size=(3, 4))

    def weighted() -> Value:
        return sum([dot(fs, ys) for fs, ys in zip(factors.tolist(), module(SEQUENCE[:3]), strict=True)])

    weighted().backward()
    for parameter in module.parameters():
        start, step = parameter.data, 1e-5
        parameter.data = start + step
        above = weighted().data
        parameter.data = start - step
        assert parameter.grad == pytest.approx((above - weighted().data) / (2 * step), rel=1e-6, abs=1e-8)
        parameter.data = start


@pytest.mark.parametrize("kind", [CausalAttention, TransformerBlock])
def test_a_tape_has_the_bits_of_backward(kind):
    """On the compiled engine; NumPy sums up in its own order."""
    module = made(kind)

    def loss(sequence: list[list[Value]]) -> Value:
        return sum([y * y for ys in module(sequence) for y in ys])

    tape = Tape.record(loss, [SEQUENCE])
    losses, gradient = tape.value_and_grad([[x for xs in SEQUENCE for x in xs]])
    eager = loss(SEQUENCE)
    eager.backward()
    rounding = {"rel": 0, "abs": 0} if engine == "native" else {"rel": 1e-11, "abs": 1e-12}
    assert losses.tolist() == pytest.approx([eager.data], **rounding)
    assert gradient.tolist() == pytest.approx([parameter.grad for parameter in tape.parameters], **rounding)
    assert {*tape.parameters} == {*module.parameters()}


def test_the_weights_are_drawn_from_a_normal_distribution():
    random.seed(3)
    block = TransformerBlock(4, 2, deviation=0.5)
    drawn = [parameter.data for parameter in block.parameters()]
    random.seed(3)
    assert drawn == [random.gauss(0.0, 0.5) for _ in range(4 * 4 * 4 + 2 * 16 * 4)]
    assert len(TransformerBlock(4, hidden=3).parameters()) == 4 * 4 * 4 + 2 * 3 * 4


def test_the_tape_finds_the_products():
    """Of a block, for all places: Q, K and V together, M, U with its activation, and W."""
    tape = Tape.record(lambda sequence: [y for ys in made(TransformerBlock)(sequence) for y in ys], [SEQUENCE])
    products = [phrase.split(", ") for phrase in tape.layers().split("; ") if "neurons" in phrase]
    assert products == [
        ["12 neurons of 4 inputs", "5 times with the same weights"],
        ["4 neurons of 4 inputs", "5 times with the same weights"],
        ["16 neurons of 4 inputs", "relu", "5 times with the same weights"],
        ["4 neurons of 16 inputs", "5 times with the same weights"],
    ]


# ---- the block


def test_a_block_is_its_formula():
    block = made(TransformerBlock)
    x = np.array(SEQUENCE)

    def normalised(x: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5)

    x = x + by_arrays(block.attention, normalised(x))[1]
    x = x + np.maximum(normalised(x) @ numbers(block.hidden).T, 0.0) @ numbers(block.back).T
    assert numbers(block(SEQUENCE)) == pytest.approx(x, rel=1e-12, abs=1e-13)


def test_a_block_learns_to_copy_the_token_before():
    """Sequences of several lengths, each with a tape."""
    random.seed(0)
    tokens, places, logits = Embedding(3, 8, 0.3), Embedding(6, 8, 0.3), Embedding(3, 8, 0.3)
    block = TransformerBlock(8, 2, deviation=0.3)

    def model(sequence):
        xs = [[a + b for a, b in zip(tokens(t), places(i), strict=True)] for i, t in enumerate(sequence)]
        return [dot(row, block(xs)[-1]) for row in logits.weights]

    draws = random.Random(1)
    inputs = [[draws.randrange(3) for _ in range(draws.choice([2, 4]))] for _ in range(40)]
    parameters = [p for part in (tokens, places, block, logits) for p in part.parameters()]
    targets = [sequence[-2] for sequence in inputs]
    history = fit(
        model, inputs, targets, cross_entropy, Adam(parameters, 0.03), epochs=25, batch_size=10, progress=False
    )
    assert history.eager == ""
    assert history.loss[-1] < 0.1


def test_root_mean_square_normalisation():
    x = [Value(3.0), Value(-4.0)]
    assert [y.data for y in rms_norm(x, epsilon=0.0)] == pytest.approx([3 / 12.5**0.5, -4 / 12.5**0.5], rel=1e-15)
    assert rms_norm([0.0, 0.0]) == [0.0, 0.0]
    check_gradients(lambda *x: sum([(i + 1) * y for i, y in enumerate(rms_norm(x))]), [3.0, -4.0, 0.5])


@pytest.mark.parametrize("scale", [2.0**-498, 2.0**498])  # 1.2e-150, 8.2e149
def test_large_and_small_numbers_are_normalised_to_the_same_bits(scale):
    x = [0.25, -1.0, 0.5]
    assert rms_norm([scale * number for number in x], epsilon=0.0) == rms_norm(x, epsilon=0.0)
    for tiny in (0.0, 1e-170):
        with pytest.raises(ZeroDivisionError):
            rms_norm([tiny, -tiny], epsilon=0.0)


# ---- what does not fit


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CausalAttention(0), ValueError, "CausalAttention: width: expected a positive int, got 0"),
        (
            lambda: CausalAttention(4, 3),
            ValueError,
            "CausalAttention: heads: expected a divisor of the width, 4, got 3",
        ),
        (lambda: CausalAttention(4, 2.0), TypeError, "CausalAttention: heads: expected a positive int"),
        (lambda: CausalAttention(4, window=0), ValueError, "CausalAttention: window: expected a positive int, got 0"),
        (
            lambda: CausalAttention(4, deviation=-1.0),
            ValueError,
            r"deviation: expected 0\.0 <= deviation < 1e\+307, got -1\.0",
        ),
        (lambda: TransformerBlock(4, hidden=0), ValueError, "TransformerBlock: hidden: expected a positive int, got 0"),
        (
            lambda: CausalAttention(4)([[1.0] * 3]),
            ValueError,
            "CausalAttention got 3 inputs, expected 4, the numbers of a place",
        ),
        (lambda: CausalAttention(4).weights([[1.0] * 5]), ValueError, "CausalAttention got 5 inputs, expected 4"),
        (
            lambda: TransformerBlock(4)([[1.0] * 3]),
            ValueError,
            "TransformerBlock got 3 inputs, expected 4, the numbers of a place",
        ),
        (
            lambda: CausalAttention(4)(1.0),
            TypeError,
            "CausalAttention: expected a sequence of places of 4 numbers, got 1.0",
        ),
        (
            lambda: CausalAttention(2)([1.0, 2.0]),
            TypeError,
            "expected a sequence of inputs, Values or numbers, got float",
        ),
        (lambda: CausalAttention(2)([[1.0, "a"]]), TypeError, "CausalAttention: expected a real number, got str"),
        (lambda: rms_norm([]), ValueError, "rms_norm: expected at least one number, got none"),
        (lambda: rms_norm([1.0], -1.0), ValueError, "rms_norm: epsilon: expected 0.0 <= epsilon < inf, got -1.0"),
        (lambda: rms_norm([None]), TypeError, "rms_norm: expected a real number, got NoneType"),
        (lambda: rms_norm(1.0), TypeError, "rms_norm: expected a sequence of numbers, got 1.0"),
        (lambda: rms_norm({1.0, 2.0}), TypeError, "rms_norm: expected a sequence of numbers, got {1.0, 2.0}"),
    ],
)
def test_what_does_not_fit_is_an_error(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_they_say_what_they_are():
    assert repr(CausalAttention(4, 2)) == "CausalAttention(4, heads=2)"
    assert (
        repr(TransformerBlock(4, window=3)) == "TransformerBlock of [CausalAttention(4, heads=1, window=3), 16 hidden]"
    )
