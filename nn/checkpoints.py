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
from nn.module import Module, checked
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
        optimizer: what changes its parameters. It may leave some of them out, but has no others.
        history: what `fit` returned, or gave its callback.

    To have a checkpoint after each epoch, whatever ends the training, save in a callback:
    `fit(..., callback=lambda history: save_checkpoint("training.json", model, optimizer, history))`.
    Raises TypeError for what is no model, no Optimizer or no History, ValueError if a parameter is not finite, or if
    the optimizer has one that the model has not, and OSError if the file cannot be written; an older file is still
    there then.
    """
    history = History() if history is None else history
    module = module_for("save_checkpoint", model, optimizer)
    if not isinstance(history, History):
        raise TypeError(f"save_checkpoint: expected a History, as fit returns it, got {shortened(history)}")
    try:
        state = module.state_dict()
        checked(module, state)  # what could not be loaded is not written
    except ValueError as error:
        raise ValueError(f"cannot save {os.fspath(path)}: {error}") from None
    content = {"model": state, "optimizer": optimizer.state_dict(), "history": asdict(history)}
    write_document(path, "checkpoint", content, what="the checkpoint")


def load_checkpoint(path: str | os.PathLike[str], model: Module | Sequence[Value], optimizer: Optimizer) -> History:
    """Sets the parameters and the optimizer to what they were, and returns the history, with which `fit` goes on.

    Arguments are those of `save_checkpoint`. Raises OSError if the file cannot be read, and ValueError if it is damaged
    or of another model or optimizer. Nothing is changed then.
    """
    module = module_for("load_checkpoint", model, optimizer)
    try:
        content = read_document(path, "checkpoint")
        if content.keys() != {"model", "optimizer", "history"}:
            raise ValueError(f"expected a model, an optimizer and a history, got {', '.join(content)}")
        history = history_of(content["history"])
        checked(module, content["model"])
        optimizer.load_state_dict(content["optimizer"])
        module.load_state_dict(content["model"])  # which has been checked
    except (ValueError, TypeError) as error:
        raise ValueError(f"cannot load {os.fspath(path)}: {error}") from None
    return history


def module_for(caller: str, model: Module | Sequence[Value], optimizer: Optimizer) -> Module:
    """The model, or a Module that has its parameters. Raises what is wrong with the two together."""
    try:
        module = model if isinstance(model, Module) else Parameters(model)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{caller}: expected a Module, or the parameters of a model that is none: {error}") from None
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{caller}: expected an Optimizer, such as SGD(parameters), got {shortened(optimizer)}")
    others = len(set(optimizer.parameters).difference(module.parameters()))
    if others:
        raise ValueError(
            f"{caller}: {others} of the optimizer's parameters are none of the model's; "
            "give all of them, such as [*model.parameters(), temperature]"
        )
    return module


def history_of(content: Any) -> History:
    """The History of a checkpoint. Raises ValueError if it is none."""
    expected = {field.name: type(getattr(History(), field.name)) for field in fields(History)}
    if isinstance(content, dict):
        content = {"stopped": "", **content}  # which checkpoints up to version 0.2 do not have
    if not isinstance(content, dict) or {name: type(kept) for name, kept in content.items()} != expected:
        raise ValueError(f"expected a history of {', '.join(expected)}, got {shortened(content)}")
    return History(**content)
