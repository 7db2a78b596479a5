"""Uploads to an index in a log: the steps that make one, and the statements that a file is on its way (pure).

An asset of a GitHub Release has the same file name, and its tools print nearly the same words.
Sources: what twine, uv, poetry, flit, hatch, pdm, maturin and distutils print; softprops/action-gh-release
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from release_state.facts.logs.statements import LogStatement

_COMMAND = re.compile(
    r"gh-action-pypi-publish|\btwine\b.{0,300}\bupload\b"
    r"|\b(?:maturin|uv|poetry|flit|hatch|pdm)\b(?:(?! run\b|\bgh release\b).){0,300}\b(?:upload|publish)\b",
    re.I,
)
"""Commands of a step that uploads to an index."""
_ANNOUNCED = re.compile(
    r"\W{0,4}(?:uploading distributions to |uploading \d{1,6} packages?\b|publishing \d{1,6} files? (?:to )?https?:"
    r"|publishing \S{1,200} \(v?\d\S{0,80}\) to )|(?:[+$>] )?(?:python3? -m )?twine upload ",
    re.I,
)
"""What these tools alone say first, whatever the step is called that runs them."""
_FILE = r"\S{1,300}\.(?:whl|tar\.gz|zip)\b"
_SENT = re.compile(
    rf"[\s-]{{0,6}}(?:(?:uploading|submitting) (?=\S{{0,300}}-v?\d){_FILE}(?!\S{{0,9}} to release\b)"
    rf"|{_FILE} \.\.\. success|view at:)|\W{{0,4}}packages uploaded successfully",
    re.I,
)
_OTHER_STEP = re.compile(r"(?:Run )?[\w.-]{1,100}/[\w./-]{1,200}@|.{0,1000}\bgh release\b", re.I)
"""Steps whose files go elsewhere, unless a tool for an index has announced them: an action's, and `gh release`."""


class Uploads(Struct, frozen=True):
    """What a log shows of uploads to an index."""

    begun: Mapping[int, int]
    """By the place of a step that uploads: the number of the first statement that shows so."""
    sent: tuple[int, ...]
    """Numbers of the statements that a file goes to the index."""

    def has_step_of(self, each: LogStatement) -> bool:
        """Return whether the step of a statement uploads to an index, as far as the log has said so by then."""
        return each.place in self.begun and self.begun[each.place] <= each.number

    def has_sent(self, by: int) -> bool:
        """Return whether a file was on its way to the index by this line of the log."""
        return any(number <= by for number in self.sent)


def find_uploads(statements: Iterable[LogStatement]) -> Uploads:
    """Return the uploads to an index that a log shows."""
    begun: dict[int, int] = {}
    sent: list[int] = []
    places: set[int] = set()
    for each in statements:
        step = each.step or ""
        is_first = each.place not in places
        places.add(each.place)
        if (is_first and _COMMAND.search(step)) or _ANNOUNCED.match(each.texts[0]):
            begun.setdefault(each.place, each.number)
        if any(map(_SENT.match, each.texts)) and (each.place in begun or not _OTHER_STEP.match(step)):
            begun.setdefault(each.place, each.number)
            sent.append(each.number)
    return Uploads(begun, tuple(sent))
