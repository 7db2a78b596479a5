"""The pre-release checklist: nothing of the version exists yet, and nothing stands in the way of releasing it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from release_state.common.text import commits, listing
from release_state.facts.release import Release
from release_state.model.observation import NotObserved
from release_state.model.outcome import ActionNeeded, NotApplicable, Statement
from release_state.model.plan import step
from release_state.model.target import Target, parse_version
from release_state.plan.recovery import Recovery
from release_state.plan.steps import names
from release_state.plan.steps.clone import tidy_up
from release_state.plan.steps.commands import FETCH, in_clone, index_page, remote
from release_state.plan.steps.publication import next_version
from release_state.plan.steps.runs import unfinished_runs
from release_state.verdict.check import check
from release_state.verdict.ci import ci_state

pytestmark = pytest.mark.pre_release


@check("BRANCH-1", reads=["remote", "clone", "history", "open_pulls", "pulls", "runs"], scenario="A")
def test_no_release_branch_of_this_version(release: Release, plan: Recovery) -> None:
    """The remote has no release branch of this version.

    Left by an interrupted run, made by hand, or made by a second run at the same time; the workflow fails on it with
    `fatal: a branch named … already exists`. See what it holds, keep what matters, delete it, start again.

    Nor a branch beside which git refuses to create it, since a ref is a file or a folder and never both: `release`
    stands in the way of `release/pypi-v0.2.0`, and so does `release/pypi-v0.2.0/x`. Where the clone's file system takes
    both cases of a letter for the same, a name that differs by case alone is told as advice.
    """
    if branch := release.branch:
        raise ActionNeeded(
            expected=f"no branch {branch.name}",
            found=f"{branch.name} at {branch.sha[:12]}",
            why="the release workflow cannot create its branch while this one is there",
            steps=plan.steps_for("branch"),
        )
    wanted, there = release.target.release_branch, release.remote.branches
    if release.target.is_lasting(wanted, release.remote.default_branch):
        return
    if others := release.excluding_branches:
        raise ActionNeeded(
            expected=f"no branch beside which git refuses {wanted}",
            found=listing(f"{branch.name} at {branch.sha[:12]}" for branch in others),
            why="a ref is a file or a folder, never both: the release workflow cannot create its branch",
            steps=names.for_branch(release),
        )
    if taken := release.taken_for(wanted, (branch.name for branch in there)):
        raise taken_for_it(wanted, taken)


def taken_for_it(wanted: str, taken: Sequence[str]) -> Statement:
    """What it means that names differ by case alone where the clone is."""
    return ActionNeeded(
        expected=f"no ref that the clone's file system takes for {wanted}, or for its folder",
        found=listing(taken),
        why="in this clone the two are one file or one folder: what is fetched of them is mixed up",
        steps=[step(f"Type what is done with {wanted} in a clone on a file system that tells cases apart")],
        advice=True,
    )


@check("BRANCH-2", reads=["remote", "history", "open_pulls", "runs", "index"], scenario="A")
def test_no_orphaned_release_branch(release: Release, plan: Recovery) -> None:
    """No release branch of another version or channel is orphaned, unfinished or left over.

    A branch whose name parses by the release-branch template (a maintenance branch such as `release/1.x` never is
    one; nor is the base or the default branch, nor `release/1.4` beside versions such as 1.4.2)
    is *in use* while its pull request is open or a release run is unfinished; *unfinished* when its version is
    published or tagged and no pull request of it was merged; *left over* when it was merged with this very head;
    else *orphaned*. Finish the unfinished ones first: run the suite for that version. A pull request that is to be
    merged into such a branch keeps it neither in use nor out of the way: it gets another base before the branch goes,
    since GitHub would close it for good. A channel that leaves nothing on GitHub, as TestPyPI, minds its own branches
    alone.
    """
    if others := [other for other in release.other_branches if other.state != "in use"]:
        raise ActionNeeded(
            expected="no release branch that nobody uses",
            found=listing(f"{other.branch.name} is {other.state}: {other.reason}" for other in others),
            why="it shows a release that was not finished or not cleaned up",
            steps=plan.steps_for("other-branches"),
        )


@check("TAG-1", reads=["remote", "index", "release", "runs", "calculation", "history"], scenario="B")
def test_no_tag_of_this_version_on_the_remote(release: Release, plan: Recovery) -> None:
    """The remote has no tag of this version, in whatever spelling.

    A tag without a publication is the trace of an interrupted release, or the version was released before. If it is
    right, complete that release; if it is wrong and nothing was published, delete it; else take the next version.

    A channel that makes no tag, as TestPyPI, leaves the tag as it is. It stands in the way there too where the version
    is worked out from tags: a run would release another version. Only advice (VERSION-2) says what the commits call
    for, so that this goes on blocking unless a run is known to make this very version beside the tag: the commits
    call for it all the same, or no rules are configured and the base branch declares it.

    A number alone that is another package's of the repository (TAG-15) is no tag of this version.

    Nor a tag beside which git refuses to create it, since a ref is a file or a folder and never both: `v0.2.0/x` stands
    in the way of `v0.2.0`. A release would find that out after its upload.
    """
    if tags := release.version_tags:
        found = listing(f"{tag.name} at {tag.commit[:12]}" for tag in tags)
        if "tag" not in release.channel.leaves:
            raise tagged_elsewhere(release, found)
        raise ActionNeeded(
            expected=f"no tag {release.target.tag} or another that equals {release.version}",
            found=found,
            why="the version is worked out from tags, and this one says that it is released",
            steps=plan.steps_for("tag"),
        )
    if "tag" in release.channel.leaves and (others := release.excluding_tags):
        raise ActionNeeded(
            expected=f"no tag beside which git refuses {release.target.tag}",
            found=listing(f"{tag.name} at {tag.commit[:12]}" for tag in others),
            why="a ref is a file or a folder, never both: after the upload, the tag could not be created",
            steps=names.for_tag(release),
        )


def tagged_elsewhere(release: Release, found: str) -> Statement:
    """What the tag of another channel means on one that makes none: nothing only where this version is made anyhow."""
    name, version, free = release.channel.name, release.version, ""
    try:
        calculation = release.snapshot.calculation.present()
        if calculation.rules is None:
            lineage = release.lineage(release.base_head)
            declared = None if lineage.version_is_dynamic else lineage.declared_version
            if parse_version(declared or "") == version:
                free = f"{release.base_branch} declares {version}, whatever is tagged"
            doubt = f"{release.base_branch} declares {declared or 'no version that can be read'}"
        else:
            wanted = calculation.next_version.known()
            if parse_version(wanted or "") == version:
                free = f"the commits call for {version} all the same (VERSION-2)"
            doubt = f"the commits call for {wanted or 'no release'}"
    except NotObserved as missing:
        doubt = f"whether a run would release {version} all the same could not be observed: {missing}"
    if free:
        return NotApplicable(f"{name} makes no tag, and {free}; for information: {found}")
    return ActionNeeded(
        expected=f"no tag that equals {version}, or a run that releases {version} beside it",
        found=f"{found}, of another channel; {doubt}",
        why=f"where the version is worked out from tags, a run to {name} releases another version than this, or none",
        steps=[next_version(release, f"its tag is that of another channel, and stays; {doubt}")],
    )


@check("TAG-2", reads=["remote", "clone"], scenario="B")
def test_no_tag_of_this_version_in_the_clone(release: Release, plan: Recovery) -> None:
    """The clone has no tag of this version that the remote lacks.

    A tag made by hand and never pushed makes `git tag` fail later, or is pushed by accident with the wrong commit. So
    does one beside which git refuses the tag (see TAG-1), be it on the remote or not. Where the clone's file system
    takes both cases of a letter for the same, a tag that differs by case alone is told as advice.
    """
    if "tag" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} makes no tag that it would collide with")
    if release.clone is None:
        raise NotApplicable("no clone is looked at")
    known = {tag.name for tag in release.remote.tags}
    if tags := [tag for tag in release.local_tags if tag.name not in known]:
        raise ActionNeeded(
            expected=f"no tag that equals {release.version} in {release.clone.path}",
            found=listing(f"{tag.name} at {tag.commit[:12]}" for tag in tags),
            why="it would collide with the tag that the release makes",
            steps=plan.steps_for("local-tag", "tag"),
        )
    wanted = release.target.tag
    if others := release.excluding_local_tags:
        raise ActionNeeded(
            expected=f"no tag in {release.clone.path} beside which git refuses {wanted}",
            found=listing(f"{tag.name} at {tag.commit[:12]}" for tag in others),
            why="a ref is a file or a folder, never both: the tag can neither be made nor fetched there",
            steps=names.for_tag(release),
        )
    if taken := release.taken_for(wanted, dict.fromkeys((*known, *(tag.name for tag in release.clone.tags)))):
        raise taken_for_it(wanted, taken)


@check("INDEX-1", reads=["index"], scenario="C")
def test_version_is_not_on_the_index(release: Release, plan: Recovery) -> None:
    """The index does not have this version, not even yanked.

    A version that was ever published is used up: it can be yanked, never deleted and used again. Was it intended?
    Then verify the rest with `--phase post-recovery`; else publish the next version. Unknown where a file of the
    project may be of this version and its name does not tell; and where PyPI or TestPyPI had it before, by an earlier
    report or the steps of a release run, and has not now: quarantined, or deleted.
    """
    if release.project.lists_empty(release.version) and not release.catching_up:
        raise ActionNeeded(
            expected=f"no trace of {release.version} on {release.channel.name}",
            found="listed without any file: its files were deleted",
            why="an index never accepts a file name again that it once had",
            steps=plan.steps_for("index"),
        )
    if release.is_published:
        yanked = " (all yanked)" if release.all_yanked else ""
        found = [file.filename for file in release.files]
        found += [f"{name} (by its JSON API; its Simple API is catching up)" for name in release.catching_up]
        raise ActionNeeded(
            expected=f"no file of {release.version} on {release.channel.name}",
            found=listing(found) + yanked,
            why="an index never accepts the same version twice",
            steps=[next_version(release, "if it was not meant: a published version is used up"), *plan.plan.steps],
        )


@check("INDEX-2", reads=["index"])
def test_version_is_the_newest_of_its_line(release: Release) -> None:
    """The version is greater than every version of its own major.minor line on the index."""
    newest = release.newest_of_line
    if newest is not None and release.version < newest:
        raise ActionNeeded(
            expected=f"a version greater than {newest}",
            found=str(release.version),
            why="installers would go on preferring the one that is there",
            steps=[next_version(release, f"{newest} is the newest of its line")],
        )


@check("INDEX-3", reads=["index"], advice=True)
def test_version_is_the_newest_of_all(release: Release) -> None:
    """The version is greater than every final version on the index.

    A lower one is a backport: then GitHub's *latest* has to stay where it is.
    """
    newest = release.newest_final
    if newest is not None and release.version < newest:
        raise ActionNeeded(
            expected=f"a version greater than {newest}",
            found=f"{release.version}, a backport",
            why="its GitHub Release must not become the latest one",
            steps=[step("Make the GitHub Release of a backport with --latest=false")],
        )


@check("INDEX-4", reads=["index"], advice=True)
def test_project_is_known_to_the_index(release: Release) -> None:
    """The index lists the project.

    One that it does not list now is new, or was deleted: a deleted name may be burnt, and a new one needs a pending
    trusted publisher (or a token of the whole account) before its first upload.
    """
    if not release.project.listed:
        raise ActionNeeded(
            expected=f"{release.target.name} on {release.channel.name}",
            found="the index lists nothing of this name now",
            why="the name is misspelt; or new, and its first upload needs a pending trusted publisher; or it was "
            "deleted, and may be burnt",
            steps=[step("See that the name is right and free, and its publisher pending", link=index_page(release))],
        )


@check("RELEASE-1", reads=["repository", "release", "index", "remote"])
def test_no_github_release(release: Release, plan: Recovery) -> None:
    """GitHub has no release for a tag of this version, in whatever spelling.

    A channel that makes none, as TestPyPI, has none in its way: one that is there belongs to another channel.
    """
    if "release" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} makes no GitHub Release")
    if releases := release.releases:
        raise ActionNeeded(
            expected=f"no GitHub Release of {release.version}",
            found=listing(f"{found.html_url}, published {found.published_at}" for found in releases),
            why="the release would fail to create its own",
            steps=plan.steps_for("release"),
        )


@check("RELEASE-2", reads=["repository", "drafts", "index", "remote"], advice=True)
def test_no_draft_of_a_github_release(release: Release, plan: Recovery) -> None:
    """GitHub has no draft of a release for a tag of this version, in whatever spelling.

    Drafts are listed only to a token with push right: without one this stays unknown.
    """
    if "release" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} makes no GitHub Release")
    if drafts := release.every_draft:
        raise ActionNeeded(
            expected=f"no draft for {release.target.tag}",
            found=listing(draft.html_url for draft in drafts),
            why="a second release of the same tag would be made beside it",
            steps=plan.steps_for("draft", "release"),
        )


@check("REPOSITORY-1", reads=["repository"])
def test_repository_is_not_archived(release: Release) -> None:
    """The repository is not archived.

    An archived repository takes no push and starts no workflow; its owner can take that back in the settings.
    """
    repository = release.snapshot.repository.present()
    if repository.archived:
        raise ActionNeeded(
            expected="a repository that can be pushed to",
            found=f"{repository.full_name} is archived",
            why="no run can start, and no branch, tag or GitHub Release can be made",
            steps=[step("Unarchive it in its settings", link=f"{repository.html_url}/settings")],
        )


@check("PULL-1", reads=["repository", "pulls"], scenario="D")
def test_no_open_pull_request(release: Release, plan: Recovery) -> None:
    """No pull request of this version's release branch is open.

    A channel that makes none, as TestPyPI, has none in its way: an open one has its branch, which BRANCH-1 judges.
    """
    if "pull-request" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} makes no pull request; a branch with an open one is BRANCH-1's")
    if pulls := release.open_pulls:
        raise ActionNeeded(
            expected=f"no open pull request of {release.target.release_branch}",
            found=listing(f"#{pull.number} into {pull.base_branch}: {pull.html_url}" for pull in pulls),
            why="a release of this version is under way or was left unfinished",
            steps=plan.steps_for("pull-request")
            or [step(f"Look at #{pull.number}, then merge or close it", link=pull.html_url) for pull in pulls],
        )


@check("CLONE-1", reads=["clone"])
def test_working_tree_is_clean(release: Release) -> None:
    """The clone's working tree has no change and no untracked file; the suite's own reports never count.

    A change counts even where `git status` does not show it: the file is marked skip-worktree or assume-unchanged, or
    `core.checkStat`, `core.trustctime` or `core.fileMode` keep git from looking. What a sparse checkout leaves out is
    no change. In the reports folder only what this suite wrote is left aside, by its name and its beginning.
    """
    clone = release.clone
    if clone is None or clone.bare:
        raise NotApplicable("no working tree is looked at")
    if count := clone.changed_count + clone.untracked_count:
        paths = listing([*clone.changed, *clone.untracked], most=10, total=count)
        hidden = f"; git status does not show {listing(clone.marked, most=10)}, which is marked" if clone.marked else ""
        raise ActionNeeded(
            expected="a clean working tree",
            found=f"{clone.changed_count} changed, {clone.untracked_count} untracked: {paths}{hidden}",
            why="what is released must be what is committed",
            steps=tidy_up(release, clone),
        )


@check("CLONE-2", reads=["clone", "remote"])
def test_clone_is_on_the_base_branch(release: Release) -> None:
    """The clone is on the base branch."""
    clone = release.clone
    if clone is None or clone.bare:
        raise NotApplicable("no working tree is looked at")
    if clone.branch != release.base_branch:
        same = clone.branch is None and clone.head == release.base_head
        raise ActionNeeded(
            expected=f"on {release.base_branch}",
            found=f"on {clone.branch}" if clone.branch else f"HEAD detached at {(clone.head or 'nothing')[:12]}",
            why="releases start from the base branch",
            steps=[step("Go to it", _switching(release))],
            advice=same,
        )


def _switching(release: Release) -> list[str]:
    """The command that goes to the base branch; it makes one that the clone lacks from the release's own remote."""
    chosen = ("-c", f"checkout.defaultRemote={release.target.remote}")
    return in_clone(release, *chosen, "switch", "--guess", release.base_branch)


