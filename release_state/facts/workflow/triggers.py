"""When a push to a branch starts a workflow: `on.push`, its filter patterns, and skip markers (pure).

A pattern's `*` matches all but a slash, `**` everything; `?` and `+` repeat the character before; `[]` is one of a
set; a leading `!` excludes what an earlier pattern matched. Patterns are untrusted, so none becomes a regular
expression: matching takes time proportional to pattern and name.

Sources: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#push,
https://docs.github.com/actions/how-tos/manage-workflow-runs/skip-workflow-runs and
https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from release_state.facts.workflow.document import read_yaml

_Takes = Callable[[str], bool]


@dataclass(frozen=True)
class _Part:
    """One step of a pattern: the characters that it takes, and how often."""

    takes: _Takes
    skips: tuple[int, ...] = ()
    """How many parts, this one the first, may be left out together; empty: it is needed."""
    repeats: bool = False


def is_taken(patterns: Sequence[str], name: str) -> bool:
    """Whether a list of patterns takes a name: the last pattern that matches decides."""
    taken = False
    for pattern in patterns:
        negates = pattern.startswith("!")
        if matches(pattern[1:] if negates else pattern, name):
            taken = not negates
    return taken


def takes_any(patterns: Sequence[str], names: Iterable[str]) -> bool:
    """Whether one of the names is taken."""
    return any(is_taken(patterns, name) for name in names)


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern matches the whole name."""
    parts = _parts(pattern)
    places = _from(parts, {0})
    for character in name:
        following = set()
        for place in places:
            if place < len(parts) and parts[place].takes(character):
                following.add(place + 1)
                if parts[place].repeats:
                    following.add(place)
        places = _from(parts, following)
        if not places:
            return False
    return len(parts) in places


def _from(parts: Sequence[_Part], places: set[int]) -> set[int]:
    """The places, and those behind parts that may be skipped."""
    reached = set(places)
    for place, part in enumerate(parts):  # in order: what is reached by leaving one out may be left out itself
        if place in reached:
            reached.update(place + count for count in part.skips)
    return reached


@lru_cache(maxsize=256)
def _parts(pattern: str) -> tuple[_Part, ...]:
    parts: list[_Part] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            deep = pattern.startswith("*", at)
            at += deep
            # `**/` is any number of folders, none among them: `**/README.md` is also the one at the top.
            if deep and pattern.startswith("/", at):
                at += 1
                parts += [_Part(_nothing, skips=(1, 3)), _Part(_anything, repeats=True), _Part(_exactly("/"))]
            else:
                parts.append(_Part(_anything if deep else _no_slash, skips=(1,), repeats=True))
        elif character == "?" and parts:
            parts[-1] = replace(parts[-1], skips=(1,))
        elif character == "+" and parts:
            parts[-1] = replace(parts[-1], repeats=True)
        elif character == "[" and "]" in pattern[at + 1 :]:
            end = pattern.index("]", at + 1)
            parts.append(_Part(_one_of(pattern[at:end])))
            at = end + 1
        else:
            if character == "\\" and at < len(pattern):
                character = pattern[at]
                at += 1
            parts.append(_Part(_exactly(character)))
    return tuple(parts)


def _anything(character: str) -> bool:
    return True


def _nothing(character: str) -> bool:
    return False


def _no_slash(character: str) -> bool:
    return character != "/"


def _exactly(wanted: str) -> _Takes:
    return lambda character: character == wanted


def _one_of(listed: str) -> _Takes:
    taken: set[tuple[str, str]] = set()
    at = 0
    while at < len(listed):
        if listed[at + 1 : at + 2] == "-" and at + 2 < len(listed):
            taken.add((listed[at], listed[at + 2]))
            at += 3
        else:
            taken.add((listed[at], listed[at]))
            at += 1
    return lambda character: any(first <= character <= last for first, last in taken)


BOT = "github-actions[bot]"
"""The account of a run's own token, whose pushes and merges start no workflow."""

_MARKER = re.compile(r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]")
_TRAILER = re.compile(r"^skip-checks: ?true\s*\Z", re.MULTILINE)


@dataclass(frozen=True)
class PushTrigger:
    """The filters of `on.push`; None: the file does not have this one."""

    branches: tuple[str, ...] | None = None
    branches_ignore: tuple[str, ...] | None = None
    only_tags: bool = False
    """Whether it names tags and no branches: then no push to a branch starts it."""
    paths: tuple[str, ...] | None = None
    paths_ignore: tuple[str, ...] | None = None

    @property
    def has_paths(self) -> bool:
        """Whether it depends on what was changed."""
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
        if self.paths is not None and not takes_any(self.paths, changed):
            return False
        ignored = self.paths_ignore
        return ignored is None or not all(is_taken(ignored, path) for path in changed)


def read_events(text: str) -> dict[str, object]:
    """The events that start the workflow of this text, with the filters of each; one that is all comment has none.

    Raises NotReadable.
    """
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines()):
        return {}
    events = read_yaml(text).get("on")
    if isinstance(events, dict):
        return events
    return {str(event): None for event in (events if isinstance(events, list) else [events])}


def read_push_trigger(events: Mapping[str, object]) -> PushTrigger | None:
    """What a push does to the workflow of these events; None where it starts it on no branch and no tag."""
    if "push" not in events:
        return None
    given = events["push"]
    filters = given if isinstance(given, dict) else {}
    branches, ignored = _patterns(filters, "branches"), _patterns(filters, "branches-ignore")
    return PushTrigger(
        branches=branches,
        branches_ignore=ignored,
        only_tags=("tags" in filters or "tags-ignore" in filters) and branches is None and ignored is None,
        paths=_patterns(filters, "paths"),
        paths_ignore=_patterns(filters, "paths-ignore"),
    )


def find_skip_marker(message: str) -> str:
    """What in the message of a commit keeps workflows from starting on its push; empty: nothing."""
    if found := _MARKER.search(message):
        return found[0]
    return "skip-checks: true" if _TRAILER.search(message.rstrip()) else ""


def _patterns(filters: dict[str, object], name: str) -> tuple[str, ...] | None:
    value = filters.get(name)
    if value is None:
        return None
    return tuple(str(item) for item in (value if isinstance(value, list) else [value]))
