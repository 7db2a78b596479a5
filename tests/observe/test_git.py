"""Git as it is run, the remote's refs, and the clone."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_state.common.addresses import strip_credentials
from release_state.facts.release import Release
from release_state.model.observation import Observation
from release_state.model.snapshot import Clone, Remote
from release_state.observe.git import command as git_command
from release_state.observe.git.clone import observe_clone
from release_state.observe.git.command import Git, GitFailed, find_decisive_line, scrub
from release_state.observe.git.environment import add_settings, build_environment
from release_state.observe.git.program import GitProgram
from release_state.observe.git.remote import check_url, observe_remote, parse_refs
from release_state.observe.git.work_tree import parse_status
from release_state.plan.steps.prerequisites import tidy_up
from tests.support import states as s
from tests.support.gitrepo import (
    ENV,
    Repo,
    fingerprint,
    make,
)

pytestmark = pytest.mark.usefixtures("own_configuration")

#: What must never be seen.
SECRET = "hunter2"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """One commit on main."""
    made = make(tmp_path / "repo")
    made.commit("feat: first", a__txt="one\n")
    return made


def clone_of(repo: Repo, reports: Path | None = None) -> Clone:
    return observe_clone(repo.path, "origin", 20, reports).present()


def remote_of(repo: Repo) -> Remote:
    return observe_remote(str(repo.path), 20).present()


def why(observation: Observation[Remote] | Observation[Clone]) -> str:
    assert observation.unavailable, observation.value
    return observation.unavailable.why


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


# The remote


def test_refs_of_every_kind(repo: Repo) -> None:
    head = repo.head
    repo.git("tag", "light")
    repo.git("tag", "-a", "-m", "x", "v1")
    repo.git("tag", "-a", "-m", "x", "twice", "v1")
    repo.git("tag", "-a", "-m", "x", "of-tree", "HEAD^{tree}")
    repo.git("tag", "tree", "HEAD^{tree}")
    for odd in ("release/pypi-v0.2.0", "weiß/日本", "a'b$(x)", "x@y", "heads", "refs/tags/v1", "HEAD"):
        repo.git("update-ref", f"refs/heads/{odd}", head)
    repo.git("update-ref", "refs/pull/3/head", head)
    repo.git("update-ref", "refs/notes/refs/tags/v9", head)
    remote = remote_of(repo)
    names = {"main", "release/pypi-v0.2.0", "weiß/日本", "a'b$(x)", "x@y", "heads", "refs/tags/v1", "HEAD"}
    assert {branch.name for branch in remote.branches} == names
    assert remote.default_branch == "main"
    tree = repo.git("rev-parse", "HEAD^{tree}")
    assert {tag.name: (tag.commit, tag.annotated) for tag in remote.tags} == {
        "light": (head, False),
        "v1": (head, True),
        "twice": (head, True),
        "of-tree": (tree, True),
        "tree": (tree, False),
    }
    assert {tag.name: tag.object for tag in remote.tags}["v1"] == repo.git("rev-parse", "v1")
    assert clone_of(repo).tags == tuple(sorted(remote.tags, key=lambda tag: tag.name))


def test_an_empty_remote_is_known_and_empty(tmp_path: Path) -> None:
    remote = remote_of(make(tmp_path / "empty", bare=True))
    assert (remote.branches, remote.tags, remote.default_branch) == ((), (), None)


def test_a_detached_head_of_the_remote_is_no_default_branch(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "--detach")
    assert remote_of(repo).default_branch is None


def test_a_file_url_and_a_user_rewrite_of_it(repo: Repo, own_configuration: Path) -> None:
    own_configuration.write_text(f'[url "{repo.path.as_uri()}"]\n\tinsteadOf = https://nowhere.invalid/repo\n')
    assert observe_remote("https://nowhere.invalid/repo", 20).present().branches == remote_of(repo).branches


@pytest.mark.parametrize("rewritten", ["ext::touch {marker}", "helper://x"])
def test_a_user_rewrite_cannot_bring_in_a_helper(tmp_path: Path, own_configuration: Path, rewritten: str) -> None:
    marker = tmp_path / "ran"
    own_configuration.write_text(f'[url "{rewritten.format(marker=marker)}"]\n\tinsteadOf = https://a.invalid/\n')
    assert "was refused" in why(observe_remote("https://a.invalid/", 20))
    assert not marker.exists()


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c 'touch /tmp/x'",
        "fd::3",
        "--upload-pack=touch x",
        "-x",
        "/a\0b",
        "https://h/a\nb",
        "relative/path",
        "..",
        "ftp://h/x",
        "https://",
        "ssh://-oProxyCommand=x/y",
        "-oProxyCommand=x:y",
        "host:-x",
        "file://host/x",
        f"https://user:{SECRET}/x@host/y",
        f"git://user:{SECRET}@host/y",
        f"https://host/y?token={SECRET}",
        f"https://user:a/{SECRET}@host/y",
        f"ssh://user:1/{SECRET}@host/y",
        f"user:{SECRET}@host:y",
        f"user:{SECRET}@host/y",
        f"https://user%0Apassword={SECRET}:x@host/y",
        "",
    ],
)
def test_an_address_that_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GitProgram, "execute", lambda *_, **__: pytest.fail("git was run"))
    said = why(observe_remote(url, 5))
    assert said.startswith("the remote's address was refused") and SECRET not in said


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://u:{SECRET}@github.com/o/r.git", "https://github.com/o/r.git"),
        (f"https://{SECRET}@github.com:443/o/r", "https://github.com:443/o/r"),
        (f"https://u:a@{SECRET}@h/o", "https://h/o"),
        (f"ssh://git:{SECRET}@h:22/o", "ssh://git@h:22/o"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ("git://h/o", "git://h/o"),
        ("https://[::1]:8443/x", "https://[::1]:8443/x"),
        ("/a/b://c@d", "/a/b://c@d"),
    ],
)
def test_an_address_is_shown_without_credentials(url: str, shown: str) -> None:
    check_url(url)
    assert strip_credentials(url) == shown


def test_no_credential_is_left_in_what_git_says() -> None:
    said = why(observe_remote(f"https://user:{SECRET}@127.0.0.1:1/x", 20))
    assert "127.0.0.1" in said and SECRET not in said and "user" not in said


def test_a_remote_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    assert "does not appear to be a git repository" in why(observe_remote(str(tmp_path / "none"), 20))
    assert "Connection refused" in why(observe_remote("git://127.0.0.1:1/x", 20))


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def gone(text: str) -> bool:
    """Whether no such process is left; what was killed needs a moment to be gone."""
    until = time.monotonic() + 2
    while processes_with(text) and time.monotonic() < until:
        time.sleep(0.02)
    return not processes_with(text)


def processes_with(text: str) -> list[str]:
    """Those with a text in their arguments or variables: git is told an address by a variable."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            told = path.read_bytes() + path.with_name("environ").read_bytes()
            line = told.replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line and int(path.parent.name) != os.getpid():
            found.append(line)
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="asks /proc")
@pytest.mark.parametrize("scheme", ["git", "https"])
def test_a_silent_remote_is_given_up_and_nothing_goes_on(silent: int, scheme: str) -> None:
    started = time.monotonic()
    said = why(observe_remote(f"{scheme}://127.0.0.1:{silent}/x", 1))
    assert "no answer within 1 s" in said
    assert time.monotonic() - started < 10
    assert gone(f"127.0.0.1:{silent}")


