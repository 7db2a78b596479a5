"""Everyone that a run asks: GitHub, the indexes, status pages, and pip about a release that was made."""

from __future__ import annotations

import functools
from datetime import datetime
from pathlib import Path
from typing import Any

from release_state.facts.filenames import list_earlier
from release_state.facts.git import refs_conflict
from release_state.facts.origin import find_declared_instead
from release_state.facts.process import MOST_EARLIER, require_workflows
from release_state.facts.published import find_sharing_any
from release_state.facts.publishers import list_run_filters
from release_state.facts.release import Release
from release_state.facts.workflow.making import PLEASE_BRANCH, list_tool_branches
from release_state.model.observation import NotObserved, Observation, known, unavailable, value_or
from release_state.model.snapshot import NOT_ASKED, Clone, Installation, Opened, WorkflowRun, WorkflowRuns
from release_state.model.target import Target, Trace
from release_state.observe.call import Call, View
from release_state.observe.commits import CommitSources, other_branches
from release_state.observe.github.run_log import Success
from release_state.observe.http.response import LookupFailed

REHEARSAL = "testpypi"
"""The channel that releases to `pypi` are tried on."""
MOST_BRANCHES = 20
"""The most release branches whose pull requests are asked for one by one; those of more come from one list of all."""
_LEFT_OUT = "left out with --no-install"


