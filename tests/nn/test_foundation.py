"""The foundation: what is said where Python finds another package called autograd, or both in one folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TWO_OF_THEM = "pip uninstall autograd scalar-autograd, and then install"


@pytest.fixture
def site(tmp_path):
    """A folder with nn and autograd, as pip installs them."""
    for name in ("autograd", "nn"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
    return tmp_path


def said(code, folder, *options):
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(folder), "AUTOGRAD_ENGINE": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_alone_it_says_nothing(site):
    assert said("import nn", site, "-W", "error") == ""


def test_where_the_other_was_installed_later_nn_says_what_happened(site):
    (site / "autograd" / "__init__.py").write_text("def grad(function): ...\n", encoding="utf-8")
    (site / "autograd" / "tracer.py").touch()
    last = said("import nn", site).splitlines()[-1]
    assert last.startswith("ImportError: nn computes with the package autograd of the distribution scalar-autograd")
    assert str(site / "autograd") in last
    assert TWO_OF_THEM in last


def test_where_the_other_was_uninstalled_and_took_a_file_along_nn_says_what_happened(site):
    (site / "autograd" / "__init__.py").unlink()
    last = said("import nn", site).splitlines()[-1]
    assert last.startswith("ImportError: nn computes with")
    assert "or what is left of one, in " in last


def test_where_the_other_was_there_before_an_import_warns(site):
    (site / "autograd" / "tracer.py").touch()
    warned = said("import autograd\nprint(float(autograd.tanh(0.0)))", site)
    assert "<string>:1: RuntimeWarning: " in warned
    assert str(site / "autograd") in warned
    assert TWO_OF_THEM in warned
    assert "0.0" in warned
