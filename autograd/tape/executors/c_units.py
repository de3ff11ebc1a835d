"""The units that a list is compiled to, as texts in C: one for a single example, or for what is uniform, and of lanes.

A unit of one computes in an array of numbers, the inputs, the parameters, the results and the constants, and leaves the
adjoints in another. A unit of lanes replays chunks of a batch, some examples at a time, and adds up the adjoints of
what is uniform in the native executor's order (native/lanes.h).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from autograd import native
from autograd.rows_in_c import FAST
from autograd.tape.dialects import Lanes, Rules, Scalars
from autograd.tape.steps import Apply, Layout, Neurons, of_many, of_one, of_uniform, output_sets
from autograd.tape.sweeps_in_c import MOST_TERMS, SHORT, Asked, Memory, Sweeps, Text, in_line
from autograd.tape.wengert import ON_INPUTS, ON_PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from autograd.tape.steps import Part
    from autograd.tape.wengert import WengertList

INPUTS_AT_ONCE = 240  # of a product's, whose weights' sums are added before the next ones'
EIGHT, FOLD, CHUNK = 8, 128, 512
MOST_LANES = 16
FOLD_STRIDE = FOLD + EIGHT  # an odd number of lines of the cache, so that slots are not all in the same place there
LARGE = 128  # weights of a product
CACHED_NUMBERS, MOST_NUMBERS_OF_FOLD = 1 << 17, 1 << 20  # as native/chunk.c has them


@dataclass
class Unit:
    """A unit's text, how much room it needs: numbers beside those of the list; and whether it is long."""

    text: str
    room: int = 0
    is_long: bool = False  # a text of unlike instructions, with which a compiler is busy for seconds


class Units:
    """What is written of a list. Raises TypeError where the rule of an operation cannot be written in C."""

    def __init__(self, wengert: WengertList, fast_math: bool = False) -> None:
        self.wengert, self.fast_math = wengert, fast_math
        self.depends = wengert.dependences.tolist()
        self.variables = wengert.first_result + len(wengert)

    # ---- Which outputs are asked for

    @cached_property
    def masks(self) -> tuple[list[int | None], list[int]]:
        """Of each variable the number of the set of outputs that depend on it, None if all do; and these sets."""
        return output_sets(self.wengert)

    def needs(self, are_asked: Iterable[bool]) -> list[bool]:
        """Of each set, whether one of its outputs is asked for."""
        asked = sum(1 << k for k, is_asked in enumerate(are_asked) if is_asked)
        return [bool(mask & asked) for mask in self.masks[1]]

    def asked(self, backward: bool, wanted: int) -> Asked:
        return Asked(backward, lambda v: bool(self.depends[v] & wanted), lambda v: self.masks[0][v])

    # ---- Units

    def of_one(self, backward: bool, for_inputs: bool) -> Unit:
        """All instructions."""
        wanted = ON_PARAMETERS | (ON_INPUTS if for_inputs else 0)
        return self.scalars(of_one(self.wengert), self.asked(backward, wanted), fuses=True)

    @cached_property
    def has_uniform(self) -> bool:
        return any(not mark & ON_INPUTS for mark in self.depends[self.wengert.first_result :])

    def of_uniform(self, backward: bool) -> Unit:
        """The instructions that depend on no input; their sweeps are called one by one."""
        steps = of_uniform(self.wengert)
        layout = of_one(self.wengert)
        layout = Layout([*steps], [(k, 0, 1) for k in range(len(steps))], layout.varies, layout.constants)
        return self.scalars(layout, self.asked(backward, ON_PARAMETERS), fuses=False)

    def scalars(self, layout: Layout, asked: Asked, fuses: bool) -> Unit:
        slots = {v: v for v in range(self.variables)}
        slots |= {-1 - k: self.variables + k for k in range(len(layout.constants))}
        sweeps = Sweeps(layout, slots, Rules(Scalars), asked, MEMORY_OF_ONE)
        outputs = [slots[v] for v in self.wengert.outputs.tolist()]
        is_read = range(self.variables) if not fuses else []  # by the units of lanes
        text = sweeps.write({*outputs, *is_read}, {*outputs, *is_read} if asked.backward else set(), fuses)
        run = "".join(f"    if (which & 1) {name}(f, a, need, scratch);\n" for name in text.forward)
        run += "".join(f"    if (which & 2) {name}(f, a, need, scratch);\n" for name in text.backward)
        parts = [
            HEAD, HEAD_OF_ONE, ELEMENT if text.called & {"element", "lookup"} else "", text.declared_tables(),
            *text.rules, *text.functions, RUN_OF_ONE.replace("@run", run),
        ]  # fmt: skip
        return Unit("".join(parts), text.scratch, text.straight > MOST_TERMS)

    def of_lanes(self, backward: bool, for_inputs: bool) -> Unit:
        """What depends on the inputs."""
        return LanesUnit(self, backward, for_inputs).unit()


