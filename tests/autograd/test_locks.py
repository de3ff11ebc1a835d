"""Locks of a process and of its children."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from autograd.locks import Lock
from autograd.tape.executors import compiling


def test_one_thread_at_a_time_holds_it():
    lock, order = Lock(), []

    def wait():
        with lock():
            order.append("the other")

    other = threading.Thread(target=wait)
    with lock(), lock():
        other.start()
        other.join(0.05)
        order.append("this one")
    other.join()
    assert order == ["this one", "the other"]


# A thread holds what is asked for in the child. The child ends itself, so that a lock that is held there is an error.
FORK = """
import os, signal, threading
{given}
held, over = threading.Event(), threading.Event()
def hold():
    with {lock}:
        held.set()
        over.wait()
thread = threading.Thread(target=hold)
thread.start()
held.wait()
if os.fork() == 0:
    signal.alarm(20)
    {asked}
    os._exit(7)
over.set()
thread.join()
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
CASES = {
    "a lock": ("from autograd.locks import Lock; lock = Lock()", "lock()", "with lock(), lock(): pass"),
    "a list that is compiled": (
        # as if the compiler were done
        """
from autograd import Tape, Value
x = Value(2.0)
program = Tape(x * x, [x], executor="c")._program
program.compiled |= dict.fromkeys([("lanes", False, False)], None)
""",
        "program.lock()",
        "program.unit('lanes', False, False)",
    ),
    "a Hessian": (
        """
from autograd import Tape, Value
x = Value(2.0)
tape = Tape(x * x, [x])
""",
        "tape._second_derivatives.lock()",
        "assert tape.hessian([3.0], wrt='inputs').tolist() == [[[2.0]]]",
    ),
    "a function that is recorded": (
        """
from autograd.transforms.recordings import Recordings
known = Recordings(lambda x: x * x, frozenset(), False)
""",
        "known.lock()",
        "assert known([3.0], {}) == 9.0",
    ),
    "a recording": (
        """
from autograd import Tape
from autograd.tape import branches
""",
        "branches._lock()",
        "assert Tape.record(lambda x: x * x, [3.0]).forward([3.0]).tolist() == [9.0]",
    ),
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("name", CASES)
def test_what_another_thread_held_at_a_fork_is_open_in_the_child(name):
    if name == "a list that is compiled" and compiling.missing():
        pytest.skip(compiling.missing())
    given, lock, asked = CASES[name]
    program = FORK.format(given=given, lock=lock, asked=asked)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "7\n", done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_what_the_forking_thread_holds_it_still_holds():
    program = """
import os, signal, threading
from autograd.locks import Lock
lock, got = Lock(), []
with lock():
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        with lock():
            other = threading.Thread(target=lambda: got.append(lock().acquire(timeout=0.05)))
            other.start()
            other.join()
if child == 0:
    os._exit(7 if got == [False] and lock().acquire(blocking=False) else 1)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "7\n", done.stderr
