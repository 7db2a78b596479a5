"""Traces of a version in another spelling than the template's, in every phase."""

from __future__ import annotations

from typing import Any

from release_state.model.observation import known
from release_state.model.outcome import Outcome
from release_state.model.snapshot import Branch, Snapshot
from tests.support import states as s

HOLDS, ACTION, UNKNOWN, NONE = Outcome.HOLDS, Outcome.ACTION_NEEDED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE

TAG = s.tag("0.2.0")
UNPUBLISHED = {"pypi": s.project()}
DRAFT = {"drafts": known((s.release("0.2.0", draft=True),))}
OTHERS_DRAFT = {"drafts": known((s.release("v0.2.0", draft=True),))}
SPELLED_BRANCH = s.branch("release/pypi-v0.2.00", s.OTHER)
BRANCH_LEFT = {
    "remote": s.remote(SPELLED_BRANCH),
    "history": s.history(s.lineage(s.OTHER)),
    "branch_pulls": {SPELLED_BRANCH.name: known(())},
}
SPELLED_ON_TESTPYPI = s.branch("release/testpypi-v0.2", s.OTHER)
ITS_PULL = s.pull(9, head_branch=SPELLED_BRANCH.name, head_sha=s.OTHER, state="open", merged=False)
BY_NAME = s.target(tag_template="{package}-v{version}")
LINE = s.branch("release/v0.2", s.OTHER)
IN_LINES = s.target(branch_template="release/v{version}")
SERIES = s.remote(s.tag("orbit-v0.1.0", s.OTHER), s.tag("v0.1.0", s.BASE), s.tag("v0.1.1", s.BASE))


def released_as(tag: str = "0.2.0", **release: Any) -> dict[str, Any]:
    """A tag and its published GitHub Release."""
    return {"remote": s.remote(s.tag(tag)), "other_releases": {tag: known(s.release(tag, **release))}}


ONLY_A_TAG = {"remote": s.remote(TAG), "other_releases": {"0.2.0": known(None)}}
SILENT = {"remote": s.remote(TAG), "other_releases": {"0.2.0": s.failed()}}
APART = s.tag("0.2.0", s.OTHER, annotated=False)


def withdrawn(**changes: Any) -> Snapshot:
    """A rollback state in which nothing is published."""
    return s.rolled_back(**{"index": UNPUBLISHED, **changes})


def beside(branch: Branch) -> dict[str, Any]:
    """A branch with its own commit, and without any pull request."""
    return {"history": s.history(s.lineage(), s.lineage(s.OTHER)), "branch_pulls": {branch.name: known(())}}


def released_beside(branch: Branch, **changes: Any) -> Snapshot:
    """A finished release, and another branch."""
    return s.released(**{"remote": s.remote(s.tag(), branch), **beside(branch), **changes})


def rehearsed_beside(branch: Branch, **changes: Any) -> Snapshot:
    """A finished rehearsal on TestPyPI, and another branch."""
    return s.released_on_testpypi(**{"remote": s.remote(branch), **beside(branch), **changes})


