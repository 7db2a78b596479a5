"""One audit: the history of a project on one channel, put in order and judged (pure)."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import Any

from release_state.audit.habits import INDEX, RELEASE, TAG, Habits
from release_state.audit.judge import Judge, Judgement, index_of
from release_state.audit.model import AuditSnapshot
from release_state.audit.versions import Audited, Spellings, spellings, versions
from release_state.model.observation import Observation
from release_state.model.snapshot.index import IndexHistory
from release_state.settings.versions import selection


class Audit:
    """What was observed, and what follows from it."""

    def __init__(self, history: AuditSnapshot) -> None:
        self.history = history
        self.target = history.target

    @property
    def key(self) -> str:
        """The audit in a word, unique in a run: `package@channel`."""
        return f"{self.target.name}@{self.target.channel.name}"

    @cached_property
    def spelt(self) -> Spellings:
        """How tags are spelled."""
        return spellings(self.history)

    @cached_property
    def versions(self) -> tuple[Audited, ...]:
        """Every version that anything names, oldest first."""
        return versions(self.history, self.spelt)

    @cached_property
    def habits(self) -> Habits:
        """What the project leaves of a release, and since when."""
        return Habits(self.history, self.spelt, self.versions)

    @cached_property
    def judgements(self) -> tuple[Judgement, ...]:
        """One for each selected version, oldest first. Habits are those of the whole history."""
        chosen = selection(self.history.selection)
        judged = Judge(self.habits).all(self.versions)
        return tuple(judgement for judgement in judged if judgement.audited.version in chosen)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The key of each judgement, in their order: `package==version@channel`, as of a run on that one version."""
        name, channel = self.target.name, self.target.channel.name
        return tuple(f"{name}=={judgement.audited}@{channel}" for judgement in self.judgements)

    @property
    def index(self) -> Observation[IndexHistory]:
        """What the index says is published."""
        return index_of(self.history)

    @property
    def sources(self) -> tuple[str, ...]:
        """The observations without which no version can be judged."""
        more = ("releases", "latest_release") if RELEASE in self.target.channel.leaves else ()
        return ("remote", "index", "clone_tags", *more)

    @property
    def hints(self) -> tuple[str, ...]:
        """The observations that only advice rests on, or the versions that have a release branch."""
        more = ("drafts",) if RELEASE in self.target.channel.leaves else ()
        return ("open_pulls", *more, *(("runs",) if self.target.workflow else ()))

    def observation(self, source: str) -> Observation[Any]:
        """The observation of this name."""
        return self.index if source == "index" else getattr(self.history, source)

    def rests_on(self, trace: str) -> tuple[str, ...]:
        """The observations without which nobody can say that a version lacks a trace."""
        return {TAG: ("remote", "index"), RELEASE: ("releases", "index")}.get(trace, ("index",))

    def observes(self, trace: str) -> bool:
        """Whether everything answered that a trace rests on: else that none is known proves nothing."""
        return all(self.observation(source).is_known for source in self.rests_on(trace))

    def expected_of(self, judgement: Judgement) -> str:
        """What a whole release of a version consists of, in words; what is older than a habit is left out."""
        audited = judgement.audited
        if not audited.is_known:
            return "no branch of a version that is not released"
        words = {INDEX: "files on the index", TAG: f"tag {self.release_tag(audited)}", RELEASE: "its GitHub Release"}
        expected = [words.get(trace, trace) for trace in self.habits.traces if self.habits.expects(trace, audited)]
        return ", ".join(expected)

    def release_tag(self, audited: Audited) -> str:
        """The tag that a GitHub Release of a version is of, or has to be of."""
        if audited.releases:
            return audited.releases[0].tag
        return audited.tags[0].name if audited.tags else self.target.tag_for(str(audited))

    def before(self, audited: Audited) -> Audited | None:
        """The tagged version before this one, for the notes of a release."""
        place = bisect_left(self._tagged, audited.version, key=lambda each: each.version)
        return self._tagged[place - 1] if place else None

    @cached_property
    def _tagged(self) -> list[Audited]:
        return [each for each in self.versions if each.tags]
