"""Whoever types what a plan prints ends with a release that is verified, or with nothing left; and loses nothing.

The states: every combination of tag, index, GitHub Release, pull request and branch that can exist together, on both
channels, is `every_state()`. Executed are as many of them as it takes for any three values of channel, tag, index,
GitHub Release and pull request that can occur together to do so, and any two of them and the branch (for
`--plan rollback`: any two of all). Failed runs, other release branches, the two ways in which a workflow writes the
version, and whether advice is followed take turns.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from release_state.demo.world import World
from release_state.outcome import Verdict
from release_state.plan import Plan, Wanted
from release_state.release import Release
from release_state.snapshot import Snapshot
from release_state.verdict import TargetVerdict
from tests.cli import ROOT, clean_environment
from tests.convergence.bench import Bench
from tests.convergence.execute import Follower, Ran
from tests.convergence.real_gh import real_gh
from tests.convergence.states import VERSION, State, build, covering, every_state
from tests.judged import verdict_of

GREEN = {Verdict.READY, Verdict.VERIFIED, Verdict.ROLLED_BACK}
ROUNDS = 2

EVERY = list(every_state())
#: The 180 that add most: every pair of values, and nearly nine of ten triples; all 292 triples take too long for CI.
COMPLETED = covering(EVERY, 3)[:180]
ROLLED_BACK = covering(EVERY, 2)


@dataclass(frozen=True)
class Family:
    """States whose last step is a decision that no command can take."""

    findings: frozenset[str]
    """What is still found, all of it."""
    says: str
    """What the title of one of the plan's steps says then."""
    reason: str


LEFT_TO_A_PERSON = (
    Family(
        frozenset({"META-11"}),
        "Compare the published sdist with this commit",
        "the version is published, and its tag is on a commit that declares another: whether the tag is wrong, or the "
        "process writes the version without committing it, only a look at the published files tells",
    ),
    Family(
        frozenset({"INDEX-12"}),
        "Release 0.2.1 instead",
        "one of two files is published, and no tag says what it was built from: the other file cannot be built again, "
        "so the next version is released",
    ),
    Family(
        frozenset({"INDEX-12", "META-11"}),
        "Release 0.2.1 instead",
        "as above; the tag that is there is on a commit of another version",
    ),
    Family(
        frozenset({"INDEX-11", "META-11"}),
        "Release 0.2.1 instead",
        "nothing is published; the tag is on a commit of another version, and stays because its GitHub Release is "
        "immutable: the version is used up",
    ),
)


def parameters() -> Iterator[object]:
    """Each state with the way it is to go; all but a spread of them are slow."""
    for wanted, states, every in (("auto", COMPLETED, 11), ("rollback", ROLLED_BACK, 5)):
        for number, state in enumerate(states):
            marks = () if number % every == 0 else (pytest.mark.slow,)
            yield pytest.param(state, wanted, marks=marks, id=f"{wanted}-{state}")


@pytest.fixture(scope="session")
def _laid_out() -> Iterator[Bench]:
    memory = Path("/dev/shm")
    usual = tempfile.tempdir
    with ExitStack() as exits:
        if memory.is_dir() and os.access(memory, os.W_OK):
            # Thousands of small files are made: a disk would take several times as long.
            exits.callback(setattr, tempfile, "tempdir", usual)
            tempfile.tempdir = str(memory)
        world = exits.enter_context(World())
        yield exits.enter_context(Bench(world).open())


@pytest.fixture
def bench(_laid_out: Bench) -> Bench:
    """A world at its base."""
    _laid_out.restore()
    return _laid_out


