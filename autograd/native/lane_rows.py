"""Writes each row's arithmetic once more, over the lanes of a block: what kernels.py writes for one example.

A variable is an array with a number for each lane. Statements of arithmetic that follow each other are one loop over
the lanes, which a compiler turns into vectors. It cannot do so with a call of the C library, so that a call has a loop
of its own.

With fast mathematics, `fast_math.h`, most calls are arithmetic too. The rows that have a use for it are written twice.

A row that calls `m.exp_of_difference` has a function for these exponentials alone. Its other functions find them in
arrays behind those of the operands: so the eight probabilities of a softmax take eight calls of exp, and not 192.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby

from autograd.native import kernels
from autograd.operations import OPERATIONS
from autograd.rows_in_c import C_NAMES, FAST, Body
from autograd.writer import Name, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from autograd.operation import Operation
    from autograd.writer import Operand

# What the C library computes in another way for small than for large numbers, or for negative ones.
BRANCHING = {"acos", "acosh", "asin", "asinh", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "expm1", "log1p", "sin",
             "sinh", "tan", "tanh"}  # fmt: skip

ANGLES = {"sin", "cos"}  # of fast_math.h: what leaves large numbers to the C library


@dataclass
class Statement:
    """One for each lane, `arithmetic` or a `call`; a `sorted` call of all; a `guard`; or a `loop` over elements.

    `angles` are those of fast mathematics, for all lanes.
    """

    kind: str
    text: str = ""
    body: list[Statement] = field(default_factory=list)


def header() -> str:
    """The text of lane_rows.h: of every row the values, and what they push to each operand's adjoints."""
    head = "/* Written by lane_rows.py from operations.py: what kernels.h computes, for the lanes of a block. */\n"
    fast = fast_rows()
    texts = [*map(functions, OPERATIONS.values()), *fast.values()]
    with_exponentials = [operation for operation in OPERATIONS.values() if exponentials(operation)]
    texts += [exponentials(operation, is_fast) for operation in with_exponentials for is_fast in (False, True)]
    rows = " ".join(f"ROW(ROW_{operation.name}, {operation.name})" for operation in with_exponentials)
    return head + "".join([*texts, kernels.lists(fast, "FAST_", "_fast"), f"\n#define EXPONENTIAL_ROWS(ROW) {rows}\n"])


def fast_rows() -> dict[Operation, str]:
    """The rows that have a use for fast mathematics, each with its functions."""
    texts = {operation: functions(operation, is_fast=True) for operation in OPERATIONS.values()}
    return {operation: text for operation, text in texts.items() if is_of_fast(text)}


def is_of_fast(text: str) -> bool:
    """Whether what is written calls a function of fast_math.h."""
    return re.search(r"\bfast_", text) is not None


def functions(operation: Operation, is_fast: bool = False) -> str:
    """The values, and what is pushed, with fast mathematics or without; its functions have names of their own."""
    pushes = [push(operation, index, is_fast) for index in range(len(operation.partials))]
    return "".join([values(operation, is_fast), *pushes, all_pushes(operation, is_fast)])


def name_of(operation: Operation, is_fast: bool) -> str:
    return f"{operation.name}_fast" if is_fast else operation.name


# What the build writes beside the compiled files.
FILES = kernels.FILES | {"lane_rows.h": header}


def values(operation: Operation, is_fast: bool = False) -> str:
    body = LanesBody(operation, is_fast=is_fast)
    result = operation.compute(body, *body.operands)
    body.statements.append(Statement("arithmetic", f"result[l] = {body.literal(result)};"))
    return body.function(f"void {name_of(operation, is_fast)}_values({LANES}, double *restrict result)")


def push(operation: Operation, index: int, is_fast: bool = False) -> str:
    """What the adjoint times one partial derivative adds to the operand's adjoints, or to those of a sequence."""
    is_sequence = index < operation.sequences
    body = LanesBody(operation, is_sequence, is_fast)
    derivative = operation.partials[index](body, Name(body, "r[l]"), *body.operands)
    if is_sequence:
        [element] = derivative
        statement = f"pushed[i][l] += {body.literal(element)} * adjoint[l];"
        guard = Statement("guard", "if (pushed[i] == NULL) continue;")
        body.statements.append(Statement("loop", body=[guard, *body.with_elements(statement)]))
        kind = "double *const *pushed, double *kept"
    else:
        body.statements.append(Statement("arithmetic", f"pushed[l] += {body.literal(derivative)} * adjoint[l];"))
        kind = "double *restrict pushed"
    return body.function(f"void {name_of(operation, is_fast)}_push_{index}({LANES}, {RESULT}, {kind})")


