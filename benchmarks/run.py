"""This engine against its peers, side by side: `make bench`.

    python benchmarks/run.py [--quick] [--only NAME ...]

A full run takes half an hour, prints its results and writes them to benchmarks/RESULTS.md. `--quick` measures one pair
of each, `--only` some subjects (`engine` is all that README.md's table needs, which is printed, too): these only print.
Peers that are not installed are left out, and the tables say so: pip install -e ".[peers]" brings them all.
"""

import argparse

from comparisons import README, SECTIONS
from contestants import CONTESTANTS
from measuring import FOLDER, CannotError, measured
from report import Cells, Table, machine, readme_table

PREAMBLE = """\
# Results

Written by `make bench`. Times are medians; "× ours" is how many times as long as this engine (the first row) a
contestant took: the median of the ratios of pairs that were measured in turns (ours, theirs, ours, theirs, ...), with
the quartiles in brackets (of fewer than four pairs, the least and the most), in bold where it was faster. Each
contestant runs in a process of its own, all in float64, on one thread where nothing else is said, and it was checked
that their numbers agree. The garbage collector is on, as users have it, but where a column says that it is off. "First"
is what passes until the first step is done: making the parameters and, where a contestant compiles, compiling. Budgets
are of this engine's design.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="This engine against its peers, side by side.")
    parser.add_argument("--quick", action="store_true", help="one pair of each; write nothing")
    parser.add_argument("--only", choices=[*SECTIONS, "engine"], nargs="+", help="these subjects; write nothing")
    arguments = parser.parse_args()

    distributions = dict.fromkeys(contestant.distribution for contestant in CONTESTANTS.values())
    first: dict[str, tuple[Table, Cells]] = {}  # of each section's tables
    parts = [f"{PREAMBLE}\n{machine(filter(None, distributions))}"]
    print(parts[0], flush=True)
    asked = [README if name == "engine" else [name] for name in arguments.only or SECTIONS]
    for name in dict.fromkeys(name for names in asked for name in names):
        section = SECTIONS[name]
        parts.append(f"## {section.title}\n\n{section.text}\n")
        for table in section.tables:
            parts[-1] += f"\n### {table.title}\n" if table.title else ""
            try:
                cells = measured(table, arguments.quick)
                first.setdefault(name, (table, cells))
                parts[-1] += f"\n{table.markdown(cells)}\n"
            except CannotError as error:
                parts[-1] += f"\n{table.rows[0].title}: {error}\n"
        print(parts[-1], flush=True)
    if README.keys() <= first.keys():
        parts.insert(1, f"In README.md:\n\n{readme_table(README, first)}\n")
        print(parts[1])
    if not arguments.quick and not arguments.only:
        (FOLDER / "RESULTS.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
