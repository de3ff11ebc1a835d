"""The files of the native engine: which includes which, what each offers, and the page that tells what they are."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import autograd.native
from autograd.native import lane_rows

NATIVE = Path(autograd.native.__file__).parent
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
INCLUDE = re.compile(r'^#include "(.+)"$', re.MULTILINE)
# A function begins its line with its type; what is `static`, or a macro that makes it so, no other file can call.
FUNCTION = re.compile(r"^(?!static|ALWAYS_INLINE|PyMODINIT_FUNC)\w[\w\s*]*[\s*](\w+)\([^;{]*\)\s*\{", re.MULTILINE)


def text_of(path):
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def sources(folder):
    return sorted([*folder.glob("*.c"), *folder.glob("*.h")])


def includes(folder):
    """What each file includes of the others, a header and its source being one; without what is written."""
    found = {path.stem: set() for path in sources(folder)}
    for path in sources(folder):
        names = set(INCLUDE.findall(text_of(path))) - set(lane_rows.FILES)
        assert names <= {header.name for header in folder.glob("*.h")}, path.name
        found[path.stem] |= {Path(name).stem for name in names} - {path.stem}
    return found


def circle(folder):
    """The files of a circle, if there is one."""
    try:
        TopologicalSorter(includes(folder)).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def strangers(folder):
    """The functions that a source offers without a declaration in its own header, as `source: function`."""
    found = []
    for source in sorted(folder.glob("*.c")):
        header = source.with_suffix(".h")
        declared = text_of(header) if header.exists() else ""
        offered = FUNCTION.findall(text_of(source))
        found += [f"{source.stem}: {name}" for name in offered if not re.search(rf"\b{name}\(", declared)]
    return found


def test_no_circle_of_files_is_left():
    assert circle(NATIVE) is None


def test_what_a_source_offers_its_own_header_declares():
    assert strangers(NATIVE) == []
    offered = [name for source in NATIVE.glob("*.c") for name in FUNCTION.findall(text_of(source))]
    assert {"node_leaf", "take_first_cell", "find_order", "backward", "push_forward", "as_number", "gather"} <= set(
        offered
    )


def test_no_file_compares_the_names_of_operations():
    """Rows are numbers, known when C is compiled: ROW_add."""
    compared = re.compile(r"\b(str|mem)n?cmp\([^;]*\b(ROWS|row|operation)\b")
    assert [path.name for path in sources(NATIVE) if compared.search(text_of(path))] == []


FILES = {
    "a.h": "int a(void);\n",
    "a.c": '#include "a.h"\n#include "b.h"\n#include "rows.h"\nint a(void) { return b(); }\nstatic int c(void)\n{\n}\n',
    "b.h": "int b(void);\n",
    "b.c": '#include "b.h"\nint b(void)\n{\n    return 1;\n}\n',
}


@pytest.mark.parametrize(
    ("name", "added", "in_circle", "strange"),
    [
        ("b.h", "", None, []),
        ("b.c", "/* b() needs no `a` */", None, []),
        ("b.c", '#include "a.h"\n', {"a", "b"}, []),
        ("b.h", '#include "a.h"\n', {"a", "b"}, []),
        ("b.c", "const int *\nd(int x,\n      int y)\n{\n}\n", None, ["b: d"]),
        ("b.c", "static inline int d(void)\n{\n}\n", None, []),
        ("b.c", "ALWAYS_INLINE int d(void)\n{\n}\n", None, []),
        ("a.h", "int d(void);", None, []),
        ("b.c", "int d(void) { return 2; }\n", None, ["b: d"]),
    ],
)
def test_the_tests_above_find_faults(name, added, in_circle, strange, tmp_path):
    for each, text in FILES.items():
        (tmp_path / each).write_text(text + (added if each == name else ""), encoding="utf-8")
    found = circle(tmp_path)
    assert (found and set(found)) == in_circle
    assert strangers(tmp_path) == strange
