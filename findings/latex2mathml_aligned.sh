#!/usr/bin/env bash
# latex2mathml 3.81.0 takes the environment `aligned`, and makes MathML of it that no XML parser reads.
#
# `align*` and `split` become tables. `aligned`, which most equations over several lines are written with, is passed over
# without a word: its columns' ampersands go through as the text of an identifier, <mi>&</mi>, which is not well-formed.
# Until it is mended, `align*` can be put in its place.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet latex2mathml==3.81.0
"$folder/bin/python" - <<'END'
from xml.dom.minidom import parseString
from xml.parsers.expat import ExpatError

from latex2mathml.converter import convert

for environment in ("align*", "split", "aligned"):
    mathml = convert(rf"\begin{{{environment}}} a &= b \\ c &= d \end{{{environment}}}")
    try:
        parseString(mathml)
        is_well_formed = True
    except ExpatError as error:
        is_well_formed = False
        print(environment, "-", error)
    print(environment, "table" if "<mtable" in mathml else "no table", "raw &:", "<mi>&</mi>" in mathml)
    assert is_well_formed == (environment != "aligned")
    assert ("<mtable" in mathml) == (environment != "aligned")
    assert ("<mi>&</mi>" in mathml) == (environment == "aligned")
END
