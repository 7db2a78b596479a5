"""The post-recovery verification: the version is released, and every trace of it is as a finished release leaves it."""

from __future__ import annotations

import pytest

from release_state.common.text import commits, listing
from release_state.facts.origin import aim, closed_to_files, is_branch_left, is_misplaced, is_on_base, squashed
from release_state.facts.release import Release
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import ActionNeeded, InProgress, NotApplicable
from release_state.model.plan import step
from release_state.model.snapshot import PullRequest
from release_state.model.target import Target, Trace, parse_version
from release_state.plan.recovery import Recovery
from release_state.plan.steps.commands import FETCH, remote
from release_state.plan.steps.origin import fit
from release_state.plan.steps.runs import unfinished_runs
from release_state.verdict.check import check

pytestmark = pytest.mark.post_recovery


def belongs_here(release: Release, trace: Trace, seen: str) -> None:
    """End the check as not applicable where the channel leaves no such trace, saying what is there all the same."""
    if trace not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} leaves no {trace}; for information: {seen}")


def tag_seen(release: Release) -> str:
    """What there is of the tag, or that it is not known; for information only."""
    try:
        return f"tag {release.tag.name} at {release.tag.commit[:12]}" if release.tag else f"no tag {release.target.tag}"
    except NotObserved as missing:
        return f"the tag was not observed ({missing})"


@check("INDEX-11", reads=["index", "remote", "history", "pulls", "open_pulls", "runs"], scenario="E")
def test_version_is_published(release: Release, plan: Recovery) -> None:
    """The index of the channel has files of this version.

    A version that the index lists without any file is not published. Tagged but not published: publish from the tag.
    Nothing but a branch: save what it holds, delete it, run the workflow again. Listed by the index's JSON API but not
    by its Simple API, which installers read: it was uploaded some minutes ago and will be there; `--wait` waits for it.
    Had by PyPI or TestPyPI before, and not now: unknown, for a quarantine of this release hides its files like that.
    """
    if not release.files and release.catching_up:
        raise catching_up(release, plan)
    if not release.files:
        listed = "listed without a file" if release.project.lists_empty(release.version) else "no file"
        raise ActionNeeded(
            expected=f"files of {release.version} on {release.channel.name}",
            found=listed if release.project.listed else "the index lists nothing of this name now",
            why="nobody can install it",
            steps=plan.steps_for("index"),
        )


@check("INDEX-12", reads=["index", "remote"])
def test_expected_files_are_published(release: Release, target: Target, plan: Recovery) -> None:
    """Every expected kind of file of this version is on the index.

    PyPI and TestPyPI take no further file of a version once its first one is older than 14 days: what is missing then
    comes with the next version. Where what is there is all that was meant, `expected-files` says so.
    """
    if not release.files:
        raise NotApplicable("nothing of the version is published")
    if missing := release.missing_kinds:
        raise ActionNeeded(
            expected=" and ".join(target.expected_files),
            found=f"{listing(file.filename for file in release.files)}; missing: {', '.join(missing)}",
            why=closed_to_files(release) or "the upload stopped half-way",
            steps=plan.steps_for("index"),
        )
    if release.catching_up:
        raise catching_up(release, plan)


def catching_up(release: Release, plan: Recovery) -> InProgress:
    """What is published and not to be seen yet."""
    return InProgress(
        expected=f"the files of {release.version} in the index's Simple API, which installers read",
        found=f"its JSON API lists more already: {listing(release.catching_up)}",
        why="the Simple API lags behind an upload, for some minutes at the most",
        steps=plan.steps_for("index"),
    )


@check("INDEX-13", reads=["index"])
def test_no_file_is_yanked(release: Release, plan: Recovery) -> None:
    """No file of this version is yanked.

    Yanked on purpose: publish the next version. By mistake, or only some files: the web interface takes it back.
    """
    if yanked := [file for file in release.files if file.yanked]:
        reasons = {file.yanked_reason or "no reason given" for file in yanked}
        raise ActionNeeded(
            expected="no yanked file",
            found=f"{listing(file.filename for file in yanked)} ({listing(sorted(reasons))})",
            why="installers pass a yanked version over",
            steps=plan.steps_for("index"),
        )


