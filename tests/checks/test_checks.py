"""Each check on written states: one where it holds, one where action is needed, one where it is unknown."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec import structs

from release_state.facts.release import Release
from release_state.model.observation import NotObserved, Observation, known
from release_state.model.outcome import ActionNeeded, Outcome, Phase, Statement
from release_state.model.snapshot import (
    LOOKUPS,
    Commit,
    History,
    Installation,
    Opened,
    OpenedFile,
    Published,
    PullRequest,
    Snapshot,
)
from release_state.plan.recovery import Recovery
from tests.checks.cases import (
    at_work,
    built_files,
    calculation,
    ci,
    clone,
    declared,
    files,
    hazards,
    index_account,
    names,
    permissions,
    pre_publish,
    services,
    settings,
    spellings,
    workflow,
)
from tests.checks.cases.files import still_latest
from tests.support import states as s
from tests.support.judged import CHECKS, ended, verdict_of

HOLDS, ACTION, PROGRESS = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.IN_PROGRESS
UNKNOWN, NONE = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

BRANCH = s.branch()
ORPHAN = s.branch("release/pypi-v0.1.5", s.OTHER)
TEST_ORPHAN = s.branch("release/testpypi-v0.1.5", s.OTHER)
UNMERGED = s.lineage(unmerged_count=1, unmerged=(Commit(sha=s.HEAD, subject="chore: release", committed_at=s.NOW),))
BEFORE = s.target(expected_before_release=("version", "changelog"))
ORPHANED = {"history": s.history(s.lineage(s.OTHER)), "branch_pulls": {ORPHAN.name: known(())}}
BY_NAME = s.target(tag_template="{package}-v{version}")
LATEST_OF_ANOTHER = {"latest_release": known(s.release("sibling-v3.0.0"))}
NAMED = s.tag("orbit-v0.1.0", s.OTHER)
HIDDEN = {"pypi": known(structs.replace(s.project(status="quarantined").present(), releases=()))}
# Published and tagged from the base branch, as when the version is not committed: the branch has no own commits.
WITHOUT_PULL = {
    "remote": s.remote(s.tag(commit=s.BASE), s.branch(sha=s.BASE)),
    "clone": s.clone(),
    "history": s.history(s.lineage(s.BASE, on_base=True, ahead=0)),
    "pulls": known(()),
    "published": s.published(s.candidate(s.BASE, ref=None, on_base=True)),
}
WITHOUT_TAG = {**WITHOUT_PULL, "remote": s.remote(s.branch(sha=s.BASE))}


LEFT_TAG: dict[str, Any] = {
    "remote": s.remote(s.tag()), "index": {"pypi": s.project()}, "history": s.history(s.lineage())
}  # fmt: skip
CLAIMED = s.history(s.lineage(declared_version="0.1.5", claimed_by=("packages/core/pyproject.toml",)))


def declares(version: str | None, **changes: object) -> Snapshot:
    return s.ready(
        target=BEFORE,
        history=s.history(s.lineage(s.BASE, on_base=True, ahead=0, declared_version=version, **changes)),
    )


def opened(*wrong: str) -> Observation[Opened]:
    """Opened files, one of which is wrong like this."""
    files = (OpenedFile(filename=f"orbit-0.2.0-{number}.whl", wrong=each) for number, each in enumerate(wrong))
    return known(Opened(files=tuple(files)))


def on_testpypi(**changes: Any) -> Snapshot:
    """A state in which TestPyPI has nothing of 0.2.0."""
    return s.ready(target=s.target(channel=s.TESTPYPI), index={"testpypi": s.project()}, **changes)


def beside_a_tag(wanted: Any = "0.2.0", declared: str | None = None, **changes: Any) -> Snapshot:
    """The same with another channel's tag, and with what the commits call for or the base branch declares."""
    if declared:
        wanted, rules = calculation.MISSING, calculation.UNCONFIGURED
        base = s.lineage(s.BASE, on_base=True, ahead=0, declared_version=declared, **changes)
        found = calculation.calculation(wanted, **rules)
        return on_testpypi(remote=s.remote(s.tag()), calculation=found, history=s.history(base))
    return on_testpypi(remote=s.remote(s.tag()), calculation=calculation.calculation(wanted))


def squashed(*differing: str, **changes: Any) -> Observation[Published]:
    """A state in which the base branch has the published files except these."""
    there = {"ref": "refs/heads/main", "what": "the commit of main that sets the version", "on_base": True, **changes}
    return s.published(s.candidate(), s.candidate(s.BASE, equal=6, differing=differing, **there))


FIRST = "f" * 40


def attempts(
    *before: str,
    pulls: tuple[PullRequest, ...] = (),
    ancestors: tuple[tuple[str, str], ...] = (),
    missing: tuple[str, ...] = (),
    unmerged_count: int = 1,
    declared_version: str = "0.2.0",
    **changes: Any,
) -> Snapshot:
    """A merged pull request whose head is not the tagged commit; the tag continues from the commits `before`."""
    tagged = s.lineage(unmerged_count=unmerged_count, declared_version=declared_version)
    lineages = (tagged, s.lineage(FIRST), s.lineage(s.OTHER, on_base=True, ahead=0))
    seen = History(
        base_head=s.BASE,
        lineages=tuple(lineage for lineage in lineages if lineage.sha not in missing),
        ancestors=(*((commit, s.HEAD) for commit in before), *ancestors),
        missing=missing,
    )
    first = s.pull(5, head_sha=FIRST, merge_commit=s.OTHER)
    return s.released(**{"pulls": known((first, *pulls)), "history": known(seen), **changes})


