"""The verification: the version is released, and each of its traces is what a finished release leaves."""

from __future__ import annotations

import pytest

from release_state.common.text import format_count, join_items
from release_state.facts import origin
from release_state.facts.declared.version_source import find_build_writer, find_described_instead
from release_state.facts.filenames import read_filename
from release_state.facts.hints import find_tag_hint
from release_state.facts.process import require_sure
from release_state.facts.release import Release
from release_state.facts.release_workflow import require_workflow
from release_state.model.observation import NotObserved, Problem
from release_state.model.outcome import ActionNeeded, InProgress, NotApplicable, Phase
from release_state.model.plan import Step, step
from release_state.model.snapshot import PullRequest, Tag
from release_state.model.target import Target, Trace, parse_version
from release_state.plan.recovery import Recovery
from release_state.plan.steps import tags
from release_state.plan.steps.commands import fetch, name_remote
from release_state.plan.steps.prerequisites import judge_unfinished
from release_state.plan.steps.tagging import describe_fit
from release_state.verdict.at_work import find_maker, judge_while_at_work
from release_state.verdict.check import check

pytestmark = pytest.mark.post_recovery


def require_trace(release: Release, trace: Trace, seen: str) -> None:
    """End the check as not applicable if the channel leaves no such trace; `seen` says what exists anyway."""
    if trace not in release.channel.leaves and release.snapshot.phase != Phase.PRE_PUBLISH:
        raise NotApplicable(f"{release.channel.name} leaves no {trace}; for information: {seen}")


def describe_tag(release: Release) -> str:
    """The tag in words, or why it is unknown; for information only."""
    try:
        return f"tag {release.tag.name} at {release.tag.commit[:12]}" if release.tag else f"no tag {release.target.tag}"
    except NotObserved as missing:
        return f"tag unknown ({missing})"


@check("INDEX-11", reads=["index", "remote", "history", "pulls", "open_pulls", "runs", "workflow_files"], scenario="E")
def test_version_is_published(release: Release, plan: Recovery) -> None:
    """The index has files of this version.

    A version that the index lists without files is not published. If the version is tagged, publish from the tag. If
    there is only a branch, back it up, delete it, and run the workflow again.

    If only the index's JSON API lists the files, they were uploaded some minutes ago. The Simple API, which installers
    read, will list them soon; `--wait` waits for it.

    The result is unknown if PyPI or TestPyPI had the version before and lacks it now: a quarantined release hides its
    files like that.
    """
    if not release.files and release.catching_up:
        raise index_lag(release, plan)
    if not release.files:
        is_used_up = release.project.lists_empty(release.version)
        listed = "listed without files" if is_used_up else "no file"
        missing = ActionNeeded(
            found=listed if release.project.listed else "the index does not list this name now",
            why="nobody can install it",
            steps=plan.steps_for("index"),
        )
        raise missing if is_used_up else judge_while_at_work(release, "index", missing)


@check("INDEX-12", reads=["index", "remote", "runs", "workflow_files"])
def test_expected_files_are_published(release: Release, target: Target, plan: Recovery) -> None:
    """Every expected kind of file of this version is on the index.

    Without `expected-files`, these are the kinds that the last three final versions had. The first two versions of a
    project have the default. A release has wheels for the platforms and Pythons of the version before, too. An old
    Python may go. A less common machine that goes with a feature release is advice, and so are 32-bit machines and
    PyPy. So is a less common machine or an old Python that goes as a whole while a wheel for any platform still serves
    it. Every other gap blocks, unless `expected-files` is configured.

    PyPI and TestPyPI accept no further file once a version's first file is older than 14 days. What is missing then
    comes with the next version. If the existing files are all you meant to publish, say so in `expected-files`.
    """
    if not release.files:
        raise NotApplicable("nothing of the version is published")
    if missing := release.missing_kinds:
        closed = origin.explain_closed(release)
        partial = ActionNeeded(
            expected=" and ".join(target.expected_files),
            found=f"{join_items(file.filename for file in release.files)}; missing: {', '.join(missing)}",
            why=closed or "the upload may have stopped half-way",
            steps=plan.steps_for("index"),
        )
        raise partial if closed else judge_while_at_work(release, "index", partial)
    if release.catching_up:
        raise index_lag(release, plan)
    require_wheels(release, plan)


