"""Files: written whole or not at all, whatever goes wrong; read where they are files."""

from __future__ import annotations

import errno
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from autograd import files

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other files")


def only(path, content):
    """There is that file with that content, and nothing beside it."""
    return [*path.parent.iterdir()] == [path] and path.read_bytes() == content


@pytest.mark.parametrize(("content", "written"), [(b"\x00\r\n", b"\x00\r\n"), ("α\n", "α\n".encode()), ("", b"")])
@pytest.mark.parametrize("kind", [str, Path])
def test_bytes_and_text_are_written_as_they_are(tmp_path, content, written, kind):
    files.write(kind(tmp_path / "a.txt"), content)
    assert only(tmp_path / "a.txt", written)


def test_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a longer old content")
    files.write(path, "new")
    assert only(path, b"new")


@on_posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_an_old_files_permissions_are_kept(tmp_path, mode):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)
    files.write(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@on_posix
def test_a_new_files_permissions_are_the_users(tmp_path):
    files.write(tmp_path / "a.txt", "new")
    (tmp_path / "b.txt").write_text("new")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def full(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupted(*arguments):
    raise KeyboardInterrupt


@pytest.mark.parametrize(("failure", "error"), [(full, OSError), (interrupted, KeyboardInterrupt)])
@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace"), (files.shutil, "copymode")])
def test_after_a_failure_the_old_file_is_unchanged(tmp_path, monkeypatch, owner, name, failure, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failure)
        with pytest.raises(error) as caught:
            files.write(path, "new", "the drawing")
    if error is OSError:
        assert caught.value.errno == errno.ENOSPC
        assert caught.value.filename == str(path)
        assert "the drawing is not saved, what was there is unchanged: No space left" in str(caught.value)
    assert only(path, b"old")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the file is not saved.*missing.a\.txt"):
        files.write(tmp_path / "missing" / "a.txt", "new")
    assert [*tmp_path.iterdir()] == []


def test_a_path_through_a_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="the file is not saved"):
        files.write(path / "b.txt", "new")
    assert only(path, b"old")


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(FileExistsError, match="expected a file, this is a folder or a device"):
        files.write(tmp_path / "a", "new")
    assert [*tmp_path.iterdir()] == [tmp_path / "a"]
    assert [*(tmp_path / "a").iterdir()] == []


@pytest.mark.parametrize("name", ["new/", "new/.", "new/..", "old.txt/"])
@pytest.mark.parametrize("kind", [str, str.encode], ids=["str", "bytes"])
def test_the_path_of_a_folder_is_none_of_a_file(tmp_path, name, kind):
    (tmp_path / "old.txt").write_bytes(b"old")
    path = kind(f"{tmp_path}/{name}")
    with pytest.raises(IsADirectoryError, match=r"is not saved, .*: expected the path of a file") as caught:
        files.write(path, "new")
    assert (caught.value.errno, caught.value.filename) == (errno.EISDIR, path)
    with pytest.raises(IsADirectoryError, match="expected the path of a file, this is one of a folder"):
        files.read(path)
    assert only(tmp_path / "old.txt", b"old")


def test_bytes_are_a_path_too(tmp_path):
    path = os.fsencode(tmp_path / "ä.txt")
    files.write(path, "new")
    assert files.read(path) == b"new"
    for read_or_write in (files.read, lambda wrong: files.write(wrong, "new")):
        with pytest.raises(TypeError, match=r"expected str, bytes or os\.PathLike object, not int"):
            read_or_write(3)


@on_posix
def test_a_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="expected a file, this is a folder or a device"):
        files.write(tmp_path / "pipe", "new")
    assert (tmp_path / "pipe").is_fifo()


@on_posix
@pytest.mark.parametrize("old", ["old", None])
def test_a_link_stays_one(tmp_path, old):
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "a.txt", tmp_path / "link.txt"
    if old:
        target.write_text(old)
    link.symlink_to(target)
    files.write(link, "new")
    assert link.is_symlink()
    assert only(target, b"new")


# ---- what is unfinished

