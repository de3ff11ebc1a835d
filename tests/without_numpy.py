"""What a Python without NumPy can do, and what it says of the rest. The tests run this program in such a Python."""

# ruff: noqa: F403, F405  # what `import *` brings is part of what is tried

import copy
import pickle
import random
import sys
from importlib.util import find_spec
from pathlib import Path

import autograd
import nn
import nn.comparison
import nn.datasets
import nn.initial
import nn.plots
import nn.schedules
from autograd import *
from autograd import Tape, Value
from nn import *

# ---- The engine, its derivatives and its trace

x, y = Value(2.0, label="x"), Value(3.0, label="y")
(x * y**2).backward()
assert (x.grad, y.grad) == (9.0, 12.0)


def f(p):
    return p[0] * p[1] ** 2


assert grad(f)([2.0, 3.0]) == [9.0, 12.0]
assert value_and_grad(f)([2.0, 3.0]) == (18.0, [9.0, 12.0])
assert hessian(f)([2.0, 3.0]) == [[0.0, 6.0], [6.0, 4.0]]
assert jacobian(lambda p: [p[0] * p[1], p[0]])([2.0, 3.0]) == [[3.0, 2.0], [1.0, 0.0]]
assert jvp(f, ([2.0, 3.0],), ([1.0, 0.0],)) == (18.0, 9.0)
assert vjp(f, [2.0, 3.0])[1](1.0) == ([9.0, 12.0],)
assert hvp(f, ([2.0, 3.0],), ([1.0, 0.0],)) == [0.0, 6.0]
assert derivative(tanh, order=2)(0.0) == 0.0
assert gradients(x * y, [x, y]) == [3.0, 2.0]
check_gradients(lambda x, y: x * y**2, [2.0, 3.0])
assert "v1 = x * y = 2 * 3 = 6" in explain(x * y).text
assert define("cube", lambda m, x: x * x * x, [lambda m, r, x: 3.0 * x * x])(2.0) == 8.0
assert find_spec("graphviz") is None or draw(x * y).dot.startswith("digraph")

# ---- Layers, losses, metrics, files, and a loop by hand

random.seed(0)
words, sequence, tree = Embedding(3, 2), Recurrent(2, 3), TreeEncoder({"f": 2, "a": 0}, 3)
assert len(sequence([words(0), words(2)])[-1]) == len(tree(("f", "a", "a"))) == 3
assert MLP(2, [4, 3]).summary().multiply_adds == MLP(2, [4, 3]).summary([1.0, 2.0]).multiply_adds == 20
assert len(LayerNorm(3)(MLP(2, [4, 3])([1.0, 2.0]))) == 3
for loss in (half_squared_error, squared_error, hinge, binary_cross_entropy):
    assert loss(MLP(2, [4, 1])([1.0, 2.0]), 1).data >= 0.0

inputs, targets = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
model = Sequential(Layer(2, 8, activation=tanh), Dropout(0.1), Layer(8, 2, nonlin=False))
for _ in range(300):
    loss = sum([cross_entropy(model(x), target) for x, target in zip(inputs, targets, strict=True)])
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= 0.05 * p.grad
assert evaluate(model, inputs, targets, correct_class) == [1.0]
model.eval()
assert [predicted_class(model(x)) for x in inputs] == targets
model.train(True)
assert len(copy.deepcopy(model).parameters()) == len(pickle.loads(pickle.dumps(model)).parameters())
model.save("model.json")
model.load("model.json")
Path("model.json").unlink()

# ---- What computes with arrays says so, and changes nothing


class ByHand(Optimizer):
    def __init__(self, parameters):
        self.parameters = parameters

    def step(self):
        raise AssertionError


NEED_NUMPY = [
    lambda: Tape(loss),
    lambda: Tape.record(lambda x: x * x, [1.0]),
    lambda: SGD(model.parameters(), 0.1),
    lambda: RMSProp(model.parameters(), 0.1),
    lambda: Adam(model.parameters()),
    lambda: AdamW(model.parameters()),
    lambda: fit(model, inputs, targets, cross_entropy, ByHand(model.parameters()), epochs=1),
    lambda: GaussNewton(model.parameters()).minimize(lambda: model([1.0, 2.0])),
    lambda: Newton(model.parameters()).minimize(lambda: model([1.0, 2.0])[0] ** 2),
    lambda: to_numpy(model),
    lambda: nn.datasets.xor(),
    lambda: nn.plots.loss_curves({"a": [1.0, 2.0]}),
]
before = [(p.data, p.grad) for p in model.parameters()]
state = random.getstate()
for need in NEED_NUMPY:
    try:
        need()
    except ImportError as error:
        said = str(error)
    else:
        said = "nothing"
    assert said.endswith("which is not installed: pip install numpy"), said
assert [(p.data, p.grad) for p in model.parameters()] == before
assert random.getstate() == state
assert sys.modules.get("numpy") is None
print(autograd.engine, autograd.__file__)
