"""What is compared with what. Each function measures one comparison and gives its rows, ready for the table."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.measure import Subject, interleave
from benchmarks.stage import ROOT, Stage, stage
from release_state.check import catalogue, of_phase
from release_state.demo.fleet import Fleet
from release_state.outcome import Phase
from tests.convergence.real_gh import gh_at

ROUND_TRIPS = (0.0, 0.03, 0.1)
"""Seconds to each service and back."""
PROJECTS = 100
VERSIONS = 2000
HISTORIES = (10, 100, 1000, 10000)
CHECKS = {phase.value: len(of_phase(catalogue(ROOT / "checks"), phase)) for phase in Phase}
"""How many checks each phase has."""
PHASES = {"pre-release": "clean", "post-recovery": "released"}
_ONE_VERSION = ("--version", "0.2.0", "--channel", "pypi")
_SEVERAL = {
    1: _ONE_VERSION,
    2: ("--version", "0.2.0", "--channel", "all"),
    3: ("--version", "0.2.0", "--version", "0.1.0", "--channel", "all"),
}
"""What is named to have so many installations."""


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
        self, at: Stage, phase: str, *options: str, name: str = "the gate", what: Sequence[str] = _ONE_VERSION
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
        command = [sys.executable, "-m", "pytest", *page, "-p", "no:cacheprovider", "--import-mode=importlib", *options]
        return Subject(name, [command], folder, self.env())

    def lookups(self, at: Stage, phase: str, *options: str) -> Lookups:
        """Each look-up alone."""
        command = [sys.executable, "-m", "benchmarks.lookups", "--phase", phase, *at.options(), *options]
        return Lookups(command, self.env(at))


def against_the_floor(bench: Bench) -> list[Row]:
    """(a) The gate against what it cannot be faster than: pytest with empty tests, and the slowest look-up alone."""
    rows = []
    # pip takes seconds beside which all else is little: with it, one row has to do.
    ways = [(phase, round_trip, ("--no-install",)) for phase in PHASES for round_trip in ROUND_TRIPS]
    for phase, round_trip, options in [*ways, ("post-recovery", 0.1, ())]:
        with stage(PHASES[phase], round_trip) as at:
            gate, bare = bench.gate(at, phase, *options), bench.bare(CHECKS[phase])
            lookups = bench.lookups(at, phase, *options)
            interleave([gate, bare, lookups], bench.rounds)
        name, seconds = lookups.slowest
        ratio, most = gate.seconds / (bare.seconds + seconds), 1.25 if round_trip == max(ROUND_TRIPS) else 1.5
        rows.append(
            Row(
                f"{phase}{'' if options else ' and installation'}, {_away(round_trip)}",
                {"gate": gate.seconds, "bare pytest": bare.seconds, f"slowest look-up ({name})": seconds},
                ratio,
                "" if round_trip == 0.03 else f"at most {most:g}",
                None if round_trip == 0.03 else ratio <= most,
                None if round_trip == 0.03 else most,
            )
        )
    return rows


def against_the_runbook(bench: Bench) -> list[Row]:
    """(b) The gate against the runbook's commands, corrected, typed one after another without a pause for thought."""
    rows = []
    gh = shutil.which("gh")
    if gh is None:
        return [Row("gh is not installed: not measured", {})]
    for round_trip in ROUND_TRIPS:
        with ExitStack() as exits:
            at = exits.enter_context(stage("released", round_trip))
            port = urlsplit(at.github).port or 0
            more = exits.enter_context(gh_at(gh, port, at.root))
            hand = Subject(
                "the runbook by hand", _by_hand(gh, at), at.clone, bench.env(at, {**more, "GH_TOKEN": at.token})
            )
            gate, bare = bench.gate(at, "post-recovery", "--no-install"), bench.bare(CHECKS["post-recovery"])
            interleave([gate, hand, bare], bench.rounds)
            ratio, limit = hand.seconds / gate.seconds, hand.seconds / bare.seconds
            rows.append(
                Row(
                    _away(round_trip),
                    {"gate": gate.seconds, "by hand": hand.seconds, "ratio of pytest with empty tests": limit},
                    ratio,
                    "at least 5" if round_trip else "",
                    ratio >= 5 if round_trip else None,
                    5.0 if round_trip else None,
                )
            )
    return rows


