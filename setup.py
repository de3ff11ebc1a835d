"""Builds the native engine where there is a C compiler, and writes the types of what comes from the table.

Everything else about the project stands in pyproject.toml.
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import BaseError, CCompilerError, CompileError

ROOT = Path(__file__).parent
NATIVE = Path("autograd/native")
# What C is written from: the rules, what they call, the docstrings of Value; and the files that write it.
WRITTEN_FROM = [
    f"autograd/{name}.py"
    for name in (
        *("operations", "operation", "value", "writer", "rows_in_c", "formulas"),
        *("native/kernels", "native/lane_rows"),
    )
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
        # Neither changes a number: what is asked for by "?" becomes vectors, and so do roots.
        "-fno-trapping-math",
        "-fno-math-errno",
    ]
)


def import_the_table() -> None:
    """Lets what is written from the table be imported, wherever this is built."""
    os.environ["AUTOGRAD_ENGINE"] = "python"  # the native engine is not there yet, or the one before
    sys.path.insert(0, str(ROOT))


def write_types(folder: Path) -> None:
    """Writes table.pyi into the package `autograd` of the folder: the checkout, or what a wheel is made of."""
    import_the_table()
    from autograd import stubs

    (folder / "autograd" / "table.pyi").write_text(stubs.table(), encoding="utf-8", newline="\n")


class BuildPackages(build_py):
    """Writes the types beside the modules."""

    def run(self) -> None:
        super().run()
        write_types(ROOT if self.editable_mode else Path(self.build_lib))


class BuildNativeEngine(build_ext):
    """Writes C from the table and compiles; where that fails, says so in a line, and Python's engine serves."""

    problem = ""

    def run(self) -> None:
        if self.inplace:
            write_types(ROOT)
        super().run()
        self.note(ROOT if self.inplace or self.editable_mode else Path(self.build_lib))

    def note(self, folder: Path) -> None:
        """Leaves the problem, if there was one, where the engine would be: pip shows nothing of what is said here."""
        note = folder / NATIVE / "not_built.txt"
        note.unlink(missing_ok=True)
        if self.problem:
            note.write_text(self.problem, encoding="utf-8")

    def build_extension(self, extension: Extension) -> None:
        import_the_table()
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
            said = str(error)  # with the whole command
            said = said if len(said) <= 160 else f"{said[:70]} … {said[-70:]}"
            self.problem = f"no working C compiler ({said})"
            raise CompileError(f"{self.problem}, so the Python engine will serve") from error


setup(
    # AUTOGRAD_PURE=1 leaves the engine out: what is built then is the wheel for every platform, and for browsers.
    ext_modules=[]
    if os.environ.get("AUTOGRAD_PURE")
    else [
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
    cmdclass={"build_ext": BuildNativeEngine, "build_py": BuildPackages},
)
