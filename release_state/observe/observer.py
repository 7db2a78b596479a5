"""Asks about targets, each question once: what two targets or two rounds share is not asked again."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

from release_state.facts.git import refs_conflict
from release_state.facts.published import find_sharing_any
from release_state.facts.release import Release
from release_state.model.observation import Observation, known, unavailable
from release_state.model.outcome import Phase
from release_state.model.snapshot import Clone, GitHubRelease, PullRequest, Snapshot
from release_state.model.target import Target
from release_state.observe.defects import Defects, surviving
from release_state.observe.dependent import Dependent
from release_state.observe.github.github import GitHub
from release_state.observe.http.cache import ResponseCache
from release_state.observe.http.client import HttpClient
from release_state.observe.http.limits import SharedLimit, Stage, TimeLeft
from release_state.observe.preflight import Preflight
from release_state.observe.progress import Asking
from release_state.observe.question import Question, ask_remote, guarded
from release_state.plan.diagnosis import choose_phase
from release_state.settings.config import RunConfig

T = TypeVar("T")

REHEARSAL = "testpypi"
"""The channel that releases to `pypi` are tried on."""
NOT_ASKED: Observation[Any] = unavailable("snapshot", "not asked for in this narrowed run")
MOST_BRANCHES = 20
"""Other release branches whose pull requests are asked for one by one; those of more are taken from one list of all."""
STATUS_SECONDS = 10.0
"""The longest time that a status page is waited for."""


class Observer:
    """Observes targets; safe to use for several of them at once."""

    def __init__(
        self,
        config: RunConfig,
        asked: frozenset[str],
        token: str | None,
        own_run_id: int | None,
        environ: Mapping[str, str],
        pool: ThreadPoolExecutor,
        cancel: threading.Event,
        asking: Asking,
        shared_limit: SharedLimit | None,
        defects: Defects | None,
        time: TimeLeft,
        begun: Mapping[tuple[Hashable, ...], Future[Any]],
    ) -> None:
        self.defects = defects
        self.asking = asking
        self.config, self.asked, self.pool, self.cancel = config, asked, pool, cancel
        target = config.targets[0]
        self.time = time
        self.client = HttpClient(
            self.time.seconds,
            token=token,
            token_host=target.github_api,
            cancel=cancel,
            shared_limit=shared_limit,
            time_left=self.time,
            kept=ResponseCache() if config.keep_answers else None,
        )
        self.github = GitHub(self.client, target.github_api, target.repository, own_run_id=own_run_id)
        # Without a token, wherever a status page is; and what is only there to explain is not waited for long.
        self._token_free = HttpClient(min(self.time.seconds, STATUS_SECONDS), cancel=cancel, time_left=self.time)
        self.dependent = Dependent(config, self.client, self.github, environ, cancel, self.time)
        self.preflight = Preflight(self.github, self.dependent.stores)
        # `begun` are look-ups of the first round that were on their way already.
        self._shared: dict[tuple[Hashable, ...], Future[Any]] = dict(begun)
        self._lock = threading.Lock()

    def forget(self, beginnings: Collection[tuple[Hashable, ...]]) -> None:
        """Begin a round, in which the look-ups are asked again whose keys begin like one of these.

        Not while a target is being observed.
        """
        if any(beginning[0] == "pulls" for beginning in beginnings):
            beginnings = [*beginnings, ("branch_pulls",)]
        with self._lock:
            self._shared = {
                key: future
                for key, future in self._shared.items()
                if not any(key[: len(beginning)] == beginning for beginning in beginnings)
            }
        self.github.forget()
        self.dependent.forget()
        self.time.begin()

    def close(self) -> None:
        """Remove what was fetched for this run alone."""
        self.dependent.stores.close()

    def once(self, key: tuple[Hashable, ...], ask: Callable[[], T]) -> Future[T]:
        """The look-up of this key, begun by whoever asks first; the key begins with the look-up's name."""
        with self._lock:
            if key not in self._shared:
                self._shared[key] = self.pool.submit(self.asking.told(str(key[0]), ask))
            return self._shared[key]

    def _ask(
        self,
        key: tuple[Hashable, ...],
        ask: Callable[[], Observation[T]],
        stage: Stage | None = Stage.FIRST,
    ) -> Future[Observation[T]]:
        if key[0] not in self.asked:
            skipped: Future[Observation[T]] = Future()
            skipped.set_result(NOT_ASKED)
            return skipped
        return self._in(stage, key, ask)

    def _in(
        self, stage: Stage | None, key: tuple[Hashable, ...], ask: Callable[[], Observation[T]]
    ) -> Future[Observation[T]]:
        """The look-up in the time of its stage; None: it takes none of the time that they share."""
        return self.once(key, guarded(str(key[0]), ask, self.time, stage, self.defects))

    def _put(self, question: Question, stage: Stage) -> Future[Observation[Any]]:
        return self._ask(question.key, question.ask, stage if question.in_time else None)

    def target(self, target: Target, fixed_phase: Phase | None, token_source: str | None) -> Snapshot:
        """Observe one target."""
        config, github, started = self.config, self.github, datetime.now(timezone.utc)
        remote = self._ask(("remote",), ask_remote(config.remote_url, self.time, self.cancel))
        clone = self._ask(("clone",), lambda: self._clone(target))
        name = target.channel.name
        # By version: what is kept of the page are the files of one.
        index = self._ask(("index", name, target.version), lambda: self._index(target, name))
        sharing = {channel.name: self._shared_index(target, channel.name) for channel in find_sharing_any(target)}
        repository = self._ask(("repository",), github.repository)
        branch = target.release_branch
        pulls = self._ask(("pulls", branch), lambda: github.pulls(branch))
        open_pulls = self._ask(
            ("open_pulls",),
            lambda: github.open_release_pulls(self._is_looked_at),
        )
        release = self._ask(("release", target.tag), lambda: github.release_by_tag(target.tag))
        latest = self._ask(("latest_release",), github.latest_release)
        drafts = self._ask(("drafts", target.tag), lambda: github.drafts(lambda tag: _is_of(target, tag)))
        runs = self._ask(("runs",), lambda: github.runs(target.workflow))
        settings = {
            name: self._put(question, Stage.FIRST) for name, question in self.preflight.of_repository(target).items()
        }
        services = self._services(target)
        rehearsal = self._rehearsal(target, fixed_phase) if fixed_phase else None
        snapshot = Snapshot(
            observed_at=started,
            target=target,
            phase=(fixed_phase or Phase.PRE_RELEASE).value,
            phase_reason="",
            token_source=token_source,
            remote=remote.result(),
        )
        ci = self._put(self.dependent.ci(snapshot), Stage.SECOND)
        settings |= {
            name: self._put(question, Stage.SECOND) for name, question in self.preflight.of_base(snapshot).items()
        }
        others, respelled = self._other_branches(snapshot), self._other_releases(snapshot)
        snapshot = snapshot.model_copy(update={"clone": clone.result(), "pulls": pulls.result()})
        history = self._put(self.dependent.history(snapshot, others["pulls"]), Stage.SECOND)
        indexes = {name: asked.result() for name, asked in {**others["index"], **sharing}.items()}
        snapshot = snapshot.model_copy(
            update={
                "index": {**indexes, target.channel.name: index.result()},
                "branch_pulls": {name: asked.result() for name, asked in others["pulls"].items()},
                "release": release.result(),
                "other_releases": {tag: asked.result() for tag, asked in respelled.items()},
                "drafts": drafts.result(),
            }
        )
        phase, reason = choose_phase(Release(snapshot), config.plan)
        if fixed_phase:
            phase, reason = fixed_phase, f"given ({reason})"
        installation = self._put(self.dependent.installation(snapshot, phase), Stage.LAST)
        rehearsal = rehearsal or self._rehearsal(target, phase)
        snapshot = snapshot.model_copy(update={"repository": repository.result(), "runs": runs.result()})
        last_run = self._put(self.dependent.last_run(snapshot), Stage.LAST)
        witness = self._put(self.dependent.witness(snapshot), Stage.LAST)
        relation = history.result()
        snapshot = snapshot.model_copy(
            update={"history": relation, "open_pulls": open_pulls.result(), "latest_release": latest.result()}
        )
        # Only then: both would fetch the same history into the same cache.
        published = self._put(self.dependent.published(snapshot, phase), Stage.LAST)
        workflow_files = self._put(self.preflight.workflow_files(snapshot), Stage.LAST)
        related = self._put(self.dependent.related_clone(snapshot), Stage.LAST)
        calculation = self._put(self.dependent.calculation(snapshot, phase), Stage.LAST)
        judged = {"phase": phase.value, "ci": ci.result(), "base_rules": settings["base_rules"].result()}
        expected_ci = self._put(self.preflight.expected_ci(snapshot.model_copy(update=judged), self.asked), Stage.LAST)
        ahead = github.clock_ahead()
        # After both: what was installed needs no second look, and what was compared none at the index.
        installed, compared = installation.result(), published.result()
        opened = self._put(self.dependent.opened(snapshot, phase, installed), Stage.LAST)
        return snapshot.model_copy(
            update={
                "observed_at": started - timedelta(seconds=round(ahead or 0.0)),
                "clock_ahead": None if ahead is None else float(round(ahead)),
                "phase": phase.value,
                "phase_reason": reason,
                "clone": related.result(),
                "history": relation,
                "ci": expected_ci.result(),
                "installation": installed,
                "opened": opened.result(),
                "rehearsal": rehearsal.result(),
                "last_run": last_run.result(),
                "witness": witness.result(),
                "published": compared,
                "workflow_files": workflow_files.result(),
                **{name: asked.result() for name, asked in settings.items()},
                "calculation": calculation.result(),
                "rate_limit": github.rate_limit(),
                "services": {name: asked.result() for name, asked in services.items()},
            }
        )

    def _services(self, target: Target) -> dict[str, Future[Any]]:
        """The status pages that there are."""
        pages = {"GitHub": target.github_status_url, "PyPI": target.index_status_url}
        asked = {name: url for name, url in pages.items() if url and "services" in self.asked}
        return {
            name: self._in(None, ("services", url), functools.partial(self._service, name, url))
            for name, url in asked.items()
        }

    # What reads the answers is imported by the look-up itself: the others have been asked by then.

    def _service(self, name: str, url: str) -> Observation[Any]:
        from release_state.observe.status_page import observe_status_page

        return observe_status_page(self._token_free, name, url)

    def _rehearsal(self, target: Target, phase: Phase) -> Future[Observation[Any]]:
        """The page of the index that releases are tried on, before one to `pypi`."""
        asked = "rehearsal" in self.asked and phase is Phase.PRE_RELEASE
        if asked and target.channel.name == "pypi" and target.find_channel(REHEARSAL):
            look = functools.partial(self._index, target, REHEARSAL)
            return self._in(Stage.LAST, ("index", REHEARSAL, target.version), look)
        nothing: Future[Observation[Any]] = Future()
        nothing.set_result(Observation(value=None, unavailable=None) if asked else NOT_ASKED)
        return nothing

    def _index(self, target: Target, channel_name: str) -> Observation[Any]:
        from release_state.observe.index.index import observe_index

        channel = self.config.channels.get(channel_name)
        if channel is None:
            return unavailable(f"index {channel_name}", "the project defines no such channel")
        # Whether it is catching up matters where the version is judged, and where another channel rests on it.
        judged = any(channel_name in _deciding(each) for each in self.config.targets)
        expected = target.expected_files if judged else ()
        return observe_index(self.client, channel, target.package, target.version, expected)

    def _shared_index(self, target: Target, channel: str) -> Future[Observation[Any]]:
        """The index of a channel that shares a trace with the target's: whether it rests on it."""
        return self._ask(("index", channel, target.version), functools.partial(self._index, target, channel))

    def _clone(self, target: Target) -> Observation[Clone]:
        from release_state.observe.git.clone import observe_clone

        if target.clone is None:
            return Observation[Clone](value=None, unavailable=None)
        reports = Path(target.reports_dir) if target.reports_dir else None
        return observe_clone(Path(target.clone), target.remote, self.time.left, reports, cancel=self.cancel)

    def _other_branches(self, snapshot: Snapshot) -> dict[str, dict[str, Future[Any]]]:
        """For each release branch that is not this version's: its pull requests and the index of its channel."""
        others: dict[str, dict[str, Future[Any]]] = {"pulls": {}, "index": {}}
        if "open_pulls" not in self.asked or snapshot.remote.value is None:
            return others
        target = snapshot.target
        named = [(branch.name, target.parse_release_branch(branch.name)) for branch in snapshot.remote.value.branches]
        found = {name: parsed for name, parsed in named if parsed and name != target.release_branch}
        if len(found) <= MOST_BRANCHES:
            others["pulls"] = {name: self._pulls_of(name) for name in found}
        else:
            names = tuple(sorted(found))
            listed = self.once(("branch_pulls", names), functools.partial(self._pulls_of_all, names))
            others["pulls"] = {name: _part(listed, name) for name in found}
        for channel in {parsed.channel for parsed in found.values()} - {target.channel.name}:
            look = functools.partial(self._index, target, channel)
            others["index"][channel] = self._in(Stage.SECOND, ("index", channel, target.version), look)
        return others

    def _other_releases(self, snapshot: Snapshot) -> dict[str, Future[Observation[GitHubRelease]]]:
        """The GitHub Release of each other spelling of the version's tag, and of tags in its way; mostly none."""
        leaves = "release" in snapshot.target.channel.leaves
        if snapshot.remote.value is None or not leaves or "release" not in self.asked:
            return {}
        facts = Release(snapshot)
        names = [tag.name for tag in (*facts.other_tags_exactly, *facts.conflicting_tags[:MOST_BRANCHES])]
        return {name: self._put(self._release_of(name), Stage.SECOND) for name in names}

    def _release_of(self, tag: str) -> Question:
        return Question(("release", tag), functools.partial(self.github.release_by_tag, tag))

    def _is_looked_at(self, branch: str) -> bool:
        """Whether a branch is a release branch of the project, or in the way of one that is to be created."""
        targets = self.config.targets
        parses = targets[0].parse_release_branch(branch) is not None
        return parses or any(refs_conflict(target.release_branch, branch) for target in targets)

    def _pulls_of(self, branch: str) -> Future[Observation[tuple[PullRequest, ...]]]:
        return self._in(Stage.SECOND, ("pulls", branch), functools.partial(self.github.pulls, branch))

    def _pulls_of_all(self, branches: Collection[str]) -> dict[str, Observation[tuple[PullRequest, ...]]]:
        with self.time.of(Stage.SECOND):
            asked: Observation[dict[str, Any]] = surviving(
                "branch_pulls", self.defects, lambda: known(self.github.pulls_of_all(branches))
            )
        return asked.value or {name: Observation(value=None, unavailable=asked.unavailable) for name in branches}


def _deciding(target: Target) -> frozenset[str]:
    """The channels whose index decides what may be done about a target."""
    return frozenset({target.channel.name, *(channel.name for channel in find_sharing_any(target))})


def _is_of(target: Target, tag: str) -> bool:
    return tag == target.tag or target.is_version_named_by(tag)


def _part(whole: Future[dict[str, T]], name: str) -> Future[T]:
    """One entry of what a look-up brings for several."""
    part: Future[T] = Future()

    def take(done: Future[dict[str, T]]) -> None:
        try:
            part.set_result(done.result()[name])
        except BaseException as error:
            part.set_exception(error)

    whole.add_done_callback(take)
    return part
