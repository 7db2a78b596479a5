"""Observe a project's whole history once, all sources in parallel; the number of versions does not matter.

| look-up | requests |
|---|---|
| `remote` | one `git ls-remote`, for all channels |
| `clone_tags` | the tags of the clone, if there is one |
| `index` | one page of the Simple API for each channel; the JSON API too, for a tag newer than all its versions |
| `repository`, `latest_release` | one request each |
| `releases`, `drafts` | one request for each 100 GitHub Releases, drafts among them |
| `open_pulls` | one request for each 100 open pull requests |

Traces that a channel does not leave are not looked up. Only some histories need a second look, at workflow files, and
at runs of those that publish. The files say whether a project without a GitHub Release makes any. The runs say whether
a release of the newest version is in progress, if it is incomplete.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from release_state.audit.audit import Audit
from release_state.audit.versions import AuditSnapshot, find_spellings, resolve
from release_state.facts.process import add_workflows, makes_releases, require_workflows
from release_state.facts.publishers import is_release_run, list_run_filters
from release_state.model.observation import NotObserved, Observation, known
from release_state.model.snapshot import WorkflowFiles, WorkflowRuns
from release_state.model.target import Target, read_version
from release_state.observe.defects import Defects, guard
from release_state.observe.git.access import TokenAccess
from release_state.observe.git.clone import observe_clone_tags
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.git.remote import observe_remote
from release_state.observe.git.workflow_files import observe_workflow_files
from release_state.observe.github.github import GitHub
from release_state.observe.http.cache import ResponseCache
from release_state.observe.http.client import HttpClient
from release_state.observe.http.limits import SharedLimit, Stage, TimeLeft
from release_state.observe.index.access import Index
from release_state.observe.index.index import observe_index_history
from release_state.settings.config import RunConfig


def make_client(
    config: RunConfig, token: str | None, cancel: threading.Event, limit: SharedLimit | None = None
) -> HttpClient:
    """The client of one audit; `limit` is what other runs beside this one were told."""
    return HttpClient(
        config.lookup_timeout,
        token=token,
        token_host=config.targets[0].github_api,
        cancel=cancel,
        shared_limit=limit,
        cache=ResponseCache() if config.keep_answers else None,
    )


def collect_history(
    config: RunConfig,
    *,
    client: HttpClient,
    token_source: str | None,
    own_run_id: int | None,
    cancel: threading.Event,
    defects: Defects | None = None,
    access: TokenAccess | None = None,
) -> list[AuditSnapshot]:
    """Observe every channel of the configuration. A failed look-up is recorded as unavailable.

    `client` serves this observation alone, so that its requests share the time limit of all look-ups. `defects` takes
    the bugs within look-ups; without it, they raise.
    """
    target = config.targets[0]
    github = GitHub(client, target.github_api, target.repository, own_run_id=own_run_id)
    time = client.time_left = TimeLeft(config.lookup_timeout)
    asks: dict[object, Callable[[], Observation[Any]]] = {}
    for each in config.targets:
        asks["remote"] = lambda: observe_remote(config.remote_url, time.left, cancel=cancel, access=access)
        channel = config.channels[each.channel.name]
        asks["index", channel.name] = functools.partial(observe_index_history, client, channel, each.package)
        asks["clone_tags"] = functools.partial(_clone_tags, each, time, cancel)
        if "release" in each.channel.leaves:
            asks["releases"], asks["drafts"] = github.releases, github.drafts
            asks["latest_release"] = github.latest_release
        asks["open_pulls"] = functools.partial(github.open_release_pulls, each.parse_release_branch)
        asks["repository"] = github.repository
    started = datetime.now(timezone.utc)
    with ThreadPoolExecutor(max_workers=len(asks), thread_name_prefix="release-state-look-up") as pool:
        asked: dict[object, Future[Observation[Any]]] = {
            key: pool.submit(guard(str(key[0] if isinstance(key, tuple) else key), ask, time, Stage.SECOND, defects))
            for key, ask in asks.items()
        }
        found = {key: future.result() for key, future in asked.items()}
    shared: dict[str, Any] = {str(key): value for key, value in found.items() if not isinstance(key, tuple)}
    without_releases = {key: shared[key] for key in shared if key not in ("releases", "drafts", "latest_release")}
    histories = [
        AuditSnapshot(
            observed_at=started,
            target=each,
            selection=config.audit or "all",
            waivers=tuple(waiver for waiver in config.waivers if waiver.channel == each.channel.name),
            token_source=token_source,
            index=found["index", each.channel.name],
            **(shared if "release" in each.channel.leaves else without_releases),
        )
        for each in config.targets
    ]
    caught_up = (_caught_up(history, client, config, defects) for history in histories)
    return [observe_workflows(history, config, github, time, cancel, defects, access) for history in caught_up]


def _caught_up(history: AuditSnapshot, client: HttpClient, config: RunConfig, defects: Defects | None) -> AuditSnapshot:
    """Ask the index's JSON API for the newest tag if the Simple API lists no version as new: it can lag by minutes."""
    index, target = history.index.value, resolve(history).target
    if index is None or not index.versions or "tag" not in target.channel.leaves:
        return history
    own = find_spellings(resolve(history)).own
    spelt = (target.parse_tag_spelling(tag.name) for tag in (history.remote.value.tags if history.remote.value else ()))
    newest = max((found[1] for found in spelt if found and found[0] in own), default=None)
    if newest is None or newest <= read_version(index.versions[-1].version):
        return history
    asked = Index(client, config.channels[target.channel.name], client.deadline())
    time = TimeLeft(config.lookup_timeout)
    coming = guard("index", lambda: known(asked.files_by_json(target.package, newest)), time, None, defects)().value
    return structs.replace(history, catching_up=(str(newest),)) if coming else history


def _clone_tags(target: Target, time: TimeLeft, cancel: threading.Event) -> Observation[Any]:
    if target.clone is None:
        return Observation(value=None, unavailable=None)
    return observe_clone_tags(Path(target.clone), time.left, cancel=cancel)


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
    history: AuditSnapshot, config: RunConfig, time: TimeLeft, cancel: threading.Event, access: TokenAccess | None
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
