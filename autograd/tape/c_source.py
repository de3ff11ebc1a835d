"""c_source() writes a Wengert list as a file in standard C that needs nothing but the C library.

It is meant for small computers: the parameters may be constants, which stay in the memory of programs, and what is
computed lies in arrays of a fixed size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from textwrap import fill
from typing import TYPE_CHECKING

from autograd.operation import ieee
from autograd.operations import OPERATIONS
from autograd.rows_in_c import C_NAMES, KEYWORDS
from autograd.tape.dialects import Floats, Rules, Scalars
from autograd.tape.steps import of_one, output_sets
from autograd.tape.sweeps_in_c import Asked, Memory, Sweeps
from autograd.tape.wengert import ON_INPUTS, ON_PARAMETERS
from autograd.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from autograd.tape.sweeps_in_c import Text
    from autograd.tape.wengert import WengertList


@dataclass
class Regions(Memory):
    """Inputs, parameters, results and constants in arrays of their own: where each begins among the slots."""

    inputs: int = 0
    parameters_end: int = 0
    end: int = 0

    def at(self, names: Sequence[str], index: str, slots: Sequence[int]) -> str:
        firsts = [0, self.inputs, self.parameters_end, self.end]
        of_slots = {max(k for k, first in enumerate(firsts) if slot >= first) for slot in slots}
        if len(of_slots) > 1:
            return f"{names[-1]}({index})"
        [region] = of_slots
        first, name = firsts[region], names[region]
        if index.isdigit():
            return f"{name}[{int(index) - first}]"
        if match := re.fullmatch(r"(\d+) \+ (.*)", index):
            rest = int(match[1]) - first
            return f"{name}[{rest} + {match[2]}]" if rest else f"{name}[{match[2]}]"
        return f"{name}[{index} - {first}]" if first else f"{name}[{index}]"

    def number_at(self, index: str, slots: Sequence[int]) -> str:
        return self.at(("x", "p", "f", "c", "NUMBER"), index, slots)

    def adjoint_at(self, index: str, slots: Sequence[int]) -> str:
        return self.at(("gx", "gp", "a", "gc", "ADJOINT"), index, slots)


def c_source(
    wengert: WengertList,
    parameters: Sequence[float] | None,
    labels: Sequence[str],
    name: str,
    is_float: bool,
    gradient: bool,
) -> str:
    """What Tape.c_source() returns; parameters that are given are constants. Labels are of inputs and parameters."""
    return Source(wengert, parameters, labels, name, Floats if is_float else Scalars, gradient).text()


OWN_NAMES = ("seeds", "outputs", "need", "scratch", "is_place", "NUMBER", "ADJOINT", "main")
# Of C99's library, where gcc, glibc and POSIX add to it, of those, too. Many have an f or l behind, or a c before them.
LIBRARY = re.findall(
    r"\w+",
    """asm typeof unix linux bool true false ceil copysign fabs fdim floor fma fmax fmin fmod frexp ilogb ldexp lgamma
    llrint llround logb lrint lround modf nan nearbyint nextafter nexttoward remainder remquo rint round scalbn
    scalbln tgamma trunc pow10 exp10 sincos gamma drem finite significand scalb signgam float_t double_t
    fpclassify math_errhandling signbit abs arg imag conj proj real abort alloca atexit atof atoi atol atoll
    bsearch calloc div exit fork free getenv index labs ldiv llabs lldiv malloc mblen imaxabs imaxdiv qsort rand
    realloc rindex srand strtod strtof strtol strtold strtoll strtoul strtoull system assert clearerr errno
    fclose feof ferror fflush fgetc fgetpos fgets fopen fputc fputs fread freopen fseek fsetpos ftell fwrite
    getc getchar gets perror putc putchar puts remove rename rewind setbuf setvbuf tmpfile tmpnam ungetc open
    close read write link unlink pipe select send time wait sleep kill bcmp bcopy bzero ffs ffsl ffsll asctime
    clock ctime difftime gmtime localtime mktime localeconv longjmp setjmp setlocale raise signal toascii
    toupper tolower towupper towlower towctrans gettext dgettext dcgettext btowc wctob mbrlen mbrtowc mbsinit
    mbsrtowcs mbstowcs mbtowc wcrtomb wctomb wctrans wctype fgetwc fgetws fputwc fputws fwide getwc getwchar putwc
    putwchar ungetwc feclearexcept fegetenv fegetexceptflag fegetround feholdexcept feraiseexcept fesetenv
    fesetexceptflag fesetround fetestexcept feupdateenv strtoimax strtoumax va_arg va_start va_end va_copy offsetof
    sigaction vfork aligned_alloc quick_exit at_quick_exit timespec_get roundeven fromfp ufromfp fromfpx ufromfpx
    nextup nextdown llogb fmaxmag fminmag fmaximum fminimum canonicalize totalorder totalordermag getpayload
    setpayload setpayloadsig issignaling iscanonical iszero acospi asinpi atanpi atan2pi cospi sinpi tanpi compoundn
    exp2m1 exp10m1 log2p1 log10p1 logp1 pown powr rootn rsqrt fadd fsub fmul fdiv fsqrt ffma dadd dsub dmul ddiv dsqrt
    dfma iseqsig fmaximum_num fminimum_num fmaximum_mag fminimum_mag fmaximum_mag_num fminimum_mag_num stdin stdout
    stderr complex imaginary FILE NULL BUFSIZ CLOCKS_PER_SEC call_once constexpr nullptr alignas alignof static_assert
    thread_local typeof_unqual""",
)
PATTERNS = (
    r"T\d+|(for|back)ward_\d.*|\w+_(value|by_).*|(M|FP|MATH|HUGE)_[A-Z0-9_]+|NAN|INFINITY|isw?[a-z]+|[jy][01n]f?l?"
    r"|v?(f|d|s|sn|as)?w?(print|scan)f|(str|mem|stp|wcs|wmem)[a-z]+|l?gamma[fl]?_r|exec[lv][ep]*|\w+_unlocked"
    r"|\w+_t|E[A-Z0-9]+|SIG\w+|(CHAR|S?HRT|U?INT|U?L?LONG|FLT|L?DBL|SEEK|LC|EXIT|RAND|FE|W?CHAR|SIZE)_[A-Z0-9_]+"
    r"|(thrd|mtx|cnd|tss|atomic)_\w+"
)


def check_name(name: str) -> None:
    """Raises ValueError unless it can be the name of a function, and is none of those in the file or the C library.

    Neither a file that does not compile is wanted, nor a function in the place of the library's own.
    """
    is_name = isinstance(name, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{2,}", name)
    taken = {*KEYWORDS, *ieee.given, *OPERATIONS, *C_NAMES.values(), *LIBRARY, *OWN_NAMES}
    if not is_name or {name, re.sub("[fl]$", "", name), re.sub("^c", "", name)} & taken or re.fullmatch(PATTERNS, name):
        raise ValueError(
            "Tape.c_source: name: expected a name of three letters or more that has no meaning in C, such as "
            f"'network', got {name!r}"
        )


@dataclass
class Source:
    wengert: WengertList
    parameters: Sequence[float] | None
    labels: Sequence[str]
    name: str
    dialect: type[Scalars]
    gradient: bool

    def text(self) -> str:
        wengert, layout = self.wengert, of_one(self.wengert)
        variables = wengert.first_result + len(wengert)
        slots = {v: v for v in range(variables)} | {-1 - k: variables + k for k in range(len(layout.constants))}
        depends = wengert.dependences.tolist()
        wanted = ON_INPUTS if self.parameters is not None else ON_INPUTS | ON_PARAMETERS
        masks, self.sets = output_sets(wengert)
        asked = Asked(self.gradient, lambda v: bool(depends[v] & wanted), lambda v: masks[v])
        self.memory = Regions("", inputs=wengert.inputs, parameters_end=wengert.first_result, end=variables)
        rules = Rules(self.dialect)
        self.literals = [rules.literal(number) for number in layout.constants]
        self.outputs = [slots[v] for v in wengert.outputs.tolist()]
        written = Sweeps(layout, slots, rules, asked, self.memory).write(
            {*self.outputs}, {*self.outputs} if self.gradient else set(), fuses=False
        )
        self.scratch = written.scratch
        return self.assembled(written, rules)

    def assembled(self, written: Text, rules: Rules) -> str:
        functions = "".join(map(self.named, written.functions))
        function = self.forward_function(written) + (self.gradient_function(written) if self.gradient else "")
        code = "".join([*written.rules, functions, function])
        declared = re.split(r"\n(?=static)", written.declared_tables())
        tables = [table for table in declared if is_used(table, code)]
        parts = [
            self.head(), "#include <math.h>", "\n".join(self.arrays(code)), "\n".join(part.strip() for part in tables),
            IS_PLACE.format(number=self.dialect.number) if re.search(r"\bis_place\(", code) else "",
            *map(wrapped, written.rules), functions, function,
        ]  # fmt: skip
        return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"

    def arguments(self, is_backward: bool) -> dict[str, str]:
        """Of the functions: their names and declarations."""
        number, has_p = self.dialect.number, self.parameters is None
        found = {"x": f"const {number} *x"} | ({"p": f"const {number} *p"} if has_p else {})
        if is_backward:
            found |= {"gx": f"{number} *gx"} | ({"gp": f"{number} *gp"} if has_p else {})
            found |= {"need": "const unsigned char *need"} if self.sets else {}
        return found

    def named(self, function: str) -> str:
        """A function of a part of the list, with its arguments."""
        head, _, body = function.partition("\n{\n")
        name = re.findall(r"\w+(?=\()", head)[0]
        arguments = self.arguments(name.startswith("backward"))
        unused = "".join(f"    (void){each};\n" for each in arguments if not is_read(each, body))
        return f"\nstatic void {name}({', '.join(arguments.values())})\n{{\n{unused}{wrapped(body)}"

    def forward_function(self, written: Text) -> str:
        number, arguments = self.dialect.number, self.arguments(False)
        calls = [f"{name}({', '.join(arguments)});" for name in written.forward]
        lines = [*calls, *(f"outputs[{k}] = {self.output(slot)};" for k, slot in enumerate(self.outputs))]
        unused = [f"(void){each};" for each in arguments if not is_read(each, " ".join(lines))]
        return defined(self.name, [*arguments.values(), f"{number} *outputs"], [*unused, *lines])

    def gradient_function(self, written: Text) -> str:
        number, forward, backward = self.dialect.number, self.arguments(False), self.arguments(True)
        zeros = {"gx": self.wengert.inputs, "gp": self.wengert.parameters, "a": len(self.wengert)}
        zero = "0.0f" if number == "float" else "0.0"
        sets = self.sets if written.backward else []
        lines = [f"unsigned char need[{len(sets)}];"] if sets else []
        lines.append(f"{self.name}({', '.join([*forward, 'outputs'])});")
        lines += [
            f"for (int i = 0; i < {count}; i++) {array}[i] = {zero};"
            for array, count in zeros.items()
            if count and (array in backward or array == "a")
        ]
        for k, slot in enumerate(self.outputs):
            is_parameter = self.memory.inputs <= slot < self.memory.parameters_end
            if slot < self.memory.end and not (is_parameter and self.parameters is not None):
                lines.append(f"{self.memory.adjoint_at(str(slot), [slot])} += seeds[{k}];")
        if written.backward:
            lines.append(f"if ({' && '.join(f'seeds[{k}] == 0' for k in range(len(self.outputs)))}) return;")
        for number_of, outputs in enumerate(sets):
            asked = [f"seeds[{k}] != 0" for k in range(len(self.outputs)) if outputs >> k & 1]
            lines.append(f"need[{number_of}] = {' || '.join(asked) or '0'};")
        lines += [f"{name}({', '.join(backward)});" for name in written.backward]
        arguments = {**forward, "seeds": f"const {number} *seeds", "outputs": f"{number} *outputs"}
        arguments |= {each: text for each, text in backward.items() if each in ("gx", "gp")}
        unused = [f"(void){each};" for each in arguments if not is_read(each, " ".join(lines))]
        return defined(f"{self.name}_gradient", [*arguments.values()], [*unused, *lines])

    def output(self, slot: int) -> str:
        if slot >= self.memory.end:
            return self.literals[slot - self.memory.end]
        return self.memory.number_at(str(slot), [slot])

    def arrays(self, code: str) -> list[str]:
        number, count = self.dialect.number, max(len(self.wengert), 1)
        lines = []
        literal = Rules(self.dialect).literal
        if self.parameters is not None and re.search(r"\b(p\[|NUMBER\()", code):
            lines += [filled(f"static const {number} p[] = {{{', '.join(map(literal, self.parameters)) or '0'}}};")]
        if re.search(r"\b(c\[|NUMBER\()", code):
            lines += [filled(f"static const {number} c[] = {{{', '.join(self.literals) or '0'}}};")]
        if re.search(r"\b(f\[|NUMBER\()", code):
            lines += [f"static {number} f[{count}]; /* results */"]
        if re.search(r"\b(a\[|ADJOINT\()", code):
            lines += [f"static {number} a[{count}]; /* the adjoints of results */"]
        if re.search(r"\b(gc\[|ADJOINT\()", code):
            most = max(len(self.literals), self.wengert.parameters, 1)
            lines += [f"static {number} gc[{most}]; /* nobody reads them */"]
        if re.search(r"\bscratch\b", code):
            lines += [f"static {number} scratch[{self.scratch}];"]
        first, second, third = self.memory.inputs, self.memory.parameters_end, self.memory.end
        pattern = (
            "#define {0}(k) \\\n    (*((k) < {1} ? {4} + (k) : (k) < {2} ? {5} + ((k) - {1})"
            " : (k) < {3} ? {6} + ((k) - {2}) : {7} + ((k) - {3})))"
        )
        if re.search(r"\bNUMBER\(", code):
            lines.append(pattern.format("NUMBER", first, second, third, "x", "p", "f", "c"))
        if re.search(r"\bADJOINT\(", code):
            of_parameters = "gp" if self.parameters is None else "gc"
            lines.append(pattern.format("ADJOINT", first, second, third, "gx", of_parameters, "a", "gc"))
        return lines

    def head(self) -> str:
        """The comment that says how to call it."""
        wengert, number, name = self.wengert, self.dialect.number, self.name
        has_p = self.parameters is None
        counts = f"{counted(wengert.inputs, 'input')}, {counted(wengert.parameters, 'parameter')}"
        counts += f" and {counted(len(self.outputs), 'output')}"
        lines = [f"{name}: {counts}, written from a tape by scalar-autograd.", ""]
        call = f"{name}(x{', p' * has_p}, outputs)"
        lines += [f"    {call}", "        computes the outputs, in the order in which the tape was given them", ""]
        if self.gradient:
            call = f"{name}_gradient(x{', p' * has_p}, seeds, outputs, gx{', gp' * has_p})"
            lines += [
                f"    {call}",
                "        computes them and, with seeds[k] the derivative of a result by outputs[k], that of the result",
                f"        by each input, gx{', and by each parameter, gp' * has_p}; what has the seed 0 is left out",
                "",
            ]
        sizes = f"x[{wengert.inputs}]{f', p[{wengert.parameters}]' * has_p}, outputs[{len(self.outputs)}]"
        lines += [f"All arrays are of {number}s: {sizes}."]
        lines += ["What is computed lies in static arrays: one call must end before the next begins."]
        lines += [] if has_p else ["The parameters are constants, as they were when this was written."]
        kinds = [("x", wengert.inputs, self.labels[: wengert.inputs])]
        kinds += [("p", wengert.parameters, self.labels[wengert.inputs :])]
        for array, _, labels in kinds:
            named = [f"{array}[{place}] {plain(label)}" for place, label in places(labels) if label]
            lines += ["", *fill(", ".join(named), 112).splitlines()] if named else []
        return "/* " + "\n   ".join(lines).replace("\n   \n", "\n\n") + " */"


def places(labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each label once, where it stands several times in line: with its place, or the first and the last one."""
    first = 0
    for label, run in groupby(labels):
        end = first + len([*run])
        yield (f"{first}..{end - 1}" if end - first > 1 else str(first)), label
        first = end


