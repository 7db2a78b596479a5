"""The logs in a file: a text, or GitHub's archive of a whole run (pure)."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from release_state.facts.logs.lines import LONGEST_LINE


class NotALog(ValueError):  # noqa: N818 - the data are the problem
    """The data are neither a log nor an archive of logs; the text says what they are."""


def read_logs(data: bytes, most: int) -> list[tuple[str | None, str]]:
    """The logs in a text or in GitHub's zip of a run, each with the name of its job (None if unknown).

    `most` limits the unpacked size of a zip, in bytes. Raises NotALog.
    """
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _unzip(data, most)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # PowerShell's `>` writes UTF-16
        return [(None, data.decode("utf-16", "replace"))]
    if b"\0" in data[:8192]:
        raise NotALog("binary data, neither text nor a zip")
    if not data.strip():
        raise NotALog("empty")
    return [(None, data.decode("utf-8", "replace"))]


def _unzip(data: bytes, most: int) -> list[tuple[str | None, str]]:
    """The log of each job; of a zip with folders alone, the log of each step in order."""
    logs: list[tuple[str | None, str]] = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            texts = [info for info in archive.infolist() if info.filename.endswith(".txt") and not info.is_dir()]
            files = [info for info in texts if "/" not in info.filename] or texts
            for info in sorted(files, key=lambda info: _sort_key(info.filename)):
                with archive.open(info) as file:
                    content = file.read(most + 1)  # the size that the zip states may be false
                most -= len(content)
                if most < 0:
                    break
                name = re.sub(r"^-?\d+_", "", info.filename.rpartition("/")[2].removesuffix(".txt"))
                logs.append((name[:LONGEST_LINE] or None, content.decode("utf-8", "replace")))
    # RuntimeError: encrypted; NotImplementedError: unknown compression; the others: a broken archive.
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, OSError, EOFError, zlib.error) as error:
        raise NotALog(f"a broken zip ({type(error).__name__})") from None
    if most < 0:
        raise NotALog("a zip that unpacks to more than may be read")
    if not logs:
        raise NotALog("a zip without a .txt file: not an archive of a run's logs")
    return logs


def _sort_key(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d{1,9})", name)]
