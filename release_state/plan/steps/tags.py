"""Steps about tags, on the remote and in the clone."""

from __future__ import annotations

from release_state.common.text import quote_or_explain
from release_state.facts.origin import (
    find_best_match,
    find_commit_to_tag,
    find_on_base,
    holds_tag_forever,
    is_misplaced,
    is_pushed,
)
from release_state.facts.release import Release
from release_state.model.plan import Mends, Step, step
from release_state.model.snapshot import Candidate, Tag
from release_state.model.target import Target
from release_state.plan.steps import names
from release_state.plan.steps import origin as origin_steps
from release_state.plan.steps.commands import (
    FETCH,
    PUSH,
    ask_others_first,
    check_gone,
    check_holds,
    check_lacks,
    in_clone,
    name_remote,
    push_replacing,
    suite_command,
)


def look_at(release: Release, tag: Tag, reason: str) -> Step:
    """See who made a tag, when, and of which commit."""
    return step(
        f"Check who created the tag {tag.name}, and on which commit",
        [*FETCH, name_remote(release), f"refs/tags/{tag.name}"],
        ["git", "show", "--no-patch", tag.object],
        mends="tag",
        reason=reason,
    )


def delete(release: Release, tag: Tag) -> list[Step]:
    """Delete a tag of the remote; only for a version that is known not to be published.

    Raises NotObserved where that is not known.
    """
    if not release.is_tag_removable:
        return []
    return [
        step(
            f"Delete the tag {tag.name} on the remote",
            push_replacing(release, f"refs/tags/{tag.name}", tag.object, f":refs/tags/{tag.name}"),
            mends="tag",
            reason=f"{release.version} is not published: nothing needs the tag, and the next run would count from it",
            precondition=f"{release.version} is still not published, and the tag is still {tag.object[:12]}",
            destroys=f"tag {tag.name} (object {tag.object}, commit {tag.commit})",
            saves="a clone that has fetched it restores it: "
            + quote_or_explain([*PUSH, name_remote(release), f"{tag.object}:refs/tags/{tag.name}"]),
            verify=[check_lacks(release, f"refs/tags/{tag.name}")],
        )
    ]


def fetch_object(release: Release, tag: Tag) -> Step:
    """Fetch a tag before it is deleted, so that its object can be pushed again."""
    return step(
        f"Fetch the tag {tag.name}, and note its target",
        [*FETCH, name_remote(release), f"refs/tags/{tag.name}"],
        ["git", "show", "--no-patch", tag.object],
        mends="tag",
        reason=f"it points to {tag.commit}; a clone that has the object can push it again",
    )


def delete_local(release: Release, tag: Tag) -> Step:
    """Delete a tag of the clone that the remote does not have."""
    return step(
        f"Delete the clone's tag {tag.name}",
        in_clone(release, "update-ref", "-d", f"refs/tags/{tag.name}", tag.object),
        mends="local-tag",
        reason="the remote has no such tag, and a push from this clone could create it",
        destroys=f"the clone's tag {tag.name} (object {tag.object}, commit {tag.commit})",
        saves=f"restore it with: {_restored(tag)}",
        verify=[check_gone(*in_clone(release, "for-each-ref", f"refs/tags/{tag.name}"))],
    )


def refresh_local(release: Release, local: Tag, there: Tag) -> Step:
    """Take the remote's tag into a clone that has another one of the same name."""
    return step(
        f"Replace the clone's tag {local.name} with the remote's",
        in_clone(release, *FETCH[1:], name_remote(release), f"+refs/tags/{there.name}:refs/tags/{there.name}"),
        mends="local-tag",
        reason=f"the clone has {local.commit[:12]}, the remote {there.commit[:12]}, which everybody else sees",
        **_replaced(local),
    )


def settle(release: Release) -> list[Step]:
    """Bring about the right tag on the remote, and the same in the clone."""
    if release.tag is None:
        return [*sync_local(release), *names.put_room_first(names.make_room_for_tag(release), create(release))]
    if is_misplaced(release):
        found = find_best_match(release)
        may_move = found is not None and not holds_tag_forever(release) and not release.unfinished_runs
        if not (found and may_move):
            return sync_local(release)
        if others := release.find_dependents("tag"):
            why = "it may have been published from the commit that the tag is on"
            return [ask_others_first(release, others, f"the tag {release.tag.name}", why)]
        return move(release, release.tag, found)
    return sync_local(release)


