"""Measure and write `docs/performance.md`: `python3 dev.py benchmark [--rounds N] [--only NAME …]`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import asked, cases, page, round_trips, scale, startup
from benchmarks.bench import PHASES, Bench

CASES = {
    "floor": cases.against_the_floor,
    "runbook": cases.against_the_runbook,
    "workers": cases.with_workers,
    "installations": cases.many_installations,
    "history": scale.over_the_history,
    "memory": cases.memory,
    "processes": cases.git_processes,
    "projects": scale.many_projects,
    "versions": scale.many_versions,
}


def main() -> None:
    """Run the comparisons; with `--only`, print those and write nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="how often each subject is measured (default: 4)")
    parser.add_argument("--only", action="append", choices=CASES, help="this comparison alone; writes no page")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="release-state-benchmark-") as folder:
        bench = Bench(Path(folder), given.rounds)
        rows = {}
        for name in given.only or CASES:
            print(page.TITLES[name], flush=True)
            rows[name] = CASES[name](bench)
            print(*(f"  {row.what}: {dict(row.figures)} ratio {row.ratio} {row.met}" for row in rows[name]), sep="\n")
        if not given.only:
            print("(e) The start, and what is asked", flush=True)
            start = page.Start(startup.imports(given.rounds), startup.first_request(bench), startup.parts(bench))
            waited = {phase: round_trips.measure(phase) for phase in PHASES}
            cut = {phase: round_trips.measure(phase, is_cut=True) for phase in PHASES}
            page.write(rows, start, asked.asked(bench), waited, cut, given.rounds)


if __name__ == "__main__":
    main()