def _by_hand(gh: str, at: Stage) -> list[list[str]]:
    where = ("--repo", f"github.com/{at.repository}")
    return [
        ["git", "fetch", "--quiet", "--prune", "--tags", "origin"],
        ["git", "ls-remote", "--heads", "origin", "release/*"],
        ["git", "tag", "--list", "v0.2.0"],
        ["git", "ls-remote", "--tags", "origin", "v0.2.0"],
        ["git", "status", "--porcelain"],
        [sys.executable, "-m", "pip", "index", "versions", at.package, "--index-url", at.index["pypi"]],
        [gh, "run", "list", "--workflow", "release.yml", "--limit", "5", *where],
        [gh, "run", "list", "--branch", "main", "--limit", "5", *where],
        [gh, "pr", "list", "--head", "release/pypi-v0.2.0", "--state", "all", *where],
        [gh, "release", "view", "v0.2.0", *where],
    ]


def with_workers(bench: Bench) -> list[Row]:
    """(c) The gate with workers against the serial one: time, and requests."""
    rows = []
    for round_trip in (0.0, 0.1):
        with stage("clean", round_trip) as at:
            ways = [bench.gate(at, "pre-release", *way, name=" ".join(way) or "serial") for way in ((), ("-n", "2"))]
            ways.append(bench.gate(at, "pre-release", "-n", "auto", name="-n auto"))
            counts = []
            for way in ways:
                at.asked()
                way.turn(counts=False)
                asked = at.asked()
                counts.append(len(asked.github) + len(asked.index) + len(asked.git))
            interleave(ways, bench.rounds)
        for way, count in zip(ways, counts, strict=True):
            rows.append(
                Row(
                    f"{way.name}, {_away(round_trip)}",
                    {"seconds": way.seconds, "requests": count},
                    way.seconds / ways[0].seconds,
                    "no more requests than serial",
                    count <= counts[0],
                )
            )
    return rows


def many_installations(bench: Bench) -> list[Row]:
    """(c) Several versions and channels, each installed: what one of them adds to the gate without any."""
    rows = []
    with stage("released", 0.0) as at:
        phase = "post-recovery"
        # The third: on one of the two indexes 0.1.0 is not there, which those runs say.
        without = {n: bench.gate(at, phase, "--no-install", what=what) for n, what in _SEVERAL.items()}
        ways = {n: bench.gate(at, phase, what=what) for n, what in _SEVERAL.items()}
        for gate in (without[3], ways[3]):
            gate.expected = frozenset({1})
        interleave([*without.values(), *ways.values()], bench.rounds)
    alone = ways[1].seconds - without[1].seconds
    for number, way in ways.items():
        each = (way.seconds - without[number].seconds) / number
        most = 1.2 / min(number, os.cpu_count() or 1)
        figures = {"seconds": way.seconds, "without installing": without[number].seconds, "each": each}
        rows.append(
            Row(
                f"{number} installation{'s' * (number > 1)}",
                figures,
                each / alone,
                f"at most {most:g} of one alone" if number > 1 else "",
                each / alone <= most if number > 1 else None,
                most if number > 1 else None,
            )
        )
    return rows


def over_the_history(bench: Bench) -> list[Row]:
    """(d) One version's gate where the project has 10 to 10,000 versions, tags, releases and pull requests."""
    rows = []
    with ExitStack() as exits:
        gates, counts = [], []
        for versions in HISTORIES:
            at = exits.enter_context(stage("clean", 0.0, versions))
            # A token that may see drafts reads the whole list of releases for them; another one is shown none.
            for who, token in (("", at.token), (", without drafts", at.reader)):
                gate = bench.gate(at, "pre-release", name=f"{versions:,} versions{who}")
                gate.env, gate.expected = {**gate.env, "GITHUB_TOKEN": token}, frozenset({0, 1, 6})
                at.asked()
                gate.turn(counts=False)
                asked = at.asked()
                pages = sum("/releases?" in line for line in asked.github)
                counts.append((len(asked.github) + len(asked.index) - pages, pages))
                gates.append(gate)
        interleave(gates, bench.rounds)
    for number, (gate, (count, pages)) in enumerate(zip(gates, counts, strict=True)):
        first = number % 2
        ratio, longest = gate.seconds / gates[first].seconds, number >= len(gates) - 2
        figures = {"seconds": gate.seconds, "CPU seconds": gate.cpu, "requests": count, "for drafts": pages}
        met = count == counts[first][0] and (ratio <= 2 or not longest)
        goal = "same requests but for drafts" + ("; at most 2" if longest else "")
        rows.append(Row(gate.name, figures, ratio, goal, met, 2.0 if longest else None))
    return rows


