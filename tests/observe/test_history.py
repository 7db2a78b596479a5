"""How commits lie to each other: lineages, ancestry, patch equivalence, the cache, and the version of a tree."""

from __future__ import annotations

import os
import shutil
import socket
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec import structs

from release_state.model.observation import Observation, known, unavailable
from release_state.model.snapshot import Clone, History, Remote
from release_state.observe.git import command as git_command
from release_state.observe.git import environment as git_environment
from release_state.observe.git.clone import observe_clone
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.git.history import observe_history, relate_clone
from release_state.observe.git.patches import sign_patch
from release_state.observe.git.remote import observe_remote
from release_state.observe.git.store import WantedCommit
from release_state.observe.git.workflow_files import observe_workflow_files
from tests.support.gitrepo import Repo, fingerprint, make


@pytest.fixture(autouse=True)
def own_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@dataclass
class World:
    """A remote (with a work tree, which is no matter), and a place for the cache."""

    repo: Repo
    cache: Path

    @property
    def remote(self) -> Remote:
        return observe_remote(self.repo.path.as_uri(), 20).present()

    def ask(
        self,
        *wanted: str | WantedCommit,
        pairs: Sequence[tuple[str, str]] = (),
        clone: Repo | None = None,
        url: str | None = None,
        remote: Remote | None = None,
        timeout: float = 30,
        package: str = "",
    ) -> Observation[History]:
        seen = observe_clone(clone.path, "origin", 20, None).present() if clone else None
        return observe_history(
            self.main(clone.path if clone else None, seen, url=url, remote=remote, timeout=timeout),
            [commit if isinstance(commit, WantedCommit) else WantedCommit(commit) for commit in wanted],
            pairs,
            package=package,
        )

    def main(
        self,
        clone_path: Path | None,
        clone: Clone | None,
        *,
        url: str | None = None,
        remote: Remote | None = None,
        timeout: float = 20,
    ) -> BranchHistory:
        """The history of main, as a look-up reads it."""
        stores = Stores(url or self.repo.path.as_uri(), lambda: timeout, clone_path=clone_path, cache_dir=self.cache)
        return BranchHistory(stores, remote or self.remote, "main", clone)

    def history(self, *wanted: str | WantedCommit, pairs: Sequence[tuple[str, str]] = ()) -> History:
        return self.ask(*wanted, pairs=pairs).present()

    def caches(self) -> list[Repo]:
        return [Repo(path) for path in self.cache.glob("*.git")]


@pytest.fixture
def world(tmp_path: Path) -> World:
    repo = make(tmp_path / "repo")
    repo.commit("feat: first", a__txt="one\n", b__txt="1\n2\n3\n4\n5\n6\n7\n8\n9\n")
    return World(repo, tmp_path / "cache")


def branch(repo: Repo, name: str, start: str = "main") -> None:
    repo.git("checkout", "--quiet", "-b", name, start)


def on(repo: Repo, name: str = "main") -> None:
    repo.git("checkout", "--quiet", name)


LINES = [str(number) for number in range(1, 10)]


def lines(**changed: str) -> str:
    """The file b.txt with lines replaced: l3="x"."""
    return "".join(changed.get(f"l{line}", line) + "\n" for line in LINES)


# Where a commit lies


def test_on_the_base_and_beside_it(world: World) -> None:
    repo = world.repo
    first = repo.head
    repo.git("tag", "-a", "-m", "x", "v1")
    branch(repo, "release/x")
    side = repo.commit("fix: only here", c__txt="x\n")
    on(repo)
    second = repo.commit("feat: second", a__txt="two\n")
    history = world.history(
        WantedCommit(first, "refs/tags/v1"),
        WantedCommit(side, "refs/heads/release/x"),
        second,
        pairs=[(first, side), (side, second), (second, second), (first, second)],
    )
    assert history.base_head == second and history.missing == ()
    old, beside, head = history.lineages
    assert (old.on_base, old.ahead, old.behind, old.unmerged) == (True, 0, 1, ())
    assert (head.on_base, head.ahead, head.behind) == (True, 0, 0)
    assert (beside.on_base, beside.ahead, beside.behind, beside.unmerged_count) == (False, 1, 1, 1)
    assert beside.unmerged[0].sha == side and beside.unmerged[0].subject == "fix: only here"
    assert beside.unmerged[0].committed_at.tzinfo is not None
    assert history.ancestors == ((first, side), (second, second), (first, second))
    assert history.is_ancestor(first, side) and not history.is_ancestor(side, second)


