"""The settings of the repository, and what every other part of the state needs."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

from release_state.demo.github.gitstore import GitStore
from release_state.demo.github.model import CheckRun, Json, Pull, Release, Run, Status, Workflow, utcnow


class Ground:
    """What every part of the state has.

    Branches, tags, commits and contents are not here: they are read from the bare repository at each request.

    Attributes:
        private: whether the repository is hidden from callers without a right to it.
        archived: whether the repository is read-only.
        renamed_from: older ``owner/name`` of the repository, answered with a redirect.
        protection: classic branch protection by branch name, as the API shows it (``url`` may be left out).
        rules: ruleset rules by branch pattern (shell wildcards), as ``/rules/branches/{branch}`` shows them.
        rulesets: rulesets as ``/rulesets`` shows them; ids and links may be left out.
        workflow_permissions: the answer of ``/actions/permissions/workflow``.
        fork_of: the repository that this one is a fork of, None for none.
        delete_branch_on_merge: whether a merge through the API deletes the head branch.
        on_dispatch: called with the workflow's file name, the ref and the inputs of a dispatch.

    """

    def __init__(
        self,
        git_dir: Path,
        repository: str = "example-org/orbit",
        default_branch: str = "main",
        private: bool = False,
        now: Callable[[], datetime] = utcnow,
    ) -> None:
        self.git = GitStore(git_dir)
        self.repository = repository
        self.default_branch = default_branch
        self.private = private
        self.archived = False
        self.now = now
        self.lock = threading.RLock()
        # Stable for a name, so that reports can be compared; a test of a rename may set its own.
        self.repository_id = 500_000_000 + zlib.crc32(repository.encode()) % 400_000_000
        self.renamed_from: set[str] = set()
        self.pulls: dict[int, Pull] = {}
        self.releases: dict[int, Release] = {}
        self.latest_release: int | None = None
        self.check_runs: list[CheckRun] = []
        self.statuses: list[Status] = []
        self.workflows: dict[int, Workflow] = {}
        self.workflow_runs: dict[int, Run] = {}
        self.protection: dict[str, Json] = {}
        self.rules: dict[str, list[Json]] = {}
        self.rulesets: list[Json] = []
        self.workflow_permissions: Json = {
            "default_workflow_permissions": "read",
            "can_approve_pull_request_reviews": False,
        }
        self.fork_of: str | None = None
        self.delete_branch_on_merge = False
        self.on_dispatch: Callable[[str, str, Json], None] | None = None
        self._numbers: Iterator[int] = count(1)
        self._ids: Iterator[int] = count(10_001)

    @property
    def owner(self) -> str:
        """The account before the slash."""
        return self.repository.split("/")[0]

    def branch_sha(self, branch: str) -> str | None:
        """The commit of a branch, or None."""
        ref = self.git.ref(f"refs/heads/{branch}")
        return None if ref is None else ref.commit
