"""Networks on the engine: modules, layers, losses, optimisers, training; `nn.datasets` and `nn.plots` beside them.

>>> from nn import MLP, SGD, half_squared_error
>>> model = MLP(2, [4, 1])
>>> optimizer = SGD(model.parameters(), learning_rate=0.1)
>>> loss = half_squared_error(model([1.0, 2.0]), 0.5)
>>> loss.backward()
>>> optimizer.step()
"""

from nn.layers import MLP, Layer, Neuron
from nn.losses import binary_cross_entropy, cross_entropy, half_squared_error, hinge, residuals, squared_error
from nn.metrics import correct_class, correct_sign, evaluate, predicted_class
from nn.minimizing import Descent
from nn.module import Module
from nn.optimizers import SGD, Adam, AdamW, Optimizer, RMSProp
from nn.second_order import GaussNewton, LevenbergMarquardt, NaturalGradient, Newton
from nn.training import History, fit

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "Descent",
    "GaussNewton",
    "History",
    "Layer",
    "LevenbergMarquardt",
    "Module",
    "NaturalGradient",
    "Neuron",
    "Newton",
    "Optimizer",
    "RMSProp",
    "binary_cross_entropy",
    "correct_class",
    "correct_sign",
    "cross_entropy",
    "evaluate",
    "fit",
    "half_squared_error",
    "hinge",
    "predicted_class",
    "residuals",
    "squared_error",
]
