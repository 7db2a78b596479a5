"""The demo world: its index by real clients, its git and GitHub facts in each scenario, and that nothing is left."""

from __future__ import annotations

import http.client
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.metadata import parse_email
from pypi_simple import ACCEPT_HTML_ONLY, ACCEPT_JSON_ONLY, NoSuchProjectError, ProjectStatus, PyPISimple

from release_state.demo.dists import build_sdist, build_wheel, wheel_metadata
from release_state.demo.git import GitError
from release_state.demo.loopback import Request
from release_state.demo.scenarios import SCENARIOS
from tests.standins.index import IndexServer
from tests.standins.services import Reply
from tests.standins.world import NOW, World
from tests.support.built import built, state_of

WHEEL, SDIST = "orbit_demo-0.2.0-py3-none-any.whl", "orbit_demo-0.2.0.tar.gz"
UPLOADED = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=timezone.utc)


def pip(*args: str, cwd: Path) -> str:
    """Run pip with no configuration of this machine's; its output."""
    env = {name: value for name, value in os.environ.items() if not name.lower().startswith(("pip_", "python"))}
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        env.pop(proxy, None)
    env |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1"}
    command = [sys.executable, "-m", "pip", *args]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def api(world: World, path: str, token: str | None = None) -> Any:
    """GET one answer of the GitHub stand-in."""
    request = urllib.request.Request(f"{world.github.url}/repos/{world.repository}{path}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


class Answer(NamedTuple):
    """An answer of the index."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


def get(index: IndexServer, path: str, accept: str = "*/*", method: str = "GET") -> Answer:
    """One request without following redirects."""
    address = ("127.0.0.1", int(index.url.rsplit(":", 1)[1]))
    with closing(http.client.HTTPConnection(*address, timeout=5)) as connection:
        connection.request(method, path, headers={"Accept": accept})
        with connection.getresponse() as answer:
            return Answer(answer.status, answer.headers, answer.read())


# ---- distributions


def test_distributions_have_the_same_bytes_each_time() -> None:
    """Nothing of the moment or the machine is in them."""
    made = [build_wheel("Orbit.Demo", "1.0", sources={"orbit_demo/__init__.py": b""}) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0][0] == "orbit_demo-1.0-py3-none-any.whl"
    sdists = [build_sdist("Orbit.Demo", "1.0", files={"b": b"", "a": b"1"}) for _ in range(2)]
    assert sdists[0] == sdists[1]
    assert sdists[0][0] == "orbit_demo-1.0.tar.gz"


def test_metadata_is_valid() -> None:
    """The wheel's metadata has the fields asked for and no unknown one."""
    _, wheel = build_wheel("orbit-demo", "1.0", sources={}, requires_python=">=3.12")
    raw, unparsed = parse_email(wheel_metadata(wheel))
    assert not unparsed
    assert (raw["metadata_version"], raw["name"], raw["version"]) == ("2.4", "orbit-demo", "1.0")
    assert (raw["requires_python"], raw["license_expression"]) == (">=3.12", "MIT")


# ---- the index


@pytest.fixture
def index() -> Iterator[IndexServer]:
    """An index with a wheel that has everything, a yanked sdist, and a version without files."""
    with IndexServer() as server:
        name, wheel = build_wheel("orbit-demo", "0.2.0", sources={}, requires_python=">=3.10, <4")
        server.upload("pypi", name, wheel, UPLOADED, provenance={"version": 1, "attestation_bundles": []})
        name, sdist = build_sdist("orbit-demo", "0.2.0", files={})
        server.upload("pypi", name, sdist, UPLOADED, requires_python=None)
        server.yank("pypi", name, 'broken <&> "build"')
        server.list_version("pypi", "0.3.0")
        server.set_status("pypi", "archived", "done & dusted")
        yield server


@pytest.mark.parametrize("accept", [ACCEPT_JSON_ONLY, ACCEPT_HTML_ONLY], ids=["json", "html"])
def test_pypi_simple_reads_the_project_page(index: IndexServer, accept: str) -> None:
    """Every field of a page that an independent client knows arrives in both forms."""
    with PyPISimple(index.index_url("pypi"), accept=accept) as client:
        page = client.get_project_page("Orbit_Demo")
        wheel, sdist = page.packages
        assert client.get_package_metadata_bytes(wheel) == wheel_metadata(index.files("pypi", WHEEL)[0].content)
        assert client.get_index_page().projects == ["orbit-demo"]
        with pytest.raises(NoSuchProjectError):
            client.get_project_page("orbit")
    assert page.repository_version == "1.4"
    assert (page.status, page.status_reason) == (ProjectStatus.ARCHIVED, "done & dusted")
    assert page.last_serial == "5"
    assert (wheel.filename, wheel.version, wheel.package_type) == (WHEEL, "0.2.0", "wheel")
    assert (wheel.requires_python, wheel.is_yanked, wheel.has_metadata) == (">=3.10, <4", False, True)
    assert wheel.digests == {"sha256": index.files("pypi", WHEEL)[0].sha256}
    assert wheel.metadata_digests is not None
    assert set(wheel.metadata_digests) == {"sha256"}
    assert (sdist.filename, sdist.package_type, sdist.requires_python) == (SDIST, "sdist", None)
    assert (sdist.is_yanked, sdist.yanked_reason) == (True, 'broken <&> "build"')
    assert not sdist.has_metadata
    assert wheel.provenance_url is not None
    assert sdist.provenance_url is None
    with urllib.request.urlopen(wheel.provenance_url) as answer:
        assert json.load(answer) == {"version": 1, "attestation_bundles": []}
    if accept == ACCEPT_JSON_ONLY:
        assert page.versions == ["0.2.0", "0.3.0"]
        assert (wheel.size, wheel.upload_time) == (len(index.files("pypi", WHEEL)[0].content), UPLOADED)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "text/html; charset=utf-8"),
        ("application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+json"),
        ("application/vnd.pypi.simple.latest+json", "application/vnd.pypi.simple.v1+json"),
        (
            "application/vnd.pypi.simple.v1+json;q=0.1, application/vnd.pypi.simple.v1+html, text/html;q=0.01",
            "application/vnd.pypi.simple.v1+html; charset=utf-8",
        ),
        ("application/vnd.pypi.simple.v1+json;q=0, text/html", "text/html; charset=utf-8"),
    ],
)
def test_the_form_follows_accept(index: IndexServer, accept: str, kind: str) -> None:
    """The preferred form is chosen among those that the client takes."""
    answer = get(index, "/pypi/simple/orbit-demo/", accept)
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)


