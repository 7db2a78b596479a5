"""Which sources are being asked, in one line of a terminal that is gone when the answers are there."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from release_state.report.screen import Screen

if TYPE_CHECKING:
    import pytest

    from release_state.asking import Asking

_EVERY = 0.1
"""Seconds between two looks."""


def is_wanted(reporter: pytest.TerminalReporter) -> bool:
    """Whether somebody looks on: a terminal that can take a line back, and neither CI nor `-q`."""
    quiet = reporter.config.option.verbose < 0 or os.environ.get("TERM") == "dumb"
    return bool(reporter.isatty and not quiet and not os.environ.get("CI"))


def show(reporter: pytest.TerminalReporter, asking: Asking, is_over: Callable[[float], bool]) -> None:
    """Show what is being asked until it is over; `is_over` waits as many seconds as it is given."""
    screen = Screen(reporter)
    while not is_over(_EVERY):
        reporter.rewrite(screen.shown(asking.words)[: screen.width - 1], erase=True)
    reporter.rewrite("", erase=True)
    reporter.write("\r")
