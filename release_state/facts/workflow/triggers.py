"""When a push to a branch starts a workflow: `on.push`, its filter patterns, and skip markers (pure).

In a pattern, `*` matches all but a slash, `**` everything; `?` and `+` repeat the character before; `[]` is one of a
set; a leading `!` excludes earlier matches. Patterns are untrusted, so none becomes a regular expression: matching
takes time proportional to the lengths of pattern and name.

Sources: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#push,
https://docs.github.com/actions/how-tos/manage-workflow-runs/skip-workflow-runs and
https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct, structs

from release_state.facts.workflow.document import read_yaml

_TOKEN = re.compile(
    r"(?P<folders>\*\*/)|(?P<all>\*\*)|(?P<name>\*)|(?P<optional>\?)|(?P<repeated>\+)"
    r"|\[(?P<set>.[^]]*)\]|\\(?P<escaped>.)|(?P<plain>.)",
    re.DOTALL,
)


class _Part(Struct, frozen=True):
    """One part of a pattern: the characters that it takes, and how often."""

    ranges: tuple[tuple[str, str], ...] = ()
    negated: bool = False
    """Whether it takes the characters outside its ranges."""
    skips: tuple[int, ...] = ()
    """The numbers of parts, from this one, that may be left out together."""
    repeats: bool = False

    def takes(self, character: str) -> bool:
        return any(first <= character <= last for first, last in self.ranges) is not self.negated


def is_taken(patterns: Sequence[str], name: str) -> bool:
    """Whether a list of patterns takes a name: the last pattern that matches decides."""
    taken = False
    for pattern in patterns:
        negates = pattern.startswith("!")
        if matches(pattern[1:] if negates else pattern, name):
            taken = not negates
    return taken


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern matches the whole name."""
    parts = _parse_pattern(pattern)
    places = _with_skips(parts, {0})
    for character in name:
        taking = [place for place in places if place < len(parts) and parts[place].takes(character)]
        repeated = (place for place in taking if parts[place].repeats)
        places = _with_skips(parts, {*(place + 1 for place in taking), *repeated})
        if not places:
            return False
    return len(parts) in places


def _with_skips(parts: Sequence[_Part], places: set[int]) -> set[int]:
    """The places, and those after parts that may be left out."""
    reached = set(places)
    for place, part in enumerate(parts):  # in order: a place after a skipped part may be skipped too
        if place in reached:
            reached.update(place + count for count in part.skips)
    return reached


@lru_cache(maxsize=256)
def _parse_pattern(pattern: str) -> tuple[_Part, ...]:
    slash = (("/", "/"),)
    parts: list[_Part] = []
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup or ""
        if kind == "folders":  # any number of folders, also none: `**/README.md` is also the one at the top
            parts += [_Part(skips=(1, 3)), _Part(negated=True, repeats=True), _Part(slash)]
        elif kind in ("all", "name"):
            parts.append(_Part(slash if kind == "name" else (), negated=True, skips=(1,), repeats=True))
        elif kind == "optional" and parts:
            parts[-1] = structs.replace(parts[-1], skips=(1,))
        elif kind == "repeated" and parts:
            parts[-1] = structs.replace(parts[-1], repeats=True)
        elif kind == "set":
            ranges = re.findall("(.)(?:-(.))?", token["set"], re.DOTALL)
            parts.append(_Part(tuple((first, last or first) for first, last in ranges)))
        else:
            parts.append(_Part(((token[kind], token[kind]),)))
    return tuple(parts)


BOT = "github-actions[bot]"
"""The account of a run's own token, whose pushes and merges start no workflow."""

_MARKER = re.compile(r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]")
_TRAILER = re.compile(r"^skip-checks: ?true\s*\Z", re.MULTILINE)


class PushTrigger(Struct, frozen=True):
    """The filters of `on.push`; None where the file lacks one."""

    branches: tuple[str, ...] | None = None
    branches_ignore: tuple[str, ...] | None = None
    only_tags: bool = False
    """Whether it names tags and no branches, so that no push to a branch starts it."""
    paths: tuple[str, ...] | None = None
    paths_ignore: tuple[str, ...] | None = None

    @property
    def has_paths(self) -> bool:
        """Whether it depends on the changed paths."""
        return self.paths is not None or self.paths_ignore is not None

    def is_for(self, branch: str) -> bool:
        """Whether pushes to this branch start the workflow, whatever they change."""
        if self.branches is not None:
            return is_taken(self.branches, branch)
        if self.branches_ignore is not None:
            return not is_taken(self.branches_ignore, branch)
        return not self.only_tags

    def takes(self, changed: Collection[str]) -> bool:
        """Whether a push that changed these paths starts the workflow."""
        if self.paths is not None and not any(is_taken(self.paths, path) for path in changed):
            return False
        ignored = self.paths_ignore
        return ignored is None or not all(is_taken(ignored, path) for path in changed)


def read_events(text: str) -> dict[str, object]:
    """The events that start a workflow, with their filters; a file of comments alone has none. Raises NotReadable."""
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return {}
    events = read_yaml(text).get("on")
    if isinstance(events, dict):
        return events
    return {str(event): None for event in (events if isinstance(events, list) else [events])}


def read_push_trigger(events: Mapping[str, object]) -> PushTrigger | None:
    """The filters of the push trigger; None if a push never starts the workflow."""
    if "push" not in events:
        return None
    filters = events["push"] if isinstance(events["push"], dict) else {}
    branches, ignored = _patterns(filters, "branches"), _patterns(filters, "branches-ignore")
    return PushTrigger(
        branches=branches,
        branches_ignore=ignored,
        only_tags=("tags" in filters or "tags-ignore" in filters) and branches is None and ignored is None,
        paths=_patterns(filters, "paths"),
        paths_ignore=_patterns(filters, "paths-ignore"),
    )


def find_skip_marker(message: str) -> str:
    """The marker in a commit message that stops its push from starting workflows; empty if none."""
    if found := _MARKER.search(message):
        return found[0]
    return "skip-checks: true" if _TRAILER.search(message.rstrip()) else ""


def _patterns(filters: dict[str, object], name: str) -> tuple[str, ...] | None:
    value = filters.get(name)
    if value is None:
        return None
    return tuple(str(item) for item in (value if isinstance(value, list) else [value]))
