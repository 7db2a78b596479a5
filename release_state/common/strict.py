"""Strict readers of JSON and time stamps from untrusted sources, and a clock that never jumps."""

from __future__ import annotations

import json
import re
import sys
import time
from datetime import datetime, timezone
from typing import Any, NoReturn

from msgspec import ValidationError

from release_state.common.text import sanitize

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


OBJECT_NAME = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""A full hash of git."""


def is_sane(moment: datetime) -> bool:
    """Return whether a moment can be shown in every time zone: the calendar's first and last year cannot."""
    return 1 < moment.year < 9999


def convert_epoch(seconds: str | bytes) -> datetime | None:
    """Return the UTC time of Unix seconds; None if it is no number or out of range."""
    try:
        moment = datetime.fromtimestamp(int(seconds), timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if is_sane(moment) else None


FRESH_SECONDS = 60.0
"""Seconds an observation may be old at the end of a run: a commit or tag may have been pushed meanwhile."""


def read_clock() -> float:
    """Monotonic seconds; on Linux they include the time a machine was suspended."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux
    return time.monotonic() if clock is None else time.clock_gettime(clock)


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def decode_json(data: bytes | str) -> Any:
    """Parse JSON in UTF-8.

    Half of a surrogate pair, which an escape can spell and no UTF-8 can hold, becomes a question mark: a report could
    not be written with it. Raises ValueError for everything that is no JSON in UTF-8, as NaN and too deep nesting.
    """
    text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
    try:
        found = json.loads(text, parse_constant=_refuse)
        if _SURROGATE.search(text):
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deep") from None
    return found


def describe_invalid(error: ValidationError) -> str:
    """Return where a document has not the expected shape, and what is wrong: "run.started_at: Expected `str`, …"."""
    what, _, where = str(error).partition(" - at `$")
    place = where.strip("`.")
    return sanitize(f"{place}: {what}" if place else what, 200)


def decode_toml(text: str) -> dict[str, Any]:
    """The table that the text holds. Raises ValueError for everything else, a number of thousands of digits too."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
