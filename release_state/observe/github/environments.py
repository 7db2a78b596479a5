"""Look-up of the deployment environments that jobs name, and of the refs that may deploy to them.

Sources: https://docs.github.com/rest/deployments/environments, /rest/deployments/branch-policies
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from release_state.model.observation import Observation, unavailable
from release_state.model.snapshot import Environment, RefPattern
from release_state.observe.github.api import SOURCE, Fields, GitHubApi, failure, require_address
from release_state.observe.github.github import GitHub
from release_state.observe.github.lists import AT_ONCE, GitHubList
from release_state.observe.http.limits import map_in_threads

_MOST = 20
"""Environments that are asked for, each with a request or two."""
_REMEDY = "give a token with the permission actions=read"


def observe_environments(github: GitHub, names: Sequence[str]) -> Observation[tuple[Environment, ...]]:
    """Return the environments of these names that exist. GitHub makes a missing one, which any ref may deploy to."""
    if len(names) > _MOST:
        why = f"jobs that publish name {len(names):,} environments; more than {_MOST} are not asked for"
        return unavailable(SOURCE, why, "name the workflow that publishes with --workflow FILE")

    def ask(api: GitHubApi, place: str) -> tuple[Environment, ...]:
        found = map_in_threads(lambda name: _read(github, api, place, name), names, AT_ONCE, "environment")
        return tuple(each for each in found if each is not None)

    return github.observe(ask)


def _read(github: GitHub, api: GitHubApi, place: str, name: str) -> Environment | None:
    path = f"{place}/environments/{quote(name, safe='')}"
    item = api.one(path, "environment", absent=True)
    if item is None:
        if github.visible_repository().private:  # which also hides it from a token without the right
            raise failure(f"GitHub shows no environment {name}: it is missing, or the token may not see it", _REMEDY)
        return None
    if item.text("name").lower() != name.lower():
        raise failure(f"requested the environment {name}, GitHub gave another one")
    require_address(item, place, "an environment")
    policy = item.nullable_child("deployment_branch_policy")
    if policy is None:
        return Environment(name=name)
    if policy.flag("protected_branches") == policy.flag("custom_branch_policies"):
        raise failure("unexpected shape of the answer: the refs of an environment are both selected and protected")
    if policy.flag("protected_branches"):
        return Environment(name=name, admits="protected")
    listed = GitHubList(
        api, f"{path}/deployment-branch-policies", "patterns of an environment", key="branch_policies"
    ).read()
    return Environment(name=name, admits="selected", patterns=tuple(map(_parse_pattern, listed)))


def _parse_pattern(item: Fields) -> RefPattern:
    """A pattern; GitHub Enterprise Servers before 3.12 name no kind, and take it for both."""
    kind = item.optional_text("type") or ""
    if kind not in ("", "branch", "tag"):
        raise failure(f"unexpected shape of the answer: a pattern of an environment is for {kind!r:.40}")
    return RefPattern(pattern=item.text("name"), kind=kind)