def test_a_run_can_be_cancelled(silent: int) -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    started = time.monotonic()
    assert "cancelled" in why(observe_remote(f"git://127.0.0.1:{silent}/x", 30, cancel=cancel))
    assert time.monotonic() - started < 10


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="asks /proc")
@pytest.mark.parametrize("thread", [False, True])
def test_an_interrupt_leaves_no_process(silent: int, thread: bool) -> None:
    call = f"observe_remote('git://127.0.0.1:{silent}/x', 60)"
    if thread:
        call = f"threading.Thread(target=lambda: {call}, daemon=True).start(); time.sleep(60)"
    code = f"import threading, time; from release_state.observe.git.remote import observe_remote; {call}"
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, env=ENV, stderr=subprocess.DEVNULL) as running:
        until = time.monotonic() + 20
        while not processes_with(f"//127.0.0.1:{silent}/x.insteadOf"):
            assert time.monotonic() < until and running.poll() is None
            time.sleep(0.05)
        # The signal is for a call that waits for git. One that is just starting it, in the main thread, is in no run.
        time.sleep(0.3)
        running.send_signal(2)
        running.wait(10)
    assert gone(f"//127.0.0.1:{silent}/x.insteadOf")


_HASH = st.from_regex(r"[0-9a-f]{40}|[0-9a-f]{64}", fullmatch=True)
_LINE = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda sha, name: f"{sha}\trefs/{name}".encode(), _HASH, st.text(max_size=15)),
    st.builds(lambda sha, name: f"{sha}\trefs/tags/{name}^{{}}".encode(), _HASH, st.text(max_size=5)),
    st.builds(lambda name: f"ref: refs/heads/{name}\tHEAD".encode(), st.text(max_size=9)),
)


