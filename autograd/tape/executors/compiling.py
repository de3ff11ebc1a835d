"""compiled() makes functions of a text in C: the system's compiler does, and a cache on the disk keeps the result.

What lies in the cache is code, so only the user's own is run: from a folder to which nobody else may write, from a file
of the user's, and after its digest has been compared with the one in its name.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BYTES = 1 << 28  # in the cache; the oldest go
ABANDONED = 24 * 3600  # seconds
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
    named = command_named()
    for command in [named] if named else [[name] for name in COMPILERS]:
        found = shutil.which(command[0])
        if found:
            return [found, *command[1:]]
    return None


def command_named() -> list[str]:
    """The words of the variable CC."""
    text = os.environ.get("CC", "")
    try:
        return text.split() if sys.platform == "win32" else shlex.split(text)
    except ValueError:  # a quotation that does not end
        return text.split()


def missing() -> str:
    """Why nothing can be compiled here; "" if it can."""
    if sys.platform == "emscripten":
        return "there is no C compiler in a browser"
    if compiler():
        return ""
    if named := command_named():
        return f"the variable CC names the compiler {named[0]!r}, which is not found: correct it, or unset it"
    return "it needs a C compiler, gcc or clang: install one, or set the variable CC to its command"


def compiled(text: str, options: Sequence[str] = ()) -> ctypes.CDLL:
    """The functions of the text. Raises CompilingError if there is no compiler, or if it fails."""
    command = compiler()
    if command is None:
        raise CompilingError(f"cannot compile: {missing()}")
    tuned, identity = identified(tuple(command))
    flags = [*FLAGS, *tuned, *options]
    parts = [text, identity, *flags, sys.platform]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    try:
        return kept(cache_folder(), key, [*command, *flags], text)
    except OSError:  # there is no room left, or nothing may be run from there
        try:
            return kept(private_folder(), key, [*command, *flags], text)
        except OSError as error:
            raise CompilingError(f"cannot compile: what {command[0]} has made cannot be loaded: {error}") from None


def kept(folder: Path, key: str, command: Sequence[str], text: str) -> ctypes.CDLL:
    """The functions from the folder, into which they are put if they are not there."""
    path = found(folder, key)
    if path is None:
        path = keep(folder, key, build(command, text))
        remove_oldest(folder, path)
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


@cache
def identified(command: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Flags for this processor, if the compiler knows them; and what tells it, and the processor, from others."""
    said = ""
    for tuned in (("-march=native",), ("-mcpu=native",), ()):
        result = run([*command, *tuned, "-dM", "-E", "-x", "c", os.devnull])
        said = result.stderr
        if result.returncode == 0:
            return tuned, "\0".join([*command, result.stdout])
    raise CompilingError(f"cannot compile: {' '.join(command)} does not work as a C compiler: {shortened(said)}")


def run(command: Sequence[str], text: str = "", folder: str | None = None) -> subprocess.CompletedProcess[str]:
    """What came of it. An interrupt stops all that the compiler has started; its temporary files are in the folder."""
    environment = os.environ | {"LC_ALL": "C"} | ({"TMPDIR": folder} if folder else {})
    group = None if sys.platform == "win32" else 0  # one of its own
    pipe = subprocess.PIPE
    try:
        with subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8", errors="replace", env=environment,
            process_group=group,
        ) as process:  # fmt: skip
            try:
                out, said = process.communicate(text)
            except BaseException:
                stop(process)
                raise
    except OSError as error:
        raise CompilingError(f"cannot compile: {command[0]}: {error.strerror}") from None
    return subprocess.CompletedProcess(command, process.returncode, out, said)


def stop(process: subprocess.Popen[str]) -> None:
    """With those that it has started."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(OSError):  # it may have ended
        os.killpg(process.pid, signal.SIGKILL)


def build(command: Sequence[str], text: str) -> bytes:
    """The compiled file's content. It is made where temporary files are, and leaves none there."""
    libraries = [] if sys.platform == "win32" else ["-lm"]
    with tempfile.TemporaryDirectory(prefix="scalar-autograd-", ignore_cleanup_errors=True) as own:
        path = Path(own, f"program{SUFFIX}")
        result = run([*command, "-o", str(path), "-x", "c", "-", *libraries], text, own)
        if result.returncode != 0:
            raise CompilingError(f"cannot compile: {command[0]} failed: {shortened(result.stderr)}")
        if not path.exists():
            raise CompilingError(f"cannot compile: {command[0]} has made no file: {shortened(result.stderr)}")
        return path.read_bytes()


def shortened(said: str) -> str:
    said = said.strip() or "it said nothing"
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
    """So that the rest takes as much room as it may. What another process removes meanwhile is not missed.

    What is unfinished for so long is of a process that was killed.
    """
    for path in folder.glob("unfinished-*"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > ABANDONED:
                remove = shutil.rmtree if stat.S_ISDIR(path.lstat().st_mode) else os.unlink
                remove(path)
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
    with suppress(OSError, RuntimeError):  # there may be no home
        folder = platform_folder()
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        are_own = all(is_own(each.lstat(), stat.S_ISDIR) for each in (folder.parent, folder))
        if are_own and not may_be_exchanged(folder.parent) and os.access(folder, os.W_OK):
            return folder
    return private_folder()


def platform_folder() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        given = os.environ.get("XDG_CACHE_HOME", "")
        base = Path(given) if os.path.isabs(given) else home / ".cache"
    return base / "scalar-autograd" / "compiled"


def private_folder() -> Path:
    return made_private(os.getpid())


@cache
def made_private(process: int) -> Path:
    """That of this process. A child that was forked must not remove its parent's."""
    folder = tempfile.mkdtemp(prefix="scalar-autograd-")
    atexit.register(remove_private, folder, process)
    return Path(folder)


def remove_private(folder: str, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def may_be_exchanged(folder: Path) -> bool:
    """Whether any user may put another in its place: unless the sticky bit is set, where it lies all may write."""
    mode = folder.parent.stat().st_mode
    return sys.platform != "win32" and bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def is_own(status: os.stat_result, is_of_kind: object) -> bool:
    """Whether it is the user's, of this kind, and nobody else may write to it."""
    assert callable(is_of_kind)
    if not is_of_kind(status.st_mode):
        return False
    return sys.platform == "win32" or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)
