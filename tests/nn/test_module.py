"""A Module finds its parameters, and a state gets back exactly, or not at all."""

from __future__ import annotations

import copy
import errno
import json
import math
import os
import stat
import sys
from pathlib import Path

import numpy
import pytest

from autograd import Value
from nn import MLP, Module, Neuron

pytestmark = pytest.mark.both_engines


def numbers(module: Module) -> list[float]:
    return [parameter.data for parameter in module.parameters()]


class Everything(Module):
    """A parameter in each place where one can be, and things beside them that are none."""

    def __init__(self) -> None:
        self.name = "everything"
        self.scale = Value(1.0)
        self.rate = 0.5
        self.matrix = [[Value(2.0), Value(3.0)], (Value(4.0), Value(5.0))]
        self.neuron = Neuron(1)
        self.parts = [Neuron(1, nonlin=False), None, {"shift": Value(6.0), 7: [Value(7.0)]}]
        self.mixed = (Value(8.0), 0.25)
        self.computed = self.scale * 2.0
        self.nothing: list[Value] = []


NAMES = [
    *("scale", "matrix.0.0", "matrix.0.1", "matrix.1.0", "matrix.1.1", "neuron.weights.0", "neuron.bias"),
    *("parts.0.weights.0", "parts.0.bias", "parts.2.shift", "parts.2.7.0", "mixed.0"),
]


class Pair(Module):
    def __init__(self, first: object, second: object) -> None:
        self.first = first
        self.second = second


# ---- parameters


def test_parameters_are_found_wherever_an_attribute_leads_in_the_order_they_were_set() -> None:
    module = Everything()
    assert [name for name, _ in module.named_parameters()] == NAMES
    assert [parameter for _, parameter in module.named_parameters()] == module.parameters()
    assert module.parameters()[:5] == [module.scale, *module.matrix[0], *module.matrix[1]]


def test_an_attribute_set_again_keeps_its_place_and_one_that_is_new_comes_last() -> None:
    pair = Pair(Value(1.0), Value(2.0))
    pair.third = Value(3.0)
    pair.first = Value(4.0)
    assert numbers(pair) == [4.0, 2.0, 3.0]


def test_a_shared_parameter_occurs_once_under_its_first_name() -> None:
    neuron, value = Neuron(2), Value(1.0)
    pair = Pair([neuron, value], {"again": neuron, "value": value, "weights": neuron.weights})
    assert [name for name, _ in pair.named_parameters()] == [
        "first.0.weights.0",
        "first.0.weights.1",
        "first.0.bias",
        "first.1",
    ]
    assert len(pair.parameters()) == 4
    assert list(pair.state_dict()) == ["first.0.weights", "first.0.bias", "first.1"]


def test_modules_that_hold_each_other_are_walked_once() -> None:
    parent = Pair(Value(1.0), None)
    parent.second = Pair(Value(2.0), parent)
    assert numbers(parent) == [1.0, 2.0]
    assert parent.state_dict() == {"first": 1.0, "second.first": 2.0}
    itself = Pair(Value(3.0), None)
    itself.second = itself
    assert numbers(Pair(None, [itself])) == [3.0]


def test_zero_grad() -> None:
    module = Everything()
    for parameter in module.parameters():
        parameter.grad = 3.0
    module.zero_grad()
    assert [parameter.grad for parameter in module.parameters()] == [0.0] * len(NAMES)


class MicrogradStyle(Module):
    """With a `parameters()` of its own, which leaves one parameter out: it stays as it is."""

    def __init__(self) -> None:
        self.w = [Value(1.0), Value(2.0)]
        self.frozen = Value(3.0)

    def parameters(self) -> list[Value]:
        return self.w


def test_a_parameters_method_of_a_subclass_rules() -> None:
    module = MicrogradStyle()
    for value in [*module.w, module.frozen]:
        value.grad = 1.0
    module.zero_grad()
    assert [value.grad for value in [*module.w, module.frozen]] == [0.0, 0.0, 1.0]
    assert [name for name, _ in module.named_parameters()] == ["w.0", "w.1"]


def test_a_parameters_method_of_a_subclass_rules_in_what_holds_it_too() -> None:
    assert numbers(Pair([MicrogradStyle()], Value(4.0))) == [1.0, 2.0, 4.0]


def test_a_state_has_what_a_parameters_method_leaves_out() -> None:
    assert MicrogradStyle().state_dict() == {"w": [1.0, 2.0], "frozen": 3.0}


