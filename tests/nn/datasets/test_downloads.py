"""A downloaded file is found where the user says that it is, or it is said where to get it."""

from __future__ import annotations

import re

import pytest

from nn.datasets.downloads import downloaded


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUTOGRAD_DATA", raising=False)
    for folder in ("here", "there", "data"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "letters.txt").write_text(folder)
    return "letters.txt"


def test_it_is_in_the_folder_that_was_given_then_the_variable_s_then_data(file, monkeypatch):
    assert downloaded(file, "get it").read_text() == "data"
    monkeypatch.setenv("AUTOGRAD_DATA", "there")
    assert downloaded(file, "get it").read_text() == "there"
    assert downloaded(file, "get it", "here").read_text() == "here"
    monkeypatch.setenv("AUTOGRAD_DATA", "")
    assert downloaded(file, "get it").read_text() == "data"


@pytest.mark.parametrize("folder", [5, b"here", ["here"], True])
def test_a_folder_that_is_no_path(folder):
    with pytest.raises(TypeError, match="folder: expected the path of the folder that letters is in, or None, got"):
        downloaded("letters", "get it", folder)


def test_data_is_found_from_a_folder_within_the_project(file, tmp_path, monkeypatch):
    (tmp_path / "notebooks" / "landmarks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks" / "landmarks")
    assert downloaded(file, "get it").read_text() == "data"
    where = re.escape(f"{str(tmp_path / 'notebooks' / 'landmarks' / 'data')!r} or in that of a folder above: get it")
    with pytest.raises(FileNotFoundError, match=where):
        downloaded("no.txt", "get it")
    monkeypatch.setenv("AUTOGRAD_DATA", "there")  # from here
    with pytest.raises(FileNotFoundError, match=r"is not in '[^']*there': get it"):
        downloaded(file, "get it")


@pytest.mark.parametrize("name", ["nothing.txt", "here"])
def test_where_it_is_not_it_is_said_where_to_get_it(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    with pytest.raises(
        FileNotFoundError, match=re.escape(f"{name} is not in {str(tmp_path)!r}: ask your librarian; put it there")
    ):
        downloaded(name, "ask your librarian", ".")
