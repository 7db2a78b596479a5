"""States of GitHub's settings that can block a release."""

from __future__ import annotations

from typing import Any

from release_state.facts.rulesets import ACTIONS
from release_state.model.observation import Problem, known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Snapshot
from tests.support import states as s
from tests.support import workflows as w

HOLDS, ACTION, UNKNOWN = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN
NONE = Outcome.NOT_APPLICABLE
HIDDEN = Problem(source="GitHub", why="shown to administrators only", remedy="administration=read")
FOR_TESTPYPI = {"target": s.target(channel=s.TESTPYPI)}


def branch(*rules: str, **ruleset: Any) -> Snapshot:
    """A ready state with these rules for the release branch."""
    made = tuple(s.rule(kind) for kind in rules)
    return s.ready(
        branch_rules=known(made), rulesets=known((s.ruleset(*made, target="branch", include=("~ALL",), **ruleset),))
    )


def tags(*rules: str, include: str = "refs/tags/v*", **ruleset: Any) -> Snapshot:
    """A ready state with a ruleset for tags."""
    made = tuple(s.rule(kind) for kind in rules)
    return s.ready(rulesets=known((s.ruleset(*made, include=(include,), **ruleset),)))


def named(kind: str, operator: str, pattern: str, *, negate: bool = False) -> Snapshot:
    """A ready state with a pattern for names of branches or tags."""
    rule = s.rule(f"{kind}_name_pattern", operator=operator, pattern=pattern, negate=negate)
    include = ("refs/tags/v*",) if kind == "tag" else ("~ALL",)
    rulesets = known((s.ruleset(rule, target=kind, include=include),))
    return s.ready(rulesets=rulesets, branch_rules=known((rule,) if kind == "branch" else ()))


CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("SETTING-31", "no rule", s.ready(), HOLDS),
    ("SETTING-31", "harmless rules", branch("deletion", "non_fast_forward", "required_linear_history"), HOLDS),
    ("SETTING-31", "creation", branch("creation"), ACTION),
    ("SETTING-31", "creation, Actions may", branch("creation", bypass=(ACTIONS,)), HOLDS),
    ("SETTING-31", "creation, others may", branch("creation", bypass=("RepositoryRole 5",)), ACTION),
    ("SETTING-31", "signatures", branch("required_signatures"), ACTION),
    ("SETTING-31", "pull requests only", branch("pull_request"), ACTION),
    ("SETTING-31", "checks before", branch("required_status_checks"), ACTION),
    ("SETTING-31", "name begins right", named("branch", "starts_with", "release/"), HOLDS),
    ("SETTING-31", "name begins wrong", named("branch", "starts_with", "feature/"), ACTION),
    ("SETTING-31", "name must not hold", named("branch", "contains", "pypi", negate=True), ACTION),
    ("SETTING-31", "an expression is not run", named("branch", "regex", "(a+)+$"), ACTION),
    ("SETTING-31", "no ruleset of its own", s.ready(branch_rules=known((s.rule("creation"),))), ACTION),
    ("SETTING-31", "released", s.released(), HOLDS),
    ("SETTING-31", "GitHub silent", s.ready(branch_rules=s.failed()), UNKNOWN),
    ("SETTING-32", "no ruleset", s.ready(), HOLDS),
    ("SETTING-32", "creation", tags("creation"), ACTION),
    ("SETTING-32", "creation of other tags", tags("creation", include="refs/tags/w*"), HOLDS),
    ("SETTING-32", "a star stops at a slash", tags("creation", include="refs/*"), HOLDS),
    ("SETTING-32", "excepted", tags("creation", exclude=("refs/tags/v0.*",)), HOLDS),
    ("SETTING-32", "all", tags("creation", include="~ALL"), ACTION),
    ("SETTING-32", "only tried out", tags("creation", enforcement="evaluate"), HOLDS),
    ("SETTING-32", "update and deletion", tags("update", "deletion"), HOLDS),
    ("SETTING-32", "Actions may", tags("creation", bypass=("Team 1", ACTIONS)), HOLDS),
    ("SETTING-32", "not shown who may", tags("creation", bypass=None), ACTION),
    ("SETTING-32", "for branches", s.ready(rulesets=known((s.ruleset(s.rule("creation"), target="branch"),))), HOLDS),
    ("SETTING-32", "name ends wrong", named("tag", "ends_with", "-final"), ACTION),
    ("SETTING-32", "testpypi", s.ready(**FOR_TESTPYPI), NONE),
    ("SETTING-32", "GitHub silent", s.ready(rulesets=s.failed()), UNKNOWN),
    ("SETTING-33", "asks nothing", s.ready(), HOLDS),
    ("SETTING-33", "a review", s.ready(base_rules=s.base_rules(s.rule("pull_request", approvals=1))), ACTION),
    ("SETTING-33", "classic checks", s.ready(base_rules=s.base_rules(protected=True, checks=("test",))), ACTION),
    ("SETTING-33", "locked", s.ready(base_rules=s.base_rules(protected=True, locked=True)), ACTION),
    ("SETTING-33", "harmless rules", s.ready(base_rules=s.base_rules(s.rule("non_fast_forward"))), HOLDS),
    (
        "SETTING-33",
        "pushed to",
        s.ready(
            base_rules=s.base_rules(s.rule("pull_request")),
            workflow_files=w.observed(w.without('git push origin "v$VERSION"', "git push origin HEAD:main")),
        ),
        ACTION,
    ),
    ("SETTING-33", "hidden", s.ready(base_rules=s.base_rules(protected=True, hidden=HIDDEN)), UNKNOWN),
    (
        "SETTING-33",
        "hidden but for the checks",
        s.ready(base_rules=s.base_rules(protected=True, checks=("test",), hidden=HIDDEN)),
        ACTION,
    ),
    ("SETTING-33", "testpypi", s.ready(**FOR_TESTPYPI), NONE),
    ("SETTING-33", "GitHub silent", s.ready(base_rules=s.failed()), UNKNOWN),
    ("SETTING-34", "on", s.ready(), HOLDS),
    ("SETTING-34", "off", s.ready(actions_settings=s.settings(pulls=False)), ACTION),
    (
        "SETTING-34",
        "off, workflow not known",
        s.ready(actions_settings=s.settings(pulls=False), workflow_files=s.failed()),
        ACTION,
    ),
    (
        "SETTING-34",
        "off, another token",
        s.ready(
            actions_settings=s.settings(pulls=False),
            workflow_files=w.observed(w.without("github.token", "steps.app.outputs.token")),
        ),
        HOLDS,
    ),
    ("SETTING-34", "testpypi", s.ready(**FOR_TESTPYPI), NONE),
    ("SETTING-34", "not an administrator", s.ready(actions_settings=s.failed()), UNKNOWN),
    ("SETTING-35", "no ruleset", s.ready(), NONE),
    ("SETTING-35", "the tag that is made", tags("deletion"), HOLDS),
    ("SETTING-35", "without refs/", tags("deletion", include="v*"), ACTION),
    (
        "SETTING-35",
        "a slash",
        s.ready(rulesets=known((s.ruleset(target="branch", include=("refs/heads/release*",)),))),
        ACTION,
    ),
    (
        "SETTING-35",
        "folders",
        s.ready(rulesets=known((s.ruleset(target="branch", include=("refs/heads/**/*",)),))),
        HOLDS,
    ),
    (
        "SETTING-35",
        "default branch",
        s.ready(rulesets=known((s.ruleset(target="branch", include=("~DEFAULT_BRANCH",)),))),
        HOLDS,
    ),
    ("SETTING-35", "nothing", s.ready(rulesets=known((s.ruleset(include=()),))), ACTION),
    ("SETTING-35", "disabled", s.ready(rulesets=known((s.ruleset(include=(), enforcement="disabled"),))), NONE),
    ("SETTING-35", "GitHub silent", s.ready(rulesets=s.failed()), UNKNOWN),
]
