"""Steps that put the version's tag on the published commit: create it, move it, bring it into the base's history."""

from __future__ import annotations

from functools import partial

from packaging.version import Version

from release_state.common.text import join_items
from release_state.facts import origin
from release_state.facts.release import Release
from release_state.model.observation import value_or
from release_state.model.plan import Step, step
from release_state.model.snapshot import Candidate, Tag
from release_state.model.target import read_version
from release_state.plan.steps import conflicts, tags
from release_state.plan.steps.commands import (
    PUSH,
    check_holds,
    explain_start,
    fetch,
    gh,
    in_clone,
    pick_free_branch,
    push,
)
from release_state.plan.steps.prerequisites import ask_others_first, describe_siblings

_tag_step = partial(step, mends="tag")


def fix(release: Release) -> list[Step]:
    """Put the right tag on the remote, and the same in the clone."""
    if release.tag is None:
        room = conflicts.make_room_for_tag(release)
        return [*tags.sync_local(release), *conflicts.put_room_first(room, create(release))]
    best = origin.find_best_match(release) if origin.is_misplaced(release) else None
    if best is None or origin.holds_tag_forever(release) or release.unfinished_runs:
        return tags.sync_local(release)
    if others := release.find_holders("tag"):
        why = "it may have been published from the commit that the tag is on"
        return [ask_others_first(release, others, f"the tag {release.tag.name}", why)]
    return _move(release, release.tag, best)


def create(release: Release) -> list[Step]:
    """Tag the published commit: the one that its files show, else the one that the refs leave; or find it."""
    tag = release.target.tag
    local = release.local_tag if release.snapshot.clone.is_known else None
    candidates = release.published_from if release.is_published else ()
    if local is not None and origin.is_pushed(release, local):
        return [_push_local(release, local, candidates)]
    if candidates:
        return _tag_best_match(release, candidates, local)
    if commit := origin.find_commit_to_tag(release):
        tag_it = _tag_step(
            f"Tag {commit.sha[:12]}, {commit.what}, as {tag}",
            *tag_and_push(release, commit.sha, commit.ref, replaced=local),
            reason="the version is published, and this commit is the only trace of its source"
            + explain_start(release, "tag"),
            verify=[check_tag(release, commit.sha)],
            **tags.describe_loss(local),
        )
        return [tag_it]
    inner = value_or("", lambda: release.lineage(release.base_head).package_folder)
    find_it = _tag_step(
        "Find the commit that was published",
        fetch(release, f"refs/heads/{release.base_branch}"),
        ["git", "log", "--oneline", "-G", f"version.*{release.version}", "FETCH_HEAD", "--", f"{inner}pyproject.toml"],
        reason="the version is published, and no ref shows its commit: compare the published files with the "
        "tree of each candidate before tagging one",
    )
    return [find_it]


def _push_local(release: Release, local: Tag, candidates: tuple[Candidate, ...]) -> Step:
    tag = release.target.tag
    fitting = next((candidate for candidate in candidates if candidate.sha == local.commit), None)
    reason = ""
    if fitting:
        reason = f"; {describe_fit(release, fitting)}"
    elif candidates:
        best = f"{candidates[0].sha[:12]}, {candidates[0].what}: {describe_fit(release, candidates[0])}"
        reason = f"; that commit could not be compared with the published files; the best other match is {best}"
    return _tag_step(
        f"Push the clone's tag {tag}{'' if fitting else ', if it is on the published commit'}",
        in_clone(release, "show", "--no-patch", local.object),
        in_clone(release, *push(release, f"refs/tags/{tag}")[1:]),
        precondition=None if fitting else "you know that it is: a fetched tag is hard to move",
        reason=f"the clone has it, on {local.commit[:12]}; the remote lacks it{reason}{explain_start(release, 'tag')}",
        verify=[check_holds(release, f"refs/tags/{tag}", local.object)],
    )


def _tag_best_match(release: Release, candidates: tuple[Candidate, ...], local: Tag | None) -> list[Step]:
    """Tag the commit that best matches the published files; equal matches hold the same files."""
    best = candidates[0]
    is_certain = release.holds_published(best)
    title = f"Tag {best.sha[:12]}, {best.what}, as {release.target.tag}"
    return [
        _tag_step(
            title if is_certain else f"{title}, unless you know a better match",
            *tag_and_push(release, best.sha, best.ref or best.sha, replaced=local),
            precondition=None if is_certain else "you know no better match: a fetched tag is hard to move",
            reason=_explain_choice(release, best, candidates) + explain_start(release, "tag"),
            verify=[check_tag(release, best.sha)],
            **tags.describe_loss(local),
        ),
        *_bring_into_history(release, best),
    ]


def tag_and_push(release: Release, sha: str, ref: str, *, replaced: Tag | None = None) -> list[list[str]]:
    """Return the commands that fetch a commit, tag it in the clone instead of what has the name there, and push it."""
    return [*_tag_in_clone(release, sha, ref, replaced), push(release, f"refs/tags/{release.target.tag}")]


def _tag_in_clone(release: Release, sha: str, ref: str, replaced: Tag | None) -> list[list[str]]:
    tag = release.target.tag
    aside = tags.set_aside(release, replaced) if replaced else []
    return [fetch(release, ref), *aside, ["git", "tag", "--annotate", tag, sha, "--message", f"Release {tag}"]]


def check_tag(release: Release, sha: str) -> list[str]:
    """The command that succeeds only if the remote's annotated tag is on this commit."""
    return check_holds(release, f"refs/tags/{release.target.tag}^{{}}", sha)