class Journey:
    """From a state to where its printed plans lead, with what may not change on the way."""

    def __init__(self, bench: Bench, state: State, wanted: Wanted) -> None:
        self.bench, self.state, self.wanted = bench, state, wanted
        self.follower = Follower(bench, VERSION, state.channel, wanted)
        self.follower.follows_advice = state.advice == "followed"
        # A release that is whole is not what a roll-back leads to.
        self.ends = GREEN if wanted == "auto" else GREEN - {Verdict.VERIFIED}
        self.story: list[str] = [str(state)]
        self.named = ""
        """What the plans named as destroyed."""

    def go(self) -> TargetVerdict:
        """Follow the printed plan until nothing is left to do, twice at most; the last verdict."""
        # A yank that is taken back makes another state, from which the rounds count.
        for _ in range(ROUNDS + (self.state.index == "yanked" and self.wanted == "auto")):
            verdict = self.observe()
            if verdict.verdict in self.ends:
                return verdict
            self.named += " ".join(step.destroys or "" for step in verdict.plan.steps)
            ran = self.follower.follow()
            self.story += [f"  $ {one.line}" for one in ran]
            assert not [one for one in ran if one.failed], self.told(ran[-1])
        return self.observe()

    def observe(self) -> TargetVerdict:
        """The verdict of now."""
        verdict = self.bench.observe(VERSION, self.state.channel, self.wanted)
        again = Snapshot.model_validate_json(self.bench.snapshots[-1].model_dump_json())
        assert verdict_of(again, self.wanted).plan == verdict.plan, "the same snapshot, another plan"
        self.story.append(f"{verdict.words}: {verdict.diagnosis.title}")
        self.story += [f"  {found.id} {found.outcome.value}: {found.found}" for found in verdict.decisive]
        self.story += [f"  - {'(advice) ' if step.advice else ''}{step.title}" for step in verdict.plan.steps]
        return verdict

    def told(self, ran: Ran | None = None) -> str:
        """The whole story, for the message of a failure."""
        end = f"\n{ran.code}: {ran.output}" if ran else ""
        return "\n".join(self.story) + end


def commits(bench: Bench) -> set[str]:
    """Every commit that a ref of the remote leads to, recorded heads of pull requests too."""
    return set(bench.world.remote_git.run("rev-list", "--all").split())


def held_by(bench: Bench, named: str) -> set[str]:
    """The commits that were named as discarded, with those behind them."""
    git = bench.world.remote_git
    names = "".join(f"{name}\n" for name in re.findall(r"\b[0-9a-f]{40}\b", named))
    # Tags of the clone are named, too: the remote need not have what they hold.
    kinds = git.run("cat-file", "--batch-check=%(objecttype) %(objectname)", stdin=names.encode()).splitlines()
    tips = [kind.split()[1] for kind in kinds if kind.startswith("commit ")]
    return set(git.run("rev-list", *tips).split()) if tips else set()


def published(bench: Bench, channel: str) -> dict[str, tuple[bytes, bool]]:
    """The files of the index: content, and whether it is yanked."""
    return {file.filename: (file.content, bool(file.yanked)) for file in bench.world.index.files(channel)}


def findings(verdict: TargetVerdict) -> frozenset[str]:
    """The checks that are still red."""
    return frozenset(result.id for result in verdict.decisive if result.blocking)


def left_to_a_person(verdict: TargetVerdict) -> Family | None:
    """The family that a state belongs to in which only a person can go on."""
    titles = [step.title for step in verdict.plan.steps if not step.advice]
    return next(
        (
            family
            for family in LEFT_TO_A_PERSON
            if family.findings == findings(verdict) and any(family.says in title for title in titles)
        ),
        None,
    )


@pytest.mark.parametrize(("state", "wanted"), parameters())
def test_what_is_printed_leads_out(bench: Bench, state: State, wanted: Wanted) -> None:
    build(bench.world, state)
    bench.workflow = state.workflow
    before, files = commits(bench), published(bench, state.channel)
    journey = Journey(bench, state, wanted)
    end = journey.go()
    told = journey.told()
    lost = before - commits(bench)
    assert not lost or lost <= held_by(bench, journey.named), f"lost: {lost}\n{told}"
    now = published(bench, state.channel)
    if not journey.follower.yanked:
        assert files.items() <= now.items(), told
    assert {name: content for name, (content, _) in files.items()}.items() <= {
        name: content for name, (content, _) in now.items()
    }.items(), told
    if wanted == "rollback":
        assert_withdrawn(bench, state, end, told)
    else:
        assert_completed(bench, end, told)


