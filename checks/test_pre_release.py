"""The pre-release checks: nothing of the version exists yet, and nothing blocks its release."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import pytest
from packaging.utils import parse_wheel_filename

from release_state.common.text import format_count, join_items
from release_state.facts.declared.version_source import (
    explain_no_tag,
    explain_no_version,
    explain_written_later,
    is_started_by_version,
)
from release_state.facts.filenames import UPLOADED, find_wheel_gap
from release_state.facts.hints import find_workflow_hint
from release_state.facts.own_run import find_own_publishers
from release_state.facts.release import Release
from release_state.facts.release_workflow import require_workflow
from release_state.facts.workflow.making import list_tool_branches
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import ActionNeeded, NotApplicable, Phase, Statement
from release_state.model.plan import step
from release_state.model.snapshot import Built, BuiltFile
from release_state.model.target import Target, parse_version
from release_state.plan.recovery import Recovery
from release_state.plan.steps.commands import fetch, in_clone
from release_state.plan.steps.conflicts import make_room_for_branch, make_room_for_tag
from release_state.plan.steps.prerequisites import judge_unfinished, tidy_up
from release_state.plan.steps.publication import next_version
from release_state.verdict.check import check
from release_state.verdict.ci import judge_commit
from release_state.verdict.traces import describe_release

pytestmark = pytest.mark.pre_release


@check("BRANCH-1", reads=["remote", "clone", "history", "open_pulls", "pulls", "runs"], scenario="A")
def test_no_release_branch_of_this_version(release: Release, plan: Recovery) -> None:
    """The remote has no release branch for this version.

    An interrupted run left it, somebody created it by hand, or a second run created it at the same time. The workflow
    then fails with `fatal: a branch named … already exists`. Look at the branch, back up what matters, delete it, and
    start again.

    A branch that git cannot keep beside it counts too. A ref is a file or a folder, never both: `release` and
    `release/pypi-v0.2.0/x` both block `release/pypi-v0.2.0`. On a file system that ignores case, a branch that differs
    only in case is reported as advice.
    """
    if branch := release.branch:
        raise ActionNeeded(
            found=f"{branch.name} at {branch.sha[:12]}",
            why="the release workflow cannot create its branch",
            steps=plan.steps_for("branch"),
        )
    wanted, there = release.target.release_branch, release.remote.branches
    if release.target.is_lasting(wanted, release.remote.default_branch):
        return
    if others := release.conflicting_branches:
        raise ActionNeeded(
            expected=f"no branch that blocks {wanted}",
            found=join_items(f"{branch.name} at {branch.sha[:12]}" for branch in others),
            why="a ref is a file or a folder, never both: the release workflow cannot create its branch",
            steps=make_room_for_branch(release),
        )
    if taken := release.find_case_twins(wanted, (branch.name for branch in there)):
        raise case_collision(wanted, taken)


def case_collision(wanted: str, taken: Sequence[str]) -> Statement:
    """The advice for refs that differ only in case, where the clone's file system ignores case."""
    return ActionNeeded(
        expected=f"no ref that differs from {wanted} only in case",
        found=join_items(taken),
        why="this clone's file system ignores case, so git mixes these refs up",
        steps=[step(f"Run commands for {wanted} in a clone on a case-sensitive file system")],
        advice=True,
    )


@check("BRANCH-2", reads=["remote", "history", "open_pulls", "runs", "index"], scenario="A")
def test_no_orphaned_release_branch(release: Release, plan: Recovery) -> None:
    """No other release branch is orphaned, unfinished or left over.

    A release branch is one whose name fits the branch template. The base and the default branch never count, nor do
    maintenance branches such as `release/1.x`, or `release/1.4` where versions look like 1.4.2.

    A release branch is *in use* while its pull request is open or a release run is unfinished. It is *unfinished* when
    its version is published or tagged, but no pull request was merged. It is *left over* when it was merged with this
    very head, and else *orphaned*.

    Finish unfinished ones first: run the suite for that version. If a pull request merges into such a branch, change
    its base before you delete the branch: GitHub would close it for good. Such a pull request does not make the branch
    *in use*. A channel that leaves nothing on GitHub, such as TestPyPI, looks only at its own branches.
    """
    if others := [other for other in release.other_branches if other.state != "in use"]:
        raise ActionNeeded(
            found=join_items(f"{other.branch.name} is {other.state}: {other.reason}" for other in others),
            why="a release was not finished or not cleaned up",
            steps=plan.steps_for("other-branches"),
        )


