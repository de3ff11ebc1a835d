"""Learns to read handwritten digits, and shows what it learned.

A network of 64 inputs, the pixels, 32 hidden neurons and 10 outputs, one logit per digit, minimises the softmax
cross-entropy on 1,437 images, and is then asked about 360 that it has never seen. In the folder `out/` it leaves the
loss curve, the confusion matrix, the drawing of one trained neuron, and the model.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

from autograd import Value, no_grad, tanh
from autograd.drawing import Drawing, draw
from nn.arguments import positive_argument
from nn.datasets import digits
from nn.layers import MLP
from nn.losses import cross_entropy
from nn.metrics import correct_class, predicted_class
from nn.optimizers import Adam
from nn.plots import confusion_matrix
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
    misread = [i for i, answer in enumerate(answers) if readings[i] != answer][:4]
    if misread:
        print("Some that it misreads:\n")
        print(side_by_side([picture(images[i], f"{answers[i]}, read as {readings[i]}") for i in misread]))

    out.mkdir(exist_ok=True)
    history.plot().savefig(out / "digits-loss.png")
    confusion_matrix(answers, readings).savefig(out / "digits-confusion.png")
    neuron_drawing(model, images[0], digit=answers[0]).save(out / "digits-neuron.svg")
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


def neuron_drawing(model: MLP, image: list[float], digit: int) -> Drawing:
    """The output neuron of a digit, at work on an image: its weights, and what the hidden neurons tell it."""
    hidden, output = model.layers
    inputs = [Value(h, label=f"h{i}") for i, h in enumerate(hidden(image))]
    logit = output.neurons[digit](inputs)
    logit.label = f"logit of {digit}"
    model.zero_grad()
    logit.backward()
    return draw(logit)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__ and __doc__.splitlines()[0])
    parser.add_argument("--epochs", type=positive_argument, default=30, help="how often to go through the images (30)")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights and of the batches (0)")
    main(**vars(parser.parse_args()))
