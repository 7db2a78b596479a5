"""Diagnose a release: name its state and the direction of the plan (pure)."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import get_args

from release_state.common.text import join_items
from release_state.facts import origin
from release_state.facts.published import Shared
from release_state.facts.release import Release
from release_state.model.observation import NO_SOURCE, Model, NotObserved, value_or
from release_state.model.outcome import Phase
from release_state.model.plan import Direction, Wanted
from release_state.model.snapshot import Snapshot


class Diagnosis(Model):
    """The state of a release, and the direction from there."""

    scenario: str
    """The runbook's letter (A to E), with a more specific name where needed."""
    title: str
    direction: Direction
    reason: str
    established: tuple[str, ...] = ()
    """Traces that are known to exist."""
    absent: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Traces whose look-up failed."""


State = tuple[str, str, Direction, str]
"""Scenario, title, direction and reason."""
Traces = dict[str, bool | None]

_FORWARD = "a published version can be completed or yanked, not deleted"
_NAMES = {"tag": "tag", "release": "GitHub Release", "pull-request": "pull request"}


def choose_phase(release: Release, wanted: Wanted = "auto") -> tuple[Phase, str]:
    """The phase by the known facts and the wanted direction, and why.

    Nothing of the version exists: pre-release. Something does: post-recovery. Everything was withdrawn, or a newer
    version replaced it: rollback. An unavailable fact does not choose the phase, it makes the verdict unknown.
    """
    phase, reason = _phase_of(release)
    if wanted == "complete" and phase is Phase.ROLLBACK:
        return Phase.POST_RECOVERY, f"{reason}; you asked to complete it"
    if wanted == "rollback" and phase is Phase.POST_RECOVERY and _is_bound(release):
        return Phase.ROLLBACK, f"{reason}; you asked to withdraw it, and what is left cannot be withdrawn"
    return phase, reason


def _phase_of(release: Release) -> tuple[Phase, str]:
    traces = release.traces()
    present = [name for name, seen in traces.items() if seen]
    if not set(present) - _merged(release):
        unseen = [name for name, seen in traces.items() if seen is None]
        doubt = f" (unknown: {', '.join(unseen)})" if unseen else ""
        besides = " but a merged pull request" if present else ""
        return Phase.PRE_RELEASE, f"found nothing of {release.version}{besides}{doubt}"
    if traces["index"] and release.all_yanked:
        if newer := origin.find_replacement(release):
            return Phase.ROLLBACK, f"every file of {release.version} is yanked; it is superseded by {newer}"
        if not ({"branch", "release", "pull-request"} & set(_open(release))):
            return Phase.ROLLBACK, f"every file of {release.version} is yanked{_describe_rest(traces)}"
    if newer := value_or(None, lambda: origin.find_successor(release)):
        return Phase.ROLLBACK, f"{release.version} was never published, and {newer} replaced it"
    return Phase.POST_RECOVERY, f"found for {release.version}: {', '.join(present)}"


def _describe_rest(traces: Traces) -> str:
    """What is there beside the yanked files, in words: only what was observed is withdrawn."""
    left = [name for name, seen in traces.items() if seen and name != "index"]
    unseen = [name for name, seen in traces.items() if seen is None]
    if not left and not unseen:
        return ", and the rest is withdrawn"
    found = f"; found besides: {', '.join(left)}" if left else ""
    return f"{found}; unknown: {', '.join(unseen)}" if unseen else found


def _merged(release: Release) -> set[str]:
    """The pull request if it is merged: it cannot be withdrawn, and blocks neither a release nor a rollback."""
    is_merged = value_or(False, lambda: bool(release.pull and release.pull.merged))
    return {"pull-request"} if is_merged else set()


def _open(release: Release) -> list[str]:
    """The traces that can still be withdrawn: none that is merged or immutable, or that another channel needs."""
    stays = _merged(release) | _needed_elsewhere(release)
    if value_or(False, lambda: _all_immutable(release) and not release.snapshot.drafts.value):
        stays.add("release")
    if value_or(None, lambda: origin.find_replacement(release)):
        stays |= {"tag", "release"}
    return [name for name, seen in release.traces().items() if seen and name not in stays]


def _needed_elsewhere(release: Release) -> set[str]:
    """The traces that another channel needs, as far as known: an unknown one does not count as withdrawn."""
    shared = {trace for trace in get_args(Shared) if value_or((), partial(release.find_dependents, trace))}
    return shared | ({"pull-request"} if "branch" in shared else set())


def _is_bound(release: Release) -> bool:
    """Whether nothing is published, and all that exists must stay: it is immutable, or another channel needs it."""
    traces = release.traces()
    if None in traces.values() or traces["index"] or set(_open(release)) - {"tag"}:
        return False
    return "tag" in _needed_elsewhere(release) or value_or(False, lambda: _all_immutable(release))


def _all_immutable(release: Release) -> bool:
    """Whether there is a GitHub Release of the version, and every one is immutable."""
    return bool(release.releases) and all(found.immutable for found in release.releases)


def diagnose(snapshot: Snapshot, *, finds_out: bool = True) -> Diagnosis:
    """Name the state and the direction; unavailable facts decide nothing.

    If the decision depends on one, the direction is to look it up again, or, with `finds_out` false, NotObserved is
    raised.
    """
    release = Release(snapshot)
    traces = release.traces()
    try:
        scenario, title, direction, reason = _find_state(release, traces)
    except NotObserved as missing:
        if not finds_out:
            raise
        known = "Published" if traces["index"] else "Not published"
        source = missing.problem.source
        title = f"{known}; the plan depends on {'more than was asked' if source == NO_SOURCE else source}"
        scenario, direction, reason = "partly unknown", "find out", str(missing)
    names = {wanted: tuple(name for name, seen in traces.items() if seen is wanted) for wanted in (True, False, None)}
    facts = {"established": names[True], "absent": names[False], "unknown": names[None]}
    return Diagnosis(scenario=scenario, title=title, direction=direction, reason=reason, **facts)


def _find_state(release: Release, traces: Traces) -> State:
    if traces["index"] is None:
        return "index unknown", "Not known whether it is published", "find out", "everything else depends on it"
    if not traces["index"]:
        return _unpublished(release, traces)
    scenario, title, direction, reason = _published(release, traces)
    if direction == "complete" and (why := origin.explain_closed(release)):
        return scenario, f"{title}; the index accepts no more files", "next version", why
    return scenario, title, direction, reason


def _published(release: Release, traces: Traces) -> State:
    if newer := origin.find_replacement(release):
        leftovers = [name for name in _open(release) if name != "index"]
        title = f"Published, every file is yanked, and superseded by {newer}"
        return "superseded", title, "roll back" if leftovers else "nothing", f"{newer} is the one to use"
    if release.all_yanked:
        reason = "a yanked version is used up: withdraw what is left of it, and release the next version"
        return "yanked", "Published, and every file is yanked", "next version", reason
    if why := origin.explain_dead_end(release):
        reason = f"{why}. Yank it, withdraw what can be withdrawn, and release the next version"
        return "used up", "Published, and cannot be completed", "next version", reason
    missing = list(release.missing)
    is_yanked = any(file.yanked for file in release.files)
    partly_yanked: State = ("E: partly yanked", "Published, and some of its files are yanked", "complete", _FORWARD)
    if "tag" not in release.channel.leaves:
        if missing:
            return "E: files missing", f"Published, missing: {', '.join(missing)}", "complete", _FORWARD
        if is_yanked:
            return partly_yanked
        if traces["branch"]:
            title = "Published, with a leftover release branch"
            return "branch left", title, "complete", "only the branch is left to delete"
        return "released", "Published, and nothing left behind", "nothing", ""
    missing += [name for trace, name in _NAMES.items() if traces.get(trace) is False]
    if traces.get("release") and release.snapshot.release.is_known and release.github_release is None:
        other = next(iter(release.other_releases), None) if release.snapshot.other_releases else None
        missing.append(f"{_NAMES['release']} ({f'there is one of {other.tag}' if other else 'there is a draft'})")
    if "pull request" in missing:
        with suppress(NotObserved):
            if (commit := origin.find_commit_tagged_after(release)) and origin.needs_no_pull(release, commit):
                missing.remove("pull request")
    if traces.get("release", True) is None and value_or(False, lambda: not release.releases):
        missing.append(f"{_NAMES['release']} (drafts are not visible)")  # a draft is no release either
    unknown = [name for trace, name in _NAMES.items() if trace in traces and traces[trace] is None]
    missing_words = f", missing: {', '.join(missing)}" if missing else ""
    if "tag" not in missing and traces["tag"] and origin.is_misplaced(release):
        title = f"Published, and its tag is on {origin.explain_misplaced(release)}{missing_words}"
        reason = "the published files were built from another commit: move the tag there, and back it up first"
        return "B: published, wrong commit", title, "complete", reason
    if not missing and unknown:
        return "partly unknown", f"Published; unknown: {', '.join(unknown)}", "find out", _FORWARD
    if not missing and is_yanked:
        return partly_yanked
    if not missing:
        return "released", "Published, and complete", "nothing", ""
    if "tag" in missing:
        return "C: published without a tag", f"Published{missing_words}", "complete", _FORWARD
    if missing == ["pull request"]:
        return "D", "Published and tagged, no pull request", "complete", _FORWARD
    return "E: partial", f"Published and tagged{missing_words}", "complete", _FORWARD


def _unpublished(release: Release, traces: Traces) -> State:
    if traces["branch"] is None:  # the remote did not answer: neither its branches nor its tags are known
        title = "Not published; not known whether it is tagged"
        return "refs unknown", title, "find out", "a tag decides between completing and starting again"
    merged_traces = _merged(release)
    if release.project.lists_empty(release.version):
        title = "No longer published: the index lists it without a file"
        reason = "an index never accepts a file name twice: release the next version"
        return "burnt: deleted", title, "next version", reason
    if newer := origin.find_successor(release) if traces.get("tag") else None:
        title = f"Never published; {newer} replaced it, and an immutable GitHub Release keeps the name"
        leftovers = [name for name in _open(release) if name not in ("tag", "index")]
        return "superseded", title, "roll back" if leftovers else "nothing", f"{newer} is the one to use"
    if traces.get("tag") and release.tag:
        if other := release.published_instead:
            title = f"Not published; {other} was published from the commit that its tag names"
            reason = (
                f"{other} was published from the commit of {release.tag.name}: the tag and what is announced there "
            )
            reason += f"belong to {other}. {release.version} is not to be released"
            return "B: another version", title, "tidy up", reason
        if origin.is_burnt(release):
            title = "Not published, and cannot be: its tag stays on a commit of another version"
            holder = "an immutable GitHub Release holds the tag"
            if owners := release.tag_owners:
                title = "Not published; its tag is of another project of the repository"
                holder = f"{join_items(owners)} declares {release.version} at the commit of {release.tag.name}"
            elif not origin.holds_tag_forever(release):
                holder = f"{join_items(release.find_dependents('tag'))} needs the tag"
            reason = f"{holder}: the name is used up, release the next version"
            return "burnt", title, "next version", reason
        if release.builds_another_version(release.tag):
            reason = f"a build from the tag is not {release.version}: withdraw it, then start the release again"
            return "B: wrong commit", "Tagged on a commit of another version, not published", "roll back", reason
    if release.snapshot.phase == Phase.PRE_PUBLISH and release.version_tags:
        return "publishing", "Tagged, and this run is about to publish it", "nothing", ""
    if traces.get("tag"):
        reason = "the tag says what to publish; if it is wrong, everything can still be rolled back"
        return "B", "Tagged, not published", "complete", reason
    if any(traces.get(trace) and trace not in merged_traces for trace in ("release", "pull-request")):
        title = "Neither tagged nor published, but something is left on GitHub"
        return "E: leftovers", title, "roll back", "clean up completely, then start the release again"
    if traces["branch"]:
        reason = "an interrupted run left it: back it up, delete it, start the release again"
        return "A", "A release branch and nothing else", "roll back", reason
    if any(seen is None for seen in traces.values()):
        return "partly unknown", "Nothing of it was found", "find out", "not everything could be looked up"
    besides = "Not released; its pull request is merged" if merged_traces else "Nothing of it exists"
    return "nothing", besides, "nothing", ""
