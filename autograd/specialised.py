"""Functions that write themselves: what `apply()` does with every row, each of these does with one, in its own text.

    quick = specialised(operation, ["value", "other"], slow)

`quick` does what `slow` does, to the last bit. Its text is Python, written from the row's rules at the first call, as
`native/kernels.py` writes C. It holds what happens most: operands that are plain Values, floats and ints, and a result
that is recorded. It leaves all else to `slow`: errors, blocks without recording, subclasses, NumPy's numbers. So only
value.py decides what is odd, and says so. Operations that users define are left to `slow` altogether, since their rules
may be more than formulas.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from functools import update_wrapper
from itertools import compress
from types import CodeType, FunctionType

from autograd.operation import strict
from autograd.operations import ROWS, TABLE
from autograd.recording import open_blocks
from autograd.writer import Name, Writer
from autograd.writer import Sequence as Elements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, ClassVar, TypeVar

    from autograd.operation import Operation
    from autograd.writer import Operand

    F = TypeVar("F", bound=Callable[..., Any])


def specialised(operation: Operation, operands: list[str] | None, slow: F) -> F:
    """The function that does what `slow` does for this row, with operands in any form that `slow` takes.

    An operator's method has the parameters `value` and, where there is another side, `other`: `operands` are these in
    the row's order. It is the same function before its text is written, and after.
    """

    def write() -> FunctionType:
        try:
            text = function_text(operation) if operands is None else method_text(operation, operands)
        except (TypeError, ValueError, AttributeError, LookupError) as error:  # a rule is no formula
            if not is_own(error):
                raise
            text = UNWRITTEN
        namespace.update(NAMES, row=operation, bind=operation.bind, slow=slow)
        quick.__code__ = compiled(text, f"<{operation.name}({', '.join(operands or ())}), written from the table>")
        return quick

    namespace: dict[str, Any] = {"write": write}
    quick = FunctionType(FIRST_CALL, namespace)
    return update_wrapper(quick, slow)  # type: ignore[return-value]  # it stands for `slow`


def first_call(*operands: Any, **keywords: Any) -> Any:
    return write()(*operands, **keywords)  # type: ignore[name-defined]  # noqa: F821  it is in the namespace


FIRST_CALL = first_call.__code__


def compiled(text: str, name: str) -> CodeType:
    """The code of the one function that a text defines. A traceback finds its lines in linecache."""
    with suppress(ImportError):  # when the interpreter ends, nothing is imported any more
        import linecache  # it takes a while

        linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    return next(constant for constant in compile(text, name, "exec").co_consts if isinstance(constant, CodeType))


# ---- Texts of functions

UNWRITTEN = "def unwritten(*operands, **keywords):\n    return slow(*operands, **keywords)\n"

FUNCTION = """\
def {name}({parameters}):
{head}    try:
        if not blocks() and OF_CLASS["__init__"] is CONSTRUCTOR:
{body}    except (ValueError, ArithmeticError, AttributeError, KeyError) as error:
        if not is_own(error):
            raise
    return slow({operands})
"""


def method_text(operation: Operation, operands: list[str]) -> str:
    """Of an operator's method. If its `value` is none, there is an AttributeError."""
    parameters = ", ".join(sorted(operands, reverse=True))
    if operands == ["value"]:
        lines = case(operation, {"value"}, operands, "True")
    else:
        lines = [*as_float("other"), *case(operation, {"value"}, operands, "type(other) is float")]
    if operands == ["value", "other"]:  # behind a Value on the left, Python asks the right one only if that is none
        lines = [*case(operation, {"value", "other"}, operands, "type(other) is Value"), *lines]
    body = indented(lines, 3)
    return FUNCTION.format(name=operation.name, parameters=parameters, head="", body=body, operands=parameters)


def function_text(operation: Operation) -> str:
    """Of a function that is called as the row's signature says."""
    operands = ["first", "second", "third"][: len(operation.operands)]
    if operation not in ROWS[:TABLE] or len(operands) < len(operation.operands):
        return UNWRITTEN
    listed = ", ".join(operands)
    as_usual = f"len(operands) == {len(operands)} and not keywords"
    head = f"    [{listed}] = operands if {as_usual} else bind(operands, keywords)\n"
    lines = with_sequences if operation.sequences or len(operands) == 3 else of_scalars
    body = indented(lines(operation, operands), 3)
    parameters = "*operands, **keywords"
    return FUNCTION.format(name=operation.name, parameters=parameters, head=head, body=body, operands=listed)


