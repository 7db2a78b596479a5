"""Complete a release: files, tag, pull request, GitHub Release, branch (pure)."""

from __future__ import annotations

from release_state.facts.origin import explain_closed, find_ref_to_build, find_sdist_for_wheel, is_branch_leftover
from release_state.facts.release import Release
from release_state.model.plan import Step
from release_state.plan.steps import branches, names, publication, pulls, releases, tags
from release_state.plan.steps.commands import try_steps


class Completion:
    """The steps from the current state to a complete release."""

    def __init__(self, release: Release) -> None:
        self.release = release

    def steps(self) -> list[Step]:
        """Every step, in order; a step that looks up again replaces what depends on a failed look-up."""
        release, leaves = self.release, self.release.channel.leaves
        if "tag" in leaves and (
            otherwise := try_steps(release, "how it is tagged", lambda: tags.judge_by_other_spelling(release))
        ):
            return otherwise
        tag = try_steps(release, "how to tag it", self._tag) if "tag" in leaves else []
        publish = try_steps(release, "what to publish", lambda: self._publish(tag))
        # What is missing of a publication may have to be built from the tag that it gets.
        steps = [*tag, *publish] if release.traces()["index"] else [*publish, *tag]
        if "pull-request" in leaves:
            steps += try_steps(release, "whether a pull request is needed", self._pull)
        if "release" in leaves:
            steps += try_steps(release, "whether a GitHub Release is missing", lambda: self._release(tag))
        if any(step.mends == "all" for step in tag):
            return steps  # its branch may be where the commit is found that the tag belongs on
        return [*steps, *try_steps(release, "whether to delete its branch", self._left_branch)]

    def _publish(self, tagging: list[Step]) -> list[Step]:
        release = self.release
        yanked = [publication.unyank(release)] if any(file.yanked for file in release.files) else []
        coming = [publication.wait_for_index(release)] if release.catching_up else []
        missing = release.missing_kinds
        if not missing:
            return [*coming, *yanked]
        if closed := explain_closed(release):
            return [*yanked, publication.next_version(release, closed)]
        if sdist := find_sdist_for_wheel(release):
            return [*yanked, publication.wheel_from_sdist(release, sdist)]
        if not release.is_published:
            tag = next(iter(release.version_tags), None)
            source = tag.name if tag and not release.builds_another_version(tag) else None
        elif any(step.mends == "all" for step in tagging):
            return yanked  # the tag that it would be built from is not settled
        else:
            source = find_ref_to_build(release)
        if source is None:
            why = f"missing: {', '.join(missing)}, and there is no known source to build them from"
            return [publication.next_version(release, why), *yanked]
        return [publication.publish_from(release, source), *yanked]

    def _tag(self) -> list[Step]:
        return tags.settle(self.release)

    def _pull(self) -> list[Step]:
        release = self.release
        if release.pull is None:
            return pulls.create(release)
        if not release.pull.is_open or release.branch:
            return []
        return names.put_room_first(names.make_room_for_branch(release), [pulls.recreate_head(release, release.pull)])

    def _release(self, tagging: list[Step]) -> list[Step]:
        release = self.release
        if release.github_release is None:
            # Without its tag GitHub would make one itself, wherever the base branch is then.
            pushed = {line[-1] for step in tagging for line in step.commands if "push" in line}
            is_there = release.tag is not None or f"refs/tags/{release.target.tag}" in pushed
            return releases.create(release) if is_there else []
        steps = releases.fix(release, release.github_release)
        return [*steps, *try_steps(release, "whether to delete its draft", self._drafts)]

    def _drafts(self) -> list[Step]:
        release = self.release
        if not release.snapshot.drafts.is_known:
            return []
        steps = [step for draft in release.drafts for step in releases.delete(release, draft)]
        return [*steps, *(releases.look_at(draft) for draft in release.other_drafts)]

    def _left_branch(self) -> list[Step]:
        release = self.release
        branch, has_pulls = release.branch, "pull-request" in release.channel.leaves
        if branch is None or (has_pulls and not is_branch_leftover(release)):
            return []
        # With a pull request, nothing is to come of the branch for whoever shares it.
        return branches.delete(release, branch, others=() if has_pulls else release.find_dependents("branch"))
