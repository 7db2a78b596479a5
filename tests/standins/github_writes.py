"""Routes of GitHub that change something, for `gh` and tests: importing this registers them with the stand-in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from release_state.demo.github import routing
from release_state.demo.github.gitstore import Person
from release_state.demo.github.model import Json, moment
from release_state.demo.github.routes import label_of, run_of, shown, workflow_of
from release_state.demo.github.routing import ApiError, Call, Handler, Result
from tests.standins.git_objects import MergeConflictError, count, drop_ref, is_ref_name, merge
from tests.standins.github import GitHubServer
from tests.standins.github_reads import pull_of, release_of
from tests.standins.github_shown import show_pull, show_ref


@dataclass
class WriteCall(Call):
    """A request that changes something, with its JSON."""

    body: Json = field(default_factory=dict)


def route(method: str, path: str, *, permission: str) -> Callable[[Callable[[WriteCall], Result]], Handler]:
    """Register a handler for callers with the right to write."""

    def register(handler: Callable[[WriteCall], Result]) -> Handler:
        def write(call: Call) -> Result:
            written = WriteCall(**vars(call), body=read_json(call))
            written.demand("write")
            return handler(written)

        return routing.route(method, path, permission=permission)(write)

    return register


def read_json(call: Call) -> Json:
    """The JSON object that a request brings; an empty one for an empty body."""
    if not call.request.body:
        return {}
    try:
        parsed = json.loads(call.request.body)
    except ValueError as error:
        raise ApiError(400, "Problems parsing JSON") from error
    if not isinstance(parsed, dict):
        raise ApiError(400, "Body should be a JSON object")
    return parsed


def invalid(*errors: Json) -> ApiError:
    """GitHub's 422 with the named errors."""
    return ApiError(422, "Validation Failed", errors)


@route("POST", "/git/refs", permission="contents=write")
def create_ref(call: WriteCall) -> Result:
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
    return Result(
        show_ref(call.render, made) if made else None, 201, {"Location": f"{call.render.repo_api}/git/{name}"}
    )


@route("DELETE", "/git/refs/{ref:path}", permission="contents=write")
def delete_ref(call: WriteCall) -> Result:
    """Delete a branch or a tag; an open pull request from a deleted branch closes."""
    name = f"refs/{call['ref']}"
    if call.state.git.ref(name) is None:
        raise ApiError(422, "Reference does not exist")
    if name == f"refs/heads/{call.state.default_branch}":
        raise ApiError(422, "Cannot delete the default branch")
    drop_ref(call.state.git, name)
    call.state.refresh_pulls()
    return Result(status=204)


@route("POST", "/pulls", permission="pull_requests=write")
def create_pull(call: WriteCall) -> Result:
    """Open a pull request between two branches that differ."""
    state, body = call.state, call.body
    missing = [name for name in ("title", "head", "base") if not body.get(name)]
    if missing:
        raise invalid(*({"resource": "PullRequest", "code": "missing_field", "field": name} for name in missing))
    state.refresh_pulls()
    permitted = state.workflow_permissions["can_approve_pull_request_reviews"]
    if (call.token or "").startswith("ghs_") and not permitted:
        raise ApiError(403, "GitHub Actions is not permitted to create or approve pull requests.")
    base, head = str(body["base"]), str(body["head"]).removeprefix(f"{state.owner}:")
    base_sha, head_sha = state.branch_sha(base), state.branch_sha(head)
    for name, sha in (("head", head_sha), ("base", base_sha)):
        if sha is None:
            raise invalid({"resource": "PullRequest", "field": name, "code": "invalid"})
    if not count(state.git, str(head_sha), f"^{base_sha}"):
        raise invalid(_custom(f"No commits between {base} and {head}"))
    for pull in state.pulls.values():
        if pull.state == "open" and (label_of(pull), pull.base_ref) == (f"{state.owner}:{head}", base):
            raise invalid(_custom(f"A pull request already exists for {state.owner}:{head}."))
    number = state.add_pull(head, base, title=str(body["title"]), body=body.get("body"), user=call.login)
    state.pulls[number].draft = bool(body.get("draft"))
    made = show_pull(call.render, state.pulls[number])
    return Result(made, 201, {"Location": made["url"]})


