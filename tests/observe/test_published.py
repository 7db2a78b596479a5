"""From which commit a version was published: real repositories, a real index over HTTP, and hostile archives."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import subprocess
import tarfile
import time
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from release_state.demo.dists import build_sdist, build_wheel
from release_state.demo.loopback import Request
from release_state.facts.release import Release
from release_state.model.observation import Observation, known
from release_state.model.plan import Step
from release_state.model.snapshot import Candidate, Published
from release_state.model.target import Channel, Target
from release_state.observe.git.clone import observe_clone
from release_state.observe.git.commits import BranchHistory, Stores
from release_state.observe.git.remote import observe_remote
from release_state.observe.http.client import HttpClient
from release_state.observe.index.access import parse_provenance
from release_state.observe.index.index import observe_index
from release_state.observe.published import candidates as candidates_module
from release_state.observe.published import files as archives_module
from release_state.observe.published.built import Files
from release_state.observe.published.candidates import find_project_folder
from release_state.observe.published.files import Refused, read_sdist, read_wheel
from release_state.observe.published.published import observe_instead, observe_published
from release_state.observe.published.trees import MODULE, Match, Tree, compare_trees
from release_state.plan.steps import tagging
from release_state.plan.steps.commands import FETCH
from tests.standins.index import IndexServer
from tests.standins.services import Reply
from tests.support import states as s
from tests.support.gitrepo import ENV, Repo, fingerprint, make

WHEN = datetime(2026, 1, 2, tzinfo=timezone.utc)
SDIST = "orbit_demo-0.2.0.tar.gz"
Contents = Mapping[str, bytes]


def find_best(found: Published) -> Candidate | None:
    """The candidate that fits better than every other; None if none fits, or several fit equally."""
    first = next(iter(found.candidates), None)
    if first is None or not first.equal:
        return None
    return first if all(first.rank < other.rank for other in found.candidates[1:]) else None


def best(found: Published) -> Candidate:
    """The candidate that fits better than every other."""
    one = find_best(found)
    assert one is not None, "none fits, or several fit equally"
    return one


def is_exact(found: Published) -> bool:
    """Whether every file of the sdist is identical in the best candidate."""
    first = find_best(found)
    return bool(first and not first.differing and not first.absent)


@pytest.fixture(autouse=True)
def own_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(scope="module")
def server() -> Iterator[IndexServer]:
    with IndexServer() as index:
        yield index


@dataclass
class World:
    """A remote with a work tree, an index, and a place for the cache."""

    repo: Repo
    index: IndexServer
    cache: Path

    def commit(self, message: str, files: Mapping[str, str | bytes | None]) -> str:
        for name, content in files.items():
            path = self.repo.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.repo.commit(message)

    def tree(self, commit: str, below: str = "") -> dict[str, bytes]:
        """The files of a commit, as a build from it puts them into an sdist."""
        names = self.repo.git("ls-tree", "-r", "--name-only", commit).splitlines()
        inside = [name for name in names if name.startswith(below)]
        return {name.removeprefix(below): content_of(self.repo, commit, name) for name in inside}

    def publish(self, files: Contents, **options: Any) -> None:
        self.upload(*build_sdist("orbit-demo", "0.2.0", files=files), **options)

    def upload(self, name: str, content: bytes, **options: Any) -> None:
        self.index.upload("pypi", name, content, WHEN, **options)

    @property
    def target(self) -> Target:
        channel = Channel(name="pypi", index_url=self.index.index_url("pypi"), leaves=s.PYPI.leaves)
        return s.target(
            package="orbit-demo", channel=channel, channels=(channel,), remote_url=self.repo.path.as_uri(), clone=None
        )

    def ask(
        self,
        *,
        clone: Repo | None = None,
        url: str | None = None,
        looks_on_base: bool = False,
        timeout: float = 30,
    ) -> Observation[Published]:
        client = HttpClient(timeout)
        target = self.target
        project = observe_index(client, target.channel, target.package, target.version).present()
        return observe_published(
            client,
            target.channel,
            target,
            project.files,
            self.history(clone, url, timeout),
            looks_on_base=looks_on_base,
        )

    def history(self, clone: Repo | None = None, url: str | None = None, timeout: float = 10) -> BranchHistory:
        """The history of main, as a look-up reads it."""
        own = self.repo.path.as_uri()
        stores = Stores(url or own, lambda: timeout, clone_path=clone.path if clone else None, cache_dir=self.cache)
        seen = observe_clone(clone.path, "origin", 20, None).present() if clone else None
        return BranchHistory(stores, observe_remote(own, 20).present(), "main", seen)

    def published(self) -> Published:
        return self.ask().present()

    def why(self, **options: Any) -> str:
        observed = self.ask(**options)
        assert observed.unavailable is not None and observed.value is None, observed
        return f"{observed.unavailable.source}: {observed.unavailable.why}"

    def step(self) -> list[Step]:
        """What the plan says of the tag that is missing."""
        remote = observe_remote(self.repo.path.as_uri(), 20)
        snapshot = s.released(
            target=self.target, remote=remote, published=self.ask(), clone=known(None), pulls=known(())
        )
        return tagging.create(Release(snapshot))


def content_of(repo: Repo, commit: str, name: str) -> bytes:
    """A file of a commit, byte for byte."""
    command = ["git", "-C", str(repo.path), "cat-file", "blob", f"{commit}:{name}"]
    return subprocess.run(command, env=ENV, capture_output=True, check=True).stdout


def project(version: str) -> dict[str, str | bytes | None]:
    """The files of the package at a version."""
    return {
        "pyproject.toml": f'[project]\nname = "orbit-demo"\nversion = "{version}"\n',
        "LICENSE": "MIT\n",
        "src/orbit/__init__.py": "",
        "src/orbit/core.py": "def orbit():\n    return 1\n",
        "README.md": "# orbit\n",
    }


@pytest.fixture
def world(tmp_path: Path, server: IndexServer) -> World:
    server.channels["pypi"].clear()
    server.intercept = None
    server.requests.clear()
    world = World(make(tmp_path / "repo"), server, tmp_path / "cache")
    world.commit("feat: first", project("0.1.0"))
    return world


def pull(world: World, number: int, files: Mapping[str, str | bytes | None], message: str = "chore: release") -> str:
    """A commit that only the recorded head of a pull request holds."""
    world.repo.git("checkout", "--quiet", "--detach")
    sha = world.commit(message, files)
    world.repo.git("update-ref", f"refs/pull/{number}/head", sha)
    world.repo.git("checkout", "--quiet", "main")
    return sha


# Where it was published from


def test_the_tag_holds_what_was_published(world: World) -> None:
    sha = world.commit("chore: release", project("0.2.0"))
    world.repo.git("tag", "-a", "-m", "x", "v0.2.0")
    world.repo.git("tag", "v0")
    world.commit("feat: later", {"src/orbit/core.py": "later\n"})
    world.publish(world.tree(sha))
    world.index.requests.clear()
    found = world.published()
    assert (found.sdist, found.compared, is_exact(found)) == (SDIST, 5, True)
    [tagged] = found.candidates
    assert (tagged.sha, tagged.what, tagged.ref) == (sha, "the tag v0.2.0", "refs/tags/v0.2.0")
    assert (tagged.on_base, tagged.equal, tagged.declared_version) == (True, 5, "0.2.0")
    paths = [request.path for request in world.index.requests]
    assert paths == ["/pypi/simple/orbit-demo/", f"/pypi/files/{SDIST}"], "the page, and one request for the sdist"


def test_the_tag_is_on_another_commit_than_was_published(world: World) -> None:
    sha = world.commit("chore: release", project("0.2.0"))
    world.commit("fix: late", {"src/orbit/core.py": "late\n"})
    world.repo.git("tag", "v0.2.0")
    world.publish(world.tree(sha))
    found = world.published()
    assert (best(found).sha, best(found).what) == (sha, "the commit of main that sets the version")
    tagged = found.candidates[1]
    assert (tagged.what, tagged.equal, tagged.differing) == ("the tag v0.2.0", 4, ("src/orbit/core.py",))


def test_a_commit_between_the_two_ends_of_the_run_fits_best(world: World) -> None:
    world.commit("chore: release", project("0.2.0"))
    sha = world.commit("fix: in between", {"src/orbit/core.py": "between\n"})
    world.commit("ci: nothing of the package", {"ci.yml": "x\n"})
    world.commit("fix: after", {"src/orbit/core.py": "after\n"})
    world.commit("chore: next", {"pyproject.toml": project("0.3.0")["pyproject.toml"]})
    files = world.tree(sha)
    world.publish(files)
    found = world.published()
    assert (best(found).sha, best(found).what) == (sha, "a commit of main that declares the version")
    assert is_exact(found) and len(found.candidates) == 2


def test_published_from_a_pull_request_with_a_squash_that_differs(world: World) -> None:
    head = pull(world, 9, project("0.2.0"))
    pull(world, 10, project("0.3.0"))
    squash = world.commit("chore(release): v0.2.0 (#9)", project("0.2.0") | {"README.md": "# other\n"})
    world.publish(world.tree(head))
    found = world.published()
    assert (best(found).sha, best(found).ref, best(found).on_base) == (head, "refs/pull/9/head", False)
    assert best(found).what == "the recorded head of pull request #9" and is_exact(found)
    second = found.candidates[1]
    assert (second.sha, second.on_base, second.differing) == (squash, True, ("README.md",))
    assert all("#10" not in candidate.what for candidate in found.candidates), "it declares another version"
    tag, history = world.step()
    assert tag.title == f"Tag {head[:12]}, the recorded head of pull request #9, as v0.2.0"
    assert (*FETCH, world.target.remote_url, "refs/pull/9/head") in tag.commands
    for text in (
        "All 5 files",
        "not in the history of main",
        "python-semantic-release",
        "README.md differs",
        squash[:12],
    ):
        assert text in tag.reason, tag.reason
    assert history.advice and history.title.startswith("Before the next release: bring v0.2.0")


def test_what_the_base_has_is_seen_beside_a_tag_that_says_it_all(world: World) -> None:
    """Asked for where no pull request is known to have brought the release to the base."""
    head = pull(world, 9, project("0.2.0"))
    squash = world.commit("chore(release): v0.2.0 (#9)", project("0.2.0") | {"README.md": "# other\n"})
    world.publish(world.tree(head))
    world.repo.git("tag", "-a", "-m", "x", "v0.2.0", head)
    assert [found.sha for found in world.published().candidates] == [head]
    found = world.ask(looks_on_base=True).present()
    assert [(each.sha, each.on_base) for each in found.candidates] == [(head, False), (squash, True)]


def test_bringing_the_tag_into_the_history_changes_no_file(world: World, tmp_path: Path) -> None:
    head = pull(world, 9, project("0.2.0"))
    world.commit("chore(release): v0.2.0 (#9)", project("0.2.0") | {"README.md": "# other\n"})
    world.publish(world.tree(head))
    _, history = world.step()
    world.repo.git("tag", "-a", "-m", "x", "v0.2.0", head)
    here = Repo(tmp_path)
    for command in history.commands[:4]:
        assert command[0] == "git"
        here.git(*command[1:])
    assert world.repo.git("diff", "--stat", "main", "history/v0.2.0") == ""
    assert world.repo.git("describe", "--abbrev=0", "history/v0.2.0") == "v0.2.0"


def test_a_squash_with_the_same_tree_is_preferred_to_the_head(world: World) -> None:
    head = pull(world, 9, project("0.2.0"))
    squash = world.commit("chore(release): v0.2.0 (#9)", project("0.2.0"))
    world.publish(world.tree(head))
    assert find_best(world.published()) is None, "both fit alike"
    [tag] = world.step()
    assert tag.title == f"Tag {squash[:12]}, the commit of main that sets the version, as v0.2.0"
    assert "fits just as well" in tag.reason and head[:12] in tag.reason


def test_the_head_of_the_release_branch(world: World) -> None:
    world.repo.git("checkout", "--quiet", "-b", "release/pypi-v0.2.0")
    sha = world.commit("chore: release", project("0.2.0"))
    world.repo.git("checkout", "--quiet", "main")
    world.publish(world.tree(sha))
    found = world.published()
    assert (best(found).sha, best(found).what) == (sha, "the head of release/pypi-v0.2.0")
    [tag] = world.step()
    assert "not in the history of main" in tag.reason and "alternative" not in tag.reason


def test_a_project_in_a_folder_of_its_repository(world: World) -> None:
    inside = {f"packages/orbit/{name}": text for name, text in project("0.2.0").items() if name != "LICENSE"}
    other = {f"packages/other/{name}": text for name, text in project("9.9").items()}
    sha = world.commit("chore: release", {**inside, **other, "packages/orbit/more.py": "1\n"})
    world.commit("chore: next", {"packages/orbit/pyproject.toml": "[project]\nname='orbit-demo'\nversion='0.3.0'\n"})
    world.publish({**world.tree(sha, "packages/orbit/"), "LICENSE": b"MIT\n"})
    found = world.published()
    assert (best(found).sha, best(found).declared_version) == (sha, "0.2.0")
    assert is_exact(found), "the licence is at the top of the repository"
    assert best(found).what == "the commit of main that sets the version"


def test_a_version_that_a_source_file_holds(world: World) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "orbit-demo"\ndynamic = ["version"]\n'
        '[tool.hatch.version]\npath = "src/orbit/__about__.py"\n',
        "src/orbit/__about__.py": '__version__ = "0.2.0"\n',
    }
    sha = world.commit("chore: release", project("0") | files)
    world.commit("chore: next", {"src/orbit/__about__.py": '__version__ = "0.3.0"\n'})
    world.publish(world.tree(sha))
    found = world.published()
    assert (best(found).sha, best(found).what) == (sha, "the commit of main that sets the version")


def test_a_version_that_no_tree_declares(world: World) -> None:
    """As setuptools-scm works it out: the content alone tells; what the build writes is absent from every commit."""
    world.commit("feat: x", {"pyproject.toml": '[project]\nname = "orbit-demo"\ndynamic = ["version"]\n'})
    sha = world.commit("feat: y", {"src/orbit/core.py": "y\n"})
    world.commit("feat: z", {"src/orbit/core.py": "z\n"})
    head = pull(world, 4, {"src/orbit/core.py": "head\n"})
    pull(world, 5, {"README.md": "worse\n"})
    files = {
        **world.tree(sha),
        "src/orbit/_version.py": b"__version__ = '0.2.0'\n",
        "setup.cfg": b"[egg_info]\ntag_build = \ntag_date = 0\n\n",
        "orbit_demo.egg-info/SOURCES.txt": b"x\n",
    }
    world.publish(files)
    found = world.published()
    assert found.compared == 6
    assert [(c.sha, c.equal, c.absent) for c in found.candidates] == [(sha, 5, ("src/orbit/_version.py",))]
    [tag] = world.step()
    assert tag.title.startswith(f"Tag {sha[:12]}") and "missing: src/orbit/_version.py" in tag.reason
    world.index.delete("pypi", "0.2.0")
    world.publish({**files, **world.tree(head)})
    assert [candidate.sha for candidate in world.published().candidates[:1]] == [head]
    world.repo.git("tag", "v0.2.0", head)
    assert len(world.published().candidates) == 1, "the tag holds all but what builds write: nothing else is looked at"


def test_nothing_fits(world: World) -> None:
    world.commit("chore: release", project("0.2.0"))
    world.publish({"LICENSE": b"MIT\n", **{f"other{number}.py": b"%d" % number for number in range(9)}})
    assert world.published().candidates[0].equal == 1
    assert world.step()[0].title == "Find the commit that was published"


def test_lines_that_end_as_on_windows(world: World) -> None:
    sha = world.commit("chore: release", project("0.2.0"))
    world.publish({name: data.replace(b"\n", b"\r\n") for name, data in world.tree(sha).items()})
    assert is_exact(world.published())


def test_a_link_counts_as_what_it_leads_to(world: World) -> None:
    (world.repo.path / "docs.md").symlink_to("README.md")
    (world.repo.path / "gone.md").symlink_to("nowhere.md")
    sha = world.commit("chore: release", project("0.2.0"))
    world.publish({**world.tree(sha), "docs.md": b"# orbit\n", "gone.md": b"something\n"})
    [found, *_] = world.published().candidates
    assert (found.equal, found.differing) == (6, ("gone.md",))


def test_a_repository_with_sha256_names(tmp_path: Path, server: IndexServer) -> None:
    server.channels["pypi"].clear()
    path = tmp_path / "repo"
    path.mkdir()
    repo = Repo(path)
    repo.git("init", "--quiet", "--initial-branch=main", "--object-format=sha256")
    world = World(repo, server, tmp_path / "cache")
    sha = world.commit("chore: release", project("0.2.0"))
    world.publish(world.tree(sha))
    found = world.published()
    assert is_exact(found) and best(found).sha == sha and len(sha) == 64


def test_a_zip(world: World) -> None:
    sha = world.commit("chore: release", project("0.2.0"))
    content = zip_of({f"orbit-demo-0.2.0/{name}": data for name, data in world.tree(sha).items()})
    world.upload("orbit-demo-0.2.0.zip", content)
    found = world.published()
    assert (found.sdist, is_exact(found)) == ("orbit-demo-0.2.0.zip", True)


def test_wheels_only(world: World) -> None:
    world.upload(*build_wheel("orbit-demo", "0.2.0", sources={"orbit/__init__.py": b""}))
    found = world.published()
    assert found.sdist is None and best(found).declared_version == "0.1.0"
    assert world.step()[0].title.endswith(", unless you know a better match"), "nothing in it says the version"
    world.index.delete("pypi", "0.2.0")
    source = "print('of this very version')\n"
    sha = world.commit("chore: release", project("0.2.0") | {"src/orbit/__init__.py": source})
    world.upload(*build_wheel("orbit-demo", "0.2.0", sources={"orbit/__init__.py": source.encode()}))
    assert world.step()[0].title.startswith(f"Tag {sha[:12]}, ")


def test_the_tag_of_another_project_is_no_match_and_other_branches_and_tags_are_looked_at(world: World) -> None:
    """The version was built on another line, whose tag names it for the whole repository."""
    first = world.repo.head
    world.repo.git("checkout", "--quiet", "--orphan", "other")
    world.repo.git("rm", "-rfq", ".")
    other = world.commit("chore: other project", {"other.txt": "1\n"})
    world.repo.git("tag", "v0.2.0", other)
    world.repo.git("checkout", "--quiet", "-b", "0.x", first)
    sha = world.commit("chore: release", project("0.2.0") | {"src/orbit/core.py": "line\n"})
    world.commit("fix: later", {"README.md": "# later\n", "src/orbit/core.py": "later\n"})
    world.repo.git("checkout", "--quiet", "main")
    world.publish({f"more{number}.py": b"%d" % number for number in range(6)} | world.tree(sha))
    found = world.published()
    assert [each.what for each in found.candidates if each.sha == sha] == ["a commit of 0.x"]
    assert found.candidates[0].sha == sha and found.unseen == 6
    [tagged] = [each for each in found.candidates if each.sha == other]
    assert (tagged.equal, tagged.absent_count, found.is_foreign(tagged), found.fits(tagged)) == (0, 11, True, False)
    world.repo.git("tag", "orbit-core-v0.2.0", sha)
    world.repo.git("branch", "--quiet", "-D", "0.x")
    assert world.published().candidates[0].what == "the commit of the tag orbit-core-v0.2.0"


def test_every_file_is_counted(world: World) -> None:
    many = {f"src/orbit/part{number:02}.py": f"{number}\n" for number in range(60)}
    sha = world.commit("chore: release", project("0.2.0") | many)
    world.repo.git("tag", "v0.2.0")
    world.publish(world.tree(sha) | dict.fromkeys(many, b"other\n"))
    [tagged] = [each for each in world.published().candidates if each.sha == sha]
    assert (len(tagged.differing), tagged.differing_count, tagged.absent_count) == (50, 60, 0)


def test_another_version_was_published_from_the_tagged_commit(world: World) -> None:
    sha = world.commit("chore: release", project("0.2.0"))
    world.repo.git("tag", "v0.1.9")
    world.publish(world.tree(sha))
    target, [tag] = structs.replace(world.target, version="0.1.9"), world.history().remote.tags
    found = observe_instead(HttpClient(10), target.channel, target, "0.2.0", tag, world.history()).present()
    assert (found.version, is_exact(found), [each.sha for each in found.candidates]) == ("0.2.0", True, [sha])
    nothing = observe_instead(HttpClient(10), target.channel, target, "0.3.0", tag, world.history())
    assert nothing.is_known and nothing.known() is None


def test_nothing_published(world: World) -> None:
    world.index.list_version("pypi", "0.2.0")
    observed = world.ask()
    assert observed.is_known and observed.known() is None


def test_only_the_newest_pull_requests_are_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates_module, "MOST_PULLS", 2)
    heads = [pull(world, number, project("0.2.0") | {"more.txt": str(number)}) for number in (9, 10, 11)]
    world.publish(world.tree(heads[2]))
    found = world.published()
    assert [candidate.sha for candidate in found.candidates if not candidate.on_base] == [heads[2], heads[1]]
    assert found.candidates[0].what == "the recorded head of pull request #11 (of 3, the newest 2 were looked at)"


def test_the_clone_lends_and_is_not_written_to(world: World, tmp_path: Path) -> None:
    sha = world.commit("chore: release", project("0.2.0"))
    clone = world.repo.clone(tmp_path / "clone")
    head = pull(world, 9, project("0.2.0") | {"README.md": "# head\n"})
    world.publish(world.tree(head))
    before = fingerprint(clone.path)
    found = world.ask(clone=clone).present()
    assert [candidate.sha for candidate in found.candidates] == [head, sha]
    assert fingerprint(clone.path) == before and not world.cache.exists()


# What the attestation says


def certificate(commit: str, repository: str = "https://github.example/octo/orbit") -> bytes:
    def extension(number: int, text: str) -> bytes:
        value = bytes([0x0C, len(text)]) + text.encode()
        return bytes.fromhex("060a2b0601040183bf3001") + bytes([number, 0x04, len(value)]) + value

    return b"\x30\x82" + extension(12, repository) + extension(13, commit)


def provenance(content: bytes, *certificates: bytes, name: str = SDIST) -> dict[str, Any]:
    subject = {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
    statement = b64encode(json.dumps({"subject": [subject]}).encode()).decode()
    attestations = [
        {
            "version": 1,
            "verification_material": {"certificate": b64encode(der).decode()},
            "envelope": {"statement": statement, "signature": ""},
        }
        for der in certificates
    ]
    bundle = {"publisher": {"kind": "GitHub"}, "attestations": attestations}
    return {"version": 1, "attestation_bundles": [bundle]}


def test_the_commit_that_the_attestation_names_is_a_candidate(world: World) -> None:
    # On no ref that is looked at otherwise: a maintenance branch.
    world.repo.git("checkout", "--quiet", "-b", "0.x")
    sha = world.commit("chore: release", project("0.2.0"))
    world.repo.git("checkout", "--quiet", "main")
    name, content = build_sdist("orbit-demo", "0.2.0", files=world.tree(sha))
    world.upload(name, content, provenance=provenance(content, certificate(sha)))
    found = world.published()
    assert (found.provenance_commit, found.provenance_repository) == (sha, "octo/orbit")
    assert best(found).what == "the commit that the attestation names (not verified)"
    [tag] = world.step()
    assert "(not verified here) names the same commit" in tag.reason


def test_an_attested_commit_that_cannot_be_had(world: World) -> None:
    sha = world.commit("chore: release", project("0.2.0"))
    name, content = build_sdist("orbit-demo", "0.2.0", files=world.tree(sha))
    world.upload(name, content, provenance=provenance(content, certificate("1" * 40)))
    found = world.published()
    assert found.provenance_commit == "1" * 40 and best(found).sha == sha
    [tag] = world.step()
    assert "names another commit, 111111111111" in tag.reason


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"attestation_bundles": "x"},
        {"attestation_bundles": [1, {"attestations": [None, {"envelope": {"statement": "!"}}]}]},
        provenance(b"other file", certificate("a" * 40)),
        provenance(b"", certificate("a" * 40), certificate("b" * 40)),
        provenance(b"", certificate("main")),
        provenance(b"", b"", bytes.fromhex("060a2b0601040183bf30010d0482ffff")),
    ],
)
def test_attestations_that_name_no_one_commit(document: dict[str, Any]) -> None:
    assert parse_provenance(document, SDIST, hashlib.sha256(b"").hexdigest()).commit is None


@pytest.mark.parametrize(("name", "content"), [(SDIST, b"another file"), ("orbit_demo-0.1.0.tar.gz", None)])
def test_the_provenance_of_another_file_is_no_answer(world: World, name: str, content: bytes | None) -> None:
    sha = world.commit("chore: release", project("0.2.0"))
    filename, sdist = build_sdist("orbit-demo", "0.2.0", files=world.tree(sha))
    document = provenance(sdist if content is None else content, certificate("1" * 40), name=name)
    world.upload(filename, sdist, provenance=document)
    assert f"requested the provenance of {SDIST}, the index gave that of {name}" in world.why()


def test_a_provenance_that_is_none_is_not_an_absence(world: World) -> None:
    sha = world.commit("chore: release", project("0.2.0"))
    world.publish(world.tree(sha), provenance={"message": "later"})
    assert "not a provenance object" in world.why()


# What cannot be observed


def test_another_file_than_the_index_lists(world: World) -> None:
    world.publish(world.tree(world.commit("chore: release", project("0.2.0"))))
    other = build_sdist("orbit-demo", "0.2.0", files={"a": b"b"})[1]

    def swap(request: Request) -> Reply | None:
        return Reply(200, body=other) if request.path.endswith(SDIST) else None

    world.index.intercept = swap
    assert f"index pypi: {SDIST} was downloaded, but is not the file that the index lists" in world.why()


def test_the_index_is_out_of_order(world: World) -> None:
    world.publish(world.tree(world.repo.head))
    world.index.intercept = lambda request: Reply(503, body=b"later") if request.path.endswith(SDIST) else None
    assert "503" in world.why(timeout=3)


def test_an_sdist_that_is_too_large_is_not_asked_for(world: World) -> None:
    world.publish(world.tree(world.repo.head))
    client, target = HttpClient(5), world.target
    project_page = observe_index(client, target.channel, target.package, target.version).present()
    files = [structs.replace(each, size=64 * 2**20 + 1) for each in project_page.files]
    world.index.requests.clear()
    observed = observe_published(client, target.channel, target, files, world.history())
    assert observed.unavailable and "more than 64 MiB" in observed.unavailable.why
    assert world.index.requests == []


def test_the_remote_is_gone(world: World, tmp_path: Path) -> None:
    world.publish(world.tree(world.commit("chore: release", project("0.2.0"))))
    assert "does not appear to be a git repository" in world.why(url=(tmp_path / "gone").as_uri())


def test_the_heads_of_pull_requests_cannot_be_listed(world: World, tmp_path: Path) -> None:
    """What is in the cache already does not stand for what the remote no longer says."""
    world.publish(world.tree(world.commit("chore: release", project("0.2.0"))))
    history = world.history()
    assert is_exact(world.published())
    client, target = HttpClient(5), world.target
    files = observe_index(client, target.channel, target.package, target.version).present().files
    world.repo.path.rename(tmp_path / "moved")
    observed = observe_published(client, target.channel, target, files, history)
    assert observed.unavailable and observed.unavailable.source == "published commit"


def test_no_time_left(world: World) -> None:
    world.publish(world.tree(world.repo.head))
    world.index.intercept = lambda request: Reply(200, body=b"", delay=5) if request.path.endswith(SDIST) else None
    started = time.monotonic()
    assert "within 1 s" in world.why(timeout=1)
    assert time.monotonic() - started < 4


def test_credentials_go_to_the_index_alone(world: World) -> None:
    world.publish(world.tree(world.commit("chore: release", project("0.2.0"))))
    target = world.target
    channel = structs.replace(
        target.channel, index_url=target.channel.index_url.replace("http://", "http://me:secret@")
    )
    client = HttpClient(10)
    files = observe_index(client, channel, target.package, target.version).present().files
    observe_published(client, channel, target, files, world.history()).present()
    assert (world.index.requests[-1].authorization or "").startswith("Basic ")
    assert world.index.requests[-1].headers["accept-encoding"] == "identity"
    with IndexServer() as elsewhere:
        elsewhere.upload("pypi", SDIST, world.index.files("pypi")[0].content, WHEN)
        moved = [structs.replace(file, url=f"{elsewhere.url}/pypi/files/{SDIST}") for file in files]
        observe_published(client, channel, target, moved, world.history()).present()
        assert not elsewhere.requests[-1].authorization


# What builds write


def names(content: bytes) -> frozenset[str]:
    return frozenset({hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()})


def sdist(files: Contents) -> Files:
    return read(tar_of(*((member(f"orbit_demo-0.2.0/{path}"), data) for path, data in files.items())))


def wheel(files: Contents) -> Files:
    return read_wheel(zip_of(files), sha256=False, deadline=time.monotonic() + 20)


def backend(name: str) -> bytes:
    return b'[build-system]\nrequires = ["x"]\nbuild-backend = "%s"\n' % name.encode()


def tree_of(files: Contents) -> Tree:
    return {path: ("100644", next(iter(names(data)))) for path, data in files.items()}


def test_the_original_of_a_rewritten_file_is_compared() -> None:
    found = sdist({"pyproject.toml": backend("uv_build"), "pyproject.toml.orig": b"as committed", "a.py": b"a"})
    assert found == {"pyproject.toml": names(b"as committed"), "a.py": names(b"a")} and not found.rewritten


@pytest.mark.parametrize(
    ("files", "rewritten"),
    [
        ({"pyproject.toml": backend("pdm.backend"), ".pdm-external/R.md": b"r"},
         {"pyproject.toml", ".pdm-external/R.md"}),
        ({"pyproject.toml": backend("maturin"), "x/Cargo.toml": b"c", "Cargo.lock": b"l"},
         {"pyproject.toml", "x/Cargo.toml", "Cargo.lock"}),
        ({"pyproject.toml": backend("hatchling.build"), "Cargo.toml": b"c"}, set()),
        ({"pyproject.toml": b"[tool.poetry-dynamic-versioning]\nenable = true\n", "o/__init__.py": b"i"},
         {"pyproject.toml", "o/__init__.py"}),
        ({"o/_version.py": b"# file generated by setuptools-scm\n" + b"more = 1\n" * 500}, set()),
        ({"o/_version.py": b"# file generated by setuptools-scm\n"}, {"o/_version.py"}),
        ({"o/_sysinfo.py": b"# GENERATED BY setup.py\n"}, {"o/_sysinfo.py"}),
        ({"o/_version.py": b"__version__ = '0.2.0'\n", "o/x_pb2.py": b"# Generated by protoc\n"}, set()),
        ({"pyproject.toml": b"\xff", "a.py": b"a"}, set()),
        ({"pyproject.toml": b"build-system = 1\ntool = 1\n"}, set()),
    ],
)  # fmt: skip
def test_files_that_a_build_rewrites(files: Contents, rewritten: set[str]) -> None:
    assert sdist({"setup.py": b"s", **files}).rewritten == rewritten


def test_what_maturin_makes_of_a_module_without_python() -> None:
    made = (
        b'from .orbit import *\n\n__doc__ = orbit.__doc__\nif hasattr(orbit, "__all__"):\n    __all__ = orbit.__all__\n'
    )
    files = {"orbit/__init__.py": made, "orbit/__init__.pyi": b"stub", "orbit/py.typed": b""}
    found = wheel({**files, "orbit/orbit.abi3.so": b"x"})
    assert found.rewritten == {"orbit/__init__.py", "orbit/py.typed"}
    assert compare_trees(found, tree_of({"orbit.pyi": b"stub", "src/lib.rs": b"r"})).equal == 1


def test_the_folder_of_a_rust_module_is_the_one_that_the_build_names() -> None:
    moved = backend("maturin") + b'[tool.maturin]\nmanifest-path = "py/Cargo.toml"\n'
    found = sdist({"pyproject.toml": moved, "py/Cargo.toml": b"c", "py/lib.rs": b"r"})
    tree = tree_of({"pyproject.toml": b"of all", "py/pyproject.toml": b"x", "py/Cargo.toml": b"c", "py/lib.rs": b"r"})
    assert find_project_folder(tree, "", found) == "py/"
    elsewhere = moved.replace(b"py/Cargo", b"../../etc/Cargo")
    assert find_project_folder(tree, "", sdist({"pyproject.toml": elsewhere, "py/lib.rs": b"r"})) == ""


def test_a_rewritten_file_counts_only_where_it_is_the_same() -> None:
    found = sdist({"pyproject.toml": backend("maturin"), "Cargo.lock": b"lock", "src/lib.rs": b"r"})
    same = tree_of({"pyproject.toml": b"as committed", "Cargo.lock": b"lock", "src/lib.rs": b"r"})
    assert compare_trees(found, same) == Match("", 2, (), (), 1)


def test_a_vendored_crate_may_be_absent_and_not_another() -> None:
    found = sdist({"a.py": b"a", "v/c/.cargo-checksum.json": b"{}", "v/c/lib.rs": b"r"})
    assert compare_trees(found, tree_of({"a.py": b"a"})) == Match("", 1, (), (), 2)
    assert compare_trees(found, tree_of({"a.py": b"a", "v/c/lib.rs": b"x"})).differing == ("v/c/lib.rs",)


def test_what_only_begins_as_maturin_writes_it_is_compared() -> None:
    made = b'from .o import *\n\n__doc__ = o.__doc__\nif hasattr(o, "__all__"):\n    __all__ = o.__all__\n'
    assert not wheel({"o/__init__.py": made + b"import more\n"}).rewritten


def test_files_of_submodules_and_files_that_the_build_moves() -> None:
    found = sdist({"a.py": b"a", "vendor/lib/x.c": b"x", "README.md": b"of the binding", "src/o/t.py": b"t"})
    tree = tree_of({"a.py": b"a", "README.md": b"of all", "py/README.md": b"of the binding", "py/src/o/t.py": b"t"})
    assert compare_trees(found, tree | {"vendor/lib": (MODULE, "1" * 40)}) == Match("py/", 3, (), (), 1)


def test_the_packages_own_folder_is_compared_though_hardly_a_file_is_the_same() -> None:
    found = sdist({"pyproject.toml": b"new", "README.md": b"new", "o/a.py": b"new a", "o/b.py": b"b"})
    tree = tree_of(
        {f"{at}{path}": b"old " + path.encode() for at in ("", "libs/o/") for path in found if at or path[0] != "o"}
    )
    match = compare_trees(found, tree)
    assert (match.prefix, match.differing) == ("libs/o/", ("README.md", "o/a.py", "o/b.py", "pyproject.toml"))


def test_a_link_inside_the_sdist_is_compared_and_not_followed() -> None:
    found = read(tar_of((member("a/docs/x.md", tarfile.SYMTYPE, "../x.md"), b""), (member("a/x.md"), b"x")))
    assert found == {"docs/x.md": names(b"../x.md"), "x.md": names(b"x")}


# Hostile archives


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def zip_of(files: Contents, mode: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()


def read(data: bytes, name: str = SDIST) -> Files:
    return read_sdist(name, data, sha256=False, deadline=time.monotonic() + 20)


def huge_header() -> bytes:
    """A header that says of itself that its text has 200 MiB."""
    info = member("x", tarfile.XHDTYPE)
    info.size = 200 * 2**20
    return gzip.compress(info.tobuf() + bytes(2 * 2**20))


def negative_size() -> bytes:
    block = bytearray(member("a/b").tobuf())
    block[124:136] = b"\xff" * 11 + b"\x00"  # base 256, negative
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return gzip.compress(bytes(block) + bytes(1024))


def sparse() -> bytes:
    info = member("a/b")
    info.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(2**50)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (tar_of((member("a/../../etc/passwd"), b"x")), "outside"),
        (tar_of((member("/etc/passwd"), b"x")), "outside"),
        (tar_of((member("a//b"), b"x")), "outside"),
        (tar_of((member("a\\..\\b"), b"x")), "outside"),
        (tar_of((member("C:/b"), b"x")), "outside"),
        (tar_of((member("a/b", tarfile.SYMTYPE, "/etc/passwd"), b"")), "a link"),
        (tar_of((member("a/b", tarfile.SYMTYPE, "../x"), b"")), "a link"),
        (tar_of((member("a/b", tarfile.LNKTYPE, "a/c"), b"")), "a link"),
        (tar_of((member("a/b", tarfile.CHRTYPE), b"")), "a device"),
        (tar_of((member("a/b", tarfile.FIFOTYPE), b"")), "a device"),
        (tar_of((member("a/b"), b"x"), (member("c/d"), b"x")), "2 folders"),
        (tar_of(), "0 folders|not in order"),  # the latter on 3.10
        (huge_header(), "a header of it|cannot be read"),  # newer Pythons refuse it themselves
        (sparse(), "sparse|more than 256 MiB"),
        (negative_size(), "more than 256 MiB|cannot be read|not in order"),
        (b"no gzip", "cannot be read"),
        (tar_of((member("a/b"), b"x" * 5000))[:-40], "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_a_hostile_tar_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zip_of({"a/../../b": b"x"}), "outside"),
        (zip_of({"/b": b"x"}), "outside"),
        (zip_of({"a/b": b"/etc/passwd"}, stat.S_IFLNK | 0o777), "a link"),
        (zip_of({"a/b": b"x" * 1000})[:-30], "cannot be read"),
        (zip_of({"a/b": b"x" * 1000}).replace(b"\xe8\x03\x00\x00", b"\xe7\x03\x00\x00"), "size differs|cannot be read"),
        (b"no zip", "cannot be read"),
    ],
)
def test_a_hostile_zip_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read(data, "orbit-demo-0.2.0.zip")


def test_bombs_are_refused_before_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives_module, "MOST_BYTES", 2**20)
    monkeypatch.setattr(archives_module, "MOST_MEMBERS", 50)
    zeros = bytes(2**20 + 1)
    for data, name in ((tar_of((member("a/b"), zeros)), SDIST), (zip_of({"a/b": zeros}), "x-1.zip")):
        assert len(data) < 2**14
        with pytest.raises(Refused, match="unpacks to more than 1 MiB"):
            read(data, name)
    many = {f"a/{number}": b"" for number in range(51)}
    for data, name in ((tar_of(*((member(path), b"") for path in many)), SDIST), (zip_of(many), "x-1.zip")):
        with pytest.raises(Refused, match="more than 50 members"):
            read(data, name)


def test_another_format_is_refused() -> None:
    with pytest.raises(Refused, match="neither"):
        read(b"", "orbit-demo-0.2.0.tar.bz2")


def test_a_refused_archive_is_not_compared(world: World) -> None:
    world.upload(SDIST, tar_of((member("a/b", tarfile.SYMTYPE, "/etc/passwd"), b"")), version="0.2.0")
    assert f"index pypi: {SDIST} is not compared: a member is a link" in world.why()


def test_a_name_that_is_no_text(world: World) -> None:
    """Bytes that are not UTF-8 are spelt alike from both sides, and can be written to JSON."""
    files = world.tree(world.commit("chore: release", project("0.2.0")))
    members = [(member(f"orbit_demo-0.2.0/{name}"), data) for name, data in files.items()]
    world.upload(SDIST, tar_of(*members, (member("orbit_demo-0.2.0/caf\udce9"), b"x")), version="0.2.0")
    found = world.published()
    assert found.candidates[0].absent == ("caf\\xe9",) and msgspec.json.encode(found).decode()
