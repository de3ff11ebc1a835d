"""Two moons, told apart by a small network. But for its imports, this is a script for micrograd.

Max-margin loss, L2 regularisation, gradient descent by hand. Leaves the decision boundary in out/moons.png.
Needs matplotlib and scikit-learn: pip install "scalar-autograd[examples]"
"""

import argparse
import random
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from autograd import Value, sum
from nn import MLP

argparse.ArgumentParser(description=__doc__).parse_args()  # it has no options but --help

random.seed(1337)
X, y = map(np.asarray, make_moons(n_samples=100, noise=0.1, random_state=1337))
y = 2 * y - 1  # the moons are -1 and +1

model = MLP(2, [16, 16, 1])
print(f"{len(model.parameters())} parameters learn {len(X)} points")

steps = 100
for step in range(steps):
    scores = [model([Value(x1), Value(x2)]) for x1, x2 in X]
    margins = [(1 - sign * score).relu() for sign, score in zip(y, scores, strict=True)]
    loss = sum(margins) / len(margins) + 1e-4 * sum(p * p for p in model.parameters())

    model.zero_grad()
    loss.backward()
    learning_rate = 1.0 - 0.9 * step / steps
    for p in model.parameters():
        p.data -= learning_rate * p.grad

    if step % 5 == 0 or step == steps - 1:
        correct = sum(sign * score.data > 0 for sign, score in zip(y, scores, strict=True))
        print(f"step {step} loss {loss.data}, accuracy {100 * correct / len(X)}%")

# One score for every knot of a grid around the points.
(left, bottom), (right, top) = X.min(axis=0) - 0.5, X.max(axis=0) + 0.5
x1s, x2s = np.linspace(left, right, 60), np.linspace(bottom, top, 45)
grid = [[model([x1, x2]).data for x1 in x1s] for x2 in x2s]

plt.contourf(x1s, x2s, grid, levels=[-1e9, 0, 1e9], cmap="coolwarm", alpha=0.5)
plt.scatter(X[:, 0], X[:, 1], c=y, cmap="coolwarm", edgecolors="black")
Path("out").mkdir(exist_ok=True)
plt.savefig("out/moons.png", dpi=120)
print("the decision boundary is in out/moons.png")