CASES: list[tuple[str, str, Snapshot, Outcome]] = [
    (
        "TAG-11",
        "another spelling on another commit",
        s.released(remote=s.remote(s.tag(), s.tag("0.2.0", s.OTHER)), other_releases={"0.2.0": known(None)}),
        Outcome.ACTION_NEEDED,
    ),
    (
        "TAG-11",
        "another spelling on the same commit",
        s.released(remote=s.remote(s.tag(), s.tag("0.2.0")), other_releases={"0.2.0": known(None)}),
        Outcome.HOLDS,
    ),
    ("RELEASE-1", "of another spelling", s.ready(**released_as()), ACTION),
    ("RELEASE-1", "another spelling, no release", s.ready(**ONLY_A_TAG), HOLDS),
    ("RELEASE-1", "another spelling, GitHub silent", s.ready(**SILENT), UNKNOWN),
    ("RELEASE-1", "another spelling, not asked for", s.ready(remote=s.remote(TAG)), UNKNOWN),
    ("RELEASE-1", "of a moving tag", s.ready(remote=s.remote(s.tag("v0"))), HOLDS),
    ("RELEASE-2", "of another spelling", s.ready(**DRAFT), ACTION),
    ("RELEASE-2", "of another spelling, remote silent", s.ready(remote=s.failed(), **DRAFT), UNKNOWN),
    ("RELEASE-2", "of another package", s.ready(target=BY_NAME, remote=SERIES, **OTHERS_DRAFT), HOLDS),
    ("RELEASE-2", "of this one, perhaps", s.ready(target=BY_NAME, **OTHERS_DRAFT), ACTION),
    ("RELEASE-11", "of another spelling", s.released(release=known(None), **released_as()), ACTION),
    ("RELEASE-15", "of another spelling", s.released(**DRAFT), ACTION),
    ("RELEASE-21", "of another spelling", withdrawn(**released_as()), ACTION),
    ("RELEASE-21", "of another spelling, yanked", s.rolled_back(**released_as()), ACTION),
    ("RELEASE-21", "of another spelling, immutable", withdrawn(**released_as(immutable=True)), ACTION),
    ("RELEASE-21", "another spelling, no release", withdrawn(**ONLY_A_TAG), HOLDS),
    ("RELEASE-21", "another spelling, GitHub silent", withdrawn(**SILENT), UNKNOWN),
    ("RELEASE-22", "of another spelling", withdrawn(**DRAFT), ACTION),
    ("TAG-13", "another, of another spelling", s.released(**ONLY_A_TAG, clone=s.clone(tags=(APART,))), ACTION),
    ("TAG-21", "another spelling, unpublished", withdrawn(**released_as()), ACTION),
    ("TAG-21", "another spelling, all yanked", s.rolled_back(**released_as()), HOLDS),
    ("TAG-21", "another spelling, held for ever", withdrawn(**released_as(immutable=True)), HOLDS),
    ("TAG-21", "another spelling, GitHub silent", withdrawn(**SILENT), UNKNOWN),
    ("TAG-21", "moving", withdrawn(remote=s.remote(s.tag("v0"))), HOLDS),
    ("TAG-22", "local only, of another spelling", withdrawn(clone=s.clone(tags=(TAG,))), ACTION),
    ("BRANCH-21", "of another spelling", withdrawn(**BRANCH_LEFT), ACTION),
    (
        "BRANCH-21",
        "of another version",
        withdrawn(remote=s.remote(s.branch("release/pypi-v0.2.01", s.OTHER)), history=s.history(s.lineage(s.OTHER))),
        HOLDS,
    ),
    ("BRANCH-11", "of another spelling", released_beside(SPELLED_BRANCH), ACTION),
    ("BRANCH-11", "of another spelling, no pull request", released_beside(SPELLED_BRANCH, pulls=known(())), ACTION),
    ("BRANCH-11", "of another spelling, in use", released_beside(SPELLED_BRANCH, open_pulls=known((ITS_PULL,))), HOLDS),
    ("BRANCH-11", "another spelling, GitHub silent", released_beside(SPELLED_BRANCH, open_pulls=s.failed()), UNKNOWN),
    ("BRANCH-11", "of another version", released_beside(s.branch("release/pypi-v0.2.01", s.OTHER)), HOLDS),
    ("BRANCH-11", "of a line", released_beside(LINE, target=IN_LINES), HOLDS),
    ("BRANCH-12", "of another spelling", rehearsed_beside(SPELLED_ON_TESTPYPI), ACTION),
    ("BRANCH-12", "of another version", rehearsed_beside(s.branch("release/testpypi-v0.3", s.OTHER)), HOLDS),
    (
        "BRANCH-12",
        "another spelling, GitHub silent",
        rehearsed_beside(SPELLED_ON_TESTPYPI, open_pulls=s.failed()),
        UNKNOWN,
    ),
]
