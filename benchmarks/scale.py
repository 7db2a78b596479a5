"""What is compared where there is much of it: long histories, whole histories, many projects."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack

from benchmarks.bench import Bench, Row, away
from benchmarks.measure import Subject, interleave
from benchmarks.stage import ROOT, Stage, stage
from tests.standins.fleet import Fleet

PROJECTS = 100
VERSIONS = 2000
HISTORIES = (10, 100, 1000, 10000)
_LONG, _WHOLE = 1.25, 1.5
"""What 10,000 versions may take of 10, and an audit of fetching alone."""


def over_the_history(bench: Bench) -> list[Row]:
    """(d) One version's gate where the project has 10 to 10,000 versions, tags, releases and pull requests."""
    if shutil.which("curl") is None:
        return [Row("curl is not installed: not measured", {})]
    rows = []
    with ExitStack() as exits:
        gates, counts, fetching = [], [], []
        for versions in HISTORIES:
            at = exits.enter_context(stage("clean", 0.0, versions))
            fetching.append(_fetching(bench, at))
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
        interleave([*gates, *fetching], bench.rounds)
    for number, (gate, (count, pages)) in enumerate(zip(gates, counts, strict=True)):
        first, transfer = number % 2, fetching[number // 2].seconds
        ratio = (gate.seconds - transfer) / (gates[first].seconds - fetching[0].seconds)
        longest = number >= len(gates) - 2
        figures = {"seconds": gate.seconds, "CPU seconds": gate.cpu, "transfer": transfer}
        figures |= {"requests": count, "for drafts": pages}
        met = count == counts[first][0] and (ratio <= _LONG or not longest)
        goal = "same requests but for drafts" + (f"; at most {_LONG:g}" if longest else "")
        rows.append(Row(gate.name, figures, ratio, goal, met, _LONG if longest else None))
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
    if shutil.which("curl") is None:
        return [Row("curl is not installed: not measured", {})]
    rows = []
    for round_trip in (0.0, 0.1):
        with stage("released", round_trip, VERSIONS) as at:
            hand = _fetching(bench, at)
            command = [sys.executable, "-m", "pytest", "checks/", "--version", "all", "--channel", "pypi", "-q"]
            options = ["--reports-dir", str(bench.reports), *at.options()]
            # Its newest version is whole; the old ones have no wheel and need none.
            audit = Subject("audit", [[*command, *options]], ROOT, bench.env(at), frozenset({0, 1}))
            bare = bench.bare(1)
            interleave([audit, hand, bare], min(bench.rounds, 2))
        ratio, goal = audit.seconds / hand.seconds, f"at most {_WHOLE:g}" if round_trip else ""
        figures = {"audit": audit.seconds, "by hand": hand.seconds, "bare pytest": bare.seconds}
        met = ratio <= _WHOLE if round_trip else None
        rows.append(
            Row(f"{VERSIONS:,} versions, {away(round_trip)}", figures, ratio, goal, met, _WHOLE if round_trip else None)
        )
    return rows


def _fetching(bench: Bench, at: Stage) -> Subject:
    """Fetching a project's index page and its refs, and nothing else."""
    page = ["--header", "Accept: application/vnd.pypi.simple.v1+json", f"{at.index['pypi']}{at.package}/"]
    fetched = [["curl", "--silent", "--show-error", "--fail", *page], ["git", "ls-remote", at.remote_url]]
    return Subject("fetching", fetched, at.root, bench.env(at))
