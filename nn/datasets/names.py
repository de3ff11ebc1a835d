"""First names, letter by letter: those of the census of the United States of 1990, which come with the package names.

A name is a sequence of tokens: a letter is its place in the alphabet, and NAME_END stands before and behind the name.
"""

from __future__ import annotations

import random
import string
from reprlib import repr as shortened
from typing import TYPE_CHECKING, NamedTuple

from autograd import packages
from nn.arguments import at_least, is_sequence
from nn.datasets.downloads import downloaded

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable
    from pathlib import Path

LETTERS = string.ascii_lowercase
NAME_END = len(LETTERS)
NAME_TOKENS = NAME_END + 1  # how many there are

COUNTS = {"dist.female.first": 4275, "dist.male.first": 1219}  # the files, and how many lines they have
COLUMNS = "NAME, per cent, per cent so far, rank, as MARY 2.629 2.629 1"


class Names(NamedTuple):
    """Names to learn from, and others, held out; no name is in both."""

    training: list[str]
    held_out: list[str]


def census_names(folder: str | os.PathLike[str] | None = None) -> Names:
    """5,163 different first names, in small letters, from 2 to 11 of them: 4,646 to learn from, and 517 held out.

    The files of the package have a list for women and one for men, each by frequency. 331 names are in both: they are
    merged, sorted and shuffled before they are split, always in the same way, lest a name is learned and held out too.

    Arguments:
        folder: where the files dist.female.first and dist.male.first are; None takes those of the package names.

    Raises ImportError if the package is missing, FileNotFoundError if there is no such file in the folder, and
    ValueError, naming the line, for a file that is damaged or another one.
    Source: U.S. Census Bureau, "Frequently occurring names in the 1990 census"; package names 0.3.0, by T. Hunner, MIT.

    >>> training, held_out = census_names()
    >>> len(training), len(held_out), training[:3]
    (4646, 517, ['ling', 'austin', 'hertha'])
    """
    contents = {file: file_of(file, folder).read_bytes() for file in COUNTS}
    names = sorted({name for file, content in contents.items() for name in names_of(file, content)})
    random.Random(0).shuffle(names)
    most = 9 * len(names) // 10
    return Names(names[:most], names[most:])


def names_of(file: str, content: bytes) -> list[str]:
    """The names in a file of the census. Its last column counts the lines, so none can be missing or elsewhere."""
    lines = content.decode("latin-1").splitlines()
    names = []
    for number, line in enumerate(lines, 1):
        columns = line.split()
        if len(columns) != 4 or columns[3] != str(number) or not is_name(columns[0]):
            raise ValueError(f"{file}: line {number}: expected {COLUMNS}, with rank {number}, got {line[:60]!r}")
        names.append(columns[0].lower())
    if len(names) != COUNTS[file] or len({*names}) != len(names):
        raise ValueError(f"{file}: expected {COUNTS[file]:,} different names, got {len({*names}):,}: is it whole?")
    return names


def is_name(text: str) -> bool:
    return text.isascii() and text.isalpha() and text.isupper()


def seen_and_next(name: str) -> tuple[list[int], list[int]]:
    """What a model sees of a name, place by place, and the token that comes next at each: the input, and the target.

    Raises ValueError for a name with anything but the letters a to z, TypeError for what is no string.

    >>> seen_and_next("ada")
    ([26, 0, 3, 0], [0, 3, 0, 26])
    """
    if not isinstance(name, str):
        raise TypeError(f"seen_and_next: expected a name, got {shortened(name)}")
    if not {*name} <= {*LETTERS}:
        raise ValueError(f"seen_and_next: expected a name in the letters a to z, got {shortened(name)}")
    tokens = [LETTERS.index(letter) for letter in name]
    return [NAME_END, *tokens], [*tokens, NAME_END]


def spelt(tokens: Iterable[int]) -> str:
    """The letters of tokens, without NAME_END.

    Raises ValueError for a token below 0 or above NAME_END, TypeError for what is no sequence of ints.

    >>> spelt([26, 0, 3, 0, 26])
    'ada'
    """
    if not is_sequence(tokens):
        raise TypeError(f"spelt: expected a sequence of tokens, got {shortened(tokens)}")
    numbers = [at_least(0, "spelt: a token", token) for token in tokens]
    if max(numbers, default=0) > NAME_END:
        raise ValueError(f"spelt: expected tokens from 0 to {NAME_END}, got {max(numbers)}")
    return "".join(LETTERS[number] for number in numbers if number != NAME_END)


def file_of(name: str, folder: str | os.PathLike[str] | None) -> Path | Traversable:
    """A file of the census: of the package, or in a folder that was given."""
    from importlib.resources import files

    if folder is not None:
        return downloaded(name, "it is in the package names", folder)
    try:
        return files("names").joinpath(name)
    except ImportError as error:
        raise ImportError(f"census_names come with the package names: {packages.install('names')}") from error
