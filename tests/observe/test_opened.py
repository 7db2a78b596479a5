"""The files that were not installed: downloaded from an index on loopback, compared, and looked into."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import tarfile
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from zipfile import ZIP_BZIP2, ZIP_STORED, ZipFile

import pytest
from msgspec import structs
from packaging.version import Version

from release_state.demo.dists import build_sdist, build_wheel
from release_state.model.observation import Observation
from release_state.model.snapshot import IndexFile, Opened
from release_state.model.target import Channel
from release_state.observe.http.client import HttpClient
from release_state.observe.index.index import observe_index
from release_state.observe.published.files import Refused
from release_state.observe.published.opened import Broken, Differs, observe_opened, verify_file
from tests.standins.index import IndexServer
from tests.standins.services import Reply

WHEN = datetime(2026, 1, 2, tzinfo=timezone.utc)
WINDOWS = "orbit_demo-0.2.0-cp311-cp311-win_amd64.whl"
WHEEL, SDIST = build_wheel("orbit-demo", "0.2.0", sources={}), build_sdist("orbit-demo", "0.2.0", files={})
INFO = "orbit_demo-0.2.0.dist-info"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IndexServer]:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    with IndexServer() as server:
        yield server
    assert list((tmp_path / "scratch").iterdir()) == []


def observe(index: IndexServer, *, user: str = "", **changes: Any) -> Observation[Opened]:
    url = index.index_url("pypi").replace("://", f"://{user}@" if user else "://")
    channel, client = Channel(name="pypi", index_url=url), HttpClient(9)
    files = observe_index(client, channel, "Orbit.Demo", "0.2.0").present().files
    options: dict[str, Any] = {"installed": WHEEL[0], "seconds": 9, "most_bytes": 2**20, **changes}
    return observe_opened(client, channel, "Orbit.Demo", "0.2.0", files, **options)


def wrong(found: Observation[Opened]) -> dict[str, str]:
    return {file.filename: file.wrong for file in found.present().files}


def problem(found: Observation[Opened]) -> str:
    assert found.unavailable is not None, found
    return f"{found.unavailable.why} ({found.unavailable.remedy})"


def publish(index: IndexServer, *files: tuple[str, bytes], **options: Any) -> None:
    for filename, content in files:
        # Not by `upload`, which reads the metadata of a wheel.
        index.upload("pypi", f"{filename}.zip", content, WHEN, version="0.2.0", **options)
        project = index.channels["pypi"]["orbit-demo"]
        project.files[filename] = project.files.pop(f"{filename}.zip")
        project.files[filename].filename = filename


def downloads(index: IndexServer) -> list[str]:
    return [request.path.rpartition("/")[2] for request in index.requests if "/files/" in request.path]


# ── what is asked


def test_every_file_but_the_installed_one_is_opened(index: IndexServer) -> None:
    publish(index, WHEEL, SDIST, (WINDOWS, WHEEL[1]))
    assert wrong(observe(index)) == {SDIST[0]: "", WINDOWS: ""}
    assert sorted(downloads(index)) == [WINDOWS, SDIST[0]]
    assert wrong(observe(index, installed=None)) == {WHEEL[0]: "", SDIST[0]: "", WINDOWS: ""}


def test_what_was_downloaded_already_is_not_asked_for_again(index: IndexServer) -> None:
    publish(index, SDIST, (WINDOWS, WHEEL[1]))
    held = {f"{index.url}/pypi/files/{SDIST[0]}": b"garbage"}
    assert "its hash differs" in problem(observe(index, downloaded=held))
    assert downloads(index) == [WINDOWS] and held == {}


def test_seven_bytes_for_windows_are_wrong(index: IndexServer) -> None:
    publish(index, WHEEL, (WINDOWS, b"garbage"))
    assert wrong(observe(index)) == {WINDOWS: "it is not a zip file"}


def test_what_is_broken_is_told_though_another_could_not_be_had(index: IndexServer) -> None:
    publish(index, SDIST, (WINDOWS, b"garbage"))
    index.intercept = lambda request: Reply(404) if request.path.endswith(".tar.gz") else None
    assert wrong(observe(index)) == {WINDOWS: "it is not a zip file"}


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(200, body=WHEEL[1]), "its hash differs from the one on the index"),
        (Reply(200, body=b"<html>log in</html>", headers={"Content-Type": "text/html"}), "its hash differs"),
        (Reply(404), "404"),
        (Reply(503), "503"),
        (Reply(302, headers={"Location": "file:///etc/passwd"}), "redirected"),
    ],
)
def test_a_file_that_could_not_be_had_is_unknown(index: IndexServer, reply: Reply, says: str) -> None:
    publish(index, SDIST)
    index.intercept = lambda request: reply if "/files/" in request.path else None
    assert says in problem(observe(index, seconds=3))


def test_without_a_hash_garbage_may_be_a_portal_s(index: IndexServer) -> None:
    publish(index, (WINDOWS, b"garbage"))
    channel, client = Channel(name="pypi", index_url=index.index_url("pypi")), HttpClient(9)
    (file,) = observe_index(client, channel, "orbit-demo", "0.2.0").present().files
    bare = structs.replace(file, sha256=None)
    options: dict[str, Any] = {"installed": None, "seconds": 9, "most_bytes": 2**20}
    found = observe_opened(client, channel, "orbit-demo", "0.2.0", [bare], **options)
    assert "the index lists no hash" in problem(found)


def test_after_three_failures_the_others_are_not_asked_for(index: IndexServer) -> None:
    publish(index, *((WINDOWS.replace("311", f"3{number}"), WHEEL[1]) for number in range(10, 20)))
    index.intercept = lambda request: Reply(404) if "/files/" in request.path else None
    assert "404" in problem(observe(index))
    assert len(downloads(index)) == 3


def test_the_bounds_of_size_and_time(index: IndexServer) -> None:
    publish(index, SDIST, (WINDOWS, WHEEL[1]))
    said = problem(observe(index, most_bytes=max(len(SDIST[1]), len(WHEEL[1]))))
    assert "not checked: all files together have more than" in said and "--install-size" in said
    index.intercept = lambda request: Reply(200, delay=5) if "/files/" in request.path else None
    started = time.monotonic()
    said = problem(observe(index, seconds=0.5))
    assert "not read within 0.5 seconds" in said and "--install-timeout" in said
    assert time.monotonic() - started < 4


def test_a_body_that_is_longer_than_its_index_says_is_not_kept(index: IndexServer) -> None:
    publish(index, SDIST)
    index.intercept = lambda request: Reply(200, body=b"x" * 2**21) if "/files/" in request.path else None
    assert "limit of 1048576" in problem(observe(index))


def test_credentials_go_to_the_index_alone(index: IndexServer) -> None:
    publish(index, SDIST)
    observe(index, user="me:s3cret")
    sent = [request.authorization for request in index.requests if "/files/" in request.path]
    assert sent == ["Basic bWU6czNjcmV0"]
    channel = Channel(name="pypi", index_url="http://me:s3cret@elsewhere.example/simple/")
    (file,) = index.files("pypi", "0.2.0")
    listed = IndexFile(filename=file.filename, version="0.2.0", kind="sdist", url=f"{index.url}/pypi/files/{SDIST[0]}")
    observe_opened(HttpClient(9), channel, "orbit-demo", "0.2.0", [listed], installed=None, seconds=9, most_bytes=2**20)
    assert not index.requests[-1].authorization


# ── what a file is


def zipped(files: Mapping[str, bytes], compression: int = ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(re.sub("^INFO/", f"{INFO}/", name), content)
    return buffer.getvalue()


def wheel_of(**changes: bytes | None) -> bytes:
    with ZipFile(io.BytesIO(WHEEL[1])) as archive:
        held = {name.replace(INFO, "INFO"): archive.read(name) for name in archive.namelist()}
    files = {**held, **{f"INFO/{name}": content for name, content in changes.items()}}
    return zipped({name: content for name, content in files.items() if content is not None})


def tarred(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


METADATA = b"Metadata-Version: 2.1\nName: Orbit.Demo\nVersion: 0.2\nRequires-Python: >=3.10\n"
OTHER = METADATA.replace(b"0.2", b"0.3")
LYING = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, 2**30, 0, 0)
LYING64 = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 2**40, 0)
LYING64 += struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1) + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0)
RECORD = b"orbit_demo-0.2.0.dist-info/METADATA,sha256=AAAA,3\n"


@pytest.mark.parametrize(
    ("filename", "content", "ends", "says"),
    [
        (*WHEEL, None, ""),
        (*SDIST, None, ""),
        (WHEEL[0], b"", Broken, "not a zip"),
        (WHEEL[0], WHEEL[1][:-9], Broken, "not a zip"),
        (WHEEL[0], WHEEL[1][: len(WHEEL[1]) // 2] + LYING, Refused, "directory has more than 8 MiB"),
        (WHEEL[0], b"x" * 90 + LYING64, Refused, "directory has more than 8 MiB"),
        (WHEEL[0], zipped({}), Broken, "no METADATA"),
        (WHEEL[0], wheel_of(METADATA=None), Broken, "no METADATA"),
        (WHEEL[0], wheel_of(WHEEL=None), Broken, "no WHEEL"),
        (WHEEL[0], wheel_of(RECORD=None), Broken, "no RECORD"),
        (WHEEL[0], wheel_of(WHEEL=b"Wheel-Version: 2.0\n"), Differs, "format 2.0"),
        (WHEEL[0], wheel_of(WHEEL=b"x"), Differs, "names no format"),
        (WHEEL[0], wheel_of(RECORD=b"\xff"), Broken, "RECORD cannot be read"),
        (WHEEL[0], wheel_of(RECORD=b"a,b\n"), Broken, "RECORD cannot be read"),
        (WHEEL[0], wheel_of(RECORD=b"a,,\n"), Differs, "does not list its METADATA"),
        (WHEEL[0], wheel_of(RECORD=RECORD), Differs, "not the one that its RECORD lists"),
        (WHEEL[0], wheel_of(METADATA=OTHER), Differs, "not the one that its RECORD lists"),
        (WHEEL[0], build_wheel("orbit-demo", "0.3.0", sources={})[1], Differs, "the version 0.3.0"),
        (WHEEL[0], build_wheel("orbit-base", "0.2.0", sources={})[1], Differs, "lies in orbit_base-0.2.0.dist-info"),
        (WHEEL[0], zipped({"INFO/METADATA": METADATA, "INFO/WHEEL": b"x"}, ZIP_BZIP2), Refused, "compression"),
        (WHEEL[0], wheel_of(METADATA=b"x" * (2**22 + 1)), Refused, "METADATA has more than 4 MiB"),
        (WHEEL[0], zipped({"a.dist-info/METADATA": b"", "b.dist-info/METADATA": b""}), Broken, "2 METADATA"),
        ("orbit_demo-what.whl", WHEEL[1], Differs, "not that of a wheel"),
        (SDIST[0], b"garbage", Broken, "cannot be read"),
        (SDIST[0], b"", Broken, "cannot be read"),
        (SDIST[0], SDIST[1][:200], Broken, "cannot be read"),
        (SDIST[0], tarred(**{"x/setup.py": b"", "x/y/PKG-INFO": METADATA}), Broken, "no PKG-INFO"),
        (SDIST[0], tarred(**{"./x/PKG-INFO": METADATA}), None, ""),
        (SDIST[0], tarred(**{"x/PKG-INFO": OTHER}), Differs, "the version 0.3"),
        (SDIST[0], tarred(**{"x/PKG-INFO": b"Name: orbit-demo\n"}), Broken, "no name and version"),
        (SDIST[0], tarred(**{"x/PKG-INFO": b"Name: other\nVersion: 0.2.0\n"}), Differs, "the project other"),
        (SDIST[0], tarred(**{"x/PKG-INFO": b"x" * (2**22 + 1)}), Refused, "more than 4 MiB"),
        ("orbit-demo-0.2.0.zip", zipped({"x/PKG-INFO": METADATA}), None, ""),
        ("orbit-demo-0.2.0.zip", zipped({"PKG-INFO": METADATA}), Broken, "no PKG-INFO"),
        ("orbit_demo-0.2.0-py3.11.egg", zipped({"EGG-INFO/PKG-INFO": METADATA}), None, ""),
        ("orbit_demo-0.2.0-py3.11.egg", zipped({}), Broken, "no PKG-INFO"),
        ("orbit-demo-0.2.0.win32.exe", b"MZ and more", None, ""),
        ("orbit-demo-0.2.0.win32.exe", b"garbage", Broken, "not those of such a file"),
        ("orbit-demo-0.2.0.tar.xz", b"garbage", Broken, "not those of such a file"),
    ],
)
def test_what_a_file_is(filename: str, content: bytes, ends: type[Exception] | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    kind = {"whl": "wheel", "egg": "egg", "exe": "wininst"}.get(filename.rpartition(".")[2], "sdist")
    digest = hashlib.sha256(content).hexdigest()
    file = IndexFile(filename=filename, version="0.2.0", kind=kind, url="https://x/", sha256=digest)
    end = time.monotonic() + 9
    if ends is None:
        verify_file(path, file, "orbit-demo", Version("0.2.0"), end)
        return
    with pytest.raises(ends, match=says):
        verify_file(path, file, "orbit-demo", Version("0.2.0"), end)


@pytest.mark.parametrize(
    ("listed", "fits"), [(None, True), (">=3.10", True), (" >= 3.10", True), (">=3.9", False), ("three", False)]
)
@pytest.mark.parametrize("which", [WHEEL, SDIST])
def test_the_python_that_is_asked_for_is_the_listed_one(
    which: tuple[str, bytes], listed: str | None, fits: bool, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(which[1])
    kind = "wheel" if which is WHEEL else "sdist"
    file = IndexFile(filename=which[0], version="0.2.0", kind=kind, url="https://x/", requires_python=listed)
    if fits:
        verify_file(tmp_path / "file", file, "orbit-demo", Version("0.2.0"), time.monotonic() + 9)
        return
    with pytest.raises(Differs, match=f"asks for >=3.10, the index says {listed}"):
        verify_file(tmp_path / "file", file, "orbit-demo", Version("0.2.0"), time.monotonic() + 9)


def test_a_tar_bomb_ends_at_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release_state.observe.published.opened._UNPACKED_LIMIT", 2**20)
    (tmp_path / "file").write_bytes(tarred(**{"x/a.bin": b"\0" * 2**27, "x/PKG-INFO": METADATA}))
    file = IndexFile(filename=SDIST[0], version="0.2.0", kind="sdist", url="https://x/")
    with pytest.raises(Refused, match="unpacks to more than"):
        verify_file(tmp_path / "file", file, "orbit-demo", Version("0.2.0"), time.monotonic() + 9)