@check("INSTALL-11", reads=["index", "installation", "opened"])
def test_version_installs(release: Release) -> None:
    """The version installs from its index into a fresh environment, and its other files are what the index says.

    Foreign code is installed for this, isolated, from wheels only (`--install-sdists` builds what has none, which runs
    its code), up to `--install-size`. What cannot be installed here stays unknown: no wheel for this machine, no
    interpreter that satisfies Requires-Python, a dependency that has no wheel or is a direct URL.

    Every file that was not installed, such as a wheel for another kind of machine, is downloaded and opened: its hash,
    and the name, version and Requires-Python of its metadata, have to be what its name and the index say. Nothing of it
    is run. That has the bounds of `--install-size` and `--install-timeout`, too; what is beyond them stays unknown.
    `--no-install` leaves all of it out, and the verdict says so.
    """
    if not release.files and release.catching_up:
        raise NotApplicable("the index does not list its files yet: see INDEX-11")
    if not release.files:
        raise NotApplicable("nothing of the version is published")
    installation, opened = release.snapshot.installation, release.snapshot.opened
    found = installation.value
    if found and found.left_out:
        raise NotApplicable(found.detail)
    is_installed = found and found.succeeded and parse_version(found.installed_version or "") == release.version
    if found and found.attempted and not is_installed:
        raise ActionNeeded(
            expected=f"{release.target.name} {release.version} installed from {release.channel.name}",
            found=f"{found.installed_version or 'nothing'} installed; {found.detail}",
            why="users cannot install what was published",
            steps=[step("Read the installer's output above; publish a mended version as the next one")],
        )
    if wrong := [file for file in (opened.value.files if opened.value else ()) if file.wrong]:
        raise ActionNeeded(
            expected="files that are what their names and the index say",
            found=listing(f"{file.filename}: {file.wrong}" for file in wrong),
            why="users whose installer chooses one of them cannot install it",
            steps=[step("Yank what is broken, find out how it was built, and publish the next version")],
        )
    if not installation.present().attempted:
        why = f"not tried: {installation.present().detail}"
        remedy = "run again where it can be tried, or give --no-install: the verdict then says that it was not verified"
        raise NotObserved(Problem(source=f"installation from {release.channel.name}", why=why, remedy=remedy))
    opened.present()


@check("TAG-11", reads=["remote", "index", "pulls", "published"], scenario="E")
def test_tag_is_on_the_remote(release: Release, plan: Recovery) -> None:
    """The remote has the tag of this version, in the template's spelling."""
    belongs_here(release, "tag", tag_seen(release))
    if release.tag is None:
        others = listing(f"{tag.name} at {tag.commit[:12]}" for tag in release.other_tags)
        in_its_way = release.excluding_tags
        raise ActionNeeded(
            expected=f"tag {release.target.tag}",
            found="no such tag"
            + (f"; equal by PEP 440: {others}" if others else "")
            + (f"; git refuses it beside {listing(tag.name for tag in in_its_way)}" if in_its_way else ""),
            why="nobody can tell what was released, and the next version is worked out from tags",
            steps=plan.steps_for("tag"),
        )


@check("TAG-12", reads=["remote"], advice=True)
def test_tag_is_annotated(release: Release) -> None:
    """The tag is annotated: it says who made it and when."""
    belongs_here(release, "tag", tag_seen(release))
    if release.tag is None:
        raise NotApplicable("there is no tag")
    if not release.tag.annotated:
        raise ActionNeeded(
            expected="an annotated tag",
            found=f"{release.tag.name} is lightweight, on {release.tag.commit[:12]}",
            why="`git describe` passes it over, and it has no date of its own",
            steps=[step("Leave a published tag as it is; make the next one with git tag --annotate")],
        )


