"""Objects that a git which stays answers: what they hold, and that no answer is waited for, or left, or mistaken."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import git as gitpython
import pytest

from release_state.observe.git.command import Git, GitFailed, decode_output
from release_state.observe.git.environment import build_environment, cut_network
from release_state.observe.git.objects import Objects, read_commit_line, read_tag_date
from release_state.observe.process import GIT_MEMORY, _running
from tests.support.gitrepo import ENV, Repo, fingerprint, make

pytestmark = pytest.mark.usefixtures("own_configuration")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """One commit on main."""
    made = make(tmp_path / "repo")
    made.commit("feat: first", a__txt="one\n")
    return made


def objects_of(repo: Repo) -> Objects:
    return Objects(repo.path / ".git", cut_network(build_environment(os.environ)))


@pytest.fixture
def objects(repo: Repo) -> Iterator[Objects]:
    """Those of the repository; in the end no git is left."""
    before = set(_running)
    with closing(objects_of(repo)) as made:
        yield made
    assert set(_running) == before


def children() -> list[str]:
    """What this process has started and not yet ended."""
    me, found = os.getpid(), []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = path.read_text().rpartition(")")[2].split()
            if int(parts[1]) == me:
                found.append(path.with_name("cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [line for line in found if "cat-file" in line]


def test_many_objects_take_one_program(repo: Repo, objects: Objects) -> None:
    git = Git(20)
    names = [repo.git("hash-object", "-w", "--stdin", stdin=f"{number}\n") for number in range(50)]
    assert [objects.read(git, name) for name in names] == [("blob", f"{n}\n".encode()) for n in range(50)]
    assert objects.read(git, "1" * 40) is None
    assert objects.list_missing(git, [*names[:9], "1" * 40]) == ["1" * 40]
    assert len(children()) == 1
    assert objects.list_missing(git, [*names, "2" * 40, "1" * 40]) == ["1" * 40, "2" * 40]
    assert objects.read(git, names[7]) == ("blob", b"7\n")
    assert len(children()) == 2
    late = repo.git("hash-object", "-w", "--stdin", stdin="late")
    assert objects.read(git, late) == ("blob", b"late")
    repo.git("repack", "-adq")
    assert objects.read(git, repo.head, 4) == ("commit", b"tree")
    objects.close()
    assert children() == []
    assert objects.list_missing(git, [late]) == []


def test_a_part_of_a_large_object(repo: Repo, objects: Objects) -> None:
    large = repo.git("hash-object", "-w", "--stdin", stdin="x" * 3_000_000)
    small = repo.git("hash-object", "-w", "--stdin", stdin="small")
    git = Git(20)
    for most in (1, 2_500_000, 2_999_999, 3_000_000, 4_000_000):
        assert objects.read(git, large, most) == ("blob", b"x" * min(most, 3_000_000))
        assert objects.read(git, small) == ("blob", b"small")


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="asks /proc")
def test_a_program_that_stays_gets_no_more_memory_than_git(repo: Repo, objects: Objects) -> None:
    assert objects.read(Git(20), repo.head)
    (pid,) = _running
    limit = re.search(r"^Max data size +(\d+)", Path(f"/proc/{pid}/limits").read_text(), re.MULTILINE)
    assert limit and int(limit[1]) == GIT_MEMORY


def fake_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Git:
    folder = tmp_path / "bin"
    folder.mkdir()
    path = folder / "git"
    path.write_text(f'#!/bin/sh\ncase "$*" in version) echo git version 2.50.0; exit;; esac\n{text}\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    return Git(0.5)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sleep 60", "no answer within"),
        ("read name; echo $name blob 1000; echo short; sleep 60", "no answer within"),
        ("read name; echo $name blob 1000; exit 3", "git ended with exit code"),
        ("echo fatal: all is lost >&2; exit 3", "fatal: all is lost"),
        ("exec 0<&-; sleep 60", "no answer within|exit code"),
        (f"read name; echo {'2' * 40} blob 1; echo x; sleep 60", "answered 2222"),
        ("read name; echo $name blob -1; sleep 60", "exit code"),
        ("read name; echo nonsense; sleep 60", "exit code"),
        ("while :; do echo nonsense >&2; done", "no answer within"),
    ],
)
def test_an_answer_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str) -> None:
    git = fake_git(tmp_path, monkeypatch, text)
    with closing(Objects(tmp_path, build_environment(os.environ))) as objects:
        with pytest.raises(GitFailed, match=why) as failed:
            objects.read(git, "1" * 40)
        assert failed.value.stopped == ("time" if "within" in failed.value.why else "")
        assert children() == []
    assert children() == []


def test_a_question_is_given_up_when_the_run_is_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_git(tmp_path, monkeypatch, "sleep 60")
    cancel = threading.Event()
    git, started = Git(60, cancel), time.monotonic()
    threading.Timer(0.3, cancel.set).start()
    with closing(Objects(tmp_path, build_environment(os.environ))) as objects, ThreadPoolExecutor() as pool:
        # The second one waits for the first.
        asked = [pool.submit(objects.read, git, "1" * 40) for _ in range(2)]
        for each in asked:
            with pytest.raises(GitFailed, match="cancelled"):
                each.result()
    assert time.monotonic() - started < 30 and children() == []


def test_many_threads_get_each_its_own_answer(repo: Repo, objects: Objects) -> None:
    names = {repo.git("hash-object", "-w", "--stdin", stdin=f"{n}" * n): f"{n}" * n for n in range(1, 40)}
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda name: (name, objects.read(Git(20), name)), list(names) * 5)
        assert all(read and read.data.decode() == names[name] for name, read in found)


def test_whoever_forgets_to_close_leaves_no_program(repo: Repo) -> None:
    objects = objects_of(repo)
    assert objects.read(Git(20), repo.head) and len(children()) == 1
    del objects
    assert children() == []


@pytest.mark.parametrize("damage", ["gone", "empty", "cut"])
def test_a_damaged_object_is_no_answer(repo: Repo, objects: Objects, damage: str) -> None:
    repo.git("config", "core.looseCompression", "0")
    name = repo.git("hash-object", "-w", "--stdin", stdin="x" * 5000)
    path = repo.path / ".git/objects" / name[:2] / name[2:]
    path.chmod(0o644)
    path.unlink() if damage == "gone" else path.write_bytes(path.read_bytes()[: {"empty": 0, "cut": 2000}[damage]])
    try:
        assert objects.read(Git(20), name) is None
    except GitFailed as failed:
        assert damage == "cut" and not failed.stopped
    assert objects.read(Git(20), repo.head)


def test_nothing_is_fetched_for_a_missing_object(repo: Repo, tmp_path: Path) -> None:
    """GitPython, or any git, fetches what a partial clone lacks, by what its configuration names."""
    blob = repo.git("rev-parse", "HEAD:a.txt")
    partial = repo.clone(tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    before = fingerprint(partial.path)
    with closing(objects_of(partial)) as objects:
        assert objects.read(Git(20), partial.head)
        try:
            assert objects.read(Git(20), blob) is None
        except GitFailed as failed:
            assert "not allowed" in failed.why or "could not fetch" in failed.why
    assert fingerprint(partial.path) == before
    with gitpython.Repo(partial.path) as plain:
        plain.git.get_object_data(blob)
    assert fingerprint(partial.path) != before, "the trap does not work"


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_trees_commits_and_tags_are_read_as_git_shows_them(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd"
    path.mkdir()
    repo = Repo(path)
    repo.git("init", "--quiet", "--initial-branch=main", f"--object-format={kind}")
    (path / "deep" / "er").mkdir(parents=True)
    for name in ("-x", "new\nline", "ünï", "a b", "deep/er/file", "deep.txt", "deep-x", "run.sh"):
        (path / name).write_text(name)
    Path(os.fsdecode(os.fsencode(path) + b"/latin-\xe9")).touch()
    (path / "run.sh").chmod(0o755)
    (path / "link").symlink_to("deep")
    repo.commit("feat: first")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head},sub")
    messages = [
        "one",
        "two\nlines  \n\nbody",
        "\n\n late",
        " lead\n\tand more",
        "a b\x0bc\u2028d",
        "é",
        "",
        "x\r\n\r\ny",
    ]
    for message in messages:
        repo.git("commit", "--quiet", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-m", message)
    repo.git("-c", "i18n.commitEncoding=ISO-8859-1", "commit", "--quiet", "--allow-empty", "-F-", stdin=b"caf\xe9")
    repo.git("-c", "i18n.commitEncoding=nonsense", "commit", "--quiet", "--allow-empty", "-F-", stdin=b"caf\xe9")
    repo.git("tag", "--annotate", "-m", "x", "v1")
    git = Git(20)
    with closing(objects_of(repo)) as objects:
        for _ in range(2):
            walked = [(entry.mode, entry.sha, path) for path, entry in objects.walk(git, repo.head)]
        told = subprocess.run(["git", "ls-tree", "-rz", "HEAD"], cwd=path, env=ENV, capture_output=True, check=True)
        listed = [line.partition(b"\t")[0::2] for line in told.stdout.split(b"\0")[:-1]]
        assert walked == [(*facts.decode().split()[0::2], path) for facts, path in listed]
        shown = "%H%x00%ct%x00%s%x00%x01"
        told = subprocess.run(["git", "log", f"--format={shown}"], cwd=path, env=ENV, capture_output=True, check=True)
        for record in told.stdout.split(b"\x01\n")[:-1]:
            sha, seconds, subject = record.split(b"\0")[:3]
            line = read_commit_line(objects, git, sha.decode())
            assert line and (line[0], int(line[1].timestamp())) == (decode_output(subject), int(seconds))
        assert read_commit_line(objects, git, repo.git("rev-parse", "v1")) is None
        at = read_tag_date(objects, git, repo.git("rev-parse", "v1"))
        assert at and str(int(at.timestamp())) == repo.git("for-each-ref", "--format=%(taggerdate:unix)", "refs/tags")
        assert read_tag_date(objects, git, repo.head) is None


def test_a_tree_that_names_itself_many_times_is_given_up(repo: Repo, objects: Objects) -> None:
    """A few objects, and 10^12 files."""
    entry = f"100644 blob {repo.git('rev-parse', 'HEAD:a.txt')}\tfile{{}}\n"
    for _ in range(12):
        tree = repo.git("mktree", stdin="".join(entry.format(number) for number in range(10)))
        entry = f"040000 tree {tree}\tfolder{{}}\n"
    with pytest.raises(GitFailed, match="wrote more than"):
        for _ in objects.walk(Git(60), tree):
            pass


def test_a_tree_that_is_none(repo: Repo, objects: Objects) -> None:
    git = Git(20)
    with pytest.raises(GitFailed, match="is missing"):
        objects.read_tree(git, "1" * 40)
    with pytest.raises(GitFailed, match="is no tree"):
        objects.read_tree(git, repo.git("rev-parse", "HEAD:a.txt"))
    for broken in (b"100644 a\0" + b"x" * 19, b"100644 a", b"x", b"9 a\0" + b"x" * 20, b" a\0" + b"x" * 20):
        name = repo.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=broken)
        with pytest.raises(GitFailed, match="cannot be read"):
            objects.read_tree(git, name)