def judge_by_other_spelling(release: Release) -> list[Step]:
    """Where the version's tag is there in other words or with other zeros: how to judge the version by that one."""
    target = release.target
    for tag in release.other_tags_exactly if release.tag is None else ():
        if other := _by_its_words(target, tag.name):
            return [
                step(
                    f"Check {release.version} by its tag {tag.name} before anything else",
                    suite_command(other),
                    mends="all",
                    reason=f"{tag.name} names {release.version} too; {target.tag} would be a second tag of one version",
                )
            ]
    return []


def withdraw_other_spelling(release: Release, tag: str, *, mends: Mends = "tag", link: str | None = None) -> Step:
    """Withdraw what another spelling of the tag leaves: by a run that judges the version by that spelling."""
    target = release.target
    spelling = target.parse_tag_spelling(tag)
    template = spelling[0] if spelling else target.tag_template
    changes = ({"tag_template": template}, {"tag_template": template, "version": str(spelling[1] if spelling else "")})
    others = (target.model_copy(update=change) for change in changes if spelling)
    other = _by_its_words(target, tag) or next((each for each in others if each.tag == tag), None)
    return step(
        f"Check what is left under {tag}, and withdraw what nobody needs",
        *([suite_command(other, phase="rollback")] if other else []),
        mends=mends,
        reason=f"{tag} names {release.version} too; check another spelling by itself before you delete anything",
        link=link,
    )


def _by_its_words(target: Target, tag: str) -> Target | None:
    """The same version, as a tag by the same template spells it: `0.2.0-rc.1` for `0.2.0rc1`, `0.2.0` for `0.2`."""
    semantic = {"tag_template": target.tag_template.replace("{version}", "{semver}")}
    spelling = target.parse_tag_spelling(tag)
    zeros = {"version": str(spelling[1])} if spelling else {}
    others = (target.model_copy(update=change) for change in (zeros, semantic))
    return next((other for other in others if other.tag == tag), None)


def sync_local(release: Release) -> list[Step]:
    """Take the remote's tags of the version into a clone that has others of the same names."""
    mine = release.local_tags if release.snapshot.clone.is_known else ()
    both = [(local, there) for local in mine if (there := release.remote.tag(local.name))]
    return [refresh_local(release, local, there) for local, there in both if local.object != there.object]


def create(release: Release) -> list[Step]:
    """Tag the commit that was published: what its files show, else what the refs leave; or find out which it was."""
    tag = release.target.tag
    local = release.local_tag if release.snapshot.clone.is_known else None
    found = release.published_from if release.is_published else ()
    if local is not None and is_pushed(release, local):
        return [_push_local(release, local, found)]
    if found:
        return _tag_origin(release, found, local)
    if left := find_commit_to_tag(release):
        return [
            step(
                f"Tag {left.sha[:12]}, {left.what}, as {tag}",
                *_tagging(release, left.sha, left.ref),
                mends="tag",
                reason="the version is published, and this commit is the only trace of its source",
                verify=[_tagged(release, left.sha)],
            )
        ]
    return [
        step(
            "Find the commit that was published",
            [*FETCH, name_remote(release), f"refs/heads/{release.base_branch}"],
            ["git", "log", "--oneline", "-G", f"version.*{release.version}", "FETCH_HEAD", "--", "pyproject.toml"],
            mends="tag",
            reason="the version is published, and no ref shows its commit: compare the published files with the "
            "tree of each candidate before tagging one",
        )
    ]


def _push_local(release: Release, local: Tag, found: tuple[Candidate, ...]) -> Step:
    tag = release.target.tag
    fitting = next((candidate for candidate in found if candidate.sha == local.commit), None)
    precondition = None
    if fitting:
        doubt, reason = "", f"; {origin_steps.describe_fit(release, fitting)}"
    else:
        doubt, reason = ", if it is on the published commit", ""
        precondition = "you know that it is: a fetched tag is hard to move"
        if found:
            best = f"{found[0].sha[:12]}, {found[0].what}: {origin_steps.describe_fit(release, found[0])}"
            reason = f"; that commit could not be compared with the published files; the best other match is {best}"
    return step(
        f"Push the clone's tag {tag}{doubt}",
        in_clone(release, "show", "--no-patch", local.object),
        in_clone(release, *PUSH[1:], name_remote(release), f"refs/tags/{tag}"),
        mends="tag",
        precondition=precondition,
        reason=f"the clone has it, on {local.commit[:12]}; the remote lacks it{reason}",
        verify=[check_holds(release, f"refs/tags/{tag}", local.object)],
    )