# The check, the state in words, the state, the outcome.
CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    ("BRANCH-1", "none", s.ready(), HOLDS),
    ("BRANCH-1", "another version's", s.ready(remote=s.remote(s.branch("release/pypi-v0.2.01"))), HOLDS),
    ("BRANCH-1", "there", s.ready(remote=s.remote(BRANCH), history=s.history(UNMERGED)), ACTION),
    ("BRANCH-1", "remote silent", s.ready(remote=s.failed()), UNKNOWN),
    ("BRANCH-2", "none", s.ready(), HOLDS),
    ("BRANCH-2", "maintenance branch", s.ready(remote=s.remote(s.branch("release/1.x"))), HOLDS),
    ("BRANCH-2", "orphaned", s.ready(remote=s.remote(ORPHAN), **ORPHANED), ACTION),
    (
        "BRANCH-2",
        "in use by a pull request",
        s.ready(remote=s.remote(ORPHAN), open_pulls=known((s.open_pull(head_branch=ORPHAN.name),))),
        HOLDS,
    ),
    (
        "BRANCH-2",
        "orphaned, and a fork has one that is called alike",
        s.ready(
            remote=s.remote(ORPHAN),
            **{**ORPHANED, "open_pulls": known((s.open_pull(head_branch=ORPHAN.name, head_repository="eve/orbit"),))},
        ),
        ACTION,
    ),
    (
        "BRANCH-2",
        "orphaned, and the base of a pull request",
        s.ready(
            remote=s.remote(ORPHAN),
            **{**ORPHANED, "open_pulls": known((s.open_pull(head_branch="mend", base_branch=ORPHAN.name),))},
        ),
        ACTION,
    ),
    ("BRANCH-2", "in use by a run", s.ready(remote=s.remote(ORPHAN), runs=s.runs(s.run("in_progress"))), HOLDS),
    (
        "BRANCH-2",
        "unfinished on the other channel",
        s.ready(
            remote=s.remote(TEST_ORPHAN),
            index={"pypi": s.project(), "testpypi": s.project(releases={"0.1.5": False})},
            branch_pulls={TEST_ORPHAN.name: known(())},
        ),
        ACTION,
    ),
    ("BRANCH-2", "pull requests silent", s.ready(remote=s.remote(ORPHAN), open_pulls=s.failed()), UNKNOWN),
    (
        "BRANCH-2",
        "its own pull requests silent",
        s.ready(remote=s.remote(ORPHAN), branch_pulls={ORPHAN.name: s.failed()}),
        UNKNOWN,
    ),
    ("TAG-1", "none", s.ready(), HOLDS),
    ("TAG-1", "like it", s.ready(remote=s.remote(s.tag("v0.2.0rc1"), s.tag("v10.2.0"), s.tag("x-v0.2.0"))), HOLDS),
    ("TAG-1", "moving", s.ready(remote=s.remote(s.tag("v0"))), HOLDS),
    ("TAG-1", "there", s.ready(remote=s.remote(s.tag())), ACTION),
    ("TAG-1", "another spelling", s.ready(remote=s.remote(s.tag("orbit-0.2.0"))), ACTION),
    ("TAG-1", "of another package", s.ready(target=BY_NAME, remote=s.remote(NAMED, s.tag(), s.tag("v5.0.0"))), HOLDS),
    ("TAG-1", "by number, once", s.ready(target=BY_NAME, remote=s.remote(NAMED, s.tag())), ACTION),
    ("TAG-1", "by number, now", s.ready(remote=s.remote(NAMED, s.tag("0.2.0"), s.tag("0.1.1"))), ACTION),
    ("TAG-1", "by number, and no tag by name yet", s.ready(target=BY_NAME, remote=s.remote(s.tag())), ACTION),
    ("TAG-1", "testpypi, nobody knows what is called for", on_testpypi(remote=s.remote(s.tag())), ACTION),
    ("TAG-1", "testpypi, nothing called for", beside_a_tag(None), ACTION),
    ("TAG-1", "testpypi, another called for", beside_a_tag("0.2.1"), ACTION),
    ("TAG-1", "testpypi, the tool is missing", beside_a_tag(calculation.MISSING), ACTION),
    ("TAG-1", "testpypi, this one all the same", beside_a_tag(), NONE),
    ("TAG-1", "testpypi, no rules, declared", beside_a_tag(declared="0.2.0"), NONE),
    ("TAG-1", "testpypi, no rules, another", beside_a_tag(declared="0.1.0"), ACTION),
    ("TAG-1", "testpypi, no rules, by the build", beside_a_tag(declared="0.2.0", version_is_dynamic=True), ACTION),
    ("TAG-1", "testpypi, untagged", on_testpypi(), HOLDS),
    ("TAG-1", "remote silent", s.ready(remote=s.failed()), UNKNOWN),
    ("TAG-2", "none", s.ready(), HOLDS),
    ("TAG-2", "local only", s.ready(clone=s.clone(tags=(s.tag(),))), ACTION),
    ("TAG-2", "testpypi", on_testpypi(clone=s.clone(tags=(s.tag(),))), NONE),
    ("TAG-2", "no clone", s.ready(clone=known(None)), NONE),
    ("TAG-2", "clone unreadable", s.ready(clone=s.failed("clone")), UNKNOWN),
    ("INDEX-1", "not there", s.ready(), HOLDS),
    ("INDEX-1", "project unknown", s.ready(index={"pypi": s.project(listed=False, releases={})}), HOLDS),
    ("INDEX-1", "there", s.ready(index={"pypi": s.project(s.file())}), ACTION),
    ("INDEX-1", "hidden in quarantine", s.ready(index=HIDDEN), UNKNOWN),
    ("INDEX-5", "hidden in quarantine", s.ready(index=HIDDEN), ACTION),
    ("INDEX-11", "hidden in quarantine", s.released(index=HIDDEN), UNKNOWN),
    ("INDEX-21", "hidden in quarantine", s.rolled_back(index=HIDDEN), UNKNOWN),
    ("INDEX-1", "yanked", s.ready(index={"pypi": s.project(s.file(yanked=True))}), ACTION),
    ("INDEX-1", "index silent", s.ready(index={"pypi": s.failed("index")}), UNKNOWN),
    ("INDEX-1", "not asked", s.ready(index={}), UNKNOWN),
    ("INDEX-2", "newest", s.ready(index={"pypi": s.project(releases={"0.2.0rc1": False})}), HOLDS),
    ("INDEX-2", "another line", s.ready(index={"pypi": s.project(releases={"0.3.0": False})}), HOLDS),
    ("INDEX-2", "lower", s.ready(index={"pypi": s.project(releases={"0.2.1": False})}), ACTION),
    ("INDEX-2", "index silent", s.ready(index={"pypi": s.failed("index")}), UNKNOWN),
    ("INDEX-3", "newest", s.ready(), HOLDS),
    ("INDEX-3", "yanked one", s.ready(index={"pypi": s.project(releases={"9.0": True})}), HOLDS),
    ("INDEX-3", "backport", s.ready(index={"pypi": s.project(releases={"0.3.0": False})}), ACTION),
    ("INDEX-3", "index silent", s.ready(index={"pypi": s.failed("index")}), UNKNOWN),
    *(
        (check, f"may be {name}", s.ready(index={"pypi": s.project(skipped=(name,))}), UNKNOWN)
        for check in ("INDEX-1", "INDEX-2")
        for name in ("orbit-0.2.0.whl", "orbit-0.2.0.msi", "orbit.tar.zst")
    ),
    ("INDEX-1", "another's name", s.ready(index={"pypi": s.project(skipped=("orbit-0.1.0.msi", "x.txt"))}), HOLDS),
    (
        "INDEX-1",
        "the versions are listed",
        s.ready(index={"pypi": s.project(skipped=("orbit-0.2.0.msi",), lists_versions=True)}),
        HOLDS,
    ),
    (
        "INDEX-1",
        "listed, and no name that can be read",
        s.ready(
            index={
                "pypi": s.project(skipped=("orbit-0.2.0.msi",), lists_versions=True, listed_without_files=("0.2.0",))
            }
        ),
        UNKNOWN,
    ),
    ("INDEX-11", "may be there", s.released(index={"pypi": s.project(skipped=("orbit-0.2.0.msi",))}), UNKNOWN),
    ("INDEX-1", "its files deleted", s.ready(index={"pypi": s.project(listed_without_files=("0.2.0",))}), ACTION),
    ("INDEX-1", "deleted, other zeros", s.ready(index={"pypi": s.project(listed_without_files=("0.2",))}), ACTION),
    ("INDEX-4", "known", s.ready(), HOLDS),
    ("INDEX-4", "new or deleted", s.ready(index={"pypi": s.project(listed=False, releases={})}), ACTION),
    ("INDEX-4", "index silent", s.ready(index={"pypi": s.failed("index")}), UNKNOWN),
    ("RELEASE-1", "none", s.ready(), HOLDS),
    ("RELEASE-1", "there", s.ready(release=known(s.release())), ACTION),
    ("RELEASE-1", "testpypi", on_testpypi(release=known(s.release())), NONE),
    ("RELEASE-1", "testpypi, GitHub silent", on_testpypi(release=s.failed()), NONE),
    ("RELEASE-1", "GitHub silent", s.ready(release=s.failed()), UNKNOWN),
    ("RELEASE-2", "none", s.ready(), HOLDS),
    ("RELEASE-2", "there", s.ready(drafts=known((s.release(draft=True),))), ACTION),
    ("RELEASE-2", "no push right", s.ready(drafts=s.failed()), UNKNOWN),
    ("REPOSITORY-1", "active", s.ready(), HOLDS),
    ("REPOSITORY-1", "archived", s.ready(repository=s.repository(archived=True)), ACTION),
    ("REPOSITORY-1", "GitHub silent", s.ready(repository=s.failed()), UNKNOWN),
    ("PULL-1", "none", s.ready(), HOLDS),
    ("PULL-1", "closed", s.ready(pulls=known((s.pull(merged=False),))), HOLDS),
    ("PULL-1", "open", s.ready(pulls=known((s.open_pull(),))), ACTION),
    ("PULL-1", "testpypi", on_testpypi(pulls=known((s.open_pull(),))), NONE),
    ("PULL-1", "GitHub silent", s.ready(pulls=s.failed()), UNKNOWN),
    ("CLONE-1", "clean", s.ready(), HOLDS),
    ("CLONE-1", "changed", s.ready(clone=s.clone(changed=("a.py",), changed_count=1)), ACTION),
    ("CLONE-1", "untracked", s.ready(clone=s.clone(untracked=("b.py",), untracked_count=1)), ACTION),
    ("CLONE-1", "hidden", s.ready(clone=s.clone(changed=("a.py",), marked=("a.py",), changed_count=1)), ACTION),
    ("CLONE-1", "no clone", s.ready(clone=known(None)), NONE),
    ("CLONE-1", "bare", s.ready(clone=s.clone(bare=True)), NONE),
    ("CLONE-1", "unreadable", s.ready(clone=s.failed("clone")), UNKNOWN),
    ("CLONE-2", "on main", s.ready(), HOLDS),
    ("CLONE-2", "elsewhere", s.ready(clone=s.clone(branch="feature")), ACTION),
    ("CLONE-2", "detached on it", s.ready(clone=s.clone(branch=None)), ACTION),
    ("CLONE-2", "no clone", s.ready(clone=known(None)), NONE),
    ("CLONE-2", "unreadable", s.ready(clone=s.failed("clone")), UNKNOWN),
    ("CLONE-3", "level", s.ready(), HOLDS),
    ("CLONE-3", "behind", s.ready(clone=s.clone(head=s.OTHER, behind=known(2))), ACTION),
    ("CLONE-3", "ahead", s.ready(clone=s.clone(head=s.OTHER, ahead=known(2))), ACTION),
    ("CLONE-3", "no clone", s.ready(clone=known(None)), NONE),
    ("CLONE-3", "not countable", s.ready(clone=s.clone(head=s.OTHER, ahead=s.failed(), behind=s.failed())), UNKNOWN),
    ("CLONE-4", "none", s.ready(), HOLDS),
    ("CLONE-4", "rebase", s.ready(clone=s.clone(operation="rebase")), ACTION),
    ("CLONE-4", "no clone", s.ready(clone=known(None)), NONE),
    ("CLONE-4", "unreadable", s.ready(clone=s.failed("clone")), UNKNOWN),
    ("CI-1", "green", s.ready(ci=s.ci("success", "skipped", "neutral")), HOLDS),
    ("CI-1", "red", s.ready(ci=s.ci("success", "failure", "pending")), ACTION),
    ("CI-1", "pending", s.ready(ci=s.ci("success", "pending")), PROGRESS),
    ("CI-1", "none", s.ready(ci=s.ci()), ACTION),
    ("CI-1", "all skipped", s.ready(ci=s.ci("skipped")), ACTION),
    ("CI-1", "none needed", s.ready(ci=s.ci(), target=s.target(ci_required=False)), NONE),
    (
        "CI-1",
        "ancestor green",
        s.ready(ci=s.ci(nearest=s.OTHER, nearest_distance=1, nearest_results=s.ci("success").present().results)),
        ACTION,
    ),
    ("CI-1", "GitHub silent", s.ready(ci=s.failed()), UNKNOWN),
    ("RUN-1", "finished", s.ready(), HOLDS),
    ("RUN-1", "running", s.ready(runs=s.runs(s.run("in_progress"))), PROGRESS),
    ("RUN-1", "waiting", s.ready(runs=s.runs(s.run("waiting"))), PROGRESS),
    ("RUN-1", "no such workflow", s.ready(runs=s.runs(exists=False)), ACTION),
    ("RUN-1", "no workflow named", s.ready(target=s.target(workflow="")), NONE),
    ("RUN-1", "GitHub silent", s.ready(runs=s.failed()), UNKNOWN),
    ("META-2", "there", declares("0.2.0", changelog="# Changes\n\n## [0.2.0] - 2026-01-02\n"), HOLDS),
    ("META-2", "another", declares("0.2.0", changelog="## 10.2.0\n\n## 0.2.0rc1\n"), ACTION),
    ("META-2", "no file", declares("0.2.0"), ACTION),
    ("META-2", "written by the release", s.ready(), NONE),
    ("META-2", "history silent", s.ready(target=BEFORE, history=s.failed()), UNKNOWN),
    ("INDEX-11", "published", s.released(), HOLDS),
    ("INDEX-11", "not", s.released(index={"pypi": s.project()}), ACTION),
    ("INDEX-11", "listed only", s.released(index={"pypi": s.project(listed_without_files=("0.2.0",))}), ACTION),
    ("INDEX-11", "index silent", s.released(index={"pypi": s.failed("index")}), UNKNOWN),
    ("INDEX-12", "both", s.released(), HOLDS),
    ("INDEX-12", "wheel only", s.released(index={"pypi": s.project(s.file())}), ACTION),
    ("INDEX-12", "nothing", s.released(index={"pypi": s.project()}), NONE),
    ("INDEX-12", "index silent", s.released(index={"pypi": s.failed("index")}), UNKNOWN),
    ("INDEX-13", "none", s.released(), HOLDS),
    ("INDEX-13", "one", s.released(index={"pypi": s.project(s.file(yanked=True), s.file("sdist"))}), ACTION),
    ("INDEX-13", "index silent", s.released(index={"pypi": s.failed("index")}), UNKNOWN),
    ("INSTALL-11", "installs", s.released(), HOLDS),
    (
        "INSTALL-11",
        "another version",
        s.released(installation=known(Installation(attempted=True, succeeded=True, installed_version="0.1.0"))),
        ACTION,
    ),
    (
        "INSTALL-11",
        "fails",
        s.released(installation=known(Installation(attempted=True, detail="No matching distribution"))),
        ACTION,
    ),
    (
        "INSTALL-11",
        "left out",
        s.released(installation=known(Installation(attempted=False, left_out=True, detail="x"))),
        NONE,
    ),
    ("INSTALL-11", "not tried", s.released(installation=known(Installation(attempted=False, detail="x"))), UNKNOWN),
    ("INSTALL-11", "other files are fine", s.released(opened=opened("", "")), HOLDS),
    ("INSTALL-11", "one is broken", s.released(opened=opened("", "it is not a zip file")), ACTION),
    (
        "INSTALL-11",
        "one is broken, and none can be installed here",
        s.released(installation=s.failed("installation"), opened=opened("it is not a zip file")),
        ACTION,
    ),
    ("INSTALL-11", "one could not be had", s.released(opened=s.failed("files on pypi")), UNKNOWN),
    ("INSTALL-11", "nothing there", s.released(index={"pypi": s.project()}), NONE),
    ("INSTALL-11", "no interpreter", s.released(installation=s.failed("install")), UNKNOWN),
    ("TAG-11", "there", s.released(), HOLDS),
    ("TAG-11", "gone", s.released(remote=s.remote()), ACTION),
    ("TAG-11", "other spelling", s.released(remote=s.remote(s.tag("0.2.0"))), ACTION),
    ("TAG-11", "remote silent", s.released(remote=s.failed()), UNKNOWN),
    ("TAG-11", "testpypi", s.released_on_testpypi(), NONE),
    ("TAG-11", "testpypi, remote silent", s.released_on_testpypi(remote=s.failed()), NONE),
    ("TAG-12", "annotated", s.released(), HOLDS),
    ("TAG-12", "lightweight", s.released(remote=s.remote(s.tag(annotated=False))), ACTION),
    ("TAG-12", "one of many", s.released(remote=s.remote(s.tag(annotated=False), s.tag("v0.1.0"))), ACTION),
    ("TAG-12", "usual", s.released(remote=s.remote(*(s.tag(v, annotated=False) for v in ("v0.2.0", "v0.1.0")))), NONE),
    ("TAG-12", "gone", s.released(remote=s.remote()), NONE),
    ("TAG-12", "remote silent", s.released(remote=s.failed()), UNKNOWN),
    ("TAG-13", "same", s.released(), HOLDS),
    ("TAG-13", "another", s.released(clone=s.clone(tags=(s.tag(annotated=False),))), ACTION),
    ("TAG-13", "not fetched", s.released(clone=s.clone()), NONE),
    ("TAG-13", "no clone", s.released(clone=known(None)), NONE),
    ("TAG-13", "unreadable", s.released(clone=s.failed("clone")), UNKNOWN),
    ("TAG-14", "head of the pull request", s.released(), HOLDS),
    ("TAG-14", "on main", s.released(history=s.history(s.lineage(on_base=True, ahead=0)), pulls=s.failed()), HOLDS),
    (
        "TAG-14",
        "elsewhere",
        s.released(pulls=known((s.pull(head_sha=s.OTHER),)), history=s.history(s.lineage(), s.lineage(s.OTHER))),
        ACTION,
    ),
    ("TAG-14", "gone", s.released(remote=s.remote()), NONE),
    ("TAG-14", "history silent", s.released(history=s.failed()), UNKNOWN),
    ("TAG-14", "pull requests silent", s.released(pulls=s.failed()), UNKNOWN),
    ("TAG-15", "alone", s.released(), HOLDS),
    ("TAG-15", "same commit", s.released(remote=s.remote(s.tag(), s.tag("0.2.0"))), HOLDS),
    ("TAG-15", "sibling package", s.released(remote=s.remote(s.tag(), s.tag("other-v0.2.0", s.OTHER))), HOLDS),
    ("TAG-15", "another commit", s.released(remote=s.remote(s.tag(), s.tag("0.2.0", s.OTHER))), ACTION),
    ("TAG-15", "one, in another spelling", s.released(remote=s.remote(s.tag("0.2.0"))), HOLDS),
    ("TAG-15", "two, both so", s.released(remote=s.remote(s.tag("0.2.0"), s.tag("V0.2.0", s.OTHER))), ACTION),
    ("TAG-15", "remote silent", s.released(remote=s.failed()), UNKNOWN),
    ("TAG-16", "all of it", s.released(), HOLDS),
    (
        "TAG-16",
        "all but what no commit holds",
        s.released(published=s.published(s.candidate(equal=7, absent=("orbit/_version.py",)))),
        HOLDS,
    ),
    (
        "TAG-16",
        "nothing of it",
        s.released(published=s.published(s.candidate(equal=0, absent=("a", "b")))),
        ACTION,
    ),
    (
        "TAG-16",
        "a file differs",
        s.released(published=s.published(s.candidate(equal=7, differing=("pyproject.toml",)))),
        ACTION,
    ),
    (
        "TAG-16",
        "another commit holds more",
        s.released(
            published=s.published(s.candidate(s.OTHER, ref=None), s.candidate(equal=7, absent=("orbit/new.py",)))
        ),
        ACTION,
    ),
    (
        "TAG-16",
        "another project's commit",
        s.released(published=s.published(s.candidate(equal=0, absent=tuple("abcdefgh")))),
        ACTION,
    ),
    (
        "TAG-16",
        "all but what the build rewrites and what no commit has",
        s.released(published=s.published(s.candidate(equal=2, left_out=5, absent=("orbit/made.js",)), unseen=1)),
        HOLDS,
    ),
    (
        "TAG-16",
        "a wheel of a version that is worked out",
        s.released(published=s.published(s.candidate(declared_version=None), sdist=None, wheel="orbit-0.2.0.whl")),
        HOLDS,
    ),
    ("TAG-16", "gone", s.released(remote=s.remote()), NONE),
    ("TAG-16", "wheel only", s.released(published=s.published(sdist=None, compared=0)), NONE),
    ("TAG-16", "nothing published", s.released(index={"pypi": s.project()}, published=known(None)), NONE),
    ("TAG-16", "testpypi", s.released_on_testpypi(), NONE),
    ("TAG-16", "tagged commit not to be had", s.released(published=s.published(s.candidate(s.OTHER))), UNKNOWN),
    ("TAG-16", "sdist not to be had", s.released(published=s.failed("index")), UNKNOWN),
    ("TAG-16", "remote silent", s.released(remote=s.failed()), UNKNOWN),
    ("META-11", "gone", s.released(remote=s.remote()), NONE),
    ("RELEASE-11", "published", s.released(), HOLDS),
    ("RELEASE-11", "none", s.released(release=known(None)), ACTION),
    ("RELEASE-11", "draft", s.released(release=known(None), drafts=known((s.release(draft=True),))), ACTION),
    ("RELEASE-11", "GitHub silent", s.released(release=s.failed()), UNKNOWN),
    ("RELEASE-11", "testpypi", s.released_on_testpypi(), NONE),
    ("RELEASE-12", "final", s.released(), HOLDS),
    ("RELEASE-12", "wrongly marked", s.released(release=known(s.release(prerelease=True))), ACTION),
    ("RELEASE-12", "none", s.released(release=known(None)), NONE),
    ("RELEASE-12", "GitHub silent", s.released(release=s.failed()), UNKNOWN),
    ("RELEASE-13", "notes", s.released(), HOLDS),
    ("RELEASE-13", "empty", s.released(release=known(s.release(has_notes=False))), ACTION),
    ("RELEASE-13", "none", s.released(release=known(None)), NONE),
    ("RELEASE-13", "GitHub silent", s.released(release=s.failed()), UNKNOWN),
    ("RELEASE-14", "latest", s.released(), HOLDS),
    (
        "RELEASE-14",
        "older, not latest",
        s.released(
            index={"pypi": s.project(s.file(), releases={"0.3.0": False})}, latest_release=known(s.release("v0.3.0"))
        ),
        HOLDS,
    ),
    ("RELEASE-14", "another is latest", s.released(latest_release=known(s.release("v0.1.0"))), ACTION),
    (
        "RELEASE-14",
        "backport is latest",
        s.released(
            index={"pypi": s.project(s.file(), releases={"0.3.0": False})},
            remote=s.remote(s.tag(), s.tag("v0.3.0")),
        ),
        ACTION,
    ),
    (
        "RELEASE-14",
        "a newer version has no tag yet",
        s.released(index={"pypi": s.project(s.file(), releases={"0.3.0": False})}),
        HOLDS,
    ),
    ("RELEASE-14", "of another package", s.released(**LATEST_OF_ANOTHER), ACTION),
    (
        "RELEASE-14",
        "of another package, each with tags by its name",
        s.released(**LATEST_OF_ANOTHER, target=BY_NAME, remote=s.remote(s.tag("orbit-v0.2.0"))),
        NONE,
    ),
    ("RELEASE-14", "none", s.released(release=known(None)), NONE),
    ("RELEASE-14", "GitHub silent", s.released(latest_release=s.failed()), UNKNOWN),
    ("RELEASE-15", "none", s.released(), HOLDS),
    ("RELEASE-15", "beside it", s.released(drafts=known((s.release(draft=True),))), ACTION),
    ("RELEASE-15", "no push right", s.released(drafts=s.failed()), UNKNOWN),
    ("PULL-11", "merged", s.released(), HOLDS),
    ("PULL-11", "open", s.released(pulls=known((s.open_pull(),))), HOLDS),
    ("PULL-11", "none", s.released(pulls=known(())), ACTION),
    ("PULL-11", "closed unmerged", s.released(pulls=known((s.pull(merged=False),))), ACTION),
    ("PULL-11", "wrong base", s.released(pulls=known((s.open_pull(base_branch="develop"),))), ACTION),
    ("PULL-11", "on main", s.released(pulls=known(()), history=s.history(s.lineage(on_base=True, ahead=0))), NONE),
    ("PULL-11", "squashed", s.released(pulls=known(()), published=squashed("pyproject.toml", "CHANGELOG.md")), NONE),
    ("PULL-11", "code differs", s.released(pulls=known(()), published=squashed("src/orbit/a.py")), ACTION),
    ("PULL-11", "file lacks", s.released(pulls=known(()), published=squashed(absent=("src/a.py",))), ACTION),
    ("PULL-11", "another version", s.released(pulls=known(()), published=squashed(declared_version="0.3.0")), ACTION),
    ("PULL-11", "by the files", s.released(pulls=known(()), remote=s.remote(), clone=s.clone()), ACTION),
    (
        "PULL-11",
        "commit not known",
        s.released(pulls=known(()), remote=s.remote(), clone=s.clone(), published=s.published()),
        UNKNOWN,
    ),
    ("PULL-11", "GitHub silent", s.released(pulls=s.failed()), UNKNOWN),
    ("PULL-11", "tag goes on from its head", attempts(FIRST), ACTION),
    ("PULL-11", "tag goes on from its merge", attempts(s.OTHER), ACTION),
    ("PULL-11", "in no line", attempts(), HOLDS),
    ("PULL-11", "tag is before its head", attempts(FIRST, ancestors=((s.HEAD, FIRST),)), HOLDS),
    ("PULL-11", "main has the change", attempts(FIRST, unmerged_count=0), HOLDS),
    ("PULL-11", "tag of another version", attempts(FIRST, declared_version="0.1.0"), HOLDS),
    ("PULL-11", "a later one is open", attempts(FIRST, pulls=(s.open_pull(9),)), HOLDS),
    ("PULL-11", "squashed, of two attempts", attempts(s.OTHER, published=squashed("CHANGELOG.md")), NONE),
    ("PULL-11", "merge not had", attempts(missing=(s.OTHER,)), HOLDS),
    ("PULL-11", "tag not had", attempts(FIRST, missing=(s.HEAD,)), UNKNOWN),
    ("PULL-11", "head not had", attempts(missing=(FIRST,)), UNKNOWN),
    ("PULL-11", "history silent", attempts(FIRST, history=s.failed("git history")), UNKNOWN),
    ("PULL-11", "history silent, its head is tagged", s.released(history=s.failed("git history")), HOLDS),
    ("BRANCH-11", "gone after the merge", s.released(), HOLDS),
    (
        "BRANCH-11",
        "there while open",
        s.released(pulls=known((s.open_pull(),)), remote=s.remote(s.tag(), BRANCH)),
        HOLDS,
    ),
    ("BRANCH-11", "gone while open", s.released(pulls=known((s.open_pull(),))), ACTION),
    ("BRANCH-11", "left after the merge", s.released(remote=s.remote(s.tag(), BRANCH)), ACTION),
    ("BRANCH-11", "no pull request", s.released(pulls=known(())), NONE),
    ("BRANCH-11", "none expected, and the branch is left", s.released(**WITHOUT_PULL), ACTION),
    ("BRANCH-11", "none expected, and the tag is to come", s.released(**WITHOUT_TAG), NONE),
    ("BRANCH-11", "remote silent", s.released(remote=s.failed()), UNKNOWN),
    ("BRANCH-12", "gone", s.released_on_testpypi(), HOLDS),
    ("BRANCH-12", "left", s.released_on_testpypi(remote=s.remote(s.branch("release/testpypi-v0.2.0"))), ACTION),
    ("BRANCH-12", "pypi", s.released(), NONE),
    ("BRANCH-12", "remote silent", s.released_on_testpypi(remote=s.failed()), UNKNOWN),
    ("RUN-11", "finished", s.released(), HOLDS),
    ("RUN-11", "running", s.released(runs=s.runs(s.run("queued"))), PROGRESS),
    ("RUN-11", "no such workflow", s.released(runs=s.runs(exists=False)), NONE),
    ("RUN-11", "GitHub silent", s.released(runs=s.failed()), UNKNOWN),
    ("INDEX-21", "yanked", s.rolled_back(), HOLDS),
    ("INDEX-21", "never there", s.rolled_back(index={"pypi": s.project()}), HOLDS),
    ("INDEX-21", "offered", s.rolled_back(index={"pypi": s.project(s.file())}), ACTION),
    ("INDEX-21", "index silent", s.rolled_back(index={"pypi": s.failed("index")}), UNKNOWN),
    ("BRANCH-21", "gone", s.rolled_back(), HOLDS),
    ("BRANCH-21", "left", s.rolled_back(remote=s.remote(BRANCH), history=s.history(UNMERGED)), ACTION),
    ("BRANCH-21", "remote silent", s.rolled_back(remote=s.failed()), UNKNOWN),
    ("PULL-21", "closed", s.rolled_back(), HOLDS),
    ("PULL-21", "open", s.rolled_back(pulls=known((s.open_pull(),))), ACTION),
    ("PULL-21", "testpypi", s.rolled_back(target=s.target(channel=s.TESTPYPI)), NONE),
    ("PULL-21", "GitHub silent", s.rolled_back(pulls=s.failed()), UNKNOWN),
    ("RELEASE-21", "gone", s.rolled_back(), HOLDS),
    ("RELEASE-21", "left", s.rolled_back(release=known(s.release())), ACTION),
    ("RELEASE-21", "GitHub silent", s.rolled_back(release=s.failed()), UNKNOWN),
    ("RELEASE-22", "gone", s.rolled_back(), HOLDS),
    ("RELEASE-22", "left", s.rolled_back(drafts=known((s.release(draft=True),))), ACTION),
    ("RELEASE-22", "no push right", s.rolled_back(drafts=s.failed()), UNKNOWN),
    ("TAG-21", "gone", s.rolled_back(), HOLDS),
    ("TAG-21", "kept, all yanked", s.rolled_back(remote=s.remote(s.tag())), HOLDS),
    ("TAG-21", "left, unpublished", s.rolled_back(**LEFT_TAG), ACTION),
    ("TAG-21", "left, another project's", s.rolled_back(**LEFT_TAG | {"history": CLAIMED}), NONE),
    ("TAG-21", "left, published", s.rolled_back(remote=s.remote(s.tag()), index={"pypi": s.project(s.file())}), ACTION),
    ("TAG-21", "remote silent", s.rolled_back(remote=s.failed()), UNKNOWN),
    ("TAG-21", "index silent", s.rolled_back(remote=s.remote(s.tag()), index={"pypi": s.failed()}), UNKNOWN),
    ("TAG-22", "none", s.rolled_back(), HOLDS),
    ("TAG-22", "local only", s.rolled_back(clone=s.clone(tags=(s.tag(),))), ACTION),
    ("TAG-22", "unreadable", s.rolled_back(clone=s.failed("clone")), UNKNOWN),
    ("CLONE-21", "clean", s.rolled_back(), HOLDS),
    ("CLONE-21", "dirty", s.rolled_back(clone=s.clone(changed=("a",), changed_count=1)), ACTION),
    ("CLONE-21", "unreadable", s.rolled_back(clone=s.failed("clone")), UNKNOWN),
    ("RUN-21", "finished", s.rolled_back(), HOLDS),
    ("RUN-21", "running", s.rolled_back(runs=s.runs(s.run("in_progress"))), PROGRESS),
    ("RUN-21", "GitHub silent", s.rolled_back(runs=s.failed()), UNKNOWN),
    ("RUN-32", "nothing to explain", s.ready(), NONE),
    ("RUN-32", "it failed", s.ready(last_run=s.explained()), NONE),
    ("RUN-32", "it ran", s.released(last_run=s.explained("success")), HOLDS),
    ("RUN-32", "it was skipped", s.ready(last_run=s.explained("success", scenario="upload skipped")), ACTION),
    ("RUN-32", "GitHub silent", s.ready(last_run=s.failed()), UNKNOWN),
    (
        "RUN-31",
        "green, and its upload was skipped",
        s.ready(last_run=s.explained("success", scenario="upload skipped")),
        HOLDS,
    ),
    ("RUN-31", "nothing to explain", s.ready(), NONE),
    ("RUN-31", "ended well", s.released(last_run=s.explained("success")), HOLDS),
    ("RUN-31", "failed", s.ready(last_run=s.explained()), ACTION),
    ("RUN-31", "cancelled", s.released(last_run=s.explained("cancelled", scenario=None, meaning="", lines=())), ACTION),
    ("RUN-31", "success that skipped", s.released(last_run=s.explained("success", scenario="C")), ACTION),
    ("RUN-31", "withdrawn since", s.rolled_back(last_run=s.explained("timed_out")), ACTION),
    ("RUN-31", "no such workflow", s.ready(runs=s.runs(exists=False)), NONE),
    ("RUN-31", "no workflow named", s.ready(target=s.target(workflow="")), NONE),
    ("RUN-31", "not attributed", s.ready(last_run=s.failed()), UNKNOWN),
    ("RUN-31", "GitHub silent", s.ready(runs=s.failed(), last_run=s.failed()), UNKNOWN),
    *at_work.CASES,
    *built_files.CASES,
    *services.CASES,
    *calculation.CASES,
    *clone.CASES,
    *declared.CASES,
    *files.CASES,
    *hazards.CASES,
    *index_account.CASES,
    *ci.CASES,
    *names.CASES,
    *permissions.CASES,
    *pre_publish.CASES,
    *settings.CASES,
    *spellings.CASES,
    *workflow.CASES,
]


