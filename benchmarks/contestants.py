"""Who is compared: each contestant's title, how it is made, and what its process needs.

A contestant prepares a step, a function without arguments, whose time is measured:

    expression(expression)             a step computes the result and its gradient
    differentiate(network, examples)   the mean loss of so many examples, and its gradient
    train(network, examples)           the same and an update of the parameters, θ − η g
    train_model(network, examples)     the same through the MLP of the engine's own `nn`
    keep_graph, keep_node(network, examples) the same as `train`, while something of the steps before is alive
    amid(expression, width)            the same as `expression`, while another graph is alive
    fit(network, examples)             the same through `nn.fit`
    read(reading)                      NETtalk's passes through its words, with an update after each word
    self_play(game)                    a game of TD-Gammon against itself, from which it learns by TD(λ)
    present(network, examples)         a step goes through the examples one by one, with an update for each
    present_by_fit(network, examples)  the same through `nn.fit`
    gradient, product, hessian, entries(function) derivatives at a point, second ones too
    program(program)                   the results and the gradient of a program of scalars
    together, apart(network, examples) the gradient of a tape by one call or by two, which read the Values' data

`learn(names)` and `fit_names(names)` are the whole training of microgpt, a step for each name. They return the losses.

`numbers(outcome)` reads what a step returned, for it to be seen that all computed the same: the result or the loss, and
then the gradient or the updated parameters in the order of `network.parameters()`, as far as there are any.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from arrays import C, CasADi, CompiledTorch, Jax, NumPy, Torch
from overloading import Overloading, Xad
from scalars import Floats, TorchScalars, Values
from second_derivatives import ByTape, CasADiDerivatives, Compiled, JaxDerivatives, Transforms


class Contestant(NamedTuple):
    title: str
    make: Callable[[], Any]  # raises ImportError where it is not installed
    distribution: str = ""  # whose version is told
    module: str = ""  # whose import is timed
    environment: Mapping[str, str] = {}


def tape(executor: str, fused: bool = True, fast_math: bool = False) -> Any:
    from tapes import Taped

    return Taped(executor, fused, fast_math)


def programs(name: str) -> Any:
    from scalar_programs import MAKERS

    return MAKERS[name]()


OURS, ENGINE = "scalar-autograd", partial(Values, "autograd", "nn")
NATIVE, PYTHON, ON_CPU = {"AUTOGRAD_ENGINE": "native"}, {"AUTOGRAD_ENGINE": "python"}, {"JAX_PLATFORMS": "cpu"}
NO_CACHE = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}  # of what an earlier run has compiled
MICROGRAD = partial(Values, "micrograd.engine", "micrograd.nn", cyclic=True)

CONTESTANTS = {
    "native": Contestant("ours: native", ENGINE, OURS, "autograd", NATIVE),
    "python": Contestant("ours: Python", ENGINE, OURS, "autograd", PYTHON),
    "tape": Contestant("ours: tape", partial(tape, "native"), OURS, environment=NATIVE),
    "tape-threads": Contestant(
        "ours: tape, two threads", partial(tape, "native"), OURS, environment=NATIVE | {"OMP_NUM_THREADS": "2"}
    ),
    "tape-numpy": Contestant("ours: tape on NumPy", partial(tape, "numpy"), OURS, environment=PYTHON),
    "tape-fast": Contestant("ours: tape, fast_math", partial(tape, "native", True, True), OURS, environment=NATIVE),
    "tape-spelled": Contestant(
        "ours: tape of products and sums", partial(tape, "native", False), OURS, environment=NATIVE
    ),
    "compiled": Contestant("ours: compiled", Compiled, OURS, environment=NATIVE),
    "by-tape": Contestant("ours: a tape by hand", ByTape, OURS, environment=NATIVE),
    "transforms": Contestant("ours: not compiled", Transforms, OURS, environment=NATIVE),
    "floats": Contestant("plain floats", Floats),
    "micrograd": Contestant("micrograd", MICROGRAD, "micrograd", "micrograd.engine"),
    "short-class": Contestant("a class of microgpt's shape", partial(Values, "short_class", "")),
    "numpy": Contestant("NumPy by hand", NumPy, "numpy"),
    "torch-scalars": Contestant("PyTorch, scalars", TorchScalars, "torch"),
    "torch": Contestant("PyTorch, eager", Torch, "torch", "torch"),
    "torch-compile": Contestant("PyTorch, compile", CompiledTorch, "torch", environment=NO_CACHE),
    "jax-scalars": Contestant("JAX, scalars", partial(Jax, compiles=False), "jax", environment=ON_CPU),
    "jax": Contestant("JAX, jit", Jax, "jax", "jax", ON_CPU),
    "casadi": Contestant("CasADi, SX", CasADi, "casadi", "casadi"),
    "casadi-derivatives": Contestant("CasADi, SX", CasADiDerivatives, "casadi"),
    "jax-derivatives": Contestant("JAX, jit", JaxDerivatives, "jax", environment=ON_CPU),
    "doubles": Contestant("doubles, C++", partial(Overloading, "DOUBLES")),
    "stan": Contestant("Stan Math, C++", partial(Overloading, "STAN"), "httpstan"),
    "cppad": Contestant("CppAD, C++", partial(Overloading, "CPPAD"), "cmeel-cppad"),
    "adolc": Contestant("ADOL-C, C++", partial(Overloading, "ADOLC")),
    "sacado": Contestant("Sacado, C++", partial(Overloading, "SACADO")),
    "xad": Contestant("XAD, Python", Xad, "xad"),
    "programs": Contestant("ours: tape, native", partial(programs, "native"), OURS, environment=NATIVE),
    "programs-fast": Contestant("ours: tape, fast_math", partial(programs, "native-fast"), OURS, environment=NATIVE),
    "programs-c": Contestant("ours: tape as C", partial(programs, "c"), OURS, environment=NATIVE),
    "programs-c-fast": Contestant("ours: tape as C, fast_math", partial(programs, "c-fast"), OURS, environment=NATIVE),
    "heyoka": Contestant("heyoka", partial(programs, "heyoka"), "heyoka"),
    "ddx": Contestant("ddx", partial(programs, "ddx"), "ddx-ad"),
    "numba": Contestant("Numba, by hand", partial(programs, "numba"), "numba"),
    "jax-programs": Contestant("JAX, jit", partial(programs, "jax"), "jax", environment=ON_CPU),
    "c": Contestant("C, -O3", partial(C, "-O3")),
    "c-native": Contestant("C, all options", partial(C, "-O3", "-march=native", "-ffast-math")),
}
