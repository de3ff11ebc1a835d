"""ONNX's operators and the table's rows: a row that ONNX has is one operator; of any other, a function is written.

A function is the row's rule, run on names. Arithmetic on names writes a node, and returns the name of its result. A
sequence of operands is a tensor with one axis more. It has one element for Python, and so a comprehension over the
sequence writes what is done with all elements, and `m.sum` the sum over that axis.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from numpy.lib.mixins import NDArrayOperatorsMixin
from onnx import helper, numpy_helper

from autograd.operation import LARGEST_FLOAT, Mathematics, gaussian
from autograd.operations import LN2, LN10, OPERATIONS
from autograd.packages import numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from numpy.typing import ArrayLike
    from onnx import FunctionProto, NodeProto, OperatorSetIdProto

    Rule = Callable[..., Any]  # Any: a rule is polymorphic

DOMAIN = "scalar_autograd"  # of the functions
INT64 = helper.np_dtype_to_tensor_dtype(numpy.dtype("int64"))
OPSET = 18  # the first in which all reductions take their axes as an input

# The rows that are an operator. Not Sigmoid, Softplus, Elu and Mish, whose tails are lost in
# ONNX Runtime (findings/onnxruntime_sigmoid.sh), nor Max and Min, which need not let a nan through.
OPERATORS = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "power": "Pow", "negative": "Neg",
    "abs": "Abs", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "sin": "Sin", "cos": "Cos", "tanh": "Tanh",
    "relu": "Relu",
}  # fmt: skip

# What Python's operators are on names, by the NumPy functions that they call.
INFIX = {
    numpy.add: "Add", numpy.subtract: "Sub", numpy.multiply: "Mul", numpy.true_divide: "Div",
    numpy.negative: "Neg", numpy.absolute: "Abs", numpy.bitwise_or: "Or", numpy.bitwise_and: "And",
    numpy.less: "Less", numpy.less_equal: "LessOrEqual",
    numpy.greater: "Greater", numpy.greater_equal: "GreaterOrEqual",
}  # fmt: skip


class Functions:
    """The functions that a model needs, each written when it is first asked for."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.written: dict[str, FunctionProto] = {}

    def node(self, name: str, inputs: Sequence[str], output: str) -> NodeProto:
        """The node of a row: an operator of ONNX, or a call of the function that is written for the row.

        Raises TypeError, naming the row, if its rule cannot be written in ONNX.
        """
        if name in OPERATORS:
            return helper.make_node(OPERATORS[name], inputs, [output])
        if name not in self.written:
            self.written[name] = self.function(name)
        return helper.make_node(self.written[name].name, inputs, [output], domain=DOMAIN)

    def function(self, name: str) -> FunctionProto:
        row = OPERATIONS[name]
        body = Body(self)
        operands = [
            (Elements if place < row.sequences else Name)(body, operand) for place, operand in enumerate(row.operands)
        ]
        try:
            result = body.result(LACKING.get(name, row.compute)(body, *operands), row.operands)
        except Exception as error:
            raise TypeError(f"the operation {name!r} cannot be written in ONNX: {error}") from error
        text = f"{row.signature} = {row.formula}"
        called = f"{name}_" if name[0].isupper() else name  # as no operator of ONNX is, which some programs confuse
        return helper.make_function(DOMAIN, called, row.operands, [result], body.nodes, imports(), doc_string=text)


def imports() -> list[OperatorSetIdProto]:
    return [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]