@check("TAG-13", reads=["remote", "clone"])
def test_tag_is_the_same_in_the_clone(release: Release, plan: Recovery) -> None:
    """The clone's tag of this version, if it has one, is the remote's; so is each in another spelling."""
    belongs_here(release, "tag", tag_seen(release))
    if release.clone is None:
        raise NotApplicable("no clone is looked at")
    both = [(local, there) for local in release.local_tags if (there := release.remote.tag(local.name))]
    if not both:
        missing = "remote" if release.local_tag else "clone"
        raise NotApplicable(f"the {missing} has no tag {release.target.tag}")
    if apart := [(local, there) for local, there in both if local.object != there.object]:
        raise ActionNeeded(
            expected=listing(f"{there.name} is {there.object[:12]} (commit {there.commit[:12]})" for _, there in apart),
            found=listing(f"{local.object[:12]} (commit {local.commit[:12]}) in the clone" for local, _ in apart),
            why="a push from this clone could move the tag",
            steps=plan.steps_for("local-tag"),
        )


@check("TAG-14", reads=["remote", "history", "pulls"])
def test_tag_is_on_the_right_commit(release: Release) -> None:
    """The tag is on the base branch, or on the line of the release pull request.

    An ancestor of the base branch, or an ancestor of or equal to the recorded head of the release pull request, also
    after a squash merge and the branch's deletion. Anything else is worth a look: about half of all tags lie off the
    default branch for good reasons.
    """
    belongs_here(release, "tag", tag_seen(release))
    tag = release.tag
    if tag is None:
        raise NotApplicable("there is no tag")
    if tag.commit == release.base_head or release.lineage(tag.commit).on_base:
        return
    if any(release.is_ancestor(tag.commit, pull.head_sha) for pull in release.pulls):
        return
    heads = listing(f"#{pull.number} at {pull.head_sha[:12]}" for pull in release.pulls) or "none"
    raise ActionNeeded(
        expected=f"a commit of {release.base_branch}, or of the release pull request ({heads})",
        found=f"{tag.name} is on {tag.commit[:12]}, {commits(release.lineage(tag.commit).ahead)} beside the base",
        why="what is tagged may not be what was released",
        steps=[
            step(
                f"Look at what {tag.name} tags",
                [*FETCH, remote(release), f"refs/tags/{tag.name}"],
                ["git", "log", "--oneline", "-5", tag.commit],
            )
        ],
        advice=True,
    )


@check("TAG-15", reads=["remote"], advice=True)
def test_no_other_tag_equals_the_version(release: Release) -> None:
    """Every tag that equals the version by PEP 440 is on the same commit.

    In a repository of several packages, a number alone is another package's, and does not count: where the template has
    the package's name in it, and numbers alone go on beside the tags by name, on other commits than these.
    """
    belongs_here(release, "tag", tag_seen(release))
    tag = release.tag
    others = [other for other in release.other_tags if tag is None or other.commit != tag.commit]
    if others and (tag is not None or len({other.commit for other in others}) > 1):
        raise ActionNeeded(
            expected=f"no other tag that equals {release.version}",
            found=listing(f"{other.name} at {other.commit[:12]}" for other in others),
            why="two tags of one version name two commits (a moving tag such as v9 is meant to)",
            steps=[step("See which one is meant", ["git", "ls-remote", "--tags", remote(release)])],
        )


