"""Workflow files in the trees of commits: the release workflow with what it uses, and those that a push starts.

None is run. GitHub's API is not asked: the history of the base branch is fetched anyway.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field, structs
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from release_state.common.strict import OBJECT_NAME, decode_toml
from release_state.common.text import sanitize
from release_state.facts.workflow.document import FOLDER, LARGEST, NotReadable, find_called_path, list_action_paths
from release_state.facts.workflow.parsing import parse_workflow
from release_state.facts.workflow.triggers import PushTrigger, read_events, read_push_trigger
from release_state.model.observation import Observation
from release_state.model.snapshot import WorkflowFile, WorkflowFiles
from release_state.observe.git.command import decode_output, observe_git
from release_state.observe.git.commits import BranchHistory, CommitSet
from release_state.observe.git.store import Store, WantedCommit
from release_state.observe.git.tree_files import decode_text, has_file, obtain_files, read_file

SOURCE = "release workflow"
MOST_FILES = 100
"""Files that are read; more stay unread."""
MOST_CHARACTERS = 6 * 2**20
"""Of all files together: reading YAML takes a second for half a MiB, in the worst case ten."""
_PYPROJECT = "pyproject.toml"
MOST_CHANGED = 300
"""GitHub's filters look at no more changed files: their result for a longer list is unknown."""
_MOST_MESSAGES = 2**20
_ENDINGS = (".yml", ".yaml")
_OF_CODE = ("push", "pull_request", "merge_group")


def observe_workflow_files(history: BranchHistory, tagged: BranchHistory | None = None) -> Observation[WorkflowFiles]:
    """Read every workflow file at the branch's head, and the local actions that they use. Known also if none exists.

    `tagged` is at the commit of the version's tag, if that is another one.
    """

    def look(at: BranchHistory) -> WorkflowFiles:
        return at.read_tree(lambda store: read_workflow_files(store, at.head, at.branch))

    def read() -> WorkflowFiles:
        files, at_tag = look(history), look(tagged) if tagged else None
        if at_tag is None or (at_tag.files, at_tag.unread) == (files.files, files.unread):
            return files
        unread = tuple(dict.fromkeys((*files.unread, *at_tag.unread)))
        return structs.replace(files, at_tag=at_tag.files, unread=unread)

    return observe_git(SOURCE, read)


def read_workflow_files(store: Store, commit: str, branch: str) -> WorkflowFiles:
    """Return the workflow files of a commit, with what builds the project; `branch` names its branch."""
    found: dict[str, str] = {}
    size, unread = 0, list[str]()
    entries = obtain_files(store, commit, [f"{FOLDER}/"])
    names = [path for path in entries if path.endswith(_ENDINGS)]
    seen = set(names)
    while names:
        used: dict[str, None] = {}
        for name in names:
            data = read_file(store, commit, name, LARGEST + 1, entries)
            text = decode_text(data, LARGEST) if data is not None else None
            if text is not None and len(found) < MOST_FILES and size + len(text) <= MOST_CHARACTERS:
                found[name] = text
                size += len(text)
                used |= dict.fromkeys(_list_used_paths(text))
            elif data is not None:
                unread.append(name)
        # Twice as many: an action's file has two spellings.
        names = [name for name in used if name not in seen][: 2 * MOST_FILES]
        seen.update(names)
        entries = obtain_files(store, commit, names) if names else {}
    obtain_files(store, commit, [_PYPROJECT])
    requires, unread_requires = read_build_requirements(read_file(store, commit, _PYPROJECT, LARGEST + 1))
    return WorkflowFiles(
        commit=commit,
        branch=branch,
        files=tuple(WorkflowFile(path=name, text=text) for name, text in found.items()),
        unread=tuple(unread),
        build_requires=requires,
        build_unread=unread_requires,
    )


def _list_used_paths(text: str) -> Sequence[str]:
    try:
        workflow = parse_workflow(text)
    except NotReadable:
        return ()
    steps = (*workflow.steps, *(step for job in workflow.jobs for step in job.steps))
    called = (find_called_path(job.uses) for job in workflow.jobs)
    actions = (path for step in steps for path in list_action_paths(step.uses))
    return [path for path in dict.fromkeys((*called, *actions)) if path]


