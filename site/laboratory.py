"""What the site asks of Python: to run a program and show what it has computed."""

from __future__ import annotations

import ast
import json
import sys
import traceback

from autograd import Value, explain

FILE = "<program>"


def answer(name: str, given: str) -> str:
    """The result of one of the functions below, argument and result in JSON."""
    return json.dumps(FUNCTIONS[name](json.loads(given)), allow_nan=False)


def run(code: str) -> dict[str, str]:
    """Runs a program. `page` is the page of what it computes; `text` says what that is, and `error` what went wrong."""
    names: dict[str, object] = {"__name__": "__main__"}
    try:
        last = execute(code, names)
        label(names)
        value = last if isinstance(last, Value) else chosen(names)
        if last is not None and not isinstance(last, Value):
            print(repr(last))
        if value is None:
            return {"text": "The program has computed no Value, so there is no graph to show."}
        return {"text": repr(value), "page": explain(value).html}
    except BaseException as error:  # SystemExit and KeyboardInterrupt end the program, not the page
        return {"error": described(error)}
    finally:
        sys.stdout.flush()


def execute(code: str, names: dict[str, object]) -> object:
    """Runs the program, and gives what its last line is if that is an expression."""
    tree = ast.parse(code, FILE)
    *_, end = tree.body or [None]
    if not isinstance(end, ast.Expr):
        exec(compile(tree, FILE, "exec"), names)
        return None
    tree.body.pop()
    exec(compile(tree, FILE, "exec"), names)
    return eval(compile(ast.Expression(end.value), FILE, "eval"), names)


def label(names: dict[str, object]) -> None:
    """Values without a label get the name that the program has given them."""
    for name, value in names.items():
        if isinstance(value, Value) and not value.label and not name.startswith("_"):
            value.label = name


def chosen(names: dict[str, object]) -> Value | None:
    """The Value that was named last, if there is one that was computed."""
    values = [value for value in names.values() if isinstance(value, Value)]
    return next((value for value in reversed(values) if value.parents), values[-1] if values else None)


def described(error: BaseException) -> str:
    """The traceback from the program's own first line on."""
    frames = traceback.TracebackException.from_exception(error)
    own = [i for i, frame in enumerate(frames.stack) if frame.filename == FILE]
    del frames.stack[: own[0] if own else len(frames.stack)]
    return "".join(frames.format()).strip()


FUNCTIONS = {"run": run}
