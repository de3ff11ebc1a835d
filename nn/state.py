"""The file format of models: the numbers of a state dict as JSON, with the format's name and version.

    {"format": "scalar-autograd parameters", "version": 1, "parameters": {
    "layers.0.neurons.0.weights": [0.5, -0.25],
    "layers.0.neurons.0.bias": 0.0
    }}

A parameter, or a list of parameters, has a line, so that files can be compared line by line. A float is written with as
many digits as are needed to read the same float again.
"""

from __future__ import annotations

import json
from pathlib import Path
from reprlib import repr as shortened

from autograd import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    Numbers = float | Sequence["Numbers"]

FORMAT = "scalar-autograd parameters"
VERSION = 1


def write_state(path: str | os.PathLike[str], state: Mapping[str, Numbers]) -> None:
    """Writes the file, whole or not at all. Raises OSError if it cannot be written; an old file is unchanged then."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(numbers)}" for name, numbers in state.items())
    head = json.dumps({"format": FORMAT, "version": VERSION})[:-1]
    files.write(path, f'{head}, "parameters": {{\n{lines}\n}}}}\n', what="the model")


def read_state(path: str | os.PathLike[str]) -> dict[str, Numbers]:
    """The state in a file. Raises OSError if it cannot be read, ValueError if it is damaged or something else."""
    return parsed(Path(path).read_bytes())


def parsed(content: bytes) -> dict[str, Numbers]:
    try:
        document = json.loads(content, object_pairs_hook=without_repetition)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"expected JSON, as Module.save writes it; it is damaged or something else ({error})"
        ) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f'expected an object with "format": "{FORMAT}", got {shortened(document)}')
    version = document.get("version")
    if type(version) is not int or version != VERSION:
        raise ValueError(
            f"expected version {VERSION} of the format, got {shortened(version)}; "
            "use the release of scalar-autograd that wrote it"
        )
    parameters = document.get("parameters")
    if not isinstance(parameters, dict):
        raise ValueError(f'expected an object as "parameters", got {shortened(parameters)}')
    return parameters


def without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document: dict[str, object] = {}
    for name, content in pairs:
        if name in document:
            raise ValueError(f"{name!r} is there twice")
        document[name] = content
    return document
