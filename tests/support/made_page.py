"""The parts of docs/reliability.md that are made from what the tests run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "reliability.md"


def with_part(document: str, name: str, text: str) -> str:
    """The document with the part of this name replaced."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, _, rest = document.partition(begin)
    return f"{before}{begin}{text}{end}{rest.partition(end)[2]}"


def print_or_write(name: str, make: Callable[[], str]) -> None:
    """Print the part; with `--write` on the command line, put it into the page."""
    if sys.argv[1:] != ["--write"]:
        sys.stdout.write(make())
        return
    PAGE.write_text(with_part(PAGE.read_text(encoding="utf-8"), name, make()), encoding="utf-8")
