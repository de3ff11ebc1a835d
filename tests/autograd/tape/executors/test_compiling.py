"""Compiled texts and their cache: what is not the user's own, or not whole, is never run."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time

import pytest

from autograd.tape.executors import compiling

pytestmark = [
    pytest.mark.skipif(bool(compiling.missing()), reason=f"compiling: {compiling.missing()}"),
    pytest.mark.skipif(sys.platform == "win32", reason="permissions are another matter there"),
]
TEXT = "int answer(void) { return 42; }"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(compiling, "platform_folder", lambda: tmp_path / "cache" / "compiled")
    return tmp_path / "cache" / "compiled"


@pytest.fixture
def builds(monkeypatch):
    """How often the compiler was run."""
    counts = []
    build = compiling.build
    monkeypatch.setattr(compiling, "build", lambda *arguments: counts.append(1) or build(*arguments))
    return counts


def test_a_text_is_compiled_once(folder, builds):
    assert [compiling.compiled(TEXT).answer() for _ in range(3)] == [42] * 3
    assert len(builds) == 1
    assert compiling.compiled(TEXT + "\n").answer() == 42
    assert compiling.compiled(TEXT, ["-O1"]).answer() == 42
    assert len(builds) == 3
    assert len([*folder.iterdir()]) == 3  # and nothing unfinished


@pytest.mark.parametrize("damage", ["truncated", "changed", "of another text", "writable by others", "a link"])
def test_a_damaged_or_foreign_entry_is_built_again_and_never_run(folder, builds, damage, tmp_path):
    compiling.compiled(TEXT)
    [path] = folder.iterdir()
    content = path.read_bytes()
    path.unlink()  # it is loaded, and must not change
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "changed":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "of another text":
        compiling.compiled(TEXT.replace("42", "43"))
        [other] = folder.iterdir()
        path.write_bytes(other.read_bytes())
    elif damage == "writable by others":
        path.write_bytes(content)
        path.chmod(0o777)
    else:
        (tmp_path / "elsewhere").write_bytes(content)
        path.symlink_to(tmp_path / "elsewhere")
    before = len(builds)
    assert compiling.compiled(TEXT).answer() == 42
    assert len(builds) == before + 1
    [path] = folder.glob(path.name)
    assert path.read_bytes() == content or compiling.digest(path.name[:64], path.read_bytes()) in path.name
    assert not path.is_symlink()
    assert not path.stat().st_mode & 0o022


def test_a_folder_to_which_others_may_write_is_not_used(folder):
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert compiling.compiled(TEXT).answer() == 42
    assert [*folder.iterdir()] == []
    private = compiling.cache_folder()
    assert private != folder
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@pytest.mark.parametrize(("mode", "is_used"), [(0o777, False), (0o1777, True), (0o755, True), (0o775, True)])
def test_nor_one_that_others_may_exchange(tmp_path, monkeypatch, mode, is_used):
    """Where it lies all may write: but not with the sticky bit, as of /tmp, whose folders only their owners move."""
    monkeypatch.setattr(compiling, "platform_folder", lambda: tmp_path / "base" / "own" / "compiled")
    (tmp_path / "base").mkdir()
    (tmp_path / "base").chmod(mode)
    assert (compiling.cache_folder() == compiling.platform_folder()) == is_used


def test_without_a_home_the_folder_is_private(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(compiling.Path, "home", no_home)
    assert compiling.cache_folder() == compiling.private_folder()


def test_the_oldest_entries_go(folder, monkeypatch):
    compiling.compiled(TEXT)
    [first] = folder.iterdir()
    os.utime(first, (1, 1))
    monkeypatch.setattr(compiling, "MOST_BYTES", first.stat().st_size * 3 // 2)
    compiling.compiled(TEXT.replace("42", "43"))
    assert len([*folder.iterdir()]) == 1
    assert not first.exists()


def test_an_error_of_the_compiler_is_told_and_leaves_nothing(folder):
    with pytest.raises(compiling.CompilingError, match=r"(?s)cannot compile: .* failed: .*error"):
        compiling.compiled("int answer(void) { return x; }")
    assert [*folder.iterdir()] == []


def test_a_compiler_that_is_none_is_told(folder, monkeypatch):
    monkeypatch.setenv("CC", sys.executable)
    with pytest.raises(compiling.CompilingError, match="does not work as a C compiler"):
        compiling.compiled(TEXT)


def command(folder, body):
    """A compiler that tells its macros as another does, and then does something else."""
    path = folder / "a compiler"
    first = f'case "$*" in *-dM*) exec {compiling.compiler()[0]} "$@";; esac'
    path.write_text(f"#!/bin/sh\n{first}\n{body}\n", encoding="utf-8")
    path.chmod(0o700)
    return f"'{path}' -O1"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("exit 0", "has made no file: it said nothing"),
        ('while [ "$1" != -o ]; do shift; done; echo junk > "$2"', "has made cannot be loaded: .*file too short"),
        ("kill -9 $$", "failed: it said nothing"),
        ("echo no >&2; exit 1", "failed: no"),
    ],
)
def test_a_compiler_that_makes_nothing_of_use_is_told_and_leaves_nothing(folder, tmp_path, monkeypatch, body, said):
    monkeypatch.setattr(compiling, "private_folder", lambda: tmp_path)
    monkeypatch.setenv("CC", command(tmp_path, body))
    with pytest.raises(compiling.CompilingError, match=f"(?s)cannot compile: .*{said}"):
        compiling.compiled(TEXT)
    assert [*folder.iterdir()] == []
    assert [*tmp_path.glob("*.so")] == []


def test_warnings_and_a_path_with_a_space_are_no_matter(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("CC", command(tmp_path, f'echo warning >&2; echo said; exec {compiling.compiler()[0]} "$@"'))
    assert compiling.compiled(TEXT).answer() == 42


@pytest.mark.parametrize("named", ["no-such-compiler -O1", "'no-such-compiler", "/nowhere/gcc"])
def test_a_compiler_that_is_named_but_not_there_is_told(folder, monkeypatch, named):
    """Another is not taken in its place."""
    monkeypatch.setenv("CC", named)
    with pytest.raises(compiling.CompilingError, match=r"CC names the compiler .*, which is not found"):
        compiling.compiled(TEXT)


@pytest.mark.parametrize("failing", ["written to", "run from"])
def test_where_the_folder_is_of_no_use_a_private_one_is(folder, tmp_path, monkeypatch, failing):
    """A full disk, or one from which nothing may be run."""
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr(compiling, "private_folder", lambda: private)
    called, name = (compiling.os, "replace") if failing == "written to" else (compiling.ctypes, "CDLL")
    real = getattr(called, name)

    def refusing(*arguments):
        if str(folder) in str(arguments[-1]):
            raise OSError(28, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(called, name, refusing)
    assert compiling.compiled(TEXT).answer() == 42
    assert [*folder.iterdir()] == []
    assert len([*private.iterdir()]) == 1


def test_what_a_killed_process_has_left_goes_in_the_end(folder):
    folder.mkdir(parents=True, mode=0o700)
    (folder / "unfinished-old").mkdir()
    (folder / "unfinished-old" / "program.so").touch()
    for name in ("unfinished-file", "unfinished-new"):
        (folder / name).touch()
    for name in ("unfinished-old", "unfinished-file"):
        os.utime(folder / name, (1, 1))
    compiling.compiled(TEXT)
    assert [path.name for path in folder.glob("unfinished-*")] == ["unfinished-new"]


def test_an_interrupt_leaves_nothing(folder, monkeypatch):
    def interrupted(*arguments, **keywords):
        raise KeyboardInterrupt

    compiling.identified(tuple(compiling.compiler()))
    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compiling.compiled(TEXT)
    assert [*folder.iterdir()] == []
    monkeypatch.undo()


def test_an_interrupt_ends_all_that_the_compiler_has_started(folder, tmp_path, monkeypatch):
    """gcc starts others, which write to a temporary folder, and would go on."""
    body = f'mktemp > /dev/null; (sleep 1; touch "{tmp_path}/went on") & touch "{tmp_path}/started"; wait'
    monkeypatch.setenv("CC", command(tmp_path, body))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()

    def communicate(process, text):
        if "-dM" in process.args:
            return real(process, text)
        while not (tmp_path / "started").exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    real = subprocess.Popen.communicate
    monkeypatch.setattr(subprocess.Popen, "communicate", communicate)
    with pytest.raises(KeyboardInterrupt):
        compiling.compiled(TEXT)
    time.sleep(1.3)
    assert not (tmp_path / "went on").exists()
    assert [*folder.iterdir(), *(tmp_path / "temporary").iterdir()] == []


def test_several_threads_may_compile_the_same(folder):
    found = []
    threads = [threading.Thread(target=lambda: found.append(compiling.compiled(TEXT).answer())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [42] * 4
    assert len([*folder.iterdir()]) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_leaves_its_parents_private_folder():
    """Both end in the usual way, and run what is to be done then."""
    program = """
import os
from autograd.tape.executors import compiling
folder = compiling.private_folder()
if os.fork() == 0:
    assert compiling.private_folder() != folder
    raise SystemExit
os.wait()
print(folder.exists(), folder)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    exists, folder = done.stdout.split()
    assert exists == "True"
    assert not os.path.exists(folder)


def test_the_folder_is_that_of_the_platform(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compiling.platform_folder() == tmp_path / "scalar-autograd" / "compiled"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert compiling.platform_folder() == tmp_path / ".cache" / "scalar-autograd" / "compiled"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert compiling.platform_folder() == tmp_path / "Library" / "Caches" / "scalar-autograd" / "compiled"
