"""What `build`, `pip wheel` and `twine` do in the demo world: its own way of building, into its own index."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import tarfile
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from release_state.demo import project
from release_state.demo.dists import build_sdist, build_wheel
from release_state.demo.git import environment
from tests.standins.index import IndexServer


def built(folder: Path) -> str:
    """`python -m build FOLDER`: the sdist and the wheel, in its `dist`, with the version that the folder declares."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=folder, env=environment(folder), capture_output=True, check=True
    ).stdout
    files = {name: (folder / name).read_bytes() for name in listed.decode().split("\0") if name}
    sdist = build_sdist(_declared(files, "name"), _declared(files, "version"), files=files, summary=project.SUMMARY)
    return _written(folder / "dist", [sdist, _wheel(files)])


def from_sdist(url: str, folder: Path) -> str:
    """`python -m pip wheel --no-deps --wheel-dir FOLDER URL`: the wheel of an sdist, whose hash the URL ends with."""
    address, _, wanted = url.partition("#sha256=")
    with urllib.request.urlopen(address, timeout=20) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != wanted:
        raise ValueError("THESE PACKAGES DO NOT MATCH THE HASHES")
    files = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive.getmembers():
            held = archive.extractfile(member)
            if held is not None:
                files[member.name.partition("/")[2]] = held.read()
    return _written(folder, [_wheel(files)])


def uploaded(index: IndexServer, channel: str, files: Sequence[Path], now: Callable[[], datetime]) -> str:
    """`python -m twine upload --repository CHANNEL FILES`: an index refuses what is there already."""
    said = []
    for path in files:
        if index.files(channel, path.name):
            raise ValueError(f"HTTPError: 409 Conflict: {path.name} exists")
        index.upload(channel, path.name, path.read_bytes(), now())
        said.append(f"{path.name}: uploaded")
    return "\n".join(said)


def _declared(files: Mapping[str, bytes], key: str) -> str:
    declared = re.search(rf'^{key} = "(.*)"$', files["pyproject.toml"].decode(), re.MULTILINE)
    if declared is None:
        raise ValueError(f"no {key} is declared")
    return declared[1]


def _wheel(files: Mapping[str, bytes]) -> tuple[str, bytes]:
    sources = {name.removeprefix("src/"): data for name, data in files.items() if name.startswith("src/")}
    license_text = files["LICENSE"]
    name, version = _declared(files, "name"), _declared(files, "version")
    return build_wheel(name, version, sources=sources, summary=project.SUMMARY, license_text=license_text)


def _written(folder: Path, made: Sequence[tuple[str, bytes]]) -> str:
    folder.mkdir()
    for name, content in made:
        (folder / name).write_bytes(content)
    return f"Successfully built {' and '.join(name for name, _ in made)}"