class Sources(CommitSources):
    """Git, GitHub, the indexes and the status pages, for the look-ups of one run."""

    def index(self, view: View) -> dict[str, Call]:
        """Return the pages of the target's channel and of those that share a trace with it: they may rest on it."""
        return {name: self._page(view.target, name) for name in _list_deciding_channels(view.target)}

    def other_indexes(self, view: View) -> dict[str, Call]:
        """Return the pages of the channels that other release branches are for."""
        channels = {parsed.channel for parsed in other_branches(view).values()}
        return {name: self._page(view.target, name) for name in channels - _list_deciding_channels(view.target)}

    def rehearsal(self, view: View) -> Call | Observation[Any]:
        """Return the page of the index that releases are tried on, before one to `pypi`."""
        if view.target.channel.name != "pypi" or not view.target.find_channel(REHEARSAL):
            return known(None)
        return self._page(view.target, REHEARSAL, REHEARSAL, view.target.version)

    def _page(self, target: Target, channel: str, *inputs: str) -> Call:
        # By version, too: only the files of one version are kept of a page.
        return Call(inputs, functools.partial(self._ask_index, target, channel))

    def _ask_index(self, target: Target, channel_name: str) -> Observation[Any]:
        from release_state.observe.index.index import observe_index

        channel = self.config.channels.get(channel_name)
        if channel is None:
            return unavailable(f"index {channel_name}", "the project defines no such channel")
        # Whether the index is catching up matters only if it decides about a target.
        judged = any(channel_name in _list_deciding_channels(each) for each in self.config.targets)
        expected = target.expected_files if judged else ()
        return observe_index(self.client, channel, target.package, target.version, expected)

    def clone(self, target: Target) -> Observation[Clone]:
        """Return the local clone."""
        from release_state.observe.git.clone import observe_clone

        if target.clone is None:
            return Observation(value=None, unavailable=None)
        reports = Path(target.reports_dir) if target.reports_dir else None
        path, open_reader = Path(target.clone), self.stores.open_clone
        return observe_clone(path, target.remote, self.time.left, reports, cancel=self.cancel, open_reader=open_reader)

    def open_pulls(self) -> Observation[Any]:
        """Return the open pull requests from or into a release branch, or a branch in the way of one to be created."""
        targets = self.config.targets

        def is_looked_at(branch: str) -> bool:
            parses = targets[0].parse_release_branch(branch) is not None
            return parses or any(refs_conflict(target.release_branch, branch) for target in targets)

        return self.github.open_release_pulls(is_looked_at)

    def branch_pulls(self, view: View) -> Call | dict[str, Call]:
        """Return the pull requests of each other release branch."""
        names = tuple(sorted(other_branches(view)))
        if len(names) > MOST_BRANCHES:
            return Call((names,), lambda: known(self.github.pulls_of_all(names)), parts=names)
        return {name: Call((), functools.partial(self.github.pulls, name)) for name in names}

    def earlier_pulls(self, view: View) -> dict[str, Call]:
        """Return the pull requests of the last versions' release branches, and of release-please's for all of it."""
        if not _is_asked(view, "pull-request"):
            return {}
        target = view.target
        versions = [version for version, _ in view.release.find_earlier_tags(MOST_EARLIER)]
        names = [target.release_branch_for(version, target.channel.name) for version in versions]
        if base := value_or("", lambda: view.release.base_branch):
            names.append(PLEASE_BRANCH.format(base=base))
        return {name: Call((), functools.partial(self.github.pulls, name)) for name in names}

    def tool_pulls(self, view: View) -> dict[str, Call]:
        """Return the pull requests of the branches that tools release from which the workflow files name."""
        files, base = view.snapshot.workflow_files.value, value_or("", lambda: view.release.base_branch)
        if not (files and base) or not _is_asked(view, "pull-request"):
            return {}
        names = list_tool_branches(files, base, view.target.package)
        return {name: Call((), functools.partial(self.github.pulls, name)) for name in names}

    def earlier_releases(self, view: View) -> dict[str, Call]:
        """Return the GitHub Releases of the last versions."""
        if not _is_asked(view, "release"):
            return {}
        tags = [tag for _, tag in view.release.find_earlier_tags(MOST_EARLIER)]
        return {tag: Call((), functools.partial(self.github.release_by_tag, tag)) for tag in tags}

    def runs(self, view: View) -> Call:
        """Return the runs of the workflows that publish."""
        target = view.target
        require_workflows(target, view.snapshot.workflow_files)
        base = view.release.base_branch if view.snapshot.remote.value else ""
        filters = {name: list_run_filters(target, name, base) for name in target.workflows}
        inputs = tuple((name, *map(str, each)) for name, each in filters.items())
        return Call((inputs,), lambda: self.github.runs_of(filters))

    def drafts(self, view: View) -> Call:
        """Return the drafts for the version's tag, however it is spelled."""
        target = view.target

        def is_named(tag: str) -> bool:
            return tag == target.tag or target.is_version_named_by(tag)

        return Call((target.tag_template,), lambda: self.github.drafts(is_named))

    def other_releases(self, view: View) -> dict[str, Call]:
        """The GitHub Release of each other spelling of the version's tag, and of tags in its way; mostly none."""
        if view.snapshot.remote.value is None or "release" not in view.target.channel.leaves:
            return {}
        tags = (*view.release.other_tags_exactly, *view.release.conflicting_tags[:MOST_BRANCHES])
        return {tag.name: Call((), functools.partial(self.github.release_by_tag, tag.name)) for tag in tags}

    def services(self, view: View) -> dict[str, Call]:
        """Return the status pages of the services that have one."""
        pages = {"GitHub": view.target.github_status_url, "PyPI": view.target.index_status_url}
        return {
            name: Call((url,), functools.partial(self._ask_status_page, name, url))
            for name, url in pages.items()
            if url
        }

    def _ask_status_page(self, service: str, url: str) -> Observation[Any]:
        from release_state.observe.status_page import observe_status_page

        return observe_status_page(self.token_free, service, url)

    def last_run(self, view: View) -> Call:
        """Return the last finished release run of the target and why it failed."""
        repository, runs = view.snapshot.repository, view.snapshot.runs
        if problem := repository.unavailable or runs.unavailable:
            raise NotObserved(problem)
        name, found, success = repository.present().full_name, runs.present(), _judge_success(view.release)
        finished = _list_attempts(found)
        target = view.target
        inputs = (name, finished, success, target.tag, target.workflows)
        return Call(inputs, lambda: self.run_logs.last_run(name, target, found, success))

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
        finished = _list_attempts(runs) if runs and repository and tags else ()
        unread = view.snapshot.repository.unavailable or view.snapshot.runs.unavailable if tags else None
        if unread == NOT_ASKED.unavailable:
            unread = None  # in a narrowed run, earlier reports alone are asked

        def find_run() -> WorkflowRun | None:
            if unread:
                raise LookupFailed(unread)
            if not (repository and runs and finished):
                return None
            return find_publishing_run(self.run_logs, repository.full_name, target, runs, tags)

        return Call((tags, finished, unread, target.workflows), lambda: observe_witness(target, find_run))

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
        from release_state.observe.published.published import observe_instead, observe_published

        if not files and (instead := value_or(None, lambda: find_declared_instead(release))):
            channel, tag, version = self.config.channels[target.channel.name], instead[0], str(instead[1])
            return Call(
                (tag, version, remote, target.tag_template),
                lambda: observe_instead(self.client, channel, target, version, tag, commits),
            )
        return Call(
            (files, remote, looks_on_base, target.tag_template),
            lambda: observe_published(
                self.client,
                self.config.channels[target.channel.name],
                target,
                files,
                commits,
                looks_on_base=looks_on_base,
                downloaded=self.downloaded,
            ),
        )

    def built(self, view: View) -> Call | Observation[Any]:
        """Return the files that are about to be uploaded."""
        if self.config.built is None:
            return known(None)
        from release_state.observe.published.folder import observe_built

        folder, package = Path(self.config.built.text), view.target.package
        return Call((), lambda: observe_built(folder, package, self.time.left))

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

    def contents(self, view: View) -> Call:
        """Return whether the smallest wheels have a module."""
        from release_state.observe.published.contents import observe_contents

        target, files = view.target, view.release.files
        before = next((each.version for each in list_earlier(view.release.project)), None)
        channel = self.config.channels[target.channel.name]
        return Call(
            (files, before),
            lambda: observe_contents(
                self.client, channel, target.package, files, before=before, downloaded=self.downloaded
            ),
        )

    def compared_contents(self, view: View) -> Call | Observation[Any]:
        """Return what the wheels have, compared with the sdist."""
        found, published, files = view.snapshot.contents, view.snapshot.published.value, view.release.files
        contents, sdist = found.value, published.sdist if published else None
        if not (contents and sdist and {contents.holder, sdist} <= {file.filename for file in files}):
            return found
        if contents.holder == sdist:
            return found
        from release_state.observe.published.contents import compare_contents

        target = view.target
        channel, wheel = self.config.channels[target.channel.name], contents
        return Call(
            (files, contents, sdist),
            lambda: compare_contents(self.client, channel, target.package, files, wheel, sdist, self.downloaded),
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


def _list_attempts(runs: WorkflowRuns) -> tuple[tuple[int, datetime], ...]:
    """The finished runs, as they ended: one that is repeated keeps its number."""
    return tuple((run.id, run.updated_at) for run in runs.runs if run.is_finished)


def _list_deciding_channels(target: Target) -> frozenset[str]:
    """Return the channels whose index decides what may be done about a target."""
    return frozenset({target.channel.name, *(channel.name for channel in find_sharing_any(target))})


def _judge_success(release: Release) -> Success:
    """Return what the traces say about a run of this version that GitHub calls a success."""
    traces = release.traces()
    if traces["index"] is False:
        return "impossible"
    complete = all(traces[name] for name in ("index", *release.channel.leaves))
    return "believed" if complete or (traces["index"] and release.all_yanked) else "in doubt"


def _is_asked(view: View, trace: Trace) -> bool:
    """Return whether earlier versions say if a release leaves this trace: nothing is configured."""
    channel = view.target.channel
    given = f"channels.{channel.name}.leaves" in view.target.given
    return trace in channel.leaves and not given and view.snapshot.remote.value is not None
