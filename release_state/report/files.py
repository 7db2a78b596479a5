"""The report files of a run: unique names, and `latest` for the last run of a complete phase."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from release_state.common import disk
from release_state.model.outcome import Exit, Verdict
from release_state.settings.config import RunConfig

#: Verdicts that never become `latest`: the run was narrowed or broke.
NOT_WHOLE = {Verdict.PARTIAL, Verdict.NOTHING_CHECKED, Verdict.DEFECT}


class ReportFiles:
    """The two files of one run, named by package, version, channel and UTC time."""

    latest = "latest"

    def __init__(self, folder: Path, about: str) -> None:
        """`about` starts the names: package, version and channel."""
        self.folder = folder
        self.started_at = datetime.now(timezone.utc)
        self._stem = f"{about}-{self.started_at:%Y%m%dT%H%M%SZ}"
        self.json = self.folder / f"{self._stem}.json"
        self.html = self.folder / f"{self._stem}.html"
        self.written = False
        self.reserved = False
        """Whether the names are reserved; if not, no report is written."""

    def prepare(self) -> None:
        """Make the folder and reserve names that no concurrent run can take.

        Raises OSError if the folder cannot be written to.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while not self._takes_name():
            number += 1
            self.json = self.folder / f"{self._stem}-{number}.json"
            self.html = self.json.with_suffix(".html")
        self.reserved = True

    def _takes_name(self) -> bool:
        """Reserve the names and return True, unless the files exist or another run reserved them."""
        try:
            # A separate file: a killed run leaves no empty report behind.
            os.close(os.open(self._reservation, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError:
            return False
        # lexists: pytest-html would follow a symbolic link of that name.
        if not (os.path.lexists(self.json) or os.path.lexists(self.html)):
            return True
        self._reservation.unlink(missing_ok=True)
        return False

    @property
    def _reservation(self) -> Path:
        return self.folder / f".release-state-{hashlib.sha256(os.fsencode(self.json.name)).hexdigest()[:32]}"

    def discard(self) -> None:
        """Release the names and remove the files, unless the reports are written."""
        if self.reserved:
            self._reservation.unlink(missing_ok=True)
        if self.reserved and not self.written:
            self.json.unlink(missing_ok=True)
            self.html.unlink(missing_ok=True)

    def write(self, document: str, exit_code: int, *, is_partial: bool, page: str | None = None) -> None:
        """Write the JSON report, and `page` if given; after a complete run, update the `latest` files too.

        Does nothing if no names are reserved. Raises OSError if a file cannot be written.
        """
        if not self.reserved:
            return
        if page is not None:
            disk.write_atomically(self.html, page)
        disk.write_atomically(self.json, document)
        self.written = True
        self._reservation.unlink(missing_ok=True)
        if is_partial or exit_code in (Exit.INTERRUPTED, Exit.DEFECT):
            return
        # Under a lock: two runs that end together must not mix their pairs. The page first: the document names it.
        with _alone_in(self.folder):
            own = [path for path in (self.html, self.json) if path.is_file()]
            disk.write_together({self.folder / f"{self.latest}{path.suffix}": path.read_bytes() for path in own})


def format_subject(config: RunConfig) -> str:
    """The start of a run's file names: package, version and channel."""
    targets = config.targets
    versions = list(dict.fromkeys(target.version for target in targets))
    channels = list(dict.fromkeys(target.channel.name for target in targets))
    more = f"-and-{len(versions) - 1}-more" if len(versions) > 1 else ""
    return f"{targets[0].name}-{versions[0].replace('!', '_')}{more}-{'+'.join(channels)}"


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Without locks on this file system, the files are still updated one by one.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
