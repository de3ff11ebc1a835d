"""What the site asks of Python: to run a program and show what it has computed."""

from __future__ import annotations

import ast
import builtins
import json
import sys
import traceback

from autograd import Explanation, Value, explain
from autograd.functions import forget_definitions
from autograd.graph import topological_order

FILE = "<program>"
LONGEST = 20_000  # characters of a result or an error: more would keep the page busy, and nobody reads it
BUILTINS = vars(builtins)
KEPT = BUILTINS.copy()


def answer(name: str, given: str) -> str:
    """The result of one of the functions below, argument and result in JSON."""
    return json.dumps(FUNCTIONS[name](json.loads(given)), allow_nan=False)


def run(code: str) -> dict[str, str]:
    """Runs a program. `page` is the page of what it computes; `text` says what that is, and `error` what went wrong."""
    names: dict[str, object] = {"__name__": "__main__"}
    streams = sys.stdout, sys.stderr
    try:
        last = execute(code, names)
        label(names)
        if isinstance(last, Explanation):  # a program may ask for more than the page does: explain(y, max_nodes=2_000)
            return {"text": "The explanation is shown.", "page": last.html}
        value = last if isinstance(last, Value) else chosen(names)
        if last is not None and not isinstance(last, Value):
            print(repr(last))
        if value is None:
            return {"text": "The program ends with no Value and has given none a name, so there is no graph to show."}
        try:
            return {"text": shortened(repr(value)), "page": explain(value).html}
        except ValueError as error:  # the program itself is in order
            return {"text": shortened(f"{value!r}. Its graph is not shown. {error}")}
    except BaseException as error:  # SystemExit and KeyboardInterrupt end the program, not the page
        return {"error": shortened(described(error))}
    finally:
        forget_definitions()  # which raises an error if the program has spoilt the table: then Python starts anew
        sys.stdout, sys.stderr = streams
        sys.stdout.flush()  # and so does this if the program has closed it


def execute(code: str, names: dict[str, object]) -> object:
    """Runs the program, and gives what its last line is if that is an expression."""
    tree = ast.parse(code, FILE)
    *_, end = tree.body or [None]
    if not isinstance(end, ast.Expr):
        end = None
    else:
        tree.body.pop()
    try:
        exec(compile(tree, FILE, "exec", dont_inherit=True), names)
        return end and eval(compile(ast.Expression(end.value), FILE, "eval", dont_inherit=True), names)
    finally:
        put_builtins_back()


def put_builtins_back() -> None:
    """Whatever the program has made of them: the functions here, and the next program, find Python's own."""
    BUILTINS.update(KEPT)  # first, as nothing below can be called without
    for name in BUILTINS.keys() - KEPT.keys():
        del BUILTINS[name]


def label(names: dict[str, object]) -> None:
    """Values without a label get the name that the program has given them."""
    for name, value in names.items():
        if isinstance(value, Value) and not value.label and not name.startswith("_"):
            value.label = name


def chosen(names: dict[str, object]) -> Value | None:
    """Of the Values with a name, the one that was computed last; a leaf only if none was computed."""
    named = {value for value in names.values() if isinstance(value, Value)}
    if not named:
        return None
    in_order = [value for value in topological_order(*named) if value in named]
    return next((value for value in reversed(in_order) if value.parents), in_order[-1])


def described(error: BaseException) -> str:
    """The traceback from the program's own first line on."""
    frames = traceback.TracebackException.from_exception(error)
    own = [i for i, frame in enumerate(frames.stack) if frame.filename == FILE]
    del frames.stack[: own[0] if own else len(frames.stack)]
    return "".join(frames.format()).strip()


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… and more, which is not shown."


FUNCTIONS = {"run": run}
