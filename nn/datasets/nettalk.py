"""The words that NETtalk learned to pronounce, with a phoneme for each letter; what it saw of them, and what it said.

The corpus is for research that is not commercial. It is not part of this project: a user downloads it. How a phoneme is
spoken, with the lips, the tongue and the voice, is in the table `ARTICULATION`.

Source: T. J. Sejnowski and C. R. Rosenberg, "Parallel networks that learn to pronounce English text", Complex Systems
1, 1987, 145-168. The corpus is theirs, of 1988; the list of common words was put together again by S. E. Fahlman.
"""

from __future__ import annotations

import re
from hashlib import sha256
from reprlib import repr as shortened
from typing import TYPE_CHECKING, NamedTuple

from autograd.packages import numpy
from autograd.wording import counted
from nn.arguments import real_array
from nn.datasets.downloads import downloaded

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[numpy.float64]
    Code = tuple[float, ...]

SOURCE = (
    'for research that is not commercial, the UCI Machine Learning Repository has it, as "Connectionist Bench (Nettalk '
    'Corpus)", with nettalk.data and nettalk.list'
)
WORDS, LIST = "nettalk.data", "nettalk.list"
# Of each file what there is, and the checksum of it, which does not depend on how lines end.
EXPECTED = {
    WORDS: (20_007, "9ec12f6698154ac81dec83a2d3fc7e7432fa5b37f2f04b8c91d2848410933c3e"),
    LIST: (1_000, "dae68a50be931913c85b5227b94f40c8e95a98d58dd4e18c21b4d5b6344b8384"),
}

WINDOW = 7  # letters: the one to be pronounced, and three on each side
SYMBOLS = "abcdefghijklmnopqrstuvwxyz .,"  # of a letter of the window; a blank is what is around a word

# Of consonants, the places are the lips, the teeth, the ridge behind them, the palate, the soft palate and the throat.
UNITS = [
    "front1", "front2", "central1", "central2", "back1", "back2", "stop", "nasal", "fricative", "affricate", "glide",
    "liquid", "voiced", "tensed", "high", "medium", "low", "silent", "elide", "pause", "full stop",
]  # fmt: skip
ARTICULATION = {
    "a": "low tensed central2", "A": "medium tensed front2 central1", "@": "low front2", "b": "voiced front1 stop",
    "c": "medium back1", "C": "central2 affricate", "d": "voiced central1 stop", "D": "voiced front2 fricative",
    "e": "medium tensed front2", "E": "medium front1 front2", "f": "front1 fricative", "g": "voiced back1 stop",
    "G": "voiced back1 nasal", "h": "back2 glide", "i": "high tensed front1", "I": "high front1",
    "J": "voiced back1 nasal", "k": "back1 stop", "K": "central2 fricative back1 affricate",
    "l": "voiced front2 liquid", "L": "voiced central1 liquid", "m": "voiced front1 nasal",
    "M": "voiced front2 nasal", "n": "voiced central1 nasal", "N": "voiced central2 nasal",
    "o": "medium tensed back2", "O": "medium tensed central1 central2", "p": "front1 stop",
    "Q": "voiced front1 back1 affricate stop", "r": "voiced central2 liquid", "R": "voiced back1 liquid",
    "s": "central1 fricative", "S": "central2 fricative", "t": "central1 stop", "T": "front2 fricative",
    "u": "high tensed back2", "U": "high back1", "v": "voiced front1 fricative", "w": "voiced front1 glide",
    "W": "high medium tensed central2 back1", "x": "medium central2", "X": "affricate front2 central1",
    "y": "voiced central2 glide", "z": "voiced central1 fricative", "Y": "high tensed front1 front2 central1",
    "Z": "voiced central2 fricative", "!": "front1 front2 affricate", "#": "voiced central2 back1 affricate",
    "*": "voiced glide front1 low central1", "^": "low central1", "+": "medium tensed central2", "-": "silent elide",
}  # fmt: skip
STRESS_UNITS = ["right", "left", "strong", "weak", "boundary"]
STRESS = {"<": "left", ">": "right", "0": "weak", "1": "strong weak", "2": "strong"}


