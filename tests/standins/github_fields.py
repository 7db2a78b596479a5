"""Every field that GitHub's schema requires of its answers; the demo world shows those that a look-up reads."""

from __future__ import annotations

import base64
import hashlib
import zlib
from functools import cached_property
from typing import Any
from urllib.parse import quote

from release_state.demo.git import GitError
from release_state.demo.github.gitstore import Commit, Person, Ref
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
from release_state.demo.github.render import Renderer

_REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}", "commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}", "contributors_url": "/contributors", "deployments_url": "/deployments",
    "downloads_url": "/downloads", "events_url": "/events", "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks", "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}", "issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}", "languages_url": "/languages", "merges_url": "/merges",
    "milestones_url": "/milestones{/number}", "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}", "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}", "subscribers_url": "/subscribers", "subscription_url": "/subscription",
    "tags_url": "/tags", "teams_url": "/teams", "trees_url": "/git/trees{/sha}",
}  # fmt: skip


def node_id(kind: str, key: object) -> str:
    """An opaque identifier of the shape that GitHub's GraphQL side uses."""
    return f"{kind}_{base64.urlsafe_b64encode(str(key).encode()).decode().rstrip('=')}"


def number_of(text: str) -> int:
    """A stable number for a name."""
    return zlib.crc32(text.encode()) % 100_000_000