@route("PATCH", "/pulls/{number}", permission="pull_requests=write")
def update_pull(call: WriteCall) -> Result:
    """Change the title, the text or the base, close, or reopen while the branch is still there."""
    found, body = pull_of(call), call.body
    now = moment(call.state.now())
    wanted = body.get("state", found.state)
    base = str(body.get("base", found.base_ref))
    if base != found.base_ref:
        head = call.state.branch_sha(base)
        if found.state == "closed":
            raise invalid(_custom("Cannot change the base branch of a closed pull request.") | {"field": "base"})
        if head is None:
            raise invalid(_custom(f"Proposed base branch '{base}' was not found") | {"field": "base"})
        named = f"base branch '{base}' and head branch '{found.head_ref}'"
        same = [
            pull for pull in call.state.pulls.values() if (label_of(pull), pull.base_ref) == (label_of(found), base)
        ]
        if any(pull.state == "open" for pull in same):
            raise invalid(_custom(f"A pull request already exists for {named}") | {"field": "base"})
        if call.state.git.has(found.head_sha) and not count(call.state.git, found.head_sha, f"^{head}"):
            raise invalid(_custom(f"There are no new commits between {named}") | {"field": "base"})
        found.base_ref, found.base_sha = base, call.state.git.merge_base(head, found.head_sha) or head
    if wanted == "open" and found.state == "closed":
        gone = [branch for branch in (found.head_ref, found.base_ref) if call.state.branch_sha(branch) is None]
        if gone or found.merged_at:
            why = f"The {gone[0]} branch has been deleted." if gone else "The pull request has been merged."
            raise invalid(_custom(f"state cannot be changed. {why}") | {"field": "state"})
        found.closed_at = None
    elif wanted == "closed" and found.state == "open":
        found.closed_at = now
    found.state = wanted
    found.title = str(body.get("title", found.title))
    found.body = body.get("body", found.body)
    found.updated_at = now
    return Result(show_pull(call.render, found))


@route("PUT", "/pulls/{number}/merge", permission="contents=write")
def merge_pull(call: WriteCall) -> Result:
    """Merge or squash: a real commit on the base branch."""
    found, state = pull_of(call), call.state
    method = call.body.get("merge_method", "merge")
    if found.state != "open":
        raise ApiError(405, "Pull Request is not mergeable")
    if found.draft:
        raise ApiError(405, "Pull Request is still a draft")
    if method == "rebase":
        raise ApiError(405, "Rebase merges are not allowed on this repository.")
    if call.body.get("sha") not in (None, found.head_sha):
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    base = state.branch_sha(found.base_ref)
    squash = method == "squash"
    usual = f"{found.title} (#{found.number})" if squash else f"Merge pull request #{found.number}"
    title = call.body.get("commit_title", usual)
    message = "\n\n".join(text for text in (title, call.body.get("commit_message", "")) if text)
    now = moment(state.now())
    who = Person(call.login, f"{call.login}@users.noreply.github.com", now)
    try:
        made = merge(state.git, str(base), found.head_sha, message, squash=squash, who=who)
    except MergeConflictError as error:
        raise ApiError(405, "Pull Request is not mergeable") from error
    state.git.run("update-ref", f"refs/heads/{found.base_ref}", made, *([base] if base else []))
    found.state, found.merge_commit_sha, found.merged_by = "closed", made, call.login
    found.closed_at = found.merged_at = found.updated_at = now
    if state.delete_branch_on_merge and state.branch_sha(found.head_ref):
        drop_ref(state.git, f"refs/heads/{found.head_ref}")
        # What it deletes itself, GitHub gives another base first.
        for pull in state.pulls.values():
            if pull.state == "open" and pull.base_ref == found.head_ref:
                pull.base_ref = found.base_ref
    return Result({"sha": made, "merged": True, "message": "Pull Request successfully merged"})


@route("POST", "/releases", permission="contents=write")
def create_release(call: WriteCall) -> Result:
    """Create a release, and when it is no draft also its tag, at the target, if there is none."""
    body, state = call.body, call.state
    tag = str(body.get("tag_name") or "")
    if not tag:
        raise invalid({"resource": "Release", "code": "missing_field", "field": "tag_name"})
    draft, prerelease = bool(body.get("draft")), bool(body.get("prerelease"))
    _check_tag(call, tag, None if draft else str(body.get("target_commitish") or state.default_branch))
    notes = f"**Full Changelog**: {call.render.repo_web}/commits/{tag}" if body.get("generate_release_notes") else ""
    # Over the API a new release is the latest one unless the request says otherwise.
    latest = str(body.get("make_latest", "true"))
    made = state.add_release(
        tag, body=body.get("body") or notes, draft=draft, prerelease=prerelease,
        target=str(body.get("target_commitish") or ""), author=call.login, make_latest=latest,
    )  # fmt: skip
    if body.get("name") is not None:
        state.releases[made].name = body["name"]
    _tell(call, "release", "" if draft else tag)
    answer = shown(call, state.releases[made])
    return Result(answer.body, 201, {"Location": answer.body["url"]})