def codes(table: dict[str, str], units: list[str]) -> dict[str, Code]:
    """Of each symbol the numbers of the units, 1 for one that is on, else 0."""
    return {symbol: tuple(float(unit in names.split()) for unit in units) for symbol, names in table.items()}


PHONEMES, STRESSES = codes(ARTICULATION, UNITS), codes(STRESS, STRESS_UNITS)
ALLOWED = {"small letters": {*SYMBOLS[:26]}, "phonemes": {*ARTICULATION}, "stresses": {*STRESS}}


class Word(NamedTuple):
    """A word, and for each of its letters the phoneme and the stress.

    A phoneme is a symbol of `ARTICULATION`; that of a silent letter is "-". A vowel's stress is 1 (primary),
    2 (secondary) or 0; that of a consonant points to the vowel of its syllable, ">" or "<".

    >>> Word("gin", "JIn", ">1<").targets().sum(axis=1)
    array([4., 4., 4.])
    """

    spelling: str
    phonemes: str
    stresses: str

    def inputs(self) -> Array:
        """What the network sees of each letter: `windows(spelling)`."""
        return windows(self.spelling)

    def targets(self) -> Array:
        """What it is to say to each letter, (letters, 26): 21 units of the phoneme, and 5 of the stress.

        Raises ValueError for a symbol that is none, and unless there is one of each for each letter.
        """
        if fault := fault_of(self):
            raise ValueError(f"targets: {fault}")
        return numpy.array([PHONEMES[p] + STRESSES[s] for p, s in zip(self.phonemes, self.stresses, strict=True)])


class Corpus(NamedTuple):
    """`words` are all of the dictionary, in its order; `common` the 1,000 most common ones, the most common first."""

    words: list[Word]
    common: list[Word]

    def others(self) -> list[Word]:
        """Those of the dictionary that are spelled as none of the common ones: new to who has learned only these."""
        seen = {word.spelling for word in self.common}
        return [word for word in self.words if word.spelling not in seen]


def nettalk_corpus(folder: str | os.PathLike[str] | None = None) -> Corpus:
    """NETtalk's dictionary, 20,007 words of 146,934 letters, and the 1,000 common words, 5,438 letters.

    Arguments:
        folder: where nettalk.data and nettalk.list are; by default the one that the environment variable AUTOGRAD_DATA
            names, else `data`.

    205 spellings are in the dictionary with several pronunciations. As a common word each has its first. The original
    list of common words was lost; this one was put together from the same frequencies.

    Raises FileNotFoundError where a file is not, which says where to get it; ValueError for one that is damaged, is
    another, or has another order, which says what is wrong and where.
    """
    words = read_words(text_of(WORDS, folder))
    first: dict[str, Word] = {}
    for word in words:
        first.setdefault(word.spelling, word)
    spellings = read_list(text_of(LIST, folder))
    for spelling in spellings:
        if spelling not in first:
            raise ValueError(f"{LIST}: expected words of {WORDS}, got {spelling!r}, which is not there")
    return Corpus(words, [first[spelling] for spelling in spellings])


# ---- What the network sees, and what it says


