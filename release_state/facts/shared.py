"""Facts of what several channels share: a tag, a GitHub Release and, by some templates, a release branch."""

from __future__ import annotations

from typing import Literal

from packaging.version import Version

from release_state.facts.index import IndexFacts
from release_state.model.observation import NotObserved
from release_state.model.target import Channel, Target

Shared = Literal["tag", "release", "branch"]
"""What another channel may rest on; a pull request goes with its branch."""


def find_sharing(target: Target, trace: Shared) -> tuple[Channel, ...]:
    """The other channels of which a release leaves the very same trace.

    A branch is one channel's alone where the template of branches names the channel. A channel that leaves no pull
    request, as TestPyPI, has no branch at the end of a release, and rests on none.
    """
    if trace == "branch":
        if "{channel}" in target.branch_template:
            return ()
        return tuple(each for each in _others(target) if "pull-request" in each.leaves)
    return tuple(each for each in _others(target) if trace in each.leaves and trace in target.channel.leaves)


def find_sharing_any(target: Target) -> tuple[Channel, ...]:
    """The other channels that share a trace with this one: whether they have published decides what may go."""
    shared = {each.name for trace in ("tag", "release", "branch") for each in find_sharing(target, trace)}
    return tuple(each for each in _others(target) if each.name in shared)


def _others(target: Target) -> tuple[Channel, ...]:
    return tuple(each for each in target.channels if each.name != target.channel.name)


class SharedFacts(IndexFacts):
    """What other channels rest on."""

    def find_dependents(self, trace: Shared, version: Version | None = None) -> tuple[str, ...]:
        """The other channels that rest on this version's trace: they share it, and their index has the version.

        Yanked files count. Of another `version` the releases are looked at that the page lists. Raises NotObserved
        where none is known to rest on it and the index of one could not be observed.
        """
        resting, missing = [], None
        for channel in find_sharing(self.target, trace):
            try:
                if self._has(channel.name, version):
                    resting.append(channel.name)
            except NotObserved as problem:
                missing = missing or problem
        if missing and not resting:
            raise missing
        return tuple(resting)

    def _has(self, channel: str, version: Version | None) -> bool:
        page = self.project_on(channel)
        if version is None or version == self.version:
            has, version = bool(page.files or page.catching_up), self.version
        else:
            has = any(Version(found.version) == version for found in page.releases)
        if not has:
            self.refuse_ambiguous(page, version, channel)
        return has
