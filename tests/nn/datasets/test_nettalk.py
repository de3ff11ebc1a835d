"""NETtalk's words are read, or it is said what is wrong with a file; what the network sees and says is as in 1987.

The files here are made up: the corpus is for research that is not commercial, and not part of this project.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections import Counter
from hashlib import sha256

import numpy as np
import pytest

from nn.datasets import nettalk_corpus
from nn.datasets.nettalk import ARTICULATION, PHONEMES, STRESSES, SYMBOLS, UNITS, Word, best_guesses, windows

ROWS = [
    ("bab", "bab", ">1<", "0"),
    ("gin", "JIn", ">1<", "0 "),
    ("gin", "gIn", ">1<", "2"),
    ("ohm", "o-m", "1<<", "1"),
    ("sing", "sIG-", ">1<<", "0"),
]
COMMON = ["ohm", "gin"]
DATA, LIST = "nettalk.data", "nettalk.list"
NOTE = "A note (by somebody):\n\nwords.\n\n****\n\n"


def lines(rows):
    return "\n".join("\t".join(row) for row in rows) + "\n"


def listed(words):
    return f"{NOTE}({' '.join(words).upper()})\n"


def checksum(entries):
    return sha256("\n".join(entries).encode()).hexdigest()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Files of this form, which are the whole corpus here."""
    expected = {
        DATA: (len(ROWS), checksum("\t".join(row[:3]) for row in ROWS)),
        LIST: (len(COMMON), checksum(COMMON)),
    }
    monkeypatch.setattr(sys.modules[nettalk_corpus.__module__], "EXPECTED", expected)
    (tmp_path / DATA).write_text(lines(ROWS))
    (tmp_path / LIST).write_text(listed(COMMON))
    return tmp_path


# ---- the files


def test_words_are_read_and_the_common_ones_have_their_first_pronunciation(folder):
    corpus = nettalk_corpus(folder)
    assert corpus.words == [Word(*row[:3]) for row in ROWS]
    assert corpus.common == [Word("ohm", "o-m", "1<<"), Word("gin", "JIn", ">1<")]
    assert [word.spelling for word in corpus.others()] == ["bab", "sing"]


def test_the_end_of_a_line_may_be_that_of_another_system(folder):
    before = nettalk_corpus(folder)
    for name in (DATA, LIST):
        (folder / name).write_bytes((folder / name).read_bytes().replace(b"\n", b"\r\n"))
    (folder / LIST).write_bytes((folder / LIST).read_bytes().replace(b" ", b"\r\n "))
    assert nettalk_corpus(folder) == before


@pytest.mark.parametrize("name", [DATA, LIST])
def test_a_file_that_is_not_there(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"^{name} is not in .*not commercial.*UCI.*put it there"):
        nettalk_corpus(folder)


