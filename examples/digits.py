"""Learns to read handwritten digits, and shows what it learned.

A network of 64 inputs, the pixels, 32 hidden neurons and 10 outputs, one logit per digit, minimises the softmax
cross-entropy on 1,437 images, and is then asked about 360 that it has never seen. In the folder `out/` it leaves the
loss curve, the confusion matrix, the weights of the hidden neurons as pictures, where ink speaks for each digit, the
digits that are misread, and the model.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import numpy
from matplotlib.figure import Figure
from numpy.typing import NDArray

from autograd import Tape, no_grad, tanh
from nn.arguments import positive_argument
from nn.datasets import digits
from nn.exchange import to_numpy
from nn.layers import MLP
from nn.losses import cross_entropy
from nn.metrics import correct_class, predicted_class
from nn.optimizers import Adam
from nn.plots import confusion_matrix, receptive_fields
from nn.training import fit

OUT = Path(__file__).resolve().parents[1] / "out"
SHADES = " .:-=+*#%@"  # from paper to ink


def main(epochs: int = 30, seed: int = 0, out: Path = OUT) -> None:
    training, held_out = digits()
    print(f"Learning to read from {len(training.inputs):,} handwritten digits; {len(held_out.inputs)} are held out.")
    random.seed(seed)
    model = network()
    optimizer = Adam(model.parameters(), learning_rate=0.01)
    history = fit(
        model, *training, cross_entropy, optimizer,
        epochs=epochs, batch_size=32, validation=held_out, metric=correct_class, seed=seed,
    )  # fmt: skip

    images, answers = held_out.inputs.tolist(), held_out.targets.tolist()
    readings = read(model, images)
    print(f"\nOf the held-out digits it reads {score(readings, answers)}.")
    misread = {i: f"{answer}, read as {readings[i]}" for i, answer in enumerate(answers) if readings[i] != answer}
    if misread:
        print("Some that it misreads:\n")
        print(side_by_side([picture(images[i], misread[i]) for i in [*misread][:4]]))

    out.mkdir(exist_ok=True)
    history.plot().savefig(out / "digits-loss.png")
    confusion_matrix(answers, readings).savefig(out / "digits-confusion.png")
    hidden_neurons(model).savefig(out / "digits-neurons.png")
    logits(model, held_out.inputs).savefig(out / "digits-logits.png")
    if misread:
        first = [*misread][:24]
        on_paper([images[i] for i in first], [misread[i] for i in first]).savefig(out / "digits-misread.png")
    model.save(out / "digits-model.json")
    print(f"\nIn {out}: {', '.join(sorted(file.name for file in out.glob('digits-*')))}.")

    loaded = network()
    loaded.load(out / "digits-model.json")
    print(f"The saved model, loaded into a new network, reads {score(read(loaded, images), answers)}.")


def network() -> MLP:
    return MLP(64, [32, 10], activation=tanh)


def read(model: MLP, images: list[list[float]]) -> list[int]:
    """The digit that the model takes each image for."""
    with no_grad():
        return [predicted_class(model(image)) for image in images]


def score(readings: Sequence[int], answers: Sequence[int]) -> str:
    right = sum(reading == answer for reading, answer in zip(readings, answers, strict=True))
    return f"{right} of {len(answers)} right ({right / len(answers):.1%})"


def picture(image: list[float], caption: str) -> list[str]:
    """The lines of an image as text: a pixel is two characters, the darker the more ink."""
    shades = [2 * SHADES[round(ink * (len(SHADES) - 1))] for ink in image]
    return ["".join(shades[row : row + 8]) for row in range(0, 64, 8)] + [f"{caption:^16}"]


def side_by_side(pictures: list[list[str]]) -> str:
    return "\n".join("    ".join(lines).rstrip() for lines in zip(*pictures, strict=True))


def hidden_neurons(model: MLP) -> Figure:
    """The weights of each hidden neuron, as a picture: white pixels add to its net input, black take.

    Much of it is noise, what chance drew in the beginning: learning has changed the weights by less.
    """
    weights = to_numpy(model)["layers.0.weight"]
    return receptive_fields(weights, (8, 8), names=[f"h{i}" for i in range(len(weights))])


def logits(model: MLP, inputs: NDArray[numpy.float64]) -> Figure:
    """Where ink speaks for each digit, white, and where against it: the mean derivative of its logit by every pixel.

    It is the derivative by a pixel's standard deviation, so pixels count by how much they differ between the images.
    """
    tape = Tape.record(model, [inputs[0].tolist()])
    derivatives = tape.jacobian(inputs, wrt="inputs").mean(axis=0) * inputs.std(axis=0)
    return receptive_fields(derivatives, (8, 8), columns=5, names=[f"for a {digit}" for digit in range(10)])


def on_paper(images: list[list[float]], captions: list[str]) -> Figure:
    """The images, black on white."""
    return receptive_fields([[1.0 - 2.0 * ink for ink in image] for image in images], (8, 8), names=captions)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__ and __doc__.splitlines()[0])
    parser.add_argument("--epochs", type=positive_argument, default=30, help="how often to go through the images (30)")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights and of the batches (0)")
    main(**vars(parser.parse_args()))
