"""microgpt: a small transformer learns names, letter by letter, and makes up new ones.

Written anew from the description of A. Karpathy's microgpt (2026): one layer, 16 wide, 4 heads, a context of 16; the
root mean square takes the place of layer normalisation, and no matrix has a bias; Adam, at a rate that falls to zero
in 1,000 steps of one name each. The names are those of the census of 1990. They differ in length: `fit` records a tape
for each length, whose inputs are the letters.

Needs the package names: pip install "scalar-autograd[examples]"
"""

import argparse
import math
import random
import string
from collections.abc import Sequence
from importlib.resources import files

from autograd import Value, dot, mean, no_grad, relu, softmax, sqrt, take
from autograd.wording import counted
from nn import Adam, History, Module, cross_entropy, fit
from nn.arguments import positive_argument
from nn.schedules import LinearDecay

LETTERS = string.ascii_lowercase
END = len(LETTERS)  # the token before a name and behind it; that of a letter is its place in the alphabet
WIDTH, HEADS, CONTEXT = 16, 4, 16

Vector = Sequence[Value]
Token = Value | int  # on a tape a Value, since it is another in each example


def main(steps: int = 1000, seed: int = 0) -> None:
    names, held_out = census_names()
    names *= math.ceil(steps / len(names))
    random.seed(seed)
    model = MicroGPT()
    print(f"{len(model.parameters()):,} parameters learn from {counted(steps, 'name')}; {len(held_out)} are held out.")
    history = train(model, names[:steps])
    print(f"The mean loss was {history.loss[0]:.3f} nats a token.")
    print(f"Held out: {nats_per_token(model, held_out):.3f} nats a token; by guessing, {math.log(END + 1):.3f}.")
    print("It makes up:", ", ".join(made_up(model) for _ in range(20)))


class MicroGPT(Module):
    def __init__(self) -> None:
        self.tokens, self.places = matrix(len(LETTERS) + 1, WIDTH), matrix(CONTEXT, WIDTH)
        self.queries, self.keys, self.values, self.mix = (matrix(WIDTH, WIDTH) for _ in range(4))
        self.hidden, self.back = matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH)
        self.logits = matrix(len(LETTERS) + 1, WIDTH)

    def __call__(self, tokens: Sequence[Token]) -> list[Vector]:
        """For each place the logits of the token that comes next, given the tokens up to there."""
        keys: list[Vector] = []
        values: list[Vector] = []
        logits = []
        for token, place in zip(tokens, self.places, strict=False):
            x = normalised(added(embedded(self.tokens, token), place))
            y = normalised(x)
            keys.append(linear(self.keys, y))
            values.append(linear(self.values, y))
            x = added(x, linear(self.mix, attended(linear(self.queries, y), keys, values)))
            y = [relu(h) for h in linear(self.hidden, normalised(x))]
            x = added(x, linear(self.back, y))
            logits.append(linear(self.logits, x))
        return logits


def loss(logits: Sequence[Vector], targets: Sequence[Token]) -> Value:
    """The mean of -log p(token) over the tokens of a name, its end among them."""
    result: Value = mean([cross_entropy(z, token) for z, token in zip(logits, targets, strict=True)])
    return result


def train(model: MicroGPT, names: Sequence[str], progress: bool = True) -> History:
    """A step for each name."""
    inputs, targets = zip(*map(example, names), strict=True)
    optimizer = Adam(model.parameters(), LinearDecay(0.01, len(names)), betas=(0.85, 0.99))
    return fit(model, inputs, targets, loss, optimizer, epochs=1, batch_size=1, shuffle=False, progress=progress)


def example(name: str) -> tuple[list[int], list[int]]:
    """What the model sees of a name, and for each place the token that comes next."""
    tokens = [LETTERS.index(letter) for letter in name]
    return [END, *tokens], [*tokens, END]


def nats_per_token(model: MicroGPT, names: Sequence[str]) -> float:
    nats, tokens = 0.0, 0
    with no_grad():
        for seen, next_tokens in map(example, names):
            nats += loss(model(seen), next_tokens).data * len(next_tokens)
            tokens += len(next_tokens)
    return nats / tokens


def made_up(model: MicroGPT, temperature: float = 0.5) -> str:
    """A name, whose letters are drawn one after the other; the lower the temperature, the likelier they are."""
    name: list[int] = []
    with no_grad():
        while len(name) < CONTEXT:
            *_, logits = model([END, *name])
            probabilities = softmax([logit / temperature for logit in logits])
            [token] = random.choices(range(END + 1), [p.data for p in probabilities])
            if token == END:
                break
            name.append(token)
    return "".join(LETTERS[token] for token in name)


# ---- The parts of the model


def matrix(rows: int, columns: int) -> list[list[Value]]:
    return [[Value(random.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]


def linear(weights: Sequence[Vector], x: Vector) -> Vector:
    return [dot(row, x) for row in weights]


def added(x: Vector, y: Vector) -> Vector:
    return [x_i + y_i for x_i, y_i in zip(x, y, strict=True)]


def embedded(table: Sequence[Vector], token: Token) -> Vector:
    return [take(column, token) for column in zip(*table, strict=True)]


def normalised(x: Vector) -> Vector:
    """x / √(mean of x² + 10⁻⁵). (B. Zhang and R. Sennrich, "Root mean square layer normalization", 2019.)"""
    factor = 1.0 / sqrt(dot(x, x) / len(x) + 1e-5)
    return [x_i * factor for x_i in x]


def attended(query: Vector, keys: Sequence[Vector], values: Sequence[Vector]) -> Vector:
    """For each head the mean of the values so far, weighted by how well their keys fit the query.

    (A. Vaswani et al., "Attention is all you need", 2017, equation 1. No later place is seen: there is none yet.)
    """
    result = []
    size = WIDTH // HEADS
    for first in range(0, WIDTH, size):
        head = slice(first, first + size)
        weights = softmax([dot(query[head], key[head]) / math.sqrt(size) for key in keys])
        result += [dot(weights, column) for column in list(zip(*values, strict=True))[head]]
    return result


def census_names() -> tuple[list[str], list[str]]:
    """The names to learn from, and a tenth that is held out; in an order that is drawn, but always the same."""
    lists = [files("names").joinpath(f"dist.{sex}.first").read_text("ascii") for sex in ("female", "male")]
    names = sorted({line.split()[0].lower() for text in lists for line in text.splitlines()})
    random.Random(0).shuffle(names)
    most = 9 * len(names) // 10
    return names[:most], names[most:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__ and __doc__.splitlines()[0])
    parser.add_argument("--steps", type=positive_argument, default=1000, help="how many names to learn from (1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights and of the names made up (0)")
    main(**vars(parser.parse_args()))