def test_statuses_and_redirects(index: IndexServer) -> None:
    """Unknown is 404, an unnormalized name or a missing slash is redirected, an unknown form is 406."""
    assert get(index, "/pypi/simple/orbit-demo/", "image/png").status == 406
    for path in ("/pypi/simple/Orbit_Demo/", "/pypi/simple/orbit-demo"):
        answer = get(index, path)
        assert (answer.status, answer.headers["Location"]) == (301, "/pypi/simple/orbit-demo/")
    for path in (
        "/testpypi/simple/orbit-demo/",
        "/conda/simple/",
        "/pypi/files/x.whl",
        f"/pypi/files/{SDIST}.metadata",
    ):
        assert get(index, path).status == 404
    head = get(index, f"/pypi/files/{WHEEL}", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert [(request.method, request.status) for request in index.requests[-2:]] == [("GET", 404), ("HEAD", 200)]


def test_json_api(index: IndexServer) -> None:
    """The JSON API describes the latest release and each version."""
    latest = json.loads(get(index, "/pypi/pypi/orbit-demo/json").body)
    assert (latest["info"]["version"], latest["info"]["yanked"]) == ("0.2.0", False)
    assert {name: len(files) for name, files in latest["releases"].items()} == {"0.2.0": 2, "0.3.0": 0}
    index.yank("pypi", "0.2.0", "bad")
    version = json.loads(get(index, "/pypi/pypi/orbit-demo/0.2.0/json").body)
    assert (version["info"]["yanked"], version["info"]["yanked_reason"]) == (True, "bad")
    assert [file["yanked"] for file in version["urls"]] == [True, True]
    assert get(index, "/pypi/pypi/orbit-demo/9.9/json").status == 404


def test_changes_while_it_serves(index: IndexServer) -> None:
    """Yanks, their withdrawal and deletions show at once; a file name is taken once."""

    def page() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            get(index, "/pypi/simple/orbit-demo/", "application/vnd.pypi.simple.v1+json").body
        )
        return found

    index.yank("pypi", "0.2.0")
    assert [file["yanked"] for file in page()["files"]] == [True, True]
    index.unyank("pypi", SDIST)
    assert [file["yanked"] for file in page()["files"]] == [True, False]
    with pytest.raises(ValueError, match="exists"):
        index.upload("pypi", SDIST, b"", UPLOADED)
    index.delete("pypi", WHEEL)
    assert [file["filename"] for file in page()["files"]] == [SDIST]
    index.delete("pypi", "0.2.0", keep_listed=True)
    assert (page()["files"], page()["versions"]) == ([], ["0.2.0", "0.3.0"])
    index.upload("pypi", "orbit_demo-old.exe", b"x", UPLOADED, version="not a version")
    assert page()["versions"] == ["not a version", "0.2.0", "0.3.0"]
    with pytest.raises(KeyError):
        index.yank("pypi", "7.7")


