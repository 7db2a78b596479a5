"""Read the log of a GitHub Actions job: its lines without decoration, the decisive ones, and their meaning (pure).

Every line is untrusted text, cut but not escaped here. The log also shows each step's script above its output:
`echo "creating pull request failed"` in a script is not a failure.

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
_SEARCHED = 4_000
"""Characters of a line that are searched; a line can have megabytes."""
_NEAR = 40
"""Lines before the first error that are searched first."""

_STAMP = re.compile(r"\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z ?")
# A line of `gh run view --log`: job, step, and the line itself.
_GH = re.compile(r"([^\t\n]{1,200})\t([^\t\n]{1,200})\t\ufeff?(?=\d{4}-\d\d-\d\dT)")
_ANSI = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,1000}(?:\x07|\x1b\\)?|[@-Z\\-_])")
_ERROR = re.compile(r"(?:##\[error\]|::error(?: [^:]{0,1000}(?::[^:]{1,1000}){0,8})?::)")
_SHOWS_A_COMMAND = re.compile(r"(?:##)?\[(?:command|debug)\]|\+{1,4} ")
_DECORATION = re.compile(r"##\[(?:warning|notice|section)\]|::(?:warning|notice)(?: [^:]{0,1000})?::")
# An environment variable of a step: unlike the script above it, it shows results of earlier steps.
_VALUE = re.compile(r"  \w{1,100}: \S{0,200}")
_COMPLAINT = re.compile(r"(?:remote: )?(?:fatal|error|abort(?:ed)?)\b\W|\s*\w*(?:Error|Exception)\b\W| ?! \[", re.I)
_EXIT = re.compile(r"process completed with exit code", re.I)


class NotALog(ValueError):  # noqa: N818 - the data are the problem
    """The data are neither a log nor an archive of logs; the text says what they are."""


@dataclass(frozen=True)
class Line:
    """A line without timestamp, colours and marks."""

    text: str
    is_error: bool = False
    """Whether GitHub marks it as an error."""
    is_script: bool = False
    """Whether it shows the script or environment of a step, not its output."""
    step: str | None = None
    """The step, if the log names it."""


@dataclass(frozen=True)
class Explanation:
    """Why a run ended: the known failure (or None), and the decisive lines, which are untrusted text."""

    known: KnownFailure | None
    lines: tuple[str, ...]
    step: str | None = None


def parse_log(text: str) -> list[Line]:
    """The lines of a job's log, as the API gives it or as `gh run view --log` prints it."""
    lines: list[Line] = []
    group: int | None = None
    group_step: str | None = None
    # Not splitlines(): GitHub ends lines with line feeds alone.
    for raw in text.split("\n"):
        shown, step = _strip(raw)
        is_script, error = False, _ERROR.match(shown)
        if shown.startswith("##[group]"):
            title, is_script = shown.removeprefix("##[group]").strip(), True
            group = len(lines) if title.startswith("Run ") else None
            group_step = title if group is not None else group_step
            shown = _cut(title)
        elif shown.startswith("##[endgroup]"):
            if group is not None:
                lines[group:] = _mark_script(lines[group:])
            group = None
            continue
        elif error:
            shown = shown[error.end() :]
        else:
            is_script = _SHOWS_A_COMMAND.match(shown) is not None
            shown = _DECORATION.sub("", shown, count=1)
        lines.append(Line(shown, error is not None, is_script, step or group_step))
    return lines


def _mark_script(lines: Sequence[Line]) -> list[Line]:
    """The group of lines before a step, marked as a script except for the values after `env:`."""
    env = next((number for number, line in enumerate(lines) if line.text == "env:"), len(lines))
    return [
        line if number > env and _VALUE.fullmatch(line.text) else replace(line, is_script=True)
        for number, line in enumerate(lines)
    ]


