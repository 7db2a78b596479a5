"""Which workflows of a commit a push starts, its message and those of its ancestors, and what a push changed.

Asks GitHub's API nothing: the history of the base branch is fetched anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TypeVar

from release_state.facts.workflow.document import LARGEST, NotReadable
from release_state.facts.workflow.model import FOLDER
from release_state.facts.workflow.triggers import PushTrigger, events_of, push_trigger
from release_state.model.snapshot import Clone, Remote
from release_state.observe.git.command import Git
from release_state.observe.git.history import Stores, WantedCommit, _obtain, _Place, _wants
from release_state.observe.git.messages import GitFailed, readable
from release_state.observe.git.store import OBJECT_NAME, Store, Want
from release_state.observe.git.tree_files import files_of_folder, has_file, read_file

T = TypeVar("T")

MOST_CHANGED = 300
"""GitHub's filters look at no more changed files; what they find in a longer list is not known."""
_MOST_MESSAGES = 2**20
_ENDINGS = (".yml", ".yaml")
_OF_CODE = ("push", "pull_request", "merge_group")


@dataclass(frozen=True)
class CommitWorkflows:
    """What the repository says of a commit and its ancestors."""

    triggers: dict[str, PushTrigger] = field(default_factory=dict)
    """By file name, those of workflows that a push may start."""
    testing: tuple[str, ...] = ()
    """The files of those that pushes or pull requests start."""
    unread: dict[str, str] = field(default_factory=dict)
    """Workflow files that cannot be read, by file name: why."""
    chain: tuple[tuple[str, str], ...] = ()
    """The commit and its ancestors by first parents, nearest first, with their messages."""

    @property
    def message(self) -> str:
        """The commit's own."""
        return self.chain[0][1] if self.chain else ""

    @property
    def ancestors(self) -> tuple[tuple[str, str], ...]:
        """Those of the chain, nearest first."""
        return self.chain[1:]


class CommitReader:
    """Reads the head of the base branch; `timeout` says how many seconds there are, each time that it is asked."""

    def __init__(
        self,
        remote: Remote,
        base_branch: str,
        *,
        clone: Clone | None = None,
        clone_path: Path | None = None,
        remote_url: str | None = None,
        timeout: Callable[[], float],
        cache_dir: Path | None = None,
        cancel: Event | None = None,
        shared: Stores | None = None,
    ) -> None:
        self._remote, self._base, self._clone, self._clone_path = remote, base_branch, clone, clone_path
        self._url, self._timeout, self._cache_dir = remote_url or remote.url, timeout, cache_dir
        self._cancel, self._shared = cancel, shared

    def workflows(self, depth: int) -> CommitWorkflows:
        """The workflows of the head, and `depth` ancestors. Raises GitFailed."""
        head = self._head()

        def look(store: Store) -> CommitWorkflows:
            _obtain(store, _wants([WantedCommit(head, f"refs/heads/{self._base}")]), head)
            return replace(_workflows(store, head), chain=_chain(store, head, depth))

        return self._look(head, look)

    def changed(self, before: str, after: str) -> tuple[str, ...] | None:
        """The paths that differ between two commits, of which the later is on the branch; None where one cannot be had.

        What was renamed counts by both of its names. Raises GitFailed.
        """
        head = self._head()
        if not all(OBJECT_NAME.fullmatch(sha) and sha.strip("0") for sha in (before, after)):
            return None

        def look(store: Store) -> tuple[str, ...] | None:
            wants = [*_wants([WantedCommit(head, f"refs/heads/{self._base}")]), Want(before), Want(after)]
            present, _ = _obtain(store, wants, head)
            if not present.issuperset((before, after)):
                return None
            options = ("-r", "-z", "--name-only", "--no-renames", "--no-ext-diff")
            listed = store.run("diff-tree", *options, before, after, "--").output
            return tuple(readable(path) for path in listed.split(b"\0") if path)

        return self._look(head, look)

    def has_workflow(self, sha: str, name: str) -> bool:
        """Whether an ancestor of the head has the workflow file. Raises GitFailed."""
        head = self._head()

        def look(store: Store) -> bool:
            _obtain(store, _wants([WantedCommit(head, f"refs/heads/{self._base}")]), head)
            return has_file(store, sha, f"{FOLDER}/{name}")

        return self._look(head, look)

    def _head(self) -> str:
        base = self._remote.branch(self._base)
        if base is None:
            raise GitFailed(f"the remote has no branch {self._base}")
        return base.sha

    def _look(self, head: str, look: Callable[[Store], T]) -> T:
        remote = self._remote
        place = _Place(Git(self._timeout(), self._cancel), self._url, self._cache_dir, len(head) == 64, self._shared)
        related = [head, *(ref.sha for ref in remote.branches), *(tag.commit for tag in remote.tags)]
        return place.with_store(look, self._clone, self._clone_path, related, [head])


def _workflows(store: Store, commit: str) -> CommitWorkflows:
    entries = {path: found for path, found in files_of_folder(store, commit, FOLDER).items() if path.endswith(_ENDINGS)}
    triggers: dict[str, PushTrigger] = {}
    testing: list[str] = []
    unread: dict[str, str] = {}
    for path in entries:
        name = path.rpartition("/")[2]
        data = read_file(store, commit, path, LARGEST + 1, entries)
        try:
            events = events_of((data or b"").decode("utf-8-sig"))
        except UnicodeDecodeError:
            unread[name] = "no UTF-8"
        except NotReadable as problem:
            unread[name] = str(problem)
        else:
            if trigger := push_trigger(events):
                triggers[name] = trigger
            if not events.keys().isdisjoint(_OF_CODE):
                testing.append(name)
    return CommitWorkflows(triggers, tuple(testing), unread)


def _chain(store: Store, head: str, depth: int) -> tuple[tuple[str, str], ...]:
    options = ("--first-parent", f"--max-count={depth + 1}", "-z", "--no-show-signature", "--no-color")
    log = store.run("log", *options, "--encoding=UTF-8", "--format=%H%n%B", head, "--", first=_MOST_MESSAGES).output
    # What was cut off has no message that could be believed.
    whole = log.split(b"\0") if len(log) < _MOST_MESSAGES else log.split(b"\0")[:-1]
    read = (readable(entry).partition("\n") for entry in whole if entry)
    return tuple((sha, message) for sha, _, message in read)
