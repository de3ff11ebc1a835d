"""The native executor: blocks, threads, instruction sets, and what a program is given that does not fit it.

Its contract is the matter of test_executor.py.
"""

from __future__ import annotations

import copy
import math
import pickle
import random
import signal
import sys
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

import autograd
from autograd import Tape, Value, dot, take, tanh
from autograd.native import lane_rows
from autograd.operations import OPERATIONS
from autograd.tape.wengert import ROW

if autograd.engine != "native":
    pytest.skip("the native engine is not in use", allow_module_level=True)

from autograd.native import engine

timers = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the platform has no timers")

SIZES = [1, 2, 7, 8, 9, 31, 32, 33, 100, 127, 128, 129, 511, 512, 513, 1025, 5000]


def replayed(program, tape, batch, seeds, threads=1):
    """Outputs, gradient, and input gradients."""
    wengert, n = tape._wengert, len(batch)
    parameters = np.array([parameter.data for parameter in tape.parameters])
    outputs, gradient = np.empty((n, len(wengert.outputs))), np.empty(wengert.parameters)
    by_inputs = np.empty_like(batch)
    program.replay(n, batch, parameters, outputs, seeds, gradient, by_inputs, threads)
    return outputs, gradient, by_inputs


def native_program(tape, instruction_set=None, unneeded=0, fast_math=False):
    """With so many instructions that no output needs: they take room, so that a block is of fewer examples."""
    wengert = tape._wengert
    ones = np.ones(unneeded, np.int32)
    longer = replace(
        wengert,
        rows=np.append(wengert.rows, ROW["negative"] * ones),
        lengths=np.append(wengert.lengths, ones),
        operands=np.append(wengert.operands, 0 * ones),
    )
    return engine.Program(longer.parts(), instruction_set, fast_math)


def processors():
    """The instruction sets that there are here."""
    found = []
    for name in ("baseline", "avx2", "avx512"):
        with suppress(ValueError):
            found.append(native_program(Tape(Value(1.0) * 2.0), name).instruction_set)
    return found


def test_the_best_instruction_set_is_the_default():
    assert native_program(Tape(Value(1.0) * 2.0)).instruction_set == processors()[-1]


@pytest.mark.parametrize("own_seeds", [False, True], ids=["seeds for all alike", "a seed for each"])
@pytest.mark.parametrize("n", SIZES)
def test_numbers_do_not_depend_on_blocks_threads_and_instruction_sets(large, n, own_seeds):
    outputs, inputs, batch = large
    tape, batch = Tape(outputs, inputs), batch[:n]
    assert len(tape._wengert.operands) * 5000 > 5 * 2**18  # replay.c's OPERANDS_WORTH_A_THREAD, for five of them
    seeds = np.sin(np.arange(2.0 * n)).reshape(n, 2) if own_seeds else np.array([1 / n, -0.3])
    expected = replayed(native_program(tape, "baseline"), tape, batch, seeds)
    for instruction_set in processors():
        for unneeded in (0, 100, 250, 700, 3000):
            program = native_program(tape, instruction_set, unneeded)
            assert program.instruction_set == instruction_set
            for threads in (1, 2, 5) if unneeded == 0 or n > 1000 else (1,):
                found = replayed(program, tape, batch, seeds, threads)
                for mine, theirs in zip(found, expected, strict=True):
                    assert mine.tobytes() == theirs.tobytes(), (instruction_set, unneeded, threads)


@pytest.mark.parametrize("n", [2, 7, 8, 9, 127, 128, 129, 511, 513, 1100])
def test_products_do_not_depend_on_blocks_threads_and_instruction_sets(structured, n):
    """With 40,000 instructions more a fold has several blocks, and sums go on from one to the next."""
    outputs, inputs, batch = structured
    tape, batch = Tape(outputs, inputs), batch[:n]
    seeds = np.sin(np.arange(2.0 * n)).reshape(n, 2)
    expected = replayed(native_program(tape, "baseline"), tape, batch, seeds)
    for instruction_set in processors():
        for unneeded in (0, 5000, 40000) if n in (9, 129, 513) else (0, 5000):
            program = native_program(tape, instruction_set, unneeded)
            for threads in (1, 3) if unneeded == 5000 and n > 512 else (1,):
                found = replayed(program, tape, batch, seeds, threads)
                for mine, theirs in zip(found, expected, strict=True):
                    assert mine.tobytes() == theirs.tobytes(), (instruction_set, unneeded, threads)