def assert_completed(bench: Bench, end: TargetVerdict, told: str) -> None:
    """The release is verified, or clean; or what is left is a person's to decide, and the plan says so."""
    if end.verdict in GREEN:
        assert not [step for step in end.plan.steps if not step.advice], told
        return
    family = left_to_a_person(end)
    assert family is not None, told
    if "instead" in family.says:
        (answer,) = [answer for answer in bench.programs.answers if answer.target.version != VERSION]
        assert answer.phase.value == "pre-release", told
        assert findings(answer) <= {"BRANCH-2", "CLONE-3"}, f"{findings(answer)}\n{told}"


def assert_withdrawn(bench: Bench, state: State, end: TargetVerdict, told: str) -> None:
    """Nothing is left that could be withdrawn."""
    release = Release(bench.snapshot(VERSION, state.channel))
    if state.release == "immutable":
        # A person keeps it: deleting it would burn the name of its tag for ever.
        assert any(step.title == "Keep the GitHub Release v0.2.0" for step in end.plan.steps), told
        assert release.branch is None and not release.open_pulls, told
        assert all(file.yanked for file in release.files), told
        return
    wanted = {Verdict.ROLLED_BACK} if state.is_published else {Verdict.READY}
    assert end.verdict in wanted, told
    traces = {name for name, seen in release.traces().items() if seen}
    kept = {"index", "tag"} if state.is_published else set()  # a published version keeps its tag
    assert traces <= kept | ({"pull-request"} if state.pull.startswith("merged") else set()), told


GH_STATES = (
    (State("pypi", "both", "whole", "wrong-flag", "merged", "absent"), "auto", "gh release edit v0.2.0 --prerelease"),
    (State("pypi", "both", "whole", "draft", "merged", "absent"), "auto", "gh release edit v0.2.0 --draft=false"),
    (State("pypi", "remote", "whole", "absent", "merged", "absent"), "auto", "gh release create v0.2.0 --verify-tag"),
    (State("pypi", "absent", "absent", "absent", "closed", "ahead"), "auto", "gh workflow run release.yml"),
    (State("pypi", "both", "whole", "published", "merged", "absent"), "rollback", "gh api --method DELETE"),
)


@pytest.mark.parametrize(("state", "wanted", "line"), GH_STATES, ids=lambda value: str(value))
def test_the_real_gh_takes_the_same_commands(bench: Bench, state: State, wanted: Wanted, line: str) -> None:
    program = shutil.which("gh")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("gh is not installed")
        pytest.skip("gh is not installed")
    build(bench.world, state)
    journey = Journey(bench, state, wanted)
    with real_gh(bench.world, program) as environment, bench.programs.with_gh(program, environment):
        end = journey.go()
    assert end.verdict in journey.ends, journey.told()
    assert any(told.strip().startswith(f"$ {line}") for told in journey.story), journey.told()


def test_the_command_line_prints_what_leads_out(bench: Bench, tmp_path: Path) -> None:
    """A process of its own each time: what its report holds as the plan is executed, and the next run ends with 0."""
    world = bench.world
    build(world, State("pypi", "remote", "whole", "absent", "none", "absent"))
    more = {"GITHUB_TOKEN": world.token, "GITHUB_API_URL": world.github.url}
    options = ["--version", VERSION, "--repo", str(world.clone), "--repository", world.repository, "--no-install"]
    options += [f"--index-url={name}={world.index_url(name)}" for name in ("pypi", "testpypi")]
    options += ["--package", world.package, "--remote-url", world.remote_url, "--reports-dir", str(tmp_path)]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "release_state", *options],
            cwd=ROOT,
            env=clean_environment(tmp_path, more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    first = run()
    assert first.returncode == 1, first.stdout + first.stderr
    (target,) = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))["targets"]
    plan = Plan.model_validate(target["plan"])
    printed = " ".join(first.stdout.split())
    for step in plan.steps:
        for line in step.lines():
            assert " ".join(line.split()) in printed
    ran = Follower(bench, VERSION, "pypi").execute(plan)
    assert ran and not [one for one in ran if one.failed], ran
    last = run()
    assert last.returncode == 0, last.stdout + last.stderr
    assert Verdict.VERIFIED.value in last.stdout


def test_the_states_are_as_many_as_they_are_said_to_be() -> None:
    assert len(EVERY) == len(set(EVERY)) == 2913
    assert (len(COMPLETED), len(ROLLED_BACK)) == (180, 58)
