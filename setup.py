"""Builds the native engine where there is a C compiler; everything else about the project stands in pyproject.toml."""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError, CompileError

ROOT = Path(__file__).parent
NATIVE = Path("autograd/native")
# What C is written from: the rules, what they call, the docstrings of Value; and the files that write it.
WRITTEN_FROM = [
    f"autograd/{name}.py"
    for name in ("operations", "operation", "value", "writer", "formulas", "native/kernels", "native/lane_rows")
]
# Floating point as written, neither fused nor re-associated: the two engines' numbers are the same to the last bit.
FLAGS = (
    ["/O2", "/std:c11", "/utf-8", "/fp:precise"]
    if sys.platform == "win32"
    else [
        *["-O3"] * ("-O" not in os.environ.get("CFLAGS", "")),
        "-std=c11",
        "-fvisibility=hidden",
        "-ffp-contract=off",
        "-fno-fast-math",
    ]
)


class BuildNativeEngine(build_ext):
    """Writes C from the table and compiles; where that fails, says so in a line, and Python's engine serves."""

    def build_extension(self, extension: Extension) -> None:
        os.environ["AUTOGRAD_ENGINE"] = "python"  # the native engine is not there yet, or the one before
        sys.path.insert(0, str(ROOT))
        from autograd.native import lane_rows

        folder = Path(self.build_temp)
        folder.mkdir(parents=True, exist_ok=True)
        # A row that cannot be written in C fails the installation: only the compiler may be missing.
        for name, write in lane_rows.FILES.items():
            (folder / name).write_text(write(), encoding="utf-8")
        extension.include_dirs.append(str(folder))
        try:
            super().build_extension(extension)
        except (BaseError, CCompilerError, OSError) as error:
            raise CompileError(f"no working C compiler, so the Python engine will serve ({error})") from error


setup(
    ext_modules=[
        Extension(
            "autograd.native.engine",
            sources=[str(path) for path in sorted(NATIVE.glob("*.c"))],
            depends=[*map(str, NATIVE.glob("*.h")), *WRITTEN_FROM],
            extra_compile_args=FLAGS,
            # Named, since the loader takes the oldest versions of what comes from no named library: of exp, log and
            # pow, those with System V's error handling, which are slower.
            libraries=[] if sys.platform == "win32" else ["m"],
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildNativeEngine},
)