@check("TAG-1", reads=["remote", "index", "release", "runs", "calculation", "history"], scenario="B")
def test_no_tag_of_this_version_on_the_remote(release: Release, plan: Recovery) -> None:
    """The remote has no tag for this version, in any spelling.

    Either a release was interrupted after its tag, or the version was released before. If the tag is right, complete
    that release. If it is wrong and nothing was published, delete it. Otherwise take the next version.

    A channel without tags, such as TestPyPI, leaves the tag alone. The tag still blocks where tags decide the version:
    a run would release another one. It does not block if a run is known to release this version beside the tag. That is
    so when the commits call for it (VERSION-2), or when no rules are configured and the base branch declares it.

    A bare number that belongs to another package of the repository (TAG-15) does not count. A tag that git cannot keep
    beside it does count: `v0.2.0/x` blocks `v0.2.0`, and a release would only find out after its upload.
    """
    if tags := release.version_tags:
        found = join_items(f"{tag.name} at {tag.commit[:12]}" for tag in tags)
        if "tag" not in release.channel.leaves:
            raise judge_foreign_tag(release, found)
        raise ActionNeeded(
            found=found,
            why="tools take the version from tags, and this tag says it is released",
            steps=plan.steps_for("tag"),
        )
    if "tag" in release.channel.leaves and (others := release.conflicting_tags):
        raise ActionNeeded(
            expected=f"no tag that blocks {release.target.tag}",
            found=join_items(f"{tag.name} at {tag.commit[:12]}" for tag in others),
            why="a ref is a file or a folder, never both: tagging would fail after the upload",
            steps=make_room_for_tag(release),
        )


def judge_foreign_tag(release: Release, found: str) -> Statement:
    """How TAG-1 ends on a channel without tags: not applicable only if a run releases this version anyway."""
    name, version, free = release.channel.name, release.version, ""
    try:
        calculation = release.snapshot.calculation.present()
        if calculation.rules is None:
            lineage = release.lineage(release.base_head)
            declared = None if lineage.version_is_dynamic else lineage.declared_version
            if parse_version(declared or "") == version:
                free = f"{release.base_branch} declares {version} whatever the tags say"
            doubt = f"{release.base_branch} declares {declared or 'no readable version'}"
        else:
            wanted = calculation.next_version.known()
            if parse_version(wanted or "") == version:
                free = f"the commits still call for {version} (VERSION-2)"
            doubt = f"the commits call for {wanted or 'no release'}"
    except NotObserved as missing:
        doubt = f"unknown whether a run would still release {version}: {missing}"
    if free:
        return NotApplicable(f"{name} creates no tag, and {free}; existing tag: {found}")
    return ActionNeeded(
        expected=f"no tag for {version}, or a run that still releases {version}",
        found=f"{found}, from another channel; {doubt}",
        why=f"where tags decide the version, a run to {name} releases another version, or none",
        steps=[next_version(release, f"the tag belongs to another channel and stays; {doubt}")],
    )


