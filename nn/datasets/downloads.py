"""Files that a user has downloaded are found here: those whose licence does not let the project bring them along."""

from __future__ import annotations

import os
from pathlib import Path
from reprlib import repr as shortened

VARIABLE = "AUTOGRAD_DATA"
FOLDER = "data"


def downloaded(name: str, source: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """The path of a file that was downloaded.

    It is looked for in `folder`, by default the one that the environment variable AUTOGRAD_DATA names, else `data`.
    `source` says where users get it.

    Raises FileNotFoundError where it is not there, which says where it was looked for, and what `source` says;
    TypeError for a folder that is no path.
    """
    if not isinstance(folder, (str, os.PathLike, type(None))):
        raise TypeError(f"folder: expected the path of the folder that {name} is in, or None, got {shortened(folder)}")
    place = Path(folder if folder is not None else os.environ.get(VARIABLE) or FOLDER)
    path = place / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{name} is not in {str(place)!r}: {source}; put it there, or give the folder that it is in, "
            f"as an argument or by the environment variable {VARIABLE}"
        )
    return path
