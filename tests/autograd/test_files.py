"""Files: written whole or not at all, whatever goes wrong."""

from __future__ import annotations

import errno
import os
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
