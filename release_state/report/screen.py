"""The terminal: the progress line, and the lines, findings and steps that every kind of run writes."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from release_state.common.disk import NO_ROOM
from release_state.common.errors import format_error
from release_state.common.text import sanitize
from release_state.model.outcome import CheckResult, Exit, Outcome
from release_state.model.plan import Step
from release_state.observe.defects import Defect, Progress, describe_defects
from release_state.report.files import ReportFiles
from release_state.report.hyperlinks import can_link, link

_EVERY = 0.1
"""Seconds between two updates of the progress line."""


def is_quiet(config: pytest.Config) -> bool:
    """Whether the run was started with `-q`."""
    return bool(config.option.release_state_quiet)


def is_live(reporter: pytest.TerminalReporter) -> bool:
    """Whether the progress line is shown: on a terminal that can erase a line, without CI and without `-q`."""
    quiet = is_quiet(reporter.config) or os.environ.get("TERM") == "dumb"
    return bool(reporter.isatty and not quiet and not os.environ.get("CI"))


def show_progress(reporter: pytest.TerminalReporter, progress: Progress, is_over: Callable[[float], bool]) -> None:
    """Show the open look-ups until `is_over(seconds)` returns true; it waits that long."""
    screen = Screen(reporter)
    while not is_over(_EVERY):
        reporter.rewrite(screen.shown(progress.words)[: screen.width - 1], erase=True)
    reporter.rewrite("", erase=True)
    reporter.write("\r")


_MOST_TRACEBACKS = 5
ADVICE = "•"
"""The sign of a finding or a step that decides nothing."""
_ASCII = {"✓": "+", "✗": "x", "…": ".", ADVICE: "*"}
"""Symbols for a terminal that can show ASCII only."""
_ARROW = ("→", "->")
_COLOURS = {
    Outcome.HOLDS: "green",
    Outcome.ACTION_NEEDED: "red",
    Outcome.DEFECT: "red",
    Outcome.IN_PROGRESS: "yellow",
    Outcome.UNKNOWN: "yellow",
}
_ENDINGS = {
    Exit.OK: ("as it should be", "green"),
    Exit.ACTION_NEEDED: ("action needed", "red"),
    Exit.INTERRUPTED: ("interrupted", "yellow"),
    Exit.DEFECT: ("a defect, or no report", "red"),
    Exit.USAGE: ("wrong usage", "red"),
    Exit.NOTHING_CHECKED: ("nothing checked", "yellow"),
    Exit.UNKNOWN: ("could not verify", "yellow"),
    Exit.IN_PROGRESS: ("in progress", "yellow"),
}
"""What an exit code means, and its colour."""


class _Rows:
    """Counts rows in place of a terminal."""

    isatty = True
    config = SimpleNamespace(option=SimpleNamespace(release_state_quiet=False))

    def __init__(self, width: int) -> None:
        self.rows, self._width = 0, width

    def write_line(self, line: str, **_: bool) -> None:
        self.rows += sum(max(1, -(-len(part) // self._width)) for part in line.split("\n"))


class Screen:
    """Writes lines of escaped text; pytest handles colours and `NO_COLOR`."""

    def __init__(self, reporter: pytest.TerminalReporter, sites: Iterable[str] = ()) -> None:
        self.reporter = reporter
        self._sites = tuple(sites) if can_link(os.environ, bool(reporter.isatty)) else ()
        self.encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        if os.environ.get("TERM") == "dumb":
            self.encoding = "ascii"
        self.width, self.height = shutil.get_terminal_size()
        self.wraps = bool(reporter.isatty)
        """Whether prose is wrapped; piped output keeps one line each, so that it can be searched."""
        self.is_quiet = is_quiet(reporter.config)

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

    def count_rows(self, write: Callable[[Screen], object]) -> int:
        """The rows that something takes on this terminal."""
        counter = _Rows(self.width)
        write(Screen(cast("pytest.TerminalReporter", counter)))
        return counter.rows

    def linked(self, words: str, url: str) -> str:
        """The words as the terminal can show them, as a link if it can have one and the page is of a known site."""
        return link(self.shown(words), url, self._sites)

    def command(self, line: str, indent: int = 0, head: str = "$ ") -> None:
        """Write a command as it is typed, or a note if the terminal cannot show it."""
        if self.shown(line) == line:
            self.verbatim(f"{head}{line}", indent)
        else:
            self.line(f"this terminal cannot show the command, copy it from the report: {line}", indent, 2)

    def shown(self, words: str) -> str:
        """The words with escapes for what the terminal cannot show."""
        found = words.encode(self.encoding, "backslashreplace").decode(self.encoding)
        return found if found == words else found.replace(_ARROW[0].encode("unicode_escape").decode(), _ARROW[1])

    def outcome(self, outcome: Outcome | None, words: str = "") -> tuple[str, dict[str, bool]]:
        """An outcome's symbol with words for it, and its markup."""
        if outcome is None:
            return f"- {words or 'not checked'}", {}
        colour = _COLOURS.get(outcome)
        return f"{self.sign(outcome.symbol)} {words or outcome.words}", {colour: True} if colour else {}

    def sign(self, symbol: str) -> str:
        """The symbol, or what stands for it in ASCII."""
        return symbol if self.shown(symbol) == symbol else _ASCII[symbol]

    def finding(
        self, head: str, rows: Iterable[tuple[str, str]], outcome: Outcome | None, retry_at: str | None = None
    ) -> None:
        """Write a finding: its head with sign and colour, a line for each row with a value, and when to retry.

        `outcome` is None for advice, which has a sign and a colour of its own.
        """
        symbol, colour = (outcome.symbol, _COLOURS.get(outcome, "yellow")) if outcome else (ADVICE, "cyan")
        self.line(f"{self.sign(symbol)} {head}", 2, 2, **{colour: True})
        for name, value in rows:
            if value:
                self.line(f"{name + ':':9} {sanitize(value)}", 4, 10)
        if retry_at:
            self.line(f"retry after {retry_at}", 4)

    def step(self, step: Step, head: str, indent: int, most: int | None = None) -> None:
        """Write a step after `head`, with its conditions and its commands, or the last `most` of them."""
        why = f" ({sanitize(step.reason)})" if step.reason else ""
        self.line(f"{head}{sanitize(step.title)}{why}", indent, len(head))
        indent += len(head)
        if step.precondition:
            self.line(f"only if {sanitize(step.precondition)}", indent, 2)
        if step.destroys:
            saved = f"; {sanitize(step.saves)}" if step.saves else ""
            self.line(f"DESTROYS {sanitize(step.destroys)}{saved}", indent, 2, red=True)
            for line in step.restore_lines() if most is None else []:
                self.command(line, indent + 2, "to restore it: ")
        lines = step.lines()
        left_out = len(lines) - most if most is not None else 0
        for line in lines[max(left_out, 0) :]:
            self.command(line, indent)
        if left_out > 0:
            self.line(f"and {left_out} more, for older versions: see the report", indent)
        if step.withheld:
            self.line(f"no command: {sanitize(step.withheld)}", indent, 2)
        if step.link:
            self.reporter.write_line(" " * indent + self.linked(sanitize(step.link), step.link))

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

    def notes(self, defects: Sequence[Defect], notes: Sequence[str], trouble: str | None) -> None:
        """Write what a reader has to know beside the verdict: look-ups that crashed, notes, why there is no report."""
        for what in describe_defects(defects):
            self.line(f"a look-up crashed, so the exit code is {Exit.DEFECT:d}: {what}; please report this", red=True)
        for note in notes:
            self.line(f"note: {sanitize(note)}", yellow=True)
        if trouble:
            self.line(sanitize(trouble), red=True)

    def close(self, verdict: str, code: Exit, exitstatus: int, files: ReportFiles) -> None:
        """Write the last three lines, one row each: the verdict, the exit code, and where the report is."""
        meaning = _ENDINGS[Exit(exitstatus)][0] if exitstatus in _ENDINGS else "of a plugin of pytest"
        has_page = files.html.is_file()
        path, more = (files.html, f" and {files.json.suffix}") if has_page else (files.json, "")
        with suppress(ValueError):
            path = path.relative_to(Path.cwd())
        self.line()
        self.verbatim(verdict, bold=True, **{_ENDINGS[code][1]: True})
        self.verbatim(f"exit code {exitstatus}: {meaning}")
        self.verbatim(f"report: {sanitize(str(path))}{more}" if files.written else "report: none")


def list_rows(result: CheckResult) -> list[tuple[str, str]]:
    """The rows of a finding: expected if the title does not say it, found, and why it matters or how to fix it."""
    return [
        ("expected", result.expected if result.expected != result.title else ""),
        ("found", result.found),
        ("fix" if result.outcome is Outcome.UNKNOWN else "why", result.why),
    ]