def broken(k, *row):
    return lines([*ROWS[:k], row, *ROWS[k + 1 :]])


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("", "expected 5 words, got 0"),
        (lines(ROWS[:-1]), "expected 5 words, got 4: the file is not whole"),
        (lines(ROWS[:-1]) + "sing\tsIG", r"line 5: expected 4 columns, .*, got 2 columns: 'sing\\tsIG'"),
        (
            lines(ROWS[:-1]) + "sing\tsIG-\t>1<\t",
            "line 5: expected a phoneme and a stress for each letter, got 'sing', ",
        ),
        (lines([*ROWS[:2], ROWS[3], ROWS[2], ROWS[4]]), "in their order, got others, or another order"),
        (lines([*ROWS[1:], ROWS[0]]), "in their order, got others, or another order"),
        (lines([row[1::-1] + row[2:] for row in ROWS]), "line 2: expected small letters, got 'I' in 'JIn'"),
        (broken(3, "oho", "o-o", "1<1", "1"), "expected the 5 words of the corpus"),
        (broken(1, "gin", "J?n", ">1<", "0"), r"line 2: expected phonemes, got '\?' in 'J\?n'"),
        (broken(1, "gin", "JIn", ">3<", "0"), "line 2: expected stresses, got '3' in '>3<'"),
        (broken(1, "Gin", "JIn", ">1<", "0"), "line 2: expected small letters, got 'G' in 'Gin'"),
        (broken(1, "gin", "JI", ">1<", "0"), "line 2: expected a phoneme and a stress for each letter"),
        (broken(1, "", "", "", "0"), "line 2: expected a phoneme and a stress for each letter, got '', '', ''"),
        (broken(1, "gin", "JIn", ">1<"), "line 2: expected 4 columns, .*, got 3 columns"),
        (lines(ROWS).replace("\t", " "), "line 1: expected 4 columns, .*, got 1 column"),
        ("<html><body>404</body></html>\n", "line 1: expected 4 columns"),
        (lines(ROWS) + "\n", "line 6: expected 4 columns"),
        (lines(ROWS).encode("utf-16"), r"expected plain letters \(ASCII\), got byte 0 \(0xff\)"),
        (lines(ROWS).replace("gin", "gün").encode("latin-1"), r"got byte 15 \(0xfc\)"),
        (lines(ROWS).replace("gin", "gün").encode(), r"got byte 15 \(0xc3\)"),
        (gzip.compress(lines(ROWS).encode(), mtime=0), "got compressed data: unpack it first"),
        (gzip.compress(lines(ROWS).encode(), mtime=0)[:-9], "got compressed data: unpack it first"),
        (bytes(100), "line 1: expected 4 columns"),
    ],
)
def test_words_that_are_not_those_of_the_corpus(folder, contents, message):
    (folder / DATA).write_bytes(contents.encode() if isinstance(contents, str) else contents)
    with pytest.raises(ValueError, match=f"^{DATA}: .*{message}"):
        nettalk_corpus(folder)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("", "expected words in capital letters, in brackets, at the end, got ''"),
        (NOTE, "expected words in capital letters"),
        (f"{NOTE}()", "expected 2 words, got 0"),
        (listed(COMMON)[:-7], "expected words in capital letters, in brackets, at the end"),
        (listed(COMMON[:1]), "expected 2 words, got 1"),
        (listed(COMMON[::-1]), "in their order, got others, or another order"),
        (listed(["OHM", "SING"]), "expected the 2 words of the corpus"),
        (listed(COMMON).lower(), "expected words in capital letters"),
        (listed(["OHM", "G1N"]), "expected words in capital letters"),
        (listed(COMMON).encode("utf-16"), r"expected plain letters \(ASCII\)"),
        (gzip.compress(listed(COMMON).encode(), mtime=0), "got compressed data"),
    ],
)
def test_a_list_that_is_not_that_of_the_corpus(folder, contents, message):
    (folder / LIST).write_bytes(contents.encode() if isinstance(contents, str) else contents)
    with pytest.raises(ValueError, match=f"^{LIST}: .*{message}"):
        nettalk_corpus(folder)


def test_a_list_of_words_that_the_dictionary_lacks(folder, monkeypatch):
    monkeypatch.setitem(sys.modules[nettalk_corpus.__module__].EXPECTED, LIST, (1, checksum(["xyz"])))
    (folder / LIST).write_text(listed(["XYZ"]))
    with pytest.raises(ValueError, match=r"expected words of nettalk\.data, got 'xyz'"):
        nettalk_corpus(folder)


def test_what_is_expected_is_the_corpus_of_1988():
    expected = sys.modules[nettalk_corpus.__module__].EXPECTED
    assert {name: count for name, (count, _) in expected.items()} == {DATA: 20_007, LIST: 1_000}
    assert all(re.fullmatch("[0-9a-f]{64}", digits) for _, digits in expected.values())


def test_the_corpus_itself_has_the_counts_that_are_told_of_it():
    try:
        corpus = nettalk_corpus()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    spellings = Counter(word.spelling for word in corpus.words)
    letters = [sum(len(word.spelling) for word in words) for words in (corpus.words, corpus.common)]
    assert (len(corpus.words), len(corpus.common), letters) == (20_007, 1_000, [146_934, 5_438])
    assert sum(count > 1 for count in spellings.values()) == 205
    assert set(PHONEMES) - {p for word in corpus.words for p in word.phonemes} == {"Q"}
    assert len(corpus.others()) == 18_973
    assert corpus.common[0].spelling == "the"


# ---- what the network sees


def test_a_window_is_a_letter_with_three_on_each_side():
    word = "phase"
    seen = windows(word)
    assert seen.shape == (5, 203)
    assert seen.dtype == np.float64
    padded = f"   {word}   "
    for k, row in enumerate(seen):
        for place, letters in enumerate(row.reshape(7, 29)):
            assert letters.tolist() == [float(symbol == padded[k + place]) for symbol in SYMBOLS]
    assert (windows("a b.")[1].reshape(7, 29).argmax(axis=1) == [SYMBOLS.index(s) for s in "  a b. "]).all()
    assert (Word("phase", "f-ez-", ">>1<<").inputs() == seen).all()


