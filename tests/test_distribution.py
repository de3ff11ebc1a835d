"""What people install: an sdist builds where there is a C compiler, a wheel needs none, without either Python serves.

The builds are its own, in copies of the project, with nothing from the network.
"""

from __future__ import annotations

import email
import importlib.util
import math
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import autograd
from autograd import stubs

ROOT = Path(__file__).parents[1]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("build") is None, reason="build is not installed"),
]

TELL = """
import autograd
x = autograd.Value(0.5)
y = autograd.tanh(3.0 * x) + autograd.dot([x, 2.0], [1.0, x])
y.backward()
print(autograd.engine, round(x.grad, 6), autograd.__file__)
"""
GRADIENT = str(round(3.0 * (1.0 - math.tanh(1.5) ** 2) + 3.0, 6))


def run(*command, folder, **environment):
    """What a command prints, both streams; away from the checkout, and with no engine chosen."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("AUTOGRAD_ENGINE", "PYTHONPATH", "CC", "CFLAGS")
    }
    result = subprocess.run(
        [*map(str, command)], cwd=folder, env=kept | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    return result.stdout


def install(package, folder, *options, **environment):
    """Into a folder, with nothing from the network; what pip said."""
    return run(
        sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation", "--no-cache-dir",
        "--disable-pip-version-check", "--target", folder / "installed", *options, package,
        folder=folder, **environment,
    )  # fmt: skip


def engine_and_gradient(folder, *options):
    """Of what is installed there, in a Python that sees nothing else, and no compiler."""
    environment = folder / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, folder=folder)
    told = python_in(folder, "-c", TELL).split()
    assert Path(told[2]).is_relative_to(folder / "installed")
    return told[:2]


def python_in(folder, *arguments):
    """What the Python of the environment there prints."""
    python = folder / "environment" / ("Scripts" if os.name == "nt" else "bin") / "python"
    return run(python, "-W", "error", *arguments, folder=folder, PYTHONPATH=str(folder / "installed"), PATH="")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist of a copy of the project, and the wheel that was built from that sdist."""
    copy = tmp_path_factory.mktemp("checkout") / "project"
    leave_out = shutil.ignore_patterns(".*", "build", "dist", "out", "*.egg-info", "__pycache__", "*.so", "*.pyd")
    shutil.copytree(ROOT, copy, ignore=leave_out)
    run(sys.executable, "-m", "build", "--no-isolation", copy, folder=copy.parent, CFLAGS="-O0")  # soon compiled
    [sdist], [wheel] = (copy / "dist").glob("*.tar.gz"), (copy / "dist").glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def pure(built):
    """The wheel for every platform, of the same sdist."""
    folder = built[0].parent.parent / "pure"
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", "wheel", *options, built[0], folder=built[0].parent, AUTOGRAD_PURE="1")
    [wheel] = folder.iterdir()
    return wheel


@pytest.fixture(scope="module")
def compiled(built):
    """Whether there is a compiler here at all."""
    with zipfile.ZipFile(built[1]) as wheel:
        engines = [name for name in wheel.namelist() if re.fullmatch(r"autograd/native/engine\..*(so|pyd)", name)]
    if not engines and not any(map(shutil.which, ("cc", "gcc", "clang", "cl"))):
        pytest.skip("there is no C compiler")
    assert len(engines) == 1


def test_the_sdist_has_all_that_a_build_needs_and_nothing_that_one_makes(built):
    with tarfile.open(built[0]) as sdist:
        names = {name.split("/", 1)[-1] for name in sdist.getnames()}
    sources = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "autograd" / "native").iterdir()
        if path.suffix in (".c", ".h", ".py", ".pyi")
    }
    others = {
        "setup.py",
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "autograd/py.typed",
        "nn/datasets/santafe_laser.txt",
    }
    assert sources | others <= names
    written = ("/kernels.h", "/documentation.h", "autograd/table.pyi")
    assert not [name for name in names if name.endswith((".so", ".pyd", ".o", *written))]


def test_the_wheel_has_the_types_and_the_licence(built):
    with zipfile.ZipFile(built[1]) as wheel:
        names = wheel.namelist()
        assert wheel.read("autograd/table.pyi").decode() == stubs.table()
    packages = (ROOT / "autograd", ROOT / "nn")
    scripts = [path for folder in packages for kind in ("css", "js") for path in folder.rglob(f"*.{kind}")]
    assert {path.relative_to(ROOT).as_posix() for path in scripts} <= {*names}
    assert {"autograd/py.typed", "nn/py.typed", "autograd/native/engine.pyi"} <= set(names)
    assert "nn/datasets/santafe_laser.txt" in names
    assert any(name.endswith("LICENSE") for name in names)
    assert not [
        name for name in names if name.split("/")[0] in ("tests", "docs", "examples", "benchmarks", "notebooks")
    ]


@pytest.mark.usefixtures("compiled")
def test_a_wheel_from_an_sdist_works_where_there_is_no_compiler(built, tmp_path):
    install(built[1], tmp_path, CC="false", PATH="")
    assert engine_and_gradient(tmp_path) == ["native", GRADIENT]


def test_without_a_compiler_the_installation_says_so_in_a_line_and_python_serves(built, tmp_path):
    said = install(built[0], tmp_path, "--verbose", CC="false")
    lines = [line for line in said.splitlines() if "autograd.native.engine" in line and "failed" in line]
    assert len(lines) == 1, said
    assert engine_and_gradient(tmp_path) == ["python", GRADIENT]
    report = python_in(tmp_path, "-c", "from autograd import engines; print(engines.report())")
    assert "does not: it was not built: no working C compiler (" in report


def test_the_pure_wheel_is_for_every_platform_and_has_all_but_the_engine(built, pure):
    assert pure.name == f"scalar_autograd-{autograd.__version__}-py3-none-any.whl"
    names = [zipfile.ZipFile(wheel).namelist() for wheel in (pure, built[1])]
    of_packages = [{name for name in some if name.startswith(("autograd/", "nn/"))} for some in names]
    in_c = {name for name in of_packages[0] if name.endswith((".so", ".pyd", ".c", ".h"))}
    assert in_c == {"autograd/native/fast_math.h"}  # which tapes include that are compiled where they run
    assert {name for name in of_packages[1] - of_packages[0] if not name.endswith("not_built.txt")} == {
        name for name in of_packages[1] if re.fullmatch(r"autograd/native/engine\..*(so|pyd)", name)
    }


@pytest.mark.parametrize("wheel", ["pure", "compiled"])
def test_without_numpy_an_installed_wheel_serves(wheel, pure, built, tmp_path):
    """In an environment that has nothing else."""
    install(pure if wheel == "pure" else built[1], tmp_path)
    assert engine_and_gradient(tmp_path)[1] == GRADIENT
    shutil.copy(ROOT / "tests" / "without_numpy.py", tmp_path)
    engine, path = python_in(tmp_path, tmp_path / "without_numpy.py").split(maxsplit=1)
    assert Path(path.strip()).is_relative_to(tmp_path / "installed")
    assert (engine == "python") or wheel == "compiled"


def test_the_version_is_written_once(built):
    with zipfile.ZipFile(built[1]) as wheel:
        [metadata] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        stated = email.message_from_bytes(wheel.read(metadata))
    assert stated["Version"] == autograd.__version__
    assert built[0].name == f"scalar_autograd-{autograd.__version__}.tar.gz"
