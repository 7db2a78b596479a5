"""From the facts of a release to the name of its state and the way out of it (pure)."""

from __future__ import annotations

from collections.abc import Callable

from release_state.model import Model, NotObserved
from release_state.outcome import Phase
from release_state.plan import Direction
from release_state.release import Release
from release_state.snapshot import Snapshot, Tag
from release_state.target import parse_version


class Diagnosis(Model):
    """What state the release is in, and where to go from there."""

    scenario: str
    """The runbook's letter (A to E) and, where it is finer, a name of our own."""
    title: str
    direction: Direction
    reason: str
    established: tuple[str, ...] = ()
    """Traces that are known to exist."""
    absent: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Traces that could not be observed."""


def phase_of(release: Release) -> tuple[Phase, str]:
    """The phase that the known facts call for, and why.

    Nothing of the version exists: pre-release. Something does: post-recovery. Everything was withdrawn: rollback.
    What could not be observed does not choose the phase, it makes the verdict unknown.
    """
    traces = release.traces()
    present = [name for name, seen in traces.items() if seen]
    if not set(present) - _merged(release):
        unseen = [name for name, seen in traces.items() if seen is None]
        doubt = f" (not observed: {', '.join(unseen)})" if unseen else ""
        besides = " but a merged pull request" if present else ""
        return Phase.PRE_RELEASE, f"nothing of {release.version}{besides} is known to exist{doubt}"
    if (
        traces["index"]
        and release.all_yanked
        and not ({"branch", "release", "pull-request"} & set(present) - _merged(release))
    ):
        return Phase.ROLLBACK, f"every file of {release.version} is yanked and the rest was withdrawn"
    return Phase.POST_RECOVERY, f"of {release.version} there is: {', '.join(present)}"


def _merged(release: Release) -> set[str]:
    # A merged pull request cannot be withdrawn: it keeps a release neither from being ready nor from being rolled back.
    try:
        return {"pull-request"} if release.pull and release.pull.merged else set()
    except NotObserved:
        return set()


def diagnose(snapshot: Snapshot) -> Diagnosis:
    """Name the state and the direction; decides nothing on what could not be observed."""
    release = Release(snapshot)
    traces = release.traces()
    facts = {
        "established": tuple(name for name, seen in traces.items() if seen),
        "absent": tuple(name for name, seen in traces.items() if seen is False),
        "unknown": tuple(name for name, seen in traces.items() if seen is None),
    }

    def found(scenario: str, title: str, direction: Direction, reason: str) -> Diagnosis:
        return Diagnosis(scenario=scenario, title=title, direction=direction, reason=reason, **facts)

    index = traces["index"]
    if index is None:
        return found(
            "index unknown", "Whether it is published could not be observed", "find out", "everything hangs on it"
        )
    if index:
        if release.all_yanked:
            return found(
                "yanked",
                "Published, and every file is yanked",
                "next version",
                "a yanked version is used up: complete the clean-up, and publish the next one",
            )
        if "tag" not in release.channel.leaves:
            if traces["branch"]:
                return found(
                    "branch left",
                    "Published, its release branch is left",
                    "complete",
                    "only the branch is left to delete",
                )
            return found("released", "Published, nothing is left behind", "nothing", "")
        return _published(release, traces, found)
    if traces["branch"] is None:  # the remote did not answer: neither its branches nor its tags are known
        return found(
            "refs unknown",
            "Not published; whether it is tagged could not be observed",
            "find out",
            "a tag decides between completing and starting again",
        )
    if traces.get("tag"):
        if release.tag and builds_another_version(release, release.tag):
            return found(
                "B: wrong commit",
                "Tagged on a commit of another version, not published",
                "roll back",
                f"what is built from the tag is not {release.version}: withdraw it, then start the release again",
            )
        return found(
            "B",
            "Tagged, not published",
            "complete",
            "the tag fixes what to publish; if it is wrong, nothing was published and all of it can be rolled back",
        )
    merged = _merged(release)
    if any(traces.get(trace) and trace not in merged for trace in ("release", "pull-request")):
        return found(
            "E: leftovers",
            "Neither tagged nor published, but traces on GitHub are left",
            "roll back",
            "clean up completely, then start the release again",
        )
    if traces["branch"]:
        return found(
            "A",
            "A release branch, and nothing else",
            "roll back",
            "an interrupted run left it: keep what it holds, delete it, start the release again",
        )
    if facts["unknown"]:
        return found(
            "partly unknown", "Nothing of it is known to exist", "find out", "not everything could be observed"
        )
    besides = "Nothing of it is released; its pull request is merged" if merged else "Nothing of it exists"
    return found("nothing", besides, "nothing", "")


def builds_another_version(release: Release, tag: Tag) -> bool:
    """Whether the tagged commit is known to declare another version: what is built from it would be that one."""
    try:
        lineage = release.lineage(tag.commit)
    except NotObserved:
        return False
    declared = None if lineage.version_is_dynamic else parse_version(lineage.declared_version or "")
    return declared is not None and declared != release.version


def _published(
    release: Release, traces: dict[str, bool | None], found: Callable[[str, str, Direction, str], Diagnosis]
) -> Diagnosis:
    names = {"tag": "tag", "release": "GitHub Release", "pull-request": "pull request"}
    missing = [names[trace] for trace in names if trace in traces and traces[trace] is False]
    if "pull request" in missing and _needs_no_pull(release):
        missing.remove("pull request")
    unknown = [names[trace] for trace in names if trace in traces and traces[trace] is None]
    forward = "a published version can only be completed or yanked, never taken back"
    if not missing and unknown:
        result = found("partly unknown", f"Published; not observed: {', '.join(unknown)}", "find out", forward)
    elif not missing:
        result = found("released", "Published and complete", "nothing", "")
    elif "tag" in missing:
        result = found("C: published without a tag", f"Published, missing: {', '.join(missing)}", "complete", forward)
    elif missing == ["pull request"]:
        result = found("D", "Published and tagged, no pull request", "complete", forward)
    else:
        result = found("E: partial", f"Published and tagged, missing: {', '.join(missing)}", "complete", forward)
    return result


def _needs_no_pull(release: Release) -> bool:
    try:
        return release.released_commit_is_on_base is True
    except NotObserved:
        return False
