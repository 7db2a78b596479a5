"""CI of ancestors: which apps are usual, and the nearest one that stands in for a commit without runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from release_state.facts.workflow.triggers import find_skip_marker
from release_state.model.snapshot import CICheck, CommitChecks
from release_state.observe.github.api import GitHubApi
from release_state.observe.github.ci import Exclusions, look_up_checks, look_up_results

T = TypeVar("T")

WITH_CI = 5
"""How many commits with CI show which apps are usual."""
_SIDE_BY_SIDE = WITH_CI - 1


@dataclass
class StandIn:
    """CI of ancestors, for a commit whose own did not start or not completely."""

    nearest: str = ""
    """The nearest ancestor with complete CI; empty if there is none."""
    results: list[CICheck] = field(default_factory=list)
    passed: dict[str, int] = field(default_factory=dict)
    """How many ancestors were skipped for each workflow; under "" where none was kept away."""


class Ancestors:
    """Looks up CI of a commit's ancestors, nearest first: the first alone, the others side by side."""

    def __init__(
        self, api: GitHubApi, place: str, left: Exclusions, chain: Sequence[tuple[str, str]], deadline: float
    ) -> None:
        self._api, self._place, self._left, self._deadline = api, place, left, deadline
        self._chain = chain

    def usual(self, own: frozenset[str] | None) -> list[CommitChecks]:
        """The nearest ancestors with CI, up to the first whose apps are all among `own` (None: no such end)."""
        # A commit whose message skips CI says nothing about what is usual.
        shas = [sha for sha, message in self._chain if not find_skip_marker(message)]
        seen: list[CommitChecks] = []
        for commits in self._batches(shas, lambda sha: look_up_results(self._api, self._place, sha, self._deadline)):
            seen += [commit for commit in commits if commit.results]
            if len(seen) >= WITH_CI or (seen and own is not None and intersect_apps(seen) <= own):
                break
        return seen[:WITH_CI]

    def stand_in(
        self, kept: Mapping[str, bool], apps: Sequence[str], is_of_ci: Callable[[CICheck], bool], *, begun: bool
    ) -> StandIn:
        """The nearest ancestor with complete CI, and its results.

        Complete is one with a run of every workflow that was kept away (`kept`: whether it depends on paths), but for
        those that depend on paths, whose results come from where they ran last. Where none was kept away, it is one
        that has the usual `apps`, or else any result of CI. Where CI of the commit itself has `begun`, an ancestor
        says nothing but what became of the workflows that were kept away.
        """
        always, wanted, found = {name for name, filtered in kept.items() if not filtered}, set(kept), StandIn()
        at = 0
        for commits in self._batches([sha for sha, _ in self._chain], self._with_runs if kept else self._if_any):
            for commit in commits:
                is_whole = False
                if not found.nearest and _is_complete(commit, always, wanted, apps, is_of_ci):
                    found.nearest, is_whole = commit.sha, not begun
                    found.passed |= {} if kept else {"": at}
                taken = [
                    result for result in commit.results if is_whole or (found.nearest and result.workflow in wanted)
                ]
                if found.nearest:
                    found.passed |= dict.fromkeys(wanted & set(commit.ran), at)
                    wanted -= set(commit.ran)
                found.results += [result.model_copy(update={"commit": commit.sha}) for result in taken]
                at += 1
            if found.nearest and not wanted:
                break
        found.passed |= dict.fromkeys(wanted, at)
        return found

    def _with_runs(self, sha: str) -> CommitChecks:
        return look_up_checks(self._api, self._place, sha, self._left)

    def _if_any(self, sha: str) -> CommitChecks:
        found = look_up_results(self._api, self._place, sha, self._deadline)
        return self._with_runs(sha) if found.results else found

    def _batches(self, shas: Sequence[str], ask: Callable[[str], T]) -> Iterator[list[T]]:
        if shas:
            yield [ask(shas[0])]
        for start in range(1, len(shas), _SIDE_BY_SIDE):
            with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="release-state-ancestor") as pool:
                yield list(pool.map(ask, shas[start : start + _SIDE_BY_SIDE]))


def intersect_apps(seen: Sequence[CommitChecks]) -> frozenset[str]:
    """The apps that every one of them has."""
    return frozenset.intersection(*(commit.apps for commit in seen)) if seen else frozenset()


def _is_complete(
    commit: CommitChecks,
    always: set[str],
    wanted: set[str],
    apps: Sequence[str],
    is_of_ci: Callable[[CICheck], bool],
) -> bool:
    if wanted:
        return always <= set(commit.ran) and bool(wanted & set(commit.ran))
    if apps:
        return set(apps) <= commit.apps
    return any(map(is_of_ci, commit.results))