@route("PATCH", "/releases/{id}", permission="contents=write")
def update_release(call: WriteCall) -> Result:
    """Change a release; a draft that is published gets its tag."""
    found, body, state = release_of(call), call.body, call.state
    tag, draft = str(body.get("tag_name", found.tag)), bool(body.get("draft", found.draft))
    target = str(body.get("target_commitish", found.target))
    if tag != found.tag or (found.draft and not draft):
        _check_tag(call, tag, None if draft else target)
    if found.draft and not draft:
        found.published_at = moment(state.now())
    if body.get("make_latest") == "true" or (found.draft and not draft and "make_latest" not in body):
        state.latest_release = found.id
    elif body.get("make_latest") in ("false", "legacy") and state.latest_release == found.id:
        state.latest_release = None
    if found.draft and not draft:
        _tell(call, "release", tag)
    found.make_latest = str(body.get("make_latest", found.make_latest))
    found.tag, found.draft, found.target = tag, draft, target
    found.name, found.body = body.get("name", found.name), body.get("body", found.body)
    found.prerelease = bool(body.get("prerelease", found.prerelease))
    found.updated_at = moment(state.now())
    return shown(call, found)


@route("DELETE", "/releases/{id}", permission="contents=write")
def delete_release(call: WriteCall) -> Result:
    """Delete a release; its tag stays."""
    del call.state.releases[release_of(call).id]
    return Result(status=204)


@route("POST", "/actions/workflows/{workflow}/dispatches", permission="actions=write")
def dispatch(call: WriteCall) -> Result:
    """Start a workflow by hand: what then happens is up to ``on_dispatch``."""
    found = workflow_of(call)
    ref = call.body.get("ref")
    if not ref:
        raise ApiError(422, 'Invalid request.\n\n"ref" wasn\'t supplied.')
    if call.state.git.resolve(str(ref)) is None:
        raise ApiError(422, f"No ref found for: {ref}")
    if isinstance(call.state, GitHubServer) and call.state.on_dispatch:
        call.state.on_dispatch(found.file, str(ref), call.body.get("inputs") or {})
    return Result(status=204)


@route("POST", "/actions/runs/{run}/cancel", permission="actions=write")
def cancel(call: WriteCall) -> Result:
    """Cancel a run that is not finished."""
    found = run_of(call)
    if found.status == "completed":
        raise ApiError(409, "Cannot cancel a workflow run that is completed.")
    found.status, found.conclusion, found.updated_at = "completed", "cancelled", moment(call.state.now())
    return Result({}, 202)


@route("POST", "/actions/runs/{run}/{again:path}", permission="actions=write")
def run_again(call: WriteCall) -> Result:
    """Repeat a run or its failed jobs: what then happens is up to ``on_event``."""
    found = run_of(call)
    if call["again"] not in ("rerun", "rerun-failed-jobs") or found.status != "completed":
        raise ApiError(403, "This workflow run cannot be rerun.")
    _tell(call, call["again"], str(found.id))
    return Result({}, 201)


def _tell(call: WriteCall, event: str, what: str) -> None:
    """Hand an event over to whoever plays the workflows."""
    if what and isinstance(call.state, GitHubServer) and call.state.on_event:
        call.state.on_event(event, what)


def _custom(message: str) -> dict[str, str]:
    return {"resource": "PullRequest", "code": "custom", "message": message}


def _check_tag(call: WriteCall, tag: str, target: str | None) -> None:
    """Refuse a tag that another release has; create it at the target, which is None for a draft."""
    state = call.state
    if not is_ref_name(f"refs/tags/{tag}"):
        raise invalid(
            {"resource": "Release", "code": "custom", "field": "tag_name", "message": "tag_name is not a valid tag"}
        )
    if target is None:
        return
    if any(item.tag == tag and not item.draft for item in state.releases.values()):
        raise invalid({"resource": "Release", "code": "already_exists", "field": "tag_name"})
    if state.git.ref(f"refs/tags/{tag}") is None:
        sha = state.git.resolve(target)
        if sha is None:
            raise invalid({"resource": "Release", "code": "invalid", "field": "target_commitish"})
        state.git.set_ref(f"refs/tags/{tag}", sha)
