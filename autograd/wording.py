"""Words of messages that need care are written here: a count with its noun."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """The count with its noun, in the plural unless it is 1; `noun` is the singular, whose plural ends in s or es.

    >>> counted(1, "batch"), counted(2, "batch"), counted(1000, "node")
    ('1 batch', '2 batches', '1,000 nodes')
    """
    plural = "es" if noun.endswith(("tch", "sh", "s", "x")) else "s"
    return f"{count:,} {noun}{'' if count == 1 else plural}"
