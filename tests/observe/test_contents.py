"""Whether the wheels of a version have a module: the names in them, read from an index on loopback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone

import pytest

from release_state.demo.dists import build_sdist, build_wheel
from release_state.model.observation import Observation
from release_state.model.snapshot import Contents
from release_state.model.target import Channel
from release_state.observe.http.client import HttpClient
from release_state.observe.index.index import observe_index
from release_state.observe.published.contents import (
    compare_contents,
    find_module,
    find_package,
    has_source,
    observe_contents,
)
from tests.standins.index import IndexServer
from tests.standins.services import Reply

WHEN = datetime(2026, 1, 2, tzinfo=timezone.utc)
PACKAGE = {"orbit_demo/__init__.py": b""}


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer() as server:
        yield server


def wheel(index: IndexServer, sources: Mapping[str, bytes], version: str = "0.2.0", tag: str = "py3-none-any") -> None:
    name, content = build_wheel("orbit-demo", version, sources=sources)
    index.upload("pypi", name.replace("py3-none-any", tag), content, WHEN)


def sdist(index: IndexServer, files: Mapping[str, bytes]) -> None:
    index.upload("pypi", *build_sdist("orbit-demo", "0.2.0", files=files), WHEN)


def observe(index: IndexServer, before: str | None = None) -> Observation[Contents]:
    channel, client = Channel(name="pypi", index_url=index.index_url("pypi")), HttpClient(9)
    files = observe_index(client, channel, "orbit-demo", "0.2.0").present().files
    index.requests.clear()
    return observe_contents(client, channel, "Orbit.Demo", files, before=before)


def found(index: IndexServer, before: str | None = None) -> tuple[int, str, str]:
    """How many wheels are empty, and which file has what."""
    contents = observe(index, before).present()
    return len(contents.empty), contents.module, contents.holder


def test_a_wheel_with_a_module_takes_one_request(index: IndexServer) -> None:
    wheel(index, PACKAGE)
    sdist(index, {})
    assert found(index) == (0, "orbit_demo/__init__.py", "orbit_demo-0.2.0-py3-none-any.whl")
    assert len(index.requests) == 1


def test_the_sdist_says_what_an_empty_wheel_lacks(index: IndexServer) -> None:
    wheel(index, {"tests/test_it.py": b""})
    sdist(index, {f"src/{path}": content for path, content in PACKAGE.items()})
    assert found(index) == (1, "src/orbit_demo/__init__.py", "orbit_demo-0.2.0.tar.gz")


def test_another_wheel_says_it(index: IndexServer) -> None:
    wheel(index, {})
    wheel(index, PACKAGE, tag="cp313-cp313-win_amd64")
    assert found(index) == (1, "orbit_demo/__init__.py", "orbit_demo-0.2.0-cp313-cp313-win_amd64.whl")


def test_a_wheel_of_the_version_before_says_it(index: IndexServer) -> None:
    wheel(index, PACKAGE, version="0.1.0")
    wheel(index, {})
    assert found(index) == (1, "", "")
    assert found(index, before="0.1.0") == (1, "orbit_demo/__init__.py", "orbit_demo-0.1.0-py3-none-any.whl")


def test_the_wheel_is_compared_with_the_sdist(index: IndexServer) -> None:
    """What this run has downloaded takes no request; what it lacks is had from the index, or unknown."""
    record = "orbit_demo-0.2.0.dist-info/entry_points.txt"
    wheel(index, {"orbit_demo/__init__.py": b"", record: b"[pytest11]\norbit = orbit_demo.gone\n"})
    sdist(index, {"orbit_demo/__init__.py": b"X = 1\n"})
    channel, client = Channel(name="pypi", index_url=index.index_url("pypi")), HttpClient(9)
    files = observe_index(client, channel, "orbit-demo", "0.2.0").present().files
    downloaded: dict[str, bytes] = {}
    read = observe_contents(client, channel, "orbit-demo", files, downloaded=downloaded).present()
    assert len(downloaded) == 1 and not read.doubtful
    source = next(file.filename for file in files if file.kind == "sdist")

    def compare() -> Observation[Contents]:
        return compare_contents(client, channel, "orbit-demo", files, read, source, downloaded)

    found = compare().present()
    assert found.wrong == read.wrong == (f"{read.holder}: its entry point orbit names orbit_demo.gone, which it lacks",)
    assert found.doubtful == (f"{read.holder} has another content of orbit_demo/__init__.py",)
    index.requests.clear()
    assert compare().present() == found and not index.requests
    index.intercept = lambda request: Reply(404)
    downloaded.clear()
    assert compare().unavailable is not None


def test_a_metapackage_has_no_module_anywhere(index: IndexServer) -> None:
    wheel(index, {})
    sdist(index, {"setup.py": b"", "docs/conf.py": b"", "tests/__init__.py": b""})
    assert found(index) == (1, "", "")


def test_a_version_without_a_wheel_has_none_to_read(index: IndexServer) -> None:
    sdist(index, PACKAGE)
    assert observe(index).value is None and observe(index).unavailable is None


@pytest.mark.parametrize("reply", [Reply(404), Reply(200, body=b"another file")])
def test_a_wheel_that_could_not_be_had_is_unknown(index: IndexServer, reply: Reply) -> None:
    wheel(index, {})
    index.intercept = lambda request: reply if "/files/" in request.path else None
    assert observe(index).unavailable is not None


def test_a_wheel_that_cannot_be_read_is_unknown(index: IndexServer) -> None:
    wheel(index, {})
    (stored,) = index.files("pypi", "0.2.0")
    stored.content, stored.metadata = b"garbage", None
    problem = observe(index).unavailable
    assert problem is not None and "cannot be read (BadZipFile)" in problem.why


@pytest.mark.parametrize(
    ("path", "is_module"),
    [
        ("orbit/__init__.py", True),
        ("orbit.py", True),
        ("orbit-stubs/__init__.pyi", True),
        ("_orbit.cpython-313-x86_64-linux-gnu.so", True),
        ("orbit-1.data/purelib/orbit.py", True),
        ("orbit-1.data/scripts/run.py", False),
        ("orbit-1.data/purelib", False),
        ("orbit-1.dist-info/licenses/x.py", False),
        ("tests/test_orbit.py", False),
        ("LICENSE", False),
        ("__editable__.orbit.pth", False),
        ("", False),
    ],
)
def test_what_counts_as_a_module(path: str, is_module: bool) -> None:
    assert (find_module([path], "orbit") == path) == (is_module or not path)
    assert find_module(["tests/x.py"], "orbit-tests") == "tests/x.py"


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("orbit/__init__.py", True),
        ("python/orbit/__init__.py", True),
        ("src/orbit.py", True),
        ("orbit.py", True),
        ("other.py", False),
        ("setup.py", False),
        ("__init__.py", False),
        ("tests/orbit/__init__.py", False),
        (".github/x/__init__.py", False),
    ],
)
def test_what_an_sdist_holds_for_a_wheel(path: str, counts: bool) -> None:
    assert bool(find_package([path, "README.md"], "orbit")) == counts


@pytest.mark.parametrize(
    ("paths", "counts"),
    [
        (["pyproject.toml", "README.md", "LICENSE", "noxfile.py", "tests/test_a.py", "docs/conf.py"], False),
        (["pyproject.toml", "src/orbit/__init__.py"], True),
        (["pyproject.toml", "orbit.py"], True),
        (["pyproject.toml", "Cargo.toml", "src/lib.rs"], True),
        (["pyproject.toml", "setup.py"], True),
        (["pyproject.toml", "fonts/a.ttf"], True),
    ],
)
def test_what_a_build_can_install_from_an_sdist(paths: list[str], counts: bool) -> None:
    assert has_source(paths, "orbit") is counts
