"""Adverse facts of the clone and of the repository itself: changes, also hidden ones, another place in its history."""

from __future__ import annotations

import os

from release_state.demo import project
from release_state.demo.git import GitError
from tests.proofs.adverse.fact import Fact, Put, back, before, inside
from tests.proofs.adverse.places import PATH
from tests.proofs.adverse.worlds import Green
from tests.standins.world import World

README = "README.md"


def _change(world: World) -> None:
    path = world.clone / README
    path.write_text(f"{path.read_text(encoding='utf-8')}changed\n", encoding="utf-8")


def _changed(world: World, green: Green, guise: str | None) -> None:
    _change(world)


def _staged(world: World, green: Green, guise: str | None) -> None:
    _change(world)
    world.clone_git.run("add", README)


def _staged_and_back(world: World, green: Green, guise: str | None) -> None:
    """The index has a change, the working tree has it no more."""
    before = (world.clone / README).read_bytes()
    _staged(world, green, guise)
    (world.clone / README).write_bytes(before)


def _untracked(world: World, green: Green, guise: str | None) -> None:
    (world.clone / "notes.txt").touch()


def _hidden_untracked(world: World, green: Green, guise: str | None) -> None:
    """The user's git does not show untracked files."""
    world.clone_git.run("config", "status.showUntrackedFiles", "no")
    _untracked(world, green, guise)


def _deleted(world: World, green: Green, guise: str | None) -> None:
    (world.clone / README).unlink()


def _mode(world: World, green: Green, guise: str | None) -> None:
    (world.clone / "orbit_build.py").chmod(0o755)


def _skipped(world: World, green: Green, guise: str | None) -> None:
    world.clone_git.run("update-index", "--skip-worktree", README)
    _change(world)


def _assumed(world: World, green: Green, guise: str | None) -> None:
    world.clone_git.run("update-index", "--assume-unchanged", README)
    _change(world)


def _same_stat(world: World, green: Green, guise: str | None) -> None:
    """Of the same size and time, where git is told to look at no more than these."""
    world.clone_git.run("config", "core.checkStat", "minimal")
    world.clone_git.run("config", "core.trustctime", "false")
    path = world.clone / README
    was = path.stat()
    path.write_bytes(path.read_bytes().swapcase())
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


def _stashed(world: World, green: Green, guise: str | None) -> None:
    _change(world)
    world.clone_git.run("stash", when=world.tick())


def _submodule(world: World, green: Green, guise: str | None) -> None:
    """A change within a submodule, which the base branch has on the remote as well."""
    git, url = world.clone_git, str(world.remote)
    git.run("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--branch", "main", url, "part")
    git.run("commit", "--quiet", "--message", "build: take a part in", when=world.tick())
    git.run("push", "--quiet", "origin", "main")
    world.ci(world.main())
    (world.clone / "part" / "notes.txt").touch()


def _renamed_reports(world: World, green: Green, guise: str | None) -> None:
    """A change below the folder that reports are written to."""
    folder = world.clone / "reports"
    folder.mkdir()
    (folder / "build.py").write_text("print()\n", encoding="utf-8")


def _behind(world: World, green: Green, guise: str | None) -> None:
    world.clone_git.run("reset", "--quiet", "--hard", "HEAD~1")


def _ahead(world: World, green: Green, guise: str | None) -> None:
    world.clone_git.run("commit", "--quiet", "--allow-empty", "--message", "feat: of my own", when=world.tick())


def _other_branch(world: World, green: Green, guise: str | None) -> None:
    world.clone_git.run("switch", "--quiet", "--create", "feature")
    _ahead(world, green, guise)


def _detached(world: World, green: Green, guise: str | None) -> None:
    world.clone_git.run("switch", "--quiet", "--detach", "HEAD~1")


def _remote_moved(world: World, green: Green, guise: str | None) -> None:
    """Somebody pushed, and CI is green on it."""
    world.ci(world.commit("feat: from somebody else"))


def _in_progress(name: str) -> Put:
    def put(world: World, green: Green, guise: str | None) -> None:
        git = world.clone_git
        if name == "bisect":
            git.run("bisect", "start", "--no-checkout")
            return
        first = git.run("rev-list", "--max-parents=0", "HEAD")
        git.run("switch", "--quiet", "--create", "side", first)
        (world.clone / README).write_text("side\n", encoding="utf-8")
        git.run("commit", "--quiet", "--all", "--message", "fix: side", when=world.tick())
        side = git.rev("HEAD")
        git.run("switch", "--quiet", "main")
        _change(world)
        git.run("commit", "--quiet", "--all", "--message", "fix: main", when=world.tick())
        try:
            git.run({"merge": "merge", "cherry-pick": "cherry-pick", "rebase": "rebase"}[name], side)
        except GitError:
            return
        raise AssertionError(f"the {name} met no conflict")

    return put