def plain(label: str) -> str:
    """A label as it may stand in a comment: it cannot end it, has no other lines, and is in no other direction."""
    printable = "".join(character if character.isprintable() else "?" for character in label)
    return re.sub(r"\*(?=/)|/(?=\*)|\?(?=\?)", r"\g<0> ", printable)  # ??/ is a trigraph


def is_read(name: str, code: str) -> bool:
    """Whether it stands there; a macro may stand for an array."""
    macro = "NUMBER" if name in ("x", "p") else "ADJOINT" if name in ("gx", "gp") else name
    return bool(re.search(rf"\b({name}|{macro})\b", code))


def is_used(table: str, code: str) -> bool:
    names = re.findall(r"\bT\d+\b", table)
    return bool(names) and bool(re.search(rf"\b{names[0]}\b", code))


def defined(name: str, arguments: Sequence[str], lines: Sequence[str]) -> str:
    body = wrapped("".join(f"    {line}\n" for line in lines))
    return f"\nvoid {name}({', '.join(arguments)})\n{{\n{body}}}\n"


def filled(text: str) -> str:
    return fill(text, 118, subsequent_indent="    ")


def wrapped(body: str) -> str:
    """Lines of at most 118 characters, where there is a place to break them."""
    lines = []
    for line in body.split("\n"):
        start = line[: len(line) - len(line.lstrip())]
        lines.append(fill(line.strip(), 118, initial_indent=start, subsequent_indent=start + "    "))
    return "\n".join(lines)


IS_PLACE = """
static int is_place({number} index, int n)
{{
    return index >= 0 && index < ({number})n && ({number})(int)index == index;
}}
"""