SAVE = """
import os, signal, sys
from pathlib import Path
from autograd import files
folder, moment = Path(sys.argv[1]), sys.argv[2]

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

owner, name = {"locking": (files, "lock"), "flushing": (os, "fsync"), "moving": (Path, "replace")}[moment]
setattr(owner, name, die)
files.write(folder / "a.txt", "new")
"""


def python(*arguments):
    return subprocess.Popen([sys.executable, "-c", *map(str, arguments)], cwd=Path(files.__file__).parents[1])


@on_posix
@pytest.mark.parametrize("moment", ["locking", "flushing", "moving"])
def test_what_a_killed_process_left_is_removed_by_the_next_write_to_the_folder(tmp_path, moment):
    (tmp_path / "a.txt").write_text("old")
    assert python(SAVE, tmp_path, moment).wait() == -signal.SIGKILL
    assert (tmp_path / "a.txt").read_text() == "old"
    assert len([*tmp_path.iterdir()]) == 2
    files.write(tmp_path / "b.txt", "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


SAVE_WITHOUT_END = """
import sys
from pathlib import Path
from autograd import files
print(flush=True)
for i in range(10**9):
    files.write(Path(sys.argv[1]) / "a.txt", f"{i}\\n" * 300_000)
"""


@on_posix
@pytest.mark.slow
def test_after_many_kills_the_file_is_whole_and_alone(tmp_path):
    path = tmp_path / "a.txt"
    draw, left = random.Random(3), 0
    for _ in range(30):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE_WITHOUT_END, str(tmp_path)],
            cwd=Path(files.__file__).parents[1],
            stdout=subprocess.PIPE,
        )
        with process:
            process.stdout.readline()
            time.sleep(draw.uniform(0.0, 0.1))
            process.kill()
        left += any(other != path for other in tmp_path.iterdir())
        if path.exists():
            lines = path.read_text().splitlines()
            assert len(lines) == 300_000
            assert len(set(lines)) == 1
    assert left > 0
    files.write(path, "new")
    assert only(path, b"new")


def unfinished_in(folder):
    return [path for path in folder.iterdir() if path.name.startswith(files.UNFINISHED)]


@on_posix
@pytest.mark.parametrize("age", [0, 2 * files.DAY])
def test_what_is_being_written_is_left_alone(tmp_path, monkeypatch, age):
    """Also what this process is writing, in another thread."""
    fsync = os.fsync

    def write_another(descriptor):
        monkeypatch.setattr(os, "fsync", fsync)
        os.utime(*unfinished_in(tmp_path), (time.time() - age,) * 2)
        files.write(tmp_path / "b.txt", "meanwhile")
        assert len(unfinished_in(tmp_path)) == 1

    monkeypatch.setattr(os, "fsync", write_another)
    files.write(tmp_path / "a.txt", "new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "new", "b.txt": "meanwhile"}


@on_posix
@pytest.mark.parametrize("has_closed", [True, False])
def test_a_writer_whose_file_was_removed_before_it_had_the_lock_begins_again(tmp_path, monkeypatch, has_closed):
    lock = files.lock
    with ExitStack() as removers:

        def remove_first(file):
            monkeypatch.setattr(files, "lock", lock)
            if has_closed:
                files.remove_abandoned(tmp_path)
            else:  # the other process has the lock, and is about to remove the file
                assert lock(removers.enter_context(open(file.name, "rb")))
            return lock(file)

        monkeypatch.setattr(files, "lock", remove_first)
        files.write(tmp_path / "a.txt", "new")
    assert only(tmp_path / "a.txt", b"new")


@on_posix
def test_threads_and_processes_that_write_to_one_folder_do_not_disturb_each_other(tmp_path):
    code = SAVE_WITHOUT_END.replace("10**9", "40").replace("300_000", "10")
    processes = [python(code, tmp_path) for _ in range(2)]

    def write_often(name):
        for i in range(40):
            files.write(tmp_path / name, f"{i}\n" * 10)
        return True

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(write_often, ["a.txt", "b.txt", "b.txt", "c.txt"]))
    assert [process.wait() for process in processes] == [0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt", "c.txt"]


OLD_NAME = ".0123456789abcdef.tmp"  # as release 0.1 named them; it held no locks


@on_posix
@pytest.mark.parametrize(
    ("name", "age", "locks", "is_removed"),
    [
        (f"{files.UNFINISHED}{files.HOST}-1.tmp", 0, "flock", True),
        (f"{files.UNFINISHED}elsewhere-1.tmp", 0, "flock", False),
        (f"{files.UNFINISHED}elsewhere-1.tmp", 2 * files.DAY, "flock", True),
        (f"{files.UNFINISHED}{files.HOST}-1.tmp", 0, "not in this file system", False),
        (f"{files.UNFINISHED}{files.HOST}-1.tmp", 2 * files.DAY, "not in this file system", True),
        (f"{files.UNFINISHED}{files.HOST}-1.tmp", 0, "not in this system", False),
        (f"{files.UNFINISHED}{files.HOST}-1.tmp", 2 * files.DAY, "not in this system", True),
        (OLD_NAME, 2 * files.DAY, "flock", False),
        ("mine.tmp", 2 * files.DAY, "flock", False),
    ],
    ids=range(9),
)
def test_what_cannot_be_known_to_be_abandoned_is_kept_for_a_day(tmp_path, monkeypatch, name, age, locks, is_removed):
    unfinished = tmp_path / name
    unfinished.write_text("half")
    os.utime(unfinished, (time.time() - age,) * 2)
    if locks == "not in this system":
        monkeypatch.setattr(files, "fcntl", None)
    elif locks == "not in this file system":

        def refused(*arguments):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(files.fcntl, "flock", refused)
    files.write(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert unfinished.exists() is not is_removed
    assert len([*tmp_path.iterdir()]) == 1 + (not is_removed)


@on_posix
def test_what_only_has_the_name_of_an_unfinished_file_is_left_alone(tmp_path):
    names = [f"{files.UNFINISHED}{files.HOST}-{i}.tmp" for i in range(3)]
    os.mkfifo(tmp_path / names[0])
    (tmp_path / names[1]).mkdir()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "target").write_text("content")
    (tmp_path / names[2]).symlink_to(tmp_path / "folder" / "target")
    files.write(tmp_path / "a.txt", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "a.txt", "folder"])
    assert (tmp_path / "folder" / "target").read_text() == "content"


