"""compiled(f) is a function, or a transform of one, recorded once for each structure of its arguments, and replayed.

A call is read (`apart.py`): which structure it has, and its numbers. A structure that is new is recorded
(`recordings.py`), as a tape of the function with a leaf in the place of each number. Of a transform the function is
recorded that it was made from, and the tape's own sweeps and lists of second derivatives replay it (`replays.py`). Of
any other function, all that it computes is replayed.
"""

from __future__ import annotations

import inspect

from autograd.operands import described
from autograd.transforms.call import check_function, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from autograd.transforms.call import Function

__all__ = ["compiled"]


def compiled(function: Function, *, static: Sequence[int | str] = (), check: bool = False) -> Function:
    """The same function, recorded once for each structure of its arguments, and replayed.

    Arguments:
        function: returns a number or a structure of numbers; or what a transform has made, such as grad(f),
            value_and_grad(f), hessian(f), jacobian(f) or functools.partial(hvp, f).
        static: positions or names of arguments that are no numbers to compute with, such as a count or a flag,
            whichever way a caller gives them. They must be hashable; each is a part of the structure. Numbers are told
            apart by class and digits, also as dicts' keys and in tuples, frozensets and frozen dataclasses: 1 is not
            True, 0.0 is not -0.0. Objects of any other class are one if their own == says so.
        check: compute the function itself, too, at each call, for Values, and compare.

    The function returned takes the same arguments. All numbers in them vary from call to call: floats, integers, truths
    and the elements of arrays, wherever they stand. Their structure, which is lists, dicts, keys and their order,
    lengths, shapes, and whatever else is in it (also a defaultdict's factory), is recorded when it is met first. Of
    many structures the oldest recordings are given up. Several threads may call it at once.

    It returns what the function would return for Values, with their numbers in their places: so of integers and of
    NumPy's scalars come floats, and of arrays, whatever their type, arrays of float64. Numbers follow IEEE 754, as a
    tape's do: where the function raises, for a logarithm of -1.0, there is nan or inf, unless it raises at the first
    call. With the native engine, one number is to the bit that of the function on Values, and so is its gradient that
    of `grad`, unless the function computes the same thing twice. Other results are what they are but for rounding.

    **What is not replayed.** Where the result can be differentiated further, the function itself is called, and nothing
    is lost: for Values among the arguments; within a function that a transform evaluates or `Tape.record` records, in
    the same thread or a copy of its context; and if it computes with Values from outside, such as a model's parameters,
    unless it is called within `no_grad()`, where their data are read afresh each time. (If one of these was computed,
    it is computed again.) What other threads do does not matter.

    **What is not seen.** A recording holds what the function has computed, and not how. A comparison of what depends on
    an argument raises RecordingError, as `Tape.record` does; so does the derivative of a kink, within a function that
    calls transforms itself. But state, random numbers, the time, `.data`, and numbers from outside stay as they were in
    the recording, and side effects happen then alone; of a function that makes Values itself, twice, since it may have
    built a model. `check=True` finds such a function out: it raises RecordingError, and names the first number that
    differs. It finds out nothing of a set or a dict, for which a Value is itself and no number: `x in {3.0}` is False.

    Raises RecordingError as said; TypeError for anything but a function, for a function that returns no numbers, and
    for static arguments that cannot be hashed; ValueError for static arguments that the function does not have, or
    that a transform differentiates by; OverflowError for an integer beyond the largest float; and what the function
    raises when it is recorded.

    >>> from autograd import grad, hessian
    >>> def norm(x):
    ...     return sum(x_i**2 for x_i in x)
    >>> slope = compiled(grad(norm))
    >>> slope([1.0, 2.0]), slope([3.0, 4.0]), slope([1.0, 2.0, 3.0])    # two recordings
    ([2.0, 4.0], [6.0, 8.0], [2.0, 4.0, 6.0])
    >>> compiled(hessian(norm))([1.0, 2.0])
    [[2.0, 0.0], [0.0, 2.0]]
    >>> from functools import partial
    >>> from autograd import hvp
    >>> compiled(partial(hvp, norm))(([1.0, 2.0],), ([0.0, 1.0],))
    [0.0, 2.0]
    """
    from autograd.transforms.recordings import Recordings  # here, since tapes import NumPy

    check_function("compiled", function)
    known = Recordings(function, checked_static(static, function), bool(check))

    @named("compiled", function)
    def replayed(*arguments: Any, **keywords: Any) -> Any:
        return known(arguments, keywords)

    return replayed


ANY = inspect.Parameter  # its kinds


def checked_static(static: Sequence[int | str], function: Function) -> frozenset[int | str]:
    """Each by its position and by its name, since a caller may give it in either way.

    Raises TypeError for anything but positions and names, ValueError for those of no argument.
    """
    kinds = (list, tuple, set, frozenset)
    if not isinstance(static, kinds) or not all(type(each) in (int, str) for each in static):
        expected = "expected positions and names of arguments in a tuple"
        raise TypeError(f"compiled: static: {expected}, got {described(static)}")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of a function in C, which does not tell
        return frozenset(static)
    kinds_of = {name: parameter.kind for name, parameter in signature.parameters.items()}
    positional = [name for name, kind in kinds_of.items() if kind in (ANY.POSITIONAL_ONLY, ANY.POSITIONAL_OR_KEYWORD)]
    named = [name for name, kind in kinds_of.items() if kind in (ANY.KEYWORD_ONLY, ANY.POSITIONAL_OR_KEYWORD)]
    found: set[int | str] = set(static)
    for each in static:
        if isinstance(each, str):
            is_one = each in named or ANY.VAR_KEYWORD in kinds_of.values()
            found |= {positional.index(each)} if each in positional and each in named else set()
        else:
            is_one = -len(positional) <= each < len(positional) or ANY.VAR_POSITIONAL in kinds_of.values()
            found |= {*positional[each : each + 1]} if each >= 0 else set()
        if not is_one:
            raise ValueError(f"compiled: static: expected arguments of the function, {signature}, got {each!r}")
    return frozenset(found)