@check("CLONE-3", reads=["clone", "remote", "history"])
def test_clone_is_level_with_the_remote(release: Release) -> None:
    """The clone's HEAD is the remote's base branch: neither behind nor ahead."""
    clone = release.clone
    if clone is None or clone.bare:
        raise NotApplicable("no working tree is looked at")
    if clone.head == release.base_head:
        return
    ahead, behind = clone.ahead.present(), clone.behind.present()
    base = f"{release.target.remote}/{release.base_branch}"
    fetching = in_clone(release, *FETCH[1:], remote(release), f"refs/heads/{release.base_branch}")
    only_here = in_clone(release, "log", "--oneline", f"{release.base_head}..HEAD")
    if ahead:
        also = f"; then bring it and the {commits(behind)} of the remote together" if behind else ""
        steps = [step(f"See what only the clone has{also}", fetching, only_here)]
    else:
        steps = [step("Take what the remote has", fetching, in_clone(release, "merge", "--ff-only", release.base_head))]
    raise ActionNeeded(
        expected=f"HEAD equal to {base} ({release.base_head[:12]})",
        found=f"{commits(ahead)} ahead, {commits(behind)} behind",
        why="the release is made from the remote's head, not from the clone's",
        steps=steps,
    )


@check("CLONE-4", reads=["clone"])
def test_no_git_operation_is_in_progress(release: Release) -> None:
    """No merge, rebase, cherry-pick, revert or bisect is in progress in the clone."""
    clone = release.clone
    if clone is None:
        raise NotApplicable("no clone is looked at")
    if clone.operation:
        raise ActionNeeded(
            expected="no operation in progress",
            found=f"a {clone.operation} is in progress",
            why="HEAD is not what it will be when it ends",
            steps=[step("Finish or abort it", in_clone(release, "status"))],
        )