@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(0, 160, 20)], ids=str)
def test_attention_does_not_depend_on_blocks_threads_and_instruction_sets(random_attention, seeds):
    """And an example alone has the same numbers, those of `backward()`, whatever is not a number among them.

    Some outputs have the seed 0: they are not differentiated.
    """
    for seed in seeds:
        outputs, inputs = random_attention(seed)
        tape, source = Tape(outputs, inputs), np.random.default_rng(seed)
        batch = source.uniform(-1.0, 1.0, (source.choice([2, 9, 130, 600]), len(inputs)))
        if seed % 4 == 0:
            batch[source.random(batch.shape) < 0.1] = source.choice([math.inf, -math.inf, math.nan, -0.0, 1e200])
        given = tape, batch, source.normal(size=len(outputs)) * (source.random(len(outputs)) < 0.8)
        expected = replayed(native_program(tape, "baseline"), *given)
        for instruction_set in processors():
            for unneeded, threads in ((0, 1), (20000, 2)):
                found = replayed(native_program(tape, instruction_set, unneeded), *given, threads)
                assert all(map(same, found, expected)), (seed, instruction_set, unneeded)
        for e in range(2):
            values, _, by_inputs = replayed(native_program(tape), tape, batch[e : e + 1].copy(), given[2])
            assert same(values[0], expected[0][e]), (seed, e)
            assert same(by_inputs[0], expected[2][e]), (seed, e)


@pytest.mark.parametrize("n", range(2, 10))
def test_the_sum_over_few_examples_has_its_order(n):
    """lanes.h has it: every eighth example, and then these eight. More inputs than are taken at once."""
    neurons, width = 7, 251
    inputs = [Value(0.0) for _ in range(width)]
    weights = [[Value(0.5) for _ in inputs] for _ in range(neurons)]
    tape = Tape([dot(row, inputs) for row in weights], inputs)
    source = np.random.default_rng(n)
    x, seeds = source.normal(size=(n, width)), source.normal(size=(n, neurons))
    x[source.random(x.shape) < 0.2] = -0.0
    x[source.random(x.shape) < 0.2] = 0.0
    x[1, 7], x[0, 9] = math.inf, math.nan
    terms = np.zeros((16, neurons, width))
    terms[:n] = seeds[:, :, np.newaxis] * x[:, np.newaxis, :]
    t = terms[:8] + terms[8:]
    expected = ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7])) + 0.0
    for instruction_set in processors():
        _, gradient, _ = replayed(native_program(tape, instruction_set), tape, x, seeds)
        assert same(gradient, expected.ravel()), instruction_set


@pytest.mark.parametrize(("unneeded", "block"), [(0, 128), (3000, 16)])
def test_what_tied_lookups_add_to_a_table_has_one_order(unneeded, block):
    """lanes.h has it: chunk by chunk, and within a chunk block by block, the last lookup first, example by example."""
    table, (i, j, x, y), n = [Value(0.5), Value(1.5), Value(2.5)], [Value(0.0) for _ in range(4)], 1100
    tape = Tape(take(table, i) * x + take(table, j) * y, [i, j, x, y])
    source = np.random.default_rng(4)
    batch = np.column_stack([*source.integers(3, size=(2, n)), *source.normal(size=(2, n))]).astype(float)
    expected = np.zeros(3)
    for chunk in range(0, n, 512):
        of_chunk = np.zeros(3)
        for first in range(chunk, min(chunk + 512, n), block):
            for lookup in (1, 0):
                for example in batch[first : min(first + block, n)]:
                    of_chunk[int(example[lookup])] += example[2 + lookup]
        expected += of_chunk
    for instruction_set in processors():
        program = native_program(tape, instruction_set, unneeded)
        for threads in (1, 2, 5):
            assert replayed(program, tape, batch, np.ones(1), threads)[1].tolist() == expected.tolist()


