#!/usr/bin/env bash
# matplotlib 3.11.2: an error before an animation's first frame is lost, where the frames become a GIF.
#
# PillowWriter.saving() is a context manager that finishes the file when its block ends, however it ends. Without a frame
# there is nothing to write, so finishing raises IndexError, and this takes the place of what was raised: a
# KeyboardInterrupt, say, after which a notebook goes on with its next cell. What was raised is left in __context__ alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet matplotlib==3.11.2
cd "$folder"
MPLBACKEND=Agg MPLCONFIGDIR="$folder" bin/python - <<'END'
from matplotlib.animation import PillowWriter
from matplotlib.figure import Figure

try:
    with PillowWriter(fps=5).saving(Figure(), "training.gif", dpi=100):
        raise KeyboardInterrupt
except BaseException as error:
    print(f"raised: {error!r}, in the place of: {error.__context__!r}")
    assert type(error) is IndexError
    assert type(error.__context__) is KeyboardInterrupt
END
