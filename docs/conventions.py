"""Asks other libraries for their derivatives at kinks and singular points, and keeps the answers in conventions.json.

    python -m pip install -e ".[peers]" && python docs/conventions.py && make docs

`write.py` makes conventions.md of them; our own column there comes from the code as it is. HIPS autograd has the import
name of this package, so it cannot be in the extra: pip puts it into a folder of its own. Each library is asked in a
process of its own.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import warnings
from importlib import import_module, metadata
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Numbers = list[float]
    Way = Callable[[Callable[[Any], Any], Any], Any]  # Any: each library's own arrays

FILE = Path(__file__).with_suffix(".json")
HIPS = "autograd==1.9.1"
PEERS = {"torch": "PyTorch", "jax": "JAX", "casadi": "CasADi", "autograd": "HIPS autograd"}
INF = math.inf

# A function of p, whose numbers are x and y, as it is written here, in PyTorch, JAX, CasADi and HIPS autograd (None
# where it isn't there); and the points where it is asked. One text alone is the same everywhere.
CASES: dict[str, tuple[tuple[str | None, ...], list[Numbers]]] = {
    "abs(x)": (("abs(x)",), [[0.0]]),
    "sqrt(x)": (("sqrt(x)", "torch.sqrt(x)", "jnp.sqrt(x)", "casadi.sqrt(x)", "np.sqrt(x)"), [[0.0], [-0.0]]),
    "sqrt(x * x)": (
        ("sqrt(x * x)", "torch.sqrt(x * x)", "jnp.sqrt(x * x)", "casadi.sqrt(x * x)", "np.sqrt(x * x)"),
        [[0.0]],
    ),
    "cbrt(x)": (("cbrt(x)", None, "jnp.cbrt(x)", None, None), [[0.0]]),
    "x ** 0.0": (("x ** 0.0",), [[0.0]]),
    "x ** (1 / 3)": (("x ** (1 / 3)",), [[0.0]]),
    "x ** 0.5": (("x ** 0.5",), [[0.0]]),
    "x ** 1.5": (("x ** 1.5",), [[0.0]]),
    "x ** 2": (("x ** 2",), [[0.0]]),
    "power(x, y)": (
        ("x ** y",),
        [[0.0, 0.0], [0.0, 0.5], [0.0, 1.0], [0.0, 1.5], [0.0, 2.0], [-2.0, 0.0], [-2.0, 3.0], [2.0, 0.0]],
    ),
    "asin(x)": (("asin(x)", "torch.asin(x)", "jnp.arcsin(x)", "casadi.asin(x)", "np.arcsin(x)"), [[1.0], [-1.0]]),
    "acos(x)": (("acos(x)", "torch.acos(x)", "jnp.arccos(x)", "casadi.acos(x)", "np.arccos(x)"), [[1.0], [-1.0]]),
    "acosh(x)": (("acosh(x)", "torch.acosh(x)", "jnp.arccosh(x)", "casadi.acosh(x)", "np.arccosh(x)"), [[1.0]]),
    "semicircle(x)": (("semicircle(x)", None, None, None, None), [[1.0], [-1.0]]),
    "atan2(x, y)": (
        ("atan2(x, y)", "torch.atan2(x, y)", "jnp.arctan2(x, y)", "casadi.atan2(x, y)", "np.arctan2(x, y)"),
        [[0.0, 0.0]],
    ),
    "hypot(x, y)": (
        ("hypot(x, y)", "torch.hypot(x, y)", "jnp.hypot(x, y)", "casadi.hypot(x, y)", "np.hypot(x, y)"),
        [[0.0, 0.0], [3.0, 3.0]],
    ),
    "the norm of (x, y)": (
        ("hypot(x, y)", "torch.linalg.norm(p)", "jnp.linalg.norm(p)", "casadi.norm_2(p)", "np.linalg.norm(p)"),
        [[0.0, 0.0]],
    ),
    "direction(x, y)": (("direction(x, y)", None, None, None, None), [[0.0, 0.0]]),
    "maximum(x, y)": (
        ("maximum(x, y)", "torch.maximum(x, y)", "jnp.maximum(x, y)", "casadi.fmax(x, y)", "np.maximum(x, y)"),
        [[2.0, 2.0]],
    ),
    "fmax(x, y)": (
        ("maximum(x, y)", "torch.fmax(x, y)", "jnp.fmax(x, y)", "casadi.fmax(x, y)", "np.fmax(x, y)"),
        [[2.0, 2.0]],
    ),
    "minimum(x, y)": (
        ("minimum(x, y)", "torch.minimum(x, y)", "jnp.minimum(x, y)", "casadi.fmin(x, y)", "np.minimum(x, y)"),
        [[2.0, 2.0]],
    ),
    "maximum(x, 0)": (
        (
            "maximum(x, 0)",
            "torch.maximum(x, torch.zeros_like(x))",
            "jnp.maximum(x, 0)",
            "casadi.fmax(x, 0)",
            "np.maximum(x, 0)",
        ),
        [[0.0]],
    ),
    "maximum(x, 0) ** 2": (
        (
            "maximum(x, 0) ** 2",
            "torch.maximum(x, torch.zeros_like(x)) ** 2",
            "jnp.maximum(x, 0) ** 2",
            "casadi.fmax(x, 0) ** 2",
            "np.maximum(x, 0) ** 2",
        ),
        [[0.0]],
    ),
    "relu(x)": (("relu(x)", "F.relu(x)", "jax.nn.relu(x)", None, None), [[0.0]]),
    "relu(x) ** 2": (("relu(x) ** 2", "F.relu(x) ** 2", "jax.nn.relu(x) ** 2", None, None), [[0.0]]),
    "relu6(x)": (("minimum(relu(x), 6)", "F.relu6(x)", "jax.nn.relu6(x)", None, None), [[0.0], [6.0]]),
    "leaky_relu(x, y)": (("leaky_relu(x, y)", None, "jax.nn.leaky_relu(x, y)", None, None), [[0.0, 0.1]]),
    "leaky_relu(x, 0.1)": (
        ("leaky_relu(x, 0.1)", "F.leaky_relu(x, 0.1)", "jax.nn.leaky_relu(x, 0.1)", None, None),
        [[0.0]],
    ),
    "elu(x, y)": (("elu(x, y)", None, "jax.nn.elu(x, y)", None, None), [[0.0, 0.5]]),
    "elu(x, 0.5)": (("elu(x, 0.5)", "F.elu(x, 0.5)", "jax.nn.elu(x, 0.5)", None, None), [[0.0]]),
    "logsumexp([x, y])": (
        ("logsumexp(p)", "torch.logsumexp(p, 0)", "jax.nn.logsumexp(p)", "casadi.logsumexp(p)", "logsumexp(p)"),
        [[40.0, 0.0], [-INF, 1.0], [INF, 1.0], [-INF, -INF]],
    ),
    "log(x)": (("log(x)", "torch.log(x)", "jnp.log(x)", "casadi.log(x)", "np.log(x)"), [[0.0]]),
    "1 / x": (("1 / x",), [[0.0]]),
}


def expressions(name: str, library: int) -> str | None:
    """How the function of this name is written in one of the libraries: 0 is ours, then the peers in their order."""
    texts, _ = CASES[name]
    return texts[library] if len(texts) > 1 else texts[0]


def questions(library: int) -> Iterator[tuple[str, str, Numbers]]:
    """The name of a question, as the page has it, the expression, and the point."""
    for name, (_, points) in CASES.items():
        for point in points:
            if (expression := expressions(name, library)) is not None:
                yield question(name, point), expression, point


def question(name: str, point: Numbers) -> str:
    return f"{name} at {', '.join(f'{x:g}' for x in point)}"


def answers(library: int, names: dict[str, Any], firsts: dict[str, Way], seconds: dict[str, Way], array: Any) -> Any:
    """To each question, the first and the second derivatives that each way of computing them gives, as texts."""
    found: dict[str, list[dict[str, str]]] = {}
    for name, expression, point in questions(library):
        function = of(expression, names, len(point))
        found[name] = [
            {way: answer(compute, function, array(point)) for way, compute in ways.items()}
            for ways in (firsts, seconds)
        ]
    return found


def of(expression: str, names: dict[str, Any], length: int) -> Callable[[Any], Any]:
    def function(p: Any) -> Any:
        return eval(expression, names | {"p": p, "x": p[0], "y": p[1] if length > 1 else None})

    return function


def answer(compute: Way, function: Callable[[Any], Any], point: Any) -> str:
    try:
        return text(compute(function, point))
    except Exception as error:
        return type(error).__name__


def text(numbers: Any) -> str:
    """(0, 0.5) for a gradient, ((0, nan), (nan, 0)) for a Hessian, and of one number the number alone."""
    if isinstance(numbers, float):
        return f"{numbers + 0.0:.3g}"  # no -0
    return text(numbers[0]) if len(numbers) == 1 else f"({', '.join(map(text, numbers))})"


# ---- the libraries


def ours() -> Any:
    import autograd

    names = {name: getattr(autograd, name) for name in autograd.__all__}
    hessian, jacobian = autograd.hessian, autograd.jacobian
    return answers(
        0,
        names,
        {
            "reverse": lambda f, p: autograd.grad(f)(p),
            "forward": lambda f, p: jacobian(f, mode="forward")(p),
        },
        {
            "f/r": lambda f, p: hessian(f)(p),
            "r/r": lambda f, p: jacobian(autograd.grad(f), mode="reverse")(p),
            "f/f": lambda f, p: jacobian(jacobian(f, mode="forward"), mode="forward")(p),
        },
        list,
    )


def torch() -> Any:
    import torch
    import torch.nn.functional

    torch.set_default_dtype(torch.float64)
    func = torch.func

    def backward(f: Any, p: Any) -> Any:
        q = p.clone().requires_grad_()
        return torch.autograd.grad(f(q), q)[0].tolist()

    def twice_backward(f: Any, p: Any) -> Any:
        q = p.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(f(q), q, create_graph=True)
        if not gradient.requires_grad:
            return [[0.0] * len(p)] * len(p)
        return [torch.autograd.grad(derivative, q, retain_graph=True)[0].tolist() for derivative in gradient]

    return answers(
        1,
        {"torch": torch, "F": torch.nn.functional},
        {"reverse": backward, "forward": lambda f, p: (func.jacfwd(f)(p) + 0.0).tolist()},
        {
            "f/r": lambda f, p: (func.hessian(f)(p) + 0.0).tolist(),
            "r/r": twice_backward,
            "f/f": lambda f, p: (func.jacfwd(func.jacfwd(f))(p) + 0.0).tolist(),  # a ZeroTensor has no list
        },
        torch.tensor,
    )


def jax() -> Any:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    forward, reverse = jax.jacfwd, jax.jacrev
    return answers(
        2,
        {"jax": jax, "jnp": jnp},
        {"reverse": lambda f, p: reverse(f)(p).tolist(), "forward": lambda f, p: forward(f)(p).tolist()},
        {
            "f/r": lambda f, p: forward(reverse(f))(p).tolist(),
            "r/r": lambda f, p: reverse(reverse(f))(p).tolist(),
            "f/f": lambda f, p: forward(forward(f))(p).tolist(),
        },
        jnp.array,
    )


def casadi() -> Any:
    import casadi

    def evaluated(by: Any) -> Way:
        def compute(f: Any, point: Any) -> Any:
            p = casadi.SX.sym("p", len(point))
            numbers = casadi.Function("f", [p], [by(f(p), p)])(point).full().tolist()
            return numbers[0] if len(numbers) == 1 else numbers

        return compute

    def reverse(outputs: Any, p: Any) -> Any:
        return casadi.vertcat(*[casadi.jtimes(outputs, p, e, True).T for e in unit_vectors(outputs.numel())])

    def forward(outputs: Any, p: Any) -> Any:
        return casadi.horzcat(*[casadi.jtimes(outputs, p, e, False) for e in unit_vectors(p.numel())])

    def unit_vectors(count: int) -> list[Any]:
        return [casadi.DM.eye(count)[:, i] for i in range(count)]

    return answers(
        3,
        {"casadi": casadi},
        {"reverse": evaluated(reverse), "forward": evaluated(forward)},
        {
            "f/r": evaluated(lambda f, p: forward(reverse(f, p).T, p)),
            "r/r": evaluated(lambda f, p: reverse(reverse(f, p).T, p)),
            "f/f": evaluated(lambda f, p: forward(forward(f, p).T, p)),
        },
        list,
    )


def autograd() -> Any:
    hips, np = import_module("autograd"), import_module("autograd.numpy")  # not ours, in the process that runs this

    def forward(f: Any) -> Any:
        def jacobian(p: Any) -> Any:
            tangent = hips.make_jvp(f)(p)
            return np.stack([tangent(direction)[1] for direction in np.eye(len(p))], axis=-1)

        return jacobian

    reverse = hips.jacobian
    return answers(
        4,
        {"np": np, "logsumexp": import_module("autograd.scipy.special").logsumexp},
        {"reverse": lambda f, p: reverse(f)(p).tolist(), "forward": lambda f, p: forward(f)(p).tolist()},
        {
            "f/r": lambda f, p: forward(reverse(f))(p).tolist(),
            "r/r": lambda f, p: reverse(reverse(f))(p).tolist(),
            "f/f": lambda f, p: forward(forward(f))(p).tolist(),
        },
        np.array,
    )


def asked(peer: str, *folders: str) -> Any:
    """The version and the answers of a peer, from a process of its own."""
    path = os.pathsep.join(folders)
    command = [sys.executable, "-P", __file__, peer]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path})
    return json.loads(run.stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, HIPS]
        subprocess.run(install, check=True)
        found = {peer: asked(peer, *[folder] if peer == "autograd" else []) for peer in PEERS}
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        warnings.simplefilter("ignore")
        print(json.dumps([metadata.version(sys.argv[1]), globals()[sys.argv[1]]()]))
    else:
        main()