@given(st.lists(_LINE, max_size=6))
@settings(max_examples=300, deadline=None)
def test_only_refs_come_out_of_what_a_remote_says(lines: list[bytes]) -> None:
    try:
        remote = parse_refs("/x", b"\n".join(lines))
    except GitFailed:
        return
    assert msgspec.json.decode(msgspec.json.encode(remote).decode(), type=Remote) == remote
    for name in (ref.name for refs in (remote.branches, remote.tags) for ref in refs):
        assert name and not any(character.isspace() and character < "!" for character in name)
    assert all(len(branch.sha) in (40, 64) for branch in remote.branches)


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/v0.2.0", "refs/tags/v0.2.0^{}"])
def test_one_ref_has_one_hash(ref: str) -> None:
    line = f"{'a' * 40}\t{ref}\n"
    parse_refs("/x", (line + line).encode())
    with pytest.raises(GitFailed, match="two hashes"):
        parse_refs("/x", f"{line}{'b' * 40}\t{ref}\n".encode())


@given(st.binary(max_size=80))
def test_only_paths_come_out_of_git_status(output: bytes) -> None:
    try:
        tracked, untracked = parse_status(output)
    except GitFailed:
        return
    assert all(isinstance(entry.path, bytes) for entry in tracked)
    assert all(isinstance(path, bytes) for path in untracked)


# Running git


def test_inherited_steering_is_removed_and_nobody_is_asked() -> None:
    inherited = {
        "PATH": "/bin",
        "GIT_DIR": "/x",
        "GIT_WORK_TREE": "/x",
        "GIT_INDEX_FILE": "/x",
        "GIT_OBJECT_DIRECTORY": "/x",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/x",
        "GIT_CONFIG_PARAMETERS": "'core.fsmonitor=x'",
        "GIT_EXTERNAL_DIFF": "/x",
        "GIT_TRACE": "/x",
        "GIT_ALLOW_PROTOCOL": "ext",
        "GIT_ASKPASS": "/x",
        "SSH_ASKPASS": "/x",
        "GIT_SSH_COMMAND": "ssh -i key",
        "GIT_SSL_CAINFO": "/ca",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    env = build_environment(inherited)
    kept = {"GIT_SSH_COMMAND": "ssh -i key", "GIT_SSL_CAINFO": "/ca", "GIT_CONFIG_KEY_0": "safe.directory"}
    assert {name: env[name] for name in kept} == kept
    assert "/x" not in env.values() and "GIT_CONFIG_PARAMETERS" not in env
    assert env["GIT_TERMINAL_PROMPT"] == "0" and env["GIT_ASKPASS"] == "" and env["SSH_ASKPASS"] == ""
    assert (
        env["GIT_OPTIONAL_LOCKS"] == "0" and env["LC_ALL"] == "C" and "ext" not in env["GIT_ALLOW_PROTOCOL"].split(":")
    )
    more = add_settings(env, [("a.b=c.d", "x")])
    assert int(more["GIT_CONFIG_COUNT"]) == int(env["GIT_CONFIG_COUNT"]) + 1


@pytest.mark.parametrize("own", ["", "variable", "configuration"])
def test_ssh_never_asks_unless_the_user_says_how_it_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_configuration: Path, own: str
) -> None:
    program = script(tmp_path / "ssh", f'echo "$@" > {tmp_path}/args; exit 255')
    mine = script(tmp_path / "mine", f'echo mine "$@" > {tmp_path}/args; exit 255')
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    if own == "variable":
        monkeypatch.setenv("GIT_SSH_COMMAND", str(mine))
    elif own:
        own_configuration.write_text(f"[core]\n\tsshCommand = {mine}\n")
    assert observe_remote("git@host.invalid:o/r.git", 20).unavailable
    arguments = (tmp_path / "args").read_text()
    assert arguments.startswith("mine ") if own else "-oBatchMode=yes " in arguments
    assert own or "-oConnectTimeout=20 " in arguments


def fake_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    script(folder / "git", text)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


def test_no_git_and_an_old_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not on the PATH" in why(observe_remote("/x", 5))
    assert "git is not on the PATH" in why(observe_clone(tmp_path, "origin", 5, None))
    fake_git(tmp_path, monkeypatch, "echo git version 2.30.9")
    missing = observe_remote("/x", 5).unavailable
    assert missing and missing.why == "git version 2.30 is too old" and "2.31" in (missing.remedy or "")


def test_a_git_in_the_current_directory_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "git", "echo git version 9.9.9")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".:{os.pathsep}")
    assert "git is not on the PATH" in why(observe_remote("/x", 5))


