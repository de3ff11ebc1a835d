"""Writes the native engine's arithmetic: each row's rules, run on names, become C functions.

An operand is the name of a C variable; `writer.py` says what arithmetic on names writes. A rule that cannot be written
in C is an error that names its row.
"""

from __future__ import annotations

import json
import math
import re
from inspect import getdoc

from autograd.formulas import description
from autograd.native import table_checksum
from autograd.operation import Operation, ieee
from autograd.operations import OPERATIONS
from autograd.value import Value
from autograd.writer import Name, Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import ClassVar

    from autograd.writer import Operand, Sequence

KEYWORDS = re.findall(
    r"\w+",
    """auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while""",
)

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
    kinds: dict[str, list[str]] = {"UNARY_ROWS": [], "BINARY_ROWS": [], "OTHER_ROWS": []}
    for index, operation in enumerate(OPERATIONS.values()):
        kinds[kind(operation)].append(f"ROW({index}, {operation.name})")
    numbers = ", ".join([f"ROW_{name}" for name in OPERATIONS] + ["ROW_COUNT"])
    lists = [f"\n#define {name}(ROW) {' '.join(of_kind)}\n" for name, of_kind in kinds.items()]
    return f"/* Written by kernels.py from operations.py. */\n\nenum {{ {numbers} }};\n" + "".join(lists)


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


def value_kernel(operation: Operation) -> str:
    body = Body(operation)
    result = operation.compute(body, *body.operands)
    body.lines.append(f"return {body.literal(result)};")
    return body.function(f"double {operation.name}_value(Py_ssize_t n, const double *operands)")


def partial_kernel(operation: Operation, index: int) -> str:
    body = Body(operation, keeps_terms=index < operation.sequences)
    derivative = operation.partials[index](body, Name(body, "r"), *body.operands)
    if index < operation.sequences:
        [element] = derivative
        body.lines.append(f"for (Py_ssize_t i = 0; i < n; i++) derivatives[i] = {body.with_kept_terms(element)};")
    else:
        body.lines.append(f"*derivatives = {body.literal(derivative)};")
    parameters = "double r, Py_ssize_t n, const double *operands, double *derivatives"
    return body.function(f"void {operation.name}_partial_{index}({parameters})")


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


class Body(Writer):
    """The mathematics of one C function's body."""

    language = "C"
    symbols: ClassVar = {"abs": "fabs", "nan": "NAN", "inf": "INFINITY", "or": "||", "and": "&&"}

    def __init__(self, operation: Operation, keeps_terms: bool = False) -> None:
        """With room to keep the terms of a sum, in `derivatives`, which may be needed again: softmax is one's share."""
        super().__init__(operation, ieee.given.keys() - {"divide"})  # C's own division is IEEE 754's
        self.sequences = operation.operands[: operation.sequences]
        self.scalars = operation.operands[operation.sequences :]
        self.keeps_terms = keeps_terms
        self.kept = ""  # the terms, as an expression

    def assignment(self, variable: str, expression: str) -> str:
        return f"const double {variable} = {expression};"

    def choice(self, condition: str, x: str, y: str) -> str:
        return f"{condition} ? {x} : {y}"

    def call(self, function: str) -> Callable[..., Name]:
        return super().call(C_NAMES.get(function, function))

    def sum(self, terms: Iterable[Operand], start: Operand = 0.0) -> Name:
        [term] = terms
        text = self.literal(term)
        if not self.keeps_terms or self.kept or "(" not in text:
            return self.each(self.literal(start), lambda total: f"{total} = {total} + {text};")
        self.kept = text
        keep = f"derivatives[i] = {text};"
        return self.each(self.literal(start), lambda total: f"{keep} {total} = {total} + derivatives[i];")

    def with_kept_terms(self, element: Operand) -> str:
        """The expression of one element, in which terms that have been kept are not computed again."""
        text = self.literal(element)
        return text.replace(self.kept, "derivatives[i]") if self.kept else text

    def largest(self, terms: Iterable[Operand]) -> Name:
        [term] = terms
        text = self.literal(term)
        return self.each("-INFINITY", lambda largest: f"if ({text} > {largest}) {largest} = {text};")

    def places(self, sequence: Sequence) -> Iterable[Name]:
        return [Name(self, "(double)i")]

    def element(self, sequence: Sequence, index: Operand) -> Name:
        return self.name(f"element({sequence}, n, {self.literal(index)})")

    def each(self, start: str, step: Callable[[str], str]) -> Name:
        variable = f"t{len(self.lines)}"
        self.lines.append(f"double {variable} = {start};")
        self.lines.append(f"for (Py_ssize_t i = 0; i < n; i++) {{ {step(variable)} }}")
        return Name(self, variable)

    def function(self, head: str) -> str:
        parameters = [name for name in ("n", "r", "operands") if re.search(rf"\b{name}\b", head)]
        declarations = [f"const double *{name} = operands + {i} * n;" for i, name in enumerate(self.sequences)]
        declarations += [
            f"const double {name} = operands[{len(self.sequences)} * n + {i}];" for i, name in enumerate(self.scalars)
        ]
        text = "\n".join(self.lines)
        used = [
            line
            for line, name in zip(declarations, map(str, self.operands), strict=True)
            if re.search(rf"\b{name}\b", text)
        ]
        unused = " ".join(f"(void){name};" for name in parameters)
        return f"\nALWAYS_INLINE {head}\n{{\n    " + "\n    ".join([unused, *used, *self.lines]) + "\n}\n"


C_NAMES = {"power": "pow"}
