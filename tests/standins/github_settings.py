"""Settings of a repository and pushes to it, as GitHub shows them; the demo world itself has none and asks for none."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

from release_state.demo.git import GitError
from release_state.demo.github.gitstore import Commit, Ref
from release_state.demo.github.model import Json, stamp
from release_state.demo.github.render import Renderer
from release_state.demo.github.routes import branch_of
from release_state.demo.github.routing import ROUTES, ApiError, Call, Handler, Result, not_found, route
from release_state.demo.github.state import GitHubState
from tests.standins.github_fields import FullRenderer, node_id, number_of

NOTHING = "0" * 40
_MOST_PUSHES = 500


@dataclass(frozen=True)
class Activity:
    """One push to a branch; `before` is all zeros where it made the branch."""

    ref: str
    before: str
    after: str
    at: datetime
    actor: str
    kind: str


class SettingsState(GitHubState):
    """What GitHub holds of a repository besides.

    Attributes:
        protection: classic branch protection by branch name, as the API shows it (`url` may be left out).
        rules: ruleset rules by branch pattern (shell wildcards), as `/rules/branches/{branch}` shows them.
        rulesets: rulesets as `/rulesets` shows them; ids and links may be left out.
        environments: by name, the patterns of the refs that may deploy to a deployment environment, as the API shows
            them (ids may be left out); None: all refs; True: protected branches.
        fork_of: the repository that this one is a fork of, None for none.
        scopes: the scopes of classic tokens; `repo, workflow` by default.

    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.protection: dict[str, Json] = {}
        self.rules: dict[str, list[Json]] = {}
        self.rulesets: list[Json] = []
        self.environments: dict[str, list[Json] | bool | None] = {}
        self.fork_of: str | None = None
        self.scopes: dict[str, str] = {}

    def activities(self, ref: str) -> Iterator[Activity]:
        """The pushes to a branch, the newest first: each commit was pushed as it was committed, one by one."""
        merged = {pull.merge_commit_sha for pull in self.pulls.values()}
        found = self.git.ref(ref)
        sha = found.commit if found else NOTHING
        listed = {commit.sha: commit for commit in self.git.log(sha)} if found else {}
        while sha != NOTHING:
            try:
                commit = listed.get(sha) or self.git.commit(sha)
            except GitError:
                return  # pushed away by force: the repository no longer has it
            push = self.push_of(ref, commit, is_merge=sha in merged)
            yield push
            sha = push.before

    def push_of(self, ref: str, commit: Commit, *, is_merge: bool) -> Activity:
        """The push that brought a commit to a branch; `is_merge` for what merged a pull request."""
        before = (*commit.parents, NOTHING)[0]
        kind = "pr_merge" if is_merge else "push" if before != NOTHING else "branch_creation"
        return Activity(ref, before, commit.sha, commit.committer.date, "octo-dev", kind)


class SettingsRenderer(FullRenderer):
    """Shows these settings where others are shown, too."""

    state: SettingsState

    def rules_of(self, branch: str) -> list[Json]:
        """The ruleset rules whose pattern matches the branch."""
        found = [rule for pattern, rules in self.state.rules.items()
                 if fnmatch.fnmatchcase(branch, pattern) for rule in rules]  # fmt: skip
        source = {"ruleset_source_type": "Repository", "ruleset_source": self.state.repository, "ruleset_id": 42}
        return [source | rule for rule in found]

    def protected(self, branch: str) -> bool:
        """Whether classic protection or a ruleset covers the branch."""
        return branch in self.state.protection or bool(self.rules_of(branch))

    def branch(self, ref: Ref) -> Json:
        """A branch as lists show it."""
        name = ref.name.removeprefix("refs/heads/")
        return {"name": name, "commit": self.commit_link(ref.commit), "protected": self.protected(name)}

    def full_branch(self, ref: Ref) -> Json:
        """A branch with its commit and what everybody may know of its protection."""
        name = ref.name.removeprefix("refs/heads/")
        classic = self.state.protection.get(name)
        checks = (classic or {}).get("required_status_checks")
        shown: Json = {"enforcement_level": "non_admins" if checks else "off", "checks": []}
        shown["contexts"] = (checks or {}).get("contexts", [])
        protection = {"enabled": classic is not None, "required_status_checks": shown}
        return super().full_branch(ref) | {"protected": self.protected(name), "protection": protection}

    def full_repository(self, right: str) -> Json:
        """The repository itself, with what it is a fork of."""
        body = super().full_repository(right)
        if self.state.fork_of:
            origin = self.repository(self.state.fork_of) | {"fork": False}
            body |= {"fork": True, "parent": origin, "source": origin}
        return body


def _state(call: Call) -> SettingsState:
    assert isinstance(call.state, SettingsState)
    return call.state


def full(call: Call) -> SettingsRenderer:
    """What shows every field."""
    assert isinstance(call.render, SettingsRenderer)
    return call.render


def _route(path: str, *, permission: str) -> Callable[[Handler], Handler]:
    """Register a handler before those of the demo."""

    def register(handler: Handler) -> Handler:
        route("GET", path, permission=permission)(handler)
        ROUTES.insert(0, ROUTES.pop())
        return handler

    return register


