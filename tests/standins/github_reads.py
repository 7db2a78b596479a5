"""Routes of GitHub that the suite never asks and `gh` and tests do: importing this registers them with the stand-in."""

from __future__ import annotations

import io
import zipfile
from functools import partial

from release_state.demo.git import GitError
from release_state.demo.github.model import Json, Pull, Release
from release_state.demo.github.render import log_text
from release_state.demo.github.routes import commit_of, job_of, redirect_to_log, run_of, shown, workflow_of
from release_state.demo.github.routing import ROUTES, ApiError, Call, Result, not_found, route
from tests.standins.git_objects import blob, changes, count, own_commits, tree
from tests.standins.github import GitHubServer, Status
from tests.standins.github_settings import full
from tests.standins.github_shown import (
    show_change,
    show_combined_status,
    show_entry,
    show_full_commit,
    show_pull,
    show_ref,
    show_simple_status,
    show_status,
    show_tag,
)


@route("GET", "/branches", permission="contents=read")
def branches(call: Call) -> Result:
    """All branches by name, or only the protected ones or the others."""
    refs, render = call.state.git.refs("refs/heads/"), full(call)
    if call.query.get("protected") in ("true", "false"):
        wanted = call.query["protected"] == "true"
        refs = [r for r in refs if render.protected(r.name.removeprefix("refs/heads/")) is wanted]
    return call.page(refs, render.branch)


@route("GET", "/git/ref/{ref:path}", permission="contents=read")
def git_ref(call: Call) -> Result:
    """The reference of exactly this name (``heads/main``, ``tags/v1``)."""
    found = call.state.git.ref(f"refs/{call['ref']}")
    if found is None:
        raise not_found()
    return Result(show_ref(call.render, found))


@route("GET", "/git/matching-refs/{ref:path}", permission="contents=read")
def matching_refs(call: Call) -> Result:
    """The references whose names begin so; none is an empty list."""
    return call.page(call.state.git.refs(f"refs/{call['ref']}"), partial(show_ref, call.render))


@route("GET", "/tags", permission="metadata=read")
def tags(call: Call) -> Result:
    """All tags, in the reverse order of their names."""
    return call.page(call.state.git.refs("refs/tags/")[::-1], partial(show_tag, full(call)))


@route("GET", "/commits", permission="contents=read")
def commits(call: Call) -> Result:
    """The commits of a branch, newest first."""
    git = call.state.git
    if not git.refs("refs/heads/"):
        raise ApiError(409, "Git Repository is empty.")
    start = git.resolve(call.query.get("sha") or call.state.default_branch)
    if start is None:
        raise not_found()
    span = [f"--{key}={call.query[key]}" for key in ("since", "until") if key in call.query]
    paths = [call.query["path"]] if "path" in call.query else []
    return call.page(git.log(*span, start, "--", *paths), full(call).commit)


