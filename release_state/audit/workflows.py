"""The second look of an audit, which only some histories need: at workflow files, and at runs of those that publish.

The files say whether a project without a GitHub Release makes any. The runs say whether a release of the newest version
is in progress, if it is incomplete.
"""

from __future__ import annotations

import threading
from functools import partial

from msgspec import structs

from release_state.audit.audit import Audit
from release_state.audit.versions import AuditSnapshot
from release_state.facts.process import add_workflows, makes_releases, require_workflows
from release_state.facts.publishers import is_release_run, list_run_filters
from release_state.model.observation import NotObserved, Observation, known
from release_state.model.snapshot import WorkflowFiles, WorkflowRuns
from release_state.model.target import Target
from release_state.observe.defects import Defects, guard
from release_state.observe.git.access import TokenAccess
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.git.workflow_files import observe_workflow_files
from release_state.observe.github.github import GitHub
from release_state.observe.http.limits import Stage, TimeLeft
from release_state.settings.config import RunConfig


def observe_workflows(
    history: AuditSnapshot,
    config: RunConfig,
    github: GitHub,
    time: TimeLeft,
    cancel: threading.Event,
    defects: Defects | None = None,
    access: TokenAccess | None = None,
) -> AuditSnapshot:
    """Return the history with what workflow files and runs tell; as it is if nothing depends on them."""
    audit = Audit(history)
    target, pending, remote = audit.target, audit.pending, history.remote.value
    if remote is None or (pending is None and not audit.lacks_releases):
        return history
    files: Observation[WorkflowFiles] = Observation(value=None, unavailable=None)
    if audit.lacks_releases or "workflow" not in target.given:
        read = partial(_read_files, history, config, time, cancel, access)
        files = guard("workflow_files", read, time, Stage.LAST, defects)()
    if files.value:
        target = add_workflows(target, files.value)
    found = structs.replace(history, target=target)
    if audit.lacks_releases:
        found = structs.replace(found, makes_releases=_find_maker(target, files))
    if pending is None:
        return found
    about = structs.replace(target, version=str(pending))
    ask = partial(_ask_runs, github, about, history, files)
    return structs.replace(found, runs=guard("runs", ask, time, Stage.LAST, defects)())


def _read_files(
    history: AuditSnapshot,
    config: RunConfig,
    time: TimeLeft,
    cancel: threading.Event,
    access: TokenAccess | None,
) -> Observation[WorkflowFiles]:
    remote = history.remote.present()
    stores = Stores(config.remote_url, lambda: time.left, cancel=cancel, access=access)
    try:
        base = history.target.base_branch or remote.default_branch or ""
        return observe_workflow_files(BranchHistory(stores, remote, base))
    finally:
        stores.close()


def _find_maker(target: Target, files: Observation[WorkflowFiles]) -> Observation[bool]:
    try:
        return known(makes_releases(target, files.known()))
    except NotObserved as missing:
        return Observation(value=None, unavailable=missing.problem)


def _ask_runs(
    github: GitHub, target: Target, history: AuditSnapshot, files: Observation[WorkflowFiles]
) -> Observation[WorkflowRuns]:
    """The unfinished and finished release runs; unknown if it is not known which workflow publishes."""
    remote = history.remote.present()
    try:
        require_workflows(target, files)
    except NotObserved as missing:
        return Observation(value=None, unavailable=missing.problem)
    base = target.base_branch or remote.default_branch or ""
    asked = github.runs_of({name: list_run_filters(target, name, base) for name in target.workflows})
    if asked.value is None:
        return asked
    runs = tuple(run for run in asked.value.runs if is_release_run(run, target, remote))
    return known(structs.replace(asked.value, runs=runs))
