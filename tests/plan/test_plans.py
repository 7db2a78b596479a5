"""What each plan types, in a file: a change of any command, or of what is advice alone, is a change of the file.

`python -m tests.plan.test_plans` writes the file anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from release_state.model.plan import Wanted
from release_state.model.snapshot import Snapshot
from tests.checks.cases import clone, index_account, names, spellings
from tests.support.judged import verdict_of
from tests.verdict.test_matrix import STATES

FILE = Path(__file__).with_name("plans.txt")
WAYS: tuple[Wanted, ...] = ("auto", "complete", "rollback", "force-recovery")


def snapshots() -> Iterator[tuple[str, Snapshot, tuple[Wanted, ...]]]:
    """Each state with its name, and the ways that a person may ask for."""
    for number, state in enumerate(STATES):
        yield f"state {number}", state, WAYS
    for check, name, snapshot, _ in (*spellings.CASES, *names.CASES, *clone.CASES, *index_account.CASES):
        yield f"{check} {name}", snapshot, ("auto", "rollback")


def plans() -> Iterator[str]:
    """A line for each plan, and one for each step: `-` advice, `+` needed, what it fixes, its commands."""
    written: dict[str, str] = {}
    for name, snapshot, ways in snapshots():
        for wanted in ways:
            plan = verdict_of(snapshot, wanted).plan
            steps = [
                f"  {'-' if step.advice else '+'} {step.mends or 'nothing'}: {'; '.join(step.lines()) or 'by hand'}"
                for step in plan.steps
            ]
            text = "\n".join([plan.direction, *steps])
            same = written.setdefault(text, f"{name}, {wanted}")
            yield f"{name}, {wanted}: {text if same == f'{name}, {wanted}' else f'as {same}'}"


def test_every_plan_types_what_the_file_says() -> None:
    assert "\n".join(plans()) + "\n" == FILE.read_text(encoding="utf-8"), "see python -m tests.plan.test_plans"


if __name__ == "__main__":
    FILE.write_text("\n".join(plans()) + "\n", encoding="utf-8")
