"""Look-ups about a release that was made: its files, its installation, its runs."""

from __future__ import annotations

from typing import Any

from release_state.facts.release import Release
from release_state.model.observation import NotObserved, Observation, known, unavailable
from release_state.model.snapshot import NOT_ASKED, Installation, Opened, WorkflowRun
from release_state.observe.call import Call, View
from release_state.observe.commits import CommitSources
from release_state.observe.github.run_log import Success
from release_state.observe.http.response import LookupFailed

_LEFT_OUT = "left out with --no-install"


class ReleaseSources(CommitSources):
    """Asks GitHub, the index and pip about a release."""

    def last_run(self, view: View) -> Call:
        """Return the last finished release run of the target and why it failed."""
        repository, runs = view.snapshot.repository, view.snapshot.runs
        if problem := repository.unavailable or runs.unavailable:
            raise NotObserved(problem)
        name, found, success = repository.present().full_name, runs.present(), _judge_success(view.release)
        finished = tuple(run.id for run in found.runs if run.is_finished)
        return Call((name, finished, success), lambda: self.run_logs.last_run(name, view.target, found, success))

    def witness(self, view: View) -> Call | Observation[Any]:
        """Return what says that a version missing from the index was published before."""
        release, target = view.release, view.target
        try:
            is_there = release.is_published or str(release.version) in release.project.listed_without_files
        except NotObserved:
            is_there = True  # nobody knows that it is gone, so nobody takes it for missing
        # Another index hides nothing: what it does not list does not exist.
        if is_there or not target.channel.is_public_index:
            return known(None)
        from release_state.observe.witness import find_publishing_run, observe_witness

        repository, runs, remote = view.snapshot.repository.value, view.snapshot.runs.value, view.snapshot.remote.value
        # A version without a tag was hardly published; a tag alone does not prove it.
        tags = tuple(tag.name for tag in release.version_tags) if remote else ()
        finished = tuple(run.id for run in runs.runs if run.is_finished) if runs and repository and tags else ()
        unread = view.snapshot.repository.unavailable or view.snapshot.runs.unavailable if tags else None
        if unread == NOT_ASKED.unavailable:
            unread = None  # in a narrowed run, earlier reports alone are asked

        def find_run() -> WorkflowRun | None:
            if unread:
                raise LookupFailed(unread)
            if not (repository and runs and finished):
                return None
            return find_publishing_run(self.run_logs, repository.full_name, target, runs, tags)

        return Call((tags, finished, unread), lambda: observe_witness(target, find_run))

    def published(self, view: View) -> Call | Observation[Any]:
        """Return the commit that the published files were built from."""
        target, release = view.target, view.release
        if "tag" not in target.channel.leaves:
            return unavailable("published commit", f"not looked for: {target.channel.name} leaves no tag")
        files, commits, remote = release.files, self.commits_of(view), release.remote
        # If no pull request merged it into the base branch, a push may have.
        looks_on_base = view.snapshot.pulls.is_known and release.pull is None
        if files:
            self.require_history(view)
        from release_state.observe.published.published import observe_published

        return Call(
            (files, remote, looks_on_base),
            lambda: observe_published(
                self.client,
                self.config.channels[target.channel.name],
                target,
                files,
                commits,
                looks_on_base=looks_on_base,
                downloaded=self.downloaded if self.config.install else None,
            ),
        )

    def installation(self, view: View) -> Call | Observation[Any]:
        """Return whether the version installs from its index."""
        if reason := self._reason_not_to_install(view):
            left_out = reason == _LEFT_OUT
            return known(Installation(attempted=False, left_out=left_out, detail=reason))
        from release_state.observe.install.installation import observe_installation

        target, files = view.target, view.release.files
        return Call(
            (files,),
            lambda: observe_installation(
                self.config.channels[target.channel.name],
                target.package,
                target.version,
                files,
                self.config.install_timeout,
                self.environ,
                most_bytes=self._most_bytes,
                sdists=self.config.install_sdists,
                cancel=self.cancel,
            ),
        )

    def opened(self, view: View) -> Call | Observation[Any]:
        """Return whether the files that were not installed are what the index says."""
        if reason := self._reason_not_to_install(view):
            return known(Opened(left_out=reason))
        from release_state.observe.published.opened import observe_opened

        target, files, tried = view.target, view.release.files, view.snapshot.installation.value
        installed = tried.filename if tried and tried.succeeded else None
        return Call(
            (files, installed),
            lambda: observe_opened(
                self.client,
                self.config.channels[target.channel.name],
                target.package,
                target.version,
                files,
                installed=installed,
                seconds=self.config.install_timeout,
                most_bytes=self._most_bytes,
                downloaded=self.downloaded,
            ),
        )

    @property
    def _most_bytes(self) -> int:
        return int(self.config.install_size * 2**20)

    def _reason_not_to_install(self, view: View) -> str:
        """Return why no file of the version is downloaded; empty if they are. Raises NotObserved."""
        if not self.config.install:
            return _LEFT_OUT
        if view.release.files:
            return ""
        return "the index does not list its files yet" if view.release.is_published else "nothing of it is published"


def _judge_success(release: Release) -> Success:
    """Return what the traces say about a run of this version that GitHub calls a success."""
    traces = release.traces()
    if traces["index"] is False:
        return "impossible"
    complete = all(traces[name] for name in ("index", *release.channel.leaves))
    return "believed" if complete or (traces["index"] and release.all_yanked) else "in doubt"
