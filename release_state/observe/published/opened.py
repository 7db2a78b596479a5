"""The published files that the installation did not use: downloaded, compared with the index, and verified.

A wheel for another platform cannot be installed here, but its content can be verified.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.utils import canonicalize_name
from packaging.version import Version

from release_state.model.observation import Observation, Problem, known
from release_state.model.snapshot import IndexFile, Opened, OpenedFile
from release_state.model.target import Channel
from release_state.observe.http.client import HttpClient, LookupFailed
from release_state.observe.index.access import Index
from release_state.observe.published.archives import Refused
from release_state.observe.published.metadata import Broken, Differs, verify_file

_MOST_FAILURES = 3
"""After so many failed files the others are not downloaded."""
_LEAVE_OUT = "or skip it with --no-install"


def observe_opened(
    client: HttpClient,
    channel: Channel,
    package: str,
    version: str,
    files: Sequence[IndexFile],
    *,
    installed: str | None,
    seconds: float,
    most_bytes: int,
    downloaded: dict[str, bytes] | None = None,
) -> Observation[Opened]:
    """Download and verify each of the version's files except the one that was `installed`.

    One request for each, the smallest first; `seconds` and `most_bytes` limit all of them together. Nothing is
    unpacked to disk or run. A file in `downloaded`, by its address, needs no request. Known: what is wrong with each.
    Unavailable, if nothing is known to be wrong: a file could not be downloaded, is not the one that the index lists,
    or could not be read within the limits.
    """
    held = {} if downloaded is None else downloaded
    attempt = _Verification(client, channel, canonicalize_name(package), Version(version), seconds, most_bytes, held)
    opened: list[OpenedFile] = []
    problems: list[Problem] = []
    with TemporaryDirectory(prefix="release-state-", ignore_cleanup_errors=True) as folder:
        for file in sorted(files, key=lambda file: file.size or 0):
            if file.filename == installed:
                continue
            try:
                opened.append(OpenedFile(filename=file.filename, wrong=attempt.look(file, Path(folder) / "file")))
            except LookupFailed as failed:
                problems.append(failed.problem)
                if len(problems) == _MOST_FAILURES:
                    break
    if problems and not any(file.wrong for file in opened):
        return Observation[Opened](value=None, unavailable=problems[0])
    return known(Opened(files=tuple(opened)))


class _Verification:
    def __init__(
        self,
        client: HttpClient,
        channel: Channel,
        name: str,
        version: Version,
        seconds: float,
        most_bytes: int,
        downloaded: dict[str, bytes],
    ) -> None:
        self._name, self._version, self._downloaded = name, version, downloaded
        self._seconds, self._most = seconds, most_bytes
        self._deadline, self._left = time.monotonic() + seconds, most_bytes
        self._index = Index(client, channel, self._deadline, f"files on {channel.name}")

    def look(self, file: IndexFile, path: Path) -> str:
        """What is wrong with a file; empty: nothing. `path` is a place for it meanwhile.

        Raises LookupFailed if that cannot be decided.
        """
        self._download(file, path)
        try:
            self._compare(file, path)
            verify_file(path, file, self._name, self._version, self._deadline)
        except Differs as differs:
            return str(differs)
        except Broken as broken:
            if file.sha256 is None:
                why = f"{broken}, and the index lists no hash that says whether this is the file"
                raise self._failed(file, why, "download it and check that it is the intended file") from None
            return str(broken)
        except Refused as refused:
            raise self._failed(file, f"{refused}", f"inspect it by other means, {_LEAVE_OUT}") from None
        finally:
            path.unlink(missing_ok=True)
        return ""

    def _download(self, file: IndexFile, path: Path) -> None:
        if file.size is not None and file.size > self._left:
            raise self._too_much(file)
        if time.monotonic() >= self._deadline:
            raise self._too_late(file)
        if (body := self._downloaded.pop(file.url, None)) is not None:
            path.write_bytes(body)
            self._left -= len(body)
            return
        try:
            self._index.download(file, max(1, self._left), into=path)
        except LookupFailed:
            if time.monotonic() >= self._deadline:
                raise self._too_late(file) from None
            raise
        self._left -= path.stat().st_size

    def _compare(self, file: IndexFile, path: Path) -> None:
        digest = hashlib.sha256()
        with path.open("rb") as content:
            while block := content.read(2**20):
                digest.update(block)
        if file.sha256 and digest.hexdigest() != file.sha256:
            remedy = "try again; if it persists, download the file and compare: the index may serve another one"
            raise self._failed(file, "its hash differs from the one on the index", remedy)

    def _too_much(self, file: IndexFile) -> LookupFailed:
        why = f"not checked: all files together have more than {self._most / 2**20:g} MiB"
        return self._failed(file, why, f"allow more with --install-size, {_LEAVE_OUT}")

    def _too_late(self, file: IndexFile) -> LookupFailed:
        remedy = f"try again, or raise --install-timeout, {_LEAVE_OUT}"
        return self._failed(file, f"not read within {self._seconds:g} seconds", remedy, may_pass=True)

    def _failed(self, file: IndexFile, why: str, remedy: str, *, may_pass: bool = False) -> LookupFailed:
        return self._index.failure(f"{file.filename[:200]}: {why}", remedy, is_temporary=may_pass)