class FullRenderer(Renderer):
    """Shows everything."""

    def user(self, login: str) -> Json:
        """An account; the repository's owner is an organization, a name that ends in `[bot]` a bot."""
        api, number = f"{self.api}/users/{quote(login)}", number_of(login)
        kind = "Organization" if login == self.state.owner else "Bot" if login.endswith("[bot]") else "User"
        return {
            "login": login, "id": number, "node_id": node_id("U", number),
            "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4", "gravatar_id": "", "url": api,
            "html_url": f"{self.web}/{quote(login)}", "followers_url": f"{api}/followers",
            "following_url": f"{api}/following{{/other_user}}", "gists_url": f"{api}/gists{{/gist_id}}",
            "starred_url": f"{api}/starred{{/owner}}{{/repo}}", "subscriptions_url": f"{api}/subscriptions",
            "organizations_url": f"{api}/orgs", "repos_url": f"{api}/repos", "events_url": f"{api}/events{{/privacy}}",
            "received_events_url": f"{api}/received_events", "type": kind, "user_view_type": "public",
            "site_admin": False,
        }  # fmt: skip

    def minimal_repository(self, full_name: str | None = None) -> Json:
        """The repository (or a fork) as it stands inside other answers."""
        full_name = full_name or self.state.repository
        own = full_name == self.state.repository
        number = self.state.repository_id if own else 500_000_000 + number_of(full_name)
        api = f"{self.api}/repos/{full_name}"
        owner, name = full_name.split("/")
        return {
            "id": number, "node_id": node_id("R", number), "name": name, "full_name": full_name,
            "private": self.state.private, "owner": self.user(owner), "html_url": f"{self.web}/{full_name}",
            "description": None, "fork": not own, "url": api,
            **{key: api + path for key, path in _REPOSITORY_LINKS.items()},
        }  # fmt: skip

    def repository(self, full_name: str | None = None) -> Json:
        """The repository as a pull request's head and base show it."""
        body = self.minimal_repository(full_name)
        page = body["html_url"]
        issues = self._open_pulls
        return body | {
            "git_url": f"git:{page.split(':', 1)[1]}.git", "ssh_url": f"git@github.com:{body['full_name']}.git",
            "clone_url": f"{page}.git", "svn_url": page, "mirror_url": None, "homepage": "", "language": "Python",
            "forks_count": 0, "stargazers_count": 0, "watchers_count": 0, "size": 108, "open_issues_count": issues,
            "default_branch": self.state.default_branch, "has_issues": True, "has_projects": True, "has_wiki": True,
            "has_pages": False, "has_downloads": True, "has_discussions": False,
            "archived": self.state.archived, "disabled": False,
            "visibility": "private" if self.state.private else "public", "pushed_at": self.pushed_at,
            "created_at": "2024-01-02T03:04:05Z", "updated_at": self.pushed_at, "license": None, "forks": 0,
            "open_issues": issues, "watchers": 0, "allow_forking": True, "is_template": False, "topics": [],
            "web_commit_signoff_required": False,
        }  # fmt: skip

    @cached_property
    def _open_pulls(self) -> int:
        """How many there are, at this request: each of a hundred pull requests shows the repository twice."""
        return sum(pull.state == "open" for pull in self.state.pulls.values())

    def full_repository(self, right: str) -> Json:
        """The repository itself; `permissions` only for a caller with an account."""
        body = self.repository() | {"subscribers_count": 0, "network_count": 0}
        if right == "admin":
            body |= {
                "allow_squash_merge": True, "allow_merge_commit": True, "allow_rebase_merge": False,
                "allow_auto_merge": False, "delete_branch_on_merge": self.state.delete_branch_on_merge,
            }  # fmt: skip
        if right != "none":
            body["permissions"] = {
                "admin": right == "admin", "maintain": right == "admin", "push": right in ("write", "admin"),
                "triage": right in ("write", "admin"), "pull": True,
            }  # fmt: skip
        return body

    # ------------------------------------------------------------------ commits

    def commit_link(self, sha: str) -> Json:
        """A commit's hash and address."""
        return {"sha": sha, "url": f"{self.repo_api}/commits/{sha}"}

    def commit(self, commit: Commit) -> Json:
        """A commit as lists show it; its people are no accounts, as with an address GitHub does not know."""
        return {
            "sha": commit.sha, "node_id": node_id("C", commit.sha), "commit": {
                "author": _person(commit.author), "committer": _person(commit.committer), "message": commit.message,
                "tree": {"sha": commit.tree, "url": f"{self.repo_api}/git/trees/{commit.tree}"},
                "url": f"{self.repo_api}/git/commits/{commit.sha}", "comment_count": 0, "verification": {
                    "verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None,
                },
            },
            "url": f"{self.repo_api}/commits/{commit.sha}", "html_url": f"{self.repo_web}/commit/{commit.sha}",
            "comments_url": f"{self.repo_api}/commits/{commit.sha}/comments", "author": None, "committer": None,
            "parents": [
                {**self.commit_link(sha), "html_url": f"{self.repo_web}/commit/{sha}"} for sha in commit.parents
            ],
        }  # fmt: skip

    # ------------------------------------------------------------------ references

    def full_branch(self, ref: Ref) -> Json:
        """A branch with its commit and what everybody may know of its protection: it has none."""
        name = ref.name.removeprefix("refs/heads/")
        api = f"{self.repo_api}/branches/{quote(name, safe='')}"
        return {
            "name": name, "commit": self.commit(self.state.git.commit(ref.commit)),
            "_links": {"self": api, "html": f"{self.repo_web}/tree/{quote(name)}"},
            "protected": False, "protection_url": f"{api}/protection", "protection": {
                "enabled": False,
                "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []},
            },
        }  # fmt: skip

    def pull(self, pull: Pull) -> Json:
        """A pull request as lists show it.

        An open one has a `merge_commit_sha` too: GitHub's own trial merge, which proves no merge.
        """
        api, page = f"{self.repo_api}/pulls/{pull.number}", f"{self.repo_web}/pull/{pull.number}"
        issue = f"{self.repo_api}/issues/{pull.number}"
        trial = hashlib.sha1(f"{pull.base_sha} {pull.head_sha}".encode(), usedforsecurity=False).hexdigest()
        links = {
            "self": api, "html": page, "issue": issue, "comments": f"{issue}/comments",
            "review_comments": f"{api}/comments", "review_comment": f"{self.repo_api}/pulls/comments{{/number}}",
            "commits": f"{api}/commits", "statuses": f"{self.repo_api}/statuses/{pull.head_sha}",
        }  # fmt: skip
        return {
            "url": api, "id": pull.id, "node_id": node_id("PR", pull.id), "html_url": page, "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch", "issue_url": issue, "number": pull.number, "state": pull.state,
            "locked": False,
            "title": pull.title, "user": self.user(pull.user), "body": pull.body, "created_at": stamp(pull.created_at),
            "updated_at": stamp(pull.updated_at), "closed_at": stamp_or_none(pull.closed_at),
            "merged_at": stamp_or_none(pull.merged_at), "merge_commit_sha": pull.merge_commit_sha or trial,
            "assignee": None, "assignees": [], "requested_reviewers": [], "requested_teams": [], "labels": [],
            "milestone": None, "draft": pull.draft, "commits_url": f"{api}/commits",
            "review_comments_url": f"{api}/comments",
            "review_comment_url": f"{self.repo_api}/pulls/comments{{/number}}", "comments_url": f"{issue}/comments",
            "statuses_url": links["statuses"], "head": self._side(pull.head_repo, pull.head_ref, pull.head_sha),
            "base": self._side(self.state.repository, pull.base_ref, pull.base_sha),
            "_links": {name: {"href": address} for name, address in links.items()},
            "author_association": "MEMBER", "auto_merge": None, "active_lock_reason": None,
        }  # fmt: skip

    def _side(self, repository: str | None, ref: str, sha: str) -> Json:
        # A deleted fork leaves nulls that GitHub's own schema does not allow.
        owner = repository.split("/")[0] if repository else None
        return {
            "label": f"{owner}:{ref}" if owner else None, "ref": ref, "sha": sha, "user": self.user_or_none(owner),
            "repo": self.repository(repository) if repository else None,
        }  # fmt: skip

    def release(self, item: Release) -> Json:
        """A release; a draft's page has a name of its own, and no archives as long as it has no tag."""
        api, tag = f"{self.repo_api}/releases/{item.id}", quote(item.tag)
        page = f"untagged-{item.id:020x}" if item.draft else tag
        uploads = self.api.replace("api.", "uploads.", 1)
        return {
            "url": api, "html_url": f"{self.repo_web}/releases/tag/{page}", "assets_url": f"{api}/assets",
            "upload_url": f"{uploads}/repos/{self.state.repository}/releases/{item.id}/assets{{?name,label}}",
            "tarball_url": None if item.draft else f"{self.repo_api}/tarball/{tag}",
            "zipball_url": None if item.draft else f"{self.repo_api}/zipball/{tag}", "id": item.id,
            "node_id": node_id("RE", item.id), "tag_name": item.tag, "target_commitish": item.target, "name": item.name,
            "body": item.body, "draft": item.draft, "prerelease": item.prerelease, "immutable": item.immutable,
            "created_at": stamp(item.created_at), "updated_at": stamp(item.updated_at),
            "published_at": stamp_or_none(item.published_at), "author": self.user_or_none(item.author),
            "assets": [self.release_asset(item, asset) for asset in item.assets],
        }  # fmt: skip

    def release_asset(self, item: Release, asset: Asset) -> Json:
        """A file attached to a release."""
        made = stamp(item.published_at or item.created_at)
        folder = f"untagged-{item.id:020x}" if item.draft else quote(item.tag)
        return {
            "url": f"{self.repo_api}/releases/assets/{asset.id}", "id": asset.id, "node_id": node_id("RA", asset.id),
            "name": asset.name, "label": "", "uploader": self.user_or_none(item.author), "state": asset.state,
            "content_type": "application/octet-stream", "size": len(asset.data),
            "digest": f"sha256:{hashlib.sha256(asset.data).hexdigest()}", "download_count": 0,
            "created_at": made, "updated_at": made,
            "browser_download_url": f"{self.repo_web}/releases/download/{folder}/{quote(asset.name)}",
        }  # fmt: skip

    def check_run(self, check: CheckRun) -> Json:
        """A check run."""
        api, page = f"{self.repo_api}/check-runs/{check.id}", f"{self.repo_web}/{check.details_url}"
        return {
            "id": check.id, "name": check.name, "node_id": node_id("CR", check.id), "head_sha": check.sha,
            "external_id": "", "url": api, "html_url": page, "details_url": page, "status": check.status,
            "conclusion": check.conclusion, "started_at": stamp_or_none(check.started_at),
            "completed_at": stamp_or_none(check.completed_at),
            "output": {
                "title": None, "summary": None, "text": None, "annotations_count": 0,
                "annotations_url": f"{api}/annotations",
            },
            "check_suite": {"id": check.check_suite}, "app": self._app(check.app), "pull_requests": [],
        }  # fmt: skip

    def _app(self, slug: str) -> Json:
        # 15368 is the number of GitHub Actions itself, which required checks name.
        number = 15368 if slug == "github-actions" else number_of(slug)
        return {
            "id": number, "slug": slug, "node_id": node_id("A", number), "owner": self.user("github"),
            "name": slug.replace("-", " ").title(), "description": "", "external_url": "https://example.org/",
            "html_url": f"{self.web}/apps/{slug}", "created_at": "2018-07-30T09:30:17Z",
            "updated_at": "2024-04-10T20:33:16Z", "permissions": {"checks": "write", "metadata": "read"}, "events": [],
            "client_id": f"Iv1.{number:016x}",
        }  # fmt: skip

    def workflow(self, item: Workflow) -> Json:
        """A workflow."""
        made = stamp(item.created_at)
        return {
            "id": item.id, "node_id": node_id("W", item.id), "name": item.name, "path": item.path, "state": item.state,
            "created_at": made, "updated_at": made, "url": f"{self.repo_api}/actions/workflows/{item.id}",
            "html_url": f"{self.repo_web}/blob/{self.state.default_branch}/{quote(item.path)}",
            "badge_url": f"{self.repo_web}/workflows/{quote(item.name)}/badge.svg",
        }  # fmt: skip

    def run(self, item: Run) -> Json:
        """A workflow run."""
        api, page = f"{self.repo_api}/actions/runs/{item.id}", f"{self.repo_web}/actions/runs/{item.id}"
        flow = self.state.workflows[item.workflow_id]
        suite = f"{self.repo_api}/check-suites/{item.check_suite}"
        previous = f"{api}/attempts/{item.attempt - 1}" if item.attempt > 1 else None
        return {
            "id": item.id, "name": flow.name, "node_id": node_id("WFR", item.id), "head_branch": item.head_branch,
            "head_sha": item.head_sha, "path": flow.path, "display_title": item.title, "run_number": item.number,
            "event": item.event, "status": item.status, "conclusion": item.conclusion, "workflow_id": item.workflow_id,
            "check_suite_id": item.check_suite, "check_suite_node_id": node_id("CS", item.check_suite), "url": api,
            "html_url": page, "pull_requests": [], "created_at": stamp(item.created_at),
            "updated_at": stamp(item.updated_at), "actor": self.user(item.actor), "run_attempt": item.attempt,
            "referenced_workflows": [], "run_started_at": stamp(item.started_at),
            "triggering_actor": self.user(item.actor), "jobs_url": f"{api}/jobs", "logs_url": f"{api}/logs",
            "check_suite_url": suite, "artifacts_url": f"{api}/artifacts", "cancel_url": f"{api}/cancel",
            "rerun_url": f"{api}/rerun", "previous_attempt_url": previous,
            "workflow_url": f"{self.repo_api}/actions/workflows/{item.workflow_id}",
            "head_commit": self._head_commit(item.head_sha), "repository": self.minimal_repository(),
            "head_repository": self.minimal_repository(),
        }  # fmt: skip

    def _head_commit(self, sha: str) -> Json | None:
        try:
            commit = self.state.git.commit(sha)
        except (GitError, IndexError):
            return None
        return {
            "id": sha, "tree_id": commit.tree, "message": commit.message, "timestamp": stamp(commit.committer.date),
            "author": {"name": commit.author.name, "email": commit.author.email},
            "committer": {"name": commit.committer.name, "email": commit.committer.email},
        }  # fmt: skip

    def job(self, item: Run, one: Job) -> Json:
        """A job of a run; an unfinished one has no `completed_at`, a queued one no runner."""
        begun = stamp(moment(one.started_at or item.started_at))
        ended = stamp_or_none(moment(one.completed_at) if one.completed_at else None)
        runs = one.status != "queued"
        return {
            "id": one.id, "run_id": item.id, "workflow_name": self.state.workflows[item.workflow_id].name,
            "head_branch": item.head_branch, "run_url": f"{self.repo_api}/actions/runs/{item.id}",
            "run_attempt": item.attempt, "node_id": node_id("CR", one.id), "head_sha": item.head_sha,
            "url": f"{self.repo_api}/actions/jobs/{one.id}",
            "html_url": f"{self.repo_web}/actions/runs/{item.id}/job/{one.id}", "status": one.status,
            "conclusion": one.conclusion, "created_at": stamp(item.created_at), "started_at": begun,
            "completed_at": ended, "name": one.name, "steps": [
                {
                    "name": step.name, "status": step.status, "conclusion": step.conclusion, "number": number,
                    "started_at": stamp(moment(step.started_at)) if step.started_at else begun,
                    "completed_at": stamp(moment(step.completed_at)) if step.completed_at else ended,
                }
                for number, step in enumerate(one.steps, 1)
            ],
            "check_run_url": f"{self.repo_api}/check-runs/{one.id}", "labels": list(one.labels),
            "runner_id": 1 if runs else None, "runner_name": "GitHub Actions 1" if runs else None,
            "runner_group_id": 0 if runs else None, "runner_group_name": "GitHub Actions" if runs else None,
        }  # fmt: skip


def _person(person: Person) -> dict[str, Any]:
    return {"name": person.name, "email": person.email, "date": stamp(person.date)}
