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


MOST_PHRASES, MOST_RUNS = 50, 4


def layers(wengert: WengertList) -> str:
    """What Tape.layers() returns."""
    groups, own = find_groups(wengert).groups, len(wengert.constants)
    activations, others = find_activations(wengert, groups)
    phrases: list[tuple[int, str]] = []  # a layer's has the count 0
    kinds = {k: kind(group, activations[k]) for k, group in enumerate(groups) if isinstance(group, Product)}
    repeats = Counter(kinds.values())
    for number, group in enumerate(groups):
        if isinstance(group, Product):
            times = repeats.pop(kinds[number], 0)
            if times:
                inputs = sum(variable >= -own for variable in group.inputs)  # without the ONE of a bias
                neurons = f"{counted(len(group.results), 'neuron')} of {counted(inputs, 'input')}"
                repeated = [f"{times} times with the same weights"] * (times > 1)
                activation = spelled(activations[number], len(group.results))
                phrases.append((0, ", ".join([neurons, *activation, *repeated])))
        elif others[number]:
            phrases.append((others[number], ROWS[group.row].name))
    return "; ".join(shortened(phrases)) or "nothing is computed from an input"


def shortened(phrases: list[tuple[int, str]]) -> list[str]:
    """The phrases, of which those that follow each other with one name are added up; the first ones of very many."""
    together: list[str] = []
    for name, alike in groupby(phrases, key=lambda phrase: phrase[1]):
        counts = [count for count, _ in alike]
        together += [f"{sum(counts):,} {name}"] if all(counts) else [name] * len(counts)
    more = len(together) - MOST_PHRASES
    return together if more <= 0 else [*together[:MOST_PHRASES], f"and {more:,} more groups"]


def kind(group: Product, activations: Counter[str]) -> tuple[object, ...]:
    """What layers that are told together have in common."""
    return tuple(map(tuple, group.weights)), tuple(sorted(activations.items()))


def find_activations(wengert: WengertList, groups: list[Group]) -> tuple[dict[int, Counter[str]], dict[int, int]]:
    """Of each product, how many of its neurons have which activation, if necessary after a bias that is added to the
    neuron; of each group, how many results are neither.
    """
    product_of = {v: k for k, group in enumerate(groups) if isinstance(group, Product) for v in group.results}
    activations: dict[int, Counter[str]] = {k: Counter() for k in product_of.values()}
    others, operands, varies = {}, operands_of(wengert), varying(wengert)
    for number, group in enumerate(groups):
        if isinstance(group, Product):
            continue
        others[number] = len(group.results)
        for result in group.results:
            net_inputs = [v for v in operands[result] if isinstance(v, list) or v in varies]
            if len(net_inputs) != 1 or isinstance(net_inputs[0], list) or net_inputs[0] not in product_of:
                continue
            others[number] -= 1
            if ROWS[group.row].name == "add":
                product_of[result] = product_of[net_inputs[0]]
            else:
                activations[product_of[net_inputs[0]]][ROWS[group.row].name] += 1
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
    """The variables' names: of those that follow each other the ends, `v0 … v9`; of many others, `v0, v2, …, v9`."""
    ends = [0, *(i + 1 for i, (x, y) in enumerate(pairwise(variables)) if y != x + 1 or x < 0), len(variables)]
    runs = [variables[first:end] for first, end in pairwise(ends) if first < end]  # constants do not follow each other
    shown = [f"{name(run[0])} … {name(run[-1])}" if len(run) > 2 else ", ".join(map(name, run)) for run in runs]
    return ", ".join(shown if len(shown) <= MOST_RUNS else [*shown[:2], "…", shown[-1]])
