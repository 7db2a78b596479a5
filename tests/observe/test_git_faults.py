"""Git remotes and clones that are broken, foreign, odd or huge: a true fact or a reason, and nobody is ever asked."""

from __future__ import annotations

import os
import re
import resource
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from release_state.common.errors import UsageProblem
from release_state.model.observation import Problem
from release_state.model.snapshot import Clone
from release_state.observe.git.clone import observe_clone
from release_state.observe.git.command import Git
from release_state.observe.git.reader import find_repository
from release_state.observe.git.remote import observe_remote
from tests.support.gitrepo import (
    Repo,
    fingerprint,
    make,
)

pytestmark = pytest.mark.usefixtures("own_configuration")

SECRET = "hunter2"
ROOT = Path(__file__).parent.parent.parent
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another owner")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """One commit on main."""
    made = make(tmp_path / "repo")
    made.git("config", "gc.auto", "0")
    made.commit("feat: first", a__txt="one\n")
    return made


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def problem_of(path: Path) -> Problem:
    seen = observe_clone(path, "origin", 20, None)
    assert seen.unavailable, seen.value
    return seen.unavailable


def clone_of(path: Path) -> Clone:
    return observe_clone(path, "origin", 20, None).present()


# ---- asked for a password or a host key


class _Locked(BaseHTTPRequestHandler):
    """Wants a password for everything; remembers what was given."""

    given: list[str | None]

    def do_GET(self) -> None:
        self.given.append(self.headers.get("Authorization"))
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def locked() -> Iterator[HTTPServer]:
    """A server that asks everybody for a password."""
    _Locked.given = []
    with HTTPServer(("127.0.0.1", 0), _Locked) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def on_a_terminal(url: str, environ: dict[str, str]) -> str:
    """What a person sees who asks for the remote at a terminal, where git and ssh could ask back."""
    if shutil.which("script") is None:
        pytest.skip("no `script` program, which makes a terminal")
    code = (
        "from release_state.observe.git.remote import observe_remote\n"
        f"print('why:', observe_remote({url!r}, 20).unavailable)"
    )
    command = ["script", "-qec", shlex.join([sys.executable, "-c", code]), os.devnull]
    # Standard input stays open: a question would wait for its answer until the time is over.
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environ}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            return running.stdout.read()
        finally:
            running.kill()


def test_nobody_is_asked_for_a_password(locked: HTTPServer, tmp_path: Path, own_configuration: Path) -> None:
    asked = script(tmp_path / "ask", f'echo "$@" >> {tmp_path}/asked; echo {SECRET}')
    own_configuration.write_text(f"[core]\n\taskPass = {asked}\n", encoding="utf-8")
    said = on_a_terminal(
        f"http://127.0.0.1:{locked.server_port}/o/r.git",
        {"GIT_ASKPASS": str(asked), "SSH_ASKPASS": str(asked), "GIT_TERMINAL_PROMPT": "1", "DISPLAY": ":9"},
    )
    assert said.startswith("why: ") and re.search("could not read Username|unable to get password", said), said
    assert "credential helper" in said
    assert not (tmp_path / "asked").exists()


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the arguments of everything that git starts to reach a server, and of git itself."""
    real = Git(5).program
    exec_path = subprocess.run([real, "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    folder = tmp_path / "core"
    folder.mkdir()
    for program in Path(exec_path).iterdir():
        if program.name == "git-remote-http":
            log = f'cat /proc/$PPID/cmdline >> {tmp_path}/seen; echo "$0" "$@" >> {tmp_path}/seen'
            script(folder / program.name, f'{log}\nexec {program} "$@"')
        else:
            (folder / program.name).symlink_to(program)
    monkeypatch.setenv("GIT_EXEC_PATH", str(folder))
    return tmp_path / "seen"


SIGNED_IN = f"http://us%40er:{SECRET}@127.0.0.1:{{port}}/"


@pytest.mark.parametrize(
    ("url", "rewritten"),
    [
        (SIGNED_IN, None),
        ("https://nowhere.invalid/", "https://nowhere.invalid/"),
        ("http://127.0.0.1:{port}/", "http://127.0.0.1:{port}/"),
        ("http://127.0.0.1:{port}/", "http://127.0.0.1:{port}/o/r.git"),
        # One that a clone has: git has rewritten it, and does so again with what is left without the password.
        (SIGNED_IN, "http://127.0.0.1:{port}/"),
    ],
    ids=["given", "rewritten", "rewritten in place", "rewritten whole", "rewritten twice"],
)
def test_the_password_of_an_address_reaches_its_server_and_no_process_list(
    url: str, rewritten: str | None, locked: HTTPServer, processes: Path, tmp_path: Path, own_configuration: Path
) -> None:
    helper = script(tmp_path / "helper", f'cat >> {tmp_path}/told; echo "$@" >> {tmp_path}/told')
    text = f"[credential]\n\thelper = {helper}\n"
    if rewritten:
        whole = "o/r.git" if rewritten.endswith("r.git") else ""
        text += f'[url "{SIGNED_IN}{whole}"]\n\tinsteadOf = {rewritten}\n'
    own_configuration.write_text(text.format(port=locked.server_port), encoding="utf-8")
    seen = observe_remote(f"{url}o/r.git".format(port=locked.server_port), 20).unavailable
    assert seen and "Authentication failed" in seen.why and SECRET not in seen.why
    # "us@er:hunter2"
    assert _Locked.given == [None, "Basic dXNAZXI6aHVudGVyMg=="]
    arguments = processes.read_text(encoding="utf-8", errors="replace")
    assert f"127.0.0.1:{locked.server_port}/o/r.git" in arguments
    assert SECRET not in arguments and "us%40er" not in arguments
    assert not (tmp_path / "told").exists(), "the user's own helpers are not told to store or to forget a password"


def test_a_rewritten_address_that_may_hold_a_password_is_refused(own_configuration: Path) -> None:
    own_configuration.write_text(f'[url "http://me:a/{SECRET}@127.0.0.1:1/"]\n\tinsteadOf = https://nowhere.invalid/\n')
    seen = observe_remote("https://nowhere.invalid/o/r.git", 20).unavailable
    assert seen and "may end a password" in seen.why and SECRET not in seen.why


def test_the_user_name_of_an_address_is_given_to_the_helper(
    locked: HTTPServer, tmp_path: Path, own_configuration: Path
) -> None:
    helper = script(tmp_path / "helper", f"tee -a {tmp_path}/told | grep -q username=alice && echo password={SECRET}")
    own_configuration.write_text(f"[credential]\n\thelper = {helper}\n", encoding="utf-8")
    assert observe_remote(f"http://alice@127.0.0.1:{locked.server_port}/o/r.git", 20).unavailable
    # "alice:hunter2"
    assert _Locked.given == [None, "Basic YWxpY2U6aHVudGVyMg=="]


@pytest.fixture
def ssh_server(tmp_path: Path) -> Iterator[int]:
    """A real sshd on loopback, whose host key nobody knows."""
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if sshd is None or shutil.which("ssh-keygen") is None:
        if os.environ.get("CI"):
            pytest.fail("no sshd on this machine")
        pytest.skip("no sshd on this machine")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    key = tmp_path / "host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    lines = [f"ListenAddress 127.0.0.1:{port}", f"HostKey {key}", "UsePAM no", f"PidFile {tmp_path}/pid"]
    (tmp_path / "sshd_config").write_text("\n".join([*lines, "PasswordAuthentication yes", ""]), encoding="utf-8")
    with subprocess.Popen(
        [sshd, "-D", "-e", "-f", str(tmp_path / "sshd_config")], stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as server:
        try:
            until = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    assert server.poll() is None and time.monotonic() < until
                    time.sleep(0.05)
            yield port
        finally:
            server.terminate()


def test_nobody_is_asked_whether_to_trust_a_host(ssh_server: int) -> None:
    known = Path.home() / ".ssh" / "known_hosts"
    before = known.read_bytes() if known.exists() else None
    said = on_a_terminal(f"ssh://nobody@127.0.0.1:{ssh_server}/r.git", {"SSH_ASKPASS": "/bin/false"})
    assert "Host key verification failed" in said and "yes/no" not in said, said
    assert "accept it once" in said
    assert (known.read_bytes() if known.exists() else None) == before


# ---- a scratch folder below an untrusted clone


def test_no_repository_around_the_scratch_folder_steers_git(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TMPDIR below the inspected clone, as some CI set it: the configuration there must not say what is run."""
    trap = script(tmp_path / "trap", f'echo "$@" >> {tmp_path}/ran; exit 1')
    for name in ("core.sshCommand", "core.gitProxy", "credential.helper"):
        repo.git("config", name, str(trap))
    repo.git("config", "url.https://127.0.0.1:1/.insteadOf", "https://nowhere.invalid/")
    (repo.path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(repo.path / "tmp"))
    for url in ("ssh://127.0.0.1:1/x", "git://127.0.0.1:1/x", "https://nowhere.invalid/x"):
        problem = observe_remote(url, 20).unavailable
        assert problem and ("nowhere.invalid" in problem.why or "refused" in problem.why)
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()
    subprocess.run(["git", "ls-remote", "git://127.0.0.1:1/x"], cwd=repo.path / "tmp", check=False, capture_output=True)
    assert (tmp_path / "ran").exists(), "the trap does not work"


# ---- clones that are broken or not one's own


def test_a_work_tree_elsewhere_is_not_looked_at(repo: Repo, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    (private / "pyproject.toml").write_text("[project]\nname = 'private'\n", encoding="utf-8")
    repo.git("config", "core.worktree", str(private))
    problem = problem_of(repo.path)
    assert "is elsewhere" in problem.why and "pyproject" not in problem.why
    with pytest.raises(UsageProblem, match="is elsewhere"):
        find_repository(repo.path, "origin")


@as_root
def test_a_clone_of_another_owner_is_refused_with_the_way_out(repo: Repo, own_configuration: Path) -> None:
    for path in (repo.path, *repo.path.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    problem = problem_of(repo.path)
    assert "dubious ownership" in problem.why
    with pytest.raises(UsageProblem, match="dubious ownership"):
        find_repository(repo.path, "origin")  # and not: there is no repository
    assert problem.remedy
    command = problem.remedy.partition("git config --global --add ")[2].split()
    own_configuration.write_text(f"[safe]\n\tdirectory = {command[1]}\n", encoding="utf-8")
    assert clone_of(repo.path).branch == "main"


def test_a_repository_that_git_cannot_read_is_not_taken_for_none(repo: Repo, tmp_path: Path) -> None:
    (repo.path / ".git" / "HEAD").unlink()
    for broken in (repo.path, repo.path / "below"):
        broken.mkdir(exist_ok=True)
        with pytest.raises(UsageProblem, match="not a git repository"):
            find_repository(broken, "origin")
    assert find_repository(tmp_path, "origin") is None


def _loose(repo: Repo, name: str) -> Path:
    sha = repo.git("rev-parse", name)
    return repo.path / ".git" / "objects" / sha[:2] / sha[2:]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((name, damage) for name in ("HEAD", "HEAD^{tree}", "v1") for damage in ("empty", "cut", "gone")),
        # Another object in the place of a tag is noticed by `git fsck` alone: nothing reads what hangs on its hash.
        *((name, "other") for name in ("HEAD", "HEAD^{tree}")),
    ],
)
def test_a_damaged_object_is_never_a_clean_clone(repo: Repo, name: str, damage: str) -> None:
    repo.git("tag", "-a", "-m", "x", "v1")
    path = _loose(repo, name)
    data = path.read_bytes()
    path.chmod(0o644)
    if damage == "gone":
        path.unlink()
    elif damage == "other":
        path.write_bytes(_loose(repo, "HEAD:a.txt").read_bytes())
    else:
        path.write_bytes(b"" if damage == "empty" else data[: len(data) // 2])
    assert problem_of(repo.path).why


def test_a_damaged_index_or_pack_is_never_a_clean_clone(repo: Repo) -> None:
    index = repo.path / ".git" / "index"
    data = index.read_bytes()
    index.write_bytes(data[:20] + bytes(len(data) - 20))
    assert problem_of(repo.path).why
    index.write_bytes(data)
    assert clone_of(repo.path).changed == ()
    repo.git("repack", "-adq")
    (pack,) = (repo.path / ".git" / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:16])
    assert problem_of(repo.path).why


def test_a_lock_that_somebody_left_is_neither_waited_for_nor_touched(repo: Repo) -> None:
    (repo.path / ".git" / "index.lock").write_text("somebody's", encoding="utf-8")
    (repo.path / "a.txt").write_text("two\n", encoding="utf-8")
    before = fingerprint(repo.path)
    assert clone_of(repo.path).changed == ("a.txt",)
    # The git directory's own time of change is part of it: no lock came and went.
    assert fingerprint(repo.path) == before


def test_a_submodule_is_a_clone_of_its_own(repo: Repo, tmp_path: Path) -> None:
    outer = make(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", repo.path.as_uri(), "sub")
    outer.commit("with a submodule")
    assert (outer.path / "sub" / ".git").is_file()
    (outer.path / "sub" / "a.txt").write_text("two\n", encoding="utf-8")
    inner = clone_of(outer.path / "sub")
    assert (inner.path, inner.head, inner.changed) == (str(outer.path / "sub"), repo.head, ("a.txt",))
    assert inner.remote_url == repo.path.as_uri()
    assert clone_of(outer.path).changed == ()
    located = find_repository(outer.path / "sub", "origin")
    assert located and located.top == outer.path / "sub"


def test_twins_that_differ_in_case_alone_are_two(repo: Repo) -> None:
    head = repo.head
    for ref in ("heads/Release/x", "heads/release/X", "tags/V1", "tags/v1"):
        repo.git("update-ref", f"refs/{ref}", head)
    repo.commit("twins", Read="1", read="2")
    (repo.path / "Read").write_text("changed", encoding="utf-8")
    remote = observe_remote(str(repo.path), 20).present()
    assert {branch.name for branch in remote.branches} == {"main", "Release/x", "release/X"}
    assert {tag.name for tag in remote.tags} == {"V1", "v1"}
    assert clone_of(repo.path).changed == ("Read",)


@pytest.mark.slow
def test_fifty_thousand_refs_and_twenty_thousand_dirty_files(repo: Repo, tmp_path: Path) -> None:
    """In bounded time and memory, with every one of them counted."""
    for number in range(10_000):
        folder = repo.path / f"d{number // 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"f{number}").touch()
    head = repo.commit("many files")
    for number in range(10_000):
        (repo.path / f"d{number // 100}" / f"f{number}").write_text("changed", encoding="utf-8")
        (repo.path / f"d{number // 100}" / f"u{number}").touch()
    refs = [f"refs/{kind}/{number:05}" for kind in ("heads", "tags") for number in range(25_000)]
    lines = ["# pack-refs with: peeled fully-peeled sorted ", *(f"{head} {ref}" for ref in refs), ""]
    (repo.path / ".git" / "packed-refs").write_text("\n".join(lines), encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    remote = observe_remote(repo.path.as_uri(), 60).present()
    clone = observe_clone(repo.path, "origin", 60, None).present()
    seconds = time.monotonic() - started
    assert (len(remote.branches), len(remote.tags), len(clone.tags)) == (25_001, 25_000, 25_000)
    assert (clone.changed_count, clone.untracked_count, len(clone.changed)) == (10_000, 10_000, 50)
    assert seconds < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 512 * 2**10  # KiB on Linux: 512 MiB
