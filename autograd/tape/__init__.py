from autograd.tape.tape import RecordingError, Tape

__all__ = ["RecordingError", "Tape"]
