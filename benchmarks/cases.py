"""One gate compared with its floor, with the runbook by hand, with workers, with more installations."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack
from urllib.parse import urlsplit

from benchmarks.bench import CHECKS, ONE_VERSION, PHASES, Bench, Row, away
from benchmarks.measure import Subject, interleave
from benchmarks.stage import Stage, stage
from tests.proofs.convergence.real_gh import gh_at

ROUND_TRIPS = (0.0, 0.03, 0.1)
"""Seconds to each service and back."""
TRIPS = {"pre-release": 5, "post-recovery": 6}
"""The longest chain of a phase, in round trips: `benchmarks.round_trips` shows it."""
MOST = {0.0: 2.0, 0.1: 1.15}
"""By distance, what a gate may take of its floor."""
FASTER = {0.03: 2.5, 0.1: 4.3}
"""By distance, how much faster than the runbook by hand it is to be."""
_SEVERAL = {
    1: ONE_VERSION,
    2: ("--version", "0.2.0", "--channel", "all"),
    3: ("--version", "0.2.0", "--version", "0.1.0", "--channel", "all"),
}
"""What is named to have so many installations."""


def against_the_floor(bench: Bench) -> list[Row]:
    """(a) The gate against what it cannot be faster than: pytest with empty tests, and the round trips of its chain."""
    rows = []
    for phase, trips in TRIPS.items():
        for round_trip in ROUND_TRIPS:
            with stage(PHASES[phase], round_trip) as at:
                gate, bare = bench.gate(at, phase, "--no-install"), bench.bare(CHECKS[phase])
                interleave([gate, bare], bench.rounds)
            ratio, most = gate.seconds / (bare.seconds + trips * round_trip), MOST.get(round_trip)
            figures = {"gate": gate.seconds, "bare pytest": bare.seconds, "round trips": trips}
            goal, met = (f"at most {most:g}", ratio <= most) if most else ("", None)
            rows.append(Row(f"{phase}, {away(round_trip)}", figures, ratio, goal, met, most))
    return rows


def git_processes(bench: Bench) -> list[Row]:
    """(i) How many git programs one gate starts."""
    rows = []
    counting, program = bench.folder / "counting", shutil.which("git")
    counting.mkdir(exist_ok=True)
    wrapper = counting / "git"
    wrapper.write_text(f'#!/bin/sh\necho >> "{counting}/started"\nexec {program} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    for phase, scenario in PHASES.items():
        with stage(scenario, 0.0) as at:
            gate = bench.gate(at, phase, "--no-install")
            gate.env = {**gate.env, "PATH": f"{counting}{os.pathsep}{gate.env['PATH']}"}
            (counting / "started").write_bytes(b"")
            gate.turn(counts=False)
            count = len((counting / "started").read_bytes())
        rows.append(Row(phase, {"git processes": count}, None, "at most 15", count <= 15))
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
            least = FASTER.get(round_trip)
            rows.append(
                Row(
                    away(round_trip),
                    {"gate": gate.seconds, "by hand": hand.seconds, "ratio of pytest with empty tests": limit},
                    ratio,
                    f"at least {least:g}" if least else "",
                    ratio >= least if least else None,
                    least,
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
                    f"{way.name}, {away(round_trip)}",
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
            Row(phase, {"gate, MiB": gate.peak, "bare pytest, MiB": bare.peak}, ratio, "at most 1.6", ratio <= 1.6, 1.6)
        )
    return rows
