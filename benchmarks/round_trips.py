"""Who waits for whom: when each look-up starts and ends, in round trips; run as `python -m benchmarks.round_trips`.

The services are a second away, beside which computing is little: the seconds of a look are its round trips.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmarks.bench import PHASES
from benchmarks.stage import ROOT, Stage, stage
from release_state.model.outcome import Phase
from release_state.observe.collect import collect
from release_state.observe.defects import Progress
from release_state.observe.git.reader import find_repository
from release_state.observe.lookups import ROWS
from release_state.settings.config import Arguments, load

T = TypeVar("T")

ROUND_TRIP = 1.0
"""Seconds."""


class Waited(NamedTuple):
    """One look-up: when it started and ended, in round trips from the start of the look."""

    lookup: str
    started: float
    ended: float

    @property
    def after(self) -> tuple[str, ...]:
        """The look-ups that it waits for."""
        return ROWS[self.lookup].after


class _Timed(Progress):
    """Notes when each look-up starts and ends."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.monotonic()
        self.waited: list[Waited] = []

    def track(self, lookup: str, ask: Callable[[], T]) -> Callable[[], T]:
        """Return the look-up, which notes its times."""

        def tracked() -> T:
            started = time.monotonic()
            try:
                return ask()
            finally:
                ended = time.monotonic()
                trips = [(moment - self.began) / ROUND_TRIP for moment in (started, ended)]
                self.waited.append(Waited(lookup, *trips))

        return tracked


def measure(phase: str, *, is_cut: bool = False) -> list[Waited]:
    """Return the look-ups of a gate in a phase, in the order of their ends; `is_cut`: in a clone without history."""
    with stage(PHASES[phase], ROUND_TRIP) as at:
        if is_cut:
            _cut(at)
        environ = {"PATH": os.environ["PATH"], "HOME": str(at.root), "LANG": "C.UTF-8", "GITHUB_TOKEN": at.token}
        command = [sys.executable, "-m", "benchmarks.round_trips", phase, *at.options()]
        done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=True)
        found = [Waited(*each) for each in json.loads(done.stdout)]
    # One that was asked ahead is there twice, and so is one that has parts.
    names = dict.fromkeys(each.lookup for each in found)
    times = {name: [(each.started, each.ended) for each in found if each.lookup == name] for name in names}
    return [Waited(name, min(times[name])[0], max(ended for _, ended in times[name])) for name in names]


def _cut(at: Stage) -> None:
    """Make the clone anew as actions/checkout does."""
    shutil.rmtree(at.clone)
    origin = f"file://{at.root}/{at.repository}.git"
    for words in (["clone", "-q", "--depth=1", origin, str(at.clone)], ["remote", "set-url", "origin", at.remote_url]):
        subprocess.run(["git", *words], cwd=at.clone if at.clone.is_dir() else at.root, check=True)


def _look(phase: str, options: list[str]) -> None:
    indexes = tuple(each.removeprefix("--index-url=") for each in options if each.startswith("--index-url="))
    rest = [each for each in options if not each.startswith("--index-url=")]
    given = dict(zip(rest[::2], rest[1::2], strict=True))
    arguments = Arguments(
        versions=("0.2.0",),
        channels=("pypi",),
        phase=phase,
        repo=given["--repo"],
        settings={name: given[f"--{name}"] for name in ("package", "repository", "remote-url")},
        index_urls=indexes,
        github_api_url=given["--github-api-url"],
        install=False,
    )
    environ = dict(os.environ)
    config = load(arguments, environ, Path.cwd(), find_repository)
    timed = _Timed()
    collect(
        config,
        None,
        fixed_phase=Phase(phase),
        token=environ["GITHUB_TOKEN"],
        token_source="GITHUB_TOKEN",  # noqa: S106 - the name of the variable
        own_run_id=None,
        environ=environ,
        progress=timed,
    )
    print(json.dumps(timed.waited))


if __name__ == "__main__":
    if sys.argv[1:]:
        _look(sys.argv[1], sys.argv[2:])
    else:
        for each, cut in [*((phase, False) for phase in PHASES), *((phase, True) for phase in PHASES)]:
            print(each, *["in a clone without history"] * cut)
            for row in sorted(measure(each, is_cut=cut), key=lambda row: row.ended):
                print(f"  {row.started:5.2f} {row.ended:5.2f}  {row.lookup}  after {', '.join(row.after)}")
