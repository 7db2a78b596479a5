"""The place where git is started: what GitPython leaves open, and the traps of a clone that it falls into."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import git as gitpython
import pytest

from release_state.observe.git import program as git_program
from release_state.observe.git.clone import observe_clone
from release_state.observe.git.command import Git, GitFailed
from release_state.observe.git.environment import build_environment
from release_state.observe.git.program import GitProgram
from release_state.observe.git.reader import find_repository
from release_state.observe.git.remote import observe_remote
from release_state.observe.process import GIT_MEMORY, supervise
from tests.support.gitrepo import Repo, fingerprint, make

pytestmark = pytest.mark.usefixtures("own_configuration")
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """One commit on main."""
    made = make(tmp_path / "repo")
    made.commit("feat: first", a__txt="one\n")
    return made


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def top_of(folder: Path) -> str:
    return Git(20).run("rev-parse", "--show-toplevel", cwd=folder).text.strip()


# What GitPython leaves open


@pytest.mark.parametrize("module", ["git", "release_state.observe.git.program"])
def test_what_the_import_runs(tmp_path: Path, module: str) -> None:
    """GitPython asks the git that it finds for its version, also one in the current folder; here nothing is run."""
    script(tmp_path / "git", f"touch {tmp_path}/ran; echo git version 9.9.9")
    env = {**os.environ, "PATH": f".{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", f"import {module}"], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "ran").exists() == (module == "git")


def test_whoever_imports_gitpython_later_gets_all_of_it() -> None:
    code = "import release_state.observe.git.program, git; git.Repo; git.cmd.Git; git.util"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_no_inherited_variable_steers_git(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GITHUB_TOKEN", "hunter2")
    monkeypatch.setenv("UID", "1")  # some shells keep it
    clean = build_environment(os.environ)
    plain = gitpython.Git(repo.path).execute(["git", "rev-parse", "--absolute-git-dir"], env=clean)
    assert plain == str(other.path / ".git"), "the trap does not work"
    assert Git(20).run("rev-parse", "--absolute-git-dir", cwd=repo.path).text == f"{repo.path}/.git\n"
    given = {"PATH": os.environ["PATH"], "ONLY": "this"}
    seen = supervise(GitProgram("/usr/bin/env", repo.path, given, GIT_MEMORY).start(), 20, most_output=10**6)
    names = {line.partition("=")[0] for line in seen.text.splitlines()}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_", "LC_ALL", "UID"} == set(given)


@pytest.mark.parametrize("kind", ["missing", "a file", "closed"])
def test_without_its_folder_git_is_not_run(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = tmp_path / "folder"
    if kind == "a file":
        folder.touch()
    monkeypatch.chdir(repo.path)
    assert gitpython.Git(folder).rev_parse("--show-toplevel") == str(repo.path), "the trap does not work"
    if kind == "closed":
        folder.mkdir()
        monkeypatch.setattr("os.access", lambda *_: False)
    why = {"missing": "No such file or directory", "a file": "Not a directory", "closed": "Permission denied"}[kind]
    with pytest.raises(GitFailed, match=f"git could not be run in {folder}: {why}"):
        top_of(folder)


def test_without_a_folder_that_is_gone_by_then_git_is_not_run(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.path)
    monkeypatch.setattr(git_program, "_require_folder", lambda _: None)
    with pytest.raises(GitFailed):
        top_of(tmp_path / "gone")


@pytest.mark.parametrize("name", ["$ELSEWHERE", "~", "${ELSEWHERE}", "-", "a b\n"])
def test_the_name_of_a_folder_is_no_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    elsewhere, folder = make(tmp_path / "elsewhere").path, make(tmp_path / name).path
    monkeypatch.setenv("ELSEWHERE", str(elsewhere))
    monkeypatch.setenv("CDPATH", str(elsewhere.parent))
    monkeypatch.chdir(tmp_path)
    if "$" in name:
        assert gitpython.Git(str(folder)).working_dir != str(folder), "the trap does not work"
    for path in (folder, Path(name)):
        answer = Git(20).run("rev-parse", "--absolute-git-dir", cwd=path)
        assert os.fsdecode(answer.output[:-1]) == str(folder / ".git")


def test_a_program_that_outlives_git_is_ended_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitPython's time limit ends what git has started, but not what has lost its parent and holds the pipe."""
    fake = script(tmp_path / "git", f"(sleep 2; touch {tmp_path}/late) & echo git version 2.50.0")
    gitpython.Git(tmp_path).execute([str(fake)], kill_after_timeout=0.5)
    assert (tmp_path / "late").exists(), "the trap does not work"
    (tmp_path / "late").unlink()
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert Git(20).run("version", cwd=tmp_path).text == "git version 2.50.0\n"
    assert not (tmp_path / "late").exists()


def test_nothing_is_printed_of_what_is_run(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gitpython.Git, "GIT_PYTHON_TRACE", "full")
    caplog.set_level("INFO")
    gitpython.Git(repo.path).status()
    assert "status" in caplog.text, "the trap does not work"
    caplog.clear()
    assert top_of(repo.path) == str(repo.path)
    assert not caplog.text