def _idle_merge(world: World, green: Green, guise: str | None) -> None:
    """A merge that would change nothing and waits for its commit: the working tree is clean."""
    (world.clone / ".git" / "MERGE_HEAD").write_text(f"{world.clone_git.rev('HEAD')}\n", encoding="ascii")


def _archived(world: World, green: Green, guise: str | None) -> None:
    world.github.archived = True


def _no_workflow(world: World, green: Green, guise: str | None) -> None:
    github = world.github
    flow = github.find_workflow("release.yml")
    assert flow
    del github.workflows[flow.id]
    for number in [number for number, run in github.workflow_runs.items() if run.workflow_id == flow.id]:
        del github.workflow_runs[number]


def _undeclared(world: World, green: Green, guise: str | None) -> None:
    text = (world.clone / "pyproject.toml").read_text(encoding="utf-8").replace("0.2.0", "0.2.1")
    world.ci(world.commit("fix: the version", {"pyproject.toml": text.encode()}))
    world.sync_clone()


def _another_package(world: World, green: Green, guise: str | None) -> None:
    text = (world.clone / "pyproject.toml").read_text(encoding="utf-8").replace("orbit-demo", "orbit-kit")
    world.ci(world.commit("fix: the name", {"pyproject.toml": text.encode()}))
    world.sync_clone()
    for projects in world.index.channels.values():
        projects.clear()


def _two_versions(world: World, green: Green, guise: str | None) -> None:
    module = {f"src/{project.MODULE}/_version.py": b'__version__ = "0.1.0"\n'}
    world.ci(world.commit("fix: a second place for the version", module))
    world.sync_clone()


def _no_heading(world: World, green: Green, guise: str | None) -> None:
    world.ci(world.commit("docs: begin anew", {"CHANGELOG.md": b"# Changelog\n\nSee v0.2.0.\n"}))
    world.sync_clone()


def _has_tree(green: Green) -> bool:
    return green.clone and (before(green) or back(green))


def _is_level(green: Green) -> bool:
    return green.clone and before(green)


def _writes_before(green: Green) -> bool:
    return "expected-before-release" in green.settings


_OVER = "nothing is released any more, and what was stays as it is"
_CLEAN = ("CLONE-1", "CLONE-21")
CHANGES = {
    "changed file": _changed,
    "staged change": _staged,
    "staged change, taken back in the working tree": _staged_and_back,
    "untracked file": _untracked,
    "untracked file that git is told not to show": _hidden_untracked,
    "deleted file": _deleted,
    "file that became executable": _mode,
    "change hidden by skip-worktree": _skipped,
    "change hidden by assume-unchanged": _assumed,
    "change of the same size and time": _same_stat,
    "file of somebody else in the reports folder": _renamed_reports,
}
FACTS = (
    *(Fact(name, put, _CLEAN, _has_tree, PATH) for name, put in CHANGES.items()),
    Fact("stashed change", _stashed, (), _has_tree, harmless={"": "what is stashed is in no tree that is released"}),
    Fact(
        "change within a submodule",
        _submodule,
        (),
        lambda green: before(green) and green.clone,
        harmless={"": "the release takes the commit that the base branch names: it is advice (CLONE-7)"},
    ),
    Fact("clone behind", _behind, ("CLONE-3",), _is_level),
    Fact("clone ahead", _ahead, ("CLONE-3",), _is_level),
    Fact("clone on another branch", _other_branch, ("CLONE-2",), _is_level),
    Fact("clone detached elsewhere", _detached, ("CLONE-2",), _is_level),
    Fact("push that the clone has not seen", _remote_moved, ("CLONE-3",), _is_level),
    *(
        Fact(f"{name} in progress", _in_progress(name), ("CLONE-4", "CLONE-21"), _has_tree)
        for name in ("merge", "cherry-pick", "rebase", "bisect")
    ),
    Fact("merge in progress that changes nothing", _idle_merge, ("CLONE-4", "CLONE-21"), _has_tree),
    Fact(
        "archived repository",
        _archived,
        ("REPOSITORY-1",),
        lambda green: not inside(green),
        harmless={"during a run of more than a minute": "an owner archives a repository once: it is looked at once"},
        harmless_in={
            "post-recovery": {"": _OVER},
            "rollback": {"": _OVER},
            "audit": {"": "the history stays as it is; the report says that it is archived"},
        },
    ),
    Fact("release workflow that GitHub does not know", _no_workflow, ("RUN-1",), before),
    Fact("other version declared", _undeclared, ("META-1",), _writes_before),
    Fact("package of another name, and none of this one", _another_package, ("META-3",), before),
    Fact("package that says another version of itself", _two_versions, ("META-31",), _writes_before),
    Fact("changelog without its heading", _no_heading, ("META-2",), _writes_before),
)