@check("TAG-2", reads=["remote", "clone"], scenario="B")
def test_no_tag_of_this_version_in_the_clone(release: Release, plan: Recovery) -> None:
    """The clone has no tag for this version that the remote lacks.

    A tag made by hand and never pushed makes `git tag` fail later. Or it is pushed by accident, on the wrong commit. A
    tag that git cannot keep beside it counts too (see TAG-1), whether the remote has it or not. On a file system that
    ignores case, a tag that differs only in case is reported as advice.
    """
    if "tag" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} creates no tag")
    if release.clone is None:
        raise NotApplicable("no clone")
    known = {tag.name for tag in release.remote.tags}
    if tags := [tag for tag in release.local_tags if tag.name not in known]:
        raise ActionNeeded(
            expected=f"no tag for {release.version} in {release.clone.path} alone",
            found=join_items(f"{tag.name} at {tag.commit[:12]}" for tag in tags),
            why="it collides with the tag that the release creates",
            steps=plan.steps_for("local-tag", "tag"),
        )
    wanted = release.target.tag
    if others := release.conflicting_local_tags:
        raise ActionNeeded(
            expected=f"no tag in {release.clone.path} that blocks {wanted}",
            found=join_items(f"{tag.name} at {tag.commit[:12]}" for tag in others),
            why="a ref is a file or a folder, never both: git can neither create nor fetch the tag there",
            steps=make_room_for_tag(release),
        )
    if taken := release.find_case_twins(wanted, dict.fromkeys((*known, *(tag.name for tag in release.clone.tags)))):
        raise case_collision(wanted, taken)


@pytest.mark.pre_publish
@check("INDEX-1", reads=["index"], scenario="C")
def test_version_is_not_on_the_index(release: Release, plan: Recovery) -> None:
    """The index does not have this version, not even yanked.

    A published version is used up: it can be yanked, but never deleted and uploaded again. If you meant to publish it,
    verify the rest with `--phase post-release`. If not, publish the next version.

    The result is unknown if a file may belong to this version but its name does not say. It is also unknown if an
    earlier report or a release run shows that PyPI or TestPyPI had the version, and it is gone now. Then it was
    quarantined or deleted.
    """
    if release.project.lists_empty(release.version) and not release.catching_up:
        raise ActionNeeded(
            found=f"{release.channel.name} lists {release.version} without files: they were deleted",
            why="an index never accepts a file name twice",
            steps=plan.steps_for("index"),
        )
    if release.is_published:
        yanked = " (all yanked)" if release.all_yanked else ""
        found = [file.filename for file in release.files]
        found += [f"{name} (in its JSON API; its Simple API lags)" for name in release.catching_up]
        raise ActionNeeded(
            found=join_items(found) + yanked,
            why="an index never accepts a version twice",
            steps=[next_version(release, "if you did not mean to publish it: the version is used up"), *plan.steps],
        )


@pytest.mark.pre_publish
@check("INDEX-2", reads=["index"])
def test_version_is_the_newest_of_its_line(release: Release) -> None:
    """The version is greater than all versions of its line on the index.

    A line is a major and a minor number: 1.4 is the line of 1.4.2.
    """
    newest = release.newest_of_line
    if newest is not None and release.version < newest:
        raise ActionNeeded(
            expected=f"a version greater than {newest}",
            found=str(release.version),
            why="installers would still prefer the existing one",
            steps=[next_version(release, f"{newest} is the newest of its line")],
        )


@check("INDEX-3", reads=["index"], advice=True)
def test_version_is_the_newest_of_all(release: Release) -> None:
    """The version is greater than every final version on the index.

    A lower version is a backport: GitHub's *latest* release has to stay where it is.
    """
    newest = release.newest_final
    if newest is not None and release.version < newest:
        raise ActionNeeded(
            expected=f"a version greater than {newest}",
            found=f"{release.version}, a backport",
            why="its GitHub Release must not become the latest one",
            steps=[step("Create the GitHub Release of a backport with --latest=false")],
        )


