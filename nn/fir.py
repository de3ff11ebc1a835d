"""FIRLayer sees its inputs of several steps of time at once: each of its connections is a filter, not a single weight.

A network of such layers is a network without a state: what it says depends on as many steps as its filters reach back,
and no more. Its weights are the same at all times, so `backward()` sums their gradients up over time: this is temporal
backpropagation.
"""

from __future__ import annotations

from reprlib import repr as shortened

from autograd import Value, tanh
from autograd.wording import counted
from nn.arguments import is_sequence, neuron_inputs, positive, scalars
from nn.layers import Layer
from nn.module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from nn.summary import Shape

    Scalar = Value | float


class FIRLayer(Module):
    """y_t = activation(b + W_0 x_t + W_1 x_{t-1} + ... + W_{T-1} x_{t-T+1}), with T taps.

    Arguments:
        nin: the number of inputs of a step.
        nout: the number of neurons.
        taps: how many steps a neuron sees, the present one among them: T coefficients for each connection.
        activation: a function of a Value.
        nonlin: False leaves the activation away.

    A sequence of n steps gives n − T + 1 steps: there is no output before T inputs are there. So a network of layers
    with T_1, T_2, ... taps reaches back over T_1 + T_2 + ... − (layers − 1) steps, and needs as many for its first
    output. `layer` has the weights: a neuron's are those of its oldest step first, then those of the next. They are
    drawn as those of a Layer. Raises TypeError or ValueError as Layer does.
    Sources: E. A. Wan, "Time series prediction by using a connectionist network with internal delay lines", 1993: a
    filter with a finite impulse response (FIR) in the place of each weight. The same network is a time-delay neural
    network: A. Waibel et al., "Phoneme recognition using time-delay neural networks", 1989.

    >>> average = FIRLayer(1, 1, taps=2, nonlin=False)
    >>> for parameter, number in zip(average.parameters(), [0.5, 0.5, 0.0]):
    ...     parameter.data = number
    >>> [y.data for [y] in average([[1.0], [3.0], [4.0]])]
    [2.0, 3.5]
    """

    def __init__(
        self, nin: int, nout: int, taps: int, activation: Callable[[Value], Value] = tanh, nonlin: bool = True
    ) -> None:
        nin, nout = positive("FIRLayer: nin", nin), positive("FIRLayer: nout", nout)
        self.taps = positive("FIRLayer: taps", taps)
        self.layer = Layer(nin * self.taps, nout, activation=activation, nonlin=nonlin)

    def __call__(self, sequence: Iterable[Iterable[Scalar]]) -> list[list[Any]]:  # Any: Values
        """The outputs of each step but the first T − 1, for a sequence of steps, each of `nin` Values or numbers.

        Raises ValueError if a step has more inputs or fewer, or if there are fewer than T steps; TypeError for what is
        no sequence of such.
        """
        nin = len(self.layer.neurons[0].weights) // self.taps
        if not is_sequence(sequence):
            expected = f"a sequence of steps of {counted(nin, 'input')}"
            raise TypeError(f"FIRLayer: expected {expected}, got {shortened(sequence)}")
        steps = [scalars("FIRLayer", neuron_inputs(x, nin, what="FIRLayer", which="those of a step")) for x in sequence]
        if len(steps) < self.taps:
            raise ValueError(
                f"FIRLayer: expected at least {counted(self.taps, 'step')}, one for each tap, got {len(steps)}; "
                "a network of such layers needs the sum of their taps, less one for each layer but the first"
            )
        outputs = []
        for end in range(self.taps, len(steps) + 1):
            seen = [number for step in steps[end - self.taps : end] for number in step]
            output = self.layer(seen)
            outputs.append(output if isinstance(output, list) else [output])
        return outputs

    def _shapes(self) -> tuple[Shape | None, Shape | None]:
        steps = f"(n − {self.taps - 1})" if self.taps > 1 else "n"
        return ("n", len(self.layer.neurons[0].weights) // self.taps), (steps, len(self.layer.neurons))

    def __repr__(self) -> str:
        neurons = self.layer.neurons
        return f"FIRLayer({len(neurons[0].weights) // self.taps}, {len(neurons)}, taps={self.taps})"
