#!/usr/bin/env bash
# mystmd 1.11.0 leaves all outputs away where it writes a notebook as Markdown: `myst build --md`.
#
# Text and code are there. Of the outputs it says on the way, as an error that does not stop it:
#
#     Unsupported node type: outputs
#
# and its exit status is 0. `jupyter nbconvert --to markdown` writes them, and the pictures as files.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet mystmd==1.11.0 nbformat # it needs Node.js
"$folder/environment/bin/python" - <<'END'
import nbformat

output = nbformat.v4.new_output("stream", text="forty-two\n")
cell = nbformat.v4.new_code_cell("print(answer)", execution_count=1, outputs=[output])
nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A page"), cell]), "page.ipynb")
END
printf 'version: 1\nproject:\n  title: A page\n' >myst.yml
"$folder/environment/bin/myst" build --md page.ipynb 2>&1 | tee said | grep "Unsupported node type: outputs"
page=$(find _build -name "*.md")
grep --quiet "print(answer)" "$page"
! grep --quiet "forty-two" "$page"
