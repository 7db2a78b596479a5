"""Whole jobs in the words of public reports and of the tools, names replaced, with a run's noise: `runs.txt`.

Each begins with `== its name`. The line below has the scenario (`?`: nobody can tell), words of a decisive line,
whether the same version can be completed (`-`: nobody can tell), and whether something went to the index before
(`some`, `none`; `-`: the upload itself failed). `$ ` begins a step with its command, `! ` ends it with its exit code;
without `$ `, the lines are all that GitHub shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from tests.incidents.forms import UPLOAD, log, step

_FILE = Path(__file__).with_name("runs.txt")


@dataclass(frozen=True)
class Run:
    """One job and its right answer."""

    name: str
    text: str
    scenario: str | None
    says: str
    version: str | None
    uploaded: bool | None


def _read() -> Iterator[Run]:
    for block in _FILE.read_text(encoding="utf-8").removeprefix("== ").split("\n== "):
        name, head, *lines = block.rstrip("\n").replace("@UPLOAD@", UPLOAD).split("\n")
        scenario, says, version, uploaded = head.split(" | ")
        yield Run(
            name,
            _make(lines),
            None if scenario == "?" else scenario,
            says,
            None if version == "-" else version,
            None if uploaded == "-" else uploaded == "some",
        )


def _make(lines: Sequence[str]) -> str:
    """The log of a job with these steps; without a step, the lines alone."""
    starts = [at for at, line in enumerate(lines) if line.startswith("$ ")]
    if not starts:
        return "\n".join(lines) + "\n"
    return log(*(_make_step(lines[at], lines[at + 1 :]) for at in starts))


def _make_step(title: str, following: Sequence[str]) -> list[str]:
    *output, last = takewhile(lambda line: not line.startswith("$ "), following)
    code = int(last.removeprefix("! ")) if last.startswith("! ") else None
    return step(title.removeprefix("$ "), *output, *([] if code else [last]), code=code)


RUNS: tuple[Run, ...] = tuple(_read())