@check("TAG-16", reads=["remote", "index", "published"], advice=True)
def test_tagged_commit_holds_what_was_published(release: Release) -> None:
    """The tagged commit holds what was published.

    Every file of the version's sdist (of its wheel, where it has no sdist) is in the tagged commit as it was published,
    but for those that the build writes. Where it came from another commit, or from a tree with changes that were not
    committed, who checks the tag out gets something else than who installs the version. A tag that declares this very
    version and that people may have fetched is not moved: publish the next version from a tagged commit.
    """
    belongs_here(release, "tag", tag_seen(release))
    tag, published = release.tag, release.published
    if tag is None:
        raise NotApplicable("there is no tag")
    if published is None or published.file is None:
        raise NotApplicable("no file of the version is published that could be compared")
    tagged = next((candidate for candidate in published.candidates if candidate.sha == tag.commit), None)
    if tagged is None:
        raise NotObserved(Problem(source="git history", why=f"commit {tag.commit[:12]} could not be fetched"))
    if not release.holds_published(tagged):
        best = release.published_from[:1]
        nearer = [c for c in best if c.equal > tagged.equal]
        raise ActionNeeded(
            expected=f"the {published.compared} files of {published.file} in {tag.name}, at {tag.commit[:12]}",
            found=fit(release, tagged)
            + "".join(f". Nearer comes {c.sha[:12]}, {c.what}: {fit(release, c)}" for c in nearer),
            why="the tag names something else than what users install",
            steps=[
                step(
                    f"Compare {tag.name} with what was published; leave the tag, and tag the next version before it is "
                    "published",
                    *[[*FETCH, remote(release), c.ref or c.sha] for c in nearer],
                    [*FETCH, remote(release), f"refs/tags/{tag.name}"],
                    *[["git", "diff", "--stat", tag.commit, c.sha] for c in nearer],
                )
            ],
        )


@check("META-11", reads=["remote", "history", "index", "published", "release"])
def test_tagged_commit_declares_the_version(release: Release, plan: Recovery) -> None:
    """The metadata at the tagged commit declare this version.

    Where the process writes the version without committing it, no commit declares it: if the published files fit no
    commit better than the tagged one, that is advice for the next release. Else the tag is on the wrong commit. It is
    moved to the one that was published; where an immutable GitHub Release holds it, it stays, and the version is used
    up.
    """
    belongs_here(release, "tag", tag_seen(release))
    if release.tag is None:
        raise NotApplicable("there is no tag")
    lineage = release.lineage(release.tag.commit)
    if lineage.version_is_dynamic:
        raise NotApplicable("the version is dynamic; the published files' metadata serve instead")
    if lineage.declared_version is None:
        raise NotObserved(Problem(source="git history", why=f"no readable version at {lineage.sha[:12]}"))
    if parse_version(lineage.declared_version) != release.version:
        right = release.is_published and not is_misplaced(release)
        raise ActionNeeded(
            expected=f"version {release.version} at {lineage.sha[:12]}",
            found=lineage.declared_version,
            why="the tag names a commit that builds another version",
            steps=[step("Commit the version before the next release")] if right else plan.steps_for("tag"),
            advice=right,
        )


@check("RELEASE-11", reads=["repository", "release", "remote", "index", "drafts", "pulls"], scenario="E")
def test_github_release_is_published(release: Release, plan: Recovery) -> None:
    """GitHub has a published release for the tag."""
    belongs_here(release, "release", seen_release(release))
    if release.github_release is None:
        raise ActionNeeded(
            expected=f"GitHub Release {release.target.tag}",
            found=instead_of_it(release),
            why="users and tools look there for the notes",
            steps=plan.steps_for("release"),
        )


def seen_release(release: Release) -> str:
    """What there is of the GitHub Release; for information only."""
    try:
        return f"GitHub Release {release.target.tag} {'exists' if release.github_release else 'does not exist'}"
    except NotObserved as missing:
        return f"the GitHub Release was not observed ({missing})"


def instead_of_it(release: Release) -> str:
    """What there is in the place of the GitHub Release; drafts are not listed to every token."""
    try:
        if others := release.other_releases:
            return f"one of another spelling of the tag: {listing(found.html_url for found in others)}"
        return listing(f"a draft: {draft.html_url}" for draft in release.every_draft) or "none"
    except NotObserved:
        return "none"


@check("RELEASE-12", reads=["repository", "release"])
def test_prerelease_flag_is_right(release: Release, plan: Recovery) -> None:
    """The GitHub Release is marked as a pre-release exactly if PEP 440 calls the version one."""
    belongs_here(release, "release", seen_release(release))
    if release.github_release is None:
        raise NotApplicable("there is no GitHub Release")
    wanted = release.version.is_prerelease
    if release.github_release.prerelease != wanted:
        raise ActionNeeded(
            expected="marked as a pre-release" if wanted else "not marked as a pre-release",
            found="marked" if not wanted else "not marked",
            why="a pre-release must not be offered as the latest release, a final one must",
            steps=plan.steps_for("release"),
        )


