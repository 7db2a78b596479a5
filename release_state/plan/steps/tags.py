"""Steps about existing tags, on the remote and in the clone; one gives a tag the version published from its commit."""

from __future__ import annotations

from msgspec import structs
from packaging.version import Version

from release_state.facts.origin import is_bound
from release_state.facts.release import Release
from release_state.model.plan import Loss, Mends, Step, step
from release_state.model.snapshot import GitHubRelease, Tag
from release_state.model.target import Target
from release_state.plan.steps.commands import (
    check_gone,
    check_holds,
    check_lacks,
    explain_start,
    fetch,
    gh,
    in_clone,
    push,
    suite_command,
)
from release_state.plan.steps.prerequisites import describe_siblings


def fetch_and_show(release: Release, tag: Tag) -> list[list[str]]:
    """The commands that fetch a tag of the remote and show its object."""
    return [fetch(release, f"refs/tags/{tag.name}"), ["git", "show", "--no-patch", tag.object]]


def look_at(release: Release, tag: Tag, reason: str) -> Step:
    """See who created a tag, when, and on which commit."""
    title = f"Check who created the tag {tag.name}, and on which commit"
    return step(title, *fetch_and_show(release, tag), mends="tag", reason=reason)


def name_backup(tag: Tag) -> str:
    """The ref that keeps a tag which is deleted or moved; nothing takes it for a tag."""
    return f"refs/backup/tags/{tag.name.replace('/', '-')}-{tag.object[:7]}"


def back_up(release: Release, tag: Tag, reason: str) -> Step:
    """Back up a tag of the remote there: its object may be signed, and nothing else may hold its commit."""
    backup = name_backup(tag)
    return step(
        f"Back up the tag {tag.name} to {backup}",
        *fetch_and_show(release, tag),
        push(release, f"{tag.object}:{backup}"),
        mends="tag",
        reason=reason,
        verify=[check_holds(release, backup, tag.object)],
    )


def delete(release: Release, tag: Tag) -> list[Step]:
    """Back up and delete a tag of the remote; only right if it is removable: the version is known to be unpublished."""
    ref, backup = f"refs/tags/{tag.name}", name_backup(tag)
    deletion = step(
        f"Delete the tag {tag.name} on the remote",
        # Without the backup's fetch, this push fails: git lacks the object that it names.
        push(release, f"{tag.object}:{backup}", f":{ref}", replacing=f"{ref}:{tag.object}"),
        mends="tag",
        reason=f"{release.version} is not published: nothing needs the tag, and the next run would count from it",
        precondition=f"{release.version} is still not published, and the tag is still {tag.object[:12]}"
        + describe_siblings(release, tag.name),
        destroys=f"tag {tag.name} (object {tag.object}, commit {tag.commit})",
        saves=f"it is backed up to {backup}",
        restore=[push(release, f"{tag.object}:{ref}")],
        verify=[check_lacks(release, ref)],
    )
    return [back_up(release, tag, f"it points to {tag.commit}"), deletion]


def set_aside(release: Release, local: Tag) -> list[list[str]]:
    """The commands that move a tag of the clone to its backup, if it is still what it was."""
    return [
        in_clone(release, "update-ref", name_backup(local), local.object),
        in_clone(release, "update-ref", "-d", f"refs/tags/{local.name}", local.object),
    ]


def delete_local(release: Release, tag: Tag) -> Step:
    """Delete a tag of the clone that the remote lacks."""
    return step(
        f"Delete the clone's tag {tag.name}",
        *set_aside(release, tag),
        mends="local-tag",
        reason="the remote has no such tag, and a push from this clone could create it",
        **describe_loss(tag),
        verify=[check_gone(*in_clone(release, "for-each-ref", f"refs/tags/{tag.name}"))],
    )


def sync_local(release: Release) -> list[Step]:
    """Replace tags of the clone by the remote's tags of the same names."""
    local_tags = release.local_tags if release.snapshot.clone.is_known else ()
    both = [(local, remote) for local in local_tags if (remote := release.remote.tag(local.name))]
    return [_replace_local(release, local, remote) for local, remote in both if local.object != remote.object]


def _replace_local(release: Release, local: Tag, remote: Tag) -> Step:
    ref = f"refs/tags/{remote.name}"
    return step(
        f"Replace the clone's tag {local.name} with the remote's",
        in_clone(release, *fetch(release, ref)[1:]),
        in_clone(release, "update-ref", name_backup(local), local.object),
        in_clone(release, "update-ref", ref, remote.object, local.object),
        mends="local-tag",
        reason=f"the clone has {local.commit[:12]}, the remote {remote.commit[:12]}, which everybody else sees",
        **describe_loss(local),
    )


