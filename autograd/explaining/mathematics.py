r"""in_latex() writes a formula of the table, which is a Python expression, in LaTeX's mathematics.

The table has formulas, and `autograd.formulas` derivatives, as text that Python can evaluate. The names of functions
are those that traces have in `notation.py`. What is written is understood by LaTeX with amsmath, KaTeX and MathJax.
"""

from __future__ import annotations

import ast
import re

from autograd.explaining.notation import Latex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

GREEK = {"alpha", "beta", "gamma", "delta", "lambda", "pi", "sigma"}
RELATIONS = {ast.Lt: "<", ast.LtE: r"\leq", ast.Gt: ">", ast.GtE: r"\geq", ast.Eq: "=", ast.NotEq: r"\neq"}
NEXT_LINE = r" \\ "
SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly an expression is bound, the loosest first

WRITTEN = Latex()


def in_latex(formula: str, *, one_line: bool = False) -> str:
    r"""The formula in LaTeX; with `one_line`, as matplotlib understands it, a choice in words and not as cases.

    >>> print(in_latex("2 * exp(-x ** 2) / sqrt(pi)"))
    \frac{2 \, e^{-x^{2}}}{\sqrt{\pi}}
    >>> print(in_latex("bias + sum(w * x for w, x in zip(weights, inputs))"))
    \mathit{bias} + \sum_{i} \mathit{weights}_{i} \, \mathit{inputs}_{i}
    >>> print(in_latex("0 if x <= 0 else 1"))
    \begin{cases} 0 & \text{if } x \leq 0 \\ 1 & \text{else} \end{cases}
    """
    latex = Translation(one_line).written(ast.parse(formula, mode="eval").body)
    return latex.replace(r"\lvert", "|").replace(r"\rvert", "|") if one_line else latex