def test_output_is_bounded_and_a_process_that_outlives_git_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = 'case "$*" in version) echo git version 2.50.0;; *endless*) yes;; *) sleep 30 & echo here;; esac'
    fake_git(tmp_path, monkeypatch, said)
    monkeypatch.setattr(git_command, "OUTPUT_LIMIT", 2**20)
    git = Git(10)
    with pytest.raises(GitFailed, match="more than 1 MiB"):
        git.run("endless", cwd=tmp_path)
    assert git.run("endless", cwd=tmp_path, first=5).output == b"y\ny\ny"
    started = time.monotonic()
    assert git.run("short", cwd=tmp_path).text == "here\n"
    assert time.monotonic() - started < 10


def test_the_decisive_line() -> None:
    ssh = (
        "Warning: x\ngit@h: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n\n"
        "Please make sure you have the correct access rights\nand the repository exists.\n"
    )
    assert (
        find_decisive_line(ssh)
        == "git@h: Permission denied (publickey).; fatal: Could not read from remote repository."
    )
    assert find_decisive_line("warning: x\nfatal: a\x1b[31m b\nfatal: c") == "fatal: a [31m b"
    assert scrub(f"x 'https://u:{SECRET}@h/p?q={SECRET}' y") == "x 'https://h/p' y"


# The clone


def test_a_clean_clone(repo: Repo, tmp_path: Path) -> None:
    clone = repo.clone(tmp_path / "clone")
    seen = clone_of(clone)
    assert (seen.branch, seen.head, seen.operation) == ("main", repo.head, None)
    assert (seen.changed, seen.untracked, seen.bare, seen.shallow) == ((), (), False, False)
    assert seen.remote_url == repo.path.as_uri() and seen.path == str(clone.path)
    assert seen.push_urls == (seen.remote_url,)
    assert not seen.ahead.is_known and not seen.behind.is_known
    assert observe_clone(clone.path, "elsewhere", 20, None).present().remote_url is None
    clone.git("config", "remote.origin.pushurl", "https://u:secret@host.example/eve/orbit.git")
    assert clone_of(clone).push_urls == ("https://host.example/eve/orbit.git",)


def test_changes_odd_names_and_the_reports_folder(repo: Repo) -> None:
    repo.commit("more", gone="x", kept="x", moved="a long enough text to be found again\n")
    names = ["new file", "-x", "new\nline", 'quo"te', "ünï", " lead"]
    for name in names:
        (repo.path / name).touch()
    Path(os.fsdecode(os.fsencode(repo.path) + b"/latin-\xe9")).touch()
    (repo.path / "gone").unlink()
    (repo.path / "a.txt").write_text("two\n")
    repo.git("mv", "moved", "moved-on")
    reports = repo.path / "out" / "reports"
    reports.mkdir(parents=True)
    (reports / "orbit-20260102T030405Z.json").touch()
    seen = clone_of(repo, reports)
    assert set(seen.changed) == {"a.txt", "gone", "moved", "moved-on"} and seen.changed_count == 4
    assert set(seen.untracked) == {*names, "latin-\\xe9"} and seen.untracked_count == 7
    assert msgspec.json.decode(msgspec.json.encode(seen).decode(), type=Clone) == seen
    (repo.path / "out" / "other").touch()
    assert "out/" in clone_of(repo, reports).untracked
    assert "out/" in clone_of(repo).untracked
    inside = observe_clone(repo.path / "out", "origin", 20, reports).present()
    assert inside == clone_of(repo, reports)


def test_only_fifty_paths_are_listed_and_all_are_counted(repo: Repo) -> None:
    for number in range(60):
        (repo.path / f"u{number}").touch()
    seen = clone_of(repo)
    assert len(seen.untracked) == 50 and seen.untracked_count == 60


def test_detached_unborn_bare_shallow_and_worktree(repo: Repo, tmp_path: Path) -> None:
    head = repo.head
    repo.commit("second", b="x")
    shallow = clone_of(repo.clone(tmp_path / "shallow", "--depth=1"))
    assert shallow.shallow
    bare = clone_of(repo.clone(tmp_path / "bare.git", "--bare"))
    assert (bare.bare, bare.branch, bare.head, bare.changed) == (True, "main", repo.head, ())
    unborn = clone_of(make(tmp_path / "unborn"))
    assert (unborn.branch, unborn.head, unborn.tags) == ("main", None, ())
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"), head)
    tree = clone_of(Repo(tmp_path / "tree"))
    assert (tree.branch, tree.head, tree.path) == (None, head, str(tmp_path / "tree"))


