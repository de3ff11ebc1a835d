"""Progress is shown by a bar on the standard error stream, where there is one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from typing import Any


def progress_bar(total: int, unit: str, shown: bool) -> tqdm[Any]:
    """A bar of `tqdm`. It shows nothing if it is not to, or if the program has no standard error stream."""
    has_stream = sys.stderr is not None and not getattr(sys.stderr, "closed", False)
    return tqdm(total=total, unit=f" {unit}", mininterval=0.5, disable=not (shown and has_stream))
