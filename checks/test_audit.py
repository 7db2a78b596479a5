"""The audit: a project's whole history on one channel, one line for each version. Runs with `--version all`."""

from __future__ import annotations

import pytest

from release_state.audit.audit import Audit
from release_state.audit.habits import INDEX, RELEASE, TAG
from release_state.audit.judge import Judgement
from release_state.audit.plan import latest_step
from release_state.common.text import listing
from release_state.model.observation import NotObserved
from release_state.model.outcome import ActionNeeded, InProgress, NotApplicable
from release_state.model.plan import step
from release_state.verdict.check import check

pytestmark = pytest.mark.audit

SETTING = {TAG: "--tag-template", RELEASE: "leaves", INDEX: "--package"}


@check("AUDIT-1", reads=["remote", "index", "clone", "release", "latest_release"])
def test_history_was_observed(audit: Audit, source: str) -> None:
    """Every source of the history answered: the remote, the index, the clone, GitHub's releases.

    One result for each source. While one is silent, the versions whose judgement rests on it are unknown; the cause is
    said here once.
    """
    audit.observation(source).known()


@check("AUDIT-2", reads=["open_pulls", "drafts", "runs"], advice=True)
def test_hints_were_observed(audit: Audit, hint: str) -> None:
    """What only advice rests on was observed too: open release pull requests, drafts, unfinished runs.

    Drafts are listed only to a token with push right. A version that has a release branch cannot be judged without the
    open pull requests, and is unknown then.
    """
    audit.observation(hint).known()


@check("AUDIT-3", reads=["remote", "index", "release"])
def test_project_leaves_every_trace(audit: Audit, trace: str) -> None:
    """The project has left every trace that its channel says a release leaves, if not from the beginning.

    One result for each trace: versions on the index, tags, GitHub Releases, each expected kind of file. A trace that
    never appeared is said here once, and expected of no single version; one that appeared later is expected from its
    first appearance on. `leaves` of the channel and `expected-files` say what is expected at all.
    """
    for needed in audit.rests_on(trace):
        audit.observation(needed).known()
    if trace in audit.habits.since:
        return
    published, target = len(audit.habits.published), audit.target
    if trace != INDEX and not published:
        raise NotApplicable("the index has no version that could have left it")
    if trace == INDEX:
        raise ActionNeeded(
            expected=f"versions of {target.package} on {target.channel.name}",
            found="none with a file",
            why="there is no history to compare",
            steps=[step("Give the right --package or --channel")],
        )
    remote = audit.history.remote.value
    names = listing(tag.name for tag in (remote.tags[-5:] if remote and trace == TAG else ()))
    raise ActionNeeded(
        expected=f"a {trace} of at least one of {published} published versions",
        found=f"none of them has one; the remote's last tags: {names}" if names else "none of them has one",
        why="either the project leaves none, or this looks in the wrong place",
        steps=[
            step(
                f"If the project makes none, take {trace!r} out of "
                + ("leaves of the channel" if trace in SETTING else "expected-files")
                + ("; if it spells its tags in its own way, give --tag-template" if trace == TAG else "")
            )
        ],
    )


@check("AUDIT-4", reads=["index", "latest_release", "release"])
def test_latest_release_is_the_newest_version(audit: Audit) -> None:
    """GitHub's latest release is that of the greatest final version that the index offers."""
    if RELEASE not in audit.target.channel.leaves:
        raise NotApplicable(f"{audit.target.channel.name} leaves no GitHub Release")
    audit.index.known()
    latest, newest = audit.history.latest_release.known(), audit.habits.newest_final
    if not audit.history.releases.present():
        raise NotApplicable("the project has no GitHub Release")
    if newest is None:
        raise NotApplicable("the index offers no final version")
    spelt = audit.target.spelling_of_tag(latest.tag) if latest else None
    if latest and (spelt is None or not audit.spelt.takes(latest.tag, *spelt)):
        raise NotApplicable(f"the latest release, {latest.tag}, is that of another package of the repository")
    if spelt and str(spelt[1]) in audit.history.catching_up:
        raise InProgress(
            expected=f"the release of {newest} as the latest, or a newer version on the index",
            found=f"{spelt[1]}, which is published and not listed by the index's Simple API yet",
        )
    if spelt is None or spelt[1] != newest.version:
        raise ActionNeeded(
            expected=f"the release of {newest} as the latest",
            found=latest.tag if latest else "GitHub calls no release the latest",
            why="whoever follows the latest release gets another version than installers do",
            steps=[latest_step(audit, newest)],
        )


@check("AUDIT-5", reads=["remote", "index", "clone", "release", "drafts", "open_pulls", "runs"])
def test_version_agrees(audit: Audit, judged: Judgement) -> None:
    """Tag, index and GitHub Release agree on this version, its files are whole, and nothing is left behind.

    One result for each version that is published, tagged or released. The kinds of disagreement, and which of them
    decide, are listed in [the audit](audit.md). What mends them is put together by kind.
    """
    found = judged.words
    if judged.outcome.value == "holds":
        return
    if judged.outcome.value == "not applicable":
        raise NotApplicable(judged.note)
    if judged.outcome.value == "unknown":
        raise NotObserved(judged.unknown[0])
    whys = "; ".join(dict.fromkeys(finding.kind.why for finding in judged.findings))
    if judged.outcome.value == "in progress":
        raise InProgress(expected=audit.expected_of(judged), found=found, why=whys)
    raise ActionNeeded(expected=audit.expected_of(judged), found=found, why=whys, advice=not judged.blocking)
