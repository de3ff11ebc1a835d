"""A checkpoint is a training in one file: the model, the optimizer and the history, so that another process can go on.

    history = fit(model, inputs, targets, loss, optimizer, epochs=10)
    save_checkpoint("training.json", model, optimizer, history)

and in another process, with model and optimizer made as they were, and with the same data:

    history = load_checkpoint("training.json", model, optimizer)
    history = fit(model, inputs, targets, loss, optimizer, epochs=30, history=history)  # epochs 11 to 30
"""

from __future__ import annotations

import os
from dataclasses import asdict, fields
from reprlib import repr as shortened

from nn.arguments import distinct_leaves
from nn.module import Module
from nn.optimizers import Optimizer
from nn.state import read_document, write_document
from nn.training import History

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from autograd import Value


class Parameters(Module):
    """The parameters of a model that is no Module."""

    def __init__(self, parameters: Sequence[Value]) -> None:
        self.parameter = distinct_leaves(parameters)


def save_checkpoint(
    path: str | os.PathLike[str], model: Module | Sequence[Value], optimizer: Optimizer, history: History | None = None
) -> None:
    """Writes the model's parameters, the optimizer's state and the history to a file, whole or not at all.

    Arguments:
        path: where the file is to be. It takes the place of an older one in a single step.
        model: a Module, or the parameters of a model that is none.
        optimizer: what changes its parameters.
        history: what `fit` returned, or gave its callback.

    After `patience` has ended a training, the parameters are the best epoch's: to go on from the last epoch, save in a
    callback, `callback=lambda history: save_checkpoint("training.json", model, optimizer, history)`.
    Raises TypeError for what is no model, no Optimizer or no History, ValueError if a parameter is not finite, and
    OSError if the file cannot be written; an older file is still there then.
    """
    history = History() if history is None else history
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"save_checkpoint: expected an Optimizer, got {shortened(optimizer)}")
    if not isinstance(history, History):
        raise TypeError(f"save_checkpoint: expected a History, as fit returns it, got {shortened(history)}")
    module = module_of("save_checkpoint", model)
    module.load_state_dict(module.state_dict())  # what could not be loaded is not written
    content = {"model": module.state_dict(), "optimizer": optimizer.state_dict(), "history": asdict(history)}
    write_document(path, "checkpoint", content, what="the checkpoint")


def load_checkpoint(path: str | os.PathLike[str], model: Module | Sequence[Value], optimizer: Optimizer) -> History:
    """Sets the parameters and the optimizer to what they were, and returns the history, with which `fit` goes on.

    Arguments are those of `save_checkpoint`. Raises OSError if the file cannot be read, and ValueError if it is damaged
    or of another model or optimizer. Nothing is changed then.
    """
    module = module_of("load_checkpoint", model)
    before = module.state_dict()
    try:
        content = read_document(path, "checkpoint")
        if content.keys() != {"model", "optimizer", "history"}:
            raise ValueError(f"expected a model, an optimizer and a history, got {', '.join(content)}")
        history = history_of(content["history"])
        try:
            module.load_state_dict(content["model"])
            optimizer.load_state_dict(content["optimizer"])
        except BaseException:
            module.load_state_dict(before)
            raise
    except (ValueError, TypeError) as error:
        raise ValueError(f"cannot load {os.fspath(path)}: {error}") from None
    return history


def module_of(caller: str, model: Module | Sequence[Value]) -> Module:
    if isinstance(model, Module):
        return model
    try:
        return Parameters(model)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{caller}: expected a Module, or the parameters of a model that is none: {error}") from None


def history_of(content: Any) -> History:
    """The History of a checkpoint. Raises ValueError if it is none."""
    expected = {field.name: type(getattr(History(), field.name)) for field in fields(History)}
    if not isinstance(content, dict) or {name: type(kept) for name, kept in content.items()} != expected:
        raise ValueError(f"expected a history of {', '.join(expected)}, got {shortened(content)}")
    return History(**content)