class Body(Mathematics):
    """The mathematics of one function's body: each function that a rule calls writes a node."""

    def __init__(self, functions: Functions) -> None:
        super().__init__(where=self.where, sum=self.sum, largest=self.largest, element=self.element)
        self.functions = functions
        self.nodes: list[NodeProto] = []
        self.names: dict[tuple[object, ...], str] = {}  # of what has been written: nothing is written twice

    def __getattr__(self, name: str) -> Rule:
        if name not in OPERATIONS:
            raise AttributeError(f"no function {name!r} here, and no operation {name!r} in the table")
        return partial(self.applied, partial(self.write_row, name))

    def applied(self, write: Callable[..., str], *operands: Any) -> Name:
        """The result of what `write` writes with the operands' names; an element, if one of the operands is one."""
        is_element = any(isinstance(operand, Name) and operand.is_element for operand in operands)
        return Name(self, write(*(self.name(operand).text_beside(is_element) for operand in operands)), is_element)

    def write_row(self, name: str, *inputs: str) -> str:
        """The name of the result of a row's node."""
        return self.written(("row", name, *inputs), lambda output: self.functions.node(name, inputs, output))

    def write(self, operator: str, *inputs: str, **attributes: object) -> str:
        """The name of the result of an operator's node."""
        key = operator, *inputs, *attributes.items()
        return self.written(key, lambda output: helper.make_node(operator, inputs, [output], **attributes))

    def constant(self, numbers: ArrayLike, dtype: str = "") -> str:
        array = rounded(numbers, self.functions.dtype) if not dtype else numpy.asarray(numbers, dtype)
        key = "Constant", array.dtype, array.shape, array.tobytes()
        value = numpy_helper.from_array(array)
        return self.written(key, lambda output: helper.make_node("Constant", [], [output], value=value))

    def written(self, key: tuple[object, ...], node: Callable[[str], NodeProto]) -> str:
        """The result's name, which is a number, since no operand has such a name."""
        if key not in self.names:
            output = str(len(self.names))
            self.nodes.append(node(output))
            self.names[key] = output
        return self.names[key]

    def name(self, operand: Any) -> Name:
        """The operand's name. A number becomes a constant."""
        return operand if isinstance(operand, Name) else Name(self, self.constant(float(operand)))

    def result(self, result: Any, operands: Sequence[str]) -> str:
        """The name of what the rule has returned: no operand's, and for a number one of the operands' shape."""
        if not isinstance(result, Name):
            return self.write("Expand", self.constant(float(result)), self.write("Shape", operands[-1]))
        if result.is_element:
            raise TypeError("it returns an element of a sequence")
        return self.write("Identity", result.text) if result.text in operands else result.text

    def where(self, condition: Any, x: Any, y: Any) -> Name:
        return self.applied(partial(self.write, "Where"), condition, x, y)

    def sum(self, terms: Iterable[Any], start: Any = 0.0) -> Name:
        total = Name(self, self.write("ReduceSum", self.term(terms), self.last_axis, keepdims=0))
        return start + total if isinstance(start, Name) or start else total

    def largest(self, terms: Iterable[Any]) -> Name:
        return Name(self, self.write("ReduceMax", self.term(terms), self.last_axis, keepdims=0))

    def element(self, sequence: Elements, index: Name) -> Name:
        place = self.write("Cast", self.write("Unsqueeze", index.text, self.last_axis), to=INT64)
        of_all = self.write("Expand", sequence.text, self.write("Shape", place))
        chosen = self.write("GatherElements", of_all, place, axis=2)  # of (batch, members, length)
        return Name(self, self.write("Squeeze", chosen, self.last_axis))

    def term(self, terms: Iterable[Any]) -> str:
        """The tensor of all terms, of which a comprehension over a sequence has written the one element."""
        listed = list(terms)
        if len(listed) != 1 or not isinstance(listed[0], Name) or not listed[0].is_element:
            raise TypeError("it adds up, or compares, something else than one term for each element of a sequence")
        return listed[0].text

    @property
    def last_axis(self) -> str:
        return self.constant([-1], "int64")

    def in_single_precision(self, operator: str, x: Name) -> Name:
        """The result of an operator that ONNX Runtime has in single precision alone."""
        single, own = (helper.np_dtype_to_tensor_dtype(numpy.dtype(name)) for name in ("float32", self.functions.dtype))
        return Name(self, self.write("Cast", self.write(operator, self.write("Cast", x.text, to=single)), to=own))

    def weighted(self, term: Callable[[Name], Name], of: Name, weights: list[float]) -> Name:
        """Σ_k weight_k term_k, the terms being computed from the operand along one more axis."""
        along = Name(self, self.write("Unsqueeze", of.text, self.last_axis))
        return Name(self, self.write("MatMul", term(along).text, self.constant(weights)))


