"""Tables as text and as HTML: both have the same cells, no cell becomes markup, and no display breaks a cell."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from IPython.core.formatters import DisplayFormatter

from autograd.displays import Table, definer, ends, in_notebooks

HOSTILE = [
    "<script>alert(1)</script>", "&amp;", "\"'>", "{0} {} %s", "]]>", "a\nb", "\x00\x1b[31m", "\ud800", "\u202eabc",
]  # fmt: skip


def cells(html):
    """The texts of each row, of the head first."""
    return [["".join(cell.itertext()) for cell in row] for row in ElementTree.fromstring(html).iter("tr")]


def made(**options):
    return Table(
        "sizes",
        ["name", "size", "remark"],
        [["a", "9", ""], ["bcd", "10", "large"], ["… and 2 more"]],
        numbers=["size"],
        foot=[["in all", "1,000", ""], ["a note"]],
        **options,
    )


def test_words_stand_at_the_left_and_numbers_at_the_right():
    assert made().text.splitlines() == [
        "name     size  remark",
        "a           9",
        "bcd        10  large",
        "… and 2 more",
        "─────────────────────",
        "in all  1,000",
        "a note",
    ]


def test_html_has_the_same_cells():
    table = made()
    rows = cells(table.html)
    assert rows == [table.head, *table.rows, *table.foot]
    root = ElementTree.fromstring(table.html)
    assert root.find("caption").text == "sizes"
    assert [cell.attrib["scope"] for cell in root.iter("th")] == ["col"] * 3 + ["row"] * 3
    assert [cell.attrib["colspan"] for cell in root.iter("td") if "colspan" in cell.attrib] == ["3", "3"]
    aligned = [cell.attrib["style"] for cell in root.find("tbody")[0]]
    assert aligned == ["text-align: left", "text-align: right", "text-align: left"]


def test_a_table_takes_the_looks_of_its_page():
    elements = [*ElementTree.fromstring(made().html).iter()]
    assert {element.tag for element in elements} == {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
    assert {name for element in elements for name in element.attrib} == {"scope", "style", "colspan"}
    styles = {element.attrib["style"] for element in elements if "style" in element.attrib}
    assert styles == {"text-align: left", "text-align: right"}


def test_a_column_can_be_left_out():
    table = made(left_out=["size"])
    assert table.head == ["name", "remark"]
    assert table.text.splitlines()[2] == "bcd     large"
    assert cells(table.html)[2] == ["bcd", "large"]


def test_letters_of_two_columns_and_accents_are_aligned():
    lines = Table("", ["name", "n"], [["東京", "1"], ["e\u0301e\u0301", "2"], ["abcd", "3"]]).text.splitlines()
    assert lines == ["name  n", "東京  1", "e\u0301e\u0301    2", "abcd  3"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_becomes_markup_or_another_line(text):
    table = Table(text, [text, "b"], [[text, (text, "<strong>{}</strong>")], [text]], foot=[[text, text]])
    root = ElementTree.fromstring(table.html)
    assert {element.tag for element in root.iter()} <= {
        "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "strong",
    }  # fmt: skip
    written = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    assert cells(table.html) == [[written, "b"], [written, written], [written], [written, written]]
    assert len(table.text.splitlines()) == 5
    assert table.text.encode()  # no half of a surrogate pair


def test_a_cell_of_a_million_characters_is_cut():
    table = Table("", ["a"], [["x" * 10**6]])
    assert len(table.text) < 2000
    assert len(table.html) < 2000


@pytest.mark.parametrize(
    ("count", "most", "shown"),
    [
        (0, 4, []),
        (4, 4, ["0", "1", "2", "3"]),
        (5, 4, ["0", "1", "… and 1 more", "3", "4"]),
        (5, 3, ["0", "1", "… and 2 more", "4"]),
        (5, 1, ["0", "… and 4 more"]),
        (10**9, 2, ["0", "… and 999,999,998 more", "999999999"]),
    ],
)
def test_of_very_many_rows_the_ends_are_shown(count, most, shown):
    assert ends(lambda k: [str(k)], count, most) == [[text] for text in shown]


class Ours:
    _repr_html_ = in_notebooks(lambda self: Table("", ["size"], [[self.size]]))

    def __repr__(self):
        return "ours"


def test_an_object_shows_its_table_in_notebooks():
    ours = Ours()
    ours.size = "3"
    bundle, _ = DisplayFormatter().format(ours)
    assert bundle["text/plain"] == "ours"
    assert cells(bundle["text/html"]) == [["size"], ["3"]]


def test_where_a_table_fails_notebooks_show_the_repr(capsys):
    bundle, _ = DisplayFormatter().format(Ours())  # it has no size
    assert bundle == {"text/plain": "ours", "text/html": "<pre>ours</pre>"}
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("text", [*HOSTILE, "two\nlines"])
def test_a_repr_of_another_package_is_shown(text):
    theirs = type("Theirs", (Ours,), {"__module__": "theirs.own", "__repr__": lambda self: text})()
    theirs.size = "3"
    pre = ElementTree.fromstring(theirs._repr_html_())
    assert (pre.tag, len(pre)) == ("pre", 0)
    written = ["".join(c if c.isprintable() else repr(c)[1:-1] for c in line) for line in text.splitlines()]
    assert pre.text.splitlines() == written


def test_a_subclass_without_a_repr_shows_the_table():
    theirs = type("Theirs", (Ours,), {"__module__": "theirs.own"})()
    theirs.size = "3"
    assert cells(theirs._repr_html_()) == [["size"], ["3"]]


def test_the_definer_of_a_method():
    assert definer(Ours, "__repr__") is Ours
    assert definer(type("Theirs", (Ours,), {}), "_repr_html_") is Ours
    assert definer(Ours, "no such method") is object
