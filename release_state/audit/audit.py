"""One audit: the versions of a project on one channel, and their judgements (pure)."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import Any

from packaging.version import Version

from release_state.audit.habits import INDEX, RELEASE, TAG, Habits
from release_state.audit.judge import Judge, Judgement, find_pending, is_expired, read_index
from release_state.audit.versions import Audited, AuditSnapshot, collect_versions, find_spellings, resolve
from release_state.facts.spelling import Spellings
from release_state.model.observation import Observation
from release_state.model.snapshot.index import IndexHistory
from release_state.settings.sources import selection
from release_state.settings.waivers import Waiver


class Audit:
    """An observed history, and what follows from it."""

    def __init__(self, history: AuditSnapshot) -> None:
        self.history = resolve(history)
        self.target = self.history.target

    @property
    def key(self) -> str:
        """The audit's key, unique in a run: `package@channel`."""
        return f"{self.target.name}@{self.target.channel.name}"

    @cached_property
    def spelt(self) -> Spellings:
        """The spellings of the project's tags."""
        return find_spellings(self.history)

    @cached_property
    def versions(self) -> tuple[Audited, ...]:
        """Every version that any source names, oldest first."""
        return collect_versions(self.history, self.spelt)

    @cached_property
    def habits(self) -> Habits:
        """Which traces the project's releases leave, and since when."""
        return Habits(self.history, self.spelt, self.versions)

    @cached_property
    def judgements(self) -> tuple[Judgement, ...]:
        """One judgement for each selected version, oldest first, by the habits of the whole history."""
        chosen = selection(self.history.selection)
        return tuple(judgement for judgement in self._judged if judgement.audited.version in chosen)

    @cached_property
    def _judged(self) -> tuple[Judgement, ...]:
        return Judge(self.habits).all(self.versions)

    @property
    def expired_waivers(self) -> tuple[Waiver, ...]:
        """The waivers whose last day is over."""
        return tuple(waiver for waiver in self.history.waivers if is_expired(waiver, self.history))

    @property
    def idle_waivers(self) -> tuple[Waiver, ...]:
        """The waivers in force that cover no finding."""
        used = [finding.waiver for judged in self._judged for finding in judged.waived]
        return tuple(each for each in self.history.waivers if each not in (*used, *self.expired_waivers))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The key of each judgement, in order: `package==version@channel`, as in a run on that version."""
        name, channel = self.target.name, self.target.channel.name
        return tuple(f"{name}=={judgement.audited}@{channel}" for judgement in self.judgements)

    @property
    def index(self) -> Observation[IndexHistory]:
        """The published versions, by the index."""
        return read_index(self.history)

    @property
    def sources(self) -> tuple[str, ...]:
        """The observations that every judgement needs."""
        more = ("releases", "latest_release") if RELEASE in self.target.channel.leaves else ()
        return ("remote", "index", "clone_tags", *more)

    @property
    def hints(self) -> tuple[str, ...]:
        """The observations that only advice needs, or only versions with a release branch."""
        more = ("drafts",) if RELEASE in self.target.channel.leaves else ()
        is_asked = self.history.runs.is_known or self.pending is not None
        return ("open_pulls", *more, *(("runs",) if is_asked else ()))

    @property
    def lacks_releases(self) -> bool:
        """Whether the project has no GitHub Release, and its configuration does not say that it should."""
        given = f"channels.{self.target.channel.name}.leaves" in self.target.given
        is_left = RELEASE in self.target.channel.leaves and RELEASE not in self.target.list_asked()
        return is_left and not given and self.history.releases.is_known and not self.history.releases.value

    @property
    def pending(self) -> Version | None:
        """The newest version that an unfinished release run may still change; None if there is none."""
        return max((judged.audited.version for judged in find_pending(self._judged)), default=None)

    def observation(self, source: str) -> Observation[Any]:
        """The observation with this name."""
        return self.index if source == "index" else getattr(self.history, source)

    def rests_on(self, trace: str) -> tuple[str, ...]:
        """The observations that prove that a version lacks a trace."""
        return {TAG: ("remote", "index"), RELEASE: ("releases", "index")}.get(trace, ("index",))

    def observes(self, trace: str) -> bool:
        """Whether all sources of a trace answered. A failed look-up never counts as "missing"."""
        return all(self.observation(source).is_known for source in self.rests_on(trace))

    def expected_of(self, judgement: Judgement) -> str:
        """The traces of a complete release of this version, in words, without habits that began later."""
        audited = judgement.audited
        if not audited.is_known:
            return "no release branch of an unreleased version"
        words = {INDEX: "files on the index", TAG: f"tag {self.release_tag(audited)}", RELEASE: "its GitHub Release"}
        expected = [words.get(trace, trace) for trace in self.habits.traces if self.habits.expects(trace, audited)]
        return ", ".join(expected)

    def release_tag(self, audited: Audited) -> str:
        """The tag of a version's GitHub Release, existing or to be created."""
        if audited.releases:
            return audited.releases[0].tag
        return audited.tags[0].name if audited.tags else self.target.tag_for(str(audited))

    def before(self, audited: Audited) -> Audited | None:
        """The tagged version before this one, for release notes."""
        place = bisect_left(self._tagged, audited.version, key=lambda each: each.version)
        return self._tagged[place - 1] if place else None

    @cached_property
    def _tagged(self) -> list[Audited]:
        return [each for each in self.versions if each.tags]
