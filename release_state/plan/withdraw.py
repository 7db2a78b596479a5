"""Withdraw a release: yank, then pull request, GitHub Release, branch and tag, where allowed (pure)."""

from __future__ import annotations

from release_state.facts.release import Release
from release_state.model.observation import NotObserved
from release_state.model.plan import Step
from release_state.plan.steps import branches, publication, pulls, releases, tags
from release_state.plan.steps.commands import find_out_first, leave_to_others, try_steps


class Withdrawal:
    """The steps that withdraw everything that can be withdrawn."""

    def __init__(self, release: Release) -> None:
        self.release = release

    def steps(self) -> list[Step]:
        """Every step, in order; only a new look-up while publication is unknown."""
        release, leaves = self.release, self.release.channel.leaves
        try:
            steps = publication.yank(release)
        except NotObserved as missing:
            # Whether it was published decides what may go at all: nothing goes before that is known.
            return [find_out_first(release, missing, "whether it was published")]
        if "pull-request" in leaves and release.snapshot.pulls.is_known:
            steps += try_steps(release, "whether to close its pull request", self._pulls)
        if "release" in leaves:
            steps += try_steps(release, "whether to delete a GitHub Release", self._releases)
        if release.snapshot.remote.is_known and release.branch:
            steps += try_steps(release, "whether to delete its branch", self._branch)
        if "tag" in leaves:
            steps += try_steps(release, "whether to delete the tag", self._tags)
        return steps

    def _pulls(self) -> list[Step]:
        release = self.release
        if release.open_pulls and (others := release.find_dependents("branch")):
            return [
                leave_to_others(release, f"pull request #{pull.number}", others, "pull-request")
                for pull in release.open_pulls
            ]
        return [pulls.close(release, pull) for pull in release.open_pulls]

    def _branch(self) -> list[Step]:
        release, leaves = self.release, self.release.channel.leaves
        if release.branch is None:
            return []
        others = release.find_dependents("branch")
        opened = release.open_pulls if "pull-request" in leaves and release.snapshot.pulls.is_known else ()
        if opened and others:
            return [leave_to_others(release, f"the branch {release.branch.name}", others, "branch")]
        closing = tuple(pull.number for pull in opened)
        return branches.delete(release, release.branch, closing=closing, others=others)

    def _releases(self) -> list[Step]:
        release = self.release
        known = release.snapshot.drafts.is_known
        drafts, others = (release.drafts, release.other_drafts) if known else ((), ())
        found = [*filter(None, [release.github_release]), *drafts]
        steps = [step for one in found for step in releases.delete(release, one)]
        return [
            *steps,
            *(
                step
                for one in (*release.other_releases, *others)
                for step in releases.handle_other_spelling(release, one)
            ),
        ]

    def _tags(self) -> list[Step]:
        release = self.release
        # Another spelling may be another project's habit, or somebody else's tag: it is shown, never deleted.
        spelled = release.other_tags_exactly
        steps = [tags.look_at(release, tag, "it names this version too") for tag in spelled]
        if spelled and not release.is_published and not release.find_dependents("tag"):
            steps += [tags.withdraw_other_spelling(release, tag.name) for tag in spelled]
        if release.tag is None:
            return steps
        if release.is_tag_removable:
            return [*steps, tags.fetch_object(release, release.tag), *tags.delete(release, release.tag)]
        others = () if release.is_published else release.find_dependents("tag")
        kept = [leave_to_others(release, f"the tag {release.tag.name}", others, "tag")] if others else []
        return [*steps, *kept, *tags.sync_local(release)]


def force(release: Release) -> list[Step]:
    """Delete every release branch, with a backup of each.

    None with an open pull request, and none that a published version still has to be merged from.
    """

    def steps() -> list[Step]:
        steps: list[Step] = []
        if release.branch:
            steps += branches.delete(release, release.branch, others=release.find_dependents("branch"))
        return [*steps, *branches.tidy_others(release, forced=True)]

    return try_steps(release, "which release branches to delete", steps)
