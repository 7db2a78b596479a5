"""Filter patterns of `on.push` in a workflow file: which branches and paths they take (pure).

`*` matches all but a slash, `**` everything, `?` and `+` repeat the character before, `[]` is one of some, a `!` at the
beginning takes away what an earlier pattern took. No regular expressions: the patterns are a stranger's, and every name
is matched in time that grows with pattern and name alone.
Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

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
