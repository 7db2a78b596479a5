"""Further logs in the words of public reports, names replaced: `reports.txt`.

Each begins with `== its name`. The line below has the scenario (`?`: nobody can tell), words of the decisive line, the
step's command (empty: no step) and its exit code (empty: the action marked its error itself).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.incidents.forms import UPLOAD, log, step

_FILE = Path(__file__).with_name("reports.txt")


def read_reports() -> Iterator[tuple[str, str, str | None, str]]:
    """Yield the name, the log, the scenario and words of the decisive line of each report."""
    for block in _FILE.read_text(encoding="utf-8").removeprefix("== ").split("\n== "):
        name, head, *lines = block.rstrip("\n").split("\n")
        scenario, says, command, code = (part.strip() for part in head.split("|"))
        output = [line.replace("@UPLOAD@", UPLOAD) for line in lines if line]
        text = log(step(command, *output, code=int(code) if code else None)) if command else "\n".join(output) + "\n"
        yield name, text, None if scenario == "?" else scenario, says