@check("RELEASE-13", reads=["repository", "release"])
def test_release_notes_are_not_empty(release: Release, plan: Recovery) -> None:
    """The GitHub Release has notes."""
    belongs_here(release, "release", seen_release(release))
    found = release.github_release
    if found is None:
        raise NotApplicable("there is no GitHub Release")
    if not found.has_notes:
        raise ActionNeeded(
            expected="notes",
            found="none",
            why="nobody can tell what changed",
            steps=plan.steps_for("release"),
        )


@check("RELEASE-14", reads=["repository", "release", "latest_release", "index", "remote"])
def test_latest_release_is_right(release: Release, plan: Recovery) -> None:
    """GitHub's latest release is that of the greatest final version that is not yanked.

    A backport or a pre-release must not be the latest; an older version's own check passes when it is not. In a
    repository of several packages the mark can be another one's: then this does not decide.
    """
    belongs_here(release, "release", seen_release(release))
    if release.github_release is None:
        raise NotApplicable("there is no GitHub Release")
    foreign = release.is_latest_foreign
    if foreign and release.target.names_package(release.target.tag_template):
        shared = release.snapshot.latest_release.present()
        raise NotApplicable(f"the latest release, {shared.tag}, is that of another package of the repository")
    if (right := release.right_latest) is not None:
        latest = release.snapshot.latest_release.known()
        raise ActionNeeded(
            expected=f"latest: {right}",
            found=f"latest: {latest.tag if latest else 'none'}",
            why="visitors and tools are led to another version than the index offers",
            steps=plan.steps_for("release"),
            advice=foreign,
        )


@check("RELEASE-15", reads=["repository", "drafts", "release", "remote"], advice=True)
def test_no_draft_is_left(release: Release, plan: Recovery) -> None:
    """No draft of a GitHub Release of the version is left beside the published one."""
    belongs_here(release, "release", seen_release(release))
    if release.every_draft and release.github_release:
        raise ActionNeeded(
            expected="no draft beside the published release",
            found=listing(draft.html_url for draft in release.every_draft),
            why="publishing it later would make a second release of the tag",
            steps=plan.steps_for("draft"),
        )


@check(
    "PULL-11",
    reads=["repository", "pulls", "remote", "history", "clone", "index", "published", "release"],
    scenario="D",
)
def test_release_pull_request_is_there(release: Release, plan: Recovery) -> None:
    """The release pull request is open or merged, while the base branch lacks the released commit.

    Right head and right base; one that was closed unmerged is none. Where the released commit is on the base branch,
    no pull request is expected, and GitHub would refuse one for lack of commits. None is expected either where the base
    branch has all of it in another form: a commit that declares the version, and of what was published only metadata or
    the changelog differ. A merged one of an earlier attempt is none either: the tag goes on from the head that GitHub
    recorded, or from the merge, with a change that the base branch lacks. That is read from the history, never from
    times. A merged one that the tag is in no line with counts: its head may have been rebased since; TAG-14 says so.
    """
    seen = f"{len(release.pulls)} of {release.target.release_branch}" if release.snapshot.pulls.is_known else "unknown"
    belongs_here(release, "pull-request", f"pull requests: {seen}")
    if release.pull:
        return
    released = aim(release)
    if released is None:
        why = (
            "which commit was released is not known without a tag, so whether a pull request is expected is not either"
        )
        raise NotObserved(Problem(source="git remote", why=why, remedy="settle the tag first"))
    if is_on_base(release, released):
        raise NotApplicable(f"{release.base_branch} has the released commit: no pull request is expected")
    if other := squashed(release, released):
        same = f"{release.base_branch} has it in another form, {other.sha[:12]}: {fit(release, other)}"
        raise NotApplicable(f"{same}. No pull request is expected")
    wrong = listing(_why_not(release, pull) for pull in release.pulls)
    raise ActionNeeded(
        expected=f"a pull request {release.target.release_branch} -> {release.base_branch}, open or merged",
        found=wrong or "none",
        why="the release commit never reaches the base branch",
        steps=plan.steps_for("pull-request"),
    )


