"""Networks on structures: Recurrent goes along a sequence, and TreeEncoder up a tree, with the same weights everywhere.

A weight that is used in many places gets the sum of the gradients of all of them: backpropagation through time, and
through structure, is `backward()` as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from reprlib import repr as shortened

from autograd import Value, tanh
from nn.arguments import at_least, is_sequence, neuron_inputs, positive
from nn.layers import Layer
from nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from nn.summary import Shape

    Scalar = Value | float
    # A tree is a symbol, or (symbol, child, child, ...).
    Tree = str | tuple[Any, ...]  # Any: a type cannot contain itself


class Recurrent(Module):
    """A layer that sees its own outputs of the step before: h_t = activation(bias + W x_t + U h_{t-1}).

    Arguments:
        nin: the number of inputs of a step.
        nout: the number of neurons.
        activation: a function of a Value.

    `layer` has the weights: those of the inputs first, then those of the neurons' own outputs. They are drawn as those
    of a Layer. Raises TypeError or ValueError as Layer does.
    Source: J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990. He copies h_{t-1} as numbers, so that
    no gradient goes back through time: `layer.step(x, [h.data for h in state])`.

    >>> counter = Recurrent(1, 1, activation=lambda z: z)
    >>> for parameter, number in zip(counter.parameters(), [1.0, 1.0, 0.0]):
    ...     parameter.data = number
    >>> [h.data for [h] in counter([[1.0], [0.0], [5.0]])]
    [1.0, 1.0, 6.0]
    """

    def __init__(self, nin: int, nout: int, activation: Callable[[Value], Value] = tanh) -> None:
        nin, nout = positive("Recurrent: nin", nin), positive("Recurrent: nout", nout)
        self.layer = Layer(nin + nout, nout, activation=activation)

    def step(self, x: Iterable[Scalar], state: Iterable[Scalar] | None = None) -> list[Any]:  # Any: Values
        """h_t, from the inputs of this step and h_{t-1}, Values or numbers; None is a state of zeros.

        Raises ValueError if there are more inputs, or outputs in the state, than weights for them, or fewer.
        """
        width = len(self.layer.neurons)
        nin = len(self.layer.neurons[0].weights) - width
        before: list[Scalar] = [0.0] * width
        if state is not None:
            before = neuron_inputs(state, width, what="Recurrent: state", which="one for each unit")
        outputs = self.layer([*neuron_inputs(x, nin, what="Recurrent", which="those of a step"), *before])
        return outputs if isinstance(outputs, list) else [outputs]

    def __call__(self, sequence: Iterable[Iterable[Scalar]], state: Iterable[Scalar] | None = None) -> list[list[Any]]:
        """The states after each step of a sequence of inputs, from a state to begin with.

        Raises as `step` does, and TypeError for what is no sequence.
        """
        if not is_sequence(sequence):
            raise TypeError(f"Recurrent: expected a sequence of steps, each of its inputs, got {shortened(sequence)}")
        states: list[list[Any]] = []
        for x in sequence:
            state = self.step(x, state)
            states.append(state)
        return states

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return ("n", len(self.layer.neurons[0].weights) - len(self.layer.neurons)), ("n", len(self.layer.neurons))

    def __repr__(self) -> str:
        width = len(self.layer.neurons)
        return f"Recurrent({len(self.layer.neurons[0].weights) - width}, {width})"


class TreeEncoder(Module):
    """A vector for a tree: a symbol's layer makes it of the vectors of the children; a leaf's vector is learned.

        encoded(a) = v_a,    encoded(f(t_1, ..., t_n)) = activation(b_f + W_f [encoded(t_1), ..., encoded(t_n)])

    Arguments:
        arities: how many children each symbol has; 0 for a leaf.
        width: the length of the vectors.
        activation: a function of a Value.

    Raises TypeError or ValueError if there is no symbol, an arity is no int of at least 0, or the width not positive.
    Source: C. Goller and A. Küchler, "Learning task-dependent distributed representations by backpropagation through
    structure", ICNN 1996.

    >>> encoder = TreeEncoder({"f": 2, "a": 0, "b": 0}, width=3)
    >>> len(encoder(("f", "a", ("f", "b", "a")))), len(encoder.parameters())
    (3, 27)
    """

    def __init__(self, arities: Mapping[str, int], width: int, activation: Callable[[Value], Value] = tanh) -> None:
        if not isinstance(arities, Mapping) or not arities:
            raise TypeError(f"TreeEncoder: arities: expected a dict, such as {{'f': 2, 'a': 0}}, got {arities!r}")
        self.arities = {symbol: at_least(0, f"TreeEncoder: {symbol!r}", n) for symbol, n in arities.items()}
        self.width = positive("TreeEncoder: width", width)
        self.layers = {
            s: Layer(n * self.width, self.width, activation=activation) for s, n in self.arities.items() if n
        }
        # Drawn as the weights of a layer are.
        self.leaves = {s: Layer(1, self.width).parameters()[::2] for s, n in self.arities.items() if not n}

    def __call__(self, tree: Tree) -> list[Any]:  # Any: Values
        """The tree's vector. Raises ValueError for a symbol that is unknown, or has other than so many children."""
        vectors: list[list[Any]] = []  # of the subtrees that are done, and that stand below one that is not
        waiting: list[tuple[Tree, bool]] = [(tree, False)]  # a loop, for a tree may be as deep as a graph
        while waiting:
            subtree, is_ready = waiting.pop()
            symbol, *children = subtree if isinstance(subtree, tuple) and subtree else (subtree,)
            if is_ready:
                inputs = [number for vector in vectors[-len(children) :] for number in vector]
                outputs = self.layers[symbol](inputs)
                vectors[-len(children) :] = [outputs if isinstance(outputs, list) else [outputs]]
            elif self._arity(symbol) != len(children):
                hint = "; write tuples, where there are lists" if isinstance(subtree, list) else ""
                raise ValueError(
                    f"TreeEncoder: expected a symbol, or a tuple of it and its children, as many as in {self.arities}, "
                    f"got {shortened(subtree)}{hint}"
                )
            elif children:
                waiting += [(subtree, True), *((child, False) for child in reversed(children))]
            else:
                vectors.append([*self.leaves[symbol]])
        [vector] = vectors
        return vector

    def _arity(self, symbol: Any) -> int:
        """How many children a symbol has; -1 for what is none."""
        try:
            return self.arities.get(symbol, -1)
        except TypeError:  # what has no hash, such as a list
            return -1

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        return None, (self.width,)

    def __repr__(self) -> str:
        return f"TreeEncoder({self.arities}, {self.width})"
