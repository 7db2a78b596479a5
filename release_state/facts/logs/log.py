"""Reads the log of a GitHub Actions job: its lines without decoration, those that decide, and what they mean (pure).

A log is written by whatever ran: every line is a stranger's text, and is cut but not escaped here. What a step's
script *is* stands in the log too, above what it printed: `echo "creating pull request failed"` in a script that was
never reached must not be taken for the failure.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from release_state.facts.logs.known_failures import KNOWN_FAILURES, KnownFailure, Rank

MOST_LINES = 10
LONGEST_LINE = 500
"""Characters of a decisive line."""
_LOOKED_AT = 4_000
"""Characters of a line that are searched; a line can have megabytes."""
_NEAR = 40
"""Lines before the error that ends a step in which its cause is looked for first."""

_STAMP = re.compile(r"\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z ?")
# How `gh run view --log` prints a line: job, step, and the line itself.
_GH = re.compile(r"([^\t\n]{1,200})\t([^\t\n]{1,200})\t\ufeff?(?=\d{4}-\d\d-\d\dT)")
_ANSI = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)?|[@-Z\\-_])")
_ERROR = re.compile(r"(?:##\[error\]|::error(?: [^:]{0,1000}(?::[^:]{1,1000}){0,8})?::)")
_SHOWS_A_COMMAND = re.compile(r"(?:##)?\[(?:command|debug)\]|\+{1,4} ")
_DECORATION = re.compile(r"##\[(?:warning|notice|section)\]|::(?:warning|notice)(?: [^:]{0,1000})?::")
# A value that a step was given. Unlike the script above it in the log, it says what had happened before.
_VALUE = re.compile(r"  \w{1,100}: \S{0,200}")
_COMPLAINT = re.compile(r"(?:remote: )?(?:fatal|error|abort(?:ed)?)\b\W|\s*\w*(?:Error|Exception)\b\W| ?! \[", re.I)
_EXIT = re.compile(r"process completed with exit code", re.I)


class NotALog(ValueError):  # noqa: N818 - what was given is the problem
    """The data are no log and no archive of logs; the text says what they are."""


@dataclass(frozen=True)
class Line:
    """A line without time stamp, colours and marks."""

    text: str
    is_error: bool = False
    """Whether GitHub marks it as an error."""
    is_script: bool = False
    """Whether it shows what a step is going to run, and its environment: nobody said it."""
    step: str | None = None
    """The step that it stands in, as far as the log tells."""


@dataclass(frozen=True)
class Explanation:
    """What a log says of how its run ended. `lines` are remote text: escape them where they are shown."""

    known: KnownFailure | None
    """None: nothing of it is known."""
    lines: tuple[str, ...]
    step: str | None = None


def parse_log(text: str) -> list[Line]:
    """The lines of a job's log: raw, as the API and the web interface give it, or as `gh run view --log` prints it."""
    lines: list[Line] = []
    group: int | None = None
    step: str | None = None
    # Only line feeds: GitHub ends no line with the exotic separators that splitlines() knows.
    for raw in text.split("\n"):
        said, named = _bare(raw)
        if said.startswith("##[group]"):
            title = said.removeprefix("##[group]").strip()
            group = len(lines) if title.startswith("Run ") else None
            step = title if group is not None else step
            lines.append(Line(_cut(title), is_script=True, step=named or step))
        elif said.startswith("##[endgroup]"):
            if group is not None:
                lines[group:] = _as_script(lines[group:])
            group = None
        elif found := _ERROR.match(said):
            lines.append(Line(said[found.end() :], is_error=True, step=named or step))
        else:
            shows = _SHOWS_A_COMMAND.match(said) is not None
            lines.append(Line(_DECORATION.sub("", said, count=1), is_script=shows, step=named or step))
    return lines


def _as_script(lines: Sequence[Line]) -> list[Line]:
    """The lines of the group that GitHub shows before a step: what it runs, and behind `env:` what it was given."""
    env = next((number for number, line in enumerate(lines) if line.text == "env:"), len(lines))
    return [
        line if number > env and _VALUE.fullmatch(line.text) else replace(line, is_script=True)
        for number, line in enumerate(lines)
    ]