def test_faults_on_request(index: IndexServer) -> None:
    """An intercept can answer, cut an answer short, and cut the line; a waiting answer does not hold up the stop."""
    replies = [Reply(503, body=b"no"), Reply(200, body=b"0123456789", truncate=4), Reply(drop=True), Reply(delay=60)]

    def intercept(_request: Request) -> Reply | None:
        return replies.pop(0) if replies else None

    index.intercept = intercept
    assert get(index, "/pypi/simple/").status == 503
    with pytest.raises(http.client.IncompleteRead):
        get(index, "/pypi/simple/")
    with pytest.raises(http.client.RemoteDisconnected):
        get(index, "/pypi/simple/")
    ends: list[str] = []

    def wait() -> None:
        try:
            get(index, "/pypi/simple/")
        except (http.client.HTTPException, OSError):
            ends.append("cut")

    waiting = threading.Thread(target=wait)
    connection = http.client.HTTPConnection("127.0.0.1", int(index.url.rsplit(":", 1)[1]))
    waiting.start()
    connection.connect()  # an idle connection must not hold up the stop either
    while replies:
        waiting.join(0.01)
    began = datetime.now(timezone.utc)
    index.stop()
    assert datetime.now(timezone.utc) - began < timedelta(seconds=2)
    connection.close()
    waiting.join(5)
    assert ends == ["cut"]


# ---- pip


def test_pip_installs_downloads_and_builds(tmp_path: Path) -> None:
    """The real pip installs the wheel, takes the sdist and builds it, all from the loopback index and nothing else."""
    with World() as world:
        SCENARIOS["released"].build(world)
        source = ("--index-url", world.index_url("pypi"), "--no-deps", "--quiet")
        pip("install", *source, "--target", "site", "orbit-demo==0.2.0", cwd=tmp_path)
        assert '__version__ = "0.2.0"' in (tmp_path / "site/orbit_demo/__init__.py").read_text()
        assert (tmp_path / "site/orbit_demo-0.2.0.dist-info/licenses/LICENSE").exists()
        pip("wheel", *source, "--no-binary", "orbit-demo", "--wheel-dir", "built", "orbit-demo", cwd=tmp_path)
        asked = [request.path for request in world.index.requests if request.status == 200]
        published = world.index.files("pypi", WHEEL)[0].content
    assert f"/pypi/files/{SDIST}" in asked
    built = (tmp_path / "built" / WHEEL).read_bytes()
    assert parse_email(wheel_metadata(built)) == parse_email(wheel_metadata(published))


