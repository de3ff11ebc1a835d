"""Tape records a graph once and replays it on batches. README.md beside this file says how its parts work together.

`Tape` and `RecordingError` are for users. The other names are for `drawing` and `explaining`, which show the layers of
a graph.
"""

import sys

from autograd.tape import wengert
from autograd.tape.branches import RecordingError, guarded, is_recording_tapes
from autograd.tape.chains import ADDED
from autograd.tape.groups import Product, find_groups
from autograd.tape.record import write_down
from autograd.tape.tape import Tape, replayed
from autograd.tape.wengert import WengertList

__all__ = [
    "ADDED",
    "Product",
    "RecordingError",
    "Tape",
    "WengertList",
    "find_groups",
    "guarded",
    "is_recording_tapes",
    "replayed",
    "write_down",
]

sys.modules["autograd.wengert"] = wengert  # where tapes that were pickled before it moved look for their lists
