"""microgpt: a small transformer learns names, letter by letter, and makes up new ones.

Written anew from the description of A. Karpathy's microgpt (2026): one layer, 16 wide, 4 heads, a context of 16; the
root mean square takes the place of layer normalisation, and no matrix has a bias; Adam, at a rate that falls to zero
in 1,000 steps of one name each. The names are those of the census of 1990. They differ in length: `fit` records a tape
for each length, whose inputs are the letters.

Needs the package names: pip install names
"""

import argparse
import math
import random
from collections.abc import Sequence

from autograd import Value, dot, mean, no_grad, softmax
from autograd.wording import counted
from nn import Adam, Embedding, History, Module, TransformerBlock, cross_entropy, fit, rms_norm
from nn.arguments import positive_argument
from nn.datasets import NAME_END, NAME_TOKENS, census_names, seen_and_next, spelt
from nn.schedules import LinearDecay

WIDTH, HEADS, CONTEXT, DEVIATION = 16, 4, 16, 0.08

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
    print(f"Held out: {nats_per_token(model, held_out):.3f} nats a token; by guessing, {math.log(NAME_TOKENS):.3f}.")
    print("It makes up:", ", ".join(made_up(model) for _ in range(20)))


class MicroGPT(Module):
    def __init__(self) -> None:
        self.tokens, self.places = Embedding(NAME_TOKENS, WIDTH, DEVIATION), Embedding(CONTEXT, WIDTH, DEVIATION)
        self.block = TransformerBlock(WIDTH, HEADS, deviation=DEVIATION)
        self.logits = Embedding(NAME_TOKENS, WIDTH, DEVIATION)

    def __call__(self, tokens: Sequence[Token]) -> list[Vector]:
        """For each place the logits of the token that comes next, given the tokens up to there."""
        places = [
            rms_norm([x + y for x, y in zip(self.tokens(token), self.places(i), strict=True)])
            for i, token in enumerate(tokens)
        ]
        return [[dot(row, x) for row in self.logits.weights] for x in self.block(places)]


def loss(logits: Sequence[Vector], targets: Sequence[Token]) -> Value:
    """The mean of -log p(token) over the tokens of a name, its end among them."""
    result: Value = mean([cross_entropy(z, token) for z, token in zip(logits, targets, strict=True)])
    return result


def train(model: MicroGPT, names: Sequence[str], progress: bool = True) -> History:
    """A step for each name."""
    inputs, targets = zip(*map(seen_and_next, names), strict=True)
    optimizer = Adam(model.parameters(), LinearDecay(0.01, len(names)), betas=(0.85, 0.99))
    return fit(model, inputs, targets, loss, optimizer, epochs=1, batch_size=1, shuffle=False, progress=progress)


def nats_per_token(model: MicroGPT, names: Sequence[str]) -> float:
    nats, tokens = 0.0, 0
    with no_grad():
        for seen, next_tokens in map(seen_and_next, names):
            nats += loss(model(seen), next_tokens).data * len(next_tokens)
            tokens += len(next_tokens)
    return nats / tokens


def made_up(model: MicroGPT, temperature: float = 0.5) -> str:
    """A name, whose letters are drawn one after the other; the lower the temperature, the likelier they are."""
    name: list[int] = []
    with no_grad():
        while len(name) < CONTEXT:
            *_, logits = model([NAME_END, *name])
            probabilities = softmax([logit / temperature for logit in logits])
            [token] = random.choices(range(NAME_TOKENS), [p.data for p in probabilities])
            if token == NAME_END:
                break
            name.append(token)
    return spelt(name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__ and __doc__.splitlines()[0])
    parser.add_argument("--steps", type=positive_argument, default=1000, help="how many names to learn from (1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights and of the names made up (0)")
    main(**vars(parser.parse_args()))
