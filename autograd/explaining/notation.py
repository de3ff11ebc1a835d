"""A notation writes the lines of the trace: the formula, the numbers put in, the result. Plain text, Markdown, LaTeX.

Each way of writing is a Notation: what it makes of names, numbers, operations and derivatives.
"""

from __future__ import annotations

import re
from string import punctuation

from autograd.explaining.trace import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from autograd.explaining.trace import Contribution, Given, Operand
    from autograd.operation import Operation

    Writer = Callable[[Entry | float], str]  # of an operand: as its name, or as its number

MOST_TERMS = 8  # of a sum, or elements of a sequence; of longer ones the first and the last are written


class Notation:
    """Plain text, and what the other notations have in common with it.

    Arguments:
        digits: how many significant digits of a number are written.

    >>> from autograd import Value
    >>> from autograd.explaining.trace import trace
    >>> a = Value(-3.0, label="a")
    >>> paper, write = trace(a * a), Notation()
    >>> [write.evaluation(entry) for entry in paper.entries]
    ['a = -3', 'v1 = a * a = (-3) * (-3) = 9']
    >>> [write.contribution(contribution) for contribution in paper.contributions][1]
    'a.grad += v1.grad * ∂v1/∂a (use 2) = (-3) + 1 * (-3) = -6'
    """

    # By an operation's name: {x} and {y} are the operands, {X} and {Y} the same, in brackets where a sign needs them.
    templates: Mapping[str, str] = {"negative": "-{X}"}
    equals, accumulates, plus, times, omitted = " = ", " += ", " + ", " * ", "…"

    def __init__(self, digits: int = 4) -> None:
        self.digits = digits

    # ---- The lines.

    def evaluation(self, entry: Entry) -> str:
        parts = [self.name(entry)]
        if entry.operation:
            parts.append(self.formula(entry.operation, entry.operands, self.operand))
            if not is_number(entry, self.digits):
                parts.append(self.formula(entry.operation, entry.operands, self.data))
        return self.line(self.equals.join([*parts, self.number(entry.data)]), entry.remark)

    def chain_rule(self, subject: Contribution | Entry) -> str:
        """A contribution; of an entry, its adjoint."""
        return self.gradient(subject) if isinstance(subject, Entry) else self.contribution(subject)

    def contribution(self, contribution: Contribution) -> str:
        node, parent, before = contribution.node, contribution.parent, contribution.before
        assigned = self.equals if before is None else self.accumulates
        product = self.times.join(self.grouped(self.number(x)) for x in (node.adjoint, contribution.local_derivative))
        numbers = product if before is None else self.grouped(self.number(before)) + self.plus + product
        rule = self.adjoint(node) + self.times + self.partial(contribution)
        result = self.number(contribution.after)
        return self.line(self.adjoint(parent) + assigned + self.equals.join([rule, numbers, result]))

    def gradient(self, entry: Entry) -> str:
        return self.line(self.adjoint(entry) + self.equals + self.number(entry.adjoint))

    def line(self, line: str, remark: str = "") -> str:
        return f"{line}  “{remark}”" if remark else line

    # ---- What they are made of.

    def name(self, entry: Entry) -> str:
        return entry.name

    def number(self, number: float) -> str:
        return f"{number:.{self.digits}g}"

    def adjoint(self, entry: Entry) -> str:
        return f"{self.name(entry)}.grad"

    def partial(self, contribution: Contribution) -> str:
        use = contribution.node.uses(contribution.place)
        local_derivative = f"∂{self.name(contribution.node)}/∂{self.name(contribution.parent)}"
        return f"{local_derivative} (use {use})" if use else local_derivative

    # ---- Formulas.

    def operand(self, operand: Entry | float) -> str:
        return self.number(operand) if isinstance(operand, float) else self.name(operand)

    def data(self, operand: Entry | float) -> str:
        return self.number(operand if isinstance(operand, float) else operand.data)

    def formula(self, operation: Operation | Given, operands: Sequence[Operand], write: Writer) -> str:
        """The operation on its operands, each written by `write`."""
        if operation.name in ("sum", "dot"):
            return self.plus.join(self.elided(self.terms(operands, write)))
        written = [
            f"[{', '.join(self.elided([write(element) for element in operand]))}]"
            if isinstance(operand, tuple)
            else write(operand)
            for operand in operands
        ]
        x, y, *_ = [*written, ""]
        if template := self.templates.get(operation.name):
            return template.format(x=x, y=y, X=self.grouped(x), Y=self.grouped(y))
        if operation.is_infix:
            return f"{self.grouped(x)} {self.verbatim(operation.symbol)} {self.grouped(y)}"
        return f"{self.function(operation.name)}({', '.join(written)})"

    def terms(self, operands: Sequence[Operand], write: Writer) -> list[str]:
        """Of a sum, or of a dot product: the bias first, as it is computed, if there is one."""
        sequences = [operand for operand in operands if isinstance(operand, tuple)]
        bias = [operand for operand in operands if not isinstance(operand, tuple) and operand != 0.0]
        products = zip(*sequences, strict=True)
        factors = [[operand] for operand in bias] + [list(product) for product in products]
        return [self.times.join(self.grouped(write(factor)) for factor in product) for product in factors] or ["0"]

    def elided(self, written: list[str]) -> list[str]:
        if len(written) <= MOST_TERMS:
            return written
        return [*written[: MOST_TERMS - 2], self.omitted, written[-1]]

    def grouped(self, written: str) -> str:
        """In brackets if it begins with a sign."""
        return f"({written})" if written.startswith("-") else written

    def function(self, name: str) -> str:
        return name

    def verbatim(self, text: str) -> str:
        return text