@pytest.mark.parametrize(
    ("word", "error", "message"),
    [
        ("Cat", ValueError, "expected small letters, blanks, full stops and commas, got 'C'"),
        ("naïve", ValueError, "got 'ï'"),
        ("", ValueError, "got no letter"),
        (None, TypeError, "expected a word, got None"),
        (["c"], TypeError, r"expected a word, got \['c'\]"),
    ],
)
def test_what_is_no_word(word, error, message):
    with pytest.raises(error, match=f"windows: .*{message}"):
        windows(word)


# ---- what the network says


def test_the_code_has_a_unit_for_each_feature():
    assert len(UNITS) == len(set(UNITS)) == 21
    assert set(" ".join(ARTICULATION.values()).split()) == set(UNITS) - {
        "pause",
        "full stop",
    }  # those are of punctuation
    assert len(ARTICULATION) == 52
    for symbol, names in ARTICULATION.items():
        on = [UNITS[k] for k, number in enumerate(PHONEMES[symbol]) if number]
        assert sorted(on) == sorted(names.split())
    assert [STRESSES[s] for s in "<>012"] == [
        (0, 1, 0, 0, 0), (1, 0, 0, 0, 0), (0, 0, 0, 1, 0), (0, 0, 1, 1, 0), (0, 0, 1, 0, 0),
    ]  # fmt: skip


def test_only_sing_and_gin_have_the_same_code():
    same = [(p, q) for p in PHONEMES for q in PHONEMES if p < q and PHONEMES[p] == PHONEMES[q]]
    assert same == [("G", "J")]


def test_targets_are_the_codes_letter_by_letter():
    targets = Word("ohm", "o-m", "1<<").targets()
    assert targets.shape == (3, 26)
    assert [sorted((UNITS * 2)[k] for k in np.flatnonzero(row[:21])) for row in targets] == [
        ["back2", "medium", "tensed"], ["elide", "silent"], ["front1", "nasal", "voiced"],
    ]  # fmt: skip
    assert targets[:, 21:].tolist() == [[*STRESSES[s]] for s in "1<<"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (Word("cat", "k@", ">1<"), "expected a phoneme and a stress for each letter, got 'cat', 'k@', '>1<'"),
        (Word("cat", "k?t", ">1<"), r"expected phonemes, got '\?' in 'k\?t'"),
        (Word("Cat", "k@t", ">1<"), "expected small letters, got 'C' in 'Cat'"),
        (Word("cat", "k@t", ">3<"), "expected stresses, got '3' in '>3<'"),
        (Word("", "", ""), "expected a phoneme and a stress for each letter"),
    ],
)
def test_a_word_that_has_no_targets(word, message):
    with pytest.raises(ValueError, match=f"targets: {message}"):
        word.targets()


def test_the_best_guess_is_the_code_at_the_smallest_angle():
    """Against the angles themselves, code by code."""
    outputs = np.random.default_rng(0).uniform(size=(200, 26))
    phonemes, stresses = best_guesses(outputs)
    assert len(set(phonemes)) > 10

    def angle(y, code):
        return np.arccos(np.dot(y, code) / np.linalg.norm(y) / np.linalg.norm(code))

    for y, phoneme, stress in zip(outputs, phonemes, stresses, strict=True):
        assert min(PHONEMES, key=lambda p: angle(y[:21], PHONEMES[p])) == phoneme
        assert min(STRESSES, key=lambda s: angle(y[21:], STRESSES[s])) == stress


def test_every_phoneme_is_guessed_from_its_own_code():
    word = Word("a" * 52, "".join(PHONEMES), "<>012" * 10 + "<>")
    for size in (0.7, 1e308, 1e-300):  # how long the vectors are makes no difference
        phonemes, stresses = best_guesses(size * word.targets())
        assert phonemes == word.phonemes.replace("J", "G")
        assert stresses == word.stresses


@pytest.mark.parametrize(
    ("outputs", "error", "message"),
    [
        (np.zeros((2, 25)), ValueError, r"expected finite numbers of shape \(letters, 26\), got the shape \(2, 25\)"),
        (np.zeros(26), ValueError, r"got the shape \(26,\)"),
        (np.full((1, 26), np.nan), ValueError, "got nan among them"),
        ([["a"] * 26], TypeError, r"got \[\['a'"),
    ],
)
def test_what_is_no_output(outputs, error, message):
    with pytest.raises(error, match=f"best_guesses: outputs: .*{message}"):
        best_guesses(outputs)
