"""Steps that make room for a ref that git refuses to create next to another (pure)."""

from __future__ import annotations

from release_state.facts.release import Release
from release_state.model.observation import NotObserved
from release_state.model.plan import Mends, Step, step
from release_state.model.snapshot import Branch, Tag
from release_state.plan.steps.commands import check_holds, check_lacks, fetch, push, show_pull
from release_state.plan.steps.prerequisites import find_out_first
from release_state.plan.steps.tags import describe_loss, set_aside


def make_room_for_branch(release: Release) -> list[Step]:
    """Make room for the release branch of this version."""
    return [_move_branch(release, branch) for branch in release.conflicting_branches]


def make_room_for_tag(release: Release) -> list[Step]:
    """Make room for the tag of this version, on the remote and in the clone."""
    steps = [_move_tag(release, tag) for tag in release.conflicting_tags]
    return [*steps, *(_move_local_tag(release, tag) for tag in release.conflicting_local_tags)]


def put_room_first(room: list[Step], steps: list[Step]) -> list[Step]:
    """The steps after those that make room for them; left out if no room can be made yet."""
    return [*room, *steps] if all(each.destroys for each in room) else room


def _move_branch(release: Release, branch: Branch) -> Step:
    name, own = branch.name, release.target.release_branch
    if release.target.is_lasting(name, release.remote.default_branch):
        return step(
            f"Give the workflow's release branches other names, and set --branch-template: {name} stays",
            mends="branch",
            reason=f"git cannot have {own} next to the branch {name}, and releases start from that branch",
        )
    try:
        pulls = [*release.find_open_pulls_from(name), *release.find_pulls_into(name)]
        runs = release.unfinished_runs
    except NotObserved as missing:
        return find_out_first(release, missing, f"whether {name} can be renamed")
    if pulls or runs:
        what = f"pull request #{pulls[0].number} needs it" if pulls else "a release run is in progress"
        return step(
            f"First merge or close what needs the branch {name}, then run this again",
            *(show_pull(release, pull.number) for pull in pulls[:1]),
            mends="branch",
            reason=f"git cannot have {own} next to it, and it cannot be renamed now: {what}",
        )
    return _rename(release, "heads", name, branch.sha, branch.sha, own, "branch")


def _move_tag(release: Release, tag: Tag) -> Step:
    try:
        found, runs = release.find_release(tag.name), release.unfinished_runs
    except NotObserved as missing:
        return find_out_first(release, missing, f"whether the tag {tag.name} can be renamed")
    if found or runs:
        what = "a GitHub Release uses it" if found else "a release run is in progress"
        return step(
            f"Decide what happens to the tag {tag.name}, or rename the workflow's tags and set --tag-template",
            mends="tag",
            reason=f"git cannot have {release.target.tag} next to it, and it cannot be renamed now: {what}",
            link=found.html_url if found else None,
        )
    return _rename(release, "tags", tag.name, tag.object, tag.commit, release.target.tag, "tag")


def _rename(release: Release, kind: str, name: str, held: str, commit: str, own: str, mends: Mends) -> Step:
    old, flat = f"refs/{kind}/{name}", f"{name.replace('/', '-')}-{held[:7]}"
    # A tag of any name may be read as a version, or be what `git describe` finds.
    new = f"refs/heads/kept-{flat}" if kind == "heads" else f"refs/backup/tags/{flat}"
    noun = "branch" if kind == "heads" else "tag"
    return step(
        f"Rename the {noun} {name} to {new.removeprefix('refs/heads/')}: git cannot have {own} next to it",
        fetch(release, old),
        push(release, f"{held}:{new}", f":{old}", replacing=f"{old}:{held}"),
        mends=mends,
        reason="a ref is a file or a folder, never both",
        precondition=f"nobody needs the name {name}, and it is still at {commit[:12]}",
        destroys=f"the name {name} of {commit} (object {held})",
        saves=f"nothing is lost: it is kept as {new}",
        verify=[check_holds(release, new, held), check_lacks(release, old)],
    )


def _move_local_tag(release: Release, tag: Tag) -> Step:
    return step(
        f"Move the clone's tag {tag.name} aside: git cannot have {release.target.tag} next to it",
        *set_aside(release, tag),
        mends="local-tag",
        reason="a ref is a file or a folder, never both: git tag and git fetch would fail",
        **describe_loss(tag),
    )
