"""What messages call for by plain rules, and where a project's rules are configured."""

from __future__ import annotations

import json

import pytest
from packaging.version import Version

from release_state.facts.commits import (
    bump_version,
    classify_for_commitizen,
    classify_message,
    count_levels,
    find_highest,
)
from release_state.model.snapshot.published import Level
from release_state.observe.next_version.rules import Configuration, Unreadable, find_configuration, find_project_name
from release_state.observe.next_version.semantic_release import NotCalculated, find_usable_version

LEVELS = [
    # message, Conventional Commits, commitizen (as cz bump --get-next of commitizen 4.19 has it)
    ("feat: x", "minor", "minor"),
    ("feat(scope): x", "minor", "minor"),
    ("feat(a(b)): x", "minor", "minor"),
    ("fix: x", "patch", "patch"),
    ("perf: x", "patch", "patch"),
    ("refactor: x", "none", "patch"),
    ("docs: x", "none", "none"),
    ("revert: x", "none", "none"),
    ("chore!: x", "major", "major"),
    ("fix(a)!: x", "major", "major"),
    ("docs: x\n\nBREAKING CHANGE: y", "major", "major"),
    ("docs: x\n\nBREAKING-CHANGE: y", "major", "major"),
    ("docs: x\n\nno BREAKING CHANGE: y", "none", "none"),
    ("docs: x\n\nfix: in the body", "none", "patch"),
    ("feat:x", None, "minor"),
    ("feat : x", None, None),
    ("Update x", None, None),
    ("Merge branch 'x'", None, None),
    ("feat", None, None),
    ("", None, None),
    ("feat(\n): x", None, None),
]


@pytest.mark.parametrize(("message", "plain", "commitizen"), LEVELS)
def test_levels(message: str, plain: str | None, commitizen: str | None) -> None:
    assert classify_message(message) == plain
    assert classify_for_commitizen(message) == commitizen


def test_types_that_the_project_names() -> None:
    assert classify_message("add: x", types=["add"], minor=["add"]) == "minor"
    assert classify_message("feat: x", types=["add"], minor=["add"]) is None
    assert classify_message("Feat: x", types=["feat"]) is None, "named types are taken as they are"
    assert classify_message("Feat: x") == "minor"


@pytest.mark.parametrize(
    ("last", "level", "major_on_zero", "expected"),
    [
        ("0.1.0", "major", True, "1.0.0"),
        ("0.1.0", "major", False, "0.2.0"),
        ("1.2.3", "major", False, "2.0.0"),
        ("1.2.3", "minor", True, "1.3.0"),
        ("1.2.3", "patch", True, "1.2.4"),
        ("1.2.3", "none", True, None),
        (None, "minor", True, "0.1.0"),
        (None, "none", True, None),
    ],
)
def test_raised(last: str | None, level: str, major_on_zero: bool, expected: str | None) -> None:
    version = Version(last) if last else None
    assert bump_version(version, level, major_on_zero=major_on_zero) == expected  # type: ignore[arg-type]


def test_the_highest() -> None:
    assert find_highest([None, "patch", "none"]) == "patch"
    assert find_highest([None]) == find_highest([]) == "none"


def test_where_rules_are_configured() -> None:
    both = {"pyproject.toml": "[tool.semantic_release]\nx = 1\n[tool.commitizen]\ny = 1\n"}
    found = find_configuration(both, "auto")
    assert (found.rules, found.where, found.table) == (
        "semantic-release",
        "[tool.semantic_release] of pyproject.toml",
        {"x": 1},
    )
    assert find_configuration(both, "commitizen").where == "[tool.commitizen] of pyproject.toml"
    assert find_configuration(both, "conventional").rules == "conventional"
    assert find_configuration(both, "none").rules is None
    as_json = {"pyproject.toml": "[project]\n", "releaserc.json": json.dumps({"semantic_release": {"x": 2}})}
    assert find_configuration(as_json, "auto").where == "[semantic_release] of releaserc.json"
    assert find_configuration({"releaserc.toml": "[semantic_release]\n"}, "auto").rules == "semantic-release"
    assert find_configuration({".cz.toml": "[tool.commitizen]\n"}, "auto").rules == "commitizen"
    assert find_configuration({".cz.yaml": "commitizen:\n  name: x\n"}, "auto").table == {"name": "x"}
    assert find_configuration({"cz.json": '{"commitizen": {}}'}, "auto").rules == "commitizen"
    assert find_configuration({"pyproject.toml": "[tool.ruff]\n"}, "auto") == Configuration(None)
    assert find_configuration({}, "semantic-release").rules == "semantic-release"


