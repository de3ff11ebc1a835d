"""Files are written whole or not at all: `write` puts a finished file in the place of the old one in a single step.

`read` reads files alone: what a device or a pipe gives may never come, or never end.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path


def write(path: str | os.PathLike[str], content: bytes | str, what: str = "the file") -> None:
    """Writes a new file in the same folder, all of it down to the disk, and only then moves it to the path.

    The new file takes over the permissions of an old one. Of a symbolic link, the file is replaced that it stands for.

    Arguments:
        path: where the file is to be.
        content: the bytes, or text, which is encoded in UTF-8.
        what: the name of the content in an error's message.

    Raises OSError, with the path and the reason, if the file cannot be written, FileExistsError among them for a path
    that is a folder or a device. After any error, and after an interrupt, an old file is unchanged, and nothing lies
    beside it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder) / "a.txt", "α")
    ...     (Path(folder) / "a.txt").read_bytes()
    b'\\xce\\xb1'
    """
    target = Path(os.path.realpath(path))
    unfinished = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        if target.exists() and not target.is_file():
            raise FileExistsError(errno.EEXIST, "expected a file, this is a folder or a device")
        with unfinished.open("xb") as file:
            if target.exists():
                shutil.copymode(target, unfinished)
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except OSError as error:
        reason = f"{what} is not saved, what was there is unchanged: {error.strerror}"
        raise OSError(error.errno, reason, os.fspath(path)) from None  # not the name of the unfinished file
    finally:
        with suppress(OSError):  # it is gone where all went well, and was never there where the folder is not
            unfinished.unlink()


def read(path: str | os.PathLike[str]) -> bytes:
    """All of a file, as long as it is at this moment.

    Raises OSError, with the path and the reason, if the file cannot be read, or if it is a folder, a device or a pipe.
    """
    path = Path(path)
    if not stat.S_ISREG(path.stat().st_mode):
        kind = IsADirectoryError if path.is_dir() else OSError
        number = errno.EISDIR if path.is_dir() else errno.EINVAL
        raise kind(number, "expected a file, this is a folder, a device or a pipe", os.fspath(path))
    with path.open("rb") as file:
        return file.read(os.fstat(file.fileno()).st_size)
