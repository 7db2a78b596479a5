"""Which sources are being asked, in one line of a terminal that is gone when the answers are there."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release_state.common.text import sanitize
from release_state.model.outcome import Exit, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pytest

    from release_state.observe.defects import Defect
    from release_state.observe.progress import Progress
    from release_state.report.files import ReportFiles


_EVERY = 0.1
"""Seconds between two looks."""


def is_wanted(reporter: pytest.TerminalReporter) -> bool:
    """Whether somebody looks on: a terminal that can take a line back, and neither CI nor `-q`."""
    quiet = reporter.config.option.verbose < 0 or os.environ.get("TERM") == "dumb"
    return bool(reporter.isatty and not quiet and not os.environ.get("CI"))


def show(reporter: pytest.TerminalReporter, progress: Progress, is_over: Callable[[float], bool]) -> None:
    """Show what is being asked until it is over; `is_over` waits as many seconds as it is given."""
    screen = Screen(reporter)
    while not is_over(_EVERY):
        reporter.rewrite(screen.shown(progress.words)[: screen.width - 1], erase=True)
    reporter.rewrite("", erase=True)
    reporter.write("\r")


_MOST_TRACEBACKS = 5

_SYMBOLS = {
    Outcome.HOLDS: ("✓", "+"),
    Outcome.ACTION_NEEDED: ("✗", "x"),
    Outcome.IN_PROGRESS: ("…", "."),
    Outcome.UNKNOWN: ("?", "?"),
    Outcome.NOT_APPLICABLE: ("-", "-"),
    Outcome.DEFECT: ("!", "!"),
}
_COLOURS = {
    Outcome.HOLDS: "green",
    Outcome.ACTION_NEEDED: "red",
    Outcome.DEFECT: "red",
    Outcome.IN_PROGRESS: "yellow",
    Outcome.UNKNOWN: "yellow",
}


@dataclass(frozen=True)
class Ending:
    """What the terminal shows of any run besides its verdicts."""

    broke: BaseException | None
    """What ended the observation itself."""
    defects: Sequence[Defect]
    """Look-ups that broke."""
    notes: Sequence[str]
    trouble: str | None
    """Why there is no report."""
    reports: ReportFiles


class Screen:
    """Writes lines of text that is harmless by now; colours and `NO_COLOR` are pytest's matter."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self.reporter = reporter
        self.encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        if os.environ.get("TERM") == "dumb":
            self.encoding = "ascii"
        self.width = shutil.get_terminal_size().columns
        self.wraps = reporter.isatty
        """Whether prose is broken into lines; what is piped stays one line each, so that it can be searched."""
        self.is_quiet = reporter.config.option.verbose < 0

    def line(self, words: str = "", indent: int = 0, hanging: int = 0, **markup: bool) -> None:
        """Write prose; where it is broken, further lines are indented by `hanging` more."""
        if not self.wraps or len(words) + indent < self.width:
            self.verbatim(words, indent, **markup)
            return
        room = max(self.width - indent - 1, 20)
        parts = textwrap.wrap(
            words, room, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False
        )
        for part in parts:
            self.verbatim(part, indent, **markup)

    def verbatim(self, words: str, indent: int = 0, **markup: bool) -> None:
        """Write a line that is not to be broken: a command that somebody copies."""
        self.reporter.write_line(" " * indent + self.shown(words), **markup)

    def command(self, line: str, indent: int = 0) -> None:
        """Write a command as it is typed; where the terminal cannot show it, say so in its place."""
        if self.shown(line) == line:
            self.verbatim(f"$ {line}", indent)
        else:
            self.line(f"this terminal cannot show the command as it is, the report has it: {line}", indent, 2)

    def shown(self, words: str) -> str:
        """The words in what the terminal can show; the rest as escapes."""
        return words.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def tracebacks(self, found: Mapping[str, str]) -> None:
        """What broke within look-ups: each traceback under where it broke, but of many the first ones."""
        for text, where in list(found.items())[:_MOST_TRACEBACKS]:
            self.reporter.section(f"defect in a look-up: {sanitize(where)}", sep="_", red=True)
            for line in text.splitlines():
                self.verbatim(sanitize(line))
        if len(found) > _MOST_TRACEBACKS:
            self.line(f"and {len(found) - _MOST_TRACEBACKS} more tracebacks", red=True)

    def broken(self, found: Sequence[str]) -> None:
        """A line for each look-up that broke: it decides the exit code, whatever the verdict says."""
        for what in found:
            self.line(f"a look-up broke, so the exit code is {Exit.DEFECT:d}: {what}; please report this", red=True)

    def reports(self, files: ReportFiles) -> None:
        """Where the reports are, from the current folder where they are below."""
        with suppress(ValueError):
            self.verbatim(f"reports: {files.html.relative_to(Path.cwd())} and {files.json.suffix}")
            return
        self.verbatim(f"reports: {files.html} and {files.json.suffix}")

    def outcome(self, outcome: Outcome | None) -> tuple[str, dict[str, bool]]:
        """An outcome by symbol and word, and how it is marked up."""
        if outcome is None:
            return "- not judged", {}
        fancy, simple = _SYMBOLS[outcome]
        try:
            fancy.encode(self.encoding)
        except UnicodeEncodeError:
            fancy = simple
        colour = _COLOURS.get(outcome)
        return f"{fancy} {outcome.value}", {colour: True} if colour else {}
