"""check() says whether the answer to an exercise is right, and if not what is wrong, without giving the answer away.

The truth that it compares with is best the result of an experiment: then nobody has written the answer down.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence, Set

from autograd import Value
from autograd.packages import numpy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["check"]

NOT_YET = "Not yet: put your answer in the place of the ... above, run that cell, and then this one again."


def check(
    answer: Any,  # Any: an exercise may ask for anything, and anything may be answered
    truth: Any,
    *,
    at: Sequence[Any] | None = None,
    relative: float = 1e-6,
    within: float = 1e-9,
    hint: str = "",
) -> None:
    """Prints that the answer is right, or the first thing that is wrong with it, or that there is none yet.

    Arguments:
        answer: a number, a text, a truth value, a set, or a (nested) sequence of such; or a function.
        truth: what it must be; of a function, another function that gives the same. A dictionary stands for a sequence
            of its values: what is wrong is then told by their names. A class stands for any of its objects.
        at: where functions are compared: their operand, or a tuple of operands.
        relative, within: numbers may differ by this much of their size, or by this much.
        hint: printed behind what is wrong.

    >>> check(..., 6.0)
    Not yet: put your answer in the place of the ... above, run that cell, and then this one again.
    >>> check(6, 2.0 * 3.0)
    Right.
    >>> check([-6.0, 5.0], [6.0, 5.0], hint="In which direction does it go?")
    Not right: number 1 of 2 has the wrong sign. In which direction does it go?
    >>> check([6.0, 4.0], {"dz_dx": 6.0, "dz_dy": 5.0})
    Not right: dz_dy is too small.
    >>> check(lambda x: 3 * x, lambda x: x**2, at=[0.0, 3.0, 2.0])
    Not right: for 2.0 the answer is too large.
    """
    if at is None:
        fault = fault_unless_open(answer, truth, relative, within)
    elif not callable(answer):
        fault = NOT_YET if is_open(answer) else f"the answer should be a function, not {described(answer)}"
    else:
        faults = (fault_at(place, answer, truth, relative, within) for place in at)
        fault = next(filter(None, faults), "")
    print("Right." if not fault else fault if fault == NOT_YET else f"Not right: {fault}. {hint}".rstrip())


def is_open(answer: object) -> bool:
    """Whether an answer is missing: it is `...`, or one of several is, or a function that is not written gave None."""
    return answer is None or answer is ... or (isinstance(answer, (list, tuple, Set)) and any(map(is_open, answer)))


# ---- What is wrong, as a sentence without its full stop; "" if nothing is.


def fault_unless_open(answer: Any, truth: Any, relative: float, within: float) -> str:
    """An answer is anything, and may raise anything: a list that holds itself, or a length that is an error."""
    fault_of(truth, truth, relative, within)  # what this raises is no fault of the answer
    try:
        return NOT_YET if is_open(answer) else fault_of(answer, truth, relative, within)
    except Exception as error:
        return f"the answer cannot be read: it raises {type(error).__name__}: {error}"


def fault_at(place: Any, answer: Any, truth: Any, relative: float, within: float) -> str:
    """Of a function, at one place."""
    operands = place if isinstance(place, tuple) else (place,)
    where = f"for {', '.join(map(described, operands))}"
    its_truth = truth(*operands)  # now: the answer may change an operand that is a list
    try:
        result = answer(*operands)
    except Exception as error:
        return f"{where} it raises {type(error).__name__}: {error}"
    fault = fault_unless_open(result, its_truth, relative, within)
    return f"{where} {fault}" if fault and fault != NOT_YET else fault


def fault_of(answer: Any, truth: Any, relative: float, within: float, name: str = "the answer") -> str:
    match truth:
        case dict() | list() | tuple() | numpy.ndarray() if getattr(truth, "shape", None) != ():
            return fault_of_several(answer, truth, relative, within, name)
        case set() | frozenset():
            return fault_of_set(answer, truth, name)
        case type():
            return "" if isinstance(answer, truth) else f"{name} should be a {truth.__name__}, not {described(answer)}"
        case str() if not isinstance(answer, str):
            return f"{name} should be a text, not {described(answer)}"
        case bool() | numpy.bool_() if not isinstance(answer, (bool, numpy.bool_)):
            return f"{name} should be True or False, not {described(answer)}"
        case str() | bool() | numpy.bool_():
            return "" if answer == truth else f"{name} is a different one"
    return fault_of_number(answer, Value(truth).data, relative, within, name)


def fault_of_several(answer: Any, truth: Any, relative: float, within: float, name: str) -> str:
    is_several = hasattr(answer, "__len__") and hasattr(answer, "__getitem__") and getattr(answer, "shape", None) != ()
    if not is_several or isinstance(answer, (str, bytes, Mapping)):
        return f"{name} should be {len(truth)} of them in a list or tuple, not {described(answer)}"
    if len(answer) != len(truth):
        return f"{name} should have length {len(truth)}, not {len(answer)}"
    named = truth if isinstance(truth, dict) else {f"number {i} of {len(truth)}": x for i, x in enumerate(truth, 1)}
    for element, (its_name, its_truth) in zip(answer, named.items(), strict=True):
        whole_name = its_name if name == "the answer" else f"{its_name} in {name}"
        if fault := fault_of(element, its_truth, relative, within, whole_name):
            return fault
    return ""


def fault_of_set(answer: Any, truth: Set[Any], name: str) -> str:
    if not isinstance(answer, Set):
        return f"{name} should be a set, not {described(answer)}"
    wrong, missing = len(answer - truth), len(truth - answer)
    parts = [f"{wrong} too many" if wrong else "", f"{missing} missing" if missing else ""]
    return f"of {name}'s elements, {' and '.join(filter(None, parts))}" if wrong or missing else ""


def fault_of_number(answer: Any, truth: float, relative: float, within: float, name: str) -> str:
    """A number is what Value takes for one, but no truth value."""
    try:
        number = Value(answer).data
    except OverflowError:  # of a whole number
        number = math.inf if answer > 0 else -math.inf
    except Exception:
        number = None
    if number is None or isinstance(answer, (bool, numpy.bool_)):
        return f"{name} should be a number, not {described(answer)}"
    if number == truth or math.isclose(number, truth, rel_tol=relative, abs_tol=within):
        return ""
    if math.isnan(truth):
        return "" if math.isnan(number) else f"{name} is a different one"
    if math.isnan(number):
        return f"{name} is not a number"
    if math.isclose(number, -truth, rel_tol=relative, abs_tol=within):
        return f"{name} has the wrong sign"
    return f"{name} is too {'large' if number > truth else 'small'}"


def described(operand: object) -> str:
    """An array by its shape, all else as Python shows it, shortened."""
    shape = getattr(operand, "shape", ())
    return f"an array of shape {shape}" if isinstance(shape, tuple) and shape else reprlib.repr(operand)