def _why_not(release: Release, pull: PullRequest) -> str:
    """Why a pull request of the release branch does not count."""
    if pull.merged and pull.base_branch == release.base_branch:
        return f"#{pull.number} was merged at {pull.head_sha[:12]}, and {release.target.tag} goes on from there"
    return f"#{pull.number} {pull.state}, into {pull.base_branch}"


@check(
    "BRANCH-11",
    reads=["remote", "pulls", "open_pulls", "runs", "history", "clone", "index", "published", "release"],
)
def test_release_branch_fits_its_pull_request(release: Release, plan: Recovery) -> None:
    """The release branch is there while its pull request is open, and gone once that is merged.

    Gone, too, where no pull request is expected (PULL-11), since the base branch has what was released: nothing would
    ever take the branch away, and the next release would be stopped by it. So is one of the version in another
    spelling, whose pull request is not open.
    """
    if "pull-request" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} has no pull request: see BRANCH-12")
    branch, pull = release.branch, release.pull
    if pull is None and branch is not None and is_branch_left(release):
        raise ActionNeeded(
            expected=f"no branch {branch.name}: {release.base_branch} has what was released, without a pull request",
            found=f"{branch.name} at {branch.sha[:12]}",
            why="nothing takes it away, and the next release finds it in its way",
            steps=plan.steps_for("branch"),
        )
    if pull is not None and pull.is_open and branch is None:
        raise ActionNeeded(
            expected=f"branch {release.target.release_branch} while #{pull.number} is open",
            found="no such branch",
            why="the pull request cannot be merged without it",
            steps=plan.steps_for("pull-request"),
        )
    if pull is not None and pull.merged and branch is not None:
        raise ActionNeeded(
            expected=f"no branch {branch.name}: #{pull.number} is merged",
            found=f"{branch.name} at {branch.sha[:12]}",
            why="the next run of the same version would fail on it",
            steps=plan.steps_for("branch"),
        )
    no_other_spelling(release, plan)
    if pull is None:
        raise NotApplicable("there is no release pull request to compare with")


def no_other_spelling(release: Release, plan: Recovery) -> None:
    """Raise where a branch of the version is left in another spelling, which nobody uses."""
    if left := release.respelled_branches:
        raise ActionNeeded(
            expected=f"no branch of {release.version} in another spelling than {release.target.release_branch}",
            found=listing(f"{other.branch.name} at {other.branch.sha[:12]} is {other.state}" for other in left),
            why="nothing takes it away, and the next release finds it in its way",
            steps=plan.steps_for("other-branches"),
        )


@check("BRANCH-12", reads=["remote", "open_pulls", "pulls", "runs", "history", "index"])
def test_release_branch_is_gone(release: Release, plan: Recovery) -> None:
    """A channel without a pull request has no release branch left, in whatever spelling of the version."""
    if "pull-request" in release.channel.leaves:
        raise NotApplicable("the branch stays until its pull request is merged: see BRANCH-11")
    if branch := release.branch:
        raise ActionNeeded(
            expected=f"no branch {branch.name}",
            found=f"{branch.name} at {branch.sha[:12]}",
            why="the next run of the same version fails on it",
            steps=plan.steps_for("branch"),
        )
    no_other_spelling(release, plan)


@check("RUN-11", reads=["repository", "runs", "workflow_files"])
def test_no_release_run_is_still_working(release: Release, plan: Recovery) -> None:
    """No run of the release workflow is still working: what it will do yet cannot be verified."""
    if not release.target.workflow:
        raise NotApplicable("the project names no release workflow")
    if not release.snapshot.runs.present().exists:
        raise NotApplicable(f"GitHub knows no workflow {release.target.workflow} now")
    unfinished_runs(release, "the state can still change", plan.steps_for("run"))
