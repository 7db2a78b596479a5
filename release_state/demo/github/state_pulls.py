"""Pull requests, and how GitHub keeps them in step with their branches."""

from __future__ import annotations

import re
from collections.abc import Mapping

from release_state.demo.github.gitstore import GitError
from release_state.demo.github.model import Asset, Pull, Release, When, moment
from release_state.demo.github.state_base import Ground


class PullState(Ground):
    """The part of the state with the pull requests."""

    def add_pull(
        self,
        head: str,
        base: str | None = None,
        *,
        title: str,
        body: str | None = "",
        state: str = "open",
        merged: bool = False,
        head_sha: str | None = None,
        head_repo: str | None = "",
        user: str = "octo-dev",
        draft: bool = False,
        created_at: When = None,
        updated_at: When = None,
        closed_at: When = None,
        merged_at: When = None,
        merge_commit_sha: str | None = None,
        merged_by: str | None = None,
    ) -> int:
        """Add a pull request and its ``refs/pull/N/head``; returns its number.

        Args:
            head: the head branch, without its owner.
            base: the base branch; the default branch by default.
            title: its title.
            body: its text; None as GitHub shows an empty one.
            state: ``open`` or ``closed``; a merged one is always closed.
            merged: whether it was merged.
            head_sha: the head commit. Without it, the branch's present commit, which an open pull request then follows.
            head_repo: ``owner/name`` of the head; empty for this repository, None for a fork that was deleted.
            user: who opened it.
            draft: whether it is a draft.
            created_at: when it was opened; now by default. The other moments follow from it.
            updated_at: the last change.
            closed_at: when it was closed or merged.
            merged_at: when it was merged.
            merge_commit_sha: the commit that the merge made; the base branch's present commit by default.
            merged_by: who merged it.

        Raises:
            ValueError: there is no such branch and no ``head_sha``.

        """
        with self.lock:
            base = base or self.default_branch
            own = head_repo == ""
            sha = head_sha or self.branch_sha(head)
            base_sha = self.branch_sha(base)
            if sha is None or base_sha is None:
                raise ValueError(f"no branch {base if sha else head} in the repository; give head_sha")
            opened = moment(created_at or self.now())
            closed = state == "closed" or merged
            ended = moment(closed_at or merged_at or max(opened, moment(self.now()))) if closed else None
            # A pull request's base is where the histories part, not where the base branch has moved to since.
            fork_point = self.git.merge_base(base_sha, sha) if self.git.has(sha) else None
            number = next(self._numbers)
            pull = Pull(
                number=number, id=next(self._ids), title=title, body=body, state="closed" if closed else "open",
                draft=draft, head_ref=head, head_sha=sha, head_repo=self.repository if own else head_repo,
                base_ref=base, base_sha=fork_point or base_sha, user=user, created_at=opened,
                updated_at=moment(updated_at or ended or opened), closed_at=ended,
                merged_at=moment(merged_at or ended or opened) if merged else None,
                merged_by=(merged_by or user) if merged else None,
                merge_commit_sha=(merge_commit_sha or base_sha) if merged else merge_commit_sha,
                pinned=head_sha is not None or not own,
            )  # fmt: skip
            self.pulls[number] = pull
            self._mark_head(pull)
            return number

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

    def pull_commits(self, pull: Pull) -> list[str]:
        """The hashes of a pull request's own commits; none when the repository no longer holds them."""
        try:
            return [c.sha for c in self.git.log(pull.head_sha, f"^{pull.base_sha}")]
        except GitError:
            return []


class ReleaseState(Ground):
    """The part of the state with the releases."""

    def add_release(
        self,
        tag: str,
        *,
        name: str | None = None,
        body: str | None = "notes",
        draft: bool = False,
        prerelease: bool = False,
        immutable: bool = False,
        target: str = "",
        created_at: When = None,
        published_at: When = None,
        author: str | None = "octo-dev",
        make_latest: str = "legacy",
        assets: Mapping[str, bytes] | None = None,
    ) -> int:
        """Add a GitHub Release without touching the tag; returns its id.

        ``name`` defaults to the tag and ``target`` to the default branch. ``created_at`` defaults to the date of the
        commit, as on GitHub; ``published_at`` to now. ``author`` None is a deleted account. ``make_latest`` is
        GitHub's parameter: ``true`` marks the release, ``legacy`` leaves it to date and version, ``false`` excludes it.
        """
        with self.lock:
            target = target or self.default_branch
            commit = self.git.resolve(f"tags/{tag}") or self.git.resolve(target)
            made = self.git.commit(commit).committer.date if commit else moment(self.now())
            files = [Asset(next(self._ids), file, data) for file, data in (assets or {}).items()]
            made = moment(created_at or made)
            published = None if draft else moment(published_at or self.now())
            release = Release(
                id=next(self._ids), tag=tag, name=tag if name is None else name, body=body, draft=draft,
                prerelease=prerelease, immutable=immutable, target=target, author=author, created_at=made,
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