@route("GET", "/compare/{basehead:path}", permission="contents=read")
def compare(call: Call) -> Result:
    """Two commits compared from their common ancestor, as ``base...head`` with three dots."""
    git, render = call.state.git, full(call)
    left, dots, right = call["basehead"].partition("...")
    # A side may carry its owner; forks are not part of this world.
    names = [side.removeprefix(f"{call.state.owner}:") for side in (left, right)]
    base, head = (git.resolve(name) for name in names)
    if not dots or base is None or head is None:
        raise not_found()
    ancestor = git.merge_base(base, head)
    if ancestor is None:
        raise not_found(f"No common ancestor between {left} and {right}.")
    own = git.log("--reverse", head, f"^{base}")
    behind = count(git, base, f"^{head}")
    words = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    page = f"{render.repo_web}/compare/{left}...{right}"
    shown = call.page(own, render.commit)
    body = {
        "url": f"{render.repo_api}/compare/{left}...{right}", "html_url": page, "diff_url": f"{page}.diff",
        "permalink_url": f"{render.repo_web}/compare/{base[:7]}...{head[:7]}", "patch_url": f"{page}.patch",
        "base_commit": render.commit(git.commit(base)), "merge_base_commit": render.commit(git.commit(ancestor)),
        "status": words.get((bool(own), bool(behind)), "identical"), "ahead_by": len(own), "behind_by": behind,
        "total_commits": len(own), "commits": shown.body,
        "files": [show_change(render, change, head) for change in changes(git, ancestor, head)[:300]],
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
        found = tree(call.state.git, sha, call.parameters.get("path", "").strip("/"))
    except GitError:
        found = None
    if found is None:
        raise not_found()
    if isinstance(found, list):
        return Result([show_entry(call.render, entry, ref) for entry in found])
    data = blob(call.state.git, found.sha)
    accept = call.request.headers.get("accept", "")
    if "raw" in accept:
        return Result(data, headers={"Content-Type": "application/vnd.github.raw+json; charset=utf-8"})
    return Result(show_entry(call.render, found, ref, data))


def statuses_of(call: Call) -> tuple[str, list[Status]]:
    sha = call.state.git.resolve(call["ref"])
    if sha is None:
        raise not_found()
    held = call.state.statuses if isinstance(call.state, GitHubServer) else []
    return sha, [status for status in reversed(held) if status.sha == sha]


@route("GET", "/commits/{ref:path}/status", permission="statuses=read")
def combined_status(call: Call) -> Result:
    """The newest status of each context and what they come to together; it knows nothing of check runs."""
    sha, found = statuses_of(call)
    newest: dict[str, Status] = {}
    for status in found:
        newest.setdefault(status.context, status)
    shown = call.page(list(newest.values()), lambda status: status)
    body = show_combined_status(call.render, sha, list(newest.values()))
    body["statuses"] = [show_simple_status(call.render, status) for status in shown.body]
    return Result(body, headers=shown.headers)


# In place of the route of the demo, where no service reports a status.
ROUTES.insert(0, ROUTES.pop())


@route("GET", "/commits/{ref:path}/statuses", permission="statuses=read")
def statuses(call: Call) -> Result:
    """Every status that the commit was ever given, newest first."""
    return call.page(statuses_of(call)[1], lambda status: show_status(call.render, status))


@route("GET", "/commits/{ref:path}/pulls", permission="pull_requests=read")
def pulls(call: Call) -> Result:
    """The pull requests of a commit: what merged it, else those that hold it."""
    sha = commit_of(call).sha
    call.state.refresh_pulls()
    held = [pull for pull in call.state.pulls.values() if _brings(call, pull, sha)]
    merged = [pull for pull in held if pull.merged_at]
    tip = call.state.branch_sha(call.state.default_branch)
    on_default = tip is not None and call.state.git.merge_base(sha, tip) == sha
    shown = merged if on_default else [pull for pull in held if pull.merged_at or pull.state == "open"]
    return call.page(shown, lambda pull: call.render.pull(pull))


def _brings(call: Call, pull: Pull, sha: str) -> bool:
    return (pull.merged_at is not None and sha == pull.merge_commit_sha) or sha in own_commits(call.state.git, pull)


# Registered after the routes below it, because a reference may hold slashes.
@route("GET", "/commits/{ref:path}", permission="contents=read")
def commit(call: Call) -> Result:
    """One commit with its files."""
    return Result(show_full_commit(full(call), commit_of(call)))


def pull_of(call: Call) -> Pull:
    call.state.refresh_pulls()
    found = call.state.pulls.get(call.number("number"))
    if found is None:
        raise not_found()
    return found


@route("GET", "/pulls/{number}", permission="pull_requests=read")
def pull(call: Call) -> Result:
    """One pull request."""
    return Result(show_pull(call.render, pull_of(call)))


@route("GET", "/pulls/{number}/commits", permission="pull_requests=read")
def pull_commits(call: Call) -> Result:
    """The pull request's own commits, oldest first, at most 250."""
    shas = own_commits(call.state.git, pull_of(call))[::-1][:250]
    return call.page(shas, lambda sha: full(call).commit(call.state.git.commit(sha)))


@route("GET", "/releases/{id}", permission="contents=read")
def release(call: Call) -> Result:
    """One release by its id; a draft only for callers who may push."""
    return shown(call, release_of(call))


@route("GET", "/releases/assets/{id}", permission="contents=read")
def asset(call: Call) -> Result:
    """A file attached to a release: what it is, or a redirect to its bytes for who accepts these."""
    call.state.refresh_releases()
    for item in call.state.releases.values():
        for found in item.assets if call.may("write") or not item.draft else ():
            if found.id == call.number("id"):
                if call.request.headers.get("accept") != "application/octet-stream":
                    return Result(full(call).release_asset(item, found))
                place = f"{call.render.api}/_assets/{found.id}?sig=signed"
                return Result(b"", 302, {"Location": place, "Content-Type": "text/html"})
    raise not_found()


@route("GET", "/_assets/{id}", root=True)
def asset_bytes(call: Call) -> Result:
    """The bytes; the address is its own permission, as with GitHub's storage."""
    for item in call.state.releases.values():
        for found in item.assets:
            if found.id == call.number("id"):
                return Result(found.data, headers={"Content-Type": "application/octet-stream"})
    raise not_found()


def release_of(call: Call) -> Release:
    call.state.refresh_releases()
    found = call.state.releases.get(call.number("id"))
    if found is None or (found.draft and not call.may("write")):
        raise not_found()
    return found


@route("GET", "/actions/workflows/{workflow}", permission="actions=read")
def workflow(call: Call) -> Result:
    """One workflow by its id or file name."""
    return Result(call.render.workflow(workflow_of(call)))


@route("GET", "/actions/runs/{run}", permission="actions=read")
def run(call: Call) -> Result:
    """One run."""
    return Result(call.render.run(run_of(call)))


@route("GET", "/actions/jobs/{job}", permission="actions=read")
def job(call: Call) -> Result:
    """One job."""
    return Result(call.render.job(*job_of(call)))


@route("GET", "/actions/runs/{run}/logs", permission="actions=read")
def run_logs(call: Call) -> Result:
    """A redirect to an archive of the run's logs."""
    found = run_of(call)
    return redirect_to_log(call, found, found.status, f"runs/{found.id}.zip")


@route("GET", "/_logs/runs/{run}.zip", root=True)
def run_log(call: Call) -> Result:
    """The archive of a run's logs, one file for each job."""
    found = run_of(call)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, item in enumerate(found.jobs):
            name = zipfile.ZipInfo(f"{index}_{item.name.replace('/', '_')}.txt")
            archive.writestr(name, log_text(found, item))
    return Result(buffer.getvalue(), headers={"Content-Type": "application/zip"})


@route("GET", "/user", root=True)
def user(call: Call) -> Result:
    """The caller's account."""
    if call.token is None:
        raise ApiError(401, "Requires authentication")
    if call.token.startswith("ghs_"):
        raise ApiError(403, "Resource not accessible by integration")
    more: Json = {
        "name": None, "company": None, "blog": "", "location": None, "email": None, "hireable": None, "bio": None,
        "twitter_username": None, "notification_email": None, "public_repos": 1, "public_gists": 0, "followers": 0,
        "following": 0, "created_at": "2020-01-02T03:04:05Z", "updated_at": "2024-01-02T03:04:05Z",
    }  # fmt: skip
    return Result(call.render.user(call.login) | more)
