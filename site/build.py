"""Puts the site together: the reference, the course, and the pages that run the project's own wheel in a browser.

    python site/build.py out/site

All of it is plain files that any web server can serve, from any folder. Nothing is loaded from another host. Python for
the browser (Pyodide) comes from npm, as package-lock.json names it by its hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from autograd import javascript
from autograd.operations import OPERATIONS

SITE = Path(__file__).parent
ROOT = SITE.parent

PAGES = (
    "index.html",
    "laboratory.html",
    "playground.html",
    "style.css",
    "icon.svg",
    *sorted(p.name for p in SITE.glob("*.js")),
)
PYTHON = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip")
WHEEL = "scalar_autograd.whl"


def main(out: Path, *, reference: bool = True) -> None:
    """Writes the site into a folder, which it replaces once all is there."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / "site"
        new.mkdir()
        for name in (*PAGES, "laboratory.py"):
            shutil.copy(SITE / name, new)
        fetch_python(Path(folder), new / "python")
        build_wheel(Path(folder), new / WHEEL)
        (new / "rules.js").write_text(rules(), encoding="utf-8")
        if reference:
            subprocess.run([sys.executable, ROOT / "docs" / "reference.py", Path(folder) / "reference"], check=True)
            shutil.copytree(Path(folder) / "reference" / "html", new / "reference")
        finish(new)
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(new, out)
    print(f"the site is {out}: python -m http.server --directory {out}")


def fetch_python(folder: Path, target: Path) -> None:
    install(folder)
    target.mkdir()
    for name in PYTHON:
        shutil.copy(folder / "node_modules" / "pyodide" / name, target)


def install(folder: Path, *, development: bool = False) -> None:
    """Installs what package.json names into a folder; the tests need more than the site does."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("site: npm was not found, which brings Python for the browser: install Node.js")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(SITE / name, folder)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent", *([] if development else ["--omit=dev"])]
    subprocess.run([npm, "ci", *options], cwd=folder, check=True)


def build_wheel(folder: Path, target: Path) -> None:
    """The wheel for every platform, without the native engine."""
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", folder / "wheel", ROOT]
    subprocess.run(command, env=os.environ | {"AUTOGRAD_PURE": "1"}, check=True, stdout=subprocess.DEVNULL)
    [wheel] = (folder / "wheel").glob("*.whl")
    shutil.copy(wheel, target)


def rules() -> str:
    """The table as JavaScript, for the playground: the rules, and the defaults of their operands."""
    operations = OPERATIONS.values()
    defaults = [[operation.defaults.get(name) for name in operation.operands] for operation in operations]
    return (
        f"// Written by build.py from the table of operations.\n\n{javascript.source(operations)}\n"
        f"{json.dumps(defaults)}.forEach((defaults, row) => {{ RULES[row].defaults = defaults; }});\n"
        "export { Tape, RULES };\n"
    )


def finish(new: Path) -> None:
    """What can be said only now: how large files are, and which the service worker keeps."""
    loaded = [f"python/{name}" for name in PYTHON] + [WHEEL]
    sizes = {name: (new / name).stat().st_size for name in loaded}
    (new / "sizes.json").write_text(json.dumps(sizes), encoding="utf-8")
    kept = sorted({*loaded, *PAGES, "laboratory.py", "rules.js", "sizes.json"} - {"service_worker.js"})
    worker = new / "service_worker.js"
    text = worker.read_text(encoding="utf-8")
    text = text.replace("{{files}}", json.dumps(["./", *kept])).replace("{{version}}", version(new))
    worker.write_text(text, encoding="utf-8")


def version(folder: Path) -> str:
    """The hash of all the files' contents."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "out" / "site"))