def _tag_origin(release: Release, found: tuple[Candidate, ...], local: Tag | None) -> list[Step]:
    """Tag the commit that fits the published files best; several that fit alike hold the same files."""
    chosen, tag = found[0], release.target.tag
    certain = release.holds_published(chosen)
    title = f"Tag {chosen.sha[:12]}, {chosen.what}, as {tag}"
    lost: dict[str, str] = {} if local is None else _replaced(local)
    return [
        step(
            title if certain else f"{title}, unless you know a better match",
            *_tagging(release, chosen.sha, chosen.ref or chosen.sha, replaces=local is not None),
            mends="tag",
            precondition=None if certain else "you know no better match: a fetched tag is hard to move",
            reason=origin_steps.explain_choice(release, chosen, found),
            verify=[_tagged(release, chosen.sha)],
            **lost,
        ),
        *_history(release, chosen),
    ]


def _replaced(local: Tag) -> dict[str, str]:
    """What is lost with a tag of the clone, and what brings it back."""
    return {
        "destroys": f"the clone's own tag {local.name} (object {local.object}, commit {local.commit})",
        "saves": f"restore it with: {_restored(local)}",
    }


def _restored(tag: Tag) -> str:
    """The command that brings a tag of the clone back."""
    return quote_or_explain(["git", "update-ref", f"refs/tags/{tag.name}", tag.object])


def _history(release: Release, chosen: Candidate) -> list[Step]:
    return [] if chosen.on_base or not find_on_base(release) else [origin_steps.bring_into_history(release)]


def _tagging(release: Release, sha: str, ref: str, *, replaces: bool = False) -> list[list[str]]:
    tag = release.target.tag
    force = ["--force"] if replaces else []
    return [
        [*FETCH, name_remote(release), ref],
        ["git", "tag", *force, "--annotate", tag, sha, "--message", f"Release {tag}"],
        [*PUSH, name_remote(release), f"refs/tags/{tag}"],
    ]


def _tagged(release: Release, sha: str) -> list[str]:
    """The command that succeeds only if the remote's annotated tag is on this commit."""
    return check_holds(release, f"refs/tags/{release.target.tag}^{{}}", sha)


def move(release: Release, tag: Tag, chosen: Candidate) -> list[Step]:
    """Move a published version's tag to the commit that its files were built from; where it was is kept first.

    Only for a tag on a commit of another version, that no immutable GitHub Release holds.
    """
    ref, kept = f"refs/tags/{tag.name}", f"refs/backup/tags/{tag.name}-{tag.object[:7]}"
    local = release.local_tag if release.snapshot.clone.is_known else None
    own = local if local and local.object != tag.object else None
    destroys = f"the tag {tag.name} at {tag.commit} (object {tag.object}); clones that fetched it keep the old one"
    back = [*PUSH, "--force", name_remote(release), f"{tag.object}:refs/tags/{tag.name}"]
    saves = f"it is backed up to {kept}; restore it with: {quote_or_explain(back)}"
    if own:
        destroys += f"; and the clone's own tag {own.name} (object {own.object}, commit {own.commit})"
        saves += f"; the clone's with: {_restored(own)}"
    return [
        step(
            f"Back up the tag {tag.name} to {kept}",
            [*FETCH, name_remote(release), f"refs/tags/{tag.name}"],
            ["git", "show", "--no-patch", tag.object],
            [*PUSH, name_remote(release), f"{tag.object}:{kept}"],
            mends="tag",
            reason=f"it points to {tag.commit}, a commit of another version",
            verify=[check_holds(release, kept, tag.object)],
        ),
        step(
            f"Move the tag {tag.name} to {chosen.sha[:12]}, {chosen.what}",
            [*FETCH, name_remote(release), chosen.ref or chosen.sha],
            ["git", "tag", "--force", "--annotate", tag.name, chosen.sha, "--message", f"Release {tag.name}"],
            push_replacing(release, ref, tag.object, f"{tag.object}:{kept}", ref),
            mends="tag",
            reason=origin_steps.explain_choice(release, chosen, release.published_from),
            precondition=f"the tag is still {tag.object[:12]}, and its GitHub Release is not immutable",
            destroys=destroys,
            saves=saves,
            verify=[_tagged(release, chosen.sha)],
        ),
        *_history(release, chosen),
    ]
