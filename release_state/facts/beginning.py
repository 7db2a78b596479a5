"""Whether the run that a new tag or GitHub Release starts may be yet to begin (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from release_state.common.text import format_duration
from release_state.facts.health import BEGINS_WITHIN
from release_state.facts.publishers import find_started, is_release_run
from release_state.facts.release import Release
from release_state.model.outcome import Phase
from release_state.model.snapshot import Tag, WorkflowRun

_PUSHED_WITHIN = timedelta(days=7)
"""The time after which nobody takes the repository's last push for that of a tag, which was made before."""


class Beginning(Struct, frozen=True):
    """What was made just now and starts a workflow that publishes."""

    what: str
    """`the tag v0.2.0`"""
    age: timedelta
    """Negative if the clock that it was made by is ahead."""
    workflow: str

    def __str__(self) -> str:
        """In words: what it is, how old, and what that means."""
        minutes = self.age / timedelta(minutes=1)
        age = "less than a minute" if minutes < 1 else format_duration(minutes)
        return f"{self.what} is {age} old, and the run of {self.workflow} that it starts may not be listed yet"


def find_run(release: Release, tag: Tag) -> WorkflowRun | None:
    """Return the newest run that this tag, or its GitHub Release, started; None if none did. Raises NotObserved."""
    runs, remote = release.snapshot.runs.present().runs, release.snapshot.remote.value
    own = (run for run in runs if run.head_branch == tag.name and run.head_sha == tag.commit)
    own = (run for run in own if is_release_run(run, release.target, remote))
    return max(own, key=lambda run: (run.created_at, run.id), default=None)


def find_beginning(release: Release) -> Beginning | None:
    """Return what starts the publication and is too new for its run to be missed; None if there is no such thing.

    A gate inside of that run knows that it began. Raises NotObserved if something that decides it is unknown.
    """
    tag = release.tag
    if release.snapshot.phase == Phase.PRE_PUBLISH or tag is None or release.is_published or find_run(release, tag):
        return None
    for what, workflow, at in _list_starts(release, tag):
        age = release.snapshot.observed_at - at
        if abs(age) <= BEGINS_WITHIN and workflow not in release.switched_off:
            return Beginning(what, age, workflow)
    return None


def _list_starts(release: Release, tag: Tag) -> Iterator[tuple[str, str, datetime]]:
    """What starts a publication, what it starts, and the earliest moment at which it can have done so."""
    by_tag, by_release = find_started(release.target, "tag"), find_started(release.target, "release")
    if by_tag:
        history, pushed = release.snapshot.history.present(), release.snapshot.repository.present().pushed_at
        # When a tag was pushed, nobody says. It was not before it was made, and not before its commit was.
        dated = [each.committed_at for each in history.commits if each.sha == tag.commit]
        dated += [history.tag_dates[tag.object]] if tag.object in history.tag_dates else []
        now = release.snapshot.observed_at
        times = [each for each in dated if each - now <= BEGINS_WITHIN]  # a date of the future is a wrong clock's
        if times:
            yield f"the tag {tag.name}", by_tag.workflow, max(times)
        # A tag can be pushed long after it was made. The push of a commit that is known says nothing about the tag.
        is_recent = len(times) < len(dated) or (bool(times) and now - max(times) <= _PUSHED_WITHIN)
        if (
            pushed
            and is_recent
            and not any(abs(pushed - each.committed_at) <= BEGINS_WITHIN for each in history.commits)
        ):
            yield "the last push, perhaps of the tag,", by_tag.workflow, pushed
    if by_release and (found := release.snapshot.release.known()) and found.published_at and not found.draft:
        yield f"the GitHub Release {found.tag}", by_release.workflow, found.published_at