def test_a_cherry_picked_commit_is_merged_though_lines_moved(world: World) -> None:
    repo = world.repo
    branch(repo, "other")
    picked = repo.commit("fix: nine", b__txt=lines(l9="nine"))
    mine = repo.commit("fix: mine", a__txt="mine\n")
    on(repo)
    repo.commit("feat: more lines", b__txt="0\n0\n0\n" + lines())
    repo.git("cherry-pick", picked)
    lineage = world.history(mine).lineage(mine)
    assert lineage.ahead == 2 and [commit.sha for commit in lineage.unmerged] == [mine]
    assert world.repo.git("cherry", "main", mine).splitlines() == [f"- {picked}", f"+ {mine}"]


@pytest.mark.parametrize("moved", [False, True])
def test_a_squash_merge_is_merged(world: World, moved: bool) -> None:
    repo = world.repo
    branch(repo, "release/pypi-v1")
    repo.commit("chore: one", b__txt=lines(l5="five"))
    repo.commit("chore: two", c__txt="x\n")
    tip = repo.commit("chore: three", b__txt=lines(l5="five", l6="six"))
    on(repo)
    if moved:
        repo.commit("feat: meanwhile", b__txt="0\n0\n0\n" + lines())
    repo.git("merge", "--squash", "--quiet", "release/pypi-v1")
    repo.commit("chore: release (#1)")
    repo.commit("feat: afterwards", a__txt="later\n")
    lineage = world.history(tip).lineage(tip)
    assert (lineage.on_base, lineage.ahead, lineage.unmerged_count) == (False, 3, 0)
    branch(repo, "more", tip)
    more = repo.commit("fix: after the squash", c__txt="y\n")
    assert world.history(more).lineage(more).unmerged_count > 0


def test_a_squash_that_differs_is_not_merged(world: World) -> None:
    repo = world.repo
    branch(repo, "other")
    repo.commit("a", b__txt=lines(l5="five"))
    tip = repo.commit("b", b__txt=lines(l5="five", l6="six"))
    on(repo)
    repo.commit("squash, and changed by hand", b__txt=lines(l5="five", l6="SIX"))
    lineage = world.history(tip).lineage(tip)
    # The base has not the line that this branch has.
    assert lineage.unmerged_count == 2


def test_binary_files_of_the_same_name_are_not_the_same(world: World) -> None:
    repo = world.repo
    (repo.path / "x.bin").write_bytes(b"\0a")
    base = repo.commit("binary")
    branch(repo, "other")
    (repo.path / "x.bin").write_bytes(b"\0b")
    tip = repo.commit("b")
    on(repo)
    (repo.path / "x.bin").write_bytes(b"\0c")
    repo.commit("c")
    assert world.history(tip, base).lineage(tip).unmerged_count == 1


def test_empty_commits_and_merges_hold_nothing_of_their_own(world: World) -> None:
    repo = world.repo
    branch(repo, "other")
    repo.commit("ci: trigger")
    on(repo)
    repo.commit("feat: base", a__txt="base\n")
    on(repo, "other")
    repo.git("merge", "--quiet", "--no-edit", "main")
    tip = repo.head
    on(repo)
    repo.commit("feat: base goes on", d__txt="x\n")
    lineage = world.history(tip).lineage(tip)
    assert (lineage.ahead, lineage.unmerged_count) == (2, 0)
    on(repo, "other")
    repo.git("merge", "--quiet", "--no-edit", "--no-commit", "main")
    evil = repo.commit("merge, with a line slipped in", d__txt="neither\n")
    assert [commit.sha for commit in world.history(evil).lineage(evil).unmerged] == [evil]


