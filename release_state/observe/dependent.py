"""Look-ups that need the answers of others before they can be asked.

Each is a question with a key: what it hangs on. As long as that is the same, the answer is too; where one of the
answers behind it has changed, the key has, and the question is asked again.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from release_state.facts.release import Release
from release_state.model.observation import NotObserved, Observation, known, unavailable
from release_state.model.outcome import Phase
from release_state.model.snapshot import Clone, Installation, Opened, Remote, Snapshot, Witness, WorkflowRun
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.git.history import observe_history, relate_clone
from release_state.observe.git.store import WantedCommit
from release_state.observe.github.github import GitHub
from release_state.observe.http.client import HttpClient
from release_state.observe.http.limits import TimeLeft
from release_state.observe.question import Question, no_history, nobody, settled
from release_state.settings.config import RunConfig

# What a look-up alone uses is imported where it is put: others have been asked by then.
if TYPE_CHECKING:
    from release_state.observe.github.run_log import RunLogs, Success


_LEFT_OUT = "left out with --no-install"


class Dependent:
    """The questions that follow from what is known of a target so far."""

    def __init__(
        self,
        config: RunConfig,
        client: HttpClient,
        github: GitHub,
        environ: Mapping[str, str],
        cancel: threading.Event,
        time: TimeLeft,
    ) -> None:
        self._time = time
        self._config, self._client, self._github = config, client, github
        self._environ, self._cancel = environ, cancel
        self._lock = threading.Lock()
        clone = config.targets[0].clone
        self.stores = Stores(
            config.remote_url, lambda: time.left, clone_path=Path(clone) if clone else None, cancel=cancel
        )
        self._downloaded: dict[str, bytes] = {}
        """Files that one look-up has asked for and another needs, too, by their address."""

    @cached_property
    def _run_logs(self) -> RunLogs:
        from release_state.observe.github.run_log import RunLogs

        return RunLogs(self._client, self._config.targets[0].github_api)

    def forget(self) -> None:
        """Let logs be asked for again, and remove what was fetched beside a clone; not while somebody asks."""
        self._run_logs.forget()
        self._downloaded.clear()
        self.stores.close()

    def ci(self, snapshot: Snapshot) -> Question:
        """CI of the base branch's head."""
        try:
            head, base = Release(snapshot).base_head, Release(snapshot).base_branch
        except NotObserved as missing:
            return nobody("ci", missing)
        workflow = snapshot.target.workflow
        return Question(("ci", head), lambda: self._github.checks(head, workflow, base))

    def history(self, snapshot: Snapshot, others: Collection[str]) -> Question:
        """The commits that matter; `others` names the release branches that are not this version's."""
        facts, target, clone = Release(snapshot), snapshot.target, snapshot.clone
        try:
            remote: Remote = facts.remote
            base = facts.base_branch
            head = facts.base_head
        except NotObserved as missing:
            return nobody("history", missing)
        wanted: list[WantedCommit] = []
        beside = "tag" not in target.channel.leaves and facts.version_tags
        if target.expected_before_release or beside:  # what would be released beside another channel's tag
            wanted.append(WantedCommit(head, f"refs/heads/{base}", details=True))
        for tag in facts.version_tags:
            wanted.append(WantedCommit(tag.commit, f"refs/tags/{tag.name}", details=True))
        # Where no tag says what was published, the branch does.
        builds = "tag" not in target.channel.leaves
        for name in (target.release_branch, *others):
            if branch := remote.branch(name):
                details = builds and name == target.release_branch
                wanted.append(WantedCommit(branch.sha, f"refs/heads/{name}", details=details))
        pairs = []
        for pull in snapshot.pulls.value or ():
            if facts.tag:
                wanted.append(WantedCommit(pull.head_sha, f"refs/pull/{pull.number}/head", details=False))
                pairs.append((facts.tag.commit, pull.head_sha))
                if pull.merged and facts.tag.commit not in (pull.head_sha, pull.merge_commit):
                    pairs.append((pull.head_sha, facts.tag.commit))
                    if pull.merge_commit:
                        wanted.append(WantedCommit(pull.merge_commit, f"refs/heads/{base}", details=False))
                        pairs.append((pull.merge_commit, facts.tag.commit))
        return Question(
            ("history", target.key, head, tuple(wanted), tuple(pairs)),
            lambda: observe_history(
                BranchHistory(self.stores, remote, base, clone.value), wanted, pairs, changelog_file=target.changelog
            ),
        )

    def calculation(self, snapshot: Snapshot, phase: Phase) -> Question:
        """The next version by the project's rules: before a release, and while a published version lacks its tag."""
        target, facts, clone = snapshot.target, Release(snapshot), snapshot.clone
        try:
            untagged = phase is Phase.POST_RECOVERY and bool(facts.files) and not facts.version_tags
            if not untagged and phase is not Phase.PRE_RELEASE:
                why = f"not worked out in the phase {phase.value}, but for a published version without a tag"
                return settled("calculation", unavailable("version calculation", why))
            remote, base, head = facts.remote, facts.base_branch, facts.base_head
        except NotObserved as missing:
            return nobody("calculation", missing)
        if problem := no_history(snapshot):
            return nobody("calculation", NotObserved(problem))
        from release_state.observe.next_version.calculation import observe_calculation

        tags = tuple((tag.name, tag.commit) for tag in remote.tags)
        return Question(
            ("calculation", base, head, tags),
            lambda: observe_calculation(
                target, BranchHistory(self.stores, remote, base, clone.value), cancel=self._cancel
            ),
        )

    def related_clone(self, snapshot: Snapshot) -> Question:
        """The clone, with how its HEAD lies to the head of the base branch."""
        clone: Observation[Clone] = snapshot.clone
        try:
            remote: Remote = Release(snapshot).remote
            head, base = Release(snapshot).base_head, Release(snapshot).base_branch
        except NotObserved:
            return Question(("clone", "as it is", clone), lambda: clone, in_time=False)
        if clone.value and clone.value.head != head and (problem := no_history(snapshot)):
            unknown = Observation[int](value=None, unavailable=problem)
            apart = known(clone.value.model_copy(update={"ahead": unknown, "behind": unknown}))
            return settled("clone", apart)
        history = BranchHistory(self.stores, remote, base, clone.value)
        return Question(("clone", head, clone), lambda: relate_clone(clone, history))

    def last_run(self, snapshot: Snapshot) -> Question:
        """The last finished release run of the target, and why it failed."""
        repository, runs, target = snapshot.repository, snapshot.runs, snapshot.target
        if problem := repository.unavailable or runs.unavailable:
            return nobody("last_run", NotObserved(problem))
        name, found, success = repository.present().full_name, runs.present(), _success(Release(snapshot))
        finished = tuple(run.id for run in found.runs if run.is_finished)
        with self._lock:  # of two targets at once: what one has read is not read for the other again
            logs = self._run_logs
        return Question(
            ("last_run", target.key, name, finished, success),
            lambda: logs.last_run(name, target, found, success),
        )

    def witness(self, snapshot: Snapshot) -> Question:
        """What says that a version which the index lacks was published before."""
        target, facts = snapshot.target, Release(snapshot)
        try:
            is_there = facts.is_published or str(facts.version) in facts.project.listed_without_files
        except NotObserved:
            is_there = True  # or not known to be gone: then nobody takes it for absent
        # An index of another kind hides nothing: what it does not list is not there.
        if is_there or not target.channel.is_public_index:
            return settled("witness", Observation[Witness](value=None, unavailable=None))
        from release_state.observe.witness import observe_witness, published_by

        with self._lock:
            logs = self._run_logs
        repository, runs, remote = snapshot.repository.value, snapshot.runs.value, snapshot.remote.value
        # Without a tag of the version nothing says that a release came so far, and a tag alone does not say it either.
        tags = tuple(tag.name for tag in facts.version_tags) if remote else ()
        finished = tuple(run.id for run in runs.runs if run.is_finished) if runs and repository and tags else ()

        def run() -> WorkflowRun | None:
            if not (repository and runs and finished):
                return None
            return published_by(logs, repository.full_name, target, runs, tags)

        return Question(("witness", target.key, tags, finished), lambda: observe_witness(target, run))

    def published(self, snapshot: Snapshot, phase: Phase) -> Question:
        """Which commit the published files were built from."""
        target, facts, clone = snapshot.target, Release(snapshot), snapshot.clone
        if phase is not Phase.POST_RECOVERY:
            return settled("published", unavailable("published commit", f"not looked for in the phase {phase.value}"))
        if "tag" not in target.channel.leaves:
            why = f"not looked for: {target.channel.name} leaves no tag"
            return settled("published", unavailable("published commit", why))
        try:
            files, remote, base = facts.files, facts.remote, facts.base_branch
            # Where no pull request brought it to the base branch, something else may have.
            looks_on_base = snapshot.pulls.is_known and facts.pull is None
        except NotObserved as missing:
            return nobody("published", missing)
        if files and (problem := no_history(snapshot)):
            return nobody("published", NotObserved(problem))
        from release_state.observe.published.published import observe_published

        return Question(
            ("published", target.key, files, remote, looks_on_base),
            lambda: observe_published(
                self._client,
                self._config.channels[target.channel.name],
                target,
                files,
                BranchHistory(self.stores, remote, base, clone.value),
                looks_on_base=looks_on_base,
                downloaded=self._downloaded if self._config.install else None,
            ),
        )

    def installation(self, snapshot: Snapshot, phase: Phase) -> Question:
        """Whether the version installs from its index."""
        target = snapshot.target
        try:
            if reason := self._reason_not_to_install(snapshot, phase):
                left_out = reason == _LEFT_OUT
                answer = known(Installation(attempted=False, left_out=left_out, detail=reason))
                return settled("installation", answer)
            files = Release(snapshot).files
        except NotObserved as missing:
            return nobody("installation", missing)
        from release_state.observe.install.installation import observe_installation

        return Question(
            ("installation", target.key, files),
            lambda: observe_installation(
                self._config.channels[target.channel.name],
                target.package,
                target.version,
                files,
                self._config.install_timeout,
                self._environ,
                most_bytes=int(self._config.install_size * 2**20),
                sdists=self._config.install_sdists,
                cancel=self._cancel,
            ),
            in_time=False,  # it has a limit of its own
        )

    def opened(self, snapshot: Snapshot, phase: Phase, installation: Observation[Installation]) -> Question:
        """Whether the files that were not installed are what the index says."""
        target = snapshot.target
        try:
            if reason := self._reason_not_to_install(snapshot, phase):
                return settled("opened", known(Opened(left_out=reason)))
            files = Release(snapshot).files
        except NotObserved as missing:
            return nobody("opened", missing)
        from release_state.observe.published.opened import observe_opened

        tried = installation.value
        installed = tried.filename if tried and tried.succeeded else None
        return Question(
            ("opened", target.key, files, installed),
            lambda: observe_opened(
                self._client,
                self._config.channels[target.channel.name],
                target.package,
                target.version,
                files,
                installed=installed,
                seconds=self._config.install_timeout,
                most_bytes=int(self._config.install_size * 2**20),
                downloaded=self._downloaded,
            ),
            in_time=False,
        )

    def _reason_not_to_install(self, snapshot: Snapshot, phase: Phase) -> str:
        """Why no file of the version is downloaded; empty where they are. Raises NotObserved."""
        if phase is not Phase.POST_RECOVERY:
            return f"not tried in the phase {phase.value}"
        if not self._config.install:
            return _LEFT_OUT
        facts = Release(snapshot)
        if facts.files:
            return ""
        return "the index does not list its files yet" if facts.is_published else "nothing of it is published"


def _success(release: Release) -> Success:
    """What the traces say of a run of this version that calls itself a success."""
    traces = release.traces()
    if traces["index"] is False:
        return "impossible"
    complete = all(traces[name] for name in ("index", *release.channel.leaves))
    return "believed" if complete or (traces["index"] and release.all_yanked) else "in doubt"
