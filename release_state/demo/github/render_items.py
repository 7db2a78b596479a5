"""The JSON of pull requests, releases, check runs, workflows, runs and jobs, and the text of logs."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

from release_state.demo.git import GitError
from release_state.demo.github.model import (
    Asset,
    CheckRun,
    Job,
    Json,
    Pull,
    Release,
    Run,
    Workflow,
    moment,
    stamp,
    stamp_or_none,
)
from release_state.demo.github.render import Renderer, node_id, number_of

_HAS_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def pull_simple(render: Renderer, pull: Pull) -> Json:
    """A pull request as lists show it.

    An open one has a `merge_commit_sha` too: GitHub's own trial merge, which proves no merge.
    """
    api, page = f"{render.repo_api}/pulls/{pull.number}", f"{render.repo_web}/pull/{pull.number}"
    issue = f"{render.repo_api}/issues/{pull.number}"
    trial = hashlib.sha1(f"{pull.base_sha} {pull.head_sha}".encode(), usedforsecurity=False).hexdigest()
    links = {
        "self": api, "html": page, "issue": issue, "comments": f"{issue}/comments",
        "review_comments": f"{api}/comments", "review_comment": f"{render.repo_api}/pulls/comments{{/number}}",
        "commits": f"{api}/commits", "statuses": f"{render.repo_api}/statuses/{pull.head_sha}",
    }  # fmt: skip
    return {
        "url": api, "id": pull.id, "node_id": node_id("PR", pull.id), "html_url": page, "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch", "issue_url": issue, "number": pull.number, "state": pull.state, "locked": False,
        "title": pull.title, "user": render.user(pull.user), "body": pull.body, "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at), "closed_at": stamp_or_none(pull.closed_at),
        "merged_at": stamp_or_none(pull.merged_at), "merge_commit_sha": pull.merge_commit_sha or trial,
        "assignee": None, "assignees": [], "requested_reviewers": [], "requested_teams": [], "labels": [],
        "milestone": None, "draft": pull.draft, "commits_url": f"{api}/commits",
        "review_comments_url": f"{api}/comments",
        "review_comment_url": f"{render.repo_api}/pulls/comments{{/number}}", "comments_url": f"{issue}/comments",
        "statuses_url": links["statuses"], "head": _side(render, pull.head_repo, pull.head_ref, pull.head_sha),
        "base": _side(render, render.state.repository, pull.base_ref, pull.base_sha),
        "_links": {name: {"href": address} for name, address in links.items()},
        "author_association": "MEMBER", "auto_merge": None, "active_lock_reason": None,
    }  # fmt: skip


def _side(render: Renderer, repository: str | None, ref: str, sha: str) -> Json:
    # A deleted fork leaves nulls that GitHub's own schema does not allow.
    owner = repository.split("/")[0] if repository else None
    return {
        "label": f"{owner}:{ref}" if owner else None, "ref": ref, "sha": sha, "user": render.user_or_none(owner),
        "repo": render.repository(repository) if repository else None,
    }  # fmt: skip


def show_release(render: Renderer, item: Release) -> Json:
    """A release; a draft's page has a name of its own, and no archives as long as it has no tag."""
    api, tag = f"{render.repo_api}/releases/{item.id}", quote(item.tag)
    page = f"untagged-{item.id:020x}" if item.draft else tag
    uploads = render.api.replace("api.", "uploads.", 1)
    return {
        "url": api, "html_url": f"{render.repo_web}/releases/tag/{page}", "assets_url": f"{api}/assets",
        "upload_url": f"{uploads}/repos/{render.state.repository}/releases/{item.id}/assets{{?name,label}}",
        "tarball_url": None if item.draft else f"{render.repo_api}/tarball/{tag}",
        "zipball_url": None if item.draft else f"{render.repo_api}/zipball/{tag}", "id": item.id,
        "node_id": node_id("RE", item.id), "tag_name": item.tag, "target_commitish": item.target, "name": item.name,
        "body": item.body, "draft": item.draft, "prerelease": item.prerelease, "immutable": item.immutable,
        "created_at": stamp(item.created_at), "updated_at": stamp(item.updated_at),
        "published_at": stamp_or_none(item.published_at), "author": render.user_or_none(item.author),
        "assets": [release_asset(render, item, asset) for asset in item.assets],
    }  # fmt: skip


def release_asset(render: Renderer, item: Release, asset: Asset) -> Json:
    """A file attached to a release."""
    made = stamp(item.published_at or item.created_at)
    folder = f"untagged-{item.id:020x}" if item.draft else quote(item.tag)
    return {
        "url": f"{render.repo_api}/releases/assets/{asset.id}", "id": asset.id, "node_id": node_id("RA", asset.id),
        "name": asset.name, "label": "", "uploader": render.user_or_none(item.author), "state": "uploaded",
        "content_type": "application/octet-stream", "size": len(asset.data),
        "digest": f"sha256:{hashlib.sha256(asset.data).hexdigest()}", "download_count": 0,
        "created_at": made, "updated_at": made,
        "browser_download_url": f"{render.repo_web}/releases/download/{folder}/{quote(asset.name)}",
    }  # fmt: skip


def check_run(render: Renderer, check: CheckRun) -> Json:
    """A check run."""
    api, page = f"{render.repo_api}/check-runs/{check.id}", f"{render.repo_web}/{check.details_url}"
    return {
        "id": check.id, "name": check.name, "node_id": node_id("CR", check.id), "head_sha": check.sha,
        "external_id": "", "url": api, "html_url": page, "details_url": page, "status": check.status,
        "conclusion": check.conclusion, "started_at": stamp_or_none(check.started_at),
        "completed_at": stamp_or_none(check.completed_at),
        "output": {
            "title": None, "summary": None, "text": None, "annotations_count": 0,
            "annotations_url": f"{api}/annotations",
        },
        "check_suite": {"id": check.check_suite}, "app": _app(render, check.app), "pull_requests": [],
    }  # fmt: skip


