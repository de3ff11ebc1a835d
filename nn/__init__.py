"""Networks on the engine: modules, layers, losses, optimisers, training.

`nn.comparison`, `nn.datasets`, `nn.exercises`, `nn.initial`, `nn.plots` and `nn.schedules` are imported by themselves.

>>> from nn import MLP, SGD, half_squared_error
>>> model = MLP(2, [4, 1])
>>> optimizer = SGD(model.parameters(), learning_rate=0.1)
>>> loss = half_squared_error(model([1.0, 2.0]), 0.5)
>>> loss.backward()
>>> optimizer.step()
"""

import nn.foundation  # first: it says so where another package is called autograd
import nn.summarizing  # noqa: F401  Module.summary needs it
from nn.attention import CausalAttention, TransformerBlock, rms_norm
from nn.checkpoints import load_checkpoint, save_checkpoint
from nn.convolution import Convolution
from nn.dropout import Dropout
from nn.exchange import from_numpy, from_torch, to_numpy, to_torch
from nn.fir import FIRLayer
from nn.layers import MLP, Embedding, Layer, LayerNorm, Neuron, Sequential
from nn.losses import binary_cross_entropy, cross_entropy, half_squared_error, hinge, residuals, squared_error
from nn.metrics import correct_bit, correct_class, correct_sign, evaluate, predicted_class
from nn.minimizing import Descent
from nn.module import Module
from nn.optimizers import SGD, Adam, AdamW, Optimizer, ParameterGroups, RMSProp
from nn.recurrent import Recurrent, TreeEncoder
from nn.second_order import GaussNewton, LevenbergMarquardt, NaturalGradient, Newton
from nn.traces import EligibilityTraces
from nn.training import History, fit

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "CausalAttention",
    "Convolution",
    "Descent",
    "Dropout",
    "EligibilityTraces",
    "Embedding",
    "FIRLayer",
    "GaussNewton",
    "History",
    "Layer",
    "LayerNorm",
    "LevenbergMarquardt",
    "Module",
    "NaturalGradient",
    "Neuron",
    "Newton",
    "Optimizer",
    "ParameterGroups",
    "RMSProp",
    "Recurrent",
    "Sequential",
    "TransformerBlock",
    "TreeEncoder",
    "binary_cross_entropy",
    "correct_bit",
    "correct_class",
    "correct_sign",
    "cross_entropy",
    "evaluate",
    "fit",
    "from_numpy",
    "from_torch",
    "half_squared_error",
    "hinge",
    "load_checkpoint",
    "predicted_class",
    "residuals",
    "rms_norm",
    "save_checkpoint",
    "squared_error",
    "to_numpy",
    "to_torch",
]
