"""Which pushes start a workflow: filter patterns, branches, paths, and the markers that keep all of them away."""

from __future__ import annotations

import time

import pytest

from release_state.facts.workflow.document import NotReadable
from release_state.facts.workflow.triggers import find_skip_marker, is_taken, matches, read_events, read_push_trigger


@pytest.mark.parametrize(
    ("pattern", "taken", "left"),
    [
        # GitHub's own cheat sheet.
        ("feature/*", ["feature/my-branch"], ["feature/beta-a/my-branch", "feature"]),
        ("feature/**", ["feature/beta-a/my-branch", "feature/your-branch"], ["features/x"]),
        ("*", ["main", "releases"], ["all/the/branches"]),
        ("**", ["all/the/branches", "every/tag"], []),
        ("*feature", ["mona-feature", "feature"], ["features"]),
        ("v2*", ["v2", "v2.0", "v2.9"], ["v1", "v2/x"]),
        ("v[12].[0-9]+.[0-9]+", ["v1.10.1", "v2.0.0"], ["v3.0.0", "v1.x.0", "v1..0"]),
        ("*.jsx?", ["page.js", "page.jsx"], ["page.jsxx", "page.ts"]),
        ("**.js", ["index.js", "js/index.js", "src/js/app.js"], ["index.jsx"]),
        ("docs/*", ["docs/README.md"], ["docs/a/b.md"]),
        ("**/docs/**", ["docs/hello.md", "dir/docs/my-file.txt", "space/docs/plan/space.doc"], ["mydocs/x"]),
        ("**/README.md", ["README.md", "js/README.md"], ["README.md.txt", "js/aREADME.md"]),
        ("**/*src/**", ["a/src/app.js", "my-src/code/js/app.js"], ["src"]),
        ("**/migrate-*.sql", ["migrate-10909.sql", "db/sept/migrate-v1.sql"], ["db/migrate-/v1.sql"]),
        # And what is in no example.
        ("main", ["main"], ["mai", "mains", "Main"]),
        ("a\\*", ["a*"], ["ab"]),
        ("[unclosed", ["[unclosed"], ["u"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("?x", ["?x"], ["x"]),
        ("", [""], ["x"]),
    ],
)
def test_patterns(pattern: str, taken: list[str], left: list[str]) -> None:
    assert [name for name in taken if not matches(pattern, name)] == []
    assert [name for name in left if matches(pattern, name)] == []


def test_the_last_pattern_that_matches_decides() -> None:
    patterns = ("releases/**", "!releases/**-alpha", "releases/kept-alpha")
    assert is_taken(patterns, "releases/10")
    assert not is_taken(patterns, "releases/beta/3-alpha")
    assert is_taken(patterns, "releases/kept-alpha")
    assert not is_taken(("!main",), "main") and not is_taken(("!next",), "main"), "alone it takes nothing"


def test_a_pattern_of_a_stranger_takes_no_time() -> None:
    began = time.process_time()
    assert not matches("**/" * 200 + "*a" * 200 + "b", "a/" * 400 + "a" * 400)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("on", "main", "next_"),
    [
        ("push", True, True),
        ("[pull_request, push]", True, True),
        ("{push: }", True, True),
        ("{push: {branches: main}}", True, False),
        ("{push: {branches: [main, 'release/**']}}", True, False),
        ("{push: {branches: ['**', '!main']}}", False, True),
        ("{push: {branches-ignore: [next]}}", True, False),
        ("{push: {tags: ['v*']}}", False, False),
        ("{push: {tags-ignore: ['v*']}}", False, False),
        ("{push: {tags: ['v*'], branches: [main]}}", True, False),
        ("{push: {paths: [src/**]}}", True, True),
    ],
)
def test_branches(on: str, main: bool, next_: bool) -> None:
    trigger = read_push_trigger(read_events(f"on: {on}"))
    assert trigger is not None
    assert (trigger.is_for("main"), trigger.is_for("next")) == (main, next_)


@pytest.mark.parametrize(
    "on", ["pull_request", "[schedule]", "{workflow_dispatch: }", "{pull_request: {branches: [main]}}"]
)
def test_what_no_push_starts(on: str) -> None:
    assert read_push_trigger(read_events(f"on: {on}")) is None


@pytest.mark.parametrize(
    ("filters", "changed", "starts"),
    [
        ("", ["x"], True),
        ("paths: ['src/**']", ["docs/a.md", "src/a.py"], True),
        ("paths: ['src/**']", ["docs/a.md"], False),
        ("paths: ['**', '!docs/**']", ["docs/a.md"], False),
        ("paths-ignore: ['docs/**']", ["docs/a.md", "src/a.py"], True),
        ("paths-ignore: ['docs/**', '*.md']", ["docs/a.md", "README.md"], False),
        ("paths-ignore: ['*.md']", ["docs/a.md"], True),
    ],
)
def test_paths(filters: str, changed: list[str], starts: bool) -> None:
    trigger = read_push_trigger(read_events(f"on: {{push: {{{filters}}}}}"))
    assert trigger is not None
    assert trigger.has_paths is bool(filters)
    assert trigger.takes(changed) is starts


@pytest.mark.parametrize("text", ["on: [push", "---", "- on: push", "on: push\non: push"])
def test_what_is_no_workflow_file_is_not_taken_for_one_that_never_starts(text: str) -> None:
    with pytest.raises(NotReadable):
        read_events(text)


@pytest.mark.parametrize("marker", ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"])
def test_markers(marker: str) -> None:
    assert find_skip_marker(f"chore: x {marker}\n") == find_skip_marker(f"chore: x\n\nlonger\n{marker} text") == marker


def test_the_trailer_ends_the_message() -> None:
    assert (
        find_skip_marker("x\n\n\nskip-checks: true\n")
        == find_skip_marker("x\n\n\nskip-checks:true")
        == "skip-checks: true"
    )
    assert find_skip_marker("x\n\n\nskip-checks: true\n\nand more") == ""
    assert find_skip_marker("x [skip-ci] skip ci [SKIP CI]") == ""
