"""What an error leaves behind is what was there before it."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from contextlib import suppress

import numpy as np
import pytest

from autograd import Value, undo
from autograd.undo import Undo, ancestors, random_states, undisturbed

pytestmark = pytest.mark.both_engines


def change(learned, frozen, keep=False, error=None):
    """Changes all that there is in an Undo, and raises the error."""
    with Undo([learned]) as undone:
        loss = learned * frozen
        undone.note(loss)
        loss.backward()
        learned.data += 1.0
        random.random()
        np.random.standard_normal()  # noqa: NPY002  # of the global state, with the second of a pair in store
        if keep:
            undone.keep()
        if error is not None:
            raise error


def states():
    python, numpys = random_states()
    return python, numpys["state"]["key"].tolist(), numpys["state"]["pos"], numpys["has_gauss"], numpys["gauss"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_puts_everything_back(error):
    learned, frozen = Value(2.0), Value(3.0)
    learned.grad, frozen.grad = 5.0, 7.0
    before = states()
    with pytest.raises(error):
        change(learned, frozen, error=error)
    assert (learned.data, learned.grad, frozen.data, frozen.grad) == (2.0, 5.0, 3.0, 7.0)
    assert states() == before


def test_without_an_error_everything_stays():
    learned, frozen = Value(2.0), Value(3.0)
    before = states()
    change(learned, frozen)
    assert (learned.data, learned.grad, frozen.grad) == (3.0, 3.0, 2.0)
    assert states() != before


def test_what_was_kept_stays_in_spite_of_an_error():
    learned, frozen = Value(2.0), Value(3.0)
    before = states()
    with pytest.raises(ValueError, match="afterwards"):
        change(learned, frozen, keep=True, error=ValueError("afterwards"))
    assert (learned.data, learned.grad, frozen.grad) == (3.0, 3.0, 2.0)
    assert states() != before


def test_the_ancestors_of_a_value_are_found_at_any_depth():
    x = Value(1.0)
    y = x
    for _ in range(10_000):
        y = y * 1.0 + x
    assert len(ancestors([y])) == 20_001
    assert ancestors([x]) == {x}


def test_random_numbers_of_other_threads_are_not_put_back():
    drawn, is_over = [], threading.Event()

    def draw():
        while not is_over.is_set():
            drawn.append(random.random())
            time.sleep(0.0)

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        for _ in range(20):
            with suppress(RuntimeError), Undo([Value(1.0)]):
                time.sleep(1e-3)
                raise RuntimeError
    finally:
        is_over.set()
        thread.join()
    assert len(set(drawn)) == len(drawn) > 20


@pytest.mark.parametrize("error", [None, KeyError, KeyboardInterrupt])
def test_what_is_undisturbed_is_put_back_however_the_block_ends(error):
    parameter = Value(1.0)
    parameter.grad = 2.0
    before = random.getstate(), str(np.random.get_state())  # noqa: NPY002
    with suppress(KeyError, KeyboardInterrupt), undisturbed([parameter]):
        parameter.data, parameter.grad = 3.0, 4.0
        random.random()
        np.random.rand()  # noqa: NPY002
        if error is not None:
            raise error
    assert (parameter.data, parameter.grad) == (1.0, 2.0)
    assert (random.getstate(), str(np.random.get_state())) == before  # noqa: NPY002


@pytest.mark.parametrize("restored", ["undisturbed", "Undo"])
def test_an_interrupt_of_putting_back_does_not_keep_it_from_being_done(restored, monkeypatch):
    """At whichever call of it the interrupt comes, such as the wait for other threads."""
    parameter, at = Value(2.0), 0

    def interrupted(name):
        function = getattr(undo, name)

        def once(*arguments):
            nonlocal at
            at -= 1
            if at == 0:
                raise KeyboardInterrupt
            return function(*arguments)

        monkeypatch.setattr(undo, name, once)

    for name in ("scatter", "random_states", "differ", "others_draw"):
        interrupted(name)
    for call in range(1, 6):
        random.seed(1)
        before = states()
        with suppress(KeyboardInterrupt, ValueError), _restoring(restored, parameter):
            parameter.data, parameter.grad = random.random(), np.random.rand()  # noqa: NPY002
            at = call
            raise ValueError
        at = 0
        assert (parameter.data, parameter.grad) == (2.0, 0.0)
        assert states() == before, f"interrupted at call {call}"


def _restoring(name, parameter):
    return undisturbed([parameter]) if name == "undisturbed" else Undo([parameter])


def test_numpy_is_not_imported_for_its_random_state():
    code = """if True:
        import sys
        from autograd.undo import undisturbed
        with undisturbed([]):
            pass
        assert "numpy" not in sys.modules
        with undisturbed([]):  # one that is imported meanwhile had no state before
            import numpy
            drawn = numpy.random.standard_normal()
        assert numpy.random.standard_normal() != drawn
    """
    subprocess.run([sys.executable, "-c", code], check=True)
