"""Functions that write themselves: what `apply()` does with every row, each of these does with one, in its own text.

    quick = specialised(operation, slow, ["value", "other"])

`quick` does what `slow` does, to the last bit. Its text is Python, written from the row's rules at the first call, as
`native/kernels.py` writes C. It holds what happens most: operands that are plain Values, floats and ints, and a result
that is recorded. All else it leaves to `slow`: errors, blocks without recording, subclasses, NumPy's numbers. So what is
odd is decided in one place, value.py, and its message comes from there. Operations that users define are left to `slow`
altogether: their rules may be more than formulas.
"""

from __future__ import annotations

import math
import re
from itertools import compress
from types import FunctionType

from autograd.operation import strict
from autograd.operations import ROWS, TABLE
from autograd.recording import open_blocks
from autograd.writer import Name, Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import CodeType
    from typing import Any

    from autograd.operation import Mathematics, Operation
    from autograd.writer import Operand


def specialised(operation: Operation, slow: Callable[..., Any], operands: list[str] | None = None) -> Any:
    """The function that does what `slow` does for this row, with operands in any form that `slow` takes.

    An operator's method has the parameters `value` and, where there is another side, `other`: `operands` in the row's
    order.
    """

    def write() -> FunctionType:
        try:
            text = function_text(operation) if operands is None else method_text(operation, operands)
        except TypeError:  # a rule is no formula
            text = UNWRITTEN
        namespace.update(NAMES, row=operation, symbol=operation.symbol, bind=operation.bind, slow=slow)
        quick.__code__ = compiled(text, f"<{operation.name}({', '.join(operands or ())}), written from the table>")
        return quick

    namespace: dict[str, Any] = {"write": write}
    quick = FunctionType(FIRST_CALL, namespace, slow.__name__)  # who has it before the first call has it afterwards
    quick.__wrapped__ = slow  # type: ignore[attr-defined]  # where inspect.signature looks
    return quick


def first_call(*operands: Any, **keywords: Any) -> Any:
    return write()(*operands, **keywords)  # type: ignore[name-defined]  # noqa: F821  it is in the namespace


FIRST_CALL = first_call.__code__


def compiled(text: str, name: str) -> CodeType:
    """The code of the one function that a text defines. A traceback finds its lines in linecache."""
    import linecache

    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    [code] = [constant for constant in compile(text, name, "exec").co_consts if hasattr(constant, "co_code")]
    return code


# ---- Texts of functions

UNWRITTEN = "def unwritten(*operands, **keywords):\n    return slow(*operands, **keywords)\n"

FUNCTION = """\
def {name}({parameters}):
{head}    if blocks() or Value.__init__ is not CONSTRUCTOR:
        return slow({arguments})
    try:
{body}    except (ValueError, ArithmeticError, AttributeError):
        pass
    return slow({arguments})
"""


def method_text(operation: Operation, operands: list[str]) -> str:
    """Of an operator's method. Where its `value` is none, there is an AttributeError."""
    arguments = ", ".join(sorted(operands, reverse=True))
    body = []
    if operands != ["other", "value"]:  # whose other operand has been asked before
        condition = "type(other) is Value" if "other" in operands else "True"
        body += case(operation, condition, operands, [True] * len(operands))
    if "other" in operands:
        body += [line.format("other") for line in AS_FLOAT]
        body += case(operation, "type(other) is float", operands, [operand == "value" for operand in operands])
    return FUNCTION.format(name=operation.name, parameters=arguments, head="", arguments=arguments, body=indented(body, 2))


def function_text(operation: Operation) -> str:
    """Of a function that is called as the row's signature says."""
    operands = ["first", "second", "third"][: len(operation.operands)]
    if operation not in ROWS[:TABLE] or len(operands) < len(operation.operands):
        return UNWRITTEN
    arguments = ", ".join(operands)
    is_complete = f"len(operands) == {len(operands)} and not keywords"
    head = f"    [{arguments}] = operands if {is_complete} else bind(operands, keywords)\n"
    body = many(operation, operands) if operation.sequences or len(operands) == 3 else scalars(operation, operands)
    return FUNCTION.format(
        name=operation.name, parameters="*operands, **keywords", head=head, arguments=arguments, body=indented(body, 2)
    )


def indented(lines: Iterable[str], depth: int) -> str:
    return "".join(f"{'    ' * depth}{line}\n" for line in lines)


# ---- One or two scalars: a case for each choice of those that are Values

AS_FLOAT = ["if type({0}) is int:", "    {0} = float({0})"]


def scalars(operation: Operation, operands: list[str]) -> list[str]:
    if len(operands) == 1:
        return case(operation, "type(first) is Value", operands, [True])
    return [
        *case(operation, "type(first) is Value and type(second) is Value", operands, [True, True]),
        *[line.format(operand) for operand in operands for line in AS_FLOAT],
        *case(operation, "type(first) is Value and type(second) is float", operands, [True, False]),
        *case(operation, "type(first) is float and type(second) is Value", operands, [False, True]),
    ]


