"""The folder of files that are about to be uploaded: each is read, or it is said why not."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from release_state.demo.dists import build_sdist, build_wheel
from release_state.model.snapshot import Built, BuiltFile
from release_state.observe.published.folder import observe_built
from tests.support.cli import suite

WHEEL, SDIST = build_wheel("orbit-demo", "0.2.0", sources={}), build_sdist("orbit-demo", "0.2.0", files={})
OLD = build_wheel("orbit-demo", "0.1.0", sources={})


def files_of(folder: Path, seconds: float = 9) -> dict[str, BuiltFile]:
    found = observe_built(folder, "Orbit.Demo", seconds).present()
    assert msgspec.json.decode(msgspec.json.encode(found), type=Built) == found
    return {file.filename: file for file in found.files}


def test_files_are_named_with_what_is_wrong_with_each(tmp_path: Path) -> None:
    sibling = build_sdist("orbit-demo-extra", "0.2.0", files={})
    for name, content in (WHEEL, SDIST, sibling, (".gitignore", b"*"), ("._x.whl", b""), ("x.sigstore.json", b"{}")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "orbit_demo-0.2.0-cp311-cp311-win_amd64.whl").write_bytes(OLD[1])
    (tmp_path / "orbit_demo-0.2.0-2-py3-none-any.whl").write_bytes(b"garbage")
    (tmp_path / "orbit_demo-0.1.dev1.tar.gz").write_bytes(SDIST[1])
    (tmp_path / "orbit_demo-0.2.0.zip").mkdir()
    found = files_of(tmp_path)
    assert {name: (file.kind, file.version, file.wrong, file.unread) for name, file in found.items()} == {
        WHEEL[0]: ("wheel", "0.2.0", "", ""),
        SDIST[0]: ("sdist", "0.2.0", "", ""),
        sibling[0]: ("", None, "", ""),
        "._x.whl": ("", None, "", ""),
        "x.sigstore.json": ("", None, "", ""),
        "orbit_demo-0.2.0-cp311-cp311-win_amd64.whl": ("wheel", "0.2.0", "its metadata names the version 0.1.0", ""),
        "orbit_demo-0.2.0-2-py3-none-any.whl": ("wheel", "0.2.0", "it is not a zip file", ""),
        "orbit_demo-0.1.dev1.tar.gz": ("sdist", "0.1.dev1", "its metadata names the version 0.2.0", ""),
        "orbit_demo-0.2.0.zip": ("", "0.2.0", "it is a folder", ""),
    }
    assert found[WHEEL[0]].size == len(WHEEL[1])


def test_what_is_not_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe would hold the run up, and a link leads elsewhere."""
    monkeypatch.setattr("release_state.observe.published.opened._METADATA_LIMIT", 9)
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / SDIST[0]).write_bytes(SDIST[1])
    (tmp_path / WHEEL[0]).write_bytes(WHEEL[1])
    (folder / WHEEL[0]).symlink_to(tmp_path / WHEEL[0])
    os.mkfifo(folder / "orbit_demo-0.2.0.zip")
    unread = {name: file.unread for name, file in files_of(folder).items()}
    other = "it is a link, or no file: it is not followed"
    assert unread == {SDIST[0]: "its PKG-INFO has more than 0 MiB", WHEEL[0]: other, "orbit_demo-0.2.0.zip": other}
    assert files_of(folder, 0)[SDIST[0]].unread == "the time for look-ups was over"


def test_a_file_that_may_not_be_read_is_not_called_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / WHEEL[0]).write_bytes(WHEEL[1])

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # whoever runs the tests as root may read everything
    assert files_of(tmp_path)[WHEEL[0]].unread == "it cannot be read: Permission denied"


def test_a_thousand_files_are_read_and_the_others_counted(tmp_path: Path) -> None:
    for number in range(1003):
        (tmp_path / f"{number:04}").touch()
    found = observe_built(tmp_path, "orbit-demo", 9).present()
    assert (len(found.files), found.more) == (1000, 3)


def test_a_name_is_one_line_and_a_folder_that_is_gone_is_unknown(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b[31m\n")).touch()
    [name] = files_of(tmp_path)
    assert name.isprintable() and name.isascii()
    problem = observe_built(tmp_path / "gone", "orbit-demo", 9).unavailable
    assert problem is not None and "cannot be listed: No such file or directory" in problem.why


def test_a_recorded_snapshot_names_its_own_files() -> None:
    done = suite("--snapshot", "x.json", "--built", ".")
    assert done.returncode == 4 and "--snapshot and --built exclude each other" in done.stderr
