"""The lines of the log of a GitHub Actions job, without decoration (pure).

Every line is untrusted text, cut but not escaped here. The log also shows each step's script above its output:
`echo "creating pull request failed"` in a script is not a failure.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct, structs

LONGEST_LINE = 500
"""Characters of a decisive line."""
_SEARCHED = 4_000
"""Characters of a line that are searched; a line can have megabytes."""

_STAMP = re.compile(r"\ufeff?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z ?")
# A line of `gh run view --log`: job, step, and the line itself.
_GH = re.compile(r"([^\t\n]{1,200})\t([^\t\n]{1,200})\t\ufeff?(?=\d{4}-\d\d-\d\dT)")
_ANSI = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)?|[@-Z\\-_])")
_ERROR = re.compile(r"(?:##\[error\]|::error(?: [^:]{0,1000}(?::[^:]{1,1000}){0,8})?::)")
_SHOWS_A_COMMAND = re.compile(r"(?:##)?\[(?:command|debug)\]|\+{1,4} ")
_DECORATION = re.compile(r"##\[(?:warning|notice|section)\]|::(?:warning|notice)(?: [^:]{0,1000})?::")
# GitHub's page of a run shows neither groups nor marks: what is copied from it has these words instead.
_PAGE_STEP = re.compile(r"(?:[>▶] ?)?Run (\S.{0,200})")
_ACTION = re.compile(r"[\w.-]{1,100}/[\w./-]{1,200}@\S{1,100}")
_PAGE_EXIT = re.compile(r"Error: (?=Process completed with exit code)")
# An environment variable of a step: unlike the script above it, it shows results of earlier steps.
_VALUE = re.compile(r"  \w{1,100}: \S{0,200}")


class Line(Struct, frozen=True):
    """A line without timestamp, colours and marks."""

    text: str
    is_error: bool = False
    """Whether GitHub marks it as an error."""
    is_script: bool = False
    """Whether it shows the script or environment of a step, not its output."""
    step: str | None = None
    """The step, if the log names it."""
    number: int = 0
    """Its number in the log, from 1."""
    place: int = 0
    """Which step it is of, counted from the top; 0: of none."""
    time: str = ""
    """Its time stamp to the second, as `2026-01-02T03:04:05`; empty: it has none."""


def parse_log(text: str) -> list[Line]:
    """The lines of a job's log, as the API gives it or as `gh run view --log` prints it."""
    lines: list[Line] = []
    group: int | None = None
    group_step: str | None = None
    place = 0
    is_of_page = "##[" not in text
    # Not splitlines(): GitHub ends lines with line feeds alone.
    raws = text.split("\n")
    for number, raw in enumerate(raws, 1):
        shown, step, time = _strip(raw)
        if step and (not lines or step != lines[-1].step):
            place += 1
        is_script, error = False, _ERROR.match(shown)
        if shown.startswith("##[group]"):
            title, is_script = shown.removeprefix("##[group]").strip(), True
            group = len(lines) if title.startswith("Run ") else None
            if group is not None:
                group_step, place = title, place + (step is None)
            shown = cut(title)
        elif shown.startswith("##[endgroup]"):
            if group is not None:
                lines[group:] = _mark_script(lines[group:])
            group = None
            continue
        elif error:
            shown = shown[error.end() :]
        elif is_of_page and (head := _find_page_step(shown, raws[number : number + 1])):
            is_script, group_step, place = True, cut(head), place + (step is None)
        elif is_of_page and (error := _PAGE_EXIT.match(shown)):
            shown = shown[error.end() :]
        else:
            is_script = _SHOWS_A_COMMAND.match(shown) is not None
            shown = _DECORATION.sub("", shown, count=1)
        lines.append(Line(shown, error is not None, is_script, step or group_step, number, place, time))
    return lines


def _find_page_step(shown: str, following: Sequence[str]) -> str | None:
    """The step that begins here in what was copied from a run's page: an action, or a script that is shown below it."""
    found = _PAGE_STEP.fullmatch(shown)
    is_step = found and (_ACTION.fullmatch(found[1]) or any(found[1] == line[:300].strip() for line in following))
    return found[1] if found and is_step else None


def _mark_script(lines: Sequence[Line]) -> list[Line]:
    """The group of lines before a step, marked as a script except for the values after `env:`."""
    env = next((number for number, line in enumerate(lines) if line.text == "env:"), len(lines))
    return [
        line if number > env and _VALUE.fullmatch(line.text) else structs.replace(line, is_script=True)
        for number, line in enumerate(lines)
    ]


def _strip(raw: str) -> tuple[str, str | None, str]:
    """The line without timestamp, colours and overwritten text, the step if the line names it, and the timestamp."""
    raw, step, time = raw[: 2 * _SEARCHED], None, ""
    if prefix := _GH.match(raw):
        raw, step = raw[prefix.end() :], prefix[2]
    if stamp := _STAMP.match(raw):
        raw, time = raw[stamp.end() :], stamp[1]
    raw = _ANSI.sub("", raw).rstrip("\r").removeprefix("\ufeff")
    return raw.rpartition("\r")[2].rstrip()[:_SEARCHED], step if step != "UNKNOWN STEP" else None, time


def cut(text: str) -> str:
    """Return the text, cut to the length of a decisive line."""
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"
