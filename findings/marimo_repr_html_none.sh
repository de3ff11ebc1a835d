#!/usr/bin/env bash
# marimo 0.25.2 shows nothing of an object whose _repr_html_ returns None, where IPython shows its repr.
#
# In IPython's protocol a method _repr_*_ that returns None says "not this way", and another form is shown. So an object
# that has a table only at times, such as one of a subclass with a repr of its own, vanishes in marimo without a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet marimo==0.25.2 ipython==9.8.0
HOME="$folder" XDG_CONFIG_HOME="$folder" XDG_STATE_HOME="$folder" "$folder/bin/python" - <<'END'
from IPython.core.formatters import DisplayFormatter
from marimo._output.formatting import try_format


class Sometimes:
    def _repr_html_(self):
        return None

    def __repr__(self):
        return "a neuron"


in_ipython, _ = DisplayFormatter().format(Sometimes())
in_marimo = try_format(Sometimes())
print("IPython:", in_ipython, " marimo:", (in_marimo.mimetype, in_marimo.data))
assert in_ipython == {"text/plain": "a neuron"}
assert in_marimo.data == ""
END