def windows(spelling: str) -> Array:
    """Each letter with three on each side, (letters, 203): of the 29 symbols at each of the 7 places, one is 1.

    Column 29 k + s stands for symbol s of `SYMBOLS` at place k. Around the word are blanks.
    Raises ValueError for a letter that is no symbol, TypeError for what is no string.

    >>> seen = windows("cat")
    >>> seen.shape
    (3, 203)
    >>> ["".join(SYMBOLS[s] for s in row.reshape(7, 29).argmax(axis=1)) for row in seen]
    ['   cat ', '  cat  ', ' cat   ']
    """
    if not isinstance(spelling, str):
        raise TypeError(f"windows: expected a word, got {shortened(spelling)}")
    places = [SYMBOLS.find(letter) for letter in spelling]
    if -1 in places or not places:
        wrong = repr(spelling[places.index(-1)]) if places else "no letter"
        raise ValueError(f"windows: expected small letters, blanks, full stops and commas, got {wrong}")
    blanks = [SYMBOLS.index(" ")] * (WINDOW // 2)
    around = numpy.arange(len(places))[:, numpy.newaxis] + numpy.arange(WINDOW)
    seen = numpy.array([*blanks, *places, *blanks])[around]
    inputs: Array = numpy.eye(len(SYMBOLS))[seen]
    return inputs.reshape(len(places), -1)


def best_guesses(outputs: ArrayLike) -> tuple[str, str]:
    """The phoneme and the stress of each letter, whose codes are nearest in angle to the outputs, (letters, 26).

    The angle between the outputs y and a code c is smallest where y·c / (|y| |c|) is largest. The first 21 outputs
    choose the phoneme, the other 5 the stress. G (as in sing) and J (as in gin) have the same code: this says G.

    Raises ValueError for another shape, TypeError for what are no numbers.

    >>> best_guesses(Word("cat", "k@t", ">1<").targets())
    ('k@t', '>1<')
    """
    y = real_array("best_guesses: outputs", outputs, ("letters", len(UNITS) + len(STRESS_UNITS)))
    return nearest(y[:, : len(UNITS)], PHONEMES), nearest(y[:, len(UNITS) :], STRESSES)


def nearest(outputs: Array, codes: Mapping[str, Code]) -> str:
    vectors = numpy.array([*codes.values()])
    directions = vectors / numpy.sqrt((vectors**2).sum(axis=1, keepdims=True))
    symbols = [*codes]
    _, exponents = numpy.frexp(abs(outputs).max(axis=1, keepdims=True))
    outputs = numpy.ldexp(outputs, -exponents)  # exact, and the angle is the same; no product can be too large
    return "".join(symbols[k] for k in (outputs @ directions.T).argmax(axis=1))


# ---- The files


def text_of(name: str, folder: str | os.PathLike[str] | None) -> str:
    contents = downloaded(name, SOURCE, folder).read_bytes()
    try:
        return contents.decode("ascii")
    except UnicodeDecodeError as error:
        kind = "compressed data: unpack it first" if contents.startswith(b"\x1f\x8b") else f"byte {error.start}"
        raise ValueError(f"{name}: expected plain letters (ASCII), got {kind} ({contents[error.start]:#04x})") from None


def read_words(text: str) -> list[Word]:
    """A line is the word, its phonemes, its stresses and a flag, which is of no use here, with tabs between them."""
    words = []
    for number, line in enumerate(text.splitlines(), 1):
        columns = line.split("\t")
        if len(columns) != 4:
            raise ValueError(
                f"{WORDS}: line {number}: expected 4 columns, word, phonemes, stresses and a flag, with tabs between "
                f"them, got {counted(len(columns), 'column')}: {shortened(line)}"
            )
        word = Word(*columns[:3])
        if fault := fault_of(word):
            raise ValueError(f"{WORDS}: line {number}: {fault}")
        words.append(word)
    check_whole(WORDS, ["\t".join(word) for word in words])
    return words


def fault_of(word: Word) -> str:
    """What is wrong with a word; nothing if nothing is."""
    for (what, allowed), symbols in zip(ALLOWED.items(), word, strict=True):
        if strange := set(symbols) - allowed:
            return f"expected {what}, got {min(strange)!r} in {shortened(symbols)}"
    if not len(word.spelling) == len(word.phonemes) == len(word.stresses) > 0:
        return f"expected a phoneme and a stress for each letter, got {', '.join(map(shortened, word))}"
    return ""


def read_list(text: str) -> list[str]:
    """Behind a note come the words, in capital letters and in brackets."""
    found = re.search(r"\(([A-Z\s]*)\)\s*$", text)
    if not found:
        raise ValueError(
            f"{LIST}: expected words in capital letters, in brackets, at the end, got {shortened(text[-30:])}"
        )
    spellings = found[1].lower().split()
    check_whole(LIST, spellings)
    return spellings


def check_whole(name: str, lines: list[str]) -> None:
    """Raises ValueError unless these are all of them, in their order, and none has another content."""
    count, checksum = EXPECTED[name]
    if len(lines) != count:
        raise ValueError(
            f"{name}: expected {counted(count, 'word')}, got {len(lines):,}: the file is not whole, or is another"
        )
    if sha256("\n".join(lines).encode()).hexdigest() != checksum:
        raise ValueError(
            f"{name}: expected the {counted(count, 'word')} of the corpus in their order, got others, or another order"
            f"; {SOURCE}"
        )