def case(operation: Operation, condition: str, operands: list[str], are_values: list[bool]) -> list[str]:
    """The lines that compute the result and the derivatives, where the condition holds."""
    body = Body(operation)
    slots = {"_x": "None", "_dx": "None", "_y": "None", "_dy": "None"}
    for name, operand, is_value in zip(body.operands, operands, are_values, strict=True):
        body.lines.append(f"{name} = {operand}._number" if is_value else f"{name} = {operand}")
    result = body.literal(operation.compute(body, *body.operands))
    for i, (operand, is_value) in enumerate(zip(operands, are_values, strict=True)):
        slots["_x" if i == 0 else "_y"] = operand
        if is_value:
            derivative = operation.partials[i](body, Name(body, result), *body.operands)
            slots["_dx" if i == 0 else "_dy"] = body.literal(derivative)
    lines = [*body.lines, *node({"_number": result, **slots, "_many": "None"})]
    return [f"if {condition}:", *shifted(lines)]


def node(slots: dict[str, str]) -> list[str]:
    """The lines that make the result."""
    usual = {"_created": "next_number()", "_grad": "0.0", "_label": '""', "_operation": "row", "_symbol": "symbol"}
    return ["node = new(Value)", *[f"node.{slot} = {text}" for slot, text in (usual | slots).items()], "return node"]


def shifted(lines: Iterable[str]) -> list[str]:
    return ["    " + line for line in lines]


# ---- Sequences: their elements are Values, or numbers, or both


def many(operation: Operation, operands: list[str]) -> list[str]:
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
        text = behind.list(*derivative) if i < operation.sequences else f"[{behind.literal(derivative)}]"
        parent = f"operand{i}" if i < operation.sequences else f"[operand{i}]"
        add = [f"extend(parents, {parent}, which{i})", f"extend(derivatives, {text}, which{i})"]
        lines += [f"if which{i}:", *shifted([*behind.lines[len(body.lines) :], *add])]
    given = "".join(f"operand{i}, " for i in range(len(operands)))
    slots = dict.fromkeys(("_x", "_dx", "_y", "_dy"), "None")
    slots["_many"] = f"({given}), tuple(parents), tuple(derivatives)"
    return [*lines, "if not parents:", f"    return {result}", *node({"_number": result, **slots})]


MAY_RAISE = re.compile(r"\w\(| / ")


class Body(Writer):
    """The mathematics of a function's text: that of `strict`.

    On it a derivative may raise an error, instead of being infinite; then `slow` finds the derivative, on `ieee`.
    The name of an operand's number ends in "_", so that it is no other name in the text.
    """

    language = "Python"
    symbols = {"abs": "abs", "nan": "nan", "inf": "inf", "or": "or", "and": "and"}

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation, strict.given.keys() - {"where", "sum", "largest"})

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
        if "[i]" in expression and MAY_RAISE.search(expression):
            return Name(self, f"{super().name(self.list(Name(self, expression)))}[i]")
        return super().name(expression)

    def sum(self, terms: Iterable[Operand], start: Operand = 0.0) -> Name:
        [term] = terms
        return self.each(self.literal(start), lambda total: f"{total} = {total} + {self.literal(term)}")

    def largest(self, terms: Iterable[Operand]) -> Name:
        return self.name(f"largest({self.list(*terms)})")

    def each(self, start: str, step: Callable[[str], str]) -> Name:
        variable = f"t{len(self.lines)}"
        text, loop = self.looped(step(variable))
        self.lines += [f"{variable} = {start}", f"{loop}:", f"    {text}"]
        return Name(self, variable)

    def list(self, element: Operand) -> str:
        """A list that has this element for each i: `[2.0 * x_i for x_i in x_]`."""
        text = self.literal(element)
        if re.fullmatch(r"\w+\[i\]", text):
            return text.removesuffix("[i]")
        return f"[{' '.join(self.looped(text))}]"

    def looped(self, text: str) -> tuple[str, str]:
        """The text with names for the elements, and the loop over them: `2.0 * x_i`, `for x_i in x_`."""
        sequences = [*dict.fromkeys(re.findall(r"(\w+)\[i\]", text))] or [str(self.operands[0])]
        elements = ", ".join(f"{sequence.removesuffix('_')}_i" for sequence in sequences)
        numbers = sequences[0] if len(sequences) == 1 else f"zip({', '.join(sequences)})"
        return re.sub(r"_?\[i\]", "_i", text), f"for {elements} in {numbers}"


# ---- What texts call


def elements_of(sequence: Any, value_type: type) -> tuple[tuple[Any, ...], Sequence[float], Any]:
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
    elements = tuple([element if is_value else float_of(element) for element, is_value in zip(elements, are_values, strict=True)])
    numbers = [element._number if is_value else element for element, is_value in zip(elements, are_values, strict=True)]
    return elements, numbers, are_values


def scalar_of(operand: Any, value_type: type) -> tuple[Any, float, bool]:
    """The operand, its number, and whether it is a Value."""
    if type(operand) is value_type:
        return operand, operand._number, True
    number = float_of(operand)
    return number, number, False


def float_of(number: Any) -> float:
    if type(number) is float or type(number) is int:
        return float(number)
    raise ValueError


def extend(numbers: list[Any], others: Sequence[Any], which: Any) -> None:
    """Adds those of the others that are marked."""
    numbers += others if which is True else compress(others, which)


NAMES: dict[str, Any] = {
    **strict.given, "__name__": __name__, "new": object.__new__, "blocks": open_blocks.get, "inf": math.inf, "nan": math.nan,
    "elements_of": elements_of, "scalar_of": scalar_of, "extend": extend,
}  # fmt: skip


def make_nodes_of(value_type: type, next_number: Callable[[], int]) -> None:
    """Has texts make nodes of this class, as long as it has this constructor, with these numbers."""
    NAMES.update(Value=value_type, CONSTRUCTOR=value_type.__init__, next_number=next_number)  # type: ignore[misc]
