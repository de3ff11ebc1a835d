"""Files that a user has downloaded are found here: those whose licence does not let the project bring them along."""

from __future__ import annotations

import os
from pathlib import Path
from reprlib import repr as shortened

VARIABLE = "AUTOGRAD_DATA"
FOLDER = "data"


def downloaded(name: str, source: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """The path of a file that was downloaded.

    It is looked for in `folder`, by default the one that the environment variable AUTOGRAD_DATA names, else in `data`
    here and in each folder above, so that notebooks find what lies in a project's. `source` says where users get it.

    Raises FileNotFoundError where it is not there, which says where it was looked for, and what `source` says;
    TypeError for a folder that is no path.
    """
    if not isinstance(folder, (str, os.PathLike, type(None))):
        raise TypeError(f"folder: expected the path of the folder that {name} is in, or None, got {shortened(folder)}")
    given = folder if folder is not None else os.environ.get(VARIABLE)
    here = Path.cwd()
    places = [here / given] if given else [above / FOLDER for above in (here, *here.parents)]
    for place in places:
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(
        f"{name} is not in {str(places[0])!r}{' or in that of a folder above' * (len(places) > 1)}: {source}; put it "
        f"there, or give the folder that it is in, as an argument or by the environment variable {VARIABLE}"
    )