def require_wheels(release: Release, plan: Recovery) -> None:
    """Raise if wheels are missing that the version before had; advice where they were likely dropped."""
    gap = release.wheel_gap
    if not gap:
        return
    lost = gap.unexplained or gap.likely_dropped
    on_purpose = f"If {release.version} drops them on purpose, say so in its notes; else publish them"
    instead = "takes the wheel for any platform" if gap.has_fallback else "needs a compiler, or fails"
    closed = origin.explain_closed(release)
    fewer = ActionNeeded(
        expected=f"wheels as {gap.version} has",
        found=f"no wheel for {join_items(lost, 12)}",
        why=(closed if gap.unexplained else "") or f"an installation there {instead}",
        steps=plan.steps_for("index") if gap.unexplained else [step(on_purpose)],
        advice=not gap.unexplained,
    )
    raise fewer if closed else judge_while_at_work(release, "index", fewer)


def index_lag(release: Release, plan: Recovery) -> InProgress:
    """The statement about files that are uploaded and that the Simple API does not list yet."""
    return InProgress(
        expected=f"the files of {release.version} in the index's Simple API, which installers read",
        found=f"only in its JSON API so far: {join_items(release.catching_up)}",
        why="the Simple API lags some minutes behind an upload",
        steps=plan.steps_for("index"),
    )


@check("INDEX-13", reads=["index"])
def test_no_file_is_yanked(release: Release, plan: Recovery) -> None:
    """No file of this version is yanked.

    If it was yanked on purpose, publish the next version. If not, or if only some files are yanked, un-yank it in the
    index's web interface.
    """
    if yanked := [file for file in release.files if file.yanked]:
        reasons = {file.yanked_reason or "no reason given" for file in yanked}
        raise ActionNeeded(
            found=f"{join_items(file.filename for file in yanked)} ({join_items(sorted(reasons))})",
            why="installers skip a yanked version",
            steps=plan.steps_for("index"),
        )


@check("INDEX-14", reads=["index", "contents", "published"])
def test_wheels_are_complete(release: Release) -> None:
    """The wheels of this version are complete.

    A build that does not find the package makes a wheel of metadata alone. It installs, and nothing can be imported.
    The smallest wheels are read, up to 8 MiB each. One without a module is wrong if the sdist has a package, or another
    wheel has a module. A wheel of the version before counts where there is no sdist, or no dependency either. A
    metapackage has no module in any file. An sdist without any source builds an empty wheel, and is wrong if a wheel
    has a module.

    The first wheel with a module is wrong if it lacks the module of an entry point, or one of the sdist that it
    imports. Its RECORD has to fit its files. Its dependencies and Requires-Python have to be the sdist's, unless the
    sdist calls them dynamic (PEP 643). Other packages and data of the sdist may be left out on purpose, and a build may
    change a module. So that is advice.
    """
    if not release.files:
        raise NotApplicable("nothing of the version is published")
    contents = release.snapshot.contents.known()
    if contents is None:
        raise NotApplicable("no wheel that is read")
    fix = step(
        f"Yank {release.version}, find out why the build left it out, and publish the next version",
        mends="index",
        link=release.target.index_page,
        reason="no index takes the same file name twice",
    )
    published = release.snapshot.published.value
    is_bare = published is not None and published.is_bare and published.version is None
    if contents.module and (contents.empty or is_bare):
        empty = f"no module in {join_items(contents.empty)}" if contents.empty else ""
        bare = f"no source in {published.sdist}" if published and is_bare else ""
        raise ActionNeeded(
            found=join_items(filter(None, [empty, bare])), why=f"{contents.holder} has {contents.module}", steps=[fix]
        )
    if contents.wrong:
        why = "such a wheel fails, or installs something else than the sdist"
        raise ActionNeeded(found=join_items(contents.wrong), why=why, steps=[fix])
    if contents.doubtful:
        look = step("Compare the wheel with the sdist; if it is not meant, correct the build before the next version")
        why = "the wheel was not built from the sdist's files, or leaves some out"
        raise ActionNeeded(found=join_items(contents.doubtful), why=why, steps=[look], advice=True)


