"""The page to type: its gradients are the engine's, to the bit, and its network learns XOR."""

from __future__ import annotations

import ast
import random
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd

pytestmark = pytest.mark.both_engines

PAGE = Path(__file__).parents[1] / "examples" / "one_page.py"
page = runpy.run_path(str(PAGE))


def program(value_type, numbers, seed):
    """A random graph of the eight operations, with nodes that are used again; its leaves and its result."""
    choose = random.Random(seed)
    leaves = [value_type(number) for number in numbers]
    nodes = [*leaves]
    for _ in range(30):
        x, y = choose.choice(nodes), choose.choice([*nodes, 1.5])
        operation = choose.choice(["+", "-", "*", "/", "**", "exp", "log", "relu"])
        if operation == "+":
            node = x + y
        elif operation == "-":
            node = x - y
        elif operation == "*":
            node = x * y
        elif operation == "/":
            node = x / (y if isinstance(y, float) or y.data else 2.0)
        elif operation == "**":
            node = x ** choose.choice([2, 3])
        elif operation == "exp":
            node = (x / (1.0 + abs(x.data))).exp()
        elif operation == "log":
            node = (x * x + 0.5).log()
        else:
            node = x.relu()
        if abs(node.data) < 1e3:
            nodes.append(node)
    result = nodes[-1]
    for node in nodes[len(leaves) : -1 : 3]:
        result = result + node
    return leaves, result


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=4), st.integers(0, 2**32))
def test_its_gradients_are_the_engines_to_the_bit(numbers, seed):
    found = []
    for value_type in (page["Value"], autograd.Value):
        leaves, result = program(value_type, numbers, seed)
        for _ in range(2):  # leaves add up, computed nodes begin afresh
            result.backward()
        found.append([result.data, *(leaf.grad for leaf in leaves)])
    assert list(map(float.hex, found[0])) == list(map(float.hex, found[1]))


def test_it_is_a_page_that_needs_nothing_of_the_project():
    source = PAGE.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 100
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert {alias.name for node in imports for alias in node.names} == {"math", "random"}


def test_it_has_eight_operations():
    plumbing = {"__init__", "backward"}
    operations = {name for name in vars(page["Value"]) if callable(getattr(page["Value"], name))} - set(dir(object))
    assert len(operations - plumbing) == 8


def test_its_network_learns_xor(capsys):
    runpy.run_path(str(PAGE), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    outputs = {line.split(" = ")[0]: float(line.split(" = ")[1]) for line in lines if " xor " in line}
    assert outputs == pytest.approx({"0 xor 0": 0, "0 xor 1": 1, "1 xor 0": 1, "1 xor 1": 0}, abs=0.1)