def explain_log(lines: Sequence[Line], *, succeeded: bool = False) -> Explanation:
    """
    What the lines say of the end of their run.

    Of a run that `succeeded` only what it skipped is looked for: it got over everything else that it printed.
    """
    said = [(number, line) for number, line in enumerate(lines) if not line.is_script and line.text.strip()]
    end = next((number for number, line in said if line.is_error), len(lines))
    known, matched = _decide(said, end, succeeded)
    chosen = list(matched[:5])
    if not succeeded:
        # What led to the error is told before it, the nearest last; behind it come the steps that clean up.
        near = [item for item in reversed(said) if item[0] <= end] + [item for item in said if item[0] > end]
        errors = [item for item in near if item[1].is_error]
        chosen += [item for item in near if not item[1].is_error and _COMPLAINT.match(item[1].text)][:4]
        if errors and len(chosen) == len(matched[:5]) and all(_EXIT.search(line.text) for _, line in errors):
            chosen += near[: MOST_LINES // 2]
        chosen += errors
    texts: dict[str, int] = {}
    for number, line in chosen:
        shown = _around(line.text, known.pattern if known else None)
        if shown not in texts and len(texts) < MOST_LINES:
            texts[shown] = number
    step = next((line.step for _, line in matched), None) or next((line.step for n, line in said if n == end), None)
    return Explanation(known, tuple(sorted(texts, key=lambda text: texts[text])), step)


def _decide(
    said: Sequence[tuple[int, Line]], end: int, succeeded: bool
) -> tuple[KnownFailure | None, list[tuple[int, Line]]]:
    """The failure that is believed, and the lines that say so: near the first error before anywhere else."""
    ranks = [Rank.SKIPPED] if succeeded else list(Rank)
    found = [
        (failure, [item for item in said if failure.pattern.search(item[1].text)])
        for failure in KNOWN_FAILURES
        if failure.rank in ranks
    ]
    found = [(failure, items) for failure, items in found if items]
    for rank in ranks:
        of_rank = [(failure, items) for failure, items in found if failure.rank is rank]
        for failure, items in of_rank:
            if failure.anywhere:
                return failure, items
        for first, last in ((end - _NEAR, end), (0, end), (end, sys.maxsize)):
            for failure, items in of_rank:
                if inside := [item for item in items if first <= item[0] <= last]:
                    return failure, inside
    return found[0] if found else (None, [])


def _bare(raw: str) -> tuple[str, str | None]:
    """The line without time stamp, colours and what a carriage return wrote over; and the step, where it names one."""
    raw = raw[: 2 * _LOOKED_AT]
    step = None
    if found := _GH.match(raw):
        raw, step = raw[found.end() :], found[2]
    if found := _STAMP.match(raw):
        raw = raw[found.end() :]
    raw = _ANSI.sub("", raw).rstrip("\r").removeprefix("\ufeff")
    return raw.rpartition("\r")[2].rstrip()[:_LOOKED_AT], step if step != "UNKNOWN STEP" else None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


def _around(text: str, pattern: re.Pattern[str] | None) -> str:
    """The line, cut to its longest where that shows the words that decide."""
    found = pattern.search(text) if pattern else None
    # The patterns that begin at the start of the line are long themselves: their end is what has to be seen.
    if found is None or found.end() < LONGEST_LINE:
        return _cut(text.strip())
    return _cut("…" + text[max(0, found.end() - LONGEST_LINE // 2) :].strip())


def read_logs(data: bytes, most: int) -> list[tuple[str | None, str]]:
    """
    The logs that the data hold, each with the name of its job where one is told: a text, or GitHub's zip of a run.

    `most` (bytes) limits what an archive unpacks to. Raises NotALog.
    """
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _unzip(data, most)
    return [(None, _text(data))]


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what PowerShell writes with `>`
        return data.decode("utf-16", "replace")
    if b"\0" in data[:8192]:
        raise NotALog("binary data, neither text nor a zip")
    if not data.strip():
        raise NotALog("nothing in it")
    return data.decode("utf-8", "replace")


def _unzip(data: bytes, most: int) -> list[tuple[str | None, str]]:
    """Each job's whole log; where an archive has only folders with a file for each step, those in their order."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            texts = [info for info in archive.infolist() if info.filename.endswith(".txt") and not info.is_dir()]
            whole = [info for info in texts if "/" not in info.filename] or texts
            if not whole:
                raise NotALog("a zip without a single .txt: no archive of a run's logs")
            logs: list[tuple[str | None, str]] = []
            for info in sorted(whole, key=lambda info: _natural(info.filename)):
                # The size in the archive's list is its maker's word: read no more than may be there.
                with archive.open(info) as file:
                    content = file.read(most + 1)
                most -= len(content)
                if most < 0:
                    raise NotALog("a zip that unpacks to more than may be read")
                name = re.sub(r"^-?\d+_", "", info.filename.rpartition("/")[2].removesuffix(".txt"))
                logs.append((name[:LONGEST_LINE] or None, content.decode("utf-8", "replace")))
    except NotALog:
        raise
    # RuntimeError: encrypted; NotImplementedError: an unknown compression; the rest are what broken archives raise.
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, OSError, EOFError, zlib.error) as error:
        raise NotALog(f"a broken zip ({type(error).__name__})") from None
    return logs


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d{1,9})", name)]
