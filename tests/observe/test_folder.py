"""The folder of files that are about to be uploaded: each is read, or it is said why not."""

from __future__ import annotations

import io
import os
import zipfile
from email import message_from_string
from pathlib import Path

import msgspec
import pytest

from release_state.demo.dists import build_sdist, build_wheel
from release_state.model.snapshot import Built, BuiltFile
from release_state.observe.published.folder import observe_built
from release_state.observe.published.refusals import find_metadata_refusal
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


def test_a_wheel_is_compared_with_the_sdist_beside_it(tmp_path: Path) -> None:
    package = {"orbit_demo/__init__.py": b"from . import sub\nimport orbit_demo.sub\n", "orbit_demo/py.typed": b""}
    sdist = build_sdist("orbit-demo", "0.2.0", files={**package, "orbit_demo/sub.py": b""})
    for name, content in (build_wheel("orbit-demo", "0.2.0", sources=package), sdist):
        (tmp_path / name).write_bytes(content)
    assert files_of(tmp_path)[WHEEL[0]].wrong == "lacks orbit_demo.sub, which it imports"
    whole = {**package, "orbit_demo/sub.py": b"", "orbit_demo/py.typed": None}
    sources = {path: content for path, content in whole.items() if content is not None}
    (tmp_path / WHEEL[0]).write_bytes(build_wheel("orbit-demo", "0.2.0", sources=sources)[1])
    found = files_of(tmp_path)[WHEEL[0]]
    assert (found.wrong, found.doubtful) == ("", "lacks orbit_demo/py.typed")


def _with(field: str) -> bytes:
    """The wheel with one more line of metadata."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WHEEL[1])) as wheel, zipfile.ZipFile(content, "w") as made:
        files = {name: wheel.read(name) for name in wheel.namelist()}
        name = "orbit_demo-0.2.0.dist-info/METADATA"
        old, files[name] = files[name], files[name] + f"{field}\n".encode()
        files.pop("orbit_demo-0.2.0.dist-info/RECORD")
        record = "".join(f"{path},,\n" for path in files).encode()
        assert old != files[name]
        for path, data in (files | {"orbit_demo-0.2.0.dist-info/RECORD": record}).items():
            made.writestr(path, data)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "refused"),
    [
        (WHEEL[0], WHEEL[1], ""),
        (SDIST[0], SDIST[1], ""),
        (WHEEL[0], _with("Requires-Dist: x>=1; extra == 'y'"), ""),
        ("orbit_demo-0.2.0-cp311-cp311-manylinux_2_28_x86_64.manylinux2014_x86_64.whl", WHEEL[1], ""),
        ("orbit_demo-0.2.0-cp311-cp311-linux_armv7l.whl", WHEEL[1], ""),
        ("orbit-demo-0.2.0.tar.gz", SDIST[1], "an sdist has to be called orbit_demo-0.2.0.tar.gz"),
        ("Orbit_Demo-0.2.0-py3-none-any.whl", WHEEL[1], "its name has to begin with orbit_demo-"),
        ("orbit_demo-0.2.0-cp311-cp311-linux_x86_64.whl", WHEEL[1], "no wheel for linux_x86_64 is taken"),
        ("orbit_demo-0.2.0-cp311-cp311-manylinux_2_28_x86_64.linux_x86_64.whl", WHEEL[1], "no wheel for linux_x86_64"),
        (WHEEL[0], _with("Requires-Dist: x @ git+https://git.example/x"), "no dependency by an address is taken: x @"),
        (WHEEL[0], _with("Requires-Dist: x >= y"), "no such dependency is taken: x >= y"),
        (WHEEL[0], _with("Classifier: Private :: Do Not Upload"), "the classifier Private :: Do Not Upload keeps"),
    ],
)  # fmt: skip
def test_what_the_index_refuses_is_said(name: str, content: bytes, refused: str, tmp_path: Path) -> None:
    """The tag is right, and the upload would fail half-way."""
    (tmp_path / name).write_bytes(content)
    (file,) = files_of(tmp_path).values()
    assert file.refused.startswith(refused) and bool(file.refused) is bool(refused)
    assert not file.wrong


def test_a_python_that_is_no_specifier_is_refused() -> None:
    assert find_metadata_refusal(message_from_string("Requires-Python: 3.x")) == "no such Requires-Python is taken: 3.x"