@pytest.mark.pre_publish
@check("INDEX-4", reads=["index"], advice=True)
def test_project_is_known_to_the_index(release: Release) -> None:
    """The index lists the project.

    A project that is not listed is new, or was deleted. A deleted name may never be available again. A new project
    needs a pending trusted publisher, or a token for the whole account, before its first upload.
    """
    if not release.project.listed:
        fix = step("Check that the name is right and free, and its publisher pending", link=release.target.project_page)
        raise ActionNeeded(
            expected=f"{release.target.name} on {release.channel.name}",
            found="the index does not list this name now",
            why="the name is misspelt; or it is new and needs a pending trusted publisher; or it was deleted",
            steps=[fix],
        )


@check("RELEASE-1", reads=["repository", "release", "index", "remote"])
def test_no_github_release(release: Release, plan: Recovery) -> None:
    """GitHub has no release for this version, in any spelling.

    For a channel that creates none, such as TestPyPI, a GitHub Release belongs to another channel and blocks nothing.
    """
    if "release" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} creates no GitHub Release")
    if releases := release.releases:
        raise ActionNeeded(
            found=join_items(f"{found.html_url}: {describe_release(found)}" for found in releases),
            why="the release run could not create its own",
            steps=plan.steps_for("release"),
        )


@check("RELEASE-2", reads=["repository", "drafts", "index", "remote"], advice=True)
def test_no_draft_of_a_github_release(release: Release, plan: Recovery) -> None:
    """GitHub has no draft release for this version, in any spelling.

    GitHub lists drafts only to a token that may push. Without one, the result is unknown.
    """
    if "release" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} creates no GitHub Release")
    drafts = release.all_drafts
    if drafts and release.is_started_by_draft:
        if len(drafts) > 1:
            raise ActionNeeded(
                found=join_items(draft.html_url for draft in drafts),
                why="publishing one of them starts the release; the others would stay",
                steps=[step("Keep one draft, and delete the others there", link=drafts[0].html_url)],
            )
        raise NotApplicable(f"publishing the draft starts the release: {drafts[0].html_url}")
    if drafts:
        raise ActionNeeded(
            found=join_items(draft.html_url for draft in drafts),
            why="the release run would create a second release for the same tag",
            steps=plan.steps_for("draft", "release"),
        )


@check("REPOSITORY-1", reads=["repository"])
def test_repository_is_not_archived(release: Release) -> None:
    """The repository is not archived.

    An archived repository accepts no push and starts no workflow. Its owner can unarchive it in the settings.
    """
    repository = release.snapshot.repository.present()
    if repository.archived:
        raise ActionNeeded(
            found=f"{repository.full_name} is archived",
            why="no run can start, and nothing can be pushed",
            steps=[step("Unarchive it in its settings", link=f"{repository.html_url}/settings")],
        )


@check("PULL-1", reads=["repository", "pulls"], scenario="D")
def test_no_open_pull_request(release: Release, plan: Recovery) -> None:
    """No pull request from this version's release branch is open.

    A channel that creates none, such as TestPyPI, is not blocked by one. Its branch is what BRANCH-1 judges.
    """
    if "pull-request" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} creates no pull request; BRANCH-1 judges its branch")
    if pulls := release.open_pulls:
        raise ActionNeeded(
            found=join_items(f"#{pull.number} into {pull.base_branch}: {pull.html_url}" for pull in pulls),
            why="a release of this version is under way or was left unfinished",
            steps=plan.steps_for("pull-request")
            or [step(f"Look at #{pull.number}, then merge or close it", link=pull.html_url) for pull in pulls],
        )


@check("CLONE-1", reads=["clone"])
def test_working_tree_is_clean(release: Release) -> None:
    """The clone's working tree has no changes and no untracked files.

    A change counts even if `git status` hides it. It does so for files marked skip-worktree or assume-unchanged, and
    because of `core.checkStat`, `core.trustctime` or `core.fileMode`. What a sparse checkout leaves out is no change.
    The suite's own reports never count. They are recognised in the reports folder by their name and their first bytes.
    """
    clone = release.clone
    if clone is None or clone.bare:
        raise NotApplicable("no working tree")
    if count := clone.changed_count + clone.untracked_count:
        paths = join_items([*clone.changed, *clone.untracked], most=10, total=count)
        hidden = f"; git status hides {join_items(clone.marked, most=10)} (marked)" if clone.marked else ""
        raise ActionNeeded(
            found=f"{clone.changed_count} changed, {clone.untracked_count} untracked: {paths}{hidden}",
            why="only committed files may be released",
            steps=tidy_up(release, clone),
        )


