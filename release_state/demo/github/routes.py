"""Routes of the repository: itself, its branches and rules, its pull requests and its GitHub Releases.

Sources: https://docs.github.com/rest/repos, /rest/branches, /rest/pulls/pulls, /rest/releases/releases
"""

from __future__ import annotations

from release_state.demo.github.gitstore import Commit, Ref
from release_state.demo.github.model import Json, Pull, Release
from release_state.demo.github.render_items import pull_simple, show_release
from release_state.demo.github.routing import ApiError, Call, Result, not_found, route


@route("GET", "", permission="metadata=read")
def repository(call: Call) -> Result:
    """The repository."""
    return Result(call.render.full_repository("read" if call.token and not call.may("read") else call.right))


# ---------------------------------------------------------------------- branches and their protection


@route("GET", "/branches/{branch:path}/protection", permission="administration=read")
def protection(call: Call) -> Result:
    """Classic protection, for administrators.

    Others get three different refusals: 401 without a token, 404 with a classic one, 403 with a fine-grained one. Only
    the 404 that says "Branch not protected" tells anything of the branch.
    """
    _branch(call)
    if call.classic and not call.may("admin"):
        raise not_found()
    call.demand("admin")
    found = call.state.protection.get(call["branch"])
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


@route("GET", "/branches/{branch:path}", permission="contents=read")
def branch(call: Call) -> Result:
    """One branch."""
    return Result(call.render.full_branch(_branch(call)))


@route("GET", "/rules/branches/{branch:path}", permission="metadata=read")
def rules(call: Call) -> Result:
    """The active ruleset rules of a branch, which need not exist; none is an empty list."""
    return call.page(call.render.rules_of(call["branch"]), lambda rule: rule)


@route("GET", "/rulesets", permission="metadata=read")
def rulesets(call: Call) -> Result:
    """The repository's rulesets, without their rules."""
    hidden = ("rules", "conditions", "bypass_actors")
    return call.page(_rulesets(call), lambda item: {key: item[key] for key in item if key not in hidden})


@route("GET", "/rulesets/{id}", permission="metadata=read")
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
        for index, item in enumerate(call.state.rulesets)
    ]  # fmt: skip


def _branch(call: Call) -> Ref:
    found = call.state.git.ref(f"refs/heads/{call['branch']}")
    if found is None:
        raise not_found("Branch not found")
    return found


def commit_of(call: Call) -> Commit:
    """The commit that the route's `ref` names; raises GitHub's 422 for a name without a commit."""
    sha = call.state.git.resolve(call["ref"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call['ref']}")
    return call.state.git.commit(sha)


@route("GET", "/pulls", permission="pull_requests=read")
def pulls(call: Call) -> Result:
    """The pull requests, only the open ones unless `state` says otherwise."""
    call.state.refresh_pulls()
    query = call.query
    state = query.get("state", "open")
    found = [pull for pull in call.state.pulls.values() if state in ("all", pull.state)]
    # A head without its owner is not refused: the filter is ignored and every pull request comes.
    if ":" in query.get("head", ""):
        found = [pull for pull in found if label_of(pull) == query["head"]]
    if query.get("base"):
        found = [pull for pull in found if pull.base_ref == query["base"]]
    key = query.get("sort", "created")
    usual = "desc" if key == "created" else "asc"
    found.sort(
        key=lambda pull: (pull.updated_at if key == "updated" else pull.created_at, pull.number),
        reverse=query.get("direction", usual) == "desc",
    )
    return call.page(found, lambda pull: pull_simple(call.render, pull))


def label_of(pull: Pull) -> str | None:
    return f"{pull.head_repo.split('/')[0]}:{pull.head_ref}" if pull.head_repo else None


@route("GET", "/releases", permission="contents=read")
def releases(call: Call) -> Result:
    """The releases, newest first; drafts come first and only for callers who may push."""
    call.state.refresh_releases()
    found = [item for item in call.state.releases.values() if not item.draft or call.may("write")]
    found.sort(key=lambda item: (item.draft, item.created_at, item.id), reverse=True)
    return call.page(found, lambda item: show_release(call.render, item))


@route("GET", "/releases/latest", permission="contents=read")
def latest_release(call: Call) -> Result:
    """The release with the mark *Latest*; never a draft nor a pre-release."""
    found = call.state.find_latest_release()
    if found is None:
        raise not_found()
    return shown(call, found)


@route("GET", "/releases/tags/{tag:path}", permission="contents=read")
def release_of_tag(call: Call) -> Result:
    """The published release of a tag. A draft is not found here, whoever asks."""
    call.state.refresh_releases()
    for item in call.state.releases.values():
        if item.tag == call["tag"] and not item.draft:
            return shown(call, item)
    raise not_found()


def shown(call: Call, found: Release) -> Result:
    return Result(show_release(call.render, found))