def test_the_contents_of_all_resolved_merges_are_fetched_at_once(world: World) -> None:
    repo = world.repo
    branch(repo, "other")
    resolved = []
    for number in range(4):
        on(repo)
        repo.commit("feat: base", d__txt=f"base {number}\n")
        on(repo, "other")
        repo.git("merge", "--quiet", "--no-edit", "--no-commit", "--strategy=ours", "main")
        resolved.append(repo.commit("merge, resolved", d__txt=f"neither {number}\n"))
    on(repo, "other")
    tip = repo.head
    assert {commit.sha for commit in world.history(tip).lineage(tip).unmerged} >= set(resolved)
    (cache,) = world.caches()
    assert len(list(cache.path.glob("objects/pack/*.pack"))) <= 4


def test_a_rebased_release_branch_with_one_commit_of_its_own(world: World) -> None:
    repo = world.repo
    branch(repo, "release/x")
    repo.commit("fix: shared", c__txt="c\n")
    repo.commit("fix: unique", d__txt="d\n")
    on(repo)
    repo.commit("feat: base", a__txt="two\n")
    repo.git("cherry-pick", "release/x~1")
    repo.commit("feat: base 2", a__txt="three\n")
    repo.git("rebase", "--quiet", "main~1", "release/x")
    tip = repo.head
    lineage = world.history(tip).lineage(tip)
    assert lineage.unmerged_count == 1 and lineage.unmerged[0].subject == "fix: unique"


def test_unrelated_history_and_odd_commits(world: World) -> None:
    repo = world.repo
    repo.git("checkout", "--quiet", "--orphan", "pages")
    tree = repo.git("write-tree")
    raw = f"tree {tree}\nauthor A <a@x> 99999999999999 +0000\ncommitter A <a@x> 99999999999999 +0000\n\nöd\x01d"
    odd = repo.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw)
    repo.git("update-ref", "refs/heads/pages", odd)
    lineage = world.history(odd).lineage(odd)
    assert (lineage.ahead, lineage.behind) == (1, 1)


def test_fifty_commits_are_listed_and_all_are_counted(world: World) -> None:
    repo = world.repo
    branch(repo, "other")
    stream = "".join(
        f"commit refs/heads/other\ncommitter A <a@x> {1700000000 + number} +0000\ndata 1\nx\n"
        f"{'' if number else f'from {repo.head}' + chr(10)}M 100644 inline f\ndata 3\n{number:03}\n"
        for number in range(60)
    )
    repo.git("fast-import", "--quiet", "--force", stdin=stream)
    tip = repo.git("rev-parse", "other")
    lineage = world.history(tip).lineage(tip)
    assert (lineage.ahead, lineage.unmerged_count, len(lineage.unmerged)) == (60, 60, 50)
    assert lineage.unmerged[0].sha == tip


# What can be had


def test_a_pull_request_head_that_no_branch_holds(world: World) -> None:
    repo = world.repo
    repo.git("checkout", "--quiet", "--detach")
    head = repo.commit("fix: in a fork", e__txt="x\n")
    repo.git("update-ref", "refs/pull/3/head", head)
    on(repo)
    assert world.history(WantedCommit(head, "refs/pull/3/head")).lineage(head).unmerged_count == 1


