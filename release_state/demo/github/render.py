"""The JSON of accounts, the repository, commits and references, with every field that GitHub's schema requires."""

from __future__ import annotations

import base64
import zlib
from functools import cached_property
from typing import Any
from urllib.parse import quote

from release_state.demo.git import GitError
from release_state.demo.github.gitstore import Commit, Person, Ref
from release_state.demo.github.model import Json, stamp
from release_state.demo.github.state import GitHubState

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

    # ------------------------------------------------------------------ accounts

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

    def user_or_none(self, login: str | None) -> Json | None:
        """As `user`, with None for an account that is gone."""
        return None if login is None else self.user(login)

    # ------------------------------------------------------------------ repository

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

    @cached_property
    def pushed_at(self) -> str:
        """The date of the newest commit of any branch, as near as git alone can tell."""
        git = self.state.git
        try:
            newest = max((git.commit(ref.commit).committer.date for ref in git.refs("refs/heads/")), default=None)
        except GitError:
            newest = None
        return stamp(newest) if newest else "2024-01-02T03:04:05Z"

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


def _person(person: Person) -> dict[str, Any]:
    return {"name": person.name, "email": person.email, "date": stamp(person.date)}