def test_dots_with_no_input_in_common_are_not_walked_together():
    """The first of two that are alike is walked back before the second, since its factor has more uses before it."""
    x, y = Value(0.7), Value(0.4)
    weights, others = [Value(0.5 + k) for k in range(8)], [Value(0.3 * k) for k in range(8)]
    early = x * x * x * x
    first, second = dot([x, *weights], [tanh(x), *others]), dot([y, *weights], [tanh(y), *others])
    output = first + tanh(0.01 * second) + early
    output.backward()
    tape = Tape(output, [x, y])
    _, gradient = tape.value_and_grad([[0.7, 0.4]] * 2)
    assert gradient == pytest.approx([parameter.grad for parameter in tape.parameters], rel=1e-13)


def test_an_example_of_products_has_the_same_numbers_in_every_batch(structured):
    test_an_example_has_the_same_numbers_in_every_batch(structured)


def test_an_example_has_the_same_numbers_in_every_batch(large):
    """Alone as well, where other code runs."""
    outputs, inputs, batch = large
    tape, seeds = Tape(outputs, inputs), np.array([1.0, 0.5])
    values, _, by_inputs = replayed(native_program(tape), tape, batch, seeds)
    for n in [n for n in SIZES if n <= len(batch)]:
        for first in (0, min(3, len(batch) - n), len(batch) - n):
            part = slice(first, first + n)
            found, _, found_by_inputs = replayed(native_program(tape), tape, batch[part].copy(), seeds)
            assert found.tobytes() == values[part].tobytes()
            assert found_by_inputs.tobytes() == by_inputs[part].tobytes()


