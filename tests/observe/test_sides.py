"""How commits lie to each other, and what is read of a clone: as git says it, by fewer programs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from release_state.observe.git import reader as git_reader
from release_state.observe.git.clone import observe_clone
from release_state.observe.git.command import Git
from release_state.observe.git.history import compare_sides, is_ancestor
from release_state.observe.git.patches import parse_blocks
from release_state.observe.git.program import GitProgram
from release_state.observe.git.reader import CloneReader, find_repository, open_clone
from release_state.observe.git.store import Store, create_bare, open_temporary_store
from tests.support.gitrepo import Repo, fingerprint, make

pytestmark = pytest.mark.usefixtures("own_configuration")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """One commit on main."""
    made = make(tmp_path / "repo")
    made.commit("feat: first", a__txt="one\n")
    return made


@pytest.fixture
def store(repo: Repo) -> Iterator[Store]:
    """A store that borrows from the repository."""
    with open_temporary_store(Git(60), repo.path.as_uri(), repo.path / ".git/objects", sha256=False) as made:
        yield made


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands of git that are started."""
    commands: list[str] = []
    plain = GitProgram.execute

    def execute(self: GitProgram, command: list[str], *rest: object, **options: object) -> object:
        commands.append(next(word for word in command[1:] if not word.startswith("-")))
        return plain(self, command, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(GitProgram, "execute", execute)
    return commands


def test_sides_are_those_that_git_counts(repo: Repo, store: Store) -> None:
    """In random histories with merges, criss-cross ones too, and with a second root."""
    chance, tree = random.Random(7), repo.git("rev-parse", "HEAD^{tree}")
    commits = [repo.head]
    for number in range(40):
        parents = chance.sample(commits[-6:], min(len(commits), chance.choice([0, 1, 1, 2, 2, 2]) if number else 1))
        options = [word for parent in parents for word in ("-p", parent)]
        commits.append(repo.git("commit-tree", tree, "-m", f"commit {number}", *options))
    several = 0
    for _ in range(60):
        base, head = chance.sample(commits, 2)
        bases = set(repo.git("merge-base", "--all", base, head, ok=False).split())
        sides = compare_sides(store, base, head)
        counted = repo.git("rev-list", "--left-right", "--count", f"{base}...{head}").split()
        assert [len(sides.base), len(sides.head)] == [int(each) for each in counted]
        assert (sides.fork in bases) if bases and sides.base and sides.head else sides.fork is None
        several += len(bases) > 1
        for older, newer in ((base, head), (head, base)):
            assert is_ancestor(store, older, newer) == (bases == {older})
    assert several


def test_an_ancestry_that_is_known_is_not_asked_for(repo: Repo, store: Store, started: list[str]) -> None:
    first, second = repo.head, repo.commit("feat: second")
    assert compare_sides(store, second, second) == compare_sides(store, first, first)
    assert is_ancestor(store, first, first) and started == []
    compare_sides(store, second, first)
    again = store.used_by(Git(20), fetches=True)
    assert is_ancestor(again, first, second) and not is_ancestor(again, second, first)
    assert started == ["rev-list"]


@pytest.mark.parametrize("sha256", [False, True])
def test_a_repository_that_is_made_is_one_of_git(tmp_path: Path, sha256: bool) -> None:
    create_bare(tmp_path / "made.git", sha256=sha256)
    made = Repo(tmp_path / "made.git")
    assert made.git("rev-parse", "--is-bare-repository", "--show-object-format").split() == [
        "true",
        "sha256" if sha256 else "sha1",
    ]
    made.git("fsck", "--strict")
    assert len(made.git("hash-object", "-w", "--stdin", stdin="x")) == (64 if sha256 else 40)
    assert (tmp_path / "made.git").stat().st_mode & 0o77 == 0
    with pytest.raises(OSError, match="exists"):
        create_bare(tmp_path / "made.git", sha256=sha256)


def test_a_path_cannot_pass_for_a_commit() -> None:
    entry, other = b":100644 100644 1 2 M", b":000000 100644 0 3 A"
    path = b"\x01" + b"a" * 40 + b" 0 x\x02"
    listed = b"\x01one\x02\0\n%s\0%s\0%s\0:x\0\x01two\x02\0\x01three \x02 \x01\x02\0\n%s\0a\nb\0" % (
        *(entry, path),
        *(other, entry),
    )
    assert list(parse_blocks(listed)) == [
        (b"one", {path: entry, b":x": other}),
        (b"two", {}),
        (b"three \x02 \x01", {b"a\nb": entry}),
    ]


# The clone


@pytest.mark.parametrize("kind", ["branch", "(detached)", "(odd)", "detached", "unborn", "elsewhere", "refs/heads/x"])
def test_the_branch_and_the_commit_of_head(repo: Repo, kind: str, started: list[str]) -> None:
    head: str | None = repo.head
    if kind == "detached":
        repo.git("checkout", "--quiet", "--detach")
    elif kind == "elsewhere":
        repo.git("update-ref", "refs/odd/main", "HEAD")
        repo.git("symbolic-ref", "HEAD", "refs/odd/main")
    else:
        repo.git("symbolic-ref", "HEAD", f"refs/heads/{kind}")
        head = None if kind == "unborn" else head
        if head:
            repo.git("update-ref", "HEAD", head)
    seen = observe_clone(repo.path, "origin", 20, None).present()
    assert seen.branch == (None if kind in ("detached", "elsewhere") else kind) and seen.head == head
    assert ("symbolic-ref" in started) == (kind in ("(detached)", "(odd)", "detached", "elsewhere"))


@pytest.mark.parametrize(
    ("settings", "pushed"),
    [
        ({}, ("https://host/one", "https://host/two")),
        ({"remote.origin.pushurl": "https://push/one"}, ("https://push/one",)),
        ({"remote.Origin.pushurl": "https://push/one"}, ("https://host/one", "https://host/two")),
        ({"url.https://push/.pushInsteadOf": "https://host/"}, ("https://push/one", "https://push/two")),
        ({"url.https://push/.insteadOf": "https://host/"}, ("https://push/one", "https://push/two")),
        ({"url.https://push/.insteadOf": "https://host/t"}, ("https://host/one", "https://push/wo")),
    ],
)
def test_where_a_clone_fetches_and_pushes(repo: Repo, settings: dict[str, str], pushed: tuple[str, ...]) -> None:
    for url in ("https://host/one", "https://host/two"):
        repo.git("config", "--add", "remote.origin.url", url)
    for name, value in settings.items():
        repo.git("config", name, value)
    seen = observe_clone(repo.path, "origin", 20, None).present()
    assert seen.remote_url == repo.git("remote", "get-url", "origin")
    assert seen.push_urls == pushed == tuple(repo.git("remote", "get-url", "--push", "--all", "origin").split())


def test_a_clone_is_read_once(repo: Repo, started: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_repository(repo.path, "origin")
    assert found
    reading = started.copy()
    reader = open_clone(found.top, Git(20))
    assert reader.list_urls("origin") == () and reader.used_by(Git(5)).config == reader.config
    assert started == reading
    # Once: a later round reads what is configured by then.
    open_clone(found.top, Git(20))
    assert len(started) == len(reading) + 2
    find_repository(repo.path, "origin")
    monkeypatch.setattr(git_reader, "_LOCATED_SECONDS", -1.0)
    before = len(started)
    open_clone(found.top, Git(20))
    assert len(started) == before + 2


def test_a_filter_that_came_since_is_not_run(repo: Repo, tmp_path: Path) -> None:
    """Filters are switched off by name: in a later round, by the names of then."""
    find_repository(repo.path, "origin")
    for _ in range(2):
        observe_clone(repo.path, "origin", 20, None, open_reader=open_clone)
        repo.git("config", "filter.x.clean", f"touch {tmp_path}/ran; cat")
        (repo.path / ".git/info/attributes").write_text("*.txt filter=x\n")
        (repo.path / "a.txt").write_text("two\n")
    before = fingerprint(repo.path)
    assert observe_clone(repo.path, "origin", 20, None, open_reader=open_clone).unavailable
    assert not (tmp_path / "ran").exists() and fingerprint(repo.path) == before


def test_the_reader_of_a_folder_below_serves_the_top(repo: Repo) -> None:
    (repo.path / "below").mkdir()
    found = find_repository(repo.path / "below", "origin")
    assert found and open_clone(found.top, Git(20)).path == repo.path
    assert CloneReader(repo.path, Git(20)).top() == repo.path
