"""CI of the ancestors of a commit, for one whose own did not start or says too little."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import Struct, structs

from release_state.facts.own_run import is_job_of
from release_state.facts.workflow.triggers import find_skip_marker
from release_state.model.snapshot import CICheck, CommitChecks
from release_state.observe.github.api import GitHubApi
from release_state.observe.github.ci import Exclusions, look_up_checks, look_up_results
from release_state.observe.http.limits import map_in_threads

T = TypeVar("T")

ANCESTORS = 20
"""How many ancestors are looked up with a token."""
ANCESTORS_WITHOUT_TOKEN = 5
"""How many without one: then GitHub allows sixty requests an hour."""
_WITH_CI = 5
"""How many commits with CI show which apps are usual."""
_SIDE_BY_SIDE = _WITH_CI - 1
OF_PUSHES = ("push", "merge_group")
"""The events whose jobs test a commit of the branch."""


@dataclass
class StandIn:
    """CI of ancestors, for a commit whose own did not start or not completely."""

    nearest: str = ""
    """The nearest ancestor with complete CI; empty if there is none."""
    results: list[CICheck] = field(default_factory=list)
    passed: dict[str, int] = field(default_factory=dict)
    """How many ancestors were skipped for each workflow that was kept away."""
    passed_any: int | None = None
    """How many were skipped where no workflow was kept away."""


class Ancestors(Struct, frozen=True):
    """Looks up CI of a commit's ancestors, nearest first: the first alone, the others side by side."""

    api: GitHubApi
    place: str
    excluded: Exclusions
    chain: Sequence[tuple[str, str]]
    """Hash and message of each ancestor, the parent first."""
    deadline: float

    def find_usual(self, own: frozenset[str] | None) -> list[CommitChecks]:
        """The nearest ancestors with CI, up to the first whose apps are all among `own` (None: no such end)."""
        # A commit whose message skips CI says nothing about what is usual.
        shas = [sha for sha, message in self.chain if not find_skip_marker(message)]
        seen: list[CommitChecks] = []
        for commits in self._batches(shas, self._look_up_results):
            seen += [commit for commit in commits if commit.results]
            if len(seen) >= _WITH_CI or (seen and own is not None and intersect_apps(seen) <= own):
                break
        return seen[:_WITH_CI]

    def find_stand_in(
        self, kept_away: Mapping[str, bool], apps: Sequence[str], is_of_ci: Callable[[CICheck], bool], *, begun: bool
    ) -> StandIn:
        """The nearest ancestor with complete CI, and its results.

        Complete is one with a run of every workflow in `kept_away`, except for those that depend on paths (true),
        whose results come from where they ran last. If none was kept away, it is one that has the usual `apps`, or else
        any result of CI. If CI of the commit itself has `begun`, only results of these workflows are taken.
        """
        always = {name for name, filtered in kept_away.items() if not filtered}
        wanted, stand_in = set(kept_away), StandIn()

        def is_complete(commit: CommitChecks) -> bool:
            if wanted:
                return always.issubset(commit.ran) and not wanted.isdisjoint(commit.ran)
            return set(apps) <= commit.apps if apps else any(map(is_of_ci, commit.results))

        at = 0
        for commits in self._batches(
            [sha for sha, _ in self.chain], self._look_up_checks if kept_away else self._if_any
        ):
            for commit in commits:
                is_whole = False
                if not stand_in.nearest and is_complete(commit):
                    stand_in.nearest, is_whole = commit.sha, not begun
                    stand_in.passed_any = None if kept_away else at
                if stand_in.nearest:
                    results = (each for each in commit.results if is_whole or each.workflow in wanted)
                    stand_in.results += [structs.replace(each, commit=commit.sha) for each in results]
                    stand_in.passed |= dict.fromkeys(wanted.intersection(commit.ran), at)
                    wanted.difference_update(commit.ran)
                at += 1
            if stand_in.nearest and not wanted:
                break
        stand_in.passed |= dict.fromkeys(wanted, at)
        return stand_in

    def find_last(self, skipped: Iterable[CICheck]) -> list[CICheck]:
        """The results of skipped jobs where they ran last, on the nearest ancestors; in a few requests."""
        wanted, found = {(job.workflow, job.name) for job in skipped}, list[CICheck]()
        shas = [sha for sha, _ in self.chain[: _WITH_CI if self.api.has_token else 1]]
        for commits in self._batches(shas, self._look_up_checks):
            for commit in commits:
                ran = [each for each in commit.results if each.event in OF_PUSHES and each.state != "skipped"]
                for job in sorted(wanted):
                    last = [each for each in ran if each.workflow == job[0] and is_job_of(each.name, job[1])]
                    found += [structs.replace(each, commit=commit.sha) for each in last]
                    wanted -= {job} if last else set()
            if not wanted:
                break
        return found

    def _look_up_checks(self, sha: str) -> CommitChecks:
        return look_up_checks(self.api, self.place, sha, self.excluded)

    def _look_up_results(self, sha: str) -> CommitChecks:
        return look_up_results(self.api, self.place, sha, self.deadline)

    def _if_any(self, sha: str) -> CommitChecks:
        commit = self._look_up_results(sha)
        return self._look_up_checks(sha) if commit.results else commit

    def _batches(self, shas: Sequence[str], ask: Callable[[str], T]) -> Iterator[list[T]]:
        if shas:
            yield [ask(shas[0])]
        for start in range(1, len(shas), _SIDE_BY_SIDE):
            yield map_in_threads(ask, shas[start : start + _SIDE_BY_SIDE], _SIDE_BY_SIDE, "ancestor")


def find_reported(names: Iterable[str], seen: Sequence[CommitChecks]) -> tuple[str, ...]:
    """The names that have a result on one of these commits."""
    reported = {result.name for commit in seen for result in commit.results}
    return tuple(name for name in names if name in reported)


def intersect_apps(seen: Sequence[CommitChecks]) -> frozenset[str]:
    """The apps that every one of them has."""
    return frozenset.intersection(*(commit.apps for commit in seen)) if seen else frozenset()