@timers
def test_an_interrupt_ends_a_replay_in_the_middle_of_its_examples(no_collections):
    """Of which there are no more than are summed up as one chunk."""
    x, w = Value(1.0), Value(1.0)
    y = x
    for _ in range(70_000):
        y = y * w
    tape, batch, outputs, gradient = Tape(y, [x]), np.ones((512, 1)), np.empty((512, 1)), np.empty(1)
    replay = tape._program.replay

    def interrupt(signum, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(20):
            outputs[:] = math.nan
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # the signal may come a moment later
                signal.setitimer(signal.ITIMER_REAL, 1e-3)
                replay(512, batch, np.ones(1), outputs, np.ones(1), gradient, None, 1)
                signal.pause()
            if np.isnan(outputs[[0, -1]]).tolist() == [[False], [True]]:
                break
        else:
            pytest.fail("every replay that had begun went on to its end")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert tape.value_and_grad(batch)[1].tolist() == [70_000.0]


# ---- what a program is given: nothing is read or written beyond it


def product():
    """x * w + v: the list, and what replay() is given for two examples."""
    w, v, x = Value(2.0), Value(1.0), Value(0.0)
    wengert = Tape([x * w + v, v * 3.0], [x])._wengert
    given = {
        "examples": 2, "batch": np.ones((2, 1)), "parameters": np.ones(2), "outputs": np.zeros((2, 2)),
        "seeds": np.ones(2), "gradient": np.zeros(2), "input_gradients": np.zeros((2, 1)), "threads": 1,
    }  # fmt: skip
    return wengert, given


def read_only(array):
    array.flags.writeable = False
    return array


UNFITTING = {
    "a negative number of examples": {"examples": -1},
    "more examples than the arrays have": {"examples": 3},
    "fewer examples": {"examples": 1},
    "far too many examples": {"examples": 2**62},
    "a shorter batch": {"batch": np.ones(1)},
    "no batch": {"batch": b""},
    "a batch in bytes, one short": {"batch": bytes(15)},
    "a batch at an odd address": {"batch": memoryview(bytearray(17))[1:]},
    "too few parameters": {"parameters": np.ones(1)},
    "too many parameters": {"parameters": np.ones(3)},
    "outputs too short": {"outputs": np.zeros(3)},
    "seeds of no shape": {"seeds": np.ones(3)},
    "no seeds at all": {"seeds": b""},
    "no gradient": {"gradient": None},
    "a gradient too short": {"gradient": np.zeros(1)},
    "a gradient that cannot be written": {"gradient": read_only(np.zeros(2))},
    "input gradients too short": {"input_gradients": np.zeros(1)},
    "input gradients that cannot be written": {"input_gradients": read_only(np.zeros((2, 1)))},
}


@pytest.mark.parametrize("kind", UNFITTING)
def test_arrays_that_do_not_fit_the_program(kind):
    wengert, given = product()
    program = engine.Program(wengert.parts(), None)
    with pytest.raises(ValueError, match=r"^replay: arrays of these lengths do not fit the program$"):
        program.replay(*(given | UNFITTING[kind]).values())
    assert not given["outputs"].any()
    assert not given["gradient"].any()
    program.replay(*given.values())
    assert given["outputs"].tolist() == [[2.0, 3.0]] * 2
    assert (given["gradient"].tolist(), given["input_gradients"].tolist()) == ([2.0, 8.0], [[1.0]] * 2)


def test_outputs_that_cannot_be_written():
    wengert, given = product()
    program = engine.Program(wengert.parts(), None)
    with pytest.raises(TypeError, match="must be read-write"):
        program.replay(*(given | {"outputs": read_only(np.zeros((2, 2)))}).values())


def test_instruction_sets_that_there_are_not():
    wengert, _ = product()
    with pytest.raises(
        ValueError, match=r"^instruction set: expected baseline, or avx2 or avx512 where there is one, got"
    ):
        engine.Program(wengert.parts(), "sse")


def test_a_program_is_made_of_a_list():
    wengert, _ = product()
    for parts in ((), wengert.parts()[:-1], (1.5, *wengert.parts()[1:])):
        with pytest.raises(TypeError):
            engine.Program(parts, None)


def test_what_an_earlier_batch_has_left_adds_nothing(structured):
    """A smaller batch does not fill the last eight lanes, in which numbers of a larger one stand."""
    outputs, inputs, batch = structured
    tape, seeds = Tape(outputs, inputs), np.array([1.0, 0.5])
    program = native_program(tape)
    replayed(program, tape, np.full((16, len(inputs)), math.nan), seeds)
    for mine, theirs in zip(
        replayed(program, tape, batch[:9].copy(), seeds),
        replayed(native_program(tape), tape, batch[:9].copy(), seeds),
        strict=True,
    ):
        assert mine.tobytes() == theirs.tobytes()


def sizes():
    """Numbers of all sizes and both signs, in no order, and those that are none."""
    source = random.Random(5)
    numbers = [source.choice([-1.0, 1.0]) * 2.0 ** source.uniform(-6.0, 6.0) for _ in range(280)]
    numbers += [source.gauss(0.0, 0.5) for _ in range(280)]
    numbers += [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -1e-300, 1e300, -800.0, 0.173, -0.52, 1.0, -22.0]
    source.shuffle(numbers)
    return numbers


def same(mine, theirs):
    """To the bit, but for the signs of what is not a number."""
    return np.where(np.isnan(mine), 0.0, mine).tobytes() == np.where(np.isnan(theirs), 0.0, theirs).tobytes()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_has_the_same_numbers_alone_and_beside_others(operation):
    """Alone it is computed as scalars; beside others in vectors, and some functions in the order of their operands."""
    count = 4 if operation.sequences else 1  # of each operand
    inputs = [Value(1.0) for _ in range(count * len(operation.operands))]
    if not operation.sequences:
        inputs = [*map(Value, operation.samples[0])]
    operands = [inputs[k : k + count] for k in range(0, len(inputs), count)]
    given = [x if k < operation.sequences else x[0] for k, x in enumerate(operands)]
    tape = Tape(getattr(autograd, operation.name)(*given), inputs)
    numbers = sizes()
    batch = np.array([numbers[17 * k :] + numbers[: 17 * k] for k in range(len(inputs))]).T.copy()
    program, seed = native_program(tape), np.array([0.7])
    alone = [replayed(program, tape, example[np.newaxis].copy(), seed) for example in batch]
    expected = [np.concatenate([parts[k] for parts in alone]) for k in (0, 2)]
    for instruction_set in processors():
        for n in (len(batch), 100, 24, 23, 3):
            found = replayed(native_program(tape, instruction_set), tape, batch[:n].copy(), seed)
            assert same(found[0], expected[0][:n]), (instruction_set, n)
            assert same(found[2], expected[1][:n]), (instruction_set, n)


# ---- values that are kept from a sweep forward


def test_kept_values_change_no_number(structured):
    """Whatever was replayed before: another batch, other parameters, or a number that has changed in place.

    Only what is read-only, as Tape.forward() gives it, may be kept: everything else may have changed.
    """
    outputs, inputs, batch = structured
    tape, source = Tape(outputs, inputs), random.Random(3)
    vectors = [np.array([p.data for p in tape.parameters]) * factor for factor in (1.0, -0.5)]
    seeds = np.array([0.5, -0.3])
    program, working = native_program(tape), batch[:300].copy()
    fixed: dict[object, np.ndarray] = {}  # the same array for the same numbers, some of the time

    def as_it_may_be_given(array):
        if source.random() < 0.3:
            return array
        if source.random() < 0.3:
            fixed.clear()
        numbers = array.tobytes()
        return fixed.setdefault(numbers, np.frombuffer(numbers).reshape(array.shape))

    for _ in range(150):
        n, vector = source.choice([1, 2, 130, 300]), source.choice(vectors)
        if source.random() < 0.3:
            working[source.randrange(n), source.randrange(7)] *= -1.0
        given = [n, as_it_may_be_given(working[:n]), as_it_may_be_given(vector), np.empty((n, 2))]
        of_backward = [np.empty(len(vector)), np.empty((n, 7)) if source.random() < 0.5 else None]
        for now, threads in ((source.choice([None, seeds]), 2), (seeds, 1)):
            program.replay(*given, now, *of_backward, threads)
        expected = np.empty((n, 2)), np.empty(len(vector)), np.empty((n, 7))
        native_program(tape).replay(n, working[:n], vector, expected[0], seeds, expected[1], expected[2], 1)
        for mine, theirs in zip([given[3], *of_backward], expected, strict=True):
            assert mine is None or mine.tobytes() == theirs.tobytes()


def test_the_arrays_of_kept_values_are_held_and_let_go():
    w, x = Value(2.0), Value(0.0)
    programs, seeds = [native_program(Tape(w * x, [x]))], np.ones(1)
    given = [(np.frombuffer(np.full((3, 1), k).tobytes()).reshape(3, 1), np.frombuffer(b"\0" * 8)) for k in (1.0, 2.0)]

    def counts():
        return [sys.getrefcount(array) for pair in given for array in pair]

    def replay(k, seeds):
        programs[0].replay(3, *given[k], np.empty((3, 1)), seeds, np.empty(1), None, 1)

    before = counts()
    for k in (0, 0, 1, 0, 1):
        replay(k, None)
        replay(k, seeds)
        held = [after - number for after, number in zip(counts(), before, strict=True)]
        assert held == ([1, 1, 0, 0] if k == 0 else [0, 0, 1, 1])
    programs.clear()
    assert counts() == before


# ---- Fast mathematics


FAST_ROWS = [*lane_rows.fast_rows(), OPERATIONS["softmax_of"]]  # of which the exponentials alone are fast


def rows_of_fast_mathematics():
    """A tape of all rows that have a use for it, and a batch."""
    x, outputs = [Value(0.3 + 0.1 * k) for k in range(8)], []
    for k, operation in enumerate(FAST_ROWS):
        operands = [x[(k + i) % 8] for i in range(len(operation.operands))]
        if operation.sequences:
            operands[0] = x[:3]
        outputs.append(getattr(autograd, operation.name)(*operands))
    return FAST_ROWS, Tape(outputs, x), np.random.default_rng(2).uniform(0.05, 3.0, (1100, 8))


def test_fast_mathematics_has_the_same_numbers_in_every_batch_on_every_instruction_set():
    """Whatever the blocks and threads, and alone."""
    operations, tape, batch = rows_of_fast_mathematics()
    seeds = np.cos(np.arange(float(len(operations))))
    expected = replayed(native_program(tape, "baseline", fast_math=True), tape, batch, seeds)
    exact = replayed(native_program(tape), tape, batch, seeds)
    for mine, theirs in zip(expected, exact, strict=True):
        assert np.allclose(mine, theirs, rtol=1e-13, atol=1e-14)
    texts = {each.name: lane_rows.values(each, True) + lane_rows.exponentials(each, True) for each in operations}
    fast = [name for name, text in texts.items() if lane_rows.is_of_fast(text)]
    fast.remove("gelu")  # whose exp is of what rounding has lost alone
    differ = (expected[0] != exact[0]).any(axis=0)
    assert [operation.name for operation, differs in zip(operations, differ, strict=True) if differs] == fast
    for instruction_set in processors():
        for unneeded, threads in ((0, 1), (0, 3), (3000, 2)):
            program = native_program(tape, instruction_set, unneeded, fast_math=True)
            for mine, theirs in zip(replayed(program, tape, batch, seeds, threads), expected, strict=True):
                assert mine.tobytes() == theirs.tobytes(), (instruction_set, unneeded, threads)
        program = native_program(tape, instruction_set, fast_math=True)
        for e in range(20):
            values, _, by_inputs = replayed(program, tape, batch[e : e + 1].copy(), seeds)
            assert (values.tobytes(), by_inputs.tobytes()) == (expected[0][e].tobytes(), expected[2][e].tobytes())


def test_fast_mathematics_of_a_tape():
    """Asked for at the beginning or later, let go, copied, pickled; in parameters alone it is the C library's."""
    x, w = Value(0.5), Value(1.25)
    y = tanh(w * x) * autograd.exp(w) + autograd.sin(x)
    fast, exact = Tape(y, [x], fast_math=True), Tape(y, [x])
    batch = np.random.default_rng(1).normal(size=(300, 1))
    numbers = fast.forward(batch).tobytes()
    assert (fast.executor, fast.fast_math, exact.fast_math) == ("native", True, False)
    assert numbers != exact.forward(batch).tobytes()
    for other in (copy.copy(fast), pickle.loads(pickle.dumps(fast))):
        assert (other.executor, other.fast_math) == ("native", True)
        assert other.forward(batch).tobytes() == numbers
    by_c_library = exact.forward(batch).tobytes()
    exact.fast_math, fast.fast_math = True, False
    assert (exact.forward(batch).tobytes(), fast.forward(batch).tobytes()) == (numbers, by_c_library)
    of_parameters = [Tape(autograd.exp(w) * x, [x], fast_math=is_fast).forward(batch) for is_fast in (False, True)]
    assert of_parameters[0].tobytes() == of_parameters[1].tobytes()


def test_fast_mathematics_never_changes_another_program():
    """Not the eager engine, nor a program of the same list without it."""
    x = Value(0.3)
    y = tanh(x)
    before, tape = native_program(Tape(y, [x])), Tape(y, [x], fast_math=True)
    batch = np.linspace(-3.0, 3.0, 999)[:, np.newaxis]
    fast, eager = tape.forward(batch), [math.tanh(number) for number in batch.ravel()]
    assert replayed(before, tape, batch, None)[0].ravel().tolist() == eager != fast.tolist()
    assert [tanh(Value(number)).data for number in batch.ravel().tolist()] == eager


HARD = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, -1e-310, 1e-20, 0.3, -0.7, 1.0, -1.0, 20.0, -40.0,
        709.7, 710.0, -745.0, -746.0, 1.1e6, -3e7, 1e300, -1.7976931348623157e308]  # fmt: skip


@pytest.mark.parametrize("operation", FAST_ROWS, ids=lambda operation: operation.name)
def test_fast_mathematics_at_the_ends_of_the_range(operation):
    """What is not a number, what is infinite and every sign are those of the C library, in derivatives too."""
    x = [Value(0.1 + 0.1 * k) for k in range(3 if operation.sequences else 0)]
    scalars = [*map(Value, operation.samples[0][operation.sequences :])]
    output = getattr(autograd, operation.name)(*[x] * operation.sequences, *scalars)
    batch = np.random.default_rng(0).choice(HARD, (700, len(x) + len(scalars)))
    exact, fast = (
        Tape(output, [*x, *scalars], executor="native", fast_math=is_fast).value_and_grad(
            batch, gradient=1.0, inputs=True
        )
        for is_fast in (False, True)
    )
    for mine, theirs in ((fast[0], exact[0]), (fast[2], exact[2])):
        assert (np.isnan(mine) == np.isnan(theirs)).all()
        assert (np.signbit(mine) == np.signbit(theirs))[~np.isnan(theirs)].all()
        assert np.allclose(mine, theirs, rtol=1e-14, atol=0.0, equal_nan=True)