def is_number(entry: Entry, digits: int) -> bool:
    """Whether the formula with the numbers put in is the result as it is written: `v1 = -a = -3`."""
    plain = Notation(digits)
    return entry.operation is not None and (
        plain.formula(entry.operation, entry.operands, plain.data) == plain.number(entry.data)
    )


class Markdown(Notation):
    """Plain text as code, for the cells of a table; a label beside it is text, whatever characters it has."""

    def line(self, line: str, remark: str = "") -> str:
        code = "`" + line.replace("|", r"\|") + "`"
        return f"{code} “{''.join(f'&#{ord(c)};' if c in punctuation else c for c in remark)}”" if remark else code


class Latex(Notation):
    r"""Mathematics for LaTeX, KaTeX and MathJax; `\text` and `\operatorname` are amsmath's.

    >>> from autograd import Value, tanh
    >>> from autograd.explaining.trace import trace
    >>> Latex().evaluation(trace(tanh(Value(0.5, label="w1"))).result)
    'v_{1} = \\tanh(w_{1}) = \\tanh(0.5) = 0.4621'
    """

    templates: Mapping[str, str] = {
        "negative": "-{X}", "multiply": r"{X} \cdot {Y}", "divide": r"\frac{{{x}}}{{{y}}}", "power": "{X}^{{{y}}}",
        "abs": r"\lvert {x} \rvert", "sqrt": r"\sqrt{{{x}}}", "cbrt": r"\sqrt[3]{{{x}}}",
        "exp": "e^{{{x}}}", "exp2": "2^{{{x}}}", "expm1": "e^{{{x}}} - 1",
        "log1p": r"\log(1 + {X})", "log2": r"\log_{{2}}({x})", "log10": r"\log_{{10}}({x})",
        "asin": r"\arcsin({x})", "acos": r"\arccos({x})", "atan": r"\arctan({x})",
        "maximum": r"\max({x}, {y})", "minimum": r"\min({x}, {y})",
    }  # fmt: skip
    functions = frozenset({"log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min"})  # LaTeX knows them
    accumulates, times, omitted = r" \mathrel{+}= ", r" \cdot ", r"\cdots"

    def name(self, entry: Entry) -> str:
        letters, rest = self.parts(entry)
        return letters + rest

    def adjoint(self, entry: Entry) -> str:
        letters, rest = self.parts(entry)
        return rf"\{'bar' if len(letters) == 1 else 'overline'}{{{letters}}}{rest}"

    def parts(self, entry: Entry) -> tuple[str, str]:
        """The letters of the name, and what follows them: the number below, of w1 and w_1, and w[1]'s brackets."""
        match = re.fullmatch(r"(.+?)(?:_?(\d+))?((?:\[.*\])?'*)", entry.name)
        letters, number, rest = match.groups(default="") if match else (entry.name, "", "")
        letters = letters if len(letters) == 1 and letters != "_" else rf"\mathit{{{self.verbatim(letters)}}}"
        return letters, (f"_{{{number}}}" if number else "") + rest

    def number(self, number: float) -> str:
        mantissa, _, exponent = super().number(number).partition("e")
        mantissa = mantissa.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def partial(self, contribution: Contribution) -> str:
        use = contribution.node.uses(contribution.place)
        node, parent = self.name(contribution.node), self.name(contribution.parent)
        local_derivative = rf"\frac{{\partial {node}}}{{\partial {parent}}}"
        return rf"\left({local_derivative}\right)_{{{use}}}" if use else local_derivative

    def line(self, line: str, remark: str = "") -> str:
        return rf"{line} \quad \text{{“{self.verbatim(remark)}”}}" if remark else line

    def grouped(self, written: str) -> str:
        return f"({written})" if written.startswith("-") or "10^" in written else written

    def function(self, name: str) -> str:
        return f"\\{name}" if name in self.functions else rf"\operatorname{{{self.verbatim(name)}}}"

    def verbatim(self, text: str) -> str:
        return "".join(SPECIAL.get(character, character) for character in text)


SPECIAL = {character: f"\\{character}" for character in "{}$&#_%"}
SPECIAL |= {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