def indented(lines: Iterable[str], depth: int = 1) -> str:
    return "".join(f"{'    ' * depth}{line}\n" for line in lines)


def shifted(lines: Iterable[str]) -> list[str]:
    return ["    " + line for line in lines]


def node(slots: dict[str, str]) -> list[str]:
    """The lines that make a result."""
    usual = {"_created": "next_number()", "_grad": "0.0", "_operation": "row"}
    return ["node = new(Value)", *[f"node.{slot} = {text}" for slot, text in (usual | slots).items()], "return node"]


# ---- One or two scalars: a case for each choice of those that are Values


def of_scalars(operation: Operation, operands: list[str]) -> list[str]:
    if len(operands) == 1:
        return case(operation, {"first"}, operands, "type(first) is Value")
    return [
        *case(operation, {"first", "second"}, operands, "type(first) is Value and type(second) is Value"),
        *as_float("first"),
        *as_float("second"),
        *case(operation, {"first"}, operands, "type(first) is Value and type(second) is float"),
        *case(operation, {"second"}, operands, "type(first) is float and type(second) is Value"),
    ]


def as_float(operand: str) -> list[str]:
    return [f"if type({operand}) is int:", f"    {operand} = float({operand})"]


def case(operation: Operation, values: set[str], operands: list[str], condition: str) -> list[str]:
    """The lines for when the condition holds, and these of the operands are Values."""
    body = Body(operation)
    for name, operand in zip(body.operands, operands, strict=True):
        body.lines.append(f"{name} = {operand}._number" if operand in values else f"{name} = {operand}")
    result = body.literal(operation.compute(body, *body.operands))
    slots = {"_number": result, "_dx": "None", "_dy": "None"}
    for slot, operand, partial in zip("xy", operands, operation.partials, strict=False):
        slots[f"_{slot}"] = operand
        if operand in values:
            slots[f"_d{slot}"] = body.literal(partial(body, Name(body, result), *body.operands))
    return [f"if {condition}:", *shifted([*body.lines, *node(slots)])]


# ---- Sequences: their elements are Values, or numbers, or both


ADD_SEQUENCE = [
    "slopes = {1}",
    "if which{0} is True:",
    "    parents += operand{0}",
    "    derivatives += slopes",
    "else:",
    "    parents += compress(operand{0}, which{0})",
    "    derivatives += compress(slopes, which{0})",
]


def with_sequences(operation: Operation, operands: list[str]) -> list[str]:
    """The lines that compute the result, and the parents with the derivatives by them in lists."""
    body, lines = Body(operation), []
    for i, (operand, name) in enumerate(zip(operands, body.operands, strict=True)):
        read = "elements_of" if i < operation.sequences else "scalar_of"
        lines.append(f"operand{i}, {name}, which{i} = {read}({operand}, Value)")
    for other in body.operands[1 : operation.sequences]:
        lines += [f"if len({other}) != len({body.operands[0]}):", "    raise ValueError"]
    result = body.literal(operation.compute(body, *body.operands))
    lines += [*body.lines, "parents, derivatives = [], []"]
    for i, partial in enumerate(operation.partials):
        behind = body.copy()  # for these lines run only if there are Values
        derivative = partial(behind, Name(behind, result), *behind.operands)
        if i < operation.sequences:
            add = [line.format(i, behind.list(*derivative)) for line in ADD_SEQUENCE]
        else:
            add = [f"parents.append(operand{i})", f"derivatives.append({behind.literal(derivative)})"]
        lines += [f"if which{i}:", *shifted([*behind.lines[len(body.lines) :], *add])]
    given = "".join(f"operand{i}, " for i in range(len(operands)))
    tuples = {"_operands": f"({given})", "_parents": "tuple(parents)", "_local_derivatives": "tuple(derivatives)"}
    made = node({"_number": result, "_dx": "None", "_dy": "None", **tuples})
    return [*lines, "if not parents:", f"    return {result}", *made]


