"""Writes table.pyi: what of the table a type checker and an editor cannot see, its functions and the methods of Value.

`setup.py` writes the file when the package is built, beside this one or into the wheel. When Python runs there is no
such module: value.py and functions.py make the methods and functions from the same rows.
"""

from __future__ import annotations

from autograd import functions
from autograd.formulas import description
from autograd.operations import OPERATIONS
from autograd.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from autograd.operation import Operation

HEAD = '''\
"""The functions of the table, and the methods that Value has from it; written by stubs.py."""

from collections.abc import Iterable
from typing import Any, overload

from autograd.operands import Number
from autograd.value import Value

Numeric = Value | Number
'''


def table() -> str:
    """The text of table.pyi. A function that functions.py spells out is declared there."""
    rows = [row for name, row in OPERATIONS.items() if getattr(functions, name) is functions._functions[name]]
    lines = [HEAD, f"__all__: list[str] = [{', '.join(repr(row.name) for row in rows)}]\n", "class Methods:"]
    for name, attribute in vars(Value).items():
        if getattr(attribute, "__module__", None) == functions.__name__:
            lines += [f"    {line}" for line in method(name, OPERATIONS[attribute.__name__])]
    for row in rows:
        lines += ["", *function(row)]
    return "\n".join(lines) + "\n"


def method(name: str, row: Operation) -> Iterator[str]:
    parameters = [parameter(operand, "Numeric", row) for operand in row.operands[1:]]
    yield f"def {name}({', '.join(['self', *parameters])}) -> Value:"
    yield from docstring(row)


def function(row: Operation) -> Iterator[str]:
    """A case for each operand that may be a Value, one for numbers alone, and one for sequences that mix them.

    The last is Any beside other operands: else it would be a choice that pyright takes where one of those is an Any.
    """
    cases = [({operand: "Value"}, "Numeric", "Value") for operand in row.operands]
    cases.append(({}, "Number", "float"))
    if row.sequences:
        cases.append(({}, "Numeric", "Value | float" if len(row.operands) == 1 else "Any"))
    for chosen, others, result in cases:
        required = max((i + 1 for i, operand in enumerate(row.operands) if operand in chosen), default=0)
        kinds = [(operand, chosen.get(operand, others)) for operand in row.operands]
        parameters = [parameter(operand, kind, row, i < required) for i, (operand, kind) in enumerate(kinds)]
        yield "@overload"
        yield f"def {row.name}({', '.join(parameters)}) -> {result}:"
        yield from docstring(row)


def parameter(operand: str, kind: str, row: Operation, is_required: bool = False) -> str:
    kind = f"Iterable[{kind}]" if operand in row.operands[: row.sequences] else kind
    default = "" if is_required or operand not in row.defaults else f" = {row.defaults[operand]}"
    return f"{operand}: {kind}{default}"


def docstring(row: Operation) -> Iterator[str]:
    first, *others = description(row).splitlines()
    yield f'    """{first}'
    yield from [f"    {line}".rstrip() for line in others]
    yield '    """'