def test_pip_avoids_what_was_rolled_back(tmp_path: Path) -> None:
    """Without a pin, pip takes the last release that is not yanked."""
    with World() as world:
        SCENARIOS["rolled-back"].build(world)
        pip("download", "--index-url", world.index_url("pypi"), "--quiet", "orbit-demo", cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["orbit_demo-0.1.0-py3-none-any.whl"]


def test_the_sdist_is_the_tree_of_the_release_commit() -> None:
    """Apart from PKG-INFO, the sdist holds what the tagged commit holds."""
    with World() as world:
        tree = world.remote_git.files("v0.1.0")
        (sdist,) = world.index.files("pypi", "orbit_demo-0.1.0.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(sdist.content)) as archive:
        members = {
            member.name.removeprefix("orbit_demo-0.1.0/"): content.read()
            for member in archive
            if (content := archive.extractfile(member))
        }
    assert members.pop("PKG-INFO").startswith(b"Metadata-Version: 2.4\nName: orbit-demo\nVersion: 0.1.0\n")
    assert members == tree
    assert b'version = "0.1.0"' in tree["pyproject.toml"]


# ---- the world


def test_nothing_is_left_behind() -> None:
    """The directory and the threads are gone after the end, also when that is an exception."""
    before = set(threading.enumerate())
    with pytest.raises(RuntimeError, match="on purpose"), World() as world:
        assert world.root.is_dir()
        api(world, "")
        raise RuntimeError("on purpose")
    assert not world.root.exists()
    assert set(threading.enumerate()) == before


def test_a_start_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A world that could not be built removes what it had begun."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(World, "ci", lambda *_: 1 / 0)
    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError), World():
        pass
    assert not list(tmp_path.iterdir())
    assert set(threading.enumerate()) == before


def test_hashes_are_the_same_in_each_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the user's git settings nor the moment have a part in a commit or a file."""

    def build() -> tuple[dict[str, str], list[str]]:
        with World() as world:
            SCENARIOS["released"].build(world)
            return world.remote_git.refs(), [file.sha256 for file in world.index.files("pypi")]

    first = build()
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "reference-transaction").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "reference-transaction").chmod(0o755)
    (tmp_path / "config").write_text(
        f"[user]\nname = Someone Else\nsigningkey = 0\n[commit]\ngpgSign = true\n[tag]\ngpgSign = true\n"
        f"[core]\nhooksPath = {hooks}\nautocrlf = true\n[init]\ndefaultBranch = trunk\n[protocol]\nallow = never\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Someone Else")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert build() == first


def test_now_moves_every_time() -> None:
    """The world's times follow `now`."""
    with World(NOW - timedelta(days=365)) as world:
        assert world.time == NOW - timedelta(days=366)
        assert all(file.upload_time < world.time for file in world.index.files("pypi"))
        dates = world.remote_git.run("log", "--all", "--format=%ct").split()
        assert all(int(date) < world.time.timestamp() for date in dates)


def test_base() -> None:
    """0.1.0 is released in full, conventional commits follow, CI is green, the clone is clean."""
    with World() as world:
        main = world.main()
        assert set(world.remote_git.refs()) == {"refs/heads/main", "refs/tags/v0.1.0", "refs/pull/1/head"}
        assert world.remote_git.run("cat-file", "-t", "v0.1.0") == "tag"
        assert world.remote_git.log("v0.1.0..main", "--no-merges") == [
            "docs: describe both orbits",
            "feat: add a second orbit",
            "fix: keep the orbit closed",
        ]
        assert world.remote_git.run("merge-base", "v0.1.0", "main") == world.remote_git.rev("v0.1.0^{}")
        assert world.clone_git.run("status", "--porcelain=v2", "--branch").splitlines() == [
            f"# branch.oid {main}",
            "# branch.head main",
            "# branch.upstream origin/main",
            "# branch.ab +0 -0",
        ]
        assert world.clone_git.run("remote", "get-url", "origin") == world.remote_url
        assert world.remote_url.endswith(f"/{world.repository}.git")
        checks = api(world, f"/commits/{main}/check-runs")["check_runs"]
        assert {(check["name"], check["conclusion"]) for check in checks} == {
            ("test (3.10)", "success"),
            ("test (3.14)", "success"),
        }
        assert api(world, "/releases/latest")["tag_name"] == "v0.1.0"
        (pull,) = api(world, "/pulls?state=all")
        assert (pull["state"], bool(pull["merged_at"]), pull["head"]["ref"]) == ("closed", True, "release/pypi-v0.1.0")
        runs = api(world, "/actions/workflows/release.yml/runs")["workflow_runs"]
        assert [(run["status"], run["conclusion"], run["head_branch"]) for run in runs] == [
            ("completed", "success", "main")
        ]
        assert api(world, "", world.token)["permissions"]["push"]
        assert {file.version for file in world.index.files("pypi")} == {"0.1.0"}