@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick", "revert", "bisect", "am"])
def test_an_operation_in_progress(repo: Repo, tmp_path: Path, operation: str) -> None:
    repo.git("checkout", "--quiet", "-b", "other")
    repo.commit("theirs", a__txt="theirs\n")
    repo.git("checkout", "--quiet", "main")
    repo.commit("ours", a__txt="ours\n")
    # In a linked worktree: its own git directory holds the state, and the main one knows nothing of it.
    repo.git("worktree", "add", "--quiet", "-b", "here", str(tmp_path / "tree"))
    tree = Repo(tmp_path / "tree")
    patch = tmp_path / "patch"
    patch.write_text(repo.git("format-patch", "--stdout", "-1", "other") + "\n")
    commands = {
        "merge": ["merge", "other"],
        "rebase": ["rebase", "other"],
        "cherry-pick": ["cherry-pick", "other"],
        "revert": ["revert", "HEAD~1"],
        "bisect": ["bisect", "start"],
        "am": ["am", str(patch)],
    }
    tree.git(*commands[operation], ok=False)
    assert clone_of(tree).operation == operation
    assert clone_of(repo).operation is None


def test_where_there_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert "not a git repository" in why(observe_clone(tmp_path / "plain", "origin", 20, None))
    assert "not a directory" in why(observe_clone(tmp_path / "none", "origin", 20, None))
    (tmp_path / "plain" / ".git").write_text("gitdir: /nowhere\n")
    assert "not a git repository" in why(observe_clone(tmp_path / "plain", "origin", 20, None))


