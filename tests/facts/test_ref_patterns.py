"""Patterns of rulesets match as Ruby's `File.fnmatch` with FNM_PATHNAME does, by which GitHub matches them."""

from __future__ import annotations

import time

import pytest

from release_state.facts.rulesets import applies, matches
from tests.support import states as s

# What Ruby 3.1 says; 21,600 random pairs agreed besides.
AS_RUBY = [
    ("refs/heads/release/*", "refs/heads/release/pypi-v0.2.0", True),
    ("refs/heads/release/*", "refs/heads/release/a/b", False),
    ("refs/heads/release*", "refs/heads/release/a", False),
    ("refs/heads/release/**/*", "refs/heads/release/a", True),
    ("refs/heads/release/**/*", "refs/heads/release/a/b/c", True),
    ("refs/heads/release/**", "refs/heads/release/a/b", False),
    ("refs/heads/**/*", "refs/heads/main", True),
    ("**/*", "refs/tags/v1", True),
    ("refs/*", "refs/tags/v1", False),
    ("refs/tags/v*", "refs/tags/v0.2.0", True),
    ("v*", "refs/tags/v0.2.0", False),
    ("refs/tags/v[0-9]*", "refs/tags/v0.2.0", True),
    ("refs/tags/v[!0-9]*", "refs/tags/v0.2.0", False),
    ("refs/tags/v[^0-9]*", "refs/tags/vx", True),
    ("refs/tags/v?.*", "refs/tags/v1.0", True),
    ("refs/tags/v?", "refs/tags/v1.0", False),
    ("refs/heads/*", "refs/heads/.hidden", False),
    ("refs/heads/.*", "refs/heads/.hidden", True),
    ("refs/**/x", "refs/.a/x", False),
    ("refs/tags/\\*", "refs/tags/*", True),
    ("refs/tags/\\*", "refs/tags/a", False),
    ("refs/tags/V*", "refs/tags/v1", False),
    ("refs/tags/[z-a]", "refs/tags/b", False),
]


@pytest.mark.parametrize(("pattern", "ref", "matched"), AS_RUBY)
def test_patterns(pattern: str, ref: str, matched: bool) -> None:
    assert matches(pattern, ref) is matched


def test_what_a_ruleset_is_for() -> None:
    def is_for(ref: str, *include: str, exclude: tuple[str, ...] = ()) -> bool:
        return applies(s.ruleset(include=include, exclude=exclude), ref, "main")

    assert is_for("refs/tags/v1", "~ALL") and is_for("refs/heads/main", "~DEFAULT_BRANCH")
    assert not is_for("refs/heads/other", "~DEFAULT_BRANCH")
    assert not is_for("refs/tags/v1")
    assert not is_for("refs/tags/v1", "~ALL", exclude=("refs/tags/v*",))
    assert is_for("refs/tags/w1", "~ALL", exclude=("refs/tags/v*",))


def test_a_hostile_pattern_ends() -> None:
    began = time.process_time()
    assert not matches("refs/heads/" + "*a" * 200 + "b", "refs/heads/" + "a" * 250)
    assert not matches("**/" * 100 + "x", "a/" * 100 + "y")
    assert time.process_time() - began < 20