@check("CLONE-2", reads=["clone", "remote"])
def test_clone_is_on_the_base_branch(release: Release) -> None:
    """The clone is on the base branch."""
    clone = release.clone
    if clone is None or clone.bare:
        raise NotApplicable("no working tree")
    if clone.branch != release.base_branch:
        same = clone.branch is None and clone.head == release.base_head
        # A missing branch is created from the release's own remote.
        switch = ("-c", f"checkout.defaultRemote={release.target.remote}", "switch", "--guess", release.base_branch)
        raise ActionNeeded(
            expected=release.base_branch,
            found=clone.branch or f"HEAD detached at {(clone.head or 'nothing')[:12]}",
            why="releases start from the base branch",
            steps=[step(f"Switch to {release.base_branch}", in_clone(release, *switch))],
            advice=same,
        )


@check("CLONE-3", reads=["clone", "remote", "history"])
def test_clone_is_level_with_the_remote(release: Release) -> None:
    """The clone's HEAD equals the remote's base branch."""
    clone = release.clone
    if clone is None or clone.bare:
        raise NotApplicable("no working tree")
    if clone.head == release.base_head:
        return
    ahead, behind = clone.ahead.present(), clone.behind.present()
    base = f"{release.target.remote}/{release.base_branch}"
    fetching = in_clone(release, *fetch(release, f"refs/heads/{release.base_branch}")[1:])
    only_here = in_clone(release, "log", "--oneline", f"{release.base_head}..HEAD")
    if ahead:
        also = f", then combine it with the {format_count(behind, 'commit')} of the remote" if behind else ""
        steps = [step(f"Review what only the clone has{also}", fetching, only_here)]
    else:
        steps = [
            step("Fast-forward to the remote", fetching, in_clone(release, "merge", "--ff-only", release.base_head))
        ]
    raise ActionNeeded(
        expected=f"{base} ({release.base_head[:12]})",
        found=f"{format_count(ahead, 'commit')} ahead, {format_count(behind, 'commit')} behind",
        why="the release is made from the remote's head, not from the clone's",
        steps=steps,
    )


@check("CLONE-4", reads=["clone"])
def test_no_git_operation_is_in_progress(release: Release) -> None:
    """No git operation is in progress in the clone.

    That is a merge, rebase, cherry-pick, revert or bisect.
    """
    clone = release.clone
    if clone is None:
        raise NotApplicable("no clone")
    if clone.operation:
        raise ActionNeeded(
            found=f"a {clone.operation} is in progress",
            why="HEAD will move when it ends",
            steps=[step("Finish or abort it", in_clone(release, "status"))],
        )


@pytest.mark.pre_publish
@check("CI-1", reads=["repository", "remote", "ci", "base_rules"])
def test_ci_is_green_on_the_commit_to_release(release: Release, target: Target) -> None:
    """CI is green on the commit to release.

    That is the head of the base branch, and inside a run that a tag started its own commit. Nothing on it is red or
    pending: no check run, no commit status, and no run that is queued or could not start.

    These have to be green on the commit: the required checks that ever reported on the base branch, and the workflows
    whose file starts on a push to it. With a token, the apps seen on each of the last five commits with CI count too. A
    lone green status from a bot or from GitHub Pages is no CI. Nor is a workflow that comments, issues or releases
    start. A schedule alone is no CI where other workflows run on pushes or pull requests. What is missing is in
    progress for ten minutes after the push, then unknown. No ancestor stands in for a workflow that is switched off.

    Sometimes a push starts nothing: a marker in the commit message, a push by `github-actions[bot]`, or the pushed
    paths. Then the nearest ancestor with complete CI decides: red blocks, green counts, as advice. If only some
    workflows start, the ancestor speaks only for the others. A job that is skipped is red if it was where it ran last.
    The last five commits are asked, without a token one.

    Release workflows do not count, unless the same file also tests on a push to the base branch. The run that asks does
    not count either, except for the completed jobs that the job which asks `needs`.
    """
    rules, observed = release.snapshot.base_rules.value, release.snapshot.observed_at
    named = frozenset(rules.all_checks) if rules else frozenset[str]()
    judge_commit(
        release.ci,
        needed=target.ci_required,
        base=release.find_branch_of(release.ci.sha),
        required=named,
        observed_at=observed,
        page=f"{target.web}/actions",
    )


