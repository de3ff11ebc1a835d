"""Lock is a lock that a forked process finds open, whichever thread of its parent held it at the fork.

Of the threads that a process has, its child has only the one that forked. A lock that another one held would never be
released there: whoever asked for it would wait for ever.
"""

from __future__ import annotations

import os
from threading import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

_forks = 0  # so many lie between this process and the one that imported this module
_renewing = RLock()


class Lock:
    """A lock, which the thread that holds it may take once more. A call returns what is to be held in this process.

    That is Python's own lock, so that no interrupt comes between its being taken and the block that it is held for.

    >>> lock = Lock()
    >>> with lock(), lock():
    ...     print("it is mine")
    it is mine
    """

    def __init__(self) -> None:
        self._own = RLock(), _forks  # the lock, and when it was known to be good

    def __call__(self) -> AbstractContextManager[bool]:
        if self._own[1] != _forks:
            with _renewing:
                self._renew()
        return self._own[0]

    def _renew(self) -> None:
        """Keeps the lock if it can be taken: then nobody held it at the fork, or this thread did."""
        lock, forks = self._own
        if forks == _forks:  # another thread was first
            return
        if lock.acquire(blocking=False):
            lock.release()
        else:
            lock = RLock()
        self._own = lock, _forks


def after_fork(call: Callable[[], None]) -> None:
    """Has this called in each forked process, by its only thread: the one that forked. It is kept for ever."""
    if hasattr(os, "register_at_fork"):  # not on Windows, where no process forks
        os.register_at_fork(after_in_child=call)


def _forked() -> None:
    global _forks, _renewing
    _forks += 1
    _renewing = RLock()


after_fork(_forked)