@check("INSTALL-11", reads=["index", "installation", "opened"])
def test_version_installs(release: Release) -> None:
    """The version installs, and its other files are what the index says.

    It is installed from its index into a fresh, isolated environment, from wheels only, up to `--install-size`. With
    `--install-sdists`, a package without a wheel is built, which runs its code. Some versions cannot be installed here,
    and stay unknown. There is no wheel for this machine, or no interpreter that satisfies Requires-Python. Or a
    dependency has no wheel or is a direct URL.

    Every file that was not installed, such as a wheel for another kind of machine, is downloaded and opened. Its hash,
    and the name, version and Requires-Python in its metadata, have to match its file name and the index. Nothing in it
    is run. `--install-size` and `--install-timeout` limit this too; what exceeds them stays unknown. `--no-install`
    skips all of it, and the verdict says so.
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
            why="users cannot install the published version",
            steps=[step("Read the installer's output above, and publish a fixed version as the next one")],
        )
    if wrong := [file for file in (opened.value.files if opened.value else ()) if file.wrong]:
        raise ActionNeeded(
            expected="files that match their names and the index",
            found=join_items(f"{file.filename}: {file.wrong}" for file in wrong),
            why="installers that choose one of them fail",
            steps=[step("Yank the broken files, find out how they were built, and publish the next version")],
        )
    if not installation.present().attempted:
        why = f"not tried: {installation.present().detail}"
        remedy = "run again where it can be tried, or give --no-install: the verdict then says that it was not verified"
        raise NotObserved(Problem(source=f"installation from {release.channel.name}", why=why, remedy=remedy))
    opened.present()


@check("TAG-11", reads=["remote", "index", "pulls", "published", "runs", "workflow_files"], scenario="E")
def test_tag_is_on_the_remote(release: Release, plan: Recovery) -> None:
    """The remote has this version's tag, as the template spells it.

    Other spellings of it are on the same commit: of two tags on two commits, nobody knows which one was released.
    """
    require_trace(release, "tag", describe_tag(release))
    apart = [tag for tag in release.other_tags_exactly if release.tag and tag.commit != release.tag.commit]
    if release.tag and apart:
        both = (release.tag, *apart)
        raise ActionNeeded(
            expected=f"one commit for every tag of {release.version}",
            found=join_items(f"{tag.name} at {tag.commit[:12]}" for tag in both),
            why="nobody can tell which of these commits was released",
            steps=[tags.look_at(release, tag, "it names this version, too, on another commit") for tag in apart],
        )
    if release.tag is None:
        others = join_items(f"{tag.name} at {tag.commit[:12]}" for tag in release.other_tags)
        blocking = join_items(tag.name for tag in release.conflicting_tags)
        missing = ActionNeeded(
            expected=f"tag {release.target.tag}",
            found="no such tag"
            + (f"; same version in another spelling: {others}" if others else "")
            + (f"; blocked by {blocking}" if blocking else "")
            + (f"; {hint}" if (hint := find_tag_hint(release.snapshot)) else ""),
            why="nobody can tell what was released, and tools take the next version from tags",
            steps=plan.steps_for("tag"),
        )
        raise missing if others or blocking else judge_while_at_work(release, "tag", missing)


@check("TAG-12", reads=["remote"], advice=True)
def test_tag_is_annotated(release: Release) -> None:
    """The tag is annotated.

    An annotated tag says who created it and when. Where the project's other tags are lightweight, as those of GitHub
    Releases are, that is no finding.
    """
    require_trace(release, "tag", describe_tag(release))
    if release.tag is None:
        raise NotApplicable("no tag")
    others = [tag for tag in release.remote.tags if tag != release.tag and release.target.parse_tag(tag.name)]
    if others and not any(tag.annotated for tag in others):
        raise NotApplicable("this project's other tags are lightweight, too")
    if not release.tag.annotated:
        raise ActionNeeded(
            found=f"{release.tag.name} is lightweight, at {release.tag.commit[:12]}",
            why="`git describe` skips it, and it has no date of its own",
            steps=[step("Leave a published tag as it is; create the next one with git tag --annotate")],
        )


@check("TAG-13", reads=["remote", "clone"])
def test_tag_is_the_same_in_the_clone(release: Release, plan: Recovery) -> None:
    """The clone's tags for this version equal the remote's.

    That holds for each spelling of the tag. A clone without the tag is fine.
    """
    require_trace(release, "tag", describe_tag(release))
    if release.clone is None:
        raise NotApplicable("no clone")
    both = [(local, there) for local in release.local_tags if (there := release.remote.tag(local.name))]
    if not both:
        missing = "remote" if release.local_tag else "clone"
        raise NotApplicable(f"the {missing} has no tag {release.target.tag}")
    if apart := [(local, there) for local, there in both if local.object != there.object]:
        raise ActionNeeded(
            expected=join_items(
                f"{there.name} is {there.object[:12]} (commit {there.commit[:12]})" for _, there in apart
            ),
            found=join_items(f"{local.object[:12]} (commit {local.commit[:12]}) in the clone" for local, _ in apart),
            why="a push from this clone could move the tag",
            steps=plan.steps_for("local-tag"),
        )


@pytest.mark.pre_publish
@check("TAG-14", reads=["remote", "history", "pulls"])
def test_tag_is_on_the_right_commit(release: Release) -> None:
    """The tag points to a commit on the base branch or release branch.

    Another branch of the remote that lasts is right, too: a maintenance line such as `0.1.x`, or `develop`.
    The release branch is known by the head that GitHub recorded for its pull request. So this also works after a squash
    merge, and after the branch is gone. Any other commit deserves a look, but about half of all tags are off the
    default branch for good reasons. It blocks before the upload alone, in the phase pre-publish.
    """
    require_trace(release, "tag", describe_tag(release))
    tag = release.tag
    if tag is None:
        raise NotApplicable("no tag")
    if tag.commit == release.base_head or release.lineage(tag.commit).on_base:
        return
    if any(release.is_ancestor(tag.commit, pull.head_sha) for pull in release.pulls) or release.find_line(tag.commit):
        return
    heads = join_items(f"#{pull.number} at {pull.head_sha[:12]}" for pull in release.pulls) or "none"
    off = format_count(release.lineage(tag.commit).ahead, "commit")
    fix = step(
        f"Look at what {tag.name} points to",
        fetch(release, f"refs/tags/{tag.name}"),
        ["git", "log", "--oneline", "-5", tag.commit],
    )
    raise ActionNeeded(
        expected=f"a commit on {release.base_branch}, or in the release pull request ({heads})",
        found=f"{tag.name} at {tag.commit[:12]}, {off} off the base branch",
        why="the tag may not be what was released",
        steps=[fix],
        advice=release.snapshot.phase != Phase.PRE_PUBLISH,
    )


@check("TAG-15", reads=["remote"], advice=True)
def test_no_other_tag_equals_the_version(release: Release) -> None:
    """All tags for this version, in any spelling, point to one commit.

    In a repository of several packages, a bare number may be another package's tag, and does not count. That is so if
    the template contains the package's name, and bare numbers continue beside the named tags on other commits.
    """
    require_trace(release, "tag", describe_tag(release))
    tag = release.tag
    others = [other for other in release.other_tags if tag is None or other.commit != tag.commit]
    if others and (tag is not None or len({other.commit for other in others}) > 1):
        raise ActionNeeded(
            found=join_items(f"{other.name} at {other.commit[:12]}" for other in others),
            why="two tags for one version point to two commits (a moving tag such as v9 is meant to)",
            steps=[step("Check which tag is right", ["git", "ls-remote", "--tags", name_remote(release)])],
        )


@check(
    "TAG-16", reads=["remote", "index", "published", "history", "release"], advice=True, may_block=[Phase.POST_RECOVERY]
)
def test_tagged_commit_holds_what_was_published(release: Release, plan: Recovery) -> None:
    """The tagged commit contains the published files.

    Every file of the sdist (of the wheel, if there is no sdist) is unchanged in the tagged commit. Files that the build
    writes or rewrites do not count, nor do those of submodules.

    If not, the version was built from another commit, or with uncommitted changes. Then the tag and the package differ.
    Do not move a tag that declares this version and that people may have fetched. Publish the next version from a
    tagged commit.

    A commit with next to none of the files is not where the version comes from. That blocks. The plan moves the tag if
    another commit has the files.
    """
    require_trace(release, "tag", describe_tag(release))
    tag, published = release.tag, release.published
    if tag is None:
        raise NotApplicable("no tag")
    if published is None or published.file is None:
        raise NotApplicable("no published file to compare")
    tagged = published.find(tag.commit)
    if tagged is None:
        raise NotObserved(Problem(source="git history", why=f"commit {tag.commit[:12]} could not be fetched"))
    if release.is_tag_foreign:
        raise ActionNeeded(
            expected=f"the {published.compared} files of {published.file} in {tag.name}, at {tag.commit[:12]}",
            found=describe_fit(release, tagged),
            why="the tag is on another commit than the one that was published, maybe of another project",
            steps=plan.steps_for("tag") if origin.is_misplaced(release) else [_find_published_commit(release, tag)],
            blocks=True,
        )
    if not release.holds_files(tagged):
        best = release.published_from[:1]
        nearer = [c for c in best if c.equal > tagged.equal]
        raise ActionNeeded(
            expected=f"the {published.compared} files of {published.file} in {tag.name}, at {tag.commit[:12]}",
            found=describe_fit(release, tagged)
            + "".join(f". Closer: {c.sha[:12]}, {c.what}: {describe_fit(release, c)}" for c in nearer),
            why="the tag is not what users install",
            steps=[
                step(
                    f"Compare {tag.name} with the published files; leave the tag, and tag the next version before you "
                    "publish it",
                    *[fetch(release, c.ref or c.sha) for c in nearer],
                    fetch(release, f"refs/tags/{tag.name}"),
                    *[["git", "diff", "--stat", tag.commit, c.sha] for c in nearer],
                )
            ],
        )


def _find_published_commit(release: Release, tag: Tag) -> Step:
    closest = [f"{c.sha[:12]}, {c.what}: {describe_fit(release, c)}" for c in release.published_from[:1]]
    return step(
        f"Find the commit that was published; then move {tag.name} there, and keep the old one as a backup",
        fetch(release, f"refs/tags/{tag.name}"),
        ["git", "show", "--stat", tag.commit],
        reason="no commit that was compared holds all of the published files"
        + "".join(f"; closest: {c}" for c in closest),
    )


@pytest.mark.pre_publish
@check("META-11", reads=["remote", "history", "index", "published", "release"])
def test_tagged_commit_declares_the_version(release: Release, plan: Recovery) -> None:
    """The metadata at the tagged commit declare this version.

    A version that only running the project's code tells counts as in the published files. A tool that asks `git
    describe` takes an annotated tag for a lightweight one on the same commit, such as that of a release candidate.

    If the process never commits the version, no commit declares it. When no commit fits the published files better than
    the tagged one, this is advice for the next release. Otherwise the tag is on the wrong commit, and is moved to the
    published one. If an immutable GitHub Release holds the tag, the tag stays, and the version is used up.
    """
    require_trace(release, "tag", describe_tag(release))
    if release.tag is None:
        raise NotApplicable("no tag")
    lineage = release.lineage(release.tag.commit)
    if lineage.version_is_dynamic:
        if (other := find_described_instead(release, release.tag)) and not release.is_published:
            raise ActionNeeded(
                found=f"{lineage.declared_where}; {release.tag.name} is lightweight, {other.name} on its commit not",
                why=f"git describe prefers {other.name}: a build carries that version",
                steps=[step(f"Tag this commit as {release.tag.name} with git tag --annotate, and push that tag")],
            )
        raise NotApplicable("the version is dynamic; the published files' metadata count instead")
    if tool := find_build_writer(release, release.tag):
        raise NotApplicable(f"{tool} sets the version while it builds; the published files' metadata count instead")
    if lineage.declared_version is None:
        if release.is_published:
            raise NotApplicable(f"no readable version: {lineage.declared_where}; the published files' metadata count")
        why = f"no readable version at {lineage.sha[:12]}: {lineage.declared_where or 'nothing declares it'}"
        raise NotObserved(Problem(source="git history", why=why))
    if parse_version(lineage.declared_version) != release.version:
        right = release.is_published and not origin.is_misplaced(release)
        raise ActionNeeded(
            expected=f"version {release.version} at {lineage.sha[:12]}",
            found=lineage.declared_version,
            why="a build from the tag gives another version",
            steps=[step("Commit the version before the next release")] if right else plan.steps_for("tag"),
            advice=right,
        )


@check(
    "RELEASE-11",
    reads=["repository", "release", "earlier_releases", "remote", "index", "drafts", "pulls", "runs", "workflow_files"],
    scenario="E",
)
def test_github_release_is_published(release: Release, plan: Recovery) -> None:
    """GitHub has a published release for the tag."""
    require_trace(release, "release", describe_release(release))
    if release.github_release is None:
        require_sure(release.target, "release")
        missing = ActionNeeded(
            expected=f"GitHub Release {release.target.tag}",
            found=describe_substitute(release),
            why="users and tools read the notes there",
            steps=plan.steps_for("release"),
        )
        raise judge_while_at_work(release, "release", missing)


def describe_release(release: Release) -> str:
    """Whether the GitHub Release exists, in words, or why that is unknown; for information only."""
    try:
        return f"GitHub Release {release.target.tag} {'exists' if release.github_release else 'does not exist'}"
    except NotObserved as missing:
        return f"GitHub Release unknown ({missing})"


def describe_substitute(release: Release) -> str:
    """What exists instead of the GitHub Release, in words; not every token sees drafts."""
    try:
        if others := release.other_releases:
            return f"one for another spelling of the tag: {join_items(found.html_url for found in others)}"
        return join_items(f"a draft: {draft.html_url}" for draft in release.all_drafts) or "none"
    except NotObserved:
        return "none"


@check("RELEASE-12", reads=["repository", "release"])
def test_prerelease_flag_is_right(release: Release, plan: Recovery) -> None:
    """The GitHub Release's pre-release flag matches the version.

    The flag is set exactly if the version is a pre-release by PEP 440.
    """
    require_trace(release, "release", describe_release(release))
    if release.github_release is None:
        raise NotApplicable("no GitHub Release")
    wanted = release.version.is_prerelease
    if release.github_release.prerelease != wanted:
        raise ActionNeeded(
            found=f"flag not set, and {release.version} is a pre-release"
            if wanted
            else f"flag set, and {release.version} is a final version",
            why="only a final version may be offered as the latest release",
            steps=plan.steps_for("release"),
        )


@check("RELEASE-13", reads=["repository", "release"])
def test_release_notes_are_not_empty(release: Release, plan: Recovery) -> None:
    """The GitHub Release has notes."""
    require_trace(release, "release", describe_release(release))
    found = release.github_release
    if found is None:
        raise NotApplicable("no GitHub Release")
    if not found.has_notes:
        raise ActionNeeded(found="no notes", why="nobody can tell what changed", steps=plan.steps_for("release"))


@check("RELEASE-14", reads=["repository", "release", "latest_release", "index", "remote"])
def test_latest_release_is_right(release: Release, plan: Recovery) -> None:
    """GitHub's latest release is the greatest final, unyanked version.

    A backport or a pre-release must not be the latest. For an older version, this check passes when that version is not
    the latest. A newer version that has no tag does not count: a run over that version says what it lacks. In a
    repository of several packages, the latest release may belong to another package. Then this check does not decide.
    """
    require_trace(release, "release", describe_release(release))
    if release.github_release is None:
        raise NotApplicable("no GitHub Release")
    foreign = release.is_latest_foreign
    if foreign and release.target.names_package(release.target.tag_template):
        shared = release.snapshot.latest_release.present()
        raise NotApplicable(f"the latest release, {shared.tag}, belongs to another package of the repository")
    if (right := release.expected_latest) is not None:
        latest = release.snapshot.latest_release.known()
        raise ActionNeeded(
            expected=f"latest: {right}",
            found=f"latest: {latest.tag if latest else 'none'}",
            why="visitors and tools get another version than the index offers",
            steps=plan.steps_for("release"),
            advice=foreign,
        )


@check("RELEASE-15", reads=["repository", "drafts", "release", "remote"], advice=True)
def test_no_draft_is_left(release: Release, plan: Recovery) -> None:
    """No draft is left beside the published GitHub Release."""
    require_trace(release, "release", describe_release(release))
    if release.all_drafts and release.github_release:
        raise ActionNeeded(
            found=join_items(draft.html_url for draft in release.all_drafts),
            why="publishing it later would create a second release for the tag",
            steps=plan.steps_for("draft"),
        )


@check("RELEASE-16", reads=["repository", "release", "earlier_releases", "index"], advice=True)
def test_attached_files_are_the_published_ones(release: Release) -> None:
    """The files attached to the GitHub Release are the published ones.

    An attached file of this package has this version, and the hash of the file of its name on the index. Each upload
    has ended: one that broke off leaves a file that nobody can download. If the last two versions' GitHub Releases both
    have a wheel or an sdist of theirs attached, this one has, too. A project that builds twice attaches other files
    than it publishes, so this is advice.
    """
    require_trace(release, "release", describe_release(release))
    found = release.github_release
    if found is None:
        raise NotApplicable("no GitHub Release")
    name, hashes = release.target.name, {file.filename: file.sha256 for file in release.files}
    faults = [f"{each.name} is not uploaded completely" for each in found.attached if not each.is_uploaded]
    for each in found.attached:
        read, published = read_filename(each.name, name), hashes.get(each.name)
        if read and (version := parse_version(read[0])) and version != release.version:
            faults.append(f"{each.name} is of {version}")
        elif each.is_uploaded and each.sha256 and published and each.sha256 != published:
            faults.append(f"{each.name} has another hash than on {release.channel.name}")
    earlier = [value for each in release.snapshot.earlier_releases.values() if (value := each.value)]
    habits = [{read[1] for each in one.attached if (read := read_filename(each.name, name))} for one in earlier]
    kinds = {read[1] for each in found.attached if (read := read_filename(each.name, name))}
    if len(habits) > 1 and (missing := set.intersection(*habits) - kinds):
        faults.append(f"no {' and no '.join(sorted(missing))}, which {join_items(one.tag for one in earlier)} have")
    if faults:
        fix = step("Compare the attached files with the published ones, and attach those", link=found.html_url)
        raise ActionNeeded(
            found=join_items(faults), why="people who download them there get something else", steps=[fix]
        )
    if not found.attached:
        raise NotApplicable("no file is attached")


@check(
    "PULL-11",
    reads=["repository", "pulls", "earlier_pulls", "remote", "history", "clone", "index", "published", "release",
           "runs", "workflow_files"],
    scenario="D",
)  # fmt: skip
def test_release_pull_request_is_there(release: Release, plan: Recovery) -> None:
    """The base branch has the release, or a release pull request exists.

    The pull request is open or merged, from the release branch into the base branch. One that was closed without a
    merge does not count. No pull request is expected if the base branch has the released commit: GitHub would refuse an
    empty one. None is expected either if the base branch has the same content in another form. Then a commit there
    declares the version, and only metadata or the changelog differ from the published files.

    The merged pull request of an earlier attempt does not count. You see one by the tag: it continues from the recorded
    head or from the merge, with a change that the base branch lacks. The history decides this, never times. A merged
    pull request counts if the tag is not in its line: somebody may have rebased its head. TAG-14 reports that.
    """
    seen = f"{len(release.pulls)} of {release.target.release_branch}" if release.snapshot.pulls.is_known else "unknown"
    require_trace(release, "pull-request", f"pull requests: {seen}")
    if release.pull:
        return
    released = origin.find_commit_tagged_after(release)
    if released is None:
        if find_maker(release, "pull-request"):
            raise judge_while_at_work(release, "pull-request", _explain_missing(release, plan))
        why = "without a tag, nobody knows which commit was released, or whether it needs a pull request"
        raise NotObserved(Problem(source="git remote", why=why, remedy="fix the tag first"))
    if origin.is_on_base(release, released):
        raise NotApplicable(f"{release.base_branch} has the released commit: no pull request is expected")
    if other := origin.find_squashed(release, released):
        same = f"{release.base_branch} has it in another form, {other.sha[:12]}: {describe_fit(release, other)}"
        raise NotApplicable(f"{same}. No pull request is expected")
    if line := release.find_line(released.sha) if origin.is_on_line(release, released.sha) else None:
        raise NotApplicable(f"{line.name} has the released commit: no pull request into {release.base_branch}")
    require_sure(release.target, "pull-request")
    raise judge_while_at_work(release, "pull-request", _explain_missing(release, plan))


def _explain_missing(release: Release, plan: Recovery) -> ActionNeeded:
    wrong = join_items(_explain_rejection(release, pull) for pull in release.pulls)
    return ActionNeeded(
        expected=f"a pull request {release.target.release_branch} -> {release.base_branch}, open or merged",
        found=wrong or "none",
        why="the release commit never reaches the base branch",
        steps=plan.steps_for("pull-request"),
    )


def _explain_rejection(release: Release, pull: PullRequest) -> str:
    """Why a pull request from the release branch does not count."""
    if pull.merged and pull.base_branch == release.base_branch:
        return f"#{pull.number} was merged at {pull.head_sha[:12]}, and {release.target.tag} continues from there"
    return f"#{pull.number} {pull.state}, into {pull.base_branch}"


@check(
    "BRANCH-11",
    reads=["remote", "pulls", "open_pulls", "runs", "history", "clone", "index", "published", "release",
           "workflow_files"],
)  # fmt: skip
def test_release_branch_fits_its_pull_request(release: Release, plan: Recovery) -> None:
    """The release branch exists exactly while its pull request is open.

    It is gone once the pull request is merged. If no pull request is expected (PULL-11), the branch is gone too:
    nothing would ever delete it, and it would stop the next release. That also holds for a branch in another spelling
    of the version, unless its pull request is open.
    """
    if "pull-request" not in release.channel.leaves:
        raise NotApplicable(f"{release.channel.name} has no pull request: see BRANCH-12")
    branch, pull = release.branch, release.pull
    if pull is None and branch is not None and origin.is_branch_leftover(release):
        unused = ActionNeeded(
            expected=f"no branch {branch.name}: {release.base_branch} has the release, without a pull request",
            found=f"{branch.name} at {branch.sha[:12]}",
            why="nothing deletes it, and it blocks the next release",
            steps=plan.steps_for("branch"),
        )
        raise judge_while_at_work(release, "branch", unused)
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
            why="the next run of this version would fail on it",
            steps=plan.steps_for("branch"),
        )
    require_no_other_spelling(release, plan)
    if pull is None:
        raise NotApplicable("no release pull request to compare with")


def require_no_other_spelling(release: Release, plan: Recovery) -> None:
    """Raise if an unused branch of the version is left in another spelling."""
    if left := release.respelled_branches:
        raise ActionNeeded(
            expected=f"no branch for {release.version} but {release.target.release_branch}",
            found=join_items(f"{other.branch.name} at {other.branch.sha[:12]} is {other.state}" for other in left),
            why="nothing deletes it, and it blocks the next release",
            steps=plan.steps_for("other-branches"),
        )


@check("BRANCH-12", reads=["remote", "open_pulls", "pulls", "runs", "history", "index", "workflow_files"])
def test_release_branch_is_gone(release: Release, plan: Recovery) -> None:
    """A channel without a pull request has no release branch left.

    That holds for each spelling of the version.
    """
    if "pull-request" in release.channel.leaves:
        raise NotApplicable("the branch stays until its pull request is merged: see BRANCH-11")
    if branch := release.branch:
        left = ActionNeeded(
            found=f"{branch.name} at {branch.sha[:12]}",
            why="the next run of this version fails on it",
            steps=plan.steps_for("branch"),
        )
        raise judge_while_at_work(release, "branch", left)
    require_no_other_spelling(release, plan)


@check("RUN-11", reads=["repository", "remote", "runs", "workflow_files"])
def test_no_release_run_is_still_working(release: Release, plan: Recovery) -> None:
    """No release run is in progress.

    Nobody can verify what a run has yet to do.
    """
    require_workflow(release)
    if not release.snapshot.runs.present().exists:
        raise NotApplicable(f"GitHub has no workflow {release.target.workflow} now")
    judge_unfinished(release, "the state can still change", plan.steps_for("run"))
