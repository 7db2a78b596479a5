"""The terminal: the progress line, and the lines, findings and steps that every kind of run writes."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from release_state.common.disk import NO_ROOM
from release_state.common.errors import format_error
from release_state.common.text import sanitize
from release_state.model.outcome import CheckResult, Exit, Outcome
from release_state.model.plan import Step
from release_state.observe.defects import Defect, Progress, describe_defects
from release_state.report.files import ReportFiles

_EVERY = 0.1
"""Seconds between two updates of the progress line."""


def is_live(reporter: pytest.TerminalReporter) -> bool:
    """Whether the progress line is shown: on a terminal that can erase a line, without CI and without `-q`."""
    quiet = reporter.config.option.verbose < 0 or os.environ.get("TERM") == "dumb"
    return bool(reporter.isatty and not quiet and not os.environ.get("CI"))


def show_progress(reporter: pytest.TerminalReporter, progress: Progress, is_over: Callable[[float], bool]) -> None:
    """Show the open look-ups until `is_over(seconds)` returns true; it waits that long."""
    screen = Screen(reporter)
    while not is_over(_EVERY):
        reporter.rewrite(screen.shown(progress.words)[: screen.width - 1], erase=True)
    reporter.rewrite("", erase=True)
    reporter.write("\r")


_MOST_TRACEBACKS = 5
_ASCII = {"✓": "+", "✗": "x", "…": "."}
"""Symbols of outcomes for a terminal that can show ASCII only."""
_COLOURS = {
    Outcome.HOLDS: "green",
    Outcome.ACTION_NEEDED: "red",
    Outcome.DEFECT: "red",
    Outcome.IN_PROGRESS: "yellow",
    Outcome.UNKNOWN: "yellow",
}


class Screen:
    """Writes lines of escaped text; pytest handles colours and `NO_COLOR`."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self.reporter = reporter
        self.encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        if os.environ.get("TERM") == "dumb":
            self.encoding = "ascii"
        self.width = shutil.get_terminal_size().columns
        self.wraps = reporter.isatty
        """Whether prose is wrapped; piped output keeps one line each, so that it can be searched."""
        self.is_quiet = reporter.config.option.verbose < 0

    def line(self, words: str = "", indent: int = 0, hanging: int = 0, **markup: bool) -> None:
        """Write prose; wrapped lines are indented by `hanging` more."""
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
        """Write a line without wrapping, so that it can be copied."""
        self.reporter.write_line(" " * indent + self.shown(words), **markup)

    def command(self, line: str, indent: int = 0) -> None:
        """Write a command as it is typed, or a note if the terminal cannot show it."""
        if self.shown(line) == line:
            self.verbatim(f"$ {line}", indent)
        else:
            self.line(f"this terminal cannot show the command, copy it from the report: {line}", indent, 2)

    def shown(self, words: str) -> str:
        """The words with escapes for what the terminal cannot show."""
        return words.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def outcome(self, outcome: Outcome | None, words: str = "") -> tuple[str, dict[str, bool]]:
        """An outcome's symbol with words for it, and its markup."""
        if outcome is None:
            return f"- {words or 'not checked'}", {}
        symbol, colour = outcome.symbol, _COLOURS.get(outcome)
        try:
            symbol.encode(self.encoding)
        except UnicodeEncodeError:
            symbol = _ASCII[symbol]
        return f"{symbol} {words or outcome.words}", {colour: True} if colour else {}

    def finding(self, head: str, rows: Iterable[tuple[str, str]], *, is_red: bool, retry_at: str | None = None) -> None:
        """Write a finding: its head in colour, a line for each row with a value, and when to retry."""
        self.line()
        self.line(head, 2, 2, **{"red" if is_red else "yellow": True})
        for name, value in rows:
            if value:
                self.line(f"{name + ':':9} {sanitize(value)}", 4, 10)
        if retry_at:
            self.line(f"retry after {retry_at}", 4)

    def step(self, step: Step, head: str, indent: int, most: int | None = None) -> None:
        """Write a step after `head`, with its conditions and its commands, or the last `most` of them."""
        why = f" ({sanitize(step.reason)})" if step.reason else ""
        self.line(f"{head}{sanitize(step.title)}{why}", indent, 3)
        indent += 3
        if step.precondition:
            self.line(f"only if {sanitize(step.precondition)}", indent, 2)
        if step.destroys:
            saved = f"; {sanitize(step.saves)}" if step.saves else ""
            self.line(f"DESTROYS {sanitize(step.destroys)}{saved}", indent, 2, red=True)
        lines = step.lines()
        left_out = len(lines) - most if most is not None else 0
        for line in lines[max(left_out, 0) :]:
            self.command(line, indent)
        if left_out > 0:
            self.line(f"and {left_out} more, for older versions: see the report", indent)
        if step.withheld:
            self.line(f"no command: {sanitize(step.withheld)}", indent, 2)
        if step.link:
            self.verbatim(sanitize(step.link), indent)

    def tracebacks(self, found: Mapping[str, str]) -> None:
        """Write the first few tracebacks, each under the look-up that it broke."""
        for text, where in list(found.items())[:_MOST_TRACEBACKS]:
            self.reporter.section(f"defect in a look-up: {sanitize(where)}", sep="_", red=True)
            for line in text.splitlines():
                self.verbatim(sanitize(line))
        if len(found) > _MOST_TRACEBACKS:
            self.line(f"and {len(found) - _MOST_TRACEBACKS} more tracebacks", red=True)

    def crash(self, error: BaseException) -> None:
        """Write the error that ended the observation: there is no verdict."""
        is_room = isinstance(error, OSError) and error.errno in NO_ROOM
        remedy = "free space, or set TMPDIR" if is_room else "please report this"
        self.reporter.section("release state", sep="=", red=True, bold=True)
        self.line(f"the observation crashed: {sanitize(format_error(error))}; {remedy}")

    def end(self, defects: Sequence[Defect], notes: Sequence[str], trouble: str | None, files: ReportFiles) -> None:
        """Write the last lines: look-ups that crashed, notes, and where the reports are or why there is none."""
        for what in describe_defects(defects):
            self.line(f"a look-up crashed, so the exit code is {Exit.DEFECT:d}: {what}; please report this", red=True)
        for note in notes:
            self.line(f"note: {sanitize(note)}", yellow=True)
        if trouble:
            self.line(sanitize(trouble), red=True)
        elif files.written:
            path = files.html
            with suppress(ValueError):
                path = path.relative_to(Path.cwd())
            self.verbatim(f"reports: {path} and {files.json.suffix}")


def list_rows(result: CheckResult) -> list[tuple[str, str]]:
    """The rows of a finding: expected if the title does not say it, found, and why it matters or how to fix it."""
    return [
        ("expected", result.expected if result.expected != result.title else ""),
        ("found", result.found),
        ("fix" if result.outcome is Outcome.UNKNOWN else "why", result.why),
    ]
