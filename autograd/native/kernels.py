"""Writes the native engine's arithmetic: each row's rules, run on names, become C functions.

An operand is the name of a C variable; `writer.py` says what arithmetic on names writes. A rule that cannot be written
in C is an error that names its row.
"""

from __future__ import annotations

import json
import math
from inspect import getdoc

from autograd.formulas import description
from autograd.native import table_checksum
from autograd.operations import OPERATIONS, ROW
from autograd.rows_in_c import KEYWORDS, Body, partial_kernel, value_kernel
from autograd.value import Value
from autograd.writer import Name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from autograd.operation import Operation

# Names of the functions that are written here and in lane_rows.py.
TAKEN = {*KEYWORDS, "n", "i", "r", "l", "operands", "derivatives", "lanes", "result", "adjoint", "pushed", "kept"}

HEAD = "/* Written by kernels.py from operations.py: what each row computes, and its partial derivatives. */\n"


def header() -> str:
    """The text of kernels.h: every row's value and partial derivatives.

    Raises TypeError, naming the row, where a rule cannot be written in C.
    """
    parts = [HEAD]
    for operation in OPERATIONS.values():
        try:
            check_names(operation)
            parts.append(value_kernel(operation))
            parts += [partial_kernel(operation, index) for index in range(len(operation.partials))]
        except Exception as error:
            raise TypeError(f"the row {operation.name!r} of the table cannot be written in C: {error}") from error
    return "".join(parts)


def rows() -> str:
    """The text of rows.h: each row's number, `ROW_add`, how many rows there are, and lists of the rows.

    The lists are for code that is written once for all rows of a kind: those of one scalar, of two, and all others.
    """
    numbers = ", ".join([f"ROW_{name}" for name in OPERATIONS] + ["ROW_COUNT"])
    return f"/* Written by kernels.py from operations.py. */\n\nenum {{ {numbers} }};\n" + lists(OPERATIONS.values())


def lists(operations: Iterable[Operation], before: str = "", after: str = "") -> str:
    """A list for each kind, of some rows' numbers and names: with a text before its own name, and after theirs."""
    kinds: dict[str, list[str]] = {"UNARY_ROWS": [], "BINARY_ROWS": [], "OTHER_ROWS": []}
    for operation in operations:
        kinds[kind(operation)].append(f"ROW({ROW[operation.name]}, {operation.name}{after})")
    return "".join(f"\n#define {before}{name}(ROW) {' '.join(of_kind)}\n" for name, of_kind in kinds.items())


def table() -> str:
    """The text of table.h: the rows themselves, each with its kernels. It needs kernels.h before it."""
    return (
        "".join(map(constants, OPERATIONS.values()))
        + f"\nconst unsigned long TABLE_CHECKSUM = {table_checksum()}UL;\n"
        + f"\nconst Row ROWS[] = {{\n{''.join(map(row, OPERATIONS.values()))}}};\n"
    )


def documentation() -> str:
    """The text of documentation.h: the docstrings of value.py, for the native type, and those of the rows."""
    documented = ["data", "grad", "backward", "label", "op", "operation", "operands", "parents", "local_derivatives"]
    texts = {"class": getdoc(Value)} | {name: getdoc(getattr(Value, name)) for name in documented}
    of_value = [f"#define DOC_{name} {json.dumps(text, ensure_ascii=False)}\n" for name, text in texts.items()]
    of_rows = [json.dumps(description(operation), ensure_ascii=False) for operation in OPERATIONS.values()]
    return "".join(of_value) + f"#define DOC_ROWS {', '.join(of_rows)}\n"


FILES = {"kernels.h": header, "rows.h": rows, "table.h": table, "documentation.h": documentation}


def check_names(operation: Operation) -> None:
    taken = TAKEN & set(operation.operands)
    if taken:
        raise TypeError(f"the operand {min(taken)!r} has a name that means something there already")


def constants(operation: Operation) -> str:
    name = operation.name
    literal = Body(operation).literal
    defaults = [literal(operation.defaults.get(operand, math.nan)) for operand in operation.operands]
    partials = [f"{name}_partial_{index}" for index in range(len(operation.partials))]
    return f"""
static const double {name}_defaults[] = {{{", ".join(defaults)}}};
static const Partial {name}_partials[] = {{{", ".join(partials)}}};
"""


def row(operation: Operation) -> str:
    name = operation.name
    texts = f"{json.dumps(name)}, {json.dumps(operation.symbol)}"
    bilinear = str(is_bilinear(operation)).lower()
    kernels = f"{name}_defaults, {name}_value, {name}_partials, {bilinear}"
    return f"    {{{texts}, {len(operation.operands)}, {operation.sequences}, {kernels}}},\n"


def is_bilinear(operation: Operation) -> bool:
    """Whether the derivatives with respect to two sequences are each the other's numbers, as they are of `dot`."""
    if (operation.sequences, len(operation.operands)) != (2, 3):
        return False
    body = Body(operation)
    derivatives = [str(*partial(body, Name(body, "r"), *body.operands)) for partial in operation.partials[:2]]
    return derivatives == [f"{name}[i]" for name in reversed(body.sequences)]


def kind(operation: Operation) -> str:
    """The list in rows.h that the row stands in."""
    if operation.sequences or len(operation.operands) > 2:
        return "OTHER_ROWS"
    return "UNARY_ROWS" if len(operation.operands) == 1 else "BINARY_ROWS"
