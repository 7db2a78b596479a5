"""Pull requests, and how GitHub keeps them in step with their branches."""

from __future__ import annotations

from release_state.demo.github.gitstore import GitError
from release_state.demo.github.model import Pull, When, moment
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