def rounded(numbers: ArrayLike, dtype: str) -> Any:  # Any: an array
    """The numbers in this type; those beyond its range are the largest or the smallest there, and neither inf nor 0."""
    exact = numpy.asarray(numbers, numpy.float64)
    with numpy.errstate(over="ignore", under="ignore"):
        array = exact.astype(dtype)
    limits = numpy.finfo(dtype)
    array = numpy.where(numpy.isinf(array) & numpy.isfinite(exact), numpy.copysign(limits.max, exact), array)
    tiny = numpy.copysign(limits.smallest_subnormal, exact)
    return numpy.where((array == 0) & (exact != 0), tiny, array).astype(dtype)


class Name(NDArrayOperatorsMixin):
    """The name of a tensor. `is_element` if it stands for the elements of a sequence, along a last axis."""

    def __init__(self, body: Body, text: str, is_element: bool = False) -> None:
        self.body, self.text, self.is_element = body, text, is_element

    def text_beside(self, is_element: bool) -> str:
        """Its name among elements: a scalar gets an axis to go along with them."""
        if self.is_element or not is_element:
            return self.text
        return self.body.write("Unsqueeze", self.text, self.body.last_axis)

    def __array_ufunc__(self, function: numpy.ufunc, method: str, *operands: Any, **options: Any) -> Name:
        if method != "__call__" or options or function not in INFIX:
            raise TypeError(f"it calls numpy.{function.__name__}: use the functions of m, such as m.exp")
        return self.body.applied(partial(self.body.write, INFIX[function]), *operands)

    def __bool__(self) -> bool:
        raise TypeError("it asks in Python whether something is true, which depends on the example: use m.where")

    def __float__(self) -> float:
        raise TypeError("it asks in Python for the number of an operand, which depends on the example")


class Elements:
    """A sequence of operands: iterating over it gives one element, that stands for all."""

    def __init__(self, body: Body, text: str) -> None:
        self.body, self.text = body, text

    def __iter__(self) -> Iterator[Name]:
        return iter([Name(self.body, self.text, is_element=True)])


# ---- What ONNX lacks, from what it has, to some units in the last place


def expm1(m: Body, x: Any) -> Any:
    """(u - 1) x / log(u) with u = exp(x): the errors of u are in both (W. Kahan, see N. J. Higham, 1.14.1)."""
    u = m.exp(x)
    logarithm = m.log(u)
    near_0 = m.where((u < 1) | (u > 1), (u - 1.0) * (x / logarithm), x)
    return m.where(x > 40, u, m.where(x < -40, -1.0, near_0))


def log1p(m: Body, x: Any) -> Any:
    """x log(u) / (u - 1) with u = 1 + x: the errors of u are in both."""
    u = 1.0 + x
    near_0 = m.where((u < 1) | (u > 1), m.log(u) * (x / (u - 1.0)), x)
    return m.where(x > 1, m.log(u), near_0)


def sinh(m: Body, x: Any) -> Any:
    e, root = m.expm1(abs(x)), m.exp(0.5 * abs(x))
    return with_sign_of(m, x, m.where(abs(x) > 20, 0.5 * root * root, 0.5 * (e + e / (e + 1.0))))


def cosh(m: Body, x: Any) -> Any:
    """From the root of exp(x), which does not overflow before the result does."""
    root = m.exp(0.5 * abs(x))
    return 0.5 * root * root + 0.5 / root / root


def asinh(m: Body, x: Any) -> Any:
    size = abs(x)
    near_0 = m.log1p(size + size * size / (1.0 + m.sqrt(1.0 + size * size)))
    return with_sign_of(m, x, m.where(size > 1e8, m.log(size) + LN2, near_0))


def acosh(m: Body, x: Any) -> Any:
    root = m.sqrt(x - 1.0)
    return m.where(x > 1e8, m.log(x) + LN2, m.log1p(root * (root + m.sqrt(x + 1.0))))


def atanh(m: Body, x: Any) -> Any:
    return with_sign_of(m, x, 0.5 * m.log1p(2.0 * abs(x) / (1.0 - abs(x))))


def atan(m: Body, x: Any) -> Any:
    """The single precision's angle θ, and the angle from there to x, whose tangent is small."""
    x = m.where(abs(x) > 1e100, with_sign_of(m, x, 1e100), x)
    angle = m.in_single_precision("Atan", x)
    sine, cosine = m.sin(angle), m.cos(angle)
    rest = (x * cosine - sine) / (cosine + x * sine)
    return angle + (rest - rest * rest * rest / 3.0)


