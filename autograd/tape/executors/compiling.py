"""compiled() makes functions of a text in C: the system's compiler does, once, and a cache on the disk keeps the result.

What lies in the cache is code, so only the user's own is run: from a folder to which nobody else may write, from a file
of the user's, and after its digest has been compared with the one in its name.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BYTES = 1 << 28  # in the cache; the oldest go
SUFFIX = ".dll" if sys.platform == "win32" else ".so"
COMPILERS = ("cc", "gcc", "clang")

# Optimised for this processor; without floating point that is fused or re-associated, or a libm of the compiler's own.
EXACT = ("-ffp-contract=off", "-fno-builtin")
FAST = ("-ffp-contract=fast",)
FLAGS = ("-std=gnu11", "-fPIC", "-shared", "-w", "-fno-math-errno", "-fno-trapping-math")


class CompilingError(RuntimeError):
    """The compiler has failed; the message has what it said."""


def compiler() -> list[str] | None:
    """The command of the C compiler: that of the environment variable CC, or the system's. None if there is none."""
    named = os.environ.get("CC", "").split()
    for command in ([named] if named else []) + [[name] for name in COMPILERS]:
        found = shutil.which(command[0])
        if found:
            return [found, *command[1:]]
    return None


def missing() -> str:
    """Why nothing can be compiled here; "" if it can."""
    if sys.platform == "emscripten":
        return "there is no C compiler in a browser"
    return (
        "" if compiler() else "it needs a C compiler, gcc or clang: install one, or set the variable CC to its command"
    )


def compiled(text: str, options: Sequence[str] = ()) -> ctypes.CDLL:
    """The functions of the text. Raises CompilingError if the compiler fails, RuntimeError if there is none."""
    command = compiler()
    if command is None:
        raise CompilingError(f"cannot compile: {missing()}")
    tuned, identity = identified(tuple(command))
    flags = [*FLAGS, *tuned, *options]
    parts = [text, identity, *flags, sys.platform]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    folder = cache_folder()
    path = found(folder, key)
    if path is None:
        path = keep(folder, key, build(folder, [*command, *flags], text))
        remove_oldest(folder, path)
    return ctypes.CDLL(str(path))


@cache
def identified(command: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Flags for this processor, as far as the compiler knows them; and what tells it, and the processor, from others."""
    said = ""
    for tuned in (("-march=native",), ("-mcpu=native",), ()):
        result = run([*command, *tuned, "-dM", "-E", "-x", "c", os.devnull])
        said = result.stderr
        if result.returncode == 0:
            return tuned, "\0".join([*command, result.stdout])
    raise CompilingError(f"cannot compile: {' '.join(command)} does not work as a C compiler: {shortened(said)}")


def run(command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LC_ALL": "C"}
    try:
        return subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, env=environment, errors="replace"
        )
    except OSError as error:
        raise CompilingError(f"cannot compile: {command[0]}: {error.strerror}") from None


def build(folder: Path, command: Sequence[str], text: str) -> bytes:
    """The compiled file's content. Whatever happens, nothing half-written is left in the folder."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="unfinished-") as own:
        path = Path(own, f"program{SUFFIX}")
        result = run([*command, "-o", str(path), "-x", "c", "-", *([] if sys.platform == "win32" else ["-lm"])], text)
        if result.returncode != 0:
            raise CompilingError(f"cannot compile: {command[0]} failed: {shortened(result.stderr)}")
        return path.read_bytes()


def shortened(said: str) -> str:
    said = said.strip()
    return said if len(said) <= 600 else f"{said[:600]} …"


# ---- The cache


def digest(key: str, content: bytes) -> str:
    return hashlib.sha256(key.encode() + content).hexdigest()[:32]


def found(folder: Path, key: str) -> Path | None:
    """The file of this key. One that is damaged, or not the user's own, is removed."""
    for path in folder.glob(f"{key}-*{SUFFIX}"):
        with suppress(OSError):
            if is_own(path.lstat(), stat.S_ISREG) and path.name == named(key, path.read_bytes()):
                os.utime(path)
                return path
        with suppress(OSError):
            path.unlink()
    return None


def named(key: str, content: bytes) -> str:
    return f"{key}-{digest(key, content)}{SUFFIX}"


def keep(folder: Path, key: str, content: bytes) -> Path:
    """Puts a finished file into its place in a single step."""
    path = folder / named(key, content)
    handle, unfinished = tempfile.mkstemp(dir=folder, prefix="unfinished-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(unfinished, 0o700)
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        if not path.exists():  # another process may have been first, and have it open
            raise
    return path


def remove_oldest(folder: Path, newest: Path) -> None:
    """So that the rest takes as much room as it may. What another process removes meanwhile is not missed."""
    entries = []
    for path in folder.glob(f"*-*{SUFFIX}"):
        with suppress(OSError):
            entries.append((path.stat().st_mtime, path.stat().st_size, path))
    room = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if room <= MOST_BYTES or path == newest:
            continue
        with suppress(OSError):
            path.unlink()
            room -= size


def cache_folder() -> Path:
    """The user's own; where others may write to it, or it cannot be made, a private one that ends with the process."""
    folder = platform_folder()
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if is_own(folder.lstat(), stat.S_ISDIR) and os.access(folder, os.W_OK):
            return folder
    return private_folder()


def platform_folder() -> Path:
    home = Path.home() if os.environ.get("HOME") or sys.platform == "win32" else Path(tempfile.gettempdir(), "nobody")
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        given = os.environ.get("XDG_CACHE_HOME", "")
        base = Path(given) if os.path.isabs(given) else home / ".cache"
    return base / "scalar-autograd" / "compiled"


@cache
def private_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="scalar-autograd-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def is_own(status: os.stat_result, is_of_kind: object) -> bool:
    """Whether it is the user's, of this kind, and nobody else may write to it."""
    assert callable(is_of_kind)
    if not is_of_kind(status.st_mode):
        return False
    return sys.platform == "win32" or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)