def test_a_remote_that_gives_only_what_its_refs_say(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = world.repo
    first = repo.head
    repo.git("checkout", "--quiet", "--detach")
    head = repo.commit("fix: in a fork", e__txt="x\n")
    repo.git("update-ref", "refs/pull/3/head", head)
    on(repo)
    repo.git("config", "uploadpack.allowAnySHA1InWant", "false")
    # Protocol 0 refuses by the commit's name what no ref is; so do some hosting services.
    plain = git_environment.build_environment

    def old(environ: dict[str, str]) -> dict[str, str]:
        return {**plain(environ), key.replace("KEY", "VALUE"): "0"}

    (key,) = (name for name, value in plain({}).items() if value == "protocol.version")
    monkeypatch.setattr(git_command, "build_environment", old)
    repo.commit("feat: second", a__txt="2\n")
    history = world.history(WantedCommit(head, "refs/pull/3/head"), first, WantedCommit("2" * 40, "refs/heads/none"))
    assert history.lineage(head).ahead == 1 and history.lineage(first).behind == 1
    assert history.missing == ("2" * 40,)


def test_what_cannot_be_had_is_missing(world: World) -> None:
    first = world.repo.head
    tree = world.repo.git("rev-parse", "HEAD^{tree}")
    history = world.history(first, "1" * 40, "--all", "HEAD", WantedCommit("3" * 40, "--upload-pack=x"), tree)
    assert history.missing == ("1" * 40, "--all", "HEAD", "3" * 40, tree)
    assert history.lineage(first).on_base


def test_a_base_that_was_rewritten(world: World) -> None:
    repo = world.repo
    old = repo.commit("feat: to be rewritten", a__txt="old\n")
    assert world.history(old).lineage(old).on_base
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.commit("feat: rewritten", a__txt="new\n")
    assert not world.history(old).lineage(old).on_base


def test_the_base_moved_between_the_question_and_the_fetch(world: World) -> None:
    remote = world.remote
    head = world.repo.head
    world.repo.commit("feat: just now", a__txt="now\n")
    assert world.ask(head, remote=remote).present().lineage(head).behind == 0


def test_a_base_branch_that_is_not_there(world: World) -> None:
    remote = structs.replace(world.remote, branches=())
    problem = world.ask(remote=remote).unavailable
    assert problem and "no branch main" in problem.why


def test_a_failing_remote_is_unavailable_and_not_empty(world: World, tmp_path: Path) -> None:
    problem = world.ask(world.repo.head, url="https://u:secret@127.0.0.1:1/x").unavailable
    assert problem and "127.0.0.1" in problem.why and "secret" not in problem.why
    refused = world.ask(world.repo.head, url="ext::sh").unavailable
    assert refused and "refused" in refused.why


def test_a_silent_remote_is_given_up(world: World) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        started = time.monotonic()
        problem = world.ask(world.repo.head, url=f"git://127.0.0.1:{server.getsockname()[1]}/x", timeout=1).unavailable
        assert problem and "within 1 s" in problem.why and time.monotonic() - started < 10


def test_a_shallow_remote_makes_nothing_look_absent(world: World, tmp_path: Path) -> None:
    first = world.repo.head
    for number in range(3):
        world.repo.commit(f"feat: {number}", a__txt=f"{number}\n")
    shallow = World(world.repo.clone(tmp_path / "shallow", "--depth=1"), world.cache)
    problem = shallow.ask(first).unavailable
    assert problem and "shallow" in problem.why and not shallow.caches()


# The clone lends


def test_nothing_is_fetched_where_the_clone_has_it_all(world: World, tmp_path: Path) -> None:
    repo = world.repo
    branch(repo, "other")
    tip = repo.commit("fix: x", pyproject__toml='[project]\nversion = "1.5"\n', CHANGELOG__md="# 1.5\n")
    on(repo)
    clone = repo.clone(tmp_path / 'clo:n"e')
    before = fingerprint(clone.path)
    seen = world.ask(WantedCommit(tip, details=True), clone=clone, url="/nowhere").present()
    assert (seen.lineage(tip).declared_version, seen.lineage(tip).changelog) == ("1.5", "# 1.5\n")
    assert fingerprint(clone.path) == before and not world.cache.exists()


def test_only_what_the_clone_lacks_is_fetched_and_not_into_it(world: World, tmp_path: Path) -> None:
    clone = world.repo.clone(tmp_path / "clone")
    tip = world.repo.commit("feat: newer", a__txt="x\n")
    before = fingerprint(clone.path)
    assert world.ask(tip, clone=clone).present().lineage(tip).on_base
    assert fingerprint(clone.path) == before and not world.cache.exists()


@pytest.mark.parametrize("kind", ["shallow", "partial", "unrelated", "damaged", "worktree"])
def test_a_clone_that_lacks_history_does_not_lend(world: World, tmp_path: Path, kind: str) -> None:
    repo = world.repo
    first = repo.head
    repo.commit("feat: second", a__txt="2\n")
    options = {"shallow": ["--depth=1"], "partial": ["--filter=blob:none"]}.get(kind, [])
    clone = repo.clone(tmp_path / "clone", *options)
    if kind == "unrelated":
        clone = make(tmp_path / "other")
        clone.commit("something else", z="z")
    elif kind == "damaged":
        # The first commit is gone, the second is there.
        packs = clone.path / ".git" / "objects" / "pack"
        for pack in packs.glob("*.pack"):
            shutil.move(pack, tmp_path / "pack")
        shutil.rmtree(packs)
        clone.git("unpack-objects", "-q", stdin=(tmp_path / "pack").read_bytes())
        (clone.path / ".git" / "objects" / first[:2] / first[2:]).unlink()
    elif kind == "worktree":
        clone.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
        clone = Repo(tmp_path / "tree")
    before = fingerprint(clone.path)
    seen = world.ask(first, clone=clone).present()
    assert (seen.lineage(first).on_base, seen.lineage(first).behind) == (True, 1)
    assert fingerprint(clone.path) == before
    assert bool(world.caches()) is (kind != "worktree")


VERSIONED = {"pyproject__toml": '[project]\nname = "orbit"\nversion = "1.5"\n', "CHANGELOG__md": "# 1.5\n"}


def commit_with_workflow(repo: Repo) -> str:
    for folder in (".github/workflows", "src/orbit"):
        (repo.path / folder).mkdir(parents=True, exist_ok=True)
    (repo.path / ".github" / "workflows" / "release.yml").write_text("on: push\njobs: {}\n")
    (repo.path / "src" / "orbit" / "__init__.py").write_text('__version__ = "1.4"\n')
    return repo.commit("feat: a workflow", **VERSIONED)


FILES = (".github/workflows/",)


def read_files(history: BranchHistory, head: str) -> History:
    """Read what a gate reads at the head: the version, the changelog and the workflows."""
    seen = observe_history(history, [WantedCommit(head, details=True)], [], package="orbit", along=FILES).present()
    files = observe_workflow_files(history).present()
    assert seen.lineage(head).declared_version == "1.5" and seen.lineage(head).changelog == "# 1.5\n"
    assert seen.lineage(head).other_versions == (("src/orbit/__init__.py", "1.4"),)
    assert [file.path for file in files.files] == [".github/workflows/release.yml"]
    return seen


def count_fetches(world: World) -> int:
    """Each fetch leaves a pack."""
    [cache] = world.caches()
    return len(list(cache.path.glob("objects/pack/*.pack")))


def test_all_files_of_a_gate_take_one_fetch(world: World) -> None:
    head = commit_with_workflow(world.repo)
    read_files(world.main(None, None), head)
    assert count_fetches(world) == 2, "the commits, and the contents of files"


def test_a_clone_whose_history_is_cut_lends_files_alone(world: World, tmp_path: Path) -> None:
    """As actions/checkout makes it. Its commits look as if they had no parents: they come from the remote."""
    first, head = world.repo.head, commit_with_workflow(world.repo)
    clone = world.repo.clone(tmp_path / "clone", "--depth=1")
    held, before = observe_clone(clone.path, "origin", 20, None).present(), fingerprint(clone.path)
    assert held.shallow
    history = world.main(clone.path, held)
    seen = read_files(history, head)
    assert seen.commits and count_fetches(world) == 1, "the commits"
    behind = observe_history(history, [WantedCommit(first)], [(first, head)]).present()
    assert behind.ancestors == ((first, head),) and behind.lineage(first).behind == 1
    assert fingerprint(clone.path) == before


_FORGED = b'[project]\nversion = "6.6.6"\n'
FORGED = zlib.compress(b"blob %d\0%b" % (len(_FORGED), _FORGED))


def spoil(clone: Repo, content: bytes) -> None:
    """Give the files that a gate reads another content, under the names that they have."""
    packs = clone.path / ".git" / "objects" / "pack"
    packed = [pack.read_bytes() for pack in packs.glob("*.pack")]
    shutil.rmtree(packs)
    for pack in packed:
        clone.git("unpack-objects", "-q", stdin=pack)
    for path in ("pyproject.toml", ".github/workflows/release.yml"):
        name = clone.git("rev-parse", f"HEAD:{path}").strip()
        spoilt = clone.path / ".git" / "objects" / name[:2] / name[2:]
        spoilt.chmod(0o644)
        spoilt.write_bytes(content)


def test_a_file_of_the_clone_that_is_not_what_its_name_says_is_fetched(world: World, tmp_path: Path) -> None:
    """Git itself gives it out: it believes what lies under a name."""
    head = commit_with_workflow(world.repo)
    clone = world.repo.clone(tmp_path / "clone")
    spoil(clone, FORGED)
    assert "6.6.6" in clone.git("cat-file", "blob", "HEAD:pyproject.toml")
    held = observe_clone(clone.path, "origin", 20, None).present()
    read_files(world.main(clone.path, held), head)


@pytest.mark.parametrize("kind", ["behind", "partial", "damaged", "forged", "another"])
def test_what_a_cut_clone_does_not_lend_is_fetched(world: World, tmp_path: Path, kind: str) -> None:
    """It has another commit, no contents of files, broken ones, or is one of another project."""
    options = ["--filter=blob:none", "--no-checkout"] if kind == "partial" else []
    if kind == "behind":
        clone = world.repo.clone(tmp_path / "clone", "--depth=1")
    head = commit_with_workflow(world.repo)
    if kind == "another":
        other = make(tmp_path / "other")
        other.commit("something else", z="z")
        other.commit("something more", z="y")
        clone = other.clone(tmp_path / "clone", "--depth=1")
    elif kind != "behind":
        clone = world.repo.clone(tmp_path / "clone", "--depth=1", *options)
    if kind in ("damaged", "forged"):
        spoil(clone, b"broken" if kind == "damaged" else FORGED)
    before = fingerprint(clone.path)
    held = observe_clone(clone.path, "origin", 20, None).present()
    assert held.shallow
    read_files(world.main(clone.path, held), head)
    assert fingerprint(clone.path) == before


def test_what_is_asked_ahead_reads_a_cut_clone_and_fetches_nothing(world: World, tmp_path: Path) -> None:
    head = commit_with_workflow(world.repo)
    clone = world.repo.clone(tmp_path / "clone", "--depth=1")
    held = observe_clone(clone.path, "origin", 20, None).present()
    ahead = structs.replace(world.main(clone.path, held), fetches=False)
    assert observe_workflow_files(ahead).present().commit == head
    problem = observe_history(ahead, [WantedCommit(head)], []).unavailable
    assert problem and not world.cache.exists(), "its history would look as if it began here"


# The cache


def test_the_cache_answers_without_the_remote_the_second_time(world: World, tmp_path: Path) -> None:
    repo = world.repo
    branch(repo, "other")
    tip = repo.commit("fix: x", pyproject__toml='[project]\nversion = "1.5"\n')
    on(repo)
    wanted, remote = WantedCommit(tip, details=True), world.remote
    first = world.ask(wanted).present()
    shutil.move(repo.path, tmp_path / "elsewhere")
    assert world.ask(wanted, remote=remote).present() == first
    (cache,) = world.caches()
    assert cache.git("for-each-ref", "refs/release-state") == ""


def test_contents_of_files_are_fetched_only_when_asked_for(world: World) -> None:
    big = world.repo.commit("big", big__txt="x" * 5000)
    world.history(big)
    (cache,) = world.caches()
    objects = cache.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)").splitlines()
    assert "blob" not in objects and "commit" in objects


