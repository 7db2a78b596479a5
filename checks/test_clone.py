"""The clone beyond its working tree: what makes a release from it, or a printed command in it, go wrong."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from packaging.utils import parse_sdist_filename, parse_wheel_filename

from release_state.common.text import listing
from release_state.facts.release import Release
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.model.snapshot import Clone
from release_state.model.target import repository_of
from release_state.plan.recovery import Recovery
from release_state.plan.steps.commands import in_clone
from release_state.verdict.check import check

_WHOLE = ("fetch", "--no-prune", "--unshallow", "--tags")
COMMITTING = {"commit", "merge", "cherry-pick", "rebase", "revert", "am"}


def the_clone(release: Release) -> Clone:
    """The clone; ends the check where there is none."""
    if release.clone is None:
        raise NotApplicable("no clone is looked at")
    return release.clone


@pytest.mark.pre_release
@check("CLONE-5", reads=["clone"], advice=True)
def test_clone_has_the_whole_history(release: Release) -> None:
    """The clone has the whole history.

    In a shallow clone, which CI makes by default, the tags and commits that the next version is worked out from are
    missing: tools then start anew from 0.0.0 or 1.0.0. A workflow wants `fetch-depth: 0`. The suite's own calculation
    does not hang on the clone.
    """
    if the_clone(release).shallow:
        raise ActionNeeded(
            expected="every commit and tag",
            found="a shallow clone: its history is cut off",
            why="a version that is worked out in it counts from the wrong tag, or from none",
            steps=[step("Fetch the rest", in_clone(release, *_WHOLE, release.target.remote))],
        )


@pytest.mark.pre_release
@check("CLONE-6", reads=["clone", "repository"], advice=True)
def test_clone_is_of_the_repository_itself(release: Release) -> None:
    """The clone's remote is the repository that releases are made from, and that is no fork.

    A fork has its own tags, branches and Actions. Where the remote's URL names another repository on GitHub than the
    one that is looked at, or GitHub calls that one a fork, a release would be made, or judged, in the wrong place. The
    former name of a renamed repository still works; `git remote set-url` brings it up to date.
    """
    clone, target = the_clone(release), release.target
    if clone.remote_url is None:
        raise NotApplicable(f"the clone has no remote {target.remote}")
    named = repository_of(clone.remote_url, target.github_web)
    if named is None:
        raise NotApplicable(f"the clone's remote is not on {target.github_web}")
    if named.lower() != target.repository.lower():
        repository = release.snapshot.repository.present()
        if named.lower() != repository.full_name.lower():
            raise ActionNeeded(
                expected=f"remote {target.remote} of the clone at {target.repository}",
                found=f"it is at {named}",
                why="branches and tags pushed from this clone go to another repository, a fork perhaps",
                steps=[
                    step(
                        "If it is the same repository under a former name, give the remote its present address; else "
                        "add the repository as a remote and name it with --remote",
                        in_clone(release, "remote", "--verbose"),
                    )
                ],
            )
    repository = release.snapshot.repository.present()
    if repository.fork_of:
        raise ActionNeeded(
            expected=f"a repository that is no fork, as {repository.fork_of}",
            found=f"{repository.full_name} is a fork of {repository.fork_of}",
            why="trusted publishers, tags and release branches belong to the repository that it was forked from",
            steps=[step(f"If {repository.fork_of} is what is released, name it with --repository")],
        )


@pytest.mark.pre_release
@check("CLONE-7", reads=["clone"], advice=True)
def test_submodules_have_no_changes(release: Release) -> None:
    """No submodule of the clone has changes or untracked files of its own.

    Only submodules that are checked out, and not the submodules in them. Another commit checked out in one of them is
    a change of the clone itself.
    """
    clone = the_clone(release)
    if dirty := clone.dirty_submodules.present():
        raise ActionNeeded(
            expected="clean submodules",
            found=listing(dirty),
            why="what is built in this clone is not what is committed",
            steps=[
                # A path that is not UTF-8 is known in escapes alone.
                step(
                    f"Commit, stash or remove the changes in {path}",
                    *([] if "\\" in path else [in_clone(release, "-C", path, "status")]),
                )
                for path in dirty[:5]
            ],
        )


@pytest.mark.pre_release
@pytest.mark.post_recovery
@check("CLONE-8", reads=["clone"], advice=True)
def test_dist_holds_this_version_only(release: Release) -> None:
    """`dist/` of the clone holds no built file of another version.

    Left-overs are usually ignored by git, and `twine upload dist/*` uploads all of them: a version by mistake, or an
    error that stops the upload half-way.
    """
    clone = the_clone(release)
    if others := other_versions(clone.built.present(), release):
        raise ActionNeeded(
            expected=f"in {clone.path}/dist nothing, or files of {release.version}",
            found=listing(others),
            why="what uploads dist/* uploads them too",
            steps=[
                step(
                    "Move them away before anything is built or uploaded by hand",
                    ["ls", "-l", f"{release.target.clone}/dist"],
                )
            ],
        )


def other_versions(names: Sequence[str], release: Release) -> list[str]:
    """Built files of this package whose version is another one; a name that cannot be read is left aside."""
    others = []
    for name in names:
        try:
            project, version = parse_wheel_filename(name)[:2] if name.endswith(".whl") else parse_sdist_filename(name)
        except ValueError:
            continue
        if project == release.target.name and version != release.version:
            others.append(name)
    return others


@pytest.mark.pre_release
@pytest.mark.post_recovery
@check("CLONE-9", reads=["clone", "remote", "index", "pulls", "published"], advice=True)
def test_git_knows_who_commits(release: Release, plan: Recovery) -> None:
    """Git knows a name and an address for what the printed commands commit or tag in the clone.

    Asked only where a command of the plan makes a commit or an annotated tag. Neither value is in any report.
    """
    clone = the_clone(release)
    words = [list(command) for each in plan.plan.steps for command in each.commands]
    if not any(map(commits_or_tags, words)):
        raise NotApplicable("no printed command makes a commit or an annotated tag")
    if clone.no_identity:
        raise ActionNeeded(
            expected="user.name and user.email set for the clone",
            found=f"not set: {', '.join(clone.no_identity)}",
            why="git refuses to commit, and to make an annotated tag, without them",
            steps=[
                step(f"Set {' and '.join(clone.no_identity)} with git config, to your own, before the plan is followed")
            ],
        )


def commits_or_tags(command: Sequence[str]) -> bool:
    """Whether a command needs to know who commits."""
    if command[:1] != ["git"]:
        return False
    rest = command[3:] if command[1:2] == ["-C"] else command[1:]
    return bool(rest) and (rest[0] in COMMITTING or (rest[0] == "tag" and "--annotate" in rest))