@pytest.mark.pre_publish
@check("RUN-1", reads=["repository", "remote", "runs", "workflow_files"])
def test_no_release_run_is_unfinished(release: Release, plan: Recovery) -> None:
    """No release run is in progress, queued or waiting, on any channel.

    Waiting means waiting for approval. Where tags name their package, a run of another package's tag does not count.
    The report says who started the run, when, and where to see it. A run that has worked longer than its jobs' time
    limits allow is stuck: do not wait for it, cancel it.
    """
    require_workflow(release)
    target = release.target
    if not release.snapshot.runs.present().exists and target.process.publishers and "workflow" not in target.given:
        why = f"GitHub knows no workflow {join_items(target.workflows)}, which the base branch has"
        remedy = "look at the repository's Actions; GitHub lists a workflow once its default branch has it"
        raise NotObserved(Problem(source="GitHub", why=why, remedy=remedy))
    if not release.snapshot.runs.present().exists:
        raise ActionNeeded(
            expected=f"workflow {release.target.workflow}",
            found="GitHub has no workflow with this name"
            + (f"; {hint}" if (hint := find_workflow_hint(release.snapshot)) else ""),
            why="nobody can tell whether a release is running",
            steps=[step("Name the release workflow with --workflow (empty: there is none)")],
        )
    judge_unfinished(release, "two releases at once disturb each other", plan.steps_for("run"))


@check("META-1", reads=["remote", "history", "workflow_files"])
def test_metadata_declare_the_version(release: Release, target: Target) -> None:
    """The base branch declares this version.

    It is read from the files that the build backend reads, in the package's own folder. Nothing is run. A version that
    a tool computes from tags does not count, nor does one that a workflow sets in the release.

    Another version needs action where a pushed tag or a GitHub Release starts the upload, or `expected-before-release`
    names the version. If the upload is started by hand or by a schedule, or nobody knows how, it is unknown: most such
    projects commit the version first, and the others set it where no file shows it.

    If a push to the base branch or a merge starts the upload, what sets the version is the release: this is advice.

    Where a tool computes the version from tags, and a run that is started by hand makes none, it is unknown, too: such
    a run builds another version.
    """
    doubt = None
    try:
        if later := explain_written_later(release):
            raise NotApplicable(later)
    except NotObserved as unknown:  # a right version is right in any process
        doubt = unknown
    lineage = release.lineage(release.base_head)
    if lineage.version_is_dynamic:
        if doubt and (problem := explain_no_tag(release, lineage)):
            raise NotObserved(problem)
        raise NotApplicable(f"the version is dynamic: {lineage.declared_where or 'the build'} computes it")
    declared = lineage.declared_version
    if declared is not None and parse_version(declared) == release.version:
        return
    if doubt:
        raise doubt
    if problem := explain_no_version(release, lineage):
        raise NotObserved(problem)
    where, by_push = lineage.declared_where or "the metadata", is_started_by_version(release)
    other = "this push starts the upload" if by_push else "to release another branch, name it with --base-branch"
    title = f"Set the version to {release.version} in {where}, commit and push; {other}"
    files = release.snapshot.workflow_files.value
    if by_push and files and list_tool_branches(files, release.base_branch, release.target.package):
        title = f"Merge the release pull request, which sets {release.version} in {where} and starts the upload"
    raise ActionNeeded(
        expected=f"version {release.version} at {release.base_head[:12]}",
        found=f"{declared} in {where}",
        why="a build would carry another version",
        steps=[step(title)],
        advice=by_push,
    )


