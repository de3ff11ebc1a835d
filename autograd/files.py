"""Files are written whole or not at all: `write` puts a finished file in the place of the old one in a single step.

`read` reads files alone: what a device or a pipe gives may never come, or never end.
"""

from __future__ import annotations

import errno
import os
import platform
import secrets
import shutil
import stat
import time
import zlib
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


def write(path: str | os.PathLike[str], content: bytes | str, what: str = "the file") -> None:
    """Writes a new file in the same folder, all of it down to the disk, and only then moves it to the path.

    The new file takes over the permissions of an old one. Of a symbolic link, the file is replaced that it stands for.
    Unfinished files in the folder, which processes left that were killed in the middle of a `write`, are removed.

    Arguments:
        path: where the file is to be.
        content: the bytes, or text, which is encoded in UTF-8.
        what: the name of the content in an error's message.

    Raises OSError, with the path and the reason, if the file cannot be written, FileExistsError among them for a path
    that is a folder or a device, and IsADirectoryError for one that only a folder can have, such as "out/". After any
    error, and after an interrupt, an old file is unchanged, and nothing lies beside it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder) / "a.txt", "α")
    ...     (Path(folder) / "a.txt").read_bytes()
    b'\\xce\\xb1'
    """
    try:
        target = Path(os.path.realpath(path_of(path)))
        if target.exists() and not target.is_file():
            raise FileExistsError(errno.EEXIST, "expected a file, this is a folder or a device")
        remove_abandoned(target.parent)
        while not replaced(target, content.encode() if isinstance(content, str) else content):
            pass
    except OSError as error:
        reason = f"{what} is not saved, what was there is unchanged: {error.strerror}"
        raise OSError(error.errno, reason, os.fspath(path)) from None  # not the name of the unfinished file


def path_of(path: str | os.PathLike[str]) -> Path:
    """The path of a file. Raises IsADirectoryError for one that only a folder can have, as "out/" is."""
    text = os.fsdecode(path)  # bytes are a path, too
    if text and os.path.basename(text) in ("", os.curdir, os.pardir):
        raise IsADirectoryError(errno.EISDIR, "expected the path of a file, this is one of a folder", text)
    return Path(text)


def replaced(target: Path, content: bytes) -> bool:
    """Puts the content in the target's place. False if another process has taken the new file for an abandoned one."""
    unfinished = target.with_name(f"{UNFINISHED}{HOST}-{secrets.token_hex(8)}.tmp")
    try:
        with unfinished.open("xb") as file:
            if lock(file) is False or not unfinished.exists():
                return False
            if target.exists():
                shutil.copymode(target, unfinished)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            release(file)
            unfinished.replace(target)
        return True
    finally:
        with suppress(OSError):  # it is gone where all went well, and was never there where the folder is not
            unfinished.unlink()


# ---- Unfinished files
#
# A writer holds the lock of its unfinished file until the file is in its place. The system takes the lock from a
# process that dies. So a file whose lock is free is abandoned, whoever has the number of its process now. Only a file
# that was begun on another computer may be locked without our seeing it, in a folder on the network. For such a file,
# and where there are no locks, a day must have passed.

UNFINISHED = ".autograd-"
HOST = f"{zlib.crc32(platform.node().encode()):08x}"
DAY = 24 * 60 * 60


def remove_abandoned(folder: Path) -> None:
    for unfinished in folder.glob(f"{UNFINISHED}*.tmp"):
        with suppress(OSError):  # it is another user's, or its writer has just finished
            if stat.S_ISREG(unfinished.lstat().st_mode):
                remove_if_abandoned(unfinished)


def remove_if_abandoned(unfinished: Path) -> None:
    with unfinished.open("rb") as file:
        is_ours = lock(file)
        is_old = os.fstat(file.fileno()).st_mtime < time.time() - DAY
        begun_here = unfinished.name.startswith(f"{UNFINISHED}{HOST}-")
        if is_ours is not False and (is_old or (is_ours and begun_here)):
            release(file)
            unfinished.unlink()


def lock(file: BinaryIO) -> bool | None:
    """Takes the file's lock until the file is closed. False if somebody else has it; None where there are no locks."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except BlockingIOError:
        return False
    except OSError:  # the file system has no locks
        pass
    return None


def release(file: BinaryIO) -> None:
    """Windows neither moves nor removes an open file; elsewhere the lock is still needed."""
    if fcntl is None:
        file.close()


# ---- Reading


def read(path: str | os.PathLike[str]) -> bytes:
    """All of a file, as long as it is at this moment.

    Raises OSError, with the path and the reason, if the file cannot be read, or if it is a folder, a device or a pipe.
    """
    path = path_of(path)
    if not stat.S_ISREG(path.stat().st_mode):
        kind = IsADirectoryError if path.is_dir() else OSError
        number = errno.EISDIR if path.is_dir() else errno.EINVAL
        raise kind(number, "expected a file, this is a folder, a device or a pipe", os.fspath(path))
    with path.open("rb") as file:
        return file.read(os.fstat(file.fileno()).st_size)
