"""Writes what the documentation takes from the code: reference, conventions, rooms, README's pictures and badges."""

from __future__ import annotations

import ast
import json
import random
import runpy
import tomllib
from pathlib import Path

from autograd import Drawing, Value, draw, tanh
from autograd.formulas import derivatives
from autograd.operations import ROWS, TABLE
from nn import MLP, Adam, binary_cross_entropy, fit
from nn.datasets import moons

DOCS = Path(__file__).parent
ROOT = DOCS.parent
REFERENCE = DOCS / "operations.md"
CONVENTIONS = DOCS / "conventions.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
README = ROOT / "README.md"
NEURON = DOCS / "neuron.svg"
NETWORK = DOCS / "network.svg"

HEAD = """\
# The operations

Each is one row of [`autograd/operations.py`](../autograd/operations.py), where its derivatives stand. This page is
written from the table by `make docs`.

An operation is a function of floats and Values, `tanh(x)`, and a method of Value, `x.tanh()`; operations of sequences
are functions only. Outside the domain the evaluation raises ValueError (a division by zero, ZeroDivisionError). A
result beyond the largest float is an OverflowError where Python's math raises it, as for exp and power, else inf, as
for a sum or product of floats. Where the derivative is a convention or infinite, the last column has it.

| function | symbol | formula | derivatives | domain | derivatives at kinks |
|---|---|---|---|---|---|
"""


def reference() -> str:
    rows = []
    for operation in ROWS[:TABLE]:
        kinks = "; ".join(f"at {point}: {partials}" for point, partials in operation.conventions)
        by = "; ".join(f"`d/d{operand} = {formula}`" for operand, formula in derivatives(operation).items())
        named = (f"`{text}`" for text in (operation.signature, operation.symbol, operation.formula))
        rows.append(f"| {' | '.join([*named, by, operation.domain, kinks])} |\n")
    return HEAD + "".join(rows)


CONVENTIONS_HEAD = """\
# Conventions at kinks and singular points

Where a function has no derivative, or an infinite one, each library has its convention. This page has ours beside those
of others. It is written by `make docs`: our column from the code as it is, the others' from what they answered when
`python docs/conventions.py` asked them. All numbers are float64.

## What we decided

- **First derivatives.** `relu`, `leaky_relu` and `elu` have the derivative from the left at 0, `abs` has 0. `maximum`
  and `minimum` split a tie evenly, so `maximum(x, x)` has the derivative 1. `hypot` and `atan2` have the derivatives 0
  at the origin. `x ** 0` has 0 everywhere, and `0 ** y` has 0 by y.
- **A second derivative at a kink is that of the branch that the first one took.** So functions that are equal as
  numbers can differ here, as their first derivatives do. `relu(x) ** 2` has 0 at 0, which is right from the left.
  `maximum(x, 0) ** 2` has 0.5: `maximum` has the derivative 0.5 there, and 2 · 0.5 · 0.5 is 0.5.
- **An infinite derivative is inf, not an error.** The second derivative is what arithmetic makes of it. `sqrt` and
  `x ** 0.5` have -inf at 0. `cbrt` has nan, since it is inf from the left and -inf from the right. `x ** (1 / 3)` has
  nan too: 1 / 3 - 1 is rounded, and the factor for what that loses has the derivative 0 there.
- **A Hessian is symmetric, or nan where there is no second derivative:** `hypot` and `atan2` at the origin, and the
  mixed derivatives of `x ** y` at x = 0 up to y = 1.
- **0.0 and -0.0 are one number:** they have the same derivatives, but at a pole: `log` on a tape has 1 / x, so inf at
  0.0 and -inf at -0.0. XLA drops the sum that makes 0.0 of -0.0, and has -inf for `sqrt` at -0.0.
- **Zero times infinity is nan,** in every mode. `sqrt(x * x)` is `abs(x)`, but its derivative at 0 is 0 · inf.
  The zeros of `take` are such factors in `backward()` and transforms; a tape goes back to the chosen element alone.
- **Outside the domain there is an error,** where others go on with inf or nan: `log(0)`, `1 / 0`, and `logsumexp` of
  nothing but -inf.

## What others do

A pair is a gradient, a pair of pairs is a Hessian. Where a cell has several entries, the library differs from itself:
in forward and reverse mode; for second derivatives, in forward over reverse (f/r), reverse over reverse (r/r) and
forward over forward mode (f/f). PyTorch's are those of `torch.func`, but r/r is two backward passes. Ours has no
`fmax` and no `relu6`: there it is asked for what one would write, `maximum(x, y)` and `minimum(relu(x), 6)`. Any other
cell is empty where the library does not have the function.

"""


