"""The installation check and the search for a Python, with real environments and an index on loopback."""

from __future__ import annotations

import os
import re
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from threading import Event, Timer
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from msgspec import structs
from packaging.specifiers import InvalidSpecifier

from release_state.demo.dists import build_sdist, build_wheel
from release_state.demo.loopback import Request
from release_state.model.observation import Observation
from release_state.model.snapshot import IndexFile, Installation
from release_state.model.target import Channel
from release_state.observe.install.installation import observe_installation
from release_state.observe.install.interpreters import build_clean_environment, find_interpreter
from release_state.observe.install.pip import PipEnded, judge_failure
from release_state.observe.process import FolderLimit, run_bounded
from tests.standins.index import IndexServer
from tests.standins.services import Reply
from tests.support.facts import build

WHEN = datetime(2026, 1, 2, tzinfo=timezone.utc)
RUNNING = ".".join(map(str, sys.version_info[:3]))


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with IndexServer() as server:
        yield server


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the private directories are made: nothing may be left there."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def wheel(name: str, version: str, requires: Sequence[str] = (), pth: bytes | None = None) -> tuple[str, bytes]:
    """A wheel, with dependencies where they are asked for: those go in as a field of the metadata."""
    summary = "\nRequires-Dist: ".join(["demo", *requires])
    sources = {f"{name.replace('-', '_')}/__init__.py": b""} | ({} if pth is None else {"orbit.pth": pth})
    return build_wheel(name, version, sources=sources, summary=summary)


def publish(index: IndexServer, channel: str, *dists: tuple[str, bytes]) -> None:
    for filename, content in dists:
        index.upload(channel, filename, content, WHEN)


def listed(filename: str = "orbit_demo-0.2.0-py3-none-any.whl", **fields: Any) -> IndexFile:
    kind = "wheel" if filename.endswith(".whl") else "sdist"
    return build(IndexFile, filename=filename, version="0.2.0", kind=kind, url="https://x/", **fields)


def install(
    index: IndexServer | str,
    *,
    files: Sequence[IndexFile] | None = None,
    dependencies: str | None = None,
    timeout: float = 60,
    environ: Mapping[str, str] | None = None,
    cancel: Event | None = None,
    **allowed: Any,
) -> Observation[Installation]:
    url = index if isinstance(index, str) else index.index_url("testpypi")
    channel = Channel(name="testpypi", index_url=url, dependencies_index_url=dependencies)
    files = [listed()] if files is None else files
    environ = os.environ if environ is None else environ
    return observe_installation(channel, "Orbit.Demo", "0.2.0", files, timeout, environ, cancel=cancel, **allowed)


def asked(index: IndexServer, channel: str) -> set[str]:
    paths = (urlsplit(request.path).path for request in index.requests)
    return {path.split("/")[3] for path in paths if path.startswith(f"/{channel}/simple/")}


# ── installed, or not


def test_a_wheel_is_installed(index: IndexServer) -> None:
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0"), wheel("orbit-demo", "0.3.0"))
    index.yank("testpypi", "0.2.0")
    found = install(index).present()
    assert (found.attempted, found.succeeded, found.installed_version) == (True, True, "0.2.0"), found
    assert found.interpreter == f"Python {RUNNING} ({sys.executable})"
    assert found.filename == "orbit_demo-0.2.0-py3-none-any.whl"
    assert "Successfully installed orbit-demo-0.2.0" in found.detail
    assert found.seconds > 0


