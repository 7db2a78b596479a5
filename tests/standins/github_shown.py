"""How the stand-in for GitHub shows what only the routes of the tests answer with."""

from __future__ import annotations

import base64
from urllib.parse import quote

from release_state.demo.git import GitError
from release_state.demo.github.gitstore import Commit, Ref
from release_state.demo.github.model import Json, Pull, stamp
from release_state.demo.github.render import Renderer
from tests.standins.git_objects import Change, Entry, changes, own_commits
from tests.standins.github import Status
from tests.standins.github_fields import FullRenderer, node_id


def show_full_commit(render: FullRenderer, commit: Commit) -> Json:
    """A commit with its files and their numbers."""
    found = changes(render.state.git, commit.parents[0] if commit.parents else None, commit.sha)
    added, removed = sum(c.additions for c in found), sum(c.deletions for c in found)
    return render.commit(commit) | {
        "stats": {"total": added + removed, "additions": added, "deletions": removed},
        "files": [show_change(render, change, commit.sha) for change in found[:300]],
    }


def show_change(render: Renderer, change: Change, sha: str) -> Json:
    """One changed file."""
    path = quote(change.path)
    body: Json = {
        "sha": change.sha, "filename": change.path, "status": change.status, "additions": change.additions,
        "deletions": change.deletions, "changes": change.additions + change.deletions,
        "blob_url": f"{render.repo_web}/blob/{sha}/{path}", "raw_url": f"{render.repo_web}/raw/{sha}/{path}",
        "contents_url": f"{render.repo_api}/contents/{path}?ref={sha}",
    }  # fmt: skip
    return body | ({"previous_filename": change.previous} if change.previous else {})


def show_ref(render: Renderer, ref: Ref) -> Json:
    """A reference; an annotated tag shows its own object, not the commit."""
    path = quote(ref.name.removeprefix("refs/"))
    return {
        "ref": ref.name, "node_id": node_id("REF", ref.name), "url": f"{render.repo_api}/git/refs/{path}",
        "object": {"sha": ref.sha, "type": ref.type, "url": f"{render.repo_api}/git/{ref.type}s/{ref.sha}"},
    }  # fmt: skip


def show_tag(render: FullRenderer, ref: Ref) -> Json:
    """A tag as ``/tags`` lists it: always with the commit it leads to."""
    name = ref.name.removeprefix("refs/tags/")
    return {
        "name": name, "zipball_url": f"{render.repo_api}/zipball/refs/tags/{quote(name)}",
        "tarball_url": f"{render.repo_api}/tarball/refs/tags/{quote(name)}",
        "commit": render.commit_link(ref.commit), "node_id": node_id("REF", ref.name),
    }  # fmt: skip


def show_entry(render: Renderer, entry: Entry, ref: str, data: bytes | None = None) -> Json:
    """A file or folder; with ``data``, a file and its content."""
    path = quote(entry.path)
    folder = entry.type == "tree"
    api = f"{render.repo_api}/contents/{path}?ref={quote(ref, safe='')}"
    git = f"{render.repo_api}/git/{entry.type}s/{entry.sha}"
    page = f"{render.repo_web}/{'tree' if folder else 'blob'}/{quote(ref)}/{path}"
    raw = f"https://raw.githubusercontent.com/{render.state.repository}/{quote(ref)}/{path}"
    kinds = {"tree": "dir", "commit": "submodule"}
    body: Json = {
        "name": entry.path.rsplit("/", 1)[-1], "path": entry.path, "sha": entry.sha, "size": entry.size,
        "url": api, "html_url": page, "git_url": git, "download_url": None if folder else raw,
        "type": "symlink" if entry.mode == "120000" else kinds.get(entry.type, "file"),
        "_links": {"self": api, "git": git, "html": page},
    }  # fmt: skip
    if data is None:
        return body
    if body["type"] == "symlink":
        return body | {"target": data.decode("utf-8", "replace")}
    # Above one megabyte the API gives the file's name and size only.
    large = len(data) > 1024 * 1024
    content = "" if large else base64.encodebytes(data).decode()
    return body | {"content": content, "encoding": "none" if large else "base64"}


def show_pull(render: Renderer, pull: Pull) -> Json:
    """A pull request by its number, with the numbers of what it changes."""
    try:
        found = changes(render.state.git, pull.base_sha, pull.head_sha)
    except GitError:
        found = []
    is_open = pull.state == "open"
    return render.pull(pull) | {
        "merged": pull.merged_at is not None, "mergeable": True if is_open else None, "rebaseable": None,
        "mergeable_state": "clean" if is_open else "unknown", "merged_by": render.user_or_none(pull.merged_by),
        "comments": 0, "review_comments": 0, "maintainer_can_modify": False,
        "commits": len(own_commits(render.state.git, pull)), "additions": sum(c.additions for c in found),
        "deletions": sum(c.deletions for c in found), "changed_files": len(found),
    }  # fmt: skip


def show_simple_status(render: Renderer, item: Status) -> Json:
    """A commit status as the combined answer shows it."""
    made = stamp(item.created_at)
    avatar = render.user(item.creator)["avatar_url"]
    return {
        "url": f"{render.repo_api}/statuses/{item.sha}", "avatar_url": avatar, "id": item.id,
        "node_id": node_id("SC", item.id), "state": item.state, "description": item.description,
        "target_url": item.target_url, "context": item.context, "created_at": made, "updated_at": made,
    }  # fmt: skip


def show_combined_status(render: Renderer, sha: str, latest: list[Status]) -> Json:
    """The combined status: ``pending`` when there is none at all, which says nothing of check runs."""
    states = {item.state for item in latest}
    state = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    api = f"{render.repo_api}/commits/{sha}"
    return {
        "state": state, "statuses": [show_simple_status(render, item) for item in latest], "sha": sha,
        "total_count": len(latest), "repository": render.minimal_repository(), "commit_url": api,
        "url": f"{api}/status",
    }  # fmt: skip


def show_status(render: Renderer, item: Status) -> Json:
    """A commit status as the list of all of them shows it."""
    return show_simple_status(render, item) | {"creator": render.user(item.creator)}
