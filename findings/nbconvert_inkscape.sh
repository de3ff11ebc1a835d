#!/usr/bin/env bash
# nbconvert 7.17.2 writes no LaTeX of an output that has an SVG, unless there is Inkscape, though its PNG lies beside it.
#
# A notebook's output is a bundle: the same picture as image/svg+xml and as image/png, of which each program takes what
# it can show. LaTeX shows PNG, and nbconvert's exporter ranks it before SVG. But a preprocessor converts every SVG to PDF
# first, with Inkscape, whether or not anybody will need it:
#
#     FileNotFoundError: Inkscape executable not found in safe paths
#
# With --SVG2PDFPreprocessor.enabled=False the PNG is taken, and nothing is missing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet nbconvert==7.17.2
PATH="$folder/bin" "$folder/bin/python" -W ignore - <<'END'
import base64

import nbformat
from nbconvert import LatexExporter
from traitlets.config import Config

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
bundle = {"image/svg+xml": SVG, "image/png": base64.b64encode(PNG).decode(), "text/plain": "a picture"}
cell = nbformat.v4.new_code_cell("picture", outputs=[nbformat.v4.new_output("display_data", bundle)])
notebook = nbformat.v4.new_notebook(cells=[cell])
try:
    LatexExporter().from_notebook_node(notebook)
except FileNotFoundError as error:
    print("as it is:", error)
    assert "Inkscape" in str(error)
else:
    raise AssertionError("it was converted")

config = Config()
config.SVG2PDFPreprocessor.enabled = False
latex, resources = LatexExporter(config=config).from_notebook_node(notebook)
[image] = [line.strip() for line in latex.splitlines() if "\\adjustimage" in line]
print("without the preprocessor:", image)
assert image.endswith("{output_0_0.png}")
assert resources["outputs"]["output_0_0.png"] == PNG
END