def ended_on(check: str, snapshot: Snapshot) -> tuple[Outcome, Statement | NotObserved | None]:
    """Return how the check ends on this snapshot."""
    return ended(CHECKS[check], Recovery(Release(snapshot)))


@pytest.mark.parametrize(
    ("check", "snapshot", "outcome"), [pytest.param(c, snap, o, id=f"{c}-{w}") for c, w, snap, o in CASES]
)
def test_outcome(check: str, snapshot: Snapshot, outcome: Outcome) -> None:
    found, statement = ended_on(check, snapshot)
    assert found is outcome, statement
    if isinstance(statement, Statement) and outcome in (ACTION, PROGRESS):
        assert statement.found and statement.why
        assert statement.steps or outcome is PROGRESS or statement.advice, "no next step"
        for step in statement.steps:
            for line in step.lines():
                meant = re.sub(r"--tag-template '[^']*'|@\{", "", line)
                assert "{" not in meant, f"a placeholder is left: {line}"


# The checks of audit and fleet judge more than one release: tests/audit/test_audit.py, tests/fleet/test_fleet.py.
OF_ONE_RELEASE = [name for name, check in CHECKS.items() if check.source not in ("audit", "fleet")]


@pytest.mark.parametrize("check", OF_ONE_RELEASE)
def test_every_check_has_a_case_of_each_kind(check: str) -> None:
    outcomes = {outcome for name, _, _, outcome in CASES if name == check}
    assert HOLDS in outcomes
    assert outcomes & {ACTION, PROGRESS}
    assert UNKNOWN in outcomes


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_reads_no_more_than_it_declares(check: str) -> None:
    """A check ends the same way if everything that it does not declare is unavailable."""
    info = CHECKS[check]
    behind = {"index": {"witness"}, "ci": {"remote", "runs"}, "history": {"remote"}, "open_pulls": {"branch_pulls"}}
    reads = set(info.reads).union(*(behind.get(name, set()) for name in info.reads))
    fields = set(LOOKUPS) - {"index"} - reads
    for name, what, snapshot, outcome in CASES:
        if name == check and outcome is not UNKNOWN:
            failed = s.failed("not declared")
            held = {field: getattr(snapshot, field) for field in fields}
            update: dict[str, object] = {
                field: dict.fromkeys(value, failed) if isinstance(value, dict) else failed
                for field, value in held.items()
            }
            if "index" not in reads:
                update["index"] = {}
            narrowed, statement = ended_on(check, structs.replace(snapshot, **update))
            assert narrowed is outcome, f"{what}: {statement}"


