"""The file format of what `nn` keeps in files: JSON that says what it is, with a version and a checksum.

    {"format": "scalar-autograd parameters", "version": 2, "sha256": "1fcc...", "parameters": {
    "layers.0.neurons.0.weights": [0.5, -0.25],
    "layers.0.neurons.0.bias": 0.0
    }}

`Module.save` writes the kind "parameters". Other kinds of documents have another name there, and other content.

An entry of an object has a line, so that files can be compared line by line. A float is written with as many digits as
are needed to read the same float again. JSON has no nan and no infinity: they are {"$float": "nan"}, {"$float": "inf"}
and {"$float": "-inf"}.

The checksum is that of the content, written as JSON in ASCII, without white space and with the names sorted. So a file
may be laid out anew, but whatever changes a number or a name is noticed. Version 1 was the same without a checksum.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from reprlib import repr as shortened

from autograd import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Any

    Numbers = float | Sequence["Numbers"]
    Content = Any  # Any: None, a bool, int, float or str, or a list or dict of these, however nested

VERSION = 2
CHECKSUM = "sha256"
NON_FINITE = "$float"


# ---- The state of a model


def write_state(path: str | os.PathLike[str], state: Mapping[str, Numbers]) -> None:
    """Writes the file, whole or not at all. Raises OSError if it cannot be written; an old file is unchanged then."""
    write_document(path, "parameters", state, what="the model")


def read_state(path: str | os.PathLike[str]) -> dict[str, Numbers]:
    """The state in a file. Raises OSError if it cannot be read, ValueError if it is damaged or something else."""
    return read_document(path, "parameters")


# ---- Documents of any kind


def write_document(
    path: str | os.PathLike[str], kind: str, content: Mapping[str, Content], what: str = "the document"
) -> None:
    """Writes a document to a file, whole or not at all.

    Arguments:
        path: where the file is to be.
        kind: the document's kind; `read_document` reads no other.
        content: a dict of None, bools, ints, floats, strings, and lists and dicts of these, however nested. Tuples are
            written as lists.
        what: the name of the document in the message of an OSError.

    Raises TypeError or ValueError, with the place, for anything else in the content, and OSError if the file cannot be
    written. An old file is unchanged then.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.json"
    ...     write_document(path, "example", {"losses": [0.5, math.nan], "done": True})
    ...     print(*path.read_text().splitlines()[1:], sep="\\n")
    ...     read_document(path, "example")
    "losses": [0.5, {"$float": "nan"}],
    "done": true
    }}
    {'losses': [0.5, nan], 'done': True}
    """
    if not isinstance(content, Mapping):
        raise TypeError(f"{kind}: expected a dict, got {shortened(content)}")
    try:
        document = encoded(kind, content)
        head = json.dumps({"format": format_of(kind), "version": VERSION, CHECKSUM: checksum(document)})[:-1]
        text = f"{head}, {json.dumps(kind)}: {laid_out(document)}}}\n"
    except RecursionError:
        raise ValueError(f"{kind}: nested too deeply for JSON, as Python writes it") from None
    files.write(path, text, what)


def read_document(path: str | os.PathLike[str], kind: str) -> dict[str, Content]:
    """The content of a document of this kind.

    Raises OSError if the file cannot be read, and ValueError if it is damaged, was edited, or is something else.
    """
    text = files.read(path)
    try:
        return parsed(text, kind)
    except RecursionError:
        raise ValueError(
            f'expected JSON with "format": "{format_of(kind)}", got some that is nested too deeply; '
            "it is damaged or something else"
        ) from None


def parsed(text: bytes, kind: str) -> dict[str, Content]:
    try:
        document = json.loads(text, object_pairs_hook=without_repetition)
    except ValueError as error:
        raise ValueError(
            f'expected JSON with "format": "{format_of(kind)}"; it is damaged or something else ({error})'
        ) from None
    if not isinstance(document, dict) or document.get("format") != format_of(kind):
        raise ValueError(f'expected an object with "format": "{format_of(kind)}", got {shortened(document)}')
    version = document.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ValueError(
            f"expected version {VERSION} of the format, or an earlier one, got {shortened(version)}; "
            "use the release of scalar-autograd that wrote it"
        )
    content = document.get(kind)
    if not isinstance(content, dict):
        raise ValueError(f'expected an object as "{kind}", got {shortened(content)}')
    check_checksum(version, document.get(CHECKSUM), content)
    return {name: decoded(part) for name, part in content.items()}


def format_of(kind: str) -> str:
    return f"scalar-autograd {kind}"


def without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document: dict[str, object] = {}
    for name, content in pairs:
        if name in document:
            raise ValueError(f"{name!r} is there twice")
        document[name] = content
    return document


# ---- Checksums


def checksum(document: Mapping[str, Content]) -> str:
    return hashlib.sha256(json.dumps(document, separators=(",", ":"), sort_keys=True).encode()).hexdigest()


def check_checksum(version: int, given: object, content: Mapping[str, Content]) -> None:
    if version == 1:
        if given is not None:  # else a damaged version would do away with the checksum
            raise ValueError(f'version 1 of the format has no "{CHECKSUM}"; the file is damaged')
    elif given != (actual := checksum(content)):
        raise ValueError(
            f'expected "{CHECKSUM}": "{actual}", got {json.dumps(given)}: the file is damaged, or it was edited; '
            "if you have edited it, and mean what it says now, put the expected checksum into it"
        )


# ---- What JSON has no word for


def encoded(place: str, content: object) -> Content:
    """The content as JSON has it; `place` says in an error where it stands."""
    if isinstance(content, float):
        return float(content) if math.isfinite(content) else {NON_FINITE: str(float(content))}
    if content is None or isinstance(content, (bool, int, str)):
        return content
    if isinstance(content, (list, tuple)):
        return [encoded(f"{place}[{i}]", part) for i, part in enumerate(content)]
    if not isinstance(content, Mapping):
        raise TypeError(
            f"{place}: expected None, a bool, int, float, str, list or dict, got {type(content).__name__}: "
            f"{shortened(content)}"
        )
    for name in content:
        if not isinstance(name, str):
            raise TypeError(f"{place}: expected strings as the keys of a dict, got {shortened(name)}")
    if is_non_finite(content):
        raise ValueError(f"{place}: {dict(content)!r} is how a file says {content[NON_FINITE]}; use another key")
    return {name: encoded(f"{place}[{name!r}]", part) for name, part in content.items()}


def decoded(content: Content) -> Content:
    if isinstance(content, list):
        return [decoded(part) for part in content]
    if not isinstance(content, dict):
        return content
    if is_non_finite(content):
        return float(content[NON_FINITE])
    return {name: decoded(part) for name, part in content.items()}


def is_non_finite(content: Mapping[str, Content]) -> bool:
    return len(content) == 1 and content.get(NON_FINITE) in ("nan", "inf", "-inf")


def laid_out(document: Content) -> str:
    """The document as JSON, with a line for each entry of a dict that stands in no list."""
    if not isinstance(document, dict) or is_non_finite(document):
        return json.dumps(document)
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {laid_out(part)}" for name, part in document.items()) + "\n}"
