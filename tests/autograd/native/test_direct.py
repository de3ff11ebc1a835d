"""value_and_grad without a check in Python: the numbers of the checked way, to the bit, and its errors."""

from __future__ import annotations

import random

import numpy as np
import pytest

from autograd import Tape, Value, engine, take, tanh

pytestmark = pytest.mark.skipif(engine != "native", reason="it is part of the native engine")


def tapes(outputs=1, parameters=3):
    """Two of the same graph: of the second, Python sees to everything."""
    random.seed(0)
    w, x = ([Value(random.uniform(-1.0, 1.0)) for _ in range(n)] for n in (parameters, 2))
    values = [tanh(sum((p * x[k % 2] for p in w), 0.5) * float(k + 1)) for k in range(outputs)]
    made = [Tape(values[0] if outputs == 1 else values, x, threads=1) for _ in range(2)]
    made[1].__dict__["_directly"] = None
    return made


class Own(Value):
    """A subclass, whose data a tape asks for."""


class Kind(np.ndarray):
    pass


def as_lists(arrays):
    return [(array.shape, array.dtype, array.tolist()) for array in arrays]


BATCHES = {
    "one example": np.array([[0.5, -1.0]]),
    "many": np.random.default_rng(0).normal(size=(700, 2)),
    "a list": [[0.5, -1.0], [1.0, 2.0]],
    "integers": np.array([[1, 2], [3, 4]]),
    "float32": np.array([[0.5, 0.25]], np.float32),
    "columns first": np.asfortranarray(np.arange(8.0).reshape(4, 2)),
    "every other": np.arange(16.0).reshape(4, 4)[:, ::2],
    "another byte order": np.arange(4.0).reshape(2, 2).astype(">f8"),
    "read-only": np.frombuffer(np.arange(4.0).tobytes()).reshape(2, 2),
    "a subclass": np.arange(4.0).reshape(2, 2).view(Kind),
    "not aligned": np.frombuffer(b"x" + np.arange(4.0).tobytes(), np.uint8)[1:].view("f8").reshape(2, 2),
}


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize(("outputs", "parameters"), [(1, 3), (4, 3), (1, 100), (100, 2)])
def test_its_numbers_are_those_of_the_checked_way(name, outputs, parameters):
    quick, checked = tapes(outputs, parameters)
    batch, vector = BATCHES[name], np.linspace(-1.0, 1.0, parameters)
    for given in (None, vector, vector.tolist(), vector[::-1]):
        for gradient in (None, 0.25, 1, np.float64(2.0), *([] if outputs == 1 else [np.arange(float(outputs))])):
            for inputs in (False, True):
                options = {"parameters": given, "gradient": gradient, "inputs": inputs}
                found, expected = (tape.value_and_grad(batch, **options) for tape in (quick, checked))
                assert as_lists(found) == as_lists(expected)


def test_it_is_used():
    tape, _ = tapes()
    program = tape._program
    bound = tape.parameters, True, 1
    assert program.value_and_grad(*bound, BATCHES["many"], None, None, False) is not None
    for batch, vector, gradient in [(None, None, None), ([[0.5, 1.0]], None, None), (BATCHES["many"], None, 1)]:
        assert program.value_and_grad(*bound, batch, vector, gradient, False) is None
    with pytest.raises(TypeError, match="expected 7 arguments, got 2"):
        program.value_and_grad(None, None)


@pytest.mark.parametrize(
    ("batch", "options"),
    [
        (None, {}), ([["a", "b"]], {}), (np.zeros((1, 3)), {}), (np.zeros(2), {}), (np.zeros((0, 2)), {}),
        (np.zeros((1, 2)), {"parameters": np.zeros(2)}), (np.zeros((1, 2)), {"parameters": np.zeros((1, 3))}),
        (np.zeros((1, 2)), {"gradient": np.zeros(3)}),
        (np.zeros((2, 2)), {"gradient": np.zeros((3, 1))}), (np.zeros((1, 2), complex), {}),
    ],
)  # fmt: skip
def test_its_errors_are_those_of_the_checked_way(batch, options):
    messages = []
    for tape in tapes():
        with pytest.raises((TypeError, ValueError)) as error:
            tape.value_and_grad(batch, **options)
        messages.append((error.type, str(error.value)))
    assert messages[0] == messages[1]


def test_parameters_are_read_afresh():
    tape, checked = tapes()
    for each in (tape, checked):
        for p in each.parameters:
            p.data += 1.0
        assert as_lists(tape.value_and_grad([[0.5, 1.0]])) == as_lists(checked.value_and_grad([[0.5, 1.0]]))


def test_a_parameter_of_a_subclass_is_asked():
    class Doubled(Value):
        @property
        def data(self):
            return 10.0

    w, x = Own(3.0), Value(1.0)
    batch = np.array([[2.0]])
    assert Tape(w * x, [x]).value_and_grad(batch)[0].tolist() == [6.0]
    own = Doubled(3.0)
    assert Tape(own * x, [x]).value_and_grad(batch)[0].tolist() == [20.0]


def test_no_inputs_and_no_parameters():
    x = Value(3.0)
    assert as_lists(Tape(x * x).value_and_grad()) == as_lists([np.array([9.0]), np.array([6.0])])
    assert as_lists(Tape(x * x, [x]).value_and_grad(np.array([[2.0]]))) == as_lists([np.array([4.0]), np.array([])])
    assert as_lists(Tape([x, x * 2.0]).value_and_grad()) == as_lists([np.array([[3.0, 6.0]]), np.array([3.0])])


def test_the_index_of_a_lookup_is_checked():
    index = Value(0.0)
    tape = Tape(take([Value(2.0), Value(5.0)], index), [index])
    with pytest.raises(ValueError, match="expected a whole number from 0 to 1, got 2"):
        tape.value_and_grad(np.array([[2.0]]))


def test_the_caller_owns_the_results():
    tape, _ = tapes()
    batch = BATCHES["many"]
    first = tape.value_and_grad(batch)
    kept = as_lists(first)
    for array in first:
        array += 1.0
    assert as_lists(tape.value_and_grad(batch)) == kept
    assert all(array.flags.owndata or array.base is None for array in first)


def test_threads_may_be_changed():
    tape, _ = tapes()
    first = as_lists(tape.value_and_grad(BATCHES["many"]))
    tape.threads = 2
    assert as_lists(tape.value_and_grad(BATCHES["many"])) == first
    assert tape._directly.args[2] == 2


def test_another_executor_takes_over():
    tape, _ = tapes()
    batch = BATCHES["many"]
    expected = tape.value_and_grad(batch)
    tape.executor = "numpy"
    assert tape._directly is None
    for found, other in zip(tape.value_and_grad(batch), expected, strict=True):
        assert found == pytest.approx(other, rel=1e-12)


def test_an_error_of_inputs_is_its_own():
    """Whether the inputs' gradient is asked for is asked once, before anything is held."""

    class Refusing:
        def __bool__(self):
            raise LookupError("neither")

    batch = np.ones((3, 2))
    for tape in tapes():
        with pytest.raises(LookupError, match="neither"):
            tape.value_and_grad(batch, inputs=Refusing())
        with pytest.raises(ValueError, match="ambiguous"):
            tape.value_and_grad(batch, inputs=np.ones(2))
        batch.resize((4, 2), refcheck=False)  # nobody holds it
