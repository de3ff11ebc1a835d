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
    assert tape._directly.value_and_grad.args[2] == 2


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


# ---- forward() and backward()


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize(("outputs", "parameters"), [(1, 3), (4, 3), (1, 100), (100, 2)])
def test_two_calls_have_the_numbers_of_the_checked_way(name, outputs, parameters):
    batch, vector = BATCHES[name], np.linspace(-1.0, 1.0, parameters)
    for given in (None, vector, vector.tolist(), vector[::-1]):
        for gradient in (None, 0.25, 1, np.float64(2.0), *([] if outputs == 1 else [np.arange(float(outputs))])):
            found = []
            for tape in tapes(outputs, parameters):
                tape.parameters[0].grad = 0.5
                parts = [tape.forward(batch, parameters=given)]
                for inputs in (False, True):
                    parts.append(tape.backward(gradient, inputs=inputs))
                    parts.append(np.array([p.grad for p in tape.parameters]))
                assert parts.pop(1) is None
                for p in tape.parameters:
                    p.grad = 0.0
                found.append(as_lists(parts))
            assert found[0] == found[1]


def test_two_calls_are_one():
    for name in ("one example", "many"):
        tape, _ = tapes(parameters=100)
        outputs, gradient, of_inputs = tape.value_and_grad(BATCHES[name], inputs=True)
        assert tape.forward(BATCHES[name]).tobytes() == outputs.tobytes()
        assert tape.backward(inputs=True).tobytes() == of_inputs.tobytes()
        assert [p.grad for p in tape.parameters] == gradient.tolist()


def test_they_are_used():
    tape, _ = tapes()
    program, bound = tape._program, (tape.parameters, True, 1)
    batch = BATCHES["many"]
    outputs, replayed = program.forward(*bound, batch, None)
    assert replayed[0] is batch
    assert replayed[1] == batch.tobytes()
    assert np.frombuffer(replayed[2]).tolist() == [p.data for p in tape.parameters]
    assert outputs.tolist() == tape.forward(batch).tolist()
    assert program.backward(*bound, replayed, None, False) is None
    assert tape.parameters[0].grad != 0.0
    for given, vector in [(None, None), ([[0.5, 1.0]], None), (batch, [1.0, 2.0, 3.0]), (np.zeros((1 << 19, 2)), None)]:
        assert program.forward(*bound, given, vector) is None
    with pytest.raises(TypeError, match="forward: expected 5 arguments, got 1"):
        program.forward(None)
    with pytest.raises(TypeError, match="backward: expected 6 arguments, got 0"):
        program.backward()


def test_what_has_not_been_replayed_so_is_left_to_python():
    tape, _ = tapes()
    program, bound = tape._program, (tape.parameters, True, 1)
    batch, vector = np.ones((3, 2)), bytes(24)
    fixed = batch.tobytes()
    for replayed in [
        None, (), (batch, fixed), [batch, fixed, vector], (batch, fixed, np.zeros(3)), (batch.tolist(), fixed, vector),
        (batch, fixed, vector[:-8]), (batch, fixed[:-16], vector), (batch, batch, vector), (batch + 1.0, fixed, vector),
        (batch.T.copy(), fixed, vector), (batch[:0], b"", vector),
    ]:  # fmt: skip
        assert program.backward(*bound, replayed, None, False) is NotImplemented
    for gradient in (1, np.ones(3), np.ones((3, 1)), "1"):
        assert program.backward(*bound, (batch, fixed, vector), gradient, False) is NotImplemented
    assert [p.grad for p in tape.parameters] == [0.0] * 3
    assert program.backward(*bound, (batch, fixed, vector), None, False) is None


def two_calls(tape, batch, options, gradient):
    tape.forward(batch, **options)
    tape.backward(gradient)


@pytest.mark.parametrize(
    ("batch", "options", "gradient"),
    [
        (None, {}, None), ([["a", "b"]], {}, None), (np.zeros((1, 3)), {}, None), (np.zeros((0, 2)), {}, None),
        (np.zeros((1, 2)), {"parameters": np.zeros(2)}, None), (np.zeros((2, 2)), {}, np.zeros((3, 1))),
        (np.zeros((1, 2)), {}, "one"),
    ],
)  # fmt: skip
def test_the_errors_of_two_calls_are_those_of_the_checked_way(batch, options, gradient):
    messages = []
    for tape in tapes():
        with pytest.raises((TypeError, ValueError)) as error:
            two_calls(tape, batch, options, gradient)
        messages.append((error.type, str(error.value)))
        assert [p.grad for p in tape.parameters] == [0.0] * 3
    assert messages[0] == messages[1]


def test_a_batch_that_has_changed_is_not_differentiated():
    for tape in tapes():
        batch = np.ones((3, 2))
        tape.forward(batch)
        batch[2, 1] = -0.0
        batch[2, 1] = 0.0
        with pytest.raises(RuntimeError, match="the batch has been changed since"):
            tape.backward()
        batch[2, 1] = 1.0
        tape.backward()  # it is what it was
        assert tape.parameters[0].grad != 0.0
        batch.resize((4, 2), refcheck=False)  # nobody holds it
        with pytest.raises(RuntimeError, match="the batch has been changed since"):
            tape.backward()


def test_parameters_are_those_of_forward():
    for tape in tapes():
        _, gradient = tape.value_and_grad(BATCHES["many"])
        tape.forward(BATCHES["many"])
        for p in tape.parameters:
            p.data, p.grad = p.data + 1.0, 0.0
        tape.backward()
        assert [p.grad for p in tape.parameters] == gradient.tolist()


def test_the_gradient_of_a_subclass_is_its_own():
    class Noting(Value):
        noted = ()

        @property
        def grad(self):
            return 0.5

        @grad.setter
        def grad(self, number):
            Noting.noted += (number,)

    w, x = Noting(3.0), Value(1.0)
    tape = Tape(w * x, [x])
    tape.forward(np.array([[2.0]]))
    tape.backward()
    assert Noting.noted == (2.5,)


def test_another_executor_takes_over_between():
    grads = []
    for executors in (("native", "numpy"), ("numpy", "native")):
        tape, _ = tapes()
        tape.executor = executors[0]
        tape.forward(BATCHES["many"])
        tape.executor = executors[1]
        tape.backward()
        grads.append([p.grad for p in tape.parameters])
    assert grads[0] == pytest.approx(grads[1], rel=1e-12)
