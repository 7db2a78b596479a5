"""Whoever types what a plan prints ends with a release that is verified, or with nothing left; and loses nothing.

The states: every combination of tag, index, GitHub Release, pull request and branch that can exist together, on both
channels; what surrounds them takes turns (release runs, the clone, other release branches, the two ways in which a
workflow writes the version, whether advice is followed). CI executes as many of them as it takes for any two values to
occur together, and some more for triples; `--every-state` executes all. Three ways are gone: `auto`, from
every state; `--plan rollback`, from every state; `--plan complete`, where `auto` does not complete.

Where a journey ends:

- READY, RELEASED AND VERIFIED or ROLLED BACK, with nothing left to do but advice;
- for a version that was never published and never can be (an immutable GitHub Release holds its tag on a commit of
  another version, or the index once had its files): nothing of it is left that could be withdrawn, and the plan is the
  next version and nothing else;
- and wherever a plan led to the next version, that one is READY.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from zlib import crc32

import pytest
from msgspec import convert

from release_state.facts.release import Release
from release_state.model.outcome import Verdict
from release_state.model.plan import Plan, Wanted
from tests.proofs.convergence.bench import Bench
from tests.proofs.convergence.build import build
from tests.proofs.convergence.execute import Follower
from tests.proofs.convergence.journey import End, assert_completed, needed, of_state, prepare
from tests.proofs.convergence.real_gh import real_gh
from tests.proofs.convergence.remains import Remains
from tests.proofs.convergence.states import VERSION, State, covering, every_state
from tests.support.cli import ROOT, clean_environment
from tests.support.every import part_of

EVERY = every_state()
YANKED = [state for state in EVERY if state.index == "yanked"]
PAIRS = covering(EVERY, 2)
#: Every pair of values, and what adds most to the triples: all 469 for those take too long for CI.
IN_CI: dict[Wanted, list[State]] = {
    "auto": list(dict.fromkeys([*PAIRS, *covering(EVERY, 3, most=6)])),
    "rollback": PAIRS[:30],
    "complete": covering(YANKED, 2, most=6),
}
ALL: dict[Wanted, list[State]] = {"auto": EVERY, "rollback": EVERY, "complete": YANKED}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each state with the way that is gone; of CI's, all but a spread of them are slow."""
    if "state" not in metafunc.fixturenames or "wanted" not in metafunc.fixturenames or "line" in metafunc.fixturenames:
        return
    every = part_of(metafunc.config)
    cases = [(state, wanted) for wanted, states in (ALL if every else IN_CI).items() for state in states]
    quick = set(cases[:: 1 if every else 12])
    metafunc.parametrize(
        ("state", "wanted"),
        [
            pytest.param(*case, marks=() if case in quick else (pytest.mark.slow,), id=f"{case[1]}-{case[0]}")
            for case in (every.of(cases) if every else cases)
        ],
    )


def test_what_is_printed_leads_out(bench: Bench, state: State, wanted: Wanted, pytestconfig: pytest.Config) -> None:
    prepare(bench, state)
    bench.rules = "auto" if part_of(pytestconfig) else rules_of(state)
    before = Remains(bench, state.channel)
    journey = of_state(bench, state, wanted)
    end = journey.go()
    before.assert_nothing_is_lost(journey.follower, end.story)
    if wanted == "rollback":
        assert_withdrawn(bench, state, end)
    else:
        assert_completed(end)
    if journey.next_version:
        assert end.following is not None and end.following.verdict is Verdict.READY, end.story


def rules_of(state: State) -> str:
    """In CI every fourth state asks the project's own tool for the next version; in others, plain rules work it out."""
    return "auto" if crc32(str(state).encode()) % 4 == 0 else "conventional"


def assert_withdrawn(bench: Bench, state: State, end: End) -> None:
    """Nothing is left that could be withdrawn."""
    told = end.story
    assert end.verdict.verdict in {Verdict.ROLLED_BACK, Verdict.READY}, told
    assert not needed(end.verdict), told
    release = Release(bench.snapshots[-1])
    traces = {name for name, seen in release.traces().items() if seen}
    kept = {"index", "tag"} if state.is_published else set()  # a published version keeps its tag
    kept |= {"release", "tag"} if state.release == "immutable" else set()  # its name would be burnt
    kept |= {"pull-request"} if state.pull.startswith("merged") else set()
    assert traces <= kept, told
    assert all(file.yanked for file in release.files), told


GH_STATES = (
    (State("pypi", "both", "whole", "wrong-flag", "merged", "absent"), "auto", "gh release edit v0.2.0 --prerelease"),
    (State("pypi", "both", "whole", "draft", "merged", "absent"), "auto", "gh release edit v0.2.0 --draft=false"),
    (State("pypi", "remote", "whole", "absent", "merged", "absent"), "auto", "gh release create v0.2.0 --verify-tag"),
    (State("pypi", "absent", "absent", "absent", "closed", "ahead"), "auto", "gh workflow run release.yml"),
    (State("pypi", "both", "whole", "published", "merged", "absent"), "rollback", "gh api --hostname github.com"),
)


@pytest.mark.parametrize(("state", "wanted", "line"), GH_STATES, ids=lambda value: str(value))
def test_the_real_gh_takes_the_same_commands(bench: Bench, state: State, wanted: Wanted, line: str) -> None:
    program = shutil.which("gh")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("gh is not installed")
        pytest.skip("gh is not installed")
    prepare(bench, state)
    journey = of_state(bench, state, wanted)
    with real_gh(bench.world, program) as environment, bench.programs.with_gh(program, environment):
        end = journey.go()
    assert end.verdict.verdict in journey.ends, end.story
    assert any(told.strip().startswith(f"$ {line}") for told in journey.story), end.story


def test_the_command_line_prints_what_leads_out(bench: Bench, tmp_path: Path) -> None:
    """A process of its own each time: what its report holds as the plan is executed, and the next run ends with 0."""
    world = bench.world
    build(world, State("pypi", "remote", "whole", "absent", "none", "absent"))
    more = {"GITHUB_TOKEN": world.token, "GITHUB_API_URL": world.github.url, "GITHUB_SERVER_URL": "https://github.com"}
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
    plan = convert(target["plan"], Plan)
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
    assert len(EVERY) == len(set(EVERY)) == 4990
    assert [len(states) for states in ALL.values()] == [4990, 4990, len(YANKED)]
