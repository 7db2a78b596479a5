"""The release workflow and what it uses, read from real repositories: with a clone, and without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from release_state.facts.workflow.document import LARGEST
from release_state.model.observation import Observation
from release_state.model.snapshot import Clone, WorkflowFiles
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.git.remote import observe_remote
from release_state.observe.git.store import WantedCommit
from release_state.observe.git.workflow_files import (
    MOST_CHARACTERS,
    MOST_FILES,
    observe_workflow_files,
    read_build_requirements,
)
from tests.support.gitrepo import Repo, fingerprint, make

RELEASE = ".github/workflows/release.yml"
CALLING = "on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n  s:\n    steps:\n      - uses: ./tools/act\n"


@pytest.fixture
def origin(tmp_path: Path) -> Repo:
    return make(tmp_path / "origin")


def put(repo: Repo, files: dict[str, str | bytes]) -> str:
    """Commit these files, and no other; returns the commit."""
    for path, content in files.items():
        place = repo.path / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return repo.commit("files")


def look(
    origin: Repo,
    tmp_path: Path,
    clone: Repo | None = None,
    base: str = "main",
    tagged: WantedCommit | None = None,
) -> Observation[WorkflowFiles]:
    url = origin.path.as_uri()
    remote = observe_remote(url, 30).present()
    shown = Clone(path=str(clone.path), branch="main", head=clone.head, remote_url=url) if clone else None
    stores = Stores(url, lambda: 60, clone_path=clone.path if clone else None, cache_dir=tmp_path / "cache")
    history = BranchHistory(stores, remote, base, shown)
    return observe_workflow_files(history, structs.replace(history, tagged=tagged) if tagged else None)


def test_with_everything_that_it_uses(origin: Repo, tmp_path: Path) -> None:
    head = put(
        origin,
        {
            RELEASE: CALLING,
            ".github/workflows/b.yml": "on: workflow_call\njobs:\n  c:\n    uses: $/.github/workflows/d.yaml\n",
            ".github/workflows/d.yaml": "on: workflow_call\njobs: {}\n",
            ".github/workflows/unused.yml": "on: push\n",
            "tools/act/action.yaml": "runs: {using: composite, steps: [{run: true}]}\n",
            "pyproject.toml": '[build-system]\nrequires = ["Hatchling>=1", "hatch_vcs", "not a requirement"]\n',
        },
    )
    by_cache = look(origin, tmp_path).present()
    assert (by_cache.commit, by_cache.path, by_cache.branch) == (head, "", "main"), (
        "which one publishes is not its subject"
    )
    workflows = (".github/workflows/b.yml", ".github/workflows/d.yaml", RELEASE, ".github/workflows/unused.yml")
    assert {file.path for file in by_cache.files} == {*workflows, "tools/act/action.yaml"}
    assert by_cache.workflow_paths == workflows
    assert by_cache.texts[RELEASE] == CALLING
    assert by_cache.build_requires == ("hatchling", "hatch-vcs")
    assert by_cache.build_unread.endswith("not a requirement")
    clone = origin.clone(tmp_path / "clone")
    before = fingerprint(clone.path)
    assert look(origin, tmp_path, clone).present() == by_cache
    assert fingerprint(clone.path) == before
    assert look(origin, tmp_path, base="nowhere").unavailable is not None


@pytest.mark.parametrize("is_cloned", [False, True])
def test_those_of_the_tag_are_read_where_they_differ(origin: Repo, tmp_path: Path, is_cloned: bool) -> None:
    put(origin, {RELEASE: "on: push\n", "README.md": "x"})
    origin.git("tag", "v1")
    put(origin, {"README.md": "y"})
    clone = origin.clone(tmp_path / "clone") if is_cloned else None
    at_tag = WantedCommit(origin.git("rev-parse", "v1").strip(), "refs/tags/v1")
    assert look(origin, tmp_path, clone, tagged=at_tag).present().at_tag is None
    put(origin, {RELEASE: "on: workflow_dispatch\n", ".github/workflows/big.yml": b"a: \xff\n"})
    found = look(origin, tmp_path, clone, tagged=at_tag).present()
    assert [(file.path, file.text) for file in found.at_tag or ()] == [(RELEASE, "on: push\n")]
    assert found.texts == {RELEASE: "on: workflow_dispatch\n"} and found.unread == (".github/workflows/big.yml",)
    gone = WantedCommit("f" * 40, "refs/tags/v9")
    assert look(origin, tmp_path, clone, tagged=gone).unavailable, "what a run of the tag does is not known"


def test_a_large_generated_workflow_is_read_and_all_together_are_bounded(origin: Repo, tmp_path: Path) -> None:
    comment = "# generated\n" * (LARGEST // 12 - 100)
    names = [f".github/workflows/{number:02}.yml" for number in range(MOST_CHARACTERS // len(comment) + 1)]
    put(origin, {name: f"{comment}# {name}\non: push\njobs: {{}}\n".encode() for name in names})
    found = look(origin, tmp_path).present()
    assert [file.path for file in found.files] == names[:-1] and found.unread == (names[-1],)


def test_what_is_not_there_is_known_not_to_be(origin: Repo, tmp_path: Path) -> None:
    put(origin, {"README.md": "x"})
    found = look(origin, tmp_path).present()
    assert not found.exists and found.files == () and found.build_requires == ()


@pytest.mark.parametrize("content", [b"a: \xff\n", b"a: " + b"b" * LARGEST], ids=["no text", "too large"])
def test_what_is_there_and_cannot_be_read(origin: Repo, tmp_path: Path, content: bytes) -> None:
    put(origin, {RELEASE: content})
    found = look(origin, tmp_path).present()
    assert found.workflow_paths == found.unread == (RELEASE,) and found.files == ()


@pytest.mark.parametrize(
    ("content", "names", "says"),
    [
        (None, (), ""),
        (b"", (), ""),
        (b"[build-system]\nrequires = ['Hatch_VCS>=1', 'hatchling']", ("hatch-vcs", "hatchling"), ""),
        (b"[build-system]\nrequires = ['hatchling', 'not a requirement']", ("hatchling",), "cannot be read: not a req"),
        (b"[build-system]\nrequires = 'hatchling'", (), "no list of requirements"),
        (b"build-system = 1", (), "no list of requirements"),
        (b"[build-system", (), "not valid TOML"),
        (b"x = " + b"9" * 5000, (), "not valid TOML"),
        (b"x = '\xff'", (), "not UTF-8"),
        (b"#" * (LARGEST + 1), (), "too large"),
    ],
)
def test_what_cannot_be_read_of_what_builds_a_project_is_told(
    content: bytes | None, names: tuple[str, ...], says: str
) -> None:
    found, unread = read_build_requirements(content)
    assert found == names
    assert says in unread and bool(says) == bool(unread)


def test_files_that_lead_elsewhere_are_not_followed(origin: Repo, tmp_path: Path) -> None:
    """Neither a path out of the repository nor a link out of it."""
    (tmp_path / "secret.yml").write_text("on: push\n")
    text = "on: push\njobs:\n  a:\n    uses: ./../secret.yml\n  b:\n    uses: ./.github/workflows/link.yml\n"
    (origin.path / ".github/workflows").mkdir(parents=True)
    (origin.path / ".github/workflows/link.yml").symlink_to("../../../secret.yml")
    put(origin, {RELEASE: text})
    assert [file.path for file in look(origin, tmp_path).present().files] == [RELEASE]


def test_no_more_files_than_a_release_can_need(origin: Repo, tmp_path: Path) -> None:
    calls = "".join(f"  j{n}:\n    uses: ./.github/workflows/w{n}.yml\n" for n in range(MOST_FILES + 10))
    files: dict[str, str | bytes] = {RELEASE: f"on: push\njobs:\n{calls}"}
    files |= {f".github/workflows/w{n}.yml": "on: workflow_call\n" for n in range(MOST_FILES + 10)}
    put(origin, files)
    found = look(origin, tmp_path).present()
    assert len(found.files) == MOST_FILES and found.unread


def test_a_remote_that_is_silent(origin: Repo, tmp_path: Path) -> None:
    put(origin, {RELEASE: CALLING})
    remote = observe_remote(origin.path.as_uri(), 30).present()
    nowhere = (tmp_path / "nowhere").as_uri()
    stores = Stores(nowhere, lambda: 30, cache_dir=tmp_path / "other")
    found = observe_workflow_files(BranchHistory(stores, remote, "main"))
    assert found.unavailable and found.unavailable.source == "release workflow"


def test_a_file_that_only_the_tag_has_and_nobody_can_read_is_told(origin: Repo, tmp_path: Path) -> None:
    unreadable = ".github/workflows/publish.yml"
    put(origin, {RELEASE: "on: push\n", unreadable: b"a: \xff\n"})
    origin.git("tag", "v1")
    at_tag = WantedCommit(origin.git("rev-parse", "v1").strip(), "refs/tags/v1")
    origin.git("rm", "--quiet", unreadable)
    put(origin, {"README.md": "y"})
    assert look(origin, tmp_path, tagged=at_tag).present().unread == (unreadable,)
