"""Time and memory of commands, interleaved: what is compared takes turns, so that a busy moment meets all of it."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Cost:
    """What one command took: wall-clock seconds, CPU seconds of it and its children, its peak memory in MiB."""

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
                process = subprocess.Popen(
                    command, cwd=self.cwd, env=dict(self.env), stdin=subprocess.DEVNULL, stdout=output, stderr=output
                )
                _, status, used = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                seconds += time.perf_counter() - began
                cpu += used.ru_utime + used.ru_stime
                peak = max(peak, used.ru_maxrss / 1024)
                if process.returncode not in self.expected:
                    output.seek(0)
                    said = output.read().decode(errors="replace")
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
