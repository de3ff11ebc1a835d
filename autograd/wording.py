"""Words of messages that need care are written here: a count with its noun."""

from __future__ import annotations


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