@pytest.mark.parametrize(
    "files", [{"pyproject.toml": "["}, {"releaserc.json": "{"}, {"cz.json": "[" * 10_000}, {"cz.yaml": "a: *b"}]
)
def test_what_cannot_be_read_is_not_taken_for_nothing(files: dict[str, str]) -> None:
    with pytest.raises(Unreadable):
        find_configuration(files, "auto")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[project]\nname = "Foo.Bar"\n', "Foo.Bar"),
        ('[tool.poetry]\nname = "foo"\n', "foo"),
        ("[build-system]\n", "cfg-name"),
        ("[broken\n", None),
    ],
)
def test_the_name_of_what_is_built(text: str, name: str | None) -> None:
    assert find_project_name({"pyproject.toml": text, "setup.cfg": "[metadata]\nname = cfg-name\n"}) == name


PINS = [
    ('[dependency-groups]\ndev = ["python-semantic-release>=9.0"]', "", (">=9.0",), True),
    (
        "[project.optional-dependencies]\nx = [\"Python_Semantic.Release[a]==9.21.1 ; python_version>'3'\"]",
        "",
        ("==9.21.1",),
        False,
    ),
    ('[tool.poetry.group.dev.dependencies]\npython-semantic-release = "^9.1"', "", ("<10,>=9.1",), False),
    ('[tool.poetry.dev-dependencies]\npython-semantic-release = {version = "^10.1"}', "", ("<11,>=10.1",), True),
    ('[x]\ny = ["python-semantic-release-plugin==1.0"]', "", (), True),
    ("", "run: pip install 'python-semantic-release==8.0.0'", ("==8.0.0",), False),
    ("", "run: pip install python-semantic-release", (), True),
    ("", "- uses: python-semantic-release/python-semantic-release@v9.8.0", ("==9.*",), False),
    ("", "- uses: python-semantic-release/python-semantic-release@0123abcd  # v10.5.3", ("==10.*",), True),
    ("", "- uses: python-semantic-release/python-semantic-release@master", (), True),
]


@pytest.mark.parametrize(("pyproject", "workflow", "pins", "fits"), PINS)
def test_another_version_of_the_tool_is_not_asked_in_its_place(
    pyproject: str, workflow: str, pins: tuple[str, ...], fits: bool
) -> None:
    text = f"{pyproject}\n[tool.semantic_release]\n"
    found = find_configuration({"pyproject.toml": text}, "auto", workflow)
    assert found.pins == pins
    if fits:
        assert find_usable_version(found).startswith("10.")
    else:
        with pytest.raises(NotCalculated, match="asks for") as refused:
            find_usable_version(found)
        assert "install python-semantic-release" in (refused.value.problem.remedy or "")


def test_commits_are_counted_by_level_and_those_that_decide_are_shown() -> None:
    commits: list[tuple[str, str, Level | None]] = [
        ("a", "docs: x", "none"), ("b", "feat: x", "minor"), ("c", "fix: x", "patch"), ("d", "Update x", None),
    ]  # fmt: skip
    found = count_levels("v0.1.0", commits)
    assert (found.total, found.levels) == (4, {"minor": 1, "patch": 1, "none": 1})
    assert [each.sha for each in found.decisive] == ["b"]
    assert ([each.sha for each in found.not_conventional], found.not_conventional_count) == (["d"], 1)
    assert count_levels(None, commits[:1]).decisive == (), "nothing calls for a release"
