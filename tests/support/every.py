"""`--every-state`: all states that are enumerated, not as many as CI has time for; `--part 3/40`: a part of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import pytest

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """One of several parts that are as large as each other; together they are all."""

    number: int
    parts: int

    def of(self, cases: Sequence[T]) -> Sequence[T]:
        """The cases of this part, spread over all."""
        return cases[self.number - 1 :: self.parts]


def add_options(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("states of a release")
    group.addoption("--every-state", action="store_true", help="execute and judge every state that is enumerated")
    group.addoption("--part", default="1/1", metavar="N/PARTS", help="only one part of them, as 3/40")


def part_of(config: pytest.Config) -> Part | None:
    """Which part of every state is asked for; None: those of CI."""
    if not config.getoption("--every-state"):
        return None
    found = re.fullmatch(r"(\d+)/(\d+)", config.getoption("--part"))
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise pytest.UsageError(f"--part is which of how many, as 3/40: {config.getoption('--part')}")
    return Part(int(found[1]), int(found[2]))
