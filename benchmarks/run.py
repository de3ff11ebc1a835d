"""This engine against its peers, side by side: `make bench`.

    python benchmarks/run.py [--quick] [--only NAME ...]

A full run takes a quarter of an hour, prints its results and writes them to benchmarks/RESULTS.md. `--quick` measures
fewer pairs and `--only` some comparisons (`--help` lists them): these only print.
Peers that are not installed are left out, and the table says so: pip install -e ".[peers]" brings them all.
"""

from __future__ import annotations

import argparse

from batches import measure_training
from comparisons import ALL, Comparison, Training
from contestants import CONTESTANTS
from measures import MEASURES, Run, measure_steps
from pairs import FOLDER, CannotError, worker
from report import failure, preamble

COMPARISONS: dict[str, Comparison | Training] = {comparison.name: comparison for comparison in ALL}


def main() -> None:
    parser = argparse.ArgumentParser(description="This engine against its peers, side by side.")
    parser.add_argument("--quick", action="store_true", help="fewer pairs; write nothing")
    parser.add_argument("--only", choices=COMPARISONS, nargs="+", help="these comparisons; write nothing")
    arguments = parser.parse_args()

    versions, missing = roll_call()
    ours = "python" if "native" in missing else "native"
    run = Run(ours, missing, 3, 0.0, 1) if arguments.quick else Run(ours, missing, 11, 4.0, 3)
    parts = [preamble(versions)]
    print(parts[0], flush=True)
    for name in arguments.only or COMPARISONS:
        comparison = COMPARISONS[name]
        try:
            if isinstance(comparison, Training):
                parts.append(measure_training(run, comparison))
            else:
                parts.append(MEASURES.get(name, measure_steps)(run, comparison))
        except CannotError as error:
            parts.append(failure(comparison, CONTESTANTS[ours].title, str(error)))
        print(parts[-1], flush=True)
    if not arguments.quick and not arguments.only:
        (FOLDER / "RESULTS.md").write_text("\n".join(parts), encoding="utf-8")


def roll_call() -> tuple[dict[str, str], dict[str, str]]:
    """The versions of the contestants that are there, and why the others are not."""
    versions, missing = {}, {}
    for name, contestant in CONTESTANTS.items():
        try:
            with worker(name) as process:
                if process.version:
                    versions[contestant.distribution] = process.version
        except CannotError as error:
            missing[name] = str(error)
    return versions, missing


if __name__ == "__main__":
    main()
