"""What a run hands on to the workflow that it is a step of: a summary, annotations and outputs.

What cannot be written is told and changes no verdict. Nothing here reads anything but the environment's file names.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release_state.common.text import plain
from release_state.report.actions import annotate, in_workflow

if TYPE_CHECKING:
    from release_state.report.document import RunReport

#: What a runner takes of one step; what is larger, it leaves out whole.
_RUNNER_TAKES = 2**20


@dataclass(frozen=True)
class Told:
    """What a run has to say to a workflow."""

    verdict: str
    phase: str
    annotations: Callable[[], list[str]]
    summary: Callable[[int], str]
    """In Markdown, of so many bytes at the most."""


def of_run(document: RunReport) -> Told:
    """What a run over single versions has to say."""
    from release_state.report.markdown import summary

    return Told(document.verdict, document.phase, lambda: annotate(document), lambda room: summary(document, room))


class Workflow:
    """The workflow run that the environment tells of, if any."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._summary = environ.get("GITHUB_STEP_SUMMARY")
        self._output = environ.get("GITHUB_OUTPUT")
        self._annotates = in_workflow(environ) or bool(self._summary)
        self.annotations: list[str] = []
        """To be printed last of all, when commands are read again."""

    def hand_on(self, told: Told, report: Path) -> list[str]:
        """Write summary and outputs, keep the annotations; what went wrong, in words. `report` is the file to open."""
        if self._annotates:
            self.annotations = told.annotations()
        troubles = []
        if self._summary:
            troubles += _told("the step summary", lambda path: _append_summary(path, told), Path(self._summary))
        if self._output:
            values = {"verdict": told.verdict, "phase": told.phase, "report": str(report)}
            text = "".join(_output(name, value) for name, value in values.items())
            troubles += _told("the step's outputs", lambda path: _append(path, text), Path(self._output))
        return troubles


def _output(name: str, value: str) -> str:
    """A line or more of an output, ended by a word that nobody can know who wrote a part of the value."""
    end = f"release-state-{secrets.token_hex(16)}"
    return f"{name}<<{end}\n{value}\n{end}\n"


def _append_summary(path: Path, told: Told) -> None:
    from release_state.report.markdown import MOST_BYTES

    there = path.stat().st_size if path.exists() else 0
    room = min(MOST_BYTES, _RUNNER_TAKES - there - 1)
    if room < 1_000:
        raise OSError(0, f"the step has written {there} bytes already, which leaves no room")
    _append(path, ("\n" if there else "") + told.summary(room))


def _append(path: Path, text: str) -> None:
    # Not a pipe without a reader, which would never open.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o644), "a", encoding="utf-8") as file:
        file.write(text)


def _told(what: str, write: Callable[[Path], None], path: Path) -> list[str]:
    try:
        write(path)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte in it
        why = getattr(error, "strerror", None) or str(error)
        return [f"{what} could not be written to {plain(str(path), 200)}: {why}"]
    return []