def test_a_remote_without_partial_fetches_serves_too(world: World) -> None:
    world.repo.git("config", "uploadpack.allowFilter", "false")
    tip = world.repo.commit("x", pyproject__toml='[project]\nversion = "3"\n')
    assert world.history(WantedCommit(tip, details=True)).lineage(tip).declared_version == "3"


def test_ten_runs_on_one_cache(world: World) -> None:
    repo = world.repo
    tips = []
    for number in range(5):
        branch(repo, f"b{number}")
        tips.append(repo.commit(f"fix: {number}", pyproject__toml=f'[project]\nversion = "{number}"\n'))
        on(repo)

    def run(number: int) -> str | None:
        tip = tips[number % 5]
        return world.history(WantedCommit(tip, f"refs/heads/b{number % 5}", True)).lineage(tip).declared_version

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(run, range(10))) == [str(number % 5) for number in range(10)]
    (cache,) = world.caches()
    assert [path.name for path in world.cache.iterdir()] == [cache.path.name]
    assert cache.git("for-each-ref", "refs/release-state") == ""


@pytest.mark.parametrize("damage", ["pack", "objects", "head", "commit"])
def test_a_damaged_cache_is_made_anew(world: World, damage: str) -> None:
    first = world.repo.head
    second = world.repo.commit("second", a__txt="2\n")
    good = world.history(first, second)
    (cache,) = world.caches()
    packs = list((cache.path / "objects" / "pack").glob("*.pack"))
    if damage == "pack":
        for pack in packs:
            pack.chmod(0o600)
            pack.write_bytes(pack.read_bytes()[:40])
    elif damage == "objects":
        shutil.rmtree(cache.path / "objects")
    elif damage == "head":
        (cache.path / "HEAD").write_text("")
    else:
        for path in (cache.path / "objects" / "pack").iterdir():
            path.unlink()
        lone = world.repo.git("cat-file", "commit", second)
        cache.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=lone + "\n")
    assert world.history(first, second) == good
    assert len(list(world.cache.iterdir())) == 1


