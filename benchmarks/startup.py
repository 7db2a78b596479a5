"""(e) What the start costs: the import of each module, and the time until the first request leaves."""

from __future__ import annotations

import itertools
import json
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.bench import Bench
from benchmarks.parts import BEGAN, FILE
from benchmarks.stage import ROOT, stage

_LINE = re.compile(r"import time:\s*(\d+) \|\s*(\d+) \|( *)(\S+)")


@dataclass(frozen=True)
class Import:
    """A module that the suite imports before it can ask: milliseconds of itself, and of its whole package."""

    package: str
    own: float
    modules: int


def imports(rounds: int) -> list[Import]:
    """The packages by what importing their modules costs, the dearest first (median of the rounds)."""
    found: dict[str, list[tuple[float, int]]] = {}
    for _ in range(rounds):
        command = [sys.executable, "-X", "importtime", "-c", "import gc; gc.disable(); import release_state.run"]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr
        sums: dict[str, tuple[float, int]] = {}
        for own, _, _, module in _LINE.findall(told):
            package = ".".join(module.split(".")[:2]) if module.startswith("release_state") else module.split(".")[0]
            before, modules = sums.get(package, (0.0, 0))
            sums[package] = before + int(own) / 1000, modules + 1
        for package, pair in sums.items():
            found.setdefault(package, []).append(pair)
    medians = [Import(name, statistics.median(own for own, _ in pairs), pairs[0][1]) for name, pairs in found.items()]
    return sorted(medians, key=lambda each: -each.own)


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
