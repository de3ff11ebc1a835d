"""A page to look around in a picture: zoom, pan, search, numbers in full, and what is folded opens.

The page is one file, which needs no network. In the reader's dark theme it is dark; both sets of colours are in it, as
variables of its style sheet. Without its script, it shows the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from importlib.resources import files
from typing import TypeAlias

from autograd import pages
from autograd.drawing import svg
from autograd.drawing.pen import Group, Image, Picture, Piece, Shape, Text
from autograd.drawing.themes import THEMES, Theme

Paint: TypeAlias = Callable[[Theme], Picture]
Colours: TypeAlias = tuple[str, str]  # in the light theme, and in the dark one
INTERFACE = ("background", "computed", "ink", "muted", "line", "operation")  # what buttons and cards are made of


@dataclass(frozen=True)
class Level:
    """A picture, and the pictures of what is folded in it.

    Arguments:
        paint: makes the picture in the colours of a theme.
        title: what it shows, such as "layers[0]": it stands on the way back.
        inside: by the name of its group, what a folded box has inside; a click on it opens that.
    """

    paint: Paint
    title: str = ""
    inside: Mapping[str, Level] = field(default_factory=dict)


def page(top: Level, theme: str = "light") -> str:
    """The text of the page. With the light theme its colours follow the reader's setting; the dark one is always dark.

    Raises what painting raises.
    """
    palette = Palette(theme)
    entries = within(top)
    drawn = [svg.element(palette.coloured(entry.level.paint), named=True) for entry in entries]
    names = "".join(
        f'<li data-parent="{entry.parent}" data-box="{escape(entry.box)}">{escape(entry.level.title)}</li>'
        for entry in entries
    )
    hidden = "".join(f"<template>{element}</template>\n" for element in drawn[1:])
    body = f"""\
<div id="tools" role="toolbar" aria-label="Picture" hidden>
<nav aria-label="Opened"><ol id="way"></ol></nav>
<input id="search" type="search" placeholder="search" aria-label="Search for a label" autocomplete="off">
<output id="found" for="search"></output>
<button type="button" data-do="out" aria-label="Zoom out" title="Zoom out">−</button>
<button type="button" data-do="in" aria-label="Zoom in" title="Zoom in">+</button>
<button type="button" data-do="fit" aria-label="Show all" title="Show all">⤢</button>
</div>
<main id="stage" aria-label="{escape(top.title)}" aria-describedby="about">{drawn[0]}</main>
<p id="about">{escape(palette.top.description)}</p>
<div id="card" role="status" hidden></div>
<ol id="levels" hidden>{names}</ol>
{hidden}"""
    return pages.page(top.title, palette.style + resource("viewer.css"), body, resource("viewer.js"), images=True)


@dataclass(frozen=True)
class Entry:
    """A level, the number of the one that it opens from, and the name of its box there."""

    level: Level
    parent: int = -1
    box: str = ""


def within(top: Level) -> list[Entry]:
    """A level and all that are within it, parents before their children: their numbers are their places."""
    entries = [Entry(top)]
    for number, entry in enumerate(entries):  # which grows meanwhile
        entries += [Entry(level, number, box) for box, level in entry.level.inside.items()]
    return entries


class Palette:
    """The colours of pictures as variables of a style sheet, so that they can follow the reader's setting."""

    def __init__(self, theme: str) -> None:
        self.themes = THEMES[theme], THEMES["dark"]
        self.names: dict[Colours, str] = {}
        self.top: Picture
        for role in INTERFACE:
            self.names[getattr(self.themes[0], role), getattr(self.themes[1], role)] = role

    @property
    def style(self) -> str:
        light, dark = ("".join(f"--{name}:{colours[i]};" for colours, name in self.names.items()) for i in (0, 1))
        return f"\n:root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"

    def coloured(self, paint: Paint) -> Picture:
        """The picture with variables for its colours."""
        light, dark = map(paint, self.themes)
        background = self.variable(light.background, dark.background)
        pieces = tuple(map(self.piece, light.pieces, dark.pieces))
        picture = replace(light, background=background, pieces=pieces)
        self.top = getattr(self, "top", picture)
        return picture

    def piece(self, light: Piece, dark: Piece) -> Piece:
        match light, dark:
            case Group(), Group():
                return replace(light, pieces=tuple(map(self.piece, light.pieces, dark.pieces)))
            case Shape(), Shape():
                return replace(
                    light, line=self.variable(light.line, dark.line), fill=self.variable(light.fill, dark.fill)
                )
            case Text(), Text():
                return replace(light, colour=self.variable(light.colour, dark.colour))
            case Image(), Image() if light != dark:
                return Group((Group((light,), name="light"), Group((dark,), name="dark")))
        return light

    def variable(self, light: str, dark: str) -> str:
        return f"var(--{self.names.setdefault((light, dark), f'c{len(self.names)}')})" if light else ""


def resource(name: str) -> str:
    return files("autograd.drawing").joinpath(name).read_text(encoding="utf-8")
