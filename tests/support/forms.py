"""Every form of command that a plan can print, found by walking the written states: a command each, and its plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from msgspec import structs

from release_state.facts.release import Release
from release_state.model.plan import Plan, Wanted
from release_state.model.snapshot import Snapshot
from release_state.plan.recovery import Recovery
from tests.checks.test_checks import CASES
from tests.support import space
from tests.support.judged import CHECKS, ended, verdict_of

Form = tuple[str, ...]
UNVARIED = frozenset({"permission", "workflow", "token", "service", "testpypi", "version"})
_WORDS = (
    (r"\b[0-9a-f]{40}\b", "SHA"),
    (r"\b[0-9a-f]{7,12}\b", "ABBREVIATED"),
    (r"(?:test)?pypi\b", "CHANNEL"),
    (r"\bv?\d+\.\d+[\w.-]*", "VERSION"),
    (r"\b\d+\b", "NUMBER"),
)


@dataclass(frozen=True)
class Found:
    """A command of a form, with the state and the plan that it is from."""

    command: tuple[str, ...]
    snapshot: Snapshot
    plan: Plan


def form(command: tuple[str, ...]) -> Form:
    """The command without what differs from one state to the next."""

    def shape(word: str) -> str:
        for pattern, name in _WORDS:
            word = re.sub(pattern, name, word)
        return word

    return tuple(map(shape, command))


@cache
def forms() -> dict[Form, Found]:
    """Each form that is not the suite's own command, in the order in which they are met."""
    found: dict[Form, Found] = {}
    for snapshot, plan in _plans():
        for step in plan.steps:
            for command in (*step.commands, *step.verify):
                if command[0] != "release-state":
                    found.setdefault(form(command), Found(command, snapshot, plan))
    return found


def _plans() -> Iterator[tuple[Snapshot, Plan]]:
    ways: tuple[tuple[Wanted, int], ...] = (("auto", 2), ("complete", 6), ("rollback", 6), ("force-recovery", 20))
    for wanted, every in ways:
        for number, state in enumerate(space.spread(2)[::every]):
            snapshot = space.snapshot(state)
            if number % 2:
                snapshot = _with_remote(snapshot)
            yield snapshot, verdict_of(snapshot, wanted, left_out=UNVARIED).plan
    for name, _, snapshot, _ in CASES:
        _, said = ended(CHECKS[name], Recovery(Release(snapshot)))
        yield snapshot, Plan(direction="tidy up", folder=snapshot.target.clone, steps=getattr(said, "steps", ()))


def _with_remote(snapshot: Snapshot) -> Snapshot:
    """The state with a clone whose remote is the one that was observed: commands call it by its name then."""
    clone, url = snapshot.clone.value, snapshot.target.remote_url
    if clone is None:
        return snapshot
    own = structs.replace(clone, remote_url=url, push_urls=(url,))
    return structs.replace(snapshot, clone=structs.replace(snapshot.clone, value=own))