def test_a_directory_without_the_marker_is_never_touched(world: World) -> None:
    world.history(world.repo.head)
    (cache,) = world.caches()
    shutil.rmtree(cache.path)
    cache.path.mkdir()
    (cache.path / "precious").write_text("x")
    assert world.history(world.repo.head).lineages
    assert [path.name for path in cache.path.iterdir()] == ["precious"]


def test_a_place_for_the_cache_that_cannot_be_written(world: World) -> None:
    world.cache.write_text("a file")
    assert world.history(world.repo.head).lineages


def test_no_credential_is_written_into_the_cache(world: World) -> None:
    url = world.repo.path.as_uri().replace("file://", "https://user:hunter2@127.0.0.1:1")
    assert world.ask(world.repo.head, url=url).unavailable
    (cache,) = world.caches()
    assert not any(b"hunter2" in path.read_bytes() for path in cache.path.rglob("*") if path.is_file())


# The clone beside the remote


def related(world: World, clone: Repo, url: str | None = None) -> Clone:
    seen = observe_clone(clone.path, "origin", 20, None)
    return relate_clone(seen, world.main(clone.path, seen.value, url=url)).present()


def test_ahead_and_behind(world: World, tmp_path: Path) -> None:
    clone = world.repo.clone(tmp_path / "clone")
    same = related(world, clone, "/nowhere")
    assert (same.ahead.value, same.behind.value) == (0, 0)
    clone.commit("local", z="z")
    local = related(world, clone, "/nowhere")
    assert (local.ahead.value, local.behind.value) == (1, 0)
    world.repo.commit("remote", y="y")
    world.repo.commit("remote", y="yy")
    before = fingerprint(clone.path)
    both = related(world, clone)
    assert (both.ahead.value, both.behind.value) == (1, 2)
    assert fingerprint(clone.path) == before
    failed = related(world, clone, "/nowhere")
    assert not failed.ahead.is_known and not failed.behind.is_known


