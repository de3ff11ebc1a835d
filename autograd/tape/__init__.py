"""Tape records a graph once and replays it on batches. README.md beside this file says how its parts work together."""

import sys

from autograd.tape import wengert
from autograd.tape.branches import RecordingError, is_recording_tapes
from autograd.tape.tape import Tape

__all__ = ["RecordingError", "Tape", "is_recording_tapes"]

sys.modules["autograd.wengert"] = wengert  # where tapes that were pickled before it moved look for their lists
