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
_SEVERAL = {
    1: ONE_VERSION,
    2: ("--version", "0.2.0", "--channel", "all"),
    3: ("--version", "0.2.0", "--version", "0.1.0", "--channel", "all"),
}
"""What is named to have so many installations."""


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
                f"{phase}{'' if options else ' and installation'}, {away(round_trip)}",
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
                    away(round_trip),
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
            Row(phase, {"gate, MiB": gate.peak, "bare pytest, MiB": bare.peak}, ratio, "at most 2", ratio <= 2, 2.0)
        )
    return rows
