"""The mirror of the adverse-fact matrix: no step of any plan destroys what another target rests on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import structs

from release_state.model.observation import known
from release_state.model.plan import Step, Wanted
from tests.support import space
from tests.support.every import part_of
from tests.support.judged import verdict_of
from tests.support.neighbours import NEIGHBOURS, Case, Thing, cases, cloned, destroyed

ALL: tuple[Wanted, ...] = ("auto", "complete", "rollback", "force-recovery")
IN_CI = 500


@pytest.fixture(scope="module")
def looked_at(pytestconfig: pytest.Config) -> Sequence[Case]:
    """Neighbourhoods around states in which any two values meet; with `--every-state` each around each of three."""
    part = part_of(pytestconfig)
    if part is None:
        spread = space.spread(2)
        return list(cases([spread[number % len(spread)] for number in range(IN_CI)]))
    states = part.of(space.spread(3))
    return [Case(tuple(state.items()), *around) for state in states for around in NEIGHBOURS]


def harmed(case: Case, wanted: Wanted) -> list[str]:
    """What a plan destroys of what others rest on, a line each."""
    snapshot, rested = case.snapshot, case.rested_on()
    found: list[str] = []
    made: list[str] = []
    for step in verdict_of(snapshot, wanted).plan.steps:
        for command in step.commands:
            made += filter(None, [cloned(command, snapshot)])
            gone = destroyed(command, snapshot, made) - {Thing("tag of the clone", name) for name in made_again(step)}
            lost = sorted(each for each in gone if each in rested or each.kind == "repository")
            found += [f"{wanted}: {each.kind} {each.name}: {' '.join(command)}" for each in lost]
    return found


def made_again(step: Step) -> set[str]:
    """The tags that a step makes in the clone: what had the name there is kept under another one."""
    return {command[3] for command in step.commands if command[:3] == ("git", "tag", "--annotate")}


@pytest.mark.slow
@pytest.mark.parametrize("wanted", ALL)
def test_no_step_destroys_what_another_target_rests_on(wanted: Wanted, looked_at: Sequence[Case]) -> None:
    wrong = [(case, lines) for case in looked_at if (lines := harmed(case, wanted))]
    shown = "\n".join(f"{case}\n    {line}" for case, lines in wrong[:5] for line in lines)
    assert not wrong, f"{len(wrong)} of {len(looked_at)} states:\n{shown}"


@pytest.mark.parametrize(
    ("command", "things"),
    [
        ("git push --no-follow-tags --force-with-lease=refs/tags/v1:a URL :refs/tags/v1", {Thing("tag", "v1")}),
        ("git push --delete URL refs/heads/x", {Thing("branch", "x")}),
        ("git push --force URL refs/tags/v1", {Thing("tag", "v1")}),
        ("git push URL +a:refs/heads/x", {Thing("branch", "x")}),
        ("git push URL a:refs/heads/backup/x", set()),
        ("git push origin a:refs/heads/x", {Thing("repository", "origin")}),
        ("git -C DIR tag --delete v1", {Thing("tag of the clone", "v1")}),
        ("git -C DIR update-ref -d refs/tags/v1 a", {Thing("tag of the clone", "v1")}),
        ("git -C DIR update-ref refs/tags/v1 b a", {Thing("tag of the clone", "v1")}),
        ("git -C DIR update-ref refs/backup/tags/v1-a a", set()),
        ("gh api --method DELETE repos/o/r/releases/5", {Thing("release", "5")}),
        ("GH_HOST=h:1 gh api --method DELETE repos/o/r/git/refs/tags/v1", {Thing("tag", "v1")}),
        ("gh api --method PATCH repos/o/r/pulls/7 -f state=closed", {Thing("pull", "7")}),
        (
            "gh api --hostname h --method PATCH --raw-field base=main --jq .x repos/o/r/pulls/7",
            {Thing("base of a pull", "7")},
        ),
        ("gh release delete v1 --repo o/r", {Thing("release", "v1")}),
        ("gh pr close 7 --repo o/r", {Thing("pull", "7")}),
        ("gh run cancel 9 --repo o/r", {Thing("run", "9")}),
        ("gh pr view 7 --repo o/r", set()),
    ],
)
def test_what_a_command_destroys_is_read_from_its_words(command: str, things: set[Thing]) -> None:
    case = next(cases([space.numbered(0)]))
    snapshot = case.snapshot
    words = [snapshot.target.remote_url if word == "URL" else word for word in command.split()]
    unnamed = structs.replace(snapshot, clone=known(None)) if "origin" in words else snapshot
    assert destroyed(words, unnamed) == things


def test_a_command_that_nobody_has_sorted_fails() -> None:
    snapshot = next(cases([space.numbered(0)])).snapshot
    for command in ("git filter-branch", "gh repo delete o/r", "gh issue close 7", "svn rm x"):
        with pytest.raises(AssertionError):
            destroyed(command.split(), snapshot)
