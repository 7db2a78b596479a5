"""The audit: a project's whole history on one channel, one result per version. Runs with `--version all`."""

from __future__ import annotations

import pytest

from release_state.audit.audit import Audit
from release_state.audit.habits import INDEX, RELEASE, TAG
from release_state.audit.judge import Judgement
from release_state.audit.verdict import plan_latest
from release_state.common.text import format_count, join_items
from release_state.model.observation import NotObserved
from release_state.model.outcome import ActionNeeded, InProgress, NotApplicable
from release_state.model.plan import step
from release_state.verdict.check import check

pytestmark = pytest.mark.audit

SETTING = {TAG: "--tag-template", RELEASE: "leaves", INDEX: "--package"}


@check("AUDIT-1", reads=["remote", "index", "clone", "release", "latest_release"])
def test_history_was_observed(audit: Audit, source: str) -> None:
    """The source of the history answered.

    One result for each source: the remote, the index, the clone and GitHub's releases. If one does not answer, the
    versions that need it are unknown. This check reports the cause once.
    """
    audit.observation(source).known()


@check("AUDIT-2", reads=["open_pulls", "drafts", "runs"], advice=True)
def test_hints_were_observed(audit: Audit, hint: str) -> None:
    """The facts behind advice were observed.

    One result for each: open release pull requests, drafts and unfinished runs. GitHub lists drafts only to a token
    that may push. Without the open pull requests, a version with a release branch is unknown.
    """
    audit.observation(hint).known()


@check("AUDIT-3", reads=["remote", "index", "release"])
def test_project_leaves_every_trace(audit: Audit, trace: str) -> None:
    """The project's releases leave this expected trace.

    One result for each trace: versions on the index, tags, GitHub Releases, and each expected kind of file. A trace
    that versions never or seldom have is reported here once, and not expected of any version. Otherwise it is expected
    since it became usual. The channel's `leaves` and `expected-files` say which traces are expected at all.
    """
    for needed in audit.rests_on(trace):
        audit.observation(needed).known()
    if trace in audit.habits.since:
        return
    if trace == RELEASE and audit.lacks_releases and not audit.history.makes_releases.known():
        raise NotApplicable("the project has no GitHub Release, and no workflow makes one")
    published, target = len(audit.habits.published), audit.target
    if trace != INDEX and not published:
        raise NotApplicable("the index has no version that could have one")
    if trace == INDEX:
        raise ActionNeeded(
            expected=f"versions of {target.package} on {target.channel.name}",
            found=f"files of only {published} of {len(audit.versions)} versions" if published else "none with a file",
            why="there is no history to check",
            steps=[step("Set the right --package, --channel or --tag-template")],
        )
    remote = audit.history.remote.value
    names = join_items(tag.name for tag in (remote.tags[-5:] if remote and trace == TAG else ()))
    fix = step(
        f"If the project creates none, remove {trace!r} from "
        + ("the channel's leaves" if trace in SETTING else "expected-files")
        + ("; if it spells its tags differently, set --tag-template" if trace == TAG else "")
    )
    raise ActionNeeded(
        expected=f"a {trace} for most of {published} published versions",
        found=f"{audit.habits.counts(trace)[0] or 'none'}" + (f"; the remote's last tags: {names}" if names else ""),
        why="either the project creates none, or the suite looks in the wrong place",
        steps=[fix],
        # The defaults ask for both kinds of file; what no earlier version has, a release does not lack.
        advice=trace in target.expected_files and not audit.habits.are_kinds_given,
    )


@check("AUDIT-4", reads=["index", "latest_release", "release"])
def test_latest_release_is_the_newest_version(audit: Audit) -> None:
    """GitHub's latest release is the greatest final version on the index."""
    if RELEASE not in audit.target.channel.leaves:
        raise NotApplicable(f"{audit.target.channel.name} leaves no GitHub Release")
    audit.index.known()
    latest, newest = audit.history.latest_release.known(), audit.habits.newest_final
    if not audit.history.releases.present():
        raise NotApplicable("the project has no GitHub Release")
    if newest is None:
        raise NotApplicable("the index offers no final version")
    spelt = audit.target.parse_tag_spelling(latest.tag) if latest else None
    if latest and (spelt is None or not audit.spelt.takes(latest.tag, *spelt)):
        raise NotApplicable(f"the latest release, {latest.tag}, belongs to another package of the repository")
    if spelt and str(spelt[1]) in audit.history.catching_up:
        raise InProgress(
            expected=f"{newest}, or a newer version on the index",
            found=f"{spelt[1]}, which is published but not yet listed by the index's Simple API",
        )
    if spelt is None or spelt[1] != newest.version:
        raise ActionNeeded(
            expected=f"{newest} as the latest release",
            found=latest.tag if latest else "no latest release",
            why="who follows the latest release gets another version than installers do",
            steps=[plan_latest(audit, newest)],
        )


@check("AUDIT-5", reads=["remote", "index", "clone", "release", "drafts", "open_pulls", "runs"])
def test_version_agrees(audit: Audit, judged: Judgement) -> None:
    """Tag, index and GitHub Release agree on this version.

    Its files are complete too, and nothing is left behind. One result for each version that is published, tagged or
    released. [The audit](audit.md) lists the kinds of disagreement, and which of them decide. The fixes are grouped by
    kind.
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


@check("AUDIT-6", reads=["remote", "index"], advice=True)
def test_tags_are_spelled_alike(audit: Audit) -> None:
    """Since the present spelling of tags is in use, all tags have it.

    One result for the whole history. The spelling is that of `--tag-template`, else of the newest tags. A tag in
    another spelling still counts as its version's tag.
    """
    if TAG not in audit.target.channel.leaves:
        raise NotApplicable(f"{audit.target.channel.name} leaves no tag")
    for needed in audit.rests_on(TAG):
        audit.observation(needed).known()
    if others := audit.habits.misspelled:
        names = join_items((each.tags[0].name for each in others), 5)
        raise ActionNeeded(
            expected=f"{audit.target.tag_template}, which was in use before them",
            found=f"{format_count(len(others), 'version')} tagged otherwise: {names}",
            why="tools that read versions from tags may not find them",
            steps=[step("Leave them, or add tags in the usual spelling on the same commits")],
        )


@check("AUDIT-7", reads=["remote", "index", "clone", "release", "drafts", "open_pulls"], advice=True)
def test_waivers_are_in_use(audit: Audit) -> None:
    """Every waiver is in force and covers a finding.

    One result for the whole history. A waiver that has expired, or whose finding is gone or changed, covers nothing:
    remove it, or write down the present finding.
    """
    if not audit.history.waivers:
        raise NotApplicable("the configuration has no waiver")
    said = [f"{each.version} {each.kind} expired on {each.until}" for each in audit.expired_waivers]
    if idle := audit.idle_waivers:
        observed = [audit.observation(source) for source in (*audit.sources, *audit.hints)]
        if all(each.is_known for each in observed):
            said += [f"{each.version} {each.kind} has no finding {each.found!r}" for each in idle]
        elif not said:
            raise NotObserved(next(each.unavailable for each in observed if each.unavailable))
    if said:
        raise ActionNeeded(
            expected=f"{len(audit.history.waivers)} waivers in force, each with its finding",
            found="; ".join(said),
            why="the exceptions that they name are gone, or different ones",
            steps=[step("Remove them from [[tool.release-state.waiver]], or correct them")],
        )
