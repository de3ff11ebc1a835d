"""Files: written whole or not at all, whatever goes wrong; read where they are files."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
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
    with pytest.raises(OSError, match="expected a file, this is a folder, a device or a pipe.*pipe'") as caught:
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