def _move(release: Release, tag: Tag, chosen: Candidate) -> list[Step]:
    """Move a published version's tag to the commit that its files were built from, with a backup of the old one.

    Only right for a misplaced tag that no immutable GitHub Release holds.
    """
    ref, backup = f"refs/tags/{tag.name}", tags.name_backup(tag)
    local = release.local_tag if release.snapshot.clone.is_known else None
    restore = [push(release, f"{tag.object}:{ref}", force=True)]
    destroys = f"the tag {tag.name} at {tag.commit} (object {tag.object}); clones that fetched it keep the old one"
    saves = f"it is backed up to {backup}"
    if local and local.object != tag.object:
        loss = tags.describe_loss(local)
        destroys += f"; and {loss['destroys']}"
        saves += f"; the clone's is kept as {tags.name_backup(local)}"
        restore += loss["restore"]
    return [
        tags.back_up(release, tag, f"it points to {tag.commit}, {origin.explain_misplaced(release)}"),
        _tag_step(
            f"Move the tag {tag.name} to {chosen.sha[:12]}, {chosen.what}",
            *_tag_in_clone(release, chosen.sha, chosen.ref or chosen.sha, local),
            push(release, f"{tag.object}:{backup}", ref, replacing=f"{ref}:{tag.object}"),
            reason=_explain_choice(release, chosen, release.published_from) + explain_start(release, "tag"),
            precondition=f"the tag is still {tag.object[:12]}, and its GitHub Release is not immutable"
            + describe_siblings(release, tag.name),
            destroys=destroys,
            saves=saves,
            restore=restore,
            verify=[check_tag(release, chosen.sha)],
        ),
        *_bring_into_history(release, chosen),
    ]


def describe_fit(release: Release, candidate: Candidate) -> str:
    """How well a commit matches the published files."""
    found = release.snapshot.published.value
    if found is None or found.file is None:
        return ""
    compared = found.compared - candidate.left_out
    count = "all" if candidate.equal == compared else f"{candidate.equal} of"
    text = f"{count} {compared} files of {found.file} match"
    if candidate.differing:
        text += f"; different: {join_items(candidate.differing, total=candidate.differing_count)}"
    if candidate.absent:
        text += f"; missing: {join_items(candidate.absent, total=candidate.absent_count)}"
    return text


def _explain_choice(release: Release, chosen: Candidate, alike: tuple[Candidate, ...]) -> str:
    """Why to tag this commit, which others fit, and what the tag does to the next version."""
    base, published, sentences = release.base_branch, release.snapshot.published.value, [describe_fit(release, chosen)]
    if len(alike) > 1:
        others = join_items(f"{other.sha[:12]}, {other.what}" for other in alike[1:])
        sentences.append(f"commit {others} fits just as well" + (f", beside {base}" if chosen.on_base else ""))
    sentences += [
        f"{tag.name} is on it too, and {version} was never published: check {version} to move its GitHub Release here"
        for tag in release.remote.tags
        if tag.commit == chosen.sha and (version := _find_misnamed(release, tag)) is not None
    ]
    if attested_commit := published.provenance_commit if published else None:
        another = f"another commit, {attested_commit[:12]}: check that one first"
        words = "the same commit" if attested_commit == chosen.sha else another
        sentences.append(f"the index's attestation (not verified here) names {words}")
    if not chosen.on_base:
        sentences.append(
            f"it is not in the history of {base}: a tool that reads that history, such as "
            f"python-semantic-release, does not see this tag, counts from an older one and can compute "
            f"{release.version} again"
        )
        if other := origin.find_on_base(release):
            unlike = (*other.differing, *other.absent)
            count = other.differing_count + other.absent_count
            sentences.append(
                f"the alternative, {other.sha[:12]}, {other.what}, would fix that, but its files are not what was "
                f"published: {join_items(unlike, total=count)} differ{'s' * (count == 1)}. Tag the published "
                "commit: a tag on other content misleads forever, while the history can be fixed: see the next step"
            )
    return ". ".join(sentence[:1].upper() + sentence[1:] for sentence in sentences if sentence)


def _find_misnamed(release: Release, tag: Tag) -> Version | None:
    """The version that a tag names, if the index has no file of it; None otherwise."""
    version = release.target.parse_tag(tag.name)
    offered = {read_version(each.version) for each in release.project.releases}
    return version if version is not None and version not in {release.version, *offered} else None


_BODY = "No file changes. Merge with a merge commit: a squash or rebase has no effect."


def _bring_into_history(release: Release, chosen: Candidate) -> list[Step]:
    """Bring a tag beside the base branch into its history without a change to any file, where that helps."""
    if chosen.on_base or not origin.find_on_base(release):
        return []
    target, base = release.target, release.base_branch
    folder = f"{target.name}-{release.version}-history"
    branch = pick_free_branch(release, f"history/{target.tag}", f"history-of-{target.tag.replace('/', '-')}")
    task = f"bring {target.tag} into the history of {base}"
    title, message = f"B{task[1:]}", f"chore: {task}"
    return [
        _tag_step(
            f"Before the next release: {task}, in an empty folder",
            ["git", "clone", "--branch", base, "--origin", "origin", target.remote_url, folder],
            ["git", "-C", folder, "switch", "--create", branch],
            ["git", "-C", folder, "merge", "--no-ff", "--strategy", "ours", "--message", message, target.tag],
            ["git", "-C", folder, *PUSH[1:], "origin", f"refs/heads/{branch}"],
            gh(release, "pr", "create", "--base", base, "--head", branch, "--title", title, "--body", _BODY),
            in_empty_folder=True,
            reason=f"the next version is then computed from {target.tag}; no file in {base} changes. Merge the "
            "pull request with a merge commit: a squash or rebase has no effect",
            advice=True,
        )
    ]