def test_an_owner_that_git_does_not_trust(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_command, "build_environment", lambda _: {**ENV, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    problem = observe_clone(repo.path, "origin", 20, None).unavailable
    assert problem and "dubious ownership" in problem.why
    assert problem.remedy and f"safe.directory {repo.path}" in problem.remedy


def test_a_damaged_tag_is_not_an_absent_one(repo: Repo) -> None:
    (repo.path / ".git" / "refs" / "tags" / "v1").write_text("1" * 40 + "\n")
    assert observe_clone(repo.path, "origin", 20, None).unavailable
    (repo.path / ".git" / "refs" / "tags" / "v1").write_text("nonsense\n")
    assert observe_clone(repo.path, "origin", 20, None).unavailable


def test_a_password_that_cannot_be_told_from_its_address_is_not_kept(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "https://host/o/r.git")
    for url in (f"https://user:a/{SECRET}@host/y", f"user:{SECRET}@host:y", f"https://u:{SECRET}@host/y"):
        repo.git("config", "--add", "remote.origin.pushurl", url)
    found = clone_of(repo)
    assert found.push_urls == ("https://***", "***", "https://host/y")


def test_the_remote_address_as_git_works_it_out(repo: Repo, own_configuration: Path) -> None:
    repo.git("remote", "add", "origin", f"https://u:{SECRET}@short/o/r.git")
    own_configuration.write_text(f'[url "https://u:{SECRET}@github.com/"]\n\tinsteadOf = https://u:{SECRET}@short/\n')
    assert clone_of(repo).remote_url == "https://github.com/o/r.git"


def hostile(repo: Repo, marker: Path) -> None:
    """Name a program in every place of the clone's configuration where git would run it."""
    run = str(script(repo.path.parent / "evil.sh", f"echo $0 $@ >> {marker}; cat"))
    hooks = repo.path.parent / "hooks"
    hooks.mkdir()
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction", "pre-auto-gc", "post-checkout"):
        script(hooks / hook, f"echo {hook} >> {marker}")
        script(repo.path / ".git" / "hooks" / hook, f"echo {hook} >> {marker}")
    (repo.path.parent / "included").write_text(f'[filter "in=cl.uded"]\n\tclean = {run}\n\trequired = true\n')
    entries = {
        "core.fsmonitor": run,
        "core.hooksPath": str(hooks),
        "core.sshCommand": run,
        "core.pager": run,
        "core.editor": run,
        "core.askPass": run,
        "core.gitProxy": run,
        "core.alternateRefsCommand": run,
        "credential.helper": f"!{run}",
        "diff.external": run,
        "diff.evil.textconv": run,
        "diff.evil.command": run,
        "filter.evil.clean": run,
        "filter.evil.smudge": run,
        "filter.evil.required": "true",
        "filter.slow.process": run,
        "gpg.program": run,
        "log.showSignature": "true",
        "interactive.diffFilter": run,
        "uploadpack.packObjectsHook": run,
        "remote.origin.url": f"ext::{run}",
        "remote.origin.uploadpack": run,
        "remote.origin.promisor": "true",
        "remote.origin.vcs": "evil",
        "include.path": str(repo.path.parent / "included"),
        "status.submoduleSummary": "true",
        **{
            f"alias.{name}": f"!{run}" for name in ("status", "rev-parse", "config", "show-ref", "cat-file", "for-each")
        },
    }
    for name, value in entries.items():
        repo.git("config", "--add", name, value)
    for pattern, driver in (("*.evil", "evil"), ("*.slow", "slow"), ("*.inc", "in=cl.uded")):
        with (repo.path / ".git" / "info" / "attributes").open("a") as attributes:
            attributes.write(f"{pattern} filter={driver} diff=evil\n")


def test_nothing_that_the_clone_names_is_run_and_no_byte_of_it_changes(repo: Repo, tmp_path: Path) -> None:
    sub = make(tmp_path / "sub")
    sub.commit("sub", x__evil="x")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(sub.path), "sub")
    repo.commit("files", f__evil="1", g__slow="1", h__inc="1")
    marker = tmp_path / "ran"
    hostile(repo, marker)
    inner = Repo(repo.path / "sub")
    inner.git("config", "core.fsmonitor", str(tmp_path / "evil.sh"))
    inner.git("config", "filter.inner.clean", str(tmp_path / "evil.sh"))
    (inner.path / "x.evil").write_text("y")
    for name in ("f.evil", "g.slow", "h.inc", "a.txt"):
        (repo.path / name).write_text("2")
    repo_git = fingerprint(repo.path)
    seen = clone_of(repo)
    assert not marker.exists(), marker.read_text()
    assert fingerprint(repo.path) == repo_git
    assert set(seen.changed) == {"f.evil", "g.slow", "h.inc", "a.txt"}
    repo.git("-c", "submodule.recurse=false", "status", ok=False)
    assert marker.exists(), "the trap does not work: a plain git status set nothing off"


def test_what_only_a_filter_can_tell_is_unavailable(repo: Repo) -> None:
    repo.commit("files", f__evil="1")
    repo.git("config", "filter.evil.clean", "tr 2 1")
    (repo.path / ".git" / "info" / "attributes").write_text("*.evil filter=evil\n")
    (repo.path / "f.evil").write_text("2")
    assert "without running a filter" in why(observe_clone(repo.path, "origin", 20, None))


def test_files_of_git_lfs_are_compared_without_git_lfs(repo: Repo) -> None:
    content = b"large"
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n"
    digest = subprocess.run(["sha256sum"], input=content, capture_output=True, check=True).stdout.split()[0].decode()
    repo.commit("files", f__bin=pointer.format(digest), g__bin=pointer.format(digest))
    repo.git("config", "filter.lfs.clean", "false")
    (repo.path / ".git" / "info" / "attributes").write_text("*.bin filter=lfs\n")
    (repo.path / "f.bin").write_bytes(content)
    (repo.path / "g.bin").write_bytes(b"other")
    assert clone_of(repo).changed == ("g.bin",)


def test_a_partial_clone_fetches_nothing(repo: Repo, tmp_path: Path) -> None:
    repo.commit("attributes", __gitattributes="* text=auto\n")
    partial = repo.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    before = fingerprint(partial.path)
    observe_clone(partial.path, "origin", 20, None)
    assert fingerprint(partial.path) == before


# What keeps git from looking


@pytest.fixture
def tracked(tmp_path: Path) -> Repo:
    """A repository with a few files and a subfolder, all of them committed."""
    made = make(tmp_path / "tracked")
    (made.path / "src").mkdir()
    for name in ("src/a.py", "src/b.py", "run.sh", "c.txt"):
        (made.path / name).write_text("one\n")
    (made.path / "run.sh").chmod(0o755)
    made.commit("feat: first")
    return made


def seen_unchanged(repo: Repo, reports: Path | None = None) -> Clone:
    """What is seen of a clone that is byte-identical afterwards, its index too."""
    before = fingerprint(repo.path)
    seen = clone_of(repo, reports)
    assert fingerprint(repo.path) == before
    return seen


@pytest.mark.parametrize("mark", ["--skip-worktree", "--assume-unchanged"])
def test_a_marked_file_is_compared_by_its_content(tracked: Repo, mark: str) -> None:
    tracked.git("update-index", mark, "src/a.py", "c.txt")
    assert (seen_unchanged(tracked).changed, seen_unchanged(tracked).marked) == ((), ())
    (tracked.path / "src/a.py").write_text("two\n")
    assert tracked.git("status", "--short") == ""
    seen = seen_unchanged(tracked)
    assert (seen.changed, seen.marked, seen.changed_count) == (("src/a.py",), ("src/a.py",), 1)


def test_both_marks_a_mode_and_another_kind(tracked: Repo) -> None:
    for mark in ("--skip-worktree", "--assume-unchanged"):
        tracked.git("update-index", mark, "src/a.py", "run.sh", "c.txt")
    (tracked.path / "src/a.py").write_text("two\n")
    (tracked.path / "run.sh").chmod(0o644)
    (tracked.path / "c.txt").unlink()
    (tracked.path / "c.txt").symlink_to("src")
    assert tracked.git("status", "--short") == ""
    assert seen_unchanged(tracked).marked == ("c.txt", "run.sh", "src/a.py")


def test_a_marked_file_that_is_gone_is_a_change_unless_a_sparse_checkout_leaves_it_out(tracked: Repo) -> None:
    tracked.git("update-index", "--assume-unchanged", "c.txt")
    tracked.git("update-index", "--skip-worktree", "src/b.py")
    (tracked.path / "c.txt").unlink()
    (tracked.path / "src/b.py").unlink()
    assert seen_unchanged(tracked).changed == ("c.txt", "src/b.py")
    tracked.git("config", "core.sparseCheckout", "true")
    (tracked.path / ".git/info/sparse-checkout").write_text("/*\n!/src/b.py\n")
    assert seen_unchanged(tracked).changed == ("c.txt",)


def test_a_sparse_checkout_is_no_change_and_a_file_beside_its_patterns_is_looked_at(tracked: Repo) -> None:
    tracked.git("sparse-checkout", "set", "--no-cone", "/*", "!/src")
    assert not (tracked.path / "src").exists()
    assert seen_unchanged(tracked).changed == ()
    tracked.git("config", "sparse.expectFilesOutsideOfPatterns", "true")
    (tracked.path / "src").mkdir()
    (tracked.path / "src/a.py").write_text("two\n")
    assert tracked.git("status", "--short") == ""
    assert seen_unchanged(tracked).marked == ("src/a.py",)


def test_marks_in_an_index_that_is_split(tracked: Repo) -> None:
    tracked.git("config", "core.splitIndex", "true")
    tracked.git("update-index", "--split-index")
    tracked.git("update-index", "--assume-unchanged", "c.txt")
    (tracked.path / "c.txt").write_text("two\n")
    names = sorted(path.name for path in (tracked.path / ".git").iterdir())
    assert clone_of(tracked).marked == ("c.txt",)
    assert sorted(path.name for path in (tracked.path / ".git").iterdir()) == names


def test_a_marked_file_is_compared_as_git_would_add_it(tracked: Repo, tmp_path: Path) -> None:
    tracked.git("config", "core.autocrlf", "true")
    tracked.git("update-index", "--assume-unchanged", "c.txt")
    (tracked.path / "c.txt").write_bytes(b"one\r\n")
    assert clone_of(tracked).changed == ()
    ran = tmp_path / "ran"
    tracked.git("config", "filter.trap.clean", f"touch {ran}; cat")
    (tracked.path / ".git/info/attributes").write_text("c.txt filter=trap\n")
    assert clone_of(tracked).changed == ()
    (tracked.path / "c.txt").write_bytes(b"two\r\n")
    assert "without running a filter" in why(observe_clone(tracked.path, "origin", 20, None))
    assert not ran.exists()


@pytest.mark.parametrize("setting", ["core.checkStat=minimal", "core.trustctime=false"])
def test_a_change_of_the_same_size_and_time_is_seen_whatever_is_configured(tracked: Repo, setting: str) -> None:
    file = tracked.path / "src/a.py"
    os.utime(file, (10**9, 10**9))
    tracked.git("update-index", "--refresh")
    tracked.git("config", *setting.split("="))
    assert (seen_unchanged(tracked).changed, seen_unchanged(tracked).showing) == ((), (setting_shown(setting),))
    time.sleep(1.1)  # until then git itself would look
    file.write_text("two\n")
    os.utime(file, (10**9, 10**9))
    assert tracked.git("status", "--short") == ""
    assert seen_unchanged(tracked).changed == ("src/a.py",)


def setting_shown(setting: str) -> str:
    return {"core.checkStat=minimal": "core.checkStat=default"}.get(setting, "core.trustctime=true")


def test_a_changed_mode_counts_where_the_file_system_keeps_modes(tracked: Repo) -> None:
    tracked.git("config", "core.fileMode", "false")
    assert seen_unchanged(tracked).changed == ()
    (tracked.path / "c.txt").chmod(0o755)
    assert tracked.git("status", "--short") == ""
    seen = seen_unchanged(tracked)
    assert (seen.changed, seen.showing) == (("c.txt",), ("core.fileMode=true",))


def test_a_file_system_without_modes_is_taken_at_its_word(tracked: Repo) -> None:
    """As where every file is shown without the right to execute it."""
    tracked.git("config", "core.fileMode", "false")
    (tracked.path / "run.sh").chmod(0o644)
    for hook in (tracked.path / ".git/hooks").iterdir():
        hook.chmod(0o644)
    assert seen_unchanged(tracked).changed == ()
    (tracked.path / "run.sh").write_text("two\n")
    assert seen_unchanged(tracked).changed == ("run.sh",)


def test_an_untracked_file_that_differs_by_its_case_alone(tracked: Repo) -> None:
    (tracked.path / "C.TXT").write_text("another\n")
    tracked.git("config", "core.ignoreCase", "true")
    assert tracked.git("status", "--short") == ""
    if (tracked.path / ".git/head").exists():
        pytest.skip("the file system folds cases")
    assert seen_unchanged(tracked).untracked == ("C.TXT",)


def test_a_monitor_and_a_cache_that_vouch_for_files_are_not_asked(tracked: Repo) -> None:
    tracked.git("config", "core.untrackedCache", "true")
    tracked.git("update-index", "--force-untracked-cache", "--fsmonitor")
    tracked.git("config", "core.fsmonitor", "true")
    tracked.git("update-index", "--fsmonitor-valid", "c.txt", ok=False)
    (tracked.path / "c.txt").write_text("two\n")
    assert seen_unchanged(tracked).changed == ("c.txt",)


# What counts as a report of this suite's own

STAMPED = "orbit-0.2.0-pypi-20260102T030405Z"
DOCUMENT = '{\n  "release_state_report": 1,\n'


def test_only_what_this_suite_wrote_is_left_aside_in_the_reports_folder(tracked: Repo) -> None:
    reports = tracked.path / "src"
    for name, content in {
        f"{STAMPED}.json": DOCUMENT,
        f"{STAMPED}.html": "<!DOCTYPE html>\n",
        f"{STAMPED}-2.json": "",  # reserved by a run that is at work
        "latest.json": DOCUMENT,
        "latest.html": "<!doctype html>",
        "latest-audit.json": '{"release_state_audit": 1}',
    }.items():
        (reports / name).write_text(content)
    assert seen_unchanged(tracked, reports).untracked == ()
    others = {
        "evil.py": "import os\n",
        f"{STAMPED}.py": DOCUMENT,
        "latest-fleet.json": "",
        "20260102T030405Z.json": DOCUMENT,
        f"x{STAMPED}.json": '{"packages": []}',
        f"x{STAMPED}.html": "<!doctype html>",
    }
    for name, content in others.items():
        (reports / name).write_text(content)
    (reports / f"z{STAMPED}.json").symlink_to("latest.json")
    (reports / "deeper").mkdir()
    (reports / "deeper" / "latest.json").write_text(DOCUMENT)
    expected = {f"src/{name}" for name in (*others, f"z{STAMPED}.json", "deeper/")}
    assert set(seen_unchanged(tracked, reports).untracked) == expected
    (reports / "a.py").write_text("two\n")
    assert seen_unchanged(tracked, reports).changed == ("src/a.py",)


def test_a_folder_of_reports_alone_counts_no_more_than_they_do(tracked: Repo) -> None:
    reports = tracked.path / "out" / "reports"
    reports.mkdir(parents=True)
    (reports / "latest.json").write_text(DOCUMENT)
    assert seen_unchanged(tracked, reports).untracked == ()
    (reports / "notes.txt").touch()
    assert seen_unchanged(tracked, reports).untracked == ("out/",)
    (reports / "notes.txt").unlink()
    (tracked.path / "latest.json").write_text(DOCUMENT)
    assert seen_unchanged(tracked, reports).untracked == ("latest.json",)
    assert seen_unchanged(tracked, tracked.path).untracked == ("out/",)


def test_a_committed_report_that_a_run_wrote_anew_is_no_change(tracked: Repo) -> None:
    (tracked.path / "latest.json").write_text(DOCUMENT)
    tracked.commit("docs: the last report")
    (tracked.path / "latest.json").write_text(DOCUMENT + "\n")
    assert seen_unchanged(tracked, tracked.path).changed == ()
    assert seen_unchanged(tracked).changed == ("latest.json",)


def test_what_is_printed_shows_every_hidden_change(tracked: Repo) -> None:
    for mark in ("--skip-worktree", "--assume-unchanged"):
        tracked.git("update-index", mark, "src/a.py", "c.txt")
    tracked.git("config", "core.fileMode", "false")
    (tracked.path / "src/a.py").write_text("two\n")
    (tracked.path / "c.txt").unlink()
    (tracked.path / "run.sh").chmod(0o644)
    seen = clone_of(tracked)
    steps = tidy_up(Release(s.ready(target=s.target(clone=str(tracked.path)))), seen)
    for command in (command for each in steps for command in each.commands):
        shown = subprocess.run(command, env=ENV, capture_output=True, text=True, check=True).stdout
    assert {line[3:] for line in shown.splitlines()} == set(seen.changed) == {"src/a.py", "c.txt", "run.sh"}


def test_a_file_system_that_folds_cases_is_seen(tracked: Repo) -> None:
    assert not clone_of(tracked).folds_case
    (tracked.path / ".git/head").touch()  # as it is there too where the two cases are one name
    assert seen_unchanged(tracked).folds_case