def test_verbs_refuse_as_git_does() -> None:
    """A tag that exists, a conflicting merge and a branch that is gone are errors."""
    with World() as world:
        with pytest.raises(GitError, match="already exists"):
            world.tag("0.1.0", world.main())
        with pytest.raises(GitError):
            world.delete_branch("release/pypi-v9")
        world.push_release_branch("pypi", "0.2.0")
        number = world.open_pull("0.2.0")
        world.bump("0.3.0", "main")
        with pytest.raises(GitError):
            world.merge_pull(number)


def test_a_merge_keeps_what_main_got_meanwhile() -> None:
    """A squash of a branch that main has left behind is a merge, not a copy of the branch's tree."""
    with World() as world:
        world.push_release_branch("pypi", "0.2.0")
        world.commit("fix: polish", branch="release/pypi-v0.2.0")
        number = world.open_pull("0.2.0")
        world.commit("feat: go further", {"further.txt": b"1"})
        files = world.remote_git.files(world.merge_pull(number))
        assert files["further.txt"] == b"1"
        assert b'version = "0.2.0"' in files["pyproject.toml"]
        assert world.remote_git.run("log", "-1", "--format=%B|%cn", "main") == (
            "🚀 Release v0.2.0 to PyPI (#2)\n\n* chore(release): v0.2.0 [skip ci]\n\n* fix: polish\n|GitHub"
        )


def test_local_tags_and_removed_files() -> None:
    """A tag can be the clone's alone, and a commit can remove a file."""
    with World() as world:
        world.tag("0.2.0", world.main(), annotated=False, local=True, remote=False)
        assert "refs/tags/v0.2.0" not in world.remote_git.refs()
        assert world.clone_git.refs()["refs/tags/v0.2.0"] == world.main()
        world.clone_git.delete_ref("refs/tags/v0.2.0")
        assert "refs/tags/v0.2.0" not in world.clone_git.refs()
        world.commit("chore: drop the readme", {"README.md": None})
        world.sync_clone()
        assert not (world.clone / "README.md").exists()


# ---- the scenarios

BRANCH, TAG, RELEASE = "branch", "tag", "GitHub Release"
FACTS: dict[str, tuple[set[str], str, str | None, str | None]] = {
    # what exists on GitHub; of the index: absent, published or yanked; the pull request; a line of the last run's log
    "clean": (set(), "absent", None, None),
    "branch-exists": ({BRANCH}, "absent", None, "fatal: a branch named 'release/pypi-v0.2.0' already exists"),
    "tag-exists": ({TAG}, "absent", None, "fatal: tag 'v0.2.0' already exists"),
    "version-published": (set(), "published", None, "released=skipped"),
    "pr-failed": ({BRANCH, TAG}, "published", None, "creating pull request failed"),
    "partial": ({BRANCH, TAG}, "published", "open", "502"),
    "released": ({TAG, RELEASE}, "published", "merged", None),
    "testpypi-released": (set(), "absent", None, None),
    "rolled-back": (set(), "yanked", "closed", None),
}


