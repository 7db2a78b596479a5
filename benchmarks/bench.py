"""The place that everything is measured in, and what a comparison gives: rows, ready for the table."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Subject
from benchmarks.stage import ROOT, Stage
from release_state.model.outcome import Phase
from release_state.run.checks import catalogue
from release_state.verdict.check import select_phase

CHECKS = {phase.value: len(select_phase(catalogue(ROOT / "checks"), phase)) for phase in Phase}
"""How many checks each phase has."""
PHASES = {"pre-release": "clean", "post-recovery": "released"}
"""Phases that are measured, each with the scenario in which all is well."""
ONE_VERSION = ("--version", "0.2.0", "--channel", "pypi")


@dataclass(frozen=True)
class Row:
    """One comparison: what it is, its figures by name, and the goal that it is held against."""

    what: str
    figures: Mapping[str, float]
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None
    bound: float | None = None
    """The goal as a number, where the ratio is held against it."""


@dataclass
class Lookups:
    """Times each look-up alone, inside a process of its own."""

    command: Sequence[str]
    env: Mapping[str, str]
    found: list[dict[str, float]] = field(default_factory=list)
    slow: tuple[str, ...] = ()
    """The slowest ones of the round that does not count: the others are not timed again."""

    def turn(self, counts: bool) -> None:
        """Time the look-ups once."""
        command = [*self.command, *(f"--only={name}" for name in self.slow)]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        if counts:
            self.found.append(found)
        else:
            self.slow = tuple(sorted(found, key=lambda name: -float(found[name]))[:3])

    @property
    def slowest(self) -> tuple[str, float]:
        """The look-up with the greatest median, and that in seconds."""
        medians = {name: statistics.median(found[name] for found in self.found) for name in self.found[0]}
        name = max(medians, key=lambda each: medians[each])
        return name, medians[name]


@dataclass
class Bench:
    """A place to run commands in: folders of its own, an environment that inherits next to nothing."""

    folder: Path
    rounds: int

    @property
    def reports(self) -> Path:
        """Where the reports of the measured runs go."""
        return self.folder / "reports"

    def env(self, at: Stage | None = None, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of what is measured."""
        token = {"GITHUB_TOKEN": at.token} if at else {}
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", **token, **(more or {})}

    def gate(
        self, at: Stage, phase: str, *options: str, name: str = "the gate", what: Sequence[str] = ONE_VERSION
    ) -> Subject:
        """One whole run of a phase; `what` says of which versions and channels."""
        command = [
            *(sys.executable, "-m", "pytest", "checks/", *what, "--phase", phase),
            *("--reports-dir", str(self.reports), *at.options(), *options),
        ]
        return Subject(name, [command], ROOT, self.env(at))

    def bare(self, tests: int, *options: str, name: str = "bare pytest") -> Subject:
        """The same pytest with the same plugins, as many tests, and nothing in them."""
        folder = self.folder / f"bare-{tests}"
        folder.mkdir(exist_ok=True)
        lines = "".join(f"def test_{number}() -> None:\n    pass\n" for number in range(tests))
        (folder / "test_empty.py").write_text(lines, encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        page = ("--html", str(folder / "page.html"), "--self-contained-html")
        without = [word for name in ("cacheprovider", "hypothesispytest", "anyio") for word in ("-p", f"no:{name}")]
        command = [sys.executable, "-m", "pytest", *page, *without, "--import-mode=importlib", *options]
        return Subject(name, [command], folder, self.env())

    def lookups(self, at: Stage, phase: str, *options: str) -> Lookups:
        """Each look-up alone."""
        command = [sys.executable, "-m", "benchmarks.lookups", "--phase", phase, *at.options(), *options]
        return Lookups(command, self.env(at))


def away(round_trip: float) -> str:
    """A distance, in words; from seconds."""
    return f"{round_trip * 1000:g} ms"
