"""Routes of the repository itself: branches, rules, references, tags, commits, comparison and contents.

Source: https://docs.github.com/rest/repos, /rest/branches, /rest/git/refs, /rest/commits
"""

from __future__ import annotations

from release_state.demo.github.gitstore import Commit, GitError, Ref, is_ref_name
from release_state.demo.github.model import Json
from release_state.demo.github.routing import ApiError, Call, Result, not_found, route


@route("GET", "", permission="metadata=read")
def repository(call: Call) -> Result:
    """The repository."""
    return Result(call.render.full_repository("read" if call.token and not call.may("read") else call.right))


# ---------------------------------------------------------------------- branches and their protection


@route("GET", "/branches", permission="contents=read")
def branches(call: Call) -> Result:
    """All branches by name, or only the protected ones or the others."""
    refs = call.state.git.refs("refs/heads/")
    if call.query.get("protected") in ("true", "false"):
        wanted = call.query["protected"] == "true"
        refs = [r for r in refs if call.render.protected(r.name.removeprefix("refs/heads/")) is wanted]
    return call.page(refs, call.render.branch)


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


# ---------------------------------------------------------------------- references and tags


@route("GET", "/git/ref/{ref:path}", permission="contents=read")
def git_ref(call: Call) -> Result:
    """The reference of exactly this name (``heads/main``, ``tags/v1``)."""
    found = call.state.git.ref(f"refs/{call['ref']}")
    if found is None:
        raise not_found()
    return Result(call.render.ref(found))


@route("GET", "/git/matching-refs/{ref:path}", permission="contents=read")
def matching_refs(call: Call) -> Result:
    """The references whose names begin so; none is an empty list."""
    return call.page(call.state.git.refs(f"refs/{call['ref']}"), call.render.ref)


@route("POST", "/git/refs", right="write", permission="contents=write")
def create_ref(call: Call) -> Result:
    """Create a branch or a tag at an object that exists."""
    name, sha = str(call.body.get("ref", "")), str(call.body.get("sha", ""))
    git = call.state.git
    if not is_ref_name(name):
        raise ApiError(422, f"{name} is not a valid ref name.")
    if git.ref(name):
        raise ApiError(422, "Reference already exists")
    if len(sha) != 40 or not git.has(sha):
        raise ApiError(422, "Object does not exist")
    git.set_ref(name, sha)
    made = git.ref(name)
    return Result(call.render.ref(made) if made else None, 201, {"Location": f"{call.render.repo_api}/git/{name}"})


@route("DELETE", "/git/refs/{ref:path}", right="write", permission="contents=write")
def delete_ref(call: Call) -> Result:
    """Delete a branch or a tag; an open pull request from a deleted branch closes."""
    name = f"refs/{call['ref']}"
    if call.state.git.ref(name) is None:
        raise ApiError(422, "Reference does not exist")
    if name == f"refs/heads/{call.state.default_branch}":
        raise ApiError(422, "Cannot delete the default branch")
    call.state.git.delete_ref(name)
    call.state.refresh_pulls()
    return Result(status=204)


@route("GET", "/tags", permission="metadata=read")
def tags(call: Call) -> Result:
    """All tags, in the reverse order of their names."""
    return call.page(call.state.git.refs("refs/tags/")[::-1], call.render.tag)


# ---------------------------------------------------------------------- commits


@route("GET", "/commits", permission="contents=read")
def commits(call: Call) -> Result:
    """The commits of a branch, newest first."""
    git = call.state.git
    if not git.refs("refs/heads/"):
        raise ApiError(409, "Git Repository is empty.")
    start = git.resolve(call.query.get("sha") or call.state.default_branch)
    if start is None:
        raise not_found()
    narrow = {key: call.query.get(key) for key in ("path", "since", "until")}
    return call.page(git.log(start, **narrow), call.render.commit)  # type: ignore[arg-type]


def commit_of(call: Call) -> Commit:
    """The commit that the route's ``ref`` names.

    Raises:
        ApiError: 422, as GitHub answers for a name without a commit.

    """
    sha = call.state.git.resolve(call["ref"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call['ref']}")
    return call.state.git.commit(sha)


@route("GET", "/compare/{basehead:path}", permission="contents=read")
def compare(call: Call) -> Result:
    """Two commits compared from their common ancestor, as ``base...head`` with three dots."""
    git, render = call.state.git, call.render
    left, dots, right = call["basehead"].partition("...")
    # A side may carry its owner; forks are not part of this world.
    names = [side.removeprefix(f"{call.state.owner}:") for side in (left, right)]
    base, head = (git.resolve(name) for name in names)
    if not dots or base is None or head is None:
        raise not_found()
    ancestor = git.merge_base(base, head)
    if ancestor is None:
        raise not_found(f"No common ancestor between {left} and {right}.")
    own = git.log(head, f"^{base}", reverse=True)
    behind = git.count(base, f"^{head}")
    words = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    page = f"{render.repo_web}/compare/{left}...{right}"
    shown = call.page(own, render.commit)
    body = {
        "url": f"{render.repo_api}/compare/{left}...{right}", "html_url": page, "diff_url": f"{page}.diff",
        "permalink_url": f"{render.repo_web}/compare/{base[:7]}...{head[:7]}", "patch_url": f"{page}.patch",
        "base_commit": render.commit(git.commit(base)), "merge_base_commit": render.commit(git.commit(ancestor)),
        "status": words.get((bool(own), bool(behind)), "identical"), "ahead_by": len(own), "behind_by": behind,
        "total_commits": len(own), "commits": shown.body,
        "files": [render.change(change, head) for change in git.changes(ancestor, head)[:300]],
    }  # fmt: skip
    return Result(body, headers=shown.headers)


@route("GET", "/contents", permission="contents=read")
@route("GET", "/contents/{path:path}", permission="contents=read")
def contents(call: Call) -> Result:
    """A file with its content, or a folder's entries; the raw media type answers with the bytes."""
    ref = call.query.get("ref") or call.state.default_branch
    sha = call.state.git.resolve(ref)
    if sha is None:
        raise not_found(f"No commit found for the ref {ref}")
    try:
        found = call.state.git.tree(sha, call.parameters.get("path", "").strip("/"))
    except GitError:
        found = None
    if found is None:
        raise not_found()
    if isinstance(found, list):
        return Result([call.render.entry(entry, ref) for entry in found])
    data = call.state.git.blob(found.sha)
    accept = call.request.headers.get("accept", "")
    if "raw" in accept:
        return Result(data, headers={"Content-Type": "application/vnd.github.raw+json; charset=utf-8"})
    return Result(call.render.entry(found, ref, data))
