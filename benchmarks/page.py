"""`docs/performance.md` and its plot, from what was measured."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl

from benchmarks.asked import Asked
from benchmarks.bench import Row
from benchmarks.parts import PARTS
from benchmarks.round_trips import Waited
from benchmarks.stage import ROOT
from benchmarks.startup import MOMENTS, Import

mpl.use("svg")
# The same figures give the same file.
mpl.rcParams.update({"svg.hashsalt": "release-state", "svg.fonttype": "none", "font.family": "sans-serif"})

PAGE, PLOT = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"

TITLES = {
    "floor": "(a) The gate against its floor",
    "runbook": "(b) The gate against the runbook by hand",
    "workers": "(c) Workers against serial",
    "installations": "(c) Several installations",
    "history": "(d) The length of the history",
    "memory": "(f) Peak memory of the largest process",
    "projects": "(g) Many projects",
    "versions": "(h) A whole history",
    "processes": "(i) Git processes",
}

INTRODUCTION = """# Performance

Made by `python3 dev.py benchmark`, which measures everything anew and writes this page. What is compared takes turns
within one run, and the ratios of the medians are what counts: seconds differ from machine to machine. The services are
the demo world's (git over smart HTTP, an index, GitHub's API) in processes of their own, behind a relay that makes a
distance of 0, 30 or 100 ms there and back. A new connection costs two of these round trips before its first request,
one for TCP and one for TLS 1.3; encrypting itself is not a part of it.
"""


NOTES = {
    "floor": "The floor: the same pytest with the same plugins and as many empty tests, and then the round trips of "
    "the longest chain of questions, five before a release and six after one. At no distance there is nothing to wait "
    "for, and what a gate takes beside the floor is computing; (e) shows where it goes.",
    "runbook": "By hand: git fetch, branch, tag and status, pip, and gh for runs, pull requests and the release, one "
    "after the other, without a pause for thought or for reading. The gate learns more than that: what is pulled "
    "together by hand afterwards is not counted. No run under pytest can reach more than *by hand* divided by pytest "
    "with empty tests, the last figure: where that is below the goal, the start of Python and pytest is the limit.",
    "installations": "Each in an environment of its own, by a pip of its own, as many at once as there are.",
    "workers": "The checks take a hundredth of a second: what workers cost is their start. The requests are the "
    "controller's alone.",
    "history": "GitHub shows drafts in the list of all releases alone, a hundred for each request: only a project with "
    "more than a hundred releases pays for that, and only with a token that may see drafts. The ratio is that of the "
    "seconds without the transfer: what curl of the page of the index and git ls-remote take, which read nothing.",
    "projects": "Eight projects are observed at once, by however many processes: most of the time is waiting, and a "
    "project costs some hundredths of a second to read and judge. A worker has to start pytest and the suite first, "
    "which pays where there are cores to spare and some hundred projects.",
    "versions": "By hand: curl of the project's page of the index, then git ls-remote, of which nothing is read. The "
    "audit asks GitHub too, whose releases come a hundred for each request, the first and then six at once: four round "
    "trips more. The rest is computing: the start of pytest and of the suite, reading the files and releases, what "
    "pytest itself does for a result each, and the reports. So bare pytest is the limit wherever it takes more than "
    "twice the time by hand, and the goal needs services that are some tenths of a second away.",
}


class Start(NamedTuple):
    """What a start costs: imports, the first request (seconds by name), and the parts of a gate by distance."""

    imports: Sequence[Import]
    first: Mapping[str, float]
    parts: Mapping[float, Sequence[float]]


def write(
    rows: Mapping[str, Sequence[Row]],
    start: Start,
    asked: Mapping[str, Sequence[Asked]],
    waited: Mapping[str, Sequence[Waited]],
    cut: Mapping[str, Sequence[Waited]],
    rounds: int,
) -> None:
    """Write both files."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {sys.platform}"
    parts = [
        INTRODUCTION,
        f"This page: {rounds} round{'s' * (rounds != 1)} on {machine}.\n\n![The ratios](performance.svg)\n\n"
        "Ratios: in (b) the greater the better, else the smaller. Dotted: the goal. Green: met; red: not met; grey: "
        "without a goal.\n",
    ]
    for name, found in rows.items():
        if name == "memory":
            parts.append(_start_up(start))
        note = f"{NOTES[name]}\n\n" if name in NOTES else ""
        parts.append(f"## {TITLES[name]}\n\n{note}{_table(found)}")
    parts += [_wait(waited, cut), _asked(asked)]
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    _plot(rows, PLOT)


def _table(rows: Sequence[Row]) -> str:
    lines = ["| | measured | ratio | goal | |", "|---|---|---|---|---|"]
    for row in rows:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in row.figures.items())
        met = {None: "", True: "met", False: "**not met**"}[row.met]
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(f"| {row.what} | {figures} | {ratio} | {row.goal} | {met} |")
    return "\n".join(lines) + "\n"