def describe_loss(local: Tag | None) -> Loss:
    """What is lost with a tag of the clone, what keeps it, and what restores it; nothing without a tag."""
    if local is None:
        return {}
    return {
        "destroys": f"the clone's tag {local.name} (object {local.object}, commit {local.commit})",
        "saves": f"it is kept as {name_backup(local)}",
        "restore": [["git", "update-ref", f"refs/tags/{local.name}", local.object]],
    }


def judge_by_other_spelling(release: Release) -> list[Step]:
    """If the version's tag exists in other words or with other zeros: check the version by that tag."""
    target, version = release.target, release.version
    steps = [
        step(
            f"Check {version} by its tag {tag.name} before anything else",
            suite_command(other),
            mends="all",
            reason=f"{tag.name} names {version} too; {target.tag} would be a second tag of one version",
        )
        for tag in (release.other_tags_exactly if release.tag is None else ())
        if (other := _find_spelling(target, tag.name))
    ]
    return steps[:1]


def withdraw_other_spelling(release: Release, tag: str, *, mends: Mends = "tag", link: str | None = None) -> Step:
    """Withdraw what another spelling of the tag leaves, by a run that judges the version by that spelling."""
    other = _find_spelling(release.target, tag, by_template=True)
    return step(
        f"Check what is left under {tag}, and withdraw what nobody needs",
        *([suite_command(other, phase="rollback")] if other else []),
        mends=mends,
        reason=f"{tag} names {release.version} too; check another spelling by itself before you delete anything",
        link=link,
    )


def _find_spelling(target: Target, tag: str, *, by_template: bool = False) -> Target | None:
    """The same version as the tag spells it: `0.2.0-rc.1` for `0.2.0rc1`, `0.2.0` for `0.2`; None if it does not.

    With `by_template`, by another template too.
    """
    changes = [{}, {"tag_template": target.tag_template.replace("{version}", "{semver}")}]
    if spelling := target.parse_tag_spelling(tag):
        template, version = {"tag_template": spelling[0]}, {"version": str(spelling[1])}
        changes = [version, *changes[1:], *([template, template | version] if by_template else [])]
    found = {"process": structs.replace(target.process, tag=None)}
    given = {"given": tuple(dict.fromkeys((*target.given, "tag-template")))}
    others = (
        structs.replace(target, **{**found, **(given if "tag_template" in change else {}), **change})
        for change in changes
    )
    return next((other for other in others if other.tag == tag), None)


def rename(release: Release, tag: Tag, version: Version) -> list[Step]:
    """Tag the commit as the published version, move the GitHub Release there, and delete the wrong tag.

    The wrong tag and its GitHub Release stay if they must: immutable, or needed by another channel.
    """
    process = structs.replace(release.target.process, tag=None)
    target = structs.replace(release.target, version=str(version), process=process)
    found = release.github_release if "release" in release.channel.leaves else None
    steps = [_tag_as(release, tag, target.tag, version)]
    if not is_bound(release):
        steps += [_move_release(release, found, target.tag, version)] if found else []
        steps += delete(release, tag) if release.is_tag_removable else []
    title = f"Check {version}, which was published; {release.version} is not to be released"
    return [*steps, step(title, suite_command(target), reason="its tag and its GitHub Release are in place by then")]


def _tag_as(release: Release, tag: Tag, name: str, version: Version) -> Step:
    ref = f"refs/tags/{name}"
    return step(
        f"Tag {tag.commit[:12]}, the commit of {tag.name}, as {name}",
        fetch(release, f"refs/tags/{tag.name}"),
        ["git", "tag", "--annotate", name, tag.commit, "--message", f"Release {name}"],
        push(release, ref),
        mends="tag",
        reason=f"this commit declares {version} and holds its published files{explain_start(release, 'tag')}: a run "
        f"that it starts can upload nothing new, {version} is there",
        verify=[check_holds(release, f"{ref}^{{}}", tag.commit)],
    )


def _move_release(release: Release, found: GitHubRelease, name: str, version: Version) -> Step:
    return step(
        f"Move the GitHub Release {found.tag} to {name}",
        gh(release, "release", "edit", found.tag, "--tag", name, "--title", name),
        mends="release",
        reason=f"it announces what was published as {version}; correct what its notes call {release.version}",
        precondition=f"GitHub has no release of {name} yet",
        link=found.html_url,
        verify=[gh(release, "release", "view", name)],
    )