def test_a_parameter_to_which_no_attribute_leads_is_not_lost_in_silence(tmp_path: Path) -> None:
    class Hidden(Module):
        def __init__(self) -> None:
            self.array = numpy.array([Value(1.5), Value(2.5)])

        def parameters(self) -> list[Value]:
            return list(self.array)

    with pytest.raises(ValueError, match=r"Hidden: no attribute leads to the parameter Value\(data=1\.5"):
        Hidden().state_dict()
    with pytest.raises(ValueError, match="no attribute leads"):
        Hidden().save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []


def test_two_parameters_of_one_name_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"Pair: two parameters have the name 'first\.a\.b'"):
        Pair({"a": {"b": Value(1.0)}, "a.b": Value(2.0)}, None).state_dict()


def test_deepcopy_is_a_model_of_its_own() -> None:
    model = MLP(2, [3, 1])
    twin = copy.deepcopy(model)
    assert twin([0.5, -0.25]).data == model([0.5, -0.25]).data
    twin.parameters()[0].data += 1.0
    assert numbers(twin)[0] == numbers(model)[0] + 1.0
    assert numbers(twin)[1:] == numbers(model)[1:]


# ---- states


def test_the_numbers_of_a_state_show_shapes() -> None:
    module = Everything()
    module.neuron.weights[0].data = module.parts[0].weights[0].data = 0.5
    assert module.state_dict() == {
        "scale": 1.0,
        "matrix": [[2.0, 3.0], [4.0, 5.0]],
        "neuron.weights": [0.5],
        "neuron.bias": 0.0,
        "parts.0.weights": [0.5],
        "parts.0.bias": 0.0,
        "parts.2.shift": 6.0,
        "parts.2.7": [7.0],
        "mixed.0": 8.0,
    }


def test_a_state_of_numpys_numbers_and_whole_numbers_loads() -> None:
    pair = Pair([Value(0.0), Value(0.0)], Value(0.0))
    pair.load_state_dict({"first": (numpy.float32(0.5), 2), "second": numpy.int64(3)})
    assert numbers(pair) == [0.5, 2.0, 3.0]


def test_loading_leaves_gradients_and_sets_shared_parameters(tmp_path: Path) -> None:
    value = Value(1.0)
    pair = Pair([value, Value(2.0)], [value, Value(3.0)])
    value.grad = 7.0
    pair.load_state_dict({"first": [4.0, 5.0], "second": [4.0, 6.0]})
    assert numbers(pair) == [4.0, 5.0, 6.0]
    assert value.grad == 7.0
    with pytest.raises(ValueError, match=r"second\.0 is a shared parameter: expected one number, got 4\.0 and 8\.0"):
        pair.load_state_dict({"first": [4.0, 5.0], "second": [8.0, 6.0]})


# ---- what is no state of the model: the error says so, and nothing changes