class Body(Writer):
    """The mathematics of a function's text: that of `strict`.

    On it a derivative may raise an error, instead of being infinite; then `slow` finds the derivative, on `ieee`.
    The name of an operand's number ends in "_", so that it is no other name in the text.
    """

    language = "Python"
    symbols: ClassVar = {"abs": "abs", "nan": "nan", "inf": "inf", "or": "or", "and": "and"}

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation, strict.given.keys() - {"where", "sum", "largest", "places"})

    def copy(self) -> Body:
        twin = Body(self.operation)
        twin.lines, twin.names = [*self.lines], {**self.names}
        return twin

    def operand(self, name: str) -> str:
        return f"{name}_"

    def assignment(self, variable: str, expression: str) -> str:
        return f"{variable} = {expression}"

    def choice(self, condition: str, x: str, y: str) -> str:
        return f"{x} if {condition} else {y}"

    def name(self, expression: str) -> Name:
        """As it says there; but of what may raise an error no element is left to a choice, which would leave it out."""
        may_raise = " / " in expression or any(f"{function}(" in expression for function in self.functions)
        if "[i]" in expression and may_raise:
            return Name(self, f"{super().name(self.list(Name(self, expression)))}[i]")
        return super().name(expression)

    def sum(self, terms: Iterable[Operand], start: Operand = 0.0) -> Name:
        [term] = terms
        return self.each(self.literal(start), lambda total: f"{total} = {total} + {self.literal(term)}")

    def largest(self, terms: Iterable[Operand]) -> Name:
        return self.name(f"largest({self.list(*terms)})")

    def places(self, sequence: Name) -> Name:
        return Elements(self, str(self.name(f"range(len({sequence}))")))

    def each(self, start: str, step: Callable[[str], str]) -> Name:
        variable = f"t{len(self.lines)}"
        text, loop = self.looped(step(variable))
        self.lines += [f"{variable} = {start}", f"{loop}:", f"    {text}"]
        return Name(self, variable)

    def list(self, element: Operand) -> str:
        """A list that has this element for each i: `[2.0 * x_i for x_i in x_]`."""
        text = self.literal(element)
        if (sequence := text.removesuffix("[i]")) != text and sequence.isidentifier():
            return sequence
        return f"[{' '.join(self.looped(text))}]"

    def looped(self, text: str) -> tuple[str, str]:
        """The text with names for the elements, and the loop over them: `2.0 * x_i`, `for x_i in x_`."""
        sequences = [*dict.fromkeys(re.findall(r"(\w+)\[i\]", text))] or [str(self.operands[0])]
        elements = ", ".join(f"{sequence.removesuffix('_')}_i" for sequence in sequences)
        numbers = sequences[0] if len(sequences) == 1 else f"zip({', '.join(sequences)})"
        return re.sub(r"_?\[i\]", "_i", text), f"for {elements} in {numbers}"


# ---- What texts call


def elements_of(sequence: Any, value_type: Any) -> tuple[tuple[Any, ...], Sequence[float], Any]:
    """The elements of a list or tuple, their numbers, and which of them are Values: True if all, False if none."""
    if type(sequence) is not list and type(sequence) is not tuple:
        raise ValueError
    elements = tuple(sequence)
    numbers = [element._number for element in elements if type(element) is value_type]
    if len(numbers) == len(elements):
        return elements, numbers, bool(elements)
    if not numbers:
        elements = tuple([element if type(element) is float else float_of(element) for element in elements])
        return elements, elements, False
    are_values = [type(element) is value_type for element in elements]
    elements = tuple([element if type(element) is value_type else float_of(element) for element in elements])
    numbers = [element._number if type(element) is value_type else element for element in elements]
    return elements, numbers, are_values


def scalar_of(operand: Any, value_type: Any) -> tuple[Any, float, bool]:
    """The operand, its number, and whether it is a Value."""
    if type(operand) is value_type:
        return operand, operand._number, True
    number = float_of(operand)
    return number, number, False


def float_of(number: Any) -> float:
    if type(number) is float or type(number) is int:
        return float(number)
    raise ValueError


def is_own(error: BaseException) -> bool:
    """Whether this package's code has raised it: not a signal's handler meanwhile, which is a function of its own."""
    traceback: Any = error.__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return str(traceback.tb_frame.f_globals.get("__name__")).startswith("autograd.")


NAMES: dict[str, Any] = {
    **strict.given, "__name__": __name__, "inf": math.inf, "nan": math.nan, "new": object.__new__,
    "blocks": open_blocks.get, "elements_of": elements_of, "scalar_of": scalar_of, "compress": compress,
    "is_own": is_own,
}  # fmt: skip


def make_nodes_of(value_type: Any, next_number: Callable[[], int]) -> None:
    """Has texts make nodes of this class, as long as it has this constructor, with these numbers."""
    NAMES.update(Value=value_type, OF_CLASS=vars(value_type), CONSTRUCTOR=value_type.__init__, next_number=next_number)
