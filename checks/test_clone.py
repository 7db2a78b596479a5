"""The clone beyond its working tree: what breaks a release from it, or a printed command in it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from release_state.common.text import join_items
from release_state.facts.filenames import read_filename
from release_state.facts.release import Release
from release_state.model.outcome import ActionNeeded, NotApplicable
from release_state.model.plan import step
from release_state.model.snapshot import Clone
from release_state.model.target import parse_repository, parse_version
from release_state.plan.recovery import Recovery
from release_state.plan.steps.commands import in_clone
from release_state.verdict.check import check

_WHOLE = ("fetch", "--no-prune", "--unshallow", "--tags")
COMMITTING = {"commit", "merge", "cherry-pick", "rebase", "revert", "am"}


def require_clone(release: Release) -> Clone:
    """Return the clone; end the check as not applicable if there is none."""
    if release.clone is None:
        raise NotApplicable("no clone")
    return release.clone


@pytest.mark.pre_release
@check("CLONE-5", reads=["clone"], advice=True)
def test_clone_has_the_whole_history(release: Release) -> None:
    """The clone has the whole history.

    CI makes shallow clones by default. They lack the tags and commits that tools compute the next version from, so that
    tools start from 0.0.0 or 1.0.0. Set `fetch-depth: 0` in a workflow. The suite's own calculation does not use the
    clone.
    """
    if require_clone(release).shallow:
        raise ActionNeeded(
            found="a shallow clone",
            why="tools there count the version from the wrong tag, or from none",
            steps=[step("Fetch the rest", in_clone(release, *_WHOLE, release.target.remote))],
        )


@pytest.mark.pre_release
@check("CLONE-6", reads=["clone", "repository"], advice=True)
def test_clone_is_of_the_repository_itself(release: Release) -> None:
    """The clone's remote is the release repository, and no fork.

    A fork has its own tags, branches and Actions. If the clone's remote is another repository on GitHub, or the checked
    repository is a fork, you release or check in the wrong place. The former name of a renamed repository
    still works; `git remote set-url` updates it.
    """
    clone, target = require_clone(release), release.target
    if clone.remote_url is None:
        raise NotApplicable(f"the clone has no remote {target.remote}")
    named = parse_repository(clone.remote_url, target.github_web)
    if named is None:
        raise NotApplicable(f"the clone's remote is not on {target.github_web}")
    if named.lower() != target.repository.lower():
        repository = release.snapshot.repository.present()
        if named.lower() != repository.full_name.lower():
            fix = step(
                "If it is a former name of the repository, update the remote's URL; otherwise add the "
                "repository as a remote and name it with --remote",
                in_clone(release, "remote", "--verbose"),
            )
            raise ActionNeeded(
                expected=f"remote {target.remote} of the clone: {target.repository}",
                found=named,
                why="this clone pushes branches and tags to another repository, perhaps a fork",
                steps=[fix],
            )
    repository = release.snapshot.repository.present()
    if repository.fork_of:
        raise ActionNeeded(
            found=f"{repository.full_name} is a fork of {repository.fork_of}",
            why="trusted publishers, tags and release branches belong to the original repository",
            steps=[step(f"If you release from {repository.fork_of}, name it with --repository")],
        )


@pytest.mark.pre_release
@check("CLONE-7", reads=["clone"], advice=True)
def test_submodules_have_no_changes(release: Release) -> None:
    """No submodule of the clone has changes or untracked files.

    This covers submodules that are checked out, but not the submodules inside them. If a submodule has another commit
    checked out, that is a change of the clone itself.
    """
    clone = require_clone(release)
    if dirty := clone.dirty_submodules.present():
        raise ActionNeeded(
            found=join_items(dirty),
            why="a build in this clone differs from the commit",
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
@check("CLONE-8", reads=["clone", "built"], advice=True)
def test_dist_holds_this_version_only(release: Release) -> None:
    """The clone's `dist/` contains no built files of other versions.

    Git usually ignores leftovers, but `twine upload dist/*` uploads all of them. That publishes a version by mistake,
    or fails and stops the upload half-way. Where `--built` names this folder, DIST-1 looks at it instead.
    """
    clone = require_clone(release)
    if (built := release.snapshot.built.value) and built.folder == f"{clone.path}/dist":
        raise NotApplicable("DIST-1 looks at this folder (--built)")
    if others := find_other_versions(clone.dist_names.present(), release):
        fix = step("Move them away before you build or upload by hand", ["ls", "-l", f"{release.target.clone}/dist"])
        raise ActionNeeded(
            expected=f"only files of {release.version} in {clone.path}/dist",
            found=join_items(others),
            why="an upload of dist/* includes them",
            steps=[fix],
        )


def find_other_versions(names: Sequence[str], release: Release) -> list[str]:
    """The built files of other versions of this package; unreadable names are skipped."""
    read = ((name, read_filename(name, release.target.name)) for name in names)
    versions = ((name, parse_version(found[0])) for name, found in read if found)
    return [name for name, version in versions if version not in (None, release.version)]


@pytest.mark.pre_release
@pytest.mark.post_recovery
@check("CLONE-9", reads=["clone", "remote", "index", "pulls", "published"], advice=True)
def test_git_knows_who_commits(release: Release, plan: Recovery) -> None:
    """Git has a name and an e-mail address for commits in the clone.

    This matters only if a command of the plan creates a commit or an annotated tag. No report contains either value.
    """
    clone = require_clone(release)
    words = [list(command) for each in plan.steps for command in each.commands]
    if not any(map(needs_identity, words)):
        raise NotApplicable("no command of the plan creates a commit or an annotated tag")
    if clone.no_identity:
        raise ActionNeeded(
            found=f"not set: {', '.join(clone.no_identity)}",
            why="without them, git refuses commits and annotated tags",
            steps=[step(f"Set your {' and '.join(clone.no_identity)} with git config before you follow the plan")],
        )


def needs_identity(command: Sequence[str]) -> bool:
    """Whether git refuses this command without a name and an e-mail address."""
    if command[:1] != ["git"]:
        return False
    rest = command[3:] if command[1:2] == ["-C"] else command[1:]
    return bool(rest) and (rest[0] in COMMITTING or (rest[0] == "tag" and "--annotate" in rest))
