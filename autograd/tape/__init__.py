"""Tape records a graph once and replays it on batches. README.md beside this file says how its parts work together.

`Tape` and `RecordingError` are for users. The other names are for `explaining`, which shows the layers of a trace.
"""

import sys

from autograd.tape import wengert
from autograd.tape.branches import RecordingError
from autograd.tape.groups import Product, find_groups
from autograd.tape.tape import Tape
from autograd.tape.wengert import WengertList

__all__ = ["Product", "RecordingError", "Tape", "WengertList", "find_groups"]

sys.modules["autograd.wengert"] = wengert  # where tapes that were pickled before it moved look for their lists