def test_the_identifiers_tell_the_source() -> None:
    assert {check.source for check in CHECKS.values()} == {
        "branch",
        "tag",
        "index",
        "release",
        "pull",
        "repository",
        "clone",
        "ci",
        "audit",
        "fleet",
        "permission",
        "setting",
        "token",
        "workflow",
        "run",
        "meta",
        "dist",
        "install",
        "service",
        "testpypi",
        "version",
    }


@pytest.mark.parametrize(
    ("changes", "blocks", "command"),
    [
        ({}, True, "gh release edit v0.2.1 --latest"),
        ({"remote": s.remote(s.tag())}, False, "release-state --version 0.2.1"),
    ],
    ids=["tagged", "untagged"],
)
def test_a_withdrawn_version_is_not_the_latest(changes: dict[str, Any], blocks: bool, command: str) -> None:
    found = verdict_of(still_latest(**changes))
    [result] = [each for each in found.findings if each.id == "RELEASE-23"]
    assert (found.phase, result.blocking) == (Phase.ROLLBACK, blocks)
    assert any(" ".join(words).startswith(command) for step in found.plan.steps for words in step.commands)


def test_the_latest_mark_moves_to_a_release_that_is_there() -> None:
    """Whether the newer version has a GitHub Release is not looked up: the step shows it first."""
    newer = s.project(s.file(), s.file("sdist"), releases={"0.2.1": False})
    found = verdict_of(s.released(index={"pypi": newer}, remote=s.remote(s.tag(), s.tag("v0.2.1", s.OTHER))))
    [step] = [step for step in found.plan.steps if step.title == "Make v0.2.1 the latest release"]
    assert [" ".join(words[:4]) for words in step.commands] == ["gh release view v0.2.1", "gh release edit v0.2.1"]
    assert step.precondition and "check 0.2.1 first" in step.precondition


