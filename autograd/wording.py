"""Words of messages and displays that need care are written here: a count with its noun, a text as it can be shown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


BEYOND_FLOATS = "a number beyond the largest float, 1.8e308"  # an int or a fraction that no float stands for


def counted(count: int, noun: str) -> str:
    """The count with its noun, in the plural unless it is 1; `noun` is the singular, whose plural ends in s, es or ves.

    >>> counted(1, "batch"), counted(2, "batch"), counted(1000, "node"), counted(3, "leaf")
    ('1 batch', '2 batches', '1,000 nodes', '3 leaves')
    """
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("f"):
        return f"{count:,} {noun[:-1]}ves"
    return f"{count:,} {noun}{'es' if noun.endswith(('tch', 'sh', 's', 'x')) else 's'}"


def located(error: TypeError | OverflowError, what: str, place: str = "") -> TypeError | OverflowError:
    """The error of something that was to be read as a number, which now says what it is, and where it stands in it.

    >>> located(TypeError("expected a real number, got None"), "grad: the argument", "[1]")
    TypeError('grad: the argument: expected a real number, got None at [1]')
    """
    kind = TypeError if isinstance(error, TypeError) else OverflowError
    return kind((f"{what}: " if what else "") + str(error) + (f" at {place}" if place else ""))


def misfit(function: Callable[..., object], count: int) -> str:
    """Why a function cannot be called with so many arguments, as an expectation; "" if it can, or does not tell.

    >>> misfit(lambda x: x, 2), misfit(lambda x: x, 1)
    ('expected one for each argument of the function, (x), got 2', '')
    """
    import inspect  # here, since the engine's import imports this file

    try:
        signature = inspect.signature(function, follow_wrapped=False)  # a decorator may give further arguments
    except (TypeError, ValueError):  # of a function in C
        return ""
    keywords = [name for name, each in signature.parameters.items() if each.kind is each.KEYWORD_ONLY]
    try:
        signature.bind(*range(count), **dict.fromkeys(keywords))
    except TypeError:
        return f"expected one for each argument of the function, {signature}, got {count}"
    return ""


def shown(text: object, limit: int) -> str:
    r"""The text, what can't be printed as Python's escapes (`\n`, `\x00`, `\ud800`), cut to `limit` characters."""
    text = "" if text is None else str(text)
    text = printable(text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shown_end(way: str, limit: int) -> str:
    """The way to something, such as to a parameter, as `shown` shows a text, but cut in front: its end says most.

    >>> shown_end("layers[0].neurons[12].w[15]", 27), shown_end("layers[0].neurons[12].w[15]", 18)
    ('layers[0].neurons[12].w[15]', '…neurons[12].w[15]')
    """
    way = printable(way[-limit - 1 :])
    return way if len(way) <= limit else "…" + way[1 - limit :]


def indexed(names: str) -> str:
    """The way to something as people read it, whose name has the numbers of elements after dots: as Python spells it.

    Names are what state_dict() and named_parameters() have for keys. They keep their dots, as PyTorch has them, so that
    files can be read by either.

    >>> indexed("layers.0.neurons.3.weights.1"), indexed("0.weights.1, 0.bias")
    ('layers[0].neurons[3].weights[1]', '0.weights[1], 0.bias')
    """
    import re  # here, since the engine's import imports this file

    return re.sub(r"\.(\d+)(?=[.,]|$)", r"[\1]", names)


def printable(text: str) -> str:
    return "".join([c if c.isprintable() else repr(c)[1:-1] for c in text])


def columns(text: str) -> int:
    """How many characters wide the text is where all are of one width, or of two; accents take none of their own."""
    if text.isascii():
        return len(text)
    import unicodedata  # here, since the engine's import imports this file

    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