class Translation:
    """The expressions of one formula. `names` are what the variables of a comprehension stand for."""

    def __init__(self, one_line: bool) -> None:
        self.one_line = one_line
        self.names: dict[str, str] = {}
        self.depth = 0

    def written(self, node: ast.expr, binding: int = SUM) -> str:
        """The expression, in brackets if it is bound more loosely than its place asks for."""
        kind: Callable[[ast.expr], tuple[str, int]] = getattr(self, type(node).__name__.lower())
        self.depth += 1
        text, own = kind(node)
        self.depth -= 1
        return text if own >= binding else rf"\left({text}\right)"

    def name(self, node: ast.Name) -> tuple[str, int]:
        return self.names.get(node.id) or variable(node.id), ATOM

    def constant(self, node: ast.Constant) -> tuple[str, int]:
        assert isinstance(node.value, (int, float))
        return f"{node.value:g}", ATOM

    def unaryop(self, node: ast.UnaryOp) -> tuple[str, int]:
        return f"-{self.written(node.operand, PRODUCT)}", SUM

    def binop(self, node: ast.BinOp) -> tuple[str, int]:
        if isinstance(node.op, (ast.Mult, ast.Div)) and (positive := without_sign(node)):
            return f"-{self.written(positive, PRODUCT)}", SUM
        match node.op:
            case ast.Add():
                return f"{self.written(node.left)} + {self.written(node.right)}", SUM
            case ast.Sub():
                return f"{self.written(node.left)} - {self.written(node.right, PRODUCT)}", SUM
            case ast.Mult():
                return rf"{self.written(node.left, PRODUCT)} \, {self.written(node.right, PRODUCT)}", PRODUCT
            case ast.Div():
                return rf"\frac{{{self.written(node.left)}}}{{{self.written(node.right)}}}", PRODUCT
        return self.power(node.left, node.right)

    def power(self, base: ast.expr, exponent: ast.expr) -> tuple[str, int]:
        above = "3/2" if isinstance(exponent, ast.Constant) and exponent.value == 1.5 else self.written(exponent)
        if isinstance(base, ast.Call) and (match := re.fullmatch(r"(\\[a-z]+)((?:\\left)?\(.*\))", self.written(base))):
            return f"{match[1]}^{{{above}}}{match[2]}", POWER  # cosh²(x)
        return f"{self.written(base, ATOM)}^{{{above}}}", POWER

    def call(self, node: ast.Call) -> tuple[str, int]:
        assert isinstance(node.func, ast.Name)
        name, [first, *others] = node.func.id, node.args
        if name == "sum":
            return self.sum(first), PRODUCT
        operands = [self.written(first), *(self.written(other) for other in others)]
        if template := WRITTEN.templates.get(name):
            grouped = [self.written(first, PRODUCT), *operands[1:]]
            text = template.format(x=operands[0], X=grouped[0], y=operands[-1], Y=grouped[-1])
            return text, SUM if name in ("expm1",) else POWER if name in ("exp", "exp2") else ATOM
        return WRITTEN.function(name) + bracketed(", ".join(operands)), ATOM

    def sum(self, terms: ast.expr) -> str:
        """Over a comprehension, whose variables are elements; over all of a sequence."""
        if not isinstance(terms, ast.GeneratorExp):
            return rf"\sum_{{i}} {self.written(terms)}_{{i}}"
        [loop] = terms.generators
        targets = loop.target.elts if isinstance(loop.target, ast.Tuple) else [loop.target]
        sequences = loop.iter.args if isinstance(loop.iter, ast.Call) else [loop.iter]
        for target, sequence in zip(targets, sequences, strict=True):
            assert isinstance(target, ast.Name)
            self.names[target.id] = f"{self.written(sequence)}_{{i}}"
        return rf"\sum_{{i}} {self.written(terms.elt, PRODUCT)}"

    def ifexp(self, node: ast.IfExp) -> tuple[str, int]:
        """As cases; within a formula, 1 where a condition holds and else 0 is Iverson's bracket."""
        if self.depth > 1 and is_number(node.body, 1) and is_number(node.orelse, 0):
            return f"[{self.written(node.test)}]", ATOM
        choices, rest = [], node
        while isinstance(rest, ast.IfExp):
            choices.append((self.written(rest.body), self.written(rest.test)))
            rest = rest.orelse  # type: ignore[assignment]
        if self.one_line:
            parts = [rf"{value}\text{{ if }}{test}" for value, test in choices]
            return r",\; ".join([*parts, rf"{self.written(rest)}\text{{ else}}"]), SUM
        lines = [rf"{value} & \text{{if }} {test}" for value, test in choices]
        lines.append(rf"{self.written(rest)} & \text{{else}}")
        return rf"\begin{{cases}} {NEXT_LINE.join(lines)} \end{{cases}}", ATOM

    def compare(self, node: ast.Compare) -> tuple[str, int]:
        relation = RELATIONS[type(node.ops[0])]
        return f"{self.written(node.left)} {relation} {self.written(node.comparators[0])}", SUM

    def subscript(self, node: ast.Subscript) -> tuple[str, int]:
        return f"{self.written(node.value)}_{{{self.written(node.slice)}}}", ATOM


def without_sign(node: ast.expr) -> ast.expr | None:
    """A product or quotient without the minus sign at its very beginning; None if there is none."""
    if isinstance(node, ast.UnaryOp):
        return node.operand
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)) and (left := without_sign(node.left)):
        return ast.BinOp(left, node.op, node.right)
    return None


def is_number(node: ast.expr, number: int) -> bool:
    return isinstance(node, ast.Constant) and node.value == number


def bracketed(text: str) -> str:
    """In brackets as high as what is in them."""
    return rf"\left({text}\right)" if "\\frac" in text or "\\sum" in text else f"({text})"


def variable(name: str) -> str:
    """A name of one letter as it is, a Greek one as its letter, others in italics; behind _ stands an index."""
    letters, _, index = name.partition("_")
    written = f"\\{letters}" if letters in GREEK else letters if len(letters) == 1 else rf"\mathit{{{letters}}}"
    return f"{written}_{{{index}}}" if index else written