def atan2(m: Body, y: Any, x: Any) -> Any:
    """From the angle in the first octant. A zero's sign is that of its reciprocal."""
    short, long = m.minimum(abs(x), abs(y)), m.maximum(abs(x), abs(y))
    angle = m.atan(m.where(short >= long, m.where(long > 0, 1.0, 0.0), short / long))
    angle = m.where(abs(y) > abs(x), math.pi / 2 - angle, angle)
    angle = m.where((x < 0) | (1.0 / x < 0), math.pi - angle, angle)
    return m.where((y < 0) | (1.0 / y < 0), -angle, angle)


def hypot(m: Body, x: Any, y: Any) -> Any:
    short, long = m.minimum(abs(x), abs(y)), m.maximum(abs(x), abs(y))
    ratio = short / m.where(long > 0, long, 1.0)
    is_infinite = (abs(x) > LARGEST_FLOAT) | (abs(y) > LARGEST_FLOAT)
    return m.where(is_infinite, math.inf, long * m.sqrt(1.0 + ratio * ratio))


STEP = 0.5  # of the quadrature: its error is exp(-π² / STEP²)
NODES = [(k + 0.5) * STEP for k in range(13)]


def erfc(m: Body, x: Any) -> Any:
    """2ha/π exp(-a²) Σ_k exp(-t_k²) / (a² + t_k²) + 2 / (1 + exp(2πa/h)), a = |x|, t_k = (k + ½) h.

    The trapezoidal rule, with what a pole adds to it where a < π/h. (D. B. Hunter and T. Regan, "A note on the
    evaluation of the complementary error function", Mathematics of Computation 26, 1972.)
    """
    size = m.minimum(abs(x), 40.0)
    squares = m.constant([t * t for t in NODES])
    series = m.weighted(
        lambda square: 1.0 / (square + Name(m, squares)), size * size, [math.exp(-t * t) for t in NODES]
    )
    pole = m.where(size < math.pi / STEP, 2.0 / (1.0 + m.exp(2 * math.pi / STEP * size)), 0.0)
    result = 2 * STEP / math.pi * size * gaussian(m, size, -1.0) * series + pole
    return m.where(x < 0, 2.0 - result, result)


TERMS = 22  # of the series, for the last digit at 1
ODD_FACTORIALS = [math.prod(range(1, 2 * n + 2, 2)) for n in range(TERMS)]


def erf(m: Body, x: Any) -> Any:
    """2a/√π exp(-a²) Σ_n (2a²)^n / (2n + 1)!! up to a = |x| = 1 (Abramowitz and Stegun, 7.1.6); then 1 - erfc(a)."""
    size = m.minimum(abs(x), 1.0)
    powers = m.constant(range(TERMS))
    series = m.weighted(
        lambda z: m.power(z, Name(m, powers)), 2.0 * size * size, [1 / product for product in ODD_FACTORIALS]
    )
    near_0 = 2 / math.sqrt(math.pi) * size * m.exp(-size * size) * series
    return with_sign_of(m, x, m.where(abs(x) < 1, near_0, 1.0 - m.erfc(abs(x))))


def with_sign_of(m: Body, x: Any, size: Any) -> Any:
    return m.where(x < 0, -size, size)


LACKING: dict[str, Rule] = {
    "expm1": expm1, "exp2": lambda m, x: m.power(2.0, x), "log1p": log1p,
    "log2": lambda m, x: m.log(x) / LN2, "log10": lambda m, x: m.log(x) / LN10,
    "cbrt": lambda m, x: with_sign_of(m, x, m.power(abs(x), 1 / 3)),
    "tan": lambda m, x: m.sin(x) / m.cos(x),
    "asin": lambda m, x: m.atan2(x, m.semicircle(x)), "acos": lambda m, x: m.atan2(m.semicircle(x), x),
    "atan": atan, "atan2": atan2, "sinh": sinh, "cosh": cosh, "asinh": asinh, "acosh": acosh, "atanh": atanh,
    "hypot": hypot, "erf": erf, "erfc": erfc,
}  # fmt: skip
