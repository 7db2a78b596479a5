"""Which workflows of a commit a push starts, its message and those of its ancestors, and what a push changed.

Asks GitHub's API nothing: the history of the base branch is fetched anyway.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from release_state.facts.workflow.document import LARGEST, NotReadable
from release_state.facts.workflow.model import FOLDER
from release_state.facts.workflow.triggers import PushTrigger, read_events, read_push_trigger
from release_state.observe.git.commits import BranchHistory, CommitSet
from release_state.observe.git.messages import readable
from release_state.observe.git.store import OBJECT_NAME, Store, WantedCommit
from release_state.observe.git.tree_files import files_of_folder, has_file, read_file

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
    """Reads the workflows and changes of the commits of a branch."""

    def __init__(self, history: BranchHistory) -> None:
        self._history = history

    def workflows(self, depth: int) -> CommitWorkflows:
        """The workflows of the head, and `depth` ancestors. Raises GitFailed."""
        head = self._history.head
        return self._history.read(lambda store, _: replace(_workflows(store, head), chain=_chain(store, head, depth)))

    def changed(self, before: str, after: str) -> tuple[str, ...] | None:
        """
        The paths that differ between two commits, of which the later is on the branch; None if one cannot be had.

        What was renamed counts by both of its names. Raises GitFailed.
        """
        if not all(OBJECT_NAME.fullmatch(sha) and sha.strip("0") for sha in (before, after)):
            return None

        def look(store: Store, found: CommitSet) -> tuple[str, ...] | None:
            if not found.present.issuperset((before, after)):
                return None
            options = ("-r", "-z", "--name-only", "--no-renames", "--no-ext-diff")
            listed = store.run("diff-tree", *options, before, after, "--").output
            return tuple(readable(path) for path in listed.split(b"\0") if path)

        return self._history.read(look, [WantedCommit(before), WantedCommit(after)])

    def has_workflow(self, sha: str, name: str) -> bool:
        """Whether an ancestor of the head has the workflow file. Raises GitFailed."""
        return self._history.read(lambda store, _: has_file(store, sha, f"{FOLDER}/{name}"))


def _workflows(store: Store, commit: str) -> CommitWorkflows:
    entries = {path: found for path, found in files_of_folder(store, commit, FOLDER).items() if path.endswith(_ENDINGS)}
    triggers: dict[str, PushTrigger] = {}
    testing: list[str] = []
    unread: dict[str, str] = {}
    for path in entries:
        name = path.rpartition("/")[2]
        data = read_file(store, commit, path, LARGEST + 1, entries)
        try:
            events = read_events((data or b"").decode("utf-8-sig"))
        except UnicodeDecodeError:
            unread[name] = "no UTF-8"
        except NotReadable as problem:
            unread[name] = str(problem)
        else:
            if trigger := read_push_trigger(events):
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
