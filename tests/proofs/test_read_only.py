"""Whatever state a release is in, a run changes nothing: not the clone, not the remote, not GitHub, not an index."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from release_state.demo.scenarios import SCENARIOS
from tests.standins.world import World
from tests.support.browser import SOME
from tests.support.cli import suite
from tests.support.worlds import ended, fingerprint, forget_requests, options, run, world_of

READING = {
    *("version", "rev-parse", "config", "ls-remote", "status", "symbolic-ref", "show-ref", "cat-file", "rev-list"),
    *("log", "diff", "diff-tree", "patch-id", "merge-base", "ls-tree", "for-each-ref", "ls-files", "check-attr"),
}
"""Git commands that write nothing (`config` and `symbolic-ref` as long as they are asked, see below)."""


@pytest.fixture
def git_log(tmp_path: Path) -> Path:
    """A folder in which every git command that is found on the PATH leaves a file: its folder and arguments."""
    folder = tmp_path / "commands"
    folder.mkdir()
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    real = shutil.which("git")
    program.write_text(
        f'#!/bin/sh\nprintf "%s\\037" "$PWD" "$@" > "{folder}/$$"\nexec "{real}" "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return folder


def commands(git_log: Path) -> list[tuple[Path, list[str]]]:
    """Folder and arguments of every command that was logged."""
    words = [path.read_text(encoding="utf-8").split("\037")[:-1] for path in git_log.iterdir()]
    return [(Path(folder), arguments) for folder, *arguments in words]


def verb(arguments: list[str]) -> str:
    """The git command among its arguments."""
    words = iter(arguments)
    for word in words:
        if word in ("-c", "-C"):
            next(words)
        elif not word.startswith("-"):
            return word
    return ""


def messy(world: World) -> None:
    """A clone that a person is at work in: changes, a stash, a stopped merge, traps in its configuration."""
    git, clone = world.clone_git, world.clone
    (clone / "README.md").write_text("stashed\n", encoding="utf-8")
    git.run("stash")
    git.run("checkout", "--quiet", "-b", "mine")
    git.run("tag", "v0.2.0")
    (clone / "README.md").write_text("changed\n", encoding="utf-8")
    (clone / "new.txt").write_text("untracked\n", encoding="utf-8")
    (clone / ".git" / "MERGE_HEAD").write_text(f"{world.main()}\n", encoding="utf-8")
    trap = clone / ".git" / "trap"
    trap.write_text(f'#!/bin/sh\ntouch "{clone}/trapped"\ncat\n', encoding="utf-8")
    trap.chmod(0o755)
    (clone / ".git" / "info").mkdir(exist_ok=True)
    (clone / ".git" / "info" / "attributes").write_text("* filter=trap diff=trap\n", encoding="utf-8")
    for name in ("core.fsmonitor", "core.pager", "filter.trap.clean", "diff.external", "diff.trap.textconv"):
        git.run("config", name, str(trap))
    git.run("config", "core.hooksPath", str(clone / ".git"))
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        shutil.copy(trap, clone / ".git" / hook)


QUICK = ("clean", "branch-exists", "partial", "released", "rolled-back")


@pytest.mark.parametrize(
    ("scenario", "more", "workers"),
    [
        *(pytest.param(name, None, (), marks=[] if name in QUICK else pytest.mark.slow) for name in SOME),
        ("partial", messy, ()),
        ("partial", messy, ("-n", "2")),
    ],
)
def test_a_run_changes_nothing(
    scenario: str, more: Callable[[World], None] | None, workers: tuple[str, ...], git_log: Path, tmp_path: Path
) -> None:
    target = SCENARIOS[scenario]
    with world_of(scenario) as world:
        if more:
            more(world)
        # A file with another time than in the index: `git status` would write the index anew.
        os.utime(world.clone / "CHANGELOG.md", (1_700_000_000, 1_700_000_000))
        before = fingerprint(world.clone), fingerprint(world.remote)
        files = {name: world.index.files(name) for name in world.index.channels}
        pulls, releases = repr(world.github.pulls), repr(world.github.releases)
        forget_requests(world)

        path = f"{git_log.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
        ran = run(
            world,
            *("--channel", target.channel, "--no-install", *workers),
            reports=tmp_path / "reports",
            env={"PATH": path},
        )

        assert ran.code in (0, 1), ran.output
        assert ran.code == (1 if more else target.exit_code)
        assert (fingerprint(world.clone), fingerprint(world.remote)) == before
        assert {request.method for request in world.github.requests} == {"GET"}
        assert {request.method for request in world.index.requests} == {"GET"}
        assert {name: world.index.files(name) for name in world.index.channels} == files
        assert (repr(world.github.pulls), repr(world.github.releases)) == (pulls, releases)
        _assert_commands(commands(git_log), world)


def _assert_commands(ran: list[tuple[Path, list[str]]], world: World) -> None:
    verbs = [verb(arguments) for _, arguments in ran]
    listings = [arguments for _, arguments in ran if verb(arguments) == "ls-remote" and "refs/heads/*" in arguments]
    assert len(listings) == 1, "branches and tags are asked for once"
    assert "status" in verbs, "the log sees what is run in the clone"
    for folder, arguments in ran:
        inside = folder.is_relative_to(world.clone) or folder.is_relative_to(world.remote)
        shown = f"{folder}: git {' '.join(arguments)}"
        name = verb(arguments)
        words = arguments[arguments.index(name) + 1 :] if name else []
        asks = name in READING or (name, *words[:1]) == ("remote", "get-url")
        if name == "config":
            asks = any(word in ("--list", "--get", "--get-all", "--get-regexp") for word in words)
        if name == "symbolic-ref":
            asks = len([word for word in words if not word.startswith("-")]) == 1
        assert asks or not inside, shown
        if not asks:
            # What writes works on a repository of the suite's own, wherever its paths are given.
            assert not any(
                str(place) in word and not word.startswith("file:")
                for word in arguments
                for place in (world.clone, world.remote)
            ), shown


def test_without_a_clone_only_the_cache_is_written_to(tmp_path: Path) -> None:
    home = tmp_path / "home"
    scratch = tmp_path / "scratch"
    elsewhere = tmp_path / "elsewhere"
    for folder in (home, scratch, elsewhere):
        folder.mkdir()
    with world_of("partial") as world:
        # The clone's options are left out: a run of a machine that has none.
        given = options(world)
        assert given[:2] == ["--repo", str(world.clone)]
        before = fingerprint(world.remote), fingerprint(world.clone)
        done = suite(
            *("--version", "0.2.0", "--no-install", *given[2:]),
            reports_dir=tmp_path / "reports",
            env={"GITHUB_TOKEN": world.token, "HOME": str(home), "TMPDIR": str(scratch)},
        )
        after = fingerprint(world.remote), fingerprint(world.clone)

    ran = ended(done, tmp_path / "reports")
    assert (ran.code, ran.only["CLONE-21" if "CLONE-21" in ran.only else "TAG-13"]) == (1, "not applicable"), ran.output
    assert after == before
    assert [path.name for path in (home / ".cache").iterdir()] == ["release-state"]
    assert [path.name for path in home.iterdir()] == [".cache"]
    assert list(scratch.iterdir()) == []