@check("CI-1", reads=["repository", "remote", "ci", "base_rules"])
def test_ci_is_green_on_the_commit_to_release(release: Release, target: Target) -> None:
    """CI is green on exactly the commit that will be released: the remote's head of the base branch.

    Nothing on it is red or pending: check runs, commit statuses, and runs that are queued or could not start. Green on
    it are the checks that the base branch requires and that ever reported on it, the workflows whose file starts on a
    push to it, and, with a token, the apps seen on each of the last five commits with CI. A lone green status of a bot,
    or of GitHub Pages, is no CI; nor is a workflow that comments, issues or releases start, or a schedule alone where
    others are for pushes or pull requests. What is missing is in progress for ten minutes after the push, then unknown.
    Where nothing starts, because of a marker in the commit's message, a push by `github-actions[bot]` or the paths that
    were pushed, the nearest ancestor with complete CI decides: red blocks, green counts, as advice. Where only some
    workflows start, it says what became of the others, and no more. Nothing stands for what is switched off. Releases
    are left out, but where one file tests and releases: a push to the base branch. The run that is asking is left out.
    """
    rules, observed = release.snapshot.base_rules.value, release.snapshot.observed_at
    named = frozenset(rules.all_checks) if rules else frozenset[str]()
    ci_state(
        release.ci,
        needed=target.ci_required,
        base=release.base_branch,
        required=named,
        observed_at=observed,
        page=f"{target.github_web}/{target.repository}/actions",
    )