@check("META-3", reads=["remote", "history", "index"])
def test_package_is_built(release: Release, plan: Recovery) -> None:
    """The base branch builds a package of this name.

    A misspelt name would be judged by the traces of another package. All pyproject.toml, setup.cfg and setup.py of the
    tree are looked at, but for those of tests, examples and documents. If a name among them cannot be read, this does
    not apply, nor if an index lists the project: a build may give it another name.
    """
    if packages := release.packages_instead:
        raise ActionNeeded(
            found=f"{release.base_branch} builds {join_items(packages)}, and {release.channel.name} lists no "
            f"{release.target.name}",
            why="the release would go to another project",
            steps=plan.steps_for("all"),
        )


@check("META-2", reads=["remote", "history"])
def test_changelog_has_an_entry(release: Release, target: Target) -> None:
    """The changelog on the base branch has a heading for this version.

    Only where `expected-before-release` says that the changelog is written before the release.
    """
    if "changelog" not in target.expected_before_release:
        raise NotApplicable("the release itself writes the changelog (expected-before-release)")
    text = release.lineage(release.base_head).changelog
    if text is None or not release.has_changelog_entry(text):
        raise ActionNeeded(
            expected=f"a heading for {release.version} in {target.changelog}",
            found="no such heading" if text is not None else f"no file {target.changelog}",
            why="the release would be published without notes",
            steps=[step(f"Add an entry for {release.version} to {target.changelog}, commit and push")],
        )


@pytest.mark.pre_publish
@check("DIST-1", reads=["built", "index", "own_run", "workflow_files"])
def test_built_files_are_of_this_version(release: Release) -> None:
    """The built files are this version's, and no others.

    The folder of `--built` has the expected kinds of file, each of this package and exactly this version, in its name
    and in its metadata. The tag alone does not say so: setuptools-scm in a shallow checkout builds 0.1.dev1, an older
    wheel is left in the folder, or it is empty. Such an upload fails half-way or publishes something else. An upload
    of the folder also fails on files that are no distributions, except an attestation or a signature beside its own.
    Hidden files are not uploaded. It has wheels for the machines and Pythons of the version before, too (INDEX-12),
    and the wheels are complete (INDEX-14).

    PyPI and TestPyPI refuse a file whose name is not normalized, a wheel for plain `linux_x86_64`, a dependency by an
    address, and a classifier `Private :: …`.

    An upload fails on a file that the index has, too. It is no fault where every upload of this run's workflow skips
    such files.
    """
    built = release.snapshot.built.known()
    if built is None:
        raise NotApplicable("--built names no folder")
    unread = [f"{file.filename}: {file.unread}" for file in built.files if file.unread]
    unread += [f"{built.more:,} more files were not looked at"] if built.more else []
    if faults := list(find_faults(built, release)):
        raise _build_again(release, join_items([*faults, *unread]))
    refused = [f"{file.filename}: {file.refused}" for file in built.files if file.refused]
    if refused and release.channel.is_public_index:
        raise _correct(release, join_items(refused))
    if taken := find_taken(built, release):
        fix = step(
            "Leave what is published. Complete this release by an upload that skips existing files "
            "(skip-existing: true), or release the next version"
        )
        raise ActionNeeded(
            found=f"{release.channel.name} already has {join_items(taken)}",
            why="an index never accepts a file name twice: the upload fails on it",
            steps=[fix],
        )
    if unread:
        remedy = "build into an empty folder, of plain files that this run may read; or raise --lookup-timeout"
        raise NotObserved(Problem(source="built files", why=join_items(unread), remedy=remedy))
    kinds = {file.kind for file in built.files}
    if missing := [kind for kind in release.target.expected_files if kind not in kinds]:
        raise _build_again(release, f"no {' and no '.join(missing)} in {built.folder}")
    names = [file.filename for file in built.files if file.kind == "wheel"]
    gap = find_wheel_gap(release.project, release.version, names)
    if gap.unexplained and "expected-files" not in release.target.given:
        fix = step(
            "Put the files of every job that builds into the folder; where a wheel is dropped on purpose, say "
            f"which kinds are expected: --expected-files {','.join(release.target.expected_files)}"
        )
        raise ActionNeeded(
            expected=f"wheels as {gap.version} has",
            found=f"no wheel for {join_items(gap.unexplained, 12)} in {built.folder}",
            why="an installation there needs a compiler, or fails",
            steps=[fix],
        )
    if doubtful := [f"{file.filename} {file.doubtful}" for file in built.files if file.doubtful]:
        look = step("Compare the wheel with the sdist; if it is not meant, correct the build before you upload")
        why = "the wheel was not built from the sdist's files, or leaves some out"
        raise ActionNeeded(found=join_items(doubtful), why=why, steps=[look], advice=True)