def all_pushes(operation: Operation, is_fast: bool = False) -> str:
    """To all operands: `pushed` has the place of each one's adjoints, or NULL where nobody asks for them."""
    calls, name = [], name_of(operation, is_fast)
    for index in range(len(operation.partials)):
        before = min(index, operation.sequences)
        place, given = f"{before} * n + {index - before}", "lanes, n, operands, r, adjoint"
        if index < operation.sequences:
            calls.append(f"if (some(pushed + {place}, n)) {name}_push_{index}({given}, pushed + {place}, kept);")
        else:
            calls.append(f"if (pushed[{place}] != NULL) {name}_push_{index}({given}, pushed[{place}]);")
    head = f"void {name}_push({LANES}, {RESULT}, double *const *pushed, double *kept)"
    return f"\nLANES_INLINE {head}\n{{\n    (void)kept; " + "\n    ".join(calls) + "\n}\n"


def exponentials(operation: Operation, is_fast: bool = False) -> str:
    """What `m.exp_of_difference` is of each operand, written to `results`; "" for a row that does not call it."""
    body = LanesBody(operation, is_fast=is_fast)
    found: dict[str, Name] = {}
    body.exponentials = found
    operation.compute(body, *body.operands)
    for place, name in enumerate(body.sequences):
        if name in found:
            statement = f"results[{place} * n + i][l] = {body.literal(found[name])};"
            body.statements.append(Statement("loop", body=body.with_elements(statement)))
    for place, name in enumerate(body.scalars):
        if name in found:
            statement = f"results[{len(body.sequences)} * n + {place}][l] = {body.literal(found[name])};"
            body.statements.append(Statement("arithmetic", statement))
    name = f"{operation.name}_exponentials{'_fast' * is_fast}"
    return body.function(f"void {name}({LANES}, double *const *results)") if found else ""


LANES = "Py_ssize_t lanes, Py_ssize_t n, const double *const *operands"
RESULT = "const double *r, const double *adjoint"


class LanesBody(Body):
    """The mathematics of one function over lanes. Names of what a sequence's elements have begin with e."""

    def __init__(self, operation: Operation, keeps_terms: bool = False, is_fast: bool = False) -> None:
        super().__init__(operation, keeps_terms)
        self.is_fast = is_fast
        self.statements: list[Statement] = []
        self.elements: dict[str, Statement] = {}  # by its name, the statement of each
        self.exponentials: dict[str, Name] | None = None  # of the operands, by name; None if they are found in arrays

    @property
    def operands(self) -> list[Name]:
        sequences = [LanesSequence(self, name) for name in self.sequences]
        return [*sequences, *(Name(self, f"{name}[l]") for name in self.scalars)]

    def name(self, expression: str, kind: str = "arithmetic") -> Name:
        if expression not in self.names:
            is_element = re.search(r"\bi\b|\be\d+\b", expression)
            variable = f"{'e' if is_element else 'v'}{len(self.names)}[l]"
            statement = Statement(kind, f"{variable} = {expression};")
            self.names[expression] = variable
            if is_element:
                self.elements[variable] = statement
            else:
                self.statements.append(statement)
        return Name(self, self.names[expression])

    def call(self, function: str) -> Callable[..., Name]:
        """Of one operand that is an array, a call for all lanes; otherwise one for each, or fast arithmetic."""
        function = C_NAMES.get(function, function)

        def called(*operands: Operand) -> Name:
            texts = [*map(self.literal, operands)]
            if self.is_fast and function in FAST - ANGLES:
                return self.name(f"fast_{function}({texts[0]})")
            if self.is_fast and function in ANGLES and texts[0].endswith("[l]"):
                return self.name(f"fast_{function}({texts[0]})", "angles")
            if function not in BRANCHING or not texts[0].endswith("[l]"):
                return self.name(f"{function}({', '.join(texts)})", "call")
            return self.name(f"{function}({texts[0]})", "sorted")

        return called

    def exp_of_difference(self, x: Name, shift: Name) -> Name:
        operand, rest = re.fullmatch(r"(\w+)((?:\[i\])?\[l\])", str(x)).groups()  # type: ignore[union-attr]
        if self.exponentials is None:
            return Name(self, f"{operand}_exp{rest}")
        self.exponentials[operand] = super().exp_of_difference(x, shift)
        return self.exponentials[operand]

    def element(self, sequence: Sequence, index: Operand) -> Name:
        place = self.literal(index)
        return self.name(f"is_place({place}, n) ? {sequence}[(Py_ssize_t){place}][l] : NAN", "call")

    def sum(self, terms: Iterable[Operand], start: Operand = 0.0) -> Name:
        [term] = terms
        text = self.literal(term)
        if not self.keeps_terms or self.kept or text not in self.elements:
            return self.each(self.literal(start), lambda total: f"{total} = {total} + {text};")
        self.kept = "kept[i * lanes + l]"
        total = self.each(self.literal(start), lambda total: f"{total} = {total} + ({self.kept} = {text});")
        self.elements[text] = Statement("arithmetic", f"{text} = {self.kept};")
        return total

    def largest(self, terms: Iterable[Operand]) -> Name:
        [term] = terms
        text = self.literal(term)
        return self.each("-INFINITY", lambda largest: f"{largest} = {text} > {largest} ? {text} : {largest};")

    def each(self, start: str, step: Callable[[str], str]) -> Name:
        variable = f"t{len(self.statements)}[l]"
        self.statements.append(Statement("arithmetic", f"{variable} = {start};"))
        self.statements.append(Statement("loop", body=self.with_elements(step(variable))))
        return Name(self, variable)

    def with_elements(self, text: str) -> list[Statement]:
        """A statement of arithmetic, and before it those of all that it needs of an element, in their order."""
        found: set[str] = set()
        texts = [text]
        while texts:
            new = {*re.findall(r"\be\d+\[l\]", texts.pop())} - found
            found |= new
            texts += [self.elements[variable].text.partition(" = ")[2] for variable in new]
        needed = [statement for variable, statement in self.elements.items() if variable in found]
        return [*needed, Statement("arithmetic", text)]

    def function(self, head: str) -> str:
        statements = used_statements(self.statements)
        is_plain = all(statement.kind == "arithmetic" for statement in statements)
        text = plain(statements) if is_plain else "\n    ".join(written(statements))
        before, places = len(self.sequences), {}
        for suffix, start in ("", ""), ("_exp", f"{before} * n + {len(self.scalars)} + "):
            for i, name in enumerate(self.sequences):
                places[name + suffix] = f"const double *const *{name}{suffix} = operands + {start}{i} * n;"
            for i, name in enumerate(self.scalars):
                places[name + suffix] = f"const double *{name}{suffix} = operands[{start}{before} * n + {i}];"
        used = [place for name, place in places.items() if re.search(rf"\b{name}\b", text)]
        arrays = sorted({*re.findall(r"\b[vte]\d+(?=\[l\])", text)})
        room = [f"double {', '.join(f'{array}[FOLD]' for array in arrays)};"] * bool(arrays)
        unused = " ".join(f"(void){name};" for name in re.findall(r"(\w+)(?=[,)])", head))
        return f"\nLANES_INLINE {head}\n{{\n    " + "\n    ".join([unused, *used, *room, text]) + "\n}\n"


