"""The release workflow's file and the local files that it uses, read from the tree of one commit; none is run."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from release_state.common.text import sanitize
from release_state.facts.workflow.document import LARGEST, NotReadable
from release_state.facts.workflow.model import FOLDER, find_called_path, list_action_paths, parse_workflow
from release_state.model.observation import Observation, known
from release_state.model.snapshot import WorkflowFile, WorkflowFiles
from release_state.observe.git.commits import BranchHistory
from release_state.observe.git.messages import GitFailed
from release_state.observe.git.store import Store
from release_state.observe.git.tree_files import obtain_files, read_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SOURCE = "release workflow"
MOST_FILES = 30
"""Files that are read; a release that needs more is not looked at further."""
_PYPROJECT = "pyproject.toml"


def observe_workflow_files(history: BranchHistory, workflow: str) -> Observation[WorkflowFiles]:
    """
    Read the workflow file of this name at the head of the branch.

    With it the local reusable workflows and actions that it uses, and theirs. Known also where the tree has no such
    file. Asks GitHub's API nothing: the commit is fetched for its history anyway.
    """
    try:
        head = history.head
        return known(history.read(lambda store, _: _read(store, head, f"{FOLDER}/{workflow}")))
    except GitFailed as failed:
        return Observation[WorkflowFiles](value=None, unavailable=failed.as_problem(SOURCE))


def _read(store: Store, commit: str, path: str) -> WorkflowFiles:
    found: dict[str, str] = {}
    unread: list[str] = []
    names, seen = [path], {path}
    while names:
        entries = obtain_files(store, commit, [*names, _PYPROJECT])
        used: dict[str, None] = {}
        for name in names:
            data = read_file(store, commit, name, LARGEST + 1, entries)
            text = _text(data) if data is not None else None
            if text is not None and len(found) < MOST_FILES:
                found[name] = text
                used |= dict.fromkeys(_used(text))
            elif data is not None:
                unread.append(name)
        # Twice as many: of an action's file there are two spellings.
        names = [name for name in used if name not in seen][: 2 * MOST_FILES]
        seen.update(names)
    requires, unread_requires = build_requires(read_file(store, commit, _PYPROJECT, LARGEST + 1))
    return WorkflowFiles(
        commit=commit,
        path=path,
        files=tuple(WorkflowFile(path=name, text=text) for name, text in found.items()),
        unread=tuple(unread),
        build_requires=requires,
        build_unread=unread_requires,
    )


def _used(text: str) -> Sequence[str]:
    """Paths of the local workflows and actions that a file uses; none where it cannot be read."""
    try:
        workflow = parse_workflow(text)
    except NotReadable:
        return ()
    steps = (*workflow.steps, *(step for job in workflow.jobs for step in job.steps))
    called = (find_called_path(job.uses) for job in workflow.jobs)
    actions = (path for step in steps for path in list_action_paths(step.uses))
    return [path for path in dict.fromkeys((*called, *actions)) if path]


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8-sig") if len(data) <= LARGEST else None
    except UnicodeDecodeError:
        return None


def build_requires(data: bytes | None) -> tuple[tuple[str, ...], str]:
    """The names of the packages that build a project by its pyproject.toml (None: it has none), and what is unread."""
    if data is None:
        return (), ""
    if (text := _text(data)) is None:
        return (), f"{_PYPROJECT} is too large, or no UTF-8"
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError):  # ValueError: no TOML, and a number of thousands of digits
        return (), f"{_PYPROJECT} is no TOML that can be read"
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
