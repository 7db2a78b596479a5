"""What the API answers of the repository and of what GitHub holds of it: the fields that a look-up reads."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from urllib.parse import quote

from release_state.demo.git import GitError
from release_state.demo.github.gitstore import Ref
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
from release_state.demo.github.state import GitHubState

_HAS_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class Renderer:
    """Turns state into GitHub's JSON.

    Attributes:
        api: the API's root address, without a slash at its end.
        web: the web site's root address.

    """

    def __init__(self, state: GitHubState, api: str, web: str) -> None:
        self.state = state
        self.api = api
        self.web = web

    @property
    def repo_api(self) -> str:
        """The repository's address in the API."""
        return f"{self.api}/repos/{self.state.repository}"

    @property
    def repo_web(self) -> str:
        """The repository's page."""
        return f"{self.web}/{self.state.repository}"

    def user(self, login: str) -> Json:
        """An account."""
        return {"login": login}

    def user_or_none(self, login: str | None) -> Json | None:
        """As `user`, with None for an account that is gone."""
        return None if login is None else self.user(login)

    def minimal_repository(self, full_name: str | None = None) -> Json:
        """The repository (or a fork) as it stands inside other answers."""
        return {"full_name": full_name or self.state.repository}

    def full_repository(self, right: str) -> Json:
        """The repository itself; `permissions` only for a caller with an account."""
        body = {
            "full_name": self.state.repository, "html_url": self.repo_web, "private": self.state.private,
            "fork": False, "archived": self.state.archived, "default_branch": self.state.default_branch,
            "pushed_at": self.pushed_at,
        }  # fmt: skip
        if right != "none":
            writes = right in ("write", "admin")
            body["permissions"] = {"admin": right == "admin", "push": writes, "pull": True}
        return body

    @cached_property
    def pushed_at(self) -> str:
        """The date of the newest commit of any branch, as near as git alone can tell."""
        git = self.state.git
        try:
            newest = max((git.commit(ref.commit).committer.date for ref in git.refs("refs/heads/")), default=None)
        except GitError:
            newest = None
        return stamp(newest) if newest else "2024-01-02T03:04:05Z"

    def full_branch(self, ref: Ref) -> Json:
        """A branch and what everybody may know of its protection: it has none."""
        name = ref.name.removeprefix("refs/heads/")
        return {"name": name, "protected": False, "protection": {"enabled": False}}

    def pull(self, pull: Pull) -> Json:
        """A pull request as lists show it.

        An open one has a `merge_commit_sha` too: GitHub's own trial merge, which proves no merge.
        """
        trial = hashlib.sha1(f"{pull.base_sha} {pull.head_sha}".encode(), usedforsecurity=False).hexdigest()
        head = self.minimal_repository(pull.head_repo) if pull.head_repo else None
        return {
            "id": pull.id, "number": pull.number, "html_url": f"{self.repo_web}/pull/{pull.number}",
            "title": pull.title, "state": pull.state, "draft": pull.draft, "user": self.user(pull.user),
            "created_at": stamp(pull.created_at), "closed_at": stamp_or_none(pull.closed_at),
            "merged_at": stamp_or_none(pull.merged_at), "merge_commit_sha": pull.merge_commit_sha or trial,
            "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": head},
            "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": self.minimal_repository()},
        }  # fmt: skip

    def release(self, item: Release) -> Json:
        """A release; a draft's page has a name of its own."""
        page = f"untagged-{item.id:020x}" if item.draft else quote(item.tag)
        return {
            "id": item.id, "url": f"{self.repo_api}/releases/{item.id}",
            "html_url": f"{self.repo_web}/releases/tag/{page}", "tag_name": item.tag, "name": item.name,
            "body": item.body, "draft": item.draft, "prerelease": item.prerelease, "immutable": item.immutable,
            "created_at": stamp(item.created_at), "published_at": stamp_or_none(item.published_at),
            "author": self.user_or_none(item.author),
            "assets": [self.release_asset(item, asset) for asset in item.assets],
        }  # fmt: skip

    def release_asset(self, item: Release, asset: Asset) -> Json:
        """A file attached to a release."""
        digest = f"sha256:{hashlib.sha256(asset.data).hexdigest()}"
        return {"id": asset.id, "name": asset.name, "state": asset.state, "digest": digest}

    def check_run(self, check: CheckRun) -> Json:
        """A check run."""
        page = f"{self.repo_web}/{check.details_url}"
        return {
            "id": check.id, "name": check.name, "head_sha": check.sha, "html_url": page, "details_url": page,
            "status": check.status, "conclusion": check.conclusion, "started_at": stamp_or_none(check.started_at),
            "completed_at": stamp_or_none(check.completed_at), "check_suite": {"id": check.check_suite},
            "app": {"slug": check.app},
        }  # fmt: skip

    def workflow(self, item: Workflow) -> Json:
        """A workflow."""
        return {"id": item.id, "name": item.name, "path": item.path, "state": item.state}

    def run(self, item: Run) -> Json:
        """A workflow run."""
        flow = self.state.workflows[item.workflow_id]
        return {
            "id": item.id, "name": flow.name, "head_branch": item.head_branch, "head_sha": item.head_sha,
            "path": flow.path, "display_title": item.title, "run_number": item.number, "event": item.event,
            "status": item.status, "conclusion": item.conclusion, "check_suite_id": item.check_suite,
            "html_url": f"{self.repo_web}/actions/runs/{item.id}", "created_at": stamp(item.created_at),
            "updated_at": stamp(item.updated_at), "run_started_at": stamp(item.started_at),
            "actor": self.user(item.actor), "triggering_actor": self.user(item.actor), "run_attempt": item.attempt,
            "repository": self.minimal_repository(),
        }  # fmt: skip

    def job(self, item: Run, one: Job) -> Json:
        """A job of a run; an unfinished one has no `completed_at`."""
        begun = stamp(moment(one.started_at or item.started_at))
        ended = stamp_or_none(moment(one.completed_at) if one.completed_at else None)
        return {
            "id": one.id, "run_id": item.id, "run_attempt": item.attempt, "head_sha": item.head_sha, "name": one.name,
            "status": one.status, "conclusion": one.conclusion, "steps": [
                {
                    "name": step.name, "conclusion": step.conclusion,
                    "started_at": stamp(moment(step.started_at)) if step.started_at else begun,
                    "completed_at": stamp(moment(step.completed_at)) if step.completed_at else ended,
                }
                for step in one.steps
            ],
        }  # fmt: skip


def log_text(item: Run, one: Job) -> str:
    """A job's log: as GitHub's, it begins with a byte order mark and each line with its moment."""
    at = moment(one.started_at or item.started_at).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
    lines = (line if _HAS_TIME.match(line) else f"{at} {line}" for line in (one.log or "").splitlines())
    return "\ufeff" + "".join(f"{line}\n" for line in lines)