def test_where_pip_is_too_old_for_other_environments_the_bundled_one_is_used(
    index: IndexServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release_state.observe.install.installation._KNOWS_PYTHON", (999, 0))
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0"))
    assert install(index).present().succeeded


def test_dependencies_never_come_from_the_test_index(index: IndexServer) -> None:
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0", ["orbit-base>=1"]), wheel("orbit-base", "99.0"))
    # A circle: the dependency asks for the package itself, which the main index does not have.
    publish(index, "pypi", wheel("orbit-base", "1.0", ["orbit-demo>=0.2"]))
    found = install(index, dependencies=index.index_url("pypi")).present()
    assert found.succeeded, found
    assert "orbit-base-1.0" in found.detail
    assert asked(index, "testpypi") == {"orbit-demo"}
    assert "orbit-base" in asked(index, "pypi")


def test_dependencies_of_an_ordinary_index_come_from_it_alone(index: IndexServer) -> None:
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0", ["orbit-base"]), wheel("orbit-base", "1.0"))
    publish(index, "pypi", wheel("orbit-base", "2.0"))
    environ = {**os.environ, "PIP_EXTRA_INDEX_URL": index.index_url("pypi"), "PIP_INDEX_URL": index.index_url("pypi")}
    found = install(index, environ=environ).present()
    assert found.succeeded, found
    assert "orbit-base-1.0" in found.detail
    assert asked(index, "pypi") == set()


def test_listed_and_not_found_by_pip(index: IndexServer) -> None:
    publish(index, "testpypi", wheel("orbit-demo", "0.1.0"))
    said = problem(install(index))
    assert "did not see the files" in said and "No matching distribution found for orbit-demo==0.2.0" in said


def test_a_dependency_that_does_not_exist(index: IndexServer) -> None:
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0", ["orbit-base"]))
    found = install(index).present()
    assert (found.attempted, found.succeeded) == (True, False)
    assert "No matching distribution found for orbit-base" in found.detail.splitlines()[0]


def test_dependencies_that_contradict_each_other(index: IndexServer) -> None:
    one, two = wheel("orbit-one", "1.0", ["orbit-base==1"]), wheel("orbit-two", "1.0", ["orbit-base==2"])
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0", ["orbit-one", "orbit-two"]), one, two)
    publish(index, "testpypi", wheel("orbit-base", "1.0"), wheel("orbit-base", "2.0"))
    found = install(index).present()
    assert (found.attempted, found.succeeded) == (True, False)
    assert "conflict" in found.detail.splitlines()[0]


def test_a_file_that_is_not_what_the_index_says(index: IndexServer) -> None:
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0"))
    other = wheel("orbit-demo", "0.2.0", ["x"])[1]
    index.intercept = lambda request: Reply(200, body=other) if request.path.endswith(".whl") else None
    assert "the hash of a file differs" in problem(install(index))


def test_metadata_of_another_version(index: IndexServer) -> None:
    index.upload("testpypi", "orbit_demo-0.2.0-py3-none-any.whl", wheel("orbit-demo", "0.3.0")[1], WHEN)
    found = install(index).present()
    assert (found.attempted, found.succeeded, found.installed_version) == (True, False, None), found


def test_no_code_of_the_package_is_run(index: IndexServer, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    pth = f"import pathlib; pathlib.Path({str(mark)!r}).touch()\n".encode()
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0", pth=pth))
    assert install(index).present().succeeded
    assert not mark.exists()


# ── what cannot be installed here


SDIST, WINDOWS = listed("orbit_demo-0.2.0.tar.gz"), listed("orbit_demo-0.2.0-cp311-cp311-win_amd64.whl")


@pytest.mark.parametrize(
    ("files", "says", "settles"),
    [
        ([SDIST], "no wheel", "give --install-sdists, which builds it here and runs its code, or give --no-install"),
        ([WINDOWS], f"kind of machine: {WINDOWS.filename}", "run it on a machine that .*, or give --no-install"),
        (
            [WINDOWS, SDIST],
            "kind of machine",
            "run it on a machine that .*, or give --install-sdists.*, or give --no-install",
        ),
        ([listed("orbit_demo-what.whl")], "no wheel", "give --no-install"),
    ],
)
def test_what_cannot_be_installed_here_is_unknown(files: Sequence[IndexFile], says: str, settles: str) -> None:
    found = install("http://127.0.0.1:9/simple/", files=files).unavailable
    assert found is not None and says in found.why
    assert re.match(settles, found.remedy or "") and not found.is_temporary


def test_where_there_is_no_file_nothing_is_tried() -> None:
    found = install("http://127.0.0.1:9/simple/", files=[]).present()
    assert (found.attempted, found.left_out, found.detail) == (False, False, "the index has no file of 0.2.0")


BACKEND = b"""
import pathlib, zipfile
def build_wheel(folder, settings=None, metadata=None):
    pathlib.Path(%r).write_text("code of the package was run")
    info = "orbit_demo-0.2.0.dist-info/"
    with zipfile.ZipFile(pathlib.Path(folder, "orbit_demo-0.2.0-py3-none-any.whl"), "w") as made:
        made.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: orbit-demo\\nVersion: 0.2.0\\n")
        made.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        made.writestr(info + "RECORD", "")
    return "orbit_demo-0.2.0-py3-none-any.whl"
"""
PYPROJECT = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def test_an_sdist_is_built_where_that_is_allowed_and_only_there(index: IndexServer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    sources = {"pyproject.toml": PYPROJECT, "backend.py": BACKEND.replace(b"%r", repr(str(trace)).encode())}
    publish(index, "testpypi", build_sdist("orbit-demo", "0.2.0", files=sources))
    (file,) = index.files("testpypi", "0.2.0")
    url = f"{index.index_url('testpypi').removesuffix('simple/')}files/{file.filename}"
    files = [structs.replace(listed(file.filename), url=url)]
    assert "--install-sdists" in problem(install(index, files=files, dependencies=index.index_url("pypi")))
    assert not trace.exists()
    found = install(index, files=files, dependencies=index.index_url("pypi"), sdists=True).present()
    assert (found.succeeded, found.installed_version) == (True, "0.2.0"), found
    assert found.filename == file.filename
    assert trace.exists()


def test_what_is_installed_has_a_limit(index: IndexServer) -> None:
    sources = {"orbit_demo/data.bin": os.urandom(3 * 2**20)}
    publish(index, "testpypi", build_wheel("orbit-demo", "0.2.0", sources=sources))
    assert "more than 1 MiB" in problem(install(index, most_bytes=2**20))


def test_a_folder_that_fills_ends_the_program(tmp_path: Path) -> None:
    """Many files, each of them small."""
    room = FolderLimit(tmp_path / "room", 2**20)
    room.folder.mkdir()
    code = "for number in range(10 ** 9): open(f'{number}', 'w').write('x' * 2 ** 12)"
    started = time.monotonic()
    found = run_bounded(
        [sys.executable, "-c", code], env=dict(os.environ), cwd=room.folder, seconds=60, cancel=None, room=room
    )
    assert found.stopped == "room"
    assert time.monotonic() - started < 20


def test_a_dependency_without_a_wheel_leaves_it_open(index: IndexServer) -> None:
    sdist = build_sdist("orbit-base", "1.5", files={"setup.py": b"raise SystemExit('built')"})
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0", ["orbit-base>=1"]), sdist)
    said = problem(install(index))
    assert "orbit-base" in said and "--install-sdists" in said and "--no-install" in said


@pytest.mark.parametrize(("marker", "applies"), [("", True), ("; extra == 'dev'", False)])
def test_a_dependency_by_url_is_not_followed(index: IndexServer, marker: str, applies: bool) -> None:
    dependency = f"orbit-base @ {index.url}/evil/orbit_base-1.0.tar.gz {marker}"
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0", [dependency]))
    found = install(index)
    assert ("is a direct URL" in problem(found)) if applies else found.present().attempted
    assert not any("evil" in request.path for request in index.requests)


# ── unavailable


def problem(observation: Observation[Installation]) -> str:
    assert observation.unavailable is not None, observation
    return f"{observation.unavailable.why} ({observation.unavailable.remedy})"


def test_no_python_fits() -> None:
    said = problem(install("http://127.0.0.1:9/simple/", files=[listed(requires_python=">=3.99")]))
    assert "Python >=3.99" in said


def test_no_python_fits_and_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release_state.observe.install.installation.find_interpreter", lambda *_, **__: None)
    said = problem(install("http://127.0.0.1:9/simple/", files=[listed(requires_python=">=3.12,<3.14")]))
    assert "uv python install 3.13" in said


def test_nobody_answers(index: IndexServer) -> None:
    url = index.index_url("testpypi")
    index.stop()
    assert "orbit-demo" in problem(install(url))


@pytest.mark.parametrize(
    "reply", [Reply(503), Reply(403), Reply(200, body=b"<p>", headers={"Content-Type": "text/plain"})]
)
def test_an_index_in_trouble(index: IndexServer, reply: Reply) -> None:
    index.intercept = lambda request: reply
    problem(install(index))


def test_the_dependencies_index_in_trouble(index: IndexServer) -> None:
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0", ["orbit-base"]))
    index.intercept = lambda request: Reply(502) if request.path.startswith("/pypi/") else None
    assert "502" in problem(install(index, dependencies=index.index_url("pypi")))


def test_the_time_limit(index: IndexServer) -> None:
    index.intercept = lambda request: Reply(200, delay=30)
    started = time.monotonic()
    assert "within 2 seconds" in problem(install(index, timeout=2))
    assert time.monotonic() - started < 5


def test_an_end_from_outside(index: IndexServer) -> None:
    cancel = Event()
    timer = Timer(0.3, cancel.set)
    timer.start()
    started = time.monotonic()
    assert "cancelled" in problem(install(index, cancel=cancel))
    assert time.monotonic() - started < 10
    timer.join()


@pytest.mark.parametrize("url", ["file:///srv/simple/", "/srv/simple", ""])
def test_other_addresses(url: str) -> None:
    assert "http" in problem(install(url))


# ── secrets


def test_credentials_reach_the_index_and_nothing_else(index: IndexServer) -> None:
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0"))
    arguments: set[str] = set()

    def door(request: Request) -> Reply | None:
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                arguments.add(process.read_text(errors="replace"))
            except OSError:
                continue
        if request.authorization == "Basic bWU6czNjcidldEAx":
            return None
        return Reply(401, headers={"WWW-Authenticate": "Basic"})

    index.intercept = door
    port = urlsplit(index.url).port
    good, bad = (f"http://me:{word}@127.0.0.1:{port}/testpypi/simple/" for word in ("s3cr'et%401", "wr0ng"))
    found = install(good)
    assert found.present().succeeded, found
    assert "s3cr" not in msgspec.json.encode(found).decode()
    assert not any("s3cr" in each for each in arguments)
    refused = install(bad)
    assert "401" in problem(refused)
    assert "wr0ng" not in msgspec.json.encode(refused).decode()


def test_the_environment_holds_no_secrets_and_no_settings(tmp_path: Path) -> None:
    given = {
        "PATH": f"/usr/bin:bin:.::{tmp_path}",
        "HTTPS_PROXY": "http://proxy.example",
        "no_proxy": "x",
        "LC_ALL": "C",
        "SSL_CERT_FILE": "/c",
        **dict.fromkeys(
            ["GH_TOKEN", "MY_SECRET", "PIP_INDEX_URL", "UV_INDEX", "TWINE_PASSWORD", "PYTHONPATH", "X"], "s"
        ),
        **dict.fromkeys(["GITHUB_TOKEN", "AWS_ACCESS_KEY_ID", "LD_PRELOAD", "VIRTUAL_ENV", "PYENV_VERSION"], "s"),
    }
    env = build_clean_environment(given, tmp_path)
    assert "s" not in env.values()
    assert env["PATH"] == f"/usr/bin:{tmp_path}"
    assert env["HOME"] == env["TMPDIR"] == str(tmp_path)
    assert {"HTTPS_PROXY", "no_proxy", "LC_ALL", "SSL_CERT_FILE"} < env.keys()


def test_pip_gets_the_proxy_of_the_environment(index: IndexServer) -> None:
    publish(index, "testpypi", wheel("orbit-demo", "0.2.0"))
    without = {name: text for name, text in os.environ.items() if not name.lower().endswith("_proxy")}
    proxied = {**without, "http_proxy": "http://127.0.0.1:9"}
    assert "proxy" in problem(install(index, environ=proxied)).lower()
    assert install(index, environ={**proxied, "no_proxy": "127.0.0.1"}).present().succeeded


# ── what pip says


@pytest.mark.parametrize(
    ("output", "log", "ended"),
    [
        ("ERROR: No matching distribution found for demo==1", "", PipEnded.UNAVAILABLE),
        (
            "ERROR: No matching distribution found for demo==1",
            "Could not fetch URL u: 404 x - skipping",
            PipEnded.UNAVAILABLE,
        ),
        (
            "ERROR: No matching distribution found for demo==1",
            "Skipping link: wrong platform: https://x/demo-1-py3-none-any.whl#sha256=0 (from https://x/demo/)",
            PipEnded.FAILED,
        ),
        (
            "ERROR: No matching distribution found for a_b>=2 (from demo)",
            "Could not fetch URL https://x/a-b/: 404 x - skipping",
            PipEnded.UNAVAILABLE,
        ),
        (
            "ERROR: No matching distribution found for a_b>=2 (from demo)",
            "Found link https://x/d-1.whl (from https://x/d/)\nCould not fetch URL https://x/a-b/: 404 x - skipping",
            PipEnded.FAILED,
        ),
        (
            "ERROR: No matching distribution found for demo==1",
            "Could not fetch URL u: 503 Server Error - skipping",
            PipEnded.UNAVAILABLE,
        ),
        (
            "ERROR: No matching distribution found for a_b>=2 (from demo)",
            "Skipping link: No sources permitted for a-b: https://x/a-b-1.0.tar.gz#sha256=0 (from https://x/a-b/)",
            PipEnded.FAILED,
        ),
        (
            "ERROR: No matching distribution found for a_b>=2 (from demo)",
            "Skipping link: No sources permitted for a-b: https://x/a_b-2.1.tar.gz#sha256=0 (from y)",
            PipEnded.NOT_ATTEMPTED,
        ),
        ("ERROR: HTTP error 404 while getting https://x/demo.whl", "", PipEnded.UNAVAILABLE),
        ("ERROR: HTTP error 500 while getting https://x/demo.whl", "", PipEnded.UNAVAILABLE),
        ("ERROR: Could not install packages due to an OSError: No space left on device", "", PipEnded.UNAVAILABLE),
        ("ERROR: Exception:\nTraceback\nReadTimeoutError: timed out", "", PipEnded.UNAVAILABLE),
        ("", "", PipEnded.UNAVAILABLE),
    ],
)
def test_judgements(output: str, log: str, ended: PipEnded) -> None:
    judgement = judge_failure(output, log, "demo", [listed("demo-1-py3-none-any.whl")])
    assert judgement.ended is ended
    assert judgement.line


# ── finding a Python


def fake_python(folder: Path, name: str, version: str, level: str = "final", *, usable: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' {version} {level} {int(usable)} 1 {path}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_running_python_comes_first(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3.14", "3.99.0")
    found = find_interpreter(">=3.10", {"PATH": str(tmp_path), "HOME": str(tmp_path)})
    assert found is not None
    assert (found.path, found.version) == (sys.executable, RUNNING)


def test_the_newest_of_path_pyenv_and_uv(tmp_path: Path) -> None:
    environ = {
        "PATH": f"{tmp_path / 'bin'}:/bin:/usr/bin",
        "HOME": str(tmp_path),
        "PYENV_ROOT": str(tmp_path / "pyenv"),
    }
    fake_python(tmp_path / "bin", "python3.14", "3.80.1")
    fake_python(tmp_path / "bin", "python3.15", "3.90.0", "candidate")
    assert (found := find_interpreter(">=3.80", environ)) and found.version == "3.80.1"
    fake_python(tmp_path / "pyenv/versions/3.81.0/bin", "python", "3.81.0")
    assert (found := find_interpreter(">=3.80", environ)) and found.version == "3.81.0"
    from_uv = fake_python(tmp_path / "uv-pythons", "python3.82", "3.82.0")
    uv = fake_python(tmp_path / "bin", "uv", "x")
    uv.write_text(
        f'#!/bin/sh\n[ "$2" = list ] && [ "$HOME" = "{tmp_path}" ] && echo \'[{{"path": "{from_uv}"}}, 3]\'\n'
    )
    assert (found := find_interpreter(">=3.80", environ)) and found.path == str(from_uv)
    fake_python(tmp_path / "uv-pythons", "python3.82", "3.82.0", usable=False)
    assert (found := find_interpreter(">=3.80", environ)) and found.version == "3.81.0"
    assert (found := find_interpreter(">=3.90", environ)) and (found.version, found.final) == ("3.90.0", False)
    assert find_interpreter(">=3.91", environ) is None
    assert find_interpreter(">=3.80", environ, accepts=lambda each: False) is None


def test_a_relative_entry_of_path_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_python(tmp_path, "python3.14", "3.80.0")
    monkeypatch.chdir(tmp_path)
    assert find_interpreter(">=3.80", {"PATH": ".::", "HOME": "/nonexistent"}) is None


def test_programs_that_are_no_pythons_are_passed_over(tmp_path: Path) -> None:
    for name, text in (
        ("python3.14", "#!/bin/sh\nexit 3\n"),
        ("python3.13", "#!/bin/sh\necho hm\n"),
        ("python3.12", ""),
    ):
        fake_python(tmp_path, name, "x").write_text(text)
    assert find_interpreter(">=3.80", {"PATH": str(tmp_path), "HOME": str(tmp_path)}) is None


def test_a_specifier_that_cannot_be_read() -> None:
    with pytest.raises(InvalidSpecifier):
        find_interpreter("three", os.environ)


# ── programs


def test_a_program_and_what_it_started_end_at_the_limit(tmp_path: Path) -> None:
    script = f"(sleep 0.5; touch {tmp_path}/late) & echo begun; sleep 30"
    done = run_bounded(["/bin/sh", "-c", script], env={"PATH": "/usr/bin:/bin"}, cwd=tmp_path, seconds=0.2)
    assert (done.stopped, done.output) == ("time", b"begun\n")
    time.sleep(0.6)
    assert not (tmp_path / "late").exists()


def test_an_interrupt_ends_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        time.sleep(0.2)
        raise KeyboardInterrupt

    monkeypatch.setattr("release_state.observe.process.Pipes.read_until", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_bounded(["/bin/sh", "-c", f"sleep 0.5; touch {tmp_path}/late"], env={}, cwd=tmp_path, seconds=9)
    time.sleep(0.6)
    assert not (tmp_path / "late").exists()


def test_only_the_end_of_the_output_is_kept(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('x' * 10**6); print('end')"]
    done = run_bounded(command, env={}, cwd=tmp_path, seconds=20)
    assert len(done.output) == 65536
    assert done.output.endswith(b"x\nend\n")
