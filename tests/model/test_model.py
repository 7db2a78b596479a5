"""What the records say of themselves: exit codes, grouped results, tags of a target, related commits, a plan."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.version import Version

from release_state.model.observation import NotObserved, Observation, Problem, known
from release_state.model.outcome import CheckResult, Exit, Outcome, collect_remedies, find_retry_time, merge_unknown
from release_state.model.plan import Plan, Step
from release_state.model.record import TracesThen
from release_state.model.snapshot import Candidate, History
from release_state.model.target import count_numbers, format_semver, parse_repository
from tests.support import states as s
from tests.support.facts import build


def result(name: str, outcome: Outcome = Outcome.UNKNOWN, **changes: Any) -> CheckResult:
    values = {"title": "t", "source": "tag", "blocking": True, "target": "k", "found": "GitHub: 503", **changes}
    return build(CheckResult, id=name, outcome=outcome, **values)


def test_each_exit_code_has_its_symbol_and_each_outcome_its_words() -> None:
    assert {code.name: code.symbol for code in Exit} == {
        "OK": "✓", "ACTION_NEEDED": "✗", "INTERRUPTED": "?", "DEFECT": "✗", "USAGE": "?", "NOTHING_CHECKED": "?",
        "UNKNOWN": "?", "IN_PROGRESS": "?",
    }  # fmt: skip
    assert [outcome.words for outcome in Outcome] == [
        "holds", "action needed", "in progress", "unknown", "skipped", "defect",
    ]  # fmt: skip
    assert Exit.worst([]) is Exit.NOTHING_CHECKED
    assert Exit.worst([Exit.OK, Exit.IN_PROGRESS, Exit.UNKNOWN]) is Exit.UNKNOWN


@pytest.mark.parametrize(
    ("outcome", "blocking", "is_finding", "decides"),
    [
        (Outcome.HOLDS, True, False, (True, True)),
        (Outcome.NOT_APPLICABLE, False, False, (False, True)),
        (Outcome.ACTION_NEEDED, True, True, (True, True)),
        (Outcome.ACTION_NEEDED, False, True, (False, True)),
        (Outcome.DEFECT, False, True, (True, True)),
    ],
)
def test_what_decides(outcome: Outcome, blocking: bool, is_finding: bool, decides: tuple[bool, bool]) -> None:
    found = result("TAG-1", outcome, blocking=blocking)
    assert (found.is_finding, (found.decides(False), found.decides(True))) == (is_finding, decides)
    assert found.heading == f"TAG-1 {outcome.value}" + ("" if blocking else " (advice)")


def test_one_cause_is_one_result() -> None:
    results = [
        result("A"), result("B", blocking=False), result("A", target="k: x"), result("C", why="wait"),
        result("D", Outcome.ACTION_NEEDED), result("E", Outcome.ACTION_NEEDED),
    ]  # fmt: skip
    merged = merge_unknown(results)
    assert [found.id for found in merged] == ["A (x), B (advice)", "C", "D", "E"]
    assert merged[0].blocking and merged[0].title == "One cause leaves all of these unknown."


def test_remedies_and_the_time_to_retry() -> None:
    results = [result("A", why="wait"), result("B", why="wait"), result("C")]
    assert collect_remedies(results) == ("wait",)
    assert find_retry_time(results) is None
    times = [result("A", retry_at="2026-01-02T03:04:00Z"), result("B", retry_at="2026-01-02T03:05:00Z"), result("C")]
    assert find_retry_time(times) == "2026-01-02T03:05:00Z"


@pytest.mark.parametrize(
    ("version", "tag", "is_named"),
    [("0.2.0", "v0.2.0", True), ("0.2.0", "0.2.0", True), ("0.2.0", "v0.2", False), ("0.2", "v0.2.0", True),
     ("0.2.0", "v0.3.0", False), ("0.2.0", "latest", False), ("0.2.0", "v0", False)],
)  # fmt: skip
def test_a_tag_of_fewer_numbers_names_no_version(version: str, tag: str, is_named: bool) -> None:
    assert s.target(version=version).is_version_named_by(tag) is is_named


@pytest.mark.parametrize(
    ("version", "semver"),
    [("1", "1.0.0"), ("1.2.3.4", "1.2.3.4"), ("1.0rc1", "1.0.0-rc.1"), ("1.0a2.dev3", "1.0.0-alpha.2.dev.3"),
     ("1.0.dev3", "1.0.0-dev.3"), ("1!1.0.post2", "1!1.0.0.post2"), ("1.0.post0", "1.0.0.post0"), ("x", "x")],
)  # fmt: skip
def test_versions_in_the_words_of_semantic_versioning(version: str, semver: str) -> None:
    assert format_semver(version) == semver


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://github.example/o/r.git", "o/r"), ("git@github.example:o/r.git", "o/r"),
     ("ssh://git@ssh.github.example/o/r", "o/r"),
     ("https://other.example/o/r", None), ("https://github.example/o", None), ("git@github.example:a/o/r", None)],
)  # fmt: skip
def test_the_repository_of_an_address(url: str, name: str | None) -> None:
    assert parse_repository(url, "https://github.example") == name


def test_underscores_are_a_versions_dots_where_the_template_says_so() -> None:
    assert str(s.target(tag_template="rel_{underscored}").parse_tag("rel_0_2_0")) == "0.2.0"
    spelling = s.target().parse_tag_spelling("v0_2_0")
    assert spelling is not None and spelling[0] == "v{underscored}"


def test_a_branch_that_lasts_is_the_base_or_the_default() -> None:
    target = s.target(base_branch="develop")
    assert [target.is_lasting(name, "main") for name in ("develop", "main", "x")] == [True, True, False]
    assert target.find_channel("testpypi") == s.TESTPYPI and target.find_channel("x") is None


def test_commits_are_related_as_far_as_they_were_fetched() -> None:
    lineages = (s.lineage(s.HEAD), s.lineage(s.OTHER))
    history = History(base_head=s.BASE, lineages=lineages, ancestors=((s.OTHER, s.HEAD),), missing=("e" * 40,))
    assert history.is_ancestor(s.OTHER, s.HEAD) and history.is_ancestor(s.HEAD, s.HEAD)
    assert not history.is_ancestor(s.HEAD, s.OTHER) and not history.is_ancestor("e" * 40, s.HEAD)
    for older, newer in ((s.HEAD, "e" * 40), ("f" * 40, s.HEAD)):
        with pytest.raises(NotObserved):
            history.is_ancestor(older, newer)


def test_traces_of_an_earlier_run() -> None:
    then = TracesThen(established=("tag",), absent=("index",), unknown=("release",))
    assert [then.presence(name) for name in ("tag", "index", "release", "ci")] == ["present", "absent", "unknown", None]


def test_an_observation_is_known_or_unavailable() -> None:
    problem = Problem(source="GitHub", why="503")
    with pytest.raises(ValueError, match="not both"):
        Observation(value=1, unavailable=problem)
    with pytest.raises(NotObserved, match="recorded as absent"):
        known(None).present()
    assert known(0).present() == 0 and Observation(value=None, unavailable=problem).is_known is False


def test_what_cannot_be_shown_has_no_command() -> None:
    step = Step(title="t", commands=(("git", "a\u202eb"), ("git", "c")))
    assert step.commands == () and step.withheld
    assert Step(title="t", commands=(("git", "c"),)).withheld == ""
    plan = Plan(direction="complete", folder="/a\u202eb", steps=(Step(title="t", commands=(("git", "c"),)),))
    assert plan.steps[0].commands == () and plan.way_to_folder() is None
    for folder, way in ((None, None), ("/a b", "cd '/a b'")):
        assert Plan(direction="complete", folder=folder).way_to_folder() == way
    ways = [
        Plan(direction="complete", other_way=way).instead for way in (("--plan", "rollback"), ("--plan", "complete"))
    ]
    assert ways == ["To withdraw instead", "To complete instead"]


@pytest.mark.parametrize(
    ("version", "published", "numbers"),
    [
        ("1.2.0", (), 3),
        ("1.2.0", ("1.2", "1.1.1"), 2),
        ("1.2.0", ("1.1", "1.0"), 2),
        ("1.2.0", ("1.1", "1.0.1"), 3),
        ("2.0", ("1.0.0",), 2),
        ("1.2", ("1.2.0",), 3),
    ],
)
def test_how_many_numbers_the_tag_of_a_version_has(version: str, published: tuple[str, ...], numbers: int) -> None:
    """As the index spells the version: a moving tag has fewer."""
    assert count_numbers(Version(version), map(Version, published)) == numbers


@pytest.mark.parametrize(
    ("event", "branch", "tests"),
    [
        ("push", "main", True),
        ("push", "v0.2.0", False),
        ("pull_request", "topic", True),
        ("merge_group", "topic", True),
        ("workflow_dispatch", "main", False),
    ],
)
def test_a_run_tests_pull_requests_and_the_base_branch(event: str, branch: str, tests: bool) -> None:
    assert s.run(event=event, head_branch=branch).tests("main") is tests


def _absent(sha: str, equal: int, absent: int) -> Candidate:
    """A commit that lacks some of the files."""
    return s.candidate(sha, equal=equal, absent=tuple(map(str, range(absent))))


@pytest.mark.parametrize(
    ("equal", "compared", "unseen", "fits"),
    [
        (5, 8, None, True),
        (4, 8, None, False),  # half of them
        (4, 8, 2, False),
        (20, 100, None, False),
        (20, 100, 60, False),  # half of those that some commit has
        (20, 100, 61, True),
        (19, 100, 90, False),  # too few to tell
    ],
)
def test_a_commit_fits_with_more_than_half_of_what_tells(
    equal: int, compared: int, unseen: int | None, fits: bool
) -> None:
    one = s.candidate(equal=equal)
    assert s.published(one, compared=compared, unseen=unseen).present().fits(one) is fits


@pytest.mark.parametrize(
    ("equal", "absent", "compared", "is_foreign"),
    [
        (0, 5, 8, True),
        (0, 4, 8, False),  # half of the paths are there
        (0, 2, 2, False),  # too few files to tell
        (0, 3, 3, True),
        (1, 9, 10, True),
        (2, 8, 10, False),
        (20, 180, 200, False),  # few of many, and enough to be no accident
        (19, 171, 190, True),
    ],
)
def test_a_commit_with_next_to_none_of_the_files_is_foreign(
    equal: int, absent: int, compared: int, is_foreign: bool
) -> None:
    one, right = _absent(s.HEAD, equal, absent), s.candidate(s.OTHER, equal=compared)
    assert s.published(one, right, compared=compared).present().is_foreign(one) is is_foreign
    assert s.published(one, compared=compared).present().is_foreign(one) is (is_foreign and equal == 0)


def test_a_commit_lacks_more_than_no_commit_has() -> None:
    one, other = _absent(s.HEAD, 6, 2), _absent(s.OTHER, 7, 1)
    found = s.published(one, other).present()
    assert (found.lacks_more(one), found.lacks_more(other)) == (True, False)
    for unseen, lacks in ((1, True), (2, False)):
        assert s.published(one, unseen=unseen).present().lacks_more(one) is lacks