def find_faults(built: Built, release: Release) -> Iterator[str]:
    """Each file that must not be uploaded, with what it is instead."""
    seen: dict[Hashable, str] = {}
    if not built.files:
        yield f"{built.folder} is empty"
    for file in built.files:
        name, version = file.filename, file.version
        if file.kind not in ("sdist", "wheel") or not name.endswith(UPLOADED):
            if file.wrong or not any(belongs(name, other.filename) for other in built.files if other.kind):
                yield f"{name}: {file.wrong or f'no distribution of {release.target.package}'}"
        elif version is None or parse_version(version) != release.version:
            yield f"{name}: version {version}"
        elif file.wrong:
            yield f"{name}: {file.wrong}"
        elif not file.unread and (other := seen.setdefault(identify(file), name)) != name:
            yield f"{name}: the same distribution as {other}"


def find_taken(built: Built, release: Release) -> list[str]:
    """The files that the index has, where an upload may fail on them. Raises NotObserved if that is not known."""
    published = {*(file.filename for file in release.files), *release.catching_up}
    taken = [file.filename for file in built.files if file.filename in published]
    if not taken or (run := release.snapshot.own_run.known()) is None:
        return taken
    release.snapshot.workflow_files.known()  # the jobs that publish follow from them
    publishers = find_own_publishers(release.target, run)
    return [] if publishers and all(each.skips_existing for each in publishers) else taken


def belongs(name: str, other: str) -> bool:
    """Whether a file is a signature or an attestation of the other one, as twine takes them."""
    return name == f"{other}.asc" or (name.startswith(f"{other}.") and name.endswith(".attestation"))


def identify(file: BuiltFile) -> Hashable:
    """What no two files of one version may share: an index takes one sdist, and each wheel in one spelling."""
    return parse_wheel_filename(file.filename) if file.kind == "wheel" else file.kind


def _correct(release: Release, found: str) -> ActionNeeded:
    again = "build again" if release.snapshot.phase == Phase.PRE_RELEASE else "release the next version"
    return ActionNeeded(
        found=found,
        why=f"{release.channel.name} refuses such a file, and the upload fails half-way",
        steps=[step(f"Correct the project's metadata or its build in a commit, then {again}")],
    )


def _build_again(release: Release, found: str) -> ActionNeeded:
    fix = step(
        f"Build {release.version} again into an empty folder, from its commit with the tags (fetch-depth: 0); "
        "put nothing else there, and look again. If a wheel stays wrong, correct the build in a commit first"
    )
    return ActionNeeded(found=found, why="the upload fails half-way, or publishes something else", steps=[fix])
