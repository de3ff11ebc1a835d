"""Tape records a graph once and replays it on batches. README.md beside this file says how its parts work together."""

import sys

from autograd.tape import wengert
from autograd.tape.branches import RecordingError
from autograd.tape.tape import Tape

__all__ = ["RecordingError", "Tape"]

sys.modules["autograd.wengert"] = wengert  # where tapes that were pickled before it moved look for their lists