@on_posix
def test_the_longest_name_can_be_written(tmp_path):
    files.write(tmp_path / ("a" * 255), "new")
    assert only(tmp_path / ("a" * 255), b"new")


# ---- reading


@pytest.mark.parametrize("content", [b"", b"\x00\r\n", b"x" * 300_000])
@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_read_whole(tmp_path, content, kind):
    (tmp_path / "a.bin").write_bytes(content)
    assert files.read(kind(tmp_path / "a.bin")) == content


@on_posix
def test_a_link_is_read_as_what_it_stands_for(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "a.bin")
    assert files.read(tmp_path / "link") == b"content"


def test_what_is_not_there_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.bin"):
        files.read(tmp_path / "missing.bin")


def test_a_folder_cannot_be_read(tmp_path):
    with pytest.raises(IsADirectoryError, match="expected a file, this is a folder, a device or a pipe") as caught:
        files.read(tmp_path)
    assert (caught.value.errno, caught.value.filename) == (errno.EISDIR, str(tmp_path))


@on_posix
def test_a_pipe_to_which_nobody_writes_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"this is a folder, a device or a pipe: .*pipe'") as caught:
        files.read(tmp_path / "pipe")
    assert (caught.value.errno, caught.value.filename) == (errno.EINVAL, str(tmp_path / "pipe"))


@on_posix
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_read(device):
    with pytest.raises(OSError, match=f"expected a file, this is a folder, a device or a pipe: '{device}'"):
        files.read(device)


@on_posix
def test_a_socket_is_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(OSError, match="expected a file, this is a folder, a device or a pipe"):
            files.read("socket")


def test_a_file_that_grows_while_it_is_read_ends_where_it_ended(tmp_path, monkeypatch):
    path = tmp_path / "log"
    path.write_bytes(b"old")
    status = os.fstat

    def growing(descriptor):
        found = status(descriptor)
        with path.open("ab") as file:
            file.write(b"new")
        return found

    monkeypatch.setattr(os, "fstat", growing)
    assert files.read(path) == b"old"
