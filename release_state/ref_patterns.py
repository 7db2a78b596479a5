"""Which refs a ruleset is for: GitHub's patterns are those of Ruby's `File.fnmatch` with FNM_PATHNAME.

`*` and `?` never match a slash, `**/` matches any number of folders, a leading dot is only matched by a dot.
Source: https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from release_state.snapshot import Ruleset

_ALL, _DEFAULT = "~ALL", "~DEFAULT_BRANCH"
_ESCAPED = re.compile(r"\\(.)")


def applies(ruleset: Ruleset, ref: str, default_branch: str | None) -> bool:
    """Whether a ruleset is for a full ref name (`refs/heads/main`)."""
    if ruleset.include is None:
        return True
    return _any(ruleset.include, ref, default_branch) and not _any(ruleset.exclude, ref, default_branch)


def matches(pattern: str, ref: str) -> bool:
    """Whether the whole name matches: `refs/heads/release/*`, `refs/tags/v*`, `refs/heads/**/*`."""
    names = ref.split("/")
    # How many of the names the pattern has matched so far, in each way that it can.
    ways = {0}
    *folders, last = pattern.split("/")
    for part in folders:
        if part == "**":
            ways = {end for start in ways for end in _past_folders(names, start)}
        else:
            ways = {at + 1 for at in ways if at < len(names) and _matches_name(part, names[at])}
    return any(at == len(names) - 1 and _matches_name(last, names[at]) for at in ways)


def _any(patterns: tuple[str, ...], ref: str, default_branch: str | None) -> bool:
    special = {_ALL: True, _DEFAULT: ref == f"refs/heads/{default_branch}"}
    return any(special[pattern] if pattern in special else matches(pattern, ref) for pattern in patterns)


def _past_folders(names: list[str], start: int) -> range:
    hidden = (at for at in range(start, len(names)) if names[at].startswith("."))
    return range(start, next(hidden, len(names)) + 1)


def _matches_name(pattern: str, name: str) -> bool:
    if name.startswith(".") and not pattern.startswith((".", "\\.")):
        return False
    # As Python's fnmatch spells it: no backslash, and ! alone negates.
    return fnmatchcase(name, _ESCAPED.sub(r"[\1]", pattern).replace("[^", "[!"))