class LanesUnit:
    """A unit of lanes while it is written."""

    def __init__(self, units: Units, backward: bool, for_inputs: bool) -> None:
        self.units, self.backward, self.for_inputs = units, backward, for_inputs
        self.layout = of_many(units.wengert)
        self.first_constant = units.variables
        self.slots = self.placed()
        wanted = ON_PARAMETERS | (ON_INPUTS if for_inputs else 0)
        varies, depends = self.layout.varies, units.depends
        masks = units.masks[0]
        self.asked = Asked(
            backward,
            lambda v: bool(depends[v] & wanted) if varies[v] else bool(depends[v] & ON_PARAMETERS),
            lambda v: masks[v],
        )

    def place(self, variable: int) -> int:
        """Of a uniform variable, in the array of numbers."""
        return variable if variable >= 0 else self.first_constant - 1 - variable

    def placed(self) -> dict[int, int]:
        """Slots: those of the inputs, of the results, and of what is uniform but an operand."""
        slots = {v: v for v in range(self.units.wengert.inputs)}
        for step in self.layout.steps:
            for result in [step.result] if isinstance(step, Apply) else step.results:
                slots.setdefault(result, len(slots))
        self.uniform_slots: dict[int, int] = {}
        for step in self.layout.steps:
            for variable in self.read_from_slots(step):
                if not self.layout.varies[variable] and variable not in slots:
                    self.uniform_slots[variable] = slots[variable] = len(slots)
        return slots

    def read_from_slots(self, step: Apply | Neurons) -> list[int]:
        if isinstance(step, Neurons):
            return [v for v in (*step.inputs, *step.starts) if v in step.inputs or self.layout.varies[v]]
        operands = step.operands[1:] if step.operation.name == "take" else step.operands
        return [v for x in operands for v in (x if isinstance(x, list) else [x])]

    def unit(self) -> Unit:
        wengert, layout = self.units.wengert, self.layout
        self.kernels = frozenset(k for k, step in enumerate(layout.steps) if is_large(step))
        sweeps = Sweeps(layout, self.slots, Rules(Lanes), self.asked, MEMORY_OF_LANES, self.place, self.kernels)
        adding = self.accumulate(sweeps.text) if self.backward else {}
        self.parts = sum(len(adding[k][1]) for k in self.kernels if k in adding)
        outputs = [(k, v, self.slots.get(v, -1)) for k, v in enumerate(wengert.outputs.tolist())]
        kept = {slot for _, v, slot in outputs if slot >= 0 and layout.varies[v]}
        text = sweeps.write(kept, {*kept} if self.backward else set())
        if self.for_inputs:
            text.pushed |= {*range(wengert.inputs)}
        learned = [
            (v, s) for v, s in self.uniform_slots.items() if v >= 0 and s in text.pushed and self.asked.adjoint(v)
        ]
        run = self.run(text, outputs, learned, adding)  # before the tables, of which it needs some
        is_long = text.straight > MOST_TERMS
        parts = [
            HEAD, "#define IS_LONG\n" if is_long else "", HEAD_OF_LANES,
            ELEMENT if text.called & {"element", "lookup"} else "",
            ELEMENT_OF_LANES if "element" in text.called else "", LOOKUP if "lookup" in text.called else "",
            *self.library(text), PRODUCTS if self.kernels else "", text.declared_tables(), *text.rules,
            *text.functions, run,
        ]  # fmt: skip
        slots = 2 * len(self.slots) * (FOLD_STRIDE if self.kernels else MOST_LANES)
        sums = EIGHT * (len(text.accumulators) + len(learned)) + MOST_LANES * (text.scratch + 1)
        room = slots + sums + 2 * FOLD * len(text.lookups) + self.parts + self.packed
        return Unit("".join(parts).replace("@stride", str(FOLD_STRIDE) if self.kernels else "LANES"), room, is_long)

    def library(self, text: Text) -> Iterable[str]:
        """What is called of the C library, or of fast_math.h, for all lanes."""
        called = sorted(text.called - {"element", "lookup"})
        if self.units.fast_math and FAST.intersection(called):
            yield fast_math_header()
        for name in called:
            if self.units.fast_math and name in FAST:
                yield FAST_UNARY.replace("@name", name)
            elif self.units.fast_math and name == "pow":
                yield FAST_POWER
            elif name in ("pow", "atan2", "hypot"):
                yield BINARY.replace("@name", name)
            else:
                yield (SQRT if name == "sqrt" else UNARY).replace("@name", name)

    def accumulate(self, text: Text) -> dict[int, tuple[int, list[int]]]:
        """Gives the sums of products' weights and biases places, in the order in which they are added to the totals.

        Returns for each step the first, and the places of the variables that get them.
        """
        found, parts = {}, 0
        for k, step in enumerate(self.layout.steps):
            if not isinstance(step, Neurons):
                continue
            order = [
                (j, i)
                for start in range(0, len(step.inputs), INPUTS_AT_ONCE)
                for j in range(len(step.results))
                for i in range(start, min(start + INPUTS_AT_ONCE, len(step.inputs)))
            ]
            if not self.layout.varies[step.starts[0]]:
                order += [(j, -1) for j in range(len(step.results))]
            variables = [step.starts[j] if i < 0 else step.weights[j][i] for j, i in order]
            learned = [v >= 0 and self.asked.adjoint(v) for v in variables]
            if k in self.kernels:  # which sums up all, if any is asked for
                found[k] = parts, [self.place(v) for v in variables if any(learned)]
                parts += len(found[k][1])
                continue
            found[k] = len(text.accumulators), [self.place(v) for v, is_ in zip(variables, learned, strict=True) if is_]
            for (j, i), is_learned in zip(order, learned, strict=True):
                if is_learned:
                    text.accumulators[k, j, i] = len(text.accumulators)
        return found

    def run(
        self,
        text: Text,
        outputs: list[tuple[int, int, int]],
        learned: list[tuple[int, int]],
        adding: dict[int, tuple[int, list[int]]],
    ) -> str:
        wengert, varies = self.units.wengert, self.layout.varies
        varying = [(k, slot) for k, v, slot in outputs if varies[v]]
        uniform = [(k, self.place(v)) for k, v, _ in outputs if not varies[v]]
        self.packed = 0
        products = [self.product(k, text, adding) for k in sorted(self.kernels)]
        filled = [(slot, self.place(v)) for v, slot in self.uniform_slots.items()]
        learned_sums = [(len(text.accumulators) + i, slot) for i, (_, slot) in enumerate(learned)]
        lines = {
            "@fill": each(text, "f[{} * STRIDE + l] = u[{}];", filled),
            "@clear": [f"memset(a + {s} * STRIDE, 0, {n} * STRIDE * sizeof(double));" for s, n in runs(text.pushed)],
            "@seed": each(text, "a[{1} * STRIDE + l] += seed[{0}];", varying),
            "@call": [self.stage(stage, adding) for stage in (*text.forward, *text.backward)],
            "@pack": [line for _, line in products if line],
            "@output": each(text, "output[{}] = f[{} * STRIDE + l];", varying)
            + each(text, "output[{}] = u[{}];", uniform),
            "@sum": each(text, "add_up(sums + {} * EIGHT, *(V *)(a + {} * STRIDE + l), live_of(n - l));", learned_sums),
            "@gradient": each(text, "gradient[{}] = a[{} * STRIDE + l] + 0.0;", [*map(twice, range(wengert.inputs))]),
            "@fold": self.fold(text, learned, adding) if self.backward else [],
        }
        run = RUN_OF_LANES
        for name, of_name in lines.items():
            indent = run[: run.index(name)].rpartition("\n")[2]
            is_wanted = self.backward and (name != "@gradient" or self.for_inputs)
            run = run.replace(name, f"\n{indent}".join(of_name) if is_wanted or name in SWEEP_FORWARD else "")
        numbers = {
            "@count_slots": len(self.slots), "@count_sums": len(text.accumulators) + len(learned),
            "@count_scratch": text.scratch, "@count_inputs": wengert.inputs, "@count_outputs": len(wengert.outputs),
            "@count_lookups": len(text.lookups), "@count_block": self.lanes_of_native(), "@count_parts": self.parts,
        }  # fmt: skip
        for name, number in numbers.items():
            run = run.replace(name, str(number))
        return "".join(text for text, _ in products) + run

    def stage(self, stage: str | int | Part, adding: dict[int, tuple[int, list[int]]]) -> str:
        """The call of a function, for some lanes, or of a kernel, for all of the fold."""
        if isinstance(stage, str):
            call = f"{stage}(f + l, a + l, u, sums, scratch, kept, need, live_of(n - l), lane + l);"
            return f"for (int l = 0; l < n; l += LANES) {call}"
        if isinstance(stage, int):
            return f"product_forward(&P{stage}, f, u, packed, n);"
        k, first, end = stage
        step = self.layout.steps[k]
        assert isinstance(step, Neurons)
        is_pushed = any(x >= 0 and self.asked.adjoint(x) for x in step.inputs)
        lines = [f"push_to_inputs(&P{k}, f, a, u, packed, need, {first}, {end}, n);"] if is_pushed else []
        if self.layout.varies[step.starts[0]]:
            lines.append(f"push_to_starts(&P{k}, a, need, {first}, {end}, n);")
        if first == 0 and adding[k][1]:
            lines.append(f"push_to_weights(&P{k}, f, a, need, parts + {adding[k][0]}, n);")
        return " ".join(lines)

    def product(self, k: int, text: Text, adding: dict[int, tuple[int, list[int]]]) -> tuple[str, str]:
        """A kernel's product: what is known of it, and the line that packs its weights, unless they lie in rows."""
        step = self.layout.steps[k]
        assert isinstance(step, Neurons)
        weights = [[self.place(v) for v in row] for row in step.weights]
        have_rows = all(row == [*range(row[0], row[0] + len(row))] for row in weights)
        line, first = "", self.packed
        if not have_rows:
            everything = [place for row in weights for place in row]
            self.packed += len(everything)
            line = f"for (int i = 0; i < {len(everything)}; i++) packed[{first} + i] = u[{text.table(everything)}[i]];"
        begins = [row[0] if have_rows else first + j * len(row) for j, row in enumerate(weights)]
        varies = self.layout.varies[step.starts[0]]
        starts = [self.slots[v] if varies else self.place(v) for v in step.starts]
        masks = [self.asked.mask(result) for result in step.results]
        fields = [
            f"{len(step.results)}, {len(step.inputs)}, {int(have_rows)}, {int(varies)}",
            *(text.table(numbers) for numbers in (begins, starts, [self.slots[v] for v in step.results])),
            text.table([self.slots[v] for v in step.inputs]),
            text.table([-1 if m is None else m for m in masks]) if masks.count(None) < len(masks) else "NULL",
        ]
        return f"\nstatic const Product P{k} = {{{', '.join(fields)}}};\n", line

    def fold(self, text: Text, learned: list[tuple[int, int]], adding: dict[int, tuple[int, list[int]]]) -> list[str]:
        """What a fold's sums are added to, in the native executor's order: see native/chunk.c."""
        lines = []
        number = {k: i for i, k in enumerate(text.lookups)}
        for k, first, _ in reversed(self.layout.parts):
            if k in self.kernels and first == 0 and adding[k][1]:
                start, places = adding[k]
                line = f"total[{in_line(places, text)}] += parts[{start} + i];"
                lines.append(f"for (int i = 0; is_last && i < {len(places)}; i++) {line}")
            elif k in number:
                lines.append("for (int e = b; e < b + BLOCK && e < in_fold; e++)")
                lines.append(f"    if (kept[{number[k]}].element[e] >= 0)")
                lines.append(f"        total[kept[{number[k]}].element[e]] += kept[{number[k]}].adjoint[e];")
            elif k in adding and first == 0 and adding[k][1]:
                start, places = adding[k]
                sums = f"sum_of_eight(sums + ({start} + i) * EIGHT)"
                place = in_line(places, text)
                lines.append(f"for (int i = 0; is_last && i < {len(places)}; i++) total[{place}] += {sums};")
        if learned:
            place, start = in_line([v for v, _ in learned], text), len(text.accumulators)
            sums = f"sum_of_eight(sums + ({start} + i) * EIGHT)"
            lines.append(f"for (int i = 0; is_last && i < {len(learned)}; i++) total[{place}] += {sums};")
        return lines

    def lanes_of_native(self) -> int:
        """How many examples a block of the native executor has: what lookups add up depends on it."""
        has_products = any(isinstance(step, Neurons) for step in self.layout.steps)
        slots = len(self.slots)
        if has_products and 2 * slots * FOLD <= MOST_NUMBERS_OF_FOLD:
            return FOLD
        return max(EIGHT, min(FOLD, CACHED_NUMBERS // (2 * slots + 1) // EIGHT * EIGHT))


@cache
def fast_math_header() -> str:
    return Path(native.__file__).with_name("fast_math.h").read_text(encoding="utf-8")


def each(text: Text, line: str, pairs: list[tuple[int, int]]) -> list[str]:
    """The line for each pair of numbers: a loop, where they are many."""
    if len(pairs) <= SHORT:
        return [line.format(*pair) for pair in pairs]
    columns = [f"({in_line(column, text)})" for column in zip(*pairs, strict=True)]
    return [f"for (int i = 0; i < {len(pairs)}; i++) {line.format(*columns)}"]


SWEEP_FORWARD = {"@fill", "@call", "@output", "@pack"}


def twice(number: int) -> tuple[int, int]:
    return number, number


def is_large(step: Apply | Neurons) -> bool:
    """Whether it is quicker as a product over a whole fold, by a kernel."""
    return isinstance(step, Neurons) and len(step.results) * len(step.inputs) >= LARGE


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The numbers as runs: the first of each, and how many follow each other."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][0] + found[-1][1] == number:
            found[-1] = found[-1][0], found[-1][1] + 1
        else:
            found.append((number, 1))
    return found


MEMORY_OF_ONE = Memory("double *restrict f, double *restrict a, const unsigned char *need, double *scratch")
MEMORY_OF_LANES = Memory(
    "double *restrict f, double *restrict a, const double *restrict u, double *restrict sums, V *scratch, Kept *kept, "
    "const unsigned char *need, M live, int lane",
    "F(@)",
    "A(@)",
)

HEAD = """\
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
"""

HEAD_OF_ONE = """
#define sqrt __builtin_sqrt
#define fabs __builtin_fabs
"""

ELEMENT = """
static inline int is_place(double index, int n)
{
    return index >= 0.0 && index < (double)n && (double)(int)index == index;
}

static inline double element(const double *x, int n, double index)
{
    return is_place(index, n) ? x[(int)index] : NAN;
}
"""

HEAD_OF_LANES = """
enum { EIGHT = 8, FOLD = 128 };
/* A long text has enough instructions that need not wait for each other. It is compiled in half of the time if each V
   is one register, and if its functions are called. */
#ifdef IS_LONG
#define INLINE_IF_SHORT __attribute__((noinline, const))
#else
#define INLINE_IF_SHORT inline
#endif
#if defined __AVX512F__ && !defined IS_LONG /* two vectors for each V, so that one need not wait for the other */
enum { LANES = 16 };
#define splat(x) ((V){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x})
#else
enum { LANES = 8 };
#define splat(x) ((V){x, x, x, x, x, x, x, x})
#endif
enum { STRIDE = @stride }; /* the room that each slot has */
typedef double V __attribute__((vector_size(LANES * 8), aligned(64), may_alias));
typedef int64_t M __attribute__((vector_size(LANES * 8), aligned(64), may_alias));
typedef double Eight __attribute__((vector_size(64), may_alias));
typedef struct { int32_t element[FOLD]; double adjoint[FOLD], spare[FOLD / 2]; } Kept;

#define F(k) (*(V *)(f + (k) * STRIDE))
#define A(k) (*(V *)(a + (k) * STRIDE))
#define choose(m, x, y) chosen((M)(m), x, y)

static inline V chosen(M m, V x, V y) { return (V)((m & (M)x) | (~m & (M)y)); }

static inline V absolute(V x) { return (V)((M)x & INT64_MAX); }

/* Adds to eight sums, each over every eighth example. */
static inline void add_up(double *sums, V x, M live)
{
    union { V all; Eight eights[LANES / 8]; } terms = {(V)((M)x & live)};
    for (int h = 0; h < LANES / 8; h++) *(Eight *)sums += terms.eights[h];
}

/* A mask of the first so many lanes. */
static inline M live_of(int n)
{
    M live;
    for (int l = 0; l < LANES; l++) live[l] = l < n ? -1 : 0;
    return live;
}

static inline double sum_of_eight(const double *x)
{
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}
"""

UNARY = """
static __attribute__((noinline, const)) V lanes_@name(V x)
{
    V r;
    for (int l = 0; l < LANES; l++) r[l] = @name(x[l]);
    return r;
}
"""

FAST_UNARY = """
static INLINE_IF_SHORT V lanes_@name(V x)
{
    V r;
    fast_@name_lanes(LANES, (const double *)&x, (double *)&r);
    return r;
}
"""

FAST_POWER = """
static __attribute__((noinline, const)) V lanes_any_power(V x, V y)
{
    V r;
    for (int l = 0; l < LANES; l++) r[l] = pow(x[l], y[l]);
    return r;
}

static inline __attribute__((always_inline)) V lanes_pow(V x, V y)
{
    if (__builtin_constant_p(y[0])) { /* then all lanes have it */
        if (y[0] == 0.0) return splat(1.0);
        if (y[0] == 1.0) return x;
        if (y[0] == 2.0) return x * x;
        if (y[0] == 3.0) return x * x * x;
        if (y[0] == -1.0) return 1.0 / x;
    }
    return lanes_any_power(x, y);
}
"""

SQRT = """
static inline V lanes_sqrt(V x)
{
    V r;
    for (int l = 0; l < LANES; l++) r[l] = __builtin_sqrt(x[l]);
    return r;
}
"""

BINARY = """
static __attribute__((noinline, const)) V lanes_@name(V x, V y)
{
    V r;
    for (int l = 0; l < LANES; l++) r[l] = @name(x[l], y[l]);
    return r;
}
"""

ELEMENT_OF_LANES = """
static V lanes_element(const V *x, int n, V index)
{
    V r;
    for (int l = 0; l < LANES; l++) r[l] = is_place(index[l], n) ? x[(int)index[l]][l] : NAN;
    return r;
}
"""

LOOKUP = """
static V looked_up(const double *f, const double *u, const int *elements, int n, V index)
{
    V r;
    for (int l = 0; l < LANES; l++) {
        int place = is_place(index[l], n) ? elements[(int)index[l]] : INT32_MIN;
        r[l] = place >= 0 ? f[place * STRIDE + l] : place == INT32_MIN ? NAN : u[-1 - place];
    }
    return r;
}

static void push_looked_up(double *a, Kept *kept, const int *elements, int n, V index, V adjoint, M live, int lane)
{
    for (int l = 0; l < LANES; l++) {
        if (!live[l] || !is_place(index[l], n)) continue;
        int place = elements[(int)index[l]];
        if (place >= 0) a[place * STRIDE + l] += adjoint[l];
        kept->element[lane + l] = place < 0 ? -1 - place : -1;
        kept->adjoint[lane + l] = adjoint[l];
    }
}
"""

RUN_OF_ONE = """
void run(double *f, double *a, const unsigned char *need, double *scratch, int which)
{
@run}
"""

RUN_OF_LANES = """
enum { INPUTS = @count_inputs, OUTPUTS = @count_outputs, SLOTS = @count_slots, SUMS = @count_sums };
enum { SCRATCH = @count_scratch, LOOKUPS = @count_lookups, PARTS = @count_parts, BLOCK = @count_block };
enum { CHUNK = 4 * FOLD, AT_ONCE = STRIDE > FOLD ? FOLD : LANES };

/* `n` examples of a fold, from `lane` on. */
static inline __attribute__((always_inline)) void run_lanes(
    double *f, double *a, const double *u, double *sums, double *parts, const double *packed, V *scratch, Kept *kept,
    const unsigned char *need, int lane, const int n, const double *example, const double *seed, int64_t seed_step,
    double *output, double *gradient)
{
    for (int l = 0; l < (n + LANES - 1) / LANES * LANES; l += EIGHT)
        for (int i = 0; i < INPUTS; i++)
            for (int e = l; e < l + EIGHT; e++) f[i * STRIDE + e] = example[(e < n ? e : n - 1) * INPUTS + i];
    @clear
    for (int l = 0; l < n; l++, seed += seed_step) {
        @seed
    }
    @call
    for (int l = 0; l < n; l++, output += OUTPUTS) {
        @output
    }
    for (int l = 0; l < n; l += LANES) {
        @sum
    }
    for (int l = 0; l < n; l++, gradient += INPUTS) {
        @gradient
    }
}

static void run_chunk(int64_t count, const double *batch, const double *u, const double *seeds, int64_t seed_step,
                      const unsigned char *need, double *outputs, double *total, double *input_gradients, double *room,
                      const double *packed)
{
    double *f = room, *a = f + SLOTS * STRIDE, *sums = a + SLOTS * STRIDE;
    double *parts = sums + SUMS * EIGHT + SCRATCH * LANES;
    V *scratch = (V *)(sums + SUMS * EIGHT);
    Kept *kept = (Kept *)(parts + PARTS);
    for (int64_t fold = 0; fold < count; fold += FOLD) {
        int in_fold = count - fold < FOLD ? (int)(count - fold) : FOLD;
        memset(sums, 0, SUMS * EIGHT * sizeof(double));
        memset(kept, 0xFF, LOOKUPS * sizeof(Kept));
        for (int lane = 0; lane < in_fold; lane += AT_ONCE) {
            int64_t first = fold + lane;
            int n = in_fold - lane < AT_ONCE ? in_fold - lane : AT_ONCE;
            const double *example = batch + first * INPUTS, *seed = seeds + first * seed_step;
            double *output = outputs + first * OUTPUTS, *gradient = input_gradients + first * INPUTS;
            if (n == AT_ONCE)
                run_lanes(f, a, u, sums, parts, packed, scratch, kept, need, lane, AT_ONCE, example, seed, seed_step,
                          output, gradient);
            else
                run_lanes(f, a, u, sums, parts, packed, scratch, kept, need, lane, n, example, seed, seed_step, output,
                          gradient);
        }
        for (int b = 0; b < in_fold; b += BLOCK) {
            int is_last = b + BLOCK >= in_fold;
            (void)is_last;
            @fold
        }
    }
}

/* Chunk by chunk. Of several, each one's sums are taken in `part`, and then added to the totals, `numbers` of them. */
void run(int64_t count, const double *batch, const double *u, const double *seeds, int64_t seed_step,
         const unsigned char *need, double *outputs, double *total, double *part, int64_t numbers,
         double *input_gradients, double *room)
{
    double *f = room, *packed = f + 2 * SLOTS * STRIDE + SUMS * EIGHT + SCRATCH * LANES + PARTS + LOOKUPS * 2 * FOLD;
    for (int l = 0; l < STRIDE; l++) {
        @fill
    }
    @pack
    for (int64_t chunk = 0; chunk < count; chunk += CHUNK) {
        int64_t n = count - chunk < CHUNK ? count - chunk : CHUNK;
        double *gradients = input_gradients == NULL ? NULL : input_gradients + chunk * INPUTS;
        if (part != NULL) memset(part, 0, (size_t)numbers * sizeof(double));
        run_chunk(n, batch + chunk * INPUTS, u, seeds + chunk * seed_step, seed_step, need, outputs + chunk * OUTPUTS,
                  part != NULL ? part : total, gradients, room, packed);
        for (int64_t i = 0; part != NULL && i < numbers; i++) total[i] += part[i];
    }
}
"""

# Products over a fold: tiles whose sums stay in registers. The order of each sum is that of native/product_kernels.h.
PRODUCTS = """
#ifdef __AVX512F__ /* tiles that fit into the registers */
enum { WIDTH = 8, TILE = 8, WEIGHT_ROWS = 5 };
#elif defined __AVX__
enum { WIDTH = 4, TILE = 4, WEIGHT_ROWS = 1 };
#else
enum { WIDTH = 2, TILE = 2, WEIGHT_ROWS = 1 };
#endif
enum { VECTORS = LANES / WIDTH, OF_EIGHT = EIGHT / WIDTH, WEIGHT_COLUMNS = 4, INPUTS_AT_ONCE = 240 };
typedef double W __attribute__((vector_size(WIDTH * 8), may_alias)); /* one register: an array of larger ones is none */
typedef double Four __attribute__((vector_size(32), aligned(8), may_alias));

typedef struct {
    int neurons, length, has_rows, has_slots; /* has_slots: the starts are in slots */
    const int *begins, *starts, *results, *inputs, *masks;
} Product;

#define UNROLLED _Pragma("GCC unroll 8")
#define INLINED static inline __attribute__((always_inline))

INLINED W *at(const double *x, int k) { return (W *)(x + k * STRIDE); }

INLINED int is_left_out(const Product *p, const unsigned char *need, int j)
{
    return p->masks != NULL && p->masks[j] >= 0 && !need[p->masks[j]];
}

INLINED void forward_tile(const Product *p, double *f, const double *u, const double *w, int j, const int neurons)
{
    W sums[TILE][VECTORS];
    const double *rows[TILE];
    UNROLLED for (int r = 0; r < neurons; r++) {
        rows[r] = w + p->begins[j + r];
        UNROLLED for (int v = 0; v < VECTORS; v++) {
            if (p->has_slots) sums[r][v] = at(f, p->starts[j + r])[v];
            else sums[r][v] = u[p->starts[j + r]] - (W){0.0}; /* which -0.0 stays */
        }
    }
    for (int k = 0; k < p->length; k++) {
        const W *x = at(f, p->inputs[k]);
        UNROLLED for (int r = 0; r < neurons; r++)
            UNROLLED for (int v = 0; v < VECTORS; v++) sums[r][v] += rows[r][k] * x[v];
    }
    UNROLLED for (int r = 0; r < neurons; r++)
        UNROLLED for (int v = 0; v < VECTORS; v++) at(f, p->results[j + r])[v] = sums[r][v];
}

static void product_forward(const Product *p, double *f, const double *u, const double *packed, int n)
{
    for (int l = 0; l < n; l += LANES, f += LANES) {
        const double *w = p->has_rows ? u : packed;
        int j = 0;
        for (; j + TILE <= p->neurons; j += TILE) forward_tile(p, f, u, w, j, TILE);
        for (; j + 2 <= p->neurons; j += 2) forward_tile(p, f, u, w, j, 2);
        for (; j < p->neurons; j++) forward_tile(p, f, u, w, j, 1);
    }
}

INLINED void inputs_tile(const Product *p, double *a, const double *w, const unsigned char *need, int first, int end,
                         int k, const int inputs)
{
    W sums[TILE][VECTORS];
    UNROLLED for (int r = 0; r < inputs; r++)
        UNROLLED for (int v = 0; v < VECTORS; v++) sums[r][v] = at(a, p->inputs[k + r])[v];
    for (int j = end - 1; j >= first; j--) {
        if (is_left_out(p, need, j)) continue;
        const W *adjoint = at(a, p->results[j]);
        const double *row = w + p->begins[j] + k;
        UNROLLED for (int r = 0; r < inputs; r++)
            UNROLLED for (int v = 0; v < VECTORS; v++) sums[r][v] += row[r] * adjoint[v];
    }
    UNROLLED for (int r = 0; r < inputs; r++)
        UNROLLED for (int v = 0; v < VECTORS; v++) at(a, p->inputs[k + r])[v] = sums[r][v];
}

static void push_to_inputs(const Product *p, double *f, double *a, const double *u, const double *packed,
                           const unsigned char *need, int first, int end, int n)
{
    for (int l = 0; l < n; l += LANES, a += LANES) {
        const double *w = p->has_rows ? u : packed;
        int k = 0;
        for (; k + TILE <= p->length; k += TILE) inputs_tile(p, a, w, need, first, end, k, TILE);
        for (; k + 2 <= p->length; k += 2) inputs_tile(p, a, w, need, first, end, k, 2);
        for (; k < p->length; k++) inputs_tile(p, a, w, need, first, end, k, 1);
    }
}

static void push_to_starts(const Product *p, double *a, const unsigned char *need, int first, int end, int n)
{
    for (int l = 0; l < n; l += LANES, a += LANES)
        for (int j = end - 1; j >= first; j--)
            if (!is_left_out(p, need, j) && p->starts[j] != p->results[j]) A(p->starts[j]) += A(p->results[j]);
}

/* sum_of_eight() of as many as WEIGHT_COLUMNS. */
INLINED void sums_of_eight(W (*sums)[OF_EIGHT], const int count, double *totals)
{
    double eights[WEIGHT_COLUMNS][EIGHT];
    UNROLLED for (int r = 0; r < count; r++)
        UNROLLED for (int v = 0; v < OF_EIGHT; v++) ((W *)eights[r])[v] = sums[r][v];
#ifdef __AVX__
    if (count == WEIGHT_COLUMNS) {
        Four x[WEIGHT_COLUMNS];
        for (int r = 0; r < 4; r++) x[r] = ((Four *)eights[r])[0] + ((Four *)eights[r])[1];
        Four of_02 = __builtin_shufflevector(x[0], x[2], 0, 1, 4, 5) + __builtin_shufflevector(x[0], x[2], 2, 3, 6, 7);
        Four of_13 = __builtin_shufflevector(x[1], x[3], 0, 1, 4, 5) + __builtin_shufflevector(x[1], x[3], 2, 3, 6, 7);
        *(Four *)totals = __builtin_shufflevector(of_02, of_13, 0, 4, 2, 6)
                          + __builtin_shufflevector(of_02, of_13, 1, 5, 3, 7);
        return;
    }
#endif
    for (int r = 0; r < count; r++) totals[r] = sum_of_eight(eights[r]);
}

/* Of some neurons, none left out, and some inputs; `step` is how far a neuron's sums are from the next one's. */
INLINED void weights_tile(const Product *p, const double *f, const double *a, int j, int k, const int neurons,
                          const int inputs, int n, double *parts, int step)
{
    W sums[WEIGHT_ROWS][WEIGHT_COLUMNS][OF_EIGHT] = {{{{0.0}}}};
    for (int l = 0; l < n; l += EIGHT)
        UNROLLED for (int v = 0; v < OF_EIGHT; v++)
            UNROLLED for (int q = 0; q < neurons; q++) {
                W adjoint = at(a + l, p->results[j + q])[v];
                UNROLLED for (int r = 0; r < inputs; r++) sums[q][r][v] += at(f + l, p->inputs[k + r])[v] * adjoint;
            }
    UNROLLED for (int q = 0; q < neurons; q++) sums_of_eight(sums[q], inputs, parts + q * step);
}

INLINED void weights_of(const Product *p, const double *f, const double *a, int j, int first, int end,
                        const int neurons, int n, double *parts)
{
    int k = first;
    for (; k + WEIGHT_COLUMNS <= end; k += WEIGHT_COLUMNS)
        weights_tile(p, f, a, j, k, neurons, WEIGHT_COLUMNS, n, parts + k - first, end - first);
    for (; k < end; k++) weights_tile(p, f, a, j, k, neurons, 1, n, parts + k - first, end - first);
}

/* How many neurons may be taken together from the j-th on: several, if none of them is left out. */
static int how_many(const Product *p, const unsigned char *need, int j)
{
    if (j + WEIGHT_ROWS > p->neurons) return 1;
    for (int q = 0; q < WEIGHT_ROWS; q++)
        if (is_left_out(p, need, j + q)) return 1;
    return WEIGHT_ROWS;
}

/* The sums over the fold: some inputs' weights of all neurons, then the next inputs'; and at the end the biases. */
static void push_to_weights(const Product *p, double *f, double *a, const unsigned char *need, double *parts, int n)
{
    for (int l = n; l < (n + EIGHT - 1) / EIGHT * EIGHT; l++) { /* what fills up the last eight adds nothing */
        for (int k = 0; k < p->length; k++) f[p->inputs[k] * STRIDE + l] = 0.0;
        for (int j = 0; j < p->neurons; j++) a[p->results[j] * STRIDE + l] = 0.0;
    }
    for (int first = 0, end; first < p->length; first = end) {
        end = first + INPUTS_AT_ONCE < p->length ? first + INPUTS_AT_ONCE : p->length;
        for (int j = 0, some; j < p->neurons; j += some, parts += some * (end - first)) {
            some = how_many(p, need, j);
            if (some == WEIGHT_ROWS && WEIGHT_ROWS > 1) weights_of(p, f, a, j, first, end, WEIGHT_ROWS, n, parts);
            else if (is_left_out(p, need, j)) memset(parts, 0, (size_t)(end - first) * sizeof(double));
            else weights_of(p, f, a, j, first, end, 1, n, parts);
        }
    }
    for (int j = 0; !p->has_slots && j < p->neurons; j++, parts++) {
        W sum[1][OF_EIGHT] = {{{0.0}}};
        for (int l = 0; l < n; l += EIGHT)
            UNROLLED for (int v = 0; v < OF_EIGHT; v++) sum[0][v] += at(a + l, p->results[j])[v];
        if (is_left_out(p, need, j)) *parts = 0.0;
        else sums_of_eight(sum, 1, parts);
    }
}
"""