@_route("/branches/{branch:path}/protection", permission="administration=read")
def protection(call: Call) -> Result:
    """Classic protection, for administrators.

    Others get three different refusals: 401 without a token, 404 with a classic one, 403 with a fine-grained one. Only
    the 404 that says "Branch not protected" tells anything of the branch.
    """
    branch_of(call)
    if (call.token or "").startswith("ghp_") and not call.may("admin"):
        raise not_found()
    call.demand("admin")
    found = _state(call).protection.get(call["branch"])
    if found is None:
        docs = "https://docs.github.com/rest/branches/branch-protection#get-branch-protection"
        raise ApiError(404, "Branch not protected", docs=docs)
    api = f"{call.render.repo_api}/branches/{call['branch']}/protection"
    usual: Json = {"url": api, "enforce_admins": {"url": f"{api}/enforce_admins", "enabled": False}}
    body = usual | found
    checks = body.get("required_status_checks")
    if checks:
        more = {"url": f"{api}/required_status_checks", "contexts_url": f"{api}/required_status_checks/contexts"}
        usual_checks: Json = {**more, "strict": False, "contexts": []}
        body["required_status_checks"] = usual_checks | checks
        pairs = [{"context": name, "app_id": None} for name in body["required_status_checks"]["contexts"]]
        body["required_status_checks"].setdefault("checks", pairs)
    return Result(body)


@_route("/rules/branches/{branch:path}", permission="metadata=read")
def rules(call: Call) -> Result:
    """The active ruleset rules of a branch, which need not exist; none is an empty list."""
    return call.page(full(call).rules_of(call["branch"]), lambda rule: rule)


@_route("/rulesets", permission="metadata=read")
def rulesets(call: Call) -> Result:
    """The repository's rulesets, without their rules."""
    hidden = ("rules", "conditions", "bypass_actors")
    return call.page(_rulesets(call), lambda item: {key: item[key] for key in item if key not in hidden})


@_route("/rulesets/{id}", permission="metadata=read")
def ruleset(call: Call) -> Result:
    """One ruleset with its conditions and rules; who may bypass it is for those with write right."""
    found = next((item for item in _rulesets(call) if item["id"] == call.number("id")), None)
    if found is None:
        raise not_found()
    return Result({key: found[key] for key in found if key != "bypass_actors" or call.may("write")})


def _rulesets(call: Call) -> list[Json]:
    return [
        {
            "id": 42 + index, "name": f"ruleset-{index}", "target": "branch", "source_type": "Repository",
            "source": call.state.repository, "enforcement": "active", "node_id": f"RRS_{index}",
            "created_at": "2024-02-03T04:05:06.000Z", "updated_at": "2024-02-03T04:05:06.000Z", **item,
        }
        for index, item in enumerate(_state(call).rulesets)
    ]  # fmt: skip


@_route("/activity", permission="contents=read")
def activity(call: Call) -> Result:
    """The pushes to one branch or to all, the newest first."""
    wanted = call.query.get("ref", "")
    refs = [ref.name for ref in call.state.git.refs("refs/heads/") if wanted in ("", ref.name, ref.name[11:])]
    found = [push for ref in refs for push in islice(_state(call).activities(ref), _MOST_PUSHES)]
    if not wanted:
        found.sort(key=lambda push: push.at, reverse=True)
    return call.page(found, lambda push: _show(call, push))


def _show(call: Call, push: Activity) -> Json:
    number = number_of(f"{push.ref} {push.after}")
    return {
        "id": number, "node_id": node_id("PSH", number), "before": push.before, "after": push.after, "ref": push.ref,
        "timestamp": stamp(push.at), "activity_type": push.kind, "actor": call.render.user(push.actor),
    }  # fmt: skip


@_route("/environments/{name}", permission="actions=read")
def environment(call: Call) -> Result:
    """A deployment environment, whatever the case of its name."""
    name, admitted = _find_environment(call)
    return Result(show_environment(call.render, name, admitted))


@_route("/environments/{name}/deployment-branch-policies", permission="actions=read")
def environment_patterns(call: Call) -> Result:
    """The patterns of an environment with selected refs; others have none."""
    _, admitted = _find_environment(call)
    listed = list(enumerate(admitted if isinstance(admitted, list) else [], start=1))
    return call.page(listed, lambda item: {"id": item[0], "node_id": "", **item[1]}, "branch_policies")


def _find_environment(call: Call) -> tuple[str, list[Json] | bool | None]:
    for name, admitted in _state(call).environments.items():
        if name.lower() == call["name"].lower():
            return name, admitted
    raise not_found()


def show_environment(render: Renderer, name: str, admitted: object) -> Json:
    """A deployment environment; `admitted` is that of the state."""
    number, is_selected = number_of(name), isinstance(admitted, list)
    policy = {"protected_branches": not is_selected, "custom_branch_policies": is_selected}
    return {
        "id": number, "node_id": node_id("EN", number), "name": name,
        "url": f"{render.repo_api}/environments/{quote(name, safe='')}",
        "html_url": f"{render.repo_web}/deployments/activity_log?environments_filter={quote(name, safe='')}",
        "created_at": "2025-01-02T03:04:05Z", "updated_at": "2025-01-02T03:04:05Z", "protection_rules": [],
        "deployment_branch_policy": None if admitted is None else policy,
    }  # fmt: skip