def memory(bench: Bench) -> list[Row]:
    """(f) Peak memory of the gate's largest process against bare pytest's."""
    rows = []
    for phase, scenario in PHASES.items():
        with stage(scenario, 0.0) as at:
            gate, bare = bench.gate(at, phase, "--no-install"), bench.bare(CHECKS[phase])
            gate.weighs = bare.weighs = True
            interleave([gate, bare], min(bench.rounds, 2))
        ratio = gate.peak / bare.peak
        rows.append(
            Row(phase, {"gate, MiB": gate.peak, "bare pytest, MiB": bare.peak}, ratio, "at most 2", ratio <= 2, 2.0)
        )
    return rows


def many_projects(bench: Bench) -> list[Row]:
    """(g) The audit of many small projects by one process and by several."""
    ways = ("0", "1", "2", "auto")
    with Fleet(PROJECTS) as fleet:
        listed = bench.folder / "fleet.toml"
        listed.write_text(fleet.project_list, encoding="utf-8")
        command = [
            *(sys.executable, "-m", "pytest", "checks/", "--project-list", str(listed), "--version", "all"),
            *("--index-url", f"pypi={fleet.index.index_url('pypi')}", "--github-api-url", fleet.url),
            *("--reports-dir", str(bench.reports), "-n"),
        ]
        env = bench.env(more={"GITHUB_TOKEN": fleet.token})
        # Some of them disagree on purpose.
        runs = [Subject(f"-n {way}", [[*command, way]], ROOT, env, frozenset({1})) for way in ways]
        counts = []
        for run in runs:
            fleet.requests.clear()
            run.turn(counts=False)
            counts.append(len(fleet.requests))
        interleave(runs, min(bench.rounds, 2))
    return [
        Row(
            f"{PROJECTS} projects, {run.name}",
            {"seconds": run.seconds, "CPU seconds": run.cpu, "requests": count},
            run.seconds / runs[0].seconds,
            "no more requests than by one process",
            count <= counts[0],
        )
        for run, count in zip(runs, counts, strict=True)
    ]


def many_versions(bench: Bench) -> list[Row]:
    """(h) The audit of a long history against fetching its index page and its refs, and nothing else, by hand."""
    curl = shutil.which("curl")
    if curl is None:
        return [Row("curl is not installed: not measured", {})]
    rows = []
    for round_trip in (0.0, 0.1):
        with stage("released", round_trip, VERSIONS) as at:
            page = ["--header", "Accept: application/vnd.pypi.simple.v1+json", f"{at.index['pypi']}{at.package}/"]
            fetched = [[curl, "--silent", "--show-error", "--fail", *page], ["git", "ls-remote", at.remote_url]]
            hand = Subject("by hand", fetched, at.root, bench.env(at))
            command = [sys.executable, "-m", "pytest", "checks/", "--version", "all", "--channel", "pypi", "-q"]
            options = ["--reports-dir", str(bench.reports), *at.options()]
            # Its newest version is whole; the old ones have no wheel and need none.
            audit = Subject("audit", [[*command, *options]], ROOT, bench.env(at), frozenset({0, 1}))
            bare = bench.bare(1)
            interleave([audit, hand, bare], min(bench.rounds, 2))
        ratio, goal = audit.seconds / hand.seconds, "at most 2" if round_trip else ""
        figures = {"audit": audit.seconds, "by hand": hand.seconds, "bare pytest": bare.seconds}
        met = ratio <= 2 if round_trip else None
        rows.append(
            Row(f"{VERSIONS:,} versions, {_away(round_trip)}", figures, ratio, goal, met, 2.0 if round_trip else None)
        )
    return rows


def _away(round_trip: float) -> str:
    return f"{round_trip * 1000:g} ms"