@pytest.mark.parametrize("name", FACTS)
def test_scenario(name: str) -> None:
    """The facts of the scenario are as described, in git, on the index and by the API."""
    scenario = SCENARIOS[name]
    traces, on_index, pull_state, log_line = FACTS[name]
    with World() as world:
        scenario.build(world)
        lines = world.clone_git.run("ls-remote", world.remote_url).splitlines()
        remote = {ref: sha for sha, ref in (line.split("\t") for line in lines)}
        assert (f"refs/heads/release/{scenario.channel}-v0.2.0" in remote) == (BRANCH in traces)
        assert not [ref for ref in remote if "release/testpypi" in ref]
        assert ("refs/tags/v0.2.0^{}" in remote) == (TAG in traces)

        releases = {entry["tag_name"] for entry in api(world, "/releases", world.token)}
        assert releases == ({"v0.1.0", "v0.2.0"} if RELEASE in traces else {"v0.1.0"})
        assert api(world, "/releases/latest")["tag_name"] == ("v0.2.0" if RELEASE in traces else "v0.1.0")
        pulls = [pull for pull in api(world, "/pulls?state=all") if "Release v0.2.0" in pull["title"]]
        assert [("merged" if pull["merged_at"] else pull["state"]) for pull in pulls] == [
            state for state in [pull_state] if state
        ]
        for pull in pulls:
            assert remote[f"refs/pull/{pull['number']}/head"] == pull["head"]["sha"]

        files = world.index.files("pypi", "0.2.0")
        assert sorted(file.filename for file in files) == ([] if on_index == "absent" else [WHEEL, SDIST])
        assert all((file.yanked is not False) == (on_index == "yanked") for file in files)
        assert {file.version for file in world.index.files("testpypi")} == {"0.2.0rc1" if name == "clean" else "0.2.0"}

        # Whatever the scenario, main's head is green, no run is under way, and the clone is clean and up to date.
        main = remote["refs/heads/main"]
        checks = api(world, f"/commits/{main}/check-runs")["check_runs"]
        assert {check["conclusion"] for check in checks} == {"success"}
        runs = api(world, "/actions/workflows/release.yml/runs")["workflow_runs"]
        assert {run["status"] for run in runs} == {"completed"}
        assert world.clone_git.run("status", "--porcelain") == ""
        assert world.clone_git.rev("HEAD") == world.clone_git.rev("origin/main") == main
        if log_line:
            job = api(world, f"/actions/runs/{runs[0]['id']}/jobs")["jobs"][0]
            assert job["conclusion"] == ("success" if name == "version-published" else "failure")
            log = urllib.request.Request(f"{world.github.url}/repos/{world.repository}/actions/jobs/{job['id']}/logs")
            log.add_header("Authorization", f"Bearer {world.token}")
            with urllib.request.urlopen(log) as answer:
                assert log_line in answer.read().decode()
        else:
            assert runs[0]["conclusion"] == "success"


def test_what_the_commits_of_scenarios_are() -> None:
    """The orphaned branch has one commit that main lacks; the published version is on main's line, or squashed."""
    with World() as world:
        SCENARIOS["branch-exists"].build(world)
        assert world.remote_git.log("main..release/pypi-v0.2.0") == ["chore(release): v0.2.0 [skip ci]"]
    with World() as world:
        SCENARIOS["version-published"].build(world)
        assert b'version = "0.2.0"' in world.remote_git.files("main")["pyproject.toml"]
    with World() as world:
        SCENARIOS["released"].build(world)
        (branch_commit,) = world.remote_git.log("main..v0.2.0")
        assert branch_commit == "chore(release): v0.2.0 [skip ci]"
        assert world.remote_git.log("-1", "main") == ["chore(release): v0.2.0 [skip ci] (#2)"]
        assert world.remote_git.rev("main^{tree}") == world.remote_git.rev("v0.2.0^{tree}")


def test_scenarios_are_described() -> None:
    """Each has the name that it is called by and one line of text."""
    for name, scenario in SCENARIOS.items():
        assert scenario.name == name
        assert scenario.description
        assert "\n" not in scenario.description
        assert (scenario.exit_code == 0) == (scenario.verdict != "ACTION NEEDED")


def test_a_copied_world_is_as_the_built_one_and_goes_on_alike() -> None:
    """Most tests use copies: git, GitHub and the indexes hold the same, and so they do after one release more."""
    with World() as world, built("released", SCENARIOS["released"].build) as copy:
        SCENARIOS["released"].build(world)
        for further in (False, True):
            for each in (world, copy):
                if further:
                    each.release("pypi", "0.3.0")
                    each.sync_clone()
            assert state_of(copy) == state_of(world)
            assert copy.clone_git.run("remote", "get-url", "origin") == copy.remote_url
            texts = [path.read_bytes() for path in copy.clone.rglob("*") if path.is_file()]
            assert not [text for text in texts if world.root.name.encode() in text]
        copy.index.yank("pypi", "0.3.0")
        assert state_of(copy) != state_of(world)
    with built("released", SCENARIOS["released"].build) as other:
        assert not other.index.files("pypi", "0.3.0")
        assert other.root != copy.root
