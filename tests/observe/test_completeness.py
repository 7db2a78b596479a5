"""Whether a wheel is complete: what it lacks of its RECORD, its entry points, its licences and its sdist."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping

import pytest

from release_state.demo.dists import build_sdist, build_wheel, core_metadata
from release_state.observe.published.completeness import Difference, compare_wheel, inspect_wheel

INFO = "orbit_demo-0.2.0.dist-info"
METADATA = core_metadata("orbit-demo", "0.2.0")
PACKAGE = {
    "orbit_demo/__init__.py": b"from .sub import X\nfrom orbit_demo.sub.deep import Y\n",
    "orbit_demo/sub/__init__.py": b"X = 1\n",
    "orbit_demo/sub/deep.py": b"Y = 1\n",
    "orbit_demo/plugins/__init__.py": b"",
    "orbit_demo/tests/__init__.py": b"import orbit_demo.none\n",
    "orbit_demo/_version.py": b"version = 1\n",
    "orbit_demo/py.typed": b"",
    "orbit_demo/pages/index.html": b"",
}
SDIST = build_sdist("orbit-demo", "0.2.0", files={f"src/{path}": data for path, data in PACKAGE.items()})


def wheel(
    changed: Mapping[str, bytes | None] | None = None, record: Mapping[str, str | None] | None = None
) -> zipfile.ZipFile:
    """A wheel of the package with files changed, added or left out, and a RECORD that fits but for `record`."""
    _, content = build_wheel("orbit-demo", "0.2.0", sources=PACKAGE)
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        files: dict[str, bytes | None] = {name: made.read(name) for name in made.namelist()}
    files |= changed or {}
    held = {name: data for name, data in files.items() if data is not None and not name.endswith("/RECORD")}
    hashes: dict[str, str | None] = {
        name: f"sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()}"
        for name, data in held.items()
    }
    rows = (hashes | {f"{INFO}/RECORD": ""} | dict(record or {})).items()
    held[f"{INFO}/RECORD"] = "".join(f"{name},{digest},\n" for name, digest in rows if digest is not None).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return zipfile.ZipFile(buffer)


def wrong(archive: zipfile.ZipFile) -> str:
    return inspect_wheel(archive, INFO, archive.read(f"{INFO}/RECORD"))


def commands(text: str, init: bytes = b"") -> zipfile.ZipFile:
    """A wheel with these entry points."""
    return wheel({f"{INFO}/entry_points.txt": text.encode(), "orbit_demo/__init__.py": init})


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        (wheel(), ""),
        (wheel(record={"orbit_demo/sub/deep.py": None}), "its RECORD does not list orbit_demo/sub/deep.py"),
        (wheel(record={"orbit_demo/gone.py": ""}), "it lacks orbit_demo/gone.py, which its RECORD lists"),
        (wheel(record={"orbit_demo/py.typed": "sha256=no"}), "orbit_demo/py.typed has another hash than its RECORD"),
        (wheel(record={"orbit_demo/py.typed": "md5=no"}), ""),
        (wheel({f"{INFO}/RECORD.jws": b"{}"}, record={f"{INFO}/RECORD.jws": None}), ""),
        (wheel({f"{INFO}/licenses/LICENSE": None}), f"it lacks {INFO}/licenses/LICENSE, which its metadata names"),
        (wheel({f"{INFO}/licenses/LICENSE": None, f"{INFO}/METADATA": METADATA.replace(b"2.4", b"2.3")}), ""),
        (commands("[console_scripts]\norbit = orbit_demo.sub.deep:main [all]\n"), ""),
        (commands("[pytest11]\norbit = orbit_demo.plugins\n"), ""),
        (commands("[console_scripts]\norbit = orbit_demo.gone:main\n"), "its entry point orbit names orbit_demo.gone"),
        (commands("[pytest11]\norbit = orbit_demo.gone\n"), "its entry point orbit names orbit_demo.gone"),
        (commands("[console_scripts]\norbit = other.gone:main\n"), ""),
        (commands("[orbit.test]\norbit = orbit_demo.tests.meant_to_fail\n"), ""),
        (commands("[console_scripts]\norbit = orbit_demo.gone:main\n", b"__path__ = extend_path()"), ""),
        (commands("no entry points"), ""),
    ],
)
def test_a_wheel_alone_says_what_it_lacks(archive: zipfile.ZipFile, expected: str) -> None:
    assert wrong(archive).startswith(expected) and bool(wrong(archive)) is bool(expected)


def test_a_record_that_cannot_be_read_is_said() -> None:
    with pytest.raises(ValueError, match="three fields"):
        inspect_wheel(wheel(), INFO, b"a,b\n")


def _without(folder: str) -> zipfile.ZipFile:
    return wheel(dict.fromkeys((path for path in PACKAGE if path.startswith(folder)), None))


def _needs(line: bytes) -> zipfile.ZipFile:
    return wheel({f"{INFO}/METADATA": METADATA + line})


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        (wheel(), Difference()),
        (_without("orbit_demo/sub/"), Difference(("lacks orbit_demo.sub, which it imports",))),
        (_without("orbit_demo/sub/deep.py"), Difference(("lacks orbit_demo.sub.deep, which it imports",))),
        (wheel({"orbit_demo/sub/deep.py": None, "orbit_demo/sub/deep.cpython-313-darwin.so": b""}), Difference()),
        (_without("orbit_demo/plugins/"), Difference(doubtful=("lacks orbit_demo/plugins",))),
        (_without("orbit_demo/tests/"), Difference()),
        (_without("orbit_demo/py.typed"), Difference(doubtful=("lacks orbit_demo/py.typed",))),
        (_without("orbit_demo/pages/"), Difference(doubtful=("lacks orbit_demo/pages/index.html",))),
        (wheel({"orbit_demo/pages/index.html": None, "orbit_demo/pages/index.html.gz": b""}), Difference()),
        (wheel({"orbit_demo/_version.py": b"version = 2\n"}), Difference()),
        (wheel({"orbit_demo/sub/deep.py": b"Y"}), Difference((), ("has another content of orbit_demo/sub/deep.py",))),
        (wheel({"orbit_demo/sub/deep.py": b"Y = 1\r\n"}), Difference()),
        (_needs(b"Requires-Dist: x>1\n"), Difference(("has another Requires-Dist than the sdist: x>1 in it alone",))),
        (_needs(b"Provides-Extra: cli\n"), Difference(("has another Provides-Extra than the sdist: cli in it alone",))),
        (_without("orbit_demo/"), Difference()),
        (wheel({f"{INFO}/METADATA": None}), Difference()),
    ],
)  # fmt: skip
def test_a_wheel_has_what_the_sdist_has(archive: zipfile.ZipFile, expected: Difference) -> None:
    assert archive.fp is not None
    archive.fp.seek(0)
    content = archive.fp.read()
    assert compare_wheel(content, SDIST[1], SDIST[0]) == expected


def test_dynamic_metadata_may_differ() -> None:
    """So may those of an sdist from before PEP 643."""
    archive = _needs(b"Requires-Dist: x>1\n")
    assert archive.fp is not None
    archive.fp.seek(0)
    content, files = archive.fp.read(), {f"src/{path}": data for path, data in PACKAGE.items()}
    for old, new in ((b"License-File", b"Dynamic: Requires-Dist\nLicense-File"), (b"Version: 2.4", b"Version: 2.1")):
        sdist = _with_pkg_info(files, METADATA.replace(old, new, 1))
        assert compare_wheel(content, sdist, SDIST[0]) == Difference()
    assert compare_wheel(content, b"garbage", SDIST[0]) == Difference()


def _with_pkg_info(files: Mapping[str, bytes], metadata: bytes) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, data in {**files, "PKG-INFO": metadata}.items():
            member = tarfile.TarInfo(f"orbit_demo-0.2.0/{path}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(raw.getvalue())