GOOD = {"first": [1.0, 2.0], "second": 3.0}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"first": [1.0, 2.0]}, "another model: 1 missing, ['second']; build the model as it was"),
        (GOOD | {"third": 1.0}, "another model: 1 unknown, ['third']"),
        ({"first": [1.0, 2.0], "2nd": 3.0}, "1 missing, ['second']; 1 unknown, ['2nd']"),
        (GOOD | {"first": [1.0]}, "first: expected a list of 2, got one of 1"),
        (GOOD | {"first": [1.0, 2.0, 3.0]}, "first: expected a list of 2, got one of 3"),
        (GOOD | {"first": 1.0}, "first: expected a list of 2, got 1.0"),
        (GOOD | {"first": [1.0, [2.0]]}, "first.1: expected a finite number, got [2.0]"),
        (GOOD | {"second": [3.0]}, "second: expected a finite number, got [3.0]"),
        (GOOD | {"second": math.nan}, "second: expected a finite number, got nan"),
        (GOOD | {"first": [1.0, -math.inf]}, "first.1: expected a finite number, got -inf"),
        (GOOD | {"second": 10**400}, "second: expected a finite number, got 1000"),
        (GOOD | {"second": "3.0"}, "second: expected a finite number, got '3.0'"),
        (GOOD | {"second": True}, "second: expected a finite number, got True"),
        (GOOD | {"second": None}, "second: expected a finite number, got None"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(tmp_path: Path, parameters: dict[str, object], message: str) -> None:
    pair = Pair([Value(7.0), Value(8.0)], Value(9.0))
    path = tmp_path / "model.json"
    path.write_text(json.dumps({"format": "scalar-autograd parameters", "version": 1, "parameters": parameters}))
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole message is compared below
        pair.load_state_dict(parameters)  # type: ignore[arg-type]
    assert message in str(caught.value)
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        pair.load(path)
    assert message in str(caught.value)
    assert f"cannot load {path}: " in str(caught.value)
    assert numbers(pair) == [7.0, 8.0, 9.0]


def test_a_model_of_another_shape_is_told_from_this_one(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    MLP(2, [3, 1]).save(path)
    for other, message in [
        (MLP(3, [3, 1]), r"layers\.0\.neurons\.0\.weights: expected a list of 3, got one of 2"),
        (MLP(2, [4, 1]), r"2 missing, \['layers\.0\.neurons\.3\.bias', 'layers\.0\.neurons\.3\.weights'\]"),
        (MLP(2, [2, 1]), r"2 unknown, \['layers\.0\.neurons\.2\.bias', 'layers\.0\.neurons\.2\.weights'\]"),
    ]:
        before = numbers(other)
        with pytest.raises(ValueError, match=message):
            other.load(path)
        assert numbers(other) == before


def test_what_is_no_state_at_all() -> None:
    with pytest.raises(TypeError, match=r"expected a dict, .* got 'model\.json'; load\(path\) reads a file"):
        Module().load_state_dict("model.json")  # type: ignore[arg-type]


# ---- saving that fails leaves the old file


def saved(folder: Path) -> tuple[Path, bytes]:
    path = folder / "model.json"
    Pair([Value(1.0), Value(2.0)], Value(3.0)).save(path)
    return path, path.read_bytes()


def only(path: Path, content: bytes) -> bool:
    """There is that file with that content, and nothing beside it."""
    return list(path.parent.iterdir()) == [path] and path.read_bytes() == content


def test_saving_replaces_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path, content = saved(tmp_path)
    Pair(Value(4.0), Value(5.0)).save(path)
    assert path.read_bytes() != content
    assert only(path, path.read_bytes())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_saving_keeps_the_old_files_permissions(tmp_path: Path, mode: int) -> None:
    path, content = saved(tmp_path)
    path.chmod(mode)
    Pair(Value(4.0), Value(5.0)).save(path)
    assert path.read_bytes() != content
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_model_with_a_number_that_is_not_finite_is_not_saved(tmp_path: Path, number: float) -> None:
    path, content = saved(tmp_path)
    with pytest.raises(
        ValueError, match=rf"cannot save .*model\.json: first\.1: expected a finite number, got {number}"
    ):
        Pair([Value(1.0), Value(number)], Value(2.0)).save(path)
    assert only(path, content)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path, content = saved(tmp_path)

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[call], full)
    with pytest.raises(OSError, match=r"not saved, what was there is unchanged: No space left.*model\.json") as caught:
        Pair(Value(4.0), Value(5.0)).save(path)
    assert caught.value.errno == errno.ENOSPC
    assert only(path, content)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_write_that_the_system_refuses_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    import resource

    path, content = saved(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match="not saved, what was there is unchanged") as caught:
            Pair([Value(i / 7) for i in range(10_000)], Value(5.0)).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert only(path, content)


def test_an_interrupt_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, content = saved(tmp_path)

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Pair(Value(4.0), Value(5.0)).save(path)
    assert only(path, content)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"the model is not saved.*missing.model\.json"):
        Module().save(tmp_path / "missing" / "model.json")
    assert list(tmp_path.iterdir()) == []


def test_a_path_through_a_file(tmp_path: Path) -> None:
    path, content = saved(tmp_path)
    with pytest.raises(OSError, match="the model is not saved"):
        Module().save(path / "model.json")
    assert only(path, content)


def test_a_path_that_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model.json"
    folder.mkdir()
    with pytest.raises(FileExistsError, match=r"expected a file, this is a folder or a device.*model\.json"):
        Module().save(folder)
    assert list(tmp_path.iterdir()) == [folder]
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileExistsError, match="expected a file, this is a folder or a device"):
        Module().save(pipe)
    assert pipe.is_fifo()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    path, _ = saved(tmp_path)
    link = tmp_path / "latest.json"
    link.symlink_to(path)
    Pair(Value(4.0), Value(5.0)).save(link)
    assert link.is_symlink()
    assert json.loads(path.read_text())["parameters"] == {"first": 4.0, "second": 5.0}
