"""The digits of zip codes are read as they are; a file that is damaged, or another one, is refused.

The files have no licence: those that are read here are drawn at random, and the real ones are looked at where they are.
"""

from __future__ import annotations

import gzip
import importlib
import zlib

import numpy as np
import pytest

from nn.datasets import zip_codes

COUNTS = {"zip.train.gz": 30, "zip.test.gz": 20}
module = importlib.import_module("nn.datasets.zip_codes")  # as an attribute it is the function


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Both files in small: the lines of each, and how to write others in their place."""
    lines, classes = {}, {}
    for name, count in COUNTS.items():
        generator = np.random.default_rng(count)
        targets, pixels = generator.integers(10, size=count), generator.integers(-1000, 1001, (count, 256)) / 1000
        lines[name] = [
            " ".join([f"{target:.4f}", *[f"{pixel:.4f}" for pixel in row], ""])
            for target, row in zip(targets, pixels, strict=True)
        ]
        classes[name] = count, zlib.crc32(bytes(targets.tolist()))
        (tmp_path / name).write_bytes(compressed(lines[name]))
    monkeypatch.setattr(module, "CLASSES", classes)
    return lines


def compressed(lines: list[str], encoding: str = "ascii") -> bytes:
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(encoding))


def test_what_is_read_is_what_was_written(files, tmp_path):
    for part, lines in zip(zip_codes(tmp_path), files.values(), strict=True):
        written = np.array([line.split() for line in lines], float)
        assert part.targets.tolist() == written[:, 0].tolist()
        assert part.inputs.tolist() == written[:, 1:].tolist()
        assert (part.inputs.dtype, part.targets.dtype) == (np.float64, np.int64)
        assert part.inputs.flags.c_contiguous


@pytest.mark.parametrize("form", ["{:g}", "{:.6e}", "{:+.3f}"])
def test_the_numbers_may_be_written_otherwise(form, files, tmp_path):
    before = zip_codes(tmp_path)
    for name, lines in files.items():
        others = ["\t".join([form.format(float(number)) for number in line.split()]) + "\r" for line in lines]
        (tmp_path / name).write_bytes(compressed(others))
    for part, other in zip(before, zip_codes(tmp_path), strict=True):
        assert part.targets.tolist() == other.targets.tolist()
        assert part.inputs.tolist() == other.inputs.tolist()


def test_the_folder_may_be_named_by_the_environment(files, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_DATA", str(tmp_path))
    assert len(zip_codes().training.targets) == 30


@pytest.mark.parametrize("name", COUNTS)
def test_where_one_is_missing_it_is_said_where_to_get_it(name, files, tmp_path):
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is not in .*The Elements of Statistical Learning"):
        zip_codes(tmp_path)


def without(lines, k):
    return lines[:k] + lines[k + 1 :]


def changed(lines, word, other):
    """The third line with another number in the place of its word of that place."""
    words = lines[2].split()
    words[word] = other
    return [*lines[:2], " ".join(words), *lines[3:]]


def cut(lines, at):
    return gzip.compress("\n".join(lines).encode()[:at])


DAMAGES = {
    "a line less": (lambda lines: compressed(without(lines, 7)), "expected 20 digits, got 19"),
    "a line more": (lambda lines: compressed([*lines, lines[0]]), "expected 20 digits, got 21"),
    "the end is missing": (lambda lines: cut(lines, 9000), "257|columns"),
    "sorted": (lambda lines: compressed(sorted(lines)), "other digits than expected, or in another order"),
    "backwards": (lambda lines: compressed(lines[::-1]), "other digits than expected, or in another order"),
    "another digit": (
        lambda lines: compressed(changed(lines, 0, "5" if float(lines[2].split()[0]) != 5.0 else "4")),
        "other digits than expected",
    ),
    "the class at the end": (
        lambda lines: compressed([" ".join([*line.split()[1:], line.split()[0]]) for line in lines]),
        "expected a digit from 0 to 9 in each line, and then pixels from -1 to 1",
    ),
    "classes from 1 to 10": (
        lambda lines: compressed([" ".join(["10.0", *line.split()[1:]]) for line in lines]), "a digit from 0 to 9",
    ),
    "half a class": (lambda lines: compressed(changed(lines, 0, "2.5")), "a digit from 0 to 9"),
    "grey values up to 255": (lambda lines: compressed(changed(lines, 9, "255")), "pixels from -1 to 1"),
    "no number": (lambda lines: compressed(changed(lines, 9, "nan")), "pixels from -1 to 1"),
    "a word": (lambda lines: compressed(changed(lines, 9, "ink")), "ink"),
    "a comment": (lambda lines: compressed(["# digits", *lines]), "#"),
    "a column less": (
        lambda lines: compressed([" ".join(line.split()[:-1]) for line in lines]),
        "expected 257 numbers in each line, got 256",
    ),
    "a line is shorter": (lambda lines: compressed([lines[0], lines[1][:-9], *lines[2:]]), "columns"),
    "another data set": (lambda lines: compressed(["5.1,3.5,1.4,0.2,setosa"]), "setosa"),
    "nothing in it": (lambda lines: gzip.compress(b""), "it is empty"),
    "blank": (lambda lines: gzip.compress(b"\n \n"), "it is empty"),
    "an empty file": (lambda lines: b"", "it is empty"),
    "UTF-16": (lambda lines: compressed(lines, "utf-16"), "expected a text of numbers"),
    "a picture": (lambda lines: gzip.compress(bytes(range(256))), "expected a text of numbers"),
    "not compressed": (lambda lines: gzip.decompress(compressed(lines)), "damaged, or not compressed by gzip"),
    "cut off": (lambda lines: compressed(lines)[:-500], "damaged, or not compressed by gzip"),
    "a byte in the middle": (
        lambda lines: (raw := compressed(lines))[:900] + bytes([raw[900] ^ 255]) + raw[901:],
        "damaged, or not compressed by gzip|expected",
    ),
    "a web page": (lambda lines: b"<html>404</html>", "damaged, or not compressed by gzip"),
}  # fmt: skip


@pytest.mark.parametrize(("damaged", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_file_that_is_damaged_or_another_one_is_refused(damaged, message, files, tmp_path):
    (tmp_path / "zip.test.gz").write_bytes(damaged(files["zip.test.gz"]))
    with pytest.raises(ValueError, match=rf"zip\.test\.gz: .*({message})") as raised:
        zip_codes(tmp_path)
    assert type(raised.value) is ValueError
    assert "get the file anew" in str(raised.value)


def test_the_parts_are_not_taken_for_each_other(files, tmp_path):
    (tmp_path / "zip.train.gz").rename(tmp_path / "zip.test.gz")
    (tmp_path / "zip.train.gz").write_bytes(compressed(files["zip.test.gz"]))
    with pytest.raises(ValueError, match=r"zip\.train\.gz: expected 30 digits, got 20"):
        zip_codes(tmp_path)


def test_the_real_digits():
    try:
        training, held_out = zip_codes()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert (training.inputs.shape, held_out.inputs.shape) == ((7291, 256), (2007, 256))
    counts = [np.bincount(part.targets).tolist() for part in (training, held_out)]
    assert counts == [
        [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644],
        [359, 264, 198, 166, 200, 160, 170, 147, 166, 177],
    ]
    images = [row.tobytes() for part in (training, held_out) for row in part.inputs]
    assert len({*images}) == len(images)
    for part in (training, held_out):
        assert (part.inputs.min(), part.inputs.max()) == (-1.0, 1.0)
