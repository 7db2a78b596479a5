"""What was pushed to the branches, and when: GitHub's log of activities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from release_state.demo.github.gitstore import GitError
from release_state.demo.github.model import When, moment
from release_state.demo.github.state_base import Ground

NOTHING = "0" * 40


@dataclass(frozen=True)
class Activity:
    """One push to a branch; ``before`` is all zeros where it made the branch."""

    ref: str
    before: str
    after: str
    at: datetime
    actor: str
    kind: str


class PushState(Ground):
    """The part of the state with the pushes. What nobody recorded was pushed as it was committed, one by one.

    Attributes:
        pushes: what was recorded, by ref and commit.

    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.pushes: dict[tuple[str, str], Activity] = {}

    def add_push(
        self,
        branch: str | None = None,
        *,
        before: str | None = None,
        after: str | None = None,
        at: When = None,
        actor: str = "octo-dev",
        kind: str = "push",
    ) -> None:
        """Say how a commit of a branch was pushed.

        Args:
            branch: the branch; the default branch by default.
            before: what the branch held; the commit's first parent by default.
            after: the commit; the branch's present one by default.
            at: when; now by default.
            actor: who pushed it; ``github-actions[bot]`` is the token of a workflow's run.
            kind: ``push``, ``force_push``, ``pr_merge``, ``merge_queue_merge`` or ``branch_creation``.

        """
        with self.lock:
            name = branch or self.default_branch
            commit = after or self.branch_sha(name)
            if commit is None:
                raise ValueError(f"no branch {name} in the repository")
            ref = f"refs/heads/{name}"
            start = before or (*self.git.commit(commit).parents, NOTHING)[0]
            self.pushes[ref, commit] = Activity(ref, start, commit, moment(at or self.now()), actor, kind)

    def activities(self, ref: str) -> Iterator[Activity]:
        """The pushes to a branch, the newest first."""
        merged = {pull.merge_commit_sha for pull in self.pulls.values()}
        found = self.git.ref(ref)
        sha = found.commit if found else NOTHING
        listed = {commit.sha: commit for commit in self.git.log(sha)} if found else {}
        while sha != NOTHING:
            try:
                commit = listed.get(sha) or self.git.commit(sha)
            except GitError:
                return  # pushed away by force: the repository no longer has it
            before = (*commit.parents, NOTHING)[0]
            usual = "pr_merge" if sha in merged else "push" if before != NOTHING else "branch_creation"
            kept = self.pushes.get((ref, sha))
            push = kept or Activity(ref, before, sha, commit.committer.date, "octo-dev", usual)
            yield push
            sha = push.before
