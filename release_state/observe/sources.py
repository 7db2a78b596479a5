"""Everyone that a run asks: the look-ups that need no other answer, or only the remote's refs."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from release_state.facts.git import refs_conflict
from release_state.facts.process import MOST_EARLIER, explain_unknown, list_run_filters
from release_state.facts.published import find_sharing_any
from release_state.model.observation import NotObserved, Observation, known, unavailable
from release_state.model.snapshot import Clone, WorkflowRuns
from release_state.model.target import Target
from release_state.observe.call import Call, View
from release_state.observe.commits import other_branches
from release_state.observe.github.ci import merge_runs
from release_state.observe.releases import ReleaseSources

REHEARSAL = "testpypi"
"""The channel that releases to `pypi` are tried on."""
MOST_BRANCHES = 20
"""The most release branches whose pull requests are asked for one by one; those of more come from one list of all."""


class Sources(ReleaseSources):
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
            return Observation[Clone](value=None, unavailable=None)
        reports = Path(target.reports_dir) if target.reports_dir else None
        return observe_clone(Path(target.clone), target.remote, self.time.left, reports, cancel=self.cancel)

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
        """Return the pull requests of the last versions' release branches, and of that of release-please."""
        if f"channels.{view.target.channel.name}.leaves" in view.target.given or view.snapshot.remote.value is None:
            return {}
        target = view.target
        versions = [version for version, _ in view.release.find_earlier_tags(MOST_EARLIER)]
        names = [target.release_branch_for(version, target.channel.name) for version in versions]
        names.append(f"release-please--branches--{view.release.base_branch}")
        return {name: Call((), functools.partial(self.github.pulls, name)) for name in names}

    def earlier_releases(self, view: View) -> dict[str, Call]:
        """Return the GitHub Releases of the last versions."""
        if f"channels.{view.target.channel.name}.leaves" in view.target.given or view.snapshot.remote.value is None:
            return {}
        tags = [tag for _, tag in view.release.find_earlier_tags(MOST_EARLIER)]
        return {tag: Call((), functools.partial(self.github.release_by_tag, tag)) for tag in tags}

    def runs(self, view: View) -> Call:
        """Return the runs of the workflows that publish."""
        target, files = view.target, view.snapshot.workflow_files
        if "workflow" not in target.given:
            if problem := files.unavailable:
                raise NotObserved(problem)
            if target.process.candidates:
                raise NotObserved(explain_unknown(target))
        base = view.release.base_branch if view.snapshot.remote.value else ""
        filters = {name: list_run_filters(target, name, base) for name in target.workflows}

        def ask() -> Observation[WorkflowRuns]:
            asked = [self.github.runs(name, filters[name]) for name in filters] or [self.github.runs("")]
            unknown = next((each for each in asked if each.value is None), None)
            return unknown or known(merge_runs([each.present() for each in asked]))

        return Call((tuple((name, *map(str, each)) for name, each in filters.items()),), ask)

    def drafts(self, target: Target) -> Observation[Any]:
        """Return the drafts for the version's tag, however it is spelled."""
        return self.github.drafts(lambda tag: tag == target.tag or target.is_version_named_by(tag))

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


def _list_deciding_channels(target: Target) -> frozenset[str]:
    """Return the channels whose index decides what may be done about a target."""
    return frozenset({target.channel.name, *(channel.name for channel in find_sharing_any(target))})
