"""Withdrawing a release: yank, then pull request, GitHub Release, branch and tag, as far as each may go (pure)."""

from __future__ import annotations

from release_state.model import NotObserved
from release_state.plan import Step
from release_state.release import Release
from release_state.steps import branches, publication, pulls, releases, tags
from release_state.steps.commands import find_out, tried


class Withdrawal:
    """The steps after which nothing is left that could be withdrawn."""

    def __init__(self, release: Release) -> None:
        self.release = release

    def steps(self) -> list[Step]:
        """Every step, in order; none but the one that finds it out where publication is not known."""
        release, leaves = self.release, self.release.channel.leaves
        try:
            steps = publication.yank(release)
        except NotObserved as missing:
            # Whether it was published decides what may go at all: nothing goes before that is known.
            return [find_out(release, missing, "whether it was published")]
        closing: tuple[int, ...] = ()
        if "pull-request" in leaves and release.snapshot.pulls.is_known:
            closing = tuple(pull.number for pull in release.open_pulls)
            steps += [pulls.close(release, pull) for pull in release.open_pulls]
        if "release" in leaves:
            steps += tried(release, "whether a GitHub Release has to go", self._releases)
        if release.snapshot.remote.is_known and release.branch:
            steps += branches.delete(release, release.branch, closing=closing)
        if "tag" in leaves:
            steps += tried(release, "whether the tag has to go", self._tags)
        return steps

    def _releases(self) -> list[Step]:
        release = self.release
        found = [release.github_release] if release.github_release else []
        drafts = release.drafts if release.snapshot.drafts.is_known else ()
        return [step for one in (*found, *drafts) for step in releases.delete(release, one)]

    def _tags(self) -> list[Step]:
        release = self.release
        # Another spelling may be another project's habit, or somebody else's tag: it is shown, never deleted.
        steps = [tags.look(release, tag, "it equals the version too") for tag in release.other_tags_exactly]
        if release.tag is None:
            return steps
        if release.tag_may_go:
            return [*steps, tags.keep_object(release, release.tag), *tags.delete(release, release.tag)]
        return [*steps, *tags.agree(release)]


def force(release: Release) -> list[Step]:
    """Every branch that parses as a release branch, each saved before it is deleted; none with an open PR."""

    def steps() -> list[Step]:
        own = branches.delete(release, release.branch) if release.branch else []
        others = [(other.branch, other.state == "in use") for other in release.other_branches]
        kept = [branch for branch, in_use in others if not in_use]
        return [*own, *(step for branch in kept for step in branches.delete(release, branch, "other-branches"))]

    return tried(release, "which release branches can go", steps)