def test_a_tag_that_fits_the_published_files_best_is_no_blocking_finding() -> None:
    """A process that never commits the version can be verified; a tag beside the published commit cannot."""
    history = s.history(s.lineage(declared_version="0.1.0"), ancestors=((s.HEAD, s.HEAD),))
    tagged = s.candidate(equal=7, differing=("pyproject.toml",))
    for published, advice in (
        (s.published(tagged), True),
        (s.published(s.candidate(s.OTHER), tagged), False),
    ):
        outcome, statement = ended_on("META-11", s.released(history=history, published=published))
        assert outcome is ACTION
        assert isinstance(statement, Statement)
        assert statement.advice is advice
    assert ended_on("META-11", s.released(history=history, published=s.failed("index")))[0] is Outcome.UNKNOWN


@pytest.mark.parametrize(("mark", "decides"), [("archived", True), ("quarantined", True), ("deprecated", False)])
def test_an_index_that_takes_no_upload_blocks_what_is_still_to_be_uploaded(mark: str, decides: bool) -> None:
    outcome, before = ended_on("INDEX-5", s.ready(index={"pypi": s.project(status=mark)}))
    _, after = ended_on("INDEX-5", s.released(index={"pypi": s.project(s.file(), s.file("sdist"), status=mark)}))
    assert outcome is ACTION
    assert isinstance(before, Statement) and before.decides(CHECKS["INDEX-5"].blocking) is decides
    assert isinstance(after, Statement) and not after.decides(CHECKS["INDEX-5"].blocking)


