"""The place that everything is measured in, and what a comparison gives: rows, ready for the table."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def away(round_trip: float) -> str:
    """A distance, in words; from seconds."""
    return f"{round_trip * 1000:g} ms"
