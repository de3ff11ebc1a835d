#!/usr/bin/env bash
# graphviz-pure 0.2.2 (a port of Graphviz 16.1) loses the end of texts with backslashes from its JSON, not from its SVG.
#
# In "_ldraw_", where -Tjson says what is drawn, each backslash of a node's text stands twice, and what is written is then
# cut to the length that the text had before. The label x\\\\y, which is drawn as x\\y, comes out as x and four
# backslashes, without its y. Graphviz 2.43 writes the text that is drawn. So what reads a layout back (to write it in
# another language, say) had better read the SVG.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet graphviz-pure==0.2.2
printf 'digraph { a [label="x\\\\\\\\y"] }\n' >"$folder/label.dot"
"$folder/bin/graphviz-pure" -Tjson "$folder/label.dot" >"$folder/label.json"
"$folder/bin/graphviz-pure" -Tsvg "$folder/label.dot" >"$folder/label.svg"
"$folder/bin/python" - "$folder" <<'END'
import json
import sys
from pathlib import Path

folder = Path(sys.argv[1])
[node] = json.loads((folder / "label.json").read_text())["objects"]
[in_json] = [step["text"] for step in node["_ldraw_"] if step["op"] == "T"]
in_svg = (folder / "label.svg").read_text().split("</text>")[0].rpartition(">")[2]
print("in the SVG:", in_svg, " in the JSON:", in_json)
assert in_svg == r"x\\y"
assert in_json == r"x\\\\"
END
