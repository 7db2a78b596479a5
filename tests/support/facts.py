"""What settings and the release workflow say, written down by hand, for the states."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import convert, to_builtins

from release_state.model.observation import Model, Observation, known
from release_state.model.snapshot import ActionsSettings, BaseRules, Rule, Ruleset, WorkflowFile, WorkflowFiles

M = TypeVar("M", bound=Model)


def build(model: type[M], /, **fields: Any) -> M:
    """A model, through the door that everything from outside takes: a wrong type or a naive time fails."""
    return convert(to_builtins(fields), model)


BASE = "b" * 40
"""The head of main."""


def rule(kind: str, **changes: Any) -> Rule:
    """A rule of the ruleset below."""
    return build(Rule, type=kind, ruleset=7, **changes)


def ruleset(*rules: Rule, target: str = "tag", include: tuple[str, ...] = ("refs/tags/v*",), **changes: Any) -> Ruleset:
    """An active ruleset that nobody may pass by."""
    values: dict[str, Any] = {"name": "guard", "enforcement": "active", "bypass": (), **changes}
    return build(Ruleset, id=7, target=target, include=include, rules=rules, **values)


def base_rules(*rules: Rule, **changes: Any) -> Observation[BaseRules]:
    """What main asks for: nothing, but for these rules."""
    return known(build(BaseRules, **{"branch": "main", "protected": bool(rules), "rules": rules, **changes}))


def settings(default: str = "read", *, pulls: bool = True) -> Observation[ActionsSettings]:
    """What Actions may do."""
    return known(ActionsSettings(default_permissions=default, may_create_pull_requests=pulls))


def workflow(text: str) -> Observation[WorkflowFiles]:
    """The release workflow with this text."""
    path = ".github/workflows/release.yml"
    return known(WorkflowFiles(commit=BASE, path=path, files=(WorkflowFile(path=path, text=text),)))


WORKFLOW = workflow(
    "on: {workflow_dispatch: {inputs: {channel: {options: [testpypi, pypi]}}}}\n"
    "concurrency: release\n"
    "permissions: {contents: write, pull-requests: write, id-token: write}\n"
    "jobs: {release: {timeout-minutes: 20, steps: [{run: gh pr create}]}}\n"
)
"""A release workflow with nothing to find."""