def _app(render: Renderer, slug: str) -> Json:
    # 15368 is the number of GitHub Actions itself, which required checks name.
    number = 15368 if slug == "github-actions" else number_of(slug)
    return {
        "id": number, "slug": slug, "node_id": node_id("A", number), "owner": render.user("github"),
        "name": slug.replace("-", " ").title(), "description": "", "external_url": "https://example.org/",
        "html_url": f"{render.web}/apps/{slug}", "created_at": "2018-07-30T09:30:17Z",
        "updated_at": "2024-04-10T20:33:16Z", "permissions": {"checks": "write", "metadata": "read"}, "events": [],
        "client_id": f"Iv1.{number:016x}",
    }  # fmt: skip


def workflow(render: Renderer, item: Workflow) -> Json:
    """A workflow."""
    made = stamp(item.created_at)
    return {
        "id": item.id, "node_id": node_id("W", item.id), "name": item.name, "path": item.path, "state": item.state,
        "created_at": made, "updated_at": made, "url": f"{render.repo_api}/actions/workflows/{item.id}",
        "html_url": f"{render.repo_web}/blob/{render.state.default_branch}/{quote(item.path)}",
        "badge_url": f"{render.repo_web}/workflows/{quote(item.name)}/badge.svg",
    }  # fmt: skip


def run(render: Renderer, item: Run) -> Json:
    """A workflow run."""
    api, page = f"{render.repo_api}/actions/runs/{item.id}", f"{render.repo_web}/actions/runs/{item.id}"
    flow = render.state.workflows[item.workflow_id]
    suite = f"{render.repo_api}/check-suites/{item.check_suite}"
    previous = f"{api}/attempts/{item.attempt - 1}" if item.attempt > 1 else None
    return {
        "id": item.id, "name": flow.name, "node_id": node_id("WFR", item.id), "head_branch": item.head_branch,
        "head_sha": item.head_sha, "path": flow.path, "display_title": item.title, "run_number": item.number,
        "event": item.event, "status": item.status, "conclusion": item.conclusion, "workflow_id": item.workflow_id,
        "check_suite_id": item.check_suite, "check_suite_node_id": node_id("CS", item.check_suite), "url": api,
        "html_url": page, "pull_requests": [], "created_at": stamp(item.created_at),
        "updated_at": stamp(item.updated_at), "actor": render.user(item.actor), "run_attempt": item.attempt,
        "referenced_workflows": [], "run_started_at": stamp(item.started_at),
        "triggering_actor": render.user(item.actor), "jobs_url": f"{api}/jobs", "logs_url": f"{api}/logs",
        "check_suite_url": suite, "artifacts_url": f"{api}/artifacts", "cancel_url": f"{api}/cancel",
        "rerun_url": f"{api}/rerun", "previous_attempt_url": previous,
        "workflow_url": f"{render.repo_api}/actions/workflows/{item.workflow_id}",
        "head_commit": _head_commit(render, item.head_sha), "repository": render.minimal_repository(),
        "head_repository": render.minimal_repository(),
    }  # fmt: skip


def _head_commit(render: Renderer, sha: str) -> Json | None:
    try:
        commit = render.state.git.commit(sha)
    except (GitError, IndexError):
        return None
    return {
        "id": sha, "tree_id": commit.tree, "message": commit.message, "timestamp": stamp(commit.committer.date),
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
    }  # fmt: skip


def job(render: Renderer, item: Run, one: Job) -> Json:
    """A job of a run; an unfinished one has no `completed_at`, a queued one no runner."""
    begun = stamp(moment(one.started_at or item.started_at))
    ended = stamp_or_none(moment(one.completed_at) if one.completed_at else None)
    runs = one.status != "queued"
    return {
        "id": one.id, "run_id": item.id, "workflow_name": render.state.workflows[item.workflow_id].name,
        "head_branch": item.head_branch, "run_url": f"{render.repo_api}/actions/runs/{item.id}",
        "run_attempt": item.attempt, "node_id": node_id("CR", one.id), "head_sha": item.head_sha,
        "url": f"{render.repo_api}/actions/jobs/{one.id}",
        "html_url": f"{render.repo_web}/actions/runs/{item.id}/job/{one.id}", "status": one.status,
        "conclusion": one.conclusion, "created_at": stamp(item.created_at), "started_at": begun,
        "completed_at": ended, "name": one.name, "steps": [
            {
                "name": step.name, "status": step.status, "conclusion": step.conclusion, "number": number,
                "started_at": stamp(moment(step.started_at)) if step.started_at else begun,
                "completed_at": stamp(moment(step.completed_at)) if step.completed_at else ended,
            }
            for number, step in enumerate(one.steps, 1)
        ],
        "check_run_url": f"{render.repo_api}/check-runs/{one.id}", "labels": list(one.labels),
        "runner_id": 1 if runs else None, "runner_name": "GitHub Actions 1" if runs else None,
        "runner_group_id": 0 if runs else None, "runner_group_name": "GitHub Actions" if runs else None,
    }  # fmt: skip


def log_text(item: Run, one: Job) -> str:
    """A job's log: as GitHub's, it begins with a byte order mark and each line with its moment."""
    at = moment(one.started_at or item.started_at).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
    lines = (line if _HAS_TIME.match(line) else f"{at} {line}" for line in (one.log or "").splitlines())
    return "\ufeff" + "".join(f"{line}\n" for line in lines)
