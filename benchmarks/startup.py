"""(e) What the start costs: the import of each module, and the time until the first request leaves."""

from __future__ import annotations

import itertools
import json
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace

from benchmarks.bench import Bench
from benchmarks.parts import BEGAN, FILE
from benchmarks.stage import ROOT, stage

_LINE = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \|( *)(\S+)")


_STEPS = {
    "pytest": None,
    "release_state.run.versions": "before git is asked",
    "release_state.observe.sources": "before the first HTTP request",
    "the rest": "while the services answer",
}
"""What a gate imports, one after the other, and when; the rest by `release_state.run.versions.import_later`.

pytest is in the floor.
"""
MOMENTS = tuple(when for when in _STEPS.values() if when)


@dataclass(frozen=True)
class Import:
    """A module of ours, or all modules of a package that ours need, in milliseconds (medians)."""

    name: str
    when: str
    own: float
    """Of the module's or the package's own code."""
    total: float
    """With what it is the first to import; of a package 0."""
    modules: int

    @property
    def is_ours(self) -> bool:
        """Whether it is one module of the suite."""
        return self.name.startswith("release_state")


def imports(rounds: int) -> list[Import]:
    """What a gate imports beside bare pytest, the dearest first."""
    code = f"import gc; gc.disable(); import {', '.join(list(_STEPS)[:-1])}; release_state.run.versions.import_later()"
    command = [sys.executable, "-X", "importtime", "-c", code]
    found: dict[tuple[str, str], list[Import]] = {}
    for _ in range(rounds):
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr
        for key, each in _read(told).items():
            found.setdefault(key, []).append(each)
    medians = [
        replace(each[0], own=statistics.median(i.own for i in each), total=statistics.median(i.total for i in each))
        for each in found.values()
    ]
    return sorted(medians, key=lambda each: -each.own)


def _read(told: str) -> dict[tuple[str, str], Import]:
    """By name and moment, from what `-X importtime` told: a module stands behind those that it imported."""
    steps, found = iter(_STEPS.items()), dict[tuple[str, str], Import]()
    step, when = next(steps)
    for own, total, indent, module in _LINE.findall(told):
        if when is not None:
            ours = module.startswith("release_state")
            name = module if ours else module.partition(".")[0]
            whole = int(total) / 1000 if ours else 0.0
            before = found.get((name, when), Import(name, when, 0.0, 0.0, 0))
            found[name, when] = Import(name, when, before.own + int(own) / 1000, whole, before.modules + 1)
        if module == step and len(indent) == 1:
            step, when = next(steps, ("", None))
    return found


def parts(bench: Bench) -> dict[float, list[float]]:
    """By distance: the seconds of each part of a gate before a release, as `benchmarks.parts` names them (medians)."""
    found = {}
    file = bench.folder / "parts.json"
    for round_trip in (0.0, 0.1):
        taken = []
        with stage("clean", round_trip) as at:
            gate = bench.gate(at, "pre-release", "-p", "benchmarks.parts")
            for number in range(bench.rounds + 1):
                gate.env = {**gate.env, BEGAN: str(time.time()), FILE: str(file)}
                gate.turn(counts=False)
                ended = time.time()
                if number:
                    moments = [*json.loads(file.read_text(encoding="utf-8")), ended]
                    taken.append([after - before for before, after in itertools.pairwise(moments)])
        found[round_trip] = [statistics.median(each) for each in zip(*taken, strict=True)]
    return found


def first_request(bench: Bench) -> dict[str, float]:
    """Seconds from the start of the process: until the first HTTP request arrives, and until the end."""
    firsts, wholes = [], []
    with stage("clean", 0.0) as at:
        gate = bench.gate(at, "pre-release")
        for number in range(bench.rounds + 1):
            at.asked()
            began = time.time()
            gate.turn(counts=False)
            ended, first = time.time(), at.asked().first
            if number and first is not None:
                firsts.append(first - began)
                wholes.append(ended - began)
    return {"first request": statistics.median(firsts), "whole gate": statistics.median(wholes)}
