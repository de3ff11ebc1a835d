"""A new attribute that is a misspelt `data`, `grad` or `label` is warned of, on both engines alike."""

from __future__ import annotations

import copy
import inspect
import pickle
import pydoc
import warnings

import pytest

from autograd import Value
from autograd.spelling import MEANT, NAMES, misspellings

pytestmark = pytest.mark.both_engines

TYPOS = {"gard": "grad", "grd": "grad", "graad": "grad", "grsd": "grad", "dta": "data", "adta": "data", "dara": "data",
         "lable": "label", "labl": "label", "labell": "label", "lavel": "label"}  # fmt: skip
OWN = """momentum velocity date dat rad grid gram grade grads grad0 grad2 labels xlabel data1 data2 xdata ydata database
    _data _grad _label _prev_data name m v""".split()  # noqa: SIM905  a list of words
OF_OTHERS = {"_prev": set(), "_op": "+", "_children": (), "_backward": lambda: None}


class Own(Value):
    pass


@pytest.mark.parametrize("kind", [Value, Own])
@pytest.mark.parametrize(("typo", "meant"), TYPOS.items())
def test_a_misspelt_name_is_warned_of_where_it_is_set(kind, typo, meant):
    value = kind(1.0)
    with pytest.warns(UserWarning, match="new attribute") as caught:
        setattr(value, typo, 0.5)
    line = inspect.currentframe().f_lineno - 1
    [warning] = caught
    assert str(warning.message) == (
        f"{typo} is a new attribute of this {kind.__name__}; if {meant} was meant, write that, and if not, "
        f"declare it in a subclass, such as `{typo}: float`"
    )
    assert (warning.filename, warning.lineno) == (__file__, line)
    assert getattr(value, typo) == 0.5  # it is set all the same
    assert value.grad == 0.0


def test_names_of_ones_own_are_not_warned_of():
    for value in (Value(1.0), Own(1.0), Value(1.0) * 2.0):
        for name in OWN:
            setattr(value, name, 0.5)
            assert getattr(value, name) == 0.5
        value.data, value.grad, value.label = 1.0, 2.0, "x"
        for name, attribute in OF_OTHERS.items():
            setattr(value, name, attribute)


def test_what_a_class_declares_is_not_warned_of():
    class Declaring(Value):
        __slots__ = ("dta",)

        gard: float
        lable = ""

        @property
        def grd(self):
            return self.data

        @grd.setter
        def grd(self, number):
            self.data = number

    class Heir(Declaring):
        pass

    for kind in (Declaring, Heir):
        value = kind(1.0)
        value.dta, value.gard, value.lable, value.grd = 1.5, 2.5, "x", 3.5
        assert (value.dta, value.gard, value.lable, value.grd, value.data) == (1.5, 2.5, "x", 3.5, 3.5)
        with pytest.warns(UserWarning, match="if grad was meant"):
            value.grsd = 0.0


def test_once_a_place_as_warnings_are():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for value in [Value(1.0), Value(2.0), Value(3.0)]:
            value.gard = 0.0
    assert len(caught) == 1


def test_where_it_is_an_error_nothing_is_set():
    for value in (Value(1.0), Own(1.0)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UserWarning, match="gard"):
                value.gard = 0.0
        assert not hasattr(value, "gard")
        assert vars(value) == {}


def test_it_is_an_attribute_as_any_other():
    for value in (Value(1.0), Own(1.0)):
        with pytest.warns(UserWarning, match="gard"):
            value.gard = 0.5
        assert vars(value) == {"gard": 0.5}
        assert "gard" in dir(value)
        for made in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):  # warns no more
            assert made.gard == 0.5
            assert vars(made) == {"gard": 0.5}
        del value.gard
        for missing in (lambda value=value: value.gard, lambda value=value: delattr(value, "gard")):
            with pytest.raises(AttributeError, match="object has no attribute 'gard'"):
                missing()


def test_nobody_sees_misspelt_names():
    assert MEANT.keys().isdisjoint(dir(Value(1.0)))
    assert not any(hasattr(Value, name) or hasattr(Value(1.0), name) for name in MEANT)


def test_where_help_lists_a_misspelt_name_it_says_what_that_is():
    lines = [line.strip(" |") for line in pydoc.render_doc(Value, renderer=pydoc.plaintext).splitlines()]
    for i, line in enumerate(lines):
        if line in MEANT:
            assert lines[i + 1] == f"No attribute, but {MEANT[line]}, misspelt: a warning where it is set."


def test_what_counts_as_misspelt_is_one_edit_away():
    for name in NAMES:
        for written in misspellings(name):
            assert abs(len(written) - len(name)) <= 1
    assert MEANT.keys().isdisjoint({*NAMES, *OWN})
    assert TYPOS.items() <= MEANT.items()


def test_annotations_that_cannot_be_evaluated_are_no_error():
    class Unevaluated(type):
        @property
        def __annotations__(cls):
            raise NameError("a type that is imported for type checkers alone")

    class Declaring(Value, metaclass=Unevaluated):
        pass

    value = Declaring(1.0)
    value.gard = 0.5
    assert value.gard == 0.5
