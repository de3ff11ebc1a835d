"""Is a deep graph freed whole by the loop that a browser needs? The site's tests do it in one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import gc, sys, weakref
sys.unraisablehook = lambda what: sys.exit(f"{what}")
gc.disable()
from autograd import Value, dot
from autograd.freeing import free_one_by_one

free_one_by_one(Value)

class Named(Value):
    pass

x, w = Named(2.0, label="x"), Value(3.0)
kept = x * w
y = kept
for step in range(20_000):
    y = [y + 1.0, y * y, dot([w, y], [x, 1.0]), y - x][step % 4].tanh()
nodes = [weakref.ref(y), weakref.ref(y.parents[0])]
y.backward()
del y
assert all(node() is None for node in nodes)
assert sys.getrefcount(kept) == 2  # the name and the argument
assert sys.getrefcount(w) == 3  # and the operand of `kept`
assert kept.parents == (x, w) and kept.data == 6.0
kept.backward()
assert w.grad != 0.0
interior = Value(1.0)
for _ in range(10):
    interior = interior + 1.0
half = interior
for _ in range(10):
    half = half * 2.0
del half
assert interior.data == 11.0 and interior.parents[0].data == 10.0
"""


def test_a_deep_graph_is_freed_whole_and_what_is_held_stays():
    environment = os.environ | {"AUTOGRAD_ENGINE": "python"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("platform", ["linux", "emscripten"])
def test_only_a_browser_needs_it(platform):
    program = f"import sys; sys.platform = {platform!r}; import autograd; print(hasattr(autograd.Value, '__del__'))"
    environment = os.environ | {"AUTOGRAD_ENGINE": "python"}
    printed = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == str(platform == "emscripten")
