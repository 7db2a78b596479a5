"""The JSON of pull requests and releases."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from release_state.demo.github.model import Asset, Json, Pull, Release, stamp, stamp_or_none
from release_state.demo.github.render import Renderer, node_id


def pull_simple(render: Renderer, pull: Pull) -> Json:
    """A pull request as lists show it.

    An open one has a ``merge_commit_sha`` too: GitHub's own trial merge, which proves no merge.
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
