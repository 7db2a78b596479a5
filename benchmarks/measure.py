"""Time and memory of commands, interleaved: what is compared takes turns, so that a busy moment meets all of it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

_PEAK = Path(__file__).parent / "peak.py"


@dataclass(frozen=True)
class Cost:
    """What commands took: wall-clock seconds, CPU seconds with children, peak memory in MiB where it was weighed."""

    seconds: float
    cpu: float
    peak: float


@dataclass
class Subject:
    """Something to measure: commands that are run one after another, and what their exit codes may be."""

    name: str
    commands: Sequence[Sequence[str]]
    cwd: Path
    env: Mapping[str, str]
    expected: frozenset[int] = frozenset({0})
    weighs: bool = False
    """Whether its memory is what is measured: then a small process starts it, which takes a moment itself."""
    costs: list[Cost] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median of the rounds."""
        return statistics.median(cost.seconds for cost in self.costs)

    @property
    def cpu(self) -> float:
        """The median of the CPU seconds."""
        return statistics.median(cost.cpu for cost in self.costs)

    @property
    def peak(self) -> float:
        """The median peak memory of its largest process, MiB."""
        return statistics.median(cost.peak for cost in self.costs)

    def turn(self, counts: bool) -> None:
        """Run it once. Raises RuntimeError on an exit code that is not expected: that is another measurement."""
        cost = self._run()
        if counts:
            self.costs.append(cost)

    def _run(self) -> Cost:
        seconds = cpu = peak = 0.0
        for command in self.commands:
            with tempfile.TemporaryFile() as output:
                began = time.perf_counter()
                launcher = [sys.executable, "-I", "-S", str(_PEAK)] if self.weighs else []
                process = subprocess.Popen(
                    [*launcher, *command],
                    cwd=self.cwd,
                    env=dict(self.env),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
                _, status, used = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                seconds += time.perf_counter() - began
                cpu += used.ru_utime + used.ru_stime
                output.seek(0)
                said = output.read().decode(errors="replace")
                peak = max(peak, float(said.split()[-1]) if self.weighs else 0.0)
                if process.returncode not in self.expected:
                    raise RuntimeError(f"{self.name}: exit code {process.returncode}\n{said}")
        return Cost(seconds, cpu, peak)


class Takes(Protocol):
    """Something that takes turns."""

    def turn(self, counts: bool) -> None:
        """Do it once; the first time does not count."""


def interleave(subjects: Sequence[Takes], rounds: int) -> None:
    """Measure all of them, in turns; one round before, which does not count, fills the caches of the machine."""
    for number in range(rounds + 1):
        for subject in subjects:
            subject.turn(counts=number > 0)