@check("RUN-1", reads=["repository", "runs", "workflow_files"])
def test_no_release_run_is_unfinished(release: Release, plan: Recovery) -> None:
    """No run of the release workflow is in progress, queued or waiting for approval, on any channel.

    The report says who started it, since when, and where it can be seen. A run that has worked for longer than the time
    limits of its jobs allow, as observed, is stuck: waiting does not help, it has to be ended.
    """
    if not release.target.workflow:
        raise NotApplicable("the project names no release workflow")
    if not release.snapshot.runs.present().exists:
        raise ActionNeeded(
            expected=f"a workflow {release.target.workflow}",
            found="GitHub knows no workflow of this name",
            why="whether a release is running cannot be told",
            steps=[step("Name the release workflow with --workflow (empty: there is none)")],
        )
    unfinished_runs(release, "two releases at once get into each other's way", plan.steps_for("run"))


@check("META-1", reads=["remote", "history"])
def test_metadata_declare_the_version(release: Release, target: Target) -> None:
    """The base branch declares this version, where the process has it committed before a release."""
    if "version" not in target.expected_before_release:
        raise NotApplicable("the version is written by the release itself (expected-before-release)")
    lineage = release.lineage(release.base_head)
    if lineage.version_is_dynamic:
        raise NotApplicable("the version is dynamic: it is worked out when the package is built")
    declared = lineage.declared_version
    if declared is None or parse_version(declared) != release.version:
        raise ActionNeeded(
            expected=f"version {release.version} declared at {release.base_head[:12]}",
            found=declared or "no readable version",
            why="what is built now would carry another version",
            steps=[step(f"Set the version to {release.version}, commit and push")],
        )


@check("META-2", reads=["remote", "history"])
def test_changelog_has_an_entry(release: Release, target: Target) -> None:
    """The changelog on the base branch has a heading of this version, where the process has it before a release."""
    if "changelog" not in target.expected_before_release:
        raise NotApplicable("the changelog is written by the release itself (expected-before-release)")
    text = release.lineage(release.base_head).changelog
    if text is None or not release.has_changelog_entry(text):
        raise ActionNeeded(
            expected=f"a heading of {release.version} in {target.changelog}",
            found="no such heading" if text is not None else f"no file {target.changelog}",
            why="the release would be published without its notes",
            steps=[step(f"Write the entry of {release.version} in {target.changelog}, commit and push")],
        )
