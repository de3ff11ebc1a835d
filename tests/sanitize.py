"""Runs the engine's tests on a native engine that checks each access to memory and each undefined operation.

In a copy of the project, so that the engine in use stays as it is. `make sanitize` runs it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SANITISERS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1"
# Left out: tests that start programs, which do not run with the sanitisers' libraries, tests that limit memory, and
# tests of what others have compiled.
LEFT_OUT = [
    *["drawing/test_drawing.py", "drawing/test_layout.py", "drawing/test_themes.py", "explaining/test_explaining.py"],
    *["drawing/test_pdf.py", "drawing/test_tikz.py", "explaining/test_page.py", "native/test_kernels.py"],
    *["explaining/test_page_played.py", "explaining/test_pieces.py", "test_javascript.py"],
    *["native/test_lane_rows.py", "test_engines.py", "test_stubs.py"],
]
TWO_AT_A_TIME = ["-n", "2", "--dist", "worksteal"]
DESELECTED = "large_graphs or without_memory or xla or onnx"


def main() -> None:
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    libraries = [library(compiler, name) for name in ("libasan.so", "libubsan.so", "libstdc++.so")]
    if sys.platform != "linux" or not all(libraries):
        print(f"sanitize: skipped, {compiler} has no address and undefined-behaviour sanitiser here")
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        leave_out = shutil.ignore_patterns("__pycache__", "*.so")
        for name in ("autograd", "nn", "tests"):
            shutil.copytree(ROOT / name, copy / name, ignore=leave_out)
        for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        environment = os.environ | {"PYTHONPATH": folder, "AUTOGRAD_ENGINE": "native"}
        build = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
        subprocess.run(build, cwd=copy, env=environment | {"CFLAGS": SANITISERS, "LDFLAGS": SANITISERS}, check=True)
        environment |= {
            "LD_PRELOAD": " ".join(libraries),
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",  # the interpreter itself leaks when it ends
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "PYTHONMALLOC": "malloc",  # else Python's own allocator hides what is freed
        }
        ignored = [f"--ignore={existing(copy / 'tests' / 'autograd' / name)}" for name in LEFT_OUT]
        pytest = [sys.executable, "-X", "faulthandler", "-m", "pytest", "-q", "-p", "no:cacheprovider", *TWO_AT_A_TIME]
        result = subprocess.run(
            [*pytest, *ignored, "-k", f"not ({DESELECTED})", "tests/autograd"], cwd=copy, env=environment, check=False
        )
    sys.exit(result.returncode)


def existing(path: Path) -> Path:
    """The path: a test that has moved would be run unawares."""
    if not path.exists():
        raise FileNotFoundError(f"sanitize: there is no {path.name} to leave out: say in LEFT_OUT where it is now")
    return path


def library(compiler: str, name: str) -> str:
    """Where the compiler has it; nothing if it has not."""
    found = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 and os.path.isabs(found.stdout.strip()) else ""


if __name__ == "__main__":
    main()
