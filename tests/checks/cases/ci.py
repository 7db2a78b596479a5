"""States of CI on the base branch, beyond the commit to release."""

from __future__ import annotations

from typing import Any

from release_state.model.observation import Problem, known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import CICheck, ExpectedCI, Snapshot
from tests.support import states as s
from tests.support.facts import build

HOLDS, ACTION, UNKNOWN = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN
NONE, PROGRESS = Outcome.NOT_APPLICABLE, Outcome.IN_PROGRESS
HIDDEN = Problem(source="GitHub", why="shown to administrators only")


def requires(*names: str) -> Snapshot:
    """A ready state with two CI jobs and these required checks."""
    return s.ready(
        ci=s.ci("success", "success"), base_rules=s.base_rules(s.rule("required_status_checks", checks=names))
    )


def expecting(*own: CICheck, **changes: Any) -> Snapshot:
    """A ready state with these CI results on the head, and this expected CI."""
    of_checks: dict[str, Any] = {name: changes.pop(name) for name in ("ran", "nearest_results") if name in changes}
    if "nearest_results" in of_checks:
        of_checks |= {"nearest": s.OTHER, "nearest_distance": 2}
    found = s.ci(results=own, expected=build(ExpectedCI, **changes), **of_checks)
    return s.ready(ci=found)


BOT = CICheck(name="docs", state="success", app="docs-bot")
PAGES = s.job(0, workflow="pages-build-deployment", event="dynamic")
STARTS, AWAY = (s.pushed_workflow(),), (s.pushed_workflow("kept away"),)
FILTERED = (s.pushed_workflow(file="lint.yml"), s.pushed_workflow("kept away", filtered=True))
LINT = s.job(0, workflow="lint.yml")
EARLIER = {"commit": s.OTHER}
GREEN, RED = (s.job(0, **EARLIER),), (s.job(0, "failure", **EARLIER),)
TRAVIS = CICheck(name="travis", state="success", app="travis")

JUDGED: list[tuple[str, str, Snapshot, Outcome]] = [
    ("CI-1", "a workflow that never began", expecting(workflows=STARTS, push=s.push(60)), UNKNOWN),
    ("CI-1", "a workflow that is to begin", expecting(workflows=STARTS, push=s.push(9)), PROGRESS),
    ("CI-1", "a push that is not listed", expecting(workflows=STARTS, push_unknown="it lists none"), UNKNOWN),
    ("CI-1", "a bot's status alone", expecting(BOT, workflows=STARTS, push=s.push()), UNKNOWN),
    ("CI-1", "Pages alone", expecting(PAGES, workflows=STARTS, push=s.push()), UNKNOWN),
    ("CI-1", "a bot's status where nothing else is expected", expecting(BOT), ACTION),
    ("CI-1", "Pages where nothing else is expected", expecting(PAGES), ACTION),
    ("CI-1", "a bot's status beside green CI", expecting(BOT, s.job(0), workflows=STARTS, ran=("ci.yml",)), HOLDS),
    ("CI-1", "a usual app", expecting(TRAVIS, apps=("travis",), apps_of=(s.OTHER,)), HOLDS),
    (
        "CI-1",
        "a usual app that is missing",
        expecting(s.job(0), workflows=STARTS, ran=("ci.yml",), apps=("travis",), apps_of=(s.OTHER,), push=s.push()),
        UNKNOWN,
    ),
    (
        "CI-1",
        "a required check that is missing",
        expecting(s.job(0), workflows=STARTS, ran=("ci.yml",), required=("gate",), push=s.push()),
        UNKNOWN,
    ),
    ("CI-1", "skipped by its message, green before", expecting(workflows=AWAY, nearest_results=GREEN), ACTION),
    ("CI-1", "skipped by its message, red before", expecting(BOT, workflows=AWAY, nearest_results=RED), ACTION),
    ("CI-1", "skipped, and none before", expecting(workflows=AWAY), ACTION),
    (
        "CI-1",
        "some kept away, green before",
        expecting(LINT, workflows=FILTERED, ran=("lint.yml",), nearest_results=GREEN),
        HOLDS,
    ),
    (
        "CI-1",
        "some kept away, red before",
        expecting(LINT, workflows=FILTERED, ran=("lint.yml",), nearest_results=RED),
        ACTION,
    ),
    ("CI-1", "switched off", expecting(LINT, workflows=(s.pushed_workflow("disabled"),), ran=("lint.yml",)), HOLDS),
    ("CI-1", "switched off, and nothing else", expecting(workflows=(s.pushed_workflow("disabled"),)), ACTION),
    ("CI-1", "a workflow for comments", expecting(s.job(0, event="issue_comment")), ACTION),
    ("CI-1", "a workflow for comments that did nothing", expecting(s.job(0, "skipped", event="issue_comment")), ACTION),
    ("CI-1", "a night", expecting(s.job(0, event="schedule")), HOLDS),
    ("CI-1", "a chore of the night", expecting(s.job(0, event="schedule"), testing=("pulls.yml",)), ACTION),
    ("CI-1", "a night of CI itself", expecting(s.job(0, event="schedule"), testing=("ci.yml",)), HOLDS),
    ("CI-1", "what is expected was not asked for", s.ready(ci=s.ci("success", expected=None)), UNKNOWN),
    ("CI-1", "red, whatever is expected", s.ready(ci=s.ci("failure", expected=None)), ACTION),
]

CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("CI-2", "reported", requires("job 0", "job 1"), HOLDS),
    ("CI-2", "never reported", requires("job 0", "old name"), ACTION),
    ("CI-2", "none required", s.ready(), NONE),
    ("CI-2", "none known", s.ready(base_rules=s.base_rules(protected=True, hidden=HIDDEN)), NONE),
    ("CI-2", "GitHub silent", s.ready(base_rules=s.failed()), UNKNOWN),
    ("CI-2", "CI silent", s.ready(ci=s.failed()), UNKNOWN),
    ("CI-3", "green", s.ready(), HOLDS),
    ("CI-3", "one red", s.ready(base_runs=known((s.run(), s.run(conclusion="failure", workflow="ci.yml")))), ACTION),
    ("CI-3", "skipped", s.ready(base_runs=known((s.run(conclusion="skipped"),))), HOLDS),
    ("CI-3", "none", s.ready(base_runs=known(())), NONE),
    ("CI-3", "GitHub silent", s.ready(base_runs=s.failed()), UNKNOWN),
    *JUDGED,
]
