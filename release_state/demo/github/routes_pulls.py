"""Routes of pull requests.

Source: https://docs.github.com/rest/pulls/pulls
"""

from __future__ import annotations

from release_state.demo.github.gitstore import MergeConflictError, Person
from release_state.demo.github.model import Pull, moment
from release_state.demo.github.render_pulls import pull_full, pull_simple
from release_state.demo.github.routing import ApiError, Call, Result, invalid, not_found, route


@route("GET", "/pulls", permission="pull_requests=read")
def pulls(call: Call) -> Result:
    """The pull requests, only the open ones unless ``state`` says otherwise."""
    call.state.refresh_pulls()
    query = call.query
    state = query.get("state", "open")
    found = [pull for pull in call.state.pulls.values() if state in ("all", pull.state)]
    # A head without its owner is not refused: the filter is ignored and every pull request comes.
    if ":" in query.get("head", ""):
        found = [pull for pull in found if _label(pull) == query["head"]]
    if query.get("base"):
        found = [pull for pull in found if pull.base_ref == query["base"]]
    key = query.get("sort", "created")
    usual = "desc" if key == "created" else "asc"
    found.sort(
        key=lambda pull: (pull.updated_at if key == "updated" else pull.created_at, pull.number),
        reverse=query.get("direction", usual) == "desc",
    )
    return call.page(found, lambda pull: pull_simple(call.render, pull))


def _label(pull: Pull) -> str | None:
    return f"{pull.head_repo.split('/')[0]}:{pull.head_ref}" if pull.head_repo else None


@route("POST", "/pulls", right="write", permission="pull_requests=write")
def create_pull(call: Call) -> Result:
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
    for field, sha in (("head", head_sha), ("base", base_sha)):
        if sha is None:
            raise invalid({"resource": "PullRequest", "field": field, "code": "invalid"})
    if not state.git.count(str(head_sha), f"^{base_sha}"):
        raise invalid(_custom(f"No commits between {base} and {head}"))
    for pull in state.pulls.values():
        if pull.state == "open" and (_label(pull), pull.base_ref) == (f"{state.owner}:{head}", base):
            raise invalid(_custom(f"A pull request already exists for {state.owner}:{head}."))
    number = state.add_pull(
        head, base, title=str(body["title"]), body=body.get("body"), user=call.login, draft=bool(body.get("draft"))
    )
    made = pull_full(call.render, state.pulls[number])
    return Result(made, 201, {"Location": made["url"]})


def _custom(message: str) -> dict[str, str]:
    return {"resource": "PullRequest", "code": "custom", "message": message}


def _pull(call: Call) -> Pull:
    call.state.refresh_pulls()
    found = call.state.pulls.get(call.number("number"))
    if found is None:
        raise not_found()
    return found


@route("GET", "/pulls/{number}", permission="pull_requests=read")
def pull(call: Call) -> Result:
    """One pull request."""
    return Result(pull_full(call.render, _pull(call)))


@route("PATCH", "/pulls/{number}", right="write", permission="pull_requests=write")
def update_pull(call: Call) -> Result:
    """Change the title, the text or the base, close, or reopen while the branch is still there."""
    found, body = _pull(call), call.body
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
        same = [pull for pull in call.state.pulls.values() if (_label(pull), pull.base_ref) == (_label(found), base)]
        if any(pull.state == "open" for pull in same):
            raise invalid(_custom(f"A pull request already exists for {named}") | {"field": "base"})
        if call.state.git.has(found.head_sha) and not call.state.git.count(found.head_sha, f"^{head}"):
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
    return Result(pull_full(call.render, found))


@route("PUT", "/pulls/{number}/merge", right="write", permission="contents=write")
def merge_pull(call: Call) -> Result:
    """Merge or squash: a real commit on the base branch."""
    found, state = _pull(call), call.state
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
        made = state.git.merge(str(base), found.head_sha, message, squash=squash, who=who)
    except MergeConflictError as error:
        raise ApiError(405, "Pull Request is not mergeable") from error
    state.git.set_ref(f"refs/heads/{found.base_ref}", made, base)
    found.state, found.merge_commit_sha, found.merged_by = "closed", made, call.login
    found.closed_at = found.merged_at = found.updated_at = now
    if state.delete_branch_on_merge and state.branch_sha(found.head_ref):
        state.git.delete_ref(f"refs/heads/{found.head_ref}")
        # What it deletes itself, GitHub gives another base first.
        for pull in state.pulls.values():
            if pull.state == "open" and pull.base_ref == found.head_ref:
                pull.base_ref = found.base_ref
    return Result({"sha": made, "merged": True, "message": "Pull Request successfully merged"})


@route("GET", "/pulls/{number}/commits", permission="pull_requests=read")
def pull_commits(call: Call) -> Result:
    """The pull request's own commits, oldest first, at most 250."""
    shas = call.state.pull_commits(_pull(call))[::-1][:250]
    return call.page(shas, lambda sha: call.render.commit(call.state.git.commit(sha)))