def read_build_requirements(data: bytes | None) -> tuple[tuple[str, ...], str]:
    """The names of the packages that build a project, and what its pyproject.toml (None: missing) leaves unread."""
    if data is None:
        return (), ""
    if (text := decode_text(data, LARGEST)) is None:
        return (), f"{_PYPROJECT} is too large or not UTF-8"
    try:
        document = decode_toml(text)
    except ValueError:
        return (), f"{_PYPROJECT} is not valid TOML"
    system = document.get("build-system", {})
    listed = system.get("requires", []) if isinstance(system, dict) else None
    if not isinstance(listed, list):
        return (), f"[build-system] of {_PYPROJECT} has no list of requirements"
    names, unread = [], ""
    for item in listed:
        try:
            names.append(canonicalize_name(Requirement(str(item)).name))
        except InvalidRequirement:
            unread = f"a build requirement of {_PYPROJECT} cannot be read: {sanitize(str(item), 100)}"
    return tuple(names), unread


class CommitWorkflows(Struct, frozen=True):
    """The workflows of a commit, and its message with those of its ancestors."""

    triggers: dict[str, PushTrigger] = field(default_factory=dict)
    """The triggers of workflows that a push may start, by file name."""
    testing: tuple[str, ...] = ()
    """The files of workflows that pushes or pull requests start."""
    unread: dict[str, str] = field(default_factory=dict)
    """Why a workflow file cannot be read, by file name."""
    chain: tuple[tuple[str, str], ...] = ()
    """The commit and its ancestors by first parents, nearest first, with their messages."""
    texts: dict[str, str] = field(default_factory=dict)
    """The workflow files that can be read, by path."""

    @property
    def message(self) -> str:
        """The message of the commit itself."""
        return self.chain[0][1] if self.chain else ""

    @property
    def ancestors(self) -> tuple[tuple[str, str], ...]:
        """The ancestors with their messages, nearest first."""
        return self.chain[1:]


class CommitReader(Struct, frozen=True):
    """Reads the workflows and changes of the commits of a branch."""

    history: BranchHistory

    def workflows(self, depth: int) -> CommitWorkflows:
        """Return the workflows of the head, and the messages of `depth` ancestors. Raises GitFailed."""
        head = self.history.head
        return self.history.read(lambda store, _: _read_workflows(store, head, _read_chain(store, head, depth)))

    def changed(self, before: str, after: str) -> tuple[str, ...] | None:
        """Return the paths that differ between two commits; None if one cannot be had. Raises GitFailed."""
        if not all(OBJECT_NAME.fullmatch(sha) and sha.strip("0") for sha in (before, after)):
            return None

        def look(store: Store, found: CommitSet) -> tuple[str, ...] | None:
            if not found.present.issuperset((before, after)):
                return None
            options = ("-r", "-z", "--name-only", "--no-renames", "--no-ext-diff")
            listed = store.run("diff-tree", *options, before, after, "--").output
            return tuple(decode_output(path) for path in listed.split(b"\0") if path)

        return self.history.read(look, [WantedCommit(before), WantedCommit(after)])

    def has_workflow(self, sha: str, name: str) -> bool:
        """Return whether an ancestor of the head has the workflow file. Raises GitFailed."""
        return self.history.read(lambda store, _: has_file(store, sha, f"{FOLDER}/{name}"))


def _read_workflows(store: Store, commit: str, chain: tuple[tuple[str, str], ...]) -> CommitWorkflows:
    listed = obtain_files(store, commit, [f"{FOLDER}/"])
    entries = {path: entry for path, entry in listed.items() if path.endswith(_ENDINGS)}
    triggers: dict[str, PushTrigger] = {}
    testing: list[str] = []
    unread: dict[str, str] = {}
    texts: dict[str, str] = {}
    for path in entries:
        name = path.rpartition("/")[2]
        data = read_file(store, commit, path, LARGEST + 1, entries)
        try:
            text = (data or b"").decode("utf-8-sig")
            events = read_events(text)
        except UnicodeDecodeError:
            unread[name] = "not UTF-8"
        except NotReadable as problem:
            unread[name] = str(problem)
        else:
            texts[path] = text
            if trigger := read_push_trigger(events):
                triggers[name] = trigger
            if not events.keys().isdisjoint(_OF_CODE):
                testing.append(name)
    return CommitWorkflows(triggers, tuple(testing), unread, chain, texts)


def _read_chain(store: Store, head: str, depth: int) -> tuple[tuple[str, str], ...]:
    options = ("--first-parent", f"--max-count={depth + 1}", "-z", "--no-show-signature", "--no-color")
    log = store.run("log", *options, "--encoding=UTF-8", "--format=%H%n%B", head, "--", first=_MOST_MESSAGES).output
    # The last entry may be cut off: its message cannot be trusted.
    whole = log.split(b"\0") if len(log) < _MOST_MESSAGES else log.split(b"\0")[:-1]
    read = (decode_output(entry).partition("\n") for entry in whole if entry)
    return tuple((sha, message) for sha, _, message in read)
