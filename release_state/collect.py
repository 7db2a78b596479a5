"""Observe every target of a run once: all sources side by side, each look-up within its time limit.

Order is only kept where one answer is needed to ask the next: the base head before its CI, the pull requests before the
commits they recorded, the files before their installation. What two targets share is asked once.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from release_state.config import RunConfig
from release_state.diagnosis import phase_of
from release_state.model import NotObserved, Observation, known, unavailable
from release_state.observe.clone import observe_clone
from release_state.observe.github import GitHub
from release_state.observe.history import WantedCommit, observe_history, relate_clone
from release_state.observe.http import HttpClient
from release_state.observe.index import observe_index
from release_state.observe.install import observe_installation
from release_state.observe.published import observe_published
from release_state.observe.remote import observe_remote
from release_state.observe.run_log import RunLogs, Success
from release_state.outcome import Phase
from release_state.release import Release
from release_state.snapshot import LOOKUPS, Clone, ExplainedRun, PullRequest, Remote, Snapshot
from release_state.target import Target

T = TypeVar("T")

#: What a look-up needs besides itself.
_BEHIND = {
    "history": {"remote", "clone", "pulls"},
    "ci": {"remote", "runs"},
    "drafts": {"repository"},
    "installation": {"index"},
    "published": {"index", "remote", "clone", "pulls"},
    "open_pulls": {"repository"},
    "pulls": {"repository"},
    "release": {"repository"},
    "latest_release": {"repository"},
    "runs": {"repository"},
    "last_run": {"runs"},
}


def lookups_of_phase() -> frozenset[str]:
    """The look-ups that the phase is taken from."""
    return frozenset({"remote", "index", "pulls", "release", "drafts"})


def collect(
    config: RunConfig,
    wanted: frozenset[str] | None,
    *,
    fixed_phase: Phase | None,
    token: str | None,
    token_source: str | None,
    own_run_id: int | None,
    environ: Mapping[str, str],
    cancel: threading.Event | None = None,
) -> list[Snapshot]:
    """Observe every target; `wanted` names the look-ups of a narrowed run, None means all.

    A look-up that fails is recorded as unavailable in the snapshot; only a defect of the suite raises.
    """
    asked = set(LOOKUPS) if wanted is None else set(wanted)
    for name in list(asked):
        asked |= _BEHIND.get(name, set())
    asked |= {behind for name in list(asked) for behind in _BEHIND.get(name, set())}
    # Two pools: what waits for a look-up must never take the place of the look-up that it waits for.
    with (
        ThreadPoolExecutor(max_workers=16, thread_name_prefix="release-state-look-up") as lookups,
        ThreadPoolExecutor(max_workers=8, thread_name_prefix="release-state-target") as waiting,
    ):
        observer = _Observer(config, frozenset(asked), token, own_run_id, environ, lookups, cancel or threading.Event())
        futures = [waiting.submit(observer.target, target, fixed_phase, token_source) for target in config.targets]
        return [future.result() for future in futures]


class _Observer:
    """Asks; shares between the targets what they have in common."""

    def __init__(
        self,
        config: RunConfig,
        asked: frozenset[str],
        token: str | None,
        own_run_id: int | None,
        environ: Mapping[str, str],
        pool: ThreadPoolExecutor,
        cancel: threading.Event,
    ) -> None:
        self.config, self.asked, self.environ, self.pool, self.cancel = config, asked, environ, pool, cancel
        target = config.targets[0]
        self.timeout = config.lookup_timeout
        self.client = HttpClient(timeout=self.timeout, token=token, token_host=target.github_api, cancel=cancel)
        self.github = GitHub(self.client, target.github_api, target.repository, own_run_id=own_run_id)
        self.run_logs = RunLogs(self.client, target.github_api)
        self._shared: dict[object, Future[Any]] = {}
        self._lock = threading.Lock()

    def once(self, key: object, ask: Callable[[], T]) -> Future[T]:
        """The look-up of this key, begun by whoever asks first."""
        with self._lock:
            if key not in self._shared:
                self._shared[key] = self.pool.submit(ask)
            return self._shared[key]

    def _ask(self, name: str, key: object, ask: Callable[[], Observation[T]]) -> Future[Observation[T]]:
        if name not in self.asked:
            skipped: Future[Observation[T]] = Future()
            skipped.set_result(unavailable("snapshot", "not asked for in this narrowed run"))
            return skipped
        return self.once(key, ask)

    def target(self, target: Target, fixed_phase: Phase | None, token_source: str | None) -> Snapshot:
        """Observe one target."""
        config, github, started = self.config, self.github, datetime.now(timezone.utc)
        remote = self._ask(
            "remote", "remote", lambda: observe_remote(config.remote_url, self.timeout, cancel=self.cancel)
        )
        clone = self._ask("clone", "clone", lambda: self._clone(target))
        name = target.channel.name
        # By version: what is kept of the page are the files of one.
        index = self._ask("index", ("index", name, target.version), lambda: self._index(target, name))
        repository = self._ask("repository", "repository", github.repository)
        branch = target.release_branch
        pulls = self._ask("pulls", ("pulls", branch), lambda: github.pulls(branch))
        open_pulls = self._ask(
            "open_pulls",
            "open_pulls",
            lambda: github.open_release_pulls(lambda name: target.parse_release_branch(name) is not None),
        )
        release = self._ask("release", ("release", target.tag), lambda: github.release_by_tag(target.tag))
        latest = self._ask("latest_release", "latest_release", github.latest_release)
        drafts = self._ask("drafts", ("drafts", target.tag), lambda: github.drafts(target.tag))
        runs = self._ask("runs", "runs", lambda: github.runs(target.workflow))
        snapshot = Snapshot(
            observed_at=started,
            target=target,
            phase=(fixed_phase or Phase.PRE_RELEASE).value,
            phase_reason="",
            token_source=token_source,
            remote=remote.result(),
        )
        ci = self._ask("ci", "ci", lambda: self._ci(snapshot))
        others = self._other_branches(snapshot)
        history = self._ask(
            "history",
            ("history", target.key),
            lambda: self._history(target, snapshot, clone.result(), pulls.result(), others),
        )
        indexes = {name: asked.result() for name, asked in others["index"].items()}
        snapshot = snapshot.model_copy(
            update={
                "index": {**indexes, target.channel.name: index.result()},
                "repository": repository.result(),
                "pulls": pulls.result(),
                "open_pulls": open_pulls.result(),
                "branch_pulls": {name: asked.result() for name, asked in others["pulls"].items()},
                "release": release.result(),
                "latest_release": latest.result(),
                "drafts": drafts.result(),
                "runs": runs.result(),
            }
        )
        phase, reason = phase_of(Release(snapshot))
        if fixed_phase:
            phase, reason = fixed_phase, f"given ({reason})"
        installation = self._ask("installation", ("installation", target.key), lambda: self._install(snapshot, phase))
        last_run = self._ask("last_run", ("last_run", target.key), lambda: self._last_run(snapshot))
        relation = history.result()
        # Only then: both would fetch the same history into the same cache.
        published = self._ask(
            "published", ("published", target.key), lambda: self._published(snapshot, phase, clone.result())
        )
        return snapshot.model_copy(
            update={
                "phase": phase.value,
                "phase_reason": reason,
                "clone": self._related(clone.result(), snapshot, relation, target),
                "history": relation,
                "ci": ci.result(),
                "installation": installation.result(),
                "last_run": last_run.result(),
                "published": published.result(),
                "rate_limit": github.rate_limit(),
            }
        )

    def _index(self, target: Target, channel_name: str) -> Observation[Any]:
        channel = self.config.channels.get(channel_name)
        if channel is None:
            return unavailable(f"index {channel_name}", "the project defines no such channel")
        return observe_index(self.client, channel, target.package, target.version)

    def _clone(self, target: Target) -> Observation[Clone]:
        if target.clone is None:
            return Observation[Clone](value=None, unavailable=None)
        reports = Path(target.reports_dir) if target.reports_dir else None
        return observe_clone(Path(target.clone), target.remote, self.timeout, reports, cancel=self.cancel)

    def _ci(self, snapshot: Snapshot) -> Observation[Any]:
        try:
            head = Release(snapshot).base_head
        except NotObserved as missing:
            return Observation(value=None, unavailable=missing.problem)
        return self.github.checks(head)

    def _other_branches(self, snapshot: Snapshot) -> dict[str, dict[str, Future[Any]]]:
        """For each release branch that is not this version's: its pull requests and the index of its channel."""
        others: dict[str, dict[str, Future[Any]]] = {"pulls": {}, "index": {}}
        if "open_pulls" not in self.asked or snapshot.remote.value is None:
            return others
        target = snapshot.target
        for branch in snapshot.remote.value.branches:
            parsed = target.parse_release_branch(branch.name)
            if parsed is None or branch.name == target.release_branch:
                continue
            ask = functools.partial(self.github.pulls, branch.name)
            others["pulls"][branch.name] = self.once(("pulls", branch.name), ask)
            if parsed.channel != target.channel.name:
                look = functools.partial(self._index, target, parsed.channel)
                others["index"][parsed.channel] = self.once(("index", parsed.channel, target.version), look)
        return others

    def _history(
        self,
        target: Target,
        snapshot: Snapshot,
        clone: Observation[Clone],
        pulls: Observation[tuple[PullRequest, ...]],
        others: Mapping[str, Mapping[str, object]],
    ) -> Observation[Any]:
        facts = Release(snapshot)
        try:
            remote: Remote = facts.remote
            base = facts.base_branch
            head = facts.base_head
        except NotObserved as missing:
            return Observation(value=None, unavailable=missing.problem)
        wanted: list[WantedCommit] = []
        if target.expected_before_release:
            wanted.append(WantedCommit(head, f"refs/heads/{base}", details=True))
        if tag := facts.tag:
            wanted.append(WantedCommit(tag.commit, f"refs/tags/{tag.name}", details=True))
        for name in (target.release_branch, *others["pulls"]):
            if branch := remote.branch(name):
                wanted.append(WantedCommit(branch.sha, f"refs/heads/{name}", details=False))
        pairs = []
        for pull in pulls.value or ():
            if facts.tag:
                wanted.append(WantedCommit(pull.head_sha, f"refs/pull/{pull.number}/head", details=False))
                pairs.append((facts.tag.commit, pull.head_sha))
        return observe_history(
            remote,
            base,
            wanted,
            pairs,
            clone=clone.value,
            clone_path=Path(target.clone) if target.clone else None,
            remote_url=self.config.remote_url,
            timeout=self.timeout,
            changelog_file=target.changelog,
            cancel=self.cancel,
        )

    def _related(
        self, clone: Observation[Clone], snapshot: Snapshot, history: Observation[Any], target: Target
    ) -> Observation[Clone]:
        try:
            head, base = Release(snapshot).base_head, Release(snapshot).base_branch
        except NotObserved:
            return clone
        return relate_clone(
            clone, head, base, remote_url=self.config.remote_url, timeout=self.timeout, cancel=self.cancel
        )

    def _last_run(self, snapshot: Snapshot) -> Observation[ExplainedRun]:
        repository, runs = snapshot.repository, snapshot.runs
        if problem := repository.unavailable or runs.unavailable:
            return Observation(value=None, unavailable=problem)
        name = repository.present().full_name
        return self.run_logs.last_run(name, snapshot.target, runs.present(), _success(Release(snapshot)))

    def _published(self, snapshot: Snapshot, phase: Phase, clone: Observation[Clone]) -> Observation[Any]:
        target, facts = snapshot.target, Release(snapshot)
        if phase is not Phase.POST_RECOVERY:
            return unavailable("published commit", f"not looked for in the phase {phase.value}")
        if "tag" not in target.channel.leaves:
            return unavailable("published commit", f"not looked for: {target.channel.name} leaves no tag")
        try:
            files, remote, base = facts.files, facts.remote, facts.base_branch
        except NotObserved as missing:
            return Observation(value=None, unavailable=missing.problem)
        return observe_published(
            self.client,
            self.config.channels[target.channel.name],
            target,
            files,
            remote,
            base,
            clone=clone.value,
            clone_path=Path(target.clone) if target.clone else None,
            remote_url=self.config.remote_url,
            timeout=self.timeout,
            cancel=self.cancel,
        )

    def _install(self, snapshot: Snapshot, phase: Phase) -> Observation[Any]:
        from release_state.snapshot import Installation

        target = snapshot.target
        if phase is not Phase.POST_RECOVERY:
            return known(Installation(attempted=False, detail=f"not tried in the phase {phase.value}"))
        if not self.config.install:
            return known(Installation(attempted=False, detail="left out with --no-install"))
        try:
            files = Release(snapshot).files
        except NotObserved as missing:
            return Observation(value=None, unavailable=missing.problem)
        if not files:
            return known(Installation(attempted=False, detail="nothing of the version is published"))
        channel = self.config.channels[target.channel.name]
        timeout = self.config.install_timeout
        return observe_installation(
            channel, target.package, target.version, files, timeout, self.environ, cancel=self.cancel
        )


def _success(release: Release) -> Success:
    """What the traces say of a run of this version that calls itself a success."""
    traces = release.traces()
    if traces["index"] is False:
        return "impossible"
    complete = all(traces[name] for name in ("index", *release.channel.leaves))
    return "believed" if complete or (traces["index"] and release.all_yanked) else "in doubt"