def _start_up(start: Start) -> str:
    times = ", ".join(f"{name} after {seconds:.2f} s" for name, seconds in start.first.items())
    away = " | ".join(f"{distance * 1000:g} ms" for distance in start.parts)
    spent = [
        f"| {name} | " + " | ".join(f"{seconds[number]:.3f}" for seconds in start.parts.values()) + " |"
        for number, name in enumerate(PARTS)
    ]
    columns = "---|" * len(start.parts)
    return (
        f"## (e) The start, and where the time goes\n\nFrom the start of the process: {times}. The parts of a gate "
        f"before a release, one after the other, in seconds:\n\n| part | {away} |\n|---|{columns}\n"
        + "\n".join(spent)
        + f"\n\n{_imports(start.imports)}"
    )


def _imports(found: Sequence[Import]) -> str:
    ours, others = ([each for each in found if each.is_ours is is_ours] for is_ours in (True, False))
    dear, rest = ([each for each in others if (each.own >= 1) is is_dear] for is_dear in (True, False))
    slow = [each for each in ours if each.own >= 1]
    sums = ", ".join(f"{sum(i.own for i in found if i.when == when):.0f} {when}" for when in MOMENTS)
    lines = [
        f"What a gate imports, beside bare pytest (`-X importtime`, which itself slows it down), in milliseconds: "
        f"{sums}. "
        f"{sum(i.own for i in others):.0f} of them for the packages that the suite depends on and the standard "
        f"library, {sum(i.own for i in ours):.0f} for the suite's own modules.\n",
        "| package | modules | milliseconds | |\n|---|---|---|---|",
        *(f"| `{i.name}` | {i.modules} | {i.own:.1f} | {i.when} |" for i in dear),
        f"| {len(rest)} others | {sum(i.modules for i in rest)} | {sum(i.own for i in rest):.1f} | |\n",
        "<details><summary>The suite's own modules: of itself, and with what it is the first to import</summary>\n",
        "| module | itself | with its imports | |\n|---|---|---|---|",
        *(f"| `{i.name}` | {i.own:.1f} | {i.total:.1f} | {i.when} |" for i in slow),
        f"| {len(ours) - len(slow)} others | {sum(i.own for i in ours) - sum(i.own for i in slow):.1f} | | |",
        "\n</details>\n",
    ]
    return "\n".join(lines)


def _wait(waited: Mapping[str, Sequence[Waited]], cut: Mapping[str, Sequence[Waited]]) -> str:
    parts = [
        "## Who waits for whom\n",
        "Measured with services that are a second away, beside which computing is little: the seconds are round trips. "
        "A connection is two, a request one; `git ls-remote` is four. While git is on its way, what the remote will be "
        "asked about is asked ahead, by the refs that the clone has: an answer counts only if the remote's refs lead "
        "to the same question. Without a clone, or with one that is behind, look-ups start when what they wait for is "
        "there.\n",
        "In a clone without history, as actions/checkout makes it, the history is fetched ahead, too; a tag that the "
        "clone lacks is fetched once the remote has named it: "
        + ", ".join(f"{phase} {max(each.ended for each in found):.1f} round trips" for phase, found in cut.items())
        + ".\n",
    ]
    for phase, found in waited.items():
        longest = max(each.ended for each in found)
        rows = "\n".join(
            f"| {each.lookup} | {each.started:.1f} | {each.ended:.1f} | {', '.join(each.after) or 'nothing'} |"
            for each in sorted(found, key=lambda each: (each.ended, each.started))
        )
        parts.append(f"{phase}, without installation: {longest:.1f} round trips.\n")
        parts.append(f"| look-up | starts | ends | waits for |\n|---|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _asked(asked: Mapping[str, Sequence[Asked]]) -> str:
    parts = [
        "## Which request buys which fact\n",
        "Their number is the same for every number of workers and, but for the list that shows drafts, for every "
        "length of the history; tests hold it. A repository that has moved, active rulesets, a failed release run and "
        "other release branches cost some more; the status pages of GitHub and of the public index are asked once "
        "each, where those are the services.\n",
    ]
    for phase, lines in asked.items():
        counts = {service: sum(each.service == service for each in lines) for service in ("GitHub", "index", "git")}
        said = ", ".join(f"{count} {service}" for service, count in counts.items())
        parts.append(f"A whole {phase} run: {len(lines)} requests ({said}).\n")
        rows = "\n".join(f"| {each.service} | `{each.request}` | {each.fact} |" for each in lines)
        parts.append(f"| service | request | fact |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _plot(rows: Mapping[str, Sequence[Row]], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
    for axis, name in zip(axes.flat, ("floor", "runbook", "history", "memory"), strict=True):
        found = [row for row in rows.get(name, ()) if row.ratio is not None]
        colours = [{True: "#2e7d4f", False: "#b3261e", None: "#7a7f87"}[row.met] for row in found]
        bars = axis.barh([row.what for row in found], [row.ratio for row in found], color=colours)
        axis.bar_label(bars, fmt="%.2f", label_type="center", color="white")
        goals = [(row.bound, number) for number, row in enumerate(found) if row.bound is not None]
        for bound, number in goals:
            axis.plot([bound, bound], [number - 0.4, number + 0.4], color="#111111", linestyle=":", linewidth=2)
        axis.set_title(TITLES[name], fontsize=10)
        axis.invert_yaxis()
        axis.margins(x=0.15)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
