"""Join the lines of a log to what a tool meant to say: one statement for each error with its reason (pure).

twine and rich break a sentence after 80 columns, uv and poetry put the reason under `Caused by:` or into an HTML page,
and GitHub shows an annotation of several lines as lines without a mark.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from release_state.facts.logs.lines import Line

LONGEST = 4_000
"""Characters of a statement that are searched."""
_MOST_LINES = 30
"""Lines that one statement joins."""

_OPENS = re.compile(
    r"[\s\W]{0,6}(?:error|info(?= {3})|warning|fatal|caused by|http ?error|remote|exception|failed)\b"
    r"|\s*[\w.]{0,100}(?:Error|Exception)\b|Checking \S{1,150}: (?:ERROR|FAILED)\b",
    re.IGNORECASE,
)
_ADDS = re.compile(r"\s*(?:caused by|cause|server says|response|reason|detail)s?:", re.IGNORECASE)
_ASKS = re.compile(r"^\s*(?:\w{1,20} ){0,2}error:\s*$", re.IGNORECASE)
"""A line that only says that the next one has the error."""
_ENDS = re.compile(r"Post job cleanup\.|Cleaning up orphan processes|\[command\]|##\[")
_TAG = re.compile(r"<[^<>]{0,200}>")
_PAGE = re.compile(r"<(?:!doctype|html|head|title|body)\b", re.IGNORECASE)
_BODY = re.compile(r"\s\|\sb['\"]<")
# A traceback shows the source of each frame, whose words did not happen.
_FRAME = re.compile(r"(\s*)File \"[^\"]{1,300}\", line \d{1,9}")
_MARKS = re.compile(r"[\s^~]{1,300}")
# A tool that shows what another one said writes its line feeds so, but a path of Windows can have them too.
_ESCAPED = re.compile(r"(?:\\r)?\\n")
_PATH = re.compile(r"\b[a-z]:\\", re.IGNORECASE)
_RETRY = re.compile(
    r"\bretry \d+ of \d+|\bretrying\b|\bbefore retry\b|\bwill retry\b|\battempt \d+ (?:of|/) ?\d+", re.IGNORECASE
)


@dataclass
class LogStatement:
    """What one or several lines say together."""

    number: int
    """Number of its first line in the log, from 1."""
    texts: list[str]
    is_error: bool
    place: int
    """Which step it is of, counted from the top; 0: of none."""
    step: str | None = None
    time: str = ""
    """The time stamp of its first line, to the second; empty: it has none."""
    _open: int = field(default=0, repr=False)

    @cached_property
    def text(self) -> str:
        """Its lines as one, without the marks of HTML; once all lines are added."""
        joined = " ".join(part.strip() for part in self.texts)[:LONGEST]
        if not _PATH.search(joined):
            joined = _ESCAPED.sub(" ", joined)
        if body := _BODY.search(joined):
            joined = joined[: body.start()]
        if _PAGE.search(joined):
            joined = html.unescape(_TAG.sub(" ", joined))
        return " ".join(joined.split())

    @property
    def is_retry(self) -> bool:
        """Whether it announces that the tool tries again: history, unless the end says the same."""
        return not self.is_error and _RETRY.search(self.text) is not None

    def takes(self, line: Line) -> bool:
        """Whether a line goes on with it."""
        if len(self.texts) >= _MOST_LINES or line.is_error or line.is_script or line.place != self.place:
            return False
        text = line.text
        if _ENDS.match(text):
            return False
        if self._open > 0 or _ADDS.match(text) or _ASKS.search(self.texts[-1][-80:]):
            return True
        if self.is_error and self.texts[0].rstrip().endswith(":"):
            return True
        return bool(text) and text[:2].isspace() and (self.is_error or _OPENS.match(self.texts[0][:200]) is not None)

    def add(self, line: Line) -> None:
        """Add a line that goes on with it."""
        self.texts.append(line.text)
        self._open = max(0, self._open + line.text.count("{") - line.text.count("}"))


def join_lines(lines: Sequence[Line]) -> Iterator[LogStatement]:
    """Yield the statements of a log's output, in order."""
    current: LogStatement | None = None
    frame = None
    for line in lines:
        is_source = frame is not None and (line.text.startswith(f"{frame[1]}  ") or _MARKS.fullmatch(line.text))
        frame = _FRAME.match(line.text) or (frame if is_source else None)
        if line.is_script or is_source:
            if current:
                yield current
            current = None
            continue
        if current and current.takes(line):
            current.add(line)
            continue
        if current:
            yield current
            current = None
        if line.text.strip():
            current = LogStatement(line.number, [line.text], line.is_error, line.place, line.step, line.time)
            current._open = max(0, line.text.count("{") - line.text.count("}"))
    if current:
        yield current