class LanesSequence(Name):
    """An array of operands, each an array of lanes: iterating over it gives one element, that of a loop over i."""

    def __iter__(self) -> Iterator[Name]:
        return iter([Name(self.writer, f"{self}[i][l]")])


def used_statements(statements: list[Statement]) -> list[Statement]:
    """Without those that give a number to variables of which nothing is made."""
    kept: list[Statement] = []
    needed: set[str] = set()
    for statement in reversed(statements):
        text = " ".join(each.text for each in (statement, *statement.body))
        given = {*re.findall(r"\b([vt]\d+)\[l\] = ", text)}
        if not given or given & needed:
            kept.insert(0, statement)
            needed |= {*re.findall(r"\b[vt]\d+(?=\[l\])", text)}
    return kept


def plain(statements: list[Statement]) -> str:
    """The text of arithmetic alone: one loop without arrays, also over what fills up the last lanes."""
    declared = [re.sub(r"^([vte]\d+)\[l\] = ", r"const double \1 = ", statement.text) for statement in statements]
    body = re.sub(r"\b([vte]\d+)\[l\]", r"\1", " ".join(declared))
    return f"lanes = filled_up(lanes);\n    for (Py_ssize_t l = 0; l < lanes; l++) {{ {body} }}"


def written(statements: list[Statement]) -> Iterator[str]:
    """The text of statements: those of arithmetic that follow each other are in one loop."""
    for kind, group in groupby(statements, key=lambda statement: statement.kind):
        of_kind = [*group]
        if kind == "arithmetic":
            together = " ".join(statement.text for statement in of_kind)
            yield f"for (Py_ssize_t l = 0; l < lanes; l++) {{ {together} }}"
        for statement in of_kind:
            if kind == "guard":
                yield statement.text
            if kind == "call":
                yield f"for (Py_ssize_t l = 0; l < lanes; l++) {statement.text}"
            if kind == "sorted":
                yield re.sub(r"(\S+)\[l\] = (\w+)\((.+)\[l\]\);", r"call_sorted(\2, \3, \1, lanes);", statement.text)
            if kind == "angles":
                yield re.sub(r"(\S+)\[l\] = (\w+)\((.+)\[l\]\);", r"\2_lanes(lanes, \3, \1);", statement.text)
            if kind == "loop":
                body = "\n        ".join(written(statement.body))
                yield f"for (Py_ssize_t i = 0; i < n; i++) {{\n        {body}\n    }}"