def conventions() -> str:
    """conventions.md: what conventions.json has of the others, beside our own answers."""
    asked = runpy.run_path(str(DOCS / "conventions.py"))
    columns = {"here": asked["ours"]()}
    for peer, (version, answers) in json.loads(asked["FILE"].read_text(encoding="utf-8")).items():
        columns[f"{asked['PEERS'][peer]} {version.partition('+')[0]}"] = answers
    parts = [CONVENTIONS_HEAD]
    for order, title in enumerate(["First derivatives", "Second derivatives"]):
        parts.append(f"### {title}\n\n| {' | '.join(['', *columns])} |\n{'|---' * (len(columns) + 1)}|\n")
        for question in columns["here"]:
            name, _, point = question.rpartition(" at ")
            cells = [
                one_answer(answers[question][order]) if question in answers else "" for answers in columns.values()
            ]
            parts.append(f"| {' | '.join([f'`{name}` at {point}', *cells])} |\n")
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def one_answer(of_ways: dict[str, str]) -> str:
    """The answer of all ways, or each one's: `(1, 0) reverse, (0, 1) forward`."""
    ways: dict[str, list[str]] = {}
    for way, answer in of_ways.items():
        if answer != "NotImplementedError":
            ways.setdefault(answer, []).append(way)
    return "; ".join(answer if len(ways) == 1 else f"{answer} {', '.join(same)}" for answer, same in ways.items())


def with_part(page: Path, name: str, text: str) -> str:
    """A page, with this text in the part of this name."""
    first, last = f"<!-- {name}, written by make docs -->\n", f"<!-- end of {name} -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(first)
    return f"{before}{first}{text}{last}{rest.partition(last)[2]}"


def contributing() -> str:
    """CONTRIBUTING.md, with the table of rooms as the files are now."""
    return with_part(CONTRIBUTING, "rooms", rooms())


def readme() -> str:
    """README.md, with the badges of the address that pyproject.toml has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return with_part(README, "badges", badges(project.get("urls", {}).get("Repository", "")))


def badges(address: str) -> str:
    """What opens the course in a browser, at Colab and at Binder, once the project is at GitHub; until then, nothing.

    At Colab the project is not there: a notebook that is opened there installs it first. Binder reads `.binder/`.
    """
    host, _, name = address.rstrip("/").removesuffix(".git").partition("github.com/")
    if not host or name.count("/") != 1:
        return ""
    first = next(iter(sorted((ROOT / "notebooks").glob("*.ipynb")))).relative_to(ROOT).as_posix()
    colab = f"https://colab.research.google.com/github/{name}/blob/main/{first}"
    binder = f"https://mybinder.org/v2/gh/{name}/main?urlpath=lab/tree/{first}"
    install = f'%pip install "scalar-autograd[plots,datasets] @ git+https://github.com/{name}"'
    return (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})\n"
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})\n\n"
        f"At Colab, run `{install}` first.\n"
    )


def rooms() -> str:
    """A row for each module of the packages: where it is, and the first line of its docstring."""
    modules = [path for package in ("autograd", "nn") for path in (ROOT / package).rglob("*.py")]
    rows = ["| room | what it does |\n|---|---|\n"]
    for path in sorted(modules, key=lambda path: (path.parent, path.name)):
        room = path.relative_to(ROOT).as_posix().replace("__init__.py", "")
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        rows.append(f"| `{room}` | {docstring.splitlines()[0] if docstring else ''} |\n")
    return "".join(rows)


def neuron() -> Value:
    """A neuron of two inputs, spelled out: y = tanh(w1 x1 + w2 x2 + b), with the gradient of y."""
    x1, x2, w1, w2, b = (
        Value(data, label=label) for label, data in {"x1": 2.0, "x2": -1.0, "w1": -0.5, "w2": 0.75, "b": 2.0}.items()
    )
    y = tanh(w1 * x1 + w2 * x2 + b)
    y.label = "y"
    y.backward()
    return y


def network() -> Drawing:
    """A network that has learned the moons, what it says of one point, and the gradient there."""
    random.seed(3)
    model = MLP(2, [6, 4, 1], activation=tanh)
    inputs, targets = moons(seed=1)
    optimizer = Adam(model.parameters(), 0.05)
    fit(model, inputs, targets, binary_cross_entropy, optimizer, epochs=60, progress=False)
    model.zero_grad()
    binary_cross_entropy(model([0.5, 0.25]), 1).backward()
    return draw(model, [0.5, 0.25])


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    CONVENTIONS.write_text(conventions(), encoding="utf-8")
    CONTRIBUTING.write_text(contributing(), encoding="utf-8")
    README.write_text(readme(), encoding="utf-8")
    draw(neuron()).save(NEURON)
    network().save(NETWORK)
