"""`docs/performance.md` and its plot, from what was measured."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

from benchmarks.asked import Asked
from benchmarks.cases import Row
from benchmarks.stage import ROOT
from benchmarks.startup import Import

mpl.use("svg")
# The same figures give the same file.
mpl.rcParams.update({"svg.hashsalt": "release-state", "svg.fonttype": "none", "font.family": "sans-serif"})

PAGE, PLOT = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"

TITLES = {
    "floor": "(a) The gate against its floor",
    "runbook": "(b) The gate against the runbook by hand",
    "workers": "(c) Workers against serial",
    "history": "(d) The length of the history",
    "memory": "(f) Peak memory of the largest process",
    "projects": "(g) Many projects",
}

INTRODUCTION = """# Performance

Made by `python3 dev.py benchmark`, which measures everything anew and writes this page. What is compared takes turns
within one run, and the ratios of the medians are what counts: seconds differ from machine to machine. The services are
the demo world's (git over smart HTTP, an index, GitHub's API) in processes of their own, behind a relay that makes a
distance of 0, 30 or 100 ms there and back. A new connection costs two of these round trips before its first request,
one for TCP and one for TLS 1.3; encrypting itself is not a part of it.
"""


def write(rows: Mapping[str, Sequence[Row]], imports: Sequence[Import], first: Mapping[str, float],
          asked: Mapping[str, Sequence[Asked]], rounds: int) -> None:  # fmt: skip
    """Write both files."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {sys.platform}"
    parts = [INTRODUCTION, f"This page: {rounds} rounds on {machine}.\n\n![The ratios](performance.svg)\n"]
    parts += [f"## {TITLES[name]}\n\n{_table(found)}\n" for name, found in rows.items()]
    parts.append(_start_up(imports, first))
    parts.append(_asked(asked))
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


def _start_up(imports: Sequence[Import], first: Mapping[str, float]) -> str:
    times = ", ".join(f"{name} after {seconds:.2f} s" for name, seconds in first.items())
    lines = [f"| `{each.package}` | {each.modules} | {each.own:.1f} |" for each in imports[:24]]
    rest = imports[24:]
    lines.append(f"| {len(rest)} others | {sum(i.modules for i in rest)} | {sum(i.own for i in rest):.1f} |")
    head = "| package | modules | milliseconds |\n|---|---|---|\n"
    return (
        f"## (e) The start\n\nFrom the start of the process: {times}. What is imported before the first request "
        f"(`-X importtime`, which itself slows it down):\n\n{head}" + "\n".join(lines) + "\n"
    )


def _asked(asked: Mapping[str, Sequence[Asked]]) -> str:
    parts = [
        "## Which request buys which fact\n",
        "Their number is the same whatever the length of the history and the number of workers; tests hold it. A "
        "repository that has moved, active rulesets, a failed release run and other release branches cost some more.\n",
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
        colours = ["#b3261e" if row.met is False else "#2e7d4f" for row in found]
        bars = axis.barh([row.what for row in found], [row.ratio for row in found], color=colours)
        axis.bar_label(bars, fmt="%.2f", padding=3)
        axis.set_title(TITLES[name], fontsize=10)
        axis.invert_yaxis()
        axis.margins(x=0.15)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