def test_ahead_and_behind_of_a_shallow_clone(world: World, tmp_path: Path) -> None:
    world.repo.commit("second", y="1")
    clone = world.repo.clone(tmp_path / "clone", "--depth=1")
    world.repo.commit("third", y="2")
    seen = related(world, clone)
    assert (seen.ahead.value, seen.behind.value) == (0, 1)
    clone.commit("local", z="z")
    local = related(world, clone).ahead
    assert local.unavailable and "shallow" in local.unavailable.why


def test_a_clone_that_cannot_be_compared(world: World, tmp_path: Path) -> None:
    unborn = related(world, make(tmp_path / "unborn"))
    assert not unborn.ahead.is_known
    none: Observation[Clone] = known(None)
    for clone in (unavailable("clone", "x"), none):
        assert relate_clone(clone, world.main(None, None)) == clone


# The version that a tree declares

HATCH = '[project]\ndynamic = ["version"]\n[tool.hatch.version]\npath = "{}"\n'


def test_files_of_a_tree(world: World) -> None:
    repo = world.repo
    (repo.path / "docs").mkdir()
    (repo.path / "docs" / "log.md").write_text("ü" * 40_000)
    (repo.path / "CHANGELOG.md").symlink_to("docs/log.md")
    linked = repo.commit("link", pyproject__toml=HATCH.format("v.py"), v__py='__version__ = "4.1"')
    (repo.path / "CHANGELOG.md").unlink()
    (repo.path / "CHANGELOG.md").symlink_to("../../../etc/passwd")
    outside = repo.commit("link out", pyproject__toml="#" * (2**20 + 1))
    (repo.path / "CHANGELOG.md").unlink()
    (repo.path / "CHANGELOG.md").symlink_to("CHANGELOG.md")
    (repo.path / "pyproject.toml").write_bytes(b"\xff")
    circle = repo.commit("circle")
    history = world.history(*(WantedCommit(sha, details=True) for sha in (linked, outside, circle)))
    one = history.lineage(linked)
    assert (one.declared_version, one.changelog) == ("4.1", "ü" * 2**15)
    assert history.lineage(outside).changelog is None and history.lineage(circle).changelog is None
    assert history.lineage(outside).declared_version is None and history.lineage(circle).declared_version is None