def test_a_package_of_two_versions_blocks_where_its_very_commit_is_built() -> None:
    """After the release, and where the release sets the version itself, it is advice."""
    by_tag, by_hand = declared.started_by("tag"), declared.started_by("dispatch")
    for snapshot, blocks in (
        (declared.declares("0.2.0", by_tag, **declared.OTHER), True),
        (declared.declares("0.2.0", by_hand, **declared.OTHER), False),
        (declared.declares("0.2.0", by_tag, declared.SILENT, **declared.OTHER), False),
        (declared.tagged("0.2.0", by_tag, **declared.OTHER), False),
        (declared.tagged("0.2.0", by_tag, {"phase": "pre-publish"}, **declared.OTHER), True),
    ):
        statement = ended_on("META-31", snapshot)[1]
        assert isinstance(statement, ActionNeeded)
        assert statement.blocks is blocks and "x.toml says 0.2.0, src/orbit/__init__.py says 0.1.0" in statement.found


@pytest.mark.parametrize(
    ("on", "version", "tags", "blocks"),
    [
        ("{push: {tags: ['v[0-9]+.[0-9]+.[0-9]+']}}", "0.2.0rc1", ("v0.1.0",), True),
        ("{push: {tags: ['v[0-9]+.[0-9]+.[0-9]+']}}", "0.2.0rc1", (), False),
        ("{push: {tags: ['[0-9]*']}, workflow_dispatch: {}}", "0.2.0", ("v0.1.0",), None),
        ("{release: {types: [released]}}", "0.2.0rc1", (), True),
        ("{release: {types: [prereleased]}}", "0.2.0", (), True),
        ("{release: {types: [published]}}", "0.2.0rc1", (), None),
    ],
)
def test_a_version_that_starts_no_upload_blocks(
    on: str, version: str, tags: tuple[str, ...], blocks: bool | None
) -> None:
    """None: it is started. A tag whose spelling is a guess is advice alone."""
    found = hazards.ship(on)
    refs = s.remote(*(s.tag(tag, s.OTHER) for tag in tags))
    found = structs.replace(found, target=structs.replace(found.target, version=version), remote=refs)
    statement = ended_on("WORKFLOW-7", found)[1]
    assert statement is None if blocks is None else isinstance(statement, ActionNeeded) and statement.blocks is blocks


def test_a_push_that_starts_the_upload_needs_no_version_before_it() -> None:
    found = (("branch",), True), (("pull-request",), True), (("branch", "tag"), False), (("tag",), False)
    for kinds, advice in found:
        statement = ended_on("META-1", declared.declares("0.1.0", declared.started_by(*kinds)))[1]
        assert isinstance(statement, ActionNeeded) and statement.advice is advice