def explain_log(lines: Sequence[Line], *, succeeded: bool = False) -> Explanation:
    """Why the run ended, by its lines; if it `succeeded`, only skipped work counts."""
    output = [(number, line) for number, line in enumerate(lines) if not line.is_script and line.text.strip()]
    end = next((number for number, line in output if line.is_error), len(lines))
    known, matched = _decide(output, end, succeeded)
    chosen = list(matched[:5])
    if not succeeded:
        # The cause is before the error, the nearest last; cleanup steps follow the error.
        near = [item for item in reversed(output) if item[0] <= end] + [item for item in output if item[0] > end]
        errors = [item for item in near if item[1].is_error]
        complaints = [item for item in near if not item[1].is_error and _COMPLAINT.match(item[1].text)][:4]
        chosen += complaints
        if errors and not complaints and all(_EXIT.search(line.text) for _, line in errors):
            chosen += near[: MOST_LINES // 2]
        chosen += errors
    texts: dict[str, int] = {}
    for number, line in chosen:
        if len(texts) < MOST_LINES:
            texts.setdefault(_excerpt(line.text, known.pattern if known else None), number)
    step = next((line.step for _, line in matched), None) or next((line.step for n, line in output if n == end), None)
    return Explanation(known, tuple(sorted(texts, key=texts.__getitem__)), step)


def _decide(
    output: Sequence[tuple[int, Line]], end: int, succeeded: bool
) -> tuple[KnownFailure | None, list[tuple[int, Line]]]:
    """The known failure and its lines; lines near the first error count before the others."""
    for rank in [Rank.SKIPPED] if succeeded else list(Rank):
        failures = [
            (failure, [item for item in output if failure.pattern.search(item[1].text)])
            for failure in KNOWN_FAILURES
            if failure.rank is rank
        ]
        for failure, items in failures:
            if failure.anywhere and items:
                return failure, items
        for first, last in ((end - _NEAR, end), (0, end), (end, sys.maxsize)):
            for failure, items in failures:
                if inside := [item for item in items if first <= item[0] <= last]:
                    return failure, inside
    return None, []


def _strip(raw: str) -> tuple[str, str | None]:
    """The line without timestamp, colours and overwritten text, and the step if the line names it."""
    raw, step = raw[: 2 * _SEARCHED], None
    if prefix := _GH.match(raw):
        raw, step = raw[prefix.end() :], prefix[2]
    if stamp := _STAMP.match(raw):
        raw = raw[stamp.end() :]
    raw = _ANSI.sub("", raw).rstrip("\r").removeprefix("\ufeff")
    return raw.rpartition("\r")[2].rstrip()[:_SEARCHED], step if step != "UNKNOWN STEP" else None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


def _excerpt(text: str, pattern: re.Pattern[str] | None) -> str:
    """The line, cut so that the end of the decisive words shows."""
    match = pattern.search(text) if pattern else None
    if match is None or match.end() < LONGEST_LINE:
        return _cut(text.strip())
    return _cut("…" + text[max(0, match.end() - LONGEST_LINE // 2) :].strip())


def read_logs(data: bytes, most: int) -> list[tuple[str | None, str]]:
    """The logs in a text or in GitHub's zip of a run, each with the name of its job (None if unknown).

    `most` limits the unpacked size of a zip, in bytes. Raises NotALog.
    """
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _unzip(data, most)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # PowerShell's `>` writes UTF-16
        return [(None, data.decode("utf-16", "replace"))]
    if b"\0" in data[:8192]:
        raise NotALog("binary data, neither text nor a zip")
    if not data.strip():
        raise NotALog("empty")
    return [(None, data.decode("utf-8", "replace"))]


def _unzip(data: bytes, most: int) -> list[tuple[str | None, str]]:
    """The log of each job; of a zip with folders alone, the log of each step in order."""
    logs: list[tuple[str | None, str]] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            texts = [info for info in archive.infolist() if info.filename.endswith(".txt") and not info.is_dir()]
            files = [info for info in texts if "/" not in info.filename] or texts
            for info in sorted(files, key=lambda info: _sort_key(info.filename)):
                with archive.open(info) as file:
                    content = file.read(most + 1)  # the size that the zip states may be false
                most -= len(content)
                if most < 0:
                    break
                name = re.sub(r"^-?\d+_", "", info.filename.rpartition("/")[2].removesuffix(".txt"))
                logs.append((name[:LONGEST_LINE] or None, content.decode("utf-8", "replace")))
    # RuntimeError: encrypted; NotImplementedError: unknown compression; the others: a broken archive.
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, OSError, EOFError, zlib.error) as error:
        raise NotALog(f"a broken zip ({type(error).__name__})") from None
    if most < 0:
        raise NotALog("a zip that unpacks to more than may be read")
    if not logs:
        raise NotALog("a zip without a .txt file: not an archive of a run's logs")
    return logs


def _sort_key(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d{1,9})", name)]
