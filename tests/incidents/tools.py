"""What the tools of a release say when they end it, in the words of their own source: `tools.txt`.

A row has the scenario, the step (with `!`: an action that marks its last line as an error itself), and the lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.incidents.forms import UPLOAD, log, step

_FILE = Path(__file__).with_name("tools.txt")


def _read() -> Iterator[tuple[str, str, str]]:
    """Yield the scenario, the message and the log of each row."""
    for row in _FILE.read_text(encoding="utf-8").splitlines():
        if row.startswith("#"):
            continue
        scenario, command, said = row.split(" | ", 2)
        lines = said.replace("@UPLOAD@", UPLOAD).split("\\n")
        marks = command.startswith("!")
        if marks:
            lines[0] = f"##[error]{lines[0]}"
        yield scenario, said, log(step(command.removeprefix("!"), *lines, code=None if marks else 1))


SAYINGS: tuple[tuple[str, str, str], ...] = tuple(_read())