def test_the_folder_that_names_the_package_declares_its_version(world: World, tmp_path: Path) -> None:
    """Not the top of the repository, and not another package of it: also from a cache without the files' contents."""
    files = {
        "pyproject.toml": '[project]\nname = "all-of-it"\nversion = "0.0.0"\n',
        "libs/one/pyproject.toml": '[project]\nname = "one"\nversion = "1.0"\n',
        "libs/two/pyproject.toml": '[build-system]\nbuild-backend = "flit_core.buildapi"\n'
        '[project]\nname = "Two"\ndynamic = ["version"]\n',
        "libs/two/src/two/__init__.py": "from ._version import __version__\n",
        "libs/two/src/two/_version.py": '__version__ = "2.0"\n',
    }
    for path, text in files.items():
        (world.repo.path / path).parent.mkdir(parents=True, exist_ok=True)
        (world.repo.path / path).write_text(text)
    tip = world.repo.commit("both")

    def declared(package: str) -> tuple[str | None, str, str]:
        lineage = world.ask(WantedCommit(tip, details=True), package=package).present().lineage(tip)
        assert not lineage.version_is_dynamic
        return lineage.declared_version, lineage.declared_where, lineage.package_folder

    assert declared("two") == ("2.0", "libs/two/src/two/_version.py", "libs/two/")
    assert declared("one") == ("1.0", "libs/one/pyproject.toml", "libs/one/")
    assert declared("all-of-it") == ("0.0.0", "pyproject.toml", "")
    version, why, folder = declared("three")
    assert version is None and "names three" in why and not folder


def test_a_patch_is_the_same_wherever_it_applies() -> None:
    one = b"diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ f\n a\n-b\n+c\n"
    two = one.replace(b"-1,2 +1,2", b"-9,2 +8,2").replace(b"1..2", b"3..4")
    assert sign_patch(one) == sign_patch(two) != sign_patch(one.replace(b"+c", b"+d"))


# When


def test_dates_of_commits_and_tags(world: World) -> None:
    """With the fetch that is needed anyhow, and from a clone; a lightweight tag has no date of its own."""
    repo = world.repo
    repo.git("tag", "-a", "-m", "tagger Nobody <x> 1 +0000\n\nnot this one", "v1")
    repo.git("tag", "v1-light")
    tagged = repo.head
    repo.commit("feat: |\x1b[31m pipes", c__txt="x\n")
    object_name = repo.git("rev-parse", "refs/tags/v1")
    made = int(repo.git("for-each-ref", "--format=%(taggerdate:unix)", "refs/tags/v1"))
    for history in (world.history(tagged), world.ask(tagged, clone=repo).present()):
        assert {commit.sha for commit in history.commits} == {repo.head, tagged}
        assert history.commits[0].subject == "feat: |\x1b[31m pipes"
        assert {name: at.timestamp() for name, at in history.tag_dates.items()} == {object_name: made}
    assert len(list(world.caches()[0].path.glob("objects/pack/*.pack"))) == 1, "the tag cost a fetch of its own"


def test_a_tag_that_cannot_be_had_has_no_date(world: World) -> None:
    repo = world.repo
    tagged = repo.head
    repo.commit("feat: second", c__txt="x\n")
    world.history(tagged)
    repo.git("tag", "-a", "-m", "later", "v1", tagged)
    history = world.history(tagged)
    assert history.tag_dates == {}
    assert len(history.commits) == 2
