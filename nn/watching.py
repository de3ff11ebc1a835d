"""A training is watched in a notebook: its curves, the decision boundary and the network move while it goes on.

anywidget shows the pictures, in JupyterLab, marimo, VS Code and Colab alike; without it a figure is shown anew now and
then. In the end a figure takes the place of either, which a notebook keeps when it is saved, converted, or opened where
nobody trusts it. Pictures are made between two steps of the training, in the same thread, and only as often as the
time allows that has passed since the last one. What goes wrong with them is told, and does not end the training.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from contextlib import suppress
from functools import cache
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from autograd import packages
from autograd.packages import numpy
from nn.animation import boundary, curves, figure, resource, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol, TypeAlias

    from numpy.typing import NDArray

    from nn.animation import History
    from nn.film import Film

    Array = NDArray[numpy.float64]
    Part: TypeAlias = Callable[[float, Sequence[float], Array], Any]  # Any: what the screen shows

    class Screen(Protocol):
        """Where pictures are shown.

        parts: what it shows, by name: a function of epoch, means and parameters, and how many seconds it takes at
            first, by guess.
        """

        parts: dict[str, tuple[Part, float]]

        def show(self, name: str, picture: Any) -> None: ...

        def leave(self, picture: object) -> None: ...


# Of the time, that pictures may take. With being told of each step, and with the first ones, which are shown at once,
# it is a twentieth of a training of some seconds.
SHARE = 0.025
SENDING = (
    0.009  # seconds that a picture takes, about, in the threads that send it, and by what they keep from the training
)
SHORTEST = 0.1  # seconds between two pictures of a part
thread_time = getattr(time, "thread_time", time.perf_counter)  # not every system has it
COPY = 1.5e-5  # seconds that it takes, about, to copy and draw a parameter


class Watcher:
    """Is told of each step, and shows some of them.

    Arguments:
        film: keeps parameters of the training.
        history: what has been measured so far; `fit` adds to it.
        screen: where to show pictures; None where there is no notebook.
        clock: tells the time in seconds, best that which this thread has computed: where others compute too, the share
            is one of what the training gets.
    """

    def __init__(
        self, film: Film, history: History, screen: Screen | None, clock: Callable[[], float] = thread_time
    ) -> None:
        self.film, self.history, self.screen, self.clock = film, history, screen, clock
        self.paces = {name: Pace(*part) for name, part in (screen.parts if screen else {}).items()}
        for pace in self.paces.values():
            pace.plan(clock(), [*self.paces.values()])
        self.next = -numpy.inf if self.paces else numpy.inf
        self.epoch = 0.0

    def step(self, epoch: float, totals: Sequence[float], seen: int, vector: Array) -> None:
        """Is told of a step.

        Arguments:
            epoch: the moment, counted in epochs.
            totals, seen: the sums of what is measured over so many examples, in this epoch so far.
            vector: the parameters after the step.
        """
        self.epoch = epoch
        self.film.note(epoch, vector)
        if self.clock() >= self.next:
            moment = epoch, [total / seen for total in totals], vector
            for name, pace in [*self.paces.items()]:
                if self.clock() >= pace.next:
                    self._show(name, pace, moment)
            self.next = min([pace.next for pace in self.paces.values()], default=numpy.inf)

    def _show(self, name: str, pace: Pace, moment: tuple[float, Sequence[float], Array]) -> None:
        start = self.clock()
        try:
            assert self.screen is not None
            picture = pace.part(*moment)
            if picture is not None:
                self.screen.show(name, picture)
        except Exception as error:
            del self.paces[name]
            complain(name, error)
        end = self.clock()
        pace.cost = end - start + SENDING
        pace.plan(end, [*self.paces.values()])

    def end(self, vector: Array, left: Array) -> None:
        """Is told that the training is over, with which parameters, and with which it leaves the model.

        The figure that is left may be interrupted: the training is over, and what it came to shall not be lost.
        """
        self.film.end(self.epoch, vector)
        if self.screen is None:
            return
        try:
            self.screen.leave(Ending(self.history, self.film, left))
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, Exception):
                complain("the figure in the end", error)
            with suppress(Exception, KeyboardInterrupt):
                self.screen.leave(self.history)


class Ending:
    """What a notebook keeps: the curves and the plane as a PNG; in HTML, below them the network.

    Raises ImportError without matplotlib, and whatever the model raises.
    """

    def __init__(self, history: History, film: Film, parameters: Array) -> None:
        png = BytesIO()
        figure(history, film, parameters).savefig(png, format="png")
        self.png, self.network, self.text = png.getvalue(), film.network(parameters), repr(history)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str | bytes]:
        images = [image("png", self.png, self.text)]
        if self.network is not None:
            images.append(image("svg+xml", self.network.encode(), "The network", 600))
        return {"text/html": "".join(images), "image/png": self.png, "text/plain": self.text}


def image(kind: str, data: bytes, about: str, width: int = 1260) -> str:
    address = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return f'<div><img src="{address}" alt="{escape(about)}" style="width: {width}px; max-width: 100%"></div>'


class Pace:
    """How often a part is shown: what a picture costs, in seconds, sent, and when the next one may be made."""

    def __init__(self, part: Part, cost: float = 0.0) -> None:
        self.part, self.cost, self.next = part, cost, -numpy.inf

    def plan(self, now: float, paces: list[Pace]) -> None:
        """Puts the next picture off until it is due: after `SHORTEST`, or what brings the cost down to its share."""
        if self.cost:
            share = share_of(self, paces)
            self.next = now + max(SHORTEST, self.cost * (1.0 / share - 1.0))


def share_of(pace: Pace, paces: list[Pace]) -> float:
    """The share of the time that a part has. What a cheap one leaves of an equal share, the dearer ones may use."""
    left = SHARE
    for parts, each in zip(range(len(paces), 0, -1), sorted(paces, key=lambda each: each.cost), strict=True):
        share = min(left / parts, each.cost / (each.cost + SHORTEST))
        if each is pace:
            return share
        left -= share
    return SHARE  # the part has ended


def complain(what: str, error: Exception) -> None:
    with suppress(Exception):  # the stream may be closed
        print(f"fit: watch: {what}: {type(error).__name__}: {error} (the training is not touched)", file=sys.stderr)


# ---- Screens


def screen(film: Film, history: History, epochs: int) -> Screen | None:
    """What there is to show pictures on, here. None, and so the bar alone, where there is no notebook."""
    try:
        if not in_notebook():
            return None
        try:
            return Live(film, history, epochs)
        except ImportError:
            return Still(film, history)
    except Exception as error:
        complain("there is no view", error)
        return None


def in_notebook() -> bool:
    """Whether outputs can be shown, and shown anew: in a kernel of Jupyter, or in marimo."""
    marimo, ipython = sys.modules.get("marimo"), sys.modules.get("IPython")
    if marimo is not None and marimo.running_in_notebook():
        return True
    return hasattr(ipython and ipython.get_ipython(), "kernel")


class Live:
    """A widget, which a script in the notebook draws."""

    def __init__(self, film: Film, history: History, epochs: int) -> None:
        self.parts = self.parts_of(film, history)
        self.widget = widget_class()(setting=setting(film, epochs))
        self.handle = displayed(self.widget)

    @staticmethod
    def parts_of(film: Film, history: History) -> dict[str, tuple[Part, float]]:
        parts: dict[str, tuple[Part, float]] = {
            "curves": (lambda epoch, means, _: curves(history, film, epoch, means), 0.0),
            "network": (lambda _, __, vector: film.network(vector), COPY * len(film.parameters)),
        }
        if film.plane is not None:
            parts["boundary"] = (lambda _, __, vector: boundary(film.scores(vector))), 0.0
        return parts

    def show(self, name: str, picture: Any) -> None:
        # As a text: a widget would go through thousands of numbers, looking for what is no JSON.
        setattr(self.widget, name, picture if isinstance(picture, str) else json.dumps(picture))

    def leave(self, picture: object) -> None:
        self.handle.update(picture)
        self.widget.close()


@cache
def widget_class() -> Any:  # Any: of a class that is made where anywidget is installed
    from anywidget import AnyWidget
    from traitlets import Dict, Unicode

    class Training(AnyWidget):
        _esm = resource("watching.js") + "\nexport default { render };\n"
        _css = resource("watching.css")
        setting = Dict().tag(sync=True)
        curves = Unicode().tag(sync=True)
        boundary = Unicode().tag(sync=True)
        network = Unicode().tag(sync=True)

        def __repr__(self) -> str:
            return "A training, live. This program shows no widgets: watch it in JupyterLab, marimo, VS Code or Colab."

    return Training


class Still:
    """A figure of matplotlib, which takes longer to draw: so there are fewer of them."""

    def __init__(self, film: Film, history: History) -> None:
        self.parts: dict[str, tuple[Part, float]] = {
            "figure": (lambda _, __, vector: figure(history, film, vector), 0.0)
        }
        self.handle = displayed(Hint(f"A view that moves more often: {packages.install('anywidget')}"))

    def show(self, name: str, picture: object) -> None:
        self.handle.update(picture)

    def leave(self, picture: object) -> None:
        self.handle.update(picture)


class Hint(str):
    """A text that is shown as it is, without quotes."""

    def __repr__(self) -> str:
        return str(self)


def displayed(shown: object) -> Any:  # Any: IPython's handle
    from IPython.display import display

    return display(shown, display_id=True)  # type: ignore[no-untyped-call]
