"""layers() says in words what the groups of a list are, and folded_listing() writes a line for each."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from autograd.operations import ROWS
from autograd.tape.groups import Product, find_groups
from autograd.tape.wengert import ON_INPUTS, names
from autograd.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autograd.tape.groups import Group
    from autograd.tape.wengert import WengertList

    Operands = dict[int, list[int | list[int]]]


MOST_PHRASES = 50


def layers(wengert: WengertList) -> str:
    """What Tape.layers() returns."""
    groups, own = find_groups(wengert).groups, len(wengert.constants)
    activations, others = find_activations(wengert, groups)
    phrases: list[tuple[int, str]] = []  # a layer's has the count 0
    repeats = Counter(shared_weights(group) for group in groups if isinstance(group, Product))
    for number, group in enumerate(groups):
        if isinstance(group, Product):
            times = repeats.pop(shared_weights(group), 0)
            if times:
                inputs = sum(variable >= -own for variable in group.inputs)  # without the ONE of a bias
                neurons = f"{counted(len(group.results), 'neuron')} of {counted(inputs, 'input')}"
                repeated = [f"{times} times with the same weights"] * (times > 1)
                activation = spelled(activations[number], len(group.results))
                phrases.append((0, ", ".join([neurons, *activation, *repeated])))
        elif others[number]:
            phrases.append((others[number], ROWS[group.row].name))
    return "; ".join(shortened(phrases)) or "nothing depends on an input"


def shortened(phrases: list[tuple[int, str]]) -> list[str]:
    """The phrases, of which those that follow each other with one name are added up; the first ones of very many."""
    together: list[str] = []
    for name, alike in groupby(phrases, key=lambda phrase: phrase[1]):
        counts = [count for count, _ in alike]
        together += [f"{sum(counts):,} {name}"] if all(counts) else [name] * len(counts)
    more = len(together) - MOST_PHRASES
    return together if more <= 0 else [*together[:MOST_PHRASES], f"and {more:,} more groups"]


def shared_weights(group: Product) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, group.weights))


def find_activations(wengert: WengertList, groups: list[Group]) -> tuple[dict[int, Counter[str]], dict[int, int]]:
    """Of each product, how many of its neurons have which activation; of each group, how many results are none."""
    product_of = {v: k for k, group in enumerate(groups) if isinstance(group, Product) for v in group.results}
    activations: dict[int, Counter[str]] = {k: Counter() for k in product_of.values()}
    others, operands, varies = {}, operands_of(wengert), varying(wengert)
    for number, group in enumerate(groups):
        if isinstance(group, Product):
            continue
        others[number] = len(group.results)
        for result in group.results:
            net_input, *parameters = operands[result]
            is_alone = isinstance(net_input, int) and not any(isinstance(v, int) and v in varies for v in parameters)
            if is_alone and net_input in product_of:
                activations[product_of[net_input]][ROWS[group.row].name] += 1
                others[number] -= 1
    return activations, others


def spelled(activations: Counter[str], neurons: int) -> list[str]:
    return [name if count == neurons else f"{name} of {count:,}" for name, count in activations.most_common()]


def operands_of(wengert: WengertList) -> Operands:
    return {result: operands for result, _, operands in wengert.instructions()}


def varying(wengert: WengertList) -> set[int]:
    return {v for v, mark in enumerate(wengert.dependences.tolist()) if mark & ON_INPUTS}


def folded_listing(wengert: WengertList) -> str:
    """What Tape.listing(folded=True) returns."""
    found, first = find_groups(wengert), wengert.first_result
    name = names(found.constants)
    lines: list[tuple[str, str, Sequence[int]]] = [
        ("", counted(wengert.inputs, "input"), range(wengert.inputs)),
        ("", counted(wengert.parameters, "parameter"), range(wengert.inputs, first)),
    ]
    lines = [line for line in lines if line[2]]
    varies, operands = varying(wengert), operands_of(wengert)
    for result, operation, read in wengert.instructions():
        if result not in varies:
            lines.append(("= ", formula(operation.name, read, name), range(result, result + 1)))
    for group in found.groups:
        if isinstance(group, Product):
            text = formula("dot", [group.weights[0], group.inputs, group.biases[0]], name)
        else:
            text = formula(ROWS[group.row].name, operands[group.results[0]], name)
        more = len(group.results) - 1
        lines.append(("= ", text + f", and {more:,} more" * (more > 0), group.results))
    shown = [ranges(variables, name) for _, _, variables in lines]
    width = max(map(len, shown), default=0)
    texts = [f"{left:<{width}} {sign or '  '}{right}" for left, (sign, right, _) in zip(shown, lines, strict=True)]
    outputs = "output" if len(wengert.outputs) == 1 else "outputs"
    return "\n".join([*texts, f"{outputs} {', '.join(map(name, wengert.outputs.tolist()))}"])


def formula(operation: str, operands: Sequence[int | Sequence[int]], name: Callable[[int], str]) -> str:
    shown = [f"[{ranges(x, name)}]" if not isinstance(x, int) else name(x) for x in operands]
    return f"{operation}({', '.join(shown)})"


def ranges(variables: Sequence[int], name: Callable[[int], str]) -> str:
    """The variables' names; of more than two that follow each other, or of more than four, only the ends."""
    follow = min(variables, default=0) >= 0 and all(y == x + 1 for x, y in pairwise(variables))  # constants do not
    shown = [name(v) for v in variables]
    return f"{shown[0]} … {shown[-1]}" if len(shown) > (2 if follow else 4) else ", ".join(shown)
