"""What GitHub knows of a repository's pull requests and releases, and how it keeps them consistent."""

from __future__ import annotations

import re
from collections.abc import Mapping

from release_state.demo.github.model import Asset, Pull, Release, When, moment
from release_state.demo.github.state_runs import RunState


class GitHubState(RunState):
    """Everything that GitHub knows of one repository; the methods set up pull requests and releases, too."""

    # ------------------------------------------------------------------ pull requests

    def add_pull(
        self,
        head: str,
        base: str | None = None,
        *,
        title: str,
        body: str | None = "",
        user: str = "octo-dev",
        head_sha: str | None = None,
        created_at: When = None,
    ) -> int:
        """Open a pull request and add its `refs/pull/N/head`; returns its number.

        Its base is the default branch unless `base` names another. Without `head_sha` it follows its head branch.
        Raises `ValueError` when there is no such branch and no `head_sha`.
        """
        with self.lock:
            base = base or self.default_branch
            sha, base_sha = head_sha or self.branch_sha(head), self.branch_sha(base)
            if sha is None or base_sha is None:
                raise ValueError(f"no branch {base if sha else head} in the repository; give head_sha")
            # A pull request's base is where the histories part, not where the base branch has moved to since.
            fork_point = self.git.merge_base(base_sha, sha) if self.git.has(sha) else None
            opened = moment(created_at or self.now())
            pull = Pull(
                number=next(self._numbers), id=next(self._ids), title=title, body=body, state="open", draft=False,
                head_ref=head, head_sha=sha, head_repo=self.repository, base_ref=base, base_sha=fork_point or base_sha,
                user=user, created_at=opened, updated_at=opened, pinned=head_sha is not None,
            )  # fmt: skip
            self.pulls[pull.number] = pull
            self._mark_head(pull)
            return pull.number

    def refresh_pulls(self) -> None:
        """Let open pull requests follow their branches: a push moves the head, a deleted head or base closes them.

        Source: https://github.com/cli/cli/issues/14223 (what git or the API deletes is no base afterwards)
        """
        with self.lock:
            following = [pull for pull in self.pulls.values() if pull.state == "open"]
            heads = {ref.name: ref.commit for ref in self.git.refs("refs/heads/")} if following else {}
            for pull in following:
                sha = pull.head_sha if pull.pinned else heads.get(f"refs/heads/{pull.head_ref}")
                if sha is None or f"refs/heads/{pull.base_ref}" not in heads:
                    pull.state = "closed"
                    pull.closed_at = pull.updated_at = moment(self.now())
                elif sha != pull.head_sha:
                    pull.head_sha = sha
                    pull.updated_at = moment(self.now())
                    self._mark_head(pull)

    def _mark_head(self, pull: Pull) -> None:
        if self.git.has(pull.head_sha):
            self.git.set_ref(f"refs/pull/{pull.number}/head", pull.head_sha)

    # ------------------------------------------------------------------ releases

    def add_release(
        self,
        tag: str,
        *,
        body: str | None = "notes",
        draft: bool = False,
        prerelease: bool = False,
        target: str = "",
        created_at: When = None,
        published_at: When = None,
        author: str | None = "octo-dev",
        make_latest: str = "legacy",
        assets: Mapping[str, bytes] | None = None,
    ) -> int:
        """Add a GitHub Release without touching the tag; returns its id.

        Its name is the tag. `target` defaults to the default branch, `created_at` to the date of the commit, as on
        GitHub, and `published_at` to now. `author` None is a deleted account.
        """
        with self.lock:
            target = target or self.default_branch
            commit = self.git.resolve(f"tags/{tag}") or self.git.resolve(target)
            committed = self.git.commit(commit).committer.date if commit else self.now()
            made = moment(created_at or committed)
            published = None if draft else moment(published_at or self.now())
            files = [Asset(next(self._ids), file, data) for file, data in (assets or {}).items()]
            release = Release(
                id=next(self._ids), tag=tag, name=tag, body=body, draft=draft,
                prerelease=prerelease, immutable=False, target=target, author=author, created_at=made,
                updated_at=published or made, published_at=published, make_latest=make_latest, assets=files,
            )  # fmt: skip
            self.releases[release.id] = release
            self.refresh_releases()
            if make_latest == "true" and not (draft or prerelease):
                self.latest_release = release.id
            return release.id

    def refresh_releases(self) -> None:
        """Turn published releases whose tag was deleted back into drafts, as GitHub does."""
        with self.lock:
            tags = {ref.name.removeprefix("refs/tags/") for ref in self.git.refs("refs/tags/")}
            for release in self.releases.values():
                if release.tag in tags:
                    release.tagged = True
                elif release.tagged and not release.draft:
                    release.draft, release.published_at, release.tagged = True, None, False

    def find_latest_release(self) -> Release | None:
        """The release that carries the mark *Latest*: the marked one, else the newest by date and then version."""
        self.refresh_releases()
        able = [r for r in self.releases.values() if not r.draft and not r.prerelease]
        marked = next((r for r in able if r.id == self.latest_release), None)
        able = [r for r in able if r.make_latest != "false"]
        return marked or max(able, key=lambda r: (r.created_at, _numbers_of(r.tag)), default=None)


def _numbers_of(tag: str) -> tuple[int, ...]:
    """A version's numbers, enough to order final releases of one date."""
    return tuple(int(number) for number in re.findall(r"\d+", tag))