# The traps of a clone


@dataclass(frozen=True)
class Trap:
    """A place of a clone that names a program, and what of GitPython runs it."""

    name: str
    settings: dict[str, str]
    """`{run}` is the program."""
    spring: Callable[[gitpython.Repo], object]
    url: str = ""
    """The address of origin."""
    prepare: Callable[[Repo, str], object] = lambda repo, run: None


def _attributes(line: str) -> Callable[[Repo, str], object]:
    return lambda repo, run: (repo.path / ".git/info/attributes").write_text(f"*.txt {line}\n")


def _include(text: str) -> Callable[[Repo, str], object]:
    def include(repo: Repo, run: str) -> None:
        (repo.path.parent / "included").write_text(text.format(run=run))
        (repo.path / ".git/info/attributes").write_text("*.txt filter=in=cl.uded\n")

    return include


def _add_hook(folder: str) -> Callable[[Repo, str], object]:
    def add(repo: Repo, run: str) -> None:
        hooks = repo.path / folder
        hooks.mkdir(parents=True, exist_ok=True)
        script(hooks / "post-index-change", run)
        os.utime(repo.path / "a.txt", (10**9, 10**9))

    return add


def _add_submodule(repo: Repo, run: str) -> None:
    inner = make(repo.path.parent / "inner")
    inner.commit("first", x="x")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(inner.path), "sub")
    repo.commit("with a submodule", a__txt="one\n")
    Repo(repo.path / "sub").git("config", "core.fsmonitor", run)


def _ask_origin(repo: gitpython.Repo) -> object:
    return repo.git.ls_remote("origin")


TRAPS = [
    Trap("a monitor", {"core.fsmonitor": "{run}"}, lambda repo: repo.is_dirty()),
    Trap(
        "a monitor of an included file",
        {"include.path": "../../included"},
        lambda repo: repo.is_dirty(),
        prepare=_include("[core]\n\tfsmonitor = {run}\n"),
    ),
    Trap("a submodule's monitor", {}, lambda repo: repo.is_dirty(), prepare=_add_submodule),
    Trap("a filter", {"filter.x.clean": "{run}"}, lambda repo: repo.is_dirty(), prepare=_attributes("filter=x")),
    Trap(
        "a filter that stays",
        {"filter.x.process": "{run}"},
        lambda repo: repo.git.status(with_exceptions=False),
        prepare=_attributes("filter=x"),
    ),
    Trap(
        "a filter of an included file",
        {"include.path": "../../included"},
        lambda repo: repo.is_dirty(),
        prepare=_include('[filter "in=cl.uded"]\n\tclean = {run}\n\trequired = true\n'),
    ),
    Trap("a hook", {}, lambda repo: repo.git.status(), prepare=_add_hook(".git/hooks")),
    Trap("a folder of hooks", {"core.hooksPath": "hooks"}, lambda repo: repo.git.status(), prepare=_add_hook("hooks")),
    Trap("an external diff", {"diff.external": "{run}"}, lambda repo: repo.git.diff()),
    Trap(
        "a text conversion", {"diff.x.textconv": "{run}"}, lambda repo: repo.git.diff(), prepare=_attributes("diff=x")
    ),
    Trap("an ssh", {"core.sshCommand": "{run}"}, _ask_origin, "ssh://127.0.0.1:1/x"),
    Trap("a proxy", {"core.gitProxy": "{run}"}, _ask_origin, "git://127.0.0.1:1/x"),
    Trap("an address that is a program", {"protocol.ext.allow": "always"}, _ask_origin, "ext::{run}"),
    Trap(
        "an address that is rewritten",
        {"url.ext::{run}.insteadOf": "https://127.0.0.1:1/", "protocol.ext.allow": "always"},
        _ask_origin,
        "https://127.0.0.1:1/",
    ),
]


@pytest.mark.parametrize("trap", TRAPS, ids=[trap.name for trap in TRAPS])
def test_gitpython_falls_into_a_trap_that_is_not_sprung_here(repo: Repo, tmp_path: Path, trap: Trap) -> None:
    marker = tmp_path / "ran"
    run = str(script(tmp_path / "trap.sh", f"echo $0 >> {marker}; test $# -gt 0 && cat $1; exit 1"))
    trap.prepare(repo, run)
    for name, value in trap.settings.items():
        repo.git("config", name.format(run=run), value.format(run=run))
    repo.git("remote", "add", "origin", trap.url.format(run=run) or repo.path.as_uri())
    if "hook" not in trap.name:
        (repo.path / "a.txt").write_text("two\n")
    before = fingerprint(repo.path)
    observe_clone(repo.path, "origin", 20, None)
    found = find_repository(repo.path, "origin")
    assert found and found.remote_url
    observe_remote(found.remote_url, 20)
    observe_remote(trap.url.format(run=run) or str(repo.path), 20)
    assert not marker.exists(), marker.read_text()
    assert fingerprint(repo.path) == before
    with gitpython.Repo(repo.path) as plain, suppress(gitpython.GitCommandError):
        trap.spring(plain)
    assert marker.exists(), "the trap does not work"
